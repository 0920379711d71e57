//! One run of a gate's commands: what they are given, and whether what comes of it is a verdict.
//!
//! Called by the gate where no receipt answers.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use super::Watch;
use super::own_worktree::OwnWorktree;
use super::trial::{Trial, quoted, see_all_of};
use crate::domain::duration::in_two_units;
use crate::domain::finish::some;
use crate::domain::lane::ObjectId;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::repository::Repository;
use crate::store::clock::now;
use crate::store::command_run::{self, CappedLog, CommandRun, Ended, Program, Stdin};
use crate::store::disk;
use crate::store::receipts::{Receipt, Receipts};

/// How many of the last lines of a command's output are told.
const TAIL: usize = 12;

/// One run of the commands in their worktree.
pub(super) struct Run<'a> {
    pub(super) trial: &'a Trial<'a>,
    pub(super) watch: &'a dyn Watch,
    pub(super) worktree: &'a OwnWorktree,
    /// The tree of the trial's commit, and the digest of its commands.
    pub(super) tree: ObjectId,
    pub(super) digest: String,
}

impl Run<'_> {
    /// Runs them, and leaves a receipt where they say something of the tree; how they failed, or
    /// ended without a verdict, `None` where they succeeded.
    pub(super) fn run(
        &self,
        repository: &Repository,
        receipts: &Receipts,
    ) -> Result<Option<Error>> {
        let Trial { gate, names, .. } = self.trial;
        let (path, began) = (receipts.new_log(), Instant::now());
        let mut log = new_log(&path)?;
        let environment = self.environment();
        let record = self.worktree.group_record();
        let mut failed = None;
        for (number, command) in gate.commands.iter().enumerate() {
            self.watch.begins(&command.line, names, &path);
            log.add(format!("$ {}\n", command.line).as_bytes());
            let outcome = command_run::run(CommandRun {
                program: Program::Line(&command.line),
                directory: self.worktree.path(),
                environment: &environment,
                without: &[],
                stdin: Stdin::File(self.worktree.lock_file()),
                log: &mut log,
                live: Some(&|output| self.watch.says(output)),
                tick: Some(&|elapsed| self.watch.runs(elapsed)),
                time_limit: Some(gate.time_limit),
                stop: None,
                group_record: Some(&record),
            })?;
            if outcome.ended == Ended::Interrupted {
                return Err(Error::new(
                    Kind::Interrupted,
                    "interrupted while the gate ran; nothing has landed",
                ));
            }
            if outcome.ended == Ended::Exit(0) && outcome.is_logged {
                continue;
            }
            // Only what the command itself says of the tree counts.
            disk::ensure_room(self.worktree.path())?;
            disk::ensure_room(&path)?;
            match by_shell(outcome.ended) {
                Ended::Exit(code) if outcome.is_logged && !matches!(code, 0 | 126 | 127) => {
                    failed = Some((number, code));
                    break;
                }
                ended => {
                    let tail = log.last_lines(TAIL);
                    return Ok(Some(self.unjudged(&command.line, ended, &path, tail)));
                }
            }
        }
        let tail = log.last_lines(TAIL);
        log.close()?;
        let unjudged = |what: &str| {
            let error = self.trial.unjudged(what).quote(tail.clone());
            error.hint(see_all_of(&path))
        };
        let differing = match self.worktree.differing(repository) {
            Ok(differing) => differing,
            Err(error) => return Ok(Some(unjudged(&error.to_string()))),
        };
        if !differing.is_empty() {
            let error = unjudged(&format!(
                "it has changed tracked files: {}",
                some(&differing)
            ));
            let hint = "have the gate check them instead, or keep what it writes out of them";
            return Ok(Some(error.hint(hint)));
        }
        let receipt = Receipt {
            tree: self.tree,
            commands: self.digest.clone(),
            lines: gate.lines(),
            exit: failed.map_or(0, |(_, code)| code),
            failed: failed.map(|(number, _)| number),
            seconds: began.elapsed().as_secs_f64(),
            at: now(),
            log: path,
            tail,
        };
        receipts.write(&receipt)?;
        Ok(self.trial.failure(&receipt, false))
    }

    fn environment(&self) -> Vec<(String, OsString)> {
        let names: Vec<&str> = self.trial.names.iter().map(|name| name.as_str()).collect();
        let base = crate::store::path(self.trial.base.as_bstr()).into_os_string();
        vec![
            ("GIT_LANE_NAMES".into(), names.join(" ").into()),
            ("GIT_LANE_BASE".into(), base),
            (
                "GIT_LANE_COMMIT".into(),
                self.trial.commit.to_string().into(),
            ),
        ]
    }

    /// The error for a run that says nothing about the tree.
    fn unjudged(&self, line: &str, ended: Ended, log: &Path, tail: Vec<String>) -> Error {
        let what = match ended {
            Ended::TimedOut => {
                let limit = in_two_units(self.trial.gate.time_limit.as_secs());
                format!("{} took longer than {limit}", quoted(line))
            }
            Ended::Signal(signal) => format!("{} was ended by signal {signal}", quoted(line)),
            Ended::Exit(127) => format!("{} was not found", quoted(line)),
            Ended::Exit(126) => format!("{} cannot be run", quoted(line)),
            _ => format!("what {} said cannot be written to its log", quoted(line)),
        };
        let error = self.trial.unjudged(&what).quote(tail);
        let error = error.hint(see_all_of(log));
        match ended {
            Ended::TimedOut => error
                .with_code(Code::GateTimeout)
                .hint("finish.gate-time-limit in lane.toml gives it more time"),
            _ => error,
        }
    }
}

/// How the command ended where its shell says that by an exit code: 128 and the number of the signal.
fn by_shell(ended: Ended) -> Ended {
    match ended {
        Ended::Exit(code @ 129..=192) => Ended::Signal(code - 128),
        ended => ended,
    }
}

/// A new log, for this user alone.
fn new_log(path: &Path) -> Result<CappedLog> {
    let mut options = File::options();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.context("create", path)
        .map(|file| CappedLog::new(file, path))
}
