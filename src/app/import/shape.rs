//! What of a text becomes a unit: a workload with what belongs to it, or each resource.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde_json::Value;

use super::belong::Owners;
use super::read::{Found, Incoming, Read, Refusal, is_secret};
use super::{By, Secrets};
use crate::db::Folded;
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::yaml::{ResourceId, Stream};

/// One resource of a source.
pub(super) struct Document {
    pub(super) file: String,
    pub(super) resource: ResourceId,
    pub(super) value: Value,
    /// Its lines with the comments above them, without the `---` before.
    text: String,
}

/// Makes units of the documents of files.
///
/// # Errors
/// When two units would have the same name, or a resource's name cannot be a unit's.
pub(super) fn documents_into_units(
    files: Vec<(String, Read)>,
    by: By,
    secrets: Secrets,
    found: &mut Found,
) -> Result<()> {
    let mut documents = Vec::new();
    for (file, read) in files {
        match read {
            Err(refusals) => found.refuse(&file, refusals),
            Ok(stream) => take_documents(&file, &stream, secrets, found, &mut documents),
        }
    }
    let groups = match by {
        By::Workload => by_workload(&documents)?,
        By::Resource | By::File => by_resource(&documents)?,
    };
    let units: Vec<Result<_>> = groups
        .into_par_iter()
        .map(|group| {
            let members = group.members.iter();
            let texts = members.map(|member| documents[*member].text.as_str());
            let text = Folded::of(&Stream::parse(&joined(texts))?);
            let file = documents[group.of].file.clone();
            Ok((group.slug, Incoming { file, text }))
        })
        .collect();
    for unit in units {
        let (slug, incoming) = unit?;
        found.add(slug, incoming)?;
    }
    Ok(())
}

fn take_documents(
    file: &str,
    stream: &Stream,
    secrets: Secrets,
    found: &mut Found,
    documents: &mut Vec<Document>,
) {
    let view = stream.view();
    for (at, root) in view.documents().enumerate() {
        let resource = ResourceId::of(root);
        if resource.kind.is_empty() || resource.name.is_empty() {
            found.refuse(file, vec![unnamed(root.line())]);
            continue;
        }
        let what = format!("{file}: {resource}");
        if is_secret(&resource) && !found.takes_secret(file, &what, secrets) {
            continue;
        }
        documents.push(Document {
            file: file.to_owned(),
            resource,
            value: root.to_value(),
            text: without_marker(&stream.text()[view.document_range(at)]).to_owned(),
        });
    }
}

fn unnamed(line: usize) -> Refusal {
    let error = Error::new(
        Kind::Invalid,
        format!("line {line}: expected a kind and metadata.name, found a document without"),
    )
    .hint("--by file takes files as they are");
    Refusal::new(error, "no name")
}

/// The documents of one unit.
struct Group {
    slug: Slug,
    /// The one that it is named after.
    of: usize,
    /// All of them, in the order of the source.
    members: Vec<usize>,
}

fn by_resource(documents: &[Document]) -> Result<Vec<Group>> {
    let mut names = BTreeMap::new();
    let mut groups = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let slug = resource_slug(&document.resource)?;
        refuse_second(&mut names, &slug, document)?;
        groups.push(Group {
            slug,
            of: at,
            members: vec![at],
        });
    }
    Ok(groups)
}

fn by_workload(documents: &[Document]) -> Result<Vec<Group>> {
    let owners = Owners::of(documents);
    let mut names = BTreeMap::new();
    let mut groups = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let slug = match owners.owner(at) {
            Some(_) => continue,
            None if owners.is_workload(at) => slug_of(&document.resource.name)?,
            None => resource_slug(&document.resource)?,
        };
        refuse_second(&mut names, &slug, document)?;
        let mut members = vec![at];
        members.extend(owners.belongings(at));
        members.sort_unstable();
        groups.push(Group {
            slug,
            of: at,
            members,
        });
    }
    Ok(groups)
}

fn refuse_second<'a>(
    names: &mut BTreeMap<Slug, &'a Document>,
    slug: &Slug,
    document: &'a Document,
) -> Result<()> {
    let Some(first) = names.insert(slug.clone(), document) else {
        return Ok(());
    };
    Err(Error::new(
        Kind::Invalid,
        format!(
            "expected one resource for the unit `{slug}`, found {} in {} and {} in {}",
            first.resource.full(),
            first.file,
            document.resource.full(),
            document.file
        ),
    )
    .hint("import each namespace into a space of its own, or use --by resource"))
}

fn resource_slug(resource: &ResourceId) -> Result<Slug> {
    slug_of(&format!("{}-{}", resource.name, resource.kind))
}

/// A name in lower case, with `-` for what a slug cannot hold.
pub(super) fn slug_of(name: &str) -> Result<Slug> {
    let keep =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|c| if keep(c) { c } else { '-' })
        .collect();
    Ok(slug.trim_start_matches(['-', '_', '.']).parse()?)
}

/// Documents as one text.
fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for text in texts {
        if !all.is_empty() {
            if !all.ends_with('\n') {
                all.push('\n');
            }
            if !text.starts_with("---") {
                all.push_str("---\n");
            }
        }
        all.push_str(text);
    }
    all
}

/// A document's text without its `---`; what stands on that line stays, as a comment does.
fn without_marker(text: &str) -> &str {
    let text = text.trim_start_matches(['\n', '\r']);
    let Some(rest) = text.strip_prefix("---") else {
        return text;
    };
    let (line, below) = rest.split_once('\n').unwrap_or((rest, ""));
    match line.trim() {
        "" => below,
        comment if comment.starts_with('#') => &text[text.len() - rest.trim_start().len()..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{joined, slug_of, without_marker};

    #[test]
    fn the_line_that_parts_documents_goes_and_its_comment_stays() {
        assert_eq!(without_marker("---\nkind: A\n"), "kind: A\n");
        assert_eq!(without_marker("\n---\r\nkind: A\n"), "kind: A\n");
        assert_eq!(without_marker("--- # of b\nkind: A\n"), "# of b\nkind: A\n");
        assert_eq!(without_marker("--- {kind: A}\n"), "--- {kind: A}\n");
        assert_eq!(without_marker("# a\nkind: A\n"), "# a\nkind: A\n");
        let texts = ["kind: A", "kind: B\n", "--- {kind: C}\n"];
        assert_eq!(
            joined(texts.into_iter()),
            "kind: A\n---\nkind: B\n--- {kind: C}\n"
        );
    }

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug_of("system:Web").unwrap().as_str(), "system-web");
        assert_eq!(slug_of("_x").unwrap().as_str(), "x");
        assert!(slug_of("---").is_err());
    }
}
