//! Which units are meant: references, globs, clauses; and the pinned list that they become.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use serde_json::Value;

use crate::app::App;
use crate::app::filter::Filtering;
use crate::app::outcome::UnitReport;
use crate::app::record::UnitRecord;
use crate::app::related::{Facts, Related};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::{SpaceId, UnitId};
use crate::model::{Space, Unit};
use crate::query::{Access, Glob, Literal, Query, Selector, SortKey, nearest, parse_with, plan};
use crate::script::engine::pool;

/// How many units are looked at together.
const CHUNK: usize = 512;

/// How few units are not worth another thread.
const FEW: usize = 32;

/// A unit as it was when it was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The unit.
    pub unit: UnitId,
    /// Its head then.
    pub head: u32,
}

/// A pinned, ordered list of units with their heads (promise P5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pins: Vec<Pin>,
    /// Whether nothing was said of which units: it can be read, but not written.
    is_unsaid: bool,
}

impl Selection {
    /// One unit.
    pub fn of_unit(unit: UnitId, head: u32) -> Self {
        Self {
            pins: vec![Pin { unit, head }],
            is_unsaid: false,
        }
    }

    /// The units of a report, as it left them.
    pub fn of_reports(reports: &[UnitReport]) -> Self {
        let pins = reports.iter().map(|report| Pin {
            unit: report.unit,
            head: report.after,
        });
        Self {
            pins: pins.collect(),
            is_unsaid: false,
        }
    }

    /// The units, in order.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// The same selection without its units, to be filled in another order.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            pins: Vec::new(),
            is_unsaid: self.is_unsaid,
        }
    }

    /// These units, as they are.
    pub(crate) fn of_units<'a>(units: impl IntoIterator<Item = &'a Unit>) -> Self {
        let pins = units.into_iter().map(|unit| Pin {
            unit: unit.id,
            head: unit.head,
        });
        Self {
            pins: pins.collect(),
            is_unsaid: false,
        }
    }

    /// Adds a unit at the end.
    pub fn push(&mut self, pin: Pin) {
        self.pins.push(pin);
    }
}

/// What somebody said of the units that are meant; all that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A reference, a glob or a clause.
    pub selector: Option<String>,
    /// A space, a glob of spaces, or `*`.
    pub space: Option<String>,
    /// Units by name, with or without their space.
    pub units: Vec<String>,
    /// A clause.
    pub clause: Option<String>,
    /// The name of a stored filter, or a clause.
    pub filter: Option<String>,
    /// Values for the `$name`s of clauses.
    pub bindings: BTreeMap<String, Value>,
}

impl Request {
    /// Whether it means every unit there is because it says nothing, or only `*`.
    pub fn says_nothing(&self) -> bool {
        let is_bare = |text: &Option<String>| {
            text.as_deref()
                .is_none_or(|text| matches!(text.trim(), "" | "*"))
        };
        is_bare(&self.selector)
            && is_bare(&self.clause)
            && is_bare(&self.filter)
            && self.space.is_none()
            && self.units.is_empty()
    }
}

/// A [`Request`] that has been read.
struct Wanted {
    selector: Selector,
    space: Option<Glob>,
    units: Vec<(Option<Glob>, Glob)>,
    query: Query,
    /// What a stored filter says of the units' spaces.
    from_space: Option<Glob>,
    /// Whether it means every unit there is, because nothing narrows it.
    is_unsaid: bool,
}

impl App {
    /// The units that are meant, in the order of their spaces' and their own creation unless the
    /// clause says otherwise.
    ///
    /// # Errors
    /// When a text cannot be read, or a unit or space that is named without a glob does not
    /// exist.
    pub fn select(&self, request: &Request) -> Result<Selection> {
        let excepted = self.scope().excepted.clone();
        let request = &self.in_current_space(request);
        self.read(|view| {
            let wanted = Wanted::read(view, request)?;
            let found = find(view, &wanted)?;
            let found = match unknown_name(view, request, &wanted, &found)? {
                None => found,
                Some(unknown) => match of_deployments(view, request, &wanted, &found)? {
                    Some(deployments) => deployments,
                    None => return Err(unknown.error(view, request.space.as_deref())?),
                },
            };
            let found = found.into_iter();
            let found = found.filter(|unit| !excepted.contains(&unit.id));
            let pins = found.map(|unit| Pin {
                unit: unit.id,
                head: unit.head,
            });
            Ok(Selection {
                pins: pins.collect(),
                is_unsaid: wanted.is_unsaid,
            })
        })
    }

