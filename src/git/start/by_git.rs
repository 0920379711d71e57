//! Repositories whose refs are a reftable: git makes the worktree, because only git can write its part of the refs.

use crate::domain::lane::WorktreeState;
use crate::error::{Error, IoContext, Result};
use crate::git::journal::{Running, step};
use crate::git::metadata::Edit;
use crate::git::populate::How;
use crate::git::recover::Intent as AnyIntent;
use crate::git::repository::Repository;
use crate::hooks;

use super::publish::{branch_is, delete_branch, ensure_still_free, ignore, is_anothers, occupied};
use super::{Filling, Intent, Made, registry_lock};

/// Makes worktree and branch with `git worktree add`, one lane at a time, then records the lane.
pub(super) fn make(
    repository: &Repository,
    intent: &mut Intent,
    filling: &Filling<'_>,
    running: &mut Running,
) -> Result<How> {
    let _guard = registry_lock(repository)?;
    ensure_still_free(repository, intent)?;
    let path = &intent.lane.worktree;
    if std::fs::read_dir(path).map_or(path.exists(), |mut entries| entries.next().is_some()) {
        // What is undone later must not be what somebody else has put there.
        return Err(occupied(path));
    }
    intent.publishing = true;
    running.advance(&AnyIntent::Start(intent.clone()))?;
    ignore(repository, intent)?;
    // The caller runs the post-checkout hook itself, after the record is written.
    let add = repository.git_here().args(["-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet"]);
    let add = match &intent.lane.branch {
        None => add.args(["--detach", "--"]).arg(&intent.lane.worktree).arg(intent.commit.to_string()),
        Some(branch) if intent.new_branch => {
            let add = add.args(["--no-track", "-b"]).bytes(branch.as_bstr()).arg("--");
            add.arg(&intent.lane.worktree).arg(intent.commit.to_string())
        }
        Some(branch) => add.arg("--").arg(&intent.lane.worktree).bytes(branch.as_bstr()),
    };
    add.run()?;
    step("start.added");
    if let Some(sparse) = filling.sparse {
        let set =
            repository.git.at(&intent.lane.worktree).args(["sparse-checkout", "set", "--cone", "--end-of-options"]);
        sparse.directories.iter().fold(set, |set, directory| set.bytes(directory)).run()?;
    }
    let mut edit = Edit::begin(repository.common_dir())?;
    edit.put(&intent.lane)?;
    edit.set_default(hooks::MARK, hooks::UNDECIDED)?;
    edit.commit()?;
    Ok(How::Git)
}

/// Records a worktree a dead process had finished.
pub(super) fn resume(repository: &Repository, intent: &Intent) -> Result<()> {
    if !intent.publishing || is_anothers(repository, intent)? {
        return Err(Error::refused("nothing was published yet"));
    }
    let finished = repository.worktrees()?.into_iter().any(|worktree| {
        worktree.path == intent.lane.worktree
            && worktree.state == WorktreeState::Present
            && worktree.locked.is_none()
            && worktree.head.branch() == intent.lane.branch.as_ref()
    });
    if !finished {
        return Err(Error::refused("the worktree is not complete"));
    }
    let mut edit = Edit::begin(repository.common_dir())?;
    edit.put(&intent.lane)?;
    edit.set_default(hooks::MARK, hooks::UNDECIDED)?;
    edit.commit()
}

/// Removes what a failed or interrupted `git worktree add` left. The caller holds the registry lock.
pub(super) fn undo(repository: &Repository, intent: &Intent) -> Result<()> {
    if !intent.publishing || is_anothers(repository, intent)? {
        return Ok(());
    }
    let path = &intent.lane.worktree;
    if repository.worktrees()?.iter().any(|worktree| worktree.path == *path && worktree.id.is_some()) {
        repository.git_here().args(["worktree", "remove", "--force", "--force", "--"]).arg(path).run()?;
    }
    if intent.new_branch && branch_is(repository, intent, intent.commit)? {
        delete_branch(repository, intent)?;
    }
    for Made(directory) in intent.made.iter().rev() {
        let _ = std::fs::remove_dir(directory).context("remove", directory);
    }
    Ok(())
}
