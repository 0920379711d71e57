//! A command of the user's while it runs: what it says as it says it, and below that for how long it
//! has been at work. On a terminal only.
//!
//! What the command says may be in colour, and nothing else of it steers the terminal.

use std::borrow::Cow;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{Stream, Streams};
use super::{Ui, escape};
use crate::domain::duration;
use crate::store::activity::TerminalTaken;

/// A line that grows longer is shown before it ends.
const LONGEST: usize = 4096;

/// The view of one command; its status line is gone from the screen when dropped.
#[derive(Debug)]
pub struct LiveCommand {
    title: String,
    streams: Streams,
    shown: Option<Mutex<Shown>>,
}

/// What is on the screen.
#[derive(Debug)]
struct Shown {
    #[allow(dead_code, reason = "held for its effect")]
    taken: TerminalTaken,
    status: ProgressBar,
    lines: Lines,
}

impl Ui {
    /// The view of a command called `title`. With `--json`, or where nobody looks on, there is
    /// nothing to see.
    pub fn live_command(&self, title: &str) -> LiveCommand {
        let visible = !self.json && std::io::stderr().is_terminal();
        LiveCommand {
            title: escape::line(title),
            streams: self.streams.clone(),
            shown: visible.then(|| {
                let shown = Shown {
                    taken: TerminalTaken::begin(),
                    status: status(),
                    lines: Lines::default(),
                };
                Mutex::new(shown)
            }),
        }
    }
}

fn status() -> ProgressBar {
    let status = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{wide_msg}");
    status.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    status
}

impl LiveCommand {
    /// Shows what the command has just said.
    pub fn output(&self, piece: &[u8]) {
        self.on_screen(|shown, streams| {
            let lines = shown.lines.add(piece);
            show(&shown.status, streams, &lines);
        });
    }

    /// Shows how long it has been at work; called a few times a second.
    pub fn tick(&self, elapsed: Duration) {
        let time = duration::in_two_units(elapsed.as_secs());
        self.on_screen(|shown, _| {
            shown.status.set_message(format!("{}  {time}", self.title));
            shown.status.tick();
        });
    }

    fn on_screen(&self, draw: impl FnOnce(&mut Shown, &Streams)) {
        if let Some(shown) = &self.shown {
            draw(
                &mut shown.lock().unwrap_or_else(PoisonError::into_inner),
                &self.streams,
            );
        }
    }
}

impl Drop for LiveCommand {
    fn drop(&mut self) {
        self.on_screen(|shown, streams| {
            shown.status.finish_and_clear();
            let rest = shown.lines.rest();
            show(&shown.status, streams, &rest);
        });
    }
}

fn show(status: &ProgressBar, streams: &Streams, lines: &str) {
    if !lines.is_empty() {
        status.suspend(|| streams.text(Stream::Error, lines));
    }
}

/// Makes lines of what comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    /// The last byte was a carriage return, and ended a line.
    returned: bool,
}

impl Lines {
    /// The lines that end in `piece`, fit for a terminal. A carriage return ends one too: what it
    /// would have overwritten is git-lane's line by then.
    pub(super) fn add(&mut self, piece: &[u8]) -> String {
        let mut lines = String::new();
        for part in piece.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part {
                [text @ .., end @ (b'\n' | b'\r')] => (text, Some(*end)),
                text => (text, None),
            };
            let is_empty = text.is_empty() && self.begun.is_empty();
            self.begun.extend_from_slice(text);
            let after_return = std::mem::replace(&mut self.returned, end == Some(b'\r'));
            let ends = match end {
                Some(b'\n') => !(is_empty && after_return),
                Some(_) => !is_empty,
                None => self.begun.len() > LONGEST,
            };
            if ends {
                lines.push_str(&self.take());
            }
        }
        lines
    }

    /// The line that was begun and does not end.
    pub(super) fn rest(&mut self) -> String {
        if self.begun.is_empty() {
            String::new()
        } else {
            self.take()
        }
    }

    fn take(&mut self) -> String {
        safe(&std::mem::take(&mut self.begun)) + "\n"
    }
}

/// A line in its own colours, without any other sequence that steers a terminal.
fn safe(line: &[u8]) -> String {
    let text = text(line);
    let (mut shown, mut done) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices("\u{1b}[") {
        if let Some(length) = style(&text[at..]) {
            shown += &plain(&text[done..at]);
            shown += &text[at..at + length];
            done = at + length;
        }
    }
    shown += &plain(&text[done..]);
    if done > 0 {
        shown += "\u{1b}[0m";
    }
    shown
}

/// The line as text, in which bytes that are none are written out.
fn text(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => text.into(),
        Err(_) => {
            let chunks = line.utf8_chunks();
            let shown = chunks.map(|chunk| {
                let bytes = chunk.invalid().iter();
                let bytes: String = bytes.map(|byte| format!("\\x{byte:02x}")).collect();
                format!("{}{bytes}", chunk.valid())
            });
            shown.collect::<String>().into()
        }
    }
}

/// How long the sequence is, where it sets colours and the like (SGR).
fn style(sequence: &str) -> Option<usize> {
    let is_parameter = |c: char| c.is_ascii_digit() || matches!(c, ';' | ':');
    let end = 2 + sequence[2..].find(|c| !is_parameter(c))?;
    sequence[end..].starts_with('m').then_some(end + 1)
}

fn plain(text: &str) -> String {
    escape::tabbed(&anstream::adapter::strip_str(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_come() {
        let said = b"one\n10%\r20%\r\n\n\xffgr\xc3\xbcn\r\rlast";
        let expected = "one\n10%\n20%\n\n\\xffgrün\n";
        for size in 1..=said.len() {
            let mut lines = Lines::default();
            let shown: String = said.chunks(size).map(|piece| lines.add(piece)).collect();
            assert_eq!(shown, expected, "{size}");
            assert_eq!(lines.rest(), "last\n", "{size}");
            assert_eq!(lines.rest(), "", "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_shown_before_it_ends() {
        let mut lines = Lines::default();
        assert_eq!(lines.add(&[b'x'; LONGEST]), "");
        assert_eq!(lines.add(b"x").len(), LONGEST + 2);
        assert_eq!(lines.add(b"\n"), "\n");
    }

    #[test]
    fn colours_stay_and_nothing_else_steers() {
        for (said, shown) in [
            ("plain\ttab", "plain\ttab"),
            (
                "\u{1b}[1;31mred\u{1b}[0m",
                "\u{1b}[1;31mred\u{1b}[0m\u{1b}[0m",
            ),
            ("\u{1b}[38:5:9mred", "\u{1b}[38:5:9mred\u{1b}[0m"),
            ("a\u{1b}[2J\u{1b}[1Ab", "ab"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("a\u{1b}[?25lb", "ab"),
            ("a\u{1b}[31", "a"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(safe(said.as_bytes()), shown, "{said:?}");
        }
    }
}
