//! Names on disk the index does not know: ignored, untracked, or nothing git shows.
//!
//! A directory without tracked files counts once, and only if something in it is not ignored; an
//! ignored one is never descended into (dir.c, `treat_directory`).

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use gix::index::entry::Mode;
use gix::worktree::Stack;
use rustix::fs::{AtFlags, FileType, OFlags};

use super::{Depth, Halt, Shared};
pub(crate) use crate::engines::platform::read_names;
use crate::error::{Error, IoContext};

/// A name in a directory and what it is.
pub(super) type Name = (BString, FileType);

/// Decides about unknown names of one worktree; each thread has its own.
pub(super) struct Unknown<'a> {
    shared: &'a Shared<'a>,
    repo: &'a gix::Repository,
    worktree: &'a Path,
    excludes: Option<Stack>,
}

impl<'a> Unknown<'a> {
    pub fn new(shared: &'a Shared<'a>, repo: &'a gix::Repository, worktree: &'a Path) -> Self {
        Unknown {
            shared,
            repo,
            worktree,
            excludes: None,
        }
    }

    /// Whether git would show `path` (`name` in `directory`) as untracked.
    pub fn is_untracked(
        &mut self,
        directory: impl AsFd,
        name: &[u8],
        kind: FileType,
        path: &[u8],
    ) -> Result<bool, Halt> {
        match kind_of(&directory, name, kind, self.worktree)? {
            FileType::RegularFile | FileType::Symlink => Ok(!self.is_excluded(path, Mode::FILE)?),
            FileType::Directory => {
                if self.is_excluded(path, Mode::DIR)? {
                    return Ok(false);
                }
                match open_directory(&directory, name) {
                    Ok(inside) => self.holds_untracked(&inside, path),
                    Err(rustix::io::Errno::NOENT) => Ok(false),
                    Err(error) => Err(cannot_open(
                        error,
                        &self.worktree.join(path.to_os_str_lossy()),
                    )),
                }
            }
            // Sockets, pipes and devices: git never shows them.
            _ => Ok(false),
        }
    }

