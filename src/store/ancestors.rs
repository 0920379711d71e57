//! The processes that wait for this one: the hook's shell, the git that runs the hook, the process
//! that started that git.
//!
//! Nothing in the environment says that git-lane started a git: a variable would be inherited by
//! the user's hook or editor and everything those start, a terminal that lives for weeks among
//! them. Who started whom is the kernel's word.

use std::time::SystemTime;

use super::platform;

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
            || platform::runs_this_program(self.id)
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

fn process(id: i32) -> Option<Process> {
    let stat = platform::stat(id)?;
    Some(Process {
        id,
        parent: Some(stat.parent).filter(|parent| *parent > 0),
        arguments: platform::arguments(id)?,
        started: platform::began(&stat),
    })
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
}
