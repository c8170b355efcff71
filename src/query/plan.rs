//! Which units must be looked at for a clause: from an index where one answers, else all.
//!
//! The access is always a superset of the answer, and the whole condition is checked again on
//! each unit it yields, so a plan can be slow but never wrong.

use std::fmt;

use crate::path::{Path, Segment};

use super::Query;
use super::expr::{Check, Comparison, Expr, Operand, Test};
use super::field::{Attribute, FieldRef, Owner};
use super::pattern::Glob;
use super::quantity::Quantity;
use super::value::{Literal, Value};

/// The largest union that is worth more than a scan.
const MAX_UNION: usize = 256;

/// How to find the units that may match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// None can match.
    Nothing,
    /// The unit with this number.
    Unit(u64),
    /// The unit with this slug in the space with that slug.
    SpaceAndSlug {
        /// Slug of the space.
        space: String,
        /// Slug of the unit.
        slug: String,
    },
    /// The units that were cloned from the unit with this number.
    Upstream(u64),
    /// The units whose upstream has this slug.
    UpstreamSlug(String),
    /// The units with this slug, in any space.
    Slug(String),
    /// The units with this label.
    Label {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// The units of the space with this slug.
    Space(String),
    /// The units of the spaces whose slugs begin so.
    SpacePrefix(String),
    /// The units that have a resource of this kind.
    ResourceType(String),
    /// The units that any of these finds.
    Union(Vec<Self>),
    /// Every unit.
    All,
}

impl Access {
    /// How many units this is likely to find, on a scale of its own: less is better.
    fn cost(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Unit(_) | Self::SpaceAndSlug { .. } => 1,
            Self::Upstream(_) => 20,
            Self::Slug(_) | Self::UpstreamSlug(_) => 40,
            Self::Label { .. } => 60,
            Self::Space(_) => 100,
            Self::SpacePrefix(_) => 400,
            Self::ResourceType(_) => 2_000,
            Self::Union(parts) => parts.iter().map(Self::cost).sum(),
            Self::All => usize::MAX / (2 * MAX_UNION),
        }
    }

    /// The union, flat, without duplicates; [`Access::All`] if one part is, or if it is too large.
    fn union(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::All => return Self::All,
                Self::Nothing => {}
                Self::Union(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        flat.sort();
        flat.dedup();
        match flat.len() {
            0 => Self::Nothing,
            1 => flat.remove(0),
            2..=MAX_UNION => Self::Union(flat),
            _ => Self::All,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "look at no unit: nothing can match"),
            Self::Unit(id) => write!(f, "look up unit u{id}"),
            Self::SpaceAndSlug { space, slug } => write!(f, "look up unit {space}/{slug}"),
            Self::Upstream(id) => write!(f, "use index upstream: variants of unit u{id}"),
            Self::UpstreamSlug(slug) => {
                write!(f, "use index upstream: variants of units named `{slug}`")
            }
            Self::Slug(slug) => write!(f, "use index slug: units named `{slug}`"),
            Self::Label { key, value } => write!(f, "use index label: `{key}` is `{value}`"),
            Self::Space(slug) => write!(f, "use index space: units of `{slug}`"),
            Self::SpacePrefix(prefix) => {
                write!(
                    f,
                    "use index space: units of spaces that begin with `{prefix}`"
                )
            }
            Self::ResourceType(kind) => {
                write!(f, "use index resource type: units with a {kind}")
            }
            Self::Union(parts) => {
                write!(f, "unite {} lookups:", parts.len())?;
                for part in parts {
                    write!(f, "\n  {part}")?;
                }
                Ok(())
            }
            Self::All => write!(f, "look at every unit"),
        }
    }
}

/// What will be done for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How units are found.
    pub access: Access,
    /// What is checked on each of them: the whole condition.
    pub residual: Option<Expr>,
    /// The plan in words, one step a line: what `EXPLAIN` shows.
    pub explain: Vec<String>,
}

