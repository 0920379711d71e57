//! Whether a lane may be started, and what that takes.
//!
//! Called by `commands/start` with what `operations/start` and `repository/revision` have
//! gathered.

mod agreement;
mod start_refusal;
mod templates;

use std::path::PathBuf;

pub use crate::domain::start::start_refusal::Refusal;
pub use templates::{branch_name, worktree_path};

use agreement::agree;

use super::claim::{Claim, Standing};
use super::lane::{Lane, ObjectId, RefName};
use super::name::{BranchName, LaneName};
use super::parameter::Parameter;
use crate::domain::trash_entry::Setting;

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The lane's name.
    pub name: LaneName,
    /// The branch; `None`: started with `--detach`.
    pub branch: Option<BranchName>,
    /// Whether branch, base or path were asked for by name, so that an existing lane must agree
    /// with them.
    pub explicit: Explicit,
    /// Who will work there.
    pub owner: Option<String>,
    /// What for.
    pub task: Option<String>,
    /// The parameters it is started with.
    pub parameters: Vec<Parameter>,
    /// Whether it is for looking and running alone.
    pub read_only: bool,
    /// The claim that it begins with.
    pub claim: Option<Claim>,
    /// Whether no other living lane may have its task.
    pub unique: bool,
}

/// Which of the request's parts were asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Explicit {
    /// `--branch`, or `--detach` as `Some(None)`.
    pub branch: Option<Option<BranchName>>,
    /// `--base`, resolved.
    pub base: Option<Base>,
    /// `--path`, absolute.
    pub path: Option<PathBuf>,
    /// `--owner`
    pub owner: Option<String>,
    /// `--task`
    pub task: Option<String>,
    /// `--set`, where any was given.
    pub parameters: Option<Vec<Parameter>>,
    /// `--read-only`
    pub read_only: bool,
}

/// Where a lane starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The ref, unless a bare commit was named.
    pub name: Option<RefName>,
    /// Its commit.
    pub commit: ObjectId,
}

/// What a base lacks of the branch that it follows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Behind {
    /// The remote-tracking branch.
    pub upstream: RefName,
    /// How many commits of that the base has not.
    pub behind: usize,
    /// How many commits the base has that are not there.
    pub ahead: usize,
    /// Why it was not brought up to date, where that was asked for, as a word for scripts.
    pub code: Option<&'static str>,
}

impl std::fmt::Display for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (count, upstream) = (self.behind, &self.upstream);
        let commits = if count == 1 { "commit" } else { "commits" };
        match self.ahead {
            0 => write!(f, "{count} {commits} behind '{upstream}'"),
            ahead => write!(
                f,
                "{count} {commits} behind '{upstream}' and {ahead} ahead of it"
            ),
        }
    }
}

/// What the repository says about the request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The lane of that name.
    pub existing: Option<Lane>,
    /// What is wrong with the existing lane's worktree.
    pub existing_broken: Option<Broken>,
    /// How the claim on the existing lane stands to the one who asks.
    pub standing: Standing,
    /// Another lane whose name is one with this one here.
    pub alike: Option<LaneName>,
    /// Another lane that has the same task.
    pub task_taken_by: Option<LaneName>,
    /// The base to start from.
    pub base: Base,
    /// The branch's tip, where it exists.
    pub branch_tip: Option<ObjectId>,
    /// The worktree that has the branch checked out, or is rebasing or bisecting it.
    pub branch_used_by: Option<PathBuf>,
    /// Another lane that owns the branch.
    pub branch_owned_by: Option<LaneName>,
    /// A branch whose name makes this one impossible.
    pub conflicting_branch: Option<BranchName>,
    /// What the remotes have of a branch that does not exist here.
    pub of_remote: OfRemote,
    /// Where the worktree would go.
    pub target: Target,
}

/// What the remotes have of a branch that does not exist here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfRemote {
    /// Nothing, or it is not asked for.
    Nothing,
    /// One of them has it, or is meant.
    One(Box<Upstream>),
    /// Each of these mirrors one.
    Several(Vec<RefName>),
    /// The name is that of a remote-tracking branch; the branch itself is called so.
    Named(RefName, BranchName),
    /// The name is that of a remote-tracking branch of this remote, which has no such branch as far
    /// as was fetched; the branch itself would be called so.
    Missing(String, BranchName),
}

