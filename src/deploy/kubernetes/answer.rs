//! What a cluster says when it does not do what it is asked, and what that is to us.

use serde::Deserialize;

use crate::deploy::error::{Error, FieldConflict};
use crate::path::Path;
use crate::yaml::ResourceId;

use super::connect::Api;
use super::field_path::field_path;

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// There was no answer, or none that can be read.
    Lost {
        /// What happened instead.
        reason: String,
    },
    /// The server refused.
    Refused(Refusal),
    /// An object that was deleted is still there.
    Stays {
        /// How long was waited.
        seconds: u64,
        /// What keeps it.
        reason: String,
    },
}

/// An answer of the server that is a refusal: the kind `Status` of Kubernetes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    #[serde(skip)]
    pub(super) code: u16,
    /// One word.
    pub(super) reason: String,
    /// In words.
    pub(super) message: String,
    details: Details,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Details {
    kind: String,
    causes: Vec<Cause>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

impl Refusal {
    /// Reads the body of an answer; one that is no `Status` is taken as its text.
    pub(super) fn read(code: u16, body: &[u8]) -> Self {
        let mut refusal = serde_json::from_slice(body).unwrap_or_else(|_| Self {
            message: String::from_utf8_lossy(body).trim().to_owned(),
            ..Self::default()
        });
        refusal.code = code;
        if refusal.message.is_empty() {
            refusal.message = format!("status {code}");
        }
        refusal
    }

    /// Credentials that could not even be fetched.
    pub(super) fn unauthorized(message: String) -> Self {
        Self {
            code: 401,
            message,
            ..Self::default()
        }
    }

    /// What we found wrong ourselves with something that the server has.
    pub(super) fn told(message: String) -> Self {
        Self {
            code: 422,
            message,
            ..Self::default()
        }
    }

    fn has_cause(&self, reason: &str) -> bool {
        self.details
            .causes
            .iter()
            .any(|cause| cause.reason == reason)
    }

    /// A rule of admission was asked, and said no. Servers give that all kinds of codes.
    fn is_denied(&self) -> bool {
        let said = |text| self.message.contains(text);
        (said("admission webhook") && said("denied the request"))
            || (said("ValidatingAdmissionPolicy") && said("denied request"))
            || (self.code == 403 && (said("violates PodSecurity") || said("exceeded quota")))
    }

    /// The object is not of the form of its kind. Servers answer that with 500, as if it were
    /// their own failure, when they merge an applied object.
    fn is_malformed(&self) -> bool {
        self.code == 500 && self.message.contains("failed to create typed patch object")
    }

    /// It is of the object, whatever the code says: the same again is refused again.
    pub(super) fn is_of_object(&self) -> bool {
        self.is_denied() || self.is_malformed()
    }

    /// The namespace that would take the object is being deleted.
    fn is_terminating(&self) -> bool {
        self.code == 403 && self.has_cause("NamespaceTerminating")
    }

    /// The namespace that would take the object is not there.
    pub(super) fn lacks_namespace(&self) -> bool {
        self.code == 404 && self.details.kind == "namespaces"
    }

    /// The kind is not there.
    pub(super) fn is_no_type(&self) -> bool {
        self.code == 404 && self.details.kind.is_empty()
    }

    /// What the server says, with each of its causes.
    fn words(&self) -> String {
        let fields = self.details.causes.iter().filter(|cause| {
            !cause.field.is_empty() && !self.message.contains(cause.field.as_str())
        });
        let mut words = self.message.clone();
        for cause in fields {
            words.push_str("; ");
            words.push_str(&cause.field);
            words.push_str(": ");
            words.push_str(&cause.message);
        }
        words
    }

    /// The fields that cannot be changed once an object is there.
    fn immutable_fields(&self) -> Vec<String> {
        let causes = self.details.causes.iter();
        causes
            .filter(|cause| {
                cause.message.contains("immutable")
                    || cause.message.contains("may not be changed")
                    || cause.message.starts_with("Forbidden: updates to")
            })
            .map(|cause| field_path(&cause.field).to_string())
            .collect()
    }

    /// The fields that other managers have with other values, with those managers.
    pub(super) fn conflicts(&self) -> Vec<(Path, FieldConflict)> {
        if self.code != 409 {
            return Vec::new();
        }
        let causes = self.details.causes.iter();
        causes
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| {
                let path = field_path(&cause.field);
                let conflict = FieldConflict {
                    manager: manager(&cause.message),
                    path: path.to_string(),
                };
                (path, conflict)
            })
            .collect()
    }
}