/// Plans a query.
///
/// ```
/// use windlass::query::{Access, parse, plan};
///
/// let query = parse("Labels.tier = 'web' AND replicas > 2 LIMIT 5").unwrap();
/// assert_eq!(
///     plan(&query).explain,
///     [
///         "use index label: `tier` is `web`",
///         "check each unit's attributes and data: Labels.tier = 'web' AND spec.replicas > 2",
///         "keep the first 5",
///     ]
/// );
/// ```
pub fn plan(query: &Query) -> Plan {
    let access = if query.limit() == Some(0) {
        Access::Nothing
    } else {
        query.condition().map_or(Access::All, access)
    };
    let mut explain: Vec<String> = access.to_string().lines().map(str::to_owned).collect();
    if let Some(condition) = query.condition() {
        let what = if query.reads_data() {
            "attributes and data"
        } else {
            "attributes"
        };
        explain.push(format!("check each unit's {what}: {condition}"));
    }
    if !query.order().is_empty() {
        let keys: Vec<String> = query.order().iter().map(ToString::to_string).collect();
        explain.push(format!("sort by {}", keys.join(", ")));
    }
    if let Some(limit) = query.limit() {
        explain.push(format!("keep the first {limit}"));
    }
    Plan {
        access,
        residual: query.condition().cloned(),
        explain,
    }
}

/// How the units of a reference are found; without a space, over all spaces.
pub(super) fn reference(space: Option<&Glob>, unit: &Glob) -> Access {
    match (
        space.map(|glob| (glob.literal(), glob.prefix())),
        unit.literal(),
    ) {
        (Some((Some(space), _)), Some(slug)) => Access::SpaceAndSlug {
            space: space.to_owned(),
            slug: slug.to_owned(),
        },
        (_, Some(slug)) => Access::Slug(slug.to_owned()),
        (Some((Some(space), _)), None) => Access::Space(space.to_owned()),
        (Some((None, prefix)), None) if !prefix.is_empty() => {
            Access::SpacePrefix(prefix.to_owned())
        }
        _ => Access::All,
    }
}

fn access(expr: &Expr) -> Access {
    match expr {
        Expr::Test(test) => of_test(test),
        Expr::Not(_) => Access::All,
        Expr::Any(parts) => Access::union(parts.iter().map(access)),
        Expr::All(parts) => {
            let found: Vec<Access> = parts.iter().map(access).collect();
            let space = found.iter().find_map(|access| match access {
                Access::Space(space) => Some(space.clone()),
                _ => None,
            });
            found
                .into_iter()
                .map(|access| match &space {
                    Some(space) => within_space(space, access),
                    None => access,
                })
                .min_by_key(Access::cost)
                .unwrap_or(Access::All)
        }
    }
}

/// Makes lookups by slug exact where the space is known.
fn within_space(space: &str, access: Access) -> Access {
    match access {
        Access::Slug(slug) => Access::SpaceAndSlug {
            space: space.to_owned(),
            slug,
        },
        Access::Union(parts) if parts.iter().all(|part| matches!(part, Access::Slug(_))) => {
            Access::union(parts.into_iter().map(|part| within_space(space, part)))
        }
        other => other,
    }
}

fn of_test(test: &Test) -> Access {
    if test.negated {
        return Access::All;
    }
    match (&test.left, &test.check) {
        (left, Check::Compare(Comparison::Equal, right)) => equals(left, right),
        (left, Check::In(items)) => Access::union(items.iter().map(|item| equals(left, item))),
        (Operand::Field(field), Check::Like(pattern))
            if field.owner == Owner::Space && field.attribute == Attribute::Slug =>
        {
            match pattern.literal_prefix() {
                Some((space, true)) => Access::Space(space),
                Some((prefix, false)) => Access::SpacePrefix(prefix),
                None => Access::All,
            }
        }
        (Operand::Field(field), Check::Like(pattern)) => match pattern.literal_prefix() {
            Some((whole, true)) => attribute_is(field, &whole),
            _ => Access::All,
        },
        _ => Access::All,
    }
}

fn equals(left: &Operand, right: &Operand) -> Access {
    match (left, right) {
        (Operand::Field(field), Operand::Constant(constant)) => {
            match (&constant.value, constant.literal()) {
                (Value::Int(id), _) => id_is(field, *id),
                (Value::Str(text), Literal::Str(_)) => attribute_is(field, text),
                _ => Access::All,
            }
        }
        (Operand::Path(path), right) => match right.text() {
            // Quantities are equal in several spellings, which an index does not know.
            Some(kind) if is_kind(path) && Quantity::parse(kind).is_none() => {
                Access::ResourceType(kind.to_owned())
            }
            _ => Access::All,
        },
        _ => Access::All,
    }
}

