//! The one place that asks. The safe answer is the default, and there is none to give without a
//! terminal.

use std::fmt;

use dialoguer::theme::Theme;
use dialoguer::{Confirm, MultiSelect};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::page::fit_start;
use super::{Ui, escape, width};
use crate::error::{Error, Kind, Result};
use crate::store::activity::TerminalTaken;
use crate::store::signals;

/// Blanks before what is said of one that can be chosen.
const GAP: usize = 2;

/// What stands before it: `> [x] `.
const MARK: usize = 6;

/// The room for the number of the page, behind the keys: ` [Page 1/2] `.
const PAGE: usize = 16;

/// With less room than this it is left out.
const READABLE: usize = 12;

/// The keys that a user has who chooses, the verb in their place.
const KEYS: [&str; 2] = ["space picks, enter", "q or esc leaves"];

/// Something that can be chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its name, which is never cut.
    pub name: String,
    /// What is to be known of it.
    pub about: String,
}

impl Ui {
    /// Asks a yes-or-no question whose default is no, which leaving it says too; `None` when no user
    /// is there to answer. What a yes means is said before it, so that the question fits a line.
    pub fn confirm(&self, meaning: &str, question: &str) -> Result<Option<bool>> {
        if !self.can_ask() {
            return Ok(None);
        }
        signals::before_the_end(show_cursor);
        let _taken = TerminalTaken::begin();
        if !meaning.is_empty() {
            self.note(meaning);
        }
        Confirm::new()
            .with_prompt(escape::line(question))
            .default(false)
            .interact_opt()
            .map(|answer| Some(answer.unwrap_or(false)))
            .map_err(interrupted)
    }

    /// Lets the user choose among `choices`, all of them chosen at first; `None` when no user is
    /// there to answer. `does` is what the chosen ones are in for: `retires`.
    ///
    /// # Errors
    /// Kind [`Interrupted`](Kind::Interrupted) where the user leaves.
    pub fn choose(
        &self,
        question: &str,
        does: &str,
        choices: &[Choice],
    ) -> Result<Option<Vec<usize>>> {
        if !self.can_ask() {
            return Ok(None);
        }
        signals::before_the_end(show_cursor);
        let _taken = TerminalTaken::begin();
        let columns = width().unwrap_or(80).max(1);
        let asked = [
            wrapped(&escape::line(question), columns),
            keys(does, columns),
        ]
        .concat();
        let rows = Rows(rows(choices, columns));
        let numbers: Vec<String> = (0..choices.len()).map(|at| at.to_string()).collect();
        let height = dialoguer::console::Term::stderr().size().0.into();
        let chosen = MultiSelect::with_theme(&rows)
            .with_prompt(asked.join("\n"))
            .items(&numbers)
            .defaults(&vec![true; numbers.len()])
            .max_length(rows.at_once(height, asked.len()))
            .report(false)
            .interact_opt()
            .map_err(interrupted)?;
        match chosen {
            Some(chosen) => Ok(Some(chosen)),
            None => Err(nothing_changed()),
        }
    }
}

/// The keys on one line where they have room, and the number of the page beside them; else on two.
fn keys(does: &str, columns: usize) -> Vec<String> {
    let [picks, leaves] = KEYS;
    let whole = format!("{picks} {does}, {leaves}");
    match whole.width() + PAGE < columns {
        true => vec![whole],
        false => vec![format!("{picks} {does},"), leaves.to_owned()],
    }
}

/// The lines of each: the names below each other, and beside them what is to be known, as far as
/// that fits. A name that is wider than the screen goes on in the next line.
fn rows(choices: &[Choice], columns: usize) -> Vec<Vec<String>> {
    let names = choices.iter().map(|choice| escape::line(&choice.name));
    let names: Vec<String> = names.collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    // The terminal breaks a line that is as wide as it is.
    let room = columns.saturating_sub(MARK + widest + GAP + 1);
    let row = |(name, choice): (&String, &Choice)| {
        let about = escape::line(&choice.about);
        let fill = widest - name.width();
        let beside = || format!("{name}{:fill$}{:GAP$}{}", "", "", fit_start(&about, room));
        match room {
            ..READABLE => wrapped(name, columns.saturating_sub(MARK)),
            _ => vec![beside()],
        }
    };
    names.iter().zip(choices).map(row).collect()
}

