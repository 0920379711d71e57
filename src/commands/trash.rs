//! `git lane trash`: what waits to be restored, and what no longer does.

use std::time::{Duration, Instant};

use super::coded::{Coded, coded};
use crate::domain::duration::in_one_unit;
use crate::domain::event::What;
use crate::domain::lane::LosslessPath;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::submodule::Holdings;
use crate::domain::trash_entry::{Entry, Reason};
use crate::domain::trash_expiry::{Expiry, Occasion};
use crate::error::Result;
use crate::operations::trash::{Expired, damaged, entries, expire_within, size};
use crate::repository::Repository;
use crate::store::clock::now;
use crate::ui::{Cell, Give, Page, Report, Style, Ui};

/// How long to count sizes; what was counted is remembered.
const PATIENCE: Duration = Duration::from_secs(3);

/// List removed lanes, and when they expire
///
/// A removed lane waits `trash.days` days (14 unless the policy says otherwise), or until the trash
/// takes more room than `trash.size` (10 GiB) and it is the oldest, though never less than an hour.
/// What is over that goes with --expire and at every prune. A finish takes only what is in its
/// base, and names the rest.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove now what the policy no longer keeps
    #[arg(long)]
    expire: bool,
    /// With --expire: only say what would go
    #[arg(short = 'n', long, requires = "expire")]
    dry_run: bool,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    trash: String,
    lane: LaneName,
    what: What,
    #[serde(skip)]
    reason: Reason,
    /// Whether nothing was ever committed in it.
    #[serde(skip)]
    unused: bool,
    removed: String,
    expires: String,
    integrated: Option<Coded>,
    holds: Option<Vec<Coded>>,
    branch: Option<BranchName>,
    tip: Option<String>,
    bytes: Option<u64>,
    submodules: Holdings,
    repositories: Holdings,
}

#[derive(Debug, serde::Serialize)]
struct Listing {
    entries: Vec<Waiting>,
    damaged: Vec<LosslessPath>,
    #[serde(skip)]
    now: i64,
    #[serde(skip)]
    times: Vec<(i64, i64)>,
}

/// A lane that left the trash for good, or is due to, as every report shows it.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gone {
    trash: String,
    lane: LaneName,
    code: Expiry,
    integrated: Option<Coded>,
    holds: Option<Vec<Coded>>,
    tip: Option<String>,
    bytes: Option<u64>,
}

impl From<&Expired> for Gone {
    fn from(expired: &Expired) -> Self {
        let entry = &expired.entry;
        Gone {
            trash: entry.id.clone(),
            lane: entry.lane.name.clone(),
            code: expired.why,
            integrated: entry.proof.as_ref().map(Coded::from),
            holds: entry.holds.as_deref().map(coded),
            tip: entry.keep.map(|id| id.to_string()),
            bytes: expired.bytes,
        }
    }
}

impl Gone {
    /// One line; work that is in no base is named, with the commit that still leads to it until
    /// git's own gc.
    pub fn line(&self, dry_run: bool) -> String {
        let verb = if dry_run { "would remove" } else { "removed" };
        let why = match self.code {
            Expiry::Age => "waited long enough",
            Expiry::Size => "made room",
        };
        let work = match (&self.integrated, &self.tip) {
            (Some(proof), _) => proof.message.clone(),
            (None, Some(tip)) => {
                format!("its work was not known to be in its base; last commit {tip}")
            }
            (None, None) => "it had no commits".into(),
        };
        let held: Vec<&str> = self
            .holds
            .iter()
            .flatten()
            .map(|held| held.message.as_str())
            .collect();
        let held = if held.is_empty() {
            String::new()
        } else {
            format!("; with it {}", held.join(", "))
        };
        format!(
            "{verb} lane '{}' from the trash ({why}): {work}{held}",
            self.lane
        )
    }

