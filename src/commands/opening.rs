//! Opens the repository for a verb, heals what dead processes left, and says so.

use crate::domain::doctor::Finding;
use crate::domain::lane::Worktree;
use crate::domain::shell_word::quote;
use crate::error::Result;
use crate::install;
use crate::operations::reconcile::{Reconciled, foresee, reconcile};
use crate::operations::recover::recover;
use crate::operations::try_lane::{follow_home, forget_if_ended};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::branch_moved_behind::overtaken_here;
use crate::repository::metadata::Records;
use crate::repository::recovered::{Healed, Recovered};
use crate::store::activity::Activity;
use crate::store::git::Git;
use crate::store::signals;
use crate::ui::Ui;

/// Opens the repository for a command that changes it: what a dead process left is healed first.
pub fn open_for_change(ui: &Ui) -> Result<Repository> {
    open_and_look(ui).map(|opened| opened.repository)
}

/// Opens the repository for a command that changes it, or would with `dry_run`: then nothing is
/// healed nor written.
pub fn open(ui: &Ui, dry_run: bool) -> Result<(Repository, Vec<Healed>)> {
    if !dry_run {
        return open_and_heal(ui);
    }
    let repository = Repository::discover()?;
    warn_if_overtaken(&repository, ui);
    repository.git.ensure_usable()?;
    Ok((repository, Vec::new()))
}

/// Opens the repository for a command that only looks. A git of the user's choice is asked whether
/// it works even where nothing else is asked of it, so that the choice is not believed to be good.
pub fn open_to_look() -> Result<Repository> {
    let repository = Repository::discover()?;
    if Git::is_chosen() {
        repository.git.ensure_usable()?;
    }
    Ok(repository)
}

/// The records; for a dry run as they would be once they have followed what git knows better.
pub fn records(repository: &Repository, worktrees: &[Worktree], dry_run: bool) -> Result<Records> {
    let mut records = repository.records()?;
    if dry_run {
        foresee(repository, &mut records, worktrees)?;
    }
    Ok(records)
}

/// Like [`open_for_change`], for a command that wants to know whether its own work was completed by
/// that.
pub fn open_and_heal(ui: &Ui) -> Result<(Repository, Vec<Healed>)> {
    open_and_look(ui).map(|opened| (opened.repository, opened.healed))
}

/// A repository that was opened for a change.
pub struct Opened {
    /// It.
    pub repository: Repository,
    /// What was healed.
    pub healed: Vec<Healed>,
    /// Its worktrees, where they were looked at.
    pub worktrees: Option<Vec<Worktree>>,
    /// Its policy, or why that cannot be read.
    pub policy: Result<Policy>,
}

/// Like [`open_for_change`], for a command that does not want to look for the worktrees again.
pub fn open_and_look(ui: &Ui) -> Result<Opened> {
    signals::install();
    let _doing = Activity::begin("looking at the repository");
    let mut repository = Repository::discover()?;
    repository.log_trouble = ui.log_trouble.clone();
    // git is asked for its version while what is read and healed here needs the disk.
    let git = repository.git.clone();
    let (usable, healed) = std::thread::scope(|scope| {
        let usable = scope.spawn(|| git.ensure_usable());
        let healed = recover(&mut repository, |recovered| tell(ui, recovered));
        (usable.join().unwrap_or(Ok(())), healed)
    });
    usable?;
    let healed = healed?;
    if let Some(tried) = forget_if_ended(&repository)? {
        ui.note(format_args!(
            "the main worktree is on a branch again and shows lane '{}' no more; its record follows",
            tried.lane
        ));
    }
    if let Some(branch) = follow_home(&repository)? {
        ui.note(format_args!(
            "the branch to which the main worktree comes back is '{branch}' by now; the record follows"
        ));
    }
    let Reconciled { found, worktrees } = reconcile(&repository)?;
    for finding in found {
        ui.note(format_args!("{finding}; its record follows"));
    }
    warn_if_overtaken(&repository, ui);
    // A policy that cannot be read is told by the command that needs it.
    let policy = repository.policy();
    if let Ok(policy) = &policy {
        follow_policy(&repository, policy, ui);
    }
    Ok(Opened {
        repository,
        healed,
        worktrees,
        policy,
    })
}

/// Says so where the branch of the lane one is in was moved behind its worktree: no hook of level
/// restore hears of it.
pub fn warn_if_overtaken(repository: &Repository, ui: &Ui) {
    let Some((branch, overtaken)) = overtaken_here(repository) else {
        return;
    };
    let lanes = repository
        .records()
        .map(|records| records.lanes)
        .unwrap_or_default();
    if let Some(lane) = lanes
        .into_iter()
        .find(|lane| lane.branch.as_ref() == Some(&branch))
    {
        let finding = Finding::Overtaken(lane.name, branch, overtaken);
        ui.warn(&finding);
        if let Some(hint) = finding.hint() {
            ui.note(format_args!("hint: {hint}"));
        }
    }
}

/// Heals, in the middle of a command, what another process has left that died after the command had
/// begun.
pub fn heal(ui: &Ui) -> impl Fn(&mut Repository) -> Result<()> {
    move |repository| recover(repository, |recovered| tell(ui, recovered)).map(drop)
}

/// Says what became of interrupted commands.
fn tell(ui: &Ui, recovered: &Recovered) {
    let Recovered {
        healed,
        unclear,
        pending,
        set_aside,
    } = recovered;
    for aside in set_aside {
        ui.warn(aside);
        ui.note("hint: see what to do about it with: git lane doctor");
    }
    for unclear in unclear {
        ui.warn(unclear);
        ui.note(format_args!(
            "hint: see how it stands with: git -C {} status",
            quote(unclear.worktree.display())
        ));
    }
    for pending in pending {
        ui.warn(pending);
        for hint in pending.hints() {
            ui.note(format_args!("hint: {hint}"));
        }
    }
    for healed in healed {
        ui.note(healed);
    }
}

/// Has the hooks know the policy's latest rules; a warning where they cannot.
pub fn follow_policy(repository: &Repository, policy: &Policy, ui: &Ui) {
    if let Err(error) = install::follow_policy(repository, policy) {
        ui.warn(format_args!(
            "the hooks do not know the policy's latest rules: {error}"
        ));
    }
}
