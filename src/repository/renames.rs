//! `git branch -m` on a lane's branch or base: the record follows, because git's own log says what
//! happened.

use std::path::Path;

use bstr::{BStr, BString, ByteSlice};

use super::metadata::Edit;
use crate::domain::lane::Worktree;
use crate::domain::name::{BranchName, LaneName};
use crate::error::Result;
use crate::repository::{RefFormat, Repository};
use crate::store::git::Invocation;
use crate::store::lane_files::LaneDir;

/// Whether `log`, the messages of the reflog of `to`, newest first, says that it was called `from`
/// once.
pub fn was_renamed(from: &BranchName, to: &BranchName, log: &BStr) -> bool {
    let (wanted, mut name) = (from.to_ref(), to.to_ref());
    for message in log.lines() {
        let renaming = message
            .strip_prefix(b"Branch: renamed ")
            .and_then(|names| names.split_once_str(" to "));
        if let Some((old, _)) = renaming.filter(|(_, new)| name == *new) {
            name = old.into();
        }
        if name == wanted {
            return true;
        }
    }
    false
}

/// What `from` is called now, by the renamings in `log`: the messages of the reflog of a HEAD that
/// was on it, newest first. `git branch -m` writes them into every worktree's.
pub fn renamed_to(from: &BranchName, log: &BStr) -> Option<BranchName> {
    let start = from.to_ref();
    let mut name = start.clone();
    for message in log.lines().collect::<Vec<_>>().into_iter().rev() {
        let renaming = message
            .strip_prefix(b"Branch: renamed ")
            .and_then(|names| names.split_once_str(" to "));
        if let Some((_, new)) = renaming.filter(|(old, _)| name == *old) {
            name = new.into();
        }
    }
    (name != start)
        .then(|| BranchName::from_ref(name.as_bstr()))
        .flatten()
}

/// The messages of a branch's reflog, newest first; empty where it has none.
pub fn log(repository: &Repository, branch: &BranchName) -> BString {
    if repository.ref_format() == RefFormat::Reftable {
        return shown(repository.git_here(), &branch.to_ref());
    }
    messages(
        &repository
            .common_dir()
            .join("logs")
            .join(crate::store::path(&branch.to_ref())),
    )
}

/// The messages of the log of a worktree's HEAD, newest first.
pub fn log_of_head(repository: &Repository, worktree: &Worktree) -> BString {
    if repository.ref_format() == RefFormat::Reftable {
        return shown(repository.git_in(worktree), b"HEAD");
    }
    messages(&worktree.git_dir.join("logs/HEAD"))
}

fn shown(git: Invocation, name: &[u8]) -> BString {
    let log = git.reflog(name, "%gs", None);
    bstr::join("\n", log.unwrap_or_default()).into()
}

/// The messages in the file of a reflog, newest first.
pub fn messages(log: &Path) -> BString {
    let text = crate::store::optional::bytes(log).unwrap_or_default();
    let mut messages: Vec<&[u8]> = text
        .lines()
        .filter_map(|line| Some(line.split_once_str("\t")?.1))
        .collect();
    messages.reverse();
    bstr::join("\n", messages).into()
}

/// What a branch that is no more is called now, where that is beyond doubt.
pub fn successor(repository: &Repository, branch: &BranchName) -> Result<Option<BranchName>> {
    if repository.branch_tip(branch)?.is_some() {
        return Ok(None);
    }
    let all = repository.refs_below("refs/heads/")?;
    let branches = all
        .iter()
        .filter_map(|(name, _)| BranchName::from_ref(name.as_bstr()));
    let mut heirs =
        branches.filter(|heir| was_renamed(branch, heir, log(repository, heir).as_bstr()));
    Ok(heirs.next().filter(|_| heirs.next().is_none()))
}

/// Gives a lane's record the branch's new name and leaves the rest of it alone.
pub fn follow(lane_dir: &LaneDir, lane: &LaneName, branch: &BranchName) -> Result<()> {
    let mut edit = Edit::begin(lane_dir)?;
    edit.set_branch(lane, branch)?;
    edit.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamings_are_followed_through_the_log_of_the_new_name() {
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        let log = "commit: x\nBranch: renamed refs/heads/b to refs/heads/c\ncommit: y\nBranch: \
            renamed refs/heads/a to refs/heads/b\nbranch: Created from main\n";
        for (from, to, expected) in [
            ("a", "c", true),
            ("b", "c", true),
            ("a", "b", true),
            ("x", "c", false),
            ("a", "d", false),
        ] {
            assert_eq!(
                was_renamed(&branch(from), &branch(to), log.into()),
                expected,
                "{from} {to}"
            );
        }
        for (from, expected) in [("a", Some("c")), ("b", Some("c")), ("c", None), ("x", None)] {
            assert_eq!(
                renamed_to(&branch(from), log.into()),
                expected.map(branch),
                "{from}"
            );
        }
    }
}
