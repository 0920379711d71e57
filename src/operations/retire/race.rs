//! What a command says whose lane another command took away meanwhile.

use crate::domain::lane::Lane;
use crate::domain::retire::raced;
use crate::error::{Code, Error, Kind};
use crate::operations::trash;
use crate::repository::Repository;
use crate::repository::metadata;

/// `error`, unless it comes from the lane having gone away meanwhile: then that is what there is to
/// say.
pub fn or_raced(repository: &Repository, lane: &Lane, error: Error) -> Error {
    let recorded = |records: metadata::Records| {
        records
            .find(&lane.name)
            .is_some_and(|now| now.id == lane.id)
    };
    // The journal first: what is neither there nor in the records any more has left.
    let gone =
        trash::is_moving(repository, &lane.name) || !repository.records().map_or(true, recorded);
    match error.kind() {
        Kind::Refused | Kind::Conflict if gone => raced(&lane.name),
        Kind::Refused | Kind::Conflict => error,
        // The disk's own trouble is no other command's doing, and an operation it has stopped half
        // way is this command's.
        _ if [Code::DiskFull, Code::ReadOnly, Code::DiskError].contains(&error.code()) => error,
        // What it stumbled on may be something else all the same.
        _ if gone || !lane.worktree.exists() => error
            .hints()
            .to_vec()
            .into_iter()
            .fold(raced(&lane.name), Error::hint)
            .caused_by(error),
        _ => error,
    }
}
