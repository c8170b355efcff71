//! Random edits of real manifests: values as wanted, other bytes untouched, no comment lost.
//!
//! `WINDLASS_SWEEP` sets how many edits each file gets.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use serde_json::{Value, json};
use windlass::path::{Path, Segment};
use windlass::yaml::{
    Change, Content, Edit, Error, Fragment, Kind, NodeRef, Stream, apply_to_values,
};

use crate::corpus;

/// A small generator, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn string(&mut self) -> String {
        const TEXTS: [&str; 52] = [
            "web",
            "yes",
            "0644",
            "1_000",
            "12:30:45",
            "2001-01-01",
            "<<",
            "=",
            "~",
            "null",
            "",
            "a: b",
            "a #b",
            "#a",
            "- a",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'a'",
            "\"a\"",
            "a\\b",
            "two\nlines",
            "ends\n",
            "ends\n\n",
            "  indented\nfirst",
            "\n\nleading",
            "a\n \nb",
            "é 🦀 ü",
            "tab\there",
            "\u{0}\u{7f}\u{85}\u{2028}\u{feff}",
            "a,b",
            "a:b",
            "--- x",
            "...",
            "{{ x }}",
            "true",
            "1e3",
            ".5",
            "0x1F",
            "-",
            "?",
            "a: ",
            " a ",
            "\r\n",
            "nginx:1.27.3",
        ];
        TEXTS[self.below(TEXTS.len())].to_owned()
    }

    fn scalar(&mut self) -> Value {
        match self.below(10) {
            0 => json!(null),
            1 => json!(self.below(2) == 0),
            2 | 3 => json!(self.below(100_000)),
            4 => json!([0.5, -2.25, 1e100, 1e-9, 1000.0][self.below(5)]),
            5 => json!([u64::MAX, 1 << 63][self.below(2)]),
            _ => json!(self.string()),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match if depth == 0 { 9 } else { self.below(10) } {
            0 | 1 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            2 | 3 => {
                let keys = ["name", "value", "yes", "a.b/c", "", "1", "key"];
                let count = self.below(4);
                Value::Object(
                    (0..count)
                        .map(|_| (keys[self.below(7)].to_owned(), self.value(depth - 1)))
                        .collect(),
                )
            }
            _ => self.scalar(),
        }
    }
}

fn nodes<'a>(node: NodeRef<'a>, path: &Path, found: &mut Vec<(Path, NodeRef<'a>)>) {
    found.push((path.clone(), node));
    match node.kind() {
        Kind::Map => node
            .entries()
            .for_each(|(key, child)| nodes(child, &path.key(key), found)),
        Kind::List => node
            .items()
            .enumerate()
            .for_each(|(at, child)| nodes(child, &path.index(at), found)),
        Kind::Scalar => {}
    }
}

fn content(random: &mut Random, stream: &Stream, map: bool) -> Content {
    if random.below(3) == 0 {
        let roots: Vec<NodeRef<'_>> = stream.view().documents().collect();
        let mut found = Vec::new();
        nodes(roots[random.below(roots.len())], &Path::root(), &mut found);
        found.retain(|(_, node)| !map || node.kind() == Kind::Map);
        let (_, node) = &found[random.below(found.len())];
        return Content::Source(Fragment::of(stream, *node));
    }
    if map {
        return Content::Value(
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": random.scalar() } }),
        );
    }
    Content::Value(random.value(2))
}

/// A random edit that makes sense on the stream, with the node it is about.
fn random_edit<'a>(random: &mut Random, stream: &'a Stream) -> (Edit, NodeRef<'a>) {
    let document = random.below(stream.view().document_count());
    let root = stream.view().document(document).unwrap();
    let mut found = Vec::new();
    nodes(root, &Path::root(), &mut found);
    let (path, node) = found[random.below(found.len())].clone();
    let edit = |path: Path, change: Change| Edit {
        document,
        path,
        change,
    };
    let made = match (random.below(20), node.kind()) {
        (0, _) => edit(path, Change::RemoveDocument),
        (1, _) => edit(path, Change::AddDocument(content(random, stream, true))),
        (2, _) => edit(Path::root(), Change::Set(content(random, stream, true))),
        (3..=6, Kind::Map) => {
            let key = ["added", "yes", "a.b/c", "x y"][random.below(4)];
            let mut path = path.key(key);
            if random.below(4) == 0 {
                path = path.key("deep").key("er");
            }
            edit(path, Change::Set(content(random, stream, false)))
        }
        (3..=5, Kind::List) => edit(path, Change::Append(content(random, stream, false))),
        (6..=8, Kind::List) => {
            let index = random.below(node.len() + 1);
            edit(
                path,
                Change::Insert {
                    index,
                    content: content(random, stream, false),
                },
            )
        }
        (9..=12, Kind::List) => {
            let mut order: Vec<usize> = (0..node.len()).collect();
            for at in (1..order.len()).rev() {
                order.swap(at, random.below(at + 1));
            }
            edit(path, Change::Reorder(order))
        }
        (13..=16, _) if !path.is_root() => edit(path, Change::Remove),
        (17, Kind::Scalar)
            if node.scalar() == Some(windlass::yaml::Scalar::Null) && !path.is_root() =>
        {
            edit(path, Change::Append(content(random, stream, false)))
        }
        _ if path.is_root() => edit(
            path.key("labels"),
            Change::Set(content(random, stream, false)),
        ),
        _ => edit(path, Change::Set(content(random, stream, false))),
    };
    let node = if made.path.is_root() { root } else { node };
    (made, node)
}

