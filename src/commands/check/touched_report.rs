//! Words for which lanes have changed some files.

use bstr::{BString, ByteSlice};

use crate::commands::coded::Coded;
use crate::domain::lane::lossless;
use crate::operations::forecast::touched::Touched;
use crate::ui::{Cell, Page, Report, Style};

/// What was found of the files.
pub(super) struct TouchedReport {
    /// The files that were asked about, relative to the top.
    pub(super) paths: Vec<BString>,
    pub(super) found: Vec<Touched>,
}

fn of_all<'a>(paths: impl IntoIterator<Item = &'a BString>) -> Vec<serde_json::Value> {
    let paths = paths.into_iter();
    paths.map(|path| lossless(path.as_bstr())).collect()
}

impl serde::Serialize for TouchedReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = |touched: &Touched| {
            serde_json::json!({
                "lane": touched.lane,
                "owner": touched.owner,
                "committedPaths": of_all(&touched.committed),
                "uncommittedPaths": of_all(&touched.uncommitted),
                "patch": touched.patch.as_ref().map(|patch| lossless(patch.as_bstr())),
                "unclear": touched.unclear.as_ref().map(Coded::from),
            })
        };
        serde_json::json!({
            "paths": of_all(&self.paths),
            "lanes": self.found.iter().map(document).collect::<Vec<_>>(),
        })
        .serialize(serializer)
    }
}

impl Report for TouchedReport {
    fn text(&self, page: &mut Page) {
        for touched in &self.found {
            let lane = &touched.lane;
            if let Some(unclear) = &touched.unclear {
                let text = format!("lane '{lane}': {unclear}");
                page.line(Cell::new(text, Style::Attention));
            }
            for path in touched.paths() {
                let how = match (
                    touched.committed.contains(path),
                    touched.uncommitted.contains(path),
                ) {
                    (true, true) => "committed, and more since",
                    (true, false) => "committed",
                    _ => "not committed",
                };
                let owner = touched.owner.as_ref();
                let whose = owner.map_or_else(String::new, |owner| format!(" of {owner}"));
                page.line(format!("lane '{lane}'{whose} has changed '{path}' ({how})"));
            }
            for line in touched.patch.iter().flat_map(|patch| patch.lines()) {
                page.line(Cell::raw(line.to_str_lossy()));
            }
        }
        if self.found.iter().all(|touched| touched.paths().is_empty()) {
            let lane = if self.found.is_empty() {
                "lane"
            } else {
                "other lane"
            };
            let of = match self.paths.as_slice() {
                [one] => format!("'{one}'"),
                several => format!("any of the {} paths", several.len()),
            };
            page.line(Cell::new(
                format!("no {lane} has changed {of}"),
                Style::Good,
            ));
        }
    }
}
