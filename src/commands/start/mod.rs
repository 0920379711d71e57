//! `git lane start`: makes lanes, several at once if need be. Called by `cli` alone.
//!
//! Options and task file become what is `asked`, that becomes requests and plans (`planning`), these become
//! lanes (`making`), and the report tells of each.

mod asked;
mod fetching;
mod making;
mod moving;
mod planning;
mod running;
mod start_report;

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::commands::first_lane;
use crate::commands::lane_commands::Options;
use crate::commands::start::asked::Asked;
use crate::commands::start::making::{Made, Order, make};
use crate::commands::start::planning::{Planned, Planner};
use crate::commands::start::running::{confirm_claims, run_in_new};
use crate::commands::start::start_report::{Outcome, StartReport, Told};
use crate::commands::verdicts::worst;
use crate::domain::duration;
use crate::domain::lane::Worktree;
use crate::domain::parameter::Parameter;
use crate::domain::start::Plan;
use crate::error::{Code, Error, Kind, Result};
use crate::install;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::store::{login, signals};
use crate::ui::Ui;

/// Start a lane: a branch and a worktree of its own for each NAME
///
/// A lane that exists already is shown and is no error, unless it is another owner's or not what
/// was asked for. A branch of that name that no worktree has checked out is taken up; one that only
/// a remote has is made from there and follows it, as by git-switch(1), unless --base says where it
/// starts.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lanes to start
    #[arg(
        required_unless_present = "from",
        conflicts_with = "from",
        value_name = "NAME"
    )]
    names: Vec<String>,

    /// Start the lanes that this task file asks for, in JSON Lines or TOML ('-': standard input); the
    /// options say what a line does not
    #[arg(long, value_name = "FILE", conflicts_with_all = ["branch", "path"])]
    from: Option<PathBuf>,

    /// Start all of the lanes or none: where one cannot be made, take back the others
    #[arg(long)]
    atomic: bool,

    /// Start from this branch or commit [default: the policy's, else the remote's HEAD, else the
    /// main worktree's branch]
    #[arg(short, long, value_name = "REF")]
    base: Option<String>,

    /// Fetch first, and bring the base up to date where it is only behind its upstream
    #[arg(long)]
    fetch: bool,

    /// Take along into the lane what is not committed where you stand: staged, unstaged and untracked;
    /// ignored files stay
    #[arg(long = "move", conflicts_with_all = ["from", "sparse", "read_only"])]
    moving: bool,

    /// With --move: leave it where it is, too
    #[arg(long, requires = "moving")]
    keep: bool,

    /// Use this branch instead of one named by the policy
    #[arg(long, value_name = "BRANCH", conflicts_with = "detach")]
    branch: Option<String>,

    /// Put the worktree here instead of where the policy says
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,

    /// What the lane is for: text, or an id from a tracker
    #[arg(short, long, value_name = "TEXT")]
    task: Option<String>,

    /// Who works in it [default: GIT_LANE_OWNER, the policy's, or the login name]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Refuse a task that another living lane has
    #[arg(long)]
    unique: bool,

    /// Record a parameter of an experiment with the lane; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Parameter::parse)]
    parameters: Vec<Parameter>,

    /// Hold the lane from its first moment on, as by git lane claim
    #[arg(long)]
    claim: bool,

    /// The claim ends after that time (30m, 2h, 1d), unless it is renewed
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse, conflicts_with = "pid")]
    time: Option<i64>,

    /// The claim ends with this process; what runs below it is the holder too
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,

    /// Check out the base's commit without any branch
    #[arg(long)]
    detach: bool,

    /// Start a lane for looking and running alone: without a branch, and nothing is committed in it
    #[arg(long, conflicts_with = "branch")]
    read_only: bool,

    /// Check out only these directories, and the files beside and above them
    #[arg(long, value_name = "DIR", num_args = 1..)]
    sparse: Vec<String>,

    /// Check out the submodules too
    #[arg(long)]
    recurse_submodules: bool,

    /// Run this command line in each new lane, as by git lane exec --shell
    #[arg(long, value_name = "COMMAND", conflicts_with = "dry_run")]
    exec: Option<String>,

    /// Move a new lane into the trash again if its command has ended with nothing done in it
    #[arg(long, requires = "exec")]
    ephemeral: bool,

    #[command(flatten)]
    options: Options,

    /// Show what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    // What came of every lane is told even where a signal ends the program.
    let _waiting = args.exec.as_ref().map(|_| signals::Waiting::begin());
    start(&args, ui).map_err(|error| match error.is_told() {
        true => error,
        false => ui.error_now(error),
    })
}

