//! The mark that keeps `git worktree prune` from an admin directory whose worktree is on its way.
//!
//! git looks whether there is a file `locked`, and then whether the worktree is there: one that had
//! looked for the file before it was there may remove the admin directory of a worktree that has just
//! left. So a worktree leaves only when every git has ended its look that had begun it before the mark.
//!
//! Called by [`super::relocation`] and by `relocate`.

use std::ffi::OsStr;
use std::path::Path;

use crate::engines::directory_readers::outlast_gits;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::lane_files::{self, LaneDir};
use crate::store::no_replace;

/// The file that git looks for.
const LOCKED: &str = "locked";

/// What it says.
const MARKER: &str = "git-lane is moving this worktree";

/// The file before it has all its text.
const UNFINISHED: &str = ".locked.lane-new";

/// Marks an admin directory whose worktree is there still.
///
/// # Errors
/// A refusal where a git goes on looking at the worktrees.
pub(in crate::operations) fn mark_to_move(lane_dir: &LaneDir, admin: &Path) -> Result<()> {
    mark(lane_dir, admin)?;
    let worktrees = admin.parent().unwrap_or(admin);
    outlast_gits(worktrees).map_err(|reader| {
        let sentence = format!(
            "process {} (git) has been looking at the worktrees in '{}' for seconds, and may take one \
             on its way for one that is gone",
            reader,
            worktrees.display()
        );
        Error::refused(sentence)
            .with_code(Code::Busy)
            .hint(format!("see what it does with: ps -fp {reader}"))
    })
}

/// A kill between making the file and writing it would leave what `git worktree lock` without a
/// reason makes: a lock that is not ours to remove.
pub(in crate::operations) fn mark(lane_dir: &LaneDir, admin: &Path) -> Result<()> {
    if is_marked(admin) {
        return Ok(());
    }
    let (marker, unfinished) = (admin.join(LOCKED), admin.join(UNFINISHED));
    lane_dir
        .write(&unfinished, MARKER.as_bytes())
        .context("write", &unfinished)?;
    let marked = no_replace::rename(&unfinished, &marker).context("create", &marker);
    if marked.is_err() {
        lane_files::remove_if_there(&unfinished)?;
    }
    marked
}

/// Takes the mark away; the lock of a user stays.
pub(in crate::operations) fn unmark(admin: &Path) -> Result<()> {
    lane_files::remove_if_there(&admin.join(UNFINISHED))?;
    match is_marked(admin) {
        true => lane_files::remove_if_there(&admin.join(LOCKED)),
        false => Ok(()),
    }
}

/// Whether git-lane has marked it.
pub(super) fn is_marked(admin: &Path) -> bool {
    lane_files::read(&admin.join(LOCKED)).is_ok_and(|reason| reason == MARKER.as_bytes())
}

/// Whether a file of that name in an admin directory is the mark, or the lock of a user.
pub(in crate::operations) fn is_of_mark(name: &OsStr) -> bool {
    name == LOCKED || name == UNFINISHED
}
