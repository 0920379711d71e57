//! Which worktrees there are, read from git's own files.
//!
//! The layout is that of gitrepository-layout(5). Unlike git itself this survives a half-made or
//! damaged `.git/worktrees/<id>`: such an entry is reported as damaged, and everything else keeps
//! working. A thousand of them are read by every command, so each file is opened once, and a path
//! is resolved once for all that lie beside each other.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::alias;
use super::alias::Loose;
use crate::domain::lane::{Head, ObjectId, Worktree, WorktreeId, WorktreeState};
use crate::domain::name::BranchName;
use crate::error::{IoContext, Result};
use crate::store::file_id::is_same;
use crate::store::parallel;
use crate::store::small_file;
use crate::store::without_dots;

/// The linked worktrees below `common_dir`, sorted by id. An entry without a readable `gitdir` is
/// another git's half-made worktree and is left out, as `git worktree list` does; see
/// [`unfinished`].
pub fn linked(common_dir: &Path) -> Result<Vec<Worktree>> {
    let all = admin_dirs(common_dir)?;
    let threads = match all.len() / WORTH_A_THREAD {
        0 | 1 => 1,
        most => parallel::cores().min(most),
    };
    let describe = |some: &[PathBuf]| {
        let mut look = Look::new(common_dir);
        some.iter()
            .filter_map(|admin_dir| look.describe(admin_dir))
            .collect::<Vec<_>>()
    };
    let mut found: Vec<Worktree> = std::thread::scope(|scope| {
        let mut shares = all.chunks(all.len().div_ceil(threads).max(1));
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> = shares
            .map(|share| (share, scope.spawn(move || describe(share))))
            .collect();
        let mut found = describe(own);
        for (share, other) in others {
            found.extend(other.join().unwrap_or_else(|_| describe(share)));
        }
        found
    });
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Fewer admin directories than this are read sooner than a thread starts.
const WORTH_A_THREAD: usize = 64;

/// Admin directories git would stumble over: no `gitdir`, a `commondir` that does not lead here, no
/// `HEAD` to speak of.
pub fn unfinished(common_dir: &Path) -> Result<Vec<PathBuf>> {
    let broken = |admin_dir: &PathBuf| {
        let empty = std::fs::metadata(admin_dir.join("gitdir"))
            .map_or(true, |metadata| metadata.len() == 0);
        empty || !names_its_repository(common_dir, admin_dir) || !has_head(admin_dir)
    };
    Ok(admin_dirs(common_dir)?
        .into_iter()
        .filter(|path| !path.is_symlink())
        .filter(broken)
        .collect())
}

/// Whether `commondir` leads to the repository the admin directory is in.
pub fn names_its_repository(common_dir: &Path, admin_dir: &Path) -> bool {
    let named = read_line(&admin_dir.join("commondir"), admin_dir)
        .and_then(|path| std::fs::canonicalize(path).ok());
    named.is_some() && named == std::fs::canonicalize(common_dir).ok()
}

/// Whether git takes what `HEAD` says for a HEAD: a ref, or a commit.
pub fn has_head(git_dir: &Path) -> bool {
    match read_head(git_dir) {
        Head::Branch(_) | Head::Detached(_) => true,
        Head::Other(text) => text.starts_with(b"refs/"),
    }
}

fn admin_dirs(common_dir: &Path) -> Result<Vec<PathBuf>> {
    let directory = common_dir.join("worktrees");
    match std::fs::read_dir(&directory) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).context("read", &directory),
    }
}

/// When the HEAD of a worktree last moved, in seconds since 1970: a commit, a switch, a merge, a
/// reset, as its reflog has them. What is not staged, or only staged, moves nothing.
pub fn head_moved(worktree: &Worktree) -> Option<i64> {
    let modified = |file: &str| {
        let modified = std::fs::metadata(worktree.git_dir.join(file))
            .ok()?
            .modified();
        let since = modified.ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    modified("logs/HEAD").max(modified("HEAD"))
}

/// Reads one admin directory; `None` when it has no `gitdir` yet, or no longer.
pub fn describe(common_dir: &Path, admin_dir: &Path) -> Option<Worktree> {
    Look::new(common_dir).describe(admin_dir)
}

/// One look at the admin directories of a repository.
struct Look<'a> {
    common_dir: &'a Path,
    /// Whether `../..` of an admin directory is the common directory by its name.
    plain: bool,
    /// Directories that were resolved.
    real: HashMap<PathBuf, Option<PathBuf>>,
    loose: Loose<'a>,
}

