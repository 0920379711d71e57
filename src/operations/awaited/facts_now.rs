//! The lanes that are waited for as they are now: what the conditions ask for, and again only what
//! may have changed.
//!
//! The loop in `awaited` calls it, often enough that a look at nothing new must cost nothing.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bstr::BString;

use super::Awaited;
use super::ended_landings::EndedLandings;
use super::refs_now::{RefsNow, directories};
use crate::domain::integration::Integration;
use crate::domain::lane::{Lane, LaneId, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::overview::State;
use crate::domain::retire::Places;
use crate::domain::trash_entry::{Entry, Reason};
use crate::domain::waiting::{Condition, Facts, Left, standing};
use crate::error::{Error, Result};
use crate::operations::in_flight::{standings, worktree_statuses};
use crate::operations::{retire, trash};
use crate::repository::Repository;
use crate::store::file_id::Stamp;

/// A record that nothing took away must be missing for so long: an editor that empties
/// `.git/config` before it writes it anew has no lanes in between.
pub(super) const MISSING: Duration = Duration::from_secs(1);

/// The lanes, and what was seen of them.
pub(super) struct FactsNow<'a> {
    repository: &'a Repository,
    until: &'a [Condition],
    pub(super) lanes: Vec<Awaited>,
    seen: Vec<Seen>,
    records: RecordsNow,
    refs: RefsNow,
    landings: EndedLandings,
    worktrees: Vec<Worktree>,
}

/// What was seen of one lane.
#[derive(Default)]
struct Seen {
    /// Whether it was settled when its git directory looked like that.
    settled: Option<(GitDir, bool)>,
    /// Whether its base had what was made in it when both were at these commits.
    landed: Option<([ObjectId; 2], bool)>,
    /// What the log tells of it.
    told: Option<Told>,
    /// What became of it.
    left: Option<(Left, bool)>,
    /// Since when its record is missing and nothing says why.
    missing: Option<Instant>,
}

/// A landing that the log tells of.
struct Told {
    operation: String,
    /// Where the lane was when that was read.
    tip: Option<ObjectId>,
    /// Whether the lane has gone on since: then the log does not know whether it has landed.
    went_on: bool,
}

/// The records by the ids of their lanes, for as long as the file is the same one.
#[derive(Default)]
struct RecordsNow {
    file: Option<Stamp>,
    lanes: HashMap<LaneId, Lane>,
    damaged: HashSet<BString>,
}

/// What changes in a worktree's git directory when something is staged, committed, switched to, or
/// when an operation begins or ends.
#[derive(PartialEq, Eq)]
struct GitDir {
    files: [Option<Stamp>; 4],
    tip: Option<ObjectId>,
}

impl<'a> FactsNow<'a> {
    /// Nothing is known yet but of which lanes.
    pub(super) fn begin(
        repository: &'a Repository,
        lanes: Vec<Lane>,
        until: &'a [Condition],
    ) -> Self {
        FactsNow {
            repository,
            until,
            seen: lanes.iter().map(|_| Seen::default()).collect(),
            lanes: lanes.into_iter().map(Awaited::new).collect(),
            records: RecordsNow::default(),
            refs: RefsNow::default(),
            landings: EndedLandings::begin(repository),
            worktrees: Vec::new(),
        }
    }

    fn asks(&self, condition: Condition) -> bool {
        self.until.contains(&condition)
    }

    /// Looks at what may have changed; with `at_all` at the files of each lane too, of whose changes
    /// nothing tells.
    pub(super) fn look(&mut self, at_all: bool) -> Result<()> {
        self.records.look(self.repository)?;
        for awaited in &mut self.lanes {
            if let Some(record) = self.records.lanes.get(&awaited.lane.id) {
                awaited.lane.clone_from(record);
            }
        }
        if self.asks(Condition::Landed) {
            self.landings.look();
        }
        if self.asks(Condition::Landed) || self.asks(Condition::Settled) {
            self.refs.look(self.repository)?;
        }
        if self.asks(Condition::Settled) {
            self.look_at_files(at_all)?;
        }
        if self.asks(Condition::Landed) {
            self.compare()?;
        }
        for at in 0..self.lanes.len() {
            let facts = self.facts(at)?;
            self.lanes[at].standing = standing(self.until, &facts);
        }
        Ok(())
    }

    /// Whether a record is missing, for too short a time to say that its lane is gone.
    pub(super) fn misses_a_record(&self) -> bool {
        let is_new = |since: Instant| since.elapsed() < MISSING;
        self.seen
            .iter()
            .any(|seen| seen.missing.is_some_and(is_new))
    }

    fn is_there(&self, lane: &Lane) -> bool {
        self.records.lanes.contains_key(&lane.id)
    }

