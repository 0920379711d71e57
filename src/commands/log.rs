//! `git lane log`: what was done in this repository, from the event log.

use std::time::Duration;

use super::lane_name;
use crate::domain::event::{Event, Phase};
use crate::error::Result;
use crate::repository::Repository;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// How often `--follow` looks for news.
const PAUSE: Duration = Duration::from_millis(100);

/// Show what was done in this repository, newest last
///
/// Every operation that makes, lands, removes or brings back a lane is told twice: when it begins
/// and when it is done or has failed. A line has time, what was done, lane, actor, base and
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
}

#[derive(Debug, serde::Serialize)]
struct Events {
    events: Vec<Event>,
}

/// Shows the log.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if let Some(name) = &args.name {
        lane_name(name)?;
    }
    let repository = Repository::discover()?;
    let log = repository.log();
    let wanted = |event: &Event| args.name.as_deref().is_none_or(|name| event.is_about(name));
    let mut state = log.state();
    let mut events = log.since(0)?;
    let mut seen = events.last().map_or(0, |event| event.sequence);
    events.retain(wanted);
    if let Some(number) = args.number {
        events.drain(..events.len().saturating_sub(number));
    }
    if !args.follow {
        ui.report(&Events { events });
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
            page.line(Cell::new("nothing has happened yet", Style::Faint));
        }
    }
}
