//! What the cluster would make of planned units.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use crate::deploy::error::Error;
use crate::deploy::object::UnitObjects;
use crate::deploy::plan::Action;
use crate::deploy::target::{ApplyOptions, ObjectPlan, ObjectPreview, UnitPlan};

use super::answer::{Failure, Subject};
use super::apply::{Force, Sending};
use super::connect::Api;
use super::definition::Defined;
use super::discovery::Types;
use super::fields;
use super::look::{Looked, wanted};
use super::send::{api_version, versions};

/// What is known while a batch is previewed.
struct Scene<'a> {
    api: &'a Api,
    types: Types,
    defined: Defined,
    looked: Looked,
    missing: std::collections::BTreeSet<String>,
    options: &'a ApplyOptions,
}

type Planneds = [(UnitObjects, UnitPlan)];

impl Api {
    /// See [`crate::deploy::Target::preview`].
    pub(super) async fn preview(
        &self,
        units: &Planneds,
        options: &ApplyOptions,
    ) -> Result<Vec<Result<Vec<ObjectPreview>, Error>>, Error> {
        let types = self
            .types(versions(units))
            .await
            .map_err(|failure| self.failed(failure))?;
        let changed = units
            .iter()
            .flat_map(|(_, plan)| plan.steps.iter().map(move |step| (plan, step)));
        let changed =
            changed.filter(|(_, step)| matches!(step.action, Action::Update | Action::Delete));
        let changed: Vec<_> = changed
            .filter_map(|(plan, step)| wanted(&types, api_version(plan, step), &step.resource))
            .collect();
        let scene = Scene {
            api: self,
            looked: self.look(&changed).await?,
            missing: self.missing_namespaces(units).await?,
            types,
            defined: Defined::of(units.iter().flat_map(|(unit, _)| &unit.objects)),
            options,
        };
        let scene = &scene;
        let steps = units.iter().flat_map(|(unit, plan)| {
            plan.steps
                .iter()
                .map(move |step| scene.step(unit, plan, step, units))
        });
        let mut previews = stream::iter(steps).buffered(self.connections);
        let mut all = Vec::with_capacity(units.len());
        for (_, plan) in units {
            let mut unit = Ok(Vec::with_capacity(plan.steps.len()));
            for _ in &plan.steps {
                match (previews.next().await, &mut unit) {
                    (Some(Ok(preview)), Ok(previews)) => previews.push(preview),
                    (Some(Err(error @ Error::Unreachable { .. })), _) => return Err(error),
                    (Some(Err(error)), Ok(_)) => unit = Err(error),
                    _ => {}
                }
            }
            all.push(unit);
        }
        Ok(all)
    }
}

impl Scene<'_> {
    async fn step(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        step: &ObjectPlan,
        units: &Planneds,
    ) -> Result<ObjectPreview, Error> {
        let mut preview = ObjectPreview {
            resource: step.resource.clone(),
            action: step.action,
            before: None,
            after: None,
            unchecked: None,
        };
        if step.action == Action::Keep {
            let mut had = plan.pending.objects.iter();
            let had = had.find(|object| object.id == step.resource);
            preview.before = had.map(|object| object.applied.clone());
            preview.after.clone_from(&preview.before);
            return Ok(preview);
        }
        let live = self.looked.get(&step.resource);
        let owned = live.and_then(fields::owned);
        let Some(value) = &step.value else {
            preview.before = live.map(|live| fields::project(live, owned.unwrap_or(&Value::Null)));
            return Ok(preview);
        };
        preview.unchecked = self.unchecked(plan, step, units);
        if preview.unchecked.is_some() {
            preview.after = Some(value.clone());
            return Ok(preview);
        }
        let answer = self.dry_run(unit, plan, step, value).await?;
        let ours = fields::owned(&answer).unwrap_or(&Value::Null);
        preview.after = Some(fields::project(&answer, ours));
        preview.before = live
            .map(|live| fields::project(live, &fields::union(owned.unwrap_or(&Value::Null), ours)));
        Ok(preview)
    }

    /// Why the cluster cannot be asked, if so.
    fn unchecked(&self, plan: &UnitPlan, step: &ObjectPlan, units: &Planneds) -> Option<String> {
        let (id, version) = (&step.resource, api_version(plan, step));
        if self.types.get(version, &id.kind).is_none() {
            return Some(format!("`{version}` `{}` is not defined yet", id.kind));
        }
        let planned = units.iter().flat_map(|(_, plan)| &plan.steps);
        let mut created = planned
            .filter(|other| other.action == Action::Create && other.resource.kind == "Namespace");
        let is_missing = self.missing.contains(&id.namespace)
            || created.any(|other| other.resource.name == id.namespace);
        is_missing.then(|| format!("namespace `{}` is not there yet", id.namespace))
    }

    async fn dry_run(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        step: &ObjectPlan,
        value: &Value,
    ) -> Result<Value, Error> {
        let (id, version, name) = (
            &step.resource,
            api_version(plan, step),
            unit.owner.name.as_str(),
        );
        let Some(resource) = self.types.get(version, &id.kind) else {
            let about = Subject {
                verb: "patch",
                id,
                api_version: version,
                unit: name,
            };
            return Err(self.api.unknown_kind(about));
        };
        let sending = Sending {
            resource,
            id,
            unit: name,
            force: Force::Listed(&self.options.force),
            is_defined_here: self.defined.get(version, &id.kind).is_some(),
            is_dry: true,
        };
        let answer = self.api.apply(&sending, value).await;
        answer.map_err(|failure: Failure| self.api.unsent(&sending, failure).error)
    }
}
