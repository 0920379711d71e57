//! The intent of a rename or a move: complete enough for the next git-lane command to carry it on, or
//! to take it back.
//!
//! Called by [`super`], which acts on it, and by `recover`.

use std::path::PathBuf;

use bstr::BStr;
use serde::{Deserialize, Serialize};

use super::Relocation;
use super::directory_move::DirectoryMove;
use crate::domain::event::End;
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree, hex, lossless_path};
use crate::domain::record_change::RecordChange;
use crate::error::{Error, Result};
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::{Repository, exclude};
use crate::store::journal::{About, Announce, unique_id};

/// What is about to happen, complete enough for another process to carry it on or take it back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "relocate")]
pub struct Intent {
    /// Names the directory in which the reflog waits.
    pub(super) id: String,
    /// The record before.
    pub(super) before: Lane,
    /// The record after.
    pub(super) after: Lane,
    /// The branch's commit, where it gets another name.
    pub(super) tip: Option<Tip>,
    /// Whether HEAD goes along.
    pub(super) with_head: bool,
    /// The lane's admin directory, where it has one.
    pub(super) admin: Option<Admin>,
    /// How the directory goes.
    pub(super) directory: Option<DirectoryMove>,
}

/// A commit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tip(#[serde(with = "hex")] pub(super) ObjectId);

/// An admin directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Admin(#[serde(with = "lossless_path")] pub(super) PathBuf);

impl Intent {
    pub(super) fn of(repository: &Repository, relocation: &Relocation) -> Result<Self> {
        let Relocation { plan, worktree, .. } = relocation;
        let on_branch = |worktree: &Worktree| {
            let branch = plan.branch.as_ref();
            branch.is_some_and(|branch| worktree.head.branch() == Some(&branch.from))
        };
        let moves = worktree.as_ref().filter(|_| plan.moves_directory());
        let directory = moves
            .map(|worktree| {
                exclude::ensure_writable(repository, &plan.after.worktree)?;
                DirectoryMove::new(worktree, &plan.after.worktree)
            })
            .transpose()?;
        Ok(Intent {
            id: unique_id(),
            before: plan.before.clone(),
            after: plan.after.clone(),
            tip: plan.branch.as_ref().map(|branch| Tip(branch.tip)),
            with_head: worktree.as_ref().is_some_and(on_branch),
            admin: worktree
                .as_ref()
                .map(|worktree| Admin(worktree.git_dir.clone())),
            directory,
        })
    }

    /// The lane's record, as it was.
    pub fn lane(&self) -> &Lane {
        &self.before
    }

    /// How the event log says that it ended.
    pub fn changed(&self) -> End {
        End {
            result: self.tip.map(|Tip(tip)| tip),
            changed: Some(RecordChange::between(&self.before, &self.after)),
            ..End::default()
        }
    }

    pub(super) fn what(&self) -> String {
        let name = &self.before.name;
        match &self.after.name {
            same if same == name => format!("the move of lane '{name}'"),
            new => format!("the rename of lane '{name}' to '{new}'"),
        }
    }

    pub(super) fn room(&self, repository: &Repository) -> PathBuf {
        repository.lane_dir().join("staging").join(&self.id)
    }

    /// The ref that keeps the branch's commit while neither of its names is there.
    pub(super) fn keeper(&self) -> Result<RefName> {
        let name = RefName::parse(BStr::new(&format!("refs/lane/rename/{}", self.id)));
        name.ok_or_else(|| Error::environment("cannot name the ref of a rename"))
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        let branches = [&self.before, &self.after].map(|lane| lane.branch.as_ref());
        let mut lanes = vec![self.before.name.clone()];
        lanes.extend(Some(self.after.name.clone()).filter(|name| *name != self.before.name));
        About {
            what: self.what(),
            lanes,
            bases: branches.into_iter().flatten().map(RefName::from).collect(),
            ..About::default()
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.id("id", &self.id);
        assertions.id("lane id", self.before.id.as_str());
        let same = self.before.id == self.after.id;
        assertions.that("lane", &self.after.name, same);
        if let Some(Admin(admin)) = &self.admin {
            assertions.admin("admin directory", admin);
        }
        if let Some(directory) = &self.directory {
            assertions.place("old directory", &directory.from);
            assertions.place("new directory", &directory.to);
            let ends = (&self.before.worktree, &self.after.worktree);
            let fits = ends == (&directory.from, &directory.to) && self.admin.is_some();
            assertions.that("directory", directory.to.display(), fits);
        }
    }
}