    /// Whether anything below the unknown directory `path` is untracked and not ignored.
    fn holds_untracked(&mut self, directory: &OwnedFd, path: &[u8]) -> Result<bool, Halt> {
        let mut names: Vec<Name> = Vec::new();
        read_names(directory, |name, kind| names.push((name.into(), kind)))
            .context("read", &self.worktree.join(path.to_os_str_lossy()))?;
        if names.iter().any(|(name, _)| name == ".git") {
            return if is_repository(&self.worktree.join(path.to_os_str_lossy())) {
                Ok(true)
            } else {
                Err(Halt::Doubt("a broken nested repository"))
            };
        }
        // Files first: the answer is usually there, and it is cheap.
        names.sort_by_key(|(_, kind)| *kind == FileType::Directory);
        for (name, kind) in names {
            let mut below = path.to_vec();
            below.push(b'/');
            below.extend_from_slice(&name);
            if self.is_untracked(directory, &name, kind, &below)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds to `found` what is not ignored at and below `path` (`name` in `directory`), special
    /// files too; a directory in which nothing is ignored, and a nested repository, as one with a
    /// slash at the end. Returns whether something ignored is there.
    pub fn list_untracked(
        &mut self,
        directory: impl AsFd,
        name: &[u8],
        kind: FileType,
        path: &[u8],
        found: &mut Vec<BString>,
    ) -> Result<bool, Halt> {
        if kind != FileType::Directory {
            let excluded = self.is_excluded(path, Mode::FILE)?;
            found.extend((!excluded).then(|| path.into()));
            return Ok(excluded);
        }
        if self.is_excluded(path, Mode::DIR)? {
            return Ok(true);
        }
        let mut whole = BString::from(path);
        whole.push(b'/');
        let inside = match open_directory(&directory, name) {
            Ok(inside) => inside,
            // Nobody can look into it: it goes as it is.
            Err(rustix::io::Errno::ACCESS) => {
                found.push(whole);
                return Ok(false);
            }
            Err(rustix::io::Errno::NOENT) => return Ok(false),
            Err(error) => {
                let place = self.worktree.join(path.to_os_str_lossy());
                return Err(cannot_open(error, &place));
            }
        };
        let mut names: Vec<Name> = Vec::new();
        read_names(&inside, |name, kind| names.push((name.into(), kind)))
            .context("read", &self.worktree.join(path.to_os_str_lossy()))?;
        let before = found.len();
        let mut keeps = false;
        if names.iter().all(|(name, _)| name != ".git") {
            for (name, kind) in names {
                let kind = kind_of(&inside, &name, kind, self.worktree)?;
                let below = [whole.as_slice(), name.as_slice()].concat();
                keeps |= self.list_untracked(&inside, &name, kind, &below, found)?;
            }
        }
        if !keeps {
            found.truncate(before);
            found.push(whole);
        }
        Ok(keeps)
    }

    fn is_excluded(&mut self, path: &[u8], mode: Mode) -> Result<bool, Halt> {
        let stack = match &mut self.excludes {
            Some(stack) => stack,
            none => {
                let state = self
                    .shared
                    .excludes
                    .get_or_init(|| global_excludes(self.repo))
                    .clone();
                let state = state.ok_or(Halt::Doubt("excludes cannot be read"))?;
                none.insert(Stack::new(
                    self.worktree,
                    state,
                    gix::glob::pattern::Case::Sensitive,
                    Vec::new(),
                    Vec::new(),
                ))
            }
        };
        match stack.at_entry(path.as_bstr(), Some(mode), &self.repo.objects) {
            // A file may be lost for this answer: git gives it.
            Ok(platform) if platform.is_excluded() && self.shared.depth == Depth::Removal => {
                Err(Halt::Doubt("something is ignored"))
            }
            Ok(platform) => Ok(platform.is_excluded()),
            Err(_) => Err(Halt::Doubt("excludes cannot be read")),
        }
    }
}

/// What `name` in `directory` is, where the listing has not said it; nothing git shows where it is
/// gone.
pub(super) fn kind_of(
    directory: impl AsFd,
    name: &[u8],
    listed: FileType,
    worktree: &Path,
) -> Result<FileType, Error> {
    if listed != FileType::Unknown {
        return Ok(listed);
    }
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
        Err(rustix::io::Errno::NOENT) => Ok(FileType::Unknown),
        Err(error) => Err(error).context("read", worktree),
    }
}

/// Patterns of core.excludesFile and info/exclude; those of `.gitignore` files are read on the way.
/// `None` where git would find the file, or understand a pattern, in another way than gix.
fn global_excludes(repo: &gix::Repository) -> Option<gix::worktree::stack::State> {
    let configured = repo
        .config_snapshot()
        .trusted_path("core.excludesFile")
        .ok()?;
    let file = match configured {
        // It counts from the top of the worktree, wherever that is.
        Some(path) if path.is_relative() && !path.as_os_str().is_empty() => return None,
        Some(path) => Some(path),
        None => std::env::var_os("XDG_CONFIG_HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))
            .map(|config| config.join("git/ignore")),
    };
    for file in file
        .into_iter()
        .chain([repo.common_dir().join("info/exclude")])
    {
        match std::fs::read(&file) {
            Ok(patterns) if matches_the_top(&patterns) => return None,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            // git warns and goes on.
            Err(_) => return None,
        }
    }
    let none = gix::index::State::new(repo.object_hash());
    let source = gix::worktree::stack::state::ignore::Source::WorktreeThenIdMappingIfNotSkipped;
    Some(
        repo.excludes(&none, None, source)
            .ok()?
            .detach()
            .state()
            .clone(),
    )
}

/// Whether a pattern is made of stars and slashes: gix 0.90 lets it match the top of the worktree,
/// and everything with it.
fn matches_the_top(patterns: &[u8]) -> bool {
    let patterns = patterns
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(patterns);
    patterns.lines().any(|line| {
        let line = line.trim_ascii_end();
        let line = line.strip_prefix(b"!").unwrap_or(line);
        !line.is_empty() && line.iter().all(|byte| b"*/".contains(byte))
    })
}

/// Whether git takes `directory` for a repository with a worktree (setup.c,
/// `is_nonbare_repository_dir`).
fn is_repository(directory: &Path) -> bool {
    let git = directory.join(".git");
    let git_dir = match std::fs::read(&git) {
        Ok(link) => match crate::store::line(&link).strip_prefix(b"gitdir: ") {
            Some(target) => directory.join(target.to_os_str_lossy()),
            None => return false,
        },
        Err(_) => git,
    };
    let linked = git_dir.join("commondir").exists();
    git_dir.join("HEAD").exists()
        && (linked || (git_dir.join("objects").is_dir() && git_dir.join("refs").is_dir()))
}

/// Opens `name` in `directory` without following a symbolic link.
pub(crate) fn open_directory(directory: impl AsFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, rustix::fs::Mode::empty())
}

/// The halt for a directory that could not be opened.
pub(super) fn cannot_open(error: rustix::io::Errno, path: &Path) -> Halt {
    use rustix::io::Errno;
    if error == Errno::NOTDIR || error == Errno::LOOP {
        return Halt::Doubt("no directory any more");
    }
    let error = std::io::Error::from(error);
    Halt::Failed(Error::environment(format!("cannot read '{}'", path.display())).caused_by(error))
}
