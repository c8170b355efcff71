//! Values that a clause meets, and how two of them compare.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::clock::Timestamp;

use super::quantity::Quantity;

/// What a record says of an attribute or a data path.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Missing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that may be beyond `i64`.
    UInt(u64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Str(Cow<'a, str>),
    /// An instant.
    Time(Timestamp),
    /// A map, list or set: for `?`, `CONTAINS` and `LEN()`.
    Collection(&'a dyn Collection),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value<'_> {
    /// Whether there is no value.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A map, list or set as a clause sees it.
pub trait Collection: Sync {
    /// Number of keys or elements.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has this key (of a map) or element (of a list or set).
    fn has(&self, member: &str) -> bool;
}

impl fmt::Debug for dyn Collection + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collection({})", self.len())
    }
}

impl<V: Sync> Collection for BTreeMap<String, V> {
    fn len(&self) -> usize {
        self.len()
    }

    fn has(&self, member: &str) -> bool {
        self.contains_key(member)
    }
}

impl Collection for BTreeSet<String> {
    fn len(&self) -> usize {
        self.len()
    }

    fn has(&self, member: &str) -> bool {
        self.contains(member)
    }
}

impl Collection for Vec<String> {
    fn len(&self) -> usize {
        self.len()
    }

    fn has(&self, member: &str) -> bool {
        self.iter().any(|element| element == member)
    }
}

/// A value written in a clause or bound to a `$name`.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number; always finite.
    Float(f64),
    /// A text in quotes.
    Str(String),
    /// A list, which only `IN` accepts; bound values only.
    List(Vec<Self>),
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Literal {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Str(text) => {
                f.write_str("'")?;
                f.write_str(&text.replace('\'', "''"))?;
                f.write_str("'")
            }
            Self::List(items) => {
                f.write_str("(")?;
                for (i, item) in items.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// A number, whatever form it was read from.
#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Int(n) => Some(Self::Int(i128::from(*n))),
            Value::UInt(n) => Some(Self::Int(i128::from(*n))),
            Value::Float(n) => Some(Self::Float(*n)),
            Value::Str(text) => Self::parse(text),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        // Keeps `inf` and `nan` out, which are numbers to Rust, and bounds the work.
        if text.len() > 64 || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Int(number));
        }
        text.parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
            .map(Self::Float)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => Quantity::of_integer(a).compare_float(b),
            (Self::Float(a), Self::Int(b)) => Quantity::of_integer(b)
                .compare_float(a)
                .map(Ordering::reverse),
        }
    }
}

/// What else a right-hand value can be read as: made once for a literal, not once a comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readings {
    number: Option<Number>,
    quantity: Option<(Quantity, bool)>,
}

impl Readings {
    pub(super) fn of(value: &Value<'_>) -> Self {
        Self {
            number: Number::of(value),
            quantity: quantity(value),
        }
    }
}

fn quantity(value: &Value<'_>) -> Option<(Quantity, bool)> {
    match value {
        Value::Int(n) => Some((Quantity::of_integer(i128::from(*n)), true)),
        Value::UInt(n) => Some((Quantity::of_integer(i128::from(*n)), true)),
        Value::Float(n) => Quantity::of_float(*n).map(|quantity| (quantity, true)),
        Value::Str(text) => Quantity::parse_with_suffix(text),
        _ => None,
    }
}

/// How `left` compares with `right`; `None` where the two have no order.
///
/// With `data`, two texts that both are Kubernetes quantities compare as amounts.
pub(super) fn compare(
    left: &Value<'_>,
    right: &Value<'_>,
    readings: &Readings,
    data: bool,
) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Str(b)) => b.parse().ok().map(|b| a.cmp(&b)),
        (Value::Str(a), Value::Time(b)) => a.parse().ok().map(|a: Timestamp| a.cmp(b)),
        (Value::Bool(a), Value::Str(b)) => as_bool(b).map(|b| a.cmp(&b)),
        (Value::Str(a), Value::Bool(b)) => as_bool(a).map(|a| a.cmp(b)),
        _ => {
            if let Some(b) = readings.number
                && let Some(a) = Number::of(left)
            {
                return a.compare(b);
            }
            if data
                && let Some((b, _)) = readings.quantity
                && let Some((a, _)) = quantity(left)
            {
                return Some(a.cmp(&b));
            }
            match (left, right) {
                (Value::Str(a), Value::Str(b)) => Some(a.as_ref().cmp(b.as_ref())),
                _ => None,
            }
        }
    }
}

