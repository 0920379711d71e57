//! The one place that asks. The safe answer is the default, and there is none to give without a terminal.

use dialoguer::{Confirm, MultiSelect};

use super::{Ui, escape};
use crate::error::{Error, Kind, Result};

impl Ui {
    /// Asks a yes-or-no question whose default is no; `None` when nobody is there to answer.
    pub fn confirm(&self, question: &str) -> Result<Option<bool>> {
        if !self.can_ask() {
            return Ok(None);
        }
        Confirm::new().with_prompt(escape::lines(question)).default(false).interact().map(Some).map_err(interrupted)
    }

    /// Lets the user choose among `items`, none of them chosen at first; `None` when nobody is there to answer.
    pub fn choose(&self, question: &str, items: &[String]) -> Result<Option<Vec<usize>>> {
        if !self.can_ask() {
            return Ok(None);
        }
        let items: Vec<String> = items.iter().map(|item| escape::line(item)).collect();
        MultiSelect::new().with_prompt(escape::lines(question)).items(&items).interact().map(Some).map_err(interrupted)
    }
}

fn interrupted(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    Error::new(Kind::Interrupted, "nothing was changed").source(error)
}
