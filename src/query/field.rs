//! The attributes of a unit that a clause may name: one table.
//!
//! An attribute is added by one line of [`FIELDS`] (the macro call below); parsing, suggestions,
//! completion and type checks read it from there. What it says of a unit is then the business of
//! the [`Record`](super::Record) that is asked.

use std::fmt;

/// Whose attribute it is: the unit's own, or that of an entity the unit refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The unit itself.
    Unit,
    /// The space of the unit.
    Space,
    /// The unit that this one was cloned from.
    UpstreamUnit,
    /// The space of that unit.
    UpstreamSpace,
    /// The target that the unit deploys to.
    Target,
    /// The open changeset that has new data of the unit.
    ChangeSet,
}

impl Owner {
    /// All owners, the unit itself first.
    pub const ALL: [Self; 6] = [
        Self::Unit,
        Self::Space,
        Self::UpstreamUnit,
        Self::UpstreamSpace,
        Self::Target,
        Self::ChangeSet,
    ];

    /// The name as it stands before the dot.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unit => "Unit",
            Self::Space => "Space",
            Self::UpstreamUnit => "UpstreamUnit",
            Self::UpstreamSpace => "UpstreamSpace",
            Self::Target => "Target",
            Self::ChangeSet => "ChangeSet",
        }
    }

    /// The owner with exactly this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.name() == name)
    }
}

/// What kind of value an attribute has, which decides the operators and literals it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// An instant.
    Time,
    /// A numbered entity, shown with this prefix: `u12`.
    Id(&'static str),
    /// Keys with text values: `Labels.tier`, `Labels ? 'tier'`, `LEN(Labels)`.
    Map,
    /// A set of texts: `SetID = 'core'`, `ApplyGates ? 'policy/images'`.
    Set,
    /// Whatever a data path finds.
    Data,
}

impl Type {
    /// The type in words, with an article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Choice(_) => "one of its words",
            Self::Integer => "a number",
            Self::Boolean => "true or false",
            Self::Time => "a time",
            Self::Id(_) => "an id",
            Self::Map => "a map",
            Self::Set => "a set",
            Self::Data => "a data value",
        }
    }
}

/// One row of the table of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The attribute.
    pub attribute: Attribute,
    /// Its name, in `PascalCase`.
    pub name: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// What kind of value it has.
    pub kind: Type,
    /// Whether an equality on it can be answered from an index.
    pub indexed: bool,
    /// Who has it.
    pub owners: &'static [Owner],
    /// What it is, for help and completion.
    pub about: &'static str,
}

macro_rules! attributes {
    ($($id:ident $name:literal [$($alias:literal)*] $kind:expr, $indexed:literal,
       [$($owner:ident)+], $about:literal;)*) => {
        /// An attribute of a unit, or of an entity that a unit refers to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute {
            $(#[doc = $about] $id,)*
        }

        /// Every attribute that a clause may name.
        pub const FIELDS: &[Field] = &[
            $(Field {
                attribute: Attribute::$id,
                name: $name,
                aliases: &[$($alias),*],
                kind: $kind,
                indexed: $indexed,
                owners: &[$(Owner::$owner),+],
                about: $about,
            },)*
        ];
    };
}

const STATUS: Type = Type::Choice(&["NoLive", "Progressing", "Ready", "Degraded", "Failed"]);

