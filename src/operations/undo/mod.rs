//! Takes back what an operation has done: a start, a removal, a return, a landing with its removal.
//!
//! The event log tells what there is to take back, the repository whether that can be done
//! ([`undo_facts`]). The parts are those of the operations themselves, each with its own intent, in
//! an order in which a death between two of them leaves a state that the same command completes: a
//! base that is back already stays there, a lane that is back already too.
//!
//! Called by `commands/undo`.

mod record_back;
mod undo_facts;

use std::path::Path;
use std::time::Duration;

use crate::domain::event::{End, Stays, Subject, What};
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::record_change::RecordChange;
use crate::domain::trash_entry::{Entry, Reason};
use crate::domain::undo::{Course, Removal, Step, Wanted, noun};
use crate::error::{Code, Error, Result};
use crate::operations::carry::work_back::Return;
use crate::operations::forget;
use crate::operations::land::outcome::{Asked, Wording};
use crate::operations::land::revert::Revert;
use crate::operations::land::take_back::Back;
use crate::operations::restore;
use crate::operations::retire::look::Look;
use crate::operations::retire::{self, Retirement};
use crate::operations::try_lane::{self, BroughtBack};
use crate::repository::Repository;
use crate::repository::metadata;
use crate::repository::recovered::Heal;
use crate::store::activity::Activity;
use crate::store::events::Operation;
use crate::store::journal::{Exclusive, step};

pub use undo_facts::{list, over, plan};

/// The lock of undos: one at a time, so that none takes back what another one is at.
const LOCK: &str = "undo.lock";

/// How long to wait for other undos; a revert's hooks may run a test suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which step.
    pub wanted: Wanted<'a>,
    /// Land a revert instead of moving the base back.
    pub revert: bool,
}

/// What would be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is taken back; several where one move of a base has landed several lanes.
    pub steps: Vec<Step>,
    /// How.
    pub act: Act,
    /// The lane of a later try that is over, so that there is nothing of it to take back.
    pub passed_over: Option<LaneName>,
}

/// How it is done.
#[derive(Debug, Clone)]
pub enum Act {
    /// The lane goes into the trash.
    PutAway(Box<Leaving>),
    /// The lane comes back.
    BringBack(Box<Entry>),
    /// The lane that was adopted is forgotten.
    Forget(Box<Lane>),
    /// The lane gets back the name, the place or the base that it had.
    PutBack(Box<Lane>, Box<RecordChange>),
    /// The main worktree goes back to its branch.
    EndTry(Box<BroughtBack>),
    /// The base goes back, or gets a revert.
    Base(Way),
    /// All of it is done, and only the log does not say so: its process died.
    Done(Option<Box<Lane>>),
}

/// A lane that goes.
#[derive(Debug, Clone)]
pub struct Leaving {
    /// Its record.
    pub lane: Lane,
    /// Its worktree.
    pub worktree: Worktree,
    look: Look,
    delete_branch: bool,
    /// Uncommitted work that goes back to where the lane has taken it from.
    work: Option<Return>,
}

impl Leaving {
    /// Where work goes back to.
    pub fn work_goes_to(&self) -> Option<&Path> {
        let work = self.work.as_ref().filter(|work| !work.is_nothing());
        work.map(Return::place)
    }
}

/// The way of a base.
#[derive(Debug, Clone)]
pub struct Way {
    /// The base.
    pub base: BranchName,
    /// Where the landing took it from.
    pub from: ObjectId,
    /// Where the landing took it to.
    pub to: ObjectId,
    /// Where it is now.
    pub tip: ObjectId,
    /// What is to be done.
    pub course: Course,
    /// The lanes that come back from the trash.
    pub entries: Vec<Entry>,
}

/// What was done.
#[derive(Debug)]
pub struct Undone {
    /// What was taken back.
    pub plan: Plan,
    /// The base's commits before and after, where it moved.
    pub moved: Option<(ObjectId, ObjectId)>,
    /// The entries of lanes that went into the trash.
    pub put_away: Vec<Entry>,
    /// The entries of lanes that came back.
    pub brought_back: Vec<Entry>,
    /// What is left of a lane that had been adopted.
    pub stays: Option<Stays>,
}

impl Plan {
    /// The operations it takes back.
    pub fn operations(&self) -> Vec<&str> {
        let steps = self.steps.iter();
        steps.flat_map(|step| self.undoes(step)).collect()
    }

