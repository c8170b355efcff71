//! From the tokens of a clause to a [`Query`].

use std::collections::BTreeMap;

use super::Query;
use super::error::{Error, Position, nearest};
use super::expr::{Check, Comparison, Constant, Expr, Operand, OrderBy, Test};
use super::field::Type;
use super::lexer::{Kind, Token, tokens};
use super::name::{RESERVED, meant_attribute, resolve};
use super::pattern::{Pattern, Syntax};
use super::value::Literal;

mod literal;

/// How deep parentheses, `NOT` and `LEN` may be nested together.
pub const MAX_DEPTH: usize = 100;

/// How many patterns a clause may have: bounds the memory for compiled ones.
pub const MAX_PATTERNS: usize = 100;

/// Values bound to the `$name`s of a clause.
pub type Values = BTreeMap<String, Literal>;

const OPERATORS: [&str; 13] = [
    "IN", "NOT", "LIKE", "ILIKE", "BETWEEN", "IS", "CONTAINS", "AND", "OR", "ORDER BY", "LIMIT",
    "ORDER", "NULL",
];

/// Reads a clause that binds no values.
///
/// # Errors
/// When the clause is malformed; the error says where, what was expected and what was probably
/// meant. `$name`s are refused as unbound.
pub fn parse(text: &str) -> Result<Query, Error> {
    parse_with(text, &Values::new())
}

/// Reads a clause and binds values to its `$name`s. Values that it does not name are ignored.
///
/// ```
/// use windlass::query::{Values, parse_with};
///
/// let mut values = Values::new();
/// values.insert("s".to_owned(), "it's".into());
/// let query = parse_with("Slug = $s", &values).unwrap();
/// assert_eq!(query.to_string(), "Slug = 'it''s'");
/// ```
///
/// # Errors
/// As [`parse`], and when a `$name` has no value or one that does not fit its place.
pub fn parse_with(text: &str, values: &Values) -> Result<Query, Error> {
    Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        patterns: 0,
        values,
    }
    .query()
}

