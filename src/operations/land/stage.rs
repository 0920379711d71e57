//! The files of a landing, made ready aside, so that nothing but renames is left to do when it
//! counts.
//!
//! Many files, an index and a ref are not replaced at one instant; a process that looks in the
//! middle sees a mixture. All that takes time is therefore done before: git writes the files,
//! filters and all, into the landing's scratch directory, and computes the new index. Where any of
//! this might end otherwise than a `git read-tree -u` in place, nothing is made ready, and that is
//! what happens instead.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::fs::Metadata;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

use super::stamp::Stamps;
use crate::domain::lane::Worktree;
use crate::error::{Error, IoContext, Result};
use crate::operations::checkout::index_lock::Prepared;
use crate::operations::checkout::{Move, on_index, read_tree, worktree_files};
use crate::repository::Repository;
use crate::repository::tree_diff::Changed;
use crate::store::exists;
use crate::store::file_id::{FileId, Stamp};
use crate::store::journal::{step, unique_id};
use crate::store::no_replace;
use crate::store::platform;
use crate::store::retry;

/// The present, as utimensat(2) wants it.
const NOW: Timestamps = Timestamps {
    last_access: Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    },
    last_modification: Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    },
};

/// What the touched files looked like before git-lane asked whether they are in the way.
#[derive(Debug)]
pub(super) struct Looks(Vec<Option<Stamp>>);

impl Looks {
    pub(super) fn at(site: &Worktree, changed: &[Changed]) -> Self {
        Looks(
            changed
                .iter()
                .map(|change| Stamp::of_name(&file_at(site, change)))
                .collect(),
        )
    }
}

/// What is ready to be put in place.
#[derive(Debug)]
pub(super) struct Staged {
    directory: PathBuf,
    changed: Vec<Changed>,
    looks: Looks,
    /// The directories the files go to or leave, those that are there: which ones.
    directories: BTreeMap<PathBuf, FileId>,
    index: Stamps,
    /// How many of the files are in place.
    placed: usize,
}

impl Staged {
    /// Makes everything ready; `prepared` becomes the new index, without stat data of the new
    /// files. `None`, and nothing has changed, where git had better do it in place.
    pub(super) fn make(
        repository: &Repository,
        planned: &Move<'_>,
        site: &Worktree,
        prepared: &Prepared,
        changed: Vec<Changed>,
        looks: Looks,
    ) -> Option<Self> {
        // A landing that loses its race comes here again.
        let directory = planned.scratch?.path(&unique_id());
        repository.shared().create_dir(&directory).ok()?;
        let staged = Self::make_in(
            &directory, repository, planned, site, prepared, changed, looks,
        );
        if staged.is_none() {
            // The disk may be full, and has to do for what happens instead.
            drop(std::fs::remove_dir_all(&directory));
        }
        staged
    }

    fn make_in(
        directory: &Path,
        repository: &Repository,
        planned: &Move<'_>,
        site: &Worktree,
        prepared: &Prepared,
        changed: Vec<Changed>,
        looks: Looks,
    ) -> Option<Self> {
        let directories = directories(site, directory, &changed)?;
        if !is_usual(repository, site)
            || !is_plain(repository, site, &prepared.path, &changed, &directories)
        {
            return None;
        }
        let next = Prepared::copy(
            &prepared.path,
            site.git_dir.join(format!("lane-index-{}", unique_id())),
        )
        .ok()?;
        // First of all, because it refuses paths that are none.
        let read = read_tree(
            repository,
            site,
            &next.path,
            &["-m"],
            planned.old,
            planned.new,
        )
        .ok()?;
        read.status.success().then_some(())?;
        let coming = || changed.iter().filter(|change| change.new.is_some());
        let mut index = Stamps::of(
            &next.path,
            repository.gix.object_hash(),
            coming().map(|c| c.path.as_bstr()),
        )?;
        let paths: BString = coming()
            .flat_map(|change| [change.path.as_slice(), b"\0"].concat())
            .collect::<Vec<_>>()
            .into();
        let mut prefix = std::ffi::OsString::from("--prefix=");
        prefix.push(directory.join(""));
        let git = on_index(repository, site, &next.path);
        git.checking_out([prefix], paths).run().ok()?;
        coming()
            .all(|change| Stamp::of_name(&staged(directory, change)).is_some())
            .then_some(())?;
        std::fs::rename(&next.path, &prepared.path).ok()?;
        index.moved_to(&prepared.path);
        step("land.staged");
        Some(Staged {
            directory: directory.to_owned(),
            changed,
            looks,
            directories,
            index,
            placed: 0,
        })
    }

