//! A disk that takes nothing more: that is no fault of the user's files, and no rule of git-lane's.

use std::path::Path;
use std::process::Output;

use bstr::ByteSlice;

use crate::error::{Code, Error};

/// What the system calls it, in git's words too.
const WORDS: [(&str, Code); 4] = [
    ("No space left on device", Code::DiskFull),
    ("Disk quota exceeded", Code::DiskFull),
    ("Read-only file system", Code::ReadOnly),
    ("Input/output error", Code::DiskError),
];

/// The code of the failure, where a git that failed says that the disk is the reason.
pub fn trouble(said: &[u8]) -> Option<Code> {
    WORDS
        .iter()
        .find(|(words, _)| said.contains_str(words))
        .map(|(_, code)| *code)
}

/// With less room than this a program may have failed for nothing but that.
const LEAST_ROOM: u64 = 1 << 20;

/// Refuses where the file system of `directory` has no room left.
pub fn ensure_room(directory: &Path) -> Result<(), Error> {
    let Ok(found) = rustix::fs::statvfs(directory) else {
        return Ok(());
    };
    let is_full = found.f_bavail.saturating_mul(found.f_frsize) < LEAST_ROOM
        || found.f_files > 0 && found.f_ffree == 0;
    if !is_full {
        return Ok(());
    }
    let sentence = format!("the disk is full in '{}'", directory.display());
    Err(Error::environment(sentence).with_code(Code::DiskFull))
}

/// Why a git could not write below `directory`, where the disk is the reason. git says `unable to
/// write file` and keeps the system's own word to itself, so the file system is asked.
pub fn ensure_writable(directory: &Path, output: &Output) -> Result<(), Error> {
    let is_full = || {
        let found = rustix::fs::statvfs(directory);
        found.is_ok_and(|found| found.f_bavail == 0 || found.f_files > 0 && found.f_ffree == 0)
    };
    let could_not_write = output.stderr.contains_str("unable to write")
        || output.stderr.contains_str("unable to create");
    let code = trouble(&output.stderr)
        .or_else(|| (could_not_write && is_full()).then_some(Code::DiskFull));
    let Some(code) = code else { return Ok(()) };
    let text = output.stderr.to_str_lossy();
    let said = text
        .lines()
        .find(|line| trouble(line.as_bytes()).is_some() || line.contains("unable to"))
        .unwrap_or("");
    let said = said
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ");
    let what = if code == Code::DiskFull {
        "the disk is full"
    } else {
        "the disk cannot be written"
    };
    Err(Error::environment(format!("{what} in '{}': {said}", directory.display())).with_code(code))
}
