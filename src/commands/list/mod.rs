//! `git lane list`: what is in flight, as a table of the columns that there is something to say in,
//! or of those that were asked for.

mod column;
mod list_watch;

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use clap::Args as ClapArgs;
use clap_complete::engine::ArgValueCandidates;

use self::column::{Column, Row, candidates, mark};
use self::list_watch::watch;
use super::beside_entries::{add_forecasts, hint_at_doctor};
use super::entry_document::document;
use super::lane_words::{Hold, kind};
use super::{fits, shown_path_from};
use crate::domain::lane::{Lane, lossless};
use crate::domain::lane_status::LaneStatus;
use crate::domain::name::BranchName;
use crate::domain::overview::{Entry, State};
use crate::error::Result;
use crate::operations::in_flight::{Detail, entries};
use crate::repository::Repository;
use crate::ui::{Cell, Give, Page, Report, Style, Ui};

/// The room for the mark of the place one stands in, before the other names.
const UNMARKED: &str = "  ";

/// The word of `--status` for a lane whose owner has not said how far it is.
const NO_STATUS: &str = "none";

/// List what is in flight: every lane, and every worktree that is none
///
/// An asterisk marks where you are. VS BASE counts the commits a lane is ahead (+) and behind (-), or
/// says that nothing was ever done in it (unused), that its work is in the base (merged, squashed,
/// integrated), or that the last git lane check has found a conflict. PUBLISHED says the same of its
/// branch on a remote; yes where that has everything. STATUS is what git lane mark has recorded, and
/// for how long; OWNER says who holds a lane too. AGE is the time since something was last done in
/// it: a start, a commit, a merge, a reset, a mark, a claim. The most recent come first.
///
/// The table has the columns in which there is something to say. Where they do not fit the screen,
/// the least useful are left out: path, owner, task; with long names, each has a line of its own.
/// Names are never cut, and a pipe gets everything. --columns chooses: name, branch, state, kind
/// (read-only, adopted), status, message, base (VS BASE), published, age, owner, claim, task, set
/// (all parameters), set.KEY (one of them), created, id, path.
#[derive(Debug, Default, ClapArgs)]
pub struct Args {
    /// Do not look at files or commits: the instant version
    #[arg(long, conflicts_with = "state")]
    no_status: bool,

    /// Only the lanes of this owner; a trailing * matches any ending
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Only the lanes of this task; a trailing * matches any ending
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,

    /// Only what is in this state
    #[arg(long, value_name = "STATE", value_parser = State::CODES)]
    state: Option<String>,

    /// Only the lanes of which git lane mark has said so last; 'none' are those of which it has said
    /// nothing
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = statuses())]
    status: Vec<String>,

    /// The columns of the table and their order, with commas between them; a document has every
    /// field
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', value_parser = Column::parse,
        add = ArgValueCandidates::new(candidates))]
    columns: Vec<Column>,

    /// Draw the list on a screen of its own, again as things change; q or Esc leaves
    #[arg(long)]
    watch: bool,
}

