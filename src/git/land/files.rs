//! The files of the worktree that has the base checked out: what is in the way of a landing, and how they are put back.

use std::collections::{BTreeSet, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryMode;

use super::apply::{Move, in_the_way, on_index, read_tree};
use crate::domain::finish::{HiddenBy, Refusal};
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{Error, IoContext, Result};
use crate::git::repository::Repository;
use crate::git::steady;

/// One path that differs between two commits; no renames.
#[derive(Debug)]
struct Changed {
    path: BString,
    old: Option<(EntryMode, ObjectId)>,
    new: Option<(EntryMode, ObjectId)>,
}

fn changes(repository: &Repository, old: ObjectId, new: ObjectId) -> Result<Vec<Changed>> {
    steady::objects(&repository.gix, || compared(repository, old, new))
}

fn compared(repository: &Repository, old: ObjectId, new: ObjectId) -> Result<Vec<Changed>> {
    use gix::diff::tree::recorder::Change;
    let unreadable = |error: String| Error::git(format!("cannot compare {old} and {new}: {error}"));
    let tree = |id: ObjectId| {
        let commit = repository.gix.find_commit(id).map_err(|error| unreadable(error.to_string()))?;
        commit.tree().map_err(|error| unreadable(error.to_string()))
    };
    let (before, after) = (tree(old)?, tree(new)?);
    let hash = repository.gix.object_hash();
    let mut recorder = gix::diff::tree::Recorder::default();
    gix::diff::tree(
        gix::objs::TreeRefIter::from_bytes(&before.data, hash),
        gix::objs::TreeRefIter::from_bytes(&after.data, hash),
        gix::diff::tree::State::default(),
        &repository.gix.objects,
        &mut recorder,
    )
    .map_err(|error| unreadable(error.to_string()))?;
    let changed = recorder.records.into_iter().filter_map(|change| {
        let (path, old, new) = match change {
            Change::Addition { path, entry_mode, oid, .. } => (path, None, Some((entry_mode, oid))),
            Change::Deletion { path, entry_mode, oid, .. } => (path, Some((entry_mode, oid)), None),
            Change::Modification { path, previous_entry_mode, previous_oid, entry_mode, oid } => {
                (path, Some((previous_entry_mode, previous_oid)), Some((entry_mode, oid)))
            }
        };
        let new = new.filter(|(mode, _)| !mode.is_tree());
        let old = old.filter(|(mode, _)| !mode.is_tree());
        (old.is_some() || new.is_some()).then_some(Changed { path, old, new })
    });
    Ok(changed.collect())
}

/// The files of `new` that `old` has not, without submodules.
pub fn added(repository: &Repository, old: ObjectId, new: ObjectId) -> Result<impl Iterator<Item = ObjectId>> {
    let changed = changes(repository, old, new)?.into_iter();
    Ok(changed.filter_map(|change| change.new.filter(|(mode, _)| !mode.is_commit()).map(|(_, id)| id)))
}

/// The submodules that have another commit in `new` than in `old`, with that.
pub fn moved_submodules(repository: &Repository, old: ObjectId, new: ObjectId) -> Result<Vec<(BString, ObjectId)>> {
    let changed = changes(repository, old, new)?.into_iter();
    Ok(changed.filter_map(|change| Some((change.path, change.new.filter(|(mode, _)| mode.is_commit())?.1))).collect())
}

/// Refuses local changes and untracked files that moving `site` from old to new would touch, naming them. Ignored files
/// count: git would overwrite them, and nothing may be lost.
pub fn ensure_clear(repository: &Repository, planned: &Move<'_>, site: &Worktree, index: &Path) -> Result<()> {
    let changed = changes(repository, planned.old, planned.new)?;
    let displaced = displaced(site, &changed);
    if !displaced.is_empty() {
        return Err(in_the_way(planned, site, &displaced));
    }
    if surely_clear(repository, site, index, &changed) {
        return Ok(());
    }
    ask_git(repository, planned, site, index, &changed)
}

/// Why a read-tree that failed did, where local changes are the reason.
pub fn ensure_not_in_the_way(repository: &Repository, planned: &Move<'_>, site: &Worktree, index: &Path) -> Result<()> {
    ask_git(repository, planned, site, index, &changes(repository, planned.old, planned.new)?)
}

/// What stands where the base has a directory of touched files. git looks through a symbolic link there, finds the files
/// unchanged, and replaces the link by a directory.
fn displaced(site: &Worktree, changed: &[Changed]) -> Vec<BString> {
    let going: HashSet<&BStr> = changed.iter().filter(|c| c.old.is_some()).map(|c| c.path.as_bstr()).collect();
    let parents = changed.iter().filter(|change| change.old.is_some()).flat_map(|change| {
        let path = change.path.as_bstr();
        path.find_iter("/").map(move |at| path[..at].as_bstr())
    });
    let parents: BTreeSet<&BStr> = parents.filter(|parent| !going.contains(parent)).collect();
    let other = |parent: &&&BStr| {
        let metadata = std::fs::symlink_metadata(site.path.join(crate::git::path(parent)));
        metadata.is_ok_and(|metadata| !metadata.is_dir())
    };
    parents.iter().filter(other).map(|parent| (*parent).to_owned()).collect()
}

fn ask_git(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<()> {
    let strangers = strangers(repository, site, index, changed)?;
    let dry_run = || read_tree(repository, site, index, &["-n", "-m", "-u"], planned.old, planned.new);
    let mut verdict = dry_run()?;
    if !verdict.status.success() {
        // Files that were only touched look changed until git has compared them.
        on_index(repository, site, index).args(["update-index", "-q", "--refresh"]).output()?;
        verdict = dry_run()?;
    }
    if verdict.status.success() {
        return if strangers.is_empty() { Ok(()) } else { Err(in_the_way(planned, site, &strangers)) };
    }
    let mut files: Vec<BString> = strangers;
    let touched: HashSet<&BStr> = changed.iter().map(|change| change.path.as_bstr()).collect();
    let head = planned.old.to_string();
    for diff in [vec!["diff-files"], vec!["diff-index", "--cached", head.as_str()]] {
        let listed = on_index(repository, site, index).args(diff).args(["--name-only", "-z"]).stdout()?;
        let paths = listed.split(|byte| *byte == 0).map(ByteSlice::as_bstr);
        files.extend(paths.filter(|path| touched.contains(path)).map(ToOwned::to_owned));
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let hidden = hidden(repository, site, index, &touched);
        if !hidden.is_empty() {
            return Err(Refusal::Hidden { base: planned.base.clone(), path: site.path.clone(), files: hidden }.into());
        }
        // An unmerged index, for instance; git's words say more than an empty list.
        return Err(in_the_way(planned, site, &[verdict.stderr.trim().as_bstr().to_owned()]));
    }
    Err(in_the_way(planned, site, &files))
}

/// Whether every touched file is, by its stat data, what the index and the old commit say, and nothing is where new ones
/// go. What this can show needs no dry run; any doubt, and git is asked.
fn surely_clear(repository: &Repository, site: &Worktree, index: &Path, changed: &[Changed]) -> bool {
    use gix::index::entry::{Flags, Mode, Stat};
    let Ok(options) = repository.gix.stat_options() else { return false };
    let hash = repository.gix.object_hash();
    let Ok(index) = gix::index::File::at(index, hash, true, Default::default()) else { return false };
    let enabled = |key: &str| repository.config(key).is_none() || repository.config_bool(key);
    let (symlinks, modes) = (enabled("core.symlinks"), enabled("core.fileMode"));
    let odd = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD;
    if index.is_sparse() || index.entries().iter().any(|entry| entry.stage_raw() != 0) {
        return false;
    }
    changed.iter().all(|change| {
        let path = change.path.as_bstr();
        let metadata = gix::index::fs::Metadata::from_path_no_follow(&site.path.join(crate::git::path(path)));
        match (change.old, metadata) {
            (None, Err(error)) => {
                let below = [path.as_bytes(), b"/"].concat();
                error.kind() == std::io::ErrorKind::NotFound
                    && index.entry_by_path(path).is_none()
                    && index.prefixed_entries(below.as_bstr()).is_none()
            }
            (Some((mode, id)), Ok(metadata)) => index.entry_by_path(path).is_some_and(|entry| {
                let stat = Stat::from_fs(&metadata);
                // git writes size 0 into entries it is not sure of.
                entry.id == id
                    && entry.mode == Mode::from(mode)
                    && entry.mode != Mode::COMMIT
                    && entry.mode.change_to_match_fs(&metadata, symlinks, modes).is_none()
                    && !entry.flags.intersects(odd)
                    && entry.stat.size != 0
                    && !entry.stat.is_racy(index.timestamp(), options)
                    && stat.is_ok_and(|stat| stat.matches(&entry.stat, options))
            }),
            _ => false,
        }
    })
}

/// Touched files that no diff lists because somebody told git to look away.
fn hidden(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    touched: &HashSet<&BStr>,
) -> Vec<(BString, HiddenBy)> {
    use gix::index::entry::{Flags, Stat};
    let hash = repository.gix.object_hash();
    let (Ok(index), Ok(options)) =
        (gix::index::File::at(index, hash, true, Default::default()), repository.gix.stat_options())
    else {
        return Vec::new();
    };
    let by = |flags: Flags| match () {
        () if flags.contains(Flags::ASSUME_VALID) => Some(HiddenBy::AssumeUnchanged),
        () if flags.contains(Flags::SKIP_WORKTREE) => Some(HiddenBy::SkipWorktree),
        () => None,
    };
    let changed = |entry: &gix::index::Entry, path: &BStr| {
        let metadata = gix::index::fs::Metadata::from_path_no_follow(&site.path.join(crate::git::path(path)));
        metadata.is_ok_and(|found| !Stat::from_fs(&found).is_ok_and(|stat| stat.matches(&entry.stat, options)))
    };
    let entries = index.entries().iter().map(|entry| (entry, entry.path(&index)));
    let entries = entries.filter(|(_, path)| touched.contains(path));
    entries
        .filter_map(|(entry, path)| Some((path.to_owned(), by(entry.flags).filter(|_| changed(entry, path))?)))
        .collect()
}

/// Files that are in no index and that the landing's new files would replace.
fn strangers(repository: &Repository, site: &Worktree, index: &Path, changed: &[Changed]) -> Result<Vec<BString>> {
    let going: HashSet<&BStr> =
        changed.iter().filter(|change| change.old.is_some()).map(|change| change.path.as_bstr()).collect();
    let mut found = HashSet::new();
    for change in changed.iter().filter(|change| change.old.is_none()) {
        if change.new.is_none_or(|(mode, _)| mode.is_commit()) {
            continue;
        }
        let path = change.path.as_bstr();
        // A file where the new path needs a directory.
        for at in path.find_iter("/") {
            let parent = path[..at].as_bstr();
            let metadata = std::fs::symlink_metadata(site.path.join(crate::git::path(parent)));
            if metadata.is_ok_and(|metadata| !metadata.is_dir()) && !going.contains(parent) {
                found.insert(parent.to_owned());
            }
        }
        match std::fs::symlink_metadata(site.path.join(crate::git::path(path))) {
            Ok(metadata) if metadata.is_dir() => below(&site.path, path, &going, &mut found)?,
            Ok(_) => {
                found.insert(path.to_owned());
            }
            Err(_) => {}
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    // What is staged there is read-tree's to judge.
    let tracked = on_index(repository, site, index).args(["ls-files", "-z"]).stdout()?;
    let tracked: HashSet<&BStr> = tracked.split(|byte| *byte == 0).map(ByteSlice::as_bstr).collect();
    let mut found: Vec<BString> = found.into_iter().filter(|path| !tracked.contains(path.as_bstr())).collect();
    found.sort();
    Ok(found)
}

/// Everything below a directory that the landing turns into a file, except what leaves with it.
fn below(root: &Path, directory: &BStr, going: &HashSet<&BStr>, found: &mut HashSet<BString>) -> Result<()> {
    let full = root.join(crate::git::path(directory));
    for entry in std::fs::read_dir(&full).context("read", &full)? {
        let entry = entry.context("read", &full)?;
        let path: BString = [directory.as_bytes(), b"/", entry.file_name().as_bytes()].concat().into();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(root, path.as_bstr(), going, found)?;
        } else if !going.contains(path.as_bstr()) {
            found.insert(path);
        }
    }
    Ok(())
}

/// Gives back the index's content to the files that an interrupted move from `old` to `new` has written, begun to write
/// or removed. The index is that of before the move.
pub fn put_back(repository: &Repository, site: &Worktree, old: ObjectId, new: ObjectId) -> Result<()> {
    let index = site.git_dir.join("index");
    let changed = changes(repository, old, new)?;
    let differing = on_index(repository, site, &index).args(["diff-files", "--name-only", "-z"]).stdout()?;
    let differing: HashSet<&BStr> = differing.split(|byte| *byte == 0).map(ByteSlice::as_bstr).collect();
    let tracked = on_index(repository, site, &index).args(["ls-files", "-z"]).stdout()?;
    let tracked: HashSet<&BStr> = tracked.split(|byte| *byte == 0).map(ByteSlice::as_bstr).collect();
    let mut restore = BString::default();
    for change in &changed {
        let file = site.path.join(crate::git::path(&change.path));
        let path = change.path.as_bstr();
        // A new file that somebody has added himself is his.
        let settled = if change.old.is_some() { !differing.contains(path) } else { tracked.contains(path) };
        if settled {
            continue;
        }
        let ours = match change.new {
            _ if std::fs::symlink_metadata(&file).is_err() => true,
            Some((mode, id)) => wrote(repository, site, &file, change.path.as_bstr(), mode, id)?,
            None => change.old.is_some() && file.is_dir(),
        };
        if !ours {
            continue;
        }
        if change.old.is_some_and(|(mode, _)| !mode.is_commit()) {
            restore.extend_from_slice(&change.path);
            restore.push(0);
        } else if change.old.is_none() && std::fs::remove_file(&file).is_ok() {
            remove_empty(&site.path, &file);
        }
    }
    on_index(repository, site, &index).args(["checkout-index", "-f", "-z", "--stdin"]).input(restore).run()
}

/// Removes what a read-tree from `old` to `new` should have removed: git only warns where it could not, and calls the rest
/// a success.
pub fn remove_left(repository: &Repository, site: &Worktree, old: ObjectId, new: ObjectId) -> Result<()> {
    for Changed { path, old, new } in changes(repository, old, new)? {
        let (Some((mode, id)), None) = (old, new) else { continue };
        let file = site.path.join(crate::git::path(&path));
        let there = std::fs::symlink_metadata(&file).is_ok();
        if there && (!wrote(repository, site, &file, path.as_bstr(), mode, id)? || std::fs::remove_file(&file).is_err())
        {
            continue;
        }
        remove_empty(&site.path, &file);
    }
    Ok(())
}

/// Whether the file holds what the landing writes there, or the beginning of it.
fn wrote(
    repository: &Repository,
    site: &Worktree,
    file: &Path,
    path: &BStr,
    mode: EntryMode,
    id: ObjectId,
) -> Result<bool> {
    if mode.is_link() {
        let target = steady::objects(&repository.gix, || repository.gix.find_object(id))
            .map_err(|error| Error::git(error.to_string()))?;
        return Ok(std::fs::read_link(file).is_ok_and(|found| found.as_os_str().as_bytes() == target.data));
    }
    if mode.is_commit() || !std::fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    let named = BString::from([b"--path=", path.as_bytes()].concat());
    let written = repository.git_in(site).args(["cat-file", "--filters"]).bytes(named).arg(id.to_string()).stdout()?;
    let found = std::fs::read(file).context("read", file)?;
    Ok(written.starts_with(&found))
}

fn remove_empty(root: &Path, file: &Path) {
    for parent in file.ancestors().skip(1).take_while(|parent| *parent != root) {
        if std::fs::remove_dir(parent).is_err() {
            return;
        }
    }
}
