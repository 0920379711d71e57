//! A terminal that a command has for itself for a while: a screen of its own, drawn anew in its place,
//! and keys as they are pressed. What was there comes back however the command ends.
//!
//! `git lane list --watch` uses it.

use std::io::{IsTerminal, Stdin};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use unicode_width::UnicodeWidthStr;

use super::page::{Page, fit_start};
use super::{Ui, escape};
use crate::store::activity::TerminalTaken;
use crate::store::signals;

/// A screen of its own, without a cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// The screen; what was there before comes back when it is dropped.
#[derive(Debug)]
pub struct WholeScreen<'a> {
    ui: &'a Ui,
    /// Where the keys come from, and how that was before.
    keys: Option<(Stdin, Option<Termios>)>,
    /// Columns and lines when it was drawn last.
    size: (usize, usize),
    #[allow(dead_code, reason = "held for its effect")]
    taken: TerminalTaken,
}

/// What has happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The terminal has another size.
    Resized,
    /// The user wants to leave.
    Left,
}

/// The rows of a screen that may be too low for all of them.
pub trait Rows {
    /// How many there are.
    fn count(&self) -> usize;

    /// A page with the first of them.
    fn page(&self, rows: usize) -> Page;

    /// What stands below them, so many others being left out.
    fn foot(&self, left_out: usize) -> Vec<String>;
}

impl Ui {
    /// Takes the terminal; `None` where there is none that can be drawn on.
    pub fn whole_screen(&self) -> Option<WholeScreen<'_>> {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        if self.json || dumb || !self.is_on_terminal() {
            return None;
        }
        let stdin = std::io::stdin();
        let keys = stdin.is_terminal().then(|| {
            let before = tcgetattr(&stdin).ok();
            (stdin, before)
        });
        let before = keys.as_ref().and_then(|(_, before)| before.clone());
        let at_the_end = before.clone();
        signals::before_the_end(move || give_back(at_the_end.as_ref()));
        if let Some(before) = &before {
            take_keys(before);
        }
        self.raw(ENTER);
        Some(WholeScreen {
            ui: self,
            keys,
            size: size(),
            taken: TerminalTaken::begin(),
        })
    }
}

impl WholeScreen<'_> {
    /// Draws as many rows as have room, and the foot.
    pub fn draw(&mut self, rows: &impl Rows) {
        self.size = size();
        let (columns, lines) = self.size;
        let room = lines.saturating_sub(1);
        let mut shown = rows.count().min(room);
        let text = loop {
            let text = rows.page(shown).render(Some(columns));
            if shown == 0 || height(&text, columns) <= room {
                break text;
            }
            shown -= 1;
        };
        let leaves = match self.keys {
            Some(_) => "q leaves",
            None => "Ctrl-C leaves",
        };
        let mut foot = rows.foot(rows.count() - shown);
        foot.push(leaves.into());
        let foot = escape::line(&foot.join("; "));
        let foot = fit_start(&foot, columns.saturating_sub(1));
        let text = match anstream::AutoStream::choice(&std::io::stdout()) {
            anstream::ColorChoice::Never => anstream::adapter::strip_str(&text).to_string(),
            _ => text,
        };
        let mut frame = String::from("\x1b[H");
        for line in text.lines() {
            frame += line;
            frame += "\x1b[K\r\n";
        }
        // What was longer before goes.
        frame += &format!("{foot}\x1b[K\x1b[J");
        self.ui.raw(frame.as_bytes());
    }

    /// Where keys can be waited for.
    pub fn keys(&self) -> Option<BorrowedFd<'_>> {
        self.keys.as_ref().map(|(keys, _)| keys.as_fd())
    }

    /// What has happened since it was drawn; `is_typed` says whether there is a key to read.
    pub fn event(&self, is_typed: bool) -> Option<Event> {
        if is_typed && self.wants_to_leave() || !self.ui.is_heard() {
            return Some(Event::Left);
        }
        (size() != self.size).then_some(Event::Resized)
    }

    /// Reads what was typed. A terminal that has gone away says nothing any more.
    fn wants_to_leave(&self) -> bool {
        let mut typed = [0; 64];
        let read = self.keys().map(|keys| rustix::io::read(keys, &mut typed));
        match read {
            Some(Ok(0) | Err(_)) | None => true,
            // Esc is alone; an arrow begins with it.
            Some(Ok(1)) if typed[0] == 0x1b => true,
            Some(Ok(count)) => typed[..count].iter().any(|key| matches!(key, b'q' | b'Q')),
        }
    }
}

impl Drop for WholeScreen<'_> {
    fn drop(&mut self) {
        give_back(self.keys.as_ref().and_then(|(_, before)| before.as_ref()));
    }
}

/// Columns and lines.
fn size() -> (usize, usize) {
    let known = terminal_size::terminal_size();
    known.map_or((80, 24), |(columns, lines)| {
        (usize::from(columns.0), usize::from(lines.0))
    })
}

/// How many lines of the screen a text takes.
fn height(text: &str, columns: usize) -> usize {
    let text = anstream::adapter::strip_str(text).to_string();
    let lines = text.lines();
    lines
        .map(|line| line.width().div_ceil(columns.max(1)).max(1))
        .sum()
}

/// Keys come as they are pressed and are not shown. Ctrl-C still is a signal; Ctrl-Z would leave the
/// shell on this screen, and is none.
fn take_keys(before: &Termios) {
    let mut now = before.clone();
    now.local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO);
    now.special_codes[SpecialCodeIndex::VMIN] = 1;
    now.special_codes[SpecialCodeIndex::VTIME] = 0;
    now.special_codes[SpecialCodeIndex::VSUSP] = 0;
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &now);
}

/// Makes the terminal what it was.
fn give_back(before: Option<&Termios>) {
    let _ = rustix::io::write(std::io::stdout(), LEAVE);
    if let Some(before) = before {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_wraps_takes_as_many_lines() {
        let bold = "\u{1b}[1mabcdef\u{1b}[0m\n";
        for (text, columns, lines) in [
            ("", 5, 0),
            ("\n\n", 5, 2),
            ("abcde\n", 5, 1),
            ("abcdef\n", 5, 2),
            (bold, 6, 1),
            (bold, 3, 2),
        ] {
            assert_eq!(height(text, columns), lines, "{text:?}");
        }
    }
}
