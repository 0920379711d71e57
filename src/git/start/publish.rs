//! The short critical section that makes a prepared lane visible, and its way back.

use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use rustix::fs::RenameFlags;

use super::{Intent, Made, line};
use crate::domain::lane::{Head, Lane, ObjectId, RefName, WorktreeState};
use crate::error::{Error, IoContext, Result};
use crate::git::journal::{Running, step};
use crate::git::metadata::Edit;
use crate::git::populate;
use crate::git::recover::Intent as AnyIntent;
use crate::git::refs::RefChange;
use crate::git::repository::Repository;
use crate::hooks;

/// Makes the lane visible. The caller holds the registry lock. Every step looks whether it was done before.
pub(super) fn publish(repository: &Repository, intent: &mut Intent, running: &mut Running) -> Result<()> {
    ensure_still_free(repository, intent)?;
    point_at_admin(repository, intent)?;
    intent.publishing = true;
    running.advance(&AnyIntent::Start(intent.clone()))?;
    // A config.lock somebody holds must stop us before anything can be seen.
    let edit = Edit::begin(repository.common_dir())?;
    ignore(repository, intent)?;
    if let Err(error) = create_branch(repository, intent) {
        // One that is there all the same is not ours to undo.
        intent.new_branch = false;
        return Err(error);
    }
    step("start.branch");
    place_worktree(intent)?;
    step("start.worktree");
    place_admin(repository, intent)?;
    step("start.registered");
    record(intent, edit)
}

/// Writes the lane's record, and the include that brings a sparse worktree its settings.
fn record(intent: &Intent, mut edit: Edit) -> Result<()> {
    edit.put(&intent.lane)?;
    edit.set_default(hooks::MARK, hooks::UNDECIDED)?;
    if intent.sparse {
        edit.include_for_worktree(&intent.admin_name, populate::SPARSE_CONFIG)?;
    }
    edit.commit()
}

/// Has the directory that holds a worktree inside the main worktree ignored there, by `.git/info/exclude`.
pub(super) fn ignore(repository: &Repository, intent: &Intent) -> Result<()> {
    let Some(Made(directory)) = &intent.ignore else { return Ok(()) };
    let info = repository.common_dir().join("info");
    std::fs::create_dir_all(&info).context("create", &info)?;
    let path = info.join("exclude");
    let text = std::fs::read(&path).unwrap_or_default();
    let mut wanted = b"/".to_vec();
    for byte in directory.as_os_str().as_bytes() {
        if b"*?[]\\#! ".contains(byte) {
            wanted.push(b'\\');
        }
        wanted.push(*byte);
    }
    wanted.push(b'/');
    if text.lines().any(|line| line.trim() == wanted) {
        return Ok(());
    }
    let mut addition = if text.is_empty() || text.ends_with(b"\n") { Vec::new() } else { b"\n".to_vec() };
    addition.extend_from_slice(&wanted);
    addition.push(b'\n');
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).context("open", &path)?;
    file.write_all(&addition).context("write", &path)
}

/// Publishes what a dead process had prepared.
pub(super) fn resume(repository: &Repository, intent: &mut Intent, running: &mut Running) -> Result<()> {
    if is_anothers(repository, intent)? {
        return Err(Error::refused("another lane is there"));
    }
    let registered = admin_dir(repository, intent).join("gitdir").exists() && owns(intent, &intent.lane.worktree);
    if registered {
        return record(intent, Edit::begin(repository.common_dir())?);
    }
    if owns(intent, &intent.lane.worktree) {
        // The directory is in place; only its registration is missing.
        let edit = Edit::begin(repository.common_dir())?;
        place_admin(repository, intent)?;
        return record(intent, edit);
    }
    if intent.new_branch && branch_is(repository, intent, intent.commit)? {
        intent.new_branch = false;
    }
    publish(repository, intent, running)
}

/// Removes whatever was made. Nothing here was ever a finished lane, except a directory already in place, which goes
/// back to its staging name first. The caller holds the registry lock, so that what is in place and has a record is
/// somebody else's for good.
pub(super) fn undo(repository: &Repository, intent: &Intent) -> Result<()> {
    let admin = admin_dir(repository, intent);
    let published = intent.publishing && !is_anothers(repository, intent)?;
    let ours = published && owns(intent, &intent.lane.worktree);
    let registered =
        ours && std::fs::read(admin.join("gitdir")).is_ok_and(|text| text == line(&intent.lane.worktree.join(".git")));
    if registered && !intent.staged_admin.exists() {
        let staging = repository.lane_dir().join("staging");
        std::fs::create_dir_all(&staging).context("create", &staging)?;
        std::fs::rename(&admin, &intent.staged_admin).context("move", &admin)?;
    }
    if ours {
        std::fs::rename(&intent.lane.worktree, &intent.staged_worktree).context("move", &intent.lane.worktree)?;
    }
    if published && intent.new_branch && branch_is(repository, intent, intent.commit)? {
        delete_branch(repository, intent)?;
    }
    for directory in [&intent.staged_worktree, &intent.staged_admin] {
        match std::fs::remove_dir_all(directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("remove", directory),
            _ => {}
        }
    }
    for Made(directory) in intent.made.iter().rev() {
        // Another lane may be in it by now.
        let _ = std::fs::remove_dir(directory);
    }
    Ok(())
}

