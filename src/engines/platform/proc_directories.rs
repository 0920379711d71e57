//! Who works in a directory, by the kernel's own list of processes: /proc.
//!
//! `processes` asks through `engines/platform`.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use super::{Spared, Writers, is_passing};
use crate::domain::retire::{Busy, BusyProcess};
use crate::store::entries;
use crate::store::file_id::FileId;
use crate::store::platform::is_idle_shell;

/// How long to look at open files; current directories are always looked at.
const PATIENCE: Duration = Duration::from_millis(40);

/// Whether /proc can be read: a Linux without it tells nothing.
fn is_there() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// Whether a git may be at work in one of the `places`: it stands there, names one, or does not show
/// where it works. Nothing is known where there is no /proc.
pub fn may_have_git(places: &[PathBuf]) -> bool {
    if !is_there() {
        return true;
    }
    let names_one = |file: PathBuf| {
        let text = std::fs::read(file).unwrap_or_default();
        let name = |place: &PathBuf| text.contains_str(place.as_os_str().as_encoded_bytes());
        places.iter().any(name)
    };
    let is_at_one = |process: &Path| match std::fs::read_link(process.join("cwd")) {
        Ok(cwd) => places.iter().any(|place| cwd.starts_with(place)),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    };
    entries(Path::new("/proc")).any(|process| {
        let process = process.path();
        let comm = std::fs::read(process.join("comm")).unwrap_or_default();
        let is_git = comm.starts_with(b"git") && !comm.starts_with(b"git-lane");
        is_git
            && (is_at_one(&process)
                || names_one(process.join("cmdline"))
                || names_one(process.join("environ")))
    })
}

/// Of all processes, or of these, the gits that have the directory open. git-lane's own look at
/// worktrees removes nothing.
pub fn gits_that_read(directory: &Path, of: Option<&[i32]>) -> Vec<i32> {
    let all = || {
        let listed = entries(Path::new("/proc"));
        let ids = listed.filter_map(|process| process.file_name().to_str()?.parse().ok());
        ids.collect()
    };
    let processes: Vec<i32> = of.map_or_else(all, <[i32]>::to_vec);
    let reads = |id: &i32| {
        let process = Path::new("/proc").join(id.to_string());
        let name = std::fs::read(process.join("comm")).unwrap_or_default();
        let mut files = entries(&process.join("fd"));
        name.trim_ascii_end() == b"git"
            && files.any(|file| std::fs::read_link(file.path()).is_ok_and(|open| open == directory))
    };
    processes.into_iter().filter(reads).collect()
}

/// In which of these directories [`look`] may find a process: one look at all processes rules
/// the others out.
pub fn may_be_worked_in(directories: &[&Path], spared: &Spared) -> Vec<bool> {
    let mut found = vec![false; directories.len()];
    if !is_there() {
        return vec![true; directories.len()];
    }
    let start = Instant::now();
    let own: Vec<Option<FileId>> = directories.iter().map(|path| FileId::of(path)).collect();
    for entry in entries(Path::new("/proc")) {
        let (name, process) = (entry.file_name(), entry.path());
        let id = name.to_str().and_then(|name| name.parse::<i32>().ok());
        if id.is_none_or(|id| spared.contains(&id)) {
            continue;
        }
        // Nothing tells where the processes of another user work.
        if unseen_user(&process).is_some() {
            return vec![true; directories.len()];
        }
        let above = ids_above(process.join("cwd"));
        let files = entries(&process.join("fd")).map(|file| file.path());
        let files = files.take_while(|_| start.elapsed() < PATIENCE);
        let links = [process.join("cwd"), process.join("exe")];
        let links: Vec<PathBuf> = links
            .into_iter()
            .chain(files)
            .filter_map(|link| std::fs::read_link(link).ok())
            .collect();
        for (place, directory) in directories.iter().enumerate() {
            found[place] |= links.iter().any(|link| link.starts_with(directory))
                || own[place].is_some_and(|own| above.contains(&own));
        }
    }
    found
}

/// A directory and those above it, up to the first.
fn ids_above(mut directory: PathBuf) -> Vec<FileId> {
    let mut found = Vec::new();
    while let Some(id) = FileId::of(&directory).filter(|id| found.last() != Some(id)) {
        found.push(id);
        directory.push("..");
    }
    found
}

