//! The headings of changes that several units share.

use std::fmt::Write as _;

use crate::app::difference::Group;
use crate::app::outcome::plural;

/// The letter of a group: `A` to `Z`, then `AA`.
pub(super) fn letter(at: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = at;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// The letter of a group, how many units it has, and what kind of change it is.
pub(super) fn title(groups: &[Group], at: usize, digits: usize) -> String {
    let group = &groups[at];
    let count = group.members().len();
    let units = plural(count, "unit");
    let digits = digits + units.len() - count.to_string().len();
    let mut title = format!("{}  {units:>digits$}", letter(at));
    let Some(shown) = group.shown().map(|shown| &shown.compared) else {
        return title;
    };
    let in_containers = groups.iter().enumerate().find_map(|(other, group)| {
        let one = &group.shown()?.compared;
        let names = shown.as_in_one(one).filter(|_| other != at)?;
        Some((other, names))
    });
    if let Some((other, names)) = in_containers {
        let containers = plural(names.len(), "container");
        let (letter, names) = (letter(other), names.join(", "));
        let _ = write!(title, ", as {letter} in {containers} ({names})");
    } else if count > 1 {
        title.push_str(", identical change");
    }
    if shown.places().iter().any(|place| place.is_replaced) {
        title.push_str(", REPLACES a value");
    }
    if shown.is_new() {
        title.push_str(", new");
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_the_last_one() {
        let letters: Vec<String> = [0, 1, 25, 26, 27, 51, 52, 701, 702]
            .into_iter()
            .map(letter)
            .collect();
        assert_eq!(
            letters,
            ["A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]
        );
    }
}
