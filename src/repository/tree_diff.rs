//! What differs between two commits, path by path.

use bstr::BString;
use gix::objs::tree::EntryMode;

use crate::domain::lane::ObjectId;
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::store::retry;

/// One path that differs between two commits; no renames.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) path: BString,
    pub(crate) old: Option<(EntryMode, ObjectId)>,
    pub(crate) new: Option<(EntryMode, ObjectId)>,
}

/// All of them, in the order of an index.
pub(crate) fn changes(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<Changed>> {
    changes_in(&repository.gix, old, new)
}

/// The same in a view of the repository, for what is in a quarantine only; `new` may be a tree.
pub(crate) fn changes_in(
    view: &gix::Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<Changed>> {
    let mut changed = retry::objects(view, || compared(view, old, new))?;
    changed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changed)
}

fn compared(view: &gix::Repository, old: ObjectId, new: ObjectId) -> Result<Vec<Changed>> {
    use gix::diff::tree::recorder::Change;
    let unreadable = |error: String| Error::git(format!("cannot compare {old} and {new}: {error}"));
    let tree = |id: ObjectId| {
        let found = view
            .find_object(id)
            .map_err(|error| unreadable(error.to_string()))?;
        found
            .peel_to_tree()
            .map_err(|error| unreadable(error.to_string()))
    };
    let (before, after) = (tree(old)?, tree(new)?);
    let hash = view.object_hash();
    let mut recorder = gix::diff::tree::Recorder::default();
    gix::diff::tree(
        gix::objs::TreeRefIter::from_bytes(&before.data, hash),
        gix::objs::TreeRefIter::from_bytes(&after.data, hash),
        gix::diff::tree::State::default(),
        &view.objects,
        &mut recorder,
    )
    .map_err(|error| unreadable(error.to_string()))?;
    let changed = recorder.records.into_iter().filter_map(|change| {
        let (path, old, new) = match change {
            Change::Addition {
                path,
                entry_mode,
                oid,
                ..
            } => (path, None, Some((entry_mode, oid))),
            Change::Deletion {
                path,
                entry_mode,
                oid,
                ..
            } => (path, Some((entry_mode, oid)), None),
            Change::Modification {
                path,
                previous_entry_mode,
                previous_oid,
                entry_mode,
                oid,
            } => (
                path,
                Some((previous_entry_mode, previous_oid)),
                Some((entry_mode, oid)),
            ),
        };
        let new = new.filter(|(mode, _)| !mode.is_tree());
        let old = old.filter(|(mode, _)| !mode.is_tree());
        (old.is_some() || new.is_some()).then_some(Changed { path, old, new })
    });
    Ok(changed.collect())
}

/// The files of `new` that `old` has not, without submodules.
pub fn added(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<impl Iterator<Item = ObjectId>> {
    let changed = changes(repository, old, new)?.into_iter();
    Ok(changed.filter_map(|change| {
        change
            .new
            .filter(|(mode, _)| !mode.is_commit())
            .map(|(_, id)| id)
    }))
}

/// The submodules that have another commit in `new` than in `old`, with that.
pub fn moved_submodules(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<(BString, ObjectId)>> {
    let changed = changes(repository, old, new)?.into_iter();
    Ok(changed
        .filter_map(|change| {
            Some((
                change.path,
                change.new.filter(|(mode, _)| mode.is_commit())?.1,
            ))
        })
        .collect())
}

/// Where `old` has submodules and `new` has none.
pub(crate) fn left_submodules(
    repository: &Repository,
    old: ObjectId,
    new: ObjectId,
) -> Result<Vec<BString>> {
    let is_link = |mode: &EntryMode| mode.is_commit();
    let changed = changes(repository, old, new)?.into_iter().filter(|change| {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        old.is_some_and(|(mode, _)| is_link(mode)) && !new.is_some_and(|(mode, _)| is_link(mode))
    });
    Ok(changed.map(|change| change.path).collect())
}
