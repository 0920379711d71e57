//! Makes several lanes together: prepared side by side, announced by one intent, and made visible in one
//! short section with one edit of `.git/config`.
//!
//! Each lane has its own verdict: one that cannot be made stops no other, unless all are wanted or none.
//! The intent says of all at once that they are ready. A process that dies before leaves no lane, one that
//! dies later leaves all of them to the next git-lane command, which completes them.
//!
//! Called by `commands/start`, and by `recover`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::publish::{add_record, make_ready, put_in_place};
use super::unmake::{undo, visible_at};
use super::{
    Filling, Intent, Started, by_git, checkout, in_place, intend, prepare, record_of,
    registry_lock, start,
};
use crate::domain::event::{End, Subject, What};
use crate::domain::name::LaneName;
use crate::domain::start::Creation;
use crate::engines::populate::{Filled, Source, Sparse};
use crate::error::{Code, Error, Result};
use crate::operations::carry::{Left, Load};
use crate::repository::Repository;
use crate::repository::exclude;
use crate::repository::metadata::Edit;
use crate::repository::provenance::{Assertions, Asserts, remember};
use crate::store::events::Operation;
use crate::store::journal::{About, Announce, Journal, Running, step};
use crate::store::{parallel, signals};

/// What the start of several lanes is about to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "start-all", rename_all = "camelCase")]
pub struct AllIntent {
    pub(super) starts: Vec<Intent>,
    /// All of them are wanted, or none.
    pub(super) all_or_none: bool,
}

impl AllIntent {
    /// The starts.
    pub fn starts(&self) -> &[Intent] {
        &self.starts
    }

    /// What it is called, for people.
    pub(super) fn what(&self) -> String {
        let names = self
            .starts
            .iter()
            .map(|intent| format!("'{}'", intent.lane.name));
        let names: Vec<String> = names.collect();
        match &names[..] {
            [only] => format!("the start of lane {only}"),
            [first, .., last] if names.len() > 4 => {
                format!("the start of {} lanes, {first} to {last}", names.len())
            }
            _ => format!("the start of lanes {}", names.join(", ")),
        }
    }
}

impl Announce for AllIntent {
    fn about(&self) -> About {
        let lanes = self.starts.iter().map(|intent| intent.lane.name.clone());
        About {
            what: self.what(),
            lanes: lanes.collect(),
            ..About::default()
        }
    }
}

impl Asserts for AllIntent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        self.starts
            .iter()
            .for_each(|intent| intent.asserts(assertions));
    }
}

/// One of the lanes.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What was planned.
    pub creation: &'a Creation,
    /// Check out these directories only.
    pub sparse: Option<&'a Sparse>,
    /// Uncommitted work that comes along, into a lane that is alone.
    pub load: Option<&'a Load>,
}

/// How to make all of them.
pub struct Together<'a> {
    /// Worktrees whose files may be copied.
    pub sources: &'a [Source],
    /// Called with the number of a lane, files done and files in total.
    pub progress: &'a (dyn Fn(usize, usize, usize) + Sync),
    /// Where one cannot be made, take back the others.
    pub all_or_none: bool,
}

/// Makes the lanes that were planned; what became of each, in their order. A failure leaves nothing of its
/// lane, or a lane in its place that the next git-lane command completes, and says which.
pub fn start_all(
    repository: &Repository,
    wanted: &[Wanted<'_>],
    how: &Together<'_>,
) -> Vec<Result<Started>> {
    if let [only] = wanted {
        let filling = Filling {
            sources: how.sources,
            sparse: only.sparse,
            load: only.load,
            progress: &|done, total| (how.progress)(0, done, total),
        };
        return vec![start(repository, only.creation, &filling)];
    }
    let mut group = Group::of(repository, wanted, how);
    if let Err(error) = group.make() {
        group.fail_all(|_| error.again());
    }
    group.end()
}

/// A lane on its way.
struct Member<'a> {
    number: usize,
    wanted: Wanted<'a>,
    operation: Operation,
    /// `None` where not even that could be said.
    intent: Option<Intent>,
    filled: Option<Filled>,
    failure: Option<Error>,
    /// Nothing of it is left, or all is done: the journal need not know of it.
    is_over: bool,
}

impl Member<'_> {
    fn is_alive(&self) -> bool {
        self.failure.is_none()
    }

    fn name(&self) -> &LaneName {
        &self.wanted.creation.request.name
    }
}

/// All of them.
struct Group<'a> {
    repository: &'a Repository,
    how: &'a Together<'a>,
    members: Vec<Member<'a>>,
}

