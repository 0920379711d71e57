//! Words for what a forecast has found.

use bstr::{BString, ByteSlice};

use super::matrix;
use crate::commands::coded::Coded;
use crate::domain::forecast::{Forecast, Meeting, Outlook, Verdict};
use crate::domain::lane::lossless;
use crate::domain::name::LaneName;
use crate::ui::{Cell, Page, Report, Style};

/// So many files of a conflict are named; all of them are in the document.
const FILES: usize = 10;

/// What was found.
pub(super) struct ForecastReport {
    /// The one lane that it is about.
    pub(super) focus: Option<LaneName>,
    /// How wide the terminal is.
    pub(super) columns: Option<usize>,
    pub(super) found: Forecast,
}

impl ForecastReport {
    /// The lanes that it is about.
    fn lanes(&self) -> impl Iterator<Item = &Outlook> {
        let wanted = |lane: &&Outlook| match &self.focus {
            Some(focus) => lane.lane == *focus,
            None => true,
        };
        self.found.lanes.iter().filter(wanted)
    }

    fn with_base(&self, page: &mut Page, lane: &Outlook) {
        let name = &lane.lane;
        let base = lane.base.as_ref().map(ToString::to_string);
        let base = base.unwrap_or_default();
        match (&lane.standing, &lane.onto) {
            (Err(unclear), _) => {
                page.line(Cell::new(
                    format!("lane '{name}': {unclear}"),
                    Style::Attention,
                ));
            }
            (_, Some(Verdict::Conflict(paths))) => {
                conflict(
                    page,
                    format!("lane '{name}' conflicts with '{base}'"),
                    paths,
                );
            }
            (_, Some(Verdict::Unknown(why))) => {
                let text = format!("lane '{name}' and '{base}': {why}");
                page.line(Cell::new(text, Style::Attention));
            }
            (_, Some(verdict)) if self.focus.is_some() => {
                let text = match verdict {
                    Verdict::Nothing => format!("lane '{name}' has nothing that '{base}' lacks"),
                    _ => format!("lane '{name}' does not conflict with '{base}'"),
                };
                page.line(Cell::new(text, Style::Good));
            }
            _ => {}
        }
    }

    fn pair(page: &mut Page, pair: &Meeting) {
        let (first, second) = (&pair.first, &pair.second);
        match &pair.verdict {
            Verdict::Conflict(paths) => {
                conflict(
                    page,
                    format!("lanes '{first}' and '{second}' conflict"),
                    paths,
                );
            }
            Verdict::Unknown(why) => {
                let text = format!("lanes '{first}' and '{second}': {why}");
                page.line(Cell::new(text, Style::Attention));
            }
            Verdict::Clear | Verdict::Nothing => {}
        }
    }

    fn summary(&self) -> Option<Cell> {
        let lanes = self.found.lanes.len();
        if lanes == 0 {
            let text = "No lanes yet; start one with: git lane start NAME";
            return Some(Cell::new(text, Style::Faint));
        }
        let (with_base, between) = self.found.conflicts();
        if with_base + between > 0 {
            return None;
        }
        if self.found.unknown() != (0, 0) {
            let text = "no conflict that is known";
            return Some(Cell::new(text, Style::Attention));
        }
        let text = match (&self.focus, lanes, self.found.clear) {
            (Some(_), _, 0) => return None,
            (Some(_), _, 1) => "no conflict with the one other lane".to_owned(),
            (Some(_), _, others) => format!("no conflict with {others} other lanes"),
            (None, 1, _) => "1 lane, no conflict".to_owned(),
            (None, lanes, 1) => format!("{lanes} lanes, 1 pair, no conflict"),
            (None, lanes, pairs) => format!("{lanes} lanes, {pairs} pairs, no conflict"),
        };
        Some(Cell::new(text, Style::Good))
    }
}

/// A line about a conflict, and one for each of several files.
fn conflict(page: &mut Page, what: String, paths: &[BString]) {
    if let [one] = paths {
        page.line(Cell::new(format!("{what} in '{one}'"), Style::Bad));
        return;
    }
    page.line(Cell::new(
        format!("{what} in {} files:", paths.len()),
        Style::Bad,
    ));
    for path in paths.iter().take(FILES) {
        page.line(format!("  {path}"));
    }
    if paths.len() > FILES {
        let more = paths.len() - FILES;
        page.line(Cell::new(
            format!("  and {more} more; --json names all"),
            Style::Faint,
        ));
    }
}

impl Report for ForecastReport {
    fn text(&self, page: &mut Page) {
        if let (None, Some(columns)) = (&self.focus, self.columns) {
            matrix::draw(page, &self.found, columns);
        }
        for lane in self.lanes() {
            self.with_base(page, lane);
        }
        for pair in &self.found.pairs {
            Self::pair(page, pair);
        }
        if let Some(summary) = self.summary() {
            page.line(summary);
        }
    }
}

impl serde::Serialize for ForecastReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let paths = |verdict: &Verdict| -> Vec<serde_json::Value> {
            let paths = verdict.paths().iter();
            paths.map(|path| lossless(path.as_bstr())).collect()
        };
        let why = |verdict: &Verdict| match verdict {
            Verdict::Unknown(why) => Some(why.clone()),
            _ => None,
        };
        let lane = |lane: &Outlook| {
            let standing = lane.standing.as_ref();
            let onto = lane.onto.as_ref();
            serde_json::json!({
                "lane": lane.lane,
                "base": lane.base,
                "tip": standing.ok().map(|standing| standing.tip.to_string()),
                "uncommitted": standing.ok().map(|standing| standing.is_uncommitted()),
                "unclear": standing.err().map(Coded::from),
                "verdict": onto.map(Verdict::code),
                "paths": onto.map(paths).unwrap_or_default(),
                "message": onto.and_then(why),
            })
        };
        let pair = |pair: &Meeting| {
            serde_json::json!({
                "lane": pair.first,
                "with": [&pair.second],
                "verdict": pair.verdict.code(),
                "paths": paths(&pair.verdict),
                "message": why(&pair.verdict),
            })
        };
        serde_json::json!({
            "lanes": self.lanes().map(lane).collect::<Vec<_>>(),
            "pairs": self.found.pairs.iter().map(pair).collect::<Vec<_>>(),
            "pairsClear": self.found.clear,
        })
        .serialize(serializer)
    }
}
