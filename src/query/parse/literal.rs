//! Whether operators and values fit the attribute they are used with.

use crate::clock::Timestamp;

use super::super::error::{Error, nearest};
use super::super::expr::{Check, Comparison, Constant, Operand};
use super::super::field::Type;
use super::super::value::{Literal, Value};
use super::{Parser, Placed};

impl Constant {
    /// The literal, read as nothing else than what it is.
    pub(super) fn plain(literal: Literal) -> Self {
        let value = match &literal {
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Int(number) => Value::Int(*number),
            Literal::Float(number) => Value::Float(*number),
            Literal::Str(text) => Value::Str(text.clone().into()),
            Literal::List(_) => Value::Null,
        };
        Self::new(literal, value)
    }
}

impl Parser<'_> {
    /// Refuses a comparison that the attribute on the left has no use for.
    pub(super) fn check_comparable(
        &self,
        left: &Placed,
        comparison: Comparison,
        operator: usize,
    ) -> Result<(), Error> {
        let equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        let expected = match left.operand.kind() {
            Type::Map => "`?`, `IS NULL`, `LEN()` or a key such as `.tier`",
            Type::Set if !equality => "`=`, `!=`, `IN`, `?`, `IS NULL` or `LEN()`",
            Type::Boolean | Type::Choice(_) if !equality => "`=`, `!=`, `IN` or `IS NULL`",
            _ => return Ok(()),
        };
        Err(self.misused(left, expected, operator))
    }

    /// The same for the other operators.
    pub(super) fn check_operator(
        &self,
        left: &Placed,
        check: &Check,
        operator: usize,
    ) -> Result<(), Error> {
        let kind = left.operand.kind();
        let expected = match (check, kind) {
            (Check::In(_) | Check::Between(..), Type::Map) => {
                "`?`, `IS NULL`, `LEN()` or a key such as `.tier`"
            }
            (Check::Between(..), Type::Set) => "`=`, `IN`, `?`, `IS NULL` or `LEN()`",
            (Check::Between(..), Type::Boolean | Type::Choice(_)) => "`=`, `!=` or `IN`",
            (Check::Like(_), Type::Map | Type::Set) => "`?`, `IS NULL` or `LEN()`",
            (Check::Null | Check::In(_) | Check::Between(..), _)
            | (_, Type::Data)
            | (Check::Has(_), Type::Map | Type::Set)
            | (Check::Contains(_), Type::Map | Type::Set | Type::Text)
            | (Check::Like(_), Type::Text | Type::Choice(_)) => return Ok(()),
            (Check::Has(_), _) => "a comparison, for it has no keys",
            (Check::Like(_) | Check::Contains(_) | Check::Compare(..), _) => {
                "a comparison, for it is not a text"
            }
        };
        Err(self.misused(left, expected, operator))
    }

    fn misused(&self, left: &Placed, expected: &str, operator: usize) -> Error {
        let token = &self.tokens[operator];
        Error::Mismatch {
            at: self.place(token.start),
            expected: format!(
                "{expected} with `{}`, which is {}",
                left.operand,
                left.operand.kind().name()
            ),
            found: format!("`{}`", &self.text[token.start..token.end]),
            suggestion: None,
        }
    }

    /// The right-hand operand as what the left one is compared with.
    pub(super) fn fitted(&self, left: &Operand, right: Placed) -> Result<Operand, Error> {
        let Operand::Constant(constant) = &right.operand else {
            return self.fitted_name(left, right);
        };
        let literal = constant.literal().clone();
        let value = match (left.kind(), &literal) {
            (_, Literal::List(_)) => None,
            (Type::Integer, Literal::Int(_) | Literal::Float(_))
            | (Type::Text | Type::Data, _)
            | (Type::Boolean, Literal::Bool(_))
            | (Type::Set, Literal::Str(_)) => return Ok(right.operand),
            (Type::Integer, Literal::Str(text)) => number(text),
            (Type::Boolean, Literal::Str(text)) => match text.as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            (Type::Time, Literal::Str(text)) => text.parse::<Timestamp>().ok().map(Value::Time),
            (Type::Id(_), Literal::Int(number)) if *number >= 0 => return Ok(right.operand),
            (Type::Id(prefix), Literal::Str(text)) => {
                let digits = text.strip_prefix(prefix).unwrap_or(text);
                digits.parse::<u32>().ok().map(|n| Value::Int(i64::from(n)))
            }
            (Type::Choice(words), Literal::Str(text)) if words.contains(&text.as_str()) => {
                return Ok(right.operand);
            }
            _ => None,
        };
        match value {
            Some(value) => Ok(Operand::Constant(Constant::new(literal, value))),
            None => Err(self.misfit(left, &literal, &right)),
        }
    }

    fn misfit(&self, left: &Operand, literal: &Literal, right: &Placed) -> Error {
        let expected = match left.kind() {
            Type::Time => "a time in quotes, such as '2026-11-22' or '2026-11-22T14:07:31Z'".into(),
            Type::Id(prefix) => format!("an id such as '{prefix}12'"),
            Type::Choice(words) => format!("one of {}", words.join(", ")),
            Type::Set => "a text in quotes".to_owned(),
            kind => kind.name().to_owned(),
        };
        let suggestion = match (left.kind(), literal) {
            (Type::Choice(words), Literal::Str(text)) => {
                nearest(text, words.iter().copied()).map(|word| format!("'{word}'"))
            }
            _ => None,
        };
        Error::Mismatch {
            at: self.place(right.start),
            expected: format!("{expected} to compare `{left}` with"),
            found: format!("{literal}"),
            suggestion,
        }
    }

    /// An attribute or path on the right: refuses what can never be comparable, and a bare word,
    /// which was meant as a text.
    fn fitted_name(&self, left: &Operand, right: Placed) -> Result<Operand, Error> {
        let word = &self.text[right.start..right.end];
        let bare = !word.contains(['.', '/', '(', '\\']) && word != "replicas";
        if matches!(right.operand, Operand::Path(_)) && bare {
            return Err(Error::Mismatch {
                at: self.place(right.start),
                expected: "a value, an attribute or a longer data path".to_owned(),
                found: format!("`{word}`"),
                suggestion: Some(format!("'{word}'")),
            });
        }
        let comparable = match (left.kind(), right.operand.kind()) {
            (Type::Map | Type::Set, _) | (_, Type::Map | Type::Set) => false,
            // A label may well hold a number.
            (Type::Data, _)
            | (_, Type::Data)
            | (Type::Text | Type::Choice(_), Type::Text | Type::Choice(_))
            | (Type::Text, Type::Integer)
            | (Type::Integer, Type::Text) => true,
            (left, right) => left == right,
        };
        if comparable {
            return Ok(right.operand);
        }
        Err(Error::Mismatch {
            at: self.place(right.start),
            expected: format!(
                "something to compare `{left}` with, which is {}",
                left.kind().name()
            ),
            found: format!("`{word}`, which is {}", right.operand.kind().name()),
            suggestion: None,
        })
    }
}

fn number(text: &str) -> Option<Value<'static>> {
    if let Ok(number) = text.parse() {
        return Some(Value::Int(number));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Float(number))
}
