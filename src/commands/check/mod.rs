//! `git lane check`: what would conflict, before it does.
//!
//! Called by `cli` alone. `forecast_report` and `matrix` show lanes against each other,
//! `touched_report` who has changed a file, `rehearsal` is the landing of one lane with its gate.

mod forecast_report;
mod matrix;
mod rehearsal;
mod touched_report;

use std::path::{Component, Path, PathBuf};

use bstr::BString;

use self::forecast_report::ForecastReport;
use self::touched_report::TouchedReport;
use super::{find_lane, lane_here, no_lane, open_to_look};
use crate::domain::finish::Strategy;
use crate::domain::forecast::Pairs;
use crate::domain::lane::Lane;
use crate::error::{Error, Kind, Result};
use crate::operations::forecast::touched::{self, touched};
use crate::operations::forecast::{Wish, forecast};
use crate::repository::Repository;
use crate::ui::{Report, Ui};

/// Say what would conflict, before it does
///
/// Every lane is merged with its base, and with every other lane of that base, as they stand now:
/// with what is not committed, untracked files too. A conflict is exit code 3, and its files are
/// named. Nothing is written to any lane. Inside a lane, and for one NAME, it is that lane with all
/// others; for several, those among each other.
///
/// With --path it says which lanes have changed a file since they forked: to ask before an edit.
///
/// With --gate, --strategy or --into it is about one landing instead: would this lane land as it is
/// committed, and would the gate let it? What the gate says is remembered: finish does not run it
/// again on the same files.
#[derive(Debug, clap::Args)]
#[command(override_usage = "git lane check [OPTIONS] [NAME]... [--path <FILE>...]")]
pub struct Args {
    /// The lanes; inside a lane, that one when none is named, else all
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// All lanes among each other, also inside a lane
    #[arg(long, conflicts_with = "names")]
    all: bool,

    /// Leave out what is not committed
    #[arg(long)]
    committed: bool,

    /// Which lanes have changed these files, or files in these directories, since they forked;
    /// inside a lane, which other lanes. Names of lanes come before it
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::AnyPath)]
    path: Vec<PathBuf>,

    /// With --path: show the changes too
    #[arg(long, requires = "path")]
    diff: bool,

    /// Run the gate of lane.toml on exactly the files that would land
    #[arg(long, conflicts_with_all = ["all", "committed", "path"])]
    gate: bool,

    /// With --gate: run the gate even if it has failed on the same files before
    #[arg(long, requires = "gate")]
    again: bool,

    /// How the one lane would land [default: the policy's]
    #[arg(long, value_enum, conflicts_with_all = ["all", "committed", "path"])]
    strategy: Option<Strategy>,

    /// Where the one lane would land, instead of on its base
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["all", "committed", "path"])]
    into: Option<String>,
}

/// Runs `git lane check`.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.gate || args.strategy.is_some() || args.into.is_some() {
        if args.names.len() > 1 {
            return Err(Error::usage(
                "--gate, --strategy and --into are about one lane at a time",
            ));
        }
        return rehearsal::run(&args, ui);
    }
    let repository = open_to_look()?;
    // git is asked for its version while the lanes are read.
    let git = repository.git.clone();
    std::thread::scope(|scope| {
        let usable = scope.spawn(move || git.ensure_usable());
        let usable = || usable.join().unwrap_or(Ok(()));
        if args.path.is_empty() {
            let found = between(&repository, &args, ui);
            usable()?;
            end(ui, found?)
        } else {
            let found = at_paths(&repository, &args);
            usable()?;
            end(ui, found?)
        }
    })
}

/// What was found, and the sentence for a conflict.
type Found<R> = (R, Option<String>);