    /// Those of one step. A revert leaves the lane where it is.
    pub fn undoes<'s>(&self, step: &'s Step) -> impl Iterator<Item = &'s str> + use<'s> {
        let most = match &self.act {
            Act::Base(way) if way.course.reverts() => 1,
            _ => usize::MAX,
        };
        step.operations.iter().take(most).map(String::as_str)
    }

    fn subject(&self, step: &Step) -> Subject {
        let own = match &self.act {
            Act::PutAway(leaving) => Some(&leaving.lane),
            Act::Forget(lane) | Act::PutBack(lane, _) => Some(&**lane),
            Act::BringBack(entry) => Some(&entry.lane),
            Act::Done(lane) => lane.as_deref(),
            Act::Base(_) | Act::EndTry(_) => None,
        };
        let subject = match (own, step.landing()) {
            (Some(lane), None) => Subject::of(What::Undo, lane),
            (_, landing) => Subject {
                what: What::Undo,
                lane: Some(step.lane.clone()),
                lane_id: Some(step.lane_id.clone()),
                base: landing.map(|landing| landing.base.clone()),
                base_commit: landing.map(|landing| landing.to),
                undoes: Vec::new(),
            },
        };
        Subject {
            undoes: self.undoes(step).map(str::to_owned).collect(),
            ..subject
        }
    }
}

/// Takes back what `seen` says, if that is still what the request means and can be done.
pub fn undo(
    repository: &mut Repository,
    request: Request<'_>,
    seen: &Plan,
    wording: &Wording<'_>,
    asked: Asked<'_>,
) -> Result<Undone> {
    let _doing = Activity::begin("taking back what was done");
    let _turn = Exclusive::acquire(repository.lane_dir(), LOCK, PATIENCE)?;
    (asked.heal)(repository)?;
    let plan = plan(repository, request)?;
    if plan.operations() != seen.operations() {
        let meanwhile = "what was to be taken back is no longer what was done last";
        return Err(Error::refused(meanwhile)
            .with_code(Code::Raced)
            .hint("see what can be taken back with: git lane undo --list"));
    }
    let begun: Vec<Operation> = plan
        .steps
        .iter()
        .map(|step| repository.log().begin(plan.subject(step)))
        .collect();
    step("undo.begun");
    let mut undone = Undone {
        plan,
        moved: None,
        put_away: Vec::new(),
        brought_back: Vec::new(),
        stays: None,
    };
    match carry_out(repository, &mut undone, wording, asked) {
        Ok(()) => {
            step("undo.done");
            for (operation, member) in begun.into_iter().zip(&undone.plan.steps) {
                operation.after(undone.end(member));
            }
            Ok(undone)
        }
        Err(error) => {
            begun
                .into_iter()
                .for_each(|operation| operation.failed(&error));
            Err(undone.half_done(error))
        }
    }
}

fn carry_out(
    repository: &mut Repository,
    undone: &mut Undone,
    wording: &Wording<'_>,
    asked: Asked<'_>,
) -> Result<()> {
    let Some(first) = undone.plan.steps.first().map(|step| step.lane.clone()) else {
        return Ok(());
    };
    let entries = match &undone.plan.act {
        Act::Done(_) => Vec::new(),
        Act::EndTry(_) => {
            try_lane::back(repository, false)?;
            return Ok(());
        }
        Act::PutAway(leaving) => {
            if let Some(work) = &leaving.work {
                work.carry_out(repository)?;
                step("undo.work-back");
            }
            let entry = put_away(repository, leaving, asked.heal)?;
            undone.put_away.push(entry);
            return Ok(());
        }
        Act::Forget(lane) => {
            undone.stays = Some(forget::remove_record(repository, lane, None)?);
            return Ok(());
        }
        Act::PutBack(lane, change) => return record_back::put_back(repository, lane, change),
        Act::BringBack(entry) => vec![Entry::clone(entry)],
        Act::Base(way) => {
            undone.moved = move_base(repository, way, &first, wording, asked)?;
            step("undo.base-moved");
            way.entries.clone()
        }
    };
    for entry in entries {
        let id = entry.id.clone();
        let back = restore::return_lane(repository, entry, &id, None, asked.heal)?;
        undone.brought_back.push(back);
        step("undo.lane-back");
    }
    for member in &undone.plan.steps {
        let reverts = matches!(&undone.plan.act, Act::Base(way) if way.course.reverts());
        if let Some(removal) = member.removal().filter(|_| !reverts) {
            give_back_base(repository, &member.lane, removal)?;
        }
    }
    Ok(())
}

