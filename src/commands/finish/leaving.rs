//! What follows a landing: the lane leaves, with the proof that its base has its commits; one that
//! was adopted is forgotten.

use crate::commands::finish::finish_report::Finished;
use crate::domain::event::{Stays, What};
use crate::domain::finish::Facts;
use crate::domain::integration::Integration;
use crate::domain::lane::{RefName, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::error::{Error, IoContext, Result};
use crate::operations::forget;
use crate::operations::retire::look;
use crate::operations::retire::look::Proof;
use crate::operations::{retire, trash};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::recovered::Heal;

/// What the user has seen of the lane, beyond its commits: nothing but what the repositories in it
/// hold, unless it is forced. Those are looked into only where the lane goes.
pub(super) fn seen(
    repository: &Repository,
    facts: &Facts,
    worktree: Option<&Worktree>,
    goes: bool,
) -> Result<Losses> {
    let status = match &facts.status {
        Some(status) => status.clone(),
        None => look::status_without_files(repository, &facts.lane, worktree)?,
    };
    let losses = look::losses(repository, &facts.lane, worktree, status)?;
    Ok(if goes {
        look::with_inner(repository, &facts.lane, worktree, losses)
    } else {
        losses
    })
}

/// The proof that the base has the lane's own commits now. A landing has seen to it that all of
/// them are in what landed; that nothing had to land is no proof, so the evidence is asked that
/// prune would ask.
pub(super) fn prove(
    repository: &Repository,
    facts: &Facts,
    report: &Finished,
) -> Result<Option<Proof>> {
    let (Some(tip), Some(base)) = (facts.tip, &facts.base) else {
        return Ok(None);
    };
    let branch = RefName::from(&base.branch);
    if let Some(landed) = &report.landed {
        let how = report.landing().unwrap_or(Integration::Ancestor);
        return Ok(landed.new.map(|at| Proof {
            how,
            tip,
            base: branch,
            at,
        }));
    }
    match repository.branch_tip(&base.branch)? {
        Some(at) => look::prove(repository, tip, &branch, at),
        None => Ok(None),
    }
}

/// A lane that is about to leave.
pub(super) struct Leaving<'a> {
    pub(super) facts: &'a Facts,
    pub(super) worktree: Option<&'a Worktree>,
    /// What the user has seen in it.
    pub(super) seen: &'a Losses,
    /// Whether it goes with whatever there is.
    pub(super) whatever: bool,
    pub(super) proof: Option<Proof>,
    pub(super) although_busy: bool,
    pub(super) heal: Heal<'a>,
}

/// What follows a landing: the lane goes, and what has expired in the trash.
pub(super) fn clear_up(
    repository: &mut Repository,
    leaving: &Leaving<'_>,
    policy: &Policy,
    report: &mut Finished,
) -> Result<()> {
    if report.retires && leaving.facts.lane.adopted {
        forget(repository, leaving, report)?;
    } else if report.retires {
        retire(repository, leaving, report)?;
    }
    if !report.dry_run {
        let done = trash::expire(repository, policy, leaving.heal)?;
        report.expired = done.gone.iter().map(Into::into).collect();
        report.overdue = done.overdue.iter().map(Into::into).collect();
    }
    Ok(())
}

/// Forgets a lane that was adopted, whose worktree and branch stay; or says that it would be.
fn forget(repository: &Repository, leaving: &Leaving<'_>, report: &mut Finished) -> Result<()> {
    let facts = leaving.facts;
    report.retires = false;
    if report.dry_run {
        report.stays = Some(Stays::of(&facts.lane));
        return Ok(());
    }
    let stays = forget::forget(repository, &facts.lane, What::Finish, facts.tip);
    report.stays = Some(stays.map_err(|error| left(report, error))?);
    Ok(())
}

/// Adds that the landing stands although the lane has not left.
fn left(report: &Finished, error: Error) -> Error {
    match &report.landed {
        Some(landed) => error.hint(format!(
            "'{}' has what has landed; the lane itself is left",
            landed.base
        )),
        None => error,
    }
}

/// Moves the lane into the trash, or says that it would be; the caller's own directory may be in
/// it.
fn retire(repository: &mut Repository, leaving: &Leaving<'_>, report: &mut Finished) -> Result<()> {
    let (lane, worktree) = (&leaving.facts.lane, leaving.worktree);
    let present = worktree.filter(|worktree| worktree.state == WorktreeState::Present);
    if let Some(worktree) = present {
        report.ignored = look::ignored(repository, lane, present)
            .map_err(|error| retire::or_raced(repository, lane, error))?;
        let inside = std::env::current_dir().is_ok_and(|cwd| cwd.starts_with(&worktree.path));
        report.go_to = inside
            .then(|| repository.main_worktree())
            .transpose()?
            .map(|main| main.path);
    }
    if report.landed.is_some() || report.integrated.is_some() {
        report.heir.clone_from(&report.base);
    }
    if let Some(branch) = &lane.branch {
        report.above = retire::based_on(&repository.records()?, branch, report.heir.as_ref());
    }
    if report.dry_run {
        report.inner.clone_from(&leaving.seen.inner);
        return Ok(());
    }
    if let Some(go_to) = &report.go_to {
        std::env::set_current_dir(go_to).context("change to", go_to)?;
    }
    let retired = retire::retire(
        repository,
        &retire::Retirement {
            lane,
            worktree,
            reason: retire::Reason::Finished,
            accepted: Some(leaving.seen).filter(|_| !leaving.whatever),
            proof: leaving.proof.clone(),
            expected_tip: leaving.facts.tip,
            delete_branch: true,
            heir: report.heir.clone(),
            although_busy: leaving.although_busy,
            heal: leaving.heal,
        },
    );
    let retired = retired.map_err(|error| left(report, error))?;
    report.holds = retired.entry.holds.unwrap_or_default();
    report.proof = retired.entry.proof;
    report.inner = retired.entry.inner;
    report.trash = Some(retired.trash_id);
    Ok(())
}
