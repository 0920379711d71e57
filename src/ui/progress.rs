//! The one place that draws progress: what the process is doing, on a terminal only, once nothing was said
//! for a quarter of a second.
//!
//! A thread looks at `store/activity`; what is written through `ui/output`, and a program that takes the terminal,
//! has the line go first.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, escape};
use crate::domain::duration::in_two_units;
use crate::store::activity::{self, Activity, Count, Doing};
use crate::store::git;

const PATIENCE: Duration = Duration::from_millis(250);

/// How often to look.
const PAUSE: Duration = Duration::from_millis(50);

/// So many things, one part of the other, fit a line.
const MOST: usize = 3;

/// From then on it is said how long it has taken.
const LONG: Duration = Duration::from_secs(3);

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    line: None,
    quiet_since: None,
});

/// What is on the screen.
#[derive(Debug)]
struct Screen {
    line: Option<ProgressBar>,
    /// Since when nothing else was said.
    quiet_since: Option<Instant>,
}

/// Progress of one piece of work; gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    activity: Activity,
    unit: &'static str,
}

impl Ui {
    /// Progress of `words`, counted in `unit`.
    pub fn progress(&self, words: impl Into<String>, unit: &'static str) -> Progress {
        Progress {
            activity: Activity::begin(words),
            unit,
        }
    }

    /// From now on a person sees what takes long.
    pub fn show_progress(&self) {
        let in_hook = std::env::var_os(git::IN_HOOK).is_some();
        if self.json || in_hook || !std::io::stderr().is_terminal() {
            return;
        }
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            activity::clear_with(clear);
            screen().quiet_since = Some(Instant::now());
            let thread = std::thread::Builder::new().name("progress".into());
            drop(thread.spawn(|| {
                loop {
                    std::thread::sleep(PAUSE);
                    look();
                }
            }));
        });
    }
}

impl Progress {
    /// Says how far the work is; cheap enough to call for every file.
    pub fn set(&self, done: usize, total: usize) {
        self.activity.set(done, total, self.unit);
    }
}

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says something else, with the line gone.
pub(super) fn aside<T>(say: impl FnOnce() -> T) -> T {
    let mut screen = screen();
    screen.clear();
    let said = say();
    screen.quiet_since = screen.quiet_since.map(|_| Instant::now());
    said
}

/// Leaves the terminal as it was. Who holds the screen is about to let it go, or is held up by who reads
/// what is said; a program that is to end does not wait for that.
fn clear() {
    for _ in 0..20 {
        if let Ok(mut screen) = SCREEN.try_lock() {
            screen.clear();
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn look() {
    let doing = activity::all();
    let mut screen = screen();
    // Looked at with the screen in hand: who takes the terminal has it cleared after that.
    let is_quiet = screen
        .quiet_since
        .is_some_and(|since| since.elapsed() >= PATIENCE);
    match words(&doing) {
        Some(words) if is_quiet && !activity::is_terminal_taken() => screen.draw(words),
        _ => screen.clear(),
    }
}

impl Screen {
    fn clear(&mut self) {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
    }

    fn draw(&mut self, words: String) {
        let line = self.line.get_or_insert_with(|| {
            let target = ProgressDrawTarget::stderr_with_hz(20);
            let style = ProgressStyle::with_template("{wide_msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, target).with_style(style)
        });
        line.set_message(words);
        line.tick();
    }
}

/// The whole and the part of it that is under way, how far that is, and how long it takes.
fn words(doing: &[Doing]) -> Option<String> {
    let first = doing.first()?;
    let counted = doing.iter().rev().find_map(|doing| doing.count);
    let mut parts: Vec<String> = Vec::new();
    for doing in doing {
        // `landing` and then `landing lane 'x'` is one thing.
        parts.retain(|part| !doing.words.starts_with(part.as_str()));
        parts.push(escape::line(&doing.words));
    }
    if parts.len() > MOST {
        parts.drain(MOST - 1..parts.len() - 1);
    }
    let mut words = parts.join(": ");
    if let Some(Count { done, total, unit }) = counted {
        words += &match total {
            0 => format!("  {} {unit}", HumanCount(done as u64)),
            _ => {
                let [done, total] = [done, total].map(|number| HumanCount(number as u64));
                format!("  {done} of {total} {unit}")
            }
        };
    }
    let elapsed = first.since.elapsed();
    if elapsed >= LONG {
        words += &format!("  {}", in_two_units(elapsed.as_secs()));
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_comes_before_its_part() {
        let _quiet = Activity::begin("retiring lanes");
        let counted = Activity::begin("comparing");
        counted.set(1_234, 5_000, "merges");
        let _lane = Activity::with_lane(1, 5);
        for (more, wanted) in [
            (
                "landing",
                "retiring lanes: comparing: landing  1,234 of 5,000 merges",
            ),
            (
                "lane 2 of 5: landing",
                "retiring lanes: comparing: lane 2 of 5: landing  1,234 of 5,000 merges",
            ),
        ] {
            let _more = Activity::begin(more);
            // Other tests are at work too.
            let own = ["retiring lanes", "comparing", "lane 2 of 5", more];
            let mut doing = activity::all();
            doing.retain(|doing| own.contains(&doing.words.as_str()));
            assert_eq!(words(&doing).as_deref(), Some(wanted));
        }
        assert_eq!(words(&[]), None);
        assert!(Activity::with_lane(0, 1).is_none());
    }
}