    fn facts(&mut self, at: usize) -> Result<Facts> {
        let Awaited { lane, .. } = &self.lanes[at];
        let failed = self.landings.problem(&lane.id).cloned();
        let told = self.seen[at].told.as_ref();
        let has_landed = told.is_some_and(|told| !told.went_on);
        let facts = Facts {
            failed,
            has_landed,
            ..Facts::default()
        };
        let is_damaged = self.records.damaged.contains(lane.name.as_str().as_bytes());
        if !self.is_there(lane) && !is_damaged {
            return self.facts_of_gone(at, facts);
        }
        let seen = &mut self.seen[at];
        seen.left = None;
        seen.missing = None;
        Ok(Facts {
            status: lane.mark.as_ref().map(|mark| mark.status),
            is_settled: seen.settled.as_ref().is_some_and(|(_, settled)| *settled),
            has_landed: has_landed || seen.landed.is_some_and(|(_, landed)| landed),
            ..facts
        })
    }

    /// The facts of a lane that has no record: what the trash says of it.
    fn facts_of_gone(&mut self, at: usize, facts: Facts) -> Result<Facts> {
        let lane = &mut self.lanes[at].lane;
        let seen = &mut self.seen[at];
        let (left, landed) = match seen.left {
            Some(known @ (Left::Removed(_), _)) => known,
            _ if trash::is_moving(self.repository, &lane.name) => (Left::UnderWay, false),
            _ => {
                let entries = trash::entries(self.repository)?;
                let own = entries.into_iter().find(|entry| entry.lane.id == lane.id);
                match own {
                    Some(entry) => {
                        let left = (Left::Removed(entry.reason), went_landed(&entry));
                        *lane = entry.lane;
                        left
                    }
                    None => {
                        let since = *seen.missing.get_or_insert_with(Instant::now);
                        if since.elapsed() < MISSING {
                            return Ok(facts);
                        }
                        (Left::Unrecorded, false)
                    }
                }
            }
        };
        seen.left = Some((left, landed));
        Ok(Facts {
            status: lane.mark.as_ref().map(|mark| mark.status),
            has_landed: facts.has_landed || landed,
            left: Some(left),
            ..facts
        })
    }

    fn tip(&mut self, at: usize) -> Result<Option<ObjectId>> {
        let branch = self.lanes[at].lane.branch.as_ref();
        let Some(branch) = branch.map(RefName::from) else {
            return Ok(None);
        };
        self.refs.target(self.repository, &branch)
    }

    /// Reads the files of those lanes whose git directories look different, or of all.
    fn look_at_files(&mut self, at_all: bool) -> Result<()> {
        let mut now = Vec::new();
        for at in 0..self.lanes.len() {
            now.push(self.tip(at)?);
        }
        let changed = |worktrees: &[Worktree], seen: &[Seen], lanes: &[Awaited]| {
            let places = Places::of(worktrees);
            let lanes = lanes.iter().zip(seen).zip(&now).enumerate();
            let mut found = Vec::new();
            for (at, ((awaited, seen), tip)) in lanes {
                let worktree = places.place(&awaited.lane).worktree();
                let now = worktree.map(|worktree| GitDir::of(worktree, *tip));
                let then = seen.settled.as_ref().map(|(then, _)| then);
                if at_all || now.as_ref() != then {
                    found.push((at, worktree.cloned(), now));
                }
            }
            found
        };
        if !at_all && changed(&self.worktrees, &self.seen, &self.lanes).is_empty() {
            return Ok(());
        }
        self.worktrees = self.repository.worktrees()?;
        let changed = changed(&self.worktrees, &self.seen, &self.lanes);
        let is_present = |worktree: &&Worktree| worktree.state == WorktreeState::Present;
        let there = |worktree: &Option<Worktree>| worktree.as_ref().is_some_and(|w| is_present(&w));
        let present: Vec<&Worktree> = changed
            .iter()
            .filter_map(|(_, worktree, _)| worktree.as_ref().filter(is_present))
            .collect();
        let mut statuses = worktree_statuses(self.repository, &present).into_iter();
        for (at, worktree, git_dir) in changed {
            let status = there(&worktree).then(|| statuses.next()).flatten();
            let status = status.map(|status| status.map_err(|error| error.to_string()));
            let lane = &self.lanes[at].lane;
            let is_settled = State::of(Some(lane), worktree.as_ref(), status).is_settled();
            self.seen[at].settled = git_dir.map(|git_dir| (git_dir, is_settled));
        }
        Ok(())
    }

