//! The one grammar of places in a document: `spec.template.spec.containers.?name=api.image`.
//!
//! | segment | means |
//! | --- | --- |
//! | `spec`, `0` | a key of a map; all digits also address an element of a list, from 0 |
//! | `?name=api`, `?containerPort=80,protocol=TCP` | the element of a list whose fields read so |
//! | `*` | any key or element |
//! | `containers#order` | the order of the elements of a list; only at the end |
//!
//! A backslash takes the meaning from the next character (`prometheus\.io/scrape`); `\e` is the
//! empty key. A path that begins with `/` is read as a JSON Pointer.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {position} of the path `{path}`")]
pub struct Error {
    /// The whole text that was read.
    pub path: String,
    /// Where the problem is, in characters from 1.
    pub position: usize,
    /// What would have been right there.
    pub expected: &'static str,
}

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A key of a map, or the index of an element (from 0) when all digits and the node is a list.
    Key(String),
    /// The first element of a list in which each named field reads as the given text.
    Match(Vec<(String, String)>),
    /// Any key or element.
    Any,
    /// The order of the elements of a list; only the last segment.
    Order,
}

impl Segment {
    /// The index that this segment names in a list, if it is all digits.
    ///
    /// ```
    /// use windlass::path::Segment;
    ///
    /// assert_eq!(Segment::Key("12".into()).index(), Some(12));
    /// assert_eq!(Segment::Key("name".into()).index(), None);
    /// ```
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::Key(key) if !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()) => {
                key.parse().ok()
            }
            _ => None,
        }
    }

    /// Whether this segment, taken as a pattern, covers `concrete`.
    fn covers(&self, concrete: &Self) -> bool {
        match (self, concrete) {
            (Self::Any, _) => true,
            (Self::Match(wanted), Self::Match(found)) => wanted.iter().all(|w| found.contains(w)),
            _ => self == concrete,
        }
    }
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

/// A place in a document, or a pattern of places.
///
/// ```
/// use windlass::path::Path;
///
/// let image: Path = "spec.containers.?name=api.image".parse().unwrap();
/// let any: Path = "spec.containers.*".parse().unwrap();
/// assert!(any.matches(&image));
/// assert_eq!(image.to_string(), "spec.containers.?name=api.image");
/// assert_eq!("/spec/replicas".parse::<Path>().unwrap().to_string(), "spec.replicas");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Vec<Segment>);

impl Path {
    /// Reads a path in the dotted form or as a JSON Pointer; the empty text is the root.
    ///
    /// # Errors
    /// [`Error`] with the position when a segment is empty, an escape or a condition is
    /// incomplete, or `#order` is not at the end.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(pointer) = text.strip_prefix('/') {
            return Ok(Self(pointer.split('/').map(unescape_pointer).collect()));
        }
        if text.is_empty() {
            return Ok(Self::root());
        }
        Reader::new(text).path()
    }

    /// The whole document.
    pub fn root() -> Self {
        Self(Vec::new())
    }

    /// Whether this is the whole document.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no step; the same as [`Path::is_root`].
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last step.
    pub fn last(&self) -> Option<&Segment> {
        self.0.last()
    }

    /// This path and one step more.
    #[must_use]
    pub fn join(&self, segment: impl Into<Segment>) -> Self {
        let mut path = self.clone();
        path.push(segment);
        path
    }

    /// This path and the key `key`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.join(Segment::Key(key.to_owned()))
    }

    /// This path and the element `index`, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.join(Segment::Key(index.to_string()))
    }

    /// Adds one step at the end.
    pub fn push(&mut self, segment: impl Into<Segment>) {
        self.0.push(segment.into());
    }

    /// Takes the last step away.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }

    /// The place around this one; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }

    /// Whether `other` is this place or one around it, step by step, without patterns.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether this path, taken as a pattern, covers `concrete` or a place around it.
    ///
    /// `*` covers any step, `?a=1` also `?a=1,b=2`.
    pub fn matches(&self, concrete: &Self) -> bool {
        self.0.len() <= concrete.0.len() && self.0.iter().zip(&concrete.0).all(|(p, c)| p.covers(c))
    }

    /// Whether the path holds a `*`.
    pub fn is_pattern(&self) -> bool {
        self.0.contains(&Segment::Any)
    }
}

