//! `git lane prune`: takes away the lanes that are provably done.

use std::time::Duration;

use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::name::LaneName;
use crate::domain::prune::{Done, Facts, Kept, duration, verdict};
use crate::domain::retire::{Losses, Refusal, ensure_movable, place};
use crate::domain::status::WorktreeStatus;
use crate::domain::trash::Occasion;
use crate::error::{Error, Kind, Result};
use crate::git::overview::{standings, statuses_for_removal};
use crate::git::repository::Repository;
use crate::git::retire::{Reason, Retirement, now, retire, surroundings};
use crate::git::submodules::held;
use crate::git::trash::expire_within;
use crate::policy::Policy;
use crate::ui::{Page, Report, Ui};

/// Take away the lanes that are provably done
///
/// A lane is done when its work is in its base (merged, squashed, rebased or picked there), when it was never used and is
/// at least a day old, or when somebody removed its directory (its branch stays unless its work is in its base). Lanes
/// with uncommitted changes, an operation in progress, a lock or a process in them are never taken. On a terminal you
/// choose among them; otherwise, and with --yes, all go: `git lane restore` brings each of them back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would happen, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Take only lanes nobody has worked in for so long (3d, 12h, 2w)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Option<i64>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    name: LaneName,
    proof: &'static str,
    because: String,
    branch_removed: bool,
    trash_id: Option<String>,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Stays {
    name: LaneName,
    code: String,
    because: String,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Pruned {
    dry_run: bool,
    pruned: Vec<Taken>,
    kept: Vec<Stays>,
    expired: Vec<super::trash::Gone>,
}

impl Report for Pruned {
    fn text(&self, page: &mut Page) {
        let verb = if self.dry_run { "would prune" } else { "pruned" };
        for taken in &self.pruned {
            page.line(format!("{verb} lane {}: {}", taken.name, taken.because));
        }
        for stays in &self.kept {
            page.line(format!("kept lane {}: {}", stays.name, stays.because));
        }
        for gone in &self.expired {
            page.line(gone.line(self.dry_run));
        }
        if self.pruned.is_empty() && self.kept.is_empty() {
            page.line("there are no lanes");
        }
    }
}

/// Looks at every lane and takes what is done.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = super::open_for_change(ui)?;
    let policy = Policy::load(&repository)?;
    let records = repository.records()?;
    let worktrees = repository.worktrees()?;
    let mut report = Pruned { dry_run: args.dry_run, pruned: Vec::new(), kept: Vec::new(), expired: Vec::new() };

    let mut done: Vec<(&Lane, Option<&Worktree>, Option<ObjectId>, Done)> = Vec::new();
    for (lane, worktree, tip, facts) in look(&repository, &records.lanes, &worktrees) {
        let decided = verdict(&facts, now(), args.older_than);
        match decided.and_then(|why| ensure_alone(&repository, lane, worktree, &facts.losses).map(|()| why)) {
            Ok(why) => done.push((lane, worktree, tip, why)),
            Err(kept) => report.kept.push(stays(&lane.name, &kept)),
        }
    }

    if !args.yes && !args.dry_run && !done.is_empty() {
        let items: Vec<String> = done.iter().map(|(lane, _, _, why)| format!("{}: {why}", lane.name)).collect();
        if let Some(chosen) = ui.choose("Which shall go? (space chooses, enter confirms)", &items)? {
            let mut at = 0;
            done.retain(|_| {
                at += 1;
                chosen.contains(&(at - 1))
            });
        }
    }

    let progress = ui.progress("Pruning");
    let total = done.len();
    let mut failed = None;
    for (at, (lane, worktree, tip, why)) in done.into_iter().enumerate() {
        progress.set(at, total);
        match take(&repository, lane, worktree, tip, &why, args.dry_run) {
            Ok(trash_id) => report.pruned.push(Taken {
                name: lane.name.clone(),
                proof: why.code(),
                because: why.to_string(),
                branch_removed: why.delete_branch(),
                trash_id,
            }),
            Err(error) => {
                report.kept.push(refused(&lane.name, &error));
                // A lane that somebody uses again is no failure; a full disk is.
                failed = failed.or((error.kind() != Kind::Refused).then_some(error));
            }
        }
    }
    drop(progress);
    match expire_within(&repository, &policy, Duration::from_secs(3), Occasion::Asked, args.dry_run) {
        Ok(done) => report.expired = done.gone.iter().map(Into::into).collect(),
        Err(error) => failed = failed.or(Some(error)),
    }
    match failed {
        Some(error) => Err(ui.failed(&report, error)),
        None => {
            ui.report(&report);
            Ok(())
        }
    }
}

fn take(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    tip: Option<ObjectId>,
    why: &Done,
    dry_run: bool,
) -> Result<Option<String>> {
    if dry_run {
        return Ok(None);
    }
    let retirement = Retirement {
        lane,
        worktree,
        reason: Reason::Pruned,
        proof: why.integration().cloned(),
        expected_tip: tip,
        delete_branch: why.delete_branch(),
        although_busy: false,
    };
    retire(repository, &retirement).map(|retired| Some(retired.trash_id))
}

