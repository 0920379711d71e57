//! Completes or undoes a move of the main worktree that its process did not live to end; see
//! [`super::main_move`].

use super::main_move::{Deed, Intent, remember_after, remember_before};
use crate::domain::lane::Worktree;
use crate::error::Result;
use crate::operations::checkout::index_lock::{Halted, index_signature, remove_prepared};
use crate::operations::checkout::worktree_files;
use crate::repository::Repository;
use crate::repository::recovered::Healing;
use crate::store::journal::Running;
use crate::store::lockfile::LockFile;

/// Completes or undoes it.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let halted = Halted {
        what: intent.what(),
        worktree: &intent.worktree,
        git_dir: &intent.git_dir,
    };
    halted.heal(repository, running, |site| heal(repository, intent, site))
}

/// Whether the move counts, and whether the index fits.
fn heal(
    repository: &Repository,
    intent: &Intent,
    site: Option<(&Worktree, &LockFile)>,
) -> Result<(bool, bool)> {
    let Some((main, lock)) = site else {
        return Ok((false, true));
    };
    let (counts, mut fits) = (intent.is_done(main), true);
    if intent.prepared.exists() {
        // An index that was written since knows nothing of this and is left alone.
        fits = index_signature(&intent.git_dir.join("index")) == intent.index;
        match counts {
            true if fits => lock.replace_with(&intent.prepared)?,
            false if fits && intent.deed != Deed::Settle => {
                worktree_files::put_back(repository, main, intent.old, intent.new)?;
            }
            _ => {}
        }
    }
    match counts {
        true => remember_after(repository, intent)?,
        // Files that could not be put back are still the lane's.
        false if fits => remember_before(repository, intent)?,
        false => {}
    }
    remove_prepared(&intent.prepared);
    Ok((counts, fits))
}
