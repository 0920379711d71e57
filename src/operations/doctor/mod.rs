//! Looks a repository over for what hooks cannot see and plain git stumbles over, and puts right
//! what can be.
//!
//! Called by `commands/doctor`, and by `recover` for what it was at when it died.

mod admin;
mod kept;
mod lane_bases;
pub mod lost;
pub(crate) mod rebuild;
mod repository_settings;

use std::path::PathBuf;

pub use crate::operations::doctor::repository_settings::programs;
pub use admin::recover;

use super::reconcile;
use super::switch;
use super::try_lane;
use crate::domain::doctor::{AdminAge, Finding, LockOwner, Repair, StrayRemedy, TreeElsewhere};
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::overview::stray;
use crate::domain::retire::{Place, place};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::operations::in_flight::worktree_statuses;
use crate::repository::branch_moved_behind::{index_has_left, overtaken};
use crate::repository::find_worktree;
use crate::repository::{RefFormat, Repository};
use crate::store::activity::Activity;
use crate::store::lane_files;

/// Everything that is not as it should be, except the hooks; `interrupted` are the operations that
/// dead processes left.
pub fn examine(repository: &Repository, interrupted: Vec<Finding>) -> Result<Vec<Finding>> {
    let _doing = Activity::begin("examining the repository");
    let records = repository.records()?;
    let poisoned = admin::poisoned(repository, &records.lanes)?;
    let mut found = repository_settings::configuration(repository)?;
    found.extend(repository_settings::locks(repository)?);
    found.extend(interrupted);
    found.extend(kept::packs(repository)?);
    found.extend(kept::gate_refs(repository)?);
    found.extend(try_lane::trouble(repository)?.map(Finding::Try));
    found.extend(
        crate::store::journal::set_aside(repository.lane_dir())
            .into_iter()
            .map(Finding::DamagedIntent),
    );
    found.extend(strangers(repository).into_iter().map(Finding::Stranger));
    found.extend(poisoned.iter().cloned());
    for damaged in &records.damaged {
        found.push(Finding::DamagedRecord(
            damaged.section.to_string(),
            damaged.problem.clone(),
        ));
    }
    // A reftable is read by git, which may not start while a half-made worktree is around.
    if !poisoned.is_empty() && repository.ref_format() == RefFormat::Reftable {
        return Ok(found);
    }
    let worktrees = repository.worktrees()?;
    let outdated = reconcile::outdated(repository, &records.lanes, &worktrees)?;
    let explained: Vec<Finding> = poisoned
        .into_iter()
        .chain(outdated.iter().cloned())
        .collect();
    found.extend(lost::indexes(repository, &records.lanes, &worktrees));
    found.extend(lost::records(repository, &records, &worktrees));
    found.extend(lanes(repository, &records.lanes, &worktrees, &explained)?);
    found.extend(lane_bases::unfit(repository, &records.lanes, &outdated)?);
    found.extend(outdated);
    found.extend(other_worktrees(
        repository,
        &records.lanes,
        &worktrees,
        &explained,
    ));
    found.extend(admin::orphans(
        repository,
        &records.lanes,
        &worktrees,
        &explained,
    )?);
    Ok(found)
}

/// What was set aside or would be by the next command that changes something, and entries of the
/// trash that cannot be read.
fn strangers(repository: &Repository) -> Vec<PathBuf> {
    let lane_dir = repository.lane_dir();
    let mut found = lane_files::set_asides(lane_dir);
    found.extend(
        lane_files::unfit(lane_dir)
            .into_iter()
            .filter(|path| path.extension().is_none_or(|end| end != "json")),
    );
    found.extend(super::trash::damaged(repository));
    found
}

/// Puts one finding right; returns what its owner should know about it.
pub fn fix(repository: &Repository, finding: &Finding) -> Result<Option<String>> {
    if let Finding::UnfinishedAdmin(path, AdminAge::Old) = finding {
        let aside = admin::put_aside(repository, path)?;
        let (aside, path) = (quote(aside.display()), quote(path.display()));
        return Ok(Some(format!(
            "it is now {aside}; to have it back: mv {aside} {path}"
        )));
    }
    if let Finding::LostAdmin(name, ..) = finding {
        rebuild::rebuild(repository, name)?;
        let lost = "no file was touched; what was staged has to be staged again, and an operation \
                    in progress is forgotten";
        return Ok(Some(lost.into()));
    }
    put_right(repository, finding).map(|()| None)
}

