//! What the repository says about a lane that is to be started: `domain::start::Facts`, filled once for the
//! decision.
//!
//! Called by `commands/start`; the operation looks again.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::provenance::{WORKTREES, is_usual};
use super::revision::{repository_name, resolve};
use super::{claims, remote_branch};
use crate::domain::claim::Standing;
use crate::domain::lane::{Head, Lane, Worktree, WorktreeId, WorktreeState, user_of};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::name_rule::NameRule;
use crate::domain::retire::place;
use crate::domain::start::{self, Base, Broken, OfRemote, Target, TargetState};
use crate::error::Result;
use crate::policy::Policy;
use crate::repository::{Repository, tried};
use crate::store::exists;

/// The lanes and worktrees around a lane that is to be started: those that are there, and those that the
/// same command makes before it.
#[derive(Debug)]
pub struct Around {
    worktrees: Vec<Worktree>,
    lanes: Vec<Lane>,
    /// How many of the worktrees, and of the lanes, are there.
    there: (usize, usize),
}

impl Around {
    /// What is there now.
    pub fn of(repository: &Repository, worktrees: Vec<Worktree>) -> Result<Self> {
        let lanes = repository.records()?.lanes;
        let there = (worktrees.len(), lanes.len());
        Ok(Around {
            worktrees,
            lanes,
            there,
        })
    }

    /// The worktrees that are there.
    pub fn worktrees(&self) -> &[Worktree] {
        &self.worktrees[..self.there.0]
    }

    /// From now on the lane is planned for.
    pub fn expect(&mut self, lane: Lane) {
        let head = lane.branch.clone().map(Head::Branch);
        self.worktrees.push(Worktree {
            id: Some(WorktreeId(lane.id.as_str().into())),
            path: lane.worktree.clone(),
            git_dir: PathBuf::new(),
            head: head.unwrap_or(Head::Detached(lane.fork_point)),
            alias: None,
            held: Vec::new(),
            locked: None,
            state: WorktreeState::Present,
        });
        self.lanes.push(lane);
    }

    /// The branch of a planned lane beside which `branch` cannot exist.
    fn conflicting(&self, rule: NameRule, branch: &BranchName) -> Option<BranchName> {
        let mut planned = self.lanes[self.there.1..].iter();
        planned.find_map(|lane| {
            lane.branch
                .clone()
                .filter(|other| rule.exclude_each_other(other, branch))
        })
    }
}

/// What the repository, with what is around the lane, says about a request to start one.
pub fn facts(
    repository: &Repository,
    around: &Around,
    policy: &Policy,
    request: &start::Request,
    base: Base,
) -> Result<start::Facts> {
    let (lanes, worktrees) = (&around.lanes, &around.worktrees);
    let mut existing = lanes.iter().find(|lane| lane.name == request.name).cloned();
    let present = existing
        .as_ref()
        .and_then(|lane| place(lane, worktrees).present());
    let existing_broken = existing
        .as_ref()
        .filter(|_| present.is_none())
        .map(|lane| broken(repository, lane, worktrees));
    if let (Some(lane), Some(worktree)) = (&mut existing, present) {
        // git may have moved it.
        lane.worktree.clone_from(&worktree.path);
    }
    let standing = existing
        .as_ref()
        .map_or(Standing::Free, |lane| claims::standing(repository, lane));
    let mut facts = start::Facts {
        existing_broken,
        standing,
        alike: alike(repository, lanes, request),
        task_taken_by: task_taken_by(lanes, request),
        base,
        branch_tip: None,
        branch_used_by: None,
        branch_owned_by: None,
        conflicting_branch: None,
        of_remote: OfRemote::Nothing,
        target: match &request.explicit.path {
            Some(path) => target_at(repository, path, worktrees),
            None => usual_target(repository, policy, &request.name, lanes, worktrees)?,
        },
        existing,
    };
    if let Some(branch) = &request.branch {
        facts.branch_tip = repository.branch_tip(branch)?;
        let user = user_of(branch, worktrees).map(|worktree| worktree.path.clone());
        facts.branch_used_by = match user {
            // The main worktree comes back to it.
            None => tried::is_home(repository, branch)?.then(|| repository.main_site().0),
            user => user,
        };
        facts.branch_owned_by = lanes
            .iter()
            .find(|lane| lane.branch.as_ref() == Some(branch))
            .map(|lane| lane.name.clone());
        if facts.branch_tip.is_none() {
            let planned = around.conflicting(repository.name_rule(), branch);
            facts.conflicting_branch = planned.map_or_else(
                || repository.conflicting_branch(branch),
                |one| Ok(Some(one)),
            )?;
            facts.of_remote = of_remote(repository, request, branch)?;
        }
    }
    Ok(facts)
}