fn move_base(
    repository: &mut Repository,
    way: &Way,
    lane: &LaneName,
    wording: &Wording<'_>,
    asked: Asked<'_>,
) -> Result<Option<(ObjectId, ObjectId)>> {
    match way.course {
        Course::IsBack | Course::IsReverted => Ok(None),
        Course::Back => {
            way.back(lane).carry_out(repository, asked)?;
            Ok(Some((way.to, way.from)))
        }
        Course::Revert => way
            .revert(lane)
            .carry_out(repository, wording, asked)
            .map(Some),
    }
}

impl Way {
    fn back<'a>(&'a self, lane: &'a LaneName) -> Back<'a> {
        Back {
            base: &self.base,
            landed: self.to,
            before: self.from,
            lane,
        }
    }

    fn revert<'a>(&'a self, lane: &'a LaneName) -> Revert<'a> {
        Revert {
            base: &self.base,
            landed: self.to,
            before: self.from,
            lane,
        }
    }
}

fn put_away(repository: &mut Repository, leaving: &Leaving, heal: Heal<'_>) -> Result<Entry> {
    let retirement = Retirement {
        lane: &leaving.lane,
        worktree: Some(&leaving.worktree),
        reason: Reason::Dropped,
        accepted: Some(&leaving.look.losses),
        proof: leaving.look.proof.clone(),
        expected_tip: leaving.look.tip,
        delete_branch: leaving.delete_branch,
        heir: None,
        although_busy: false,
        heal,
    };
    retire::remove(repository, &retirement).map(|retired| retired.entry)
}

/// The lanes that were based on the lane's branch, and on its heir since the lane left, are based on
/// it again.
fn give_back_base(repository: &Repository, lane: &LaneName, removal: &Removal) -> Result<()> {
    let Some(heir) = &removal.heir else {
        return Ok(());
    };
    let records = repository.records()?;
    let Some(branch) = records.find(lane).and_then(|lane| lane.branch.clone()) else {
        return Ok(());
    };
    let heir = RefName::from(heir);
    let mut above = removal.above.iter().filter(|above| {
        let record = records.find(above);
        record.is_some_and(|record| record.base.as_ref() == Some(&heir))
    });
    let Some(first) = above.next() else {
        return Ok(());
    };
    let mut edit = metadata::Edit::begin(repository.lane_dir())?;
    for name in std::iter::once(first).chain(above) {
        edit.set_base(name, &branch)?;
    }
    edit.commit()
}

impl Undone {
    /// The entry of one step's lane, which went or came back.
    pub fn entry_of(&self, step: &Step) -> Option<&Entry> {
        let entries = self.put_away.iter().chain(&self.brought_back);
        entries
            .into_iter()
            .find(|entry| entry.lane.id == step.lane_id)
    }

    fn end(&self, step: &Step) -> End {
        let own = self.entry_of(step).map(Entry::end).unwrap_or_default();
        let base = match &self.plan.act {
            Act::Base(way) if !way.course.reverts() => Some(way.from),
            Act::Base(_) => self.moved.map(|(_, new)| new),
            _ => None,
        };
        let reverted = matches!(&self.plan.act, Act::Base(way) if way.course.reverts());
        let verb = if reverted { "reverted" } else { "took back" };
        End {
            result: base.or(own.result),
            changed: match &self.plan.act {
                Act::PutBack(_, change) => Some(RecordChange {
                    from: change.to.clone(),
                    to: change.from.clone(),
                }),
                _ => None,
            },
            note: Some(format!("{verb} {}", noun(step.deed.what()))),
            above: self
                .put_away
                .iter()
                .flat_map(|entry| entry.above.clone())
                .collect(),
            stays: self.stays.clone(),
            ..own
        }
    }

    /// What to say where something failed after a part was done.
    fn half_done(&self, error: Error) -> Error {
        match (self.moved, &self.plan.act) {
            (Some(_), Act::Base(way)) => error.hint(format!(
                "'{}' is back where it was before the landing; the same command brings the rest back",
                way.base
            )),
            _ => error,
        }
    }
}
