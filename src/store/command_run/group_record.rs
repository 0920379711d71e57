//! The file that names a running group, so that the next process can end what a killed git-lane left
//! running.
//!
//! `run` writes and removes it; whoever wants the same place for a command calls
//! [`end_left_group`]. Numbers of processes are used again, and a file may say anything: a group is
//! ended only where the kernel shows that a command of that very run is in it.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::process_group;
use crate::error::{IoContext, Result};
use crate::store::process_stat::{self, ProcessStat};
use crate::store::{lane_files, platform, process_mark, signals};

/// The variable that a command and all it starts have in their environment.
pub const RUN_ID: &str = "GIT_LANE_RUN";

/// Which group runs, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecord {
    /// What the group's [`RUN_ID`] is.
    run: String,
    /// The number of the group and of its leader.
    group: i32,
    /// When the leader began, as [`ProcessStat`] has it.
    started: u64,
    /// The git-lane that waits for it, and when that began.
    waits: i32,
    waits_started: u64,
    /// Where these numbers mean something: a boot of a machine, and a container on it.
    machine: String,
}

/// What became of the group that a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftGroup {
    /// There was no record, or nothing is left of the group it names.
    Gone,
    /// The group of a dead git-lane had so many living processes, and was ended.
    Ended(usize),
    /// A living git-lane waits for the group; nothing was done.
    Waited(i32),
    /// Something of the group may still be there and cannot be ended from here: it is another
    /// user's, in another container, or the kernel does not end it. A file may claim that; only a
    /// lock that is held proves that a command is in the way.
    Stays(i32),
}

/// What is left of the group of a record.
enum Left {
    Nothing,
    /// So many processes.
    Ours(usize),
    /// The leader lives, and shows itself to its own user alone.
    AnotherUsers,
    /// The system does not tell whether they are of that run.
    Unknown,
}

impl GroupRecord {
    /// The record of a group that this process has just started.
    pub fn of(group: Pid, run: &str) -> Option<Self> {
        let group = group.as_raw_nonzero().get();
        let own = process_stat::of(std::process::id().cast_signed())?;
        Some(GroupRecord {
            run: run.into(),
            group,
            started: process_stat::of(group)?.started,
            waits: own.id,
            waits_started: own.started,
            machine: machine(),
        })
    }

    /// Puts it at `path` in one step, in the place of whatever is there; until then it is beside it,
    /// under the same name with a dot before it. Every user may read it, as they may the list of
    /// processes.
    pub fn write(&self, path: &Path) -> Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        // One that a killed process left.
        lane_files::remove_if_there(&directory.join(&name))?;
        let written = || {
            let mut file = tempfile::Builder::new()
                .prefix(&name)
                .rand_bytes(0)
                .permissions(Permissions::from_mode(0o644))
                .tempfile_in(directory)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.persist(path).map_err(|error| error.error)
        };
        written().context("write", path).map(drop)
    }

    /// Nothing where the file is no record.
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&lane_files::read(path).ok()?).ok()
    }

    /// Whether the git-lane that wrote it still waits for the group.
    fn is_waited_for(&self) -> bool {
        let waits = process_stat::of(self.waits).filter(|found| !found.is_zombie);
        waits.is_some_and(|found| found.started == self.waits_started)
    }

    /// What is left of it.
    fn left(&self, stdin: Option<&File>) -> Left {
        let living = process_stat::living(self.group).unwrap_or_default();
        let leader = living.iter().find(|one| one.id == self.group);
        // The group is one for as long as anybody is in it.
        if leader.is_some_and(|leader| leader.started != self.started) {
            return Left::Nothing;
        }
        let mut are_of_run = living.iter().map(|one| self.is_of_run(one, stdin));
        match any_is(&mut are_of_run) {
            Some(true) => Left::Ours(living.len()),
            None => Left::Unknown,
            Some(false) if leader.is_some_and(|leader| platform::is_hidden(leader.id)) => {
                Left::AnotherUsers
            }
            Some(false) => Left::Nothing,
        }
    }

    /// A process that was started with the run's id in its environment, or whose standard input is
    /// the file that git-lane gives to such commands alone; `None` where the system does not tell.
    fn is_of_run(&self, process: &ProcessStat, stdin: Option<&File>) -> Option<bool> {
        let setting = format!("{RUN_ID}={}", self.run);
        let has_id = match self.run.is_empty() {
            true => Some(false),
            false => platform::has_in_environment(process.id, &setting),
        };
        let has_input = match stdin {
            Some(stdin) => platform::has_on_stdin(process.id, stdin),
            None => Some(false),
        };
        match (has_id, has_input) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }
}

/// Whether one of them is; `None` where none is known to be and one may be.
fn any_is(answers: &mut dyn Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all_are_known = true;
    for answer in answers {
        match answer {
            Some(true) => return answer,
            Some(false) => {}
            None => all_are_known = false,
        }
    }
    all_are_known.then_some(false)
}

/// Ends the group that `record` names, where the git-lane that started it is dead and the group is
/// still that one, and removes the record. `stdin` is the file that such commands get as standard
/// input. Waits until the group has ended; a record that makes no sense is removed and nothing else
/// happens.
pub fn end_left_group(record: &Path, stdin: Option<&File>) -> Result<LeftGroup> {
    let remove = |what| lane_files::remove_if_there(record).map(|()| what);
    let Some(found) = GroupRecord::read(record) else {
        return remove(LeftGroup::Gone);
    };
    let (boot, _) = split(&found.machine);
    let here = machine();
    if boot != split(&here).0 {
        return remove(LeftGroup::Gone);
    }
    if found.machine != here {
        return Ok(LeftGroup::Stays(found.group));
    }
    if found.is_waited_for() {
        return Ok(LeftGroup::Waited(found.waits));
    }
    let left = match found.left(stdin) {
        Left::Nothing => return remove(LeftGroup::Gone),
        Left::AnotherUsers | Left::Unknown => return Ok(LeftGroup::Stays(found.group)),
        Left::Ours(left) => left,
    };
    let Some(group) = process_group::checked(found.group) else {
        return remove(LeftGroup::Gone);
    };
    // The end of the wait, for the impatient, is a signal.
    let ended = process_group::end(
        group,
        process_group::GRACE,
        true,
        || process_group::living(group) == 0 || signals::has_come(),
        std::thread::sleep,
    );
    signals::ensure_none()?;
    if ended {
        remove(LeftGroup::Ended(left))
    } else {
        Ok(LeftGroup::Stays(found.group))
    }
}

/// The boot and the container in it.
fn split(machine: &str) -> (&str, &str) {
    machine.split_once(' ').unwrap_or((machine, ""))
}

/// Which boot of which machine this is, and which numbers of processes are seen here.
fn machine() -> String {
    format!("{} {}", process_mark::boot(), process_mark::namespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_known_decides_and_one_that_is_not_leaves_it_open() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        for (answers, expected) in [
            (&[][..], no),
            (&[no, no], no),
            (&[no, yes], yes),
            (&[unknown, yes], yes),
            (&[no, unknown, no], unknown),
        ] {
            let found = any_is(&mut answers.iter().copied());
            assert_eq!(found, expected, "{answers:?}");
        }
    }
}
