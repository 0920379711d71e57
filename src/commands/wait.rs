//! `git lane wait`: returns when lanes are what they are waited for.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::domain::duration;
use crate::domain::lane::Lane;
use crate::domain::name::LaneName;
use crate::domain::trash_entry::find;
use crate::domain::waiting::{Condition, Outcome, Standing, listed};
use crate::error::{Code, Error, Kind, Result};
use crate::operations::awaited::{Awaited, Wish, wait};
use crate::operations::trash;
use crate::repository::Repository;
use crate::ui::{Page, Report, Ui};

/// For how long a lane that is just moving into the trash, or out of it, is waited for to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);

/// How many lanes a sentence names.
const SHOWN: usize = 5;

/// Wait until lanes are ready, blocked, done, settled, landed or gone
///
/// It returns when each lane meets one of the conditions of --until, at once where they all do, and
/// prints each lane with the condition it meets. Lanes are known by what they are at the beginning:
/// a later one of the same name is another lane.
///
/// Exit code 1 where the time is over, or where a lane is gone that would have to meet something
/// else; 3 or 6 where landed is waited for and the landing of a lane ends meanwhile with a conflict
/// or at the gate.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes; inside a lane, that one when none is named, and elsewhere every lane
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// What to wait for: any of these conditions, with commas between them
    #[arg(
        long,
        value_name = "COND",
        value_enum,
        value_delimiter = ',',
        default_value = "blocked,ready,done,landed,gone"
    )]
    until: Vec<Condition>,

    /// Until every lane meets one of them [the default]
    #[arg(long, conflicts_with = "any")]
    all: bool,

    /// Until one of the lanes does
    #[arg(long)]
    any: bool,

    /// For no longer than that time (90s, 30m, 2h); 0s looks once
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<i64>,
}

/// What was waited for, and how it stands.
struct WaitReport {
    wish: Wish,
    met: bool,
    lanes: Vec<Awaited>,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_to_look()?;
    let lanes = lanes(&repository, &args.names)?;
    let limit = args.timeout.and_then(|seconds| u64::try_from(seconds).ok());
    let wish = Wish {
        until: args.until,
        all: !args.any,
        limit: limit.map(Duration::from_secs),
    };
    if lanes.is_empty() && !wish.all {
        return Err(Error::refused("there is no lane that could be waited for")
            .with_code(Code::NoSuchLane)
            .hint("start one with: git lane start NAME"));
    }
    // A lane in which a process works is not taken away, and be it one that waits for just that.
    let _ = std::env::set_current_dir(repository.common_dir());
    let (outcome, lanes) = wait(&repository, lanes, &wish)?;
    let report = WaitReport {
        wish,
        met: outcome == Outcome::Met,
        lanes,
    };
    let error = match outcome {
        Outcome::Met => {
            ui.report(&report);
            return Ok(());
        }
        Outcome::Lost => report.lost(),
        Outcome::Open => report.timed_out(),
    };
    Err(ui.failed(&report, error))
}

/// The lanes that are meant, each once.
fn lanes(repository: &Repository, names: &[String]) -> Result<Vec<Lane>> {
    if names.is_empty() {
        let records = repository.records()?;
        return Ok(match super::lane_here(repository, &records)? {
            Some(lane) => vec![lane],
            None => records.lanes,
        });
    }
    let mut known = HashSet::new();
    let mut found = Vec::new();
    for name in names {
        let lane = lane(repository, name)?;
        if known.insert(lane.id.clone()) {
            found.push(lane);
        }
    }
    Ok(found)
}

/// The lane of that name, or the last one that has left: what is waited for may have come about
/// before the wait began.
fn lane(repository: &Repository, name: &str) -> Result<Lane> {
    let asked = Instant::now();
    loop {
        let error = match super::find_lane(repository, Some(name)) {
            Ok(lane) => return Ok(lane),
            Err(error) if error.code() != Code::NoSuchLane => return Err(error),
            Err(error) => error,
        };
        if let Some(entry) = find(&trash::entries(repository)?, name, repository.name_rule()) {
            return Ok(entry.lane.clone());
        }
        let moves = super::lane_name(name).is_ok_and(|name| trash::is_moving(repository, &name));
        if !moves || asked.elapsed() > ARRIVAL {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl WaitReport {
    /// What cannot come about any more, the worst first; of several failures that is told which one
    /// wants most to be looked at.
    fn lost(&self) -> Error {
        let lost = self
            .lanes
            .iter()
            .filter_map(|awaited| match &awaited.standing {
                Standing::Lost(lost) => Some(lost.error(&awaited.lane.name, &self.wish.until)),
                _ => None,
            });
        let rank = |error: &Error| match error.kind() {
            Kind::Gate => 0,
            Kind::Conflict => 1,
            _ => 2,
        };
        lost.min_by_key(rank)
            .unwrap_or_else(|| Error::refused("there is nothing to wait for"))
    }

    fn timed_out(&self) -> Error {
        let is_open = |awaited: &&Awaited| !matches!(awaited.standing, Standing::Met(_));
        let open: Vec<&LaneName> = self
            .lanes
            .iter()
            .filter(is_open)
            .map(|awaited| &awaited.lane.name)
            .collect();
        let until = listed(&self.wish.until);
        let time = duration::in_two_units(self.wish.limit.unwrap_or_default().as_secs());
        let sentence = match (open.as_slice(), self.wish.all) {
            ([only], _) => format!("lane '{only}' is not {until} after {time}"),
            (open, true) => format!(
                "{} of {} lanes are not {until} after {time}: {}",
                open.len(),
                self.lanes.len(),
                some(open)
            ),
            (_, false) => format!("no lane is {until} after {time}"),
        };
        Error::refused(sentence)
            .with_code(Code::TimedOut)
            .details(serde_json::json!({ "unmet": open }))
            .hint("see how they stand with: git lane list")
    }
}

/// The first of some names: `'a', 'b' and 3 others`.
fn some(names: &[&LaneName]) -> String {
    let quoted = |name: &&LaneName| format!("'{name}'");
    let shown: Vec<String> = names.iter().take(SHOWN).map(quoted).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        1 => format!("{} and 1 other", shown.join(", ")),
        more => format!("{} and {more} others", shown.join(", ")),
    }
}

/// A lane, for scripts.
fn document(awaited: &Awaited, until: &[Condition]) -> serde_json::Value {
    let Awaited { lane, standing } = awaited;
    let met = match standing {
        Standing::Met(condition) => Some(condition),
        _ => None,
    };
    let problem = match standing {
        Standing::Lost(lost) => {
            let error = lost.error(&lane.name, until);
            Some(serde_json::json!({ "code": error.code(), "message": error.to_string() }))
        }
        _ => None,
    };
    let mark = lane.mark.as_ref();
    serde_json::json!({
        "lane": lane.name,
        "laneId": lane.id,
        "condition": met,
        "status": mark.map(|mark| mark.status),
        "message": mark.and_then(|mark| mark.message.as_ref()),
        "problem": problem,
    })
}

impl serde::Serialize for WaitReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Wish { until, all, .. } = &self.wish;
        let lanes = self.lanes.iter().map(|awaited| document(awaited, until));
        serde_json::json!({
            "conditions": until,
            "all": all,
            "met": self.met,
            "lanes": lanes.collect::<Vec<_>>(),
        })
        .serialize(serializer)
    }
}

impl Report for WaitReport {
    fn text(&self, page: &mut Page) {
        for awaited in &self.lanes {
            if let Standing::Met(condition) = awaited.standing {
                page.line(format!("{} {condition}", awaited.lane.name));
            }
        }
    }
}
