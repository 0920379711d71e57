//! The lock of a git-lane that has laid a conflict out in a lane and is still at work there.
//!
//! `operations/resolve` takes it; what would land, sync or retire the lane asks for it.

use super::Repository;
use crate::domain::lane::{Lane, LaneId};
use crate::error::{Code, Error, Result};
use crate::store::journal::Exclusive;

/// Its file in the lane directory.
pub fn name(lane: &LaneId) -> String {
    format!("resolve-{}.lock", lane.as_str())
}

/// Refuses a lane whose lock another process has.
pub fn ensure_free(repository: &Repository, lane: &Lane) -> Result<()> {
    match Exclusive::is_held(repository.lane_dir(), &name(&lane.id)) {
        true => Err(taken(lane)),
        false => Ok(()),
    }
}

/// The refusal.
pub fn taken(lane: &Lane) -> Error {
    let sentence = format!(
        "a conflict is laid out in lane '{}' by another git-lane command, which is still at work",
        lane.name
    );
    Error::refused(sentence)
        .with_code(Code::Busy)
        .hint("wait for it, or end it")
}
