//! The queue of landings that wait for the same gate on the same base: a file for each, which its
//! process holds a lock on, and beside it the answer that the leader gives.
//!
//! The files lie in `.git/lane/landing`. One whose process is dead, or that another user has put
//! there, counts as absent; the next command that recovers removes what is left of it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::gate::{Gate, digest};
use crate::domain::lane::{LaneId, ObjectId, RefName, hex};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, IoContext, Result};
use crate::operations::land::crowd::Crowd;
use crate::operations::land::landing_facts;
use crate::operations::land::landing_lock::QUEUES;
use crate::operations::land::outcome::Together;
use crate::repository::Repository;
use crate::store::git::PrePush;
use crate::store::journal::{Exclusive, step, unique_id};
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;

/// The end of an entry's name.
const ENTRY: &str = "json";

/// As many signs of a file's name say which queue it is of.
const KEY: usize = 16;

/// A landing that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// One more than that of the entry before it.
    pub(super) number: u64,
    pub(super) lane: LaneName,
    /// The lane's id, and its tip that lands.
    pub(super) id: LaneId,
    #[serde(with = "hex")]
    pub(super) tip: ObjectId,
    /// The commit it was computed on: the tip of the base, or the commit of the entry before.
    #[serde(with = "hex")]
    pub(super) onto: ObjectId,
    #[serde(with = "hex")]
    pub(super) commit: ObjectId,
    /// The key of the claim by which the process that waits may land the lane.
    #[serde(default)]
    pub(super) claim: Option<String>,
}

/// An entry, and its file.
pub(super) type Place = (PathBuf, Entry);

/// What a leader says to a landing that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(super) enum Answer {
    /// The base is about to move to it, or has.
    Lands {
        /// With which others.
        together: Together,
    },
    /// It has to be computed anew.
    Again,
    /// It does not land, for the reason in this document.
    Told {
        /// As [`Error::to_json`](crate::error::Error::to_json) writes it.
        document: serde_json::Value,
        /// Whether the gate has failed for what this lane makes of the base.
        own: bool,
    },
    /// The gate fails with it and succeeds without it, after all that land before it.
    Suspect {
        /// Those.
        crowd: Crowd,
        /// How the gate failed.
        document: serde_json::Value,
    },
}

impl Answer {
    /// The others that land in the same move of the base.
    pub(super) fn together(self) -> Option<Together> {
        match self {
            Answer::Lands { together } => Some(together),
            _ => None,
        }
    }
}

/// One queue.
#[derive(Debug, Clone)]
pub(super) struct Line {
    lane_dir: LaneDir,
    key: String,
}

/// The place of this process in a queue; left when dropped.
#[derive(Debug)]
pub(super) struct Queued {
    line: Line,
    path: PathBuf,
    #[allow(dead_code, reason = "held for its lock")]
    alive: File,
}