fn is_kind(path: &Path) -> bool {
    matches!(path.segments(), [Segment::Key(key)] if key == "kind")
}

fn id_is(field: &FieldRef, id: i64) -> Access {
    let Ok(id) = u64::try_from(id) else {
        return Access::All;
    };
    match (field.owner, field.attribute) {
        (Owner::Unit, Attribute::UnitId) => Access::Unit(id),
        (Owner::Unit, Attribute::UpstreamUnitId) | (Owner::UpstreamUnit, Attribute::UnitId) => {
            Access::Upstream(id)
        }
        _ => Access::All,
    }
}

fn attribute_is(field: &FieldRef, text: &str) -> Access {
    let text = text.to_owned();
    match (field.owner, field.attribute, &field.key) {
        (Owner::Unit, Attribute::Slug, _) => Access::Slug(text),
        (Owner::Space, Attribute::Slug, _) => Access::Space(text),
        (Owner::UpstreamUnit, Attribute::Slug, _) => Access::UpstreamSlug(text),
        (Owner::Unit, Attribute::Labels, Some(key)) => Access::Label {
            key: key.to_string(),
            value: text,
        },
        _ => Access::All,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn plans() {
        for (clause, expected) in [
            ("*", "look at every unit"),
            ("Slug = 'a'", "use index slug: units named `a`"),
            ("'a' = Slug", "use index slug: units named `a`"),
            ("Slug LIKE 'a'", "use index slug: units named `a`"),
            ("Slug = 'a' AND Space.Slug = 's'", "look up unit s/a"),
            (
                "Slug IN ('b', 'a', 'b')",
                "unite 2 lookups:\n  use index slug: units named `a`\n  use index slug: units named `b`",
            ),
            (
                "Space.Slug = 's' AND Slug IN ('b', 'a')",
                "unite 2 lookups:\n  look up unit s/a\n  look up unit s/b",
            ),
            (
                "Space.Slug = 's' AND Slug IN ('c', 'b', 'a')",
                "unite 3 lookups:\n  look up unit s/a\n  look up unit s/b\n  look up unit s/c",
            ),
            ("kind = '1'", "look at every unit"),
            (
                "Space.Slug LIKE 'p-%'",
                "use index space: units of spaces that begin with `p-`",
            ),
            ("Space.Slug LIKE '%p'", "look at every unit"),
            (
                "Labels.a.b/c = 'x' AND replicas > 2",
                "use index label: `a.b/c` is `x`",
            ),
            ("Labels.order = 1", "look at every unit"),
            (
                "UpstreamUnitID = 'u7'",
                "use index upstream: variants of unit u7",
            ),
            (
                "UpstreamUnit.UnitID = 7",
                "use index upstream: variants of unit u7",
            ),
            ("UnitID = 7", "look up unit u7"),
            (
                "kind = 'Deployment'",
                "use index resource type: units with a Deployment",
            ),
            (
                "kind = 'Deployment' AND Slug = 'a'",
                "use index slug: units named `a`",
            ),
            ("Slug = 'a' OR replicas > 2", "look at every unit"),
            ("NOT Slug = 'a'", "look at every unit"),
            ("Slug NOT IN ('a')", "look at every unit"),
            ("Slug != 'a'", "look at every unit"),
            ("Slug ~ '^a$'", "look at every unit"),
            ("Slug ILIKE 'a'", "look at every unit"),
            (
                "(Slug = 'a' OR Labels.t = 'x') AND Space.Slug LIKE 'p%'",
                "unite 2 lookups:\n  use index slug: units named `a`\n  use index label: `t` is `x`",
            ),
            ("Slug = 'a' LIMIT 0", "look at no unit: nothing can match"),
        ] {
            let query = parse(clause).expect(clause);
            assert_eq!(plan(&query).access.to_string(), expected, "{clause}");
        }
    }
}
