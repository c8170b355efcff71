//! All functions by name: the project's before the store's before the embedded ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rust_embed::Embed;

use super::error::{Error, Fault, Result, nearest};
use super::function::Function;

/// The file of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFile {
    /// Name with dashes: the file's name without its ending.
    pub name: String,
    /// The file as it is shown, for example `functions/pin-node-pool.rhai`.
    pub path: String,
    /// Its text.
    pub text: Cow<'static, str>,
}

/// A test of a function as files: what goes in and what is to come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// The folder's name.
    pub name: String,
    /// Where it stands.
    pub folder: PathBuf,
    /// Text of `in.yaml`.
    pub input: String,
    /// Text of `want.yaml`; without one, the function must only run without an error.
    pub want: Option<String>,
    /// Text of `args.yaml`: a map of named arguments; none for a call without arguments.
    pub arguments: Option<String>,
}

/// Somewhere functions come from.
pub trait FunctionSource {
    /// A word for lists: `project`, `store`, `stdlib`.
    fn name(&self) -> &str;

    /// The files of all functions.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn files(&self) -> Result<Vec<FunctionFile>>;

    /// The fixtures of one function; none where there are no such files.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn fixtures(&self, _function: &str) -> Result<Vec<Fixture>> {
        Ok(Vec::new())
    }
}

/// A file or source that cannot be used. The other functions work without it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Name of the function; empty for a whole source.
    pub name: String,
    /// The source.
    pub origin: String,
    /// What is wrong, and where.
    pub error: Error,
}

#[derive(Embed)]
#[folder = "stdlib/"]
struct Files;

/// The functions that come with Windlass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdlib;

impl FunctionSource for Stdlib {
    fn name(&self) -> &'static str {
        "stdlib"
    }

    fn files(&self) -> Result<Vec<FunctionFile>> {
        let files = Files::iter().filter_map(|path| {
            if !path.ends_with(".rhai") {
                return None;
            }
            let text = match Files::get(&path)?.data {
                Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
            };
            let name = Path::new(path.as_ref()).file_stem()?.to_str()?.to_owned();
            Some(FunctionFile {
                name,
                path: format!("stdlib/{path}"),
                text,
            })
        });
        Ok(files.collect())
    }
}

/// The functions in a folder of a project, and in folders below it.
#[derive(Debug, Clone)]
pub struct Folder {
    folder: PathBuf,
    shown: String,
}

impl Folder {
    /// Functions of `folder`, which need not exist; messages call it `shown`.
    pub fn new(folder: impl Into<PathBuf>, shown: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            shown: shown.into(),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> Error {
        Error::new(Fault::File {
            path: self.shown.clone(),
            problem: error.to_string(),
        })
    }

    /// The files as they are now, without their texts. What cannot be read is left out, and
    /// [`FunctionSource::files`] says why.
    pub fn state(&self) -> FolderState {
        let mut paths = Vec::new();
        // A folder that cannot be read has the files that were found before the error.
        self.collect(&self.folder, 0, &mut paths).ok();
        let states = paths.into_iter().map(|path| {
            let found = std::fs::metadata(&path).ok();
            let state = found.map(|found| (found.modified().ok(), found.len()));
            (path, state)
        });
        FolderState(states.collect())
    }

    /// The paths of the files, those of a folder sorted.
    fn collect(&self, folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.unreadable(&error)),
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(|error| self.unreadable(&error))?.path());
        }
        paths.sort();
        for path in paths {
            if path.is_dir() {
                if depth < 4 && path.file_name().is_some_and(|name| name != "fixtures") {
                    self.collect(&path, depth + 1, found)?;
                }
            } else if path.extension().is_some_and(|ending| ending == "rhai") {
                found.push(path);
            }
        }
        Ok(())
    }

    fn file(&self, path: &Path) -> Result<FunctionFile> {
        let below = path.strip_prefix(&self.folder).unwrap_or(path);
        let shown = format!("{}/{}", self.shown, below.display());
        let unreadable = |problem: String| {
            Error::new(Fault::File {
                path: shown.clone(),
                problem,
            })
        };
        let size = std::fs::metadata(path)
            .map_err(|error| unreadable(error.to_string()))?
            .len();
        if size > FILE_BYTES {
            return Err(unreadable(format!(
                "expected at most {FILE_BYTES} bytes, found {size}"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        Ok(FunctionFile {
            name: name.to_owned(),
            path: shown,
            text: Cow::Owned(text),
        })
    }
}

/// How long the file of a function may be, in bytes.
const FILE_BYTES: u64 = 256 << 10;

/// The files of a [`Folder`] at some moment, by name, time of change and length: two that are
/// equal have the same functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderState(Vec<(PathBuf, Option<FileState>)>);

/// When a file was changed, and how long it is.
type FileState = (Option<SystemTime>, u64);

impl FunctionSource for Folder {
    fn name(&self) -> &'static str {
        "project"
    }

    fn files(&self) -> Result<Vec<FunctionFile>> {
        let mut paths = Vec::new();
        self.collect(&self.folder, 0, &mut paths)?;
        paths.iter().map(|path| self.file(path)).collect()
    }

    /// Reads `fixtures/FUNCTION/CASE/{in,want,args}.yaml`, and `fixtures/FUNCTION/{in,want}.yaml`
    /// as a case of its own.
    fn fixtures(&self, function: &str) -> Result<Vec<Fixture>> {
        let root = self.folder.join("fixtures").join(function);
        let mut folders = vec![root.clone()];
        if let Ok(entries) = std::fs::read_dir(&root) {
            folders.extend(
                entries
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|path| path.is_dir()),
            );
        }
        folders.sort();
        let mut fixtures = Vec::new();
        for folder in folders {
            let read = |name: &str| std::fs::read_to_string(folder.join(name));
            let Ok(input) = read("in.yaml") else { continue };
            let want = match read("want.yaml") {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    return Err(Error::new(Fault::File {
                        path: folder.join("want.yaml").display().to_string(),
                        problem: error.to_string(),
                    }));
                }
            };
            let name = folder
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or(function);
            fixtures.push(Fixture {
                name: name.to_owned(),
                folder: folder.clone(),
                input,
                want,
                arguments: read("args.yaml").ok(),
            });
        }
        Ok(fixtures)
    }
}

