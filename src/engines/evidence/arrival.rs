//! Does what a landing has computed hold everything the lane did? A merge driver, `-X ours` or a
//! replay that passes over merge commits can leave some of it out, and the lane's branch would be
//! the only place that has it.

use gix::ObjectId;

use super::{Bound, Change, Trees, patches};
use crate::engines::evidence::{isolated, remaining};
use crate::error::Result;
use crate::store::git::Git;

/// A pair of commits to merge, and what they have in common.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Where it lands.
    pub ours: ObjectId,
    /// What lands.
    pub theirs: ObjectId,
    /// The tree both started from.
    pub fork: ObjectId,
}

/// The evidence about landings whose objects `repo` can read.
pub struct Arrival {
    repo: gix::Repository,
    git: Git,
}

impl Arrival {
    /// Looks in `repo`, and asks git where three trees do not show it.
    pub fn new(repo: gix::Repository) -> Self {
        Arrival {
            repo,
            git: Git::default(),
        }
    }

    fn trees(&self) -> Trees<'_> {
        Trees { repo: &self.repo }
    }

    /// The paths that `theirs` changed and that are not shown to be so in `tree`: it is neither
    /// what a merge without any configuration gives, nor has it every line that was added and none
    /// that was removed.
    pub fn left_out(&self, pair: Pair, tree: ObjectId) -> Result<Vec<bstr::BString>> {
        let trees = self.trees();
        let changes = trees.changes(pair.fork, trees.tree_of(pair.theirs)?)?;
        let target = self.repo.find_tree(tree).map_err(super::unreadable)?;
        let mut open: Vec<(&Change, super::Entry)> = Vec::new();
        for change in &changes {
            let now = trees.entry(&target, &change.path)?;
            if now != change.new {
                open.push((change, now));
            }
        }
        let dropped = open.iter().any(|(change, now)| *now == change.old);
        if open.is_empty() || !dropped && self.is_plain_merge(pair.ours, pair.theirs, tree)? {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for (change, now) in open {
            if !remaining::survives_whole(&self.repo, change, now)? {
                missing.push(change.path.clone());
            }
        }
        Ok(missing)
    }

    /// Whether merging the two gives that tree where no configuration, attribute or driver has a
    /// say.
    pub fn is_plain_merge(&self, ours: ObjectId, theirs: ObjectId, tree: ObjectId) -> Result<bool> {
        if !isolated::is_possible(&self.repo) {
            return Ok(false);
        }
        let merged =
            isolated::Probe::new(&self.repo, &self.git)?.merged_trees(&[(ours, theirs)])?;
        Ok(merged == [Some(tree)])
    }

    /// Those of `commits`, single-parent ones that `base` lacks, whose very patch, white space
    /// heeded, a commit of `base` is that `tip` lacks; and whether no later commit of the base
    /// takes that back.
    pub fn twins(
        &self,
        base: ObjectId,
        tip: ObjectId,
        commits: &[(ObjectId, ObjectId)],
    ) -> Result<Vec<(ObjectId, bool)>> {
        if commits.is_empty() || !isolated::is_possible(&self.repo) {
            return Ok(Vec::new());
        }
        let probe = isolated::Probe::new(&self.repo, &self.git)?;
        patches::twins(
            &self.trees(),
            &probe,
            (base, tip),
            commits,
            Bound::default(),
        )
    }
}
