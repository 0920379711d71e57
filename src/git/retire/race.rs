//! What a command says whose lane another command took away meanwhile.

use crate::domain::lane::Lane;
use crate::domain::name::LaneName;
use crate::error::{Error, Kind};
use crate::git::repository::Repository;
use crate::git::{metadata, trash};

/// The refusal when a lane is no longer what the caller saw.
pub fn raced(lane: &LaneName) -> Error {
    Error::refused(format!("lane '{lane}' was changed by somebody else at the same moment"))
        .code("raced")
        .hint("see what it is now with: git lane list")
}

/// `error`, unless it comes from the lane having gone away meanwhile: then that is what there is to say.
pub fn or_raced(repository: &Repository, lane: &Lane, error: Error) -> Error {
    let recorded = |records: metadata::Records| records.find(&lane.name).is_some_and(|now| now.id == lane.id);
    // The journal first: what is neither there nor in the records any more has left.
    let gone = trash::is_moving(repository, &lane.name) || !repository.records().map_or(true, recorded);
    match error.kind() {
        Kind::Refused | Kind::Conflict if gone => raced(&lane.name),
        Kind::Refused | Kind::Conflict => error,
        // What it stumbled on may be something else all the same.
        _ if gone || !lane.worktree.exists() => {
            error.hints().to_vec().into_iter().fold(raced(&lane.name), Error::hint).source(error)
        }
        _ => error,
    }
}

/// The refusal when the lane got other commits than the caller saw.
pub fn moved_on(lane: &LaneName) -> Error {
    Error::refused(format!("lane '{lane}' stays: it is at another commit than it was when the command began"))
        .code("raced")
        .hint("look at it, then run the command again")
}