#[derive(Debug)]
struct Entry {
    file: FunctionFile,
    origin: String,
    shadows: Option<String>,
    function: OnceLock<Result<Arc<Function>>>,
}

impl Entry {
    fn function(&self) -> Result<Arc<Function>> {
        let read = || {
            let file = &self.file;
            let mut function = Function::read(&file.name, &file.path, &self.origin, &file.text)?;
            function.shadows.clone_from(&self.shadows);
            Ok(Arc::new(function))
        };
        self.function.get_or_init(read).clone()
    }
}

/// Functions by name. Making it reads files; each is parsed when somebody asks for it.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
}

impl Catalogue {
    /// Collects the functions of `sources`, of which an earlier one hides the same name of a
    /// later one. Names for which `taken` says true belong to operations and are refused.
    ///
    /// What is wrong inside a file is found when it is parsed: see [`Catalogue::problems`].
    pub fn load(
        sources: &[&dyn FunctionSource],
        taken: &dyn Fn(&str) -> bool,
    ) -> (Self, Vec<Problem>) {
        let mut catalogue = Self::default();
        let mut problems = Vec::new();
        for source in sources {
            let mut problem = |name: &str, error: Error| {
                let (name, origin) = (name.to_owned(), source.name().to_owned());
                problems.push(Problem {
                    name,
                    origin,
                    error,
                });
            };
            let files = match source.files() {
                Ok(files) => files,
                Err(error) => {
                    problem("", error);
                    continue;
                }
            };
            for file in files {
                match catalogue.refusal(&file, source.name(), taken) {
                    Some(error) => problem(&file.name, error),
                    None => catalogue.add(file, source.name()),
                }
            }
        }
        (catalogue, problems)
    }

    fn refusal(
        &self,
        file: &FunctionFile,
        origin: &str,
        taken: &dyn Fn(&str) -> bool,
    ) -> Option<Error> {
        let refuse = |problem: String| {
            Some(Error::new(Fault::File {
                path: file.path.clone(),
                problem,
            }))
        };
        let name = &file.name;
        let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !well_formed {
            return refuse(format!(
                "expected a file name of small letters, digits and dashes, found `{name}`"
            ));
        }
        let length = file.text.len();
        if length as u64 > FILE_BYTES {
            return refuse(format!(
                "expected at most {FILE_BYTES} bytes, found {length}"
            ));
        }
        if taken(name) {
            return refuse(format!("the name `{name}` belongs to an operation"));
        }
        match self.entries.get(name) {
            Some(other) if other.origin == origin => {
                refuse(format!("`{name}` is also in {}", other.file.path))
            }
            _ => None,
        }
    }

    fn add(&mut self, file: FunctionFile, origin: &str) {
        if let Some(entry) = self.entries.get_mut(&file.name) {
            entry.shadows.get_or_insert_with(|| origin.to_owned());
            return;
        }
        let entry = Entry {
            origin: origin.to_owned(),
            shadows: None,
            function: OnceLock::new(),
            file: file.clone(),
        };
        self.entries.insert(file.name, entry);
    }

    /// Whether a function has this name; parses nothing.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Where the function of this name comes from, and where the one that it hides does, if there
    /// is one; parses nothing.
    pub fn origin(&self, name: &str) -> Option<(&str, Option<&str>)> {
        let entry = self.entries.get(name)?;
        Some((entry.origin.as_str(), entry.shadows.as_deref()))
    }

