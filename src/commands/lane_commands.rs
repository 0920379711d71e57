//! A command that runs in lanes, as the user sees it: the options, what is shown meanwhile, and what
//! came of it.
//!
//! `exec` and `start --exec` use it.

use std::path::PathBuf;
use std::time::Duration;

use super::shown_path;
use super::verdicts::Verdict;
use crate::domain::duration;
use crate::domain::lane::{Lane, lossless_path};
use crate::domain::name::LaneName;
use crate::error::{Error, Result};
use crate::operations::exec::{Execution, Ran, Watch, run};
use crate::repository::Repository;
use crate::store::caps::{Cap, Caps};
use crate::store::command_run::{Ended, Program};
use crate::store::{lane_files, parallel};
use crate::ui::lane_output::{LaneOutput, Show};
use crate::ui::{Cell, Give, Page, Report, Style, Ui};

/// How commands run in several lanes.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
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
    pub(super) fail_fast: bool,

    /// How to show what the commands say [default: prefixed; on a terminal, of several lanes, none]
    #[arg(long, value_name = "HOW", value_enum)]
    output: Option<Show>,
}

impl Options {
    /// Whether one of them was given.
    pub(super) fn are_given(&self) -> bool {
        self.jobs.is_some()
            || !self.caps.is_empty()
            || self.timeout.is_some()
            || self.fail_fast
            || self.output.is_some()
    }

    /// Refuses what could not be run, before anything is done for it.
    pub(super) fn ensure_usable(&self) -> Result<()> {
        self.places().map(drop)
    }

    fn places(&self) -> Result<Option<Caps>> {
        match self.caps.as_slice() {
            [] => Ok(None),
            caps => Caps::open(ensure_no_twins(caps)?).map(Some),
        }
    }
}

/// What has run in some lanes, in their order.
pub(super) struct Runs {
    /// What each lane is told to have come to.
    pub(super) endings: Vec<Result<Ending>>,
    summary: Summary,
    show: Show,
}

impl Runs {
    /// Says how they ended; it is the result where nothing else was shown.
    pub(super) fn tell(&self, ui: &Ui) {
        self.summary.tell(ui, self.show);
    }
}

/// Runs it in each of the lanes.
pub(super) fn run_in_lanes(
    repository: &Repository,
    lanes: &[Lane],
    (program, options): (Program<'_>, &Options),
    ui: &Ui,
) -> Result<Runs> {
    let caps = options.places()?;
    let named = lanes.iter().map(|lane| lane.name.as_str());
    let show = options.output.unwrap_or_else(|| ui.usual_show(lanes.len()));
    let onlooker = Onlooker(ui.lane_output(show, named));
    let execution = Execution {
        program,
        jobs: options.jobs.map_or_else(parallel::cores, usize::from),
        caps: caps.as_ref(),
        time_limit: options
            .timeout
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs),
        fail_fast: options.fail_fast,
        watch: &onlooker,
    };
    let ran = run(repository, lanes, &execution)?;
    drop(onlooker);
    for ran in ran.iter().flatten().filter(|ran| !ran.outcome.is_logged) {
        let log = ran.log.display();
        ui.warn(format_args!(
            "'{log}' does not have all that was said: it cannot be written"
        ));
    }
    let summary = Summary::of(lanes, &ran);
    let shown = show != Show::None || ui.json;
    let endings = lanes.iter().zip(ran);
    let endings = endings.map(|(lane, ran)| ending(&lane.name, ran, shown));
    Ok(Runs {
        endings: endings.collect(),
        summary,
        show,
    })
}

fn ensure_no_twins(caps: &[Cap]) -> Result<Vec<Cap>> {
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

/// What a command came to.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ending {
    exit_code: Option<i32>,
    signal: Option<i32>,
    seconds: f64,
    /// How many processes it had left running, which were ended.
    left_behind: usize,
    #[serde(with = "lossless_path")]
    log: PathBuf,
    said: Vec<String>,
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
    // The user knows why they ended it.
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
        // A log whose name is cut cannot be read.
        page.fitted_table(&["LANE", "ENDED", "TIME", "LOG"], rows, &[Give::OwnLine(0)]);
    }
}
