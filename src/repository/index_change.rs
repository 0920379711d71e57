//! The hook post-index-change: a git that works on an index of git-lane's own runs no hook, and the
//! hook hears once, as from git, of the index that is put in force together with the files.

use std::path::Path;

use crate::domain::lane::Worktree;
use crate::repository::Repository;
use crate::store::git::Invocation;

/// Its name.
const HOOK: &str = "post-index-change";

/// What git-githooks(5) has it told: the files of the worktree were written too, and nothing is
/// newly left out of them.
const WITH_FILES: [&str; 2] = ["1", "0"];

impl Repository {
    /// Whether the hook is there for a git that runs at the top of the worktree at `path`.
    pub(crate) fn has_index_hook(&self, path: &Path, git_dir: &Path) -> bool {
        self.has_hook_in(path, git_dir, HOOK)
    }

    /// Tells the hook that index and files of `worktree` are other ones now, by a `git` of the
    /// command that git would have run. git does not ask what it answers either.
    pub(crate) fn tell_of_index(&self, worktree: &Worktree, git: Invocation) {
        if self.has_index_hook(&worktree.path, &worktree.git_dir) {
            let _ = git.run_hook(HOOK, WITH_FILES);
        }
    }

    /// The same for the worktree at `path` that was just made: `git worktree add` has a child in it
    /// write files and index.
    pub fn tell_of_new_index(&self, path: &Path) {
        if !self.has_hook(HOOK) {
            return;
        }
        let made = self
            .worktrees()
            .unwrap_or_default()
            .into_iter()
            .find(|worktree| worktree.path == path);
        if let Some(made) = made {
            let git = self
                .git
                .at(path)
                .env("GIT_DIR", &made.git_dir)
                .env("GIT_WORK_TREE", ".");
            self.tell_of_index(&made, git);
        }
    }
}