/// The comments of a text, by looking at what is outside of all keys and scalars.
fn comments(stream: &Stream) -> Vec<(usize, String)> {
    let text = stream.text();
    let mut covered = vec![false; text.len() + 1];
    for root in stream.view().documents() {
        let mut found = Vec::new();
        nodes(root, &Path::root(), &mut found);
        for (_, node) in found {
            let key = node.key_span().unwrap_or(0..0);
            let own = if node.kind() == Kind::Scalar {
                node.span()
            } else {
                0..0
            };
            let header = matches!(
                node.style(),
                windlass::yaml::Style::Literal | windlass::yaml::Style::Folded
            );
            let body = if header {
                own.start + text[own.clone()].find('\n').unwrap_or(own.len())..own.end
            } else {
                own
            };
            key.chain(body).for_each(|at| covered[at] = true);
        }
    }
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let hash = line.match_indices('#').find(|(at, _)| {
            !covered[start + at]
                && (*at == 0 || line[..*at].ends_with([' ', '\t', '\u{feff}', ',']))
        });
        if let Some((at, _)) = hash {
            found.push((start + at, line[at..].trim_end().to_owned()));
        }
        start += line.len();
    }
    found
}

/// The lines of the node with the comment lines right above and what hangs below it.
fn extent(text: &str, node: NodeRef<'_>) -> std::ops::Range<usize> {
    let anchor = node.key_span().map_or(node.span().start, |key| key.start);
    let mut start = text[..anchor].rfind('\n').map_or(0, |at| at + 1);
    while start > 0 {
        let line = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        if !text[line..start].trim_start().starts_with('#') {
            break;
        }
        start = line;
    }
    let mut end = text[node.span().end..]
        .find('\n')
        .map_or(text.len(), |at| node.span().end + at + 1);
    while text[end..]
        .lines()
        .next()
        .is_some_and(|line| line.trim_start().starts_with('#'))
    {
        end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    }
    start..end
}

/// What may change when a node goes: its lines; of a first one behind a dash, also the start of
/// the next; of the only one, also what says that the parent is now empty.
fn removal(stream: &Stream, edit: &Edit, node: NodeRef<'_>) -> std::ops::Range<usize> {
    let own = extent(stream.text(), node);
    let root = stream.view().document(edit.document).unwrap();
    let parent = root.at(&edit.path.parent().unwrap()).unwrap();
    if parent.len() == 1 {
        let around = extent(stream.text(), parent);
        return around.start.min(own.start)..around.end.max(own.end);
    }
    match parent.items().nth(1) {
        Some(next) if parent.items().next().unwrap().span() == node.span() => {
            own.start
                ..next
                    .key_span()
                    .map_or(next.span().start, |key| key.start)
                    .max(own.end)
        }
        // The line break before what was the last line goes, too, or the comma.
        _ => own.start.saturating_sub(2)..own.end,
    }
}

fn is_comment_lost(
    before: &Stream,
    after: &Stream,
    edit: &Edit,
    node: NodeRef<'_>,
) -> Option<String> {
    let text = before.text();
    let goes = match (&edit.change, edit.path.is_root()) {
        (Change::RemoveDocument, _) => {
            let range = before.view().document_range(edit.document);
            range.start..text.len().min(range.end)
        }
        (Change::Set(_), true) => 0..text.len(),
        (Change::Remove | Change::Set(_) | Change::Append(_), _) => extent(text, node),
        _ => 0..0,
    };
    let kept = !matches!(edit.change, Change::Remove | Change::RemoveDocument);
    let adds = kept
        && node.kind() != Kind::Scalar
        && before
            .view()
            .document(edit.document)
            .unwrap()
            .at(&edit.path)
            .is_none();
    let mut there: Vec<String> = comments(after)
        .into_iter()
        .map(|(_, comment)| comment)
        .collect();
    let (free, bound): (Vec<_>, Vec<_>) = comments(before)
        .into_iter()
        .partition(|(at, _)| goes.contains(at) && !adds);
    for (_, comment) in bound {
        match there.iter().position(|other| *other == comment) {
            Some(found) => drop(there.swap_remove(found)),
            None => return Some(comment),
        }
    }
    drop(free);
    None
}

