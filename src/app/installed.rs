//! Functions that are installed in the store: installing, uninstalling, and reading them as a
//! source of the catalogue.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::app::functions::{RESERVED, passed};
use crate::app::outcome::Status;
use crate::app::{App, Verb};
use crate::db::Transaction;
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::model::InstalledFunction;
use crate::query::nearest;
use crate::script::{
    Catalogue, Folder, Function, FunctionFile, FunctionSource, run_fixtures, run_tests,
};
use crate::script::{Problem, Result as ScriptResult};

/// The word for where installed functions come from.
pub(super) const STORE: &str = "store";

/// How many names an operation is called by.
const NAMED: usize = 3;

/// The functions of a store as a source of the catalogue.
pub(super) struct Installed<'a>(pub(super) &'a [InstalledFunction]);

impl FunctionSource for Installed<'_> {
    fn name(&self) -> &str {
        STORE
    }

    fn files(&self) -> ScriptResult<Vec<FunctionFile>> {
        let files = self.0.iter().map(|function| FunctionFile {
            name: function.name.to_string(),
            path: format!("{STORE}/{}.rhai", function.name),
            text: Cow::Owned(function.text.clone()),
        });
        Ok(files.collect())
    }
}

/// Files that are not in the catalogue yet.
struct Given(Vec<FunctionFile>);

impl FunctionSource for Given {
    fn name(&self) -> &'static str {
        STORE
    }

    fn files(&self) -> ScriptResult<Vec<FunctionFile>> {
        Ok(self.0.clone())
    }
}

/// A file that is to be installed.
#[derive(Debug, Clone)]
pub struct GivenFunction {
    /// The file as it was named.
    pub shown: String,
    /// Where it is: its name is the function's, and its fixtures stand beside it.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What became of one function.
#[derive(Debug, Clone)]
pub struct InstalledReport {
    /// Its name.
    pub name: Slug,
    /// Created, changed or unchanged.
    pub status: Status,
    /// Where the function of this name comes from that it hides.
    pub shadows: Option<String>,
    /// Where the function of this name comes from that hides it here.
    pub hidden_by: Option<String>,
}

impl App {
    /// Installs functions, all of them or none, as one operation.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when a file cannot be used as a function, its name is refused, or, with
    /// `is_tested`, one of its examples, tests or fixtures fails.
    pub fn install_functions(
        &self,
        given: &[GivenFunction],
        is_tested: bool,
    ) -> Result<Vec<InstalledReport>> {
        let files = given.iter().map(file_of).collect::<Result<Vec<_>>>()?;
        let (functions, problems) = checked(files);
        if !problems.is_empty() {
            return Err(refusal(problems));
        }
        if is_tested {
            for (function, given) in functions.iter().zip(given) {
                test(function, given)?;
            }
        }
        let names: Vec<&str> = functions.iter().map(|one| one.name.as_str()).collect();
        let verb = Verb::with(
            format!("function install {}", listed(&names)),
            json!({ "functions": names, "no_test": !is_tested }),
        );
        let by = self.actor();
        let (done, _) = self.write(verb, |transaction| {
            let put = |function: &Arc<Function>| {
                let name = Slug::new(function.name.as_str())?;
                let status = put_function(transaction, &name, &function.source, &by)?;
                Ok((name, status))
            };
            functions.iter().map(put).collect::<Result<Vec<_>>>()
        })?;
        let catalogue = self.catalogue()?;
        let reports = done.into_iter().map(|(name, status)| {
            let (origin, shadows) = catalogue.origin(name.as_str()).unwrap_or((STORE, None));
            let is_hidden = origin != STORE;
            InstalledReport {
                shadows: shadows.filter(|_| !is_hidden).map(ToOwned::to_owned),
                hidden_by: is_hidden.then(|| origin.to_owned()),
                name,
                status,
            }
        });
        Ok(reports.collect())
    }

    /// Uninstalls a function, and says where the function of this name comes from now, if there is
    /// one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when none of this name is installed.
    pub fn uninstall_function(&self, name: &str) -> Result<Option<String>> {
        let wanted = name.replace('_', "-");
        let slug = Slug::new(wanted.as_str()).ok();
        let found = match &slug {
            Some(slug) => self.read(|view| Ok(view.find_function(slug)?))?,
            None => None,
        };
        let (Some(slug), Some(_)) = (slug, found) else {
            return Err(self.not_installed(&wanted)?);
        };
        let verb = Verb::new(format!("function uninstall {slug}"));
        self.write(verb, |transaction| Ok(transaction.delete_function(&slug)?))?;
        let catalogue = self.catalogue()?;
        let origin = catalogue.origin(slug.as_str());
        Ok(origin.map(|(origin, _)| origin.to_owned()))
    }