struct ListReport {
    rows: Vec<Row>,
    damaged: Vec<(BString, String)>,
    columns: Vec<Column>,
    /// Whether the columns were chosen by the user.
    chosen: bool,
    /// How many lanes a filter has left out.
    left_out: usize,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.watch {
        return watch(&args, ui);
    }
    let repository = super::open_to_look()?;
    super::warn_if_overtaken(&repository, ui);
    let report = look(&repository, &args, &here())?;
    ui.report(&report);
    hint_at_doctor(&repository, report.rows.iter().map(|row| &row.entry), ui);
    for (section, problem) in &report.damaged {
        ui.warn(format_args!(
            "the record [lane \"{section}\"] cannot be used: {problem}"
        ));
    }
    Ok(())
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// What is in flight now, as one reads it who is in `here`.
fn look(repository: &Repository, args: &Args, here: &Path) -> Result<ListReport> {
    let detail = match args.no_status {
        true => Detail::Names,
        false => Detail::Full,
    };
    let mut entries = entries(repository, detail)?;
    if detail == Detail::Full {
        add_forecasts(repository, &mut entries);
    }
    let lanes = |entries: &[Entry]| entries.iter().filter(|entry| entry.lane.is_some()).count();
    let all = lanes(&entries);
    entries.retain(|entry| args.wants(entry));
    let left_out = all - lanes(&entries);
    let rows = rows(repository, entries, here);
    let damaged = repository
        .records()?
        .damaged
        .into_iter()
        .map(|damaged| (damaged.section, damaged.problem));
    let chosen = !args.columns.is_empty();
    let columns = match chosen {
        true => args.columns.clone(),
        false => worth_showing(&rows, detail),
    };
    Ok(ListReport {
        rows,
        damaged: damaged.collect(),
        columns,
        chosen,
        left_out,
    })
}

/// Every word of `--status`.
fn statuses() -> Vec<&'static str> {
    let all = LaneStatus::ALL.map(LaneStatus::as_str);
    all.into_iter().chain([NO_STATUS]).collect()
}

impl Args {
    /// Whether no filter leaves the entry out.
    fn wants(&self, entry: &Entry) -> bool {
        let of_lane = |asked: &Option<String>, own: &dyn Fn(&Lane) -> Option<&String>| {
            let own = || entry.lane.as_ref().and_then(own);
            asked
                .as_ref()
                .is_none_or(|asked| own().is_some_and(|own| fits(asked, own)))
        };
        let state = |asked: &String| entry.state.code() == asked;
        let status = || {
            let word = mark(entry).map_or(NO_STATUS, |mark| mark.status.as_str());
            entry.lane.is_some() && self.status.iter().any(|asked| asked == word)
        };
        of_lane(&self.owner, &|lane| lane.owner.as_ref())
            && of_lane(&self.task, &|lane| lane.task.as_ref())
            && self.state.as_ref().is_none_or(state)
            && (self.status.is_empty() || status())
    }
}

fn rows(repository: &Repository, entries: Vec<Entry>, here: &Path) -> Vec<Row> {
    let is_marked = entries.iter().any(|entry| entry.is_current);
    let row = |entry: Entry| {
        let lane = entry.lane.as_ref();
        let mark = match (entry.is_current, is_marked) {
            (true, _) => "* ",
            (false, true) => UNMARKED,
            (false, false) => "",
        };
        Row {
            hold: lane.and_then(|lane| Hold::of(repository, lane)),
            path: shown_path_from(here, &entry.path()),
            entry,
            mark,
        }
    };
    entries.into_iter().map(row).collect()
}

/// The columns in which there is something to say.
fn worth_showing(rows: &[Row], detail: Detail) -> Vec<Column> {
    let any = |says: &dyn Fn(&Lane) -> bool| {
        rows.iter()
            .any(|row| row.entry.lane.as_ref().is_some_and(says))
    };
    let own_branch = |branch: &BranchName| any(&|lane| lane.branch.as_ref() == Some(branch));
    let other_branch = |Row { entry, .. }: &Row| match (&entry.lane, entry.branch()) {
        (Some(lane), Some(branch)) => branch.as_bstr() != lane.name.as_str(),
        (None, Some(branch)) => entry.is_main() && own_branch(branch),
        (_, None) => false,
    };
    let held = rows.iter().any(|row| row.hold.is_some());
    let published = rows.iter().any(|row| row.entry.published.is_some());
    let read = detail == Detail::Full;
    [
        (Column::Name, true),
        (Column::Branch, rows.iter().any(other_branch)),
        (Column::State, read),
        (Column::Kind, any(&|lane| !kind(lane).is_empty())),
        (Column::Status, any(&|lane| lane.mark.is_some())),
        (Column::Base, read),
        (Column::Published, published),
        (Column::Age, read),
        (Column::Owner, held || any(&|lane| lane.owner.is_some())),
        (Column::Task, any(&|lane| lane.task.is_some())),
        (Column::Path, true),
    ]
    .into_iter()
    .filter_map(|(column, shown)| shown.then_some(column))
    .collect()
}

