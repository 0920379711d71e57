//! `git lane prune`: takes away the lanes that are provably done.
//!
//! `candidates` looks at the lanes, `prune_report` words what became of them.

mod candidates;
mod prune_report;

use std::cmp::Reverse;
use std::time::Duration;

use bstr::BString;

use crate::commands::prune::candidates::{Candidate, height, look};
use crate::commands::prune::prune_report::{Pruned, ShownKept, Stays, Taken};
use crate::domain::duration;
use crate::domain::event::What;
use crate::domain::finish::some;
use crate::domain::lane::Lane;
use crate::domain::prune_verdict::Done;
use crate::domain::trash_entry::Entry;
use crate::domain::trash_expiry::Occasion;
use crate::error::{Kind, Result};
use crate::operations::forget::forget;
use crate::operations::retire::{Reason, Retirement, retire};
use crate::operations::trash::expire_within;
use crate::repository::Repository;
use crate::repository::recovered::Heal;
use crate::store::clock::now;
use crate::ui::{Choice, Ui};

/// Take away the lanes that are provably done
///
/// A lane is done when its work is in its base (merged, squashed, rebased or picked there), when it
/// was never used and is at least a day old, or when its directory was removed (its branch
/// stays unless its work is in its base). Lanes with uncommitted changes, an operation in progress,
/// a lock or a process in them are never taken. On a terminal all of these are picked, and you choose
/// among them: space picks, enter retires, q or esc leaves without a change. Otherwise, and with --yes, all
/// go: `git lane restore` brings each of them back.
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
    /// Name the lanes that stay too, and why; --dry-run does
    #[arg(long)]
    all: bool,
}

/// A lane that is done, why, and the ignored files in it.
type Ready<'a> = (Candidate<'a>, Done, Vec<BString>);

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
        shown: match args.all || args.dry_run {
            true => ShownKept::All,
            false => ShownKept::Count {
                older_than: args.older_than,
            },
        },
    };

    let mut ready: Vec<Ready<'_>> = Vec::new();
    let progress = ui.progress("looking for lanes that are done", "lanes");
    for (at, mut candidate) in look(&repository, &records.lanes, &worktrees)
        .into_iter()
        .enumerate()
    {
        progress.set(at, records.lanes.len());
        match candidate.decide(&repository, now(), args.older_than) {
            Ok((why, ignored)) => ready.push((candidate, why, ignored)),
            Err(kept) => report.kept.push(Stays::kept(&candidate.lane.name, &kept)),
        }
    }
    drop(progress);
    if !args.yes && !args.dry_run && !ready.is_empty() {
        ready = chosen(ui, ready)?;
    }

    // The proof of a lane rests on its base, which may be the branch of another one that goes.
    let lanes: Vec<&Lane> = ready.iter().map(|(candidate, ..)| candidate.lane).collect();
    ready.sort_by_cached_key(|(candidate, ..)| Reverse(height(candidate.lane, &lanes)));
    let progress = ui.progress("retiring lanes", "lanes");
    let heal = super::heal(ui);
    let total = ready.len();
    let mut failed = None;
    for (at, (candidate, why, ignored)) in ready.into_iter().enumerate() {
        progress.set(at, total);
        let mut taken = Taken::new(&candidate, &why, &ignored);
        if args.dry_run {
            taken.above = candidate.above(&records, &why);
            report.pruned.push(taken);
            continue;
        }
        let done = match candidate.lane.adopted {
            true => forget(&repository, candidate.lane, What::Prune, None)
                .map(|stays| taken.forgotten(stays)),
            false => take(&mut repository, &candidate, &why, &heal).map(|entry| {
                taken.trash = Some(entry.id);
                taken.above = entry.above;
                taken
            }),
        };
        match done {
            Ok(taken) => report.pruned.push(taken),
            Err(error) => {
                let name = &candidate.lane.name;
                report.kept.push(Stays::refused(name, &error));
                // A lane that is used again is no failure; a full disk is.
                failed = failed.or((error.kind() != Kind::Refused).then_some(error));
            }
        }
    }
    drop(progress);
    report.leave_out_those_gone();
    match expire_within(
        &mut repository,
        &policy,
        Duration::from_secs(3),
        Occasion::Asked,
        args.dry_run,
        &heal,
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
    for taken in report.pruned.iter().filter(|taken| taken.heir.is_none()) {
        let (branch, base) = &taken.branches;
        super::tell_of_lost_base(
            ui,
            &taken.above,
            (branch.as_ref(), base.as_ref()),
            args.dry_run,
        );
    }
    done
}

/// Those of the lanes that the user wants to go; all of them where no user is there to answer.
fn chosen<'a>(ui: &Ui, ready: Vec<Ready<'a>>) -> Result<Vec<Ready<'a>>> {
    let choice = |(candidate, why, ignored): &Ready<'_>| Choice {
        name: candidate.lane.name.to_string(),
        about: match ignored.is_empty() {
            true => why.to_string(),
            false => format!("{why} (ignored: {})", some(ignored)),
        },
    };
    let choices: Vec<Choice> = ready.iter().map(choice).collect();
    let question = "Which lanes shall go into the trash?";
    let Some(chosen) = ui.choose(question, "retires", &choices)? else {
        return Ok(ready);
    };
    let all = ready.into_iter().enumerate();
    Ok(all
        .filter(|(at, _)| chosen.contains(at))
        .map(|(_, one)| one)
        .collect())
}

/// Moves one lane into the trash.
fn take(
    repository: &mut Repository,
    candidate: &Candidate<'_>,
    why: &Done,
    heal: Heal<'_>,
) -> Result<Entry> {
    let retirement = Retirement {
        lane: candidate.lane,
        worktree: candidate.worktree,
        reason: Reason::Pruned,
        accepted: Some(&candidate.seen.losses),
        proof: candidate.seen.proof.clone(),
        expected_tip: candidate.seen.tip,
        delete_branch: why.delete_branch(),
        heir: candidate.heir(),
        although_busy: false,
        heal,
    };
    retire(repository, &retirement).map(|retired| retired.entry)
}
