//! `git lane exec`: runs a command in lanes, several at once.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::verdicts::{Verdict, Verdicts};
use super::{find_lane, fits, open_for_change, shown_path};
use crate::domain::duration;
use crate::domain::lane::{Lane, lossless_path};
use crate::domain::lane_status::LaneStatus;
use crate::domain::name::LaneName;
use crate::error::{Code, Error, Result};
use crate::operations::exec::{Execution, Ran, Watch, run as run_in};
use crate::repository::Repository;
use crate::store::caps::{Cap, Caps};
use crate::store::command_run::{Ended, Program};
use crate::store::{lane_files, parallel, signals};
use crate::ui::lane_output::{LaneOutput, Show};
use crate::ui::{Cell, Page, Report, Style, Ui};

/// Run a command in lanes, several at once
///
/// The command runs in the lane's worktree, without a shell and with an empty standard input. The
/// environment says which lane it is: GIT_LANE_NAME, GIT_LANE_PATH, GIT_LANE_BRANCH, GIT_LANE_BASE,
/// GIT_LANE_TASK, GIT_LANE_OWNER, and GIT_LANE_SET_KEY for each parameter. All that it says is kept in
/// a log.
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
    #[arg(long, value_name = "STATUS", value_enum)]
    status: Vec<LaneStatus>,

    /// In how many lanes at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Let no more than N commands with this NAME run at once on this machine, in all repositories;
    /// may be given several times
    #[arg(long = "cap", value_name = "NAME=N", value_parser = Cap::parse)]
    caps: Vec<Cap>,

    /// End each command after that time (90s, 30m, 2h)
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<i64>,

    /// Once one fails, end the others and begin no more
    #[arg(long)]
    fail_fast: bool,

    /// How to show what the commands say [default: prefixed; on a terminal, of several lanes, none]
    #[arg(long, value_name = "HOW", value_enum)]
    output: Option<Show>,

    /// CMD is one line for /bin/sh
    #[arg(long)]
    shell: bool,

    /// The command and its arguments
    #[arg(last = true, value_name = "CMD", required = true)]
    command: Vec<OsString>,
}

/// What a command came to.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Ending {
    exit_code: Option<i32>,
    signal: Option<i32>,
    seconds: f64,
    /// How many processes it had left running, which were ended.
    left_behind: usize,
    #[serde(with = "lossless_path")]
    log: PathBuf,
    said: Vec<String>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    // What came of every lane is told even where a signal ends the program.
    let _waiting = signals::Waiting::begin();
    let done = run_and_tell(&args, ui);
    if let (Err(error), true) = (&done, signals::has_come()) {
        ui.error(error);
    }
    done
}

fn run_and_tell(args: &Args, ui: &Ui) -> Result<()> {
    let repository = open_for_change(ui)?;
    let mut verdicts = Verdicts::default();
    let mut lanes = chosen(&repository, args, &mut verdicts, ui)?;
    if args.fail_fast && verdicts.have_failure() {
        lanes.clear();
    }
    let named = lanes.iter().map(|lane| lane.name.as_str());
    let show = args.output.unwrap_or_else(|| ui.usual_show(lanes.len()));
    let onlooker = Onlooker(ui.lane_output(show, named));
    let ran = run_all(&repository, args, &lanes, &onlooker)?;
    drop(onlooker);
    for ran in ran.iter().flatten().filter(|ran| !ran.outcome.is_logged) {
        let log = ran.log.display();
        ui.warn(format_args!(
            "'{log}' does not have all that was said: it cannot be written"
        ));
    }
    let summary = Summary::of(&lanes, &ran);
    let is_only = lanes.len() == 1 && !verdicts.have_failure();
    let mut done = lanes.iter().zip(ran).map(|(lane, ran)| {
        let shown = show != Show::None || ui.json;
        (lane.name.as_str(), ending(&lane.name, ran, shown))
    });
    if is_only && let Some((name, done)) = done.next() {
        summary.tell(ui, show);
        return verdicts.only(ui, name, done);
    }
    for (name, done) in done {
        verdicts.add(ui, name, done);
    }
    summary.tell(ui, show);
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

fn run_all(
    repository: &Repository,
    args: &Args,
    lanes: &[Lane],
    watch: &dyn Watch,
) -> Result<Vec<Result<Ran>>> {
    let caps = match args.caps.as_slice() {
        [] => None,
        caps => Some(Caps::open(without_twins(caps)?)?),
    };
    let execution = Execution {
        program: program(args)?,
        jobs: args.jobs.map_or_else(parallel::cores, usize::from),
        caps: caps.as_ref(),
        time_limit: args
            .timeout
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs),
        fail_fast: args.fail_fast,
        watch,
    };
    run_in(repository, lanes, &execution)
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

fn without_twins(caps: &[Cap]) -> Result<Vec<Cap>> {
    let mut all = caps.to_vec();
    all.sort();
    match all.windows(2).find(|two| two[0].name == two[1].name) {
        None => Ok(all),
        Some(two) => Err(Error::usage(format!(
            "--cap {} is given twice",
            two[0].name
        ))),
    }
}

/// What a lane is told to have come to. Beside a failure stand the last lines that were said, unless
/// they were shown.
fn ending(lane: &LaneName, ran: Result<Ran>, are_shown: bool) -> Result<Ending> {
    let ran = ran?;
    let failure = ran.failure(lane);
    let (exit_code, signal) = match ran.outcome.ended {
        Ended::Exit(code) => (Some(code), None),
        Ended::Signal(signal) => (None, Some(signal)),
        Ended::TimedOut | Ended::Stopped | Ended::Interrupted => (None, None),
    };
    let ending = Ending {
        exit_code,
        signal,
        seconds: ran.outcome.elapsed.as_secs_f64(),
        left_behind: ran.outcome.left_behind,
        log: ran.log,
        said: ran.said,
    };
    let Some(error) = failure else {
        return Ok(ending);
    };
    let beside = serde_json::to_value(&ending).unwrap_or_default();
    let error = error.beside(beside);
    // Nobody looks for the reason of what was ended by choice.
    let is_asked_for = matches!(ran.outcome.ended, Ended::Stopped | Ended::Interrupted);
    Err(match are_shown || is_asked_for {
        true => error,
        false => error.quote(ending.said),
    })
}

impl Verdict for Ending {
    fn verdict(&self) -> &'static str {
        "succeeded"
    }
}

