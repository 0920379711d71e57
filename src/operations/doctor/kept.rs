//! The `.keep` files of packs that a dead git-lane has left, and whether a gc may have what they
//! keep.

use std::collections::HashSet;
use std::path::Path;

use bstr::ByteSlice;

use crate::domain::doctor::Finding;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::kept_pack::{self, Left};

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
    let format = format!("--object-format={}", repository.gix.object_hash());
    let listed = repository
        .git_here()
        .args(["show-index", &format])
        .input(index)
        .text()?;
    let mut ids: HashSet<&str> = listed
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    let walk = [
        "rev-list",
        "--objects",
        "--no-object-names",
        "--all",
        "--reflog",
        "--indexed-objects",
    ];
    let reached = repository.git_here().args(walk).output()?;
    for id in reached.stdout.to_str_lossy().lines() {
        ids.remove(id);
    }
    let asked: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let told = repository
        .git_here()
        .args(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
        .input(asked)
        .text()?;
    let commit = told.lines().find_map(|line| line.strip_suffix(" commit"));
    Ok(commit.or_else(|| told.split(' ').next()).map(str::to_owned))
}
