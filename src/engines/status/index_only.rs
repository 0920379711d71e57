//! What is staged in a worktree whose directory is gone, or only not mounted: its index is all
//! there is to look at.

use std::path::Path;

use super::{Flags, Halt, Index, Tally, WorktreeStatus, operation, staged};
use crate::domain::lane::ObjectId;
use crate::error::Result;
use crate::store::git::Invocation;
use crate::store::retry;

/// What is staged by the index in `admin`, and the operation in progress. `git` starts a git with
/// that directory as `GIT_DIR`; what is staged in a worktree on a branch that is gone is counted
/// against `start`.
pub fn of_index(
    repo: &gix::Repository,
    admin: &Path,
    git: impl Fn() -> Invocation,
    start: ObjectId,
) -> Result<WorktreeStatus> {
    let operation = operation(admin);
    if admin
        .join("index")
        .symlink_metadata()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    {
        return Ok(WorktreeStatus {
            operation,
            ..WorktreeStatus::default()
        });
    }
    match retry::objects(repo, || in_process(repo, admin)) {
        Ok(tally) => Ok(tally.finish(operation)),
        Err(Halt::Failed(error)) => Err(error),
        Err(Halt::Doubt(_)) => Ok(by_git(git, start)?.finish(operation)),
    }
}

fn in_process(repo: &gix::Repository, admin: &Path) -> Result<Tally, Halt> {
    let head = staged::head_tree(repo, admin)?;
    let index = Index::read(repo.object_hash(), admin)?;
    if !index.is_plain() {
        return Err(Halt::Doubt("index"));
    }
    staged::count(repo, &head, &index.state)
}

fn by_git(git: impl Fn() -> Invocation, start: ObjectId) -> Result<Tally> {
    let head = git().rev_parse_to("HEAD", gix::object::Kind::Commit)?;
    let mut tally = Tally::default();
    for (code, path) in git().staged_changes(head.unwrap_or(start))? {
        // git lists an unmerged path once more for what its stages hold.
        if code == b'U' {
            tally.conflicted += 1;
        } else {
            tally.staged += 1;
        }
        tally.note(&path, [code, b' ']);
    }
    Ok(tally)
}

/// Whether the index in `admin` has unmerged paths; `git` starts a git in that worktree.
pub fn has_unmerged(
    repo: &gix::Repository,
    admin: &Path,
    git: impl Fn() -> Invocation,
) -> Result<bool> {
    match Index::read(repo.object_hash(), admin) {
        Ok(index) if index.state.link().is_none() => Ok(index
            .state
            .entries()
            .iter()
            .any(|entry| entry.flags.intersects(Flags::STAGE_MASK))),
        // None yet, or one that only git can read.
        _ => Ok(!git().ls_files(&["--unmerged"], [] as [&str; 0])?.is_empty()),
    }
}
