//! Which objects an index names that its commit does not.

use std::collections::BTreeSet;
use std::path::Path;

use gix::index::Entry;
use gix::index::entry::Flags;

use crate::domain::lane::ObjectId;
use crate::error::Result;
use crate::repository::Repository;
use crate::store::git::{Invocation, NONE};
use crate::store::{optional, retry};

/// What the index holds and the commit's tree does not: staged blobs, unmerged stages, trees of the
/// cache.
pub(super) fn staged(
    repository: &Repository,
    index: &Path,
    commit: Option<ObjectId>,
    git: &impl Fn() -> Invocation,
    files: &mut BTreeSet<(ObjectId, bool)>,
) -> Result<()> {
    if optional::open(index)?.is_none() {
        return Ok(());
    }
    let mut unreadable = None;
    let mut add = |id: ObjectId, is_tree: bool| match super::exists(repository, id) {
        Ok(true) => drop(files.insert((id, is_tree))),
        Ok(false) => {}
        Err(error) => unreadable = Some(error),
    };
    objects(repository, index, commit, git, &mut add)?;
    unreadable.map_or(Ok(()), Err)
}

/// The same, one after the other.
fn objects(
    repository: &Repository,
    index: &Path,
    commit: Option<ObjectId>,
    git: &impl Fn() -> Invocation,
    add: &mut dyn FnMut(ObjectId, bool),
) -> Result<()> {
    let tree_of = |commit| {
        repository
            .gix
            .find_commit(commit)?
            .tree_id()
            .map(|id| id.detach())
    };
    let tree = commit.and_then(|commit| retry::objects(&repository.gix, || tree_of(commit)).ok());
    let tree = tree.unwrap_or_else(|| repository.gix.empty_tree().id);
    let options = gix::index::decode::Options::default();
    let opened = gix::index::File::at(index, repository.gix.object_hash(), true, options);
    let Ok(index) = opened else {
        return staged_by_git(git, add);
    };
    if let Some(cache) = index.tree() {
        // What is only intended to be added is in no tree, and names the empty blob, which has to
        // exist.
        let is_odd =
            |entry: &Entry| entry.stage_raw() != 0 || entry.flags.contains(Flags::INTENT_TO_ADD);
        let unmerged = index.entries().iter().any(is_odd);
        let plain = !unmerged && index.resolve_undo().is_none();
        if cache.num_entries.is_some() && cache.id == tree && plain {
            return Ok(());
        }
        cached_trees(repository, cache, Some(tree), add);
    }
    if index.resolve_undo().is_some() || index.is_sparse() {
        return staged_by_git(git, add);
    }
    let in_no_tree =
        |entry: &&Entry| entry.stage_raw() != 0 || entry.flags.contains(Flags::INTENT_TO_ADD);
    for entry in index.entries().iter().filter(in_no_tree) {
        if entry.mode != gix::index::entry::Mode::COMMIT {
            add(entry.id, false);
        }
    }
    let compared = repository.gix.tree_index_status(
        &tree,
        &index,
        None,
        gix::status::tree_index::TrackRenames::Disabled,
        |change, _, _| {
            let (_, _, mode, id) = change.fields();
            let gone = matches!(change, gix::diff::index::ChangeRef::Deletion { .. });
            if !gone && mode != gix::index::entry::Mode::COMMIT {
                add(id.to_owned(), mode == gix::index::entry::Mode::DIR);
            }
            Ok(std::ops::ControlFlow::Continue(()))
        },
    );
    if compared.is_err() {
        // A damaged or unusual index; keep all of it.
        for entry in index
            .entries()
            .iter()
            .filter(|entry| entry.mode != gix::index::entry::Mode::COMMIT)
        {
            add(entry.id, entry.mode == gix::index::entry::Mode::DIR);
        }
    }
    Ok(())
}

/// The trees a cache-tree promises, where they are not those of the commit: `git fsck` looks for
/// them.
fn cached_trees(
    repository: &Repository,
    cached: &gix::index::extension::Tree,
    committed: Option<ObjectId>,
    add: &mut dyn FnMut(ObjectId, bool),
) {
    if cached.num_entries.is_some() {
        if Some(cached.id) != committed {
            add(cached.id, true);
        }
        return;
    }
    let tree = committed.and_then(|id| repository.gix.find_tree(id).ok());
    for child in &cached.children {
        let same = tree.as_ref().and_then(|tree| tree.find_entry(&*child.name));
        let committed = same
            .filter(|entry| entry.mode().is_tree())
            .map(|entry| entry.object_id());
        cached_trees(repository, child, committed, add);
    }
}

/// Everything in an index that gix does not read in full: sparse ones, resolved conflicts.
fn staged_by_git(git: &impl Fn() -> Invocation, add: &mut dyn FnMut(ObjectId, bool)) -> Result<()> {
    for mode in ["--stage", "--resolve-undo"] {
        for record in git().ls_files(&[mode, "--full-name"], NONE)? {
            let mut fields = record.split(|byte| *byte == b' ');
            if let (Some(mode), Some(id)) = (fields.next(), fields.next())
                && mode != b"160000"
                && let Ok(id) = ObjectId::from_hex(id)
            {
                add(id, false);
            }
        }
    }
    Ok(())
}
