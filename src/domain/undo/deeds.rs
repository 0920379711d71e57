//! What the event log tells of steps that can be taken back: an operation, or the two that one
//! `git lane finish` is made of.

use std::collections::{HashMap, HashSet};

use crate::domain::carried::Moved;
use crate::domain::event::{End, Event, Phase, Problem, Stays, Subject, What};
use crate::domain::lane::{LaneId, ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::record_change::RecordChange;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The ids of its operations in the event log, oldest first.
    pub operations: Vec<String>,
    /// What it did.
    pub deed: Deed,
    /// The lane.
    pub lane: LaneName,
    /// The lane's id.
    pub lane_id: LaneId,
    /// Who did it.
    pub owner: String,
    /// When it was done, as in the log.
    pub time: String,
    /// The number of its last event: it orders steps.
    pub sequence: u64,
    /// Whether it was taken back.
    pub undone: bool,
    /// Whether a process has begun to take it back, and died.
    pub begun: bool,
    /// Whether it is over by itself, and has left nothing to take back.
    pub over: bool,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A lane was made, at this commit, and has taken this work along.
    Start(Option<ObjectId>, Option<Box<Moved>>),
    /// A lane came onto its base.
    Landing(Landing),
    /// A lane went into the trash.
    Removal(Removal),
    /// It came back, at this commit.
    Restore(Option<ObjectId>),
    /// Another step was taken back.
    Undo,
    /// What was new on its base came into a lane.
    Sync(Synced),
    /// A worktree that was there before became a lane.
    Adopt,
    /// The lane got another name or another place.
    Relocation(What, RecordChange),
    /// The lane got another base.
    Base(RecordChange),
    /// The main worktree shows a lane, as this commit.
    Try(ObjectId),
}

/// A move of a lane's branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// Its commit before.
    pub from: ObjectId,
    /// Its commit after.
    pub to: ObjectId,
}

/// A move of a base, and what became of the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// The base.
    pub base: RefName,
    /// Its commit before.
    pub from: ObjectId,
    /// Its commit after.
    pub to: ObjectId,
    /// The id of the move, where several landings share it.
    pub batch: Option<String>,
    /// The remote that had it first.
    pub pushed: Option<String>,
    /// How the lane left; `None` where it was kept.
    pub removal: Option<Removal>,
}

/// A lane's way into the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// `git lane finish`, `drop` or `prune`.
    pub what: What,
    /// Its entry there.
    pub trash: Option<String>,
    /// What has not gone there, because the lane had been adopted.
    pub stays: Option<Stays>,
    /// The branch that became the base of the lanes above.
    pub heir: Option<BranchName>,
    /// Those lanes.
    pub above: Vec<LaneName>,
}

impl Deed {
    /// The word for it, as the log has it; a landing is one although its lane left too.
    pub fn what(&self) -> What {
        match self {
            Deed::Start(..) => What::Start,
            Deed::Landing(_) => What::Land,
            Deed::Removal(removal) => removal.what,
            Deed::Restore(_) => What::Restore,
            Deed::Undo => What::Undo,
            Deed::Sync(_) => What::Sync,
            Deed::Adopt => What::Adopt,
            Deed::Relocation(what, _) => *what,
            Deed::Base(_) => What::Base,
            Deed::Try(_) => What::Try,
        }
    }
}

impl Step {
    /// The same, as if its landing had shared the move of its base with no other.
    pub fn by_itself(mut self) -> Self {
        if let Deed::Landing(landing) = &mut self.deed {
            landing.batch = None;
        }
        self
    }

    /// Whether it can be meant by an undo.
    pub fn stands(&self) -> bool {
        !self.undone && !self.over && self.deed != Deed::Undo
    }

    /// Whether it is about the lane of that name or id.
    pub fn is_of(&self, lane: &str) -> bool {
        self.lane.as_str() == lane
            || self.lane_id.as_str() == lane
            || matches!(&self.deed, Deed::Relocation(_, change) if change.names(lane))
    }

