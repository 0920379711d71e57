//! When a lane was removed, by more than the clock of that moment.

use std::os::unix::fs::MetadataExt;

use crate::domain::lane::Lane;
use crate::repository::Repository;
use crate::store::clock::now;
use crate::store::entries;

/// Now, in seconds since 1970 UTC; later where the clock is behind what it said before. A machine
/// that starts without the time would date its removals so early that they expire as soon as it
/// knows better. The kernel changes a file's ctime, which nothing else can set, so that the newest
/// one in the repository was a present once.
pub(super) fn removal_time(repository: &Repository, lane: &Lane) -> i64 {
    let listed = entries(repository.common_dir());
    let own = entries(repository.lane_dir());
    let changed = listed
        .chain(own)
        .filter_map(|entry| entry.metadata().ok())
        .map(|found| found.ctime());
    changed.fold(now().max(lane.created), i64::max)
}
