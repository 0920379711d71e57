//! What earlier looks have found out, in `.git/lane/forecasts.json`: the verdict of each merge that
//! git was asked for, by a digest of all that it depends on, and the last one of each lane and its
//! base, for the list.
//!
//! It is a cache: a file that is damaged, missing or not writable costs time and nothing else, and no
//! landing rests on it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::domain::forecast::{Standing, Verdict};
use crate::domain::lane::{LaneId, ObjectId, RefName, hex, lossless_bytes};
use crate::repository::Repository;
use crate::store::clock::now;
use crate::store::lane_files;
use crate::store::scratch::Directory;

/// How long a verdict stays that no look has asked for, in seconds.
const KEPT: i64 = 7 * 86_400;

/// How many verdicts stay at most.
const MOST: usize = 20_000;

/// An earlier use is noted once in that many seconds.
const DAY: i64 = 86_400;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    verdicts: BTreeMap<String, Merge>,
    lanes: BTreeMap<String, OntoBase>,
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    is_new: bool,
}

/// A merge, and the files in conflict; git names none where it cannot tell where one would go.
#[derive(Debug, Serialize, Deserialize)]
struct Merge {
    conflict: bool,
    paths: Vec<TreePath>,
    used: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TreePath(#[serde(with = "lossless_bytes")] BString);

/// What was found of a lane with nothing uncommitted in it, and its base.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OntoBase {
    base: RefName,
    #[serde(with = "hex")]
    base_tip: ObjectId,
    #[serde(with = "hex")]
    tip: ObjectId,
    conflict: bool,
    paths: Vec<TreePath>,
    used: i64,
}

impl Remembered {
    /// What there is.
    pub fn read(repository: &Repository) -> Self {
        let path = repository.lane_dir().join("forecasts.json");
        let found = lane_files::read(&path).ok();
        let found = found.and_then(|text| serde_json::from_slice(&text).ok());
        Remembered {
            path,
            ..found.unwrap_or_default()
        }
    }

    /// The verdict of the merge with that digest.
    pub(super) fn find(&mut self, digest: &str) -> Option<Verdict> {
        let known = self.verdicts.get_mut(digest)?;
        if now() - known.used > DAY {
            (known.used, self.is_new) = (now(), true);
        }
        Some(verdict(known.conflict, &known.paths))
    }

    /// Keeps a verdict that git has given.
    pub(super) fn keep(&mut self, digest: String, verdict: &Verdict) {
        if matches!(verdict, Verdict::Clear | Verdict::Conflict(_)) {
            let merge = Merge {
                conflict: verdict.is_conflict(),
                paths: tree_paths(verdict),
                used: now(),
            };
            self.verdicts.insert(digest, merge);
            self.is_new = true;
        }
    }

    /// Keeps what was found of a lane and its base. What is uncommitted in a lane no later look
    /// could compare without the cost.
    pub(super) fn keep_onto(
        &mut self,
        lane: &LaneId,
        (base, base_tip): (&RefName, ObjectId),
        standing: &Standing,
        verdict: &Verdict,
    ) {
        if standing.is_uncommitted() {
            return;
        }
        let used = now();
        let known = self.lanes.get(lane.as_str());
        let found = OntoBase {
            base: base.clone(),
            base_tip,
            tip: standing.tip,
            conflict: verdict.is_conflict(),
            paths: tree_paths(verdict),
            used: known.map_or(used, |known| known.used),
        };
        if known != Some(&found) {
            let found = OntoBase { used, ..found };
            self.lanes.insert(lane.as_str().into(), found);
            self.is_new = true;
        }
    }

    /// What a lane was compared with.
    pub fn base_of(&self, lane: &LaneId) -> Option<&RefName> {
        Some(&self.lanes.get(lane.as_str())?.base)
    }

    /// Whether a lane with nothing uncommitted conflicts with its base; `None` where that is not
    /// known.
    pub fn of_base(&self, lane: &LaneId, (base, tip): (ObjectId, ObjectId)) -> Option<Verdict> {
        let known = self.lanes.get(lane.as_str())?;
        let same = (known.base_tip, known.tip) == (base, tip);
        same.then(|| verdict(known.conflict, &known.paths))
    }

    /// Writes what is new.
    pub(super) fn write(mut self, repository: &Repository) {
        if !self.is_new {
            return;
        }
        let young = |used: i64| now() - used < KEPT;
        self.verdicts.retain(|_, known| young(known.used));
        self.lanes.retain(|_, known| young(known.used));
        if self.verdicts.len() > MOST {
            self.verdicts.clear();
        }
        let directory = Directory::new(repository.lane_dir(), "forecast-");
        let (Ok(directory), Ok(text)) = (directory, serde_json::to_vec(&self)) else {
            return;
        };
        let new = directory.path().join("forecasts.json");
        if repository.shared().write(&new, text).is_ok() {
            drop(std::fs::rename(&new, &self.path));
        }
    }
}

fn tree_paths(verdict: &Verdict) -> Vec<TreePath> {
    verdict.paths().iter().cloned().map(TreePath).collect()
}

fn verdict(conflict: bool, paths: &[TreePath]) -> Verdict {
    match conflict {
        false => Verdict::Clear,
        true => Verdict::Conflict(paths.iter().map(|path| path.0.clone()).collect()),
    }
}