    /// The landing, where it is one.
    pub fn landing(&self) -> Option<&Landing> {
        match &self.deed {
            Deed::Landing(landing) => Some(landing),
            _ => None,
        }
    }

    /// How the lane left, where it did.
    pub fn removal(&self) -> Option<&Removal> {
        match &self.deed {
            Deed::Landing(landing) => landing.removal.as_ref(),
            Deed::Removal(removal) => Some(removal),
            _ => None,
        }
    }
}

/// One operation of the log.
struct Operation<'a> {
    subject: &'a Subject,
    owner: &'a str,
    /// The processes that did it: its own, and the one that healed it.
    pids: Vec<u32>,
    time: &'a str,
    sequence: u64,
    end: Option<&'a End>,
    failed: bool,
}

/// All of them, oldest first. An operation whose process died counts where a later one is told to
/// have completed it.
pub fn steps(events: &[Event]) -> Vec<Step> {
    let mut order: Vec<&str> = Vec::new();
    let mut operations: HashMap<&str, Operation<'_>> = HashMap::new();
    for event in events {
        let id = event.operation.as_str();
        if event.subject.what == What::Heal {
            if event.phase == Phase::After {
                heal(&mut operations, &order, event);
            }
            continue;
        }
        let operation = operations.entry(id).or_insert_with(|| {
            order.push(id);
            Operation {
                subject: &event.subject,
                owner: &event.actor.owner,
                pids: vec![event.actor.pid],
                time: &event.time,
                sequence: event.sequence,
                end: None,
                failed: false,
            }
        });
        match event.phase {
            Phase::Before => {}
            Phase::After => operation.ends(event),
            Phase::Failed => {
                let open = event
                    .end
                    .problem
                    .as_ref()
                    .is_some_and(Problem::leaves_it_open);
                operation.failed = !open;
            }
        }
    }
    let of_undos = |done: bool| -> HashSet<&str> {
        let undos = operations.values().filter(|operation| {
            operation.subject.what == What::Undo
                && operation.end.is_some() == done
                && !operation.failed
        });
        undos
            .flat_map(|undo| undo.subject.undoes.iter().map(String::as_str))
            .collect()
    };
    let (undone, begun) = (of_undos(true), of_undos(false));
    order.sort_by_key(|id| operations.get(id).map_or(0, |operation| operation.sequence));
    let mut steps: Vec<(Step, &[u32])> = Vec::new();
    for id in order {
        let Some(operation) = operations.get(id) else {
            continue;
        };
        let Some(mut step) = operation.step(id) else {
            continue;
        };
        (step.undone, step.begun) = (undone.contains(id), begun.contains(id));
        let last = steps
            .iter_mut()
            .rev()
            .find(|(last, _)| last.lane_id == step.lane_id && last.deed != Deed::Undo);
        if let Some((last, pids)) = last
            && last.undone == step.undone
            && operation.pids.iter().any(|pid| pids.contains(pid))
            && let (Deed::Landing(landing), Deed::Removal(removal)) = (&mut last.deed, &step.deed)
            && removal.what == What::Finish
            && landing.removal.is_none()
        {
            landing.removal = Some(removal.clone());
            last.operations.push(id.to_owned());
            (last.sequence, last.time) = (step.sequence, step.time);
            last.begun |= step.begun;
            continue;
        }
        steps.push((step, &operation.pids));
    }
    let mut steps: Vec<Step> = steps.into_iter().map(|(step, _)| step).collect();
    steps.sort_by_key(|step| step.sequence);
    steps
}

