//! Runs a command of the user's: a gate's, and whatever else is run for them.
//!
//! The command has a process group of its own, an empty standard input and one pipe for all that it
//! says. It ends by itself, by its time limit, by the word of its caller or by a signal for
//! git-lane; nothing of its group is left afterwards, and a group that outlives a killed git-lane is
//! named by a record.
//! `foreground` is for what has the terminal instead.

mod capped_log;
mod foreground;
mod group_record;
pub mod pager;
mod process_group;
mod started_command;
mod supervision;

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use capped_log::CappedLog;
pub use foreground::{ForegroundRun, run_in_foreground};
pub use group_record::{LeftGroup, RUN_ID, end_left_group};
use started_command::StartedCommand;
use supervision::{Cause, Supervision};

use crate::error::Result;
use crate::store::{lane_files, signals};

/// Gets every piece of output as it comes.
pub type Live<'a> = &'a dyn Fn(&[u8]);

/// Told four times a second how long a command has been running.
pub type Tick<'a> = &'a dyn Fn(Duration);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub enum Program<'a> {
    /// A line for `/bin/sh -c`.
    Line(&'a str),
    /// A program and its arguments, which no shell reads. It is looked for in `PATH`, or by its path
    /// from the directory where it runs.
    Arguments(&'a [OsString]),
}

/// What a command has as standard input, where nothing is to be read in any case. The lock of a file
/// is held by the command, by what it leaves behind, and by this process.
#[derive(Debug, Clone, Copy)]
pub enum Stdin<'a> {
    /// `/dev/null`.
    Null,
    /// An empty file.
    File(&'a File),
    /// `/dev/null`, and the file as descriptor 7: some programs take any file on standard input for
    /// what they are to work on.
    NullBeside(&'a File),
}

/// A command, and all that it runs with.
pub struct CommandRun<'a> {
    /// What.
    pub program: Program<'a>,
    /// Where.
    pub directory: &'a Path,
    /// Variables beside those of this process, of which those that name a repository are left out.
    pub environment: &'a [(String, OsString)],
    /// Variables of this process that are left out too.
    pub without: &'a [OsString],
    /// What it finds on standard input.
    pub stdin: Stdin<'a>,
    /// Takes standard output and error, in the order of arrival.
    pub log: &'a mut CappedLog,
    /// Shows the output.
    pub live: Option<Live<'a>>,
    /// Shows that time goes by.
    pub tick: Option<Tick<'a>>,
    /// When it is ended.
    pub time_limit: Option<Duration>,
    /// Ends it as soon as it is set.
    pub stop: Option<&'a AtomicBool>,
    /// The file that names the group while it runs, for [`end_left_group`].
    pub group_record: Option<&'a Path>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with that exit code. A shell has 126 for what cannot be run and 127 for what is
    /// not found.
    Exit(i32),
    /// By that signal. SIGTTIN and SIGTTOU are those of a command that wanted the terminal, which it
    /// does not get; git-lane ended it.
    Signal(i32),
    /// Its time was over.
    TimedOut,
    /// Its caller stopped it.
    Stopped,
    /// A signal for git-lane ended it.
    Interrupted,
}

/// What running a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub elapsed: Duration,
    /// How many processes it left running in its group, which were ended after it.
    pub left_behind: usize,
    /// Whether the log has all that it said, as far as the log goes.
    pub is_logged: bool,
}

/// Runs it to its end. After a signal for git-lane the program ends once this has returned, unless
/// the caller holds a `Waiting` or `Deferred` of `store/signals`.
pub fn run(run: CommandRun<'_>) -> Result<Outcome> {
    let _waiting = signals::Waiting::begin();
    if signals::has_come() {
        return Ok(Outcome {
            ended: Ended::Interrupted,
            elapsed: Duration::ZERO,
            left_behind: 0,
            is_logged: true,
        });
    }
    let mut command = StartedCommand::start(&run)?;
    let passing_on = signals::Group::begin(command.group());
    if let Err(error) = command.begin(run.group_record) {
        drop(passing_on);
        command.give_up();
        return Err(error);
    }
    let mut supervision = Supervision::of(&mut command, run.log, run.live, run.tick);
    let (cause, elapsed) = supervision.wait(run.time_limit, run.stop);
    let left_behind = match cause {
        Cause::Itself => supervision.left_behind(),
        _ => 0,
    };
    let is_over = cause == Cause::Itself && left_behind == 0;
    let all_ended = is_over || supervision.end_group(cause);
    supervision.end_unseen();
    supervision.hear_last_words();
    // Until its leader is waited for, the group's number is nobody else's.
    drop(passing_on);
    if all_ended && let Some(record) = run.group_record {
        lane_files::remove_if_there(record)?;
    }
    let own = if all_ended || cause == Cause::Itself {
        Some(command.ended()?)
    } else {
        None
    };
    let ended = match (cause, own) {
        (Cause::Itself, Some(own)) => own,
        (Cause::WantsTerminal(signal), _) => Ended::Signal(signal),
        (Cause::TimeLimit, _) => Ended::TimedOut,
        (Cause::Stop, _) => Ended::Stopped,
        (Cause::Interrupted | Cause::Itself, _) => Ended::Interrupted,
    };
    Ok(Outcome {
        ended,
        elapsed,
        left_behind,
        is_logged: run.log.is_whole(),
    })
}
