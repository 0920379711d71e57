//! The user's own directory of state: what a repository must not be able to say of itself. Approvals
//! and receipts live in it, by the XDG base directory specification.
//!
//! Whoever can write there speaks for the user, so it counts only where that is the user alone.

use std::fs::DirBuilder;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::{lane_files, optional};

/// What a file that is being written begins with; a process that dies leaves it.
pub const TEMPORARY: &str = ".new-";

/// Write permission of the group and of all others.
const OTHERS_WRITE: u32 = 0o022;

/// Where the directory is, or would be; `None` where neither variable has an absolute path.
pub fn path() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("git-lane"))
}

/// One directory in it, which may not be there yet.
#[derive(Debug, Clone)]
pub struct StateDir {
    home: PathBuf,
    path: PathBuf,
}

impl StateDir {
    /// The one called `name`; nothing is made.
    ///
    /// # Errors
    /// Code `state-home` where the environment does not say where it is, or what is there is not a
    /// directory that this user alone can write to.
    pub fn find(name: &str) -> Result<Self> {
        let home = path().ok_or_else(|| {
            Error::environment("neither HOME nor XDG_STATE_HOME says where your state is kept")
                .with_code(Code::StateHome)
                .hint("set HOME to your home directory")
        })?;
        Self::below(home, name)
    }

    /// The one called `name` where the directory of all state is `home`.
    pub(in crate::store) fn below(home: PathBuf, name: &str) -> Result<Self> {
        let found = StateDir {
            path: home.join(name),
            home,
        };
        found.ensure_own().map(|()| found)
    }

    /// Makes what is missing of it.
    pub fn make(&self) -> Result<()> {
        if let Some(above) = self.home.parent() {
            let made = builder().recursive(true).create(above);
            made.context("create", above)?;
        }
        for directory in [&self.home, &self.path] {
            match builder().create(directory) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => made.context("create", directory)?,
            }
        }
        self.ensure_own()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The files in it; nothing where it is not there.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> + use<> {
        lane_files::list(&self.path).filter(|path| lane_files::is_file(path))
    }

    /// What is in a file, where it is one of this user's that no other can write to.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let file = lane_files::open_read(&self.file(name)).ok()?;
        let found = file.metadata().ok()?;
        is_own(found.uid(), found.mode())
            .then(|| lane_files::read_open(&file).ok())
            .flatten()
    }

    /// Puts a file there in one step; what has that name is replaced. The content is on the disk
    /// before the name is.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        self.make()?;
        let path = self.file(name);
        let write = || {
            let mut new = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .tempfile_in(&self.path)?;
            new.write_all(content)?;
            new.as_file().sync_all()?;
            new.persist(&path).map_err(|error| error.error)
        };
        write().map(drop).context("write", &path)
    }

    /// Removes a file; says whether it was there.
    pub fn remove(&self, name: &str) -> Result<bool> {
        let path = self.file(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true).context("remove", &path),
        }
    }

    fn ensure_own(&self) -> Result<()> {
        ensure_own(&self.home).and_then(|()| ensure_own(&self.path))
    }
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

fn is_own(user: u32, mode: u32) -> bool {
    user == rustix::process::geteuid().as_raw() && mode & OTHERS_WRITE == 0
}

/// Refuses what is at `path`, where something is, unless it is a directory that only this user
/// writes to.
fn ensure_own(path: &Path) -> Result<()> {
    let Some(found) = optional::metadata(path)? else {
        return Ok(());
    };
    let shown = path.display().to_string();
    let refused = |why: &str, hint: String| {
        Err(Error::environment(format!("'{shown}' {why}"))
            .with_code(Code::StateHome)
            .hint(hint))
    };
    let elsewhere = || "let XDG_STATE_HOME name a directory of your own".to_owned();
    if !found.is_dir() {
        return refused(
            "is no directory, or a symbolic link to one",
            format!("move it away: mv {0} {0}.old", quote(&shown)),
        );
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refused("belongs to another user", elsewhere());
    }
    if found.mode() & OTHERS_WRITE != 0 {
        return refused(
            "can be written to by other users",
            format!("look at what is in it, then: chmod go-w {}", quote(&shown)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_the_users_alone() {
        let above = tempfile::tempdir().unwrap();
        let home = above.path().join("state/git-lane");
        let directory = StateDir::below(home.clone(), "x").unwrap();
        assert!(!home.exists() && directory.files().count() == 0);
        directory.write("file", b"one").unwrap();
        directory.write("file", b"two").unwrap();
        assert_eq!(directory.read("file").unwrap(), b"two");
        assert_eq!(directory.files().collect::<Vec<_>>(), [home.join("x/file")]);
        let modes = [home.as_path(), &home.join("x"), &home.join("x/file")].map(mode);
        assert_eq!(modes, [0o700, 0o700, 0o600]);
        assert!(directory.remove("file").unwrap() && !directory.remove("file").unwrap());
    }

    #[test]
    fn what_others_may_have_written_counts_for_nothing() {
        let above = tempfile::tempdir().unwrap();
        let (home, real) = (above.path().join("git-lane"), above.path().join("real"));
        StateDir::below(real.clone(), "x")
            .unwrap()
            .write("file", b"theirs")
            .unwrap();
        let (ours, x) = (real.clone(), real.join("x"));
        let refused = |home: &Path| StateDir::below(home.into(), "x").unwrap_err().code();
        symlink(&real, &home).unwrap();
        assert_eq!(refused(&home), Code::StateHome);
        std::fs::remove_file(&home).unwrap();
        std::fs::write(&home, "").unwrap();
        assert_eq!(refused(&home), Code::StateHome);
        for (path, bits) in [(&ours, 0o770), (&ours, 0o702), (&x, 0o720)] {
            std::fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
            assert_eq!(refused(&ours), Code::StateHome, "{bits:o}");
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        let directory = StateDir::below(ours, "x").unwrap();
        assert!(directory.read("file").is_some());
        std::fs::set_permissions(x.join("file"), Permissions::from_mode(0o620)).unwrap();
        assert!(directory.read("file").is_none());
        symlink(x.join("file"), x.join("link")).unwrap();
        assert!(directory.read("link").is_none() && directory.read("none").is_none());
    }
}
