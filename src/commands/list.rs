//! `git lane list`

use bstr::ByteSlice;
use clap::Args as ClapArgs;

use super::{age, shown_path};
use crate::domain::forecast::Verdict;
use crate::domain::lane::{Head, LosslessPath, lossless};
use crate::domain::overview::{Entry, State};
use crate::domain::status::WorktreeStatus;
use crate::error::Result;
use crate::operations::doctor::reunites;
use crate::operations::forecast::remembered::Remembered;
use crate::operations::in_flight::{Detail, entries};
use crate::repository::Repository;
use crate::ui::{Cell, Page, Report, Style, Ui};

/// List what is in flight: every lane, and every worktree that is none
///
/// VS BASE counts the commits a lane is ahead (+) and behind (-), or says that its work is in the
/// base already, or that the last git lane check has found a conflict. The most recent come first.
#[derive(Debug, Default, ClapArgs)]
pub struct Args {
    /// Do not look at files or commits: the instant version
    #[arg(long, conflicts_with = "state")]
    no_status: bool,

    /// Only the lanes of this owner; a trailing * matches any ending
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Only what is in this state
    #[arg(long, value_name = "STATE", value_parser = State::CODES)]
    state: Option<String>,
}

struct ListReport {
    entries: Vec<Entry>,
    damaged: Vec<(String, String)>,
    status: bool,
    /// How many lanes a filter has left out.
    left_out: usize,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    super::warn_if_overtaken(&repository, ui);
    let detail = if args.no_status {
        Detail::Names
    } else {
        Detail::Full
    };
    let mut entries = entries(&repository, detail)?;
    if detail == Detail::Full {
        add_forecasts(&repository, &mut entries);
    }
    let count = |entries: &[Entry]| entries.iter().filter(|entry| entry.lane.is_some()).count();
    let all = count(&entries);
    if let Some(owner) = &args.owner {
        entries.retain(|entry| {
            entry
                .lane
                .as_ref()
                .and_then(|lane| lane.owner.as_deref())
                .is_some_and(|own| owns(owner, own))
        });
    }
    if let Some(state) = &args.state {
        entries.retain(|entry| entry.state.code() == state);
    }
    let damaged = repository
        .records()?
        .damaged
        .into_iter()
        .map(|damaged| (damaged.section.to_string(), damaged.problem));
    let left_out = all - count(&entries);
    let report = ListReport {
        entries,
        damaged: damaged.collect(),
        status: !args.no_status,
        left_out,
    };
    ui.report(&report);
    hint_at_doctor(&repository, &report.entries, ui);
    for (section, problem) in &report.damaged {
        ui.warn(format_args!(
            "the record [lane \"{section}\"] cannot be used: {problem}"
        ));
    }
    Ok(())
}

/// What the last forecast of each lane has said, where lane and base are still as they were.
pub(super) fn add_forecasts(repository: &Repository, entries: &mut [Entry]) {
    let remembered = Remembered::read(repository);
    for entry in entries {
        let (Some(lane), Some(tip)) = (&entry.lane, entry.tip) else {
            continue;
        };
        if entry.state.code() != "clean" {
            continue;
        }
        let base = remembered.base_of(&lane.id);
        let base = base.and_then(|base| repository.ref_target(base).ok().flatten());
        entry.forecast = base.and_then(|base| remembered.of_base(&lane.id, (base, tip)));
    }
}

/// Says so where the doctor finds again what was moved by hand.
pub(super) fn hint_at_doctor(repository: &Repository, entries: &[Entry], ui: &Ui) {
    let lost = |entry: &&Entry| matches!(entry.state, State::Missing | State::Damaged(_));
    let worktrees = entries
        .iter()
        .filter(lost)
        .filter_map(|entry| entry.worktree.as_ref());
    // A whole disk of them may only be not mounted.
    if worktrees
        .take(3)
        .any(|worktree| reunites(repository, worktree))
    {
        ui.note("hint: what was moved by hand is found again with: git lane doctor --fix");
    }
}

