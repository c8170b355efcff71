//! From the record of a target to the target itself, and whether it is still the cluster it was.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::app::dispatch::{Destination, Destinations};
use crate::app::record::target;
use crate::app::related::Related;
use crate::app::select::Selection;
use crate::app::targets::{KINDS, SANDBOX};
use crate::app::{App, Verb};
use crate::deploy;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, UnitId};
use crate::model::Target;

/// Parameters of a target that is a cluster.
pub(crate) mod parameter {
    /// The context of the kubeconfig.
    pub(crate) const CONTEXT: &str = "context";
    /// The kubeconfig.
    pub(crate) const KUBECONFIG: &str = "kubeconfig";
    /// The namespace of objects that name none.
    pub(crate) const NAMESPACE: &str = "namespace";
    /// The address of the API server when it was last asked which cluster it is.
    pub(crate) const SERVER: &str = "server";
    /// Which cluster it said it is.
    pub(crate) const CLUSTER: &str = "cluster";
}

/// A connection that was made, and from which parameters.
pub(crate) struct Connection {
    parameters: BTreeMap<String, String>,
    target: Arc<dyn deploy::Target>,
}

impl App {
    /// Where the units of a selection go, by the name of the target. Units without a target are
    /// left out.
    pub(crate) fn destinations_of(&self, selection: &Selection) -> Result<Destinations> {
        self.destinations_of_units(selection.pins().iter().map(|pin| pin.unit))
    }

    /// As [`Self::destinations_of`], of units by number.
    pub(crate) fn destinations_of_units(
        &self,
        units: impl Iterator<Item = UnitId>,
    ) -> Result<Destinations> {
        let records = self.read(|view| {
            let mut related = Related::new(view);
            let mut records: BTreeMap<Slug, Option<Target>> = BTreeMap::new();
            for unit in units {
                let Some(unit) = view.find_unit_by_id(unit)? else {
                    continue;
                };
                let space = related.space(unit.space)?;
                let Some(slug) = target(&unit, &space) else {
                    continue;
                };
                let slug: Slug = slug.parse()?;
                if let Entry::Vacant(place) = records.entry(slug) {
                    let record = view.find_target(place.key())?;
                    place.insert(record);
                }
            }
            Ok(records)
        })?;
        let found = records.into_iter().filter_map(|(slug, record)| {
            record.map(|record| Ok((slug, self.destination(&record)?)))
        });
        Ok(Destinations(found.collect::<Result<_>>()?))
    }

    /// The target of this name.
    pub(crate) fn destination_named(&self, slug: &Slug) -> Result<Destination> {
        self.destination(&self.target_record(slug)?)
    }

    /// The record of a target.
    pub(crate) fn target_record(&self, slug: &Slug) -> Result<Target> {
        let record = self.read(|view| Ok(view.find_target(slug)?))?;
        record.ok_or_else(|| no_such_target(slug))
    }

    /// The target that a record is of, after it was asked whether it is still the same cluster.
    pub(crate) fn destination(&self, record: &Target) -> Result<Destination> {
        if record.kind == SANDBOX {
            return Ok(Destination::Sandbox);
        }
        let known = self.connections().get(&record.slug).and_then(|known| {
            let is_same = known.parameters == record.parameters;
            is_same.then(|| Arc::clone(&known.target))
        });
        if let Some(target) = known {
            return Ok(Destination::Cluster(target));
        }
        let (target, recognised) = self.recognised(record)?;
        if recognised != *record {
            let verb = Verb::new(format!("target {}: which cluster it is", record.slug));
            self.write(verb, |transaction| Ok(transaction.put_target(&recognised)?))?;
        }
        Ok(self.remember(recognised, target))
    }

