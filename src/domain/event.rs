//! What the event log says: one event for the beginning of an operation and one for its end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::carried::Moved;
use super::lane::{Lane, LaneId, ObjectId, RefName, lossless_path, optional_hex};
use super::name::{BranchName, LaneName};
use super::parameter::Parameter;
use super::record_change::RecordChange;
use crate::error::{Code, Kind};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A lane was made.
    Start,
    /// A lane's commits came onto its base.
    Land,
    /// `git lane finish` moved a lane into the trash.
    Finish,
    /// `git lane drop` did.
    Drop,
    /// `git lane prune` did.
    Prune,
    /// A lane came back from the trash.
    Restore,
    /// A lane left the trash for good.
    Expire,
    /// An operation of a process that died was completed or undone.
    Heal,
    /// `git lane undo` took back what earlier operations had done.
    Undo,
    /// What was new on a lane's base came into the lane, or what was new on a remote onto a base.
    Sync,
    /// A lane was claimed.
    Claim,
    /// A claim was given up, or the lane handed over.
    Release,
    /// The owner of a lane said how far it is.
    Mark,
    /// A worktree that another program had made became a lane.
    Adopt,
    /// A lane got another name.
    Rename,
    /// The worktree of a lane was moved.
    Move,
    /// A lane got another base.
    Base,
    /// The main worktree shows a lane.
    Try,
    /// The main worktree, which showed a lane, is back on its branch.
    TryBack,
}

impl What {
    /// Whether a lane ends with it.
    pub fn removes(self) -> bool {
        matches!(self, What::Finish | What::Drop | What::Prune)
    }
}

/// Which part of the operation this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It is about to change something. Without a later event of the same operation it is still
    /// running or its process died, and then a [`What::Heal`] tells the rest.
    Before,
    /// It is done.
    After,
    /// It changed nothing, or what `problem` says.
    Failed,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Actor {
    /// `GIT_LANE_OWNER`, else the login name.
    pub owner: String,
    /// The process.
    pub pid: u32,
}

/// What an operation is about: the same in each of its events.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// What was done.
    pub what: What,
    /// The lane's name at that moment; `None` where only its base is known.
    pub lane: Option<LaneName>,
    /// The lane's id, which no later lane of that name shares.
    pub lane_id: Option<LaneId>,
    /// The full name of the base.
    pub base: Option<RefName>,
    /// The base's commit: the fork point, or where it was before a landing.
    #[serde(with = "optional_hex")]
    pub base_commit: Option<ObjectId>,
    /// The operations that an [`Undo`](What::Undo) takes back, by their ids.
    #[serde(default)]
    pub undoes: Vec<String>,
}

