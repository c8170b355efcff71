//! What stands in the files of an export beside the units' YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::project::unreadable;
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::model::{Hash, Hold, Labels, Target, Tolerance};
use crate::yaml::{PathSet, ResourceId};

/// The index in the folder of an export.
pub(crate) const INDEX: &str = ".windlass-export.json";

/// The first line of a unit's record: what tells it from a manifest.
pub(crate) const MARK: &str = "# written by windlass export\n";

/// The form of the files.
const FORMAT: u32 = 1;

/// Where texts stand that variants have as their base.
const EARLIER: &str = ".earlier/";

/// What an export wrote, and what belongs to no unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Index {
    pub(crate) format: u32,
    pub(crate) targets: Vec<Target>,
    pub(crate) spaces: Vec<SpaceRecord>,
    pub(crate) filters: Vec<FilterRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) functions: Vec<FunctionRecord>,
    /// Every file with the hash of its bytes.
    pub(crate) files: BTreeMap<String, Hash>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            format: FORMAT,
            targets: Vec::new(),
            spaces: Vec::new(),
            filters: Vec::new(),
            functions: Vec::new(),
            files: BTreeMap::new(),
        }
    }
}

impl Index {
    /// The index of a folder; none where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(INDEX);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let index: Self = serde_json::from_str(&text).map_err(|error| {
            Error::new(
                Kind::Invalid,
                format!(
                    "expected the index of an export at {}: {error}",
                    path.display()
                ),
            )
            .hint("export into an empty folder makes a new one")
        })?;
        if index.format == FORMAT {
            return Ok(Some(index));
        }
        Err(Error::new(
            Kind::Invalid,
            format!(
                "expected an export of format {FORMAT} at {}, found format {}",
                folder.display(),
                index.format
            ),
        )
        .hint("use the version of windlass that wrote it"))
    }
}

/// A space without its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct SpaceRecord {
    pub(crate) slug: Slug,
    pub(crate) labels: Labels,
    pub(crate) target: Option<Slug>,
    pub(crate) gates: BTreeSet<String>,
}

/// A stored filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct FilterRecord {
    pub(crate) slug: Slug,
    pub(crate) space: Option<Slug>,
    pub(crate) clause: String,
    pub(crate) from_space: Option<String>,
}

/// An installed function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct FunctionRecord {
    pub(crate) name: Slug,
    pub(crate) text: String,
}

/// What a unit has beside its YAML. Hashes say which text is meant; the numbers of revisions are
/// for people, and are others in another store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(crate) struct UnitRecord {
    pub(crate) revision: u32,
    pub(crate) digest: String,
    pub(crate) description: String,
    pub(crate) labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Slug>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream: Option<UpstreamRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) protected: Vec<PlaceRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owned: Vec<PlaceRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Hold>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tolerated: Vec<Tolerance>,
    /// Earlier texts that variants have as their base, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) earlier: Vec<Hash>,
}

/// What a variant follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UpstreamRecord {
    /// `space/unit`.
    pub(crate) unit: String,
    pub(crate) revision: u32,
    pub(crate) digest: Hash,
}

/// A place in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct PlaceRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<ResourceId>,
    pub(crate) path: String,
}

/// Places as they stand in a record.
pub(crate) fn places_of(set: &PathSet) -> Vec<PlaceRecord> {
    set.iter()
        .map(|(resource, path)| PlaceRecord {
            resource: resource.cloned(),
            path: path.to_string(),
        })
        .collect()
}

/// The places of a record.
pub(crate) fn set_of(places: &[PlaceRecord]) -> Result<PathSet> {
    places
        .iter()
        .map(|place| Ok((place.resource.clone(), place.path.parse()?)))
        .collect()
}

impl UnitRecord {
    /// The text of its file.
    pub(crate) fn text(&self) -> Result<String> {
        let yaml = serde_saphyr::to_string(self)
            .map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
        Ok(format!("{MARK}{yaml}"))
    }

    /// Reads a file.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self> {
        serde_saphyr::from_str(text).map_err(|error| {
            Error::new(
                Kind::Invalid,
                format!("expected the record of a unit in {file}: {error}"),
            )
            .hint("windlass export writes it anew")
        })
    }

    /// Whether both say the same, the numbers of revisions aside.
    pub(crate) fn says_as(&self, other: &Self) -> bool {
        let plain = |record: &Self| {
            let mut record = record.clone();
            record.revision = 0;
            record.description.clear();
            if let Some(upstream) = &mut record.upstream {
                upstream.revision = 0;
            }
            record
        };
        plain(self) == plain(other)
    }
}

/// The file of a unit's YAML.
pub(crate) fn data_file(space: &Slug, unit: &Slug) -> String {
    format!("{space}/{unit}.yaml")
}

/// The file of a unit's record.
pub(crate) fn record_file(space: &Slug, unit: &Slug) -> String {
    format!("{space}/{unit}.meta.yaml")
}

/// The file of an earlier text of a unit.
pub(crate) fn earlier_file(space: &Slug, unit: &Slug, text: &Hash) -> String {
    format!("{space}/{EARLIER}{unit}@{}.yaml", text.short())
}

/// The unit that a file in an export is of; none where no export gives that name.
pub(crate) fn unit_of(name: &str) -> Option<(Slug, Slug)> {
    let (space, file) = name.split_once('/')?;
    let stem = file.strip_suffix(".yaml")?;
    let unit = match stem.strip_prefix(EARLIER) {
        Some(earlier) => {
            earlier
                .split_once('@')
                .filter(|(_, hash)| !hash.contains('/'))?
                .0
        }
        None => stem.strip_suffix(".meta").unwrap_or(stem),
    };
    Some((space.parse().ok()?, unit.parse().ok()?))
}
