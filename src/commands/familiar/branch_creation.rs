//! What the words of git's own commands that make a branch or a worktree mean as a lane to start.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Line;

pub(super) fn is_option(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"-")
}

/// Whether a word can only be meant for a path: no lane is called so.
pub(super) fn is_path(word: &OsStr) -> bool {
    [&b"."[..], b"/", b"~"]
        .iter()
        .any(|start| word.as_bytes().starts_with(start))
}

impl Line<'_> {
    /// The names of lanes to start: what `-b` names, else what is no path, else where paths end.
    pub(super) fn names(&self) -> Vec<OsString> {
        if let Some((name, from)) = self.created_from() {
            let base = from.into_iter().flat_map(|from| ["--base".into(), from]);
            return std::iter::once(name).chain(base).collect();
        }
        let words = || self.after.iter().filter(|word| !is_option(word));
        let plain: Vec<OsString> = words().filter(|word| !is_path(word)).cloned().collect();
        let ends = || words().filter_map(|word| Path::new(word).file_name());
        match plain.is_empty() {
            true => ends().map(OsStr::to_owned).collect(),
            false => plain,
        }
    }

    /// The branch that git-switch(1), git-checkout(1) or git-worktree(1) would create: to `start`,
    /// `-b` is something else.
    pub(super) fn creates(&self) -> Option<OsString> {
        let of_git = ["switch", "checkout", "co", "add", "branch"];
        if !of_git.contains(&&*self.verb) {
            return None;
        }
        let is_it = |word: &OsString| {
            let creating = ["-b", "-B", "-c", "--create", "--orphan"];
            creating.iter().any(|known| word == known)
        };
        let at = self.after.iter().position(is_it)?;
        self.after.get(at + 1).cloned()
    }

    /// The branch that would be created, and what it would start from.
    fn created_from(&self) -> Option<(OsString, Option<OsString>)> {
        let words = || self.after.iter().filter(|word| !is_option(word));
        let Some(name) = self.creates() else {
            let mut words = words().cloned();
            let name = words.next().filter(|_| self.verb == "branch")?;
            return Some((name, words.next()));
        };
        // The worktree that git would make is a path.
        let mut others = words().filter(|word| **word != name && !is_path(word));
        let from = others.next().cloned();
        Some((name, from))
    }

    /// Whether git would delete or move a branch.
    pub(super) fn is_another_thing(&self) -> bool {
        let other = |word: &OsString| {
            let known = ["-d", "-D", "--delete", "-m", "-M", "--move", "-c", "-C"];
            known.iter().any(|known| word == known)
        };
        self.verb == "branch" && self.after.iter().any(other)
    }
}