impl Subject {
    /// An operation on a lane, with the base its record names.
    pub fn of(what: What, lane: &Lane) -> Self {
        Subject {
            what,
            lane: Some(lane.name.clone()),
            lane_id: Some(lane.id.clone()),
            base: lane.base.clone(),
            base_commit: Some(lane.fork_point),
            undoes: Vec::new(),
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct End {
    /// The commit that came out of it: the lane's tip, or the base's after a landing.
    #[serde(with = "optional_hex")]
    pub result: Option<ObjectId>,
    /// The commit that the branch of a lane was at before a sync.
    #[serde(default, with = "optional_hex")]
    pub before: Option<ObjectId>,
    /// The lane's id in the trash, where it went there, came from there or left it.
    pub trash: Option<String>,
    /// What there is to add, for a person.
    pub note: Option<String>,
    /// The branch that has the work of a lane which was removed, and is the base of the lanes
    /// above.
    #[serde(default)]
    pub heir: Option<BranchName>,
    /// The lanes that were based on the removed lane's branch.
    #[serde(default)]
    pub above: Vec<LaneName>,
    /// The id of the one move of the base that several landings share.
    #[serde(default)]
    pub batch: Option<String>,
    /// The remote that had the landing before the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<String>,
    /// Whether a conflict was resolved before the landing, by a command of the user's.
    #[serde(default)]
    pub resolved: bool,
    /// What is in its place before and after, where a lane was adopted or an adopted one forgotten.
    #[serde(default)]
    pub stays: Option<Stays>,
    /// Who owns the lane from then on: of a start, an adoption, a claim and a hand-over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the lane that was made is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The parameters that it was made with, by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// What the record of the lane has said, and says, where a rename, a move or another base changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<RecordChange>,
    /// The uncommitted work that the lane which was made has taken along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Box<Moved>>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

/// What git-lane has not made and never takes away: the worktree of an adopted lane, and its
/// branch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stays {
    /// The worktree's directory, absolute.
    #[serde(with = "lossless_path")]
    pub path: PathBuf,
    /// The branch; `None` for a lane with a detached HEAD.
    pub branch: Option<BranchName>,
}

impl Stays {
    /// What stays of that lane.
    pub fn of(lane: &Lane) -> Self {
        Stays {
            path: lane.worktree.clone(),
            branch: lane.branch.clone(),
        }
    }
}

/// How many bytes of parameters are told: a reader of the log looks for its last line in so much of it
/// and a few texts more.
const MOST_SET: usize = 8 << 10;

impl End {
    /// Of a start: what the lane was asked for with. Parameters that there is no room for are left to the
    /// record of the lane, which has them all.
    pub fn of_start(lane: &Lane, result: ObjectId) -> Self {
        let mut room = MOST_SET;
        let fits = |parameter: &&Parameter| {
            let size = parameter.key.len() + parameter.value.len();
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        };
        let pair = |parameter: &Parameter| (parameter.key.clone(), parameter.value.clone());
        let task = lane.task.as_ref();
        End {
            result: Some(result),
            owner: lane.owner.clone(),
            task: task.map(|task| task.chars().take(LONGEST_TASK).collect()),
            set: lane.parameters.iter().take_while(fits).map(pair).collect(),
            ..End::default()
        }
    }

    /// What has become of the base of the lanes above.
    pub fn lanes_above(&self) -> Option<String> {
        let lanes: Vec<String> = self.above.iter().map(|lane| format!("'{lane}'")).collect();
        let (one, lanes) = (lanes.len() == 1, lanes.join(", "));
        let lane = if one { "lane" } else { "lanes" };
        (!lanes.is_empty()).then(|| match &self.heir {
            Some(heir) => format!("the base of {lane} {lanes} is now '{heir}'"),
            None => format!(
                "{lane} {lanes} {} no base any more",
                if one { "has" } else { "have" }
            ),
        })
    }
}

/// How many characters of a task are told.
const LONGEST_TASK: usize = 1000;

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// The same word as in the error document.
    pub code: String,
    /// The sentence people read.
    pub message: String,
}

impl Problem {
    /// Whether what failed may be completed all the same by a later healing: the remote has a landing,
    /// or may have it.
    pub fn leaves_it_open(&self) -> bool {
        [Code::PushedOnly, Code::PushUnknown]
            .iter()
            .any(|code| code.as_str() == self.code)
    }

    /// Of a failed landing, whether what was to land is why: it conflicts, or the gate says no.
    /// `None` where it failed because of something else.
    pub fn of_the_lane(&self) -> Option<Kind> {
        match Code::parse(&self.code)? {
            Code::Conflict | Code::Unresolved => Some(Kind::Conflict),
            Code::GateFailed | Code::GateTimeout | Code::GateUnjudged | Code::Held => {
                Some(Kind::Gate)
            }
            _ => None,
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// One more than the line before; nothing else orders events.
    pub sequence: u64,
    /// RFC 3339 in UTC, with milliseconds.
    pub time: String,
    /// Joins the events of one operation.
    pub operation: String,
    /// Which of them this is.
    pub phase: Phase,
    /// Who did it.
    pub actor: Actor,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// How it ended; all absent while it has not.
    #[serde(flatten)]
    pub end: End,
}

impl Event {
    /// Whether it is about the lane the user named, by name or by id, or has changed that one's
    /// base.
    pub fn is_about(&self, wanted: &str) -> bool {
        self.subject
            .lane
            .iter()
            .chain(&self.end.above)
            .any(|lane| lane.as_str() == wanted)
            || self.end.changed.iter().any(|change| change.names(wanted))
            || self
                .subject
                .lane_id
                .as_ref()
                .is_some_and(|id| id.as_str() == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        serde_json::from_str(
            r#"{"sequence":7,"time":"2026-11-21T02:39:45.123Z","operation":"x","phase":"after",
                "actor":{"owner":"ann","pid":12},"what":"land","lane":"login","laneId":"0123456789a",
                "base":"refs/heads/main","baseCommit":"1111111111111111111111111111111111111111",
                "result":"2222222222222222222222222222222222222222","trash":null,"note":null,"problem":null,
                "fieldOfALaterVersion":1}"#,
        )
        .unwrap()
    }

    #[test]
    fn what_becomes_of_the_lanes_above_is_said() {
        let above = |names: &[&str]| {
            let names = names.iter().map(|name| LaneName::parse(name));
            names.collect::<Result<_, _>>().unwrap()
        };
        let mut end = End {
            heir: BranchName::parse("main".into()).ok(),
            above: above(&["a"]),
            ..End::default()
        };
        let said = end.lanes_above().unwrap();
        assert_eq!(said, "the base of lane 'a' is now 'main'");
        (end.heir, end.above) = (None, above(&["a", "b"]));
        let said = end.lanes_above().unwrap();
        assert_eq!(said, "lanes 'a', 'b' have no base any more");
        assert_eq!(End::default().lanes_above(), None);
    }

    #[test]
    fn an_event_survives_its_line_and_is_found_by_name_and_by_id() {
        let event = event();
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        assert!(event.is_about("login") && event.is_about("0123456789a") && !event.is_about("log"));
    }
}