/// The lanes against their bases and each other.
fn between(repository: &Repository, args: &Args, ui: &Ui) -> Result<Found<ForecastReport>> {
    let named = named(repository, args)?;
    let (lanes, pairs) = match named.as_slice() {
        [] => (repository.records()?.lanes, Pairs::Among),
        [one] => {
            let records = repository.records()?;
            let place = records.lanes.iter().position(|lane| lane.id == one.id);
            let place = place.ok_or_else(|| no_lane(repository, &records, one.name.as_str()))?;
            (records.lanes, Pairs::With(place))
        }
        _ => (named.clone(), Pairs::Among),
    };
    let progress = ui.progress("comparing lanes", "merges");
    let wish = Wish {
        pairs,
        committed: args.committed,
    };
    let found = forecast(repository, &lanes, wish, &|done, all| {
        progress.set(done, all)
    })?;
    drop(progress);
    let one = named.first().filter(|_| named.len() == 1);
    let report = ForecastReport {
        focus: one.map(|lane| lane.name.clone()),
        columns: ui.columns(),
        found,
    };
    let (lanes, pairs) = report.found.conflicts();
    let lanes = match lanes {
        0 => None,
        1 => Some("1 lane with its base".to_owned()),
        lanes => Some(format!("{lanes} lanes with their bases")),
    };
    let pairs = match pairs {
        0 => None,
        1 => Some("1 pair of lanes".to_owned()),
        pairs => Some(format!("{pairs} pairs of lanes")),
    };
    let all: Vec<String> = [lanes, pairs].into_iter().flatten().collect();
    let conflict = (!all.is_empty()).then(|| format!("in conflict: {}", all.join(", ")));
    Ok((report, conflict))
}

/// Who has changed the files.
fn at_paths(repository: &Repository, args: &Args) -> Result<Found<TouchedReport>> {
    let mut lanes = named(repository, args)?;
    if args.names.is_empty() {
        let own = lanes.pop();
        lanes = repository.records()?.lanes;
        lanes.retain(|lane| own.as_ref().is_none_or(|own| own.name != lane.name));
    }
    let paths = args.path.iter().map(|path| in_tree(repository, path));
    let paths = paths.collect::<Result<Vec<BString>>>()?;
    let wish = touched::Wish {
        paths: &paths,
        patch: args.diff,
        committed: args.committed,
    };
    let found = touched(repository, &lanes, wish)?;
    let lanes = found.iter().filter(|touched| !touched.paths().is_empty());
    let conflict = match lanes.count() {
        0 => None,
        1 => Some("1 lane has changed what is asked about".to_owned()),
        lanes => Some(format!("{lanes} lanes have changed what is asked about")),
    };
    let report = TouchedReport { paths, found };
    Ok((report, conflict))
}

fn end<R: Report>(ui: &Ui, (report, conflict): Found<R>) -> Result<()> {
    match conflict {
        None => {
            ui.report(&report);
            Ok(())
        }
        Some(sentence) => Err(ui.failed(&report, Error::new(Kind::Conflict, sentence))),
    }
}

/// The lanes that were named, or the one that the caller stands in; none for all.
fn named(repository: &Repository, args: &Args) -> Result<Vec<Lane>> {
    if args.all {
        return Ok(Vec::new());
    }
    if args.names.is_empty() {
        let here = lane_here(repository, &repository.records()?)?;
        return Ok(here.into_iter().collect());
    }
    let mut names: Vec<&String> = args.names.iter().collect();
    names.sort();
    names.dedup();
    let lanes = names.into_iter();
    lanes
        .map(|name| find_lane(repository, Some(name)))
        .collect()
}

/// A path as it is in a tree: relative to the top of the worktree that the caller stands in. It need
/// not exist.
fn in_tree(repository: &Repository, path: &Path) -> Result<BString> {
    let here = std::env::current_dir().unwrap_or_default();
    let top = match repository.current_worktree()? {
        Some(worktree) => worktree.path,
        None => here.clone(),
    };
    let mut full = PathBuf::new();
    for component in here.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(full.pop()),
            other => full.push(other),
        }
    }
    // The way to it may have links in it that the way to the worktree has not.
    let real = || {
        let mut above = full.ancestors().skip(1);
        let there = above.find_map(|above| Some((above, above.canonicalize().ok()?)));
        there.and_then(|(above, real)| Some(real.join(full.strip_prefix(above).ok()?)))
    };
    let full = match full.starts_with(&top) {
        true => full,
        false => real().unwrap_or(full),
    };
    let below = full.strip_prefix(&top).map_err(|_| {
        let (path, top) = (path.display(), top.display());
        Error::usage(format!("'{path}' is not in '{top}'"))
            .hint("name it as seen from where you are, or from the top of the worktree")
    })?;
    Ok(gix::path::into_bstr(below)
        .map_err(|error| Error::usage("cannot name the file").caused_by(error))?
        .into_owned())
}
