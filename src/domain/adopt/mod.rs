//! Whether a worktree that another program made can become a lane where it is, and under which
//! name; pure.
//!
//! Called by `operations/adopt`; `adopt_refusal` words why not.

mod adopt_refusal;
mod naming;

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub use adopt_refusal::Refusal;
pub use naming::{Naming, name};

use super::lane::{Head, Lane, RefName, Worktree, WorktreeState, user_of};
use super::name::{BranchName, LaneName};
use super::retire::{Places, place};
use super::shell_word::{quote, quote_bytes};

/// What is known of a worktree that is to become a lane.
#[derive(Debug)]
pub struct Facts<'a> {
    /// It.
    pub worktree: &'a Worktree,
    /// Every worktree of the repository.
    pub all: &'a [Worktree],
    /// Every lane.
    pub lanes: &'a [Lane],
    /// A record that cannot be used and names this worktree or its branch.
    pub damaged_record: Option<String>,
    /// Where the directory of a missing worktree was found.
    pub found_at: Option<PathBuf>,
}

/// The branch that is worked on in a worktree: the one it has checked out, or the one that a rebase
/// or a bisection there comes back to.
pub fn branch_of(worktree: &Worktree) -> Option<&BranchName> {
    match &worktree.head {
        Head::Branch(branch) => Some(branch),
        Head::Detached(_) => worktree.held.first(),
        Head::Other(_) => None,
    }
}

/// The lane whose worktree it is.
pub fn lane_of<'a>(worktree: &Worktree, all: &[Worktree], lanes: &'a [Lane]) -> Option<&'a Lane> {
    let is_in = |lane: &&Lane| {
        place(lane, all)
            .worktree()
            .is_some_and(|own| own.git_dir == worktree.git_dir)
    };
    lanes.iter().find(is_in)
}

/// The git directories of the worktrees that are lanes'.
pub fn git_dirs_of_lanes<'a>(all: &'a [Worktree], lanes: &[Lane]) -> HashSet<&'a Path> {
    let places = Places::of(all);
    let own = lanes
        .iter()
        .filter_map(|lane| places.place(lane).worktree());
    own.map(|worktree| worktree.git_dir.as_path()).collect()
}

/// Refuses a worktree that cannot become a lane as it is.
pub fn ensure_adoptable(facts: &Facts<'_>) -> Result<(), Refusal> {
    let worktree = facts.worktree;
    let path = || worktree.path.clone();
    if worktree.id.is_none() {
        return Err(Refusal::Main(path()));
    }
    if let Some(lane) = lane_of(worktree, facts.all, facts.lanes) {
        return Err(Refusal::OfLane(path(), lane.name.clone()));
    }
    if let Some(section) = &facts.damaged_record {
        return Err(Refusal::DamagedRecord(path(), section.clone()));
    }
    match &worktree.state {
        WorktreeState::Present => {}
        WorktreeState::Damaged(why) => return Err(Refusal::Damaged(path(), why.clone())),
        _ => return Err(Refusal::Gone(path(), facts.found_at.clone())),
    }
    if let Head::Other(_) = worktree.head {
        return Err(Refusal::StrangeHead(path()));
    }
    let Some(branch) = branch_of(worktree) else {
        return Ok(());
    };
    let owner = facts
        .lanes
        .iter()
        .find(|lane| lane.branch.as_ref() == Some(branch));
    if let Some(owner) = owner {
        return Err(Refusal::BranchOwned(branch.clone(), owner.name.clone()));
    }
    let others: Vec<Worktree> = facts
        .all
        .iter()
        .filter(|other| other.git_dir != worktree.git_dir)
        .cloned()
        .collect();
    match user_of(branch, &others) {
        Some(other) => Err(Refusal::BranchElsewhere(branch.clone(), other.path.clone())),
        None => Ok(()),
    }
}

/// Refuses a base that is the lane's own branch: it would land on itself.
pub fn ensure_other_than(branch: &BranchName, base: Option<&RefName>) -> Result<(), Refusal> {
    match base == Some(&RefName::from(branch)) {
        true => Err(Refusal::IsBase(branch.clone())),
        false => Ok(()),
    }
}

/// Whether a start is filling the worktree right now, in the hidden directory where git makes it.
pub fn is_being_made(worktree: &Worktree) -> bool {
    let hidden = worktree.path.parent().and_then(Path::file_name);
    hidden.is_some_and(|name| name.as_bytes().starts_with(b".lane-"))
}

/// The command that makes a lane of a worktree again.
pub fn adopt_again(lane: &LaneName, path: &Path) -> String {
    let path = quote_bytes(path.as_os_str().as_bytes());
    format!("git lane adopt {path} --name {}", quote(lane))
}

/// The command that takes away a worktree that git-lane leaves in its place.
pub fn remove_by_git(path: &Path) -> String {
    let path = quote_bytes(path.as_os_str().as_bytes());
    format!("git worktree remove {path}")
}

#[cfg(test)]
mod adopt_table;
