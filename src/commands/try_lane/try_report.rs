//! What `git lane try` tells: data first, text and JSON made from it.

use bstr::{BString, ByteSlice};

use crate::domain::finish::some;
use crate::domain::lane::{Lane, LosslessPath, ObjectId, RefName, lossless};
use crate::domain::name::LaneName;
use crate::operations::try_lane::{BroughtBack, Shown, Taken};
use crate::ui::{self, Cell, Page, Style};

/// What was done.
#[derive(Debug)]
pub(super) struct Report {
    lane: LaneName,
    dry_run: bool,
    shown: Option<Shown>,
    back: Option<BroughtBack>,
    taken: Vec<BString>,
}

impl Report {
    pub(super) fn shown(lane: &Lane, mut shown: Shown, dry_run: bool) -> Self {
        Report {
            lane: lane.name.clone(),
            dry_run,
            back: shown.before.take(),
            shown: Some(shown),
            taken: Vec::new(),
        }
    }

    pub(super) fn back(back: BroughtBack, dry_run: bool) -> Self {
        Report {
            lane: back.lane.clone(),
            dry_run,
            shown: None,
            back: Some(back),
            taken: Vec::new(),
        }
    }

    pub(super) fn taken(taken: Taken, dry_run: bool) -> Self {
        Report {
            taken: taken.files,
            ..Self::back(taken.back, dry_run)
        }
    }

    fn shown_text(&self, shown: &Shown, page: &mut Page) {
        let lane = &self.lane;
        let what = match shown.commit == shown.tip {
            true => String::new(),
            false => ", with what is not committed".to_owned(),
        };
        let does = match (shown.already, self.dry_run) {
            (true, _) => "shows",
            (false, true) => "would show",
            (false, false) => "now shows",
        };
        let text = format!(
            "the main worktree {does} lane '{lane}' as it stands ({}{what})",
            short(&shown.commit)
        );
        page.line(Cell::new(text, Style::Good));
        if !self.dry_run {
            page.line(format!("  look at it in: {}", shown.main.display()));
            page.line(format!(
                "  go back to '{}' with: git lane try --back",
                shown.branch
            ));
        }
    }

    fn back_text(&self, back: &BroughtBack, page: &mut Page) {
        let (is, already) = match (back.already, self.dry_run) {
            (true, _) => ("is", " already"),
            (false, true) => ("would be", ""),
            (false, false) => ("is", ""),
        };
        let text = format!("the main worktree {is} back on '{}'{already}", back.branch);
        page.line(Cell::new(text, Style::Good));
        if !back.left.is_empty() {
            page.line(format!(
                "  what only lane '{}' ignores stays there, untracked: {}",
                back.lane,
                some(&back.left)
            ));
        }
        if back.tip != back.from {
            page.line(format!(
                "  '{}' has moved meanwhile: {}..{}",
                back.branch,
                short(&back.from),
                short(&back.tip)
            ));
        }
        if back.lane_is_gone {
            page.line(format!("  lane '{}' is gone by now", back.lane));
        }
    }
}

fn short(id: &ObjectId) -> String {
    id.to_hex_with_len(10).to_string()
}

fn name_of(branch: &RefName) -> serde_json::Value {
    lossless(branch.shorten())
}

impl serde::Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.shown.as_ref().map(|shown| {
            serde_json::json!({
                "commit": shown.commit.to_string(), "tip": shown.tip.to_string(),
                "already": shown.already, "branch": name_of(&shown.branch),
            })
        });
        let back = self.back.as_ref().map(|back| {
            let left: Vec<_> = back
                .left
                .iter()
                .map(|path| lossless(path.as_bstr()))
                .collect();
            serde_json::json!({
                "lane": back.lane, "laneIsGone": back.lane_is_gone,
                "already": back.already, "left": left,
                "commit": back.commit.to_string(), "branch": name_of(&back.branch),
                "from": back.from.to_string(), "to": back.tip.to_string(),
            })
        });
        let main = self
            .shown
            .as_ref()
            .map(|shown| &shown.main)
            .or(self.back.as_ref().map(|back| &back.main));
        let taken: Vec<_> = self
            .taken
            .iter()
            .map(|path| lossless(path.as_bstr()))
            .collect();
        let document = serde_json::json!({
            "lane": self.lane, "dryRun": self.dry_run,
            "path": main.cloned().map(LosslessPath),
            "shown": shown, "back": back, "taken": taken,
        });
        document.serialize(serializer)
    }
}

impl ui::Report for Report {
    fn text(&self, page: &mut Page) {
        if !self.taken.is_empty() {
            let took = if self.dry_run { "would take" } else { "took" };
            let text = format!("{took} into lane '{}': {}", self.lane, some(&self.taken));
            page.line(Cell::new(text, Style::Good));
        }
        if let Some(back) = self.back.as_ref() {
            self.back_text(back, page);
        }
        if let Some(shown) = &self.shown {
            self.shown_text(shown, page);
        }
    }
}
