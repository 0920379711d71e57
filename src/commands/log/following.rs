//! `git lane log --follow`: what happens, as it happens.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::event_document::Told;
use super::operation_lines::{Columns, Now};
use super::{Wanted, keep_last, told};
use crate::domain::event::Event;
use crate::domain::operation_log::{Operation, Outcome};
use crate::error::Result;
use crate::store::events::Log;
use crate::ui::{Cell, Page, Report, Ui};

/// How often to look for news.
const PAUSE: Duration = Duration::from_millis(100);

/// An operation that takes longer is told as running before it is told as done.
const LONG: i64 = 1000;

/// What has come to the log since the last look.
struct News<'a> {
    log: &'a Log,
    state: Option<crate::store::file_id::Stamp>,
    seen: u64,
}

impl<'a> News<'a> {
    /// All that is there, and the place from which to look on.
    fn all(log: &'a Log) -> Result<(Self, Vec<Event>)> {
        let state = log.state();
        let events = log.since(0)?;
        let seen = events.last().map_or(0, |event| event.sequence);
        Ok((News { log, state, seen }, events))
    }

    /// What is new after a pause.
    fn wait(&mut self) -> Result<Vec<Event>> {
        std::thread::sleep(PAUSE);
        // Before the look: what is written during it is news again.
        let now = self.log.state();
        if now == self.state {
            return Ok(Vec::new());
        }
        self.state = now;
        let events = self.log.since(self.seen)?;
        self.seen = events.last().map_or(self.seen, |event| event.sequence);
        Ok(events)
    }
}

/// The events, one object a line, until its reader is gone.
pub(super) fn events(ui: &Ui, log: &Log, wanted: &Wanted, number: Option<usize>) -> Result<()> {
    let (mut news, mut events) = News::all(log)?;
    events.retain(|event| wanted.has_event(event));
    keep_last(&mut events, number);
    loop {
        if !events.into_iter().all(|event| ui.line(&Told(event))) {
            return Ok(());
        }
        events = news.wait()?;
        events.retain(|event| wanted.has_event(event));
    }
}

/// The operations, each when it has ended, and one that takes long also while it runs, until its
/// reader is gone.
pub(super) fn operations(ui: &Ui, log: &Log, wanted: &Wanted, number: Option<usize>) -> Result<()> {
    let (mut news, mut open) = News::all(log)?;
    let mut first = told(&open, wanted);
    let mut screen = Screen::default();
    screen.pass_over(&first);
    keep_last(&mut first, number);
    if !screen.show(ui, &first) {
        return Ok(());
    }
    keep_open(&mut open, &screen.ended);
    loop {
        open.extend(news.wait()?);
        let operations = told(&open, wanted);
        let is_due = |operation: &Operation| match operation.outcome {
            Outcome::Open => is_long(operation) && !screen.is_running(operation),
            _ => !screen.is_told(operation),
        };
        let due: Vec<Operation> = operations.into_iter().filter(is_due).collect();
        if !screen.show(ui, &due) {
            return Ok(());
        }
        keep_open(&mut open, &screen.ended);
    }
}

/// Forgets the events of what has an end or has been told.
fn keep_open(events: &mut Vec<Event>, told: &BTreeSet<String>) {
    use crate::domain::event::Phase;
    let ends = events.iter().filter(|event| event.phase != Phase::Before);
    let ended: BTreeSet<String> = ends.map(|event| event.operation.clone()).collect();
    events.retain(|event| !ended.contains(&event.operation) && !told.contains(&event.operation));
}

fn is_long(operation: &Operation) -> bool {
    let begun = operation.begun.parse::<Timestamp>();
    let now = Timestamp::now().as_millisecond();
    begun.is_ok_and(|begun| now - begun.as_millisecond() >= LONG)
}

/// What was shown.
#[derive(Debug, Default)]
struct Screen {
    columns: Columns,
    running: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Screen {
    fn is_running(&self, operation: &Operation) -> bool {
        operation.ids.iter().any(|id| self.running.contains(id))
    }

    fn is_told(&self, operation: &Operation) -> bool {
        operation.ids.iter().all(|id| self.ended.contains(id))
    }

    /// Those that have ended by now are not news.
    fn pass_over(&mut self, operations: &[Operation]) {
        let ended = operations
            .iter()
            .filter(|operation| operation.outcome != Outcome::Open);
        let ids = ended.flat_map(|operation| operation.ids.iter().cloned());
        self.ended.extend(ids);
    }

    /// Shows them below each other; says whether the reader still reads.
    fn show(&mut self, ui: &Ui, operations: &[Operation]) -> bool {
        let now = Now::here();
        self.columns.add(operations, &now);
        for operation in operations {
            let told = match operation.outcome {
                Outcome::Open => &mut self.running,
                _ => &mut self.ended,
            };
            told.extend(operation.ids.iter().cloned());
            let lines = self.columns.lines(operation, &now, ui.width());
            if !ui.line(&Line(lines)) {
                return false;
            }
        }
        true
    }
}

/// One operation.
struct Line(Vec<Cell>);

impl serde::Serialize for Line {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_unit()
    }
}

impl Report for Line {
    fn text(&self, page: &mut Page) {
        for line in &self.0 {
            page.line(line.clone());
        }
    }
}