impl Failure {
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Lost { .. } | Self::Stays { .. } => None,
            Self::Refused(refusal) => Some(refusal.code),
        }
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    pub(super) fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Whether it is of the connection, and not of the object that was asked about.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Stays { .. } => false,
            Self::Refused(refusal) => {
                matches!(refusal.code, 401 | 429 | 500..=599) && !refusal.is_of_object()
            }
        }
    }
}

/// What a request was about, so that its failure can be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// What was to be done: `list`, `patch`, …
    pub(super) verb: &'static str,
    /// The object.
    pub(super) id: &'a ResourceId,
    /// The version of the API that it is of.
    pub(super) api_version: &'a str,
    /// The unit that it is of; empty where there is none.
    pub(super) unit: &'a str,
}

impl Api {
    /// What a failure is to whoever asked for a unit.
    pub(super) fn error(&self, failure: Failure, about: Subject<'_>) -> Error {
        let refusal = match failure {
            Failure::Lost { reason } => return self.unreachable(about, reason),
            Failure::Stays { seconds, reason } => {
                return Error::StillThere {
                    object: about.id.to_string(),
                    seconds,
                    reason,
                };
            }
            Failure::Refused(refusal) => refusal,
        };
        let target = self.describe();
        let unit = about.unit.to_owned();
        let object = about.id.to_string();
        match refusal.code {
            401 => Error::Unauthorized {
                target,
                reason: unauthorized(&refusal),
            },
            _ if refusal.is_of_object() => Error::Rejected {
                target,
                object,
                reason: refusal.words(),
                unit,
            },
            403 if refusal.is_terminating() => Error::Terminating {
                target,
                namespace: about.id.namespace.clone(),
                unit,
            },
            403 => Error::Forbidden {
                target: target.into(),
                verb: about.verb.into(),
                object: object.into(),
                unit: unit.into(),
                reason: refusal.words().into(),
            },
            404 if refusal.is_no_type() => self.unknown_kind(about),
            409 if !refusal.conflicts().is_empty() => Error::Conflicts {
                object,
                unit,
                conflicts: refusal
                    .conflicts()
                    .into_iter()
                    .map(|(_, conflict)| conflict)
                    .collect(),
            },
            429 | 500 | 502 | 503 | 504 => self.unreachable(about, refusal.words()),
            _ => Error::Rejected {
                target,
                object,
                reason: rejection(&refusal, about.unit),
                unit,
            },
        }
    }

    fn unreachable(&self, about: Subject<'_>, mut reason: String) -> Error {
        if !about.id.kind.is_empty() {
            reason = format!("{reason}; it was asked to {} `{}`", about.verb, about.id);
            if !about.unit.is_empty() {
                reason = format!("{reason} of `{}`", about.unit);
            }
        }
        Error::Unreachable {
            target: self.describe(),
            reason,
        }
    }

    pub(super) fn unknown_kind(&self, about: Subject<'_>) -> Error {
        Error::UnknownKind {
            target: self.describe().into(),
            api_version: about.api_version.into(),
            kind: about.id.kind.as_str().into(),
            object: about.id.to_string().into(),
            unit: about.unit.into(),
        }
    }
}

/// What the server says of credentials is often the one word that it does not take them.
fn unauthorized(refusal: &Refusal) -> String {
    match refusal.words().as_str() {
        "Unauthorized" => {
            "they are missing, wrong or have expired; log in again, or mend the user \
                           of the context in the kubeconfig"
                .to_owned()
        }
        words => words.to_owned(),
    }
}

fn rejection(refusal: &Refusal, unit: &str) -> String {
    let fields = refusal.immutable_fields();
    if fields.is_empty() || unit.is_empty() {
        return refusal.words();
    }
    format!(
        "`{}` cannot be changed once the object is there; it has to be deleted and made anew: \
         `windlass unit destroy {unit}`, then apply ({})",
        fields.join("`, `"),
        refusal.words()
    )
}

/// The manager in `conflict with "kubectl-edit" using apps/v1`.
fn manager(message: &str) -> String {
    let quoted = message.split('"').nth(1);
    quoted.unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read() {
        let body = br#"{"kind":"Status","message":"m","reason":"Conflict","details":{"causes":[
            {"reason":"FieldManagerConflict","message":"conflict with \"kubectl-edit\" using apps/v1","field":".spec.replicas"}]}}"#;
        let conflicts = Refusal::read(409, body).conflicts();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].1.manager, "kubectl-edit");
        assert_eq!(conflicts[0].1.path, "spec.replicas");
        assert!(Refusal::read(422, body).conflicts().is_empty());
        for odd in [&b""[..], b"bad gateway", b"[]", b"{\"message\":1}", b"\xff"] {
            let refusal = Refusal::read(502, odd);
            assert_eq!(refusal.code, 502);
            assert!(!refusal.message.is_empty());
        }
    }
}
