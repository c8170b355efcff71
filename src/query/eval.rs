//! Three-valued evaluation of a clause over a record.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::path::Path;

use super::expr::{Check, Comparison, Expr, Operand, OrderBy, Test};
use super::field::{Attribute, FieldRef, Owner};
use super::value::{Rank, Readings, Value, compare, equal};

/// What a clause can ask of a unit.
pub trait Record {
    /// The value of an attribute, [`Value::Null`] where the unit has none. Maps and sets are
    /// collections; an empty one counts as missing.
    fn field(&self, field: &FieldRef) -> Value<'_>;

    /// Number of resources in the data.
    fn resource_count(&self) -> usize;

    /// Calls `f` with each value at a path (which may have `*`) of one resource, and not at all
    /// where the path is missing.
    fn visit(&self, resource: usize, path: &Path, f: &mut dyn FnMut(Value<'_>));

    /// The stored text: the attribute `Data`.
    fn text(&self) -> Cow<'_, str>;
}

/// The truth of a condition: a missing operand makes it unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It cannot be said, because a value is missing or has no order with the other.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Both: the lesser of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of both: the greater of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; of unknown, unknown.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// A record and one of its resources; none if the unit has no data.
#[derive(Clone, Copy)]
pub(super) struct Scope<'r> {
    pub(super) record: &'r dyn Record,
    pub(super) resource: Option<usize>,
}

impl Scope<'_> {
    /// Calls `f` with each value that the operand has here.
    fn each(self, operand: &Operand, f: &mut dyn FnMut(&Value<'_>)) {
        match operand {
            Operand::Constant(constant) => f(&constant.value),
            Operand::Field(field) => {
                if field.attribute == Attribute::Data && field.owner == Owner::Unit {
                    f(&Value::Str(self.record.text()));
                } else {
                    f(&self.record.field(field));
                }
            }
            Operand::Path(path) => {
                if let Some(resource) = self.resource {
                    self.record.visit(resource, path, &mut |value| f(&value));
                }
            }
            Operand::Length(inner) => self.each(inner, &mut |value| f(&length(value))),
        }
    }

    /// Whether `test` holds for any value of the operand; unknown if it has none.
    fn any(self, operand: &Operand, mut test: impl FnMut(&Value<'_>) -> Truth) -> Truth {
        let mut result = None;
        self.each(operand, &mut |value| {
            let truth = if value.is_missing() {
                Truth::Unknown
            } else {
                test(value)
            };
            result = Some(result.map_or(truth, |before: Truth| before.or(truth)));
        });
        result.unwrap_or(Truth::Unknown)
    }

    /// Compares one value with every value of the other operand.
    fn compare(self, left: &Value<'_>, how: Comparison, right: &Operand, data: bool) -> Truth {
        if let Operand::Constant(constant) = right {
            return compared(left, how, &constant.value, &constant.readings, data);
        }
        let data = data || right.reads_data();
        self.any(right, |right| {
            compared(left, how, right, &Readings::of(right), data)
        })
    }
}

fn length(value: &Value<'_>) -> Value<'static> {
    let count = match value {
        Value::Str(text) => text.chars().count(),
        Value::Collection(members) => members.len(),
        _ => return Value::Null,
    };
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn compared(
    left: &Value<'_>,
    how: Comparison,
    right: &Value<'_>,
    readings: &Readings,
    data: bool,
) -> Truth {
    if let Value::Collection(members) = left {
        return match (how, right) {
            _ if members.is_empty() => Truth::Unknown,
            (Comparison::Equal, Value::Str(member)) => members.has(member).into(),
            (Comparison::Unequal, Value::Str(member)) => (!members.has(member)).into(),
            _ => Truth::Unknown,
        };
    }
    if matches!(right, Value::Collection(_)) {
        return Truth::Unknown;
    }
    match how {
        Comparison::Equal => return equal(left, right, readings, data).into(),
        Comparison::Unequal => return (!equal(left, right, readings, data)).into(),
        _ => {}
    }
    let Some(order) = compare(left, right, readings, data) else {
        return Truth::Unknown;
    };
    Truth::from(match how {
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

impl Expr {
    /// The truth of the condition for one resource. Recursion is as deep as the clause, which the
    /// parser limits.
    pub(super) fn truth(&self, scope: Scope<'_>) -> Truth {
        match self {
            Self::All(parts) => {
                let mut result = Truth::True;
                for part in parts {
                    result = result.and(part.truth(scope));
                    if result == Truth::False {
                        break;
                    }
                }
                result
            }
            Self::Any(parts) => {
                let mut result = Truth::False;
                for part in parts {
                    result = result.or(part.truth(scope));
                    if result == Truth::True {
                        break;
                    }
                }
                result
            }
            Self::Not(inner) => inner.truth(scope).negated(),
            Self::Test(test) => test.truth(scope),
        }
    }
}

impl Test {
    fn truth(&self, scope: Scope<'_>) -> Truth {
        if matches!(self.check, Check::Null) {
            return Truth::from(self.is_missing(scope) != self.negated);
        }
        let data = self.left.reads_data();
        scope.any(&self.left, |value| {
            let truth = match &self.check {
                Check::Compare(how, right) => scope.compare(value, *how, right, data),
                Check::In(items) => items.iter().fold(Truth::False, |found, item| {
                    found.or(scope.compare(value, Comparison::Equal, item, data))
                }),
                Check::Between(low, high) => scope
                    .compare(value, Comparison::GreaterOrEqual, low, data)
                    .and(scope.compare(value, Comparison::LessOrEqual, high, data)),
                Check::Like(pattern) => match value {
                    Value::Str(text) => pattern.is_match(text).into(),
                    _ => Truth::Unknown,
                },
                Check::Contains(part) => match value {
                    Value::Str(text) => text.contains(part.as_str()).into(),
                    Value::Collection(members) => members.has(part).into(),
                    _ => Truth::Unknown,
                },
                Check::Has(member) => match value {
                    Value::Collection(members) => members.has(member).into(),
                    _ => Truth::Unknown,
                },
                Check::Null => Truth::Unknown,
            };
            if self.negated { truth.negated() } else { truth }
        })
    }

    /// Whether the operand has no value. An attribute without members counts as missing, a map or
    /// list in the data that is written but empty does not.
    fn is_missing(&self, scope: Scope<'_>) -> bool {
        let attribute = matches!(self.left, Operand::Field(_));
        let mut missing = true;
        scope.each(&self.left, &mut |value| {
            missing &= match value {
                Value::Null => true,
                Value::Collection(members) => attribute && members.is_empty(),
                _ => false,
            };
        });
        missing
    }
}

/// What a row is sorted by: compares as `ORDER BY` says. Rows without a value come last, whether
/// the order is ascending or descending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey(Vec<(Option<Rank>, bool)>);

impl SortKey {
    pub(super) fn of(order: &[OrderBy], resources: &[Scope<'_>]) -> Self {
        let key = |by: &OrderBy| {
            let mut rank = None;
            for scope in resources {
                scope.each(&by.operand, &mut |value| {
                    if rank.is_none() {
                        rank = Rank::of(value);
                    }
                });
                if rank.is_some() {
                    break;
                }
            }
            (rank, by.descending)
        };
        Self(order.iter().map(key).collect())
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        for ((left, descending), (right, _)) in self.0.iter().zip(&other.0) {
            let order = match (left, right) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(left), Some(right)) if *descending => right.cmp(left),
                (Some(left), Some(right)) => left.cmp(right),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