fn start(args: &Args, ui: &Ui) -> Result<()> {
    if args.exec.is_none() && args.options.are_given() {
        return Err(Error::usage(
            "how a command is run is said with a command: --exec",
        ));
    }
    args.options.ensure_usable()?;
    let asked = asked::read(args)?;
    let (mut repository, worktrees, policy) = open(args, ui)?;
    let asked = asked::taken(asked, repository.name_rule());
    let undecided = install::undecided(&repository)?;
    let policy = policy?;
    let renewed = fetching::renew(&mut repository, (&asked, &policy), args, ui)?;
    let seen = (worktrees, renewed);
    let mut planner = Planner::new(&repository, &policy, args, seen, ui)?;
    let (planned, around) = planner.plan_all(&asked)?;
    let work = moving::look(&repository, &planned, args)?;
    let made: Vec<Made> = match args.dry_run {
        true => planned
            .iter()
            .map(|one| Ok((foreseen(one), None)))
            .collect(),
        false => {
            let order = Order {
                planned: &planned,
                worktrees: &around,
                load: work.load.as_ref(),
            };
            make(&repository, &mut planner, order, args, ui)
        }
    };
    let (mut report, mut failures) = told(&asked, made, args.dry_run);
    report.note_moved(work.moved);
    let is_made = report.lanes.iter().any(Told::is_created);
    if undecided && is_made {
        first_lane::welcome(&repository, &policy, ui);
    }
    if is_made || args.dry_run {
        tell_of_missing_owner(&asked, &policy, ui);
    }
    if let Some(line) = &args.exec {
        if !ui.json {
            report.tell_once(ui);
            report.is_told = true;
        }
        let places = (&planned[..], &mut report.lanes[..]);
        match run_in_new(&mut repository, (line, args), places, ui) {
            Ok(failed) => failures.extend(failed),
            Err(error) => failures.push(error),
        }
    }
    // The tokens are told before the claims are confirmed that they are of.
    let done = end(&report, failures, ui).map_err(|error| ui.error_now(error));
    match (
        confirm_claims(&repository, (&planned, &report.lanes), ui),
        done,
    ) {
        (confirmed, Ok(())) => confirmed,
        (Ok(()), done) => done,
        (Err(error), done) => {
            ui.warn_of(&error, &error);
            done
        }
    }
}

/// Opens the repository. A dry run heals nothing.
fn open(args: &Args, ui: &Ui) -> Result<(Repository, Option<Vec<Worktree>>, Result<Policy>)> {
    if args.dry_run {
        let (repository, _) = super::open(ui, true)?;
        let policy = repository.policy();
        return Ok((repository, None, policy));
    }
    let opened = super::open_and_look(ui)?;
    Ok((opened.repository, opened.worktrees, opened.policy))
}

fn foreseen(planned: &Planned) -> Outcome {
    let mut outcome = match &planned.plan {
        Plan::Exists(lane) => return Outcome::existing((**lane).clone()),
        Plan::Create(creation) => Outcome::planned(creation),
    };
    outcome.base_behind = planned.behind.clone();
    outcome
}

/// What is told of each lane, and what has failed.
fn told(asked: &[Asked], made: Vec<Made>, dry_run: bool) -> (StartReport, Vec<Error>) {
    let (mut lanes, mut failures) = (Vec::new(), Vec::new());
    for (asked, made) in asked.iter().zip(made) {
        match made {
            Ok((outcome, problem)) => {
                lanes.push(Told::there(outcome, problem.as_ref()));
                failures.extend(problem);
            }
            Err(error) => {
                lanes.push(Told::failed(&asked.name, &error));
                failures.push(error);
            }
        }
    }
    let report = StartReport {
        dry_run,
        lanes,
        is_told: false,
    };
    (report, failures)
}

fn tell_of_missing_owner(asked: &[Asked], policy: &Policy, ui: &Ui) {
    let is_named = asked.iter().all(|asked| asked.owner.is_some()) || policy.names_owner();
    if !is_named && login::name().is_none() {
        ui.note(format_args!(
            "note: nothing says what your login name is (neither USER nor LOGNAME, nor the system \
             of {}), so a new lane has no owner; name one with --owner or GIT_LANE_OWNER",
            login::number()
        ));
    }
}

/// Says what was made before saying what failed: that stays made.
fn end(report: &StartReport, failures: Vec<Error>, ui: &Ui) -> Result<()> {
    // What was taken back because of another one is no reason of its own.
    let (own, other): (Vec<Error>, Vec<Error>) = failures
        .into_iter()
        .partition(|error| error.code() != Code::TakenBack);
    let mut reasons = if own.is_empty() { other } else { own };
    let error = match (reasons.len(), report.lanes.len()) {
        (0, _) => {
            report.tell_once(ui);
            return Ok(());
        }
        (1, all) => {
            let only = reasons.remove(0);
            if all == 1 && !report.lanes.iter().any(Told::is_there) {
                return Err(only);
            }
            only
        }
        (failed, all) => {
            if !ui.json {
                reasons.iter().for_each(|error| ui.error(error));
            }
            let (kind, code) = worst(&reasons);
            let are_started = report.lanes.iter().all(Told::is_there);
            let sentence = match are_started && kind == Kind::Gate {
                true => format!("the command has not succeeded in {failed} of {all} lanes"),
                false => format!("{failed} of {all} lanes were not started as asked"),
            };
            Error::new(kind, sentence).with_code(code)
        }
    };
    Err(match report.is_told && !ui.json {
        true => error,
        false => ui.failed(report, error),
    })
}
