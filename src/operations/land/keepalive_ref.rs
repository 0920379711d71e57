//! Keeps what a landing has made while nothing else leads there: hooks, filters and a large
//! worktree take their time, and a `git gc --prune=now` in between takes away what no ref names.

use std::collections::HashSet;
use std::path::PathBuf;

use bstr::{BStr, ByteSlice};
use serde::Deserialize;

use crate::domain::lane::{ObjectId, RefName, hex};
use crate::engines::history::{commits_beyond, tree_of};
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::refs::RefChange;
use crate::repository::tree_diff;
use crate::store::journal::{Journal, step};
use crate::store::retry;
use crate::store::signals::Deferred;

const BELOW: &str = "refs/lane/landing/";
/// More commits than a lane has.
const MOST_COMMITS: usize = 100_000;

const REASON: &str = "lane: keep what a landing made";

/// What is under way, where that is a landing.
#[derive(Debug, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
enum UnderWay {
    Land {
        /// Where the base goes.
        #[serde(with = "hex")]
        new: ObjectId,
    },
    Push {
        /// Where the base goes once the remote has it.
        #[serde(with = "hex")]
        new: ObjectId,
    },
    #[serde(other)]
    Other,
}

/// A new commit under a ref of its own, which has the name of the landing's scratch directory.
#[derive(Debug)]
pub struct Kept {
    repository: Repository,
    name: RefName,
    commit: ObjectId,
}

impl Kept {
    /// Makes the ref.
    pub fn new(repository: &Repository, scratch: &Scratch, commit: ObjectId) -> Result<Self> {
        let name = RefName::parse(BStr::new(&format!("{BELOW}{}", scratch.id())));
        let name = name.ok_or_else(|| Error::environment("cannot name the ref of a landing"))?;
        let change = RefChange {
            name: name.clone(),
            from: None,
            to: Some(commit),
        };
        repository.change_refs(&[change], REASON)?;
        step("land.kept");
        Ok(Kept {
            repository: repository.clone(),
            name,
            commit,
        })
    }

    /// Removes the ref, unless the landing is still to be healed: that needs the commit.
    pub fn release(self) {
        if !needed(&self.repository).contains(&self.commit) {
            remove(&self.repository, self.name, self.commit);
        }
    }
}

fn remove(repository: &Repository, name: RefName, commit: ObjectId) {
    let _deferred = Deferred::begin();
    // What stays is removed by the next command that heals.
    let _ = repository.change_refs(&[RefChange::removal(name, commit)], REASON);
    // A landing that is refused leaves the repository as it was.
    drop(std::fs::remove_dir(
        repository.common_dir().join("refs/lane"),
    ));
    step("land.released");
}

/// The commits of the landings that are under way, or still to be healed.
fn needed(repository: &Repository) -> Vec<ObjectId> {
    let pending = Journal::new(repository.lane_dir()).pending::<UnderWay>();
    let landings = pending.into_iter().filter_map(|(_, intent)| match intent {
        UnderWay::Land { new } | UnderWay::Push { new } => Some(new),
        UnderWay::Other => None,
    });
    landings.collect()
}

/// Removes the refs of dead landings; `dead` are their scratch directories.
pub fn clean(repository: &Repository, dead: &[PathBuf]) -> Result<()> {
    let needed = needed(repository);
    for (name, commit) in repository.refs_below(BELOW)? {
        let id = name
            .as_bstr()
            .rsplit_once_str("/")
            .map_or(BStr::new(""), |(_, id)| id.as_bstr());
        let directory = repository.lane_dir().scratch().join(crate::store::path(id));
        let alive = directory.exists() && !dead.contains(&directory);
        if !alive && !needed.contains(&commit) {
            remove(repository, name, commit);
        }
    }
    Ok(())
}

/// The objects of a landing that a gc might not know: those of `new` that neither `old` nor `tip`
/// has, and of what the lane has brought those that lie loose, because its commits may be as young.
/// `view` sees the quarantine too.
pub fn young(
    view: &gix::Repository,
    old: ObjectId,
    tip: ObjectId,
    new: ObjectId,
) -> Result<Vec<ObjectId>> {
    let mut lane = HashSet::new();
    for (commit, parents) in commits_beyond(view, tip, old, MOST_COMMITS)? {
        objects(view, parents.first().copied(), commit, &mut lane)?;
    }
    let mut made = HashSet::new();
    for (commit, parents) in commits_beyond(view, new, old, MOST_COMMITS)? {
        if !lane.contains(&commit) {
            objects(view, parents.first().copied(), commit, &mut made)?;
        }
    }
    // What the lane has brought and a pack holds is not young, and what a remote has promised is
    // not here at all.
    made.retain(|id| !lane.contains(id));
    let loose = gix::odb::loose::Store::at(view.common_dir().join("objects"), view.object_hash());
    lane.retain(|id| loose.contains(id));
    Ok(made.into_iter().chain(lane).collect())
}

