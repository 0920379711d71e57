//! Makes the lanes that were planned, claims those that are there, and runs what is to run in new ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::commands::start::planning::{Planned, Planner};
use crate::commands::start::start_report::{Claimed, Outcome};
use crate::commands::start::{Args, moving};
use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::start::{Creation, Plan};
use crate::engines::populate::{How, MOST_SOURCES, Source};
use crate::error::{Code, Error, Result};
use crate::operations::carry::Load;
use crate::operations::claim::{Taken, give_back, take};
use crate::operations::start::Started;
use crate::operations::start::start_all::{Together, Wanted, start_all};
use crate::repository::Repository;
use crate::ui::Ui;

/// What became of one lane, and what went wrong with one that is there.
pub(super) type Made = Result<(Outcome, Option<Error>)>;

/// What is to be made.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) planned: &'a [Planned],
    /// Those that files may be copied from.
    pub(super) worktrees: &'a [Worktree],
    /// Uncommitted work that comes along.
    pub(super) load: Option<&'a Load>,
}

/// Makes all of them; what became of each, in their order. With `--atomic` either all are made or none.
pub(super) fn make(
    repository: &Repository,
    planner: &mut Planner<'_>,
    order: Order<'_>,
    args: &Args,
    ui: &Ui,
) -> Vec<Made> {
    let planned = order.planned;
    let mut made: Vec<Option<Made>> = planned.iter().map(|_| None).collect();
    let taken = claim_those_there(repository, planned, &mut made);
    let is_stopped = args.atomic && made.iter().flatten().any(Result::is_err);
    if !is_stopped {
        create(repository, order, args, ui, &mut made);
    }
    if args.atomic && (is_stopped || made.iter().flatten().any(Result::is_err)) {
        for taken in &taken {
            if let Err(error) = give_back(repository, taken) {
                let lane = &taken.lane.name;
                ui.warn(format_args!("the claim on lane '{lane}' stays: {error}"));
            }
        }
        // A lane that is there and is only shown is not part of what is all or nothing.
        for (made, planned) in made.iter_mut().zip(planned) {
            if matches!(made, Some(Ok(_))) && planned.wish.is_some() {
                *made = Some(Err(not_alone(planned)));
            }
        }
    }
    let made = made.into_iter().zip(planned);
    let made = made.map(|(made, planned)| {
        let made = made.unwrap_or_else(|| Err(not_alone(planned)));
        made.map_err(|error| {
            // Who wants to hold a lane that another process was faster with is told who that was.
            let raced = error.code() == Code::Raced && planned.asked.claim;
            let now = raced.then(|| planner.why_not_now(&planned.asked)).flatten();
            now.unwrap_or_else(|| planned.asked.located(error))
        })
    });
    made.collect()
}

/// Shows the lanes that are there already, and claims those that are to be held.
fn claim_those_there(
    repository: &Repository,
    planned: &[Planned],
    made: &mut [Option<Made>],
) -> Vec<Taken> {
    let mut taken = Vec::new();
    for (planned, made) in planned.iter().zip(made) {
        let Plan::Exists(lane) = &planned.plan else {
            continue;
        };
        let claimed = planned
            .wish
            .as_ref()
            .map(|wish| take(repository, &lane.name, wish));
        *made = Some(match claimed {
            None => Ok((Outcome::existing((**lane).clone()), None)),
            Some(Err(error)) => Err(error),
            Some(Ok(now)) => {
                let mut outcome = Outcome::existing((**lane).clone());
                let wish = planned.wish.as_ref();
                outcome.claim = Claimed::of(repository, &now.lane, now.token.clone(), wish);
                taken.push(now);
                Ok((outcome, None))
            }
        });
    }
    taken
}