    /// The names in alphabetical order; parses nothing.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The function of that name; underscores count as dashes.
    ///
    /// # Errors
    ///
    /// An unknown name, with the nearest one, or a file that cannot be used.
    pub fn get(&self, name: &str) -> Result<Arc<Function>> {
        let wanted = super::function::kebab(name);
        if let Some(entry) = self.entries.get(&wanted) {
            return entry.function();
        }
        let error = Error::new(Fault::UnknownFunction {
            name: name.to_owned(),
        });
        Err(error.nearest(nearest(&wanted, self.names())))
    }

    /// All usable functions in alphabetical order; parses every file.
    pub fn list(&self) -> Vec<Arc<Function>> {
        self.entries
            .values()
            .filter_map(|entry| entry.function().ok())
            .collect()
    }

    /// The files that cannot be used; parses every file.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.entries.iter().filter_map(|(name, entry)| {
            let error = entry.function().err()?;
            Some(Problem {
                name: name.clone(),
                origin: entry.origin.clone(),
                error,
            })
        });
        problems.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(&'static str, Vec<(&'static str, &'static str)>);

    impl FunctionSource for Given {
        fn name(&self) -> &str {
            self.0
        }

        fn files(&self) -> Result<Vec<FunctionFile>> {
            let files = self.1.iter().map(|(name, text)| FunctionFile {
                name: (*name).to_owned(),
                path: format!("{}/{name}.rhai", self.0),
                text: Cow::Borrowed(text),
            });
            Ok(files.collect())
        }
    }

    #[test]
    fn an_earlier_source_hides_a_later_one_and_says_so() {
        let project = Given("project", vec![("a", "fn a(r) { 1 }")]);
        let stdlib = Given("stdlib", vec![("a", "fn a(r) { 2 }"), ("b", "fn b(r) {}")]);
        let (catalogue, problems) = Catalogue::load(&[&project, &stdlib], &|_| false);
        assert!(problems.is_empty());
        let a = catalogue.get("a").unwrap();
        assert_eq!(
            (a.origin.as_str(), a.shadows.as_deref()),
            ("project", Some("stdlib"))
        );
        assert_eq!(catalogue.list().len(), 2);
    }

    #[test]
    fn a_broken_file_is_named_and_breaks_no_other() {
        let project = Given(
            "project",
            vec![
                ("good", "fn good(resource) {}"),
                ("syntax", "fn syntax(resource) {\n    let x = ;\n}"),
                ("other-name", "fn othername(resource) {}"),
                ("nothing", "fn nothing() {}"),
                (
                    "meta",
                    "export const META = #{ kind: \"mutat\" };\nfn meta(resource) {}",
                ),
                ("word", "fn word(resource) {\n  resource.spec.match = 1;\n}"),
                (
                    "outer",
                    "let limit = 3;\nfn outer(resource) {\n  resource.x = limit;\n}",
                ),
            ],
        );
        let (catalogue, _) = Catalogue::load(&[&project], &|_| false);
        assert_eq!(catalogue.list().len(), 1);
        let problems: Vec<String> = catalogue
            .problems()
            .iter()
            .map(|p| {
                format!(
                    "{} {} {}",
                    p.error.location().unwrap(),
                    p.error,
                    p.error.hints().join("; ")
                )
            })
            .collect();
        let expect = [
            (
                "project/meta.rhai:1:31 ",
                "kind must be mutate, query or validate, found `mutat`",
            ),
            ("project/nothing.rhai:1:1 ", "the first one is the resource"),
            (
                "project/other-name.rhai:1:4 ",
                "a public function named `other_name`",
            ),
            (
                "project/outer.rhai:3:16 ",
                "does not see an outer `let limit`",
            ),
            ("project/syntax.rhai:2:13 ", ""),
            ("project/word.rhai:2:17 ", "resource[\"match\"]"),
        ];
        assert_eq!(problems.len(), expect.len(), "{problems:#?}");
        for (problem, (place, message)) in problems.iter().zip(expect) {
            assert!(
                problem.starts_with(place) && problem.contains(message),
                "{problem}"
            );
        }
    }

    #[test]
    fn names_of_operations_and_bad_names_are_refused() {
        let project = Given(
            "project",
            vec![("apply", "fn apply(r) {}"), ("Bad_Name", "")],
        );
        let (catalogue, problems) = Catalogue::load(&[&project], &|name| name == "apply");
        assert_eq!(catalogue.names().count(), 0);
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0]
                .error
                .to_string()
                .contains("belongs to an operation")
        );
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let (catalogue, _) = Catalogue::load(&[&Stdlib], &|_| false);
        let error = catalogue.get("set-replica").unwrap_err();
        assert_eq!(error.hints(), ["nearest    set-replicas"]);
        assert!(catalogue.get("set_replicas").is_ok());
    }
}