    /// How the units of a request are found, where its clause begins with `EXPLAIN`.
    ///
    /// # Errors
    /// When a text cannot be read.
    pub fn explain(&self, request: &Request) -> Result<Option<String>> {
        let request = &self.in_current_space(request);
        let wanted = self.read(|view| Wanted::read(view, request))?;
        let query = match &wanted.selector {
            Selector::Clause(query) => query.clone().and(wanted.query),
            Selector::Reference { .. } => wanted.query,
        };
        Ok(query.is_explain().then(|| {
            let lines = plan(&query).explain.into_iter();
            lines.map(|line| line + "\n").collect()
        }))
    }

    /// One unit as a selection, at its present head.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when it was deleted.
    pub fn selection_of(&self, unit: UnitId) -> Result<Selection> {
        let unit = self.read(|view| Ok(view.unit(unit)?))?;
        Ok(Selection::of_unit(unit.id, unit.head))
    }

    /// The one unit that a reference names.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for none, [`Kind::Usage`] for several.
    pub fn unit_named(&self, reference: &str) -> Result<UnitId> {
        let request = Request {
            selector: Some(reference.to_owned()),
            ..Request::default()
        };
        let selection = self.select(&request)?;
        match selection.pins() {
            [pin] => Ok(pin.unit),
            [] => Err(no_unit(reference)),
            pins => {
                let names = self.references(&selection)?;
                Err(Error::new(
                    Kind::Usage,
                    format!("expected one unit for `{reference}`, found {}", pins.len()),
                )
                .hint(format!("name the space as well: {}", names.join(", "))))
            }
        }
    }

    /// The names of units, as `space/unit`.
    ///
    /// # Errors
    /// When one was deleted meanwhile.
    pub fn references(&self, selection: &Selection) -> Result<Vec<String>> {
        self.read(|view| {
            let mut related = Related::new(view);
            let mut names = Vec::with_capacity(selection.pins.len());
            for pin in &selection.pins {
                let unit = view.unit(pin.unit)?;
                names.push(format!("{}/{}", related.space(unit.space)?.slug, unit.slug));
            }
            Ok(names)
        })
    }

    /// Refuses a selection of which somebody else has changed a unit, and one that nobody asked
    /// for: a bare `*` or nothing at all.
    pub(crate) fn refuse_moved(&self, view: &View, selection: &Selection) -> Result<()> {
        if selection.is_unsaid {
            return Err(Error::new(
                Kind::Usage,
                "expected to be told which units to write, found everything",
            )
            .hint("`*/*` and --space '*' mean every unit of every space"));
        }
        self.refuse_applying(view, selection)?;
        for pins in selection.pins.chunks(CHUNK) {
            let ids: Vec<UnitId> = pins.iter().map(|pin| pin.unit).collect();
            for (pin, unit) in pins.iter().zip(view.find_units(&ids)?) {
                self.refuse_other(*pin, unit.as_ref())?;
            }
        }
        Ok(())
    }

    /// Refuses a unit that is not as it was selected.
    fn refuse_other(&self, pin: Pin, unit: Option<&Unit>) -> Result<()> {
        let Some(unit) = unit else {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "expected the selected unit {} to be there, found it deleted",
                    pin.unit
                ),
            ));
        };
        if unit.head == pin.head || self.scope().own_heads.get(&pin.unit) == Some(&unit.head) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Conflict,
            format!(
                "expected `{}` at r{}, as it was selected, found it at r{}: {}",
                unit.slug, pin.head, unit.head, unit.last_change
            ),
        )
        .hint("somebody else changed it meanwhile: look again, then select and repeat"))
    }
}

impl Wanted {
    fn read(view: &View, request: &Request) -> Result<Self> {
        let mut values = BTreeMap::new();
        for (name, value) in &request.bindings {
            values.insert(name.clone(), literal(name, value)?);
        }
        let selector = match request.selector.as_deref() {
            None => Selector::Clause(Query::everything()),
            Some(text) => Selector::parse_with(text, &values)?,
        };
        let mut units = Vec::with_capacity(request.units.len());
        for text in &request.units {
            match Selector::parse(text)? {
                Selector::Reference { space, unit } => units.push((space, unit)),
                Selector::Clause(_) => {
                    return Err(Error::new(
                        Kind::Usage,
                        format!("expected the name of a unit, found `{text}`"),
                    ));
                }
            }
        }
        let query = match request.clause.as_deref() {
            None => Query::everything(),
            Some(text) => parse_with(text, &values)?,
        };
        let space = request.space.as_deref();
        let filtering = match request.filter.as_deref() {
            None => None,
            Some(text) => Some(Filtering::read(view, text, space, &values)?),
        };
        let has_stored = filtering.as_ref().is_some_and(|found| found.is_stored);
        let (query, from_space) = match filtering {
            None => (query, None),
            Some(filtering) => (query.and(filtering.query), filtering.from_space),
        };
        let is_open = |query: &Query| query.condition().is_none() && query.limit().is_none();
        let is_unsaid = match &selector {
            Selector::Clause(selector) => is_open(selector),
            Selector::Reference { space: None, unit } => unit.to_string() == "*",
            Selector::Reference { .. } => false,
        } && is_open(&query)
            && !has_stored
            && space.is_none()
            && units.is_empty();
        Ok(Self {
            selector,
            space: space.map(Glob::new),
            units,
            query,
            from_space,
            is_unsaid,
        })
    }

