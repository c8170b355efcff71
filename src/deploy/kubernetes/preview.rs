//! What the cluster would make of planned units.

use std::cell::Cell;
use std::collections::BTreeSet;

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
use super::send::{Planneds, api_version, versions};

/// What is known while a batch is previewed.
struct Scene<'a> {
    api: &'a Api,
    types: Types,
    defined: Defined,
    looked: Looked,
    /// The namespaces that are not there yet: those that nobody makes, and those of the batch.
    missing: BTreeSet<String>,
    options: &'a ApplyOptions,
}

impl Api {
    /// See [`crate::deploy::Target::preview`].
    pub(super) async fn preview(
        &self,
        units: &Planneds<'_>,
        options: &ApplyOptions,
    ) -> Result<Vec<Result<Vec<ObjectPreview>, Error>>, Error> {
        let types = self
            .types(versions(units))
            .await
            .map_err(|failure| self.failed(failure))?;
        let changed = units
            .iter()
            .flat_map(|(_, plan)| plan.steps.iter().map(move |step| (plan, step)));
        let changed = changed.filter(|(_, step)| {
            step.live.is_none() && matches!(step.action, Action::Update | Action::Delete)
        });
        let changed: Vec<_> = changed
            .filter_map(|(plan, step)| wanted(&types, api_version(plan, step), &step.resource))
            .collect();
        let mut missing = self.missing_namespaces(units).await?;
        let steps = units.iter().flat_map(|(_, plan)| &plan.steps);
        let created =
            steps.filter(|step| step.action == Action::Create && step.resource.kind == "Namespace");
        missing.extend(created.map(|step| step.resource.name.clone()));
        let scene = Scene {
            api: self,
            looked: self.look(&changed).await?,
            missing,
            types,
            defined: Defined::of(units.iter().flat_map(|(unit, _)| &unit.objects)),
            options,
        };
        let scene = &scene;
        let is_lost = Cell::new(false);
        let is_lost = &is_lost;
        let steps = units.iter().flat_map(|(unit, plan)| {
            plan.steps.iter().map(move |step| async move {
                if is_lost.get() {
                    return None;
                }
                let preview = scene.step(unit, plan, step).await;
                if matches!(preview, Err(Error::Unreachable { .. })) {
                    is_lost.set(true);
                }
                Some(preview)
            })
        });
        let mut previews = self.at_once(steps).await.into_iter().flatten();
        if is_lost.get() {
            let mut failed = previews.filter_map(Result::err);
            let lost = failed.find(|error| matches!(error, Error::Unreachable { .. }));
            return lost.map_or_else(|| Ok(Vec::new()), Err);
        }
        let of_unit = |(_, plan): &(_, &UnitPlan)| {
            let own: Vec<_> = previews.by_ref().take(plan.steps.len()).collect();
            own.into_iter().collect()
        };
        Ok(units.iter().map(of_unit).collect())
    }
}

impl Scene<'_> {
    async fn step(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        step: &ObjectPlan,
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
        let live = step.live.as_ref();
        let live = live.or_else(|| self.looked.get(&step.resource));
        let owned = live.and_then(fields::owned);
        let Some(value) = &step.value else {
            preview.before = live.map(|live| fields::project(live, owned.unwrap_or(&Value::Null)));
            return Ok(preview);
        };
        preview.unchecked = self.unchecked(plan, step);
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
    fn unchecked(&self, plan: &UnitPlan, step: &ObjectPlan) -> Option<String> {
        let (id, version) = (&step.resource, api_version(plan, step));
        if self.types.get(version, &id.kind).is_none() {
            return Some(format!("`{version}` `{}` is not defined yet", id.kind));
        }
        let is_missing = self.missing.contains(&id.namespace);
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