    /// Puts all files in place, and their stat data into the index. An error means that some may be
    /// there already, and so does `false`: another process has been there since everything was
    /// found clear.
    pub(super) fn put_in_place(&mut self, site: &Worktree) -> Result<bool> {
        if self
            .directories
            .iter()
            .any(|(directory, id)| identity(directory).as_ref() != Some(id))
        {
            return Ok(false);
        }
        let coming = || self.changed.iter().filter(|change| change.new.is_some());
        for change in coming() {
            let (from, file) = (staged(&self.directory, change), file_at(site, change));
            // What a build has made since then is older than what it should have been made of.
            utimensat(CWD, &from, &NOW, AtFlags::SYMLINK_NOFOLLOW).context("date", &from)?;
            if change.old.is_none() && !make_way(&site.path, &file)? {
                return Ok(false);
            }
        }
        for (change, look) in self.changed.iter().zip(&self.looks.0) {
            let (from, file) = (staged(&self.directory, change), file_at(site, change));
            if Stamp::of_name(&file) != *look {
                return Ok(false);
            }
            let done = match change.new {
                None => std::fs::remove_file(&file),
                Some(_) if look.is_some() => std::fs::rename(from, &file),
                Some(_) => no_replace::rename(&from, &file),
            };
            match done {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                done => done.context("replace", &file)?,
            }
            self.placed += 1;
            step("land.file");
        }
        let stat = |change: &Changed| {
            let file = file_at(site, change);
            let metadata = Metadata::from_path_no_follow(&file).context("read", &file)?;
            Stat::from_fs(&metadata)
                .map_err(|error| Error::environment("cannot read the clock").caused_by(error))
        };
        let stats = coming().map(stat).collect::<Result<Vec<_>>>()?;
        self.index.write(stats.into_iter()).map(|()| true)
    }

    /// Takes back what is in place, and nothing else: the file that the user has made where a new
    /// one should have gone may look like the beginning of that.
    pub(super) fn take_back(&self, repository: &Repository, site: &Worktree) -> Result<()> {
        worktree_files::put_back_these(repository, site, &self.changed[..self.placed])?;
        for change in self.changed.iter().filter(|change| change.old.is_none()) {
            worktree_files::remove_empty(&site.path, &file_at(site, change));
        }
        Ok(())
    }

    /// Removes the directories that have become empty.
    pub(super) fn remove_empty(&self, site: &Worktree) {
        for change in self.changed.iter().filter(|change| change.new.is_none()) {
            worktree_files::remove_empty(&site.path, &file_at(site, change));
        }
    }
}

fn file_at(site: &Worktree, change: &Changed) -> PathBuf {
    site.path.join(crate::store::path(&change.path))
}

fn staged(directory: &Path, change: &Changed) -> PathBuf {
    directory.join(crate::store::path(&change.path))
}

fn identity(directory: &Path) -> Option<FileId> {
    let found = std::fs::symlink_metadata(directory).ok()?;
    found.is_dir().then(|| (&found).into())
}

/// Makes the directories for a new file; `false` where something else is in their place by now.
fn make_way(root: &Path, file: &Path) -> Result<bool> {
    let parent = file.parent().unwrap_or(root);
    match std::fs::create_dir_all(parent) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::AlreadyExists | ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        // A symbolic link to a directory is as good as one for that call.
        made => made
            .context("create", parent)
            .map(|()| !worktree_files::is_behind_a_file(root, file)),
    }
}

