//! What owners and agents say of a lane, in words and in documents: how far it is, who holds it,
//! what kind of lane it is, and with which parameters it was started.
//!
//! `list` and `show` use it.

use crate::commands::age;
use crate::domain::claim::Standing;
use crate::domain::lane::Lane;
use crate::domain::lane_status::Mark;
use crate::repository::Repository;
use crate::repository::claims::{self, Seen};

/// Who holds a lane: a claim that is not over.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Who.
    holder: String,
    since: Option<String>,
    until: Option<String>,
    pid: Option<i32>,
    /// Whether it was handed over to the holder, who has not taken it up yet.
    reserved: bool,
    /// Whether it is the caller's.
    own: bool,
    /// What the holder before says.
    message: Option<String>,
    #[serde(skip)]
    began: i64,
}

impl Hold {
    /// Who holds `lane`, where a claim does.
    pub fn of(repository: &Repository, lane: &Lane) -> Option<Self> {
        let Seen {
            claim,
            standing,
            until,
        } = claims::look(repository, lane)?;
        Some(Hold {
            holder: claim.holder.clone(),
            since: known(claim.since).and_then(moment),
            until: until.and_then(moment),
            pid: claim.pid(),
            reserved: claim.is_reserved(),
            own: standing == Standing::Own,
            message: claim.message.clone(),
            began: claim.since,
        })
    }

    /// Who, since when and until when: `ann for 5m, until 2026-05-01T10:00:00Z`.
    pub fn told(&self) -> String {
        let holder = &self.holder;
        if self.reserved {
            let ago = known(self.began).map(|since| format!(", handed over {} ago", age(since)));
            return format!("kept for {holder}{}", ago.unwrap_or_default());
        }
        let own = if self.own { " (you)" } else { "" };
        let end = match (&self.until, self.pid) {
            (Some(until), _) => format!(", until {until}"),
            (None, Some(pid)) => format!(", while process {pid} lives"),
            (None, None) => String::new(),
        };
        format!("{holder}{own}{}{end}", lasting(self.began))
    }

    /// That it is held, and whether by the caller.
    pub fn in_brief(&self) -> &'static str {
        match (self.reserved, self.own) {
            (true, _) => "kept",
            (false, true) => "yours",
            (false, false) => "held",
        }
    }

    /// The same with what the holder before says.
    pub fn told_in_full(&self) -> String {
        match &self.message {
            Some(message) => format!("{}: {message}", self.told()),
            None => self.told(),
        }
    }
}

/// Owner and holder in a few words, which are mostly the same one; that it is held comes first, where
/// it is not cut: `held by ann`, `held by bob, owner ann`.
pub fn owner_and_holder(lane: &Lane, hold: Option<&Hold>) -> String {
    let owner = lane.owner.clone().unwrap_or_default();
    let Some(hold) = hold else { return owner };
    let held = match hold.reserved {
        false => format!("held by {}", hold.holder),
        true => format!("kept for {}", hold.holder),
    };
    match owner.is_empty() || hold.holder == owner {
        true => held,
        false => format!("{held}, owner {owner}"),
    }
}

/// The status and since when, in a few words: `blocked 3h`.
pub fn status(mark: &Mark) -> String {
    match known(mark.since) {
        Some(since) => format!("{} {}", mark.status, age(since)),
        None => mark.status.to_string(),
    }
}

/// The status, since when, and what its owner adds.
pub fn status_in_full(mark: &Mark) -> String {
    let (word, age) = (mark.status, lasting(mark.since));
    match &mark.message {
        Some(message) => format!("{word}{age}: {message}"),
        None => format!("{word}{age}"),
    }
}

/// What is special about the lane; empty for any other one.
pub fn kind(lane: &Lane) -> String {
    let kinds = [(lane.read_only, "read-only"), (lane.adopted, "adopted")];
    let words = kinds.into_iter().filter(|(is, _)| *is);
    words.map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

/// The parameters, each after the other: `rate=0.1 seed=7`.
pub fn parameters(lane: &Lane) -> String {
    let all: Vec<String> = lane.parameters.iter().map(ToString::to_string).collect();
    all.join(" ")
}

/// What is said of a lane, as a document has it; of a worktree that is none, nothing is.
pub fn document(lane: Option<&Lane>, hold: Option<&Hold>) -> serde_json::Value {
    let mark = lane.and_then(|lane| lane.mark.as_ref());
    let mark = mark.map(|mark| {
        serde_json::json!({
            "status": mark.status,
            "since": known(mark.since).and_then(moment),
            "message": mark.message,
        })
    });
    let parameters = lane.into_iter().flat_map(|lane| &lane.parameters);
    let set = parameters.map(|one| (one.key.clone(), one.value.clone().into()));
    serde_json::json!({
        "mark": mark,
        "claim": hold,
        "set": set.collect::<serde_json::Map<_, _>>(),
        "readOnly": lane.is_some_and(|lane| lane.read_only),
        "adopted": lane.is_some_and(|lane| lane.adopted),
    })
}

/// A time as documents have it.
pub fn moment(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok();
    time.map(|time| time.to_string())
}

/// A time, where the record has one.
fn known(seconds: i64) -> Option<i64> {
    (seconds != 0).then_some(seconds)
}

/// How long something has been so, where that is known.
fn lasting(since: i64) -> String {
    known(since).map_or_else(String::new, |since| format!(" for {}", age(since)))
}
