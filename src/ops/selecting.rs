//! The arguments by which every operation says which units it means.

use serde::Deserialize;

use crate::app::App;
use crate::app::drift::DriftFilter;
use crate::app::outcome::Outcome;
use crate::app::select::{Request, Selection};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;

/// Which units an operation means.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Selecting {
    /// A unit, a glob (`prod-*/ledger`) or a WHERE clause.
    #[arg(value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// The same as flags.
    #[command(flatten)]
    #[serde(flatten)]
    pub flags: SelectingFlags,
}

/// [`Selecting`] without the positional selector, for operations whose words mean something else.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct SelectingFlags {
    /// The space, a glob of spaces (`traderx-prod-*`), or `*` for all.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// Units by name, with or without their space (can be repeated, or separated by commas).
    #[arg(long, value_name = "UNIT", value_delimiter = ',')]
    pub unit: Vec<String>,
    /// A WHERE clause that the units must meet.
    #[arg(long = "where", value_name = "CLAUSE", aliases = ["where-field", "where-data"])]
    #[serde(rename = "where", alias = "where_field", alias = "where_data")]
    pub clause: Option<String>,
    /// A stored filter that the units must meet, `name` or `space/name`; or a clause.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Do nothing, rather than fail, where no unit matches.
    #[arg(long)]
    pub allow_empty: bool,
}

impl Selecting {
    /// The units that are meant; an empty list where none match.
    ///
    /// # Errors
    /// When the selector or the clause cannot be read, or a unit that is named does not exist.
    pub fn resolve(&self, app: &App) -> Result<Selection> {
        self.flags.select(app, self.selector.as_deref())
    }

    /// The plan of the clause, where it begins with `EXPLAIN`.
    ///
    /// # Errors
    /// When the clause cannot be read.
    pub fn explain(&self, app: &App) -> Result<Option<String>> {
        app.explain(&self.flags.request(self.selector.as_deref()))
    }

    /// As [`Self::resolve`], for a write: nothing said at all is an error, not everything.
    ///
    /// # Errors
    /// [`Kind::Usage`] when neither selector nor flag says which units.
    pub fn resolve_for_write(&self, app: &App) -> Result<Selection> {
        self.flags.refuse_unsaid(self.selector.as_deref())?;
        self.resolve(app)
    }

    /// Exactly one unit.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for none, [`Kind::Usage`] for several.
    pub fn resolve_one(&self, app: &App) -> Result<Selection> {
        self.flags.refuse_unsaid(self.selector.as_deref())?;
        let selection = self.resolve(app)?;
        match selection.pins().len() {
            1 => Ok(selection),
            0 => Err(Error::new(Kind::NotFound, "expected one unit, found none")
                .hint("windlass unit list shows the units there are")),
            count => Err(
                Error::new(Kind::Usage, format!("expected one unit, found {count}"))
                    .hint("name it as space/unit"),
            ),
        }
    }
}

impl SelectingFlags {
    /// The units that are meant, for a write.
    ///
    /// # Errors
    /// As [`Selecting::resolve_for_write`].
    pub fn resolve_for_write(&self, app: &App) -> Result<Selection> {
        self.refuse_unsaid(None)?;
        self.select(app, None)
    }

    fn select(&self, app: &App, selector: Option<&str>) -> Result<Selection> {
        app.select(&self.request(selector))
    }

    /// What the flags ask for.
    pub fn request(&self, selector: Option<&str>) -> Request {
        Request {
            selector: selector.map(ToOwned::to_owned),
            space: self.space.clone(),
            units: self.unit.clone(),
            clause: self.clause.clone(),
            filter: self.filter.clone(),
            ..Request::default()
        }
    }

    /// Whether they say anything.
    pub fn is_said(&self) -> bool {
        self.space.is_some()
            || !self.unit.is_empty()
            || self.clause.is_some()
            || self.filter.is_some()
    }

    fn refuse_unsaid(&self, selector: Option<&str>) -> Result<()> {
        if !self.request(selector).says_nothing() {
            return Ok(());
        }
        Err(Error::new(
            Kind::Usage,
            "expected to be told which units, found nothing",
        )
        .hint(
            "pass --space NAME, --space '*' for all, --unit SPACE/UNIT, --where CLAUSE or \
             --filter NAME",
        ))
    }
}

/// Where a change is kept, if not as new revisions.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct StagingFlags {
    /// Stage the change in this changeset instead of writing it.
    #[arg(long, value_name = "CHANGESET")]
    pub changeset: Option<String>,
    /// Who answers for the staged change: a team or a person.
    #[arg(long, value_name = "OWNER", requires = "changeset")]
    pub owner: Option<String>,
}

impl StagingFlags {
    /// The application through which the change goes.
    ///
    /// # Errors
    /// When there is no such changeset, or it is not open.
    pub fn app(&self, app: &App) -> Result<App> {
        match &self.changeset {
            None => Ok(app.clone()),
            Some(changeset) => app.staged_in(changeset, self.owner.as_deref()),
        }
    }
}

/// Reads `key=value`.
///
/// # Errors
/// When there is no `=` or nothing before it.
pub fn label(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Reads a change of a label: `key=value`, or `key=` to remove it.
///
/// # Errors
/// As [`label`].
pub fn label_change(text: &str) -> std::result::Result<(String, Option<String>), String> {
    let (key, value) = label(text)?;
    Ok((key, (!value.is_empty()).then_some(value)))
}

/// A result with a line for people.
pub fn object(text: String, value: serde_json::Value) -> Output {
    Output::Report {
        text,
        value,
        exit_code: 0,
    }
}

/// Reads the numbers of conflicts, `c41`, or finds the open ones that meet a clause.
///
/// # Errors
/// [`Kind::Usage`] when one is not a number; [`Kind::NotFound`] when none meets the clause.
pub fn conflict_ids(
    app: &App,
    texts: &[String],
    clause: Option<&str>,
) -> Result<Vec<crate::id::ConflictId>> {
    let Some(clause) = clause else {
        return texts.iter().map(|text| Ok(text.parse()?)).collect();
    };
    let rows = app.conflicts(Some(clause))?;
    if rows.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            format!("expected an open conflict with {clause}, found none"),
        )
        .hint("windlass conflict list shows those there are"));
    }
    Ok(rows.iter().map(|row| row.id).collect())
}

/// An outcome as it is shown; the failure of a single unit is shown in full.
///
/// # Errors
/// That failure.
pub fn shown(outcome: Outcome) -> Result<Output> {
    match outcome.failure() {
        Some(error) if outcome.reports.len() == 1 => Err(error),
        _ => Ok(Output::Outcome(outcome)),
    }
}

/// Which drifted fields an operation means.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct DriftedFields {
    /// The field, with everything below it; every field that is not tolerated where it is left
    /// out.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// The object, as `Kind/name`; every object where it is left out.
    #[arg(long, value_name = "RESOURCE")]
    pub on: Option<String>,
}

impl DriftedFields {
    /// The fields that are meant.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the path cannot be read.
    pub fn filter(self) -> Result<DriftFilter> {
        Ok(DriftFilter {
            path: self.path.as_deref().map(str::parse).transpose()?,
            resource: self.on,
        })
    }
}