impl<'a> Look<'a> {
    fn new(common_dir: &'a Path) -> Self {
        let worktrees = common_dir.join("worktrees");
        let plain = std::fs::symlink_metadata(worktrees).is_ok_and(|metadata| metadata.is_dir());
        Look {
            common_dir,
            plain,
            real: HashMap::new(),
            loose: Loose::of(common_dir),
        }
    }

    fn describe(&mut self, admin_dir: &Path) -> Option<Worktree> {
        // Opened once: its files are found without walking the path again.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let (linked, admin) =
            match rustix::fs::open(admin_dir, flags | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(admin) => (false, admin),
                Err(_) => (
                    true,
                    rustix::fs::open(admin_dir, flags, Mode::empty()).ok()?,
                ),
            };
        let admin = admin.as_fd();
        let named = gitdir(admin, admin_dir)?;
        // The directory itself is not resolved: a symbolic link in its place must be seen as one.
        let path = named
            .parent()
            .map_or_else(|| named.clone(), |path| self.clean(path));
        let dot_git = named.file_name().unwrap_or_default();
        let id = WorktreeId(BString::from(admin_dir.file_name()?.to_owned().into_vec()));
        let head = small_file::read(admin, "HEAD");
        let state = match &head {
            _ if linked => WorktreeState::Damaged("its admin directory is a symbolic link".into()),
            Err(Errno::ACCESS) => WorktreeState::Damaged("its HEAD cannot be read".into()),
            _ => self.state(admin, admin_dir, &path, dot_git),
        };
        let (head, alias) = self.loose.resolved(head_of(head, admin_dir));
        let there = |name| {
            rustix::fs::accessat(admin, name, Access::EXISTS, AtFlags::empty()) != Err(Errno::NOENT)
        };
        let locked = match there("locked").then(|| small_file::read(admin, "locked")) {
            Some(Ok(reason)) => Some(reason.trim().as_bstr().to_string()),
            None | Some(Err(Errno::NOENT)) => None,
            // Another user's umask hides the reason; the lock is there all the same.
            Some(Err(_)) => Some("the reason cannot be read".into()),
        };
        let held = if HOLDERS.into_iter().any(there) {
            held(admin_dir)
        } else {
            Vec::new()
        };
        Some(Worktree {
            state,
            head,
            alias,
            held,
            locked,
            git_dir: admin_dir.to_owned(),
            id: Some(id),
            path,
        })
    }

    /// Resolves everything of a path but its last component.
    fn clean(&mut self, path: &Path) -> PathBuf {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return path.to_owned();
        };
        let real = self
            .real
            .entry(parent.to_owned())
            .or_insert_with(|| std::fs::canonicalize(parent).ok());
        // Where nothing is there to resolve, `..` means what it says.
        real.as_ref()
            .map_or_else(|| without_dots(path), |parent| parent.join(name))
    }

    fn state(
        &self,
        admin: BorrowedFd<'_>,
        admin_dir: &Path,
        path: &Path,
        name: &std::ffi::OsStr,
    ) -> WorktreeState {
        let damaged = |why: &str| WorktreeState::Damaged(why.to_owned());
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return damaged("its directory cannot be looked at");
            }
            Err(_) => return WorktreeState::Missing,
            Ok(metadata) if metadata.is_symlink() => {
                return damaged("its directory is a symbolic link");
            }
            Ok(metadata) if !metadata.is_dir() => return damaged("its path is not a directory"),
            Ok(_) => {}
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(path.join(name), flags, Mode::empty()) {
            Err(Errno::NOENT) => return damaged("its directory has no .git file"),
            Err(Errno::LOOP) => return damaged("its .git is not a file"),
            Err(_) => return damaged("its .git file does not name a git directory"),
            Ok(file) => file,
        };
        let back = match small_file::read_all(&file) {
            Ok(back) => back,
            Err(Errno::ISDIR) => return damaged("its .git is not a file"),
            Err(_) => Vec::new(),
        };
        let back = crate::store::line(&back)
            .strip_prefix(b"gitdir:")
            .map(|rest| rest.trim_ascii_start());
        let Some(back) = back else {
            return damaged("its .git file does not name a git directory");
        };
        let back = path.join(crate::store::path(back));
        if back != *admin_dir && !is_same(&back, admin_dir) {
            return damaged("its .git file points at another git directory");
        }
        let common = small_file::read(admin, "commondir");
        if common == Err(Errno::ACCESS) {
            return damaged("its commondir cannot be read");
        }
        match crate::store::line(&common.unwrap_or_default()) {
            b"" => damaged("its commondir is empty"),
            b"../.." if self.plain => WorktreeState::Present,
            common if is_same(&admin_dir.join(crate::store::path(common)), self.common_dir) => {
                WorktreeState::Present
            }
            _ => damaged("its commondir points at another repository"),
        }
    }
}

