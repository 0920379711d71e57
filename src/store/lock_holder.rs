//! Which process holds a lock, for a person who waits for it: the system's word, where it has
//! one.
//!
//! `journal` and `lockfile` call it; nothing that is done depends on it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use super::activity::Activity;
use super::ancestors;
use super::platform;
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
    let id = platform::flock_holder(file)?;
    let process = ancestors::from(id).next();
    let arguments = process.map(|process| process.arguments).unwrap_or_default();
    Some(match command(&arguments) {
        command if command.is_empty() => format!("process {id}"),
        command => format!("process {id}: {command}"),
    })
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
}
