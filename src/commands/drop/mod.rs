//! `git lane drop`: takes lanes away without landing them.

mod drop_report;

use std::path::PathBuf;

use drop_report::{Dropped, Drops, describe, plan};

use crate::domain::event::{Stays, What};
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::name::LaneName;
use crate::domain::retire::raced;
use crate::domain::retire::{Refusal, ensure_movable, place};
use crate::domain::shell_word::quote;
use crate::domain::trash_entry::{Entry, find};
use crate::error::{Code, Error, Kind, Result};
use crate::operations::forget::forget;
use crate::operations::retire::look;
use crate::operations::retire::look::Look;
use crate::operations::retire::{Reason, Retirement, or_raced, retire, surroundings};
use crate::operations::trash;
use crate::repository::metadata::Records;
use crate::repository::recovered::{Act, Heal, Healed};
use crate::repository::{Repository, claims};
use crate::store::activity::Activity;
use crate::ui::Ui;

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
    /// The lanes; inside a lane, that one when none is named
    #[arg(value_name = "NAME")]
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

/// A lane that shall go, where it is, and what was seen of it: nothing with `--force`.
type Planned<'a> = (&'a Lane, Option<&'a Worktree>, Option<Look>);

/// What all lanes of one command share.
struct Course<'a> {
    args: &'a Args,
    records: &'a Records,
    here: Option<PathBuf>,
    heal: Heal<'a>,
}

/// Takes the lanes away.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (mut repository, healed) = super::open(ui, args.dry_run)?;
    let worktrees = repository.worktrees()?;
    let records = super::records(&repository, &worktrees, args.dry_run)?;
    let heal = super::heal(ui);
    let course = Course {
        args: &args,
        records: &records,
        here: std::env::current_dir().ok(),
        heal: &heal,
    };
    let (wanted, dropped) = course.wanted(&repository, &healed)?;
    let mut report = Drops {
        dry_run: args.dry_run,
        dropped,
    };
    let mut planned = Vec::new();
    for lane in wanted {
        let worktree = place(lane, &worktrees).worktree();
        let seen = look(&repository, lane, worktree, &worktrees, &args)?;
        planned.push((lane, worktree, seen));
    }
    if !(args.yes || args.force || args.dry_run) {
        agree(ui, &planned)?;
    }
    let leaving: Vec<LaneName> = planned.iter().map(|(lane, ..)| lane.name.clone()).collect();
    let total = planned.len();
    for (at, planned) in planned.into_iter().enumerate() {
        let _place = Activity::with_lane(at, total);
        match course.take_away(&mut repository, planned) {
            Ok(dropped) => report.dropped.push(dropped),
            Err(error) => return Err(report.failed(ui, error)),
        }
    }
    report
        .dropped
        .iter_mut()
        .for_each(|dropped| dropped.above.retain(|above| !leaving.contains(above)));
    ui.report(&report);
    report.tell_of_lanes_above(ui);
    tell_of_lost_directory(&repository, &report, ui);
    Ok(())
}

impl Course<'_> {
    /// The lanes that are meant, each once, and those whose removal was completed just now: that is
    /// what was asked for.
    fn wanted(
        &self,
        repository: &Repository,
        healed: &[Healed],
    ) -> Result<(Vec<&Lane>, Vec<Dropped>)> {
        let (mut wanted, mut dropped): (Vec<&Lane>, Vec<Dropped>) = (Vec::new(), Vec::new());
        for name in self.names(repository)? {
            let Some(lane) = self.records.find(&name) else {
                let entries = trash::entries(repository)?;
                let gone = |entry: &&Entry| {
                    let lane = &entry.lane.id;
                    healed
                        .iter()
                        .any(|healed| healed.has_done(Act::Retire, lane))
                };
                let rule = repository.name_rule();
                let entry = find(&entries, name.as_str(), rule).filter(gone);
                let entry =
                    entry.ok_or_else(|| super::no_lane(repository, self.records, name.as_str()))?;
                dropped.push(describe(entry, None, self.here.as_deref()));
                continue;
            };
            if !wanted.contains(&lane) {
                repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
                wanted.push(lane);
            }
        }
        Ok((wanted, dropped))
    }

    /// The lanes that are named, or the one that the caller stands in.
    fn names(&self, repository: &Repository) -> Result<Vec<LaneName>> {
        match self.args.names.as_slice() {
            [] => Ok(vec![super::find_lane(repository, None)?.name]),
            named => {
                let meant = |text: &String| super::meant(repository, self.records, text);
                named
                    .iter()
                    .map(|text| super::lane_name(&meant(text)))
                    .collect()
            }
        }
    }

    /// Takes one lane away, or says how it would be.
    fn take_away(
        &self,
        repository: &mut Repository,
        (lane, worktree, seen): Planned<'_>,
    ) -> Result<Dropped> {
        let Course { args, records, .. } = self;
        let losses = seen.as_ref().map(|seen| &seen.losses);
        let had = losses.filter(|losses| losses.refusal().is_some());
        let had = had.map(Losses::to_string);
        if lane.adopted || args.dry_run {
            let planned = plan(repository, records, (lane, worktree), had)?;
            let stays = match (lane.adopted, args.dry_run) {
                (false, _) => None,
                (true, true) => Some(Stays::of(lane)),
                (true, false) => Some(forget(repository, lane, What::Drop, None)?),
            };
            return Ok(Dropped { stays, ..planned });
        }
        // A yes that was given unseen is a yes to whatever there is.
        let accepted = losses.filter(|_| !args.yes);
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
            heal: self.heal,
        };
        let retired = retire(repository, &retirement)?;
        Ok(describe(&retired.entry, had, self.here.as_deref()))
    }
}

/// Where the user stands is gone with a lane.
fn tell_of_lost_directory(repository: &Repository, report: &Drops, ui: &Ui) {
    let was_inside = report.dropped.iter().any(|dropped| dropped.was_inside);
    if let (true, Ok(main)) = (was_inside && !report.dry_run, repository.main_worktree()) {
        ui.note(format_args!(
            "this directory is gone; {}",
            super::go_to(&main.path)
        ));
    }
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
    let (question, meaning) = match unsettled.len() {
        1 => ("Drop it?", "git lane restore brings it back"),
        _ => ("Drop them?", "git lane restore brings them back"),
    };
    match ui.confirm(meaning, question)? {
        Some(true) => Ok(()),
        Some(false) => Err(Error::new(Kind::Interrupted, "nothing was changed")),
        None => Err(why.refuse(first)),
    }
}
