//! Ahead, behind and merge base of many branches in one walk, and the commits one has and another
//! has not.
//!
//! Here is what can be asked; `walk` answers it, `graph` is where its commits come from.
//!
//! Called by the operations and commands that compare branches.

mod graph;
mod walk;

use std::collections::HashMap;

use gix::ObjectId;

use self::walk::Walk;
use crate::engines::history::graph::Source;
use crate::error::{Error, Result};
use crate::store::retry;

/// How a tip relates to its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divergence {
    /// Commits of the tip the base does not have.
    pub ahead: usize,
    /// Commits of the base the tip does not have.
    pub behind: usize,
    /// A best common ancestor, the youngest if there are several; `None` for unrelated histories.
    pub merge_base: Option<ObjectId>,
}

/// Ahead, behind and merge base of every (tip, base), in their order; one walk for each different
/// base.
///
/// Equal to `git rev-list --left-right --count tip...base`, in shallow clones and under replace
/// refs and grafts too.
pub fn divergences(
    repo: &gix::Repository,
    pairs: &[(ObjectId, ObjectId)],
) -> Result<Vec<Divergence>> {
    retry::objects(repo, || walked(repo, pairs))
}

fn walked(repo: &gix::Repository, pairs: &[(ObjectId, ObjectId)]) -> Result<Vec<Divergence>> {
    let source = Source::new(repo)?;
    let mut groups: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    for (at, (_, base)) in pairs.iter().enumerate() {
        groups.entry(*base).or_default().push(at);
    }
    let mut results = vec![
        Divergence {
            ahead: 0,
            behind: 0,
            merge_base: None
        };
        pairs.len()
    ];
    for (base, members) in groups {
        let tips: Vec<ObjectId> = members.iter().map(|at| pairs[*at].0).collect();
        for (at, divergence) in members
            .iter()
            .zip(Walk::new(&source, tips.len() + 1).run(base, &tips)?)
        {
            results[*at] = divergence;
        }
    }
    Ok(results)
}

/// Whether `ancestor` is reachable from `descendant`; a commit is its own ancestor.
pub fn is_ancestor(
    repo: &gix::Repository,
    ancestor: ObjectId,
    descendant: ObjectId,
) -> Result<bool> {
    Ok(divergences(repo, &[(ancestor, descendant)])?[0].ahead == 0)
}

/// The best common ancestors of two commits, as `git merge-base --all` has them; none where they
/// share no history.
pub fn merge_bases(
    repo: &gix::Repository,
    one: ObjectId,
    other: ObjectId,
) -> Result<Vec<ObjectId>> {
    let found = retry::objects(repo, || {
        let found = repo.merge_bases_many(one, &[other])?;
        Ok::<_, gix::Error>(found.into_iter().map(|id| id.detach()).collect())
    });
    found.map_err(|error| Error::git(format!("cannot compare {one} and {other}: {error}")))
}

/// The commits `tip` has and `hidden` does not, parents before children, each with its parents; at
/// most `most`, the youngest. Exact in the same sense as [`divergences`].
pub fn commits_beyond(
    repo: &gix::Repository,
    tip: ObjectId,
    hidden: ObjectId,
    most: usize,
) -> Result<Vec<(ObjectId, Vec<ObjectId>)>> {
    retry::objects(repo, || {
        Walk::new(&Source::new(repo)?, 2).beyond(tip, hidden, most)
    })
}

/// The tree of a commit.
pub fn tree_of(gix: &gix::Repository, commit: ObjectId) -> Result<ObjectId> {
    let tree = || gix.find_commit(commit)?.tree_id().map(|id| id.detach());
    retry::objects(gix, tree)
        .map_err(|error| Error::git(format!("cannot read commit {commit}: {error}")))
}