fn put_right(repository: &Repository, finding: &Finding) -> Result<()> {
    match finding {
        Finding::Stray(lane, _, StrayRemedy::SwitchBack) => switch_back(repository, lane),
        Finding::RenamedBranch(..) | Finding::RenamedBase(..) | Finding::MovedWorktree(..) => {
            reconcile::follow(repository, std::slice::from_ref(finding))
        }
        Finding::CheckedOutTwice(name, branch, path, true) => {
            let worktrees = repository.worktrees()?;
            let site = worktrees
                .iter()
                .find(|worktree| worktree.path == *path && worktree.is_on(branch));
            switch::detach(repository, site.ok_or_else(|| raced(name))?, branch)
        }
        Finding::FoundWorktree(name, _, to) => {
            let (records, worktrees) = (repository.records()?, repository.worktrees()?);
            let lane = records.find(name).ok_or_else(|| raced(name))?;
            let site = place(lane, &worktrees)
                .worktree()
                .ok_or_else(|| raced(name))?;
            admin::reconnect(repository, site, to)?;
            reconcile::follow(repository, std::slice::from_ref(finding))
        }
        Finding::DamagedWorktree(_, path, why, Repair::Here) => {
            let worktrees = repository.worktrees()?;
            let site = worktrees.iter().find(|worktree| worktree.path == *path);
            let raced = || {
                Error::refused(format!("'{}' is no longer damaged: {why}", path.display()))
                    .with_code(Code::Raced)
            };
            admin::reconnect(repository, site.ok_or_else(raced)?, path)
        }
        Finding::Poisoned(poisoned) => admin::mend(repository, poisoned),
        Finding::PutAside(name, _, kept) => match repository.records()?.find(name) {
            Some(lane) => admin::bring_back(repository, lane, kept),
            None => Err(raced(name)),
        },
        Finding::LostRecord(lane) => lost::record_again(repository, lane),
        Finding::KeptPack(keep, None) => kept::release(repository, keep),
        Finding::GateRef(name) => kept::release_gate(repository, name),
        Finding::Try(trouble) if finding.fixable() => try_lane::put_right(repository, trouble),
        Finding::Lock(_, LockOwner::Dead) => repository_settings::clear_dead_locks(repository),
        Finding::BareWithWorktree => repository_settings::set(repository, "bare", Some("false")),
        Finding::StrangeWorktree(_, TreeElsewhere::ByAccident) => {
            repository_settings::set(repository, "worktree", None)
        }
        other => Err(Error::refused(format!(
            "{other}; that is for you to decide"
        ))),
    }
}

/// Whether [`fix`] brings a worktree together again with its repository, one of which was moved by
/// hand.
pub fn reunites(repository: &Repository, worktree: &Worktree) -> bool {
    match worktree.state {
        WorktreeState::Missing => {
            find_worktree::find_after_repository(repository, worktree).is_some()
        }
        _ => find_worktree::is_left_behind(worktree),
    }
}

fn raced(name: &LaneName) -> Error {
    Error::refused(format!("lane '{name}' is no longer what it was")).with_code(Code::Raced)
}

/// Strays, and worktrees that are not where they should be.
fn lanes(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
    explained: &[Finding],
) -> Result<Vec<Finding>> {
    let explained = |lane: &Lane| {
        explained.iter().any(|finding| match finding {
            Finding::RenamedBranch(name, ..) | Finding::MovedWorktree(name, ..) => {
                *name == lane.name
            }
            Finding::Poisoned(poisoned) => poisoned.lane.as_ref() == Some(&lane.name),
            _ => false,
        })
    };
    let mut found = Vec::new();
    for lane in lanes.iter().filter(|lane| !explained(lane)) {
        let name = || lane.name.clone();
        if let Some(damaged) = lost::branch(repository, lane) {
            found.push(damaged);
            continue;
        }
        match place(lane, worktrees) {
            Place::Listed(worktree) | Place::Moved(worktree) => match &worktree.state {
                WorktreeState::Missing => found.push(admin::missing(repository, lane, worktree)),
                WorktreeState::Damaged(why) => {
                    found.push(damaged(repository, Some(name()), worktree, why))
                }
                WorktreeState::Bare | WorktreeState::BareWithIndex | WorktreeState::Unknown => {}
                WorktreeState::Present => {
                    let underway = crate::engines::status::operation(&worktree.git_dir).is_some();
                    if let Some(branch) =
                        lane.branch.as_ref().filter(|branch| worktree.is_on(branch))
                    {
                        let git = || repository.git.at(&worktree.path);
                        let found_out =
                            overtaken(&worktree.git_dir, repository.common_dir(), branch, git);
                        found.extend(found_out.map(|overtaken| {
                            Finding::Overtaken(name(), branch.clone(), overtaken)
                        }));
                        found.extend(twice(lane, branch, lanes, worktrees, worktree));
                    }
                    if stray(lane, worktree, underway) {
                        found.push(Finding::Stray(
                            name(),
                            worktree.head.clone(),
                            remedy(repository, lane, worktree),
                        ));
                    }
                }
            },
            Place::Unlisted => found.push(admin::unlisted(repository, lane)),
        }
    }
    Ok(found)
}

/// Worktrees of no lane that have a lane's branch checked out too; a lane's would be a stray.
fn twice<'a>(
    lane: &'a Lane,
    branch: &'a BranchName,
    lanes: &'a [Lane],
    worktrees: &'a [Worktree],
    own: &'a Worktree,
) -> impl Iterator<Item = Finding> + 'a {
    let unclaimed = |worktree: &Worktree| {
        !lanes
            .iter()
            .any(|lane| place(lane, worktrees).worktree() == Some(worktree))
    };
    let others = worktrees.iter().filter(move |other| {
        *other != own
            && other.state == WorktreeState::Present
            && other.is_on(branch)
            && unclaimed(other)
    });
    others.map(|other| {
        // The main worktree is the user's place to work in: where it goes is for the user to say.
        let can_let_go =
            other.id.is_some() && crate::engines::status::operation(&other.git_dir).is_none();
        Finding::CheckedOutTwice(
            lane.name.clone(),
            branch.clone(),
            other.path.clone(),
            can_let_go,
        )
    })
}

