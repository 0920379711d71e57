//! `git lane show`: everything about one lane, or the command that makes it again.

mod reproduce;

use bstr::{BString, ByteSlice};
use clap::Args as ClapArgs;

use self::reproduce::Reproduction;
use super::beside_entries::{add_forecasts, hint_at_doctor};
use super::entry_document::document;
use super::lane_words::{self, Hold};
use super::{age, shown_path};
use crate::domain::finish::some;
use crate::domain::forecast::Verdict;
use crate::domain::lane::{Lane, lossless};
use crate::domain::overview::{Entry, Published, State};
use crate::domain::relation::distance as apart;
use crate::domain::reproduction;
use crate::domain::status::WorktreeStatus;
use crate::error::Result;
use crate::operations::in_flight;
use crate::ui::{Page, Report, Ui};

/// Show everything about one lane
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lane; the one you are in when left out
    name: Option<String>,

    /// Print only the command that makes the same lane again: from the same commit, with the same
    /// parameters
    #[arg(long)]
    reproduce: bool,
}

struct ShowReport {
    entry: Entry,
    hold: Option<Hold>,
    reproduce: Vec<BString>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    super::warn_if_overtaken(&repository, ui);
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let mut entry = in_flight::entry(&repository, &lane)?;
    add_forecasts(&repository, std::slice::from_mut(&mut entry));
    let worktree = entry.worktree.as_ref();
    let found = match args.reproduce || ui.json {
        true => Reproduction::of(&repository, &lane, worktree)?,
        false => Reproduction::default(),
    };
    if args.reproduce {
        for untold in &found.untold {
            ui.note(format_args!(
                "note: the command cannot say all of it: {untold}"
            ));
        }
        if !ui.json {
            ui.raw(format!("{}\n", reproduction::line(&found.words)).as_bytes());
            return Ok(());
        }
    }
    let report = ShowReport {
        hold: Hold::of(&repository, &lane),
        entry,
        reproduce: found.words,
    };
    ui.report(&report);
    hint_at_doctor(&repository, [&report.entry], ui);
    Ok(())
}

/// The lines of the text, each with its title.
struct Lines<'a>(&'a mut Page);

impl Lines<'_> {
    fn add(&mut self, title: &str, text: impl std::fmt::Display) {
        self.0.line(format!("{title:<11}{text}"));
    }

    /// Several of one title.
    fn add_each(&mut self, title: &str, texts: impl IntoIterator<Item = String>) {
        for (at, text) in texts.into_iter().enumerate() {
            self.add(if at == 0 { title } else { "" }, text);
        }
    }
}

impl Report for ShowReport {
    fn text(&self, page: &mut Page) {
        let Some(lane) = &self.entry.lane else { return };
        let mut lines = Lines(page);
        place(&mut lines, lane, &self.entry);
        standing(&mut lines, lane, &self.entry);
        said(&mut lines, lane, self.hold.as_ref());
        lines.add("started", format!("{} ago", age(lane.created)));
        if let Some(committed) = self.entry.committed {
            lines.add("committed", format!("{} ago", age(committed)));
        }
        if let State::Damaged(why) = &self.entry.state {
            lines.add("damage", why);
        }
        if let State::Read(status) | State::Stray(_, Some(status)) = &self.entry.state {
            samples(page, status);
        }
    }
}

/// Where the lane is, and what is there.
fn place(lines: &mut Lines<'_>, lane: &Lane, entry: &Entry) {
    lines.add("lane", &lane.name);
    let kind = lane_words::kind(lane);
    if !kind.is_empty() {
        lines.add("kind", kind);
    }
    match (&lane.branch, entry.tip) {
        (Some(branch), Some(tip)) => {
            lines.add("branch", format!("{branch} at {}", tip.to_hex_with_len(10)));
        }
        (Some(branch), None) => lines.add("branch", format!("{branch}, which is gone")),
        (None, _) => lines.add("branch", "none; started detached"),
    }
    lines.add("worktree", shown_path(&entry.path()));
    lines.add("state", &entry.state);
    let worktree = entry.worktree.as_ref();
    match worktree.and_then(|worktree| worktree.locked.as_deref()) {
        Some("") => lines.add("locked", "yes"),
        Some(reason) => lines.add("locked", reason),
        None => {}
    }
}

/// How the lane stands to its base.
fn standing(lines: &mut Lines<'_>, lane: &Lane, entry: &Entry) {
    let base = lane.base.as_ref();
    let base = base.map_or("none".to_owned(), ToString::to_string);
    let fork_point = lane.fork_point.to_hex_with_len(10);
    lines.add("base", format!("{base}, left at {fork_point}"));
    match &entry.versus {
        Some(versus) => {
            lines.add("ahead", versus.ahead);
            lines.add("behind", versus.behind);
            let proof = versus.integrated.as_ref();
            let integrated = proof.map_or("no".to_owned(), |proof| format!("yes: {proof}"));
            lines.add("integrated", integrated);
        }
        None => lines.add("ahead", "unknown: the base is gone or there is none"),
    }
    if let Some(Published { tracking, distance }) = &entry.published {
        let how = match distance {
            Some((0, 0)) => format!("in {tracking}"),
            Some((ahead, behind)) => format!("in {tracking}, {}", apart(*ahead, *behind)),
            None => format!("in {tracking}, which is gone"),
        };
        lines.add("published", how);
    }
    match &entry.forecast {
        Some(Verdict::Conflict(paths)) if paths.is_empty() => {
            lines.add("conflicts", "with its base");
        }
        Some(Verdict::Conflict(paths)) => {
            lines.add("conflicts", format!("with its base in {}", some(paths)));
        }
        _ => {}
    }
}

/// What owners and agents say of the lane.
fn said(lines: &mut Lines<'_>, lane: &Lane, hold: Option<&Hold>) {
    let titled = |title, text: Option<String>| text.map(|text| (title, text));
    let facts = [
        titled("owner", lane.owner.clone()),
        titled("claim", hold.map(Hold::told_in_full)),
        titled("task", lane.task.clone()),
        titled("status", lane.mark.as_ref().map(lane_words::status_in_full)),
    ];
    for (title, text) in facts.into_iter().flatten() {
        lines.add(title, text);
    }
    lines.add_each("set", lane.parameters.iter().map(ToString::to_string));
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
        let mut document = document(&self.entry, self.hold.as_ref());
        let words = |all: &[BString]| -> Vec<serde_json::Value> {
            all.iter().map(|word| lossless(word.as_bstr())).collect()
        };
        document["reproduce"] = words(&self.reproduce).into();
        if let State::Read(status) | State::Stray(_, Some(status)) = &self.entry.state {
            document["changes"] = words(&status.samples).into();
        }
        document.serialize(serializer)
    }
}