/// The directories on the way to the touched files, as far as they are there; `None` where a file
/// that is made in `staging` and renamed would not be what it would be had it been made in place.
fn directories(
    site: &Worktree,
    staging: &Path,
    changed: &[Changed],
) -> Option<BTreeMap<PathBuf, FileId>> {
    let mount = inherits_nothing(staging)?;
    let mut found = BTreeMap::new();
    for change in changed {
        let file = file_at(site, change);
        let mut above: Vec<&Path> = file
            .ancestors()
            .skip(1)
            .take_while(|above| above.starts_with(&site.path))
            .collect();
        above.reverse();
        for directory in above {
            if found.contains_key(directory) {
                continue;
            }
            if !exists(directory) {
                break;
            }
            let id = identity(directory)?;
            (inherits_nothing(directory)? == mount).then_some(())?;
            found.insert(directory.to_owned(), id);
        }
    }
    Some(found)
}

/// The device and mount of a directory that gives what is made in it neither a group nor an access
/// list.
fn inherits_nothing(directory: &Path) -> Option<(u64, u64)> {
    let found = std::fs::symlink_metadata(directory).ok()?;
    let inherits = platform::inherits_access(directory, found.mode())?;
    (!inherits).then(|| (found.dev(), platform::mount_number(directory)))
}

/// Whether nothing in the configuration makes a difference between a file written in place and one
/// that is renamed.
fn is_usual(repository: &Repository, site: &Worktree) -> bool {
    let Ok(own) = repository.as_in(site) else {
        return false;
    };
    let on = |key: &str| own.config_snapshot().boolean(key).unwrap_or(false);
    // git decides what is checked out sparsely when it writes files.
    !site.git_dir.join("info/sparse-checkout").exists()
        && !on("core.ignoreStat")
        && !on("core.ignoreCase")
}

/// Whether all that happens is that files come, change and go: no submodules, no file in place of a
/// directory, no entry that git was told to look away from, and attributes that are the same before
/// and after, in the index and on disk.
fn is_plain(
    repository: &Repository,
    site: &Worktree,
    index: &Path,
    changed: &[Changed],
    directories: &BTreeMap<PathBuf, FileId>,
) -> bool {
    let hash = repository.gix.object_hash();
    let Ok(index) = gix::index::File::at(index, hash, true, Default::default()) else {
        return false;
    };
    if index.is_sparse() || index.entries().iter().any(|entry| entry.stage_raw() != 0) {
        return false;
    }
    let odd = Flags::ASSUME_VALID | Flags::SKIP_WORKTREE | Flags::INTENT_TO_ADD;
    let plain = |change: &Changed| {
        let path = change.path.as_bstr();
        let metadata = std::fs::symlink_metadata(file_at(site, change));
        let sides = [change.old, change.new];
        let name = path
            .rsplit_once_str("/")
            .map_or(path.as_bytes(), |(_, name)| name);
        if sides.iter().flatten().any(|(mode, _)| mode.is_commit())
            || name.eq_ignore_ascii_case(b".gitattributes")
        {
            return false;
        }
        if change
            .new
            .is_some_and(|(_, id)| !retry::has_object(&repository.gix, id))
        {
            return false;
        }
        match (change.old, index.entry_by_path(path)) {
            (Some((mode, id)), Some(entry)) => {
                let same = entry.id == id
                    && entry.mode == Mode::from(mode)
                    && !entry.flags.intersects(odd);
                same && metadata.is_ok_and(|found| !found.is_dir())
            }
            (None, None) => metadata.is_err(),
            _ => false,
        }
    };
    let attributes = |directory: &Path| {
        let file = directory.join(".gitattributes");
        let Ok(below) = file.strip_prefix(&site.path) else {
            return false;
        };
        let Some(entry) = index.entry_by_path(BStr::new(below.as_os_str().as_bytes())) else {
            return true;
        };
        let content = std::fs::read(&file).unwrap_or_default();
        let id = gix::objs::compute_hash(hash, gix::objs::Kind::Blob, &content);
        entry.mode == Mode::FILE
            && !entry.flags.intersects(odd)
            && id.is_ok_and(|id| id == entry.id)
    };
    changed.iter().all(plain) && directories.keys().all(|directory| attributes(directory))
}
