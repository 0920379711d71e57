//! The processes that wait for this one: the hook's shell, the git that runs the hook, the process
//! that started that git.
//!
//! Nothing in the environment says that git-lane started a git: a variable would be inherited by
//! the user's hook or editor and everything those start, a terminal that lives for weeks among
//! them. Who started whom is the kernel's word.

#[cfg(target_os = "linux")]
use std::path::Path;
#[cfg(target_os = "linux")]
use std::time::Duration;
use std::time::SystemTime;

#[cfg(not(target_os = "linux"))]
use bstr::ByteSlice;

#[cfg(target_os = "linux")]
use crate::store::process_stat;

/// More are not looked at, should the numbers of processes run in a circle.
const MOST: usize = 4096;

/// One process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its number.
    pub id: i32,
    /// Who started it; `None` at the top.
    pub parent: Option<i32>,
    /// Its arguments, each ended by a zero byte.
    pub arguments: Vec<u8>,
    /// When it began, up to a hundredth of a second early; `None` where the system does not say.
    pub started: Option<SystemTime>,
}

impl Process {
    /// Whether it is git-lane itself. A script of that name is its interpreter.
    pub fn is_git_lane(&self) -> bool {
        let program = self
            .arguments
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        program.rsplit(|byte| *byte == b'/').next() == Some(b"git-lane")
            || runs_this_program(self.id)
    }
}

/// The processes above this one, the nearest first.
pub fn above() -> impl Iterator<Item = Process> {
    let first = rustix::process::getppid().map(|id| id.as_raw_nonzero().get());
    first.into_iter().flat_map(from)
}

/// The process `id` and those above it.
pub fn from(id: i32) -> impl Iterator<Item = Process> {
    std::iter::successors(process(id), |below| process(below.parent?)).take(MOST)
}

#[cfg(target_os = "linux")]
fn process(id: i32) -> Option<Process> {
    let stat = process_stat::of(id)?;
    let arguments = std::fs::read(process_stat::directory(id).join("cmdline")).ok()?;
    Some(Process {
        id,
        parent: Some(stat.parent).filter(|parent| *parent > 0),
        arguments,
        started: since_boot(stat.started),
    })
}

#[cfg(target_os = "linux")]
fn since_boot(ticks: u64) -> Option<SystemTime> {
    use rustix::time::{ClockId, clock_gettime};
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let started = Duration::from_nanos(
        (u128::from(ticks) * 1_000_000_000 / u128::from(per_second))
            .try_into()
            .ok()?,
    );
    let now = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    SystemTime::now().checked_sub(now.checked_sub(started)?)
}

/// What ps(1) prints does not tell a blank in an argument from one between two.
#[cfg(not(target_os = "linux"))]
fn process(id: i32) -> Option<Process> {
    let mut ps = std::process::Command::new("/bin/ps");
    let said = ps
        .args(["-ww", "-o", "ppid=", "-o", "args=", "-p", &id.to_string()])
        .output()
        .ok()?
        .stdout;
    let (parent, arguments) = said.trim().split_once_str(" ")?;
    let parent = parent
        .to_str()
        .ok()?
        .parse()
        .ok()
        .filter(|parent| *parent > 0);
    let arguments = arguments
        .fields()
        .flat_map(|word| [word, b"\0"])
        .collect::<Vec<_>>()
        .concat();
    Some(Process {
        id,
        parent,
        arguments,
        started: None,
    })
}

#[cfg(target_os = "linux")]
fn runs_this_program(id: i32) -> bool {
    let program = |id: &str| std::fs::read_link(Path::new("/proc").join(id).join("exe")).ok();
    program("self").is_some_and(|own| program(&id.to_string()) == Some(own))
}

#[cfg(not(target_os = "linux"))]
fn runs_this_program(_: i32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parents_are_found() {
        let own = std::process::id();
        let above: Vec<Process> = above().collect();
        assert!(!above.is_empty() && above.iter().all(|process| process.id != own as i32));
        assert_eq!(
            above[0].id,
            rustix::process::getppid().unwrap().as_raw_nonzero().get()
        );
    }

    #[test]
    fn git_lane_is_known_by_its_name() {
        for (arguments, expected) in [
            ("git-lane\0start\0x\0", true),
            ("/opt/bin/git-lane\0", true),
            ("/bin/sh\0/opt/bin/git-lane\0start\0", false),
            ("git\0lane\0start\0", false),
            ("", false),
        ] {
            let process = Process {
                id: i32::MAX,
                parent: None,
                arguments: arguments.into(),
                started: None,
            };
            assert_eq!(process.is_git_lane(), expected, "{arguments:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_start_of_a_process_is_known_to_a_tick() {
        let tick = Duration::from_millis(10);
        let before = SystemTime::now();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let after = SystemTime::now();
        let started = process(child.id() as i32).unwrap().started.unwrap();
        drop(child.kill().and_then(|()| child.wait()));
        assert!(
            started + tick + tick >= before && started <= after,
            "{started:?} {before:?}"
        );
    }
}