    /// Connects to a target and asks it which cluster it is; the record then says so.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it is another cluster than the record says.
    pub(crate) fn recognised(&self, record: &Target) -> Result<(Arc<dyn deploy::Target>, Target)> {
        let target = self.connect(record)?;
        let mut record = record.clone();
        if let Some(identity) = recognise(&record, &*target)? {
            let parameters = &mut record.parameters;
            parameters.insert(parameter::SERVER.to_owned(), identity.server);
            parameters.insert(parameter::CLUSTER.to_owned(), identity.cluster);
        }
        Ok((target, record))
    }

    /// Keeps a connection for later calls of this process.
    pub(crate) fn remember(&self, record: Target, target: Arc<dyn deploy::Target>) -> Destination {
        let connection = Connection {
            parameters: record.parameters,
            target: Arc::clone(&target),
        };
        self.connections().insert(record.slug, connection);
        Destination::Cluster(target)
    }

    /// A connection; nothing is asked yet.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn connect(&self, record: &Target) -> Result<Arc<dyn deploy::Target>> {
        refuse_unknown_kind(&record.kind)?;
        let parameter = |name: &str| record.parameters.get(name).cloned();
        let settings = deploy::KubernetesSettings {
            kubeconfig: parameter(parameter::KUBECONFIG).map(Into::into),
            context: parameter(parameter::CONTEXT),
            ..deploy::KubernetesSettings::default()
        };
        let target = deploy::Kubernetes::connect(self.runtime()?, &settings)
            .map_err(|error| named(Error::from(error), &record.slug))?;
        Ok(Arc::new(target))
    }

    /// A connection; this build has none.
    #[cfg(not(feature = "kubernetes"))]
    pub(crate) fn connect(&self, record: &Target) -> Result<Arc<dyn deploy::Target>> {
        refuse_unknown_kind(&record.kind)?;
        Err(Error::new(
            Kind::Usage,
            format!(
                "expected a build with the feature `kubernetes` for target `{}`, found one without",
                record.slug
            ),
        ))
    }

    /// The thread for what is asynchronous, started when it is first needed.
    pub(crate) fn runtime(&self) -> Result<Arc<crate::runtime::Runtime>> {
        if let Some(runtime) = self.0.runtime.get() {
            return Ok(Arc::clone(runtime));
        }
        let runtime = crate::runtime::Runtime::start().map_err(|error| {
            Error::new(
                Kind::Unavailable,
                format!("cannot start a thread for connections: {error}"),
            )
        })?;
        Ok(Arc::clone(self.0.runtime.get_or_init(|| Arc::new(runtime))))
    }
}

/// Refuses what is no kind of target.
pub(crate) fn refuse_unknown_kind(kind: &str) -> Result<()> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        format!(
            "expected the kind of a target, `{}`, found `{kind}`",
            KINDS.join("` or `")
        ),
    ))
}

/// Asks a cluster which one it is, and compares that with what the target was; what it says where
/// that was not known yet.
fn recognise(record: &Target, target: &dyn deploy::Target) -> Result<Option<deploy::Identity>> {
    let found = target
        .identity()
        .map_err(|error| named(Error::from(error), &record.slug))?;
    let Some(known) = record.parameters.get(parameter::CLUSTER) else {
        return Ok(Some(found));
    };
    if *known == found.cluster {
        return Ok(None);
    }
    let server = record.parameters.get(parameter::SERVER);
    Err(Error::new(
        Kind::Conflict,
        format!(
            "expected target `{}` to be cluster {known} ({}), found cluster {} at {}",
            record.slug,
            server.map_or("", String::as_str),
            found.cluster,
            found.server
        ),
    )
    .hint(format!(
        "windlass target rebind {} makes it the target from now on; its units are then not live there",
        record.slug
    ))
    .context("nothing was sent"))
}

/// The error of a name that no target has.
pub(crate) fn no_such_target(slug: &Slug) -> Error {
    Error::new(
        Kind::NotFound,
        format!("expected a target `{slug}`, found none"),
    )
    .hint("windlass target list shows the targets there are")
}

/// An error with the target that it is about.
pub(crate) fn named(error: Error, slug: &Slug) -> Error {
    error.context(format!("target       {slug}"))
}
