//! `git lane finish`: lands a lane on its base and retires it.
//!
//! Called by `cli` alone; `leaving` does what follows a landing, `finish_report` words the result.

mod finish_report;
mod leaving;

use crate::commands::finish::finish_report::Finished;
use crate::commands::finish::leaving::{Leaving, clear_up, prove, seen};
use crate::domain::finish::Strategy;
use crate::domain::finish::{self, Plan, Request};
use crate::domain::lane::{Lane, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::{ensure_movable, place};
use crate::domain::trash_entry::{Entry, Reason, find};
use crate::error::{Error, Result};
use crate::operations::land;
use crate::operations::land::outcome::{Outcome, Wording};
use crate::operations::land::{commit, landing_facts};
use crate::operations::{retire, trash};
use crate::repository::Repository;
use crate::repository::identity;
use crate::repository::recovered::{Act, Healed};
use crate::ui::Ui;

/// Land a lane on its base and move it into the trash
///
/// The result is computed first: a conflict is reported with its paths and exit code 3 before
/// anything has changed. Where the base is checked out, its worktree moves with it; local changes
/// there that the landing touches are a refusal.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane; inside a lane, that lane
    name: Option<String>,

    /// How to land: a merge commit, one squashed commit, replayed commits, or a fast-forward
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// Land on this branch instead of the lane's base
    #[arg(long, value_name = "BRANCH")]
    into: Option<String>,

    /// The message of the merge or squash, instead of the policy's
    #[arg(short, long)]
    message: Option<String>,

    /// Open git's editor on the message
    #[arg(long)]
    edit: bool,

    /// Leave the lane in place afterwards
    #[arg(long, conflicts_with = "no_land")]
    keep: bool,

    /// Retire the lane without landing it; what its base lacks needs --force
    #[arg(long, conflicts_with_all = ["strategy", "message", "edit"])]
    no_land: bool,

    /// Commit everything in the lane first, untracked files included
    #[arg(long, value_name = "MESSAGE")]
    commit: Option<String>,

    /// Into the trash although a process works in the lane; with --no-land, also although the work
    /// is unsettled or not in the base
    #[arg(long)]
    force: bool,

    /// Skip the hooks pre-merge-commit, pre-commit and commit-msg
    #[arg(long)]
    no_verify: bool,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs `git lane finish`.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.edit && ui.json {
        return Err(Error::usage("--edit needs a person and --json a script")
            .hint("give the message with -m"));
    }
    let (mut repository, healed) = super::open(ui, args.dry_run)?;
    let heal = super::heal(ui);
    let policy = repository.policy()?;
    let lane = match super::find_lane(&repository, args.name.as_deref()) {
        Ok(lane) => lane,
        Err(error) => {
            let completed = completed(&repository, &healed, args.name.as_deref())?.ok_or(error)?;
            ui.report(&completed);
            return Ok(());
        }
    };
    let worktrees = repository.worktrees()?;
    let lane = match args.dry_run {
        true => super::records(&repository, &worktrees, true)?
            .find(&lane.name)
            .cloned()
            .unwrap_or(lane),
        false => lane,
    };
    let request = Request {
        strategy: args.strategy.unwrap_or(policy.strategy),
        landing: !args.no_land,
        force: args.force,
        keep: args.keep,
        commit: args.commit.is_some(),
    };
    let base = base(&repository, &lane, args.into.as_deref(), request.landing)?;
    // Another command may take the lane away at any moment.
    let or_raced = |error| retire::or_raced(&repository, &lane, error);
    let mut facts =
        landing_facts::gather(&repository, &worktrees, &lane, base.as_ref()).map_err(or_raced)?;
    if !request.landing {
        landing_facts::prove(&repository, &mut facts).map_err(or_raced)?;
    }
    let mut plan = finish::plan(&facts, &request).map_err(|refusal| or_raced(refusal.into()))?;
    let worktree = place(&lane, &worktrees).worktree();
    if plan.retire {
        // Known before anything lands, so that a lane does not land and then stay.
        let around = retire::surroundings(&repository, &lane, worktree, &worktrees, true);
        let around = if args.force {
            around
        } else {
            around.with_processes()
        };
        ensure_movable(&around).map_err(|refusal| or_raced(refusal.refuse(&lane.name)))?;
    }

    let present = worktree.filter(|worktree| worktree.state == WorktreeState::Present);
    if plan.makes_commits(&facts) {
        let git = || {
            present.map_or_else(
                || repository.git_here(),
                |worktree| repository.git.at(&worktree.path),
            )
        };
        identity::ensure_known(&repository, git).map_err(or_raced)?;
    }
    let committed = plan.commit;
    let mut request = request;
    if let (true, false, Some(message), Some(worktree)) =
        (committed, args.dry_run, &args.commit, worktree)
    {
        commit::commit_all(&repository, &lane.name, worktree, message, args.no_verify)
            .map_err(or_raced)?;
        let told = |error| {
            Finished::new(&lane, &plan, base.as_ref(), None, false).failed(ui, or_raced(error))
        };
        facts = landing_facts::gather(&repository, &repository.worktrees()?, &lane, base.as_ref())
            .map_err(told)?;
        // What the commit did not take will not be taken by another one.
        request.commit = false;
        plan = finish::plan(&facts, &request)
            .map_err(|refusal| told(refusal.after_commit().into()))?;
    }
    let seen = seen(&repository, &facts, worktree, plan.retire).map_err(or_raced)?;
    let wording = Wording {
        policy: &policy,
        message: args.message.as_deref(),
        edit: args.edit,
        no_verify: args.no_verify,
    };
    plan.commit = committed;
    let told = |outcome| Finished::new(&lane, &plan, base.as_ref(), outcome, args.dry_run);
    let outcome = match &plan.landing {
        None => plan.integrated.clone().map(Outcome::Integrated),
        Some(landing) if args.dry_run => Some(land::preview(
            &repository,
            &facts,
            landing,
            args.message.is_some(),
        )?),
        Some(_) => match land::land(&mut repository, &mut facts, &request, &wording, &heal) {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                return Err(told(None).failed(ui, retire::or_raced(&repository, &lane, error)));
            }
        },
    };
    let mut report = told(outcome);
    let done = prove(&repository, &facts, &report)
        .map_err(|error| retire::or_raced(&repository, &lane, error))
        .and_then(|proof| {
            let whatever = !request.landing && request.force;
            let leaving = Leaving {
                facts: &facts,
                worktree,
                seen: &seen,
                whatever,
                proof,
                although_busy: args.force,
                heal: &heal,
            };
            clear_up(&mut repository, &leaving, &policy, &mut report)
        });
    if let Err(error) = done {
        return Err(report.failed(ui, error));
    }
    ui.report(&report);
    if report.heir.is_none() {
        let branches = (lane.branch.as_ref(), lane.base_branch());
        super::tell_of_lost_base(
            ui,
            &report.above,
            (branches.0, branches.1.as_ref()),
            args.dry_run,
        );
    }
    Ok(())
}

