//! `git lane log`: what was done in this repository, from the event log.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::lane_name;
use crate::domain::duration;
use crate::domain::event::{Event, Phase};
use crate::domain::landing_summary::{Row, summary};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// How often `--follow` looks for news.
const PAUSE: Duration = Duration::from_millis(100);

/// Show what was done in this repository, newest last
///
/// Every operation that makes, syncs, lands, removes or brings back a lane is told twice: when it
/// begins and when it is done or has failed; claim, release, mark and adopt are told once. A line has time, what was done, lane, actor, base and
/// commits. With --follow the lines go on as things happen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this lane, by its name or its id [default: all]
    name: Option<String>,
    /// Go on showing what happens until interrupted; with --json one object a line instead of one
    /// document
    #[arg(short, long)]
    follow: bool,
    /// Show only the last N events
    #[arg(short = 'n', long, value_name = "N")]
    number: Option<usize>,
    /// Leave out what is older: an age such as 7d, or a day or time in UTC such as 2026-11-30
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Count for each base and day how landings ended: clean, after a conflict was resolved, given
    /// up because of one, and failed at the gate
    #[arg(long, conflicts_with_all = ["follow", "number"])]
    summary: bool,
}

#[derive(Debug, serde::Serialize)]
struct Events {
    events: Vec<Event>,
    /// What to say where there are none.
    #[serde(skip)]
    none: String,
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
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if let Some(name) = &args.name {
        lane_name(name)?;
    }
    let since = args.since.as_deref().map(since).transpose()?;
    let repository = Repository::discover()?;
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
    let wanted = |event: &Event| {
        let is_young = since.as_ref().is_none_or(|since| event.time >= *since);
        is_young && args.name.as_deref().is_none_or(|name| event.is_about(name))
    };
    let mut state = log.state();
    let mut events = log.since(0)?;
    let mut seen = events.last().map_or(0, |event| event.sequence);
    events.retain(wanted);
    if let Some(number) = args.number {
        events.drain(..events.len().saturating_sub(number));
    }
    if !args.follow {
        let none = none("has happened", &args, since.as_deref());
        ui.report(&Events { events, none });
        return Ok(());
    }
    loop {
        if !events.iter().all(|event| ui.line(event)) {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
        // Before the look: what is written during it is news again.
        let now = log.state();
        events = if now == state {
            Vec::new()
        } else {
            log.since(seen)?
        };
        state = now;
        seen = events.last().map_or(seen, |event| event.sequence);
        events.retain(wanted);
    }
}

impl Report for Event {
    fn text(&self, page: &mut Page) {
        let lane = self
            .subject
            .lane
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (verb, owner, details) = (self.verb(), &self.actor.owner, self.details());
        let text = format!("{}  {verb:<14}  {lane:<16}  {owner}  {details}", self.time);
        let style = match self.phase {
            Phase::Before => Style::Faint,
            Phase::After => Style::Plain,
            Phase::Failed => Style::Bad,
        };
        page.line(Cell::new(text.trim_end(), style));
    }
}

impl Report for Events {
    fn text(&self, page: &mut Page) {
        self.events.iter().for_each(|event| event.text(page));
        if self.events.is_empty() {
            page.line(Cell::new(&*self.none, Style::Faint));
        }
    }
}

impl Report for Summary {
    fn text(&self, page: &mut Page) {
        if self.summary.is_empty() {
            page.line(Cell::new(&*self.none, Style::Faint));
            return;
        }
        let by_week = self.summary.iter().any(|row| row.from != row.to);
        let number = |count: usize, style: Style| match count {
            0 => Cell::new("-", Style::Faint),
            count => Cell::new(count.to_string(), style),
        };
        let row = |row: &Row| {
            vec![
                Cell::from(row.base.shorten()),
                Cell::from(&row.from),
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