/// What a rebase or a bisection has in a git directory as long as it lasts.
const HOLDERS: [&str; 3] = ["rebase-merge", "rebase-apply", "BISECT_START"];

/// The branches that a rebase or bisection in the worktree of `git_dir` will write to when it ends.
pub fn held(git_dir: &Path) -> Vec<BranchName> {
    let read = |file: &str| small_file::read(CWD, git_dir.join(file)).unwrap_or_default();
    let there = |name: &str| rustix::fs::access(git_dir.join(name), Access::EXISTS).is_ok();
    let mut found = Vec::new();
    if there("rebase-merge") {
        found.extend(BranchName::from_ref(
            read("rebase-merge/head-name").trim_ascii_end().as_bstr(),
        ));
        let updates = read("rebase-merge/update-refs");
        found.extend(
            updates
                .lines()
                .filter_map(|line| BranchName::from_ref(line.as_bstr())),
        );
    }
    if there("rebase-apply") {
        found.extend(BranchName::from_ref(
            read("rebase-apply/head-name").trim_ascii_end().as_bstr(),
        ));
    }
    if there("BISECT_START") {
        found.extend(BranchName::parse(
            read("BISECT_START").trim_ascii_end().as_bstr(),
        ));
    }
    found
}

/// What `HEAD` in a git directory of the files backend says, word for word.
pub fn read_head(git_dir: &Path) -> Head {
    head_of(small_file::read(CWD, git_dir.join("HEAD")), git_dir)
}

/// What `HEAD` in a git directory of the files backend says, with the name of its branch resolved.
pub fn resolved_head(git_dir: &Path, common_dir: &Path) -> Head {
    Loose::of(common_dir).resolved(read_head(git_dir)).0
}

fn head_of(text: rustix::io::Result<Vec<u8>>, git_dir: &Path) -> Head {
    let head = parse_head(text.unwrap_or_default().as_bstr());
    if matches!(head, Head::Branch(_)) {
        return head;
    }
    // Read through a symbolic link, the oldest form of a symbolic ref, it is that branch's commit,
    // or is not there.
    match alias::linked(&git_dir.join("HEAD")) {
        Some(target) => {
            BranchName::from_ref(target.as_bstr()).map_or(Head::Other(target), Head::Branch)
        }
        None => head,
    }
}

/// What the text of a `HEAD` says.
#[doc(hidden)]
pub fn parse_head(text: &BStr) -> Head {
    let line = text.trim_ascii_end().as_bstr();
    if let Some(target) = alias::target(line) {
        return BranchName::from_ref(target.as_bstr()).map_or(Head::Other(target), Head::Branch);
    }
    ObjectId::from_hex(line).map_or_else(|_| Head::Other(line.to_owned()), Head::Detached)
}

/// The path a one-line file holds, relative ones resolved against `base`; `.` and `..` are left as
/// they are.
fn read_line(file: &Path, base: &Path) -> Option<PathBuf> {
    let path = crate::store::path(crate::store::line(&small_file::read(CWD, file).ok()?));
    (!path.as_os_str().is_empty()).then(|| base.join(path))
}

/// Where the `gitdir` of an admin directory leads. `git worktree move` and `repair` empty that file
/// before they write it.
fn gitdir(admin: BorrowedFd<'_>, admin_dir: &Path) -> Option<PathBuf> {
    for _ in 0..5 {
        let text = small_file::read(admin, "gitdir").ok()?;
        let path = crate::store::path(crate::store::line(&text));
        if !path.as_os_str().is_empty() {
            return Some(admin_dir.join(path));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_branches_commits_or_something_else() {
        assert_eq!(
            parse_head("ref: refs/heads/a/b\n".into()),
            Head::Branch(BranchName::parse("a/b".into()).unwrap())
        );
        let id = "0123456789012345678901234567890123456789";
        assert_eq!(
            parse_head(format!("{id}\n").as_bytes().into()),
            Head::Detached(ObjectId::from_hex(id.as_bytes()).unwrap())
        );
        assert_eq!(
            parse_head("ref: refs/bisect/x".into()),
            Head::Other("refs/bisect/x".into())
        );
        assert_eq!(parse_head("".into()), Head::Other("".into()));
    }
}
