//! The last part of a start: files that git writes once the worktree is in its place, and the way
//! back when it cannot.
//!
//! A filter sees the place, branch and settings that `git worktree add` would show it. The lane is
//! recorded by then, so that a command that looks sees a lane whose files are still coming; no lock
//! is held while a filter fetches them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::Intent;
use super::publish::admin_dir;
use crate::domain::lane::Head;
use crate::engines::populate::{Place, complete, unwritten};
use crate::engines::status;
use crate::error::{Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::metadata::Edit;
use crate::repository::worktree;
use crate::store::git::Git;
use crate::store::git::child_of_git::hidden;
use crate::store::git::settings;
use crate::store::git::without_hooks::no_hooks_of;
use crate::store::journal::step;

/// Has git write what waits for it.
pub(super) fn finish(repository: &Repository, intent: &Intent) -> Result<()> {
    if !intent.unfinished {
        return Ok(());
    }
    step("start.unfinished");
    let (git, admin) = (&repository.git, admin_dir(repository, intent));
    let settings = unheard(repository, intent, &admin)?;
    let place = Place {
        settings: &settings,
        ..place(repository, intent, git, &admin)
    };
    let carry = intent.carry.as_ref();
    let wanted = |path: &BString| carry.is_none_or(|carry| !carry.has(path));
    let interrupt = &crate::store::signals::PENDING;
    complete(&place, intent.commit, wanted, interrupt)?;
    step("start.finished");
    Ok(())
}

fn place<'a>(
    repository: &Repository,
    intent: &'a Intent,
    git: &'a Git,
    admin_dir: &'a Path,
) -> Place<'a> {
    Place {
        git,
        settings: &[],
        directory: &intent.lane.worktree,
        admin_dir,
        hash: repository.gix.object_hash(),
    }
}

/// What keeps a hook from hearing of each index that git writes on the way; the command that waits
/// for the start tells it once. The programs that git runs see nothing of it.
fn unheard(repository: &Repository, intent: &Intent, admin: &Path) -> Result<Vec<OsString>> {
    if !repository.has_index_hook(&intent.lane.worktree, admin) {
        return Ok(Vec::new());
    }
    let own = settings::as_in(&repository.gix, &intent.lane.worktree, admin)?;
    Ok(no_hooks_of(&own)
        .into_iter()
        .chain(hidden(&own, ""))
        .collect())
}

/// Hides a worktree again whose files could not be written, or that is not to stay alone, and takes the
/// lane's record away, so that the start can be undone. `false` if the worktree holds anything this
/// start did not put there. The caller holds the registry lock.
pub(super) fn take_back(repository: &Repository, intent: &Intent) -> Result<bool> {
    if !is_untouched(repository, intent)? {
        return Ok(false);
    }
    let mut edit = Edit::begin(repository.lane_dir())?;
    edit.remove(&intent.lane.name);
    edit.commit()?;
    step("start.forgotten");
    let moves: [(PathBuf, &PathBuf); 2] = [
        (intent.lane.worktree.clone(), &intent.staged_worktree),
        (admin_dir(repository, intent), &intent.staged_admin),
    ];
    for (from, to) in moves {
        let parent = to.parent().unwrap_or(Path::new("/"));
        repository
            .shared()
            .create_dir_all(parent)
            .context("create", parent)?;
        std::fs::rename(&from, to).context("move", &from)?;
    }
    Ok(true)
}

/// Whether everything in the worktree is as this start left it: the branch, the files, and nothing
/// beside them.
fn is_untouched(repository: &Repository, intent: &Intent) -> Result<bool> {
    let (git, admin) = (&repository.git, admin_dir(repository, intent));
    let place = place(repository, intent, git, &admin);
    let head = match &intent.lane.branch {
        Some(branch) => Head::Branch(branch.clone()),
        None => Head::Detached(intent.commit),
    };
    let tip = repository.tip_of(&intent.lane)?;
    let moved = intent.lane.branch.is_some() && tip != Some(intent.commit);
    if moved
        || !place.directory.is_dir()
        || worktree::read_head(&admin) != head
        || status::operation(&admin).is_some()
    {
        return Ok(false);
    }
    if !admin.join("index").exists() {
        let read = repository
            .git
            .at(place.directory)
            .env("GIT_DIR", &admin)
            .env("GIT_WORK_TREE", place.directory);
        read.without_hooks(&repository.gix)
            .reading_tree(["-m", "-i"], [intent.commit])
            .run()?;
    }
    let ours: HashSet<_> = unwritten(&place).into_iter().collect();
    let changed = status::changed(git, place.directory, &admin).map_err(|error| {
        Error::git("cannot tell whether the worktree was used meanwhile").caused_by(error)
    })?;
    let is_elsewhere = |path: &BString| {
        let carry = intent.carry.as_ref();
        carry.is_some_and(|carry| carry.is_in_place_too(place.directory, path))
    };
    Ok(changed
        .iter()
        .all(|path| ours.contains(path) || is_elsewhere(path)))
}
