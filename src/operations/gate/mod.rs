//! The gate: the commands that have to succeed on exactly the tree that is about to land.
//!
//! They run in a worktree of git-lane's own; what they say about a tree is kept in a receipt, and a
//! tree with a receipt is not tested again. Called by `land` before a base moves, and by
//! `commands/check`.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::domain::duration::in_two_units;
use crate::domain::gate::Gate;
use crate::domain::lane::ObjectId;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::operations::gate::own_worktree::{OwnWorktree, Slot};
use crate::repository::{Repository, gate_rules};
use crate::store::clock::now;
use crate::store::command_run::{self, CappedLog, CommandRun, Ended, end_left_group};
use crate::store::receipts::{Receipt, Receipts};
use crate::store::{approvals, disk, retry};

mod ignored_links;
pub mod own_worktree;
mod preparation;
mod slot_layout;

/// How long to wait for the gate runs of others.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// How many of the last lines of a command's output are told.
const TAIL: usize = 12;

/// What the user says about the gate of one landing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Commands beside those of the policy.
    pub commands: Vec<String>,
    /// Land without it.
    pub left_out: bool,
    /// Run it although it has failed on that tree.
    pub again: bool,
}

/// Hears how a gate goes.
pub trait Watch {
    /// Another gate runs in this worktree.
    fn waits(&self);
    /// A command begins, whose output goes to `log`.
    fn begins(&self, line: &str, lanes: &[&LaneName], log: &Path);
    /// It has said this.
    fn says(&self, output: &[u8]);
    /// It has run for so long.
    fn runs(&self, elapsed: Duration);
    /// The commands have ended.
    fn ends(&self);
    /// They have succeeded for these files before, and do not run.
    fn knows(&self, lanes: &[&LaneName]);
}

/// Runs gates for one command of the user's.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// What the user says about it.
    pub wish: &'a Wish,
    /// Hears of it.
    pub watch: &'a dyn Watch,
}

/// A tree that may become that of a base.
pub struct Trial<'a> {
    /// What has to succeed.
    pub gate: &'a Gate,
    /// The base.
    pub base: &'a BranchName,
    /// A commit with that tree.
    pub commit: ObjectId,
    /// The tree.
    pub tree: ObjectId,
    /// The lanes that it has beyond its base.
    pub names: &'a [&'a LaneName],
    /// The lane whose landing it takes back.
    pub without: Option<&'a LaneName>,
}

/// What a gate says.
#[derive(Debug)]
pub enum Tested {
    /// It succeeded.
    Passed,
    /// It did not: it failed, or ended in a way that is no verdict.
    Failed(Error),
}

impl Judge<'_> {
    /// The gate of a landing on `tip`, the tip of its base; `landing` is the commit that would land.
    /// It has no commands where the user leaves it out and may.
    pub fn gate(
        &self,
        repository: &Repository,
        tip: ObjectId,
        landing: Option<ObjectId>,
    ) -> Result<Gate> {
        let extra = &self.wish.commands;
        let gate = gate_rules::gate(repository, &repository.gix, tip, landing, extra)?;
        if self.wish.left_out && !gate.is_empty() {
            if gate.required {
                return Err(
                    Error::refused("the policy does not let the gate be left out")
                        .with_code(Code::GateRequired)
                        .hint("see where it says so with: git lane config finish.gate-required"),
                );
            }
            return Ok(gate.left_out());
        }
        Ok(gate)
    }

    /// Refuses a commit as the tip of `base`, which is at `tip`, where the gate does not succeed for
    /// it: the landing of `without` is taken back.
    pub fn ensure_passes_without(
        &self,
        repository: &Repository,
        (base, tip): (&BranchName, ObjectId),
        commit: ObjectId,
        without: &LaneName,
    ) -> Result<()> {
        let gate = self.gate(repository, tip, Some(commit))?;
        if gate.is_empty() {
            return Ok(());
        }
        ensure_approved(&gate, without)?;
        let trial = Trial {
            gate: &gate,
            base,
            commit,
            tree: tree_of(repository, commit)?,
            names: &[],
            without: Some(without),
        };
        match self.test(repository, &trial)? {
            Tested::Passed => Ok(()),
            Tested::Failed(error) => Err(error),
        }
    }

    /// What the gate says about a tree: a receipt tells it, or the commands run.
    pub fn test(&self, repository: &Repository, trial: &Trial<'_>) -> Result<Tested> {
        let receipts = Receipts::open()?;
        let digest = trial.gate.digest();
        let known = || {
            let found = receipts.find(trial.tree, &digest, trial.gate.receipt_age);
            let receipt = found.filter(|receipt| receipt.is_good() || !self.wish.again)?;
            if receipt.is_good() {
                self.watch.knows(trial.names);
            }
            Some(trial.said(&receipt, true))
        };
        if let Some(tested) = known() {
            return Ok(tested);
        }
        let mut worktree =
            OwnWorktree::take(repository, Slot::Gate, PATIENCE, &mut || self.watch.waits())?;
        // The process that had it before may have tested the same tree.
        if let Some(tested) = known() {
            return Ok(tested);
        }
        let record = worktree.group_record();
        end_left_group(&record, Some(worktree.lock_file()))?;
        worktree.check_out(repository, trial.commit)?;
        let run = Run {
            trial,
            watch: self.watch,
            worktree: &worktree,
            digest,
        };
        let tested = run.run(repository, &receipts);
        self.watch.ends();
        receipts.expire(trial.gate.receipt_age);
        tested
    }
}

