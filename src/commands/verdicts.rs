//! What became of each of several lanes: none stops the others, a person hears of each at once, and a
//! program of all of them in one document.
//!
//! `adopt`, `exec`, `finish` and `sync` use it, `start` the order of failures.

use crate::error::{Code, Error, Kind, Result};
use crate::ui::{Page, Report, Ui};

/// Kinds of failure, the worst first.
const WORST: [Kind; 7] = [
    Kind::Interrupted,
    Kind::Git,
    Kind::Environment,
    Kind::Gate,
    Kind::Conflict,
    Kind::Refused,
    Kind::Usage,
];

/// The kind of the worst of several failures, and its code.
pub(super) fn worst(failures: &[Error]) -> (Kind, Code) {
    let worst = failures.iter().min_by_key(|error| {
        let place = WORST.iter().position(|kind| *kind == error.kind());
        place.unwrap_or(WORST.len())
    });
    worst.map_or((Kind::Refused, Code::Refused), |error| {
        (error.kind(), error.code())
    })
}

/// What was done with one lane.
pub(super) trait Verdict: Report {
    /// That in a word for programs.
    fn verdict(&self) -> &'static str;
}

/// What became of one lane, for programs: what it came to, or the failure, and the word for it.
pub(super) fn document<R: Verdict>(done: &Result<R>) -> serde_json::Value {
    let (mut document, verdict) = match done {
        Ok(report) => (
            serde_json::to_value(report).unwrap_or_default(),
            report.verdict(),
        ),
        Err(error) => (error.to_json(), error.code().as_str()),
    };
    if let Some(fields) = document.as_object_mut() {
        fields.remove("version");
        fields.insert("verdict".into(), verdict.into());
    }
    document
}

/// What became of each lane.
#[derive(Default)]
pub(super) struct Verdicts {
    documents: Vec<serde_json::Value>,
    failures: Vec<Error>,
    /// What is told of all of them together.
    pub(super) beside: serde_json::Map<String, serde_json::Value>,
}

impl Verdicts {
    /// A person hears of each lane at once, a program of all of them at the end.
    pub(super) fn add<R: Verdict>(&mut self, ui: &Ui, name: &str, done: Result<R>) -> Option<R> {
        self.add_as(ui, ("lane", name.into()), done)
    }

    /// The same of what is no lane yet: the field that tells it from the others, and its value.
    pub(super) fn add_as<R: Verdict>(
        &mut self,
        ui: &Ui,
        (field, value): (&str, serde_json::Value),
        done: Result<R>,
    ) -> Option<R> {
        self.note_as((field, value), &done);
        match done {
            Ok(report) => {
                if !ui.json {
                    ui.report(&report);
                }
                Some(report)
            }
            Err(error) => {
                if !ui.json {
                    ui.error(&error);
                }
                self.failures.push(error);
                None
            }
        }
    }

    /// Says what became of the only lane, whose failure is that of the command.
    pub(super) fn only<R: Verdict>(mut self, ui: &Ui, name: &str, done: Result<R>) -> Result<()> {
        self.note_as(("lane", name.into()), &done);
        match done {
            Ok(_) if ui.json => ui.report(&self),
            Ok(report) => ui.report(&report),
            Err(error) if ui.json => return Err(ui.failed(&self, error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether one of them has failed already.
    pub(super) fn have_failure(&self) -> bool {
        !self.failures.is_empty()
    }

    fn note_as<R: Verdict>(&mut self, (field, value): (&str, serde_json::Value), done: &Result<R>) {
        let mut document = document(done);
        if let Some(fields) = document.as_object_mut() {
            fields.insert(field.into(), value);
        }
        self.documents.push(document);
    }

    /// Says it, and with which exit code: that of the worst; `what` all of them should have.
    pub(super) fn end(self, ui: &Ui, what: &str) -> Result<()> {
        self.end_as(ui, &format!("lanes have not {what}"))
    }

    /// The same, where `3 of 5` of them are to be followed by `what`.
    pub(super) fn end_as(self, ui: &Ui, what: &str) -> Result<()> {
        if self.failures.is_empty() {
            if ui.json {
                ui.report(&self);
            }
            return Ok(());
        }
        let (kind, code) = worst(&self.failures);
        let (failed, all) = (self.failures.len(), self.documents.len());
        let sentence = format!("{failed} of {all} {what}");
        let error = Error::new(kind, sentence).with_code(code);
        Err(match ui.json {
            true => ui.failed(&self, error),
            false => error,
        })
    }
}

impl serde::Serialize for Verdicts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = self.beside.clone();
        document.insert("lanes".into(), self.documents.clone().into());
        document.serialize(serializer)
    }
}

impl Report for Verdicts {
    /// Each lane has been told by itself.
    fn text(&self, _: &mut Page) {}
}
