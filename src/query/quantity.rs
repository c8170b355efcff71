//! Kubernetes quantities (`500m`, `1.5Gi`, `2e3`) as exact amounts.

use std::cmp::Ordering;

/// Decimal places that are kept, as Kubernetes keeps them.
const NANO_DIGITS: u32 = 9;
const NANO: i128 = 1_000_000_000;

/// An amount in thousand-millionths, exact over the whole range that Kubernetes allows.
///
/// What is smaller than a thousand-millionth is rounded away from zero; what does not fit in 128
/// bits becomes the largest amount.
///
/// ```
/// use windlass::query::Quantity;
///
/// let amount = |text| Quantity::parse(text).unwrap();
/// assert!(amount("500m") < amount("1"));
/// assert!(amount("1Gi") > amount("900Mi"));
/// assert_eq!(amount("1000m"), amount("1.0"));
/// assert_eq!(Quantity::parse("many"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads a quantity: sign, decimal digits, and one of the suffixes `n u m k M G T P E`, `Ki Mi
    /// Gi Ti Pi Ei` or an exponent. `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(|(quantity, _)| quantity)
    }

    /// Reads a quantity and says whether it has a suffix or exponent.
    pub(super) fn parse_with_suffix(text: &str) -> Option<(Self, bool)> {
        parse(text)
    }

    /// The amount of a whole number.
    pub fn of_integer(number: i128) -> Self {
        Self(number.saturating_mul(NANO))
    }

    /// The amount of a floating-point number; `None` if it is not finite.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "rounding to a thousand-millionth is what is wanted; the cast saturates"
    )]
    pub fn of_float(number: f64) -> Option<Self> {
        number
            .is_finite()
            .then(|| Self((number * NANO as f64).round() as i128))
    }

    /// How this amount compares with a floating-point number; `None` if that is not a number.
    pub fn compare_float(self, number: f64) -> Option<Ordering> {
        Self::of_float(number).map(|other| self.cmp(&other))
    }
}

fn parse(text: &str) -> Option<(Quantity, bool)> {
    let bytes = text.as_bytes();
    // Longer texts cannot be amounts anybody wrote; this bounds the work on large scalars.
    if bytes.is_empty() || bytes.len() > 64 {
        return None;
    }
    let negative = bytes[0] == b'-';
    let mut rest = if negative || bytes[0] == b'+' {
        &bytes[1..]
    } else {
        bytes
    };
    let whole = take_digits(&mut rest);
    let mut fraction: &[u8] = &[];
    if let [b'.', tail @ ..] = rest {
        rest = tail;
        fraction = take_digits(&mut rest);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let suffix = suffix(rest)?;
    let amount = amount(whole, fraction, suffix);
    let signed = if negative { -amount } else { amount };
    Some((Quantity(signed), !rest.is_empty()))
}

#[derive(Clone, Copy)]
enum Suffix {
    /// Times 10 to this power.
    Decimal(i32),
    /// Times 2 to this power.
    Binary(u32),
}

fn suffix(rest: &[u8]) -> Option<Suffix> {
    Some(match rest {
        b"" => Suffix::Decimal(0),
        b"n" => Suffix::Decimal(-9),
        b"u" => Suffix::Decimal(-6),
        b"m" => Suffix::Decimal(-3),
        b"k" => Suffix::Decimal(3),
        b"M" => Suffix::Decimal(6),
        b"G" => Suffix::Decimal(9),
        b"T" => Suffix::Decimal(12),
        b"P" => Suffix::Decimal(15),
        b"E" => Suffix::Decimal(18),
        b"Ki" => Suffix::Binary(10),
        b"Mi" => Suffix::Binary(20),
        b"Gi" => Suffix::Binary(30),
        b"Ti" => Suffix::Binary(40),
        b"Pi" => Suffix::Binary(50),
        b"Ei" => Suffix::Binary(60),
        [b'e' | b'E', exponent @ ..] => {
            let text = std::str::from_utf8(exponent).ok()?;
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit())
            {
                return None;
            }
            Suffix::Decimal(text.parse().ok()?)
        }
        _ => return None,
    })
}

fn take_digits<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, tail) = rest.split_at(count);
    *rest = tail;
    digits
}

/// `whole.fraction` times the suffix in thousand-millionths, rounded up, saturating.
fn amount(whole: &[u8], fraction: &[u8], suffix: Suffix) -> i128 {
    let mut digits: i128 = 0;
    let mut places: i32 = 0;
    let mut dropped = false;
    for (i, byte) in whole.iter().chain(fraction).enumerate() {
        let next = digits
            .checked_mul(10)
            .and_then(|n| n.checked_add(i128::from(byte - b'0')));
        match next {
            Some(next) => {
                digits = next;
                places += i32::from(i >= whole.len());
            }
            None if i < whole.len() => return i128::MAX,
            None => dropped |= *byte != b'0',
        }
    }
    let (power, factor) = match suffix {
        Suffix::Decimal(power) => (power, 1),
        Suffix::Binary(bits) => (0, 1_i128 << bits),
    };
    let Some(mut digits) = digits.checked_mul(factor) else {
        return i128::MAX;
    };
    let mut power = power + NANO_DIGITS.cast_signed() - places;
    while power > 0 && digits != 0 {
        match digits.checked_mul(10) {
            Some(next) => digits = next,
            None => return i128::MAX,
        }
        power -= 1;
    }
    while power < 0 && digits != 0 {
        dropped |= digits % 10 != 0;
        digits /= 10;
        power += 1;
    }
    digits.saturating_add(i128::from(dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (text, nano) in [
            ("0", 0),
            ("1", NANO),
            ("+1", NANO),
            ("-1", -NANO),
            ("500m", NANO / 2),
            (".5", NANO / 2),
            ("5.", 5 * NANO),
            ("1n", 1),
            ("1u", 1_000),
            ("1k", 1_000 * NANO),
            ("1Ki", 1_024 * NANO),
            ("1.5Gi", 1_610_612_736 * NANO),
            ("2e3", 2_000 * NANO),
            ("2E-3", 2_000_000),
            ("1E", 1_000_000_000_000_000_000 * NANO),
            ("0.1n", 1),
            ("0.0000000001", 1),
            ("0e9999", 0),
            ("1e9999", i128::MAX),
            ("99999999999999999999999999999999999999999", i128::MAX),
        ] {
            assert_eq!(Quantity::parse(text), Some(Quantity(nano)), "{text}");
        }
    }

    #[test]
    fn other_texts() {
        for text in [
            "", ".", "-", "m", "1 m", "1mi", "1ki", "1.2.3", "e3", "1e", "1e+", "1e12345", "nan",
            "inf", "0x10", "1_000", "١",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn floats() {
        assert_eq!(Quantity::of_float(0.5), Quantity::parse("500m"));
        assert_eq!(Quantity::of_float(f64::NAN), None);
        assert_eq!(
            Quantity::of_integer(1).compare_float(1.5),
            Some(Ordering::Less)
        );
    }
}