/// Looks again, now that nobody of ours can interfere.
pub(super) fn ensure_still_free(repository: &Repository, intent: &Intent) -> Result<()> {
    let raced = |what: String| Error::refused(what).code("raced").hint("run the command again");
    if repository.records()?.find(&intent.lane.name).is_some() {
        return Err(raced(format!("lane '{}' was started by somebody else at the same moment", intent.lane.name)));
    }
    if let Some(branch) = intent.lane.branch.as_ref().filter(|_| intent.new_branch)
        && repository.branch_tip(branch)?.is_some()
    {
        // At the same commit it would pass for ours, and undoing this start would take it from its owner.
        return Err(raced(format!("branch '{branch}' was created by somebody else at the same moment")));
    }
    if let Some(branch) = intent.lane.branch.as_ref().filter(|_| !intent.new_branch) {
        let holds = |head: &Head| head.branch() == Some(branch);
        let used = repository.worktrees()?.into_iter().find(|w| w.state != WorktreeState::Bare && holds(&w.head));
        if let Some(used) = used {
            return Err(raced(format!("branch '{branch}' was just checked out in '{}'", used.path.display())));
        }
        if !branch_is(repository, intent, intent.commit)? {
            return Err(raced(format!("branch '{branch}' has just moved")));
        }
    }
    Ok(())
}

/// Whether the lane's branch is at `commit`.
pub(super) fn branch_is(repository: &Repository, intent: &Intent, commit: ObjectId) -> Result<bool> {
    let Some(branch) = &intent.lane.branch else { return Ok(false) };
    Ok(repository.branch_tip(branch)? == Some(commit))
}

/// Whether a lane has been recorded meanwhile with the worktree or the branch that this start wanted.
pub(super) fn is_anothers(repository: &Repository, intent: &Intent) -> Result<bool> {
    let wanted = &intent.lane;
    let same = |lane: &Lane| lane.worktree == wanted.worktree || lane.branch.is_some() && lane.branch == wanted.branch;
    Ok(repository.records()?.lanes.iter().any(|lane| lane.id != wanted.id && same(lane)))
}

fn create_branch(repository: &Repository, intent: &Intent) -> Result<()> {
    let Some(branch) = intent.lane.branch.as_ref().filter(|_| intent.new_branch) else { return Ok(()) };
    let change = RefChange { name: RefName::from(branch), from: None, to: Some(intent.commit) };
    repository.change_refs(&[change], &created_from(intent))
}

/// Deletes the branch this start created, if it is where it was created.
pub(super) fn delete_branch(repository: &Repository, intent: &Intent) -> Result<()> {
    let Some(branch) = &intent.lane.branch else { return Ok(()) };
    let change = RefChange { name: RefName::from(branch), from: Some(intent.commit), to: None };
    repository.change_refs(&[change], "lane: start undone")
}

/// The reflog's word for it.
pub(super) fn created_from(intent: &Intent) -> String {
    match &intent.lane.base {
        Some(base) => format!("branch: Created from {base}"),
        None => format!("branch: Created from {}", intent.lane.fork_point),
    }
}

fn place_worktree(intent: &Intent) -> Result<()> {
    let target = &intent.lane.worktree;
    // An empty directory somebody prepared is used, as git does; anything else in it makes this fail.
    let _ = std::fs::remove_dir(target);
    rename_new(&intent.staged_worktree, target)
}

fn place_admin(repository: &Repository, intent: &Intent) -> Result<()> {
    let worktrees = repository.common_dir().join("worktrees");
    let mut attempts = 0;
    loop {
        std::fs::create_dir_all(&worktrees).context("create", &worktrees)?;
        attempts += 1;
        match rename_new(&intent.staged_admin, &admin_dir(repository, intent)) {
            // `git worktree prune` removes the directory whenever it is empty.
            Err(_) if attempts < 100 && !worktrees.exists() => {}
            done => return done,
        }
    }
}

/// A rename that never replaces anything.
fn rename_new(from: &Path, to: &Path) -> Result<()> {
    use rustix::fs::{CWD, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every filesystem knows the flag; a directory cannot replace a directory that holds anything.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if std::fs::symlink_metadata(to).is_err() => {
            std::fs::rename(from, to).context("create", to)
        }
        Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY) => Err(occupied(to)),
        other => other.context("create", to),
    }
}

pub(super) fn occupied(path: &Path) -> Error {
    Error::refused(format!("'{}' already exists", path.display()))
        .code("path-occupied")
        .hint("choose another place with --path, or move away what is there")
}

fn admin_dir(repository: &Repository, intent: &Intent) -> PathBuf {
    repository.common_dir().join("worktrees").join(&intent.admin_name)
}

/// Whether `worktree` is the one this start made: its `.git` names our admin directory and the staging id stays unique.
fn owns(intent: &Intent, worktree: &Path) -> bool {
    !intent.staged_worktree.exists()
        && std::fs::read(worktree.join(".git")).is_ok_and(|text| {
            let name = intent.admin_name.as_os_str().as_bytes();
            text.strip_suffix(b"\n").is_some_and(|text| text.ends_with(name))
        })
}

/// Picks an admin directory nobody has and writes the worktree's `.git` file to match.
fn point_at_admin(repository: &Repository, intent: &mut Intent) -> Result<()> {
    let stem = intent.admin_name.clone();
    let mut attempt = 1;
    while std::fs::symlink_metadata(admin_dir(repository, intent)).is_ok() {
        let mut name = stem.clone().into_os_string();
        name.push(attempt.to_string());
        intent.admin_name = name.into();
        attempt += 1;
    }
    let mut text = b"gitdir: ".to_vec();
    text.extend_from_slice(&line(&admin_dir(repository, intent)));
    let dot_git = intent.staged_worktree.join(".git");
    std::fs::write(&dot_git, text).context("write", &dot_git)
}
