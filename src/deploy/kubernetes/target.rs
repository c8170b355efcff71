//! What a cluster does as a target: each question is answered by the module of its name.

use std::ops::ControlFlow;

use crate::deploy::error::Error;
use crate::deploy::image::Image;
use crate::deploy::inventory::Inventory;
use crate::deploy::live::{Drift, LiveState, WaitResult};
use crate::deploy::object::{Owner, UnitObjects};
use crate::deploy::target::{
    ApplyOptions, Deployed, Identity, ObjectPreview, Sent, Takeover, Target, UnitPlan, WaitOptions,
};

use super::Kubernetes;

impl Target for Kubernetes {
    fn kind(&self) -> &'static str {
        "kubernetes"
    }

    fn describe(&self) -> String {
        self.api.describe()
    }

    fn probe(&self) -> Result<String, Error> {
        self.runtime.wait_for(self.api.probe())
    }

    fn identity(&self) -> Result<Identity, Error> {
        self.runtime.wait_for(self.api.identity())
    }

    fn plan(
        &self,
        units: &[(&UnitObjects, Option<&Inventory>)],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<UnitPlan, Error>>, Error> {
        self.runtime.wait_for(self.api.plan(units, options))
    }

    fn preview(
        &self,
        units: &[(&UnitObjects, &UnitPlan)],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<Vec<ObjectPreview>, Error>>, Error> {
        self.runtime.wait_for(self.api.preview(units, options))
    }

    fn send(&self, units: &[(&UnitObjects, &UnitPlan)], options: &ApplyOptions) -> Vec<Sent> {
        self.runtime.wait_for(self.api.send(units, options))
    }

    fn destroy(&self, units: &[Deployed<'_>]) -> Vec<Sent> {
        self.runtime.wait_for(self.api.destroy(units))
    }

    fn release_namespace(&self, namespace: &str) -> Result<bool, Error> {
        self.runtime.wait_for(self.api.release_namespace(namespace))
    }

    fn takeover(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        from: &[String],
        dry_run: bool,
    ) -> Result<Takeover, Error> {
        self.runtime
            .wait_for(self.api.takeover(unit, inventory, from, dry_run))
    }

    fn capture(&self, unit: &UnitObjects, inventory: Option<&Inventory>) -> Result<Image, Error> {
        self.runtime.wait_for(self.api.capture(unit, inventory))
    }

    fn put_back(&self, owner: &Owner, image: &Image) -> Result<Option<Inventory>, Error> {
        self.runtime.wait_for(self.api.put_back(owner, image))
    }

    fn live(&self, units: &[Deployed<'_>]) -> Result<Vec<LiveState>, Error> {
        self.runtime.wait_for(self.api.live(units))
    }

    fn drift(&self, units: &[Deployed<'_>]) -> Result<Vec<Vec<Drift>>, Error> {
        self.runtime.wait_for(self.api.drift(units))
    }

    fn wait(
        &self,
        units: &[Deployed<'_>],
        options: &WaitOptions,
        observe: &mut dyn FnMut(usize, &LiveState) -> ControlFlow<()>,
    ) -> Result<Vec<WaitResult>, Error> {
        self.runtime
            .wait_for(self.api.wait(units, options, observe))
    }
}
