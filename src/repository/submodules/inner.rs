//! Which directories of a lane have a repository in them. Every directory is read, ignored ones
//! too: no other look goes into those.
//!
//! A lane is looked at for the decision and again at the last moment, and there may be a giant
//! `node_modules` in it. The second walk only asks whether a directory has changed since: what
//! comes into a directory, or leaves it, changes its ctime, which no program can set (inode(7)).

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use crate::engines::status::{open_directory, read_names};
use crate::store::file_id::Stamp;

/// What was found in the worktrees that were walked through in this process.
#[derive(Debug, Default)]
pub struct Memo(RefCell<HashMap<PathBuf, Vec<Directory>>>);

/// One directory that was read.
#[derive(Debug, Clone)]
struct Directory {
    /// Its path in the worktree.
    path: PathBuf,
    stamp: Option<Stamp>,
    has: Has,
}

/// What a directory has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    /// No repository.
    Nothing,
    /// A `.git`.
    DotGit,
    /// What a git directory has: it is a bare repository, or looks like one.
    Bare,
    /// Whatever it has: it cannot be read.
    Unread,
}

impl Memo {
    /// The directories of the worktree at `top` that have a repository in them or cannot be read,
    /// by their paths in it. Its own `.git` is left out.
    pub(super) fn repositories(&self, top: &Path) -> Vec<(PathBuf, Has)> {
        let mut memo = self.0.borrow_mut();
        let unchanged = memo.get(top).is_some_and(|then| is_unchanged(top, then));
        if !unchanged {
            memo.insert(top.to_owned(), walk(top));
        }
        let directories = memo.get(top).into_iter().flatten();
        let found = directories.filter(|directory| directory.has != Has::Nothing);
        let mut found: Vec<_> = found
            .map(|directory| (directory.path.clone(), directory.has))
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }
}

/// Reads every directory below `top`. No link is followed, and no git directory entered.
fn walk(top: &Path) -> Vec<Directory> {
    let mut directories = Vec::new();
    // Every directory is opened in its parent: none of them can be replaced by a link on the way.
    let mut pending: Vec<(Option<Rc<OwnedFd>>, PathBuf)> = vec![(None, PathBuf::new())];
    while let Some((parent, path)) = pending.pop() {
        let name = path.file_name().unwrap_or(OsStr::new("")).as_bytes();
        let opened = match &parent {
            Some(parent) => open_directory(parent, name),
            None => open_directory(rustix::fs::CWD, top.as_os_str().as_bytes()),
        };
        let (stamp, read) = match opened {
            Ok(directory) => {
                let directory = Rc::new(directory);
                let stamp = rustix::fs::fstat(&directory)
                    .ok()
                    .and_then(|found| Stamp::from(&found).settled());
                (
                    stamp,
                    read(&directory).map(|(below, has)| (directory, below, has)),
                )
            }
            // It has gone since its parent was read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if parent.is_some() => continue,
            Err(error) => (
                parent.as_ref().and_then(|parent| stamp_in(parent, name)),
                Err(error),
            ),
        };
        let has = match read {
            Ok((directory, below, has)) => {
                let inside =
                    |name: Vec<u8>| (Some(directory.clone()), path.join(OsStr::from_bytes(&name)));
                pending.extend(below.into_iter().map(inside));
                if path.as_os_str().is_empty() {
                    Has::Nothing
                } else {
                    has
                }
            }
            Err(_) => Has::Unread,
        };
        directories.push(Directory { path, stamp, has });
    }
    directories
}

