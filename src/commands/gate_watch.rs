//! What a person sees of a gate while it runs.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::operations::gate::Watch;
use crate::ui::Ui;
use crate::ui::live::LiveCommand;

/// Shows each command as it begins, where its output goes, and on a terminal that output itself with
/// the time it takes.
pub(super) struct GateWatch<'a> {
    ui: &'a Ui,
    live: RefCell<Option<LiveCommand>>,
    waits: Cell<bool>,
    /// Where the output of the last command went.
    log: RefCell<PathBuf>,
}

impl<'a> GateWatch<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        GateWatch {
            ui,
            live: RefCell::new(None),
            waits: Cell::new(false),
            log: RefCell::default(),
        }
    }
}

/// The lanes that a gate tests, in the middle of a line.
fn whose(lanes: &[&LaneName]) -> String {
    match lanes {
        [] => String::new(),
        [one] => format!(" for lane '{one}'"),
        several => format!(" for {} lanes", several.len()),
    }
}

impl Watch for GateWatch<'_> {
    fn waits(&self) {
        if !self.waits.replace(true) {
            self.ui.note("waiting for the gate of other landings");
        }
    }

    fn knows(&self, lanes: &[&LaneName]) {
        let whose = whose(lanes);
        self.ui.note(format_args!(
            "gate{whose}: it has succeeded for these files before"
        ));
    }

    fn begins(&self, line: &str, lanes: &[&LaneName], log: &Path) {
        // What is on the screen of the command before goes first.
        self.live.borrow_mut().take();
        let whose = whose(lanes);
        let known = self.log.replace(log.to_owned()) == log;
        let log = match known {
            true => String::new(),
            false => format!("  (its output: {})", quote(log.display())),
        };
        self.ui.note(format_args!("gate{whose}: {line}{log}"));
        *self.live.borrow_mut() = Some(self.ui.live_command(&format!("gate: {line}")));
    }

    fn says(&self, output: &[u8]) {
        if let Some(live) = &*self.live.borrow() {
            live.output(output);
        }
    }

    fn runs(&self, elapsed: Duration) {
        if let Some(live) = &*self.live.borrow() {
            live.tick(elapsed);
        }
    }

    fn ends(&self) {
        self.live.borrow_mut().take();
    }
}