/// Killed before, completed by the healing just now: that is what was asked for.
fn completed(
    repository: &Repository,
    healed: &[Healed],
    name: Option<&str>,
) -> Result<Option<Finished>> {
    let Some(name) = name.and_then(|name| LaneName::parse(name).ok()) else {
        return Ok(None);
    };
    let entries = trash::entries(repository)?;
    let gone = |entry: &&Entry| {
        let lane = &entry.lane.id;
        let done = healed
            .iter()
            .any(|healed| healed.has_done(Act::Retire, lane));
        done && entry.reason == Reason::Finished
    };
    let entry = find(&entries, name.as_str()).filter(gone);
    Ok(entry.map(|entry| {
        let plan = Plan {
            commit: false,
            landing: None,
            integrated: None,
            retire: true,
        };
        let base = entry.lane.base_branch();
        let trash = Some(entry.id.clone());
        let (proof, holds) = (entry.proof.clone(), entry.holds.clone().unwrap_or_default());
        Finished {
            trash,
            proof,
            holds,
            ..Finished::new(&entry.lane, &plan, base.as_ref(), None, false)
        }
    }))
}

/// The branch to land on; `None` when the lane has none and needs none.
fn base(
    repository: &Repository,
    lane: &Lane,
    into: Option<&str>,
    landing: bool,
) -> Result<Option<BranchName>> {
    match landing_facts::target(repository, lane, into)? {
        Ok(branch) => repository.branch_meant(&branch).map(Some),
        Err(_) if !landing => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}
