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
    }
}
