//! Operations as lines of text, fitted to the width: when, what, which lane, who, and what else
//! there is to say.
//!
//! The name of a lane is never cut. Where it has no room beside the time and the word, it has a line of
//! its own above them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::duration::in_one_unit;
use crate::domain::operation_log::{Operation, Outcome};
use crate::ui::{Cell, Style, escape};

/// Blanks between two columns.
const GAP: usize = 2;

/// Blanks before what is said below a lane that has a line of its own.
const INDENT: usize = 4;

/// With less room than this the reason of a failure is told by its code.
const READABLE: usize = 40;

/// The moment and the zone in which the user looks.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) time: Timestamp,
    pub(super) zone: TimeZone,
}

impl Now {
    /// Of this computer.
    pub(super) fn here() -> Self {
        Now {
            time: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// `14:05`, and before today `2026-11-28 14:05`.
    fn tell(&self, time: &str) -> String {
        let Ok(time) = time.parse::<Timestamp>() else {
            return time.to_owned();
        };
        let time = time.to_zoned(self.zone.clone());
        let today = self.time.to_zoned(self.zone.clone()).date();
        match time.date() == today {
            true => time.strftime("%H:%M").to_string(),
            false => time.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }

    /// For how long something has been going on.
    fn since(&self, time: &str) -> String {
        let time = time.parse::<Timestamp>().unwrap_or(self.time);
        let seconds = self.time.as_second().saturating_sub(time.as_second());
        in_one_unit(u64::try_from(seconds).unwrap_or(0))
    }
}

/// How wide the columns are.
#[derive(Debug, Default)]
pub(super) struct Columns {
    time: usize,
    word: usize,
    lane: usize,
    who: usize,
    /// Of the shortest words for what is not done.
    state: usize,
}

/// One operation in words.
struct Told {
    time: String,
    word: &'static str,
    lane: Option<String>,
    who: String,
}

impl Told {
    fn of(operation: &Operation, now: &Now) -> Self {
        let lane = operation.subject.lane.as_ref();
        Told {
            time: now.tell(&operation.time),
            word: operation.word(),
            lane: lane.map(|lane| escape::line(lane.as_str())),
            who: escape::line(&operation.actor.owner),
        }
    }
}

impl Columns {
    /// Makes room for these too.
    pub(super) fn add(&mut self, operations: &[Operation], now: &Now) {
        for operation in operations {
            let told = Told::of(operation, now);
            let lane = told.lane.as_ref().map_or(0, |lane| lane.width());
            self.time = self.time.max(told.time.width());
            self.word = self.word.max(told.word.width());
            self.lane = self.lane.max(lane);
            self.who = self.who.max(told.who.width());
            let state = state(operation, now).map_or(0, |state| GAP + state.short.width());
            self.state = self.state.max(state);
        }
    }

    /// The lines of one operation, at most `width` columns wide unless a lane's name is wider.
    pub(super) fn lines(
        &self,
        operation: &Operation,
        now: &Now,
        width: Option<usize>,
    ) -> Vec<Cell> {
        let told = Told::of(operation, now);
        let width = width.unwrap_or(usize::MAX);
        let (before, with_lane) = (self.time + GAP + self.word, GAP + self.lane);
        let begun = [filled(&told.time, self.time), filled(told.word, self.word)];
        let mut begun = begun.join(&" ".repeat(GAP));
        let state = state(operation, now);
        let style = style(operation);
        let line = |text: &str| Cell::new(text.trim_end(), style);
        if before + with_lane + self.state <= width {
            let mut used = before + GAP;
            if self.lane > 0 {
                let lane = told.lane.as_deref().unwrap_or_default();
                begun += &format!("{:GAP$}{}", "", filled(lane, self.lane));
                used += with_lane;
            }
            let room = width.saturating_sub(used);
            let rest = self.rest(operation, &told, state.as_ref(), room);
            return vec![line(&format!("{begun}{:GAP$}{rest}", ""))];
        }
        let room = width.saturating_sub(INDENT);
        let rest = self.rest(operation, &told, None, room.saturating_sub(before + GAP));
        let below = format!("{:INDENT$}{begun}{:GAP$}{rest}", "", "");
        let state = state.map(|state| format!("{:INDENT$}{}", "", state.fitted(room)));
        let lines = told.lane.into_iter().chain([below]).chain(state);
        lines.map(|text| line(&text)).collect()
    }

    /// What is said after the lane, the most telling first, each whole or not at all.
    fn rest(
        &self,
        operation: &Operation,
        told: &Told,
        state: Option<&State>,
        room: usize,
    ) -> String {
        let mut line = Rest::new(room);
        let who = filled(&told.who, self.who.min(room));
        let whole = state.map_or(0, |state| state.whole.width());
        let who_first = state.is_none() || self.who + GAP + whole <= room;
        if who_first {
            line.add(&who);
        }
        if let Some(state) = state {
            line.add(&state.fitted(room));
        }
        if !who_first {
            line.add(&who);
        }
        for part in operation.details() {
            line.add(&escape::line(&part));
        }
        line.text
    }
}

/// A line that has only so much room.
struct Rest {
    text: String,
    room: usize,
}

impl Rest {
    fn new(room: usize) -> Self {
        Rest {
            text: String::new(),
            room,
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn add(&mut self, part: &str) {
        let gap = if self.is_empty() { 0 } else { GAP };
        if self.text.width() + gap + part.trim_end().width() <= self.room {
            self.text += &" ".repeat(gap);
            self.text += part;
        }
    }
}

/// What there is to say of one that is not done, and the same in short.
struct State {
    whole: String,
    short: String,
}

impl State {
    fn fitted(&self, room: usize) -> String {
        let fits = self.whole.width() <= room || room >= READABLE;
        cut(if fits { &self.whole } else { &self.short }, room)
    }
}

fn state(operation: &Operation, now: &Now) -> Option<State> {
    let (whole, short) = match &operation.outcome {
        Outcome::Done(_) => return None,
        Outcome::Open => {
            let running = format!("running for {}", now.since(&operation.begun));
            (running, "running".to_owned())
        }
        Outcome::Failed(problem) => {
            let (message, code) = (escape::line(&problem.message), escape::line(&problem.code));
            (format!("failed: {message}"), format!("failed: {code}"))
        }
        Outcome::Interrupted(said) => {
            let what = said.as_deref().and_then(|said| said.split_once("; "));
            let what = what.map(|(_, what)| format!("; {}", escape::line(what)));
            let whole = format!("interrupted{}", what.unwrap_or_default());
            (whole, "interrupted".to_owned())
        }
    };
    Some(State { whole, short })
}

fn style(operation: &Operation) -> Style {
    match operation.outcome {
        Outcome::Done(_) => Style::Plain,
        Outcome::Open | Outcome::Interrupted(_) => Style::Attention,
        Outcome::Failed(_) => Style::Bad,
    }
}

fn filled(text: &str, width: usize) -> String {
    let fill = width.saturating_sub(text.width());
    format!("{text}{:fill$}", "")
}

/// The beginning of a text that is wider than `width`.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    let mut begun: String = text.chars().take_while(fits).collect();
    begun.truncate(begun.trim_end().len());
    begun + "…"
}
