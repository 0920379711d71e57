//! `git lane exec`: runs a command in lanes, several at once.

use std::ffi::OsString;

use super::lane_commands::{Ending, Options, run_in_lanes};
use super::verdicts::Verdicts;
use super::{find_lane, fits, open_for_change};
use crate::domain::lane::Lane;
use crate::domain::lane_status::LaneStatus;
use crate::error::{Code, Error, Result};
use crate::operations::exec::not_run;
use crate::repository::Repository;
use crate::store::command_run::Program;
use crate::store::signals;
use crate::ui::Ui;

/// Run a command in lanes, several at once
///
/// The command runs in the lane's worktree, without a shell and with an empty standard input. The
/// environment says which lane it is: GIT_LANE_NAME, GIT_LANE_PATH, GIT_LANE_BRANCH, GIT_LANE_BASE,
/// GIT_LANE_TASK, GIT_LANE_OWNER, and GIT_LANE_SET_KEY for each parameter. What it says is kept in
/// a log, of much the beginning and the end.
///
/// The exit code is 0 where the command succeeded in every lane, and 6 where it failed in one.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane exec [OPTIONS] [NAME]... -- <CMD>...")]
pub struct Args {
    /// The lanes; inside a lane, that one when none is named
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "owner", "status"])]
    names: Vec<String>,

    /// Every lane
    #[arg(long)]
    all: bool,

    /// The lanes of this owner; a trailing * matches any ending
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// The lanes that are so far, by their owner's word; may be given several times
    #[arg(long, value_name = "STATUS", value_enum, value_delimiter = ',')]
    status: Vec<LaneStatus>,

    #[command(flatten)]
    options: Options,

    /// CMD is one line for /bin/sh
    #[arg(long)]
    shell: bool,

    /// The command and its arguments
    #[arg(last = true, value_name = "CMD", required = true)]
    command: Vec<OsString>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    // What came of every lane is told even where a signal ends the program.
    let _waiting = signals::Waiting::begin();
    run_and_tell(&args, ui).map_err(|error| ui.error_now(error))
}

fn run_and_tell(args: &Args, ui: &Ui) -> Result<()> {
    let program = program(args)?;
    args.options.ensure_usable()?;
    let repository = open_for_change(ui)?;
    let mut verdicts = Verdicts::default();
    let mut lanes = chosen(&repository, args, &mut verdicts, ui)?;
    if args.options.fail_fast && verdicts.have_failure() {
        for lane in lanes.drain(..) {
            let error = not_run(&lane.name);
            verdicts.add::<Ending>(ui, lane.name.as_str(), Err(error));
        }
    }
    let mut runs = run_in_lanes(&repository, &lanes, (program, &args.options), ui)?;
    let endings = std::mem::take(&mut runs.endings);
    let is_only = lanes.len() == 1 && !verdicts.have_failure();
    let mut done = lanes.iter().zip(endings);
    if is_only && let Some((lane, done)) = done.next() {
        runs.tell(ui);
        return verdicts.only(ui, lane.name.as_str(), done);
    }
    for (lane, done) in done {
        verdicts.add(ui, lane.name.as_str(), done);
    }
    runs.tell(ui);
    verdicts.end(ui, "succeeded")
}

/// The lanes that are meant. What cannot be found is one of several verdicts.
fn chosen(
    repository: &Repository,
    args: &Args,
    verdicts: &mut Verdicts,
    ui: &Ui,
) -> Result<Vec<Lane>> {
    if args.all || args.owner.is_some() || !args.status.is_empty() {
        let mut lanes = repository.records()?.lanes;
        lanes.retain(|lane| is_meant(args, lane));
        if lanes.is_empty() {
            ui.note("no lane is meant; see what there is with: git lane list");
        }
        return Ok(lanes);
    }
    if args.names.len() <= 1 {
        let name = args.names.first().map(String::as_str);
        return find_lane(repository, name).map(|lane| vec![lane]);
    }
    let mut lanes = Vec::<Lane>::new();
    for name in &args.names {
        match find_lane(repository, Some(name)) {
            Ok(lane) if lanes.iter().any(|known| known.name == lane.name) => {}
            Ok(lane) => lanes.push(lane),
            Err(error) => drop(verdicts.add::<Ending>(ui, name, Err(error))),
        }
    }
    Ok(lanes)
}

fn is_meant(args: &Args, lane: &Lane) -> bool {
    let owner = lane.owner.as_deref();
    let status = lane.mark.as_ref().map(|mark| mark.status);
    let wanted = |pattern: &String| owner.is_some_and(|owner| fits(pattern, owner));
    args.owner.as_ref().is_none_or(wanted)
        && (args.status.is_empty() || status.is_some_and(|status| args.status.contains(&status)))
}

fn program(args: &Args) -> Result<Program<'_>> {
    match (args.shell, args.command.as_slice()) {
        (false, words) => Ok(Program::Arguments(words)),
        (true, [line]) => line.to_str().map(Program::Line).ok_or_else(|| {
            Error::usage("the line for the shell is not valid UTF-8").with_code(Code::NotUtf8)
        }),
        (true, _) => Err(
            Error::usage("with --shell, the command is one word: a line for /bin/sh")
                .hint("quote it: git lane exec --all --shell -- 'make && make test'"),
        ),
    }
}
