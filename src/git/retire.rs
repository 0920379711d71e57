//! A stand-in until the trash room is merged: moves a lane into the trash without any of that room's care.

use crate::domain::integration::Integration;
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::error::{Error, IoContext, Result};
use crate::git::metadata::Edit;
use crate::git::refs::RefChange;
use crate::git::repository::Repository;

/// Why a lane goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It landed, or had landed before.
    Finished,
    /// Somebody dropped it.
    Dropped,
    /// Prune found it done.
    Pruned,
}

/// What is to be retired.
#[derive(Debug)]
pub struct Retirement<'a> {
    /// The lane.
    pub lane: &'a Lane,
    /// Its worktree, where it still has one.
    pub worktree: Option<&'a Worktree>,
    /// Why.
    pub reason: Reason,
    /// How we know that its work is in the base.
    pub proof: Option<Integration>,
    /// The tip the decision was based on; another one is a refusal.
    pub expected_tip: Option<ObjectId>,
    /// Delete its branch as well.
    pub delete_branch: bool,
}

/// A lane that is in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// What it is called there.
    pub trash_id: String,
}

/// Moves a lane into the trash.
pub fn retire(repository: &Repository, retirement: &Retirement<'_>) -> Result<Retired> {
    let trash_id = super::journal::unique_id();
    let lane = retirement.lane;
    if let Some(worktree) = retirement.worktree.filter(|worktree| worktree.state == WorktreeState::Present) {
        let trash = repository.lane_dir().join("trash").join(&trash_id);
        std::fs::create_dir_all(&trash).context("create", &trash)?;
        std::fs::rename(&worktree.path, trash.join("files")).context("move", &worktree.path)?;
        std::fs::rename(&worktree.git_dir, trash.join("admin")).context("move", &worktree.git_dir)?;
    }
    let mut changes = Vec::new();
    if let Some(tip) = retirement.expected_tip {
        let name = format!("refs/lane/trash/{trash_id}");
        let name = RefName::parse(name.as_bytes().into()).ok_or_else(|| Error::git("not a ref name"))?;
        changes.push(RefChange { name, from: None, to: Some(tip) });
    }
    if let Some(branch) = lane.branch.as_ref().filter(|_| retirement.delete_branch) {
        changes.push(RefChange { name: branch.into(), from: retirement.expected_tip, to: None });
    }
    repository.change_refs(&changes, "lane: retire")?;
    let mut edit = Edit::begin(repository.common_dir())?;
    edit.remove(&lane.name);
    edit.commit()?;
    Ok(Retired { trash_id })
}