#[derive(Default, Debug)]
struct Count {
    edits: usize,
    refused: usize,
    impossible: usize,
    problems: Vec<String>,
}

fn check(name: &str, stream: &Stream, edit: &Edit, node: NodeRef<'_>, count: &mut Count) {
    let before = stream.text();
    let mut wanted: Vec<Value> = stream
        .view()
        .documents()
        .map(|root| root.to_value())
        .collect();
    if apply_to_values(&mut wanted, edit).is_err() {
        count.impossible += 1;
        assert!(
            stream.apply(std::slice::from_ref(edit)).is_err(),
            "{name}: {edit:?}"
        );
        return;
    }
    count.edits += 1;
    let after = match stream.apply(std::slice::from_ref(edit)) {
        Ok(after) => after,
        Err(Error::Inexpressible { .. }) => {
            count.refused += 1;
            count.problems.push(format!("{name}: REFUSED {edit:?}"));
            return;
        }
        Err(error) => panic!("{name}: {edit:?}: {error}"),
    };
    let again = Stream::parse(after.text()).unwrap();
    let values: Vec<Value> = again
        .view()
        .documents()
        .map(|root| root.to_value())
        .collect();
    assert_eq!(values, wanted, "{name}: WRONG {edit:?}\n{}", after.text());
    assert_eq!(again.tree(), after.tree(), "{name}: {edit:?}");
    let allowed = match edit.change {
        Change::AddDocument(_) => before.len()..before.len(),
        Change::RemoveDocument => stream.view().document_range(edit.document),
        _ if before.contains('&') => 0..before.len(),
        Change::Remove => removal(stream, edit, node),
        _ => extent(before, node),
    };
    // A block scalar that the end of the text cuts short gets another header: no final line break.
    let untouched = !before.ends_with('\n')
        || (after.text().starts_with(&before[..allowed.start])
            && after.text().ends_with(&before[allowed.end..]));
    if !untouched {
        count
            .problems
            .push(format!("{name}: TOUCHED more than {allowed:?}: {edit:?}"));
    }
    if let Some(comment) = is_comment_lost(stream, &after, edit, node) {
        count
            .problems
            .push(format!("{name}: LOST {comment:?}: {edit:?}"));
    }
}

#[test]
fn random_edits_of_real_manifests() {
    let Some(texts) = corpus::texts() else { return };
    let each: usize = std::env::var_os("WINDLASS_SWEEP")
        .and_then(|n| n.to_str()?.parse().ok())
        .unwrap_or(8);
    let mut count = Count::default();
    for (at, (name, text)) in texts.iter().enumerate() {
        let Ok(stream) = Stream::parse(text) else {
            continue;
        };
        if stream.view().document_count() == 0 {
            continue;
        }
        let mut random = Random(0x5eed + u64::try_from(at).unwrap());
        for _ in 0..each {
            let (edit, node) = random_edit(&mut random, &stream);
            check(name, &stream, &edit, node, &mut count);
        }
    }
    println!(
        "{} edits, {} refused, {} impossible",
        count.edits, count.refused, count.impossible
    );
    let shown: Vec<_> = count
        .problems
        .iter()
        .take(25)
        .map(|p| p.chars().take(420).collect::<String>())
        .collect();
    assert!(
        count.problems.is_empty(),
        "{} problems:\n{}",
        count.problems.len(),
        shown.join("\n")
    );
}

#[test]
fn several_edits_at_once_are_the_edits_one_by_one() {
    let Some(texts) = corpus::texts() else { return };
    for (at, (name, text)) in texts.iter().enumerate() {
        let Ok(stream) = Stream::parse(text) else {
            continue;
        };
        let mut random = Random(0xba7c4 + u64::try_from(at).unwrap());
        let (mut edits, mut one_by_one) = (Vec::new(), stream.clone());
        for _ in 0..4 {
            if one_by_one.view().document_count() == 0 {
                break;
            }
            let (edit, _) = random_edit(&mut random, &one_by_one);
            if let Ok(next) = one_by_one.apply(std::slice::from_ref(&edit)) {
                one_by_one = next;
                edits.push(edit);
            }
        }
        let at_once = stream.apply(&edits).unwrap();
        let values = |stream: &Stream| {
            stream
                .view()
                .documents()
                .map(|root| root.to_value())
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&at_once), values(&one_by_one), "{name}: {edits:?}");
    }
}

#[test]
fn segments_of_random_paths_are_plain_keys() {
    // The sweep relies on it: `Path::key` never makes a pattern.
    assert_eq!(
        Path::root().key("*").last(),
        Some(&Segment::Key("*".to_owned()))
    );
}
