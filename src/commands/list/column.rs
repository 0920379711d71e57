//! The columns of the list: how each is called, and what it says of a row.

use std::collections::BTreeSet;

use clap_complete::engine::CompletionCandidate;

use crate::commands::age;
use crate::commands::lane_words::{self, Hold, moment};
use crate::domain::lane::{Head, Lane};
use crate::domain::lane_status::{LaneStatus, Mark};
use crate::domain::overview::{Entry, Published, State};
use crate::domain::parameter::Parameter;
use crate::domain::relation::Relation;
use crate::repository::Repository;
use crate::ui::{Cell, Style};

/// A lane, or a worktree that is none.
pub struct Row {
    /// What was read of it.
    pub entry: Entry,
    /// Who holds it.
    pub hold: Option<Hold>,
    /// What stands before its name: the mark of the place one stands in, or the room for it.
    pub mark: &'static str,
    /// Where it is, as one reads it from where one stands.
    pub path: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The lane's name.
    Name,
    /// Its branch, or what is checked out.
    Branch,
    /// What its files are.
    State,
    /// Read-only, adopted.
    Kind,
    /// How far its owner says it is.
    Status,
    /// What the owner adds to that.
    Message,
    /// How it stands to its base.
    Base,
    /// Whether its branch is on a remote, and how far that is behind.
    Published,
    /// When something was last done in it.
    Age,
    /// Who works in it, and whether a claim holds it.
    Owner,
    /// Who holds it, and until when.
    Claim,
    /// What it is for.
    Task,
    /// All its parameters.
    Set,
    /// One of them.
    Parameter(String),
    /// When it was started.
    Created,
    /// Its id.
    Id,
    /// Where it is.
    Path,
}

/// Those with a fixed name, and their titles.
pub const FIXED: [(&str, &str, Column); 16] = [
    ("name", "NAME", Column::Name),
    ("branch", "BRANCH", Column::Branch),
    ("state", "STATE", Column::State),
    ("kind", "KIND", Column::Kind),
    ("status", "STATUS", Column::Status),
    ("message", "MESSAGE", Column::Message),
    ("base", "VS BASE", Column::Base),
    ("published", "PUBLISHED", Column::Published),
    ("age", "AGE", Column::Age),
    ("owner", "OWNER", Column::Owner),
    ("claim", "CLAIM", Column::Claim),
    ("task", "TASK", Column::Task),
    ("set", "SET", Column::Set),
    ("created", "CREATED", Column::Created),
    ("id", "ID", Column::Id),
    ("path", "PATH", Column::Path),
];

impl Column {
    /// The column of that name; `set.KEY` is that of a parameter.
    pub fn parse(name: &str) -> Result<Self, String> {
        if let Some(key) = name.strip_prefix("set.") {
            return Parameter::of(key, "").map(|parameter| Column::Parameter(parameter.key));
        }
        let known = FIXED.iter().find(|(known, ..)| *known == name);
        known.map(|(.., column)| column.clone()).ok_or_else(|| {
            let all: Vec<&str> = FIXED.iter().map(|(name, ..)| *name).collect();
            format!("the columns are {} and set.KEY", all.join(", "))
        })
    }

    /// What stands above it.
    pub fn title(&self) -> &str {
        match self {
            Column::Parameter(key) => key,
            fixed => FIXED
                .iter()
                .find(|(.., column)| column == fixed)
                .map_or("", |(_, title, _)| title),
        }
    }

    /// What it says of a row.
    pub fn cell(&self, row: &Row) -> Cell {
        let Row { entry, hold, .. } = row;
        let of_lane = |text: &dyn Fn(&Lane) -> Option<String>| {
            Cell::from(entry.lane.as_ref().and_then(text).unwrap_or_default())
        };
        match self {
            Column::Name => name(row),
            Column::Branch => head(entry),
            Column::State => {
                let state = &entry.state;
                Cell::new(state.in_short(), style(state)).or_brief(state.in_brief())
            }
            Column::Kind => of_lane(&|lane| Some(lane_words::kind(lane))),
            Column::Status => mark(entry).map(status).unwrap_or_default(),
            Column::Message => of_lane(&|lane| lane.mark.as_ref()?.message.clone()),
            Column::Base => Relation::of(entry).map(relation).unwrap_or_default(),
            Column::Published => entry.published.as_ref().map(published).unwrap_or_default(),
            Column::Age => Cell::from(entry.active.map(age).unwrap_or_default()),
            Column::Owner => {
                let owner = |lane: &Lane| Some(lane_words::owner_and_holder(lane, hold.as_ref()));
                let held = hold.as_ref().map(Hold::in_brief);
                of_lane(&owner).or_brief(held.unwrap_or_default())
            }
            Column::Claim => of_lane(&|_| hold.as_ref().map(Hold::told)),
            Column::Task => of_lane(&|lane| lane.task.clone()),
            Column::Set => of_lane(&|lane| Some(lane_words::parameters(lane))),
            Column::Parameter(key) => of_lane(&|lane| {
                let own = lane.parameters.iter().find(|own| own.key == *key);
                own.map(|own| own.value.clone())
            }),
            Column::Created => of_lane(&|lane| moment(lane.created)),
            Column::Id => of_lane(&|lane| Some(lane.id.as_str().to_owned())),
            Column::Path => Cell::new(&row.path, Style::Faint),
        }
    }
}

