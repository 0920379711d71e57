//! `git lane prune`: takes away the lanes that are provably done.

use crate::repository::recovered::Heal;
use crate::store::clock::now;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use crate::domain::duration;
use crate::domain::finish::some;
use crate::domain::integration::Integration;
use crate::domain::lane::{Lane, Worktree, WorktreeState, lossless};
use crate::domain::losses::Losses;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::prune_verdict::{Done, Facts, Kept, verdict};
use crate::domain::retire::{ensure_movable, place};
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::{Entry, Occasion};
use crate::error::{Error, Kind, Result};
use crate::operations::retire::look::{Look, ignored, look_at_all, with_inner};
use crate::operations::retire::{Reason, Retirement, based_on, retire, surroundings, were_made};
use crate::operations::trash::expire_within;
use crate::repository::Repository;
use crate::repository::metadata::Records;
use crate::ui::{Page, Report, Ui};

/// Take away the lanes that are provably done
///
/// A lane is done when its work is in its base (merged, squashed, rebased or picked there), when it
/// was never used and is at least a day old, or when its directory was removed (its branch
/// stays unless its work is in its base). Lanes with uncommitted changes, an operation in progress,
/// a lock or a process in them are never taken. On a terminal you choose among them; otherwise, and
/// with --yes, all go: `git lane restore` brings each of them back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what would happen, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Take only lanes without work for so long (3d, 12h, 2w)
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
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
    #[serde(skip)]
    branch: Option<BranchName>,
    trash_id: Option<String>,
    /// The lanes that were based on its branch, and their base now.
    above: Vec<LaneName>,
    heir: Option<BranchName>,
    #[serde(skip)]
    branches: (Option<BranchName>, Option<BranchName>),
    ignored: Vec<serde_json::Value>,
    #[serde(skip)]
    left: String,
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
        let verb = if self.dry_run {
            "would prune"
        } else {
            "pruned"
        };
        for taken in &self.pruned {
            page.line(format!("{verb} lane {}: {}", taken.name, taken.because));
            if !taken.left.is_empty() {
                let left = if self.dry_run { "would leave" } else { "left" };
                page.line(format!(
                    "  ignored files that {left} with it: {}",
                    taken.left
                ));
            }
            if let Some(heir) = &taken.heir {
                let is = if self.dry_run { "would be" } else { "is now" };
                for above in &taken.above {
                    page.line(format!("  the base of lane '{above}' {is} '{heir}'"));
                }
            }
            if let Some(branch) = &taken.branch {
                let (name, branch) = (quote(&taken.name), quote(branch));
                page.line(format!(
                    "  go on with its branch in a new lane: git lane start {name} --branch {branch}"
                ));
            }
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
    let (mut repository, _) = super::open(ui, args.dry_run)?;
    let policy = repository.policy()?;
    let worktrees = repository.worktrees()?;
    let records = super::records(&repository, &worktrees, args.dry_run)?;
    let mut report = Pruned {
        dry_run: args.dry_run,
        pruned: Vec::new(),
        kept: Vec::new(),
        expired: Vec::new(),
    };

    let mut done: Vec<(Looked<'_>, Done, Vec<BString>)> = Vec::new();
    for mut looked in look(&repository, &records.lanes, &worktrees) {
        let name = &looked.lane.name;
        let decided = verdict(&looked.facts, now(), args.older_than);
        // That its own work is done says nothing about that of the repositories in it.
        match decided.and_then(|_| {
            looked.look_inside(&repository);
            verdict(&looked.facts, now(), args.older_than)
        }) {
            Ok(why) => match ignored(&repository, looked.lane, looked.worktree) {
                Ok(ignored) => done.push((looked, why, ignored)),
                Err(error) => report
                    .kept
                    .push(stays(name, &Kept::Unreadable(error.to_string()))),
            },
            Err(kept) => report.kept.push(stays(name, &kept)),
        }
    }

    if !args.yes && !args.dry_run && !done.is_empty() {
        let item = |(looked, why, ignored): &(Looked<'_>, Done, Vec<BString>)| {
            let with = if ignored.is_empty() {
                String::new()
            } else {
                format!(" (ignored: {})", some(ignored))
            };
            format!("{}: {why}{with}", looked.lane.name)
        };
        let items: Vec<String> = done.iter().map(item).collect();
        if let Some(chosen) =
            ui.choose("Which shall go? (space chooses, enter confirms)", &items)?
        {
            let mut at = 0;
            done.retain(|_| {
                at += 1;
                chosen.contains(&(at - 1))
            });
        }
    }

    // The proof of a lane rests on its base, which may be the branch of another one that goes.
    let lanes: Vec<&Lane> = done.iter().map(|(looked, ..)| looked.lane).collect();
    done.sort_by_cached_key(|(looked, ..)| std::cmp::Reverse(height(looked.lane, &lanes)));
    let progress = ui.progress("Pruning");
    let total = done.len();
    let mut failed = None;
    for (at, (looked, why, ignored)) in done.into_iter().enumerate() {
        progress.set(at, total);
        let name = &looked.lane.name;
        match take(
            &mut repository,
            &looked,
            &why,
            args.dry_run,
            &super::heal(ui),
        ) {
            Ok(entry) => report.pruned.push(Taken {
                name: name.clone(),
                proof: why.code(),
                because: why.to_string(),
                branch_removed: why.delete_branch(),
                branch: looked
                    .lane
                    .branch
                    .as_ref()
                    .filter(|_| !why.delete_branch())
                    .cloned(),
                trash_id: entry.as_ref().map(|entry| entry.id.clone()),
                above: entry.map_or_else(|| above(&records, &looked, &why), |entry| entry.above),
                heir: heir(&looked).filter(|_| why.delete_branch()),
                branches: (looked.lane.branch.clone(), looked.lane.base_branch()),
                ignored: ignored
                    .iter()
                    .map(|path| lossless(path.as_bstr()))
                    .collect(),
                left: some(&ignored),
            }),
            Err(error) => {
                report.kept.push(refused(name, &error));
                // A lane that is used again is no failure; a full disk is.
                failed = failed.or((error.kind() != Kind::Refused).then_some(error));
            }
        }
    }
    drop(progress);
    let gone: Vec<LaneName> = report
        .pruned
        .iter()
        .map(|taken| taken.name.clone())
        .collect();
    report
        .pruned
        .iter_mut()
        .for_each(|taken| taken.above.retain(|above| !gone.contains(above)));
    match expire_within(
        &mut repository,
        &policy,
        Duration::from_secs(3),
        Occasion::Asked,
        args.dry_run,
        &super::heal(ui),
    ) {
        Ok(done) => report.expired = done.gone.iter().map(Into::into).collect(),
        Err(error) => failed = failed.or(Some(error)),
    }
    let done = match failed {
        Some(error) => Err(ui.failed(&report, error)),
        None => {
            ui.report(&report);
            Ok(())
        }
    };
    for Taken {
        above, branches, ..
    } in report.pruned.iter().filter(|taken| taken.heir.is_none())
    {
        super::tell_of_lost_base(
            ui,
            above,
            (branches.0.as_ref(), branches.1.as_ref()),
            args.dry_run,
        );
    }
    done
}

/// How many of `lanes` are below the lane, one based on the other.
fn height(lane: &Lane, lanes: &[&Lane]) -> usize {
    let below = |lane: &&Lane| {
        let base = lane.base_branch()?;
        lanes
            .iter()
            .find(|other| other.branch.as_ref() == Some(&base))
            .copied()
    };
    std::iter::successors(Some(lane), below)
        .take(lanes.len())
        .count()
}

/// The branch that has the lane's work.
fn heir(looked: &Looked<'_>) -> Option<BranchName> {
    looked.seen.proof.as_ref().and(looked.lane.base_branch())
}

/// The lanes that are based on the lane's branch, where that goes.
fn above(records: &Records, looked: &Looked<'_>, why: &Done) -> Vec<LaneName> {
    let leaving = looked.lane.branch.as_ref().filter(|_| why.delete_branch());
    leaving
        .map(|branch| based_on(records, branch, heir(looked).as_ref()))
        .unwrap_or_default()
}

fn take(
    repository: &mut Repository,
    looked: &Looked<'_>,
    why: &Done,
    dry_run: bool,
    heal: Heal<'_>,
) -> Result<Option<Entry>> {
    if dry_run {
        return Ok(None);
    }
    let retirement = Retirement {
        lane: looked.lane,
        worktree: looked.worktree,
        reason: Reason::Pruned,
        accepted: Some(&looked.seen.losses),
        proof: looked.seen.proof.clone(),
        expected_tip: looked.seen.tip,
        delete_branch: why.delete_branch(),
        heir: heir(looked),
        although_busy: false,
        heal,
    };
    retire(repository, &retirement).map(|retired| Some(retired.entry))
}

fn stays(name: &LaneName, kept: &Kept) -> Stays {
    Stays {
        name: name.clone(),
        code: kept.code().into(),
        because: kept.to_string(),
    }
}

/// A lane that was done when we looked and could not be taken when we came.
fn refused(name: &LaneName, error: &Error) -> Stays {
    let json = error.to_json();
    let code = json["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Stays {
        name: name.clone(),
        code,
        because: error.to_string(),
    }
}

/// A lane, where it is, what was seen of it, and what the decision needs.
struct Looked<'a> {
    lane: &'a Lane,
    worktree: Option<&'a Worktree>,
    seen: Look,
    facts: Facts,
}

