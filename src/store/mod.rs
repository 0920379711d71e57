//! How things reach the disk and the world outside: starting git, the journal, lock files, the
//! event log, the files of `.git/lane` and of the user's own state, retries, signals.
//!
//! It knows no lane's state and of a repository no more than a directory. Everything above calls
//! it.

pub mod activity;
pub mod ancestors;
pub mod approvals;
pub mod caps;
pub mod careful_removal;
pub mod clock;
pub mod command_run;
pub mod disk;
pub mod events;
pub mod file_id;
pub mod git;
pub mod journal;
pub mod lane_files;
mod lock_holder;
pub mod lockfile;
pub mod login;
pub mod no_replace;
pub mod optional;
pub mod parallel;
pub mod permissions;
pub mod platform;
pub mod process_mark;
pub mod process_stat;
pub mod receipts;
pub mod retry;
pub mod scratch;
pub mod signals;
pub mod small_file;
pub mod state_home;

/// The path git wrote as bytes.
pub(crate) fn path(bytes: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// What a directory holds, as far as it can be read.
pub(crate) fn entries(
    directory: &std::path::Path,
) -> impl Iterator<Item = std::fs::DirEntry> + use<> {
    std::fs::read_dir(directory).into_iter().flatten().flatten()
}

/// Whether something has that name, and be it a link that leads nowhere.
pub(crate) fn exists(path: &std::path::Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// The path whose last name has `end` behind it.
pub(crate) fn with_end(path: &std::path::Path, end: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// An absolute path without `.` and `..`, as far as its text tells.
pub(crate) fn without_dots(path: &std::path::Path) -> std::path::PathBuf {
    let clean = gix::path::normalize_and_clean(path.into(), std::path::Path::new("/"));
    clean.map_or_else(|| path.to_owned(), std::borrow::Cow::into_owned)
}

/// The way from the directory `from` to `to`, both absolute.
pub(crate) fn relative(from: &std::path::Path, to: &std::path::Path) -> std::path::PathBuf {
    let both = from.components().zip(to.components());
    let shared = both.take_while(|(a, b)| a == b).count();
    let up = from
        .components()
        .skip(shared)
        .map(|_| std::path::Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

/// What a one-line file of git's says: without the line's end, and with every other byte, for a
/// path may end in a blank.
pub(crate) fn line(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|byte| !matches!(byte, b'\n' | b'\r'))
        .map_or(0, |last| last + 1);
    &text[..end]
}
