//! Whose a lane's claim is, for this process; and the renewals of claims, which stay out of
//! `.git/config`.
//!
//! What lands, syncs, marks or runs in a lane asks [`ensure_not_anothers`], what retires it [`anothers`];
//! `operations/claim` writes what is read here.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Repository;
use crate::domain::claim::{Claim, ClaimEnd, Facts, Standing, claimed};
use crate::domain::lane::{Lane, LaneId};
use crate::error::{IoContext, Result};
use crate::store::journal::unique_id;
use crate::store::{clock, lane_files, process_mark};

/// The variable that has the tokens of the caller's claims, with blanks between them.
pub const TOKENS: &str = "GIT_LANE_CLAIM";

/// A renewal, as its file has it.
#[derive(Debug, Serialize, Deserialize)]
struct Renewal {
    /// The key of the claim that it is one of: that of an earlier claim renews nothing.
    key: String,
    /// In seconds since 1970 UTC.
    until: i64,
}

/// A claim that is not over.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What the record says of it.
    pub claim: &'a Claim,
    /// How it stands to this process: its own, or another's.
    pub standing: Standing,
    /// When it ends by itself, in seconds since 1970 UTC, where that is known.
    pub until: Option<i64>,
}

/// Looks at the lane's claim; `None` where there is none, or it is over.
pub fn look<'a>(repository: &Repository, lane: &'a Lane) -> Option<Seen<'a>> {
    let claim = lane.claim.as_ref()?;
    let facts = facts(repository, &lane.id, claim);
    let standing = claim.standing(facts);
    (standing != Standing::Free).then(|| Seen {
        claim,
        standing,
        until: claim.until(facts.renewed),
    })
}

/// How the lane's claim stands to this process.
pub fn standing(repository: &Repository, lane: &Lane) -> Standing {
    look(repository, lane).map_or(Standing::Free, |seen| seen.standing)
}

/// The lane's claim, where it is not over.
pub fn living<'a>(repository: &Repository, lane: &'a Lane) -> Option<&'a Claim> {
    look(repository, lane).map(|seen| seen.claim)
}

/// The claim that the lane's record has at this moment, where it is another holder's.
pub fn anothers(repository: &Repository, lane: &Lane) -> Option<Claim> {
    let (now, standing) = match record_now(repository, lane) {
        Some(now) => now,
        None => (lane.clone(), standing(repository, lane)),
    };
    now.claim.filter(|_| standing == Standing::Others)
}

/// The lane's record at this moment, and how its claim stands. A claim that ends with the git-lane that
/// takes it is confirmed before that ends: where its process is gone, the record may have been
/// confirmed since it was read.
fn record_now(repository: &Repository, lane: &Lane) -> Option<(Lane, Standing)> {
    let read = || {
        let records = repository.records().unwrap_or_default();
        let found = records.find(&lane.name).filter(|now| now.id == lane.id);
        found.cloned()
    };
    let mut now = read()?;
    loop {
        let standing = standing(repository, &now);
        if now.claim.is_none() || standing != Standing::Free {
            return Some((now, standing));
        }
        let again = read()?;
        if again.claim == now.claim {
            return Some((again, standing));
        }
        now = again;
    }
}

/// The key of the lane's claim at this moment, where it is not over.
pub fn key_now(repository: &Repository, lane: &Lane) -> Option<String> {
    let (now, standing) = record_now(repository, lane)?;
    now.claim.filter(|_| standing != Standing::Free)?.key
}

/// Refuses a lane that another holder has by now.
pub fn ensure_not_anothers(repository: &Repository, lane: &Lane) -> Result<()> {
    // What cannot be read may say that the lane is another's.
    repository.records()?;
    match anothers(repository, lane) {
        Some(claim) => Err(claimed(lane, &claim)),
        None => Ok(()),
    }
}

fn facts(repository: &Repository, lane: &LaneId, claim: &Claim) -> Facts {
    let process = match &claim.end {
        ClaimEnd::Process(process) => Some(process),
        ClaimEnd::Release | ClaimEnd::Time(_) => None,
    };
    let has_token = || {
        let tokens = std::env::var(TOKENS).unwrap_or_default();
        let mut keys = tokens.split_whitespace().map(key_of);
        keys.any(|key| claim.key.as_ref() == Some(&key))
    };
    Facts {
        now: clock::now(),
        renewed: match claim.end {
            ClaimEnd::Time(_) => renewed(repository, lane, claim),
            ClaimEnd::Release | ClaimEnd::Process(_) => None,
        },
        process: process.map(process_mark::life),
        is_holder: !claim.is_reserved()
            && (has_token() || process.is_some_and(process_mark::is_above)),
    }
}

/// What a record keeps of a token.
pub fn key_of(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Until when a claim was renewed, where it was. A renewal that cannot be read may be any.
pub fn renewed(repository: &Repository, lane: &LaneId, claim: &Claim) -> Option<i64> {
    let bytes = match lane_files::read(&file(repository, lane)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(_) => return Some(i64::MAX),
    };
    let Ok(renewal) = serde_json::from_slice::<Renewal>(&bytes) else {
        return Some(i64::MAX);
    };
    (Some(&renewal.key) == claim.key.as_ref()).then_some(renewal.until)
}

/// Has the claim of that key end at `until`, or later where it was renewed for longer; in one step.
pub fn renew(repository: &Repository, lane: &LaneId, key: &str, until: i64) -> Result<()> {
    let path = file(repository, lane);
    let before = lane_files::read(&path).ok();
    let before = before.and_then(|bytes| serde_json::from_slice::<Renewal>(&bytes).ok());
    let before = before.filter(|before| before.key == key);
    let renewal = Renewal {
        key: key.into(),
        until: before.map_or(until, |before| before.until.max(until)),
    };
    let text = serde_json::to_vec(&renewal).unwrap_or_default();
    let directory = repository.lane_dir().join("claims");
    let shared = repository.shared();
    let made = shared.create_dir_all(&directory);
    made.context("create", &directory)?;
    let new = directory.join(format!("{}.new", unique_id()));
    let written = repository.lane_dir().write(&new, &text);
    written.context("write", &new)?;
    std::fs::rename(&new, &path).context("write", &path)
}

/// Removes what is left of the renewals of a claim that is over.
pub fn forget(repository: &Repository, lane: &LaneId) {
    // What stays renews nothing.
    let _ = std::fs::remove_file(file(repository, lane));
}

fn file(repository: &Repository, lane: &LaneId) -> PathBuf {
    let name = format!("{}.json", lane.as_str());
    repository.lane_dir().join("claims").join(name)
}
