//! The files of commands that run in lanes, in `.git/lane/exec`: a log for each run, and the record of
//! its process group while it lives.
//!
//! Several commands may run in one lane, so a name says whose a file is and of which run. A log is
//! locked while it grows. Called by `run` alone.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::domain::lane::{Lane, LaneId};
use crate::error::{IoContext, Result};
use crate::store::command_run::{CappedLog, LeftGroup, end_left_group};
use crate::store::journal::unique_id;
use crate::store::lane_files::{self, LaneDir};

/// How many logs of a lane stay, the newest.
const KEPT: usize = 5;

/// How many logs of lanes that are gone stay, the newest: why an ephemeral lane came to nothing is
/// read after it has left.
const KEPT_OF_GONE: usize = 50;

/// So much of a lane's name is in the name of a file.
const LABEL: usize = 40;

const LOG: &str = "log";
const RECORD: &str = "group";

/// The files of one run of commands.
#[derive(Debug)]
pub(super) struct RunFiles {
    lane_dir: LaneDir,
    directory: PathBuf,
    run: String,
    /// The records that were there before.
    records: Vec<(Name, PathBuf)>,
}

/// What the name of a file says.
#[derive(Debug)]
struct Name {
    lane: LaneId,
    run: String,
    kind: String,
}

impl RunFiles {
    /// Makes the directory where there is none, and removes old logs: of each lane all but the newest,
    /// and of all lanes that are gone all but the newest. What a killed git-lane has left running in a
    /// lane that is gone is ended.
    pub(super) fn open(lane_dir: &LaneDir, lanes: &[Lane]) -> Result<Self> {
        let directory = lane_dir.join("exec");
        let made = lane_dir.shared().create_dir_all(&directory);
        made.context("create", &directory)?;
        let mut files = RunFiles {
            lane_dir: lane_dir.clone(),
            directory,
            run: unique_id(),
            records: Vec::new(),
        };
        files.clear(lanes)?;
        Ok(files)
    }

    fn clear(&mut self, lanes: &[Lane]) -> Result<()> {
        let is_there = |id: &LaneId| lanes.iter().any(|lane| lane.id == *id);
        let mut logs = Vec::new();
        for path in lane_files::list(&self.directory) {
            let Some(name) = path.file_name().and_then(Name::parse) else {
                continue;
            };
            match name.kind.as_str() {
                LOG => logs.push((name, path)),
                RECORD if is_there(&name.lane) => self.records.push((name, path)),
                RECORD => drop(end_left_group(&path, None)?),
                _ => {}
            }
        }
        logs.sort_by(|(a, _), (b, _)| (&a.lane, &b.run).cmp(&(&b.lane, &a.run)));
        let mut of_gone = Vec::new();
        for all in logs.chunk_by(|(a, _), (b, _)| a.lane == b.lane) {
            let old = all.iter().skip(KEPT);
            old.for_each(|(_, path)| remove_unless_it_grows(path));
            if all.first().is_some_and(|(name, _)| !is_there(&name.lane)) {
                of_gone.extend(all.iter().take(KEPT));
            }
        }
        of_gone.sort_by(|(a, _), (b, _)| b.run.cmp(&a.run));
        let old = of_gone.iter().skip(KEPT_OF_GONE);
        old.for_each(|(_, path)| remove_unless_it_grows(path));
        Ok(())
    }

    /// Ends what killed git-lanes have left running in a lane.
    pub(super) fn end_left(&self, lane: &LaneId) -> Result<Vec<LeftGroup>> {
        let own = self.records.iter().filter(|(name, _)| name.lane == *lane);
        own.map(|(_, path)| end_left_group(path, None)).collect()
    }

    /// The log of a lane's command, new and empty.
    pub(super) fn new_log(&self, lane: &Lane) -> Result<CappedLog> {
        let path = self.path(lane, LOG);
        let file = self.lane_dir.create(&path).context("create", &path)?;
        file.lock().context("lock", &path)?;
        Ok(CappedLog::new(file, &path))
    }

    /// Where the process group of a lane's command is named.
    pub(super) fn record(&self, lane: &Lane) -> PathBuf {
        self.path(lane, RECORD)
    }

    fn path(&self, lane: &Lane, kind: &str) -> PathBuf {
        let plain = |c: char| match c.is_ascii_alphanumeric() || c == '_' {
            true => c,
            false => '-',
        };
        let label: String = lane.name.as_str().chars().take(LABEL).map(plain).collect();
        let (id, run) = (lane.id.as_str(), &self.run);
        self.directory.join(format!("{label}.{id}.{run}.{kind}"))
    }
}

impl Name {
    fn parse(name: &OsStr) -> Option<Self> {
        let mut parts = name.to_str()?.split('.');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (_, lane, run, kind) = (part()?, part()?, part()?, part()?);
        part().is_none().then_some(())?;
        Some(Name {
            lane: LaneId::parse(lane)?,
            run: run.into(),
            kind: kind.into(),
        })
    }
}

fn remove_unless_it_grows(log: &Path) {
    // What stays is removed by a later run.
    let is_free = |file: File| file.try_lock().is_ok();
    if lane_files::open_read(log).is_ok_and(is_free) {
        drop(std::fs::remove_file(log));
    }
}
