//! Stored filters: making, finding, listing; and what `--filter` takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::outcome::Status;
use crate::app::select::Request;
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::db::{Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::model::Filter;
use crate::query::{Glob, Query, Values, nearest, parse, parse_with};

/// A space `traderx` may keep its filters in a space of their own, `traderx-filters`.
const FILTERS_SUFFIX: &str = "-filters";

/// What a filter selects, and where it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterOptions {
    /// The space it belongs to; none for the store.
    pub space: Option<String>,
    /// A glob that the names of the units' spaces must match.
    pub from_space: Option<String>,
}

/// A filter that was made, or was there.
#[derive(Debug, Clone)]
pub struct MadeFilter {
    /// The filter.
    pub filter: Filter,
    /// Created, changed or unchanged.
    pub status: Status,
}

/// What was given where a filter is taken, read.
pub(crate) struct Filtering {
    pub(crate) query: Query,
    pub(crate) from_space: Option<Glob>,
    /// Whether it is a filter that was given a name.
    pub(crate) is_stored: bool,
}

impl App {
    /// Stores a clause under a name.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is a filter of that name, [`Kind::Invalid`] when the clause
    /// cannot be read, [`Kind::NotFound`] when its space is not there.
    pub fn create_filter(
        &self,
        slug: &Slug,
        clause: &str,
        options: &FilterOptions,
    ) -> Result<MadeFilter> {
        self.put_filter(slug, clause, options, "create", &|found| {
            Err(Error::new(
                Kind::Exists,
                format!("expected no filter `{slug}`, found one: {}", found.clause),
            )
            .hint(format!(
                "windlass filter update {slug} --where CLAUSE changes it"
            ))
            .hint(format!(
                "ensure_filter(\"{slug}\", …) makes sure of it whether it exists or not"
            )))
        })
    }

    /// Makes sure that a clause is stored under a name.
    ///
    /// # Errors
    /// As [`Self::create_filter`], but for a filter that exists.
    pub fn ensure_filter(
        &self,
        slug: &Slug,
        clause: &str,
        options: &FilterOptions,
    ) -> Result<MadeFilter> {
        self.put_filter(slug, clause, options, "ensure", &|_| Ok(()))
    }

    fn put_filter(
        &self,
        slug: &Slug,
        clause: &str,
        options: &FilterOptions,
        word: &str,
        allow: &dyn Fn(&Filter) -> Result<()>,
    ) -> Result<MadeFilter> {
        check_clause(clause)?;
        let from_space = checked_glob(options.from_space.as_deref())?;
        let space = match options.space.as_deref() {
            None => None,
            Some(space) => Some(self.space_named(space)?.id),
        };
        let verb = Verb::with(
            format!("filter {word} {slug}"),
            json!({ "where": clause, "space": options.space, "from_space": from_space }),
        );
        let (made, _) = self.write(verb, |transaction| {
            let found = transaction.find_filter(space, slug)?;
            if let Some(found) = &found {
                allow(found)?;
            }
            let filter = Filter {
                slug: slug.clone(),
                space,
                clause: clause.to_owned(),
                from_space: from_space.clone(),
                created: found
                    .as_ref()
                    .map_or(transaction.at(), |found| found.created),
            };
            written(transaction, found.as_ref(), filter)
        })?;
        Ok(made)
    }

    /// Changes the clause of a filter, or where it looks; an empty `from_space` is everywhere.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such filter, [`Kind::Invalid`] when the clause cannot
    /// be read.
    pub fn update_filter(
        &self,
        reference: &str,
        space: Option<&str>,
        clause: Option<&str>,
        from_space: Option<&str>,
    ) -> Result<MadeFilter> {
        if let Some(clause) = clause {
            check_clause(clause)?;
        }
        let from_space = match from_space {
            None => None,
            Some("") => Some(None),
            glob => Some(checked_glob(glob)?),
        };
        // A name that leads nowhere is known before the store is opened for writing.
        self.filter_named(reference, space)?;
        let verb = Verb::with(
            format!("filter update {reference}"),
            json!({ "where": clause, "from_space": from_space }),
        );
        let (made, _) = self.write(verb, |transaction| {
            let found = named(transaction, reference, space)?;
            let mut filter = found.clone();
            if let Some(clause) = clause {
                clause.clone_into(&mut filter.clause);
            }
            if let Some(from_space) = from_space {
                filter.from_space = from_space;
            }
            written(transaction, Some(&found), filter)
        })?;
        Ok(made)
    }

