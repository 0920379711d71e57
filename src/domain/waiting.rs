//! What `git lane wait` waits for, and whether it has come about: facts of a lane in, its standing
//! out; pure.
//!
//! `operations/awaited` gathers the facts, `commands/wait` words the end.

use super::event::Problem;
use super::lane_status::LaneStatus;
use super::name::LaneName;
use super::trash_entry::Reason;
use crate::error::{Code, Error, Kind};

/// What can be waited for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Its owner says that they are at work
    Working,
    /// Its owner says that they need an answer, or the work of another, first
    Blocked,
    /// Its owner says that it may land
    Ready,
    /// Its owner says that nothing is left to do
    Done,
    /// Clean, no operation such as a merge or a rebase in progress, not stray
    Settled,
    /// It has made commits, and its base has them
    Landed,
    /// It is no lane any more: finished, dropped, pruned, or its record removed by hand
    Gone,
}

impl Condition {
    /// The word on the command line and in documents.
    pub fn as_str(self) -> &'static str {
        match (self, self.status()) {
            (_, Some(status)) => status.as_str(),
            (Condition::Settled, _) => "settled",
            (Condition::Landed, _) => "landed",
            _ => "gone",
        }
    }

    /// The status it asks for, where it asks for one.
    pub fn status(self) -> Option<LaneStatus> {
        match self {
            Condition::Working => Some(LaneStatus::Working),
            Condition::Blocked => Some(LaneStatus::Blocked),
            Condition::Ready => Some(LaneStatus::Ready),
            Condition::Done => Some(LaneStatus::Done),
            Condition::Settled | Condition::Landed | Condition::Gone => None,
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Conditions in a sentence: `ready, done or gone`.
pub fn listed(until: &[Condition]) -> String {
    match until {
        [] => String::new(),
        [only] => only.to_string(),
        [others @ .., last] => {
            let words: Vec<&str> = others.iter().map(|one| one.as_str()).collect();
            format!("{} or {last}", words.join(", "))
        }
    }
}

/// What has become of a lane that has no record any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// A process is moving it into the trash, or died doing so.
    UnderWay,
    /// It is in the trash.
    Removed(Reason),
    /// Nothing says more.
    Unrecorded,
}

impl std::fmt::Display for Left {
    /// `it was dropped`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Left::UnderWay => f.write_str("it is on its way into the trash"),
            Left::Removed(reason) => write!(f, "it was {reason}"),
            Left::Unrecorded => f.write_str("nothing records it any more"),
        }
    }
}

/// What is known of a lane at one moment, as far as the conditions ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What its owner says; of a lane that is gone, what they said last.
    pub status: Option<LaneStatus>,
    /// Whether it is clean, in no operation, and not stray.
    pub is_settled: bool,
    /// Whether its base has the commits that were made in it.
    pub has_landed: bool,
    /// How its last landing failed that has ended since the wait began.
    pub failed: Option<Problem>,
    /// That it has no record any more, and why.
    pub left: Option<Left>,
}

/// How a lane stands to what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This has come about.
    Met(Condition),
    /// It cannot come about any more.
    Lost(Lost),
    /// It may still come about.
    Open,
}

/// Why there is nothing to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The lane has left.
    Gone(Left),
    /// Its landing has failed, because of a conflict or of the gate.
    Landing(Kind, Problem),
}

/// How a lane stands to the conditions, of which any is enough; of several that hold it is the first.
pub fn standing(until: &[Condition], facts: &Facts) -> Standing {
    let holds = |condition: &&Condition| match condition {
        Condition::Settled => facts.is_settled,
        Condition::Landed => facts.has_landed,
        Condition::Gone => facts.left.is_some(),
        _ => facts.status.is_some() && facts.status == condition.status(),
    };
    if let Some(met) = until.iter().find(holds) {
        return Standing::Met(*met);
    }
    let failed = facts
        .failed
        .as_ref()
        .filter(|_| until.contains(&Condition::Landed));
    let failed = failed.and_then(|problem| Some((problem.of_the_lane()?, problem)));
    match (failed, facts.left) {
        (Some((kind, problem)), _) => Standing::Lost(Lost::Landing(kind, problem.clone())),
        // The process that moves it has not told yet whether it has landed.
        (None, Some(left)) if left != Left::UnderWay => Standing::Lost(Lost::Gone(left)),
        _ => Standing::Open,
    }
}

