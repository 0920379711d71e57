//! `git branch -m` on a lane's branch: the record follows, because git's own log says what happened.

use std::path::Path;

use bstr::{BStr, ByteSlice};

use super::metadata::Edit;
use crate::domain::name::{BranchName, LaneName};
use crate::error::Result;

/// Whether `log`, the messages of the reflog of `to`, newest first, says that it was called `from` once.
pub fn was_renamed(from: &BranchName, to: &BranchName, log: &BStr) -> bool {
    let (wanted, mut name) = (from.to_ref(), to.to_ref());
    for message in log.lines() {
        let renaming = message.strip_prefix(b"Branch: renamed ").and_then(|names| names.split_once_str(" to "));
        if let Some((old, _)) = renaming.filter(|(_, new)| name == *new) {
            name = old.into();
        }
        if name == wanted {
            return true;
        }
    }
    false
}

/// What `from` is called now, by the renamings in `log`: the messages of the reflog of a HEAD that was on it, newest first.
/// `git branch -m` writes them into every worktree's.
pub fn renamed_to(from: &BranchName, log: &BStr) -> Option<BranchName> {
    let start = from.to_ref();
    let mut name = start.clone();
    for message in log.lines().collect::<Vec<_>>().into_iter().rev() {
        let renaming = message.strip_prefix(b"Branch: renamed ").and_then(|names| names.split_once_str(" to "));
        if let Some((_, new)) = renaming.filter(|(old, _)| name == *old) {
            name = new.into();
        }
    }
    (name != start).then(|| BranchName::from_ref(name.as_bstr())).flatten()
}

/// Gives a lane's record the branch's new name and leaves the rest of it alone.
pub fn follow(common_dir: &Path, lane: &LaneName, branch: &BranchName) -> Result<()> {
    let mut edit = Edit::begin(common_dir)?;
    edit.set_branch(lane, branch)?;
    edit.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamings_are_followed_through_the_log_of_the_new_name() {
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        let log = "commit: x\nBranch: renamed refs/heads/b to refs/heads/c\ncommit: y\n\
            Branch: renamed refs/heads/a to refs/heads/b\nbranch: Created from main\n";
        for (from, to, expected) in
            [("a", "c", true), ("b", "c", true), ("a", "b", true), ("x", "c", false), ("a", "d", false)]
        {
            assert_eq!(was_renamed(&branch(from), &branch(to), log.into()), expected, "{from} {to}");
        }
        for (from, expected) in [("a", Some("c")), ("b", Some("c")), ("c", None), ("x", None)] {
            assert_eq!(renamed_to(&branch(from), log.into()), expected.map(branch), "{from}");
        }
    }
}
