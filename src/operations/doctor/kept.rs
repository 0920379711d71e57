//! What keeps objects from a gc and may be left over: the `.keep` files of packs of a git-lane that
//! is dead, and the refs of worktrees of git-lane's own.

use std::collections::HashSet;
use std::path::Path;

use crate::domain::doctor::Finding;
use crate::domain::lane::RefName;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::kept_pack::{self, Left};
use crate::repository::refs::RefChange;
use crate::repository::slot_place::{Slot, refs_of_user};
use crate::store::lane_files;
use gix::object::Kind;

/// All of them.
pub(super) fn packs(repository: &Repository) -> Result<Vec<Finding>> {
    let left = kept_pack::left(repository).into_iter();
    left.map(
        |Left {
             keep,
             next_command_removes,
         }| {
            let needed = if next_command_removes {
                None
            } else {
                only_here(repository, &keep)?
            };
            Ok(Finding::KeptPack(keep, needed))
        },
    )
    .collect()
}

/// Lets the next gc have the pack, if everything in it is somewhere else by now.
pub(super) fn release(repository: &Repository, keep: &Path) -> Result<()> {
    let left = kept_pack::left(repository)
        .into_iter()
        .any(|left| left.keep == keep);
    if !left || only_here(repository, keep)?.is_some() {
        return Err(
            Error::refused(format!("'{}' is no longer what it was", keep.display()))
                .with_code(Code::Raced),
        );
    }
    std::fs::remove_file(keep).context("remove", keep)
}

/// Refs of this user's worktrees that are gone, or were of the repository at another place.
pub(super) fn gate_refs(repository: &Repository) -> Result<Vec<Finding>> {
    let refs = repository.refs_below("refs/lane/gate/")?;
    let own = refs_of_user();
    let mut left: Vec<RefName> = refs.into_iter().map(|(name, _)| name).collect();
    left.retain(|name| name.as_bstr().starts_with(own.as_bytes()));
    if left.is_empty() {
        return Ok(Vec::new());
    }
    for slot in Slot::ALL {
        let directory = slot.directory(repository.common_dir())?;
        if lane_files::is_directory(&directory) {
            let keeper = slot.keeper(repository.common_dir())?;
            left.retain(|name| *name != keeper);
        }
    }
    Ok(left.into_iter().map(Finding::GateRef).collect())
}

/// Removes such a ref.
pub(super) fn release_gate(repository: &Repository, name: &RefName) -> Result<()> {
    let still = gate_refs(repository)?.contains(&Finding::GateRef(name.clone()));
    match repository.ref_target(name)? {
        Some(now) if still => {
            let removal = RefChange::removal(name.clone(), now);
            repository.change_refs(&[removal], "lane: a gate's worktree is gone")
        }
        _ => Ok(()),
    }
}

/// An object in the pack that no ref (those of the trash among them), no log and no index leads to:
/// a commit if there is one.
fn only_here(repository: &Repository, keep: &Path) -> Result<Option<String>> {
    let index = keep.with_extension("idx");
    let Ok(index) = std::fs::read(&index) else {
        return Ok(None);
    };
    let git = || repository.git_here();
    let listed = git().list_pack(repository.gix.object_hash(), index)?;
    let mut ids: HashSet<String> = listed.into_iter().collect();
    for id in git().list_reachable()? {
        ids.remove(&id);
    }
    if ids.is_empty() {
        return Ok(None);
    }
    let told = git().kinds_of(ids)?;
    let commit = told.iter().find(|(_, kind)| *kind == Kind::Commit);
    Ok(commit.or(told.first()).map(|(id, _)| id.to_string()))
}
