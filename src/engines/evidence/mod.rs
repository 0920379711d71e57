//! Is everything a tip holds already in its base, and how did it get there.
//!
//! Proofs are tried in the order of their cost: identity, ancestry and trees from facts at hand;
//! paths by comparing three trees in this process, which also gives the cheap and certain "no";
//! then, for what is left, one simulated merge (`isolated`) and the patches of lane and base
//! (`patches`). Removal rests on the answer, so whatever cannot be shown is `None`: work that was
//! landed and taken back, work undone inside the lane, anything too large for the bound, what two
//! merges of the same commits made of it.
//!
//! That the simulated merge changes nothing is a proof, where that a landing changes nothing is
//! none. It knows no driver, no attribute and no option: its result is the base's tree only if
//! every change of the lane since the one merge base is in there, at the place git would put it or
//! in the file that the base has renamed.

mod arrival;
mod isolated;
mod patches;
mod remaining;

use std::collections::HashMap;

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::tree::EntryMode;

pub use self::arrival::{Arrival, Pair};
use super::history::{Divergence, commits_beyond};
use crate::domain::integration::Integration;
use crate::error::{Error, Result};
use crate::store::git::Git;
use crate::store::retry;

/// How much history is compared patch by patch, at most.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Commits of the base since the merge base, the youngest.
    pub base_commits: usize,
    /// Commits of a tip; of a longer one only the whole difference is looked for.
    pub tip_commits: usize,
}

impl Default for Bound {
    fn default() -> Self {
        Bound {
            base_commits: 1000,
            tip_commits: 30,
        }
    }
}

/// For every (tip, base, how they diverge), how the tip is integrated in the base, or `None` where
/// that cannot be shown.
///
/// Nothing is written to the repository. At most two child gits are started, whatever the number of
/// pairs.
pub fn integrations(
    repo: &gix::Repository,
    git: &Git,
    pairs: &[(ObjectId, ObjectId, &Divergence)],
    bound: Bound,
) -> Result<Vec<Option<Integration>>> {
    let mut repo = repo.clone();
    repo.object_cache_size_if_unset(8 << 20);
    let trees = Trees { repo: &repo };
    let mut results = Vec::with_capacity(pairs.len());
    let mut open = Vec::new();
    for (at, (tip, base, divergence)) in pairs.iter().enumerate() {
        results.push(
            match retry::objects(&repo, || trees.judge(*tip, *base, divergence))? {
                Judgement::Integrated(how) => Some(how),
                Judgement::Not => None,
                Judgement::Open(lane) => {
                    open.push((at, lane));
                    None
                }
            },
        );
    }
    if open.is_empty() || !isolated::is_possible(&repo) {
        return Ok(results);
    }
    let probe = isolated::Probe::new(&repo, git)?;
    let merges: Vec<_> = open.iter().map(|(_, lane)| (lane.base, lane.tip)).collect();
    let merged = probe.merged_trees(&merges)?;
    let mut lanes = Vec::new();
    for ((at, lane), merged) in open.into_iter().zip(merged) {
        // The same patch may be at another place of a file that repeats itself: then a merge would
        // still add something.
        let adds = merged.is_some_and(|merged| merged != lane.base_tree);
        if merged == Some(lane.base_tree) {
            results[at] = Some(Integration::NothingToMerge);
        } else if !adds && retry::objects(&repo, || remaining::survives(&repo, &lane))? {
            lanes.push((at, lane));
        }
    }
    if !lanes.is_empty() {
        let open: Vec<&Lane> = lanes.iter().map(|(_, lane)| lane).collect();
        let found = retry::objects(&repo, || patches::compare(&trees, &probe, &open, bound))?;
        for ((at, _), found) in lanes.iter().zip(found) {
            results[*at] = found;
        }
    }
    Ok(results)
}

/// What a path is in a tree; `None` where there is none.
type Entry = Option<(EntryMode, ObjectId)>;

/// A path that differs between two trees.
struct Change {
    path: BString,
    old: Entry,
    new: Entry,
}

/// A tip whose every changed path the base has touched too, without being the same there.
struct Lane {
    tip: ObjectId,
    base: ObjectId,
    merge_base: ObjectId,
    base_tree: ObjectId,
    /// Merge base to tip.
    changes: Vec<Change>,
}

enum Judgement {
    Integrated(Integration),
    Not,
    Open(Lane),
}

struct Trees<'a> {
    repo: &'a gix::Repository,
}

fn unreadable(error: gix::Error) -> Error {
    Error::git("cannot compare a branch with its base").caused_by(error)
}

