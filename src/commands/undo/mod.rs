//! `git lane undo`: takes back what was done last with a lane.
//!
//! Called by `cli` alone; `undo_report` words what was done, `undo_list` what could be.

mod undo_list;
mod undo_report;

use self::undo_list::Steps;
use self::undo_report::Undid;
use crate::commands::gate_watch::GateWatch;
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::domain::undo::{Refusal, Wanted};
use crate::error::{Error, IoContext, Kind, Result};
use crate::operations::gate::{Judge, Wish};
use crate::operations::land::outcome::{Asked, Wording};
use crate::operations::undo::{Act, Plan, Request, list, over, plan, undo};
use crate::repository::Repository;
use crate::store::events;
use crate::store::git::PrePush;
use crate::ui::Ui;

/// How many steps a list has.
const LISTED: usize = 50;

/// Take back what was done last with a lane, a landing included
///
/// A lane that was started or restored goes into the trash, one that was dropped, pruned or finished
/// comes back. A landing goes from its base, if nothing came after it and no remote branch has it:
/// the files of the worktree that has the base checked out follow, and the lane comes back. Lanes
/// that landed by one move of the base are taken back together, after a yes: at the prompt, or by
/// --yes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lane, by its name or its id [default: the one of what you did last]
    name: Option<String>,

    /// Land a revert on top of the base instead of moving it back; the lane stays where it is
    #[arg(long)]
    revert: bool,

    /// Show what can be taken back, newest first, and why not the rest
    #[arg(long, conflicts_with_all = ["revert", "yes", "dry_run", "no_verify", "no_gate", "again"])]
    list: bool,

    /// Answer yes: take back the landings of other lanes that can only be taken back together
    #[arg(short, long)]
    yes: bool,

    /// With --revert, skip the hooks pre-commit, commit-msg and pre-push
    #[arg(long, requires = "revert")]
    no_verify: bool,

    /// With --revert, leave the remote as it is although finish.push in lane.toml says to push
    #[arg(long, requires = "revert")]
    no_push: bool,

    /// Move the base without the gate; refused where finish.gate-required says so
    #[arg(long)]
    no_gate: bool,

    /// Run the gate even if it has failed on the same files before
    #[arg(long, conflicts_with = "no_gate")]
    again: bool,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Takes it back.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.list {
        let repository = super::open_to_look()?;
        let (steps, more) = list(&repository, args.name.as_deref(), LISTED)?;
        ui.report(&Steps::new(steps, more));
        return Ok(());
    }
    let (mut repository, _) = super::open(ui, args.dry_run)?;
    let policy = repository.policy()?;
    let owner = events::actor().owner;
    let request = Request {
        wanted: Wanted {
            lane: args.name.as_deref(),
            owner: &owner,
        },
        revert: args.revert,
    };
    let plan = plan(&repository, request)?;
    if let Some(lane) = &plan.passed_over {
        ui.note(over(lane));
    }
    if args.dry_run {
        ui.report(&Undid::planned(&plan));
        return Ok(());
    }
    if !args.yes {
        agree(ui, &plan)?;
    }
    let go_to = leave(&repository, &plan)?;
    let wording = Wording {
        policy: &policy,
        message: None,
        edit: false,
        no_verify: args.no_verify,
    };
    let heal = super::heal(ui);
    let wish = Wish {
        left_out: args.no_gate,
        again: args.again,
        ..Wish::default()
    };
    let watch = GateWatch::new(ui);
    let judge = Judge {
        wish: &wish,
        watch: &watch,
    };
    let hook = match args.no_verify {
        true => PrePush::Skipped,
        false => PrePush::Runs,
    };
    let asked = Asked {
        judge: &judge,
        heal: &heal,
        push: (policy.push && !args.no_push).then_some(hook),
        resolver: None,
    };
    let undone = undo(&mut repository, request, &plan, &wording, asked)?;
    let above: Vec<_> = undone
        .put_away
        .iter()
        .map(|entry| (entry.above.clone(), entry.lane.clone()))
        .collect();
    ui.report(&Undid::of(&undone, go_to.as_deref()));
    for (above, lane) in above {
        let branches = (lane.branch.as_ref(), lane.base_branch());
        super::tell_of_lost_base(ui, &above, (branches.0, branches.1.as_ref()), false);
    }
    Ok(())
}

/// Asks for the lanes that have to go along.
fn agree(ui: &Ui, plan: &Plan) -> Result<()> {
    let [first, _, ..] = &plan.steps[..] else {
        return Ok(());
    };
    let members: Vec<LaneName> = plan.steps.iter().map(|step| step.lane.clone()).collect();
    let names: Vec<String> = members.iter().map(quote).collect();
    if ui.can_ask() {
        ui.note(format_args!(
            "landed by one move of the base: {}",
            names.join(", ")
        ));
    }
    match ui.confirm("", "Take all of them back?")? {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(Kind::Interrupted, "nothing was changed")),
        None => Err(Refusal::Group {
            lane: first.lane.clone(),
            members,
        }
        .into()),
    }
}

/// Leaves the directory of a lane that goes; where to, if this process was in it.
fn leave(repository: &Repository, plan: &Plan) -> Result<Option<std::path::PathBuf>> {
    if let Act::PutBack(lane, change) = &plan.act {
        // The directory goes, and this process along with it.
        let here = std::env::current_dir().ok();
        let is_there = here.is_some_and(|here| here.starts_with(&lane.worktree));
        let moves = change.from.path != change.to.path;
        return Ok((is_there && moves).then(|| change.from.path.clone()));
    }
    let Act::PutAway(leaving) = &plan.act else {
        return Ok(None);
    };
    if !std::env::current_dir().is_ok_and(|here| here.starts_with(&leaving.worktree.path)) {
        return Ok(None);
    }
    let main = repository.main_worktree()?.path;
    std::env::set_current_dir(&main).context("change to", &main)?;
    Ok(Some(main))
}
