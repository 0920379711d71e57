//! `.git/lane/events.jsonl`: what happened, one JSON object a line, for audit and orchestration.
//!
//! A line is one `write(2)` with O_APPEND. Writers take turns by a lock they hold for that write,
//! so sequence numbers have no gaps and no twins and a full file is rotated by renames that no
//! writer can fall into. Readers take no lock: they read the newest file first, so a rotation
//! meanwhile shows them a line twice and never hides one, and they skip a line that a crash or a
//! full disk has torn. The log is never a reason for an operation to fail.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::journal::{Exclusive, unique_id};
use crate::domain::event::{Actor, End, Event, Phase, Problem, Subject};
use crate::error::{Error, IoContext, Result};
use crate::store::file_id::Stamp;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;

/// A file larger than this is rotated away.
const LARGEST: u64 = 1 << 20;

/// How many rotated files stay: `events.1.jsonl` is the youngest.
const KEPT: usize = 4;

/// How long to wait for the turn of others; each takes microseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of the end of a file holds its last line for certain; texts are cut to
/// [`LONGEST_TEXT`].
const TAIL: u64 = 64 << 10;

/// No log gets that far; a line with a larger number would leave none for those to come.
const LAST_NUMBER: u64 = 1 << 53;

/// Characters of a text that a user chose: an owner, a message.
const LONGEST_TEXT: usize = 1000;

/// The log of a repository.
#[derive(Debug, Clone)]
pub struct Log {
    lane_dir: LaneDir,
    largest: u64,
    kept: usize,
    trouble: Trouble,
}

/// An operation whose beginning is in the log.
#[derive(Debug)]
#[must_use = "say how it ended: after() or failed()"]
pub struct Operation {
    log: Log,
    id: String,
    subject: Subject,
}

/// Why a log could not be written, if it could not; the first reason is enough. The operations of a
/// command share it with the place that tells the user.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<OnceLock<String>>);

impl Trouble {
    /// The first reason.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl Operation {
    /// What the operation is about, where more is known by now than at its beginning.
    pub fn subject(&mut self) -> &mut Subject {
        &mut self.subject
    }

    /// Logs that the operation is done.
    pub fn after(self, end: End) {
        self.tell(Phase::After, end);
    }

    /// Logs that it failed.
    pub fn failed(self, error: &Error) {
        let problem = Problem {
            code: error.code().as_str().into(),
            message: cut(error.to_string()),
        };
        self.tell(
            Phase::Failed,
            End {
                problem: Some(problem),
                ..End::default()
            },
        );
    }

    /// Logs the end that `result` is, and hands it back.
    pub fn ended<T>(self, result: Result<T>, end: impl FnOnce(&T) -> End) -> Result<T> {
        match &result {
            Ok(value) => self.after(end(value)),
            Err(error) => self.failed(error),
        }
        result
    }

    fn tell(&self, phase: Phase, end: End) {
        let event = Event {
            sequence: 0,
            time: format!("{:.3}", jiff::Timestamp::now()),
            operation: self.id.clone(),
            phase,
            actor: actor(),
            subject: self.subject.clone(),
            end,
        };
        if let Err(error) = self.log.append(event) {
            let _ = self.log.trouble.0.set(error.to_string());
        }
    }
}