/// Whether the two are the same value.
///
/// Two texts are equal if they are the same text, or with `data` the same quantity, one of them
/// with a suffix: `'1000m'` is `'1'`, but the version `'1.10'` is not `'1.1'`.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>, readings: &Readings, data: bool) -> bool {
    if let (Value::Str(a), Value::Str(b)) = (left, right) {
        return a == b
            || (data
                && readings.quantity.is_some_and(|(b, suffixed)| {
                    quantity(left).is_some_and(|(a, other)| a == b && (suffixed || other))
                }));
    }
    compare(left, right, readings, data) == Some(Ordering::Equal)
}

fn as_bool(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// What rows are sorted by: numbers and quantities first, then texts, missing values last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Bool(bool),
    Amount(Quantity, String),
    Time(Timestamp),
    Text(String),
}

impl Rank {
    pub(super) fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Time(at) => Some(Self::Time(*at)),
            Value::Collection(members) => Some(Self::Amount(
                Quantity::of_integer(i128::try_from(members.len()).unwrap_or(i128::MAX)),
                String::new(),
            )),
            Value::Str(text) => Some(match Quantity::parse(text) {
                Some(amount) => Self::Amount(amount, text.to_string()),
                None => Self::Text(text.to_string()),
            }),
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
                quantity(value).map(|(amount, _)| Self::Amount(amount, String::new()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(left: &Value<'_>, right: &Value<'_>, data: bool) -> Option<Ordering> {
        compare(left, right, &Readings::of(right), data)
    }

    #[test]
    fn comparisons() {
        use Ordering::{Equal, Greater, Less};
        let text = |text: &'static str| Value::from(text);
        for (left, right, data, expected) in [
            (Value::Int(2), Value::Int(10), false, Some(Less)),
            (Value::Int(2), text("10"), false, Some(Less)),
            (text("9"), text("10"), false, Some(Less)),
            (text("9"), Value::Int(10), false, Some(Less)),
            (text("b"), text("a"), false, Some(Greater)),
            (text("b"), Value::Int(1), false, None),
            (Value::UInt(u64::MAX), Value::Int(1), false, Some(Greater)),
            (Value::Float(0.5), Value::Int(1), false, Some(Less)),
            (Value::Int(1), Value::Float(0.5), false, Some(Greater)),
            (Value::Float(f64::NAN), Value::Int(1), false, None),
            (text("500m"), text("1"), true, Some(Less)),
            (text("500m"), text("1"), false, Some(Greater)),
            (Value::Int(1), text("500m"), true, Some(Greater)),
            (text("1Gi"), text("900Mi"), true, Some(Greater)),
            (Value::Bool(true), text("true"), false, Some(Equal)),
            (Value::Bool(true), text("yes"), false, None),
            (text("inf"), text("nan"), false, Some(Less)),
        ] {
            assert_eq!(
                order(&left, &right, data),
                expected,
                "{left:?} {right:?} {data}"
            );
        }
    }

    #[test]
    fn equal_texts() {
        for (left, right, data, expected) in [
            ("1.10", "1.1", true, false),
            ("1000m", "1", true, true),
            ("1", "1000m", true, true),
            ("1000m", "1", false, false),
            ("a", "a", false, true),
            ("1024Mi", "1Gi", true, true),
        ] {
            let (left, right) = (Value::from(left), Value::from(right));
            let readings = Readings::of(&right);
            assert_eq!(
                equal(&left, &right, &readings, data),
                expected,
                "{left:?} {right:?}"
            );
        }
    }

    #[test]
    fn sorting_is_by_number_where_there_are_numbers() {
        let mut ranks: Vec<_> = ["10", "b", "9", "500m", "a"]
            .into_iter()
            .map(|text| Rank::of(&Value::from(text)).expect("a value"))
            .collect();
        ranks.sort();
        let shown: Vec<_> = ranks
            .iter()
            .map(|rank| match rank {
                Rank::Amount(_, text) | Rank::Text(text) => text.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(shown, ["500m", "9", "10", "a", "b"]);
    }
}