    fn not_installed(&self, name: &str) -> Result<Error> {
        let error = Error::new(
            Kind::NotFound,
            format!("expected an installed function `{name}`, found none"),
        );
        let catalogue = self.catalogue()?;
        if let Some((origin, _)) = catalogue.origin(name) {
            return Ok(error.hint(format!(
                "`{name}` comes from the {origin}; only what the store has can be uninstalled"
            )));
        }
        let installed = self.read(|view| Ok(view.functions()?))?;
        let names = installed.iter().map(|function| function.name.as_str());
        Ok(match nearest(name, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("windlass function list shows the functions there are"),
        })
    }
}

/// Gives the store a function.
pub(super) fn put_function(
    transaction: &mut Transaction,
    name: &Slug,
    text: &str,
    by: &str,
) -> Result<Status> {
    let found = transaction.find_function(name)?;
    if found.as_ref().is_some_and(|found| found.text == text) {
        return Ok(Status::Unchanged);
    }
    transaction.put_function(&InstalledFunction {
        name: name.clone(),
        text: text.to_owned(),
        installed: transaction.at(),
        by: by.to_owned(),
    })?;
    Ok(match found {
        Some(_) => Status::Changed,
        None => Status::Created,
    })
}

/// Reads functions as the catalogue would: those that can be used, in the order in which they were
/// given, and what is wrong with the others.
pub(super) fn checked(files: Vec<FunctionFile>) -> (Vec<Arc<Function>>, Vec<Problem>) {
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let (catalogue, mut problems) =
        Catalogue::load(&[&Given(files)], &|name| RESERVED.contains(&name));
    problems.extend(catalogue.problems());
    let functions = names.iter().filter_map(|name| catalogue.get(name).ok());
    (functions.collect(), problems)
}

fn file_of(given: &GivenFunction) -> Result<FunctionFile> {
    let is_script = given.path.extension().is_some_and(|end| end == "rhai");
    let name = given.path.file_stem().and_then(|name| name.to_str());
    match name {
        Some(name) if is_script => Ok(FunctionFile {
            name: name.to_owned(),
            path: given.shown.clone(),
            text: Cow::Owned(given.text.clone()),
        }),
        _ => Err(Error::new(
            Kind::Usage,
            format!(
                "expected a file NAME.rhai, whose name is the function's, found `{}`",
                given.shown
            ),
        )),
    }
}

/// Runs the examples, tests and fixtures of a function.
fn test(function: &Arc<Function>, given: &GivenFunction) -> Result<()> {
    let beside = given.path.parent().unwrap_or(&given.path);
    let fixtures = Folder::new(beside, beside.display().to_string()).fixtures(&function.name)?;
    let mut reports = run_tests(function);
    reports.extend(run_fixtures(function, &fixtures));
    let failed: Vec<_> = reports.iter().filter(|report| !passed(report)).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let mut error = Error::new(
        Kind::Invalid,
        format!(
            "expected the examples and tests of {} to pass, found {} of {} failing",
            given.shown,
            failed.len(),
            reports.len()
        ),
    );
    for report in failed {
        let message = report.message.trim_end();
        error = error.context(format!("{}: {message}", report.name));
    }
    Err(error
        .context("nothing was installed")
        .hint("--no-test installs it as it is"))
}

/// The one error of all files that cannot be used; there is at least one.
fn refusal(problems: Vec<Problem>) -> Error {
    let mut problems = problems.into_iter();
    let first = problems.next().map_or_else(
        || Error::new(Kind::Internal, "no function was refused"),
        |problem| problem.error.into(),
    );
    let error = problems.fold(first, |error, problem| {
        let other = Error::from(problem.error);
        let at = other.location().map_or_else(String::new, |at| {
            format!("{}:{}:{}: ", at.file, at.line, at.column)
        });
        error.context(format!("{at}{}", other.message()))
    });
    error.context("nothing was installed")
}

fn listed(names: &[&str]) -> String {
    if names.len() <= NAMED {
        names.join(" ")
    } else {
        let others = names.len() - NAMED;
        format!("{} and {others} more", names[..NAMED].join(" "))
    }
}
