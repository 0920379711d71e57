//! Directories opened one component at a time below a root, never through a symlink.

use std::path::Path;

use rustix::{
    fd::{AsFd as _, BorrowedFd, OwnedFd},
    fs::{CWD, Mode, OFlags, mkdirat, openat},
    io::{Errno, Result},
};

/// The open directories from a root down to the one used last.
pub(super) struct Directories {
    root: OwnedFd,
    /// Open directories below the root, outermost first, each with the length its path has in
    /// `current`.
    open: Vec<(usize, OwnedFd)>,
    current: Vec<u8>,
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

impl Directories {
    pub(super) fn below(root: &Path) -> Result<Self> {
        let root = openat(CWD, root, flags(), Mode::empty())?;
        Ok(Directories {
            root,
            open: Vec::new(),
            current: Vec::new(),
        })
    }

    /// Opens the directory at `path` (without a trailing slash, empty for the root).
    pub(super) fn enter(&mut self, path: &[u8]) -> Result<BorrowedFd<'_>> {
        self.descend(path, false)
    }

    /// Like [`enter`](Self::enter), making the directories that are missing.
    pub(super) fn create(&mut self, path: &[u8]) -> Result<BorrowedFd<'_>> {
        self.descend(path, true)
    }

    fn descend(&mut self, path: &[u8], create: bool) -> Result<BorrowedFd<'_>> {
        if path != self.current {
            let is_above = |len: usize, current: &[u8]| {
                path.get(..len) == Some(&current[..len])
                    && path.get(len).is_none_or(|&byte| byte == b'/')
            };
            while let Some((len, _)) = self.open.last()
                && !is_above(*len, &self.current)
            {
                self.open.pop();
            }
            let mut done = self.open.last().map_or(0, |(len, _)| *len);
            self.current.truncate(done);
            while done < path.len() {
                let start = if done == 0 { 0 } else { done + 1 };
                let end = path[start..]
                    .iter()
                    .position(|&byte| byte == b'/')
                    .map_or(path.len(), |at| start + at);
                let next = self.step(&path[start..end], create)?;
                self.open.push((end, next));
                self.current.clear();
                self.current.extend_from_slice(&path[..end]);
                done = end;
            }
        }
        Ok(self.here())
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.open
            .last()
            .map_or(self.root.as_fd(), |(_, fd)| fd.as_fd())
    }

    fn step(&self, name: &[u8], create: bool) -> Result<OwnedFd> {
        if create {
            match mkdirat(self.here(), name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        openat(self.here(), name, flags() | OFlags::NOFOLLOW, Mode::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_between_directories_and_stops_at_symlinks()
    -> std::result::Result<(), Box<dyn std::error::Error>> {
        let root = tempfile::tempdir()?;
        let mut directories = Directories::below(root.path())?;
        for path in ["a/b/c", "a/b", "a/bc", "", "a", "d/e", "a/b/c"] {
            let here = directories.create(path.as_bytes())?;
            mkdirat(here, "seen", Mode::from_raw_mode(0o777)).or_else(|error| match error {
                Errno::EXIST => Ok(()),
                error => Err(error),
            })?;
            assert!(root.path().join(path).join("seen").is_dir(), "{path}");
        }
        std::os::unix::fs::symlink("d", root.path().join("link"))?;
        assert!(directories.create(b"link/e").is_err());
        assert!(directories.enter(b"a/none").is_err());
        assert!(directories.enter(b"a/b").is_ok());
        Ok(())
    }
}