/// A clean stray can be switched back from a branch; commits of a detached one may be on no branch.
fn remedy(repository: &Repository, lane: &Lane, worktree: &Worktree) -> StrayRemedy {
    let Some(own) = &lane.branch else {
        return StrayRemedy::Detach;
    };
    if !repository.branch_tip(own).is_ok_and(|tip| tip.is_some()) {
        return StrayRemedy::MakeBranch(own.clone());
    }
    if worktree.head.branch().is_none() {
        return StrayRemedy::GoBack(own.clone());
    }
    match worktree_statuses(repository, &[worktree]).pop() {
        Some(Ok(status)) if status.operation.is_none() && status.is_clean() => {
            StrayRemedy::SwitchBack
        }
        Some(Ok(status))
            if status.operation.is_none() && head_alone_left(repository, worktree, own) =>
        {
            StrayRemedy::HeadAlone(own.clone())
        }
        _ => StrayRemedy::Leave,
    }
}

/// Whether the index is still that of `own`, and not what the branch has that HEAD names now.
fn head_alone_left(repository: &Repository, worktree: &Worktree, own: &BranchName) -> bool {
    let tip = |branch: &BranchName| repository.branch_tip(branch).ok().flatten();
    let (Some(from), Some(there)) = (tip(own), worktree.head.branch()) else {
        return false;
    };
    let to = tip(there).unwrap_or_else(|| repository.gix.object_hash().empty_tree());
    index_has_left(&from.to_string(), &to.to_string(), || {
        repository.git_in(worktree)
    }) == Some(false)
}

fn switch_back(repository: &Repository, name: &LaneName) -> Result<()> {
    let records = repository.records()?;
    let worktrees = repository.worktrees()?;
    let lane = records.find(name).filter(|lane| lane.branch.is_some());
    let Some((lane, worktree)) =
        lane.and_then(|lane| Some((lane, place(lane, &worktrees).present()?)))
    else {
        return Err(raced(name));
    };
    let (Some(branch), Some(there)) = (&lane.branch, worktree.head.branch()) else {
        return Err(raced(name));
    };
    // git refuses this too.
    let others = |other: &&Worktree| other.git_dir != worktree.git_dir && other.uses(branch);
    if let Some(other) = worktrees.iter().find(others) {
        let text = format!(
            "branch '{branch}' is checked out in '{}'",
            other.path.display()
        );
        return Err(Error::refused(text)
            .hint("switch that to another branch, then run git lane doctor --fix again"));
    }
    switch::switch(repository, worktree, there, branch)
}

fn other_worktrees(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
    explained: &[Finding],
) -> Vec<Finding> {
    let lanes_own = |worktree: &&Worktree| {
        lanes
            .iter()
            .any(|lane| place(lane, worktrees).worktree() == Some(*worktree))
    };
    let explained = |worktree: &&Worktree| {
        explained.iter().any(|finding| match finding {
            Finding::Poisoned(poisoned) => poisoned.admin == worktree.git_dir,
            Finding::UnfinishedAdmin(admin, _) => *admin == worktree.git_dir,
            _ => false,
        })
    };
    let damaged = |worktree: &Worktree| match &worktree.state {
        WorktreeState::Damaged(why) => Some(damaged(repository, None, worktree, why)),
        _ => None,
    };
    let others = worktrees
        .iter()
        .filter(|worktree| !lanes_own(worktree) && !explained(worktree));
    others.filter_map(damaged).collect()
}

fn damaged(
    repository: &Repository,
    lane: Option<LaneName>,
    worktree: &Worktree,
    why: &str,
) -> Finding {
    if let Some(other) = admin::belongs_elsewhere(repository, worktree) {
        return Finding::OfAnotherRepository(
            lane,
            worktree.path.clone(),
            worktree.git_dir.clone(),
            other,
        );
    }
    // Where git looks may be another worktree, which repairing would not help.
    match find_worktree::find(repository, worktree).filter(|path| *path != worktree.path) {
        Some(path) => {
            let why = format!("git looks for it at '{}'", worktree.path.display());
            Finding::DamagedWorktree(lane, path, why, Repair::Told)
        }
        None if find_worktree::is_left_behind(worktree) => {
            let why =
                "it names a repository that is gone, because that was moved without it".to_owned();
            Finding::DamagedWorktree(lane, worktree.path.clone(), why, Repair::Here)
        }
        None => {
            let main = repository
                .main_worktree()
                .ok()
                .map(|main| main.path)
                .filter(|main| main.is_dir());
            let main = main.unwrap_or_else(|| repository.common_dir().into());
            Finding::DamagedWorktree(
                lane,
                worktree.path.clone(),
                why.to_owned(),
                Repair::Untold(main),
            )
        }
    }
}
