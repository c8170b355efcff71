//! From the events of the YAML parser to the tree, with every refusal.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::Error;
use super::build::{Builder, Key, Record};
use super::resolve::{self, Resolved};
use super::text::{self, Chars};
use super::tree::{NO_KEY, Tree, code, flag};

/// The longest document, in bytes.
pub const MAX_DOCUMENT: usize = 1 << 20;
/// The longest text of a unit, in bytes.
pub const MAX_TEXT: usize = 64 << 20;
/// How deep maps and lists may stand in each other.
pub const MAX_DEPTH: usize = 256;
/// How many nodes the aliases of a text may add.
pub const MAX_ALIASED: usize = 20_000;

/// Reads a text into its tree.
pub(super) fn parse(text: &str) -> Result<Tree, Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::Limit {
            line: 1,
            column: 1,
            what: "bytes in a unit",
            limit: MAX_TEXT,
        });
    }
    // libyaml lets lines in brackets stand where they like, the parser wants them further right
    // than the key: such lines are moved before it reads them, and places are counted back.
    let mut pads = Vec::new();
    loop {
        match read(text, &pads) {
            Ok(tree) => return Ok(tree),
            Err(Problem {
                misplaced: Some(at),
                ..
            }) if pads.len() < MAX_PADS => {
                pads.push(at);
                pads.sort_unstable();
            }
            Err(Problem { error, .. }) => return Err(error),
        }
    }
}

/// How many keys of a map are looked through one by one: most maps have fewer.
const FEW_KEYS: usize = 16;

/// How many spaces may be lent to lines in brackets.
const MAX_PADS: usize = 256;

struct Problem {
    error: Error,
    /// Where a line begins that stands too far left for the parser.
    misplaced: Option<usize>,
}

fn read(text: &str, pads: &[usize]) -> Result<Tree, Problem> {
    let padded = text::pad(text, pads);
    let mut reader = Reader::new(text, Chars::new(&padded, pads));
    let mut events = Parser::new_from_str(&padded);
    let plain = |error| Problem {
        error,
        misplaced: None,
    };
    while let Some(event) = events.next_event() {
        let (event, span) = event.map_err(|e| Problem {
            misplaced: reader.misplaced(&e),
            error: reader.syntax(&e),
        })?;
        reader.event(event, span).map_err(plain)?;
    }
    text::check_tabs(text, &reader.builder.records).map_err(plain)?;
    Ok(reader.builder.finish(text))
}

/// The problem of each bad document.
pub(super) fn check(text: &str) -> Vec<Error> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 0);
    while let Err(mut error) = parse(rest) {
        let at = error.position().map_or(1, |(line, _)| line);
        error.move_down(line);
        found.push(error);
        // On with the next document; its `---` makes it one of its own.
        let mut begin = 0;
        let next = rest
            .split_inclusive('\n')
            .enumerate()
            .find_map(|(number, content)| {
                let start = begin;
                begin += content.len();
                (number >= at && content.trim_end() == "---").then_some((number, start))
            });
        let Some((number, start)) = next else { break };
        line += number;
        rest = &rest[start..];
    }
    found
}

/// A map or list whose end has not come yet.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Frame {
    index: usize,
    is_map: bool,
    flow: bool,
    braces: bool,
    /// The key whose value comes next.
    key: Option<Key>,
    /// Where the last child ended, or the frame began.
    end: usize,
    merges: bool,
    /// Where its first keys stood, by name; those after them are in [`Reader::keys`].
    keys: Vec<(u32, usize)>,
}

