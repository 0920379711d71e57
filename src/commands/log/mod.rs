//! `git lane log`: what was done in this repository, from the event log.
//!
//! `operation_lines` words the operations for people; a document has the events as they are.

mod event_document;
mod following;
mod operation_lines;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use bstr::ByteSlice;

use super::lane_name;
use crate::commands::log::event_document::Told;
use crate::commands::log::operation_lines::{Columns, Now};
use crate::domain::duration;
use crate::domain::event::{Event, Subject};
use crate::domain::landing_summary::{Row, summary};
use crate::domain::lane::LaneId;
use crate::domain::operation_log::{Operation, Outcome, join};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::store::ancestors;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// A process that began this much later than it says is another one of its number.
const CLOCK: Duration = Duration::from_secs(1);

/// Show what was done in this repository, newest last
///
/// There is a line for every operation that makes, renames, moves, syncs, lands, removes or brings back a lane, and for every claim,
/// release, mark, base and adoption: when it ended, in local time, what was done, lane, actor, base and commits. One that has failed says why, one
/// without an end is running or was interrupted. On a terminal the lines are shown by git's pager. With --follow they go on as
/// things happen. With --json there is an object for each beginning and each end.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this lane, by its name or its id [default: all]
    name: Option<String>,
    /// Go on showing what happens until interrupted; with --json one object a line instead of one
    /// document
    #[arg(short, long)]
    follow: bool,
    /// Show only the last N operations; with --json, the last N events
    #[arg(short = 'n', long, value_name = "N")]
    number: Option<usize>,
    /// Leave out what is older: an age such as 7d, or a day or time in UTC such as 2026-11-30
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Count for each base and day how landings ended: clean, after a conflict was resolved, given
    /// up because of one, and failed at the gate
    #[arg(long, conflicts_with_all = ["follow", "number"])]
    summary: bool,
    /// Print to the terminal without a pager
    #[arg(long)]
    no_pager: bool,
}

#[derive(serde::Serialize)]
struct Events {
    events: Vec<Told>,
}

/// How landings ended.
#[derive(Debug, serde::Serialize)]
struct Summary {
    since: Option<String>,
    summary: Vec<Row>,
    /// What to say where none has ended.
    #[serde(skip)]
    none: String,
}

/// The time that `--since` names, as the log writes one.
fn since(text: &str) -> Result<String> {
    let time = match duration::parse(text) {
        Ok(seconds) => Timestamp::now().checked_sub(seconds.seconds()).ok(),
        Err(_) => {
            let day = text.parse::<Date>();
            let day = day.and_then(|day| day.to_zoned(TimeZone::UTC));
            let day = day.map(|day| day.timestamp()).ok();
            text.parse::<Timestamp>().ok().or(day)
        }
    };
    let time = time.ok_or_else(|| {
        Error::usage(format!("'{text}' is neither an age nor a day nor a time"))
            .hint("write it like 7d, 2026-11-30 or 2026-11-30T12:00:00Z")
    })?;
    Ok(format!("{time:.3}"))
}

/// That nothing is there, with what was asked for.
fn none(what: &str, args: &Args, since: Option<&str>) -> String {
    let of = args.name.as_deref();
    let of = of.map_or_else(String::new, |name| format!(" of lane '{name}'"));
    let since = since.map_or_else(|| " yet".to_owned(), |since| format!(" since {since}"));
    format!("nothing{of} {what}{since}")
}

/// Shows the log.
pub fn run(mut args: Args, ui: &Ui) -> Result<()> {
    if let Some(name) = &args.name {
        lane_name(name)?;
    }
    let since = args.since.as_deref().map(since).transpose()?;
    let repository = Repository::discover()?;
    if let Some(name) = &mut args.name {
        *name = super::meant(&repository, &repository.records()?, name);
    }
    let log = repository.log();
    if args.summary {
        let summary = summary(&log.since(0)?, args.name.as_deref(), since.as_deref());
        let none = none("has landed or tried to", &args, since.as_deref());
        ui.report(&Summary {
            since,
            summary,
            none,
        });
        return Ok(());
    }
    let none = none("has happened", &args, since.as_deref());
    let lanes = match &args.name {
        Some(name) => called(&log.since(0)?, name),
        None => BTreeSet::new(),
    };
    let wanted = Wanted {
        name: args.name,
        lanes,
        since,
    };
    match (args.follow, ui.json) {
        (true, true) => following::events(ui, &log, &wanted, args.number),
        (true, false) => following::operations(ui, &log, &wanted, args.number),
        (false, true) => {
            let mut events = log.since(0)?;
            events.retain(|event| wanted.has_event(event));
            keep_last(&mut events, args.number);
            let events = events.into_iter().map(Told).collect();
            ui.report(&Events { events });
            Ok(())
        }
        (false, false) => {
            let mut operations = told(&log.since(0)?, &wanted);
            keep_last(&mut operations, args.number);
            let lines = Lines {
                operations,
                columns: ui.width(),
                none,
            };
            ui.report_paged(&lines, || pager(&repository, args.no_pager))
        }
    }
}