/// A remote's branch that a new one is made from, and follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The ref that mirrors it.
    pub tracking: RefName,
    /// Its commit.
    pub commit: ObjectId,
    /// What git records about the new branch.
    pub settings: Vec<Setting>,
}

/// Why an existing lane's worktree cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// There is nothing at its place.
    Gone,
    /// It is there, and git does not know it, or something between it and git is damaged.
    Damaged(PathBuf, String),
    /// The user moved it there without telling git.
    Moved(PathBuf),
}

/// A place for a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The absolute path.
    pub path: PathBuf,
    /// What is there.
    pub state: TargetState,
}

/// What is at a path a worktree should go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// Nothing, or an empty directory.
    Free,
    /// Nothing at all may be there where a tracked policy names the place, and this is.
    NotNew,
    /// Tracked files, or a symbolic link on the way, where a tracked policy wants worktrees.
    InTheRepository(PathBuf),
    /// Something else.
    Occupied,
    /// A symbolic link.
    Symlink,
    /// Inside a git directory.
    InsideGitDirectory,
    /// Inside another linked worktree.
    InsideWorktree(PathBuf),
    /// It cannot be created: too long, or a parent is no directory.
    Impossible(String),
}

/// What a start will do.
#[derive(Debug, Clone)]
pub enum Plan {
    /// The lane is there already.
    Exists(Box<Lane>),
    /// It has to be made.
    Create(Box<Creation>),
}

/// A lane to be made.
#[derive(Debug, Clone)]
pub struct Creation {
    /// What is not recorded yet: everything but id and time.
    pub request: Request,
    /// Where it starts.
    pub base: Base,
    /// The commit its worktree shows: the base's, or that of an adopted branch or a remote's.
    pub commit: ObjectId,
    /// Whether the branch is new.
    pub new_branch: bool,
    /// What the new branch is made from and follows, where that is not the base.
    pub upstream: Option<Upstream>,
    /// Where the worktree goes.
    pub path: PathBuf,
}

/// Decides.
pub fn plan(request: Request, facts: Facts) -> Result<Plan, Refusal> {
    if let (Some(task), Some(lane), true) = (&request.task, facts.task_taken_by, request.unique) {
        return Err(Refusal::TaskTaken(task.clone(), lane));
    }
    if let Some(lane) = facts.existing {
        agree(&request, &lane, &facts.standing)?;
        if let Some(broken) = facts.existing_broken {
            return Err(Refusal::Broken(lane.name, broken));
        }
        return Ok(Plan::Exists(Box::new(lane)));
    }
    if let Some(other) = facts.alike {
        return Err(Refusal::Alike(request.name, other));
    }
    if let Some(branch) = &request.branch {
        if let Some(owner) = facts.branch_owned_by {
            return Err(Refusal::BranchOwned(branch.clone(), owner));
        }
        if let Some(path) = facts.branch_used_by {
            return Err(Refusal::BranchInUse(branch.clone(), path));
        }
        if let Some(other) = facts.conflicting_branch {
            return Err(Refusal::BranchConflict(branch.clone(), other));
        }
    }
    let upstream = match (facts.of_remote, &request.branch) {
        (OfRemote::Named(tracking, branch), _) => {
            return Err(Refusal::RemoteBranch(tracking, branch));
        }
        (OfRemote::Missing(remote, named), Some(branch)) => {
            return Err(Refusal::NoRemoteBranch {
                remote,
                named,
                branch: branch.clone(),
            });
        }
        (OfRemote::Several(all), Some(branch)) => {
            return Err(Refusal::SeveralRemotes(request.name, branch.clone(), all));
        }
        (OfRemote::One(upstream), Some(_)) => Some(*upstream),
        _ => None,
    };
    if facts.target.state != TargetState::Free {
        return Err(Refusal::Path(facts.target.path, facts.target.state));
    }
    let adopted = request.branch.as_ref().and(facts.branch_tip);
    Ok(Plan::Create(Box::new(Creation {
        commit: adopted
            .or(upstream.as_ref().map(|upstream| upstream.commit))
            .unwrap_or(facts.base.commit),
        upstream,
        new_branch: request.branch.is_some() && adopted.is_none(),
        base: facts.base,
        path: facts.target.path,
        request,
    })))
}

#[cfg(test)]
mod start_table;
