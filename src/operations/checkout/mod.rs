//! What a landing and a switch share: both take the index and the files of a worktree that others
//! use from one commit to another.
//!
//! It knows neither of the two; they alone call it.

pub mod index_lock;
pub mod obstacles;
pub mod worktree_files;

use std::path::Path;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::domain::finish::Refusal;
use crate::domain::lane::{LaneId, ObjectId, Worktree, hex};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::Invocation;

/// A branch about to move: a base, or that of a lane.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// The branch.
    pub base: &'a BranchName,
    /// Its commit now.
    pub old: ObjectId,
    /// Its commit afterwards.
    pub new: ObjectId,
    /// Where this process has made that commit, and it may be gone where a gc knew nothing of it:
    /// the commit that its first parents lead to and that was there before.
    pub made_on: Option<ObjectId>,
    /// Why it moves.
    pub why: Why<'a>,
    /// The worktree that has it checked out.
    pub site: Option<&'a Worktree>,
    /// The line in the reflog.
    pub reason: &'a str,
    /// Where its files may be made ready.
    pub scratch: Option<&'a Scratch>,
    /// The intent of the caller under which it moves, by its name in the journal.
    pub under: Option<&'a str>,
}

/// Why a branch moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why<'a> {
    /// A lane lands on it.
    Landing,
    /// A landing is taken back: the commit afterwards is an ancestor of the commit now.
    Back,
    /// It is a lane's, and takes what is new on its base; the commit afterwards need not be a
    /// descendant of the commit now.
    Sync(&'a Synced),
    /// It takes what its upstream has.
    Forward,
}

/// What the record of a lane says once its branch has taken what is new on its base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// The lane.
    pub lane: LaneName,
    /// Its id.
    pub id: LaneId,
    /// The commit of the base that the lane has then.
    #[serde(with = "hex")]
    pub fork_point: ObjectId,
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
