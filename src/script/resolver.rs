//! `import` for session scripts: files of the project and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

type SharedModule = Shared<Module>;

const FILE_BYTES: u64 = 1 << 20;

/// Finds modules below one folder. A path is taken from the importing file's folder first, then
/// from the root; the ending `.rhai` may be left out.
#[derive(Debug)]
pub(super) struct ProjectResolver {
    root: PathBuf,
    loaded: RwLock<BTreeMap<PathBuf, SharedModule>>,
}

impl ProjectResolver {
    /// Makes a resolver that reads below `root`.
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            loaded: RwLock::default(),
        }
    }

    fn locate(&self, source: Option<&str>, path: &str) -> Result<PathBuf, String> {
        let root = self
            .root
            .canonicalize()
            .map_err(|error| error.to_string())?;
        let wanted = if Path::new(path).extension().is_some_and(|ext| ext == "rhai") {
            path.to_owned()
        } else {
            format!("{path}.rhai")
        };
        let beside = source
            .and_then(|file| Path::new(file).parent())
            .map(|dir| root.join(dir));
        for folder in beside.into_iter().chain([root.clone()]) {
            let Ok(found) = folder.join(&wanted).canonicalize() else {
                continue;
            };
            // Checked on the real path, so neither `..` nor a link leads out.
            if !found.starts_with(&root) {
                return Err(format!("`{path}` is outside the project"));
            }
            return Ok(found);
        }
        Err(format!("no file `{wanted}` in the project"))
    }

    fn load(&self, engine: &Engine, file: &Path) -> Result<SharedModule, Box<EvalAltResult>> {
        let size = std::fs::metadata(file).map_or(0, |data| data.len());
        if size > FILE_BYTES {
            return Err(format!("the file is larger than {FILE_BYTES} bytes").into());
        }
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        let mut ast = engine.compile(&text)?;
        let root = self
            .root
            .canonicalize()
            .unwrap_or_else(|_| self.root.clone());
        ast.set_source(
            file.strip_prefix(&root)
                .unwrap_or(file)
                .to_string_lossy()
                .as_ref(),
        );
        Ok(Module::eval_ast_as_new(Scope::new(), &ast, engine)?.into())
    }
}

impl ModuleResolver for ProjectResolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<SharedModule, Box<EvalAltResult>> {
        // `ErrorModuleNotFound` would say more simply what it is, but Rhai drops its text.
        let not_found = |problem: String| {
            let error = EvalAltResult::ErrorRuntime(problem.into(), position);
            Box::new(EvalAltResult::ErrorInModule(
                path.to_owned(),
                Box::new(error),
                position,
            ))
        };
        let file = self.locate(source, path).map_err(not_found)?;
        let known = self
            .loaded
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&file)
            .cloned();
        if let Some(module) = known {
            return Ok(module);
        }
        let module = self.load(engine, &file).map_err(|error| {
            Box::new(EvalAltResult::ErrorInModule(
                path.to_owned(),
                error,
                position,
            ))
        })?;
        self.loaded
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(file, module.clone());
        Ok(module)
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::{SessionOptions, session_engine};

    #[test]
    fn imports_stay_below_the_root() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("project");
        std::fs::create_dir_all(root.join("lib")).unwrap();
        std::fs::write(outer.path().join("secret.rhai"), "export const X = 1;").unwrap();
        std::fs::write(
            root.join("lib/a.rhai"),
            "import \"b\" as b; export const X = b::X + 1;",
        )
        .unwrap();
        std::fs::write(root.join("lib/b.rhai"), "export const X = 1;").unwrap();
        let engine = session_engine(SessionOptions {
            root: Some(root),
            ..SessionOptions::default()
        });

        assert_eq!(
            engine.eval::<i64>("import \"lib/a\" as a; a::X").unwrap(),
            2
        );
        for bad in ["../secret", "/etc/passwd", "lib/../../secret", "missing"] {
            let error = engine
                .run(&format!("import \"{bad}\" as m;"))
                .unwrap_err()
                .to_string();
            assert!(error.contains("project"), "{bad}: {error}");
        }
    }
}
