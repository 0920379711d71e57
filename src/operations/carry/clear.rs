//! Gives a worktree its commit back whose work is in another one by now.
//!
//! A file goes where the other worktree has the same, what the index has goes where the other index has
//! it too. All else was changed meanwhile and stays. So nothing is lost whatever the intent says, and the
//! same again does what is left of it.
//!
//! A file leaves its name first and is looked at under another one: a program that saves at that moment
//! saves where nothing is, and what it has saved a moment before is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::file_copy::is_same;
use super::{CarriedPath, Carry, file_at};
use crate::domain::lane::{ObjectId, Worktree, WorktreeState};
use crate::error::{IoContext, Result};
use crate::operations::checkout::index_lock::{Prepared, remove_copies, remove_prepared};
use crate::operations::checkout::on_index;
use crate::operations::checkout::worktree_files::{is_behind_a_file, remove_empty};
use crate::repository::Repository;
use crate::store::git::{Invocation, NONE, failure};
use crate::store::journal::{step, unique_id};
use crate::store::lockfile::LockFile;
use crate::store::{exists, no_replace};

/// More paths than this are looked for in the whole index.
const NAMED: usize = 500;

/// Mode and object, or a stage each.
type Entries = BTreeMap<BString, Vec<BString>>;

/// The paths whose work has stayed, because it was changed meanwhile.
pub type Left = BTreeSet<BString>;

/// The worktree that has the work by now.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Its top directory.
    pub directory: &'a Path,
    /// Its git directory.
    pub git_dir: &'a Path,
    /// What no other operation is called.
    pub id: &'a str,
}

/// Gives the worktree its commit back, the lock of whose index the caller holds.
///
/// # Errors
/// It is between the two; the same again completes it.
pub fn clear(
    repository: &Repository,
    carry: &Carry,
    other: Other<'_>,
    lock: &LockFile,
) -> Result<Left> {
    let paths = carry.paths.iter();
    let paths: Vec<BString> = paths.map(|CarriedPath(path)| path.clone()).collect();
    let site = match site(repository, carry)? {
        Some(site) if head(repository, &site)? == Some(carry.head) => site,
        // It has another commit by now, or is gone.
        _ => return Ok(paths.into_iter().collect()),
    };
    let mut left = Left::new();
    for (number, path) in paths.iter().enumerate() {
        let aside = format!(".lane-{}-{number}", other.id);
        if !take_out((&site.path, other.directory), path, &aside)? {
            left.insert(path.clone());
        }
        step("carry.taken");
    }
    give_back(
        repository,
        &site,
        (carry.head, &paths),
        other,
        lock,
        &mut left,
    )?;
    step("carry.cleared");
    Ok(left)
}

/// The same for a process that has died; `id` is that of its intent.
pub fn recover(repository: &Repository, carry: &Carry, other: Other<'_>, id: &str) -> Result<Left> {
    if carry.keep {
        return Ok(Left::new());
    }
    let index = carry.git_dir.join("index");
    if !carry.git_dir.is_dir() {
        return Ok(Left::new());
    }
    let lock = LockFile::take_over(&index, repository.lane_dir(), id)?;
    match clear(repository, carry, other, &lock) {
        Ok(left) => Ok(left),
        Err(error) => {
            // What is half done is still not to be written.
            lock.leave();
            Err(error)
        }
    }
}

fn site(repository: &Repository, carry: &Carry) -> Result<Option<Worktree>> {
    let mut all = repository.worktrees()?.into_iter();
    let found = all.find(|site| site.git_dir == carry.git_dir);
    let found = match found {
        // The next command may run where nothing else says where the main worktree is.
        Some(site) if site.state == WorktreeState::Unknown => {
            repository.main_worktree_at(&carry.place)?
        }
        found => found,
    };
    Ok(found.filter(|site| site.path == carry.place && site.path.is_dir()))
}

fn head(repository: &Repository, site: &Worktree) -> Result<Option<ObjectId>> {
    repository.git_in(site).rev_parse("HEAD")
}

/// Takes a file out of a worktree that the other one has too; `false` where it stays.
fn take_out((root, other): (&Path, &Path), path: &BString, aside: &str) -> Result<bool> {
    let file = root.join(crate::store::path(path));
    let aside = file.with_file_name(aside);
    let twin = file_at(other, path);
    if is_behind_a_file(root, &file) {
        return Ok(true);
    }
    // A process that has died had it there.
    if exists(&aside) && !settle(&file, &aside, twin.as_deref())? {
        return Ok(false);
    }
    let is_out = match (file_at(root, path), twin) {
        (None, _) => true,
        (Some(_), Some(twin)) if is_same(&file, &twin) => move_out(&file, &aside, &twin)?,
        _ => false,
    };
    if is_out {
        remove_empty(root, &file);
    }
    Ok(is_out)
}

/// Takes a file from its name, and removes it if it is still what the other worktree has.
fn move_out(file: &Path, aside: &Path, twin: &Path) -> Result<bool> {
    match std::fs::rename(file, aside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        // Its directory takes no change.
        Err(_) => return Ok(false),
    }
    step("carry.aside");
    settle(file, aside, Some(twin))
}

