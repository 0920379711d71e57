//! `git lane show`

use bstr::ByteSlice;
use clap::Args as ClapArgs;

use super::{age, list, shown_path};
use crate::domain::finish::some;
use crate::domain::forecast::Verdict;
use crate::domain::lane::lossless;
use crate::domain::overview::{Entry, State};
use crate::domain::status::WorktreeStatus;
use crate::error::Result;
use crate::operations::in_flight;
use crate::ui::{Page, Report, Ui};

/// Show everything about one lane
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lane; the one you are in when left out
    name: Option<String>,
}

struct ShowReport(Entry);

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    super::warn_if_overtaken(&repository, ui);
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let mut entry = in_flight::entry(&repository, &lane)?;
    list::add_forecasts(&repository, std::slice::from_mut(&mut entry));
    let report = ShowReport(entry);
    ui.report(&report);
    list::hint_at_doctor(&repository, std::slice::from_ref(&report.0), ui);
    Ok(())
}

impl Report for ShowReport {
    fn text(&self, page: &mut Page) {
        let Some(lane) = &self.0.lane else { return };
        let mut line = |title: &str, text: String| {
            page.line(format!("{title:<11}{text}"));
        };
        line("lane", lane.name.to_string());
        match (&lane.branch, self.0.tip) {
            (Some(branch), Some(tip)) => {
                line("branch", format!("{branch} at {}", tip.to_hex_with_len(10)))
            }
            (Some(branch), None) => line("branch", format!("{branch}, which is gone")),
            (None, _) => line("branch", "none; started detached".into()),
        }
        line("worktree", shown_path(&self.0.path()));
        line("state", self.0.state.to_string());
        if let Some(reason) = self
            .0
            .worktree
            .as_ref()
            .and_then(|worktree| worktree.locked.as_ref())
        {
            line(
                "locked",
                if reason.is_empty() {
                    "yes".into()
                } else {
                    reason.clone()
                },
            );
        }
        let base = lane
            .base
            .as_ref()
            .map_or("none".to_owned(), ToString::to_string);
        line(
            "base",
            format!("{base}, left at {}", lane.fork_point.to_hex_with_len(10)),
        );
        match &self.0.versus {
            Some(versus) => {
                line("ahead", versus.ahead.to_string());
                line("behind", versus.behind.to_string());
                line(
                    "integrated",
                    versus
                        .integrated
                        .as_ref()
                        .map_or("no".into(), |proof| format!("yes: {proof}")),
                );
            }
            None => line("ahead", "unknown: the base is gone or there is none".into()),
        }
        match &self.0.forecast {
            Some(Verdict::Conflict(paths)) if paths.is_empty() => {
                line("conflicts", "with its base".into());
            }
            Some(Verdict::Conflict(paths)) => {
                line("conflicts", format!("with its base in {}", some(paths)));
            }
            _ => {}
        }
        for (title, text) in [("owner", &lane.owner), ("task", &lane.task)] {
            if let Some(text) = text {
                line(title, text.clone());
            }
        }
        line("started", format!("{} ago", age(lane.created)));
        if let Some(committed) = self.0.committed {
            line("committed", format!("{} ago", age(committed)));
        }
        if let State::Damaged(why) = &self.0.state {
            line("damage", why.clone());
        }
        if let State::Read(status) | State::Stray(_, Some(status)) = &self.0.state {
            samples(page, status);
        }
    }
}

fn samples(page: &mut Page, status: &WorktreeStatus) {
    let shown = status.samples.len();
    if shown == 0 {
        return;
    }
    page.line("changes");
    for sample in &status.samples {
        page.line(format!("  {sample}"));
    }
    let all = status.staged + status.modified + status.untracked + status.conflicted;
    if all > shown {
        page.line("  …");
    }
}

impl serde::Serialize for ShowReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = list::document(&self.0);
        if let State::Read(status) | State::Stray(_, Some(status)) = &self.0.state {
            document["changes"] = status
                .samples
                .iter()
                .map(|path| lossless(path.as_bstr()))
                .collect::<Vec<_>>()
                .into();
        }
        document.serialize(serializer)
    }
}