/// Who runs this process, as its events say.
pub fn actor() -> Actor {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let owner = variable("GIT_LANE_OWNER").map(|owner| owner.to_string_lossy().into_owned());
    let owner = owner.or_else(super::login::name).map(cut);
    let owner = owner.unwrap_or_else(super::login::number);
    Actor {
        owner,
        pid: std::process::id(),
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

impl Log {
    /// The log in `lane_dir`; why its operations cannot write it goes to `trouble`.
    pub fn new(lane_dir: &LaneDir, trouble: Trouble) -> Self {
        Log {
            lane_dir: lane_dir.clone(),
            largest: LARGEST,
            kept: KEPT,
            trouble,
        }
    }

    /// Logs what is done in one step.
    pub fn tell(self, subject: Subject, end: End) {
        let operation = Operation {
            log: self,
            id: unique_id(),
            subject,
        };
        operation.after(end);
    }

    /// Logs that an operation begins.
    pub fn begin(self, subject: Subject) -> Operation {
        let operation = Operation {
            log: self,
            id: unique_id(),
            subject,
        };
        operation.tell(Phase::Before, End::default());
        operation
    }

    /// The file that is written now, for 0, or a rotated one.
    fn file(&self, number: usize) -> PathBuf {
        self.lane_dir.join(match number {
            0 => "events.jsonl".to_owned(),
            _ => format!("events.{number}.jsonl"),
        })
    }

    /// Gives `event` its number and writes it.
    pub fn append(&self, mut event: Event) -> Result<u64> {
        let _turn = Exclusive::acquire(&self.lane_dir, "events.lock", PATIENCE)?;
        let path = self.file(0);
        self.ensure_own()?;
        let mut bytes = Vec::new();
        let current = std::fs::symlink_metadata(&path)
            .map(|metadata| metadata.len())
            .unwrap_or(0);
        if current > 0
            && lane_files::open_read(&path)
                .and_then(|file| tail(file, 1))
                .context("read", &path)?
                != b"\n"
        {
            // The last writer died in the middle of its line.
            bytes.push(b'\n');
        }
        event.sequence = self
            .last()
            .map_or(1, |last| last.sequence.saturating_add(1));
        serde_json::to_writer(&mut bytes, &event).map_err(|error| {
            Error::environment(format!("cannot write '{}'", path.display())).caused_by(error)
        })?;
        bytes.push(b'\n');
        if current > 0 && current + bytes.len() as u64 > self.largest {
            self.rotate()?;
        }
        let mut file = self
            .lane_dir
            .open(OpenOptions::new().append(true).create(true), &path)
            .context("open", &path)?;
        let written = file.write(&bytes).context("write", &path)?;
        if written < bytes.len() {
            return Err(Error::environment(format!(
                "cannot write '{}': the disk is full",
                path.display()
            )));
        }
        Ok(event.sequence)
    }

    /// Moves away what is in the place of the log's files and none of git-lane's, and breaks
    /// further links to the newest: another name of the file may be that of something else.
    fn ensure_own(&self) -> Result<()> {
        for path in (0..=self.kept)
            .map(|number| self.file(number))
            .filter(|path| lane_files::is_unfit(path, false))
        {
            self.lane_dir.set_aside(&path);
        }
        let path = self.file(0);
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.nlink() > 1) {
            let copy = self.lane_dir.join(format!("events.{}", unique_id()));
            let text =
                lane_files::open_read(&path).and_then(|file| tail(file, self.largest + TAIL));
            let written = self.lane_dir.write(&copy, &text.context("read", &path)?);
            written.context("write", &copy)?;
            std::fs::rename(&copy, &path).context("write", &path)?;
        }
        Ok(())
    }

    /// The oldest goes, every other file gets the next number. A death in between leaves a number
    /// out.
    fn rotate(&self) -> Result<()> {
        for number in (0..self.kept).rev() {
            let from = self.file(number);
            match std::fs::rename(&from, self.file(number + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).context("rotate", &from);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What the newest file looks like: while that stays the same, nothing has been written.
    pub fn state(&self) -> Option<Stamp> {
        Stamp::of_name(&self.file(0))
    }

    /// The last event that can be read.
    pub fn last(&self) -> Option<Event> {
        (0..=self.kept).find_map(|number| {
            let bytes = lane_files::open_read(&self.file(number))
                .and_then(|file| tail(file, TAIL))
                .unwrap_or_default();
            bytes.split(|byte| *byte == b'\n').rev().find_map(event)
        })
    }

    /// The events after number `after`, oldest first, however they are spread over the files.
    pub fn since(&self, after: u64) -> Result<Vec<Event>> {
        let mut found = Vec::new();
        for number in 0..=self.kept {
            let path = self.file(number);
            let bytes = match lane_files::open_read(&path)
                .and_then(|file| tail(file, self.largest + TAIL))
            {
                Ok(bytes) => bytes,
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        || lane_files::is_unfit(&path, false) =>
                {
                    continue;
                }
                Err(error) => return Err(error).context("read", &path),
            };
            let lines = bytes.split(|byte| *byte == b'\n').rev().filter_map(event);
            let before = found.len();
            found.extend(lines.take_while(|event| event.sequence > after));
            // What is older is not wanted.
            if found.len() == before && !bytes.is_empty() && after > 0 {
                break;
            }
        }
        found.sort_by_key(|event| event.sequence);
        found.dedup_by_key(|event| event.sequence);
        Ok(found)
    }
}

/// A line that is an event; anything else is a torn line or a later version's.
#[doc(hidden)]
pub fn event(line: &[u8]) -> Option<Event> {
    serde_json::from_slice(line)
        .ok()
        .filter(|event: &Event| event.sequence <= LAST_NUMBER)
}

/// The last `most` bytes of a file.
fn tail(mut file: File, most: u64) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    // More may be written while this reads; an unfinished line at the end is skipped like a torn
    // one.
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::event::What;
    use crate::store::permissions::Shared;

    fn log(directory: &Path, largest: u64, kept: usize) -> Log {
        Log {
            lane_dir: LaneDir::of(directory, Shared::Umask),
            largest,
            kept,
            trouble: Trouble::default(),
        }
    }

    fn drop_of(operation: &str) -> Event {
        let subject = Subject {
            what: What::Drop,
            lane: None,
            lane_id: None,
            base: None,
            base_commit: None,
            undoes: Vec::new(),
        };
        Event {
            sequence: 0,
            time: "2026-11-21T02:39:45.123Z".into(),
            operation: operation.into(),
            phase: Phase::After,
            actor: actor(),
            subject,
            end: End::default(),
        }
    }

    #[test]
    fn fifty_writers_lose_nothing_while_the_file_is_rotated_and_read() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 4096, 1000);
        std::thread::scope(|scope| {
            for writer in 0..50 {
                let log = &log;
                scope.spawn(move || {
                    for round in 0..6 {
                        log.append(drop_of(&format!("{writer}-{round}"))).unwrap();
                    }
                });
            }
            for _ in 0..20 {
                let seen = log.since(0).unwrap();
                let numbers: Vec<u64> = seen.iter().map(|event| event.sequence).collect();
                assert_eq!(numbers, (1..=seen.len() as u64).collect::<Vec<_>>());
            }
        });
        let all = log.since(0).unwrap();
        assert_eq!(all.len(), 300);
        assert!(log.file(3).exists());
        assert_eq!(log.since(290).unwrap().len(), 10);
        assert_eq!(log.since(300).unwrap().len(), 0);
    }

    #[test]
    fn a_torn_line_is_skipped_and_the_next_one_starts_afresh() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), LARGEST, KEPT);
        log.append(drop_of("one")).unwrap();
        let mut file = OpenOptions::new().append(true).open(log.file(0)).unwrap();
        file.write_all(b"{\"sequence\":2,\"ti").unwrap();
        assert_eq!(log.since(0).unwrap().len(), 1);
        assert_eq!(log.append(drop_of("two")).unwrap(), 2);
        let operations: Vec<String> = log
            .since(0)
            .unwrap()
            .into_iter()
            .map(|event| event.operation)
            .collect();
        assert_eq!(operations, ["one", "two"]);
    }

    #[test]
    fn old_files_go_and_numbers_go_on() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 1000, 2);
        for round in 0..40 {
            assert_eq!(log.append(drop_of("x")).unwrap(), round + 1);
        }
        assert!(log.file(2).exists() && !log.file(3).exists());
        assert!(std::fs::metadata(log.file(0)).unwrap().len() <= 1000);
        assert_eq!(log.since(0).unwrap().last().unwrap().sequence, 40);
        // A death between the renames of a rotation.
        std::fs::rename(log.file(0), directory.path().join("gone")).unwrap();
        let last = log.last().unwrap().sequence;
        assert_eq!(log.append(drop_of("x")).unwrap(), last + 1);
    }
}