fn stays(name: &LaneName, kept: &Kept) -> Stays {
    Stays { name: name.clone(), code: kept.code().into(), because: kept.to_string() }
}

/// Keeps a lane whose submodules hold what nothing else has: that its own work is done says nothing about theirs.
fn ensure_alone(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    losses: &Losses,
) -> std::result::Result<(), Kept> {
    let submodules = worktree.map(|worktree| held(repository, lane, worktree)).unwrap_or_default();
    match submodules.is_empty() {
        true => Ok(()),
        false => Err(Kept::Protected(Refusal::Unsettled(Box::new(losses.clone().with_submodules(submodules))))),
    }
}

/// A lane that was done when we looked and could not be taken when we came.
fn refused(name: &LaneName, error: &Error) -> Stays {
    let json = error.to_json();
    let code = json["error"]["code"].as_str().unwrap_or_default().to_owned();
    Stays { name: name.clone(), code, because: error.to_string() }
}

/// A lane, where it is, its tip, and what the decision needs.
type Looked<'a> = (&'a Lane, Option<&'a Worktree>, Option<ObjectId>, Facts);

/// Looks at all lanes together: files in parallel, commits in one walk. What cannot be read keeps its lane.
fn look<'a>(repository: &Repository, lanes: &'a [Lane], all: &'a [Worktree]) -> Vec<Looked<'a>> {
    let mut looked = Vec::new();
    for lane in lanes {
        let worktree = place(lane, all).worktree();
        let tip = lane.branch.as_ref().map(|branch| repository.branch_tip(branch)).transpose();
        let unreadable = tip.as_ref().err().map(ToString::to_string);
        let tip = tip.ok().flatten().flatten();
        let around = surroundings(repository, lane, worktree, all, true).with_processes();
        let facts = Facts {
            protected: ensure_movable(&around).err(),
            missing: worktree.is_none_or(|worktree| worktree.state == WorktreeState::Missing),
            losses: Losses::default(),
            untouched: tip.is_none_or(|tip| tip == lane.fork_point) && lane.branch.is_some(),
            integrated: None,
            last_seen: last_seen(lane, worktree),
            unreadable,
        };
        looked.push((lane, worktree, tip, facts));
    }
    let ahead = look_at_commits(repository, &mut looked);
    look_at_files(repository, &mut looked, &ahead);
    looked
}

/// Fills in the proofs; returns how many commits each lane has that its base has not, none where the proof covers them.
fn look_at_commits(repository: &Repository, looked: &mut [Looked<'_>]) -> Vec<usize> {
    let mut ahead = vec![0; looked.len()];
    let (mut places, mut pairs) = (Vec::new(), Vec::new());
    for (at, (lane, _, tip, facts)) in looked.iter().enumerate() {
        let base = lane.base.as_ref().and_then(|base| repository.ref_target(base).ok().flatten());
        if let (Some(tip), Some(base), None) = (tip, base, &facts.protected) {
            places.push(at);
            pairs.push((*tip, base));
        }
    }
    for (at, versus) in places.into_iter().zip(standings(repository, &pairs)) {
        let facts = &mut looked[at].3;
        match versus {
            Ok(versus) => {
                ahead[at] = if versus.integrated.is_none() { versus.ahead } else { 0 };
                facts.integrated = versus.integrated;
            }
            Err(error) => facts.unreadable = Some(error.to_string()),
        }
    }
    ahead
}

fn look_at_files(repository: &Repository, looked: &mut [Looked<'_>], ahead: &[usize]) {
    let here = |worktree: &Worktree| worktree.state == WorktreeState::Present;
    let present: Vec<(usize, &Worktree)> = looked
        .iter()
        .enumerate()
        .filter(|(_, (.., facts))| facts.protected.is_none())
        .filter_map(|(at, (_, worktree, ..))| Some((at, worktree.filter(|worktree| here(worktree))?)))
        .collect();
    let worktrees: Vec<&Worktree> = present.iter().map(|(_, worktree)| *worktree).collect();
    let mut statuses: Vec<Option<Result<WorktreeStatus>>> = looked.iter().map(|_| None).collect();
    for ((at, _), status) in present.into_iter().zip(statuses_for_removal(repository, &worktrees)) {
        statuses[at] = Some(status);
    }
    for (((lane, worktree, _, facts), status), ahead) in looked.iter_mut().zip(statuses).zip(ahead) {
        match status.unwrap_or_else(|| Ok(WorktreeStatus::default())) {
            Ok(status) => {
                let present = worktree.filter(|worktree| here(worktree));
                facts.losses = Losses::of(lane, present, status, *ahead, facts.integrated.as_ref());
            }
            Err(error) => facts.unreadable = Some(error.to_string()),
        }
    }
}

/// When the lane was started, or its HEAD last moved, or something was staged.
fn last_seen(lane: &Lane, worktree: Option<&Worktree>) -> i64 {
    let modified = |file: &str| {
        let metadata = std::fs::metadata(worktree?.git_dir.join(file)).ok()?;
        let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    [modified("logs/HEAD"), modified("HEAD")].into_iter().flatten().fold(lane.created, i64::max)
}
