//! The one place that asks. The safe answer is the default, and there is none to give without a
//! terminal.

use dialoguer::{Confirm, MultiSelect};

use super::{Ui, escape};
use crate::error::{Error, Kind, Result};
use crate::store::signals;

impl Ui {
    /// Asks a yes-or-no question whose default is no; `None` when no user is there to answer.
    pub fn confirm(&self, question: &str) -> Result<Option<bool>> {
        if !self.can_ask() {
            return Ok(None);
        }
        signals::before_the_end(show_cursor);
        Confirm::new()
            .with_prompt(escape::line(question))
            .default(false)
            .interact()
            .map(Some)
            .map_err(interrupted)
    }

    /// Lets the user choose among `items`, none of them chosen at first; `None` when no user is
    /// there to answer.
    pub fn choose(&self, question: &str, items: &[String]) -> Result<Option<Vec<usize>>> {
        if !self.can_ask() {
            return Ok(None);
        }
        signals::before_the_end(show_cursor);
        let items: Vec<String> = items.iter().map(|item| escape::line(item)).collect();
        MultiSelect::new()
            .with_prompt(escape::line(question))
            .items(&items)
            .interact()
            .map(Some)
            .map_err(interrupted)
    }
}

/// A question hides it, and a user who ends the program while it is asked would leave the terminal
/// without one.
fn show_cursor() {
    let _ = dialoguer::console::Term::stderr().show_cursor();
}

fn interrupted(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    show_cursor();
    Error::new(Kind::Interrupted, "nothing was changed").caused_by(error)
}
