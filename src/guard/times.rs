//! When things on the way back were written: by the user before the calling git, by that git, or by
//! a hook after it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bstr::BStr;

use super::caller;
use super::remedy::index;
use crate::guard::site::Place;

/// When the calling git began to write, and when it had written everything.
pub(super) struct Times {
    /// From here on everything in the index is its work; `None`: it has not written it.
    pub began: Option<SystemTime>,
    moved: Option<SystemTime>,
}

impl Times {
    pub(super) fn of(place: &Place) -> Self {
        let file = index(place);
        let head = place.git_dir.join("HEAD");
        // git moves HEAD last. Before that it runs one hook, which may write anything: nothing
        // tells then but the beginning.
        let meddled = has_hook(place, "post-index-change");
        let head_is_older = || match (place.caller(), caller::born(&head)) {
            (Some(caller), Some(head)) => {
                caller.is_before(head) && caller::born(&file) > Some(head)
            }
            _ => false,
        };
        let began = match place.caller() {
            Some(caller) => caller.began_to_write(&file, meddled || head_is_older()),
            None => caller::born(&file),
        };
        let written =
            [&head, &place.git_dir.join("reftable/tables.list"), &file].map(|file| modified(file));
        let moved = written
            .into_iter()
            .flatten()
            .filter(|written| began.is_none_or(|began| *written >= began))
            .min();
        Times {
            began,
            moved: if meddled { began } else { moved },
        }
    }

    /// Whether the file at `path` was there, as it is, before any hook of this switch was run.
    pub(super) fn is_users(&self, path: &BStr) -> bool {
        let changed = std::fs::symlink_metadata(crate::store::path(path))
            .ok()
            .map(|file| changed(&file));
        match (self.began, self.moved, changed) {
            // Without a beginning nothing was written.
            (None, ..) => true,
            (_, Some(moved), Some(changed)) => changed < moved,
            _ => false,
        }
    }
}

/// Whether there is a hook file of that name.
pub(super) fn has_hook(place: &Place, name: &str) -> bool {
    let hook = place.git().git_path(&format!("hooks/{name}"));
    hook.is_ok_and(|hook| hook.is_file())
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::symlink_metadata(file).ok()?.modified().ok()
}

fn changed(file: &Metadata) -> SystemTime {
    let (seconds, rest) = (file.ctime(), file.ctime_nsec());
    let since = Duration::new(
        u64::try_from(seconds).unwrap_or(0),
        u32::try_from(rest).unwrap_or(0),
    );
    SystemTime::UNIX_EPOCH + since
}

/// Whether an entry was written before `began`; without one nothing has been written since.
pub(super) fn is_older(entry: &gix::index::Entry, began: Option<SystemTime>) -> bool {
    use gix::index::entry::{Flags, Mode};
    // These have no file whose time could tell.
    if entry.flags.contains(Flags::SKIP_WORKTREE) || entry.mode == Mode::COMMIT {
        return false;
    }
    let changed = entry.stat.ctime;
    // A git that does not write down fractions of a second.
    let rounded_up = if changed.nsecs == 0 { 1 } else { 0 };
    let changed = Duration::new(u64::from(changed.secs) + rounded_up, changed.nsecs);
    began.is_none_or(|began| SystemTime::UNIX_EPOCH + changed < began)
}