impl Report for Ending {
    /// The summary has it.
    fn text(&self, _: &mut Page) {}
}

/// Shows how it goes on.
struct Onlooker(LaneOutput);

impl Watch for Onlooker {
    fn waits(&self, lane: &LaneName, cap: &Cap) {
        let words = format!(
            "waits for one of {} places under --cap {}",
            cap.most, cap.name
        );
        self.0.waits(lane.as_str(), &words);
    }

    fn has_ended(&self, lane: &LaneName, left: usize) {
        self.0.note(&format!(
            "lane '{lane}': {left} processes were ended that a killed git-lane had left running"
        ));
    }

    fn says(&self, lane: &LaneName, piece: &[u8]) {
        self.0.says(lane.as_str(), piece);
    }

    fn runs(&self, lane: &LaneName, elapsed: Duration) {
        self.0.runs(lane.as_str(), elapsed);
    }

    fn ends(&self, lane: &LaneName, ran: &Result<Ran>) {
        let failed = match ran {
            Ok(ran) if ran.has_succeeded() => None,
            Ok(ran) => Some(ran.end()),
            Err(error) => Some(error.code().to_string()),
        };
        let log = ran.as_ref().ok().map(|ran| ran.log.as_path());
        let said = log.map(|log| || lane_files::read(log).unwrap_or_default());
        self.0.ends(lane.as_str(), failed.as_deref(), said);
    }
}

/// How the commands ended that have run.
#[derive(serde::Serialize)]
struct Summary(Vec<Row>);

#[derive(serde::Serialize)]
struct Row {
    lane: LaneName,
    end: String,
    is_good: bool,
    seconds: f64,
    log: String,
}

impl Summary {
    fn of(lanes: &[Lane], ran: &[Result<Ran>]) -> Self {
        let all = lanes.iter().zip(ran);
        let rows = all.filter_map(|(lane, ran)| {
            let ran = ran.as_ref().ok()?;
            Some(Row {
                lane: lane.name.clone(),
                end: ran.end(),
                is_good: ran.has_succeeded(),
                seconds: ran.outcome.elapsed.as_secs_f64(),
                log: shown_path(&ran.log),
            })
        });
        Summary(rows.collect())
    }

    /// It is the result where nothing else was shown.
    fn tell(&self, ui: &Ui, show: Show) {
        match (show, self.0.len()) {
            _ if ui.json => {}
            (_, 0) | (Show::Prefixed | Show::Grouped, 1) => {}
            (Show::None, _) => ui.report(self),
            (Show::Prefixed | Show::Grouped, _) => ui.aside(self),
        }
    }
}

impl Report for Summary {
    fn text(&self, page: &mut Page) {
        let row = |row: &Row| {
            let style = match row.is_good {
                true => Style::Good,
                false => Style::Bad,
            };
            let time = match row.seconds {
                seconds if seconds < 60.0 => format!("{seconds:.1}s"),
                seconds => duration::in_two_units(seconds as u64),
            };
            vec![
                Cell::from(&row.lane),
                Cell::new(&row.end, style),
                Cell::from(time),
                Cell::new(&row.log, Style::Faint),
            ]
        };
        let rows = self.0.iter().map(row).collect();
        page.table(&["LANE", "ENDED", "TIME", "LOG"], rows, &[3]);
    }
}