/// Reads one attribute or data path, such as the name of a column.
///
/// ```
/// use windlass::query::{Operand, parse_operand};
///
/// assert!(matches!(parse_operand("Space.Slug"), Ok(Operand::Field(_))));
/// assert!(matches!(parse_operand("spec.replicas"), Ok(Operand::Path(_))));
/// assert!(parse_operand("Slug =").is_err());
/// ```
///
/// # Errors
/// When it is neither, or something follows it.
pub fn parse_operand(text: &str) -> Result<Operand, Error> {
    let values = Values::new();
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        patterns: 0,
        values: &values,
    };
    let placed = parser.operand()?;
    match parser.peek().kind {
        Kind::End => Ok(placed.operand),
        _ => Err(parser.unexpected("nothing more")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Ends with [`Kind::End`], which is never passed.
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
    patterns: usize,
    values: &'a Values,
}

/// An operand and where it was written.
struct Placed {
    operand: Operand,
    start: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn query(mut self) -> Result<Query, Error> {
        let explain = self.take_word("EXPLAIN");
        let nothing = matches!(self.peek().kind, Kind::End)
            || self.take_sign("*")
            || self.is_word("ORDER")
            || self.is_word("LIMIT");
        let condition = if nothing { None } else { Some(self.any()?) };
        let order = if self.take_word("ORDER") {
            if !self.take_word("BY") {
                return Err(self.unexpected("`BY`"));
            }
            self.order()?
        } else {
            Vec::new()
        };
        let limit = if self.take_word("LIMIT") {
            Some(self.limit()?)
        } else {
            None
        };
        if !matches!(self.peek().kind, Kind::End) {
            return Err(self.after_condition(condition.is_some(), !order.is_empty(), limit));
        }
        Ok(Query::new(condition, order, limit, explain))
    }

    fn order(&mut self) -> Result<Vec<OrderBy>, Error> {
        let mut order = Vec::new();
        loop {
            let Placed { operand, start, .. } = self.operand()?;
            if matches!(operand, Operand::Constant(_)) {
                return Err(Error::Mismatch {
                    at: self.place(start),
                    expected: "an attribute or a data path to sort by".to_owned(),
                    found: format!("`{operand}`"),
                    suggestion: None,
                });
            }
            let descending = self.take_word("DESC");
            if !descending {
                self.take_word("ASC");
            }
            order.push(OrderBy {
                operand,
                descending,
            });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    fn limit(&mut self) -> Result<usize, Error> {
        let number = match &self.peek().kind {
            Kind::Number(digits) => digits.parse().ok(),
            Kind::Parameter(_) => match self.parameter()? {
                Literal::Int(number) => usize::try_from(number).ok(),
                _ => None,
            },
            _ => None,
        };
        let Some(number) = number else {
            return Err(self.unexpected("a whole number of rows"));
        };
        self.next += 1;
        Ok(number)
    }

    fn any(&mut self) -> Result<Expr, Error> {
        let first = self.all()?;
        if !self.is_word("OR") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        Ok(Expr::Any(parts))
    }

    fn all(&mut self) -> Result<Expr, Error> {
        let first = self.not()?;
        if !self.is_word("AND") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word("AND") {
            parts.push(self.not()?);
        }
        Ok(Expr::All(parts))
    }

    fn not(&mut self) -> Result<Expr, Error> {
        if self.is_word("NOT") {
            self.deeper()?;
            self.next += 1;
            let inner = self.not()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if !self.is_sign("(") {
            return self.test().map(|test| Expr::Test(Box::new(test)));
        }
        self.deeper()?;
        let open = self.peek().start;
        self.next += 1;
        let inner = self.any()?;
        self.close(open, "`AND`, `OR` or `)`")?;
        self.depth -= 1;
        Ok(inner)
    }

    fn close(&mut self, open: usize, expected: &str) -> Result<(), Error> {
        if self.take_sign(")") {
            return Ok(());
        }
        if matches!(self.peek().kind, Kind::End) {
            return Err(Error::Unclosed {
                at: self.place(open),
                opening: "parenthesis",
                closing: "`)`",
            });
        }
        Err(self.unexpected(expected))
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooMuch {
                at: self.place(self.peek().start),
                what: "levels of nesting",
                limit: MAX_DEPTH,
            });
        }
        Ok(())
    }

    fn test(&mut self) -> Result<Test, Error> {
        let left = self.operand()?;
        if let Some(comparison) = self.comparison() {
            return self.compared(left, comparison);
        }
        if matches!(left.operand, Operand::Constant(_)) {
            return Err(self.unexpected("a comparison (`= != < <= > >=`) after a value"));
        }
        let operator = self.next;
        let (check, negated) = self.check(&left)?;
        self.check_operator(&left, &check, operator)?;
        Ok(Test {
            left: left.operand,
            check,
            negated,
        })
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = match self.peek().kind {
            Kind::Sign("=") => Comparison::Equal,
            Kind::Sign("!=") => Comparison::Unequal,
            Kind::Sign("<") => Comparison::Less,
            Kind::Sign("<=") => Comparison::LessOrEqual,
            Kind::Sign(">") => Comparison::Greater,
            Kind::Sign(">=") => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    fn compared(&mut self, left: Placed, comparison: Comparison) -> Result<Test, Error> {
        let operator = self.next - 1;
        let right = self.operand()?;
        let constant = |placed: &Placed| matches!(placed.operand, Operand::Constant(_));
        let (left, comparison, right) = match (constant(&left), constant(&right)) {
            (true, true) => {
                return Err(Error::Mismatch {
                    at: self.place(left.start),
                    expected: "an attribute or a data path on one side".to_owned(),
                    found: "two values".to_owned(),
                    suggestion: None,
                });
            }
            (true, false) => (right, comparison.mirrored(), left),
            _ => (left, comparison, right),
        };
        self.check_meant_attribute(&left)?;
        self.check_comparable(&left, comparison, operator)?;
        let right = self.fitted(&left.operand, right)?;
        Ok(Test {
            left: left.operand,
            check: Check::Compare(comparison, right),
            negated: false,
        })
    }

    /// The checks other than comparisons, and whether each is negated.
    fn check(&mut self, left: &Placed) -> Result<(Check, bool), Error> {
        let pattern = |sign| match sign {
            "~~" => Some((Syntax::Like, false)),
            "!~~" => Some((Syntax::Like, true)),
            "~" => Some((Syntax::Regex, false)),
            "~*" => Some((Syntax::RegexAnyCase, false)),
            "!~" => Some((Syntax::Regex, true)),
            "!~*" => Some((Syntax::RegexAnyCase, true)),
            _ => None,
        };
        if let Kind::Sign(sign) = self.peek().kind {
            if let Some((syntax, negated)) = pattern(sign) {
                self.next += 1;
                return Ok((self.pattern(syntax)?, negated));
            }
            if self.take_sign("?") {
                return Ok((Check::Has(self.written("a key in quotes")?), false));
            }
        }
        if self.take_word("IS") {
            let negated = self.take_word("NOT");
            if !self.take_word("NULL") {
                let expected = if negated {
                    "`NULL`"
                } else {
                    "`NULL` or `NOT NULL`"
                };
                return Err(self.unexpected(expected));
            }
            return Ok((Check::Null, negated));
        }
        let negated = self.take_word("NOT");
        if self.take_word("IN") {
            return Ok((Check::In(self.list(left)?), negated));
        }
        if self.take_word("BETWEEN") {
            let low = self.operand()?;
            let low = self.fitted(&left.operand, low)?;
            if !self.take_word("AND") {
                return Err(self.unexpected("`AND` and the upper bound"));
            }
            let high = self.operand()?;
            let high = self.fitted(&left.operand, high)?;
            return Ok((Check::Between(low, high), negated));
        }
        if self.take_word("LIKE") {
            return Ok((self.pattern(Syntax::Like)?, negated));
        }
        if self.take_word("ILIKE") {
            return Ok((self.pattern(Syntax::LikeAnyCase)?, negated));
        }
        if self.take_word("CONTAINS") {
            return Ok((Check::Contains(self.written("a text in quotes")?), negated));
        }
        Err(self.no_operator(left, negated))
    }

    fn no_operator(&self, left: &Placed, negated: bool) -> Error {
        let after_not = "`IN`, `LIKE`, `ILIKE`, `BETWEEN` or `CONTAINS`";
        let expected = if negated { after_not } else { "an operator" };
        let token = self.peek();
        let suggestion = match token.kind {
            Kind::Sign("==") => Some("=".to_owned()),
            Kind::Sign("<>") => Some("!=".to_owned()),
            Kind::Word(word) => nearest(word, OPERATORS).map(str::to_owned),
            _ if left.operand.kind() == Type::Boolean => Some(format!("{} = true", left.operand)),
            _ => None,
        };
        self.unexpected_meaning(expected, suggestion)
    }

    fn list(&mut self, left: &Placed) -> Result<Vec<Operand>, Error> {
        if let Kind::Parameter(_) = self.peek().kind {
            let start = self.peek().start;
            let end = self.peek().end;
            let Literal::List(items) = self.parameter()? else {
                return Err(self.unexpected("a list bound, or values in `(` `)`"));
            };
            self.next += 1;
            let place = |item: Literal| {
                let operand = Operand::Constant(Constant::plain(item));
                Placed {
                    operand,
                    start,
                    end,
                }
            };
            return items
                .into_iter()
                .map(|item| self.fitted(&left.operand, place(item)))
                .collect();
        }
        let open = self.peek().start;
        if !self.take_sign("(") {
            return Err(self.unexpected("values in `(` `)`"));
        }
        let mut items = Vec::new();
        loop {
            let item = self.operand()?;
            if !matches!(item.operand, Operand::Constant(_)) {
                return Err(Error::Mismatch {
                    at: self.place(item.start),
                    expected: "a value in the list".to_owned(),
                    found: format!("`{}`", &self.text[item.start..item.end]),
                    suggestion: Some(format!("'{}'", &self.text[item.start..item.end])),
                });
            }
            items.push(self.fitted(&left.operand, item)?);
            if !self.take_sign(",") {
                self.close(open, "`,` or `)`")?;
                return Ok(items);
            }
        }
    }

    fn pattern(&mut self, syntax: Syntax) -> Result<Check, Error> {
        let start = self.peek().start;
        let source = self.written("a pattern in quotes")?;
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            return Err(Error::TooMuch {
                at: self.place(start),
                what: "patterns",
                limit: MAX_PATTERNS,
            });
        }
        Pattern::new(&source, syntax)
            .map(Check::Like)
            .map_err(|reason| Error::Pattern {
                at: self.place(start),
                found: source,
                reason,
            })
    }

    /// A text, written or bound.
    fn written(&mut self, expected: &str) -> Result<String, Error> {
        let text = match &self.peek().kind {
            Kind::Text(text) => text.clone(),
            Kind::Parameter(_) => match self.parameter()? {
                Literal::Str(text) => text,
                _ => return Err(self.unexpected(expected)),
            },
            Kind::Word(word) => {
                let quoted = Some(format!("'{word}'"));
                return Err(self.unexpected_meaning(expected, quoted));
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.next += 1;
        Ok(text)
    }

    fn operand(&mut self) -> Result<Placed, Error> {
        const EXPECTED: &str = "an attribute, a data path or a value";
        let token = self.peek();
        let (start, end) = (token.start, token.end);
        let operand = match token.kind.clone() {
            Kind::Text(text) => Operand::Constant(Constant::plain(Literal::Str(text))),
            Kind::Number(digits) => Operand::Constant(Constant::plain(self.number(digits)?)),
            Kind::Parameter(_) => Operand::Constant(Constant::plain(self.parameter()?)),
            Kind::Word(word) if word.eq_ignore_ascii_case("LEN") && self.is_call() => {
                return self.length();
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("TRUE") => {
                Operand::Constant(Constant::plain(Literal::Bool(true)))
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("FALSE") => {
                Operand::Constant(Constant::plain(Literal::Bool(false)))
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("NULL") => {
                return Err(self.unexpected_meaning(EXPECTED, Some("IS NULL".to_owned())));
            }
            Kind::Word(word) if RESERVED.iter().any(|r| r.eq_ignore_ascii_case(word)) => {
                return Err(self.unexpected(EXPECTED));
            }
            Kind::Word(word) => resolve(word, self.place(start))?,
            Kind::Sign(_) | Kind::End => return Err(self.unexpected(EXPECTED)),
        };
        self.next += 1;
        Ok(Placed {
            operand,
            start,
            end,
        })
    }

    fn is_call(&self) -> bool {
        let after = self.tokens.get(self.next + 1);
        after.is_some_and(|token| token.kind == Kind::Sign("("))
    }

    fn length(&mut self) -> Result<Placed, Error> {
        let start = self.peek().start;
        let open = self.tokens[self.next + 1].start;
        self.next += 2;
        self.deeper()?;
        let inner = self.operand()?;
        match inner.operand.kind() {
            Type::Text | Type::Choice(_) | Type::Map | Type::Set | Type::Data
                if !matches!(inner.operand, Operand::Constant(_)) => {}
            kind => {
                return Err(Error::Mismatch {
                    at: self.place(inner.start),
                    expected: "a text, map, set or data path in `LEN()`".to_owned(),
                    found: format!("`{}`, which is {}", inner.operand, kind.name()),
                    suggestion: None,
                });
            }
        }
        self.close(open, "`)`")?;
        self.depth -= 1;
        Ok(Placed {
            operand: Operand::Length(Box::new(inner.operand)),
            start,
            end: self.tokens[self.next - 1].end,
        })
    }

    /// The value bound to the parameter that comes next.
    fn parameter(&self) -> Result<Literal, Error> {
        let token = self.peek();
        let Kind::Parameter(name) = token.kind else {
            return Err(self.unexpected("a bound value"));
        };
        match self.values.get(name) {
            Some(Literal::Float(number)) if !number.is_finite() => {
                Err(self.unexpected("a finite number bound"))
            }
            Some(value) => Ok(value.clone()),
            None => Err(Error::Unbound {
                at: self.place(token.start),
                name: name.to_owned(),
                suggestion: nearest(name, self.values.keys().map(String::as_str))
                    .map(|near| format!("${near}")),
            }),
        }
    }

    fn number(&self, digits: &str) -> Result<Literal, Error> {
        if let Ok(number) = digits.parse() {
            return Ok(Literal::Int(number));
        }
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Literal::Float(number)),
            _ => Err(self.unexpected_meaning("a number", Some(format!("'{digits}'")))),
        }
    }

    fn after_condition(&self, condition: bool, order: bool, limit: Option<usize>) -> Error {
        if limit.is_some() {
            return self.unexpected("the end of the clause");
        }
        let suggestion = match self.peek().kind {
            Kind::Word(word) => nearest(word, ["AND", "OR", "ORDER BY", "LIMIT"]),
            _ => None,
        };
        let expected = match (condition, order) {
            (_, true) => "`,`, `LIMIT` or the end of the clause",
            (true, false) => "`AND`, `OR`, `ORDER BY`, `LIMIT` or the end of the clause",
            (false, false) => "`ORDER BY`, `LIMIT` or the end of the clause",
        };
        self.unexpected_meaning(expected, suggestion.map(str::to_owned))
    }

    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek().kind, Kind::Sign(found) if found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn place(&self, offset: usize) -> Position {
        Position::of(self.text, offset)
    }

    fn unexpected(&self, expected: &str) -> Error {
        self.unexpected_meaning(expected, None)
    }

    fn unexpected_meaning(&self, expected: &str, suggestion: Option<String>) -> Error {
        let token = self.peek();
        Error::Unexpected {
            at: self.place(token.start),
            expected: expected.to_owned(),
            found: match &token.kind {
                Kind::End => "the end of the clause".to_owned(),
                Kind::Text(_) => shortened(&self.text[token.start..token.end]),
                _ => format!("`{}`", shortened(&self.text[token.start..token.end])),
            },
            suggestion,
        }
    }

    /// Refuses `status = 'Ready'`: the top-level map never equals a value.
    fn check_meant_attribute(&self, left: &Placed) -> Result<(), Error> {
        let word = &self.text[left.start..left.end];
        match meant_attribute(word) {
            Some(name) => Err(Error::UnknownAttribute {
                at: self.place(left.start),
                of: String::new(),
                found: word.to_owned(),
                suggestion: Some(name.to_owned()),
            }),
            None => Ok(()),
        }
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}
