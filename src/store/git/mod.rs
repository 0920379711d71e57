//! The only place that starts git.
//!
//! A [`Git`] makes an [`Invocation`] for a place; a method for each git command says what it is to
//! do and returns what it answers, parsed. Everything git exports to hooks and would redirect a
//! child to another worktree is removed from the environment; arguments are passed as they are,
//! never through a shell; git's own stderr becomes the text of the error.
//!
//! Everything above calls it.

pub mod child_of_git;
mod diff_commands;
mod environment;
mod index_commands;
mod invocation;
mod merge_commands;
mod object_commands;
mod ref_commands;
mod remote_commands;
mod setting_commands;
pub mod settings;
mod status_commands;
pub mod version;
pub mod without_hooks;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use version::Version;

pub use diff_commands::FileChange;
pub(in crate::store) use environment::scrub;
pub use environment::{IN_HOOK, INHERITED_DIR, INHERITED_WORK_TREE, start_over};
pub use invocation::{Invocation, failure, writing_objects};
pub use merge_commands::Stage;
pub use object_commands::{Merged, TreeEntry};
pub use remote_commands::PrePush;
pub use status_commands::Untracked;

/// No options, no paths, no names.
pub const NONE: [&str; 0] = [];

/// The git program and what is known of it.
#[derive(Debug, Clone)]
pub struct Git {
    program: OsString,
    version: Arc<OnceLock<Version>>,
    /// Held by the one that asks for the version; the others wait for its answer.
    asking: Arc<Mutex<()>>,
}

impl Default for Git {
    /// `GIT_LANE_GIT` where it is set, else `git` from PATH. Entries of PATH that depend on the
    /// current directory are passed over: what a repository tracks must not be run because it is
    /// called git.
    fn default() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories = || std::env::split_paths(&path);
        let program = if let Some(chosen) = chosen() {
            chosen
        } else if directories().all(|directory| directory.is_absolute()) {
            "git".into()
        } else {
            let mut files = directories()
                .filter(|directory| directory.is_absolute())
                .map(|directory| directory.join("git"));
            let found = files.find(|file| file.is_file());
            found.unwrap_or_else(|| "/usr/bin/git".into()).into()
        };
        Git::new(program)
    }
}

fn chosen() -> Option<OsString> {
    std::env::var_os("GIT_LANE_GIT").filter(|path| !path.is_empty())
}

impl Git {
    /// The git that is started as `program`.
    pub fn new(program: impl Into<OsString>) -> Self {
        Git {
            program: program.into(),
            version: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// Whether the user chose the program by `GIT_LANE_GIT`.
    pub fn is_chosen() -> bool {
        chosen().is_some()
    }

    /// An invocation of git in `directory`.
    pub fn at(&self, directory: &Path) -> Invocation {
        let mut command = Command::new(&self.program);
        command.current_dir(directory);
        environment::scrub(&mut command);
        Invocation::new(command)
    }

    /// An invocation of git in a worktree, whatever its `.git` says.
    pub fn in_worktree(&self, worktree: &Path, git_dir: &Path) -> Invocation {
        let mut invocation = self.at(worktree);
        environment::stand_in(&mut invocation.command, worktree, git_dir);
        invocation
    }
}