/// How the columns give way where they do not fit the screen, the least useful first: text is cut
/// while it can still be read, words that say the state are only said in brief, and a column goes
/// as a whole. Those that were chosen all stay.
fn gives(columns: &[Column], chosen: bool) -> Vec<Give> {
    let at = |wanted: Column| columns.iter().position(|column| *column == wanted);
    let cut = |column, least| at(column).map(|at| Give::Cut(at, least));
    let ends = |column, least| at(column).map(|at| Give::CutMiddle(at, least));
    let brief = |column| at(column).map(Give::Brief);
    let leave_out = |column| at(column).map(Give::LeaveOut);
    let own_line = || at(Column::Name).map(Give::OwnLine);
    let gives: &[Option<Give>] = match chosen {
        false => &[
            leave_out(Column::Path),
            cut(Column::Task, 32),
            cut(Column::Owner, 16),
            brief(Column::Status),
            brief(Column::Base),
            cut(Column::Task, 20),
            brief(Column::Owner),
            brief(Column::State),
            leave_out(Column::Task),
            leave_out(Column::Branch),
            leave_out(Column::Kind),
            leave_out(Column::Published),
            leave_out(Column::Owner),
            own_line(),
            leave_out(Column::Age),
        ],
        true => &[
            ends(Column::Path, 24),
            cut(Column::Task, 24),
            cut(Column::Message, 24),
            cut(Column::Set, 24),
            cut(Column::Owner, 16),
            cut(Column::Claim, 16),
            brief(Column::Status),
            brief(Column::State),
            brief(Column::Base),
            ends(Column::Path, 16),
            cut(Column::Task, 12),
            cut(Column::Message, 12),
            cut(Column::Set, 12),
            cut(Column::Claim, 12),
            own_line(),
            ends(Column::Path, 8),
            cut(Column::Task, 8),
            cut(Column::Message, 8),
            cut(Column::Set, 8),
        ],
    };
    gives.iter().copied().flatten().collect()
}

impl ListReport {
    /// The first of the rows.
    fn show(&self, page: &mut Page, rows: usize) {
        let is_marked = self.rows.iter().any(|row| !row.mark.is_empty());
        let title = |column: &Column| match column {
            Column::Name if is_marked => format!("{UNMARKED}{}", column.title()),
            _ => column.title().to_owned(),
        };
        let titles: Vec<String> = self.columns.iter().map(title).collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let cells = |row: &Row| self.columns.iter().map(|column| column.cell(row)).collect();
        let rows = self.rows.iter().take(rows).map(cells).collect();
        page.fitted_table(&titles, rows, &gives(&self.columns, self.chosen));
    }
}

impl Report for ListReport {
    fn text(&self, page: &mut Page) {
        self.show(page, self.rows.len());
        if self.rows.iter().all(|row| row.entry.lane.is_none()) {
            let text = match self.left_out {
                0 => "No lanes yet; start one with: git lane start NAME".to_owned(),
                1 => "No lane matches; there is 1 lane: git lane list".to_owned(),
                all => format!("No lane matches; there are {all} lanes: git lane list"),
            };
            page.line(Cell::new(text, Style::Faint));
        }
    }
}

impl serde::Serialize for ListReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        let lanes = self.rows.iter();
        let lanes = lanes.map(|row| document(&row.entry, row.hold.as_ref()));
        map.serialize_entry("lanes", &lanes.collect::<Vec<_>>())?;
        let damaged = |damaged: &(BString, String)| {
            let (section, problem) = damaged;
            serde_json::json!({ "section": lossless(section.as_bstr()), "message": problem })
        };
        map.serialize_entry(
            "damagedRecords",
            &self.damaged.iter().map(damaged).collect::<Vec<_>>(),
        )?;
        map.end()
    }
}
