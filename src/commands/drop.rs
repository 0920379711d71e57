//! `git lane drop`: takes lanes away without landing them.

use std::path::PathBuf;

use crate::domain::event::{Stays, What};
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::raced;
use crate::domain::retire::{Refusal, ensure_movable, place};
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::{Entry, find};
use crate::error::{Code, Error, Kind, Result};
use crate::operations::forget;
use crate::operations::retire::look;
use crate::operations::retire::look::Look;
use crate::operations::retire::{Reason, Retirement, based_on, or_raced, retire, surroundings};
use crate::operations::trash;
use crate::repository::metadata::Records;
use crate::repository::recovered::Act;
use crate::repository::{Repository, claims};
use crate::ui::{Page, Report, Ui};

/// Take a lane away without landing it; `restore` brings it back
///
/// Branch, worktree and everything in it (staged, changed, untracked and ignored files, an
/// operation in progress) wait in the trash until they expire. A lane with uncommitted changes, or
/// with commits its base has not, goes only after a yes: at the prompt, or by --yes. A lane with a
/// process working in it goes only with --force, which implies --yes. A worktree that is locked,
/// damaged, or has another worktree inside stays in any case. An adopted lane is forgotten: its
/// worktree and its branch stay as they are.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Take it although it has uncommitted or unlanded work, or a process works in it
    #[arg(short, long)]
    force: bool,
    /// Answer yes: take it although it has uncommitted or unlanded work
    #[arg(short, long)]
    yes: bool,
    /// Say what would happen, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// One lane that was dropped, or would be.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Dropped {
    name: LaneName,
    branch: Option<BranchName>,
    tip: Option<String>,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: PathBuf,
    had: Option<String>,
    trash_id: Option<String>,
    /// What stays of a lane that was adopted.
    stays: Option<Stays>,
    /// The lanes that are based on its branch.
    above: Vec<LaneName>,
    #[serde(skip)]
    base: Option<BranchName>,
    /// There was no directory to take.
    directory_missing: bool,
    #[serde(skip)]
    was_inside: bool,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Drops {
    dry_run: bool,
    dropped: Vec<Dropped>,
}

impl Report for Drops {
    fn text(&self, page: &mut Page) {
        for dropped in &self.dropped {
            let verb = if self.dry_run {
                "would drop"
            } else {
                "dropped"
            };
            let had = dropped
                .had
                .as_ref()
                .map(|had| format!(" with {had}"))
                .unwrap_or_default();
            let branch = match (&dropped.branch, &dropped.tip) {
                (Some(branch), Some(tip)) => {
                    format!(" (branch {branch} at {})", &tip[..tip.len().min(10)])
                }
                _ => String::new(),
            };
            page.line(format!("{verb} lane {}{branch}{had}", dropped.name));
            if dropped.directory_missing {
                page.line(format!(
                    "  its directory was gone from '{}'",
                    dropped.path.display()
                ));
            }
            if let Some(stays) = &dropped.stays {
                super::tell_of_forgotten(page, stays, self.dry_run);
            } else if !self.dry_run {
                page.line(format!(
                    "  bring it back with: git lane restore {}",
                    quote(&dropped.name)
                ));
            }
        }
    }
}

impl Drops {
    /// Says what was done before something failed.
    fn failed(&self, ui: &Ui, error: Error) -> Error {
        if self.dropped.is_empty() {
            return error;
        }
        let error = ui.failed(self, error);
        self.tell_of_lanes_above(ui);
        error
    }

    fn tell_of_lanes_above(&self, ui: &Ui) {
        for Dropped {
            above,
            branch,
            base,
            ..
        } in &self.dropped
        {
            super::tell_of_lost_base(ui, above, (branch.as_ref(), base.as_ref()), self.dry_run);
        }
    }
}

/// A lane that shall go, where it is, and what was seen of it: nothing with `--force`.
type Planned<'a> = (&'a Lane, Option<&'a Worktree>, Option<Look>);

