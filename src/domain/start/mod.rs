//! Whether a lane may be started, and what that takes.
//!
//! Called by `commands/start` with what `operations/start` and `repository/revision` have
//! gathered.

mod start_refusal;

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bstr::{BStr, ByteSlice};

pub use crate::domain::start::start_refusal::Refusal;

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

/// What the repository says about the request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The lane of that name.
    pub existing: Option<Lane>,
    /// What is wrong with the existing lane's worktree.
    pub existing_broken: Option<Broken>,
    /// How the claim on the existing lane stands to the one who asks.
    pub standing: Standing,
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
#[derive(Debug, Clone)]
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

/// An existing lane must be what was asked for, as far as anything was.
fn agree(request: &Request, lane: &Lane, standing: &Standing) -> Result<(), Refusal> {
    let differs = |what, has: String| {
        Err(Refusal::Differs {
            name: lane.name.clone(),
            what,
            has,
        })
    };
    let explicit = &request.explicit;
    if let Some(branch) = &explicit.branch
        && *branch != lane.branch
    {
        return differs(
            "--branch",
            lane.branch
                .as_ref()
                .map_or("a detached HEAD".into(), |b| format!("branch '{b}'")),
        );
    }
    if let Some(base) = &explicit.base
        && (base.name != lane.base || (base.name.is_none() && base.commit != lane.fork_point))
    {
        return differs(
            "--base",
            lane.base
                .as_ref()
                .map_or("no base branch".into(), |base| format!("base '{base}'")),
        );
    }
    if let Some(path) = &explicit.path
        && *path != lane.worktree
    {
        return differs("--path", format!("path '{}'", lane.worktree.display()));
    }
    ensure_ones_own(request, lane, standing)?;
    if explicit.task.is_some() && explicit.task != lane.task {
        return differs(
            "--task",
            lane.task
                .as_ref()
                .map_or("no task".into(), |task| format!("task '{task}'")),
        );
    }
    if explicit.read_only && !lane.read_only {
        return differs("--read-only", "nothing against commits".into());
    }
    match &explicit.parameters {
        Some(asked) if !are_same(asked, &lane.parameters) => {
            differs("--set", told(&lane.parameters))
        }
        _ => Ok(()),
    }
}

/// The order in which parameters were given says nothing.
fn are_same(some: &[Parameter], others: &[Parameter]) -> bool {
    some.len() == others.len() && some.iter().all(|parameter| others.contains(parameter))
}

fn told(parameters: &[Parameter]) -> String {
    let all: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    match all.is_empty() {
        true => "no parameters".into(),
        false => format!("parameters '{}'", all.join(" ")),
    }
}

/// Whose a lane is, by its claim first and then by its record.
fn ensure_ones_own(request: &Request, lane: &Lane, standing: &Standing) -> Result<(), Refusal> {
    let owner = lane.owner.as_ref();
    let is_owner = owner.is_none() || owner == request.owner.as_ref();
    match (standing, &lane.claim) {
        // A record says who is to work there, the claim who does.
        (Standing::Own, _) => return Ok(()),
        (Standing::Others, Some(claim)) => {
            // Two of one name are told apart by who takes the claim, not by who looks.
            let is_namesake = request.owner.as_ref() == Some(&claim.holder) && is_owner;
            if request.claim.is_some() || !is_namesake {
                return Err(Refusal::Claimed(
                    Box::new(lane.clone()),
                    Box::new(claim.clone()),
                ));
            }
        }
        _ => {}
    }
    if request.explicit.owner.is_some() && request.explicit.owner != lane.owner {
        return Err(Refusal::Differs {
            name: lane.name.clone(),
            what: "--owner",
            has: owner.map_or("no owner".into(), |owner| format!("owner '{owner}'")),
        });
    }
    match owner.filter(|_| !is_owner) {
        Some(owner) => Err(Refusal::Owned {
            name: lane.name.clone(),
            owner: owner.clone(),
        }),
        None => Ok(()),
    }
}

/// The branch of a new lane by the policy's template. An owner is free text: what cannot stand in a
/// branch's name becomes `-`.
pub fn branch_name(template: &str, name: &LaneName, owner: Option<&str>) -> String {
    let owner: String = owner
        .unwrap_or("nobody")
        .split('/')
        .map(branch_part)
        .collect::<Vec<_>>()
        .join("/");
    // The owner's own text is no template.
    let pieces: Vec<String> = template
        .split("{owner}")
        .map(|piece| piece.replace("{name}", name.as_str()))
        .collect();
    pieces.join(&owner)
}

/// A text as one part of a branch's name, by the rules of git-check-ref-format(1).
fn branch_part(text: &str) -> String {
    let plain = |c: char| !(c.is_control() || c.is_whitespace() || "~^:?*[\\\"'@{}".contains(c));
    let mapped: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let mapped = mapped.split("..").collect::<Vec<_>>().join("-");
    let trimmed = mapped.trim_matches(['-', '.']);
    let trimmed = trimmed.strip_suffix(".lock").unwrap_or(trimmed);
    if trimmed.is_empty() {
        "nobody".into()
    } else {
        trimmed.into()
    }
}

/// The worktree's place by the policy's template, relative to the main worktree; `attempt` 2 and up
/// picks another directory for a name whose directory belongs to another lane.
pub fn worktree_path(template: &str, repo: &BStr, name: &LaneName, attempt: u32) -> PathBuf {
    let directory = match attempt {
        0 | 1 => name.directory_name(),
        n => format!("{}-{n}", name.directory_name()),
    };
    let path = template
        .as_bytes()
        .replace("{repo}", repo)
        .replace("{name}", &directory);
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(test)]
mod start_table;
