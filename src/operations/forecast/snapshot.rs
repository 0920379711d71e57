//! A lane's worktree as it stands, as a commit that exists in a quarantine only.
//!
//! git itself takes the changed files in, on a copy of the index, so that filters, line endings,
//! links, modes, submodules and sparse checkouts are what they would be in a commit. Neither the
//! worktree nor its index is written.

use bstr::{BStr, BString, ByteSlice};
use gix::index::entry::Mode;

use crate::domain::forecast::Standing;
use crate::domain::lane::{ObjectId, Worktree};
use crate::engines::history::tree_of;
use crate::engines::status::{Closeness, apart};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::index_lock::Prepared;
use crate::operations::checkout::worktree_files::is_behind_a_file;
use crate::repository::Repository;
use crate::repository::quarantine::{Scratch, VARIABLES};
use crate::store::git::{Invocation, NONE};
use crate::store::journal::unique_id;
use crate::store::retry;

/// What is committed.
pub(super) fn committed(repository: &Repository, tip: ObjectId) -> Result<Standing> {
    Ok(Standing {
        tip,
        commit: tip,
        tree: tree_of(&repository.gix, tip)?,
    })
}

/// What is in the worktree, uncommitted and untracked files with it; ignored ones are not.
pub(super) fn uncommitted(
    repository: &Repository,
    scratch: &Scratch,
    worktree: &Worktree,
    tip: ObjectId,
) -> Result<Standing> {
    let own = worktree.git_dir.join("index");
    let copy = Prepared::copy(&own, scratch.path(&format!("index-{}", unique_id())))?;
    let git = || on_copy(repository, scratch, worktree, &copy);
    let (gone, changed) = changed(repository, worktree, &git)?;
    if !gone.is_empty() {
        git().update_index(false, gone)?;
    }
    if !changed.is_empty() {
        git().take_in_files(changed)?;
    }
    let tree = git().write_tree()?;
    let clean = committed(repository, tip)?;
    if tree == clean.tree {
        return Ok(clean);
    }
    let commit = commit(repository, scratch, tip, tree)?;
    Ok(Standing { tip, commit, tree })
}

fn on_copy(
    repository: &Repository,
    scratch: &Scratch,
    worktree: &Worktree,
    copy: &Prepared,
) -> Invocation {
    let git = scratch
        .contain(repository.git_in(worktree))
        // Half of a split index would go beside the lane's own.
        .with("core.splitIndex", "false")
        .with("core.fsmonitor", "false")
        // git-lfs stores what it cleans.
        .with("lfs.storage", &scratch.path("lfs").display().to_string());
    git.on_own_index(&repository.gix, &copy.path)
        .hiding(&repository.gix, &format!("GIT_INDEX_FILE {VARIABLES}"))
}

/// What differs from the index: entries that take out what a link stands in the way of, and the paths
/// that may have changed, a NUL after each.
fn changed(
    repository: &Repository,
    worktree: &Worktree,
    git: &impl Fn() -> Invocation,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let (place, own) = (
        (worktree.path.as_path(), worktree.git_dir.as_path()),
        worktree.git_dir.join("index"),
    );
    let found = apart(
        &repository.gix,
        &repository.git,
        place,
        &own,
        Closeness::Content,
    )?;
    let mut paths = match found {
        Some(found) => {
            if let Some(closed) = found.closed.first() {
                return Err(unreadable(closed.as_bstr()));
            }
            // git names what is in new directories.
            let directories = found.untracked.iter().any(|path| path.ends_with(b"/"));
            match found.obstacles.is_empty() && !directories {
                true => [found.changed, files(worktree, found.untracked)].concat(),
                false => listed(git)?,
            }
        }
        None => listed(git)?,
    };
    paths.extend(submodules(repository, worktree));
    // A repository in the worktree that is no submodule is none of the lane's.
    paths.retain(|path| !path.ends_with(b"/"));
    // A file that is a directory by now goes before what is in there comes.
    paths.sort();
    let file = |path: &BString| worktree.path.join(crate::store::path(path));
    let (gone, there): (Vec<BString>, Vec<BString>) = paths
        .into_iter()
        .partition(|path| is_behind_a_file(&worktree.path, &file(path)));
    let nothing = ObjectId::null(repository.gix.object_hash());
    let out = |path: &BString| [format!("0 {nothing}\t").as_bytes(), path, b"\0"].concat();
    let end = |path: &BString| [path.as_slice(), b"\0"].concat();
    Ok((
        gone.iter().flat_map(out).collect(),
        there.iter().flat_map(end).collect(),
    ))
}

/// Those that git can have: no pipes, sockets or devices.
fn files(worktree: &Worktree, mut paths: Vec<BString>) -> Vec<BString> {
    paths.retain(|path| {
        let found = std::fs::symlink_metadata(worktree.path.join(crate::store::path(path)));
        found.map_or(true, |found| {
            let kind = found.file_type();
            kind.is_file() || kind.is_symlink() || kind.is_dir()
        })
    });
    paths
}

/// The same as git lists them.
fn listed(git: &impl Fn() -> Invocation) -> Result<Vec<BString>> {
    let options = ["--modified", "--deleted", "--others", "--exclude-standard"];
    git().ls_files(&options, NONE)
}

/// Submodules, which may be at another commit than the index says.
fn submodules(repository: &Repository, worktree: &Worktree) -> Vec<BString> {
    let (path, hash) = (worktree.git_dir.join("index"), repository.gix.object_hash());
    let Ok(index) = gix::index::File::at(path, hash, true, Default::default()) else {
        return Vec::new();
    };
    let entries = index.entries().iter();
    let submodules = entries.filter(|entry| entry.mode == Mode::COMMIT);
    submodules
        .map(|entry| entry.path(&index).to_owned())
        .collect()
}

/// A commit of that tree on top of the lane's, the same for the same.
fn commit(
    repository: &Repository,
    scratch: &Scratch,
    tip: ObjectId,
    tree: ObjectId,
) -> Result<ObjectId> {
    let time = || repository.gix.find_commit(tip)?.time();
    let time = retry::objects(&repository.gix, time);
    let who = gix::actor::Signature {
        name: "git-lane".into(),
        email: "git-lane@localhost".into(),
        time: time.unwrap_or_default(),
    };
    let commit = gix::objs::Commit {
        tree,
        parents: [tip].into_iter().collect(),
        author: who.clone(),
        committer: who,
        encoding: None,
        message: "What is not committed\n".into(),
        extra_headers: Vec::new(),
    };
    scratch
        .write(repository.gix.object_hash(), &commit)
        .map_err(|error| Error::environment(format!("cannot write a commit: {error}")))
}

fn unreadable(path: &BStr) -> Error {
    Error::environment(format!("'{path}' cannot be read")).with_code(Code::Unreadable)
}
