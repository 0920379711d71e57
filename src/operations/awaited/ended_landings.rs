//! How the landings of lanes ended since a wait began, as the event log tells it.

use std::collections::HashMap;

use crate::domain::event::{Event, Phase, Problem, What};
use crate::domain::lane::LaneId;
use crate::repository::Repository;
use crate::store::events::Log;
use crate::store::file_id::Stamp;

/// The landings that have ended.
pub(super) struct EndedLandings {
    log: Log,
    /// The log as it was read last.
    state: Option<Stamp>,
    /// The number of the last event that was read.
    seen: u64,
    /// The last landing of each lane.
    last: HashMap<LaneId, Ended>,
}

/// A landing that has ended.
struct Ended {
    /// The id of the operation.
    operation: String,
    /// Why it failed, where it did.
    problem: Option<Problem>,
}

impl EndedLandings {
    /// Those from now on: who waits after a landing has failed waits for the next one.
    pub(super) fn begin(repository: &Repository) -> Self {
        let log = repository.log();
        EndedLandings {
            state: log.state(),
            seen: log.last().map_or(0, |last| last.sequence),
            log,
            last: HashMap::new(),
        }
    }

    /// Reads what the log has got. One that cannot be read tells nothing; the lanes themselves do.
    pub(super) fn look(&mut self) {
        let now = self.log.state();
        if now == self.state {
            return;
        }
        let Ok(events) = self.log.since(self.seen) else {
            return;
        };
        self.state = now;
        for event in &events {
            self.seen = event.sequence;
            self.note(event);
        }
    }

    fn note(&mut self, event: &Event) {
        let what = event.subject.what;
        if what == What::Undo && event.phase == Phase::After {
            let undone = &event.subject.undoes;
            self.last
                .retain(|_, ended| !undone.contains(&ended.operation));
        }
        let is_end = what == What::Land && event.phase != Phase::Before;
        if let Some(lane) = event.subject.lane_id.clone().filter(|_| is_end) {
            let ended = Ended {
                operation: event.operation.clone(),
                problem: event.end.problem.clone(),
            };
            self.last.insert(lane, ended);
        }
    }

    /// The last landing of the lane, by its operation's id, where it has succeeded.
    pub(super) fn success(&self, lane: &LaneId) -> Option<&str> {
        let last = self.last.get(lane)?;
        last.problem.is_none().then_some(&last.operation)
    }

    /// Why it has failed, where it has.
    pub(super) fn problem(&self, lane: &LaneId) -> Option<&Problem> {
        self.last.get(lane)?.problem.as_ref()
    }
}
