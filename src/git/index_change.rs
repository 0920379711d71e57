//! The hook post-index-change: a git that works on an index of git-lane's own runs no hook, and the hook hears once, as from
//! git, of the index that is put in force together with the files.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;

use bstr::BStr;

use super::command::Invocation;
use super::repository::Repository;
use crate::domain::lane::Worktree;

/// Its name.
const HOOK: &str = "post-index-change";

/// What git-githooks(5) has it told: the files of the worktree were written too, and nothing is newly left out of them.
const WITH_FILES: [&str; 2] = ["1", "0"];

/// Settings, as arguments, under which a git runs no hook: neither one of a directory, nor those called `configured`, which
/// git has in its configuration from 2.54 on.
pub(super) fn no_hooks<'a>(configured: impl IntoIterator<Item = &'a BStr>) -> Vec<OsString> {
    let names: BTreeSet<&BStr> = configured.into_iter().collect();
    let mut options = vec!["-c".into(), "core.hooksPath=/dev/null".into()];
    // `-c` ends the key at the first such sign.
    for name in names.into_iter().filter(|name| !name.contains(&b'=')) {
        let setting = bstr::concat([&b"hook."[..], name, b".enabled=false"]);
        options.extend([OsString::from("-c"), OsStr::from_bytes(&setting).to_owned()]);
    }
    options
}

/// The same with the hooks that are configured in `repo`.
pub(super) fn no_hooks_of(repo: &gix::Repository) -> Vec<OsString> {
    let config = repo.config_snapshot();
    let sections = config.plumbing().sections_by_name("hook").into_iter().flatten();
    let names: Vec<&BStr> = sections.filter_map(|section| section.header().subsection_name()).collect();
    no_hooks(names)
}

impl Invocation {
    /// Has this git run no hook.
    pub(super) fn without_hooks(self, repository: &Repository) -> Self {
        self.args(no_hooks_of(&repository.gix))
    }

    /// Has this git work on an index that no hook knows of.
    pub(super) fn on_own_index(self, repository: &Repository, index: &Path) -> Self {
        self.without_hooks(repository).env("GIT_INDEX_FILE", index)
    }
}

impl Repository {
    /// Whether the hook is there for a git that runs at the top of the worktree at `path`.
    pub(super) fn has_index_hook(&self, path: &Path, git_dir: &Path) -> bool {
        self.has_hook_in(path, git_dir, HOOK)
    }

    /// Tells the hook that index and files of `worktree` are other ones now, by a `git` of the command that git would have
    /// run. git does not ask what it answers either.
    pub(super) fn tell_of_index(&self, worktree: &Worktree, git: Invocation) {
        if self.has_index_hook(&worktree.path, &worktree.git_dir) {
            let hook = git.args(["hook", "run", "--ignore-missing", HOOK, "--"]).args(WITH_FILES);
            let _ = hook.interactive(Stdio::null());
        }
    }

    /// The same for the worktree at `path` that was just made: `git worktree add` has a child in it write files and index.
    pub fn tell_of_new_index(&self, path: &Path) {
        if !self.has_hook(HOOK) {
            return;
        }
        let made = self.worktrees().unwrap_or_default().into_iter().find(|worktree| worktree.path == path);
        if let Some(made) = made {
            let git = self.git.at(path).env("GIT_DIR", &made.git_dir).env("GIT_WORK_TREE", ".");
            self.tell_of_index(&made, git);
        }
    }
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;

    use super::*;

    #[test]
    fn hooks_of_the_configuration_are_switched_off_by_name() {
        let names = ["b c", "a", "x=y", "a"].map(|name| name.as_bytes().as_bstr());
        let expected = ["-c", "core.hooksPath=/dev/null", "-c", "hook.a.enabled=false", "-c", "hook.b c.enabled=false"];
        assert_eq!(no_hooks(names), expected);
    }
}
