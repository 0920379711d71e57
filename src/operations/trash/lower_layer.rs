//! Directories in a lower layer of an overlay filesystem, as in the image of a container: overlayfs
//! renames none of them (its `redirect_dir` is off by default), but every file.
//!
//! So the files go one by one, each by a rename, into a new directory, which then takes the place
//! of the old one. The kernel copies them into the upper layer on the way. Nothing is removed here
//! but directories that are empty: what a program writes meanwhile goes along, and where it has
//! made a file of the same name again both stay. Every step can be repeated after a crash, and
//! taken back.

use std::ffi::{CString, OsStr};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::Ordering;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::relocation::{date, hint_at_mounts, with_writable};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::store::activity::Activity;
use crate::store::exists;
use crate::store::journal::{step, unique_id};
use crate::store::no_replace;
use crate::store::signals::PENDING;

/// What makes a directory one of git's goes last, when nothing else is left there: a worktree's
/// `.git`, an admin directory's own.
const LAST: [&str; 5] = [".git", "gitdir", "HEAD", "commondir", "locked"];

/// How often what others have put there meanwhile is fetched.
const ATTEMPTS: usize = 20;

/// Renames a directory without replacing anything; says whether it was in a lower layer. `aside` is
/// a name on the same filesystem.
pub(super) fn rename(from: &Path, to: &Path, aside: &Path) -> Result<bool> {
    let go = |to| with_writable(from, || no_replace::rename(from, to));
    let crosses = |done: &std::io::Result<()>| {
        done.as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::CrossesDevices)
    };
    let done = go(to);
    if !crosses(&done) {
        return done
            .context("move", from)
            .map_err(hint_at_mounts)
            .map(|()| false);
    }
    let beside = go(aside);
    if !crosses(&beside) {
        // It only cannot go to another filesystem.
        return beside
            .and_then(|()| no_replace::rename(aside, from))
            .and(done)
            .context("move", from)
            .map(|()| false);
    }
    match lift(from, aside) {
        Err(error)
            if [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&error.kind()) =>
        {
            return Err(error).context("copy up", from);
        }
        lifted => lifted.map_err(|error| stays(error, from))?,
    }
    go(to).context("move", from).map(|()| true)
}

/// Makes `directory` one of the upper layer; `aside` is where that is made. An error leaves it as
/// it was, or the rest to [`settle`].
fn lift(directory: &Path, aside: &Path) -> std::io::Result<()> {
    let _doing = Activity::begin("copying the lane's files out of the image");
    let lifted = move_files(directory, aside, true);
    if lifted.is_err() && exists(aside) {
        move_files(aside, directory, false)?;
    }
    lifted?;
    step("lower.emptied");
    no_replace::rename(aside, directory)
}

/// Completes what a process has begun that did not live to end it.
pub(super) fn settle(directory: &Path, aside: &Path) -> std::io::Result<()> {
    match (exists(aside), exists(directory)) {
        (false, _) => Ok(()),
        (true, true) => lift(directory, aside),
        (true, false) => no_replace::rename(aside, directory),
    }
}

/// Moves everything in `from` into `to`, and removes `from`.
fn move_files(from: &Path, to: &Path, may_be_stopped: bool) -> std::io::Result<()> {
    for _ in 0..ATTEMPTS {
        gather(from, to, &LAST, may_be_stopped)?;
        let done = remove_directories(from, &LAST).and_then(|()| {
            for name in LAST.iter().filter(|name| exists(&from.join(name))) {
                move_one(from, to, name.as_ref(), false)?;
            }
            std::fs::remove_dir(from)
        });
        match done {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            done => return done,
        }
    }
    Err(ErrorKind::DirectoryNotEmpty.into())
}

/// Moves everything in `from` but `later`.
fn gather(from: &Path, to: &Path, later: &[&str], may_be_stopped: bool) -> std::io::Result<()> {
    let found = std::fs::symlink_metadata(from)?;
    let made = match std::fs::create_dir(to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        made => made.map(|()| true)?,
    };
    let open = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    if accessat(CWD, from, open, AtFlags::EACCESS).is_err() {
        std::fs::set_permissions(
            from,
            PermissionsExt::from_mode(found.mode() & 0o7777 | 0o700),
        )?;
    }
    for entry in std::fs::read_dir(from)?.collect::<std::io::Result<Vec<_>>>()? {
        let name = entry.file_name();
        if may_be_stopped && PENDING.load(Ordering::SeqCst) {
            return Err(ErrorKind::Interrupted.into());
        }
        if !later.iter().any(|later| name == *later) {
            move_one(from, to, &name, may_be_stopped)?;
            step("lower.file");
        }
    }
    adorn(to, from, &found)?;
    // The second time the directory has the time of the first.
    if made {
        date(to, found.mtime(), found.mtime_nsec())?;
    }
    Ok(())
}

