//! A long result on a terminal: by the user's pager. Elsewhere it is printed like any other.

use std::io::IsTerminal;

use anstream::{AutoStream, ColorChoice};

use super::output::Stream;
use super::{Page, Report, Ui, width};
use crate::error::Result;
use crate::store::command_run::pager;

impl Ui {
    /// Prints a command's result, on a terminal by the pager that `choose` names, if that does. JSON is
    /// never paged.
    pub fn report_paged(
        &self,
        report: &impl Report,
        choose: impl FnOnce() -> Result<Option<String>>,
    ) -> Result<()> {
        let is_watched = !self.json && std::io::stdout().is_terminal();
        let line = if is_watched { choose()? } else { None };
        // `cat` and nothing mean none, as to git.
        let line = line.filter(|line| !matches!(line.trim(), "" | "cat"));
        let Some(line) = line else {
            self.report(report);
            return Ok(());
        };
        let mut page = Page::default();
        report.text(&mut page);
        let mut text = page.render(width());
        if AutoStream::choice(&std::io::stdout()) == ColorChoice::Never {
            text = anstream::adapter::strip_str(&text).to_string();
        }
        if !matches!(pager::show(&line, text.as_bytes()), Ok(true)) {
            self.streams.text(Stream::Output, &text);
        }
        Ok(())
    }

    /// How wide a line may be; `None` where there is no limit.
    pub fn width(&self) -> Option<usize> {
        width()
    }
}
