//! Whether a lane may be renamed or moved, and what goes along: record, branch, directory; pure.
//!
//! Called by `operations/relocate` with what it has gathered.

mod relocate_refusal;

use std::path::PathBuf;

pub use relocate_refusal::Refusal;

use super::lane::{Lane, ObjectId, RefName};
use super::name::{BranchName, LaneName};
use super::start::{Target, TargetState, branch_name};
use super::status::Operation;

/// What a lane is to be called, and what of it was asked for by name.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// The lane.
    pub lane: &'a Lane,
    /// Its name from then on.
    pub name: &'a LaneName,
    /// `--branch`
    pub branch: Option<&'a BranchName>,
    /// The policy's template of branches.
    pub template: Option<&'a str>,
}

impl Naming<'_> {
    /// The branch of the lane from then on: the one that was asked for; else the one that follows from the
    /// new name as the old one follows from the old name; else the old one. What git-lane has not made
    /// keeps its branch.
    pub fn branch_after(&self) -> Option<BranchName> {
        let own = self.lane.branch.as_ref()?;
        if let Some(asked) = self.branch {
            return Some(asked.clone());
        }
        let owner = self.lane.owner.as_deref();
        let of = |template: &str, name: &LaneName| {
            BranchName::parse(branch_name(template, name, owner).as_str().into()).ok()
        };
        let plain = "{name}";
        let templates = self.template.into_iter().chain([plain]);
        let mut followed =
            templates.filter(|template| of(template, &self.lane.name).as_ref() == Some(own));
        let template = followed
            .next()
            .filter(|_| !self.lane.adopted && *self.name != self.lane.name);
        let follows = template.and_then(|template| of(template, self.name));
        Some(follows.unwrap_or_else(|| own.clone()))
    }
}

/// What the repository says about a branch that is to get another name.
#[derive(Debug, Clone, Default)]
pub struct BranchFacts {
    /// Its commit.
    pub tip: Option<ObjectId>,
    /// Whether it is only another name of a branch.
    pub is_alias: bool,
    /// Whether the new name is a branch's.
    pub exists: bool,
    /// The lane that records the new name as its branch.
    pub owned_by: Option<LaneName>,
    /// A branch beside which the new one cannot be.
    pub conflicting: Option<BranchName>,
    /// Another worktree that has it checked out, or will write to it.
    pub used_by: Option<PathBuf>,
    /// What is in progress in the lane: it knows the branch by its name.
    pub operation: Option<Operation>,
    /// A symbolic ref that leads to the branch.
    pub alias: Option<RefName>,
}

/// What the repository says about a lane that is to be renamed or moved.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// How it is to be called.
    pub naming: Naming<'a>,
    /// Whether another lane, or a record that cannot be used, has the new name.
    pub name_taken: bool,
    /// The branch, where it is to get another name.
    pub branch: Option<BranchFacts>,
    /// Where the directory is to go, where that is elsewhere.
    pub target: Option<Target>,
    /// Why the directory cannot be moved.
    pub stays: Option<super::retire::Refusal>,
    /// Whether the directory is there.
    pub is_there: bool,
    /// Where in it the first of its submodules is.
    pub submodule: Option<PathBuf>,
    /// Where in it the first other repository is that must stay where it is.
    pub bound: Option<PathBuf>,
    /// Whether it waits to land.
    pub is_queued: bool,
    /// The branch that it is based on, be it that this is gone.
    pub base: Option<BranchName>,
    /// The branch that the main worktree stays on.
    pub home: Option<BranchName>,
}

/// A branch with another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBranch {
    /// What it is called.
    pub from: BranchName,
    /// What it is to be called.
    pub to: BranchName,
    /// Its commit.
    pub tip: ObjectId,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The record as it is.
    pub before: Lane,
    /// The record as it will be.
    pub after: Lane,
    /// The branch, where it gets another name.
    pub branch: Option<NewBranch>,
}

impl Plan {
    /// Whether all of it is as it is to be.
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// Whether the directory goes elsewhere.
    pub fn moves_directory(&self) -> bool {
        self.before.worktree != self.after.worktree
    }
}

/// Decides.
pub fn plan(facts: Facts<'_>) -> Result<Plan, Refusal> {
    let Naming { lane, name, .. } = facts.naming;
    if facts.name_taken {
        return Err(Refusal::NameTaken(name.clone()));
    }
    let after = facts.naming.branch_after();
    if let Some(asked) = facts.naming.branch.filter(|_| lane.branch.is_none()) {
        return Err(Refusal::Detached(asked.clone()));
    }
    let branch = match (&lane.branch, &after, &facts.branch) {
        (Some(from), Some(to), Some(found)) if from != to => {
            if facts.base.as_ref() == Some(to) {
                return Err(Refusal::OwnBase(to.clone()));
            }
            if facts.home.as_ref() == Some(to) {
                return Err(Refusal::Home(to.clone()));
            }
            Some(new_branch(from, to, found)?)
        }
        _ => None,
    };
    let worktree = match facts.target {
        Some(target) => {
            if let Some(stays) = facts.stays {
                return Err(Refusal::Stays(Box::new(stays)));
            }
            if !facts.is_there {
                return Err(Refusal::NoWorktree(lane.worktree.clone()));
            }
            if let Some(submodule) = facts.submodule {
                let new = Some(name.clone()).filter(|name| *name != lane.name);
                return Err(Refusal::Submodule(lane.worktree.clone(), submodule, new));
            }
            if let Some(bound) = facts.bound {
                return Err(Refusal::Bound(bound));
            }
            if target.state != TargetState::Free {
                return Err(Refusal::Place(target));
            }
            target.path
        }
        None => lane.worktree.clone(),
    };
    let after = Lane {
        name: name.clone(),
        branch: after,
        worktree,
        ..lane.clone()
    };
    if facts.is_queued && after != *lane {
        return Err(Refusal::Queued);
    }
    Ok(Plan {
        before: lane.clone(),
        after,
        branch,
    })
}

fn new_branch(
    from: &BranchName,
    to: &BranchName,
    found: &BranchFacts,
) -> Result<NewBranch, Refusal> {
    if let Some(owner) = &found.owned_by {
        return Err(Refusal::BranchOwned(to.clone(), owner.clone()));
    }
    if found.exists {
        return Err(Refusal::BranchExists(to.clone()));
    }
    if let Some(other) = &found.conflicting {
        return Err(Refusal::BranchConflict(to.clone(), other.clone()));
    }
    if found.is_alias {
        return Err(Refusal::Alias(from.clone()));
    }
    if let Some(alias) = &found.alias {
        return Err(Refusal::LedTo(from.clone(), alias.clone()));
    }
    let Some(tip) = found.tip else {
        return Err(Refusal::BranchGone(from.clone()));
    };
    if let Some(path) = &found.used_by {
        return Err(Refusal::BranchElsewhere(from.clone(), path.clone()));
    }
    match found.operation {
        Some(operation) => Err(Refusal::InProgress(operation)),
        None => Ok(NewBranch {
            from: from.clone(),
            to: to.clone(),
            tip,
        }),
    }
}

#[cfg(test)]
mod relocate_table;