struct Reader<'a> {
    text: &'a str,
    chars: Chars<'a>,
    builder: Builder,
    frames: Vec<Frame>,
    /// Where each key of each open map first stood, from its seventeenth on.
    keys: HashMap<(usize, u32), usize>,
    anchors: HashMap<usize, (usize, bool)>,
    aliased: usize,
    document: Option<usize>,
    documents_end: usize,
    root: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, chars: Chars<'a>) -> Self {
        Self {
            text,
            chars,
            builder: Builder::with_room_for(text),
            frames: Vec::new(),
            keys: HashMap::new(),
            anchors: HashMap::new(),
            aliased: 0,
            document: None,
            documents_end: 0,
            root: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        let start = self.chars.byte(span.start.index());
        let end = self.chars.byte(span.end.index());
        if let Some(document) = self.document
            && end.saturating_sub(document) > MAX_DOCUMENT
        {
            return Err(self.limit(start, "bytes in a document", MAX_DOCUMENT));
        }
        match event {
            Event::DocumentStart(explicit) => {
                let start = if explicit {
                    text::directives_start(self.text, start, self.documents_end)
                } else {
                    self.documents_end
                };
                self.close_document(start);
                self.document = Some(start);
            }
            Event::DocumentEnd => {
                self.documents_end = text::after_end_marker(self.text, start, end);
            }
            Event::StreamEnd => self.close_document(self.text.len()),
            Event::Alias(id) => self.alias(id, start, end)?,
            Event::Scalar(value, style, anchor, tag) => {
                let col = span.start.col();
                let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                let end = if quoted {
                    text::quoted_end(self.text, start, end)
                } else {
                    end
                };
                self.scalar(value, style, anchor, tag.as_deref(), (start, end, col))?;
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)
                if self.expects_key() =>
            {
                drop((anchor, tag));
                self.refuse_template(start)?;
                return Err(self.key_error(start, "a map or list"));
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(code::LIST, anchor, tag.as_deref(), start)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_template(start)?;
                self.open(code::MAP, anchor, tag.as_deref(), start)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(start)?,
            Event::StreamStart | Event::Nothing => {}
        }
        Ok(())
    }

    fn close_document(&mut self, end: usize) {
        if let (Some(start), Some(root)) = (self.document.take(), self.root.take()) {
            self.builder.documents.push((start, end, root));
        }
        self.anchors.clear();
    }

    fn expects_key(&self) -> bool {
        self.frames
            .last()
            .is_some_and(|frame| frame.is_map && frame.key.is_none())
    }

    fn refuse_template(&self, start: usize) -> Result<(), Error> {
        let rest = self.text.get(start..).unwrap_or_default();
        if !rest.starts_with("{{") {
            return Ok(());
        }
        let (line, column) = text::position(self.text, start);
        let found = rest.lines().next().unwrap_or_default();
        Err(Error::Template {
            line,
            column,
            found: found.chars().take(60).collect(),
        })
    }

    /// The key of the node that begins at `start`, or the dash of an element of a block list.
    fn place(&mut self, start: usize) -> Key {
        let text = self.text;
        let Some(frame) = self.frames.last_mut() else {
            return Key::NONE;
        };
        if let Some(key) = frame.key.take() {
            return key;
        }
        if frame.flow || frame.is_map {
            return Key::NONE;
        }
        let from = frame.end;
        match text::find_dash(text, from) {
            Some(dash) if dash <= start => Key {
                start: dash,
                end: dash + 1,
                ..Key::NONE
            },
            _ => Key::NONE,
        }
    }

    fn add(&mut self, record: Record, anchor: usize) -> Result<usize, Error> {
        let index = self.builder.records.len();
        if self.frames.is_empty() {
            if record.code != code::MAP {
                let (line, column) = text::position(self.text, record.start);
                let found = if record.code == code::LIST {
                    "a list"
                } else {
                    "a scalar"
                };
                return Err(Error::NotMap {
                    line,
                    column,
                    found,
                });
            }
            self.root = Some(index);
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (index, false));
        }
        self.builder.records.push(record);
        Ok(index)
    }

    fn open(
        &mut self,
        code: u8,
        anchor: usize,
        tag: Option<&Tag>,
        start: usize,
    ) -> Result<(), Error> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.limit(start, "levels of maps and lists", MAX_DEPTH));
        }
        let expected = if code == code::MAP { "map" } else { "seq" };
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            return Err(self.tag_error(start, tag));
        }
        let key = self.place(start);
        // The parser puts the start of a list that is not indented behind its first dash.
        let start = match text::find_dash(self.text, text::after_colon(self.text, key.end)) {
            Some(dash) if code == code::LIST && key.name != NO_KEY => dash,
            _ => start,
        };
        let first = text::skip_properties(self.text, start);
        let braces = matches!(self.text.as_bytes().get(first), Some(b'{' | b'['));
        // A pair in brackets, `[a: b]`, is a map in flow style without braces of its own.
        let flow = braces || self.frames.last().is_some_and(|frame| frame.flow);
        let flags =
            set(flow, flag::FLOW) | set(anchor > 0, flag::ANCHOR) | set(tag.is_some(), flag::TAG);
        let index = self.add(
            Record {
                code,
                flags,
                key,
                start,
                end: start,
                payload: 1,
            },
            anchor,
        )?;
        self.frames.push(Frame {
            index,
            is_map: code == code::MAP,
            flow,
            braces,
            key: None,
            end: first,
            merges: false,
            keys: Vec::new(),
        });
        Ok(())
    }

    /// `bracket` is where a flow collection's closing bracket stands.
    fn close(&mut self, bracket: usize) -> Result<(), Error> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        if frame.merges {
            self.merge(frame.index)?;
        }
        let size = self.builder.records.len() - frame.index;
        let end = if frame.braces { bracket + 1 } else { frame.end };
        let record = &mut self.builder.records[frame.index];
        record.payload = super::build::narrow(size);
        record.end = end.max(record.start);
        for known in self
            .anchors
            .values_mut()
            .filter(|known| known.0 == frame.index)
        {
            known.1 = true;
        }
        self.ended(end);
        Ok(())
    }

    /// Remembers where the last child of the open frame ended.
    fn ended(&mut self, end: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.end = frame.end.max(end);
        }
    }

    fn alias(&mut self, id: usize, start: usize, end: usize) -> Result<(), Error> {
        if self.expects_key() {
            return Err(self.key_error(start, "an alias"));
        }
        let from = match self.anchors.get(&id) {
            Some(&(index, true)) => index,
            Some(_) => {
                return Err(self.problem(
                    start,
                    "expected an alias outside of its own anchor, found one inside",
                ));
            }
            None => {
                return Err(self.problem(
                    start,
                    "expected the name of an anchor of this document, found another",
                ));
            }
        };
        let key = self.place(start);
        if self.frames.is_empty() {
            return Err(self.problem(start, "expected a map as document, found an alias"));
        }
        let count = self.builder.size(from);
        self.count_aliased(start, count)?;
        if self.frames.len() + self.depth(from) > MAX_DEPTH {
            return Err(self.limit(start, "levels of maps and lists", MAX_DEPTH));
        }
        let index = self.builder.records.len();
        self.builder.copy(from, key, Some((start, end)));
        if self.is_merge_key(key) {
            self.builder.records[index].flags |= flag::HIDDEN;
        }
        self.ended(end);
        Ok(())
    }

    fn depth(&self, index: usize) -> usize {
        let children = self.builder.children(index);
        1 + children
            .into_iter()
            .map(|child| self.depth(child))
            .max()
            .unwrap_or(0)
    }

    fn count_aliased(&mut self, at: usize, count: usize) -> Result<(), Error> {
        self.aliased += count;
        if self.aliased > MAX_ALIASED {
            return Err(self.limit(at, "nodes made by aliases", MAX_ALIASED));
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        value: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        (start, end, col): (usize, usize, usize),
    ) -> Result<(), Error> {
        if self.expects_key() {
            return self.key(value, style, anchor > 0 || tag.is_some(), start, end);
        }
        let missing =
            style == ScalarStyle::Plain && value.is_empty() && anchor == 0 && tag.is_none();
        if missing && self.frames.is_empty() {
            return Ok(());
        }
        if style == ScalarStyle::Plain && value.starts_with("{{") {
            self.refuse_template(start)?;
        }
        let after = self.frames.last().and_then(|f| f.key).map(|key| key.end);
        let key = self.place(start);
        let (mut start, mut end) = (start, end);
        let mut value = value;
        if missing {
            start = match after {
                Some(after) => text::after_colon(self.text, after),
                None if key.end > 0 => key.end,
                None => start,
            };
            end = start;
        } else if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let ends_text = end == self.text.len();
            if anchor == 0 && tag.is_none() {
                let from = after.map_or(key.end, |after| text::after_colon(self.text, after));
                start = text::skip_blank(self.text, from);
            }
            let keep = text::block_keeps(self.text, start);
            end = text::block_end(self.text, start, end, keep);
            if ends_text {
                value = text::as_libyaml_ends(self.text, value, col);
            }
        }
        let resolved = self.resolve(value, style, tag, start)?;
        let (code, payload) = self.builder.scalar(resolved);
        let flags =
            style_bits(style) | set(anchor > 0, flag::ANCHOR) | set(tag.is_some(), flag::TAG);
        self.add(
            Record {
                code,
                flags,
                key,
                start,
                end,
                payload,
            },
            anchor,
        )?;
        if anchor > 0 {
            self.anchors
                .entry(anchor)
                .and_modify(|known| known.1 = true);
        }
        self.ended(end);
        Ok(())
    }

    fn resolve<'v>(
        &self,
        value: Cow<'v, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
    ) -> Result<Resolved<'v>, Error> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => resolve::plain(value),
                _ => Resolved::Str(value),
            });
        };
        if tag.handle.is_empty() && tag.suffix == "!" {
            return Ok(Resolved::Str(value));
        }
        let tag_error = || self.tag_error(start, tag);
        if !tag.is_yaml_core_schema() {
            return Err(tag_error());
        }
        match (tag.suffix.as_str(), resolve::plain(value.clone())) {
            ("str", _) => Ok(Resolved::Str(value)),
            ("null", Resolved::Null) => Ok(Resolved::Null),
            ("bool", known @ Resolved::Bool(_))
            | ("int", known @ (Resolved::Int(_) | Resolved::UInt(_)))
            | ("float", known @ Resolved::Float(_)) => Ok(known),
            #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
            ("float", Resolved::Int(int)) => Ok(Resolved::Float(int as f64)),
            _ => Err(tag_error()),
        }
    }

    fn key(
        &mut self,
        name: Cow<'_, str>,
        style: ScalarStyle,
        decorated: bool,
        start: usize,
        end: usize,
    ) -> Result<(), Error> {
        if decorated {
            return Err(self.key_error(start, "a tag or an anchor"));
        }
        if name.starts_with("{{") && style == ScalarStyle::Plain {
            self.refuse_template(start)?;
        }
        let explicit = text::follows_question_mark(self.text, start);
        if explicit || matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return Err(self.key_error(start, "a complex key (`? `)"));
        }
        if style == ScalarStyle::Plain && name != "<<" {
            let found = match resolve::plain(Cow::Borrowed(name.as_ref())) {
                Resolved::Str(_) => None,
                Resolved::Null => Some("null"),
                Resolved::Bool(_) => Some("a boolean"),
                Resolved::Int(_) | Resolved::UInt(_) | Resolved::Float(_) => Some("a number"),
            };
            if let Some(found) = found {
                return Err(self.key_error(start, &format!("{found}, `{name}`")));
            }
        }
        let merges = style == ScalarStyle::Plain && name == "<<";
        let at = self.builder.string(Cow::Borrowed(name.as_ref()));
        let Some(frame) = self.frames.last_mut() else {
            return Ok(());
        };
        frame.key = Some(Key {
            name: at,
            start,
            end,
        });
        frame.merges |= merges;
        frame.end = frame.end.max(end);
        let first = match frame.keys.iter().find(|key| key.0 == at) {
            Some(key) => Some(key.1),
            None if frame.keys.len() < FEW_KEYS => None,
            None => self.keys.get(&(frame.index, at)).copied(),
        };
        if let Some(first) = first {
            let (line, column) = text::position(self.text, start);
            return Err(Error::DuplicateKey {
                line,
                column,
                key: name.into_owned(),
                first: text::position(self.text, first).0,
            });
        }
        if frame.keys.len() < FEW_KEYS {
            frame.keys.push((at, start));
        } else {
            self.keys.insert((frame.index, at), start);
        }
        Ok(())
    }

    /// Whether the key, whose map is open, is a plain `<<`.
    fn is_merge_key(&self, key: Key) -> bool {
        self.text.get(key.start..key.end) == Some("<<")
            && self.frames.last().is_some_and(|frame| frame.merges)
    }

    /// Adds what `<<` of the map at `index` brings: keys that the map does not have itself.
    fn merge(&mut self, index: usize) -> Result<(), Error> {
        // The size is not known yet: everything after the map's own record is below it.
        self.builder.records[index].payload =
            super::build::narrow(self.builder.records.len() - index);
        let children = self.builder.children(index);
        let mut names: Vec<u32> = Vec::new();
        let mut sources = Vec::new();
        for &child in &children {
            let record = self.builder.records[child];
            let place = record.key;
            if self.text.get(place.start..place.end) != Some("<<") {
                names.push(place.name);
                continue;
            }
            self.builder.records[child].flags |= flag::HIDDEN;
            match record.code {
                code::MAP => sources.push(child),
                code::LIST => sources.extend(self.builder.children(child)),
                _ => {
                    return Err(self.problem(
                        place.start,
                        "expected a map or a list of maps to merge, found a scalar",
                    ));
                }
            }
        }
        for source in sources {
            let start = self.builder.records[source].start;
            if self.builder.records[source].code != code::MAP {
                return Err(self.problem(start, "expected a map to merge, found something else"));
            }
            for entry in self.builder.children(source) {
                let record = self.builder.records[entry];
                if record.flags & flag::HIDDEN != 0 || names.contains(&record.key.name) {
                    continue;
                }
                names.push(record.key.name);
                self.count_aliased(start, self.builder.size(entry))?;
                self.builder.copy(entry, record.key, None);
            }
        }
        Ok(())
    }

    /// Where the line begins that the parser finds too far left, inside of brackets.
    fn misplaced(&self, error: &saphyr_parser::ScanError) -> Option<usize> {
        let at = self.chars.byte(error.marker().index());
        let start = text::line_start(self.text, at.min(self.text.len()));
        let first = self.text.get(start..at)?.trim().is_empty();
        (first && error.info().starts_with("invalid indentation")).then_some(start)
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> Error {
        let at = self.chars.byte(error.marker().index());
        let next = text::next_line(self.text, at.min(self.text.len()));
        let tab = text::tab_in_indentation(self.text, at);
        let below = || text::tab_in_indentation(self.text, next);
        if let Some(tab) = tab.or_else(|| error.info().contains("tab").then(below).flatten()) {
            return text::tab_error(self.text, tab);
        }
        if let Some(error) = self.template_before(at) {
            return error;
        }
        if error.info().contains("recursion limit") {
            return self.limit(at, "levels of maps and lists", MAX_DEPTH);
        }
        let (line, column) = text::position(self.text, at);
        Error::Syntax {
            line,
            column,
            message: error.info().to_owned(),
        }
    }

    /// Braces of a template in the line of a problem, before it: they are what is wrong.
    fn template_before(&self, at: usize) -> Option<Error> {
        let at = at.min(self.text.len());
        let start = text::line_start(self.text, at);
        let braces = start
            + self
                .text
                .get(start..(at + 2).min(self.text.len()))?
                .find("{{")?;
        let before = self.text.get(start..braces)?;
        let begins = before.trim().is_empty() || before.ends_with([' ', '[', '"']);
        self.refuse_template(braces).err().filter(|_| begins)
    }

    fn problem(&self, at: usize, message: &str) -> Error {
        let (line, column) = text::position(self.text, at);
        Error::Syntax {
            line,
            column,
            message: message.to_owned(),
        }
    }

    fn tag_error(&self, at: usize, tag: &Tag) -> Error {
        self.problem(
            at,
            &format!(
                "expected a tag that fits (`!!str`, `!!int`, …), found `{}`",
                tag.suffix
            ),
        )
    }

    fn key_error(&self, at: usize, found: &str) -> Error {
        let (line, column) = text::position(self.text, at);
        Error::Key {
            line,
            column,
            found: found.to_owned(),
        }
    }

    fn limit(&self, at: usize, what: &'static str, limit: usize) -> Error {
        let (line, column) = text::position(self.text, at);
        Error::Limit {
            line,
            column,
            what,
            limit,
        }
    }
}

fn set(on: bool, bit: u8) -> u8 {
    if on { bit } else { 0 }
}

fn style_bits(style: ScalarStyle) -> u8 {
    match style {
        ScalarStyle::Plain => 0,
        ScalarStyle::SingleQuoted => 1,
        ScalarStyle::DoubleQuoted => 2,
        ScalarStyle::Literal => 3,
        ScalarStyle::Folded => 4,
    }
}
