//! Who works in a directory: the kernel's own list of processes, read from /proc.
//!
//! Where there is no /proc (macOS) nobody is found, and only the other checks protect a lane.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::domain::retire::Busy;

/// How long to look at open files; current directories are always looked at.
const PATIENCE: Duration = Duration::from_millis(40);

/// How long to wait for a git that is about to end: a commit leaves `git maintenance --auto` behind, and another
/// git-lane command may be looking into the lane. One without a name has ended while we looked.
const GIT_PATIENCE: Duration = Duration::from_secs(1);

/// A process whose current directory, or one of whose open files, is in `directory`. Our own process and those that
/// wait for us (the shell, git) are left out, and so is whoever reads what we write: `git lane drop | cat`.
pub fn working_in(directory: &Path) -> Option<Busy> {
    let start = Instant::now();
    loop {
        let busy = look(directory);
        let passing = busy.as_ref().is_some_and(|busy| ["git", "git-lane", ""].contains(&&*busy.command));
        if !passing || start.elapsed() > GIT_PATIENCE {
            return busy;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Where the processes stand that we may look at.
pub fn current_directories() -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok()).collect()
}

fn look(directory: &Path) -> Option<Busy> {
    let spared = ancestors();
    let others: Vec<(i32, PathBuf)> = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(pid, _)| !spared.contains(pid))
        .collect();
    let inside = |link: PathBuf| std::fs::read_link(link).is_ok_and(|path| path.starts_with(directory));
    let mut found = others.iter().find(|(_, process)| inside(process.join("cwd")) && !shares_our_pipe(process));
    if found.is_none() {
        let start = Instant::now();
        let has_open = |process: &Path| {
            let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            files.take_while(|_| start.elapsed() < PATIENCE).any(|file| inside(file.path()))
        };
        let mut looked_at = others.iter().take_while(|_| start.elapsed() < PATIENCE);
        found = looked_at.find(|(_, process)| has_open(process) && !shares_our_pipe(process));
    }
    found.map(|(pid, process)| {
        let command = std::fs::read(process.join("comm")).unwrap_or_default();
        Busy { pid: *pid, command: String::from_utf8_lossy(&command).trim_end().to_owned() }
    })
}

/// This process and every one that waits for it, up to the first.
fn ancestors() -> Vec<i32> {
    let mut line = vec![std::process::id() as i32];
    while let Some(parent) = line.last().and_then(|pid| parent(*pid)).filter(|parent| !line.contains(parent)) {
        line.push(parent);
    }
    line
}

fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may hold anything; the parent is the second field after it.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

fn shares_our_pipe(process: &Path) -> bool {
    let pipe = |process: &Path, fd: &str| {
        std::fs::read_link(process.join("fd").join(fd)).ok().filter(|link| link.to_string_lossy().starts_with("pipe:"))
    };
    let own = Path::new("/proc/self");
    let reads = pipe(process, "0");
    let writes = pipe(process, "1");
    let feeds_us = writes.is_some() && writes == pipe(own, "0");
    feeds_us || (reads.is_some() && (reads == pipe(own, "1") || reads == pipe(own, "2")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_found_and_we_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        let file = std::fs::File::create(directory.join("open")).unwrap();
        assert_eq!(working_in(&directory), None);
        let mut child = std::process::Command::new("sleep").arg("60").current_dir(&directory).spawn().unwrap();
        let found = working_in(&directory);
        let _ = child.kill().and_then(|()| child.wait());
        assert_eq!(found.map(|busy| busy.pid), Some(child.id() as i32));
        let mut child = std::process::Command::new("sleep").arg("60").stdin(file).spawn().unwrap();
        let found = working_in(&directory);
        let _ = child.kill().and_then(|()| child.wait());
        assert_eq!(found.map(|busy| busy.command).as_deref(), Some("sleep"));
    }
}
