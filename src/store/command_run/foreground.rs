//! Runs a command line of the user's in the foreground, as git runs an editor: it has the terminal,
//! the process group of git-lane, and what the user types.
//!
//! `operations/resolve` alone calls it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Ended;
use super::process_group::GRACE;
use crate::error::{Error, Result};
use crate::store::activity::TerminalTaken;
use crate::store::{git, process_stat, signals};

/// How long to sleep at most before looking again whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What is typed ends the shell only where it has ended the program that the shell waits for: dash
/// would end once that program has, which may have survived it and succeeded.
const AS_BASH: &str = "trap '[ $? -le 128 ] || { trap - INT; kill -s INT $$; }' INT";

/// A command line, and all that it runs with.
pub struct ForegroundRun<'a> {
    /// Run by `/bin/sh -c`.
    pub line: &'a str,
    /// Where.
    pub directory: &'a Path,
    /// Variables beside those of this process, of which those that name a repository are left out.
    pub environment: &'a [(String, OsString)],
    /// Whether standard output is for a document alone, and what the command says goes to standard
    /// error.
    pub output_is_taken: bool,
}

/// Runs it to its end. What the user types to end a program (Ctrl-C) is for the command alone; any
/// other signal for git-lane ends the command too.
pub fn run_in_foreground(run: ForegroundRun<'_>) -> Result<Ended> {
    let failed = |error: std::io::Error| {
        let place = run.directory.display();
        Error::environment(format!("cannot run a command in '{place}'")).caused_by(error)
    };
    if signals::has_come() {
        return Ok(Ended::Interrupted);
    }
    let _waiting = signals::Waiting::begin();
    let _editing = signals::Editing::begin();
    let _taken = TerminalTaken::begin();
    let mut command = Command::new("/bin/sh");
    let line = format!("{AS_BASH}; {}", run.line);
    command.args(["-c", &line]).current_dir(run.directory);
    git::scrub(&mut command);
    let given = run.environment.iter().map(|(name, value)| (name, value));
    command.envs(given);
    if run.output_is_taken {
        command.stdout(Stdio::from(std::io::stderr()));
    }
    let mut child = command.spawn().map_err(failed)?;
    wait(&mut child).map_err(failed)
}

fn wait(child: &mut Child) -> std::io::Result<Ended> {
    let mut pause = Duration::from_micros(200);
    let mut asked: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match (status.code(), status.signal()) {
                _ if asked.is_some() => Ended::Interrupted,
                (Some(code), _) => Ended::Exit(code),
                (None, signal) => Ended::Signal(signal.unwrap_or_default()),
            });
        }
        if signals::has_come() {
            let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let signal = match asked {
                None => Some(Signal::TERM),
                Some(since) if since.elapsed() > GRACE => Some(Signal::KILL),
                Some(_) => None,
            };
            if let (Some(process), Some(signal)) = (process, signal) {
                // A shell that ends leaves those that it has started.
                let below = process_stat::below(process.as_raw_nonzero().get());
                let below = below.into_iter().filter_map(Pid::from_raw);
                for process in std::iter::once(process).chain(below) {
                    let _ = kill_process(process, signal);
                }
                asked.get_or_insert_with(Instant::now);
            }
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}
