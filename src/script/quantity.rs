//! Kubernetes quantities, exactly: `250m × 2 = 500m`, `1Gi < 2000Mi`.

use std::cmp::Ordering;

/// A quantity as written: digits scaled by a power of ten, and a suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity<'a> {
    /// Digits without the point.
    digits: i128,
    /// How many of them stand behind the point; below zero with an exponent.
    decimals: i32,
    suffix: &'a str,
}

const SUFFIXES: [(&str, u32, i32); 15] = [
    ("n", 10, -9),
    ("u", 10, -6),
    ("m", 10, -3),
    ("", 10, 0),
    ("k", 10, 3),
    ("M", 10, 6),
    ("G", 10, 9),
    ("T", 10, 12),
    ("P", 10, 15),
    ("E", 10, 18),
    ("Ki", 2, 10),
    ("Mi", 2, 20),
    ("Gi", 2, 30),
    ("Ti", 2, 40),
    ("Pi", 2, 50),
];

impl<'a> Quantity<'a> {
    /// Reads `text`; `None` when it is no quantity.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let number_end = unsigned
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(unsigned.len());
        let (number, mut suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty())
            || fraction.contains('.')
            || whole.len() + fraction.len() > 18
        {
            return None;
        }
        let mut digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let mut decimals = i32::try_from(fraction.len()).ok()?;
        // `1E` is exa, `1Ei` exbi, `1E3` a thousand.
        if let Some(exponent) = suffix.strip_prefix(['e', 'E'])
            && let Ok(exponent) = exponent.parse::<i32>()
        {
            if exponent.abs() > 18 {
                return None;
            }
            decimals -= exponent;
            suffix = "";
        }
        if text.starts_with('-') {
            digits = -digits;
        }
        let known = SUFFIXES.iter().any(|(known, ..)| *known == suffix) || suffix == "Ei";
        known.then_some(Self {
            digits,
            decimals,
            suffix,
        })
    }

    /// The quantity times a whole number, in the same unit where that stays readable.
    pub(super) fn times(self, factor: i64) -> String {
        let mut digits = self.digits.saturating_mul(i128::from(factor));
        let mut decimals = self.decimals;
        let mut suffix = self.suffix;
        if suffix == "m" && decimals == 0 && digits % 1000 == 0 {
            digits /= 1000;
            suffix = "";
        }
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

    /// Which of the two is more.
    pub(super) fn compare(self, other: Self) -> Ordering {
        // Far apart in scale the exact products may not fit; floats decide then, correctly.
        match (self.scaled(), other.scaled()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => self.approximate().total_cmp(&other.approximate()),
        }
    }

    fn scale(self) -> (u32, i32) {
        SUFFIXES
            .iter()
            .find(|(known, ..)| *known == self.suffix)
            .map_or((2, 60), |(_, base, power)| (*base, *power))
    }

    /// In units of 10⁻²⁷.
    fn scaled(self) -> Option<i128> {
        let (base, power) = self.scale();
        let (tens, twos) = if base == 10 { (power, 0) } else { (0, power) };
        let tens = u32::try_from(27 + tens - self.decimals).ok()?;
        let value = self.digits.checked_mul(10_i128.checked_pow(tens)?)?;
        value.checked_mul(1_i128.checked_shl(u32::try_from(twos).ok()?)?)
    }

    fn approximate(self) -> f64 {
        let (base, power) = self.scale();
        #[expect(clippy::cast_precision_loss, reason = "an approximation")]
        let digits = self.digits as f64;
        digits * f64::from(base).powi(power) * 10_f64.powi(-self.decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keeps_the_unit() {
        let times = |text, factor| Quantity::parse(text).unwrap().times(factor);
        assert_eq!(times("250m", 2), "500m");
        assert_eq!(times("500m", 2), "1");
        assert_eq!(times("2Gi", 2), "4Gi");
        assert_eq!(times("1.5Gi", 3), "4.5Gi");
        assert_eq!(times("1.5Gi", 2), "3Gi");
        assert_eq!(times("1e3", 2), "2000");
        assert_eq!(times("0.05", 1), "0.05");
    }

    #[test]
    fn quantities_compare_across_units() {
        let compare = |a, b| {
            Quantity::parse(a)
                .unwrap()
                .compare(Quantity::parse(b).unwrap())
        };
        assert_eq!(compare("1", "1000m"), Ordering::Equal);
        assert_eq!(compare("1Gi", "2000Mi"), Ordering::Less);
        assert_eq!(compare("1G", "1Gi"), Ordering::Less);
        assert_eq!(compare("1Ei", "1n"), Ordering::Greater);
        assert_eq!(compare("-1", "0"), Ordering::Less);
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "m", "1.2.3", "12x", "1 Gi", "--1", "1e99", "½", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