/// Takes the lanes away.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let here = std::env::current_dir().ok();
    let (mut repository, healed) = super::open(ui, args.dry_run)?;
    let worktrees = repository.worktrees()?;
    let records = super::records(&repository, &worktrees, args.dry_run)?;
    let mut report = Drops {
        dry_run: args.dry_run,
        dropped: Vec::new(),
    };
    let mut wanted: Vec<&Lane> = Vec::new();
    for text in &args.names {
        let name = super::lane_name(text)?;
        match records.find(&name) {
            Some(lane) if wanted.contains(&lane) => {}
            Some(lane) => repository
                .unrecovered
                .ensure_lane_is_whole(&lane.name)
                .map(|()| wanted.push(lane))?,
            None => {
                // Killed before, completed just now: that is what was asked for.
                let entries = trash::entries(&repository)?;
                let gone = |entry: &&Entry| {
                    let lane = &entry.lane.id;
                    healed
                        .iter()
                        .any(|healed| healed.has_done(Act::Retire, lane))
                };
                let entry = find(&entries, name.as_str());
                let entry = entry
                    .filter(gone)
                    .ok_or_else(|| super::no_lane(&repository, &records, name.as_str()))?;
                report.dropped.push(describe(entry, None, here.as_deref()));
            }
        }
    }

    let mut planned = Vec::new();
    for lane in wanted {
        let worktree = place(lane, &worktrees).worktree();
        let seen = look(&repository, lane, worktree, &worktrees, &args)?;
        planned.push((lane, worktree, seen));
    }
    if !(args.yes || args.force || args.dry_run) {
        agree(ui, &planned)?;
    }
    let heal = super::heal(ui);
    let leaving: Vec<LaneName> = planned.iter().map(|(lane, ..)| lane.name.clone()).collect();
    for (lane, worktree, seen) in planned {
        let had = seen
            .as_ref()
            .map(|seen| &seen.losses)
            .filter(|losses| losses.refusal().is_some());
        let had = had.map(Losses::to_string);
        if lane.adopted {
            let planned = plan(&repository, &records, (lane, worktree), had)?;
            match forget(&repository, lane, &args) {
                Ok(stays) => report.dropped.push(Dropped { stays, ..planned }),
                Err(error) => return Err(report.failed(ui, error)),
            }
            continue;
        }
        if args.dry_run {
            report
                .dropped
                .push(plan(&repository, &records, (lane, worktree), had)?);
            continue;
        }
        // A yes that was given unseen is a yes to whatever there is.
        let accepted = seen.as_ref().map(|seen| &seen.losses).filter(|_| !args.yes);
        let retirement = Retirement {
            lane,
            worktree,
            reason: Reason::Dropped,
            accepted,
            proof: seen.as_ref().and_then(|seen| seen.proof.clone()),
            expected_tip: seen
                .as_ref()
                .and_then(|seen| seen.tip)
                .filter(|_| accepted.is_some()),
            delete_branch: true,
            heir: None,
            although_busy: args.force,
            heal: &heal,
        };
        match retire(&mut repository, &retirement) {
            Ok(retired) => report
                .dropped
                .push(describe(&retired.entry, had, here.as_deref())),
            Err(error) => return Err(report.failed(ui, error)),
        }
    }
    report
        .dropped
        .iter_mut()
        .for_each(|dropped| dropped.above.retain(|above| !leaving.contains(above)));
    ui.report(&report);
    report.tell_of_lanes_above(ui);
    if !args.dry_run
        && report.dropped.iter().any(|dropped| dropped.was_inside)
        && let Ok(crate::domain::lane::Worktree { path: main, .. }) = repository.main_worktree()
    {
        ui.note(format_args!(
            "your directory went with the lane; go to: cd {}",
            quote(main.display())
        ));
    }
    Ok(())
}

/// Forgets a lane that was adopted, or says what would stay of it.
fn forget(repository: &Repository, lane: &Lane, args: &Args) -> Result<Option<Stays>> {
    if args.dry_run {
        return Ok(Some(Stays::of(lane)));
    }
    forget::forget(repository, lane, What::Drop, None).map(Some)
}

