//! How the landings of a repository ended, counted for each base and each day, or week where they
//! span more.
//!
//! Called by `commands/log` with what the event log has.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::event::{Event, Phase, Problem, What};
use super::lane::RefName;
use super::undo::{Deed, steps};
use crate::error::Kind;

/// Landings over more days than these are counted by weeks.
const DAYS: i32 = 14;

/// How a landing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Clean,
    Resolved,
    GivenUp,
    GateFailed,
}

impl Ending {
    /// What a failure says; `None` where it is about something else than the lane's files.
    fn of_failure(problem: &Problem) -> Option<Self> {
        match problem.of_the_lane()? {
            Kind::Conflict => Some(Ending::GivenUp),
            _ => Some(Ending::GateFailed),
        }
    }
}

/// The landings on one base in a time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The full name of the base.
    pub base: RefName,
    /// The first and the last day, in UTC: `2026-11-30`.
    pub first_day: String,
    /// See above.
    pub last_day: String,
    /// Landed without a conflict.
    pub clean: usize,
    /// Landed after a conflict was resolved by a command of the user's.
    pub resolved: usize,
    /// Ended by a conflict.
    pub given_up: usize,
    /// Ended by the gate.
    pub gate_failed: usize,
}

/// Counts the landings that ended at `since` or later, which is a time as the log has it; of one
/// lane where `lane` names it. The oldest comes first, base by base.
pub fn summary(events: &[Event], lane: Option<&str>, since: Option<&str>) -> Vec<Row> {
    let mut ended: Vec<(&RefName, Date, Ending)> = Vec::new();
    let is_wanted = |time: &str| since.is_none_or(|since| time >= since);
    let day = |time: &str| time.get(..10)?.parse::<Date>().ok();
    let resolved = events.iter().filter(|event| event.end.resolved);
    let resolved: BTreeSet<&str> = resolved.map(|event| event.operation.as_str()).collect();
    let all = steps(events);
    for step in &all {
        let Deed::Landing(landing) = &step.deed else {
            continue;
        };
        let is_of = |name: &str| step.lane.as_str() == name || step.lane_id.as_str() == name;
        if !is_wanted(&step.time) || !lane.is_none_or(is_of) {
            continue;
        }
        let mut operations = step.operations.iter();
        let ending = match operations.any(|operation| resolved.contains(operation.as_str())) {
            true => Ending::Resolved,
            false => Ending::Clean,
        };
        ended.extend(day(&step.time).map(|day| (&landing.base, day, ending)));
    }
    for event in events {
        let is_failure = event.subject.what == What::Land && event.phase == Phase::Failed;
        let is_of = lane.is_none_or(|lane| event.is_about(lane));
        if !is_failure || !is_of || !is_wanted(&event.time) {
            continue;
        }
        let problem = event.end.problem.as_ref();
        let ending = problem.and_then(Ending::of_failure);
        let found = (event.subject.base.as_ref(), day(&event.time), ending);
        if let (Some(base), Some(day), Some(ending)) = found {
            ended.push((base, day, ending));
        }
    }
    rows(&ended)
}

fn rows(ended: &[(&RefName, Date, Ending)]) -> Vec<Row> {
    let first = ended.iter().map(|(_, day, _)| *day).min();
    let last = ended.iter().map(|(_, day, _)| *day).max();
    let span = first
        .zip(last)
        .and_then(|(first, last)| last.since(first).ok());
    let by_week = span.is_some_and(|span| span.get_days() >= DAYS);
    let mut rows: BTreeMap<(&[u8], Date), Row> = BTreeMap::new();
    for (base, day, ending) in ended {
        let (from, to) = match by_week {
            true => week(*day),
            false => (*day, *day),
        };
        let row = rows.entry((base.as_bstr(), from)).or_insert_with(|| Row {
            base: (*base).clone(),
            first_day: from.to_string(),
            last_day: to.to_string(),
            clean: 0,
            resolved: 0,
            given_up: 0,
            gate_failed: 0,
        });
        *match ending {
            Ending::Clean => &mut row.clean,
            Ending::Resolved => &mut row.resolved,
            Ending::GivenUp => &mut row.given_up,
            Ending::GateFailed => &mut row.gate_failed,
        } += 1;
    }
    rows.into_values().collect()
}

/// Monday and Sunday around a day.
fn week(day: Date) -> (Date, Date) {
    let monday = day.weekday().since(Weekday::Monday);
    let from = day.saturating_sub(i64::from(monday).days());
    (from, from.saturating_add(6.days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(operation: usize, phase: &str, time: &str, end: &str) -> Event {
        let text = format!(
            r#"{{"sequence":{operation},"time":"{time}","operation":"{operation}","phase":"{phase}",
                "actor":{{"owner":"ann","pid":1}},"what":"land","lane":"login","laneId":"0a",
                "base":"refs/heads/main","baseCommit":"{}","trash":null,"note":null,{end}}}"#,
            "1".repeat(40)
        );
        serde_json::from_str(&text).unwrap()
    }

    fn landed(operation: usize, time: &str, resolved: bool) -> Event {
        let result = "2".repeat(40);
        let end = format!(r#""result":"{result}","resolved":{resolved},"problem":null"#);
        event(operation, "after", time, &end)
    }

    fn failed(operation: usize, time: &str, code: &str) -> Event {
        let end = format!(r#""result":null,"problem":{{"code":"{code}","message":"x"}}"#);
        event(operation, "failed", time, &end)
    }

    fn told(rows: &[Row]) -> Vec<(&str, &str, [usize; 4])> {
        let told = rows.iter().map(|row| {
            let counts = [row.clean, row.resolved, row.given_up, row.gate_failed];
            (&*row.first_day, &*row.last_day, counts)
        });
        told.collect()
    }

    #[test]
    fn endings_are_counted_by_days() {
        let day = "2026-11-30T12:00:00.000Z";
        let mut events = vec![
            landed(1, day, false),
            landed(2, day, true),
            landed(3, "2026-12-01T00:00:00.000Z", false),
        ];
        let codes = ["conflict", "unresolved", "gate-failed", "held", "raced"];
        events.extend(
            codes
                .iter()
                .enumerate()
                .map(|(at, code)| failed(10 + at, day, code)),
        );
        let expected = [
            ("2026-11-30", "2026-11-30", [1, 1, 2, 2]),
            ("2026-12-01", "2026-12-01", [1, 0, 0, 0]),
        ];
        assert_eq!(told(&summary(&events, None, None)), expected);
        assert_eq!(summary(&events, Some("login"), None).len(), 2);
        assert_eq!(summary(&events, Some("other"), None), []);
        let since = Some("2026-11-30T12:00:00.001Z");
        assert_eq!(told(&summary(&events, None, since)), expected[1..]);
        assert_eq!(summary(&[], None, None), []);
    }

    #[test]
    fn more_than_two_weeks_are_counted_by_weeks() {
        let events = [
            landed(1, "2026-11-16T12:00:00.000Z", false),
            landed(2, "2026-11-22T12:00:00.000Z", false),
            failed(3, "2026-11-23T12:00:00.000Z", "conflict"),
            landed(4, "2026-12-01T12:00:00.000Z", true),
        ];
        let expected = [
            ("2026-11-16", "2026-11-22", [2, 0, 0, 0]),
            ("2026-11-23", "2026-11-29", [0, 0, 1, 0]),
            ("2026-11-30", "2026-12-06", [0, 1, 0, 0]),
        ];
        assert_eq!(told(&summary(&events, None, None)), expected);
    }
}