/// Another lane whose name is one with that of the request.
fn alike(repository: &Repository, lanes: &[Lane], request: &start::Request) -> Option<LaneName> {
    let (rule, name) = (repository.name_rule(), request.name.as_str());
    let is_alike =
        |lane: &&Lane| lane.name != request.name && rule.is_same(lane.name.as_str(), name);
    lanes.iter().find(is_alike).map(|lane| lane.name.clone())
}

/// Another lane that has the task of the request.
fn task_taken_by(lanes: &[Lane], request: &start::Request) -> Option<LaneName> {
    let task = request.task.as_ref()?;
    let taken = |lane: &&Lane| lane.task.as_ref() == Some(task) && lane.name != request.name;
    lanes.iter().find(taken).map(|lane| lane.name.clone())
}

/// What the remotes have of a branch that does not exist here. Who names a base wants a new branch
/// from there, and who names a branch that very one.
fn of_remote(
    repository: &Repository,
    request: &start::Request,
    branch: &BranchName,
) -> Result<OfRemote> {
    if let Some((tracking, branch)) = remote_branch::named(repository, branch)? {
        return Ok(OfRemote::Named(tracking, branch));
    }
    let guessed = match request.explicit.base {
        Some(_) => OfRemote::Nothing,
        None => remote_branch::guess(repository, branch)?,
    };
    // A policy may put all branches below the name of a remote.
    let is_typed = request.explicit.branch.is_none() && branch.as_bstr() == request.name.as_str();
    if guessed != OfRemote::Nothing || !is_typed {
        return Ok(guessed);
    }
    let missing = remote_branch::would_be(repository, branch);
    Ok(missing.map_or(OfRemote::Nothing, |(remote, named)| {
        OfRemote::Missing(remote, named)
    }))
}

/// What is wrong with the worktree of a lane that has none to work in.
fn broken(repository: &Repository, lane: &Lane, worktrees: &[Worktree]) -> Broken {
    let there = exists(&lane.worktree);
    let Some(worktree) = place(lane, worktrees).worktree() else {
        let unknown = || {
            Broken::Damaged(
                lane.worktree.clone(),
                "git does not list it as a worktree".into(),
            )
        };
        return if there { unknown() } else { Broken::Gone };
    };
    match &worktree.state {
        WorktreeState::Damaged(why) => Broken::Damaged(worktree.path.clone(), why.clone()),
        _ => crate::repository::find_worktree::find(repository, worktree)
            .map_or(Broken::Gone, Broken::Moved),
    }
}

/// The place that the user names for a worktree, and what is there now.
pub fn target_at(repository: &Repository, path: &Path, worktrees: &[Worktree]) -> Target {
    let path = resolve(path);
    Target {
        state: state_of(repository, &path, worktrees),
        path,
    }
}

/// The place that the policy has for the worktree of a lane of that name; of names that share a
/// directory each attempt has another one.
pub fn place_by_policy(
    repository: &Repository,
    policy: &Policy,
    name: &LaneName,
    attempt: u32,
) -> PathBuf {
    let (main, _) = repository.main_site();
    let repo = repository_name(&main);
    let relative = start::worktree_path(&policy.path, repo.as_bstr(), name, attempt);
    resolve(&main.join(relative))
}

