//! What merges say of the places where both sides changed.

mod row;

pub use row::{ConflictRow, Prefer, Reason, RowState};
