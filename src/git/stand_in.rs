//! STAND-IN, to be replaced by `git::status`, `git::history` and `git::evidence` when they are merged: the three
//! questions removal asks, answered by plain git.

use bstr::ByteSlice;

use super::repository::Repository;
use crate::domain::integration::Integration;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Error, Result};

/// What is in a worktree that its branch does not hold.
pub fn status(repository: &Repository, worktree: &Worktree) -> Result<WorktreeStatus> {
    let listed = repository
        .git_in(worktree)
        .args(["-c", "core.fsmonitor=false", "-c", "status.relativePaths=false", "--no-optional-locks"])
        .args(["status", "--porcelain=v2", "-z", "--untracked-files=normal", "--ignore-submodules=none"])
        .stdout()?;
    let mut status = WorktreeStatus { operation: operation(&worktree.git_dir), ..Default::default() };
    let mut records = listed.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    while let Some(record) = records.next() {
        match record.split_at_checked(2) {
            Some((b"1 " | b"2 ", rest)) => {
                status.staged += usize::from(rest.first() != Some(&b'.'));
                status.modified += usize::from(rest.get(1) != Some(&b'.'));
                if record.starts_with(b"2") {
                    records.next();
                }
            }
            Some((b"u ", _)) => status.conflicted += 1,
            Some((b"? ", _)) => status.untracked += 1,
            _ => return Err(Error::git(format!("cannot make sense of git status: {}", record.as_bstr()))),
        }
    }
    Ok(status)
}

fn operation(git_dir: &std::path::Path) -> Option<Operation> {
    let has = |name: &str| git_dir.join(name).exists();
    if has("rebase-apply/applying") {
        Some(Operation::Am)
    } else if has("rebase-merge") || has("rebase-apply") {
        Some(Operation::Rebase)
    } else if has("CHERRY_PICK_HEAD") || has("sequencer/todo") {
        Some(Operation::CherryPick)
    } else if has("REVERT_HEAD") {
        Some(Operation::Revert)
    } else if has("MERGE_HEAD") {
        Some(Operation::Merge)
    } else {
        has("BISECT_LOG").then_some(Operation::Bisect)
    }
}

/// How many commits `tip` has that `base` has not.
pub fn ahead(repository: &Repository, tip: ObjectId, base: ObjectId) -> Result<usize> {
    if tip == base {
        return Ok(0);
    }
    let count = repository.git_here().args(["rev-list", "--count"]).arg(format!("{base}..{tip}")).text()?;
    count.parse().map_err(|_| Error::git(format!("cannot make sense of git rev-list: {count}")))
}

/// How everything `tip` holds is known to be in `base`.
pub fn integration(repository: &Repository, tip: ObjectId, base: ObjectId) -> Result<Option<Integration>> {
    if tip == base {
        return Ok(Some(Integration::SameCommit));
    }
    let (tip, base) = (tip.to_string(), base.to_string());
    let ancestor = repository.git_here().args(["merge-base", "--is-ancestor", &tip, &base]).output()?;
    if ancestor.status.success() {
        return Ok(Some(Integration::Ancestor));
    }
    let trees =
        repository.git_here().args(["rev-parse", &format!("{tip}^{{tree}}"), &format!("{base}^{{tree}}")]).text()?;
    let mut trees = trees.lines();
    if trees.next() == trees.next() {
        return Ok(Some(Integration::SameTree));
    }
    let cherry = repository.git_here().args(["cherry", &base, &tip]).text()?;
    let same = !cherry.is_empty() && cherry.lines().all(|line| line.starts_with('-'));
    Ok(same.then_some(Integration::SamePatches))
}