/// Removes what has left its name, if the other worktree has it; else it gets the name back.
fn settle(file: &Path, aside: &Path, twin: Option<&Path>) -> Result<bool> {
    if twin.is_some_and(|twin| is_same(aside, twin)) {
        std::fs::remove_file(aside).context("remove", aside)?;
        return Ok(true);
    }
    match no_replace::rename(aside, file) {
        // Something newer has the name: both stay.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        renamed => renamed.context("rename", aside).map(|()| false),
    }
}

/// Index and files of the commit, at these paths.
fn give_back(
    repository: &Repository,
    site: &Worktree,
    (head, paths): (ObjectId, &[BString]),
    other: Other<'_>,
    lock: &LockFile,
    left: &mut Left,
) -> Result<()> {
    remove_copies(&site.git_dir, "lane-index-", Duration::ZERO);
    let copy = site.git_dir.join(format!("lane-index-{}", unique_id()));
    let copy = Prepared::copy(&site.git_dir.join("index"), copy)?;
    let on_copy = || on_index(repository, site, &copy.path).with("core.fsmonitor", "false");
    let committed = committed(repository, head, paths)?;
    let now = staged(on_copy(), paths)?;
    let theirs = repository.git.in_worktree(other.directory, other.git_dir);
    let there = staged(theirs, paths)?;
    let nothing = BString::from(format!("0 {}", ObjectId::null(head.kind())));
    let (mut gone, mut back, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let wanted = committed.get(path);
        if now.get(path) != wanted {
            if now.get(path) != there.get(path) {
                left.insert(path.clone());
                continue;
            }
            add(&mut gone, &[nothing.as_bstr(), "\t".into(), path.as_bstr()]);
            if let Some(entry) = wanted.and_then(|entries| entries.first()) {
                add(&mut back, &[entry.as_bstr(), "\t".into(), path.as_bstr()]);
            }
        }
        if wanted.is_some() && is_missing(site, path) {
            add(&mut files, &[path.as_bstr()]);
        }
    }
    if !gone.is_empty() {
        // What is in the way of another goes before that comes.
        on_copy().update_index(true, [gone, back].concat())?;
    }
    step("carry.index-ready");
    write_files(on_copy(), site, files)?;
    step("carry.files-back");
    lock.replace_with(&copy.path)?;
    remove_prepared(&copy.path);
    Ok(())
}

/// Adds a record and its end to a list.
fn add(list: &mut Vec<u8>, parts: &[&BStr]) {
    parts.iter().for_each(|part| list.extend_from_slice(part));
    list.push(0);
}

fn is_missing(site: &Worktree, path: &BString) -> bool {
    let file = site.path.join(crate::store::path(path));
    !exists(&file) && !is_behind_a_file(&site.path, &file)
}

/// Writes the files that are not there; one that a program saves meanwhile stays as it is.
fn write_files(git: Invocation, site: &Worktree, files: Vec<u8>) -> Result<()> {
    let paths: Vec<BString> = files.split_str("\0").map(BString::from).collect();
    if files.is_empty() {
        return Ok(());
    }
    let written = git.checking_out(["-u"], files).output()?;
    let mut paths = paths.iter().filter(|path| !path.is_empty());
    match written.status.success() || !paths.any(|path| is_missing(site, path)) {
        true => Ok(()),
        false => Err(failure("git checkout-index", &written)),
    }
}

/// What a commit has at these paths, as an index would have it; no submodules.
fn committed(repository: &Repository, commit: ObjectId, paths: &[BString]) -> Result<Entries> {
    let git = repository.git_here();
    let found = match paths.len() > NAMED {
        true => git.ls_tree(commit, NONE)?,
        false if paths.is_empty() => Vec::new(),
        false => git.ls_tree(commit, paths.iter().map(|path| crate::store::path(path)))?,
    };
    let wanted: BTreeSet<&BString> = paths.iter().collect();
    let mut entries = Entries::new();
    for entry in found
        .into_iter()
        .filter(|entry| wanted.contains(&entry.path))
    {
        let text = format!("{} {} 0", entry.mode, entry.id);
        entries.entry(entry.path).or_default().push(text.into());
    }
    Ok(entries)
}

/// What an index has at these paths: of each stage its mode, object and number.
fn staged(git: Invocation, paths: &[BString]) -> Result<Entries> {
    let found = match paths.len() > NAMED {
        true => git.ls_files(&["--stage"], NONE)?,
        false if paths.is_empty() => Vec::new(),
        false => git.ls_files(
            &["--stage"],
            paths.iter().map(|path| crate::store::path(path)),
        )?,
    };
    let wanted: BTreeSet<&BString> = paths.iter().collect();
    let mut entries = Entries::new();
    for record in &found {
        if let Some((entry, path)) = record.split_once_str("\t")
            && wanted.contains(&BString::from(path))
        {
            entries.entry(path.into()).or_default().push(entry.into());
        }
    }
    Ok(entries)
}
