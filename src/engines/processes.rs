//! Who works in a directory: what the system tells of its processes, and what it does not tell.
//!
//! `platform` asks the system. What retires, moves or syncs a lane calls it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::platform::{self, is_passing};
use crate::domain::retire::Busy;
use crate::store::ancestors;

pub use super::platform::{current_directories, may_have_git};

/// How long to wait for a git that is about to end: a commit leaves `git maintenance --auto`
/// behind, and another git-lane command may be looking into the lane. One without a name has ended
/// while we looked.
const GIT_PATIENCE: Duration = Duration::from_secs(1);

/// A process whose current directory, program, or one of whose open files, is in `directory`. Our
/// own process and those that wait for us (the shell, git) are left out, and so is the reader of
/// what we write: `git lane drop | cat`. A process of another user who can write there counts too:
/// the kernel does not tell us where it works. So does a system that tells nothing.
pub fn working_in(directory: &Path) -> Option<Busy> {
    let start = Instant::now();
    loop {
        let busy = platform::look(directory, &waiting());
        let passing = matches!(&busy, Some(Busy::Process(busy)) if is_passing(&busy.command));
        if !passing || start.elapsed() > GIT_PATIENCE {
            return busy;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// In which of these directories [`working_in`] may find a process: one look at all processes rules
/// the others out.
pub fn may_be_worked_in(directories: &[&Path]) -> Vec<bool> {
    platform::may_be_worked_in(directories, &waiting())
}

/// This process and every one that waits for it, up to the first.
fn waiting() -> Vec<i32> {
    let own = std::process::id() as i32;
    let above = ancestors::above().map(|process| process.id);
    std::iter::once(own).chain(above).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Looks until the expected process is found: one that another test is just starting holds all our
    /// files until it is exec'ed.
    #[track_caller]
    fn assert_found(expected: Option<i32>, directory: &Path) {
        let id = || match working_in(directory) {
            Some(Busy::Process(busy)) => Some(busy.pid),
            Some(Busy::Unknown) => panic!("nothing is known"),
            None => None,
        };
        let start = Instant::now();
        let mut found = id();
        while found != expected && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
            found = id();
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stranger_is_found_and_we_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        assert_found(None, &directory);
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(&directory)
            .spawn()
            .unwrap();
        assert_found(Some(child.id() as i32), &directory);
        let _ = child.kill().and_then(|()| child.wait());
        let file = std::fs::File::create(directory.join("open")).unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(file)
            .spawn()
            .unwrap();
        assert_found(Some(child.id() as i32), &directory);
        let _ = child.kill().and_then(|()| child.wait());
    }

    #[test]
    fn a_program_that_was_built_there_is_found_wherever_it_runs() {
        let directory = tempfile::tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        std::fs::copy("/bin/sleep", directory.join("server")).unwrap();
        let mut server = Command::new(directory.join("server"));
        server.arg("60").current_dir("/");
        let mut child = loop {
            match server.spawn() {
                // A neighbouring test that forks has the copy open for writing until its own
                // program runs.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now()
                }
                started => break started.unwrap(),
            }
        };
        assert_found(Some(child.id() as i32), &directory);
        let _ = child.kill().and_then(|()| child.wait());
    }
}
