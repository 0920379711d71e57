//! The event log as people read it: one line for each operation, its beginning and its end joined.
//!
//! `commands/log` shows them.

use super::event::{Actor, End, Event, Phase, Problem, Subject, What};
use super::lane::ObjectId;

/// An operation, as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The ids of its events, and of those of its recovery.
    pub ids: Vec<String>,
    /// What it is about.
    pub subject: Subject,
    /// Who did it.
    pub actor: Actor,
    /// When it began, as the log writes times.
    pub begun: String,
    /// When it ended, or else began.
    pub time: String,
    /// What it has come to.
    pub outcome: Outcome,
}

/// What an operation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done(Box<End>),
    /// It changed nothing, or what the problem says.
    Failed(Problem),
    /// Its end is not told yet.
    Open,
    /// Its process died; what the recovery then said, where there was one.
    Interrupted(Option<String>),
}

/// The operations that `events` tell of, in the order of their last event.
pub fn join(events: &[Event]) -> Vec<Operation> {
    let mut found: Vec<(u64, Operation)> = Vec::new();
    for event in events {
        let known = found
            .iter()
            .position(|(_, operation)| operation.ids.contains(&event.operation));
        let Some(at) = known else {
            found.push((event.sequence, Operation::begun_by(event)));
            continue;
        };
        let (sequence, operation) = &mut found[at];
        *sequence = event.sequence;
        operation.add(event);
        if operation.is_recovery() {
            let (_, recovery) = found.remove(at);
            if let Some(kept) = tell_of_recovery(&mut found, event, recovery) {
                found.insert(at, (event.sequence, kept));
            }
        }
    }
    found.sort_by_key(|(sequence, _)| *sequence);
    found.into_iter().map(|(_, operation)| operation).collect()
}

/// Has the operations that died say what became of them; hands the recovery back where it belongs to
/// none that is told here.
fn tell_of_recovery(
    found: &mut [(u64, Operation)],
    event: &Event,
    recovery: Operation,
) -> Option<Operation> {
    let Outcome::Done(end) = &recovery.outcome else {
        return Some(recovery);
    };
    let mut is_told = false;
    for (sequence, operation) in found {
        if operation.outcome == Outcome::Open && operation.died_before(&recovery.subject) {
            operation.outcome = Outcome::Interrupted(end.note.clone());
            operation.ids.extend(recovery.ids.iter().cloned());
            operation.time.clone_from(&recovery.time);
            *sequence = event.sequence;
            is_told = true;
        }
    }
    (!is_told).then_some(recovery)
}

impl Operation {
    fn begun_by(event: &Event) -> Self {
        let mut operation = Operation {
            ids: vec![event.operation.clone()],
            subject: event.subject.clone(),
            actor: event.actor.clone(),
            begun: event.time.clone(),
            time: event.time.clone(),
            outcome: Outcome::Open,
        };
        operation.add(event);
        operation
    }

    fn add(&mut self, event: &Event) {
        self.subject = event.subject.clone();
        self.time.clone_from(&event.time);
        self.outcome = match (event.phase, &event.end.problem) {
            (Phase::Before, _) => Outcome::Open,
            (Phase::Failed, Some(problem)) => Outcome::Failed(problem.clone()),
            (Phase::Failed | Phase::After, _) => Outcome::Done(Box::new(event.end.clone())),
        };
    }

    fn is_recovery(&self) -> bool {
        self.subject.what == What::Heal
    }

    /// Whether `recovery` is about this operation, which has no end.
    fn died_before(&self, recovery: &Subject) -> bool {
        if self.is_recovery() {
            return false;
        }
        match (&recovery.lane_id, &recovery.base) {
            (Some(lane), _) => self.subject.lane_id.as_ref() == Some(lane),
            (None, Some(base)) => {
                self.subject.what == What::Land
                    && self.subject.base.as_ref() == Some(base)
                    && self.subject.base_commit == recovery.base_commit
            }
            (None, None) => false,
        }
    }

