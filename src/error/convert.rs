//! Where the errors of the leaf modules become an [`Error`]: whose fault it was, and what to run.

use crate::error::{Error, Kind, Location};
use crate::{db, deploy, id, model, path, query, script, store, yaml};

impl From<id::InvalidSlug> for Error {
    fn from(error: id::InvalidSlug) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<id::InvalidNumber> for Error {
    fn from(error: id::InvalidNumber) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<model::InvalidRevision> for Error {
    fn from(error: model::InvalidRevision) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<path::Error> for Error {
    fn from(error: path::Error) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<yaml::Error> for Error {
    fn from(error: yaml::Error) -> Self {
        let kind = match &error {
            yaml::Error::Limit { .. } => Kind::Limit,
            yaml::Error::Inexpressible { .. } => Kind::Internal,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<query::Error> for Error {
    fn from(error: query::Error) -> Self {
        Self::new(Kind::Invalid, error.to_string())
            .hint("windlass unit list --where takes clauses such as Slug = 'web' AND replicas > 2")
    }
}

impl From<script::Error> for Error {
    fn from(error: script::Error) -> Self {
        let kind = match error.kind() {
            _ if matches!(error.fault(), script::Fault::Argument { .. }) => Kind::Usage,
            script::ErrorKind::Usage => Kind::Usage,
            script::ErrorKind::NotFound => Kind::NotFound,
            script::ErrorKind::Invalid => Kind::Invalid,
            script::ErrorKind::Limit => Kind::Limit,
        };
        let mut converted = Self::new(kind, error.message());
        if let Some(at) = error.location() {
            converted = converted.at(Location {
                file: at.file.clone(),
                line: at.line,
                column: at.column,
                length: at.end.saturating_sub(at.column).max(1),
                text: error.source_text().map(ToOwned::to_owned),
                label: error.label().unwrap_or_default().to_owned(),
            });
        }
        for hint in error.hints() {
            converted = converted.hint(hint.clone());
        }
        if matches!(error.fault(), script::Fault::UnknownFunction { .. }) {
            converted = converted.hint("windlass function list shows the functions there are");
        }
        converted
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let message = error.to_string();
        match error {
            store::Error::Locked { .. } => {
                Self::new(Kind::Unavailable, message).hint("--lock-timeout SECONDS waits longer")
            }
            store::Error::Io { .. } => Self::new(Kind::Unavailable, message),
            store::Error::NotAStore { .. } => Self::new(Kind::Invalid, message)
                .hint("--store PATH, or the variable WINDLASS_STORE, names the store's file"),
            store::Error::Incompatible { .. } | store::Error::Damaged { .. } => {
                Self::new(Kind::Unavailable, message)
            }
            _ => Self::new(Kind::Internal, message),
        }
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        let message = error.to_string();
        match error {
            db::Error::Store(error) => error.into(),
            db::Error::NotFound {
                what: "conflict", ..
            } => Self::new(Kind::NotFound, message)
                .hint("windlass conflict list shows those that are open"),
            db::Error::NotFound { .. } => Self::new(Kind::NotFound, message),
            db::Error::Exists { .. } => Self::new(Kind::Exists, message),
            db::Error::InUse { .. } => Self::new(Kind::Conflict, message),
            db::Error::Damaged { .. } => Self::new(Kind::Unavailable, message)
                .hint("windlass log verify says what else is damaged"),
            db::Error::NewerFormat { .. } => Self::new(Kind::Unavailable, message),
            _ => Self::new(Kind::Internal, message),
        }
    }
}

impl From<deploy::Error> for Error {
    fn from(error: deploy::Error) -> Self {
        let message = error.to_string();
        match error {
            deploy::Error::Invalid { .. }
            | deploy::Error::Duplicate { .. }
            | deploy::Error::Order { .. }
            | deploy::Error::Refused { .. }
            | deploy::Error::Rejected { .. } => Self::new(Kind::Invalid, message),
            deploy::Error::UnknownKind { kind, .. } => Self::new(Kind::Invalid, message).hint(
                format!("apply the unit that holds the definition of {kind} first, or together with it"),
            ),
            deploy::Error::Owned { .. } => Self::new(Kind::Conflict, message)
                .hint("windlass takeover UNIT --from OWNER --dry-run shows what taking it would do"),
            deploy::Error::Conflicts { unit, .. } => Self::new(Kind::Conflict, message)
                .hint(format!("windlass drift show {unit} shows both values; drift accept, revert or tolerate decides"))
                .hint(format!("windlass takeover {unit} --from MANAGER takes the fields for good")),
            deploy::Error::Drifted { .. } | deploy::Error::Occupied { .. } => {
                Self::new(Kind::Conflict, message)
            }
            deploy::Error::Stopped => Self::new(Kind::Limit, message).with_exit_code(130),
            deploy::Error::NoObject { .. } | deploy::Error::Config { .. } => {
                Self::new(Kind::NotFound, message)
            }
            deploy::Error::Unauthorized { .. } => Self::new(Kind::Denied, message)
                .hint("log in again, or give the target another context"),
            deploy::Error::Forbidden { .. } => Self::new(Kind::Denied, message)
                .hint("kubectl auth can-i --list shows what these credentials may do"),
            deploy::Error::Disconnected { .. } | deploy::Error::Unreachable { .. } => {
                Self::new(Kind::Unavailable, message)
                    .hint("the same command again sends what is missing")
            }
            _ => Self::new(Kind::Unavailable, message),
        }
    }
}

impl From<yaml::patch::Error> for Error {
    fn from(error: yaml::patch::Error) -> Self {
        let kind = match &error {
            yaml::patch::Error::NotMap { .. } => Kind::Usage,
            _ => Kind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}
