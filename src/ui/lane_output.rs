//! Commands in several lanes while they run: what each says, and on a terminal a line for each that
//! is at work and one for all of them.
//!
//! What they say is the result, on standard output, in whole lines and without what would steer a
//! terminal. Several threads call it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use super::live::Lines;
use super::output::{Stream, Streams};
use super::{Ui, escape};
use crate::domain::duration;
use crate::store::activity::TerminalTaken;

/// How what the commands say is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Show {
    /// As it comes, each line with its lane before it
    Prefixed,
    /// Each lane's in one piece, when its command has ended
    Grouped,
    /// Not at all; the last lines of those that fail are shown
    None,
}

/// How much of what is said last fits a line of progress.
const LAST: usize = 400;

/// The view of all of them; its lines of progress are gone from the screen when dropped.
#[derive(Debug)]
pub struct LaneOutput {
    show: Show,
    streams: Streams,
    /// Of the longest name.
    width: usize,
    all: Mutex<All>,
}

/// What is under way.
#[derive(Debug)]
struct All {
    lanes: BTreeMap<String, Running>,
    screen: Option<Screen>,
    count: usize,
    done: usize,
    failed: usize,
    /// The lanes whose wait was told.
    waiting: BTreeSet<String>,
}

/// One command.
#[derive(Debug, Default)]
struct Running {
    lines: Lines,
    last: String,
    bar: Option<ProgressBar>,
}

/// The lines of progress.
#[derive(Debug)]
struct Screen {
    #[allow(dead_code, reason = "held for its effect")]
    taken: TerminalTaken,
    bars: MultiProgress,
    total: ProgressBar,
}

impl Ui {
    /// How output of commands in so many lanes is shown where the user does not say it.
    pub fn usual_show(&self, lanes: usize) -> Show {
        let is_watched = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        match lanes > 1 && is_watched {
            true => Show::None,
            false => Show::Prefixed,
        }
    }

    /// The view of commands in these lanes. With `--json` there is nothing to see.
    pub fn lane_output<'a>(
        &self,
        show: Show,
        lanes: impl Iterator<Item = &'a str> + Clone,
    ) -> LaneOutput {
        let is_watched = !self.json && std::io::stderr().is_terminal();
        let screen = is_watched.then(Screen::new);
        LaneOutput {
            show: if self.json { Show::None } else { show },
            streams: self.streams.clone(),
            width: lanes.clone().map(UnicodeWidthStr::width).max().unwrap_or(0),
            all: Mutex::new(All {
                lanes: BTreeMap::new(),
                screen,
                count: lanes.count(),
                done: 0,
                failed: 0,
                waiting: BTreeSet::new(),
            }),
        }
    }
}

impl LaneOutput {
    /// What is no command's word, on a line.
    pub fn note(&self, text: &str) {
        let text = escape::line(text) + "\n";
        self.write(&self.all(), Stream::Error, &text);
    }

    /// A command waits, for what the words say.
    pub fn waits(&self, lane: &str, words: &str) {
        let mut all = self.all();
        all.draw(lane, words);
        // Who sees no screen hears of it once.
        if all.screen.is_none() && all.waiting.insert(lane.to_owned()) {
            let text = format!("{}: {}\n", escape::line(lane), escape::line(words));
            self.write(&all, Stream::Error, &text);
        }
    }

    /// A command says something.
    pub fn says(&self, lane: &str, piece: &[u8]) {
        let mut all = self.all();
        let lines = all.running(lane).lines.add(piece);
        self.pass_on(&mut all, lane, &lines);
    }

    /// A command has been at work for so long.
    pub fn runs(&self, lane: &str, elapsed: Duration) {
        let mut all = self.all();
        let time = duration::in_two_units(elapsed.as_secs());
        let words = format!("{time}  {}", all.running(lane).last);
        all.draw(lane, &words);
    }

    /// A command has ended, in which words where it should not have ended so, or did not begin; `said`
    /// is all that it said.
    pub fn ends(&self, lane: &str, failed: Option<&str>, said: Option<impl FnOnce() -> Vec<u8>>) {
        let mut all = self.all();
        let rest = all.running(lane).lines.rest();
        self.pass_on(&mut all, lane, &rest);
        if let (Show::Grouped, Some(said)) = (self.show, said) {
            let mut whole = Lines::default();
            let mut text = format!("==> {} <==\n", escape::line(lane));
            text += &whole.add(&said());
            text += &whole.rest();
            self.write(&all, Stream::Output, &text);
        }
        let running = all.lanes.remove(lane);
        if let Some(bar) = running.and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        all.done += 1;
        all.failed += usize::from(failed.is_some());
        // Who sees no screen hears of it at the end.
        if let (Some(words), Some(_)) = (failed, &all.screen) {
            let text = format!("{}: {}\n", escape::line(lane), escape::line(words));
            self.write(&all, Stream::Error, &text);
        }
        all.draw_total();
    }

    fn pass_on(&self, all: &mut All, lane: &str, lines: &str) {
        if let Some(last) = lines.lines().next_back() {
            let last = anstream::adapter::strip_str(last).to_string();
            all.running(lane).last = last.chars().take(LAST).collect();
        }
        if self.show == Show::Prefixed && !lines.is_empty() {
            let name = escape::line(lane);
            let fill = self.width.saturating_sub(name.width());
            let prefix = format!("{name}{:fill$} | ", "");
            let text: String = lines
                .lines()
                .map(|line| format!("{prefix}{line}\n"))
                .collect();
            self.write(all, Stream::Output, &text);
        }
    }

    fn write(&self, all: &All, stream: Stream, text: &str) {
        let write = || _ = self.streams.text(stream, text);
        match &all.screen {
            Some(screen) => screen.bars.suspend(write),
            None => write(),
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn running(&mut self, lane: &str) -> &mut Running {
        self.lanes.entry(lane.to_owned()).or_default()
    }

    fn draw(&mut self, lane: &str, words: &str) {
        let Some(screen) = &self.screen else { return };
        let running = self.lanes.entry(lane.to_owned()).or_default();
        let bar = running.bar.get_or_insert_with(|| screen.new_bar());
        bar.set_message(format!("{}  {words}", escape::line(lane)));
        bar.tick();
        self.draw_total();
    }

    fn draw_total(&self) {
        if let Some(screen) = self.screen.as_ref().filter(|_| self.count > 1) {
            let failed = match self.failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            };
            let (done, count) = (self.done, self.count);
            screen
                .total
                .set_message(format!("{done} of {count} lanes done{failed}"));
            screen.total.tick();
        }
    }
}

impl Screen {
    fn new() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(line());
        Screen {
            taken: TerminalTaken::begin(),
            bars,
            total,
        }
    }

    fn new_bar(&self) -> ProgressBar {
        self.bars.insert_before(&self.total, line())
    }
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

impl Drop for LaneOutput {
    fn drop(&mut self) {
        let mut all = self.all();
        for running in std::mem::take(&mut all.lanes).into_values() {
            running.bar.inspect(ProgressBar::finish_and_clear);
        }
        if let Some(screen) = &all.screen {
            screen.total.finish_and_clear();
        }
    }
}