    /// Whether it is about the lane the user named, by name or by id, or has changed that one's base.
    pub fn is_about(&self, wanted: &str) -> bool {
        let (above, changed) = match &self.outcome {
            Outcome::Done(end) => (end.above.as_slice(), end.changed.as_ref()),
            _ => (&[][..], None),
        };
        let is_named = |name: &super::name::LaneName| name.as_str() == wanted;
        let id = self.subject.lane_id.as_ref();
        self.subject.lane.iter().chain(above).any(is_named)
            || changed.is_some_and(|change| change.names(wanted))
            || id.is_some_and(|id| id.as_str() == wanted)
    }

    /// What was done, in a word: `started`; `starting` while it is not, `start` where it did not
    /// come to that.
    pub fn word(&self) -> &'static str {
        let [noun, doing, done] = match self.subject.what {
            What::Start => ["start", "starting", "started"],
            What::Land => ["landing", "landing", "landed"],
            What::Finish => ["finish", "finishing", "finished"],
            What::Drop => ["drop", "dropping", "dropped"],
            What::Prune => ["prune", "pruning", "pruned"],
            What::Restore => ["restore", "restoring", "restored"],
            What::Expire => ["expiry", "expiring", "expired"],
            What::Heal => ["recovery", "recovering", "recovered"],
            What::Undo => ["undo", "undoing", "undid"],
            What::Sync => ["sync", "syncing", "synced"],
            What::Claim => ["claim", "claiming", "claimed"],
            What::Release => ["release", "releasing", "released"],
            What::Mark => ["mark", "marking", "marked"],
            What::Adopt => ["adoption", "adopting", "adopted"],
            What::Rename => ["rename", "renaming", "renamed"],
            What::Move => ["move", "moving", "moved"],
            What::Base => ["base", "basing", "based"],
            What::Try => ["try", "trying", "tried"],
            What::TryBack => ["end of the try", "ending the try", "ended the try"],
        };
        match self.outcome {
            Outcome::Done(_) => done,
            Outcome::Open => doing,
            Outcome::Failed(_) | Outcome::Interrupted(_) => noun,
        }
    }

    /// Base, commits and what else there is to say of one that is done, the most telling first.
    pub fn details(&self) -> Vec<String> {
        let end = match &self.outcome {
            Outcome::Done(end) => Some(&**end),
            _ => None,
        };
        let short = |id: &ObjectId| id.to_hex_with_len(10).to_string();
        let base_commit = self.subject.base_commit.as_ref().map(short);
        let result = end.and_then(|end| end.result.as_ref().map(short));
        let commits = match (base_commit, result) {
            (Some(base), Some(result)) if base != result => Some(format!("{base}..{result}")),
            (base, result) => base.or(result),
        };
        let base = self.subject.base.as_ref().map(ToString::to_string);
        let resolved = end.is_some_and(|end| end.resolved);
        let parts = [
            base,
            end.and_then(|end| end.changed.as_ref().map(ToString::to_string)),
            end.and_then(|end| end.note.clone()),
            resolved.then(|| "after a conflict was resolved".into()),
            end.and_then(|end| end.lanes_above()),
            commits,
        ];
        let parts = parts.into_iter().flatten();
        parts.filter(|part| !part.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event in short: its operation, phase, what it is, its lane and the id of that, and its note.
    fn event(sequence: u64, short: &str) -> Event {
        let mut words = short.splitn(5, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (operation, phase, what, lane, rest) = (word(), word(), word(), word(), word());
        let name = Some(lane).filter(|lane| *lane != "-");
        let rest = Some(rest).filter(|rest| !rest.is_empty());
        let (note, problem) = match phase {
            "failed" => (None, rest),
            _ => (rest, None),
        };
        let problem = problem.map(|text| serde_json::json!({"code": "conflict", "message": text}));
        serde_json::from_value(serde_json::json!({
            "sequence": sequence, "time": format!("2026-11-21T02:39:{sequence:02}.000Z"),
            "operation": operation, "phase": phase, "actor": {"owner": "ann", "pid": 12},
            "what": what, "lane": name, "laneId": name.map(|name| format!("0123456789{name}")),
            "base": "refs/heads/main", "baseCommit": "1111111111111111111111111111111111111111",
            "result": null, "trash": null, "note": note, "problem": problem,
        }))
        .unwrap()
    }

    /// Each operation in short: its word, its lane and what it has come to.
    fn told(shorts: &[&str]) -> Vec<String> {
        let events: Vec<Event> = (1..).zip(shorts).map(|(at, one)| event(at, one)).collect();
        let line = |operation: Operation| {
            let lane = operation.subject.lane.as_ref();
            let lane = lane.map_or("-", |lane| lane.as_str()).to_owned();
            let state = match &operation.outcome {
                Outcome::Done(_) => "done".to_owned(),
                Outcome::Failed(problem) => format!("failed: {}", problem.message),
                Outcome::Open => "open".to_owned(),
                Outcome::Interrupted(said) => format!("interrupted: {said:?}"),
            };
            format!("{} {lane} {state}", operation.word())
        };
        join(&events).into_iter().map(line).collect()
    }

    #[test]
    fn an_operation_is_told_once() {
        for (events, wanted) in [
            (
                &["x before start a", "x after start a"][..],
                &["started a done"][..],
            ),
            (&["x before start a"], &["starting a open"]),
            (&["x after mark a"], &["marked a done"]),
            (
                &["x before land a", "x failed land a no"],
                &["landing a failed: no"],
            ),
            // Newest last, by what has ended last.
            (
                &[
                    "x before land a",
                    "y before start b",
                    "y after start b",
                    "x after land a",
                ],
                &["started b done", "landed a done"],
            ),
            (
                &["x before start a", "y before start b", "y after start b"],
                &["starting a open", "started b done"],
            ),
            // A recovery is part of what it recovers.
            (
                &["x before start a", "h before heal a", "h after heal a gone"],
                &["start a interrupted: Some(\"gone\")"],
            ),
            (
                &["x before land a", "h before heal -", "h after heal - gone"],
                &["landing a interrupted: Some(\"gone\")"],
            ),
            // One that fails is told by itself, and so is one of what the log does not have any more.
            (
                &["x before start a", "h before heal a", "h failed heal a no"],
                &["starting a open", "recovery a failed: no"],
            ),
            (
                &["h before heal a", "h after heal a gone"],
                &["recovered a done"],
            ),
            (
                &["x before start a", "x after start a", "h after heal a gone"],
                &["started a done", "recovered a done"],
            ),
        ] {
            assert_eq!(told(events), wanted, "{events:?}");
        }
    }

    #[test]
    fn the_details_are_those_of_what_is_done() {
        let mut done = event(1, "x after land a why");
        done.end.result = ObjectId::from_hex(&[b'2'; 40]).ok();
        done.end.resolved = true;
        let details = |event: &Event| join(std::slice::from_ref(event))[0].details();
        assert_eq!(
            details(&done),
            [
                "main",
                "why",
                "after a conflict was resolved",
                "1111111111..2222222222"
            ]
        );
        done.phase = Phase::Before;
        assert_eq!(details(&done), ["main", "1111111111"]);
    }

    #[test]
    fn a_lane_above_is_what_it_is_about_too() {
        let mut done = event(1, "x after land a");
        done.end.above = vec![crate::domain::name::LaneName::parse("b").unwrap()];
        let operation = &join(&[done])[0];
        for (wanted, is_about) in [
            ("a", true),
            ("0123456789a", true),
            ("b", true),
            ("c", false),
        ] {
            assert_eq!(operation.is_about(wanted), is_about, "{wanted}");
        }
    }
}
