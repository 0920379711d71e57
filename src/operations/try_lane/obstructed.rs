//! What speaks against moving the files of the main worktree between two commits: what stands in the
//! way, and what git could not bring back as it is.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use gix::index::entry::Flags;

use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::domain::try_lane::BeginRefusal;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::checkout::{Move, Why, obstacles, on_index};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::Changed;
use crate::store::journal::unique_id;

/// Refuses what is in the way, of the user's own and ignored files too.
pub(super) fn ensure_clear(
    repository: &Repository,
    main: &Worktree,
    (branch, old, new): (&BranchName, ObjectId, ObjectId),
    index: &Path,
    changed: &[Changed],
) -> Result<()> {
    let planned = Move {
        base: branch,
        old,
        new,
        made_on: None,
        why: Why::Landing,
        site: Some(main),
        reason: "",
        scratch: None,
        under: None,
    };
    obstacles::ensure_clear(repository, &planned, main, index, changed)
}

/// The files that an error of that names.
pub(super) fn files_of(error: &Error) -> Option<Vec<BString>> {
    if error.code() != Code::InTheWay {
        return None;
    }
    let files = error.detail("paths")?.as_array()?;
    let bytes = |value: &serde_json::Value| -> Option<BString> {
        match value {
            serde_json::Value::String(text) => Some(text.as_str().into()),
            value => {
                let bytes = value.as_array()?.iter();
                let byte = |byte: &serde_json::Value| u8::try_from(byte.as_u64()?).ok();
                bytes
                    .map(byte)
                    .collect::<Option<Vec<u8>>>()
                    .map(BString::from)
            }
        }
    };
    files.iter().map(bytes).collect()
}

/// Refuses where the main worktree would not come back as it is: `index` is a copy of its index.
pub(super) fn ensure_returns(
    repository: &Repository,
    scratch: &Scratch,
    main: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<Result<(), BeginRefusal>> {
    let submodules = submodules(main, changed);
    if !submodules.is_empty() {
        return Ok(Err(BeginRefusal::Submodules(main.path.clone(), submodules)));
    }
    let (flagged, present) = flagged(repository, main, index, changed)?;
    if !flagged.is_empty() {
        return Ok(Err(BeginRefusal::Flagged(main.path.clone(), flagged)));
    }
    let others = written_otherwise(repository, scratch, main, index, present)?;
    Ok(match others.is_empty() {
        true => Ok(()),
        false => Err(BeginRefusal::WrittenOtherwise(main.path.clone(), others)),
    })
}

/// Of the changed files, those that would be gone when the main worktree comes back: flagged, or with
/// other bytes than git would write. What `lane` has just so is in no danger.
pub(super) fn unseen(
    repository: &Repository,
    scratch: &Scratch,
    (main, lane): (&Worktree, Option<&Path>),
    index: &Path,
    changed: &[Changed],
) -> Result<Vec<BString>> {
    let (mut found, present) = flagged(repository, main, index, changed)?;
    found.extend(written_otherwise(
        repository, scratch, main, index, present,
    )?);
    let is_in_lane = |path: &BString| {
        let path = crate::store::path(path);
        lane.is_some_and(|lane| is_alike(&main.path.join(&path), &lane.join(&path), true))
    };
    found.retain(|path| !is_in_lane(path));
    found.sort();
    Ok(found)
}

/// Changed submodules with files in them, which git would leave as they are.
pub(super) fn submodules(main: &Worktree, changed: &[Changed]) -> Vec<BString> {
    let is_one = |change: &&Changed| {
        let sides = [change.old, change.new];
        sides.iter().flatten().any(|(mode, _)| mode.is_commit())
    };
    let filled = |change: &&Changed| {
        let directory = main.path.join(crate::store::path(&change.path));
        std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
    };
    let found = changed.iter().filter(is_one).filter(filled);
    found.map(|change| change.path.clone()).collect()
}

/// The changed files that git is told not to look at, and those that are there and no submodules.
fn flagged(
    repository: &Repository,
    main: &Worktree,
    index: &Path,
    changed: &[Changed],
) -> Result<(Vec<BString>, Vec<BString>)> {
    let own = repository.as_in(main)?;
    let is_sparse = own.config_snapshot().boolean("core.sparseCheckout") == Some(true);
    let hash = repository.gix.object_hash();
    let index = gix::index::File::at(index, hash, true, Default::default())
        .map_err(|error| Error::git(format!("cannot read an index: {error}")))?;
    let (mut flagged, mut present) = (Vec::new(), Vec::new());
    for change in changed {
        let is_file = change.old.is_some_and(|(mode, _)| !mode.is_commit());
        let entry = index.entry_by_path(change.path.as_bstr());
        let Some(entry) = entry.filter(|_| is_file) else {
            continue;
        };
        let skipped = entry.flags.contains(Flags::SKIP_WORKTREE);
        if entry.flags.contains(Flags::ASSUME_VALID) || (skipped && !is_sparse) {
            flagged.push(change.path.clone());
        } else if !skipped {
            present.push(change.path.clone());
        }
    }
    Ok((flagged, present))
}

/// Those of `paths` whose files have other bytes than git would write: line endings that an attribute
/// or a setting has changed meanwhile, a filter that does not give back what it took.
pub(super) fn written_otherwise(
    repository: &Repository,
    scratch: &Scratch,
    main: &Worktree,
    index: &Path,
    paths: Vec<BString>,
) -> Result<Vec<BString>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let directory = written_by_git(repository, scratch, main, index, &paths)?;
    let modes = keeps_modes(repository, main)?;
    let differs = |path: &BString| {
        let path = crate::store::path(path);
        !is_alike(&main.path.join(&path), &directory.join(path), modes)
    };
    Ok(paths.into_iter().filter(differs).collect())
}

/// A directory with the files of `paths` as git would write them in a worktree, from `index`.
pub(super) fn written_by_git(
    repository: &Repository,
    scratch: &Scratch,
    site: &Worktree,
    index: &Path,
    paths: &[BString],
) -> Result<PathBuf> {
    let directory = scratch.path(&format!("written-{}", unique_id()));
    repository
        .shared()
        .create_dir_all(&directory)
        .context("create", &directory)?;
    let mut prefix = std::ffi::OsString::from("--prefix=");
    prefix.push(&directory);
    prefix.push("/");
    let list: Vec<u8> = paths
        .iter()
        .flat_map(|path| [path, &b"\0"[..]].concat())
        .collect();
    on_index(repository, site, index)
        .checking_out([prefix], list)
        .run()?;
    Ok(directory)
}

/// Whether git looks at who may run a file.
pub(super) fn keeps_modes(repository: &Repository, site: &Worktree) -> Result<bool> {
    let own = repository.as_in(site)?;
    Ok(own.config_snapshot().boolean("core.fileMode") != Some(false))
}

/// Whether two files are alike in kind, bytes and, where that counts, in who may run them.
pub(super) fn is_alike(one: &Path, other: &Path, modes: bool) -> bool {
    let kinds = (
        std::fs::symlink_metadata(one),
        std::fs::symlink_metadata(other),
    );
    let (Ok(first), Ok(second)) = kinds else {
        return false;
    };
    if first.is_symlink() || second.is_symlink() {
        return std::fs::read_link(one).ok() == std::fs::read_link(other).ok();
    }
    let runs = |found: &std::fs::Metadata| found.permissions().mode() & 0o100 != 0;
    first.is_file()
        && second.is_file()
        && first.len() == second.len()
        && (!modes || runs(&first) == runs(&second))
        && matches!((std::fs::read(one), std::fs::read(other)), (Ok(one), Ok(other)) if one == other)
}