/// What the lane has that nothing else has; nothing is looked at with `--force`, which takes it
/// all.
fn look(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    all: &[Worktree],
    args: &Args,
) -> Result<Option<Look>> {
    if lane.adopted {
        // Nothing leaves with it.
        return claims::ensure_not_anothers(repository, lane).map(|()| None);
    }
    if args.force && !args.dry_run {
        return Ok(None);
    }
    let around = surroundings(repository, lane, worktree, all, true);
    let around = if args.force {
        around
    } else {
        around.with_processes()
    };
    ensure_movable(&around).map_err(|refusal| refusal.refuse(&lane.name))?;
    let present = worktree.filter(|worktree| worktree.state == WorktreeState::Present);
    let although = |error: Error| match or_raced(repository, lane, error) {
        raced if raced.code() == Code::Raced => raced,
        error => error.hint(format!(
            "take it away as it is with: git lane drop --force {}",
            quote(&lane.name)
        )),
    };
    let gone = || present.is_some_and(|worktree| !worktree.path.exists());
    let seen = look::look(repository, lane, worktree);
    seen.map(Some).map_err(|error| {
        if gone() {
            raced(&lane.name)
        } else {
            although(error)
        }
    })
}

/// Asks once for everything that would leave with the lanes.
fn agree(ui: &Ui, planned: &[Planned<'_>]) -> Result<()> {
    let refusal = |seen: &Option<Look>| seen.as_ref().and_then(|seen| seen.losses.refusal());
    let unsettled: Vec<(&LaneName, Refusal)> = planned
        .iter()
        .filter_map(|(lane, _, seen)| refusal(seen).map(|refusal| (&lane.name, refusal)))
        .collect();
    let Some((first, why)) = unsettled.first() else {
        return Ok(());
    };
    for (name, refusal) in &unsettled {
        if ui.can_ask() {
            ui.note(format_args!("lane '{name}': {refusal}"));
        }
    }
    let question = if unsettled.len() == 1 {
        "Drop it?"
    } else {
        "Drop them?"
    };
    match ui.confirm(&format!("{question} (git lane restore brings it back)"))? {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(Kind::Interrupted, "nothing was changed")),
        None => Err(why.refuse(first)),
    }
}

fn plan(
    repository: &Repository,
    records: &Records,
    (lane, worktree): (&Lane, Option<&Worktree>),
    had: Option<String>,
) -> Result<Dropped> {
    let tip = repository.tip_of(lane)?;
    Ok(Dropped {
        name: lane.name.clone(),
        branch: lane.branch.clone(),
        tip: tip.map(|tip| tip.to_string()),
        path: worktree.map_or_else(|| lane.worktree.clone(), |worktree| worktree.path.clone()),
        had,
        trash_id: None,
        stays: None,
        above: lane
            .branch
            .as_ref()
            .filter(|_| !lane.adopted)
            .map_or_else(Vec::new, |branch| based_on(records, branch, None)),
        base: lane.base_branch(),
        directory_missing: worktree.is_none_or(|worktree| worktree.state == WorktreeState::Missing),
        was_inside: false,
    })
}

fn describe(entry: &Entry, had: Option<String>, here: Option<&std::path::Path>) -> Dropped {
    let path = entry
        .worktree
        .as_ref()
        .map_or(&entry.lane.worktree, |worktree| &worktree.path)
        .clone();
    Dropped {
        name: entry.lane.name.clone(),
        branch: entry.branch.as_ref().map(|branch| branch.name.clone()),
        tip: entry.branch.as_ref().map(|branch| branch.tip.to_string()),
        had,
        trash_id: Some(entry.id.clone()),
        stays: None,
        above: entry.above.clone(),
        base: entry.lane.base_branch(),
        directory_missing: entry
            .worktree
            .as_ref()
            .is_none_or(|worktree| worktree.directory.is_none()),
        was_inside: here.is_some_and(|here| here.starts_with(&path)),
        path,
    }
}
