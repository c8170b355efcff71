//! A real cluster as a target.
//!
//! Objects are sent by server-side apply, so that the cluster itself keeps which fields are ours;
//! what it answers is remembered and compared when the next plan is made. Every request goes
//! through [`request`], every refusal is told by [`answer`].

mod answer;
mod apply;
mod autoscale;
mod connect;
mod contents;
mod definition;
mod deletion;
mod destroy;
mod discovery;
mod drift;
mod field_path;
mod fields;
mod identity;
mod image;
mod live;
mod look;
mod mark;
mod need;
mod plan;
mod pods;
mod preview;
mod record;
mod request;
mod send;
mod status;
mod takeover;
mod target;
mod workload;

use std::fmt;
use std::sync::Arc;

use crate::runtime::Runtime;

pub use connect::{KubernetesSettings, KubernetesTimeouts};

/// A Kubernetes cluster. Cloning it is cheap; the clones share their connections.
#[derive(Clone)]
pub struct Kubernetes {
    runtime: Arc<Runtime>,
    api: Arc<connect::Api>,
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kubernetes")
            .field(&self.api.describe())
            .finish()
    }
}