fn owns(pattern: &str, owner: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => owner.starts_with(start),
        None => owner == pattern,
    }
}

impl Report for ListReport {
    fn text(&self, page: &mut Page) {
        let lanes = || self.entries.iter().filter_map(|entry| entry.lane.as_ref());
        let other_branch = |entry: &Entry| match (&entry.lane, entry.branch()) {
            (Some(lane), Some(branch)) => branch.as_bstr() != lane.name.as_str(),
            (None, Some(branch)) => {
                !entry.is_main() || lanes().any(|lane| lane.branch.as_ref() == Some(branch))
            }
            (_, None) => false,
        };
        let branches = self.entries.iter().any(other_branch);
        let owners = lanes().any(|lane| lane.owner.is_some());
        let tasks = lanes().any(|lane| lane.task.is_some());
        let mut header = vec!["NAME"];
        let mut column = |title, wanted: bool| wanted.then(|| header.push(title)).is_some();
        let (branch, state) = (column("BRANCH", branches), column("STATE", self.status));
        let (versus, age_of, owner) = (
            column("VS BASE", self.status),
            column("AGE", self.status),
            column("OWNER", owners),
        );
        let task = column("TASK", tasks);
        column("PATH", true);
        let rows = self
            .entries
            .iter()
            .map(|entry| {
                let mut row = vec![name(entry)];
                let mut push = |wanted: bool, cell: Cell| wanted.then(|| row.push(cell));
                push(branch, head(entry));
                push(state, Cell::new(&entry.state, style(&entry.state)));
                push(versus, standing(entry));
                push(
                    age_of,
                    Cell::from(entry.committed.map(age).unwrap_or_default()),
                );
                let text = |text: Option<&String>| Cell::from(text.cloned().unwrap_or_default());
                push(
                    owner,
                    text(entry.lane.as_ref().and_then(|lane| lane.owner.as_ref())),
                );
                push(
                    task,
                    text(entry.lane.as_ref().and_then(|lane| lane.task.as_ref())),
                );
                row.push(Cell::new(shown_path(&entry.path()), Style::Faint));
                row
            })
            .collect();
        let at = |title: &str| header.iter().position(|found| *found == title);
        let shrink: Vec<usize> = ["PATH", "TASK", "BRANCH", "OWNER", "NAME", "STATE"]
            .iter()
            .filter_map(|t| at(t))
            .collect();
        page.table(&header, rows, &shrink);
        if lanes().next().is_none() {
            let text = match self.left_out {
                0 => "No lanes yet; start one with: git lane start NAME".to_owned(),
                1 => "No lane matches; there is 1 lane: git lane list".to_owned(),
                all => format!("No lane matches; there are {all} lanes: git lane list"),
            };
            page.line(Cell::new(text, Style::Faint));
        }
    }
}

fn name(entry: &Entry) -> Cell {
    match (&entry.lane, entry.is_main()) {
        (Some(lane), _) => Cell::new(&lane.name, Style::Strong),
        (None, true) => Cell::new("(main)", Style::Faint),
        (None, false) => Cell::new("(no lane)", Style::Faint),
    }
}

fn head(entry: &Entry) -> Cell {
    match (
        entry.branch(),
        entry.worktree.as_ref().map(|worktree| &worktree.head),
    ) {
        (Some(branch), _) => Cell::from(branch),
        (None, Some(Head::Detached(id))) => Cell::from(format!("({})", id.to_hex_with_len(7))),
        _ => Cell::default(),
    }
}

fn standing(entry: &Entry) -> Cell {
    match &entry.versus {
        Some(versus) if entry.forecast.as_ref().is_some_and(Verdict::is_conflict) => {
            Cell::new(format!("{versus} conflicts"), Style::Bad)
        }
        Some(versus) if versus.integrated.is_some() && versus.ahead > 0 => {
            Cell::new(versus, Style::Good)
        }
        Some(versus) => Cell::from(versus),
        None => Cell::default(),
    }
}

