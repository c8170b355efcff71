//! Quantities as texts: multiplied in the unit in which they are written.

use crate::query::Quantity;

/// The longest mantissa that is multiplied, in digits.
const MAX_DIGITS: usize = 18;

/// The largest exponent that is multiplied.
const MAX_EXPONENT: i32 = 18;

/// A quantity times a whole number, in the same unit where that stays readable: `250m` twice is
/// `500m`, four times `1`. None where `text` is no quantity, or one of absurd length.
pub(super) fn times(text: &str, factor: i64) -> Option<String> {
    Quantity::parse(text)?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, mut suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() > MAX_DIGITS {
        return None;
    }
    let mut digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let mut decimals = i32::try_from(fraction.len()).ok()?;
    // `1E` is exa, `1E3` a thousand.
    if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
        && let Ok(exponent) = exponent.parse::<i32>()
    {
        if exponent.abs() > MAX_EXPONENT {
            return None;
        }
        decimals -= exponent;
        suffix = "";
    }
    if text.starts_with('-') {
        digits = -digits;
    }
    digits = digits.saturating_mul(i128::from(factor));
    if suffix == "m" && decimals == 0 && digits % 1000 == 0 {
        digits /= 1000;
        suffix = "";
    }
    Some(written(digits, decimals, suffix))
}

fn written(mut digits: i128, mut decimals: i32, suffix: &str) -> String {
    while decimals > 0 && digits % 10 == 0 {
        digits /= 10;
        decimals -= 1;
    }
    while decimals < 0 {
        digits = digits.saturating_mul(10);
        decimals += 1;
    }
    let sign = if digits < 0 { "-" } else { "" };
    let places = usize::try_from(decimals).unwrap_or(0);
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = places + 1);
    let (whole, fraction) = text.split_at(text.len() - places);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stays() {
        for (text, factor, product) in [
            ("250m", 2, "500m"),
            ("500m", 2, "1"),
            ("2Gi", 2, "4Gi"),
            ("1.5Gi", 3, "4.5Gi"),
            ("1.5Gi", 2, "3Gi"),
            ("1e3", 2, "2000"),
            ("1E", 2, "2E"),
            ("0.05", 1, "0.05"),
            ("-1", 3, "-3"),
        ] {
            assert_eq!(times(text, factor).as_deref(), Some(product), "{text}");
        }
        for text in ["", "m", "1.2.3", "12x", "1 Gi", "--1", "1e99", "."] {
            assert_eq!(times(text, 1), None, "{text}");
        }
    }
}
