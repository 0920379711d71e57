//! `git lane finish`: lands a lane on its base and retires it.
//!
//! Called by `cli` alone; `task` is one lane on its way, `several` takes many at once, `chosen` finds
//! those of `--all`, `outdated_base` looks at what the bases follow, `leaving` does what follows a landing,
//! `finish_report` words the result.

mod chosen;
mod finish_report;
mod leaving;
mod outdated_base;
mod resolver_notes;
mod several;
mod task;

use crate::commands::finish::finish_report::Finished;
use crate::commands::finish::resolver_notes::ResolverNotes;
use crate::commands::finish::task::{Course, Task};
use crate::commands::gate_watch::GateWatch;
use crate::domain::finish::{Plan, Strategy};
use crate::domain::name::LaneName;
use crate::domain::trash_entry::{Entry, Reason, find};
use crate::error::{Error, Result};
use crate::operations::gate::{Judge, Wish};
use crate::operations::land;
use crate::operations::land::outcome::{Asked, Outcome, Wording, word};
use crate::operations::resolve::Resolver;
use crate::operations::trash;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::recovered::{Act, Healed};
use crate::store::git::PrePush;
use crate::ui::Ui;

/// Land lanes on their bases and move them into the trash
///
/// The result is computed first: a conflict is reported with its paths and exit code 3 before
/// anything has changed. Where the base is checked out, its worktree moves with it; local changes
/// there that the landing touches are a refusal.
///
/// Where finish.gate in lane.toml or --gate names commands, they run on exactly the files that the
/// base would get, and it moves only if all of them succeed; else the exit code is 6 and nothing
/// lands. Lanes that wait meanwhile are tested together. Of several lanes none stops the others.
///
/// With --push, or finish.push in lane.toml, the branch that the base follows on its remote gets the
/// landing first. Where the remote refuses the push, nothing lands.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lanes; inside a lane, that one when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Every lane that is marked as ready, settled, and not claimed by another holder
    #[arg(long, conflicts_with_all = ["names", "no_land", "commit"])]
    all: bool,

    /// With --all: whatever its owner says of it, every such lane that has something to land
    #[arg(long, requires = "all", conflicts_with = "names")]
    any_status: bool,

    /// How to land: a merge commit, one squashed commit, replayed commits, or a fast-forward
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// Land on this branch instead of the lane's base
    #[arg(long, value_name = "BRANCH")]
    into: Option<String>,

    /// The message of the merge or squash, instead of the policy's
    #[arg(short, long)]
    message: Option<String>,

    /// Open git's editor on the message
    #[arg(long)]
    edit: bool,

    /// Leave the lane in place afterwards
    #[arg(long, conflicts_with = "no_land")]
    keep: bool,

    /// Retire the lane without landing it; what its base lacks needs --force
    #[arg(long, conflicts_with_all = ["strategy", "message", "edit"])]
    no_land: bool,

    /// Commit everything in the lane first, untracked files included
    #[arg(long, value_name = "MESSAGE")]
    commit: Option<String>,

    /// Into the trash although a process works in the lane; with --no-land, also although the work
    /// is unsettled or not in the base
    #[arg(short, long)]
    force: bool,

    /// Skip the hooks pre-merge-commit, pre-commit, commit-msg and pre-push
    #[arg(long)]
    no_verify: bool,

    /// A command line that must succeed too on what would land, after those of the policy;
    /// repeatable
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["no_land", "no_gate"])]
    gate: Vec<String>,

    /// Land without the gate; refused where finish.gate-required says so
    #[arg(long, conflicts_with = "no_land")]
    no_gate: bool,

    /// Run the gate even if it has failed on the same files before
    #[arg(long, conflicts_with_all = ["no_land", "no_gate"])]
    again: bool,

    /// Push what lands to the branch that the base follows, and move the base once the remote has
    /// taken it
    #[arg(long, conflicts_with_all = ["no_land", "no_push"])]
    push: bool,

    /// Land here alone, although finish.push in lane.toml says to push
    #[arg(long, conflicts_with = "no_land")]
    no_push: bool,

    /// Lay a conflict with the base out in the lane, run this command line there, and land what it
    /// has resolved
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["no_land", "into"])]
    on_conflict: Option<String>,

    /// Say what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

impl Args {
    /// What the user says about the gate.
    fn wish(&self) -> Wish {
        Wish {
            commands: self.gate.clone(),
            left_out: self.no_gate,
            again: self.again,
        }
    }

    /// Whether the remote gets what lands first.
    fn push(&self, policy: &Policy) -> Option<PrePush> {
        let hook = match self.no_verify {
            true => PrePush::Skipped,
            false => PrePush::Runs,
        };
        ((policy.push && !self.no_push) || self.push).then_some(hook)
    }
}

