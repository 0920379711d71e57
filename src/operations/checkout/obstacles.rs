//! What is in the way of a landing in the worktree that has the base checked out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryMode;

use super::{Move, in_the_way, on_index};
use crate::domain::finish::{HiddenBy, Refusal};
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{IoContext, Result};
use crate::repository::Repository;
use crate::repository::quarantine;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::{Changed, changes};
use crate::store::disk;
use crate::store::git::{Invocation, NONE, failure};
use crate::store::retry;

/// Refuses local changes and untracked files that moving `site` from old to new would touch, naming
/// them. Ignored files count: git would overwrite them, and nothing may be lost.
pub(crate) fn ensure_clear(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<()> {
    let mut displaced = displaced(site, changed);
    displaced.extend(replaced_submodules(site, changed));
    displaced.extend(staged_below(repository, site, index, changed)?);
    if !displaced.is_empty() {
        return Err(in_the_way(planned, site, &displaced));
    }
    if surely_clear(repository, site, index, changed) {
        return Ok(());
    }
    ask_git(repository, planned, site, index, changed)
}

/// Why a read-tree that failed did, where local changes are the reason.
pub fn ensure_not_in_the_way(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    index: &Path,
) -> Result<()> {
    ask_git(
        repository,
        planned,
        site,
        index,
        &changes(repository, planned.old, planned.new)?,
    )
}

/// What stands where the base has a directory of touched files. git looks through a symbolic link
/// there, finds the files unchanged, and replaces the link by a directory.
fn displaced(site: &Worktree, changed: &[Changed]) -> Vec<BString> {
    let going: HashSet<&BStr> = changed
        .iter()
        .filter(|c| c.old.is_some())
        .map(|c| c.path.as_bstr())
        .collect();
    let parents = changed
        .iter()
        .filter(|change| change.old.is_some())
        .flat_map(|change| {
            let path = change.path.as_bstr();
            path.find_iter("/").map(move |at| path[..at].as_bstr())
        });
    let parents: BTreeSet<&BStr> = parents.filter(|parent| !going.contains(parent)).collect();
    let other = |parent: &&&BStr| {
        let metadata = std::fs::symlink_metadata(site.path.join(crate::store::path(parent)));
        metadata.is_ok_and(|metadata| !metadata.is_dir())
    };
    parents
        .iter()
        .filter(other)
        .map(|parent| (*parent).to_owned())
        .collect()
}

/// Submodules and embedded repositories in whose place a file or a link comes: git removes their
/// directory with all that is in it, their own branches and untracked files too.
fn replaced_submodules(site: &Worktree, changed: &[Changed]) -> Vec<BString> {
    let replaced = changed.iter().filter(|change| {
        let was = change.old.is_some_and(|(mode, _)| mode.is_commit());
        was && change.new.is_some_and(|(mode, _)| !mode.is_commit())
    });
    let filled = |change: &&Changed| {
        let directory = site.path.join(crate::store::path(&change.path));
        std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
    };
    replaced
        .filter(filled)
        .map(|change| change.path.clone())
        .collect()
}

/// What is staged below a path at which no directory will be. git compares that with the worktree
/// alone, and removes both.
fn staged_below(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<Vec<BString>> {
    let coming: HashSet<&BStr> = changed
        .iter()
        .filter(|change| change.new.is_some())
        .map(|change| change.path.as_bstr())
        .collect();
    let going: HashMap<&BStr, (EntryMode, ObjectId)> = changed
        .iter()
        .filter_map(|change| Some((change.path.as_bstr(), change.old?)))
        .collect();
    let is_below = |path: &BStr| {
        let mut above = path.find_iter("/").map(|at| path[..at].as_bstr());
        above.any(|above| coming.contains(above))
    };
    let hash = repository.gix.object_hash();
    let opened = gix::index::File::at(index, hash, true, Default::default());
    let Some(opened) = opened.ok().filter(|opened| !opened.is_sparse()) else {
        let listed = on_index(repository, site, index).ls_files(&[], NONE)?;
        let lost = |path: &BString| is_below(path.as_bstr()) && !going.contains_key(path.as_bstr());
        return Ok(listed.into_iter().filter(lost).collect());
    };
    let is_staged = |entry: &gix::index::Entry, path: &BStr| {
        let own = going.get(path).filter(|(mode, id)| {
            entry.id == *id && entry.mode == gix::index::entry::Mode::from(*mode)
        });
        own.is_none()
    };
    let mut staged: Vec<BString> = opened
        .entries()
        .iter()
        .map(|entry| (entry, entry.path(&opened)))
        .filter(|(entry, path)| is_below(path) && is_staged(entry, path))
        .map(|(_, path)| path.to_owned())
        .collect();
    staged.dedup();
    Ok(staged)
}

/// A git that works on the copy of the index and sees what the landing has made, in the quarantine
/// too.
pub(crate) fn on_copy(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    index: &Path,
) -> Invocation {
    let quarantined = |_: &&Scratch| !retry::has_object(&repository.gix, planned.new);
    let Some(scratch) = planned.scratch.filter(quarantined) else {
        return on_index(repository, site, index);
    };
    let variables = format!("GIT_INDEX_FILE {}", quarantine::VARIABLES);
    scratch
        .contain(repository.git_in(site))
        .on_own_index(&repository.gix, index)
        .hiding(&repository.gix, &variables)
}

fn ask_git(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<()> {
    let strangers = strangers(repository, site, index, changed)?;
    let commits = [planned.old.to_string(), planned.new.to_string()];
    let dry_run = || {
        on_copy(repository, planned, site, index)
            .reading_tree(["-n", "-m", "-u"], &commits)
            .output()
    };
    let mut verdict = dry_run()?;
    if !verdict.status.success() {
        // Files that were only touched look changed until git has compared them.
        on_copy(repository, planned, site, index).refresh_index()?;
        verdict = dry_run()?;
    }
    if verdict.status.success() {
        return if strangers.is_empty() {
            Ok(())
        } else {
            Err(in_the_way(planned, site, &strangers))
        };
    }
    let mut files: Vec<BString> = strangers;
    let touched: HashSet<&BStr> = changed.iter().map(|change| change.path.as_bstr()).collect();
    let head = planned.old.to_string();
    let git = || on_index(repository, site, index);
    let changed = git()
        .diff_files(&[])?
        .into_iter()
        .chain(git().diff_index(&head)?);
    files.extend(changed.filter(|path| touched.contains(path.as_bstr())));
    files.sort();
    files.dedup();
    if files.is_empty() {
        let hidden = hidden(repository, site, index, &touched);
        if !hidden.is_empty() {
            return Err(Refusal::Hidden {
                base: planned.base.clone(),
                path: site.path.clone(),
                files: hidden,
            }
            .into());
        }
        disk::ensure_writable(index, &verdict)?;
        // One that was killed has said nothing of local changes.
        if verdict.stderr.trim().is_empty() {
            return Err(failure("git read-tree", &verdict));
        }
        // An unmerged index, for instance; git's words say more than an empty list.
        return Err(in_the_way(
            planned,
            site,
            &[verdict.stderr.trim().as_bstr().to_owned()],
        ));
    }
    Err(in_the_way(planned, site, &files))
}

/// Whether every touched file is, by its stat data, what the index and the old commit say, and
/// nothing is where new ones go. What this can show needs no dry run; any doubt, and git is asked.
fn surely_clear(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> bool {
    use gix::index::entry::{Flags, Mode, Stat};
    let Ok(own) = repository.as_in(site) else {
        return false;
    };
    let Ok(options) = own.stat_options() else {
        return false;
    };
    let hash = repository.gix.object_hash();
    let Ok(index) = gix::index::File::at(index, hash, true, Default::default()) else {
        return false;
    };
    let config = own.config_snapshot();
    let enabled = |key: &str| {
        config
            .boolean(key)
            .unwrap_or_else(|| config.string(key).is_none())
    };
    let (symlinks, modes) = (enabled("core.symlinks"), enabled("core.fileMode"));
    let odd = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD;
    if index.is_sparse() || index.entries().iter().any(|entry| entry.stage_raw() != 0) {
        return false;
    }
    changed.iter().all(|change| {
        let path = change.path.as_bstr();
        let metadata = gix::index::fs::Metadata::from_path_no_follow(
            &site.path.join(crate::store::path(path)),
        );
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
                    && entry
                        .mode
                        .change_to_match_fs(&metadata, symlinks, modes)
                        .is_none()
                    && !entry.flags.intersects(odd)
                    && entry.stat.size != 0
                    && !entry.stat.is_racy(index.timestamp(), options)
                    && stat.is_ok_and(|stat| stat.matches(&entry.stat, options))
            }),
            _ => false,
        }
    })
}

/// Touched files that no diff lists because the user told git to look away.
fn hidden(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    touched: &HashSet<&BStr>,
) -> Vec<(BString, HiddenBy)> {
    use gix::index::entry::{Flags, Stat};
    let hash = repository.gix.object_hash();
    let (Ok(index), Ok(options)) = (
        gix::index::File::at(index, hash, true, Default::default()),
        repository.gix.stat_options(),
    ) else {
        return Vec::new();
    };
    let by = |flags: Flags| match () {
        () if flags.contains(Flags::ASSUME_VALID) => Some(HiddenBy::AssumeUnchanged),
        () if flags.contains(Flags::SKIP_WORKTREE) => Some(HiddenBy::SkipWorktree),
        () => None,
    };
    let changed = |entry: &gix::index::Entry, path: &BStr| {
        let metadata = gix::index::fs::Metadata::from_path_no_follow(
            &site.path.join(crate::store::path(path)),
        );
        metadata.is_ok_and(|found| {
            !Stat::from_fs(&found).is_ok_and(|stat| stat.matches(&entry.stat, options))
        })
    };
    let entries = index
        .entries()
        .iter()
        .map(|entry| (entry, entry.path(&index)));
    let entries = entries.filter(|(_, path)| touched.contains(path));
    entries
        .filter_map(|(entry, path)| {
            Some((
                path.to_owned(),
                by(entry.flags).filter(|_| changed(entry, path))?,
            ))
        })
        .collect()
}

/// Files that are in no index and that the landing's new files would replace.
fn strangers(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<Vec<BString>> {
    let going: HashSet<&BStr> = changed
        .iter()
        .filter(|change| change.old.is_some())
        .map(|change| change.path.as_bstr())
        .collect();
    let mut found = HashSet::new();
    for change in changed.iter().filter(|change| change.old.is_none()) {
        if change.new.is_none_or(|(mode, _)| mode.is_commit()) {
            continue;
        }
        let path = change.path.as_bstr();
        // A file where the new path needs a directory. What a symbolic link leads to stays where it
        // is.
        let is_no_directory = |parent: &&BStr| {
            let metadata = std::fs::symlink_metadata(site.path.join(crate::store::path(parent)));
            metadata.is_ok_and(|metadata| !metadata.is_dir())
        };
        if let Some(parent) = path
            .find_iter("/")
            .map(|at| path[..at].as_bstr())
            .find(is_no_directory)
        {
            if !going.contains(parent) {
                found.insert(parent.to_owned());
            }
            continue;
        }
        match std::fs::symlink_metadata(site.path.join(crate::store::path(path))) {
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
    let tracked = on_index(repository, site, index).ls_files(&[], NONE)?;
    let tracked: HashSet<&BStr> = tracked.iter().map(|path| path.as_bstr()).collect();
    let mut found: Vec<BString> = found
        .into_iter()
        .filter(|path| !tracked.contains(path.as_bstr()))
        .collect();
    found.sort();
    Ok(found)
}

/// Everything below a directory that the landing turns into a file, except what leaves with it.
fn below(
    root: &Path,
    directory: &BStr,
    going: &HashSet<&BStr>,
    found: &mut HashSet<BString>,
) -> Result<()> {
    let full = root.join(crate::store::path(directory));
    for entry in std::fs::read_dir(&full).context("read", &full)? {
        let entry = entry.context("read", &full)?;
        let path: BString = [directory.as_bytes(), b"/", entry.file_name().as_bytes()]
            .concat()
            .into();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(root, path.as_bstr(), going, found)?;
        } else if !going.contains(path.as_bstr()) {
            found.insert(path);
        }
    }
    Ok(())
}
