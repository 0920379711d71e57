//! `git lane sync`: brings what is new on their bases into lanes.
//!
//! Called by `cli` alone; `sync_report` words what was done.

mod sync_report;

use std::collections::BTreeSet;

use self::sync_report::{Synced, bases, laid_out};
use super::verdicts::Verdicts;
use super::{find_lane, heal, open, records};
use crate::domain::lane::{Lane, RefName};
use crate::domain::sync::{Request, Strategy, in_order};
use crate::error::Result;
use crate::operations::land::outcome::Wording;
use crate::operations::sync::{Bringing, Outcome, Sparing, Stays, renew, sync};
use crate::repository::Repository;
use crate::store::activity::Activity;
use crate::store::login;
use crate::ui::Ui;

/// Bring what is new on their bases into lanes
///
/// The result is computed first, and a lane takes all of it or nothing: a conflict is reported with
/// its paths and exit code 3, and the lane is as it was. The lane's worktree follows its branch;
/// local changes there stay as they are, and are a refusal where the new commits touch the same
/// files.
///
/// A lane that stands on another lane's branch comes after that one. Of several lanes none stops
/// the others.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes; inside a lane, that one when none is named
    #[arg(value_name = "NAME", conflicts_with = "all")]
    names: Vec<String>,

    /// Every lane with a base, but for those in which a process works, that another owner has, or
    /// that have no branch or no worktree
    #[arg(long)]
    all: bool,

    /// First fetch what the bases follow, and move a local base forward that is only behind; not with
    /// -n
    #[arg(long, conflicts_with = "dry_run")]
    fetch: bool,

    /// Merge the base into the lane, or replay the lane's own commits onto it [default: the
    /// policy's]
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// Have git lay a conflict out in the lane, to be resolved there; not with -n
    #[arg(long, conflicts_with_all = ["all", "dry_run"])]
    here: bool,

    /// Replay commits too that a remote-tracking branch has
    #[arg(short, long)]
    force: bool,

    /// Skip the hooks pre-merge-commit and commit-msg
    #[arg(long)]
    no_verify: bool,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs `git lane sync`.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (mut repository, _) = open(ui, args.dry_run)?;
    let policy = repository.policy()?;
    let me = policy.owner_of_new_lanes(login::name).unwrap_or_default();
    let heal = heal(ui);
    let wording = Wording {
        policy: &policy,
        message: None,
        edit: false,
        no_verify: args.no_verify,
    };
    let asked = Bringing {
        request: Request {
            strategy: args.strategy.unwrap_or(policy.sync_strategy),
            force: args.force,
        },
        wording: &wording,
        sparing: None,
        here: args.here,
        dry_run: args.dry_run,
        would_have_moved: &BTreeSet::new(),
        heal: &heal,
    };
    if args.all || args.names.len() > 1 {
        return several(&mut repository, &args, (&asked, me), ui);
    }
    let name = args.names.first().map(String::as_str);
    let lane = known(&repository, find_lane(&repository, name)?, args.dry_run)?;
    let stay = renew_bases(&mut repository, &args, &[&lane], &asked, ui)?;
    let outcome = sync(&mut repository, &lane, &asked)?;
    let mut report = Synced::new(&lane, outcome, args.dry_run);
    report.bases = Some(bases(&stay));
    end(ui, &report)
}

/// The lane as its record would be once that has followed what git knows better.
fn known(repository: &Repository, lane: Lane, dry_run: bool) -> Result<Lane> {
    if !dry_run {
        return Ok(lane);
    }
    let records = records(repository, &repository.worktrees()?, true)?;
    Ok(records.find(&lane.name).cloned().unwrap_or(lane))
}

/// Reports it; a conflict that was laid out is still one.
fn end(ui: &Ui, report: &Synced) -> Result<()> {
    match laid_out(report) {
        Some(error) => Err(error),
        None => {
            ui.report(report);
            Ok(())
        }
    }
}

/// The lanes in an order in which each finds its base as that will stay.
fn several(
    repository: &mut Repository,
    args: &Args,
    (asked, me): (&Bringing<'_>, String),
    ui: &Ui,
) -> Result<()> {
    let (mut verdicts, mut lanes) = (Verdicts::default(), Vec::<Lane>::new());
    if args.all {
        let all = records(repository, &repository.worktrees()?, args.dry_run)?;
        lanes.extend(all.lanes.into_iter().filter(|lane| lane.base.is_some()));
    }
    for name in &args.names {
        match find_lane(repository, Some(name)) {
            Ok(lane) if lanes.iter().any(|known| known.name == lane.name) => {}
            Ok(lane) => lanes.push(known(repository, lane, args.dry_run)?),
            Err(error) => drop(verdicts.add::<Synced>(ui, name, Err(error))),
        }
    }
    let chosen: Vec<&Lane> = lanes.iter().collect();
    let stay = renew_bases(repository, args, &chosen, asked, ui)?;
    verdicts.beside.insert("bases".into(), bases(&stay));
    let sparing = match args.all {
        true => Some(Sparing::of(repository, &lanes, me)?),
        false => None,
    };
    let asked = Bringing {
        sparing: sparing.as_ref(),
        ..*asked
    };
    let mut would_have_moved = BTreeSet::new();
    if lanes.is_empty() && args.all {
        ui.note("No lane has a base; start one with: git lane start NAME");
    }
    let lanes = in_order(lanes);
    let total = lanes.len();
    for (at, lane) in lanes.into_iter().enumerate() {
        let _doing = Activity::with_lane(at, total);
        let asked = Bringing {
            would_have_moved: &would_have_moved,
            ..asked
        };
        let done = sync(repository, &lane, &asked).and_then(|outcome| {
            let moves = matches!(outcome, Outcome::Brought(_) | Outcome::Awaits(_));
            if args.dry_run && moves {
                would_have_moved.extend(lane.branch.as_ref().map(RefName::from));
            }
            let report = Synced::new(&lane, outcome, args.dry_run);
            laid_out(&report).map_or(Ok(report), Err)
        });
        verdicts.add(ui, lane.name.as_str(), done);
    }
    verdicts.end(ui, "been synced")
}

/// Fetches where that is asked for, and says which bases stay where they are.
fn renew_bases(
    repository: &mut Repository,
    args: &Args,
    lanes: &[&Lane],
    asked: &Bringing<'_>,
    ui: &Ui,
) -> Result<Vec<(RefName, Stays)>> {
    if !args.fetch {
        return Ok(Vec::new());
    }
    let stay = renew(repository, lanes, asked.heal)?;
    for (base, why) in &stay {
        ui.note(format_args!("note: '{base}' stays as it is: {why}"));
    }
    Ok(stay)
}