attributes! {
    UnitId "UnitID" [] Type::Id("u"), true, [Unit UpstreamUnit], "Number of the unit.";
    Slug "Slug" ["Name"] Type::Text, true,
        [Unit Space UpstreamUnit UpstreamSpace Target ChangeSet], "Name within the space.";
    SpaceId "SpaceID" [] Type::Id("s"), false, [Unit Space UpstreamUnit UpstreamSpace],
        "Number of the space.";
    Labels "Labels" [] Type::Map, true, [Unit Space UpstreamUnit UpstreamSpace],
        "Labels; `Labels.k` is the value of label k.";
    HeadRevisionNum "HeadRevisionNum" ["Revision"] Type::Integer, false, [Unit UpstreamUnit],
        "Newest revision.";
    LiveRevisionNum "LiveRevisionNum" [] Type::Integer, false, [Unit UpstreamUnit],
        "Revision last applied with success.";
    LastAppliedRevisionNum "LastAppliedRevisionNum" [] Type::Integer, false, [Unit UpstreamUnit],
        "Revision last sent to the target.";
    PreviousLiveRevisionNum "PreviousLiveRevisionNum" [] Type::Integer, false,
        [Unit UpstreamUnit], "Revision that was live before the present one.";
    UpstreamUnitId "UpstreamUnitID" [] Type::Id("u"), true, [Unit UpstreamUnit],
        "Number of the unit that this one was cloned from.";
    UpstreamSpaceId "UpstreamSpaceID" [] Type::Id("s"), false, [Unit UpstreamUnit],
        "Number of the space of that unit.";
    UpstreamRevisionNum "UpstreamRevisionNum" [] Type::Integer, false, [Unit UpstreamUnit],
        "Revision of the upstream unit that was last taken.";
    UpgradeNeeded "UpgradeNeeded" [] Type::Boolean, false, [Unit UpstreamUnit],
        "Whether the upstream has a newer revision; NULL without an upstream.";
    UnappliedChanges "UnappliedChanges" [] Type::Boolean, false, [Unit UpstreamUnit],
        "Whether head differs from live; NULL without a target.";
    Status "Status" [] STATUS, false, [Unit UpstreamUnit], "How the unit fares on its target.";
    TargetId "TargetID" [] Type::Text, false, [Unit Space UpstreamUnit], "Slug of the target.";
    Kind "Kind" [] Type::Text, false, [Target], "What the target is: `sandbox`, `kubernetes`, …";
    Conflicts "Conflicts" [] Type::Integer, false, [Unit UpstreamUnit],
        "Number of open merge conflicts.";
    CreatedAt "CreatedAt" [] Type::Time, false, [Unit Space UpstreamUnit UpstreamSpace],
        "When it was created.";
    UpdatedAt "UpdatedAt" [] Type::Time, false, [Unit UpstreamUnit], "When it last changed.";
    LastAction "LastAction" [] Type::Text, false, [Unit UpstreamUnit],
        "What made head, in a word; `apply` or `destroy` where head is what the target was told last.";
    LastChangeDescription "LastChangeDescription" [] Type::Text, false, [Unit UpstreamUnit],
        "What the last change was said to be.";
    DataHash "DataHash" [] Type::Text, false, [Unit UpstreamUnit], "Hash of the data.";
    Data "Data" [] Type::Text, false, [Unit], "The stored text.";
    ApplyGates "ApplyGates" [] Type::Set, false, [Unit UpstreamUnit],
        "Reasons why head may not be applied, as `trigger/function`.";
    SetId "SetID" [] Type::Set, false, [Unit UpstreamUnit], "Sets that the unit is a member of.";
    ToolchainType "ToolchainType" [] Type::Text, false, [Unit UpstreamUnit],
        "Format of the data: `Kubernetes/YAML`.";
}

impl Field {
    /// The row of an attribute.
    ///
    /// # Panics
    /// Never: the table has a row for each attribute.
    pub fn of(attribute: Attribute) -> &'static Self {
        FIELDS
            .iter()
            .find(|field| field.attribute == attribute)
            .expect("the macro writes a row for each attribute")
    }

    /// The row of the attribute that `owner` has under this name or alias.
    pub fn find(owner: Owner, name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| {
            field.owners.contains(&owner) && (field.name == name || field.aliases.contains(&name))
        })
    }
}

/// An attribute as a clause names it: whose, which, and the key below a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldRef {
    /// Whose attribute.
    pub owner: Owner,
    /// Which attribute.
    pub attribute: Attribute,
    /// The key below a map attribute: `tier` in `Labels.tier`.
    pub key: Option<Box<str>>,
}

impl FieldRef {
    /// An attribute of the unit itself.
    pub fn unit(attribute: Attribute) -> Self {
        Self {
            owner: Owner::Unit,
            attribute,
            key: None,
        }
    }

    /// What kind of value it has.
    pub fn kind(&self) -> Type {
        if self.key.is_some() {
            Type::Text
        } else {
            Field::of(self.attribute).kind
        }
    }
}

impl fmt::Display for FieldRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.owner != Owner::Unit {
            write!(f, "{}.", self.owner.name())?;
        }
        f.write_str(Field::of(self.attribute).name)?;
        if let Some(key) = &self.key {
            f.write_str(".")?;
            for c in key.chars() {
                if !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/')) {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = std::collections::BTreeSet::new();
        for field in FIELDS {
            for name in std::iter::once(&field.name).chain(field.aliases) {
                assert!(seen.insert(*name), "{name} stands twice");
                assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
                for owner in field.owners {
                    assert_eq!(Field::find(*owner, name), Some(field));
                }
            }
            assert_eq!(Field::of(field.attribute), field);
            assert!(!field.about.is_empty());
        }
        for owner in Owner::ALL {
            assert!(Field::find(Owner::Unit, owner.name()).is_none());
        }
    }
}