    /// Deletes a filter, and says which one it was.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such filter.
    pub fn delete_filter(&self, reference: &str, space: Option<&str>) -> Result<Filter> {
        self.filter_named(reference, space)?;
        let verb = Verb::new(format!("filter delete {reference}"));
        let (filter, _) = self.write(verb, |transaction| {
            let filter = named(transaction, reference, space)?;
            transaction.delete_filter(filter.space, &filter.slug)?;
            Ok(filter)
        })?;
        Ok(filter)
    }

    /// The filter of a name, `slug` or `space/slug`. A bare name is looked for in `space`, then
    /// among the filters of the store, then in all spaces.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, [`Kind::Usage`] when several spaces have one.
    pub fn filter_named(&self, reference: &str, space: Option<&str>) -> Result<Filter> {
        self.read(|view| named(view, reference, space))
    }

    /// A filter as it is named from anywhere: `space/slug`, or its slug where it has no space.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when its space was deleted.
    pub fn filter_reference(&self, filter: &Filter) -> Result<String> {
        self.read(|view| reference_of(view, filter))
    }

    /// The filter as JSON, with how many units it selects now.
    ///
    /// # Errors
    /// When its clause cannot be read any more.
    pub fn filter_record(&self, filter: &Filter) -> Result<Value> {
        let reference = self.filter_reference(filter)?;
        let request = Request {
            filter: Some(reference.clone()),
            ..Request::default()
        };
        let matches = self.select(&request)?.pins().len();
        let space = reference.rsplit_once('/').map(|(space, _)| space);
        Ok(json!({
            "Slug": filter.slug,
            "Space": space,
            "From": "Unit",
            "Clause": filter.clause,
            "FromSpace": filter.from_space,
            "CreatedAt": filter.created.to_string(),
            "Matches": matches,
        }))
    }

