//! What is in the directory of a slot, and how it is put right: no file or directory in there is
//! believed to be what git-lane has made of it.
//!
//! `tree` is the worktree, `git` its git directory, `lock` the empty file whose lock is the hold of
//! the slot. `index` says what was put into the worktree; commands work with a copy of it in `git`.
//! All is made anew where it is damaged. Called by the other files of `gate`.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, Permissions};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, IoContext, Result};
use crate::repository::slot_place::{self, GIT_DIR, Slot, TREE};
use crate::store::permissions::Shared;
use crate::store::{careful_removal, lane_files};

/// What a git directory keeps from run to run: the repositories of submodules that a command has
/// fetched. HEAD and the index are written for each run.
const KEPT: [&str; 5] = ["HEAD", "commondir", "gitdir", "index", "modules"];

/// The paths of one slot.
#[derive(Debug)]
pub struct Layout {
    /// The slot's own directory.
    pub directory: PathBuf,
    /// The worktree.
    pub tree: PathBuf,
    /// Its git directory.
    pub git_dir: PathBuf,
    common_dir: PathBuf,
}

impl Layout {
    /// Makes the directory of a slot, and those above it up to the user's caches.
    ///
    /// # Errors
    /// Code `foreign-cache` where one of git-lane's is a link, or another user's.
    pub fn make(common_dir: &Path, slot: Slot) -> Result<Self> {
        let mut directory = slot_place::cache()?;
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory);
        made.context("create", &directory)?;
        let names = slot_place::below_cache(common_dir)?;
        for name in names.iter().map(String::as_str).chain([slot.name()]) {
            directory.push(name);
            own_directory(&directory)?;
        }
        // Through whatever link leads to the user's caches.
        let directory = std::fs::canonicalize(&directory).context("find", &directory)?;
        Ok(Layout {
            tree: directory.join(TREE),
            git_dir: directory.join(TREE).join(GIT_DIR),
            directory,
            common_dir: common_dir.to_owned(),
        })
    }

    /// The file whose lock is the hold of the slot.
    pub fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    /// The file that names the processes which a command has running there.
    pub fn group_record(&self) -> PathBuf {
        self.directory.join("running")
    }

    /// The index that no command sees.
    pub fn index(&self) -> PathBuf {
        self.directory.join("index")
    }

    /// The slot's directory, open.
    pub fn root(&self) -> Result<OwnedFd> {
        careful_removal::open(&self.directory).context("open", &self.directory)
    }

    /// Whether the worktree and its git directory are there and belong to each other and to the
    /// repository.
    pub fn is_whole(&self) -> bool {
        let says = |path: PathBuf, text: &[u8]| lane_files::read(&path).is_ok_and(|is| is == text);
        lane_files::is_directory(&self.tree)
            && lane_files::is_directory(&self.git_dir)
            && says(self.git_dir.join("commondir"), &line(&self.common_dir))
    }

    /// Puts right what commands have left: the worktree has its git directory, which has nothing in
    /// it that says what they did. Where the two do not belong to each other and to the repository,
    /// both are made anew.
    pub fn put_right(&self) -> Result<()> {
        let root = self.root()?;
        let named = lane_files::read(&self.git_dir.join("commondir"));
        let is_ours = named.is_ok_and(|named| named == line(&self.common_dir));
        if !is_ours || !lane_files::is_directory(&self.tree) {
            self.start_anew(&root)?;
        }
        for name in self.left_in_git_dir()? {
            self.remove(&root, b"tree/.git/", name.as_bytes())?;
        }
        // Some tools take it for a whole repository without that.
        let there = line(&self.git_dir);
        self.write(&root, "tree/.git/gitdir", &there)
    }

    fn start_anew(&self, root: &OwnedFd) -> Result<()> {
        for name in careful_removal::names(root).context("read", &self.directory)? {
            if name != "lock" {
                self.remove(root, b"", name.as_bytes())?;
            }
        }
        for directory in [&self.tree, &self.git_dir] {
            let made = DirBuilder::new().mode(0o700).create(directory);
            made.context("create", directory)?;
        }
        // Until this is there, the next command begins once more.
        self.write(root, "tree/.git/commondir", &line(&self.common_dir))
    }

    fn left_in_git_dir(&self) -> Result<Vec<OsString>> {
        let opened = careful_removal::open(&self.git_dir);
        let mut names = opened
            .and_then(|git_dir| careful_removal::names(&git_dir))
            .context("read", &self.git_dir)?;
        names.retain(|name| {
            let path = self.git_dir.join(name);
            let kept = KEPT.iter().any(|kept| *name == **kept);
            !kept || lane_files::is_unfit(&path, name == "modules")
        });
        Ok(names)
    }

    fn remove(&self, root: &OwnedFd, below: &[u8], name: &[u8]) -> Result<()> {
        let path = [below, name].concat();
        careful_removal::remove(root, &path).context("remove", &self.shown(&path))
    }

    /// Removes something in the slot's directory that may not be there.
    pub fn clear(&self, path: &str) -> Result<()> {
        self.remove(&self.root()?, b"", path.as_bytes())
    }

    /// Has the file at `path` in the slot's directory say `content`, whatever is there now.
    pub fn write(&self, root: &OwnedFd, path: &str, content: &[u8]) -> Result<()> {
        let place = self.directory.join(path);
        if lane_files::read(&place).is_ok_and(|now| now == content) {
            return Ok(());
        }
        let new = format!("{path}.new");
        self.remove(root, b"", new.as_bytes())?;
        let aside = self.directory.join(&new);
        let written = Shared::Umask.write(&aside, content);
        written.context("write", &aside)?;
        if !lane_files::is_file(&place) {
            self.remove(root, b"", path.as_bytes())?;
        }
        std::fs::rename(&aside, &place).context("write", &place)
    }

    /// The copy of the index that commands work with becomes what was put there. It is as old as
    /// that: git tells by its time which files may have changed since.
    pub fn hand_over_index(&self) -> Result<()> {
        let (from, to) = (self.index(), self.git_dir.join("index"));
        let aside = self.directory.join("index.new");
        self.clear("index.new")?;
        let copied = std::fs::copy(&from, &aside).and_then(|_| {
            let written = std::fs::metadata(&from)?.modified()?;
            File::options()
                .write(true)
                .open(&aside)?
                .set_modified(written)
        });
        copied.context("write", &aside)?;
        std::fs::rename(&aside, &to).context("write", &to)
    }

    fn shown(&self, path: &[u8]) -> PathBuf {
        self.directory.join(crate::store::path(path))
    }
}

fn line(path: &Path) -> Vec<u8> {
    [path.as_os_str().as_bytes(), b"\n"].concat()
}

/// Makes a directory that is this user's alone, unless it is there.
fn own_directory(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.context("create", path)?,
    }
    let found = std::fs::symlink_metadata(path).context("read", path)?;
    let problem = if found.is_symlink() {
        "is a symbolic link"
    } else if !found.is_dir() {
        "is no directory"
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else {
        if found.mode() & 0o077 != 0 {
            let alone = Permissions::from_mode(0o700);
            std::fs::set_permissions(path, alone).context("close", path)?;
        }
        return Ok(());
    };
    let text = format!(
        "'{}', where git-lane keeps worktrees of its own, {problem}",
        path.display()
    );
    Err(Error::environment(text)
        .with_code(Code::ForeignCache)
        .hint("move it aside, or name another place: XDG_CACHE_HOME=DIRECTORY git lane …"))
}