/// The text in lines that are narrower than so many columns, so that it is known how many they are.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let room = columns.saturating_sub(1).max(2);
    let (mut lines, mut used) = (vec![String::new()], 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            lines.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    lines
}

/// The rows, by the numbers that stand for them: what is told the length of a text counts bytes, and
/// would take one that fits for two lines. It adds nothing to what is asked.
struct Rows(Vec<Vec<String>>);

impl Rows {
    /// How many of them have room on a screen of so many lines, below those that ask.
    fn at_once(&self, height: usize, asked: usize) -> usize {
        let tallest = self.0.iter().map(Vec::len).max().unwrap_or(1).max(1);
        (height.saturating_sub(asked + 1) / tallest).max(1)
    }
}

impl Theme for Rows {
    fn format_prompt(&self, to: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        to.write_str(prompt)
    }

    fn format_multi_select_prompt_item(
        &self,
        to: &mut dyn fmt::Write,
        number: &str,
        checked: bool,
        active: bool,
    ) -> fmt::Result {
        let row = number.parse().ok().and_then(|at: usize| self.0.get(at));
        let mark = [" ", ">"][usize::from(active)];
        let tick = [" ", "x"][usize::from(checked)];
        let lines = row.map_or_else(String::new, |lines| lines.join(&format!("\n{:MARK$}", "")));
        write!(to, "{mark} [{tick}] {lines}")
    }
}

/// What a user is told who has left.
fn nothing_changed() -> Error {
    Error::new(Kind::Interrupted, "nothing was changed")
}

/// A question hides it, and a user who ends the program while it is asked would leave the terminal
/// without one.
fn show_cursor() {
    let _ = dialoguer::console::Term::stderr().show_cursor();
}

fn interrupted(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    show_cursor();
    nothing_changed().caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_fits_the_screen_and_keeps_its_name() {
        let choice = |name: &str| Choice {
            name: name.into(),
            about: "merged into its base (ignored: '.env')".into(),
        };
        let login = "agent-7/fix-login-form-validation";
        let legacy = "agent-6/remove-legacy-session-cookie";
        for (name, columns, wanted) in [
            (login, 40, vec![login.to_owned()]),
            (legacy, 43, vec![legacy.to_owned()]),
            (
                legacy,
                40,
                vec![legacy[..33].to_owned(), legacy[33..].to_owned()],
            ),
            // Wide characters are two columns, and three bytes.
            ("数数数", 11, vec!["数数".to_owned(), "数".to_owned()]),
            (login, 60, vec![format!("{login}  merged into its b…")]),
            (
                login,
                100,
                vec![format!("{login}  merged into its base (ignored: '.env')")],
            ),
            (
                "a",
                40,
                vec!["a  merged into its base (ignored…".to_owned()],
            ),
        ] {
            let shown = &rows(&[choice(name)], columns)[0];
            assert_eq!(*shown, wanted, "{name} {columns}");
            let fits = |line: &String| MARK + line.width() < columns;
            assert!(shown.iter().all(fits), "{shown:?}");
        }
    }

    #[test]
    fn the_rows_fit_the_screen() {
        let of = |lines: usize| Rows(vec![vec!["a".to_owned(); lines], vec!["b".to_owned()]]);
        for (lines, height, asked, wanted) in
            [(1, 20, 3, 16), (2, 20, 3, 8), (2, 21, 2, 9), (3, 2, 3, 1)]
        {
            assert_eq!(of(lines).at_once(height, asked), wanted);
        }
    }

    #[test]
    fn the_keys_fit_the_screen() {
        let two = ["space picks, enter retires,", "q or esc leaves"];
        assert_eq!(keys("retires", 40), two);
        assert_eq!(keys("retires", 59), two);
        let one = ["space picks, enter retires, q or esc leaves"];
        assert_eq!(keys("retires", 80), one);
    }
}