/// The objects that nothing but the quarantine has: of `new` and its first parents, as far as
/// `made_on`. `view` sees the quarantine too.
pub fn made(
    repository: &Repository,
    view: &gix::Repository,
    made_on: ObjectId,
    new: ObjectId,
) -> Result<Vec<ObjectId>> {
    let (mut ids, mut at) = (HashSet::new(), new);
    while at != made_on {
        let commit = retry::objects(view, || view.find_commit(at));
        let commit = commit
            .map_err(|error| Error::git(format!("cannot read commit {at}")).caused_by(error))?;
        let parent = commit.parent_ids().next().map(|id| id.detach());
        retry::objects(view, || objects(view, parent, at, &mut ids))?;
        match parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    ids.retain(|id| !repository.gix.has_object(*id));
    Ok(ids.into_iter().collect())
}

/// A tree with all that `than` has not; for hooks that look at it before there is a commit.
pub fn new_in_tree(
    view: &gix::Repository,
    than: ObjectId,
    tree: ObjectId,
) -> Result<Vec<ObjectId>> {
    let mut ids = HashSet::new();
    differing(view, Some(tree_of(view, than)?), tree, &mut ids)?;
    Ok(ids.into_iter().collect())
}

/// A commit, and what its tree has and its first parent's has not.
fn objects(
    view: &gix::Repository,
    parent: Option<ObjectId>,
    commit: ObjectId,
    ids: &mut HashSet<ObjectId>,
) -> Result<()> {
    ids.insert(commit);
    let before = parent.map(|parent| tree_of(view, parent)).transpose()?;
    differing(view, before, tree_of(view, commit)?, ids)
}

fn differing(
    view: &gix::Repository,
    old: Option<ObjectId>,
    new: ObjectId,
    ids: &mut HashSet<ObjectId>,
) -> Result<()> {
    use gix::diff::tree::recorder::Change;
    let unreadable = |error: String| Error::git(format!("cannot read tree {new}: {error}"));
    if old == Some(new) {
        return Ok(());
    }
    let read = |id: ObjectId| {
        view.find_tree(id)
            .map_err(|error| unreadable(error.to_string()))
    };
    let (before, after) = (
        read(old.unwrap_or_else(|| view.empty_tree().id))?,
        read(new)?,
    );
    let iter = |data| gix::objs::TreeRefIter::from_bytes(data, view.object_hash());
    let mut recorder = gix::diff::tree::Recorder::default();
    let state = gix::diff::tree::State::default();
    gix::diff::tree(
        iter(&before.data),
        iter(&after.data),
        state,
        &view.objects,
        &mut recorder,
    )
    .map_err(|error| unreadable(error.to_string()))?;
    ids.insert(new);
    ids.extend(
        recorder
            .records
            .into_iter()
            .filter_map(|change| match change {
                Change::Addition {
                    entry_mode, oid, ..
                }
                | Change::Modification {
                    entry_mode, oid, ..
                } => (!entry_mode.is_commit()).then_some(oid),
                Change::Deletion { .. } => None,
            }),
    );
    Ok(())
}

/// Whether everything is there that `new` and its first parents have and `old`, one of these, has
/// not; in a partial clone what its remote has promised counts as there.
pub fn is_whole(repository: &Repository, old: ObjectId, new: ObjectId) -> bool {
    let mut at = new;
    while at != old {
        let Ok(commit) = retry::objects(&repository.gix, || repository.gix.find_commit(at)) else {
            return false;
        };
        let Some(parent) = commit.parent_ids().next().map(|id| id.detach()) else {
            return false;
        };
        let Ok(mut added) = tree_diff::added(repository, parent, at) else {
            return false;
        };
        if !added.all(|blob| retry::has_object(&repository.gix, blob))
            && !is_promised(repository, parent, at)
        {
            return false;
        }
        at = parent;
    }
    true
}

/// Whether what is missing of the difference may be fetched whenever it is needed: git knows what
/// its promisor packs name (partial-clone, in git's technical documentation).
fn is_promised(repository: &Repository, old: ObjectId, new: ObjectId) -> bool {
    let git = repository.git_here();
    git.reaches_promised(old, new).unwrap_or(false)
}