impl<'a> Group<'a> {
    fn of(repository: &'a Repository, wanted: &[Wanted<'a>], how: &'a Together<'a>) -> Self {
        let member = |(number, wanted): (usize, &Wanted<'a>)| {
            let lane = record_of(wanted.creation);
            let operation = repository.log().begin(Subject::of(What::Start, &lane));
            let intent = intend(repository, wanted.creation, wanted.sparse.is_some(), lane);
            let (intent, failure) = match intent {
                Ok(intent) => (Some(intent), None),
                Err(error) => (None, Some(error)),
            };
            Member {
                number,
                wanted: *wanted,
                operation,
                is_over: intent.is_none(),
                intent,
                filled: None,
                failure,
            }
        };
        Group {
            repository,
            how,
            members: wanted.iter().enumerate().map(member).collect(),
        }
    }

    fn make(&mut self) -> Result<()> {
        self.stop_if_one_is_missing();
        if !self.members.iter().any(Member::is_alive) {
            return Ok(());
        }
        let alive = self.members.iter().filter(|member| member.is_alive());
        alive.for_each(|member| remember(self.repository, &member.wanted.creation.path));
        let mut running = Journal::new(self.repository.lane_dir()).begin(&self.intent())?;
        let made = self.make_announced(&mut running);
        if let Err(error) = &made {
            self.fail_all(|_| error.again());
        }
        let undone = self.take_back_failed();
        match self.members.iter().all(|member| member.is_over) {
            true => running.done()?,
            // The intent stays for the next git-lane command.
            false => running.advance(&self.intent())?,
        }
        undone
    }

    fn make_announced(&mut self, running: &mut Running) -> Result<()> {
        for intent in self
            .members
            .iter()
            .filter_map(|member| member.intent.as_ref())
        {
            exclude::add(self.repository, &intent.hidden_directory())?;
        }
        match self.repository.ref_format() {
            crate::repository::RefFormat::Reftable => self.prepare_by_git(),
            crate::repository::RefFormat::Files => self.prepare_side_by_side(),
        }
        signals::ensure_none()?;
        self.stop_if_one_is_missing();
        let registry = registry_lock(self.repository)?;
        self.publish(running)?;
        drop(registry);
        self.finish();
        self.stop_if_one_is_missing();
        Ok(())
    }

    /// What the journal has to know.
    fn intent(&self) -> AllIntent {
        let open = self.members.iter().filter(|member| !member.is_over);
        AllIntent {
            starts: open.filter_map(|member| member.intent.clone()).collect(),
            all_or_none: self.how.all_or_none,
        }
    }

    /// Those that can still be made.
    fn alive(&mut self) -> impl Iterator<Item = (&mut Member<'a>, Intent)> {
        let alive = self.members.iter_mut().filter(|member| member.is_alive());
        alive.filter_map(|member| member.intent.clone().map(|intent| (member, intent)))
    }

    fn fail_all(&mut self, error: impl Fn(&LaneName) -> Error) {
        let open = |member: &&mut Member<'_>| member.is_alive() && !member.is_over;
        for member in self.members.iter_mut().filter(open) {
            member.failure = Some(error(&member.wanted.creation.request.name));
        }
    }

    /// Where all are wanted or none, and one has failed: none.
    fn stop_if_one_is_missing(&mut self) {
        let failed = self.members.iter().find(|member| !member.is_alive());
        if let Some(failed) = failed.filter(|_| self.how.all_or_none) {
            let because = failed.name().clone();
            self.fail_all(|name| taken_back(name, &because));
        }
    }

    /// Fills the worktrees, by as many threads as there are cores.
    fn prepare_side_by_side(&mut self) {
        let (elsewhere, how) = (self.repository.for_threads(), self.how);
        let jobs: Vec<(usize, &Intent, Option<&Sparse>)> = self
            .members
            .iter()
            .filter(|member| member.is_alive())
            .filter_map(|member| {
                Some((member.number, member.intent.as_ref()?, member.wanted.sparse))
            })
            .collect();
        let fill = |repository: &mut Repository, (number, intent, sparse): &(usize, &Intent, _)| {
            let progress = |done, total| (how.progress)(*number, done, total);
            let filling = Filling {
                sources: how.sources,
                sparse: *sparse,
                load: None,
                progress: &progress,
            };
            signals::ensure_none().and_then(|()| prepare(repository, intent, &filling))
        };
        let filled = parallel::map(&jobs, || elsewhere.open(), fill);
        let numbers: Vec<usize> = jobs.iter().map(|(number, ..)| *number).collect();
        for (number, filled) in numbers.into_iter().zip(filled) {
            let lost = || Err(Error::git("a thread that fills a worktree panicked"));
            self.members[number].is_filled(filled.unwrap_or_else(lost));
        }
    }

    /// Has git fill the worktrees, one after the other.
    fn prepare_by_git(&mut self) {
        let (repository, how) = (self.repository, self.how);
        for (member, mut intent) in self.alive() {
            let number = member.number;
            let progress = |done, total| (how.progress)(number, done, total);
            let filling = Filling {
                sources: how.sources,
                sparse: member.wanted.sparse,
                load: None,
                progress: &progress,
            };
            let filled = signals::ensure_none()
                .and_then(|()| registry_lock(repository))
                .and_then(|_guard| by_git::prepare(repository, &mut intent, &filling));
            member.intent = Some(intent);
            member.is_filled(filled);
        }
    }

    /// Makes all of them visible. The caller holds the registry lock.
    fn publish(&mut self, running: &mut Running) -> Result<()> {
        let repository = self.repository;
        let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
        for (member, mut intent) in self.alive() {
            let ready = make_ready(repository, &mut intent, &taken);
            taken.insert(intent.admin_name.clone());
            member.intent = Some(intent);
            member.failure = ready.err();
        }
        self.stop_if_one_is_missing();
        // Recovery completes what is said to be ready: those that are not are gone by then.
        self.take_back_hidden()?;
        if !self.members.iter().any(Member::is_alive) {
            return Ok(());
        }
        running.advance(&self.intent())?;
        // A config.lock that another process holds must stop us before anything can be seen.
        let mut edit = Edit::begin(repository.lane_dir())?;
        for (member, mut intent) in self.alive() {
            let placed = put_in_place(repository, &mut intent);
            let placed = placed.and_then(|()| add_record(&intent, &mut edit));
            member.intent = Some(intent);
            member.failure = placed.err();
        }
        self.stop_if_one_is_missing();
        if !self.members.iter().any(Member::is_alive) {
            return Ok(());
        }
        edit.commit()?;
        step("start.recorded");
        for (member, intent) in self.alive().filter(|(_, intent)| intent.by_git) {
            member.failure = by_git::release(repository, &intent).err();
        }
        Ok(())
    }

    /// Has git write the files that wait for their worktrees to be in place.
    fn finish(&mut self) {
        let elsewhere = self.repository.for_threads();
        let waiting: Vec<(usize, &Intent)> = self
            .members
            .iter()
            .filter(|member| member.is_alive())
            .filter_map(|member| Some((member.number, member.intent.as_ref()?)))
            .filter(|(_, intent)| intent.unfinished)
            .collect();
        let complete = |repository: &mut Repository, (_, intent): &(usize, &Intent)| {
            checkout::finish(repository, intent)
        };
        let done = parallel::map(&waiting, || elsewhere.open(), complete);
        let numbers: Vec<usize> = waiting.iter().map(|(number, _)| *number).collect();
        for (number, done) in numbers.into_iter().zip(done) {
            let lost = || Err(Error::git("a thread that finishes a worktree panicked"));
            self.members[number].failure = done.unwrap_or_else(lost).err();
        }
    }

    /// Undoes the failed ones that no user can have seen. The caller holds the registry lock.
    fn take_back_hidden(&mut self) -> Result<()> {
        for member in self.members.iter_mut().filter(|member| !member.is_over) {
            if let (Some(intent), false) = (&member.intent, member.is_alive())
                && visible_at(self.repository, intent).is_none()
            {
                undo(self.repository, intent)?;
                member.is_over = true;
            }
        }
        Ok(())
    }

    /// Undoes the failed ones; those that a user works in by now stay.
    fn take_back_failed(&mut self) -> Result<()> {
        for member in self.members.iter_mut().filter(|member| member.is_alive()) {
            member.is_over = true;
        }
        if self.members.iter().all(|member| member.is_over) {
            return Ok(());
        }
        let _registry = registry_lock(self.repository)?;
        let all_or_none = self.how.all_or_none;
        for member in self.members.iter_mut().filter(|member| !member.is_over) {
            let Some(intent) = &member.intent else {
                continue;
            };
            let stays = take_away(self.repository, intent, all_or_none || intent.unfinished)?;
            match stays {
                None => member.is_over = true,
                Some(at) => {
                    let failure = member.failure.take();
                    member.failure = failure.map(|error| in_place(error, intent, &at));
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Vec<Result<Started>> {
        let end = |member: Member<'_>| {
            let commit = member.wanted.creation.commit;
            let made = match (member.failure, member.intent, member.filled) {
                (None, Some(intent), Some(filled)) => Ok(Started {
                    lane: intent.lane,
                    how: filled.how,
                    moved: None,
                    left: Left::new(),
                }),
                (Some(error), ..) => Err(error),
                _ => Err(Error::git("the lane was not made")),
            };
            let told = |started: &Started| End::of_start(&started.lane, commit);
            member.operation.ended(made, told)
        };
        self.members.into_iter().map(end).collect()
    }
}

impl Member<'_> {
    fn is_filled(&mut self, filled: Result<Filled>) {
        match filled {
            Ok(filled) => {
                if let Some(intent) = &mut self.intent {
                    intent.unfinished = filled.unfinished;
                }
                self.filled = Some(filled);
            }
            Err(error) => self.failure = Some(error),
        }
    }
}

/// Why a lane is not there that could have been made.
fn taken_back(lane: &LaneName, because: &LaneName) -> Error {
    Error::refused(format!(
        "lane '{lane}' was not started, because lane '{because}' could not be"
    ))
    .with_code(Code::TakenBack)
}

/// Undoes a start; where it is, if a user may work there by now. One that can be seen is hidden again only
/// with `even_visible`, and only as it was made. The caller holds the registry lock.
pub(super) fn take_away(
    repository: &Repository,
    intent: &Intent,
    even_visible: bool,
) -> Result<Option<PathBuf>> {
    if let Some(at) = visible_at(repository, intent) {
        let hidden = even_visible && checkout::take_back(repository, intent)?;
        if !hidden {
            return Ok(Some(at));
        }
    }
    undo(repository, intent).map(|()| None)
}