impl From<Vec<Segment>> for Path {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

impl From<&Self> for Segment {
    fn from(segment: &Self) -> Self {
        segment.clone()
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Path {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (at, segment) in self.0.iter().enumerate() {
            if at > 0 && *segment != Segment::Order {
                text.push('.');
            }
            write!(text, "{segment}")?;
        }
        f.pad(&text)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write_key(f, key),
            Self::Match(fields) => {
                f.write_char('?')?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        f.write_char(',')?;
                    }
                    write_escaped(f, name, ".\\,=#[")?;
                    f.write_char('=')?;
                    write_escaped(f, value, ".\\,=#[")?;
                }
                Ok(())
            }
            Self::Any => f.write_char('*'),
            Self::Order => f.write_str("#order"),
        }
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str) -> fmt::Result {
    if key.is_empty() {
        return f.write_str("\\e");
    }
    if key == "*" || key.starts_with('?') || key.starts_with('/') {
        f.write_char('\\')?;
    }
    write_escaped(f, key, ".\\#[")
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str, special: &str) -> fmt::Result {
    for c in text.chars() {
        if special.contains(c) {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    Ok(())
}

fn unescape_pointer(token: &str) -> Segment {
    Segment::Key(token.replace("~1", "/").replace("~0", "~"))
}

/// Reads the dotted form character by character.
struct Reader<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.chars().collect(),
            at: 0,
        }
    }

    fn error(&self, expected: &'static str) -> Error {
        Error {
            path: self.text.to_owned(),
            position: self.at + 1,
            expected,
        }
    }

    fn path(mut self) -> Result<Path, Error> {
        let mut segments = Vec::new();
        loop {
            segments.push(self.segment()?);
            if self.rest_is("#order") {
                segments.push(Segment::Order);
                return Ok(Path(segments));
            }
            match self.chars.get(self.at) {
                None => return Ok(Path(segments)),
                Some('.') => self.at += 1,
                Some(_) => return Err(self.error("`.` or the end")),
            }
        }
    }

    fn segment(&mut self) -> Result<Segment, Error> {
        match self.chars.get(self.at) {
            Some('?') => self.condition(),
            Some('*') if self.ends_after_star() => {
                self.at += 1;
                Ok(Segment::Any)
            }
            _ if self.at == 0 && self.rest_is("#order") => {
                self.at = self.chars.len();
                Ok(Segment::Order)
            }
            _ => self.name(".").map(Segment::Key),
        }
    }

    fn condition(&mut self) -> Result<Segment, Error> {
        let mut fields = Vec::new();
        loop {
            self.at += 1;
            let name = self.name(".=,")?;
            if self.chars.get(self.at) != Some(&'=') {
                return Err(self.error("`=` and a value"));
            }
            self.at += 1;
            let value = match self.chars.get(self.at) {
                None | Some('.' | ',') => String::new(),
                Some('#') if self.rest_is("#order") => String::new(),
                _ => self.name(".,")?,
            };
            fields.push((name, value));
            if self.chars.get(self.at) != Some(&',') {
                return Ok(Segment::Match(fields));
            }
        }
    }

    /// Reads up to one of `ends`, the end, or a final `#order`.
    fn name(&mut self, ends: &str) -> Result<String, Error> {
        let mut name = String::new();
        let start = self.at;
        while let Some(&c) = self.chars.get(self.at) {
            if ends.contains(c) || (c == '#' && self.rest_is("#order")) {
                break;
            }
            if c == '[' {
                return Err(self.error("an index such as `containers.0` (or `\\[` for a bracket)"));
            }
            self.at += 1;
            if c != '\\' {
                name.push(c);
                continue;
            }
            match self.chars.get(self.at) {
                Some('e') => {}
                Some(&escaped) => name.push(escaped),
                None => return Err(self.error("a character after the backslash")),
            }
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("a key, an index, `?field=value` or `*`"));
        }
        Ok(name)
    }

    fn ends_after_star(&self) -> bool {
        let rest = &self.chars[self.at + 1..];
        matches!(rest.first(), None | Some('.')) || rest.iter().copied().eq("#order".chars())
    }

    fn rest_is(&self, text: &str) -> bool {
        self.chars[self.at.min(self.chars.len())..]
            .iter()
            .copied()
            .eq(text.chars())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn reads_each_kind_of_segment() {
        assert_eq!(
            path("spec.containers.?name=api,port=80.*.0").segments(),
            [
                Segment::from("spec"),
                Segment::from("containers"),
                Segment::Match(vec![
                    ("name".into(), "api".into()),
                    ("port".into(), "80".into())
                ]),
                Segment::Any,
                Segment::from("0"),
            ]
        );
        assert_eq!(
            path(r"metadata.annotations.prometheus\.io/scrape").last(),
            Some(&Segment::from("prometheus.io/scrape"))
        );
        assert_eq!(
            path("spec.containers#order").segments().last(),
            Some(&Segment::Order)
        );
        assert_eq!(path("/a~1b/0/c~0d"), path("a/b.0.c~d"));
        assert_eq!(path("?image=a\\.b:1").to_string(), "?image=a\\.b:1");
        assert!(path("").is_root());
    }

    #[test]
    fn errors_say_where() {
        for (text, position) in [
            ("a..b", 3),
            ("a.", 3),
            (".a", 1),
            ("a.?name", 8),
            ("a.?=x", 4),
            ("a[0]", 2),
            ("a\\", 3),
        ] {
            assert_eq!(
                Path::parse(text).map_err(|e| e.position),
                Err(position),
                "{text}"
            );
        }
    }

    #[test]
    fn patterns_cover_what_is_below_them() {
        assert!(path("a.*").matches(&path("a.b.c")));
        assert!(path("a.?n=1.c").matches(&path("a.?n=1,p=2.c")));
        assert!(!path("a.?n=1,p=2").matches(&path("a.?n=1")));
        assert!(!path("a.b.c").matches(&path("a.b")));
        assert!(path("").matches(&path("a")));
        assert!(path("a.b").starts_with(&path("a")));
        assert!(!path("ab").starts_with(&path("a")));
    }

    fn segment() -> impl Strategy<Value = Segment> {
        let word = "[a-z0-9.*?/\\\\#,=\\[\\] e]{0,6}";
        prop_oneof![
            4 => word.prop_map(Segment::Key),
            1 => Just(Segment::Any),
            2 => proptest::collection::vec(("[a-z.=,#]{1,4}", word), 1..3).prop_map(Segment::Match),
        ]
    }

    proptest! {
        #[test]
        fn reads_back_as_shown(
            mut segments in proptest::collection::vec(segment(), 0..5), order in any::<bool>()
        ) {
            if order {
                segments.push(Segment::Order);
            }
            let path = Path::from(segments);
            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }
    }
}
