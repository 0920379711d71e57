//! Which worktrees there are, read from git's own files.
//!
//! The layout is that of gitrepository-layout(5). Unlike git itself this survives a half-made or damaged
//! `.git/worktrees/<id>`: such an entry is reported as damaged, and everything else keeps working.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use crate::domain::lane::{Head, ObjectId, Worktree, WorktreeId, WorktreeState};
use crate::domain::name::BranchName;
use crate::error::{IoContext, Result};

/// The linked worktrees below `common_dir`, sorted by id. An entry without a readable `gitdir` is somebody else's
/// half-made worktree and is left out, as `git worktree list` does; see [`unfinished`].
pub fn linked(common_dir: &Path) -> Result<Vec<Worktree>> {
    let mut found: Vec<Worktree> =
        admin_dirs(common_dir)?.iter().filter_map(|admin_dir| describe(common_dir, admin_dir)).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Admin directories git would stumble over: no `gitdir`, a `commondir` that does not lead here, no `HEAD` to speak of.
pub fn unfinished(common_dir: &Path) -> Result<Vec<PathBuf>> {
    let broken = |admin_dir: &PathBuf| {
        let empty = std::fs::metadata(admin_dir.join("gitdir")).map_or(true, |metadata| metadata.len() == 0);
        empty || !names_its_repository(common_dir, admin_dir) || !has_head(admin_dir)
    };
    Ok(admin_dirs(common_dir)?.into_iter().filter(|path| !path.is_symlink()).filter(broken).collect())
}

/// Whether `commondir` leads to the repository the admin directory is in.
pub fn names_its_repository(common_dir: &Path, admin_dir: &Path) -> bool {
    let named = read_line(&admin_dir.join("commondir"), admin_dir).and_then(|path| std::fs::canonicalize(path).ok());
    named.is_some() && named == std::fs::canonicalize(common_dir).ok()
}

/// Whether git takes what `HEAD` says for a HEAD: a ref, or a commit.
pub fn has_head(git_dir: &Path) -> bool {
    let text = std::fs::read(git_dir.join("HEAD")).unwrap_or_default();
    let line = text.trim_end();
    match line.strip_prefix(b"ref:") {
        Some(target) => target.trim_start().starts_with(b"refs/"),
        None => ObjectId::from_hex(line).is_ok(),
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

/// Reads one admin directory; `None` when it has no `gitdir` yet, or no longer.
pub fn describe(common_dir: &Path, admin_dir: &Path) -> Option<Worktree> {
    let named = read_gitdir(admin_dir)?;
    // The directory itself is not resolved: a symbolic link in its place must be seen as one.
    let path = named.parent().map_or_else(|| named.clone(), clean);
    let dot_git = path.join(named.file_name().unwrap_or_default());
    let id = WorktreeId(BString::from(admin_dir.file_name()?.to_owned().into_vec()));
    Some(Worktree {
        state: state(common_dir, admin_dir, &dot_git, &path),
        head: read_head(admin_dir),
        locked: std::fs::read(admin_dir.join("locked")).ok().map(|reason| reason.trim().as_bstr().to_string()),
        git_dir: admin_dir.to_owned(),
        id: Some(id),
        path,
    })
}

/// Whether a rebase or bisect there will write to `branch` when it ends (git's own `branch_checked_out`).
pub fn works_on(git_dir: &Path, branch: &BranchName) -> bool {
    let full = branch.to_ref();
    let names = |file: &str, name: &BString| {
        std::fs::read(git_dir.join(file)).is_ok_and(|text| text.trim_ascii_end() == name.as_slice())
    };
    let updates = || {
        let list = std::fs::read(git_dir.join("rebase-merge/update-refs")).unwrap_or_default();
        list.lines().any(|line| line == full.as_slice())
    };
    names("rebase-merge/head-name", &full)
        || names("rebase-apply/head-name", &full)
        || updates()
        || names("BISECT_START", &branch.as_bstr().to_owned())
}

/// Whether two paths lead to one directory; a bind mount gives it a second one that no symbolic link tells of.
pub fn is_same(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    id(a).is_some() && id(a) == id(b)
}

/// What `HEAD` in a git directory of the files backend says.
pub fn read_head(git_dir: &Path) -> Head {
    parse_head(std::fs::read(git_dir.join("HEAD")).unwrap_or_default().as_bstr())
}

/// What the text of a `HEAD` says.
pub(crate) fn parse_head(text: &BStr) -> Head {
    let line = text.trim_ascii_end().as_bstr();
    if let Some(target) = line.strip_prefix(b"ref:") {
        let target = target.trim_ascii_start().as_bstr();
        return BranchName::from_ref(target).map_or_else(|| Head::Other(target.to_owned()), Head::Branch);
    }
    ObjectId::from_hex(line).map_or_else(|_| Head::Other(line.to_owned()), Head::Detached)
}

/// The path a one-line file holds, relative ones resolved against `base`.
fn read_path(file: &Path, base: &Path) -> Option<PathBuf> {
    read_line(file, base).map(|path| clean(&path))
}

/// Like [`read_path`], with `.` and `..` left as they are.
fn read_line(file: &Path, base: &Path) -> Option<PathBuf> {
    let path = super::path(super::line(&std::fs::read(file).ok()?));
    (!path.as_os_str().is_empty()).then(|| base.join(path))
}

/// Where the `gitdir` of an admin directory leads. `git worktree move` and `repair` empty that file before they write it.
fn read_gitdir(admin_dir: &Path) -> Option<PathBuf> {
    let file = admin_dir.join("gitdir");
    for _ in 0..5 {
        let named = read_line(&file, admin_dir);
        if named.is_some() || !file.exists() {
            return named;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    read_line(&file, admin_dir)
}

/// Removes `.` and `..` as far as that needs no look at the disk beyond resolving the parent.
fn clean(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => match std::fs::canonicalize(parent) {
            Ok(parent) => parent.join(name),
            Err(_) => path.to_owned(),
        },
        _ => path.to_owned(),
    }
}

fn state(common_dir: &Path, admin_dir: &Path, dot_git: &Path, path: &Path) -> WorktreeState {
    let damaged = |why: &str| WorktreeState::Damaged(why.to_owned());
    if std::fs::symlink_metadata(admin_dir).is_ok_and(|metadata| metadata.is_symlink()) {
        return damaged("its admin directory is a symbolic link");
    }
    match std::fs::symlink_metadata(path) {
        Err(_) => return WorktreeState::Missing,
        Ok(metadata) if metadata.is_symlink() => return damaged("its directory is a symbolic link"),
        Ok(metadata) if !metadata.is_dir() => return damaged("its path is not a directory"),
        Ok(_) => {}
    }
    match std::fs::symlink_metadata(dot_git) {
        Err(_) => return damaged("its directory has no .git file"),
        Ok(metadata) if !metadata.is_file() => return damaged("its .git is not a file"),
        Ok(_) => {}
    }
    let back = std::fs::read(dot_git).unwrap_or_default();
    let back = super::line(&back).strip_prefix(b"gitdir:").map(|rest| rest.trim_ascii_start());
    let Some(back) = back else { return damaged("its .git file does not name a git directory") };
    let back = path.join(super::path(back));
    if back != *admin_dir && !is_same(&back, admin_dir) {
        return damaged("its .git file points at another git directory");
    }
    match read_path(&admin_dir.join("commondir"), admin_dir) {
        Some(common) if common == common_dir || is_same(&common, common_dir) => WorktreeState::Present,
        Some(_) => damaged("its commondir points at another repository"),
        None => damaged("its commondir is empty"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_branches_commits_or_something_else() {
        assert_eq!(parse_head("ref: refs/heads/a/b\n".into()), Head::Branch(BranchName::parse("a/b".into()).unwrap()));
        let id = "0123456789012345678901234567890123456789";
        assert_eq!(
            parse_head(format!("{id}\n").as_bytes().into()),
            Head::Detached(ObjectId::from_hex(id.as_bytes()).unwrap())
        );
        assert_eq!(parse_head("ref: refs/bisect/x".into()), Head::Other("refs/bisect/x".into()));
        assert_eq!(parse_head("".into()), Head::Other("".into()));
    }
}