    /// The whole condition as one query, but for names.
    fn condition(&self) -> Query {
        match &self.selector {
            Selector::Clause(query) => query.clone().and(self.query.clone()),
            Selector::Reference { .. } => self.query.clone(),
        }
    }

    /// Whether a unit that is named can only be missing because there is none.
    fn has_names_only(&self) -> bool {
        self.condition().condition().is_none() && self.from_space.is_none()
    }

    fn access(&self) -> Access {
        let by_query = plan(&self.condition()).access;
        if !matches!(by_query, Access::All) {
            return by_query;
        }
        let by_space = |glob: &Glob| match glob.literal() {
            Some(slug) => Access::Space(slug.to_owned()),
            None => Access::All,
        };
        match (&self.selector, &self.space) {
            (Selector::Reference { space: None, unit }, Some(space)) => {
                match (space.literal(), unit.literal()) {
                    (Some(space), Some(slug)) => Access::SpaceAndSlug {
                        space: space.to_owned(),
                        slug: slug.to_owned(),
                    },
                    (None, Some(slug)) => Access::Slug(slug.to_owned()),
                    _ => by_space(space),
                }
            }
            (reference @ Selector::Reference { .. }, _) => reference.access(),
            (Selector::Clause(_), Some(space)) => by_space(space),
            (Selector::Clause(_), None) => Access::All,
        }
    }

    fn names_match(&self, space: &Space, unit: &Unit) -> bool {
        let is = |space_glob: Option<&Glob>, unit_glob: &Glob| {
            space_glob.is_none_or(|glob| glob.is_match(space.slug.as_str()))
                && unit_glob.is_match(unit.slug.as_str())
        };
        let by_selector = match &self.selector {
            Selector::Reference { space, unit } => is(space.as_ref(), unit),
            Selector::Clause(_) => true,
        };
        let spaces = self.space.iter().chain(&self.from_space);
        by_selector
            && spaces
                .into_iter()
                .all(|glob| glob.is_match(space.slug.as_str()))
            && (self.units.is_empty()
                || self
                    .units
                    .iter()
                    .any(|(space, unit)| is(space.as_ref(), unit)))
    }
}

/// A unit that was found, after what it is sorted by.
type Found = (SortKey, (SpaceId, UnitId), Unit);

/// The units that are wanted, sorted.
fn find(view: &View, wanted: &Wanted) -> Result<Vec<Unit>> {
    let query = wanted.condition();
    let mut search = Search {
        view,
        query: &query,
        related: Related::new(view),
        pending: Vec::new(),
        found: Vec::new(),
    };
    match candidates(view, &wanted.access())? {
        None => view.scan_units(|unit| {
            search.look_at(wanted, unit)?;
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?,
        Some(ids) => {
            for ids in ids.chunks(CHUNK) {
                for unit in view.units(ids)? {
                    search.look_at(wanted, unit)?;
                }
            }
        }
    }
    search.judge_pending()?;
    let mut found = search.found;
    found.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    let limit = query.limit().unwrap_or(usize::MAX);
    Ok(found
        .into_iter()
        .take(limit)
        .map(|(_, _, unit)| unit)
        .collect())
}

/// A search through units. Clauses that read data are judged on all cores, many units at a time.
struct Search<'a> {
    view: &'a View,
    query: &'a Query,
    related: Related<'a>,
    pending: Vec<(Unit, Facts)>,
    found: Vec<Found>,
}

impl Search<'_> {
    fn look_at(&mut self, wanted: &Wanted, unit: Unit) -> Result<()> {
        let space = self.related.space(unit.space)?;
        if !wanted.names_match(&space, &unit) {
            return Ok(());
        }
        let facts = self.related.facts(&unit)?;
        if !self.query.reads_data() {
            self.found
                .extend(judge(self.view, self.query, (unit, facts))?);
            return Ok(());
        }
        self.pending.push((unit, facts));
        if self.pending.len() == CHUNK {
            self.judge_pending()?;
        }
        Ok(())
    }

    fn judge_pending(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let (view, query) = (self.view, self.query);
        if pending.len() < FEW {
            for unit in pending {
                self.found.extend(judge(view, query, unit)?);
            }
            return Ok(());
        }
        let judged: Vec<Option<Found>> = pool().install(|| {
            pending
                .into_par_iter()
                .with_min_len(FEW)
                .map(|unit| judge(view, query, unit))
                .collect::<Result<_>>()
        })?;
        self.found.extend(judged.into_iter().flatten());
        Ok(())
    }
}