/// Runs `git lane finish`.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.edit && ui.json {
        return Err(Error::usage("--edit needs a person and --json a script")
            .hint("give the message with -m"));
    }
    if args.all || args.names.len() > 1 {
        return several::run(&args, ui);
    }
    let (mut repository, healed) = super::open(ui, args.dry_run)?;
    let name = args.names.first().map(String::as_str);
    let lane = match super::find_lane(&repository, name) {
        Ok(lane) => lane,
        Err(error) => {
            let completed = completed(&repository, &healed, name)?.ok_or(error)?;
            ui.report(&completed);
            return Ok(());
        }
    };
    let policy = repository.policy()?;
    ensure_resolvable(&args, &policy)?;
    let course = Course {
        args: &args,
        ui,
        policy: &policy,
    };
    let mut task = Task::prepare(&mut repository, course, lane)?;
    let landed = land(&mut repository, course, std::slice::from_mut(&mut task)).pop();
    let outcome = landed.unwrap_or(Ok(None));
    let outcome = outcome.map_err(|error| task.failed(&repository, course, error))?;
    let report = task.leave(&mut repository, course, outcome)?;
    ui.report(&report);
    task.tell_of_lost_base(course, &report);
    Ok(())
}

/// Refuses a resolver for a landing that has no merge to lay out.
fn ensure_resolvable(args: &Args, policy: &Policy) -> Result<()> {
    let strategy = args.strategy.unwrap_or(policy.strategy);
    let has_merge = matches!(strategy, Strategy::Merge | Strategy::Squash);
    if args.on_conflict.is_none() || has_merge {
        return Ok(());
    }
    let sentence = format!(
        "--on-conflict merges the base into the lane, which a landing by {} does not land",
        word(strategy)
    );
    Err(Error::usage(sentence).hint("choose another way to land: --strategy merge"))
}

/// Lands what is to land of each task, or says what would; `None` is what has nothing to do with a
/// base.
fn land(
    repository: &mut Repository,
    course: Course<'_>,
    tasks: &mut [Task],
) -> Vec<Result<Option<Outcome>>> {
    let Course { args, ui, policy } = course;
    // A landing that is pushed is refused there.
    if args.push(policy).is_none() {
        outdated_base::tell(repository, tasks, ui);
    }
    let wording = Wording {
        policy,
        message: args.message.as_deref(),
        edit: args.edit,
        no_verify: args.no_verify,
    };
    let wish = args.wish();
    let watch = GateWatch::new(ui);
    let judge = Judge {
        wish: &wish,
        watch: &watch,
    };
    if args.dry_run {
        let foretell = |task: &mut Task| task.foretell(repository, course, &judge);
        return tasks.iter_mut().map(foretell).collect();
    }
    let heal = super::heal(ui);
    let line = args.on_conflict.as_deref();
    let notes = line.map(|line| ResolverNotes { ui, line });
    let resolver = line.zip(notes.as_ref()).map(|(line, notes)| Resolver {
        line,
        no_verify: args.no_verify,
        output_is_taken: ui.json,
        watch: notes,
    });
    let asked = Asked {
        judge: &judge,
        heal: &heal,
        push: args.push(policy),
        resolver,
    };
    let (mut wanted, mut places, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for (place, task) in tasks.iter_mut().enumerate() {
        let approved = task
            .ensure_own_commits(repository)
            .and_then(|()| task.ensure_approved(repository, ui, &judge));
        let may_land = approved.is_ok() && task.lands();
        done.push(approved.map(|()| task.integrated()));
        if may_land {
            places.push(place);
            wanted.push(task.wanted(&wording));
        }
    }
    for (place, outcome) in places
        .into_iter()
        .zip(land::land(repository, wanted, asked))
    {
        done[place] = outcome.map(Some);
    }
    done
}

/// Killed before, completed by the healing just now: that is what was asked for.
fn completed(
    repository: &Repository,
    healed: &[Healed],
    name: Option<&str>,
) -> Result<Option<Finished>> {
    let Some(name) = name.and_then(|name| LaneName::parse(name).ok()) else {
        return Ok(None);
    };
    let entries = trash::entries(repository)?;
    let gone = |entry: &&Entry| {
        let lane = &entry.lane.id;
        let done = healed
            .iter()
            .any(|healed| healed.has_done(Act::Retire, lane));
        done && entry.reason == Reason::Finished
    };
    let entry = find(&entries, name.as_str(), repository.name_rule()).filter(gone);
    Ok(entry.map(|entry| {
        let plan = Plan {
            commit: false,
            landing: None,
            integrated: None,
            retire: true,
        };
        let base = entry.lane.base_branch();
        let trash = Some(entry.id.clone());
        let (proof, holds) = (entry.proof.clone(), entry.holds.clone().unwrap_or_default());
        Finished {
            trash,
            proof,
            holds,
            ..Finished::new(&entry.lane, &plan, base.as_ref(), None, false)
        }
    }))
}