/// Completes the operation that `event` tells to have been completed for a dead process: that of the
/// lane, or, where only a base is told, the one landing that can be meant.
fn heal<'a>(operations: &mut HashMap<&'a str, Operation<'a>>, order: &[&'a str], event: &'a Event) {
    let dead = |operation: &Operation<'_>| operation.end.is_none() && !operation.failed;
    let of_lane = |operation: &Operation<'_>| {
        let removes = [What::Finish, What::Drop, What::Prune].contains(&operation.subject.what);
        removes
            && event.end.trash.is_some()
            && operation.subject.lane_id.is_some()
            && operation.subject.lane_id == event.subject.lane_id
    };
    let of_base = |operation: &Operation<'_>| {
        operation.subject.what == What::Land
            && event.end.result.is_some()
            && event.subject.lane_id.is_none()
            && operation.subject.base == event.subject.base
            && operation.subject.base_commit == event.subject.base_commit
    };
    let of_sync = |operation: &Operation<'_>| {
        operation.subject.what == What::Sync
            && event.end.before.is_some()
            && event.end.result.is_some()
            && operation.subject.lane_id.is_some()
            && operation.subject.lane_id == event.subject.lane_id
    };
    let of_relocation = |operation: &Operation<'_>| {
        matches!(operation.subject.what, What::Rename | What::Move)
            && event.end.changed.is_some()
            && operation.subject.lane_id.is_some()
            && operation.subject.lane_id == event.subject.lane_id
    };
    let of_try = |operation: &Operation<'_>| {
        operation.subject.what == What::Try
            && event.end.before.is_none()
            && event.end.result.is_some()
            && operation.subject.lane_id.is_some()
            && operation.subject.lane_id == event.subject.lane_id
    };
    let mut meant = order.iter().filter(|id| {
        operations
            .get(**id)
            .filter(|operation| dead(operation))
            .is_some_and(|operation| {
                of_lane(operation)
                    || of_base(operation)
                    || of_sync(operation)
                    || of_relocation(operation)
                    || of_try(operation)
            })
    });
    if let (Some(id), None) = (meant.next(), meant.next())
        && let Some(operation) = operations.get_mut(id)
    {
        let subject = operation.subject;
        operation.ends(event);
        operation.subject = subject;
    }
}

impl<'a> Operation<'a> {
    fn ends(&mut self, event: &'a Event) {
        self.subject = &event.subject;
        self.pids.push(event.actor.pid);
        (self.time, self.sequence, self.end) = (&event.time, event.sequence, Some(&event.end));
    }

    /// The step, where the operation is done, is about one lane, and has changed something.
    fn step(&self, id: &str) -> Option<Step> {
        let (subject, end) = (self.subject, self.end?);
        let what = subject.what;
        let deed = match what {
            What::Start => Deed::Start(end.result, end.moved.clone()),
            What::Restore => Deed::Restore(end.result),
            What::Land => Deed::Landing(Landing {
                base: subject.base.clone()?,
                from: subject.base_commit?,
                to: end.result?,
                batch: end.batch.clone(),
                pushed: end.pushed.clone(),
                removal: None,
            }),
            What::Finish | What::Drop | What::Prune => Deed::Removal(Removal {
                what,
                trash: end.trash.clone(),
                stays: end.stays.clone(),
                heir: end.heir.clone(),
                above: end.above.clone(),
            }),
            What::Undo => Deed::Undo,
            What::Adopt => Deed::Adopt,
            What::Rename | What::Move => Deed::Relocation(what, end.changed.clone()?),
            What::Base => Deed::Base(end.changed.clone()?),
            What::Try => Deed::Try(end.result?),
            What::Sync => Deed::Sync(Synced {
                from: end.before?,
                to: end.result?,
            }),
            What::Expire
            | What::Heal
            | What::Claim
            | What::Release
            | What::Mark
            | What::TryBack => return None,
        };
        Some(Step {
            operations: vec![id.to_owned()],
            deed,
            lane: subject.lane.clone()?,
            lane_id: subject.lane_id.clone()?,
            owner: self.owner.to_owned(),
            time: self.time.to_owned(),
            sequence: self.sequence,
            undone: false,
            begun: false,
            over: false,
        })
    }
}