/// Makes those that are not there.
fn create(
    repository: &Repository,
    order: Order<'_>,
    args: &Args,
    ui: &Ui,
    made: &mut [Option<Made>],
) {
    let new = order
        .planned
        .iter()
        .enumerate()
        .filter_map(|(at, planned)| match &planned.plan {
            Plan::Create(creation) => Some((at, planned, &**creation)),
            Plan::Exists(_) => None,
        });
    let new: Vec<(usize, &Planned, &Creation)> = new.collect();
    let wanted: Vec<Wanted<'_>> = new
        .iter()
        .map(|(_, planned, creation)| Wanted {
            creation,
            sparse: planned.sparse.as_ref(),
            load: order.load,
        })
        .collect();
    let title = match &new[..] {
        [(_, _, only)] => format!("starting lane '{}'", only.request.name),
        _ => format!("starting {} lanes", new.len()),
    };
    let (progress, counts) = (ui.progress(title, "files"), Counts::of(new.len()));
    let together = Together {
        sources: &sources(order.worktrees),
        progress: &|number, done, total| {
            let (done, total) = counts.set(number, done, total);
            progress.set(done, total);
        },
        all_or_none: args.atomic,
    };
    let started = start_all(repository, &wanted, &together);
    drop(progress);
    for ((at, planned, creation), started) in new.into_iter().zip(started) {
        made[at] = Some(started.map(|started| {
            let lane = started.lane.clone();
            moving::tell_left(&started, ui);
            let (mut outcome, failure) = welcome(repository, started, creation, args);
            let (token, wish) = (planned.token.clone(), planned.wish.as_ref());
            outcome.claim = Claimed::of(repository, &lane, token, wish);
            outcome.base_behind = planned.behind.clone();
            (outcome, failure)
        }));
    }
}

fn sources(worktrees: &[Worktree]) -> Vec<Source> {
    let present = worktrees
        .iter()
        .filter(|worktree| worktree.state == WorktreeState::Present)
        .take(MOST_SOURCES);
    let source = |worktree: &Worktree| Source {
        index: worktree.git_dir.join("index"),
        directory: worktree.path.clone(),
    };
    present.map(source).collect()
}

fn not_alone(planned: &Planned) -> Error {
    let name = &planned.asked.name;
    Error::refused(format!(
        "lane '{name}' was not started or claimed, because another one could not be"
    ))
    .with_code(Code::TakenBack)
}

/// Runs what is to run in a new lane. A failing hook does not undo it and comes back beside the outcome.
fn welcome(
    repository: &Repository,
    started: Started,
    creation: &Creation,
    args: &Args,
) -> (Outcome, Option<Error>) {
    let Started { lane, how, .. } = started;
    repository.tell_of_new_index(&lane.worktree);
    let failure = run_in(repository, &lane, creation, args).err();
    let mut outcome = Outcome::of(lane, true);
    outcome.new_branch = Some(creation.new_branch);
    outcome.upstream = creation
        .upstream
        .as_ref()
        .map(|upstream| upstream.tracking.clone());
    outcome.populated = Some(match how {
        How::Copied { .. } => "copied",
        How::ObjectDatabase => "object-database",
        How::Git => "git",
    });
    (outcome, failure)
}

fn run_in(repository: &Repository, lane: &Lane, creation: &Creation, args: &Args) -> Result<()> {
    let mut done = Ok(());
    if args.recurse_submodules {
        let git = repository.git.at(&lane.worktree);
        if git.update_submodules()? != 0 {
            done = Err(Error::git(format!(
                "lane '{}' was started, but its submodules were not",
                lane.name
            )));
        }
    }
    if repository.has_hook("post-checkout") {
        let code = post_checkout(repository, lane, creation)?;
        if code != 0 {
            let text = format!(
                "lane '{}' was started, but the post-checkout hook ended with {code}",
                lane.name
            );
            done = Err(Error::git(text).with_code(Code::HookFailed));
        }
    }
    done
}

/// Runs the repository's own post-checkout hook as `git worktree add` does: in the new worktree,
/// from no commit.
fn post_checkout(repository: &Repository, lane: &Lane, creation: &Creation) -> Result<i32> {
    let null = ObjectId::null(creation.commit.kind()).to_string();
    let commit = creation.commit.to_string();
    repository.run_post_checkout_of_new(&lane.worktree, [&null, &commit, "1"])
}

/// How far several lanes are, together.
struct Counts(Vec<[AtomicUsize; 2]>);

impl Counts {
    fn of(lanes: usize) -> Self {
        Counts((0..lanes).map(|_| Default::default()).collect())
    }

    /// Notes how far one is; how far all are. Files of a lane that has not begun are not known yet.
    fn set(&self, number: usize, done: usize, total: usize) -> (usize, usize) {
        if let Some(one) = self.0.get(number) {
            one[0].store(done, Ordering::Relaxed);
            one[1].store(total, Ordering::Relaxed);
        }
        let sum = |which: usize| {
            self.0
                .iter()
                .map(|one| one[which].load(Ordering::Relaxed))
                .sum()
        };
        (sum(0), sum(1))
    }
}
