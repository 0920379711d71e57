//! Which process holds a lock, for a person who waits for it: the kernel's list of locks, where there is
//! one.
//!
//! `journal` and `lockfile` call it; nothing that is done depends on it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use super::activity::Activity;
use super::ancestors;
use crate::domain::shell_word::quote_bytes;

/// A shorter wait is not told.
const NOTICEABLE: Duration = Duration::from_millis(100);

/// A wait for a lock, which a person hears of once it is noticeable.
#[derive(Debug)]
pub struct WaitForLock {
    since: Instant,
    told: Option<Activity>,
}

impl WaitForLock {
    /// It begins now.
    pub fn begin() -> Self {
        WaitForLock {
            since: Instant::now(),
            told: None,
        }
    }

    /// Called again and again: `file` is the one whose flock is held, or what is known of it.
    pub fn goes_on(&mut self, lock: &Path, file: Option<&File>) {
        if self.told.is_some() || self.since.elapsed() < NOTICEABLE {
            return;
        }
        self.told = Some(Activity::begin(words(lock, file)));
    }
}

/// For whom one waits: `waiting for process 4711: git lane finish login`.
fn words(lock: &Path, file: Option<&File>) -> String {
    let holder = file.and_then(holder).or_else(|| {
        let there = File::open(lock).ok()?;
        holder(&there)
    });
    match holder {
        Some(holder) => format!("waiting for {holder}"),
        None => {
            let name = lock.file_name().unwrap_or_default();
            format!("waiting for another process to release {}", name.display())
        }
    }
}

/// The process that holds the flock of a file, with its command line.
fn holder(file: &File) -> Option<String> {
    let inode = file.metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let id = locks.lines().find_map(|line| held(line, inode))?;
    let process = ancestors::from(id).next();
    let arguments = process.map(|process| process.arguments).unwrap_or_default();
    Some(match command(&arguments) {
        command if command.is_empty() => format!("process {id}"),
        command => format!("process {id}: {command}"),
    })
}

/// The process of a line of /proc/locks (proc_locks(5)), where that is a flock of this inode and not a
/// wait for one.
fn held(line: &str, inode: u64) -> Option<i32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, id, place, ..] = fields[..] else {
        return None;
    };
    let found = place.rsplit(':').next()?.parse::<u64>().ok()?;
    id.parse().ok().filter(|id| found == inode && *id > 0)
}

/// A command line as a person would type it.
fn command(arguments: &[u8]) -> String {
    let words = arguments.split(|byte| *byte == 0);
    let mut words = words.filter(|word| !word.is_empty());
    let Some(program) = words.next() else {
        return String::new();
    };
    let program = program.rsplit_str("/").next().unwrap_or_default();
    let program = match program {
        b"git-lane" => "git lane".to_owned(),
        other => quote_bytes(other),
    };
    let words = words.map(quote_bytes);
    std::iter::once(program)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_by_the_inode() {
        for (line, found) in [
            ("1: FLOCK  ADVISORY  WRITE 4711 00:1b:42 0 EOF", Some(4711)),
            ("1: -> FLOCK  ADVISORY  WRITE 4711 00:1b:42 0 EOF", None),
            ("1: POSIX  ADVISORY  WRITE 4711 00:1b:42 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE 4711 00:1b:421 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE -1 00:1b:42 0 EOF", None),
            ("", None),
        ] {
            assert_eq!(held(line, 42), found, "{line}");
        }
    }

    #[test]
    fn a_command_line_is_one_to_read() {
        for (arguments, read) in [
            (
                &b"/usr/bin/git-lane\0finish\0a b\0"[..],
                "git lane finish 'a b'",
            ),
            (b"git\0commit\0-q\0", "git commit -q"),
            (b"", ""),
        ] {
            assert_eq!(command(arguments), read);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_held_lock_has_a_holder() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(holder(&file), None);
        file.lock().unwrap();
        let holder = holder(&file).unwrap();
        assert!(
            holder.starts_with(&format!("process {}", std::process::id())),
            "{holder}"
        );
    }
}
