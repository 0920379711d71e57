//! The `.keep` files of packs that a dead git-lane has left, and whether a gc may have what they
//! keep.

use std::collections::HashSet;
use std::path::Path;

use crate::domain::doctor::Finding;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::kept_pack::{self, Left};
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
