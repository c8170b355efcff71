//! The parsed clause, ready to be evaluated: names are resolved, patterns compiled.

use std::fmt;

use crate::path::Path;

use super::field::{Attribute, FieldRef, Type};
use super::name::write_path;
use super::pattern::{Pattern, Syntax};
use super::value::{Literal, Readings, Value};

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// True if all are; `AND`.
    All(Vec<Self>),
    /// True if one is; `OR`.
    Any(Vec<Self>),
    /// True if the condition is false; `NOT`.
    Not(Box<Self>),
    /// A test of one operand.
    Test(Box<Test>),
}

/// A test of one operand. With `*` in its path it holds if it holds for any value found.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// What is tested.
    pub left: Operand,
    /// The test.
    pub check: Check,
    /// Whether each value must fail the check instead: `NOT IN`, `NOT LIKE`, `!~`, `IS NOT NULL`.
    pub negated: bool,
}

/// What is asked of the operand of a [`Test`].
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `= != < <= > >=`.
    Compare(Comparison, Operand),
    /// `IN (…)`.
    In(Vec<Operand>),
    /// `BETWEEN low AND high`, both included.
    Between(Operand, Operand),
    /// `LIKE`, `ILIKE`, `~`, `~*`.
    Like(Pattern),
    /// `CONTAINS`: a part of a text, a member of a collection.
    Contains(String),
    /// `?`: a key of a map, an element of a list or set.
    Has(String),
    /// `IS NULL`.
    Null,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that says the same with the sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}

/// Something that has values.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// An attribute.
    Field(FieldRef),
    /// A path in the data.
    Path(Path),
    /// `LEN(…)`: characters of a text, members of a collection.
    Length(Box<Self>),
    /// A value.
    Constant(Constant),
}

impl Operand {
    /// What kind of value it has, as far as that is known from the clause.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Field(field) => field.kind(),
            Self::Path(_) => Type::Data,
            Self::Length(_) => Type::Integer,
            Self::Constant(constant) => match constant.literal {
                Literal::Bool(_) => Type::Boolean,
                Literal::Int(_) | Literal::Float(_) => Type::Integer,
                Literal::Str(_) | Literal::List(_) => Type::Text,
            },
        }
    }

    /// Whether its values come out of the data of a resource.
    pub(super) fn reads_data(&self) -> bool {
        match self {
            Self::Path(_) => true,
            Self::Length(inner) => inner.reads_data(),
            Self::Field(_) | Self::Constant(_) => false,
        }
    }

    /// The text, if it is a constant one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Constant(Constant {
                literal: Literal::Str(text),
                value: Value::Str(_),
                ..
            }) => Some(text),
            _ => None,
        }
    }
}

/// A literal with what it can be read as.
#[derive(Debug, Clone)]
pub struct Constant {
    literal: Literal,
    pub(super) value: Value<'static>,
    pub(super) readings: Readings,
}

impl Constant {
    pub(super) fn new(literal: Literal, value: Value<'static>) -> Self {
        let readings = Readings::of(&value);
        Self {
            literal,
            value,
            readings,
        }
    }

    /// The literal as it was written or bound.
    pub fn literal(&self) -> &Literal {
        &self.literal
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.literal == other.literal
    }
}

impl Expr {
    /// Both conditions, flat.
    pub(super) fn both(first: Self, second: Self) -> Self {
        let mut parts = Vec::new();
        for condition in [first, second] {
            match condition {
                Self::All(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        Self::All(parts)
    }

    /// The kind of resource, where the condition is `kind = '…'`.
    pub(super) fn resource_type(&self) -> Option<&str> {
        let Self::Test(test) = self else {
            return None;
        };
        match (&test.left, &test.check) {
            (Operand::Path(path), Check::Compare(Comparison::Equal, kind))
                if path.to_string() == "kind" && !test.negated =>
            {
                kind.text()
            }
            _ => None,
        }
    }

    /// Whether the condition is about data: that of a resource, or the text as a whole.
    pub(super) fn asks_of_data(&self) -> bool {
        let is_text = |test: &Test| matches!(&test.left, Operand::Field(field) if field.attribute == Attribute::Data);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_of_data),
            Self::Not(inner) => inner.asks_of_data(),
            Self::Test(test) => is_text(test) || self.reads_data(),
        }
    }

    /// Whether any operand comes out of the data of a resource.
    pub(super) fn reads_data(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::reads_data),
            Self::Not(inner) => inner.reads_data(),
            Self::Test(test) => {
                test.left.reads_data()
                    || match &test.check {
                        Check::Compare(_, right) => right.reads_data(),
                        Check::Between(low, high) => low.reads_data() || high.reads_data(),
                        _ => false,
                    }
            }
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, outer: u8) -> fmt::Result {
        let (strength, word, parts) = match self {
            Self::Any(parts) => (1, " OR ", parts.as_slice()),
            Self::All(parts) => (2, " AND ", parts.as_slice()),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                return inner.write(f, 3);
            }
            Self::Test(test) => return write!(f, "{test}"),
        };
        // One as strong as the outer one stands in parentheses too, so that its own ones are kept
        // apart when the text is parsed again.
        let enclosed = outer >= strength;
        if enclosed {
            f.write_str("(")?;
        }
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(word)?;
            }
            part.write(f, strength)?;
        }
        if enclosed {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        let text = |text: &str| Literal::from(text).to_string();
        write!(f, "{} ", self.left)?;
        match &self.check {
            Check::Compare(comparison, right) => {
                write!(f, "{} {}", comparison.sign(), right.on_the_right())
            }
            Check::In(items) => {
                write!(f, "{not}IN (")?;
                for (i, item) in items.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str(")")
            }
            Check::Between(low, high) => {
                let (low, high) = (low.on_the_right(), high.on_the_right());
                write!(f, "{not}BETWEEN {low} AND {high}")
            }
            Check::Like(pattern) => {
                let word = match (pattern.syntax(), self.negated) {
                    (Syntax::Like, _) => "LIKE",
                    (Syntax::LikeAnyCase, _) => "ILIKE",
                    (Syntax::Regex, false) => "~",
                    (Syntax::RegexAnyCase, false) => "~*",
                    (Syntax::Regex, true) => "!~",
                    (Syntax::RegexAnyCase, true) => "!~*",
                };
                let not = if word.ends_with('E') { not } else { "" };
                write!(f, "{not}{word} {}", text(pattern.source()))
            }
            Check::Contains(part) => write!(f, "{not}CONTAINS {}", text(part)),
            Check::Has(member) => write!(f, "? {}", text(member)),
            Check::Null => write!(f, "IS {not}NULL"),
        }
    }
}

impl Operand {
    /// Its text behind a comparison, where a bare word is refused as a text without quotes: a path
    /// of one step is written with an escape. An `e` is not escaped, since `\e` is the empty key.
    fn on_the_right(&self) -> String {
        let mut text = self.to_string();
        let is_bare = matches!(self, Self::Path(_))
            && !text.contains(['.', '/', '(', '\\'])
            && text != "replicas";
        if let Some(at) = text.find(|c| c != 'e').filter(|_| is_bare) {
            text.insert(at, '\\');
        }
        text
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "{field}"),
            Self::Path(path) => write_path(path, f),
            Self::Length(inner) => write!(f, "LEN({inner})"),
            Self::Constant(constant) => write!(f, "{}", constant.literal),
        }
    }
}

/// One key to sort by.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderBy {
    /// What is sorted by.
    pub operand: Operand,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { " DESC" } else { "" };
        write!(f, "{}{direction}", self.operand)
    }
}
