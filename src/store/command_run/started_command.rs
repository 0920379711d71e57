//! The process of a command: started, but held until its group is on record; and how it ended.
//!
//! `run` alone calls it.

use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::group_record::{GroupRecord, RUN_ID};
use super::{CommandRun, Ended, Program, Stdin};
use crate::error::{Error, Result};
use crate::store::{git, journal, platform};

/// Waits for a line on standard error, which is lent to it for that, and then becomes the command.
/// Where the process that writes it dies, the command never begins.
const HELD: &str = "read -r begin <&2 || exit 125; exec 2>&1; ";

/// Moves what is lent on standard input out of the way.
const BESIDE: &str = "exec 7<&0 </dev/null; ";

/// The shell's own words for what is run. No name of a program begins with a hyphen, which some
/// shells would take for an option of `exec`.
const LINE: &str = "exec /bin/sh -c \"$1\"";
const ARGUMENTS: &str = "exec \"$@\"";

/// How much of the output is read at once.
const PIECE: usize = 64 << 10;

/// A command with its process group.
#[derive(Debug)]
pub struct StartedCommand {
    child: Child,
    group: Pid,
    run_id: String,
    begin: Option<PipeWriter>,
    /// What it says, for as long as anybody can say anything.
    output: Option<PipeReader>,
    piece: Vec<u8>,
    /// Tells that its leader has ended, where the system has such a thing.
    leader: Option<OwnedFd>,
}

/// What came of listening to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// It said that.
    Piece(&'a [u8]),
    /// Nothing for so long, or its leader has ended.
    Silence,
    /// Nobody can say anything any more, and nothing tells that its leader has ended.
    TheEnd,
}

impl StartedCommand {
    /// Starts it, held.
    pub fn start(run: &CommandRun<'_>) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let place = run.directory.display();
            Error::environment(format!("cannot run a command in '{place}'")).caused_by(error)
        };
        let (output, says) = std::io::pipe().map_err(failed)?;
        let (held, begin) = std::io::pipe().map_err(failed)?;
        let stdin = match run.stdin {
            Stdin::Null => Stdio::null(),
            Stdin::File(file) | Stdin::NullBeside(file) => {
                Stdio::from(file.try_clone().map_err(failed)?)
            }
        };
        let run_id = journal::unique_id();
        let mut command = shell(run);
        command.current_dir(run.directory).process_group(0);
        git::scrub(&mut command);
        for name in run.without {
            command.env_remove(name);
        }
        let given = run.environment.iter().map(|(name, value)| (name, value));
        command.envs(given).env(RUN_ID, &run_id);
        command.stdin(stdin).stdout(says).stderr(held);
        let child = command.spawn().map_err(failed)?;
        // The ends of the pipes that are the command's are in it.
        drop(command);
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let group = group.ok_or_else(|| failed(ErrorKind::InvalidData.into()))?;
        Ok(StartedCommand {
            group,
            child,
            run_id,
            begin: Some(begin),
            output: Some(output),
            piece: vec![0; PIECE],
            leader: platform::end_of(group),
        })
    }

    /// The number of its process group, which is that of its leader.
    pub fn group(&self) -> Pid {
        self.group
    }

    /// Whether anybody may still say anything.
    pub fn can_speak(&self) -> bool {
        self.output.is_some()
    }

    /// What it says next, within that time. With `until_it_ends` its leader's end is heard too.
    pub fn hear(&mut self, within: Duration, until_it_ends: bool) -> Heard<'_> {
        let leader = self.leader.as_ref().filter(|_| until_it_ends);
        let all = self
            .output
            .iter()
            .map(|output| PollFd::new(output, PollFlags::IN));
        let all = all.chain(leader.map(|leader| PollFd::new(leader, PollFlags::IN)));
        let mut all: Vec<PollFd<'_>> = all.collect();
        if all.is_empty() {
            return Heard::TheEnd;
        }
        let time = Timespec::try_from(within).unwrap_or_default();
        let polled = retry_on_intr(|| poll(&mut all, Some(&time)));
        let something = polled.is_ok_and(|count| count > 0);
        // A closed pipe is hung up, and has nothing to read.
        let speaks = something && !all[0].revents().is_empty();
        let Some(output) = self.output.as_mut().filter(|_| speaks) else {
            return Heard::Silence;
        };
        match output.read(&mut self.piece) {
            Ok(length @ 1..) => Heard::Piece(&self.piece[..length]),
            _ => {
                self.output = None;
                Heard::Silence
            }
        }
    }

    /// Lets it begin, once `record` names its group.
    pub fn begin(&mut self, record: Option<&Path>) -> Result<()> {
        // Where the kernel tells too little for a record, there is none.
        let known =
            record.and_then(|path| Some((path, GroupRecord::of(self.group, &self.run_id)?)));
        if let Some((path, record)) = known {
            record.write(path)?;
        }
        if let Some(mut begin) = self.begin.take() {
            // One that was ended meanwhile tells by its status.
            drop(begin.write_all(b"\n"));
        }
        Ok(())
    }

    /// Waits for one that was not let begin.
    pub fn give_up(mut self) {
        drop(self.begin.take());
        drop(self.child.wait());
    }

    /// How the command itself ended, which it has. From now on its number may be another's.
    pub fn ended(&mut self) -> Result<Ended> {
        let status = self.child.wait();
        let status = status
            .map_err(|error| Error::environment("cannot wait for a command").caused_by(error))?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Exit(code),
            (None, signal) => Ended::Signal(signal.unwrap_or_default()),
        })
    }
}

/// The shell that waits, and what it is to become.
fn shell(run: &CommandRun<'_>) -> Command {
    let beside = match run.stdin {
        Stdin::NullBeside(_) => BESIDE,
        Stdin::Null | Stdin::File(_) => "",
    };
    let mut shell = Command::new("/bin/sh");
    match run.program {
        Program::Line(line) => {
            let held = format!("{HELD}{beside}{LINE}");
            shell.args(["-c", &held, "sh", line]);
        }
        Program::Arguments(words) => {
            let held = format!("{HELD}{beside}{ARGUMENTS}");
            shell.args(["-c", &held, "sh"]).args(words);
        }
    }
    shell
}

/// Whether the leader of a group, a child of this process, has ended. It is not waited for: its
/// number stays taken.
pub fn has_ended(leader: Pid) -> bool {
    match state(leader, WaitIdOptions::EXITED) {
        Ok(state) => state.is_some(),
        // Nobody has such a child any more.
        Err(_) => true,
    }
}

/// The signal that stopped the leader of a group because it wanted the terminal.
pub fn wants_terminal(leader: Pid) -> Option<i32> {
    let state = state(leader, WaitIdOptions::STOPPED).ok()??;
    let wanted = [Signal::TTIN, Signal::TTOU].map(Signal::as_raw);
    state
        .stopping_signal()
        .filter(|signal| wanted.contains(signal))
}

fn state(leader: Pid, what: WaitIdOptions) -> rustix::io::Result<Option<WaitIdStatus>> {
    let look = what | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    loop {
        match waitid(WaitId::Pid(leader), look) {
            Err(rustix::io::Errno::INTR) => {}
            found => return found,
        }
    }
}
