//! A unit as clauses, columns and JSON see it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::app::gate::names_of;
use crate::app::related::Facts;
use crate::db::View;
use crate::error::Result;
use crate::model::{Space, Status, Unit};
use crate::path::Path;
use crate::query::{Attribute, FIELDS, FieldRef, Owner, Record, Value};
use crate::yaml::{NodeRef, Scalar, TreeView};

/// What every unit holds.
const TOOLCHAIN: &str = "Kubernetes/YAML";

/// A unit with what it refers to and the tree of its data.
pub(crate) struct UnitRecord<'a> {
    view: &'a View,
    unit: &'a Unit,
    facts: &'a Facts,
    tree: Option<TreeView<'a>>,
    text: OnceCell<String>,
    gates: OnceCell<BTreeSet<String>>,
    upstream_gates: OnceCell<BTreeSet<String>>,
}

impl UnitRecord<'_> {
    /// Hands the record of a unit to `read`; its data only where that is needed.
    pub(crate) fn with<T>(
        view: &View,
        unit: &Unit,
        facts: &Facts,
        needs_data: bool,
        read: &mut dyn FnMut(&UnitRecord<'_>) -> T,
    ) -> Result<T> {
        if !needs_data {
            let record = UnitRecord {
                view,
                unit,
                facts,
                tree: None,
                text: OnceCell::new(),
                gates: OnceCell::new(),
                upstream_gates: OnceCell::new(),
            };
            return Ok(read(&record));
        }
        Ok(view.tree(&unit.data, |tree| {
            let record = UnitRecord {
                view,
                unit,
                facts,
                tree: Some(tree),
                text: OnceCell::new(),
                gates: OnceCell::new(),
                upstream_gates: OnceCell::new(),
            };
            read(&record)
        })?)
    }

    /// The value of a column: an attribute, or the first value at a data path.
    pub(crate) fn column(&self, column: &Column) -> Json {
        match column {
            Column::Field(field) => self.json(field),
            Column::Path(path) => {
                let mut found = Json::Null;
                for resource in 0..self.resource_count() {
                    let Some(document) = self.tree.and_then(|tree| tree.document(resource)) else {
                        continue;
                    };
                    document.select(path, &mut |node| {
                        if found.is_null() {
                            found = node.to_value();
                        }
                    });
                }
                found
            }
        }
    }

    fn json(&self, field: &FieldRef) -> Json {
        if field.key.is_none() && field.attribute == Attribute::Labels {
            let labels = match field.owner {
                Owner::Unit => Some(&self.unit.labels),
                Owner::Space => Some(&self.facts.space.labels),
                _ => None,
            };
            return labels.map_or(Json::Null, |labels| serde_json::json!(labels));
        }
        if field.attribute == Attribute::ApplyGates {
            let gates = match field.owner {
                Owner::UpstreamUnit => self.upstream_gates(),
                _ => Some(self.own_gates()),
            };
            let gates = gates.filter(|gates| !gates.is_empty());
            return gates.map_or(Json::Null, |gates| serde_json::json!(gates));
        }
        if field.attribute == Attribute::Data {
            return self.text().into_owned().into();
        }
        match self.field(field) {
            Value::Null => Json::Null,
            Value::Bool(flag) => flag.into(),
            Value::Int(number) => number.into(),
            Value::UInt(number) => number.into(),
            Value::Float(number) => number.into(),
            Value::Str(text) => text.into_owned().into(),
            Value::Time(at) => at.to_string().into(),
            Value::Collection(collection) => collection.len().into(),
        }
    }

    fn own_gates(&self) -> &BTreeSet<String> {
        let (space, now) = (&self.facts.space, self.view.now());
        self.gates.get_or_init(|| names_of(self.unit, space, now))
    }

    fn upstream_gates(&self) -> Option<&BTreeSet<String>> {
        let (unit, space) = self.facts.upstream.as_ref()?;
        let now = self.view.now();
        Some(
            self.upstream_gates
                .get_or_init(|| names_of(unit, space, now)),
        )
    }

    /// Every attribute that has a value, by name.
    pub(crate) fn to_json(&self) -> Json {
        let mut record = Map::new();
        for field in FIELDS
            .iter()
            .filter(|field| field.owners.contains(&Owner::Unit))
        {
            let value = self.json(&FieldRef::unit(field.attribute));
            if !value.is_null() {
                record.insert(field.name.to_owned(), value);
            }
        }
        Json::Object(record)
    }

    fn of_unit<'r>(&'r self, unit: &'r Unit, space: &'r Space, field: &FieldRef) -> Value<'r> {
        let is_own = std::ptr::eq(unit, self.unit);
        match field.attribute {
            Attribute::UnitId => text(unit.id.to_string()),
            Attribute::Slug => unit.slug.as_str().into(),
            Attribute::SpaceId => text(unit.space.to_string()),
            Attribute::Labels => labels(&unit.labels, field.key.as_deref()),
            Attribute::HeadRevisionNum => number(Some(unit.head)),
            Attribute::LiveRevisionNum => number(unit.live),
            Attribute::LastAppliedRevisionNum => number(unit.last_applied),
            Attribute::PreviousLiveRevisionNum => number(unit.previous_live),
            Attribute::UpstreamUnitId => unit
                .upstream
                .map_or(Value::Null, |link| text(link.unit.to_string())),
            Attribute::UpstreamRevisionNum => number(unit.upstream.map(|link| link.revision)),
            Attribute::UpstreamSpaceId if is_own => {
                let upstream = self.facts.upstream.as_ref();
                upstream.map_or(Value::Null, |(_, space)| text(space.id.to_string()))
            }
            Attribute::UpgradeNeeded if is_own => match (&unit.upstream, &self.facts.upstream) {
                (Some(_), Some((upstream, _))) => Value::Bool(unit.needs_upgrade(upstream)),
                _ => Value::Null,
            },
            Attribute::UnappliedChanges => match target(unit, space) {
                Some(_) => Value::Bool(unit.is_unapplied()),
                None => Value::Null,
            },
            Attribute::Status => Value::Str(Cow::Owned(format!("{:?}", unit.status))),
            Attribute::TargetId => target(unit, space).map_or(Value::Null, Into::into),
            Attribute::Conflicts => number(Some(unit.open_conflicts)),
            Attribute::ApplyGates => {
                let gates = if is_own {
                    Some(self.own_gates())
                } else {
                    self.upstream_gates()
                };
                let gates = gates.filter(|gates| !gates.is_empty());
                gates.map_or(Value::Null, |gates| Value::Collection(gates))
            }
            Attribute::CreatedAt => Value::Time(unit.created),
            Attribute::UpdatedAt => Value::Time(unit.updated),
            Attribute::LastAction => last_action(unit).into(),
            Attribute::LastChangeDescription => unit.last_change.as_str().into(),
            Attribute::DataHash => text(unit.data.to_string()),
            Attribute::ToolchainType => TOOLCHAIN.into(),
            _ => Value::Null,
        }
    }
}