impl Looked<'_> {
    fn look_inside(&mut self, repository: &Repository) {
        let losses = std::mem::take(&mut self.seen.losses);
        self.seen.losses = with_inner(repository, self.lane, self.worktree, losses);
        self.facts.losses.clone_from(&self.seen.losses);
    }
}

/// Looks at all lanes together: files in parallel, commits in one walk. What cannot be read keeps
/// its lane.
fn look<'a>(repository: &Repository, lanes: &'a [Lane], all: &'a [Worktree]) -> Vec<Looked<'a>> {
    let placed = lanes.iter().map(|lane| (lane, place(lane, all).worktree()));
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for (at, (lane, worktree)) in placed.enumerate() {
        let around = surroundings(repository, lane, worktree, all, true).with_processes();
        let protected = ensure_movable(&around).err();
        if protected.is_none() {
            open.push((at, (lane, worktree)));
        }
        let facts = Facts {
            protected,
            missing: worktree.is_none_or(|worktree| worktree.state == WorktreeState::Missing),
            losses: Losses::default(),
            untouched: false,
            integrated: None,
            last_seen: last_seen(lane, worktree),
            unreadable: None,
        };
        found.push(Looked {
            lane,
            worktree,
            seen: Look::default(),
            facts,
        });
    }
    let places: Vec<_> = open.iter().map(|(_, place)| *place).collect();
    for ((at, (lane, worktree)), seen) in open.into_iter().zip(look_at_all(repository, &places)) {
        let Looked {
            facts, seen: known, ..
        } = &mut found[at];
        match seen {
            Ok(seen) => {
                facts.integrated = seen.proof.as_ref().map(|proof| proof.how.clone());
                facts.untouched =
                    is_untouched(repository, lane, worktree, &seen, facts.integrated.as_ref());
                facts.losses = seen.losses.clone();
                *known = seen;
            }
            Err(error) => facts.unreadable = Some(error.to_string()),
        }
    }
    found
}

/// Whether no commit was ever made in the lane. One that was only brought up to date with its base
/// is as new as before.
fn is_untouched(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    seen: &Look,
    integrated: Option<&Integration>,
) -> bool {
    match seen.tip {
        None => lane.branch.is_some(),
        Some(tip) if tip == lane.fork_point => true,
        Some(_) => {
            let contained = matches!(
                integrated,
                Some(Integration::SameCommit | Integration::Ancestor)
            );
            contained && were_made(repository, lane, worktree) == Some(false)
        }
    }
}

/// When the lane was started, or its HEAD last moved, or something was staged.
fn last_seen(lane: &Lane, worktree: Option<&Worktree>) -> i64 {
    let modified = |file: &str| {
        let metadata = std::fs::metadata(worktree?.git_dir.join(file)).ok()?;
        let since = metadata
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    [modified("logs/HEAD"), modified("HEAD")]
        .into_iter()
        .flatten()
        .fold(lane.created, i64::max)
}
