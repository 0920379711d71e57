//! The one place that asks. The safe answer is the default, and there is none to give without a
//! terminal.

use std::fmt;

use dialoguer::theme::Theme;
use dialoguer::{Confirm, MultiSelect};
use unicode_width::UnicodeWidthStr;

use super::page::fit_start;
use super::{Ui, escape, width};
use crate::error::{Error, Kind, Result};
use crate::store::activity::TerminalTaken;
use crate::store::signals;

/// Blanks before what is said of one that can be chosen.
const GAP: usize = 2;

/// What stands before it: `> [x] `.
const MARK: usize = 6;

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
        let lines = lines(choices, columns);
        let keys = keys(does, columns);
        let chosen = MultiSelect::with_theme(&Plain)
            .with_prompt(format!("{}\n{keys}", escape::line(question)))
            .items(&lines)
            .defaults(&vec![true; lines.len()])
            .report(false)
            .interact_opt()
            .map_err(interrupted)?;
        match chosen {
            Some(chosen) => Ok(Some(chosen)),
            None => Err(nothing_changed()),
        }
    }
}

/// The keys on one line where they have room, else on two.
fn keys(does: &str, columns: usize) -> String {
    let [picks, leaves] = KEYS;
    let whole = format!("{picks} {does}, {leaves}");
    match whole.width() < columns {
        true => whole,
        false => format!("{picks} {does},\n{leaves}"),
    }
}

/// One line for each: the names below each other, and beside them what is to be known, as far as
/// that fits.
fn lines(choices: &[Choice], columns: usize) -> Vec<String> {
    let names = choices.iter().map(|choice| escape::line(&choice.name));
    let names: Vec<String> = names.collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    // The terminal breaks a line that is as wide as it is.
    let room = columns.saturating_sub(MARK + widest + GAP + 1);
    let line = |(name, choice): (&String, &Choice)| {
        let about = escape::line(&choice.about);
        let fill = widest - name.width();
        match room {
            ..READABLE => name.clone(),
            _ => format!("{name}{:fill$}{:GAP$}{}", "", "", fit_start(&about, room)),
        }
    };
    names.iter().zip(choices).map(line).collect()
}

/// Says what it is told and adds nothing.
struct Plain;

impl Theme for Plain {
    fn format_prompt(&self, to: &mut dyn fmt::Write, prompt: &str) -> fmt::Result {
        to.write_str(prompt)
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
        for (name, columns, wanted) in [
            (login, 40, login.to_owned()),
            (login, 60, format!("{login}  merged into its b…")),
            (
                login,
                100,
                format!("{login}  merged into its base (ignored: '.env')"),
            ),
            ("a", 40, "a  merged into its base (ignored…".to_owned()),
        ] {
            let shown = &lines(&[choice(name)], columns)[0];
            assert_eq!(shown.trim_end(), wanted);
            assert!(
                name == login && columns == 40 || MARK + shown.width() < columns,
                "{shown}"
            );
        }
    }

    #[test]
    fn the_keys_fit_the_screen() {
        assert_eq!(
            keys("retires", 40),
            "space picks, enter retires,\nq or esc leaves"
        );
        assert_eq!(
            keys("retires", 80),
            "space picks, enter retires, q or esc leaves"
        );
    }
}
