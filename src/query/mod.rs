//! The WHERE language: parse, plan, evaluate over a [`Record`].
//!
//! One grammar for metadata and data. A name in `PascalCase` is an attribute of the unit or, one
//! step away, of an entity it refers to (`Space.Slug`, `UpstreamUnit.HeadRevisionNum`); a name
//! that begins in lower case is a path in the data (`spec.replicas`, bare `replicas` for short).
//!
//! The whole clause is evaluated once for each resource of a unit, and the unit matches if it is
//! true for one; a unit without data is asked once, with every path missing. A missing operand
//! makes a test unknown, `NOT` unknown is unknown, and only `IS [NOT] NULL` sees that something
//! is missing. A `*` in a path binds any element.
//!
//! ```text
//! clause  = [EXPLAIN] [ "*" | or ] [ORDER BY operand [ASC|DESC] {"," …}] [LIMIT number]
//! or      = and {OR and}          and = not {AND not}          not = {NOT} ( test | "(" or ")" )
//! test    = operand ( ("=" | "!=" | "<" | "<=" | ">" | ">=") operand
//!         | [NOT] IN "(" value {"," value} ")"  |  [NOT] BETWEEN operand AND operand
//!         | [NOT] LIKE text  |  [NOT] ILIKE text  |  ("~" | "~*" | "!~" | "!~*") text
//!         | [NOT] CONTAINS text  |  "?" text  |  IS [NOT] NULL )
//! operand = Attribute | Entity "." Attribute | path | LEN "(" operand ")" | value
//! value   = 'text' | "text" | number | true | false | $name
//! ```
//!
//! A quote inside a text is doubled; `~~` and `!~~` are `LIKE` and `NOT LIKE`; `--` begins a
//! comment; keywords may be in any case. In `LIKE`, a backslash takes `%` or `_` as it is.
//!
//! ```
//! let query = windlass::query::parse("Slug = 'ledger' AND replicas > 2 ORDER BY Slug").unwrap();
//! assert_eq!(query.to_string(), "Slug = 'ledger' AND spec.replicas > 2 ORDER BY Slug");
//!
//! let error = windlass::query::parse("slug = 'ledger'").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "column 1: expected an attribute, found `slug`; did you mean `Slug`?"
//! );
//! ```

mod error;
mod eval;
mod expr;
mod field;
mod lexer;
mod name;
mod parse;
mod pattern;
mod plan;
mod quantity;
mod selector;
mod value;

use std::fmt;

pub use error::{Error, Position, nearest};
pub use eval::{Record, SortKey, Truth};
pub use expr::{Check, Comparison, Constant, Expr, Operand, OrderBy, Test};
pub use field::{Attribute, FIELDS, Field, FieldRef, Owner, Type};
pub use lexer::MAX_BYTES;
pub use name::RESERVED;
pub use parse::{MAX_DEPTH, MAX_PATTERNS, Values, parse, parse_operand, parse_with};
pub use pattern::{Glob, Pattern, Syntax};
pub use plan::{Access, Plan, plan};
pub use quantity::Quantity;
pub use selector::Selector;
pub use value::{Collection, Literal, Value};

use eval::Scope;

/// A condition, taken apart at its outermost `AND`s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// What is asked of attributes alone.
    pub attributes: String,
    /// What is asked of data, or of both.
    pub data: String,
    /// The kind of resource that is meant, where `kind = '…'` says so.
    pub resource_type: String,
}

/// A parsed clause with all its values bound.
///
/// Its text form, [`fmt::Display`], parses to an equal query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    condition: Option<Expr>,
    order: Vec<OrderBy>,
    limit: Option<usize>,
    explain: bool,
    reads_data: bool,
}

impl Query {
    pub(crate) fn new(
        condition: Option<Expr>,
        order: Vec<OrderBy>,
        limit: Option<usize>,
        explain: bool,
    ) -> Self {
        let reads_data = condition.as_ref().is_some_and(Expr::reads_data);
        Self {
            condition,
            order,
            limit,
            explain,
            reads_data,
        }
    }

    /// The query that every unit matches.
    pub fn everything() -> Self {
        Self::default()
    }

