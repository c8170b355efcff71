//! Whether everything that Windlass stands on is as it should be: the project, the store and its
//! history, functions, what was left half done, workers and targets.

use std::fmt;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::installed::STORE;
use crate::app::lease::{has_ended, here};
use crate::app::outcome::plural;
use crate::app::project::FOLDER;
use crate::app::style;
use crate::app::targets::SANDBOX;
use crate::app::worker::listing::{SILENT, beating};
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::model::Target;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// Somebody should look at it; everything works.
    Noteworthy,
    Broken,
}

impl Health {
    fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Noteworthy => "note",
            Self::Broken => "FAIL",
        }
    }

    fn style(self) -> Option<anstyle::Style> {
        style::of_cell("Result", self.word())
    }
}

/// One check.
#[derive(Debug, Clone)]
struct Check {
    about: String,
    health: Health,
    found: String,
    /// What to run next.
    next: Option<String>,
}

/// What the checks found.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    checks: Vec<Check>,
    /// The worst error of a target or of the store.
    code: u8,
}

impl Diagnosis {
    fn well(&mut self, about: impl Into<String>, found: impl Into<String>) {
        self.add(about, Health::Well, found, None);
    }

    fn note(&mut self, about: impl Into<String>, found: impl Into<String>, next: Option<String>) {
        self.add(about, Health::Noteworthy, found, next);
    }

    fn broken(&mut self, about: impl Into<String>, error: &Error) {
        self.code = self.code.max(error.exit_code());
        let next = error.hints().first().cloned();
        self.add(about, Health::Broken, error.message(), next);
    }

    fn add(
        &mut self,
        about: impl Into<String>,
        health: Health,
        found: impl Into<String>,
        next: Option<String>,
    ) {
        self.checks.push(Check {
            about: about.into(),
            health,
            found: found.into(),
            next,
        });
    }

    /// 0 where nothing is broken; 4 where only targets do not answer; else 1.
    pub fn exit_code(&self) -> u8 {
        match self.code {
            0 => 0,
            code if code == Kind::Unavailable.exit_code() => code,
            _ => 1,
        }
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "Check": check.about,
                "Result": check.health.word(),
                "Found": check.found,
                "Next": check.next,
            })
        });
        json!({ "Checks": checks.collect::<Vec<_>>() })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.checks.iter().map(|check| check.about.chars().count());
        let width = widths.max().unwrap_or(0);
        for check in &self.checks {
            let Check {
                about,
                health,
                found,
                next,
            } = check;
            let mut lines = found.lines();
            let first = lines.next().unwrap_or_default();
            let word = format!("{:<4}", health.word());
            let word = match health.style().filter(|_| f.alternate()) {
                Some(style) => style::styled(style, &word),
                None => word,
            };
            writeln!(f, "{word}  {about:<width$}  {first}")?;
            for line in lines.map(str::trim).chain(next.as_deref()) {
                writeln!(f, "{:width$}  {line}", "", width = width + 6)?;
            }
        }
        let count = |wanted: Health| {
            let all = self.checks.iter();
            all.filter(|check| check.health == wanted).count()
        };
        writeln!(
            f,
            "{} ok, {} noted, {} failed",
            count(Health::Well),
            count(Health::Noteworthy),
            count(Health::Broken)
        )
    }
}

impl App {
    /// Checks everything, or with a name one target alone. Targets are asked; nothing is written.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such target. What is wrong is in the result.
    pub fn diagnose(&self, target: Option<&Slug>) -> Result<Diagnosis> {
        let mut diagnosis = Diagnosis::default();
        if let Some(slug) = target {
            let record = self.target_record(slug)?;
            self.diagnose_target(&record, &mut diagnosis);
            return Ok(diagnosis);
        }
        self.diagnose_project(&mut diagnosis);
        self.diagnose_functions(&mut diagnosis);
        if !self.db().exists() {
            diagnosis.note(
                "store",
                format!("{} is not there yet", self.store_path().display()),
                Some("the first command that writes makes it".to_owned()),
            );
            return Ok(diagnosis);
        }
        if let Err(error) = self.diagnose_store(&mut diagnosis) {
            diagnosis.broken("store", &error);
            return Ok(diagnosis);
        }
        self.diagnose_work(&mut diagnosis)?;
        for record in self.read(|view| Ok(view.targets()?))? {
            self.diagnose_target(&record, &mut diagnosis);
        }
        Ok(diagnosis)
    }