impl Line {
    /// The queue of this user for `gate` on `base`, of those that are to be pushed alike: one of them
    /// moves the base for all.
    pub(super) fn of(
        repository: &Repository,
        base: &BranchName,
        gate: &Gate,
        push: Option<PrePush>,
    ) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let pushed = match push {
            None => "",
            Some(PrePush::Runs) => "push",
            Some(PrePush::Skipped) => "push-no-verify",
        };
        let what = [
            RefName::from(base).to_string(),
            gate.digest(),
            user.to_string(),
            pushed.to_owned(),
        ];
        let key = digest(&what)[..KEY].to_owned();
        let lane_dir = repository.lane_dir().clone();
        Line { lane_dir, key }
    }

    /// Those that wait, each computed on the one before it and the first on `tip`, and the others. A
    /// file says so; that the base only ever goes forward by it, the commits themselves say.
    pub(super) fn chain(
        &self,
        repository: &Repository,
        tip: ObjectId,
    ) -> Result<(Vec<Place>, Vec<Place>)> {
        let mut at = tip;
        let (mut chain, mut others) = (Vec::new(), Vec::new());
        for (path, entry) in self.unanswered() {
            if entry.onto == at && landing_facts::has(repository, entry.commit, at)? {
                at = entry.commit;
                chain.push((path, entry));
            } else {
                others.push((path, entry));
            }
        }
        Ok((chain, others))
    }

    /// Those of [`waiting`](Self::waiting) whose answer is still to come: one that has it and has not
    /// looked yet lands in no later batch.
    pub(super) fn unanswered(&self) -> Vec<Place> {
        let mut found = self.waiting();
        found.retain(|(path, _)| match answer_to(path) {
            None | Some(Answer::Lands { .. }) => true,
            Some(Answer::Again | Answer::Told { .. } | Answer::Suspect { .. }) => false,
        });
        found
    }

    /// Everything that waits and whose process lives, with its file, in the order of the numbers.
    pub(super) fn waiting(&self) -> Vec<Place> {
        let user = rustix::process::geteuid().as_raw();
        let mut found = Vec::new();
        for path in lane_files::list(&self.lane_dir.join(QUEUES)) {
            if !self.has(&path) || path.extension().is_none_or(|end| end != ENTRY) {
                continue;
            }
            let Ok(file) = lane_files::open_read(&path) else {
                continue;
            };
            let is_own = file.metadata().is_ok_and(|file| file.uid() == user);
            if file.try_lock_shared().is_ok() {
                if is_own {
                    leave(&path);
                }
                continue;
            }
            if is_hidden(&path) {
                continue;
            }
            let text = lane_files::read_open(&file).unwrap_or_default();
            if let Ok(entry) = serde_json::from_slice::<Entry>(&text)
                && is_own
            {
                found.push((path, entry));
            }
        }
        found.sort_by_key(|(_, entry)| entry.number);
        found
    }

    /// Takes a place at its end.
    pub(super) fn join(&self, entry: &Entry) -> Result<Queued> {
        let directory = self.directory()?;
        let text = serde_json::to_vec(entry).unwrap_or_default();
        let (path, alive) = loop {
            let name = format!("{}-{}.{ENTRY}", self.key, unique_id());
            let (path, hidden) = (directory.join(&name), directory.join(format!(".{name}")));
            let begun = self.begin(&hidden, &text);
            match begun.and_then(|alive| std::fs::rename(&hidden, &path).map(|()| alive)) {
                Ok(alive) => break (path, alive),
                // Another process saw it in the instant before it was locked, and took it for dead.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    drop(std::fs::remove_file(&hidden));
                    return Err(error).context("write", &path);
                }
            }
        };
        step("land.queued");
        let line = self.clone();
        Ok(Queued { line, path, alive })
    }

    /// A locked file with that text.
    fn begin(&self, hidden: &Path, text: &[u8]) -> std::io::Result<File> {
        let mut alive = self
            .lane_dir
            .open(OpenOptions::new().write(true).create_new(true), hidden)?;
        alive.lock()?;
        alive.write_all(text).map(|()| alive)
    }

    /// Becomes the leader; `None` while another process leads.
    pub(super) fn lead(&self) -> Result<Option<Exclusive>> {
        self.directory()?;
        let name = format!("{QUEUES}/{}.lock", self.key);
        match Exclusive::acquire(&self.lane_dir, &name, Duration::ZERO) {
            Ok(leading) => {
                let signed = leading.sign();
                signed.context("write", &self.lane_dir.join(&name))?;
                Ok(Some(leading))
            }
            Err(error) if error.code() == Code::Busy => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has other processes queue nothing behind what is about to fall apart.
    pub(super) fn halt(&self) -> Result<()> {
        let path = self.halted();
        self.lane_dir.write(&path, b"").context("write", &path)
    }

    /// Lets others queue again.
    pub(super) fn resume(&self) -> Result<()> {
        lane_files::remove_if_there(&self.halted())
    }

    /// Whether a living leader has halted the queue.
    pub(super) fn is_halted(&self) -> bool {
        lane_files::is_file(&self.halted())
            && lane_files::open_read(&self.lock()).is_ok_and(|lock| {
                matches!(
                    lock.try_lock_shared(),
                    Err(std::fs::TryLockError::WouldBlock)
                )
            })
    }

    /// Says to a landing that waits what becomes of it.
    pub(super) fn answer(&self, entry: &Path, answer: &Answer) -> Result<()> {
        let text = serde_json::to_vec(answer).unwrap_or_default();
        let path = answer_of(entry);
        self.lane_dir.replace(&path, &text)?;
        // One that has left meanwhile has not seen it to take it away.
        match lane_files::is_file(entry) {
            true => Ok(()),
            false => lane_files::remove_if_there(&path),
        }
    }

    /// Leaves nothing of a queue in which no process waits.
    fn clear_up(&self) {
        if self.waiting().is_empty()
            && let Ok(Some(_leading)) = self.lead()
        {
            let is_entry = |path: &PathBuf| path.extension().is_some_and(|end| end == ENTRY);
            let left = lane_files::list(&self.lane_dir.join(QUEUES));
            let left =
                left.filter(|path| self.has(path) && !is_entry(path) && *path != self.lock());
            for path in left.chain([self.lock()]) {
                // What stays does no harm, and the next to wait in this queue comes by it.
                drop(std::fs::remove_file(path));
            }
        }
    }

    /// Whether a file of that name is of this queue, and may be about to get its name.
    fn has(&self, path: &Path) -> bool {
        key_of(path).is_some_and(|key| key == self.key)
    }

    fn directory(&self) -> Result<PathBuf> {
        let directory = self.lane_dir.join(QUEUES);
        let made = self.lane_dir.shared().create_dir_all(&directory);
        made.context("create", &directory).map(|()| directory)
    }

    fn halted(&self) -> PathBuf {
        self.lane_dir
            .join(QUEUES)
            .join(format!("{}.halt", self.key))
    }

    fn lock(&self) -> PathBuf {
        self.lane_dir
            .join(QUEUES)
            .join(format!("{}.lock", self.key))
    }
}

impl Queued {
    /// Whether its place is still there: it goes with a repository that is removed.
    pub(super) fn is_there(&self) -> bool {
        lane_files::is_file(&self.path)
    }

    /// What the leader has said.
    pub(super) fn answer(&self) -> Option<Answer> {
        answer_to(&self.path)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        leave(&self.path);
        self.line.clear_up();
    }
}

/// Whether a living process waits in a queue to land the lane.
pub(in crate::operations) fn is_queued(lane_dir: &LaneDir, lane: &LaneId) -> bool {
    let entries = lane_files::list(&lane_dir.join(QUEUES))
        .filter(|path| !is_hidden(path) && path.extension().is_some_and(|end| end == ENTRY));
    entries
        .filter_map(|path| lane_files::open_read(&path).ok())
        .any(|file| {
            let text = lane_files::read_open(&file).unwrap_or_default();
            let entry = serde_json::from_slice::<Entry>(&text);
            entry.is_ok_and(|entry| entry.id == *lane) && file.try_lock_shared().is_err()
        })
}

/// Removes what dead processes have left in this user's queues; those in which a living one waits
/// stay.
pub(in crate::operations::land) fn clear_dead(lane_dir: &LaneDir) {
    let user = rustix::process::geteuid().as_raw();
    let is_own = |path: &PathBuf| {
        std::fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.uid() == user)
    };
    let left = lane_files::list(&lane_dir.join(QUEUES)).filter(is_own);
    let keys: BTreeSet<String> = left.filter_map(|path| key_of(&path)).collect();
    for key in keys {
        let lane_dir = lane_dir.clone();
        Line { lane_dir, key }.clear_up();
    }
}

/// The queue that a file is of, by its name.
fn key_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let key = name.strip_prefix('.').unwrap_or(name).get(..KEY)?;
    key.bytes()
        .all(|sign| sign.is_ascii_hexdigit())
        .then(|| key.to_owned())
}

/// Whether an entry has not got its name yet.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn answer_to(entry: &Path) -> Option<Answer> {
    let text = lane_files::read(&answer_of(entry)).ok()?;
    serde_json::from_slice(&text).ok()
}

fn answer_of(entry: &Path) -> PathBuf {
    entry.with_extension("answer")
}

/// Removes an entry, then its answer: a leader that sees the entry may still be writing one.
fn leave(entry: &Path) {
    // What stays is removed by the next command that recovers.
    drop(std::fs::remove_file(entry));
    drop(std::fs::remove_file(answer_of(entry)));
}