    /// One line for all that are due and stay.
    pub fn stay(overdue: &[Gone]) -> Option<String> {
        let names: Vec<&str> = overdue.iter().map(|due| due.lane.as_str()).collect();
        let them = if names.len() == 1 { "it" } else { "them" };
        (!names.is_empty()).then(|| {
            format!(
                "over the trash's limits, and kept because the work is not known to be in its \
                 base: {}; remove {them} with: git lane trash --expire",
                names.join(", ")
            )
        })
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Expiring {
    dry_run: bool,
    expired: Vec<Gone>,
}

impl Report for Expiring {
    fn text(&self, page: &mut Page) {
        for gone in &self.expired {
            page.line(gone.line(self.dry_run));
        }
        if self.expired.is_empty() {
            page.line("nothing has expired");
        }
    }
}

impl Report for Listing {
    fn text(&self, page: &mut Page) {
        if self.entries.is_empty() && self.damaged.is_empty() {
            page.line("the trash is empty");
        }
        for directory in &self.damaged {
            page.line(Cell::new(
                format!("damaged: {directory} (its entry.json cannot be read)"),
                Style::Attention,
            ));
        }
        if self.entries.is_empty() {
            return;
        }
        let rows = self.entries.iter().zip(&self.times);
        let rows = rows.map(|(waiting, times)| self.row(waiting, *times));
        page.fitted_table(&TITLES, rows.collect(), &GIVES);
    }
}

/// What tells an entry from the others is never cut nor left out.
const TITLES: [&str; 7] = ["NAME", "HOLDS", "WHY", "AGE", "LEFT", "SIZE", "ID"];
const GIVES: [Give; 8] = [
    Give::LeaveOut(6),
    Give::LeaveOut(5),
    Give::Brief(1),
    Give::OwnLine(0),
    Give::LeaveOut(4),
    Give::LeaveOut(3),
    Give::LeaveOut(2),
    Give::LeaveOut(1),
];

impl Listing {
    fn row(&self, waiting: &Waiting, (removed, expires): (i64, i64)) -> Vec<Cell> {
        // The name alone means the newest of them.
        let namesakes = self
            .entries
            .iter()
            .filter(|other| other.lane == waiting.lane);
        let id = Cell::new(&waiting.trash, Style::Faint);
        let span = |seconds: i64| in_one_unit(u64::try_from(seconds).unwrap_or(0));
        let left = match expires - self.now {
            ..=0 => Cell::new("over", Style::Attention),
            left => Cell::from(span(left)),
        };
        vec![
            Cell::new(&waiting.lane, Style::Strong).whole(),
            waiting.holding(),
            Cell::from(waiting.reason),
            Cell::from(span(self.now - removed)),
            left,
            Cell::from(waiting.bytes.map_or_else(|| "?".into(), crate::ui::size)),
            if namesakes.count() > 1 {
                id.whole()
            } else {
                id
            },
        ]
    }
}

impl Waiting {
    /// What there is in it beyond what its base has.
    fn holding(&self) -> Cell {
        match (self.holds.as_deref(), &self.integrated) {
            (Some([first, rest @ ..]), _) => {
                let more = match rest.len() {
                    0 => String::new(),
                    more => format!(" +{more}"),
                };
                let all = std::iter::once(first).chain(rest);
                let all: Vec<&str> = all.map(|held| held.message.as_str()).collect();
                let brief = format!("{}{more}", first.code);
                Cell::new(all.join(", "), Style::Attention).or_brief(brief)
            }
            (_, Some(_)) if self.unused => Cell::new("unused", Style::Faint),
            (_, Some(_)) => Cell::new("integrated", Style::Good),
            (_, None) => {
                Cell::new("not known to be in its base", Style::Attention).or_brief("not known")
            }
        }
    }
}

/// Lists the trash, or empties it of what has expired.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.expire {
        let (mut repository, _) = super::open(ui, args.dry_run)?;
        let policy = repository.policy()?;
        let done = expire_within(
            &mut repository,
            &policy,
            PATIENCE,
            Occasion::Asked,
            args.dry_run,
            &super::heal(ui),
        )?;
        ui.report(&Expiring {
            dry_run: args.dry_run,
            expired: done.gone.iter().map(Gone::from).collect(),
        });
        return Ok(());
    }
    let repository = Repository::discover()?;
    let retention = repository.policy()?.retention();
    let mut waiting = entries(&repository)?;
    waiting.reverse();
    let deadline = Instant::now() + PATIENCE;
    let progress = ui.progress("counting sizes", "lanes");
    let total = waiting.len();
    let describe = |(at, entry): (usize, &Entry)| {
        progress.set(at, total);
        Waiting {
            trash: entry.id.clone(),
            lane: entry.lane.name.clone(),
            what: entry.reason.what(),
            reason: entry.reason,
            unused: entry.is_unused(),
            removed: time(entry.removed),
            expires: time(retention.expires(entry)),
            integrated: entry.proof.as_ref().map(Coded::from),
            holds: entry.holds.as_deref().map(coded),
            branch: entry.branch.as_ref().map(|branch| branch.name.clone()),
            tip: entry.branch.as_ref().map(|branch| branch.tip.to_string()),
            bytes: size::of(&repository, entry, deadline),
            submodules: entry.inner.submodules.clone(),
            repositories: entry.inner.repositories.clone(),
        }
    };
    let entries = waiting.iter().enumerate().map(describe).collect();
    drop(progress);
    let times = waiting
        .iter()
        .map(|entry| (entry.removed, retention.expires(entry)))
        .collect();
    let damaged = damaged(&repository).into_iter().map(LosslessPath).collect();
    ui.report(&Listing {
        entries,
        damaged,
        now: now(),
        times,
    });
    Ok(())
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .to_string()
}