/// Where the processes stand that we may look at.
pub fn current_directories() -> Vec<PathBuf> {
    let processes = entries(Path::new("/proc"));
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok())
        .collect()
}

/// The process that works there.
pub fn look(directory: &Path, spared: &Spared) -> Option<Busy> {
    if !is_there() {
        return Some(Busy::Unknown);
    }
    let mut others: Vec<(i32, PathBuf)> = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(pid, _)| !spared.contains(pid))
        .collect();
    // What works in a lane started after most of what else runs: time is better spent on the
    // youngest first.
    others.reverse();
    let inside =
        |link: PathBuf| std::fs::read_link(link).is_ok_and(|path| path.starts_with(directory));
    let own = FileId::of(directory);
    let works = |process: &Path| {
        let cwd = process.join("cwd");
        inside(cwd.clone())
            || inside(process.join("exe"))
            || own.is_some_and(|own| is_below(cwd, own))
    };
    let mut found = others
        .iter()
        .find(|(_, process)| works(process) && !shares_our_pipe(process));
    if found.is_none() {
        let start = Instant::now();
        let has_open = |process: &Path| {
            let files = entries(&process.join("fd"));
            files
                .take_while(|_| start.elapsed() < PATIENCE)
                .any(|file| inside(file.path()))
        };
        let mut looked_at = others.iter().take_while(|_| start.elapsed() < PATIENCE);
        found = looked_at.find(|(_, process)| has_open(process) && !shares_our_pipe(process));
    }
    if let Some((pid, process)) = found {
        return Some(Busy::Process(BusyProcess {
            pid: *pid,
            command: command_of(process),
            unseen: None,
            is_idle_shell: is_idle_shell(*pid),
        }));
    }
    let writers = Writers::of(directory)?;
    others.iter().find_map(|(pid, process)| {
        let user =
            unseen_user(process).filter(|user| writers.include(*user, || groups(process)))?;
        let command = command_of(process);
        // A git that changes something in the lane holds a lock there; one that tidies up behind a
        // commit does not.
        (!is_passing(&command)).then_some(Busy::Process(BusyProcess {
            pid: *pid,
            command,
            unseen: Some(user),
            is_idle_shell: false,
        }))
    })
}

/// Whether a process's current directory is `directory`, or below it, under another name: a
/// container has its worktree where a bind mount puts it, and the kernel names it as the process
/// sees it.
fn is_below(mut cwd: PathBuf, directory: FileId) -> bool {
    let mut below = None;
    while let Some(found) =
        FileId::of(&cwd).filter(|found| found.is_beside(directory) && Some(*found) != below)
    {
        if found == directory {
            return true;
        }
        below = Some(found);
        cwd.push("..");
    }
    false
}

fn command_of(process: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(process.join("comm")).unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// The other user whose process this is, where the kernel does not show us where it works
/// (proc(5)). Services of the system, which are root's, work in no lane.
fn unseen_user(process: &Path) -> Option<u32> {
    let hidden = std::fs::read_link(process.join("cwd"))
        .is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    let user = std::fs::metadata(process).ok().filter(|_| hidden)?.uid();
    (user != 0 && user != rustix::process::getuid().as_raw()).then_some(user)
}

fn groups(process: &Path) -> Vec<u32> {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let lines = status.lines().filter_map(|line| {
        line.strip_prefix("Groups:")
            .or_else(|| line.strip_prefix("Gid:"))
    });
    lines
        .flat_map(str::split_ascii_whitespace)
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn shares_our_pipe(process: &Path) -> bool {
    let pipe = |process: &Path, fd: &str| {
        std::fs::read_link(process.join("fd").join(fd))
            .ok()
            .filter(|link| link.to_string_lossy().starts_with("pipe:"))
    };
    let own = Path::new("/proc/self");
    let reads = pipe(process, "0");
    let writes = pipe(process, "1");
    let feeds_us = writes.is_some() && writes == pipe(own, "0");
    feeds_us || (reads.is_some() && (reads == pipe(own, "1") || reads == pipe(own, "2")))
}