impl Record for UnitRecord<'_> {
    fn field(&self, field: &FieldRef) -> Value<'_> {
        match field.owner {
            Owner::Unit => self.of_unit(self.unit, &self.facts.space, field),
            Owner::Space => of_space(&self.facts.space, field),
            Owner::UpstreamUnit => match &self.facts.upstream {
                Some((unit, space)) => self.of_unit(unit, space, field),
                None => Value::Null,
            },
            Owner::UpstreamSpace => match &self.facts.upstream {
                Some((_, space)) => of_space(space, field),
                None => Value::Null,
            },
            Owner::Target => match target(self.unit, &self.facts.space) {
                Some(slug) if field.attribute == Attribute::Slug => slug.into(),
                _ => Value::Null,
            },
            Owner::ChangeSet => match self.facts.staged.of(self.view, self.unit.id) {
                Some(names) if field.attribute == Attribute::Slug => names,
                _ => Value::Null,
            },
        }
    }

    fn resource_count(&self) -> usize {
        self.tree.map_or(0, |tree| tree.document_count())
    }

    fn visit(&self, resource: usize, path: &Path, f: &mut dyn FnMut(Value<'_>)) {
        if let Some(document) = self.tree.and_then(|tree| tree.document(resource)) {
            document.select(path, &mut |node| f(value(node)));
        }
    }

    fn text(&self) -> Cow<'_, str> {
        let text = self.text.get_or_init(|| {
            // A text that cannot be read is a damaged store: `log verify` says so; here it has
            // nothing that a clause could find.
            self.view.text(&self.unit.data).unwrap_or_default()
        });
        Cow::Borrowed(text)
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    Field(FieldRef),
    Path(Path),
}

