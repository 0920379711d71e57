//! Merges in a worktree: how git begins one, what it says of its conflicts, and how it ends.

use std::process::Stdio;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::Invocation;
use crate::error::Result;

/// One of the versions that an index has of a path in conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// 1 is the common one, 2 that of HEAD, 3 that of what is merged.
    pub number: u8,
    /// Its mode as git prints it: `100644`, `160000`.
    pub mode: BString,
    /// The blob, or the commit of a submodule.
    pub id: ObjectId,
    /// The path, relative to the top.
    pub path: BString,
}

impl Invocation {
    /// `git merge` of that commit, seen by the user; its exit code. What git remembers of earlier
    /// resolutions (git-rerere(1)) is staged.
    pub fn merge(self, commit: impl AsRef<[u8]>, no_verify: bool) -> Result<i32> {
        self.args(["merge", "--no-ff", "--no-squash", "--commit", "--no-edit"])
            .args(["--no-stat", "--no-autostash", "--rerere-autoupdate"])
            .args(no_verify.then_some("--no-verify"))
            .bytes(commit)
            .interactive(Stdio::null())
    }

    /// `git merge` of a ref into what is checked out, seen by the user; its exit code. A conflict is
    /// left in the worktree.
    pub fn merge_in_worktree(self, name: impl AsRef<[u8]>, message: &str) -> Result<i32> {
        self.args([
            "merge",
            "--quiet",
            "--no-edit",
            "--no-autostash",
            "-m",
            message,
        ])
        .bytes(name)
        .interactive(Stdio::null())
    }

    /// `git rebase` of what is checked out onto a ref, seen by the user; its exit code. A conflict is
    /// left in the worktree.
    pub fn rebase_in_worktree(self, onto: impl AsRef<[u8]>) -> Result<i32> {
        self.args(["rebase", "--quiet", "--no-autostash"])
            .bytes(onto)
            .interactive(Stdio::null())
    }

    /// `git commit` of a merge in progress with the message that git has made, seen by the user; its
    /// exit code.
    pub fn conclude_merge(self, no_verify: bool) -> Result<i32> {
        self.args(["commit", "--quiet", "--no-edit", "--cleanup=strip"])
            .args(no_verify.then_some("--no-verify"))
            .interactive(Stdio::null())
    }

    /// `git reset --hard`: HEAD's branch, index and files, and no merge is in progress.
    pub fn reset_hard(self, commit: ObjectId) -> Result<()> {
        self.running_programs()
            .args(["reset", "--quiet", "--hard", &commit.to_string()])
            .run()
    }

    /// `--quit` of a rebase, am, cherry-pick or revert: it is forgotten, and nothing else changes.
    pub fn quit(self, command: &str) -> Result<()> {
        self.args([command, "--quit"]).run()
    }

    /// `git ls-files --unmerged`: every version of every path in conflict.
    pub fn unmerged(self) -> Result<Vec<Stage>> {
        let listed = self.ls_files(&["--unmerged"], super::NONE)?;
        let stage = |record: &BString| {
            let (about, path) = record.split_once_str("\t")?;
            let mut words = about.split_str(" ");
            Some(Stage {
                mode: words.next()?.into(),
                id: ObjectId::from_hex(words.next()?).ok()?,
                number: words.next()?.to_str().ok()?.parse().ok()?,
                path: path.into(),
            })
        };
        Ok(listed.iter().filter_map(stage).collect())
    }

    /// `git check-attr conflict-marker-size`: the paths that have a value, with it.
    pub fn marker_sizes(self, paths: &[BString]) -> Result<Vec<(BString, BString)>> {
        let input = paths.iter().flat_map(|path| [path, &b"\0"[..]].concat());
        let told = self
            .args(["check-attr", "-z", "--stdin", "conflict-marker-size"])
            .input(input.collect::<Vec<u8>>())
            .fields()?;
        let pairs = told.chunks_exact(3);
        Ok(pairs
            .map(|told| (told[0].clone(), told[2].clone()))
            .collect())
    }
}
