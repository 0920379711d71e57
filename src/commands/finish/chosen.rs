//! The lanes that `git lane finish --all` lands, and those that it leaves out.

use crate::commands::records;
use crate::domain::finish::left_out::{Candidate, LeftOut, is_asked_for, left_out};
use crate::domain::name::LaneName;
use crate::error::Result;
use crate::operations::in_flight;
use crate::repository::{Repository, claims};
use crate::ui::{Page, Report, Style, Ui, page::Cell};

/// The lanes of one command.
pub(super) struct Chosen {
    /// Those that land.
    pub(super) names: Vec<String>,
    /// Those that were asked for too.
    left_out: Vec<(LaneName, LeftOut)>,
    any_status: bool,
}

impl Chosen {
    /// Looks at all lanes that are ready, or at all.
    pub(super) fn look(repository: &Repository, any_status: bool, dry_run: bool) -> Result<Self> {
        let worktrees = repository.worktrees()?;
        let mut lanes = records(repository, &worktrees, dry_run)?.lanes;
        lanes.retain(|lane| is_asked_for(lane, any_status));
        let mut chosen = Chosen {
            names: Vec::new(),
            left_out: Vec::new(),
            any_status,
        };
        for entry in in_flight::of_lanes(repository, lanes, worktrees)? {
            let Some(lane) = &entry.lane else { continue };
            let claim = claims::anothers(repository, lane);
            let candidate = Candidate {
                lane,
                state: &entry.state,
                versus: entry.versus.as_ref(),
                claim: claim.as_ref(),
            };
            match left_out(&candidate, any_status) {
                Some(why) => chosen.left_out.push((lane.name.clone(), why)),
                None => chosen.names.push(lane.name.to_string()),
            }
        }
        Ok(chosen)
    }

    /// Says to a person which lanes are left out, and where none is left.
    pub(super) fn tell(&self, ui: &Ui) {
        if ui.json {
            return;
        }
        for (lane, why) in &self.left_out {
            ui.note(format_args!("left out lane '{lane}': {why}"));
        }
        if self.names.is_empty() {
            ui.report(self);
        }
    }

    /// The lanes that are left out, for programs.
    pub(super) fn document(&self) -> serde_json::Value {
        let line = |(lane, why): &(LaneName, LeftOut)| serde_json::json!({ "lane": lane, "code": why.code(), "message": why.to_string() });
        self.left_out.iter().map(line).collect()
    }
}

impl serde::Serialize for Chosen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(serializer)
    }
}

impl Report for Chosen {
    /// That nothing is to land.
    fn text(&self, page: &mut Page) {
        let lanes = match (self.left_out.is_empty(), self.any_status) {
            (false, _) => "every lane that was asked for is left out",
            (true, true) => "there is no lane",
            (true, false) => "no lane is marked as ready",
        };
        page.line(Cell::new(format!("nothing to land: {lanes}"), Style::Faint));
    }
}