    /// Compares the lanes with their bases where one of them has moved.
    fn compare(&mut self) -> Result<()> {
        let mut pairs = Vec::new();
        let mut places = Vec::new();
        for at in 0..self.lanes.len() {
            let tip = self.tip(at)?;
            self.note_told(at, tip);
            let base = match &self.lanes[at].lane.base {
                Some(base) => self.refs.target(self.repository, base)?,
                None => None,
            };
            let Some((tip, base)) = tip.zip(base) else {
                self.seen[at].landed = None;
                continue;
            };
            if self.seen[at]
                .landed
                .is_none_or(|(then, _)| then != [tip, base])
            {
                pairs.push((tip, base));
                places.push(at);
            }
        }
        for ((at, pair), versus) in places
            .into_iter()
            .zip(&pairs)
            .zip(standings(self.repository, &pairs))
        {
            let (tip, base) = *pair;
            // What cannot be read now is looked at again with the next move.
            let landed = versus.is_ok_and(|versus| match versus.integrated {
                None => false,
                Some(Integration::SameCommit | Integration::Ancestor) => self.has_own(at, tip),
                Some(_) => self.has_changes(at, tip),
            });
            self.seen[at].landed = Some(([tip, base], landed));
        }
        Ok(())
    }

    /// Notes what the log tells of a landing.
    fn note_told(&mut self, at: usize, tip: Option<ObjectId>) {
        let success = self.landings.success(&self.lanes[at].lane.id);
        let told = &mut self.seen[at].told;
        let Some(operation) = success else {
            *told = None;
            return;
        };
        match told {
            // A landing that retires its lane takes the branch along.
            Some(told) if told.operation == operation => {
                told.went_on |= tip.is_some() && tip != told.tip;
            }
            _ => {
                *told = Some(Told {
                    operation: operation.to_owned(),
                    tip,
                    went_on: false,
                });
            }
        }
    }

    /// Whether there is anything to land but empty commits, which are in every base.
    fn has_changes(&self, at: usize, tip: ObjectId) -> bool {
        let tree = |commit| {
            let commit = self.repository.gix.find_commit(commit).ok()?;
            commit.tree_id().ok().map(|tree| tree.detach())
        };
        tree(tip) != tree(self.lanes[at].lane.fork_point)
    }

    fn has_own(&self, at: usize, tip: ObjectId) -> bool {
        let lane = &self.lanes[at].lane;
        if tip == lane.fork_point {
            return false;
        }
        let worktrees = self.repository.worktrees().unwrap_or_default();
        let worktree = Places::of(&worktrees).place(lane).worktree();
        retire::has_own(self.repository, lane, worktree, tip).unwrap_or(false)
    }

    /// The directories in which something changes when one of the facts does, but for the files of
    /// the lanes.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let mut found = vec![
            self.repository.common_dir().to_owned(),
            self.repository.lane_dir().to_path_buf(),
        ];
        let lanes = || self.lanes.iter().map(|awaited| &awaited.lane);
        let branches: Vec<RefName> = lanes()
            .filter_map(|lane| lane.branch.as_ref().map(RefName::from))
            .collect();
        if self.asks(Condition::Landed) || self.asks(Condition::Settled) {
            let bases = lanes().filter_map(|lane| lane.base.as_ref());
            let names: Vec<&RefName> = branches.iter().chain(bases).collect();
            found.extend(directories(self.repository, &names));
        }
        if self.asks(Condition::Settled) {
            let places = Places::of(&self.worktrees);
            let worktrees = lanes().filter_map(|lane| places.place(lane).worktree());
            found.extend(worktrees.map(|worktree| worktree.git_dir.clone()));
        }
        found
    }
}

impl RecordsNow {
    fn look(&mut self, repository: &Repository) -> Result<()> {
        let path = repository.common_dir().join("config");
        let Some(file) = Stamp::of(&path) else {
            // A repository without it is none; its lanes have not left it.
            let sentence = format!("cannot read '{}'", path.display());
            return Err(Error::environment(sentence));
        };
        let now = file.settled();
        if now.is_some() && now == self.file {
            return Ok(());
        }
        let records = repository.records()?;
        let damaged = records.damaged.into_iter().map(|damaged| damaged.section);
        self.damaged = damaged.collect();
        let lanes = records.lanes.into_iter();
        self.lanes = lanes.map(|lane| (lane.id.clone(), lane)).collect();
        self.file = now;
        Ok(())
    }
}

impl GitDir {
    fn of(worktree: &Worktree, tip: Option<ObjectId>) -> Self {
        let files = ["", "HEAD", "index", "reftable/tables.list"];
        GitDir {
            files: files.map(|name| Stamp::of(&worktree.git_dir.join(name))),
            tip,
        }
    }
}

/// Whether a removed lane had landed: the trash has the proof. Of a lane that had no commit of its
/// own only a landing tells that nothing was left to land.
fn went_landed(entry: &Entry) -> bool {
    let has_own = entry.keep != Some(entry.lane.fork_point);
    entry.proof.is_some() && (entry.reason == Reason::Finished || has_own)
}