/// Where the worktree of a lane of that name goes, and what is there now.
pub fn usual_target(
    repository: &Repository,
    policy: &Policy,
    name: &LaneName,
    lanes: &[Lane],
    worktrees: &[Worktree],
) -> Result<Target> {
    let mut attempt = 1;
    loop {
        let path = place_by_policy(repository, policy, name, attempt);
        let taken = |lane: &Lane| lane.worktree == path && lane.name != *name;
        let same_path = worktrees.iter().any(|worktree| worktree.path == path);
        // Another lane whose name leads to the same directory keeps it; this one gets the next.
        if lanes.iter().any(taken)
            || (same_path && attempt < 100 && lanes.iter().all(|lane| lane.worktree != path))
        {
            attempt += 1;
            continue;
        }
        let state = match state_of(repository, &path, worktrees) {
            TargetState::Free if policy.path_is_tracked => {
                tracked_state(repository, &repository.main_worktree()?, &path)?
            }
            state => state,
        };
        return Ok(Target { state, path });
    }
}

/// What speaks against a place that the tracked policy names: a stranger may have put something
/// there, or on the way.
fn tracked_state(repository: &Repository, main: &Worktree, path: &Path) -> Result<TargetState> {
    if exists(path) {
        return Ok(TargetState::NotNew);
    }
    let below = |directory: &str| {
        let home = main.path.join(directory);
        path.starts_with(&home).then_some(home)
    };
    let home = WORKTREES.iter().find_map(|known| below(known));
    let Some(home) = home.filter(|_| main.state == WorktreeState::Present) else {
        // A link has led away from where it should be.
        let is_inside = path.starts_with(&main.path) || !is_usual(repository, path);
        return Ok(if is_inside {
            TargetState::InTheRepository(path.to_owned())
        } else {
            TargetState::Free
        });
    };
    let named = home.strip_prefix(&main.path).unwrap_or(&home);
    let tracked = repository.git_in(main).has_in_any_case(named)?;
    let on_the_way = home.ancestors().take_while(|above| *above != main.path);
    let link = on_the_way
        .map(Path::to_owned)
        .find(|above| above.is_symlink());
    Ok(match link {
        Some(link) => TargetState::InTheRepository(link),
        None if tracked => TargetState::InTheRepository(home),
        None => TargetState::Free,
    })
}

fn state_of(repository: &Repository, path: &Path, worktrees: &[Worktree]) -> TargetState {
    if path.as_os_str().len() > 3900 {
        return TargetState::Impossible("the path is too long".into());
    }
    if path.iter().any(|name| name.len() > 255) {
        return TargetState::Impossible("a name in it is too long".into());
    }
    if let Some(file) = path
        .ancestors()
        .skip(1)
        .find(|ancestor| ancestor.exists() && !ancestor.is_dir())
    {
        return TargetState::Impossible(format!("'{}' is not a directory", file.display()));
    }
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => return TargetState::Symlink,
        Ok(metadata) if !metadata.is_dir() => return TargetState::Occupied,
        Ok(_) if std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_some()) => {
            return TargetState::Occupied;
        }
        _ => {}
    }
    if path.starts_with(repository.common_dir())
        || path.components().any(|part| part.as_os_str() == ".git")
    {
        return TargetState::InsideGitDirectory;
    }
    // A damaged admin directory may claim any place, `/` for one; files of its own must be there to
    // count.
    let there = |worktree: &Worktree| match worktree.state {
        WorktreeState::Bare | WorktreeState::BareWithIndex | WorktreeState::Unknown => false,
        WorktreeState::Damaged(_) => worktree.path.join(".git").is_file(),
        WorktreeState::Present | WorktreeState::Missing => true,
    };
    let inside = |worktree: &&Worktree| there(worktree) && path.starts_with(&worktree.path);
    // The innermost worktree is the one whose files the directory would be among.
    match worktrees
        .iter()
        .filter(inside)
        .max_by_key(|worktree| worktree.path.components().count())
    {
        None => TargetState::Free,
        Some(worktree) if worktree.id.is_some() => {
            TargetState::InsideWorktree(worktree.path.clone())
        }
        Some(_) => TargetState::Free,
    }
}
