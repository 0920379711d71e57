//! A claim: the exclusive hold on a lane, and whose it is.
//!
//! A holder is known by the claim's token, or by being a process below the one that was claimed for.
//! A login name does not tell agents apart: fifty agents have the same one. The token itself is never kept,
//! only its digest.

mod claim_refusal;

pub use claim_refusal::{claimed, details};

/// What the record of a lane says of its claim.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    /// Who has it, for people to read.
    pub holder: String,
    /// The SHA-256 of the token, in hex; `None` where the lane was handed over to the holder, who
    /// has not taken it up yet.
    pub key: Option<String>,
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
    /// When it ends.
    pub end: ClaimEnd,
    /// What the one before says to the holder.
    pub message: Option<String>,
}

/// When a claim ends, at the latest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClaimEnd {
    /// When it is released.
    Release,
    /// At that time, in seconds since 1970 UTC, unless it is renewed.
    Time(i64),
    /// With that process.
    Process(ProcessMark),
}

/// A process, so that no later one of the same number is taken for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProcessMark {
    /// Its number.
    pub pid: i32,
    /// When it began, in the clock of its kernel.
    pub started: u64,
    /// Which boot of the machine; empty where the system has no word for it.
    pub boot: String,
    /// In which of its containers numbers of processes are counted; likewise.
    pub namespace: String,
    /// Which machine; likewise.
    pub machine: String,
}

/// Whether the process of a claim lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It does.
    Lives,
    /// It does not, or its number is another one's by now.
    Ended,
    /// It cannot be seen from here: it is in another container, or on another machine.
    Unknown,
}

/// What is known of a claim at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What time it is, in seconds since 1970 UTC.
    pub now: i64,
    /// Until when the claim was renewed, where it was.
    pub renewed: Option<i64>,
    /// Whether the process lives that it ends with; nothing where it ends otherwise.
    pub process: Option<Life>,
    /// Whether the one who asks has its token, or is below its process.
    pub is_holder: bool,
}

/// How a lane's claim stands to the one who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is none, or it is over.
    Free,
    /// It is theirs.
    Own,
    /// It is another holder's.
    Others,
}

impl Claim {
    /// The moment at which it ends by itself, where that is known.
    pub fn until(&self, renewed: Option<i64>) -> Option<i64> {
        match self.end {
            ClaimEnd::Time(until) => Some(renewed.map_or(until, |renewed| renewed.max(until))),
            ClaimEnd::Release | ClaimEnd::Process(_) => None,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self, facts: Facts) -> bool {
        match &self.end {
            ClaimEnd::Release => false,
            ClaimEnd::Time(_) => self
                .until(facts.renewed)
                .is_some_and(|until| until <= facts.now),
            ClaimEnd::Process(_) => facts.process == Some(Life::Ended),
        }
    }

    /// How it stands to the one who asks.
    pub fn standing(&self, facts: Facts) -> Standing {
        if self.is_over(facts) {
            Standing::Free
        } else if facts.is_holder {
            Standing::Own
        } else {
            Standing::Others
        }
    }

    /// The process that it ends with, where it does.
    pub fn pid(&self) -> Option<i32> {
        match &self.end {
            ClaimEnd::Process(process) => Some(process.pid),
            ClaimEnd::Release | ClaimEnd::Time(_) => None,
        }
    }

    /// Whether it keeps the lane for an owner to whom it was handed over.
    pub fn is_reserved(&self) -> bool {
        self.key.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(end: ClaimEnd) -> Claim {
        Claim {
            holder: "ann".into(),
            key: Some("k".into()),
            since: 0,
            end,
            message: None,
        }
    }

    #[test]
    fn a_claim_ends_by_release_by_time_or_with_its_process() {
        let process = || {
            ClaimEnd::Process(ProcessMark {
                pid: 7,
                started: 1,
                boot: "b".into(),
                namespace: "n".into(),
                machine: "m".into(),
            })
        };
        let facts = |now, renewed, process| Facts {
            now,
            renewed,
            process,
            is_holder: false,
        };
        for (end, facts, over) in [
            (ClaimEnd::Release, facts(i64::MAX, None, None), false),
            (ClaimEnd::Time(10), facts(9, None, None), false),
            (ClaimEnd::Time(10), facts(10, None, None), true),
            (ClaimEnd::Time(10), facts(10, Some(11), None), false),
            (ClaimEnd::Time(10), facts(11, Some(11), None), true),
            // A renewal never shortens it.
            (ClaimEnd::Time(10), facts(9, Some(5), None), false),
            (process(), facts(0, None, Some(Life::Lives)), false),
            (process(), facts(0, None, Some(Life::Unknown)), false),
            (process(), facts(0, None, Some(Life::Ended)), true),
        ] {
            let claim = claim(end);
            assert_eq!(claim.is_over(facts), over, "{claim:?} {facts:?}");
            let expected = if over {
                Standing::Free
            } else {
                Standing::Others
            };
            assert_eq!(claim.standing(facts), expected);
            let holder = Facts {
                is_holder: true,
                ..facts
            };
            let expected = if over { Standing::Free } else { Standing::Own };
            assert_eq!(claim.standing(holder), expected);
        }
    }
}