/// Every name, for the shells: of the parameters, those that some lane has.
pub fn candidates() -> Vec<CompletionCandidate> {
    let lanes = Repository::discover().and_then(|repository| repository.records());
    let lanes = lanes.map(|records| records.lanes).unwrap_or_default();
    let parameters = lanes.into_iter().flat_map(|lane| lane.parameters);
    let keys: BTreeSet<String> = parameters.map(|one| format!("set.{}", one.key)).collect();
    let fixed = FIXED.iter().map(|(name, ..)| (*name).to_owned());
    fixed.chain(keys).map(CompletionCandidate::new).collect()
}

/// How far a lane is, where its owner has said so.
pub fn mark(entry: &Entry) -> Option<&Mark> {
    entry.lane.as_ref().and_then(|lane| lane.mark.as_ref())
}

fn status(mark: &Mark) -> Cell {
    let style = match mark.status {
        LaneStatus::Working => Style::Plain,
        LaneStatus::Blocked => Style::Attention,
        LaneStatus::Ready => Style::Good,
        LaneStatus::Done => Style::Faint,
    };
    Cell::new(lane_words::status(mark), style).or_brief(mark.status)
}

/// What identifies the row: of a worktree that is no lane its branch, or where it is.
fn name(row: &Row) -> Cell {
    let Row {
        entry, mark, path, ..
    } = row;
    let (text, style) = match (&entry.lane, entry.branch()) {
        (Some(lane), _) => (lane.name.to_string(), Style::Strong),
        (None, _) if entry.is_main() => ("(main)".to_owned(), Style::Faint),
        (None, Some(branch)) => (format!("(no lane) {branch}"), Style::Faint),
        (None, None) => (format!("(no lane) {path}"), Style::Faint),
    };
    Cell::new(format!("{mark}{text}"), style).whole()
}

fn head(entry: &Entry) -> Cell {
    let head = entry.worktree.as_ref().map(|worktree| &worktree.head);
    match (entry.branch(), head) {
        (Some(branch), _) => Cell::from(branch),
        (None, Some(Head::Detached(id))) => Cell::from(format!("({})", id.to_hex_with_len(7))),
        _ => Cell::default(),
    }
}

fn relation(relation: Relation) -> Cell {
    let style = match relation {
        Relation::Unused(_) => Style::Faint,
        Relation::Merged | Relation::Squashed | Relation::Integrated => Style::Good,
        Relation::Apart { .. } => Style::Plain,
        Relation::Conflicting { .. } => Style::Bad,
    };
    Cell::new(relation, style).or_brief(relation.in_brief())
}

fn published(published: &Published) -> Cell {
    let style = match published.distance {
        Some((0, 0)) => Style::Good,
        Some(_) => Style::Plain,
        None => Style::Attention,
    };
    Cell::new(published, style)
}

fn style(state: &State) -> Style {
    match state.code() {
        "clean" => Style::Good,
        "dirty" | "operation" => Style::Attention,
        "stray" | "missing" | "damaged" => Style::Bad,
        _ => Style::Faint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_means_one_column() {
        for (name, title, column) in FIXED {
            assert_eq!(Column::parse(name).as_ref(), Ok(&column));
            assert_eq!(column.title(), title);
        }
        let rate = Column::parse("set.rate").unwrap();
        assert_eq!(rate, Column::Parameter("rate".into()));
        assert_eq!(rate.title(), "rate");
        for unknown in ["", "NAME", "tag", "set."] {
            assert!(Column::parse(unknown).is_err(), "{unknown}");
        }
        let error = Column::parse("tag").unwrap_err();
        assert!(error.contains("name, branch, state") && error.contains("set.KEY"));
    }
}
