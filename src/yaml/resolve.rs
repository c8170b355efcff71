//! What a plain scalar means: the table of `goyaml.v2`, which kubectl and the API server read with.

use std::borrow::Cow;

/// The value of a scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Str(Cow<'a, str>),
}

/// Reads a plain scalar as kubectl does.
pub(super) fn plain(text: Cow<'_, str>) -> Resolved<'_> {
    match value(&text) {
        Some(known) => known,
        None => Resolved::Str(text),
    }
}

/// The value of a plain scalar that is no string; none for strings.
fn value(text: &str) -> Option<Resolved<'static>> {
    let first = *text.as_bytes().first().unwrap_or(&b'~');
    match first {
        b'+' | b'-' | b'0'..=b'9' => infinite(text).or_else(|| number(text)),
        b'.' => infinite(text).or_else(|| match text.parse() {
            Ok(float) if is_float(text) => finite(float),
            _ => None,
        }),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        _ => None,
    }
}

fn word(text: &str) -> Option<Resolved<'static>> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        _ => return None,
    })
}

fn infinite(text: &str) -> Option<Resolved<'static>> {
    Some(Resolved::Float(match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => return None,
    }))
}

fn number(text: &str) -> Option<Resolved<'static>> {
    let text = if text.contains('_') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    };
    let text = text.as_ref();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if let Some(magnitude) = integer(digits) {
        // `-x` of the range of i64 alone; anything else that is too large goes on as a float.
        if !negative {
            return Some(match i64::try_from(magnitude) {
                Ok(int) => Resolved::Int(int),
                Err(_) => Resolved::UInt(magnitude),
            });
        }
        if let Some(int) = 0_i64.checked_sub_unsigned(magnitude) {
            return Some(Resolved::Int(int));
        }
    }
    if is_float(text) {
        return text.parse().ok().and_then(finite);
    }
    None
}

/// A number out of the range of floats is text, as in Go.
fn finite(float: f64) -> Option<Resolved<'static>> {
    float.is_finite().then_some(Resolved::Float(float))
}

fn integer(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would take a sign here, which may stand only once.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && (!whole.is_empty() || !fraction.is_empty())
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['-', '+']).unwrap_or(e);
            !e.is_empty() && digits(e)
        })
}

/// Whether YAML 1.2 (core schema) reads a plain scalar as a string.
fn core_schema_string(text: &str) -> bool {
    let number = || {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let radix = |prefix: &str, radix: u32| {
            text.strip_prefix(prefix)
                .is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_digit(radix)))
        };
        (!unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()))
            || is_float(text)
            || radix("0o", 8)
            || radix("0x", 16)
    };
    let word = matches!(
        text,
        "" | "~"
            | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
    );
    !word && infinite(text).is_none() && !number()
}

/// Whether any reader, of YAML 1.1 or 1.2, could take the plain text for something else than text.
pub(super) fn ambiguous(text: &str) -> bool {
    text == "<<" || text == "=" || value(text).is_some() || !core_schema_string(text) || dated(text)
}

/// Timestamps and base-60 numbers of YAML 1.1, taken widely: digits with `:` or `-` between.
fn dated(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains([':', '-', '_'])
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b":-_.tTzZ +".contains(&b))
}

/// Why YAML 1.1 and 1.2 read a plain scalar differently; none if they agree.
pub(super) fn disagreement(text: &str) -> Option<&'static str> {
    match value(text) {
        Some(Resolved::Bool(_)) if core_schema_string(text) => {
            Some("a boolean in YAML 1.1 and text in YAML 1.2")
        }
        Some(Resolved::Int(_) | Resolved::UInt(_)) if core_schema_string(text) => {
            Some("a number in YAML 1.1 and text in YAML 1.2")
        }
        Some(Resolved::Int(_) | Resolved::UInt(_) | Resolved::Float(_))
            if leading_zero(text) && text.len() > 1 =>
        {
            Some("an octal number in YAML 1.1 and a decimal one in YAML 1.2")
        }
        None if dated(text) && text.contains(':') && !text.contains('-') => {
            Some("a base-60 number in YAML 1.1 and text in YAML 1.2")
        }
        None if core_schema_string(text) && dated(text) && text.contains('-') => {
            Some("a date in YAML 1.1 and text in YAML 1.2")
        }
        _ => None,
    }
}

fn leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Resolved<'_> {
        plain(Cow::Borrowed(text))
    }

    #[test]
    fn reads_as_kubectl_does() {
        use Resolved::{Bool, Float, Int, Null, UInt};
        for (text, wanted) in [
            ("", Null),
            ("~", Null),
            ("NULL", Null),
            ("yes", Bool(true)),
            ("On", Bool(true)),
            ("y", Bool(true)),
            ("N", Bool(false)),
            ("off", Bool(false)),
            ("0644", Int(420)),
            ("-0644", Int(-420)),
            ("0o644", Int(420)),
            ("0x1F", Int(31)),
            ("-0x1F", Int(-31)),
            ("0b11", Int(3)),
            ("1_000", Int(1000)),
            ("+1", Int(1)),
            ("0", Int(0)),
            ("9223372036854775807", Int(i64::MAX)),
            ("-9223372036854775808", Int(i64::MIN)),
            ("18446744073709551615", UInt(u64::MAX)),
            ("18446744073709551616", Float(18_446_744_073_709_551_616.0)),
            ("1.5", Float(1.5)),
            (".5", Float(0.5)),
            ("1e3", Float(1000.0)),
            ("089", Float(89.0)),
            (".inf", Float(f64::INFINITY)),
            ("-.INF", Float(f64::NEG_INFINITY)),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        for text in [
            "2001-01-01",
            "12:30:45",
            "1.2.3",
            "1Gi",
            "100m",
            "0x",
            "0b",
            "--1",
            "+-1",
            "0x-1",
            "e3",
            "1e",
            "1e999",
            "_1",
            "yEs",
            "nul",
            "-",
            ".",
            "..",
            "0xg",
            "1 2",
        ] {
            assert_eq!(read(text), Resolved::Str(text.into()), "{text}");
        }
        assert!(matches!(read(".nan"), Float(f) if f.is_nan()));
    }

    #[test]
    fn lint_names_what_the_two_versions_read_differently() {
        for text in [
            "yes",
            "off",
            "0644",
            "1_000",
            "12:30:45",
            "2001-01-01",
            "0b1",
        ] {
            assert!(disagreement(text).is_some(), "{text}");
        }
        for text in [
            "true", "10", "1.5", "web", "null", "1Gi", "0", "0x1F", "10.0.0.1", "v1",
        ] {
            assert_eq!(disagreement(text), None, "{text}");
        }
    }
}