/// How the wait as a whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What was waited for has come about.
    Met,
    /// It cannot come about any more.
    Lost,
    /// It goes on.
    Open,
}

/// That of lanes with these standings, of which `all` or any one have to meet a condition.
pub fn outcome<'a>(standings: impl Iterator<Item = &'a Standing> + Clone, all: bool) -> Outcome {
    let is_met = |standing: &Standing| matches!(standing, Standing::Met(_));
    let is_lost = |standing: &Standing| matches!(standing, Standing::Lost(_));
    let mut each = standings;
    let (met, lost) = match all {
        true => (each.clone().all(is_met), each.any(is_lost)),
        false => (each.clone().any(is_met), each.all(is_lost)),
    };
    match (met, lost) {
        (true, _) => Outcome::Met,
        (false, true) => Outcome::Lost,
        (false, false) => Outcome::Open,
    }
}

impl Lost {
    /// The failure, for the lane of that name.
    pub fn error(&self, lane: &LaneName, until: &[Condition]) -> Error {
        match self {
            Lost::Gone(left) => {
                let until = listed(until);
                let sentence = format!("lane '{lane}' is gone and cannot be {until}: {left}");
                Error::refused(sentence)
                    .with_code(Code::LaneGone)
                    .hint("see what has become of it with: git lane log")
            }
            Lost::Landing(kind, problem) => {
                let sentence = format!("lane '{lane}' has not landed: {}", problem.message);
                let error = Error::new(*kind, sentence);
                match Code::parse(&problem.code) {
                    Some(code) => error.with_code(code),
                    None => error,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Condition::{Blocked, Done, Gone, Landed, Ready, Settled, Working};

    fn problem(code: Code) -> Problem {
        Problem {
            code: code.as_str().into(),
            message: "why".into(),
        }
    }

    fn nothing() -> Facts {
        Facts::default()
    }

    fn marked(status: LaneStatus) -> Facts {
        Facts {
            status: Some(status),
            ..nothing()
        }
    }

    fn gone(left: Left) -> Facts {
        Facts {
            left: Some(left),
            ..nothing()
        }
    }

    fn failed(code: Code) -> Facts {
        Facts {
            failed: Some(problem(code)),
            ..nothing()
        }
    }

    #[test]
    fn how_a_lane_stands_to_what_is_waited_for() {
        let settled = Facts {
            is_settled: true,
            ..nothing()
        };
        let landed = Facts {
            has_landed: true,
            ..nothing()
        };
        let finished = Facts {
            has_landed: true,
            ..gone(Left::Removed(Reason::Finished))
        };
        let dropped = gone(Left::Removed(Reason::Dropped));
        let lost = |left| Standing::Lost(Lost::Gone(left));
        let not_landed = |kind, code| Standing::Lost(Lost::Landing(kind, problem(code)));
        let table: &[(&[Condition], Facts, Standing)] = &[
            (
                &[Working, Blocked, Ready, Done, Settled, Landed, Gone],
                nothing(),
                Standing::Open,
            ),
            (
                &[Working],
                marked(LaneStatus::Working),
                Standing::Met(Working),
            ),
            (
                &[Blocked],
                marked(LaneStatus::Blocked),
                Standing::Met(Blocked),
            ),
            (&[Ready], marked(LaneStatus::Ready), Standing::Met(Ready)),
            (&[Done], marked(LaneStatus::Done), Standing::Met(Done)),
            (&[Ready], marked(LaneStatus::Done), Standing::Open),
            (
                &[Ready, Done],
                marked(LaneStatus::Done),
                Standing::Met(Done),
            ),
            (&[Settled], settled.clone(), Standing::Met(Settled)),
            (&[Landed], landed.clone(), Standing::Met(Landed)),
            (&[Gone], dropped.clone(), Standing::Met(Gone)),
            // The first that holds.
            (&[Gone, Landed], finished.clone(), Standing::Met(Gone)),
            (&[Landed, Gone], finished.clone(), Standing::Met(Landed)),
            (&[Landed, Gone], dropped.clone(), Standing::Met(Gone)),
            // A lane that is gone meets nothing else, but what it had met by then.
            (
                &[Ready],
                dropped.clone(),
                lost(Left::Removed(Reason::Dropped)),
            ),
            (&[Landed], dropped, lost(Left::Removed(Reason::Dropped))),
            (&[Settled], gone(Left::Unrecorded), lost(Left::Unrecorded)),
            (
                &[Ready],
                Facts {
                    left: Some(Left::Removed(Reason::Finished)),
                    ..marked(LaneStatus::Ready)
                },
                Standing::Met(Ready),
            ),
            (&[Landed], gone(Left::UnderWay), Standing::Open),
            (&[Gone], gone(Left::UnderWay), Standing::Met(Gone)),
            // A landing that has failed ends the wait for it, and no other wait.
            (
                &[Landed],
                failed(Code::Conflict),
                not_landed(Kind::Conflict, Code::Conflict),
            ),
            (
                &[Landed],
                failed(Code::Unresolved),
                not_landed(Kind::Conflict, Code::Unresolved),
            ),
            (
                &[Landed],
                failed(Code::GateFailed),
                not_landed(Kind::Gate, Code::GateFailed),
            ),
            (
                &[Landed],
                failed(Code::GateTimeout),
                not_landed(Kind::Gate, Code::GateTimeout),
            ),
            (
                &[Landed],
                failed(Code::Held),
                not_landed(Kind::Gate, Code::Held),
            ),
            (&[Landed], failed(Code::Raced), Standing::Open),
            (&[Ready, Gone], failed(Code::Conflict), Standing::Open),
            (
                &[Landed],
                Facts {
                    has_landed: true,
                    ..failed(Code::Conflict)
                },
                Standing::Met(Landed),
            ),
        ];
        for (until, facts, expected) in table {
            assert_eq!(standing(until, facts), *expected, "{until:?} {facts:?}");
        }
    }

    #[test]
    fn all_or_any_of_the_lanes() {
        let met = || Standing::Met(Ready);
        let lost = || Standing::Lost(Lost::Gone(Left::Unrecorded));
        let open = || Standing::Open;
        let table = [
            (vec![met(), met()], Outcome::Met, Outcome::Met),
            (vec![met(), open()], Outcome::Open, Outcome::Met),
            (vec![met(), lost()], Outcome::Lost, Outcome::Met),
            (vec![open(), lost()], Outcome::Lost, Outcome::Open),
            (vec![open(), open()], Outcome::Open, Outcome::Open),
            (vec![lost(), lost()], Outcome::Lost, Outcome::Lost),
            (vec![], Outcome::Met, Outcome::Lost),
        ];
        for (standings, all, any) in table {
            assert_eq!(outcome(standings.iter(), true), all, "{standings:?}");
            assert_eq!(outcome(standings.iter(), false), any, "{standings:?}");
        }
    }

    #[test]
    fn conditions_are_listed_as_people_do() {
        assert_eq!(listed(&[Ready]), "ready");
        assert_eq!(listed(&[Ready, Done, Gone]), "ready, done or gone");
    }

    #[test]
    fn the_words_are_those_of_the_command_line() {
        use clap::ValueEnum;
        for condition in Condition::value_variants() {
            let word = condition.to_possible_value().unwrap();
            assert_eq!(word.get_name(), condition.as_str());
            assert_eq!(serde_json::to_value(condition).unwrap(), condition.as_str());
        }
    }
}