/// One run of the commands in their worktree.
struct Run<'a> {
    trial: &'a Trial<'a>,
    watch: &'a dyn Watch,
    worktree: &'a OwnWorktree,
    digest: String,
}

impl Run<'_> {
    fn run(&self, repository: &Repository, receipts: &Receipts) -> Result<Tested> {
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
                line: &command.line,
                directory: self.worktree.path(),
                environment: &environment,
                stdin: Some(self.worktree.lock_file()),
                log: &mut log,
                live: Some(&|output| self.watch.says(output)),
                tick: Some(&|elapsed| self.watch.runs(elapsed)),
                time_limit: Some(gate.time_limit),
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
                    return Ok(Tested::Failed(self.unjudged(
                        &command.line,
                        ended,
                        &path,
                        tail,
                    )));
                }
            }
        }
        let tail = log.last_lines(TAIL);
        log.close()?;
        let differing = match self.worktree.differing(repository) {
            Ok(differing) => differing,
            Err(error) => {
                let told = self
                    .trial
                    .unjudged("it has damaged the worktree that it ran in");
                return Ok(Tested::Failed(told.quote(tail).caused_by(error)));
            }
        };
        if !differing.is_empty() {
            let files = crate::domain::finish::some(&differing);
            let what = format!("it has changed tracked files: {files}");
            let hint = "have the gate check them instead, or keep what it writes out of them";
            return Ok(Tested::Failed(self.trial.unjudged(&what).hint(hint)));
        }
        let receipt = Receipt {
            tree: self.trial.tree,
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
        Ok(self.trial.said(&receipt, false))
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
        let error = error.hint(format!("see all of it with: less {}", quote(log.display())));
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

fn quoted(line: &str) -> String {
    format!("'{}'", line.trim())
}

impl Trial<'_> {
    /// What a receipt says; `before` says that it is of an earlier run.
    fn said(&self, receipt: &Receipt, before: bool) -> Tested {
        let Some(failed) = receipt.failed else {
            return Tested::Passed;
        };
        let line = receipt.lines.get(failed).map_or("", String::as_str);
        let whose = self.whose();
        let earlier = if before { " before" } else { "" };
        let error = Error::new(
            Kind::Gate,
            format!(
                "the gate failed{earlier} for {whose}: {} ended with exit code {}; {}",
                quoted(line),
                receipt.exit,
                self.left()
            ),
        );
        let details = serde_json::json!({
            "tree": receipt.tree.to_string(), "command": line, "exit": receipt.exit,
            "log": crate::domain::lane::LosslessPath(receipt.log.clone()),
        });
        let error = error
            .details(details)
            .quote(receipt.tail.clone())
            .hint(format!(
                "see all of it with: less {}",
                quote(receipt.log.display())
            ));
        Tested::Failed(match before {
            true => error.hint("run it once more with: --again"),
            false => error,
        })
    }

    fn unjudged(&self, what: &str) -> Error {
        Error::new(
            Kind::Gate,
            format!(
                "the gate says nothing about {}: {what}; {}",
                self.whose(),
                self.left()
            ),
        )
        .with_code(Code::GateUnjudged)
    }

    /// What has become of the base, for a person.
    fn left(&self) -> String {
        match self.without {
            Some(_) => format!("'{}' stays as it is", self.base),
            None => "nothing of it has landed".into(),
        }
    }

    /// What the tree is, for a person.
    fn whose(&self) -> String {
        let base = self.base;
        if let Some(lane) = self.without {
            return format!("'{base}' without lane '{lane}'");
        }
        match self.names {
            [] => format!("'{base}' as it is, without any lane"),
            [one] => format!("lane '{one}' on '{base}'"),
            [.., last] => format!(
                "lane '{last}' on '{base}' with {} before it",
                match self.names.len() - 1 {
                    1 => format!("lane '{}'", self.names[0]),
                    others => format!("{others} lanes"),
                }
            ),
        }
    }
}

/// Refuses commands that came with the repository and that the user has not approved.
pub fn ensure_approved(gate: &Gate, lane: &LaneName) -> Result<()> {
    if gate.is_empty() || approvals::missing(gate)?.is_empty() {
        return Ok(());
    }
    Err(
        Error::refused("the gate has commands that came with the repository and are not approved")
            .with_code(Code::NotApproved)
            .hint(format!(
                "look at them with: git lane approve {}",
                quote(lane)
            )),
    )
}

/// The tree of a commit.
pub fn tree_of(repository: &Repository, commit: ObjectId) -> Result<ObjectId> {
    let tree = || {
        let commit = repository.gix.find_commit(commit)?;
        commit.tree_id().map(|id| id.detach())
    };
    retry::objects(&repository.gix, tree)
        .map_err(|error| Error::git(format!("cannot read commit {commit}")).caused_by(error))
}