fn style(state: &State) -> Style {
    match state.code() {
        "clean" => Style::Good,
        "dirty" | "operation" => Style::Attention,
        "stray" | "missing" | "damaged" => Style::Bad,
        _ => Style::Faint,
    }
}

impl serde::Serialize for ListReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(
            "lanes",
            &self.entries.iter().map(document).collect::<Vec<_>>(),
        )?;
        let damaged = |damaged: &(String, String)| {
            let (section, problem) = damaged;
            serde_json::json!({ "section": section, "problem": problem })
        };
        map.serialize_entry(
            "damagedRecords",
            &self.damaged.iter().map(damaged).collect::<Vec<_>>(),
        )?;
        map.end()
    }
}

/// An entry for scripts. A field is absent when it was not asked for, null when there is no such
/// thing.
pub fn document(entry: &Entry) -> serde_json::Value {
    let lane = entry.lane.as_ref();
    let worktree = entry.worktree.as_ref();
    let created = lane.and_then(|lane| jiff::Timestamp::from_second(lane.created).ok());
    let mut value = serde_json::json!({
        "name": lane.map(|lane| &lane.name),
        "id": lane.map(|lane| &lane.id),
        "main": entry.is_main(),
        "branch": entry.branch(),
        "path": LosslessPath(entry.path()),
        "base": lane.and_then(|lane| lane.base.as_ref()),
        "forkPoint": lane.map(|lane| lane.fork_point.to_string()),
        "owner": lane.and_then(|lane| lane.owner.as_ref()),
        "task": lane.and_then(|lane| lane.task.as_ref()),
        "created": created.map(|time| time.to_string()),
        "locked": worktree.and_then(|worktree| worktree.locked.as_ref()),
    });
    if entry.state != State::Unread {
        value["state"] = entry.state.code().into();
    }
    match &entry.state {
        State::Read(status) | State::Stray(_, Some(status)) => counts(&mut value, status),
        State::Damaged(why) => value["damage"] = why.as_str().into(),
        _ => {}
    }
    if let Some(found) = worktree.filter(|worktree| !worktree.state.is_bare()) {
        value["head"] = match &found.head {
            Head::Branch(branch) => serde_json::json!({ "branch": branch }),
            Head::Detached(id) => serde_json::json!({ "detached": id.to_string() }),
            Head::Other(text) => serde_json::json!({ "other": lossless(text.as_bstr()) }),
        };
    }
    if entry.state != State::Unread {
        value["tip"] = entry.tip.map(|tip| tip.to_string()).into();
        value["committed"] = entry
            .committed
            .and_then(|time| jiff::Timestamp::from_second(time).ok())
            .map(|time| time.to_string())
            .into();
        let forecast = entry.forecast.as_ref();
        let conflict = forecast.filter(|verdict| verdict.is_conflict());
        value["versusBase"] = match &entry.versus {
            Some(versus) => serde_json::json!({
                "ahead": versus.ahead,
                "behind": versus.behind,
                "integrated": versus.integrated.as_ref().map(|proof| proof.code()),
                "conflict": forecast.map(Verdict::is_conflict),
                "conflicts": conflict.map(|verdict| {
                    let paths = verdict.paths().iter().map(|path| lossless(path.as_bstr()));
                    paths.collect::<Vec<_>>()
                }),
            }),
            None => serde_json::Value::Null,
        };
    }
    value
}

fn counts(value: &mut serde_json::Value, status: &WorktreeStatus) {
    value["staged"] = status.staged.into();
    value["modified"] = status.modified.into();
    value["untracked"] = status.untracked.into();
    value["conflicted"] = status.conflicted.into();
    value["operation"] = status
        .operation
        .map(|operation| operation.to_string())
        .into();
}