impl Trees<'_> {
    fn judge(&self, tip: ObjectId, base: ObjectId, divergence: &Divergence) -> Result<Judgement> {
        use Integration::*;
        if tip == base {
            return Ok(Judgement::Integrated(SameCommit));
        }
        if divergence.ahead == 0 {
            return Ok(Judgement::Integrated(Ancestor));
        }
        let (tip_tree, base_tree) = (self.tree_of(tip)?, self.tree_of(base)?);
        let Some(merge_base) = divergence.merge_base else {
            return Ok(if tip_tree == base_tree {
                Judgement::Integrated(SameTree)
            } else {
                Judgement::Not
            });
        };
        let fork_tree = self.tree_of(merge_base)?;
        if tip_tree == fork_tree {
            // Work that was done and undone in the lane is in no tree; only commits without any
            // change hold nothing.
            if !self.all_empty(tip, base)? {
                return Ok(Judgement::Not);
            }
            return Ok(Judgement::Integrated(if tip_tree == base_tree {
                SameTree
            } else {
                SameContent
            }));
        }
        if tip_tree == base_tree {
            return Ok(Judgement::Integrated(SameTree));
        }
        let changes = self.changes(fork_tree, tip_tree)?;
        let target = self.repo.find_tree(base_tree).map_err(unreadable)?;
        let mut same = true;
        for change in &changes {
            let entry = self.entry(&target, &change.path)?;
            if entry == change.old {
                return Ok(Judgement::Not);
            }
            same &= entry == change.new;
        }
        if self.have_several_merge_bases(tip, base)? {
            return Ok(Judgement::Not);
        }
        if same {
            return Ok(Judgement::Integrated(SameContent));
        }
        Ok(Judgement::Open(Lane {
            tip,
            base,
            merge_base,
            base_tree,
            changes,
        }))
    }

    fn tree_of(&self, commit: ObjectId) -> Result<ObjectId> {
        let commit = self.repo.find_commit(commit).map_err(unreadable)?;
        Ok(commit.tree_id().map_err(unreadable)?.detach())
    }

    fn entry(&self, tree: &gix::Tree<'_>, path: &BString) -> Result<Entry> {
        let entry = tree.lookup_entry(path.split_str("/")).map_err(unreadable)?;
        Ok(entry.map(|entry| (entry.mode(), entry.object_id())))
    }

    /// Whether lane and base have merged the same two commits, each for itself. What a merge commit
    /// of the one has changed, and what a merge of the other has dropped (a driver, `-X ours`), is
    /// then no difference to one of those two, and a merge in memory takes it for what both started
    /// from.
    fn have_several_merge_bases(&self, tip: ObjectId, base: ObjectId) -> Result<bool> {
        let own = commits_beyond(self.repo, tip, base, usize::MAX)?;
        if own.iter().all(|(_, parents)| parents.len() < 2) {
            return Ok(false);
        }
        let bases = self.repo.merge_bases_many(base, &[tip]);
        Ok(bases
            .map_err(|error| Error::git("cannot compare a branch with its base").caused_by(error))?
            .len()
            > 1)
    }

    /// Whether every commit of `tip` that `base` does not have has one parent and that parent's
    /// tree.
    fn all_empty(&self, tip: ObjectId, base: ObjectId) -> Result<bool> {
        for (commit, parents) in commits_beyond(self.repo, tip, base, usize::MAX)? {
            match parents[..] {
                [parent] if self.tree_of(parent)? == self.tree_of(commit)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The paths, no directories among them, that differ between two trees.
    fn changes(&self, old: ObjectId, new: ObjectId) -> Result<Vec<Change>> {
        use gix::diff::tree::recorder::Change as Record;
        let (old, new) = (
            self.repo.find_tree(old).map_err(unreadable)?,
            self.repo.find_tree(new).map_err(unreadable)?,
        );
        let mut recorder = gix::diff::tree::Recorder::default();
        let kind = self.repo.object_hash();
        let iter = |data| gix::objs::TreeRefIter::from_bytes(data, kind);
        let state = gix::diff::tree::State::default();
        gix::diff::tree(
            iter(&old.data),
            iter(&new.data),
            state,
            &self.repo.objects,
            &mut recorder,
        )
        .map_err(|error| Error::git("cannot compare a branch with its base").caused_by(error))?;
        // A directory that becomes a file is two records of one path.
        let mut changes: HashMap<BString, (Entry, Entry)> = HashMap::new();
        for record in recorder.records {
            let leaf = |mode: EntryMode, id| (!mode.is_tree()).then_some((mode, id));
            let (path, old, new) = match record {
                Record::Addition {
                    entry_mode,
                    oid,
                    path,
                    ..
                } => (path, None, leaf(entry_mode, oid)),
                Record::Deletion {
                    entry_mode,
                    oid,
                    path,
                    ..
                } => (path, leaf(entry_mode, oid), None),
                Record::Modification {
                    previous_entry_mode,
                    previous_oid,
                    entry_mode,
                    oid,
                    path,
                } => (
                    path,
                    leaf(previous_entry_mode, previous_oid),
                    leaf(entry_mode, oid),
                ),
            };
            if old.is_some() || new.is_some() {
                let slot = changes.entry(path).or_default();
                *slot = (slot.0.or(old), slot.1.or(new));
            }
        }
        let mut changes: Vec<_> = changes
            .into_iter()
            .map(|(path, (old, new))| Change { path, old, new })
            .collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }
}
