//! What git-lane believes about a repository, checked against what git says about it.

mod evidence;
mod history;
mod status;

use std::path::Path;

use git_lane::internals::Git;

use crate::support::{Sandbox, git_program};

/// An empty repository on branch `main`; each commit is a minute later than the one before.
fn repository() -> Sandbox {
    let sandbox = Sandbox::empty().ticking();
    sandbox.git(["init", "-q", "-b", "main"]);
    sandbox
}

/// The git under test, as the engines take it.
fn git() -> Git {
    Git::new(git_program().into_os_string())
}

impl Sandbox {
    /// Opens the repository without looking at the environment of the test process.
    fn open(&self) -> gix::Repository {
        self.open_at(&self.repo)
    }

    /// Opens the repository at `path`.
    fn open_at(&self, path: &Path) -> gix::Repository {
        gix::open_opts(path, gix::open::Options::isolated()).expect("a repository")
    }

    /// The object a revision names.
    fn id(&self, revision: &str) -> gix::ObjectId {
        gix::ObjectId::from_hex(self.git(["rev-parse", revision]).as_bytes()).expect("an object id")
    }
}
