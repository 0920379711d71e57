//! What the repository says about a lane that is to be renamed or moved, and the decision. Nothing is
//! changed here.

use std::path::Path;

use bstr::ByteSlice;

use super::{Relocation, Wish, based_on, present};
use crate::domain::lane::{Lane, RefName, Worktree};
use crate::domain::name::BranchName;
use crate::domain::relocate::{BranchFacts, Facts, Naming, plan};
use crate::domain::retire::ensure_movable;
use crate::domain::start::{Target, TargetState};
use crate::engines::{processes, status};
use crate::error::Result;
use crate::operations::land::is_queued;
use crate::operations::retire::surroundings;
use crate::policy::Policy;
use crate::repository::metadata::Records;
use crate::repository::revision::resolve;
use crate::repository::start_facts::{place_by_policy, target_at, usual_target};
use crate::repository::{Repository, claims, submodules};
use crate::store::file_id::is_same;

/// So many lanes may share the name of a directory.
const MOST_ATTEMPTS: u32 = 100;

/// What the wish would do to the lane.
///
/// # Errors
/// A refusal where that cannot be.
pub fn foresee(repository: &Repository, lane: &Lane, wish: &Wish<'_>) -> Result<Relocation> {
    claims::ensure_not_anothers(repository, lane)?;
    let records = repository.records()?;
    let all = repository.worktrees()?;
    let worktree = present(lane, &all);
    let look = Look {
        repository,
        lane,
        wish,
        others: records
            .lanes
            .iter()
            .filter(|other| other.id != lane.id)
            .cloned()
            .collect(),
        worktree: worktree.as_ref(),
        all: &all,
    };
    let naming = Naming {
        lane,
        name: wish.name,
        branch: wish.branch,
        template: wish.policy.map(|policy| &*policy.branch),
    };
    let after = naming
        .branch_after()
        .filter(|_| naming.branch_after() != lane.branch);
    let branches = lane.branch.as_ref().zip(after.as_ref());
    let target = look.target()?;
    let facts = Facts {
        naming,
        name_taken: look.is_name_taken(&records),
        branch: branches
            .map(|(from, to)| look.branch_facts(from, to))
            .transpose()?,
        stays: target.as_ref().and_then(|_| look.stays()),
        is_there: worktree.is_some(),
        submodule: target.as_ref().and_then(|_| look.submodule()),
        bound: target.as_ref().and_then(|_| look.bound()),
        is_queued: is_queued(repository.lane_dir(), &lane.id),
        base: lane.base_branch(),
        home: wish.policy.and_then(home),
        target,
    };
    let plan = plan(facts).map_err(|refusal| refusal.refuse(lane))?;
    let moved = worktree.as_ref().filter(|_| plan.moves_directory());
    Ok(Relocation {
        above: branches.map_or_else(Vec::new, |(from, _)| based_on(&look.others, from)),
        published: match branches {
            Some((from, _)) => published(repository, from)?,
            None => Vec::new(),
        },
        busy: moved.and_then(|worktree| processes::working_in(&worktree.path)),
        worktree,
        plan,
    })
}

/// The branch that the main worktree stays on by the policy.
fn home(policy: &Policy) -> Option<BranchName> {
    let named = policy.home.as_deref()?;
    let named = named.strip_prefix("refs/heads/").unwrap_or(named);
    BranchName::parse(named.into()).ok()
}

/// One look at a lane and what is around it.
struct Look<'a> {
    repository: &'a Repository,
    lane: &'a Lane,
    wish: &'a Wish<'a>,
    /// The other lanes.
    others: Vec<Lane>,
    /// Its worktree, where that is there.
    worktree: Option<&'a Worktree>,
    /// All worktrees.
    all: &'a [Worktree],
}