/// Of what the user wants to see something.
struct Wanted {
    name: Option<String>,
    /// The lanes that were renamed from that name, or to it.
    lanes: BTreeSet<LaneId>,
    since: Option<String>,
}

/// The lanes that were called so for a time, whatever they are called since.
fn called(events: &[Event], name: &str) -> BTreeSet<LaneId> {
    let is_named = |event: &&Event| {
        let change = event.end.changed.as_ref();
        change.is_some_and(|change| change.names(name))
    };
    let of = events.iter().filter(is_named);
    of.filter_map(|event| event.subject.lane_id.clone())
        .collect()
}

impl Wanted {
    fn has_event(&self, event: &Event) -> bool {
        let name = self.name.as_deref();
        let is_about = |name: &str| event.is_about(name) || self.has_lane(&event.subject);
        self.is_young(&event.time) && name.is_none_or(is_about)
    }

    fn has(&self, operation: &Operation) -> bool {
        let name = self.name.as_deref();
        let is_about = |name: &str| operation.is_about(name) || self.has_lane(&operation.subject);
        self.is_young(&operation.time) && name.is_none_or(is_about)
    }

    fn has_lane(&self, subject: &Subject) -> bool {
        let id = subject.lane_id.as_ref();
        id.is_some_and(|id| self.lanes.contains(id))
    }

    fn is_young(&self, time: &str) -> bool {
        self.since.as_deref().is_none_or(|since| time >= since)
    }
}

fn keep_last<T>(all: &mut Vec<T>, number: Option<usize>) {
    if let Some(number) = number {
        all.drain(..all.len().saturating_sub(number));
    }
}

/// The operations that are wanted; those without an end whose process is gone were interrupted.
fn told(events: &[Event], wanted: &Wanted) -> Vec<Operation> {
    let mut operations = join(events);
    operations.retain(|operation| wanted.has(operation));
    for operation in &mut operations {
        if operation.outcome == Outcome::Open && !is_alive(operation) {
            operation.outcome = Outcome::Interrupted(None);
        }
    }
    operations
}

/// Whether the process that began it is still there.
fn is_alive(operation: &Operation) -> bool {
    let id = i32::try_from(operation.actor.pid).ok();
    let Some(process) = id.and_then(|id| ancestors::from(id).next()) else {
        return false;
    };
    let begun = operation.begun.parse::<Timestamp>().map(SystemTime::from);
    let is_older = |started| begun.is_ok_and(|begun| started <= begun + CLOCK);
    process.is_git_lane() && process.started.is_none_or(is_older)
}

/// The pager that git would take: that of `pager.lane.log`, or its usual one.
fn pager(repository: &Repository, none: bool) -> Result<Option<String>> {
    if none {
        return Ok(None);
    }
    let own = repository.git_here().setting("pager.lane.log")?;
    let own = own.map(|own| own.to_str_lossy().into_owned());
    match own.as_deref().map(truth) {
        Some(Some(false)) => Ok(None),
        Some(None) => Ok(own),
        Some(Some(true)) | None => {
            let usual = repository.git_here().var("GIT_PAGER")?;
            Ok(usual.map(|usual| usual.to_str_lossy().into_owned()))
        }
    }
}

/// What a setting says that may be a truth value.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" | "" => Some(false),
        _ => None,
    }
}

/// Operations as a person reads them.
struct Lines {
    operations: Vec<Operation>,
    columns: Option<usize>,
    /// What to say where there are none.
    none: String,
}

impl serde::Serialize for Lines {
    // The document has the events.
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

impl Report for Lines {
    fn text(&self, page: &mut Page) {
        let now = Now::here();
        let mut columns = Columns::default();
        columns.add(&self.operations, &now);
        for operation in &self.operations {
            for line in columns.lines(operation, &now, self.columns) {
                page.line(line);
            }
        }
        if self.operations.is_empty() {
            page.line(Cell::new(&*self.none, Style::Faint));
        }
    }
}

impl Report for Events {
    // People read the operations.
    fn text(&self, _: &mut Page) {}
}

impl Report for Summary {
    fn text(&self, page: &mut Page) {
        if self.summary.is_empty() {
            page.line(Cell::new(&*self.none, Style::Faint));
            return;
        }
        let by_week = self.summary.iter().any(|row| row.first_day != row.last_day);
        let number = |count: usize, style: Style| match count {
            0 => Cell::new("-", Style::Faint),
            count => Cell::new(count.to_string(), style),
        };
        let row = |row: &Row| {
            vec![
                Cell::from(row.base.shorten()),
                Cell::from(&row.first_day),
                number(row.clean, Style::Plain),
                number(row.resolved, Style::Attention),
                number(row.given_up, Style::Bad),
                number(row.gate_failed, Style::Bad),
            ]
        };
        let rows = self.summary.iter().map(row).collect();
        let time = if by_week { "WEEK FROM" } else { "DAY" };
        let header = ["BASE", time, "CLEAN", "RESOLVED", "GIVEN UP", "GATE FAILED"];
        page.table(&header, rows, &[0]);
    }
}
