//! Keeps what a landing has made while nothing else leads there: hooks, filters and a large worktree take their time, and
//! a `git gc --prune=now` in between takes away what no ref names.

use std::path::PathBuf;

use bstr::{BStr, ByteSlice};

use super::changes;
use super::scratch::{self, Scratch};
use crate::domain::lane::{ObjectId, RefName};
use crate::error::{Error, Result};
use crate::git::journal::{Journal, step};
use crate::git::recover::Intent;
use crate::git::refs::RefChange;
use crate::git::repository::Repository;
use crate::git::steady;

const BELOW: &str = "refs/lane/landing/";
const REASON: &str = "lane: keep what a landing made";

/// A new commit under a ref of its own, which has the name of the landing's scratch directory.
#[derive(Debug)]
pub struct Kept<'a> {
    repository: &'a Repository,
    name: RefName,
    commit: ObjectId,
}

impl<'a> Kept<'a> {
    /// Makes the ref.
    pub fn new(repository: &'a Repository, scratch: &Scratch, commit: ObjectId) -> Result<Self> {
        let name = RefName::parse(BStr::new(&format!("{BELOW}{}", scratch.id())));
        let name = name.ok_or_else(|| Error::environment("cannot name the ref of a landing"))?;
        let change = RefChange { name: name.clone(), from: None, to: Some(commit) };
        repository.change_refs(&[change], REASON)?;
        step("land.kept");
        Ok(Kept { repository, name, commit })
    }

    /// Removes the ref, unless the landing is still to be healed: that needs the commit.
    pub fn release(self) {
        if !needed(self.repository).contains(&self.commit) {
            remove(self.repository, self.name, self.commit);
        }
    }
}

fn remove(repository: &Repository, name: RefName, commit: ObjectId) {
    // What stays is removed by the next command that heals.
    let _ = repository.change_refs(&[RefChange { name, from: Some(commit), to: None }], REASON);
    // A landing that is refused leaves the repository as it was.
    drop(std::fs::remove_dir(repository.common_dir().join("refs/lane")));
    step("land.released");
}

/// The commits of the landings that are under way, or still to be healed.
fn needed(repository: &Repository) -> Vec<ObjectId> {
    let pending = Journal::new(&repository.lane_dir()).pending::<Intent>();
    let landings = pending.into_iter().filter_map(|(_, intent)| match intent {
        Intent::Land(intent) => Some(intent.moves().2),
        _ => None,
    });
    landings.collect()
}

/// Removes the refs of dead landings; `dead` are their scratch directories.
pub fn clean(repository: &Repository, dead: &[PathBuf]) -> Result<()> {
    let needed = needed(repository);
    for (name, commit) in repository.refs_below(BELOW)? {
        let id = name.as_bstr().rsplit_once_str("/").map_or(BStr::new(""), |(_, id)| id.as_bstr());
        let directory = scratch::home(repository).join(crate::git::path(id));
        let alive = directory.exists() && !dead.contains(&directory);
        if !alive && !needed.contains(&commit) {
            remove(repository, name, commit);
        }
    }
    Ok(())
}

/// Whether everything is there that `new` and its first parents have and `old`, one of these, has not; in a partial clone
/// what its remote has promised counts as there.
pub fn is_whole(repository: &Repository, old: ObjectId, new: ObjectId) -> bool {
    let mut at = new;
    while at != old {
        let Ok(commit) = steady::objects(&repository.gix, || repository.gix.find_commit(at)) else { return false };
        let Some(parent) = commit.parent_ids().next().map(|id| id.detach()) else { return false };
        let Ok(mut added) = changes::added(repository, parent, at) else { return false };
        if !added.all(|blob| steady::has_object(&repository.gix, blob)) && !is_promised(repository, parent, at) {
            return false;
        }
        at = parent;
    }
    true
}

/// Whether what is missing of the difference may be fetched whenever it is needed: git knows what its promisor packs name
/// (partial-clone, in git's technical documentation).
fn is_promised(repository: &Repository, old: ObjectId, new: ObjectId) -> bool {
    let walk = ["rev-list", "--objects", "--quiet", "--missing=allow-promisor"];
    let git = repository.git_here().args(walk).args([new.to_string(), format!("^{old}")]);
    git.output().is_ok_and(|output| output.status.success())
}