fn move_one(from: &Path, to: &Path, name: &OsStr, may_be_stopped: bool) -> std::io::Result<()> {
    let (source, target) = (from.join(name), to.join(name));
    let is_directory =
        |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    match no_replace::rename(&source, &target) {
        // A program has removed it.
        Err(error) if error.kind() == ErrorKind::NotFound && exists(to) => Ok(()),
        Err(error) if error.kind() == ErrorKind::CrossesDevices && is_directory(&source) => {
            gather(&source, &target, &[], may_be_stopped)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if is_directory(&source) && is_directory(&target) {
                return gather(&source, &target, &[], may_be_stopped);
            }
            let mut other = name.to_owned();
            other.push(format!(".{}", unique_id()));
            std::fs::rename(&source, from.join(&other))?;
            move_one(from, to, &other, may_be_stopped)
        }
        done => done,
    }
}

/// Removes the directories in `from`, in which nothing else may be; in it only what goes `later`.
fn remove_directories(from: &Path, later: &[&str]) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if later.iter().any(|later| entry.file_name() == *later) {
            continue;
        }
        if !entry.file_type()?.is_dir() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        remove_directories(&entry.path(), &[])?;
        std::fs::remove_dir(entry.path())?;
    }
    Ok(())
}

/// Gives a new directory what the old one has: owner, extended attributes with its access lists,
/// and mode.
fn adorn(to: &Path, from: &Path, found: &Metadata) -> std::io::Result<()> {
    let own = std::fs::symlink_metadata(to)?;
    if (own.uid(), own.gid()) != (found.uid(), found.gid()) {
        std::os::unix::fs::lchown(to, Some(found.uid()), Some(found.gid()))?;
    }
    for name in attributes(from)? {
        let mut value = vec![0; rustix::fs::lgetxattr(from, &name, &mut [0_u8; 0][..])?];
        let length = rustix::fs::lgetxattr(from, &name, &mut value[..])?;
        rustix::fs::lsetxattr(to, &name, &value[..length], rustix::fs::XattrFlags::empty())?;
    }
    std::fs::set_permissions(to, PermissionsExt::from_mode(found.mode() & 0o7777))
}

/// The names of a directory's extended attributes; overlayfs hides its own.
fn attributes(directory: &Path) -> std::io::Result<Vec<CString>> {
    let mut names = match rustix::fs::llistxattr(directory, &mut [0_u8; 0][..]) {
        Ok(length) => vec![0_u8; length],
        Err(rustix::io::Errno::NOTSUP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let length = rustix::fs::llistxattr(directory, &mut names[..])?;
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| CString::new(name).ok()).collect())
}

/// Why a directory of a lower layer stays where it is.
fn stays(error: std::io::Error, path: &Path) -> Error {
    if error.kind() == ErrorKind::Interrupted {
        return Error::new(Kind::Interrupted, "interrupted; the lane is where it was");
    }
    let (place, word) = (path.display(), quote(path.display()));
    let lower = "is in a lower layer of an overlay filesystem, where no directory can be renamed";
    Error::refused(format!(
        "'{place}' {lower}, and its files cannot go one by one"
    ))
    .with_code(Code::LowerLayer)
    .caused_by(error)
    .hint(format!(
        "copy it into the upper layer, then try again: cp -a {word} {word}.new && rm -rf {word} \
         && mv {word}.new {word}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process died halfway, and the user made a file again that was missed.
    #[test]
    fn what_is_at_both_ends_stays_twice() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::create_dir_all(from.join("deep")).unwrap();
        std::fs::create_dir_all(to.join("deep")).unwrap();
        for (file, content) in [
            (from.join("deep/file"), "again"),
            (to.join("deep/file"), "mine"),
            (from.join(".git"), ""),
        ] {
            std::fs::write(file, content).unwrap();
        }
        move_files(&from, &to, true).unwrap();
        assert!(!from.exists() && to.join(".git").exists());
        assert_eq!(
            std::fs::read_to_string(to.join("deep/file")).unwrap(),
            "mine"
        );
        let files = std::fs::read_dir(to.join("deep"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let other = files
            .into_iter()
            .find(|path| !path.ends_with("file"))
            .unwrap();
        assert_eq!(std::fs::read_to_string(other).unwrap(), "again");
    }
}