/// The directories in an open one, and what it has.
fn read(directory: &OwnedFd) -> rustix::io::Result<(Vec<Vec<u8>>, Has)> {
    let (mut below, mut unclear, mut dot_git) = (Vec::new(), Vec::new(), false);
    let (mut head, mut objects, mut refs) = (false, false, false);
    read_names(directory, |name, kind| {
        match name {
            b"HEAD" => head = true,
            b"objects" => objects = true,
            b"refs" | b"reftable" => refs = true,
            // Where names are the same in either case, git looks there too.
            _ if name.eq_ignore_ascii_case(b".git") => return dot_git = true,
            _ => {}
        }
        match kind {
            FileType::Directory => below.push(name.to_owned()),
            FileType::Unknown => unclear.push(name.to_owned()),
            _ => {}
        }
    })?;
    for name in unclear {
        match rustix::fs::statat(directory, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => {
                below.push(name)
            }
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(match () {
        () if dot_git => (below, Has::DotGit),
        () if head && objects && refs => (below, Has::Bare),
        () => (below, Has::Nothing),
    })
}

/// Whether each of them is still the directory that was read, as it was then.
fn is_unchanged(top: &Path, directories: &[Directory]) -> bool {
    let Ok(top) = open_directory(rustix::fs::CWD, top.as_os_str().as_bytes()) else {
        return false;
    };
    directories.iter().all(|directory| {
        let now = match directory.path.as_os_str().is_empty() {
            true => rustix::fs::fstat(&top)
                .ok()
                .and_then(|found| Stamp::from(&found).settled()),
            false => stamp_in(&top, directory.path.as_os_str().as_bytes()),
        };
        now.is_some() && now == directory.stamp
    })
}

fn stamp_in(directory: impl AsFd, path: &[u8]) -> Option<Stamp> {
    rustix::fs::statat(directory, path, AtFlags::SYMLINK_NOFOLLOW)
        .ok()
        .and_then(|found| Stamp::from(&found).settled())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn found(memo: &Memo, top: &Path) -> Vec<(String, Has)> {
        memo.repositories(top)
            .into_iter()
            .map(|(path, has)| (path.display().to_string(), has))
            .collect()
    }

    #[test]
    fn every_directory_is_looked_into_and_no_git_directory() {
        let top = tempfile::tempdir().unwrap();
        let make = |path: &str| std::fs::create_dir_all(top.path().join(path)).unwrap();
        for path in [
            ".git/modules/x/.git",
            "a/b/c/.git",
            "a/b/c/d/.git/inner/.git",
            "e/objects",
            "e/refs/g/.git",
            "f",
        ] {
            make(path);
        }
        std::fs::write(top.path().join("e/HEAD"), "").unwrap();
        std::fs::write(top.path().join("f/.git"), "").unwrap();
        std::os::unix::fs::symlink("a", top.path().join("link")).unwrap();
        let with_one = ["a/b/c", "a/b/c/d", "e/refs/g", "f"].map(|path| (path, Has::DotGit));
        let mut expected: Vec<_> = with_one.into_iter().chain([("e", Has::Bare)]).collect();
        expected.sort_by_key(|(path, _)| *path);
        assert_eq!(
            found(&Memo::default(), top.path()),
            expected
                .into_iter()
                .map(|(path, has)| (path.to_owned(), has))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_second_walk_sees_what_has_come_and_what_has_gone() {
        let top = tempfile::tempdir().unwrap();
        let memo = Memo::default();
        let make = |path: &str| std::fs::create_dir_all(top.path().join(path)).unwrap();
        make("a/b");
        assert_eq!(found(&memo, top.path()), []);
        make("a/b/c/.git");
        assert_eq!(
            found(&memo, top.path()),
            [("a/b/c".to_owned(), Has::DotGit)]
        );
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(found(&memo, top.path()).len(), 1);
        // Now it is remembered, and nothing else is read.
        let remembered = |memo: &Memo| is_unchanged(top.path(), &memo.0.borrow()[top.path()]);
        assert!(remembered(&memo));
        std::fs::remove_dir(top.path().join("a/b/c/.git")).unwrap();
        assert!(!remembered(&memo));
        assert_eq!(found(&memo, top.path()), []);
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(found(&memo, top.path()), []);
        std::fs::rename(top.path().join("a"), top.path().join("z")).unwrap();
        make("z/b/.git");
        assert_eq!(found(&memo, top.path()), [("z/b".to_owned(), Has::DotGit)]);
    }
}