fn judge(view: &View, query: &Query, (unit, facts): (Unit, Facts)) -> Result<Option<Found>> {
    let key = UnitRecord::with(view, &unit, &facts, query.reads_data(), &mut |record| {
        query.matches(record).then(|| query.sort_key(record))
    })?;
    Ok(key.map(|key| (key, (unit.space, unit.id), unit)))
}

/// The numbers of the units that an index finds; none where every unit is to be looked at.
fn candidates(view: &View, access: &Access) -> Result<Option<Vec<UnitId>>> {
    let ids = match access {
        Access::All => return Ok(None),
        Access::Nothing => Vec::new(),
        Access::Unit(id) => vec![UnitId(*id)],
        Access::SpaceAndSlug { space, slug } => match (space.parse(), slug.parse()) {
            (Ok(space), Ok(slug)) => match view.find_space(&space)? {
                Some(space) => view
                    .find_unit(space.id, &slug)?
                    .into_iter()
                    .map(|unit| unit.id)
                    .collect(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        },
        Access::Slug(slug) => match slug.parse() {
            Ok(slug) => view.by_slug(&slug)?,
            Err(_) => Vec::new(),
        },
        Access::Upstream(id) => view.by_upstream(UnitId(*id))?,
        Access::UpstreamSlug(slug) => match slug.parse() {
            Ok(slug) => {
                let mut ids = Vec::new();
                for upstream in view.by_slug(&slug)? {
                    ids.extend(view.by_upstream(upstream)?);
                }
                ids
            }
            Err(_) => Vec::new(),
        },
        Access::Label { key, value } => view.by_label(key, value)?,
        Access::ResourceType(kind) => view.by_kind(kind)?,
        Access::Space(slug) => match slug.parse() {
            Ok(slug) => match view.find_space(&slug)? {
                Some(space) => view.unit_ids_in(space.id)?,
                None => Vec::new(),
            },
            Err(_) => Vec::new(),
        },
        Access::SpacePrefix(prefix) => {
            let mut ids = Vec::new();
            for space in view.spaces()? {
                if space.slug.as_str().starts_with(prefix.as_str()) {
                    ids.extend(view.unit_ids_in(space.id)?);
                }
            }
            ids
        }
        Access::Union(parts) => {
            let mut ids = Vec::new();
            for part in parts {
                match candidates(view, part)? {
                    Some(found) => ids.extend(found),
                    None => return Ok(None),
                }
            }
            ids
        }
    };
    let mut ids = ids;
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

/// A name without a glob that names nothing: an error, not an empty list.
enum Unknown<'a> {
    Space(&'a str),
    Unit(&'a str),
}

impl Unknown<'_> {
    /// The error, with the nearest name. It looks at every name there is.
    fn error(self, view: &View, space: Option<&str>) -> Result<Error> {
        match self {
            Self::Space(slug) => no_space(view, slug),
            Self::Unit(reference) => no_unit_in(view, reference, space),
        }
    }
}

fn unknown_name<'a>(
    view: &View,
    request: &'a Request,
    wanted: &'a Wanted,
    found: &[Unit],
) -> Result<Option<Unknown<'a>>> {
    let missing_space = |glob: Option<&'a Glob>| -> Result<Option<Unknown<'a>>> {
        let Some(slug) = glob.and_then(Glob::literal) else {
            return Ok(None);
        };
        let space = match slug.parse() {
            Ok(parsed) => view.find_space(&parsed)?,
            Err(_) => None,
        };
        Ok(space.is_none().then_some(Unknown::Space(slug)))
    };
    if let Some(unknown) = missing_space(wanted.space.as_ref())? {
        return Ok(Some(unknown));
    }
    if let Selector::Reference { space, .. } = &wanted.selector
        && wanted.selector.is_single()
        && found.is_empty()
        && wanted.has_names_only()
    {
        let unknown = missing_space(space.as_ref())?;
        let reference = request.selector.as_deref().unwrap_or_default();
        return Ok(Some(unknown.unwrap_or(Unknown::Unit(reference))));
    }
    for (text, (space, unit)) in request.units.iter().zip(&wanted.units) {
        let is_named =
            unit.literal().is_some() && space.as_ref().is_none_or(|glob| glob.literal().is_some());
        let is_found = found.iter().any(|found| unit.is_match(found.slug.as_str()));
        if is_named && !is_found && wanted.has_names_only() {
            return Ok(Some(Unknown::Unit(text)));
        }
    }
    Ok(None)
}

/// The units of a request whose names are found only with `-deployment` behind them: a service of
/// which Deployment and Service are a unit each is meant by its plain name.
fn of_deployments(
    view: &View,
    request: &Request,
    wanted: &Wanted,
    found: &[Unit],
) -> Result<Option<Vec<Unit>>> {
    let is_unknown = |unit: &Glob| {
        unit.literal().is_some() && !found.iter().any(|found| unit.is_match(found.slug.as_str()))
    };
    let longer = |name: &str, unit: &Glob| {
        let suffix = if is_unknown(unit) { "-deployment" } else { "" };
        format!("{name}{suffix}")
    };
    let selector = match (&request.selector, &wanted.selector) {
        (Some(name), Selector::Reference { unit, .. }) => Some(longer(name, unit)),
        (selector, _) => selector.clone(),
    };
    let units = request.units.iter().zip(&wanted.units);
    let request = Request {
        selector,
        units: units.map(|(name, (_, unit))| longer(name, unit)).collect(),
        ..request.clone()
    };
    let wanted = Wanted::read(view, &request)?;
    let found = find(view, &wanted)?;
    let unknown = unknown_name(view, &request, &wanted, &found)?;
    Ok(unknown.is_none().then_some(found))
}

/// The error of a unit that does not exist, with the nearest name.
fn no_unit_in(view: &View, reference: &str, space: Option<&str>) -> Result<Error> {
    let (named, slug) = match reference.rsplit_once('/') {
        Some((space, slug)) => (Some(space), slug),
        None => (space, reference),
    };
    let mut related = Related::new(view);
    let mut known = Vec::new();
    view.scan_units(|unit| {
        let space = related.space(unit.space)?;
        if named.is_none_or(|named| Glob::new(named).is_match(space.slug.as_str())) {
            known.push(format!("{}/{}", space.slug, unit.slug));
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    let slugs = known.iter().filter_map(|name| name.rsplit_once('/'));
    let found = nearest(slug, slugs.map(|(_, slug)| slug));
    let found = found.and_then(|near| {
        known
            .iter()
            .find(|name| name.ends_with(&format!("/{near}")))
            .cloned()
    });
    let is_space = match reference.parse() {
        Ok(slug) => view.find_space(&slug)?.is_some(),
        Err(_) => false,
    };
    Ok(match found {
        _ if is_space => no_unit(reference).hint(format!(
            "`{reference}` is a space: --space {reference}, or '{reference}/*', means its units"
        )),
        Some(near) => no_unit(reference).hint(format!("did you mean `{near}`?")),
        None => no_unit(reference),
    })
}

/// The error of a unit that does not exist.
pub(crate) fn no_unit(reference: &str) -> Error {
    Error::new(
        Kind::NotFound,
        format!("expected a unit `{reference}`, found none"),
    )
    .hint("windlass unit list shows the units there are")
}

/// The error of a space that does not exist, with the nearest name.
pub(crate) fn no_space(view: &View, slug: &str) -> Result<Error> {
    let error = Error::new(
        Kind::NotFound,
        format!("expected a space `{slug}`, found none"),
    );
    let spaces = view.spaces()?;
    Ok(
        match nearest(slug, spaces.iter().map(|space| space.slug.as_str())) {
            Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
            None => error.hint("windlass space list shows the spaces there are"),
        },
    )
}

fn literal(name: &str, value: &Value) -> Result<Literal> {
    Ok(match value {
        Value::Bool(flag) => Literal::Bool(*flag),
        Value::String(text) => Literal::Str(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Literal::Int(number),
            (None, Some(number)) => Literal::Float(number),
            (None, None) => return Err(unbindable(name, value)),
        },
        Value::Array(items) => Literal::List(
            items
                .iter()
                .map(|item| literal(name, item))
                .collect::<Result<_>>()?,
        ),
        Value::Null | Value::Object(_) => return Err(unbindable(name, value)),
    })
}

fn unbindable(name: &str, value: &Value) -> Error {
    Error::new(
        Kind::Usage,
        format!(
            "expected text, a number, true, false or a list of them for ${name}, found {value}"
        ),
    )
}