    fn diagnose_project(&self, diagnosis: &mut Diagnosis) {
        let root = self.project().root();
        let shown = root.display();
        if root.join("windlass.toml").is_file() || root.join(FOLDER).is_dir() {
            diagnosis.well("project", shown.to_string());
        } else {
            diagnosis.note(
                "project",
                format!("{shown} is no project: it has neither windlass.toml nor {FOLDER}"),
                Some("windlass init makes one of it".to_owned()),
            );
        }
        let actor = format!("{}, a claim while there is no server", self.actor());
        diagnosis.well("actor", actor);
    }

    fn diagnose_functions(&self, diagnosis: &mut Diagnosis) {
        let catalogue = match self.catalogue() {
            Ok(catalogue) => catalogue,
            Err(error) => return diagnosis.broken("functions", &error),
        };
        let problems = catalogue.problems();
        for problem in &problems {
            let at = problem.error.location().map_or_else(String::new, |at| {
                format!("{}:{}:{}: ", at.file, at.line, at.column)
            });
            let error = Error::new(Kind::Invalid, format!("{at}{}", problem.error.message()))
                .hint(format!("windlass function test {}", problem.name));
            diagnosis.broken(format!("function {}", problem.name), &error);
        }
        if problems.is_empty() {
            let of = |origin: &str| {
                let origins = catalogue.names().filter_map(|name| catalogue.origin(name));
                origins.filter(|(found, _)| *found == origin).count()
            };
            let (own, installed) = (plural(of("project"), "function"), of(STORE));
            let found = format!("{own} of the project's own, {installed} installed");
            diagnosis.well("functions", found);
        }
    }

    fn diagnose_store(&self, diagnosis: &mut Diagnosis) -> Result<()> {
        let report = self.verify_log()?;
        if report.exit_code() != 0 {
            let error = Error::new(Kind::Invalid, report.text().trim_end())
                .hint("windlass backup restore FILE brings back a store that is sound");
            diagnosis.broken("history", &error);
        } else {
            let first = report.text();
            diagnosis.well("history", first.lines().next().unwrap_or_default());
        }
        let path = self.store_path();
        let bytes = std::fs::metadata(path).map_or(0, |found| found.len());
        let size = format!("{} MiB", bytes.div_ceil(1024 * 1024));
        diagnosis.well("store", format!("{}, {size}", path.display()));
        Ok(())
    }

    /// What was left half done, and who is silent.
    fn diagnose_work(&self, diagnosis: &mut Diagnosis) -> Result<()> {
        self.read(|view| {
            let (here, now) = (here(), view.now());
            for apply in view.open_applies()? {
                if has_ended(&apply.process, apply.until, &here, now) {
                    let next = format!("windlass apply --resume {}", apply.id);
                    let found = format!("{} by {} was cut off", apply.verb, apply.by);
                    diagnosis.note(format!("apply {}", apply.id), found, Some(next));
                }
            }
            for intent in view.intents()? {
                if has_ended(&intent.process, intent.until, &here, now) {
                    let name = &intent.changeset;
                    diagnosis.note(
                        format!("changeset {name}"),
                        "it is applied in part; the next command that needs its units finishes it",
                        Some(format!("windlass changeset apply {name}")),
                    );
                }
            }
            for worker in view.workers()? {
                let space = view.space(worker.space)?.slug;
                let Some(seen) = view.heartbeat(worker.space, &worker.slug)? else {
                    continue;
                };
                let about = format!("worker {} of {space}", worker.slug);
                match beating(&worker, Some(&seen), now) {
                    SILENT => diagnosis.note(
                        about,
                        format!("no sign of life since {}", seen.at.to_minutes()),
                        Some(format!(
                            "windlass worker run {} --space {space}",
                            worker.slug
                        )),
                    ),
                    condition => diagnosis.well(about, condition),
                }
            }
            Ok(())
        })
    }

    fn diagnose_target(&self, record: &Target, diagnosis: &mut Diagnosis) {
        let about = format!("target {}", record.slug);
        if record.kind == SANDBOX {
            return diagnosis.well(about, "the sandbox, simulated in this store");
        }
        // Not through `destination`, which would write down what the cluster says.
        let asked = self.recognised(record);
        match asked.and_then(|(target, _)| Ok(target.probe()?)) {
            Ok(answer) => diagnosis.well(about, answer),
            Err(error) => diagnosis.broken(about, &error),
        }
    }
}