    /// The filters as a table. One clause holds what other tools keep apart: what it asks of
    /// attributes is under WHERE, what it asks of data under WHERE-DATA.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when a space that is named without a glob does not exist.
    pub fn filter_table(&self, space: Option<&str>) -> Result<Table> {
        let spaces = space.map(|glob| self.spaces_matching(glob)).transpose()?;
        self.read(|view| {
            let mut table = Table::new([
                "Name",
                "Space",
                "From",
                "Where",
                "WhereData",
                "ResourceType",
                "FromSpace",
            ]);
            for filter in view.filters()? {
                let is_asked = spaces.as_ref().is_none_or(|spaces| {
                    let ids = spaces.iter().map(|space| space.id);
                    ids.into_iter().any(|id| filter.space == Some(id))
                });
                if !is_asked {
                    continue;
                }
                let space = match filter.space {
                    Some(space) => view.space(space)?.slug.to_string(),
                    None => String::new(),
                };
                let parts = stored_query(view, &filter)?.parts();
                table.push(vec![
                    Cell::text(filter.slug.as_str()),
                    Cell::text(space),
                    Cell::text("Unit"),
                    Cell::text(parts.attributes),
                    Cell::text(parts.data),
                    Cell::text(parts.resource_type),
                    Cell::text(filter.from_space.unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }
}

impl Filtering {
    /// Reads what stands where a filter is taken: the name of a stored one, else a clause.
    ///
    /// # Errors
    /// With both reasons where it is neither.
    pub(crate) fn read(
        view: &View,
        text: &str,
        space: Option<&str>,
        values: &Values,
    ) -> Result<Self> {
        let no_filter = match find(view, text, space)? {
            Found::One(filter) => {
                return Ok(Self {
                    query: stored_query(view, &filter)?,
                    from_space: filter.from_space.as_deref().map(Glob::new),
                    is_stored: true,
                });
            }
            Found::None(error) => Some(error),
            Found::NoName => None,
        };
        match (parse_with(text, values), no_filter) {
            (Ok(query), _) => Ok(Self {
                query,
                from_space: None,
                is_stored: false,
            }),
            (Err(error), None) => Err(error.into()),
            (Err(clause), Some(filter)) => {
                let error = Error::new(
                    Kind::NotFound,
                    format!("expected the name of a filter or a clause, found `{text}`"),
                )
                .context(format!("as a filter: {}", filter.message()))
                .context(format!("as a clause: {clause}"));
                Err(filter.hints().iter().fold(error, Error::hint))
            }
        }
    }
}

/// What a reference to a filter leads to.
enum Found {
    One(Filter),
    /// It is a name, but there is none: the error that says so.
    None(Error),
    /// It is no name.
    NoName,
}

fn find(view: &View, reference: &str, space: Option<&str>) -> Result<Found> {
    let (in_space, slug) = match reference.split_once('/') {
        Some((space, slug)) => (Some(space), slug),
        None => (None, reference),
    };
    let Ok(slug) = Slug::new(slug) else {
        return Ok(Found::NoName);
    };
    let Some(in_space) = in_space else {
        return find_bare(view, &slug, space);
    };
    if Slug::new(in_space).is_err() {
        return Ok(Found::NoName);
    }
    for name in [in_space.to_owned(), format!("{in_space}{FILTERS_SUFFIX}")] {
        let space = match Slug::new(name) {
            Ok(name) => view.find_space(&name)?,
            Err(_) => None,
        };
        if let Some(space) = space
            && let Some(filter) = view.find_filter(Some(space.id), &slug)?
        {
            return Ok(Found::One(filter));
        }
    }
    Ok(Found::None(no_filter(view, reference, &slug)?))
}

/// A filter by its slug alone.
fn find_bare(view: &View, slug: &Slug, space: Option<&str>) -> Result<Found> {
    let current = match space.map(Slug::new) {
        Some(Ok(space)) => view.find_space(&space)?,
        _ => None,
    };
    if let Some(space) = current
        && let Some(filter) = view.find_filter(Some(space.id), slug)?
    {
        return Ok(Found::One(filter));
    }
    if let Some(filter) = view.find_filter(None, slug)? {
        return Ok(Found::One(filter));
    }
    let mut all = view.filters()?;
    all.retain(|filter| filter.slug == *slug);
    if all.len() > 1 {
        let names = all.iter().map(|filter| reference_of(view, filter));
        let names = names.collect::<Result<Vec<String>>>()?;
        return Err(Error::new(
            Kind::Usage,
            format!(
                "expected one filter `{slug}`, found {}: the name is ambiguous",
                all.len()
            ),
        )
        .hint(format!("name the space as well: {}", names.join(", "))));
    }
    match all.pop() {
        Some(filter) => Ok(Found::One(filter)),
        None => Ok(Found::None(no_filter(view, slug.as_str(), slug)?)),
    }
}

fn named(view: &View, reference: &str, space: Option<&str>) -> Result<Filter> {
    match find(view, reference, space)? {
        Found::One(filter) => Ok(filter),
        Found::None(error) => Err(error),
        Found::NoName => Err(Error::new(
            Kind::Usage,
            format!("expected the name of a filter, `slug` or `space/slug`, found `{reference}`"),
        )
        .hint("windlass filter list shows the filters there are")),
    }
}

/// The error of a filter that does not exist, with the nearest name.
fn no_filter(view: &View, reference: &str, slug: &Slug) -> Result<Error> {
    let error = Error::new(
        Kind::NotFound,
        format!("expected a filter `{reference}`, found none"),
    );
    let all = view.filters()?;
    let near = nearest(slug.as_str(), all.iter().map(|filter| filter.slug.as_str()));
    let near = all.iter().find(|filter| Some(filter.slug.as_str()) == near);
    Ok(match near {
        Some(filter) => error.hint(format!("did you mean `{}`?", reference_of(view, filter)?)),
        None => error.hint("windlass filter list shows the filters there are"),
    })
}

fn reference_of(view: &View, filter: &Filter) -> Result<String> {
    Ok(match filter.space {
        Some(space) => format!("{}/{}", view.space(space)?.slug, filter.slug),
        None => filter.slug.to_string(),
    })
}

/// The clause of a filter. It could be read when it was stored, perhaps by another version.
fn stored_query(view: &View, filter: &Filter) -> Result<Query> {
    let reference = reference_of(view, filter)?;
    parse(&filter.clause)
        .map_err(|error| Error::from(error).context(format!("filter       {reference}")))
}

/// Refuses a clause that cannot be used later: a value must be bound when a clause is used, and
/// nobody binds those of a filter.
fn check_clause(clause: &str) -> Result<()> {
    let query = parse_with(clause, &BTreeMap::new())?;
    if query.is_explain() {
        return Err(
            Error::new(Kind::Usage, "expected a clause to store, found EXPLAIN")
                .hint("windlass unit list --where 'EXPLAIN …' shows how units are found"),
        );
    }
    Ok(())
}

fn checked_glob(glob: Option<&str>) -> Result<Option<String>> {
    let Some(glob) = glob else {
        return Ok(None);
    };
    let is_glob = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'?');
    if glob.is_empty() || !glob.bytes().all(is_glob) {
        return Err(Error::new(
            Kind::Usage,
            format!("expected the name of a space or a glob such as `prod-*`, found `{glob}`"),
        ));
    }
    Ok(Some(glob.to_owned()))
}

fn written(
    transaction: &mut Transaction,
    found: Option<&Filter>,
    filter: Filter,
) -> Result<MadeFilter> {
    let status = match found {
        None => Status::Created,
        Some(found) if *found == filter => Status::Unchanged,
        Some(_) => Status::Changed,
    };
    if !matches!(status, Status::Unchanged) {
        transaction.put_filter(&filter)?;
    }
    Ok(MadeFilter { filter, status })
}