impl Column {
    /// Reads the name of a column: an attribute, or a path in the data.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        match crate::query::parse_operand(name)? {
            crate::query::Operand::Field(field) => Ok(Self::Field(field)),
            crate::query::Operand::Path(path) => Ok(Self::Path(path)),
            _ => Err(crate::error::Error::new(
                crate::error::Kind::Usage,
                format!("expected an attribute or a data path as a column, found `{name}`"),
            )),
        }
    }

    pub(crate) fn reads_data(&self) -> bool {
        matches!(self, Self::Path(_))
    }
}

/// The target that a unit deploys to: its own, else its space's.
pub(crate) fn target<'a>(unit: &'a Unit, space: &'a Space) -> Option<&'a str> {
    unit.target
        .as_ref()
        .or(space.target.as_ref())
        .map(AsRef::as_ref)
}

/// What made a unit's head, in a word; or what its target was told to do with it since.
fn last_action(unit: &Unit) -> &str {
    if unit.last_applied == Some(unit.head) {
        let is_gone = unit.live.is_none() && unit.status == Status::NoLive;
        return if is_gone { "destroy" } else { "apply" };
    }
    // A description begins with the verb of the change.
    match unit.last_change.split([' ', ';', ':']).next() {
        Some(word) if !word.is_empty() => word,
        _ if unit.head == 1 => "create",
        _ => "update",
    }
}

fn of_space<'a>(space: &'a Space, field: &FieldRef) -> Value<'a> {
    match field.attribute {
        Attribute::Slug => space.slug.as_str().into(),
        Attribute::SpaceId => text(space.id.to_string()),
        Attribute::Labels => labels(&space.labels, field.key.as_deref()),
        Attribute::TargetId => space
            .target
            .as_ref()
            .map(AsRef::as_ref)
            .map_or(Value::Null, Value::from),
        Attribute::CreatedAt => Value::Time(space.created),
        _ => Value::Null,
    }
}

fn labels<'a>(labels: &'a crate::model::Labels, key: Option<&str>) -> Value<'a> {
    match key {
        Some(key) => labels
            .get(key)
            .map_or(Value::Null, |value| value.as_str().into()),
        None => Value::Collection(labels),
    }
}

fn number(number: Option<u32>) -> Value<'static> {
    number.map_or(Value::Null, |number| Value::Int(number.into()))
}

fn text(text: String) -> Value<'static> {
    Value::Str(Cow::Owned(text))
}

fn value(node: NodeRef<'_>) -> Value<'_> {
    match node.scalar() {
        Some(Scalar::Null) | None => Value::Null,
        Some(Scalar::Bool(flag)) => Value::Bool(flag),
        Some(Scalar::Int(number)) => Value::Int(number),
        Some(Scalar::UInt(number)) => Value::UInt(number),
        Some(Scalar::Float(number)) => Value::Float(number),
        Some(Scalar::Str(text)) => text.into(),
    }
}
