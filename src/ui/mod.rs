//! The only folder that talks to a person: text and JSON, prompts, progress.
//!
//! Results go to standard output, everything else to standard error. Callers never ask whether
//! there is a terminal.
//!
//! The commands alone call it.

pub mod escape;
pub mod lane_output;
pub mod live;
mod output;
pub mod page;
mod paged;
pub mod progress;
pub mod prompt;
mod table_fit;
mod usage;
pub mod whole_screen;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use output::{Stream, Streams};
pub use page::{Cell, Give, Page, Style};
pub use prompt::Choice;

use crate::error::{Error, Kind, Result};
use crate::store::events::Trouble;
use crate::store::git;

/// What happened, as data: printed as text or as one JSON document.
pub trait Report: serde::Serialize {
    /// Writes the report for a person.
    fn text(&self, page: &mut Page);
}

/// How to speak in this run.
#[derive(Debug, Clone)]
pub struct Ui {
    /// One JSON document on standard output; no prompts, no progress.
    pub json: bool,
    /// Why the event log could not be written, as the operations of this command find out.
    pub log_trouble: Trouble,
    streams: Streams,
    /// Whether the one document was printed.
    is_documented: Arc<AtomicBool>,
}

impl Ui {
    /// Speaks JSON, or to a person.
    pub fn new(json: bool) -> Self {
        Ui {
            json,
            log_trouble: Trouble::default(),
            streams: Streams::default(),
            is_documented: Arc::default(),
        }
    }

    /// The program's exit code after everything was said: that of `done`, or the one for output
    /// that could not be written.
    pub fn end(&self, done: Result<()>) -> u8 {
        let code = done.map_or_else(
            |error| {
                if !error.is_told() {
                    self.error(&error);
                }
                error.kind().exit_code()
            },
            |()| 0,
        );
        match self.streams.lost() {
            Some((stream, reason)) if code == 0 => {
                let sentence = format!(
                    "error: what the command says cannot be written to {}: {reason}\n",
                    stream.name()
                );
                // Where JSON was asked for, the one document is on standard output already.
                if stream == Stream::Output || !self.json {
                    self.streams.text(stream.other(), &sentence);
                }
                Kind::Environment.exit_code()
            }
            _ => code,
        }
    }

    /// Says what clap has to say, help and version among it.
    pub fn usage(&self, mut error: clap::Error) {
        usage::escape(&mut error);
        let stream = if error.use_stderr() {
            Stream::Error
        } else {
            Stream::Output
        };
        self.streams
            .text(stream, &error.render().ansi().to_string());
    }

    /// Prints a command's result.
    pub fn report(&self, report: &impl Report) {
        if self.json {
            let mut document = serde_json::to_value(report).unwrap_or_default();
            if let Some(fields) = document.as_object_mut() {
                fields.insert("version".into(), crate::JSON_VERSION.into());
            }
            self.is_documented.store(true, Ordering::Relaxed);
            self.out(&escape::json(&document));
        } else {
            let mut page = Page::default();
            report.text(&mut page);
            self.out(&page.render(width()));
        }
    }

    /// Shows a person what is no result: standard output has something else already.
    pub fn aside(&self, report: &impl Report) {
        if !self.json {
            let mut page = Page::default();
            report.text(&mut page);
            self.streams.text(Stream::Error, &page.render(width()));
        }
    }

    /// Prints what was done before something failed, and hands back the failure: as text at once,
    /// as JSON in the one document of the failure, which is printed where the program ends.
    pub fn failed(&self, report: &impl Report, error: Error) -> Error {
        if self.json {
            return error.beside(serde_json::to_value(report).unwrap_or_default());
        }
        self.report(report);
        error
    }

    /// Prints text that is a result as it is: one path, a completion script.
    pub fn raw(&self, bytes: &[u8]) {
        self.streams.bytes(bytes);
    }

    /// Prints one line of a report that goes on; says whether the reader still reads.
    pub fn line(&self, report: &impl Report) -> bool {
        let text = if self.json {
            escape::json_line(&serde_json::to_value(report).unwrap_or_default())
        } else {
            let mut page = Page::default();
            report.text(&mut page);
            page.render(width())
        };
        self.streams.text(Stream::Output, &text)
    }

    /// Says something that is not a result, on one line: a line break in it came with a name, a
    /// path or git's words.
    pub fn note(&self, text: impl std::fmt::Display) {
        self.streams
            .text(Stream::Error, &(escape::line(&text.to_string()) + "\n"));
    }

    /// Warns about something the user may want to act on.
    pub fn warn(&self, text: impl std::fmt::Display) {
        self.note(format_args!("warning: {text}"));
    }

    /// Prints an error with its hints; as JSON on standard output too, where JSON was asked for.
    pub fn error(&self, error: &Error) {
        // What fails after the one document is said to people, and by the exit code.
        if self.json && !self.is_documented.swap(true, Ordering::Relaxed) {
            self.out(&escape::json(&error.to_json()));
        }
        self.note(format_args!("error: {error}"));
        for line in error.said() {
            self.note(format_args!("  | {line}"));
        }
        for hint in error.hints() {
            self.note(format_args!("hint: {hint}"));
        }
    }

    /// Whether a user is there to answer a question.
    pub fn can_ask(&self) -> bool {
        let in_hook = std::env::var_os(git::IN_HOOK).is_some();
        !self.json && !in_hook && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// How many columns a screen on a terminal has; `None` where there is no terminal.
    pub fn columns(&self) -> Option<usize> {
        if self.json || !std::io::stdout().is_terminal() {
            return None;
        }
        width()
    }

    /// Whether a person sees the results, and no program reads them.
    pub fn is_on_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Says a failure before the program ends, where something is still to be done after it.
    pub fn error_now(&self, error: Error) -> Error {
        self.error(&error);
        error.told()
    }

    /// Warns of a failure that is not that of the command, with what to do about it.
    pub fn warn_of(&self, what: impl std::fmt::Display, error: &Error) {
        self.warn(what);
        for hint in error.hints() {
            self.note(format_args!("hint: {hint}"));
        }
    }

    /// Whether all that was said so far has arrived.
    pub fn is_heard(&self) -> bool {
        self.streams.lost().is_none()
    }

    fn out(&self, text: &str) {
        self.streams.text(Stream::Output, text);
    }
}

/// A number of bytes as a person says it: `1.50 GiB`.
pub fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Columns to fill: the terminal's, else `COLUMNS`, else no limit.
fn width() -> Option<usize> {
    if std::io::stdout().is_terminal()
        && let Some((terminal_size::Width(columns), _)) = terminal_size::terminal_size()
    {
        return Some(usize::from(columns));
    }
    std::env::var("COLUMNS").ok()?.parse().ok()
}
