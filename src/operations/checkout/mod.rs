//! What a landing and a switch share: both take the index and the files of a worktree that others
//! use from one commit to another.
//!
//! It knows neither of the two; they alone call it.

pub mod index_lock;
pub mod obstacles;
pub mod worktree_files;

use std::path::Path;

use bstr::BString;

use crate::domain::finish::Refusal;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::Invocation;

/// A base about to move.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The branch.
    pub base: &'a BranchName,
    /// Its commit now.
    pub old: ObjectId,
    /// Its commit afterwards.
    pub new: ObjectId,
    /// Whether the landing has made that commit, and it may be gone where a gc knew nothing of it.
    pub fresh: bool,
    /// Whether it is the way back of a landing: then the commit afterwards is an ancestor of the
    /// commit now.
    pub back: bool,
    /// The worktree that has it checked out.
    pub site: Option<&'a Worktree>,
    /// The line in the reflog.
    pub reason: &'a str,
    /// Where its files may be made ready.
    pub scratch: Option<&'a Scratch>,
}

/// A two-way `git read-tree` in `site` on the index file `index`.
pub(crate) fn read_tree(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    options: &[&str],
    old: ObjectId,
    new: ObjectId,
) -> Result<std::process::Output> {
    on_index(repository, site, index)
        .reading_tree(options, [old, new])
        .output()
}

pub(crate) fn on_index(repository: &Repository, site: &Worktree, index: &Path) -> Invocation {
    repository
        .git_in(site)
        .on_own_index(&repository.gix, index)
        .hiding(&repository.gix, "GIT_INDEX_FILE")
}

/// The error that names what is in the way.
pub(crate) fn in_the_way(planned: &Move<'_>, site: &Worktree, files: &[BString]) -> Error {
    let files = files.to_vec();
    Refusal::InTheWay {
        base: planned.base.clone(),
        path: site.path.clone(),
        files,
    }
    .into()
}
