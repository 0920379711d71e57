//! `git lane undo --list`: what can be taken back, and why not the rest.

use crate::commands::age;
use crate::domain::event::{Problem, What};
use crate::domain::lane::LaneId;
use crate::domain::name::LaneName;
use crate::domain::undo::Step;
use crate::error::Error;
use crate::ui::{Cell, Page, Report, Style};

/// The newest steps, newest first.
#[derive(Debug, serde::Serialize)]
pub(super) struct Steps {
    steps: Vec<Line>,
    /// How many older ones there are.
    more: usize,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    lane: LaneName,
    lane_id: LaneId,
    what: What,
    operations: Vec<String>,
    owner: String,
    time: String,
    undoable: bool,
    /// Why it cannot be taken back.
    problem: Option<Problem>,
}

impl Steps {
    /// Each with the reason why it cannot be taken back.
    pub(super) fn new(steps: Vec<(Step, Option<Error>)>, more: usize) -> Self {
        let line = |(step, why_not): (Step, Option<Error>)| Line {
            what: step.deed.what(),
            lane: step.lane,
            lane_id: step.lane_id,
            operations: step.operations,
            owner: step.owner,
            time: step.time,
            undoable: why_not.is_none(),
            problem: why_not.map(|error| Problem {
                code: error.code().as_str().into(),
                message: error.to_string(),
            }),
        };
        Steps {
            steps: steps.into_iter().map(line).collect(),
            more,
        }
    }
}

impl Line {
    fn age(&self) -> String {
        let time = self.time.parse::<jiff::Timestamp>();
        time.map_or_else(|_| String::new(), |time| age(time.as_second()))
    }

    fn done(&self) -> &'static str {
        match self.what {
            What::Start => "started",
            What::Land => "landed",
            What::Finish => "finished",
            What::Drop => "dropped",
            What::Prune => "pruned",
            What::Restore => "restored",
            What::Expire => "expired",
            What::Heal => "healed",
            What::Undo => "undone",
            What::Sync => "synced",
            What::Claim => "claimed",
            What::Release => "released",
            What::Mark => "marked",
            What::Adopt => "adopted",
            What::Rename => "renamed",
            What::Move => "moved",
            What::Base => "based",
            What::Try => "tried",
            What::TryBack => "ended the try",
        }
    }
}

impl Report for Steps {
    fn text(&self, page: &mut Page) {
        if self.steps.is_empty() {
            page.line(Cell::new("nothing can be taken back", Style::Faint));
            return;
        }
        let row = |line: &Line| {
            let why = match &line.problem {
                None => Cell::new("yes", Style::Good),
                Some(problem) => Cell::new(format!("no: {}", problem.message), Style::Faint),
            };
            vec![
                Cell::from(&line.lane),
                Cell::from(line.done()),
                Cell::from(line.age()),
                Cell::from(&line.owner),
                why,
            ]
        };
        let rows = self.steps.iter().map(row).collect();
        page.table(&["LANE", "DONE", "AGE", "OWNER", "UNDO"], rows, &[4, 3]);
        if self.more > 0 {
            page.line(format!("and {} older ones", self.more));
        }
    }
}