impl Look<'_> {
    /// Whether another lane has the name, or one that is the same here.
    fn is_name_taken(&self, records: &Records) -> bool {
        let (rule, name) = (self.repository.name_rule(), self.wish.name.as_str());
        let is_it = |other: &str| rule.is_same(other, name);
        let damaged = records.damaged.iter();
        self.others.iter().any(|lane| is_it(lane.name.as_str()))
            || damaged
                .filter_map(|damaged| damaged.section.to_str().ok())
                .any(is_it)
    }

    fn branch_facts(&self, from: &BranchName, to: &BranchName) -> Result<BranchFacts> {
        let repository = self.repository;
        let rule = repository.name_rule();
        let tip = repository.branch_tip(from)?;
        let (mut exists, mut conflicting, mut alias) = (false, None, None);
        for (name, id) in repository.refs_below("refs/")? {
            if Some(id) == tip && repository.symbolic_target(&name)? == Some(RefName::from(from)) {
                alias = Some(name.clone());
            }
            let Some(other) = BranchName::from_ref(name.as_bstr()).filter(|other| other != from)
            else {
                continue;
            };
            exists |= other == *to;
            if rule.exclude_each_other(&other, to) {
                conflicting = Some(other.clone());
            }
        }
        let elsewhere = |worktree: &&Worktree| {
            self.worktree
                .is_none_or(|own| own.git_dir != worktree.git_dir)
                && (worktree.uses(from) || worktree.head.branch() == Some(from))
        };
        let owner = self
            .others
            .iter()
            .find(|other| other.branch.as_ref() == Some(to));
        let used_by = self.all.iter().find(elsewhere);
        Ok(BranchFacts {
            tip,
            is_alias: repository.is_alias(from)?,
            exists,
            owned_by: owner.map(|lane| lane.name.clone()),
            conflicting,
            used_by: used_by.map(|worktree| worktree.path.clone()),
            operation: self
                .worktree
                .and_then(|worktree| status::operation(&worktree.git_dir)),
            alias,
        })
    }

    /// Where the directory goes; `None`: it stays.
    fn target(&self) -> Result<Option<Target>> {
        let (repository, lane) = (self.repository, self.lane);
        let own = |other: &&Worktree| {
            self.worktree
                .is_none_or(|worktree| worktree.git_dir != other.git_dir)
        };
        let around: Vec<Worktree> = self.all.iter().filter(own).cloned().collect();
        let target = match (self.wish.path, self.wish.policy) {
            (Some(path), _) if resolve(path) == lane.worktree => None,
            (Some(path), _) => Some(target_at(repository, path, self.all)),
            (None, Some(policy)) if self.follows(policy) => Some(usual_target(
                repository,
                policy,
                self.wish.name,
                &self.others,
                &around,
            )?),
            _ => None,
        };
        Ok(target
            .filter(|target| target.path != lane.worktree)
            .map(|target| {
                match is_same(&target.path, &lane.worktree) {
                    // The same directory, spelled with other cases.
                    true => Target {
                        state: TargetState::Free,
                        ..target
                    },
                    false => Self::nothing_there(target),
                }
            }))
    }

    /// A directory is put where nothing is, not even an empty one.
    fn nothing_there(target: Target) -> Target {
        match target.state {
            TargetState::Free if crate::store::exists(&target.path) => Target {
                state: TargetState::Occupied,
                ..target
            },
            _ => target,
        }
    }

    /// Whether the directory is where the policy has it for the lane's name, and git-lane has put it there.
    fn follows(&self, policy: &Policy) -> bool {
        let lane = self.lane;
        let is_it = |attempt| {
            place_by_policy(self.repository, policy, &lane.name, attempt) == lane.worktree
        };
        !lane.adopted && *self.wish.name != lane.name && (1..=MOST_ATTEMPTS).any(is_it)
    }

    /// Why the directory must not be moved; that it was adopted is no reason where the user asks.
    fn stays(&self) -> Option<crate::domain::retire::Refusal> {
        let lane = Lane {
            adopted: false,
            ..self.lane.clone()
        };
        let around = surroundings(self.repository, &lane, self.worktree, self.all, false);
        ensure_movable(&around).err()
    }

    fn bound(&self) -> Option<std::path::PathBuf> {
        submodules::bound(self.repository, self.worktree?)
    }

    fn submodule(&self) -> Option<std::path::PathBuf> {
        let found = submodules::in_worktree(self.repository, self.lane, self.worktree?);
        found.into_iter().next().map(|(place, _)| place)
    }
}

/// The branches of remotes that mirror one of that name.
fn published(repository: &Repository, branch: &BranchName) -> Result<Vec<RefName>> {
    let mut found = Vec::new();
    for remote in repository.gix.remote_names() {
        let name = [
            b"refs/remotes/",
            remote.as_bytes(),
            b"/",
            branch.as_bstr().as_bytes(),
        ]
        .concat();
        if let Some(name) = RefName::parse(name.as_bstr())
            && repository.ref_target(&name)?.is_some()
        {
            found.push(name);
        }
    }
    Ok(found)
}

/// `path` as `git worktree move` takes it: into a directory that is there, else in its place.
pub fn into_directory(path: &Path, lane: &Lane) -> std::path::PathBuf {
    match path.is_dir() {
        true => path.join(lane.worktree.file_name().unwrap_or_default()),
        false => path.to_owned(),
    }
}