    /// The condition; `None` if every unit matches.
    pub fn condition(&self) -> Option<&Expr> {
        self.condition.as_ref()
    }

    /// What `ORDER BY` says, the strongest key first.
    pub fn order(&self) -> &[OrderBy] {
        &self.order
    }

    /// What `LIMIT` says.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Whether the clause asks for its plan instead of its rows.
    pub fn is_explain(&self) -> bool {
        self.explain
    }

    /// Whether evaluating the condition reads the data of a unit, beyond its attributes.
    pub fn reads_data(&self) -> bool {
        self.reads_data
    }

    /// The condition in parts; order and limit are in none of them.
    pub fn parts(&self) -> Parts {
        let conjuncts = match &self.condition {
            None => &[],
            Some(Expr::All(parts)) => parts.as_slice(),
            Some(other) => std::slice::from_ref(other),
        };
        let mut parts = Parts::default();
        for conjunct in conjuncts {
            let part = match conjunct.resource_type() {
                Some(kind) => {
                    kind.clone_into(&mut parts.resource_type);
                    continue;
                }
                None if conjunct.asks_of_data() => &mut parts.data,
                None => &mut parts.attributes,
            };
            if !part.is_empty() {
                part.push_str(" AND ");
            }
            match conjunct {
                Expr::Any(_) => part.extend(["(", &conjunct.to_string(), ")"]),
                _ => part.push_str(&conjunct.to_string()),
            }
        }
        parts
    }

    /// Both conditions at once; order and limit are those of `self` where it has them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let condition = match (self.condition, other.condition) {
            (Some(mine), Some(theirs)) => Some(Expr::both(mine, theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        let order = if self.order.is_empty() {
            other.order
        } else {
            self.order
        };
        Self::new(
            condition,
            order,
            self.limit.or(other.limit),
            self.explain || other.explain,
        )
    }

    /// Whether the unit matches: whether the condition is true for one of its resources.
    pub fn matches(&self, record: &dyn Record) -> bool {
        self.truth(record) == Truth::True
    }

    /// The truth of the condition: the greatest over the resources of the unit.
    pub fn truth(&self, record: &dyn Record) -> Truth {
        let Some(condition) = &self.condition else {
            return Truth::True;
        };
        let mut result = Truth::False;
        for scope in self.scopes(record) {
            result = result.or(condition.truth(scope));
            if result == Truth::True {
                break;
            }
        }
        result
    }

    /// The resources for which the condition is true, by position. Empty for a unit without data,
    /// even if it matches.
    pub fn matching_resources(&self, record: &dyn Record) -> Vec<usize> {
        (0..record.resource_count())
            .filter(|index| {
                let scope = Scope {
                    record,
                    resource: Some(*index),
                };
                self.condition
                    .as_ref()
                    .is_none_or(|condition| condition.truth(scope) == Truth::True)
            })
            .collect()
    }

    /// What the unit is sorted by. Data paths are read from the first resource for which the
    /// condition is true and that has a value.
    pub fn sort_key(&self, record: &dyn Record) -> SortKey {
        if self.order.is_empty() {
            return SortKey::of(&[], &[]);
        }
        let mut scopes: Vec<_> = self
            .matching_resources(record)
            .into_iter()
            .map(|index| Scope {
                record,
                resource: Some(index),
            })
            .collect();
        if scopes.is_empty() {
            scopes.push(Scope {
                record,
                resource: None,
            });
        }
        SortKey::of(&self.order, &scopes)
    }

    /// The scopes in which the condition must be asked: one for each resource, or a single one if
    /// no resource can make a difference.
    fn scopes<'r>(&self, record: &'r dyn Record) -> impl Iterator<Item = Scope<'r>> {
        let count = if self.reads_data {
            record.resource_count()
        } else {
            0
        };
        (0..count.max(1)).map(move |index| Scope {
            record,
            resource: (index < count).then_some(index),
        })
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.explain {
            f.write_str("EXPLAIN ")?;
        }
        match &self.condition {
            Some(condition) => write!(f, "{condition}")?,
            None => f.write_str("*")?,
        }
        for (i, key) in self.order.iter().enumerate() {
            let word = if i == 0 { " ORDER BY" } else { "," };
            write!(f, "{word} {key}")?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        Ok(())
    }
}
