//! Where lanes of one base and that base come from: their best common ancestors, of every two.
//!
//! A thousand lanes make half a million pairs. Two lanes that share no commit beyond their base have
//! in common what their fork points have in common, and of those there are few.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::domain::lane::ObjectId;
use crate::engines::history;
use crate::error::Result;

/// What is known of the tips of some lanes and of their base.
pub(super) struct Ancestry<'a> {
    repo: &'a gix::Repository,
    base: ObjectId,
    /// The fork points of each lane's tip.
    forks: HashMap<ObjectId, Vec<ObjectId>>,
    /// The tips that have a commit which the base has not.
    owners: HashMap<ObjectId, Vec<ObjectId>>,
    /// Pairs of tips that have such a commit both.
    entangled: HashSet<(ObjectId, ObjectId)>,
    known: RefCell<HashMap<(ObjectId, ObjectId), Vec<ObjectId>>>,
}

impl<'a> Ancestry<'a> {
    /// Of lanes with that base.
    pub(super) fn new(repo: &'a gix::Repository, base: ObjectId) -> Self {
        Ancestry {
            repo,
            base,
            forks: HashMap::new(),
            owners: HashMap::new(),
            entangled: HashSet::new(),
            known: RefCell::default(),
        }
    }

    /// Looks at the tip of one more of them.
    pub(super) fn add(&mut self, tip: ObjectId) -> Result<()> {
        if self.forks.contains_key(&tip) {
            return Ok(());
        }
        let forks = history::merge_bases(self.repo, self.base, tip)?;
        let own = history::commits_beyond(self.repo, tip, self.base, usize::MAX)?;
        for (commit, _) in own {
            let owners = self.owners.entry(commit).or_default();
            self.entangled
                .extend(owners.iter().map(|other| in_order(tip, *other)));
            owners.push(tip);
        }
        self.forks.insert(tip, forks);
        Ok(())
    }

    /// The best common ancestors of a tip and the base.
    pub(super) fn with_base(&self, tip: ObjectId) -> &[ObjectId] {
        self.forks.get(&tip).map_or(&[], Vec::as_slice)
    }

    /// Those of two tips.
    pub(super) fn of(&self, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>> {
        let forks = (self.with_base(one), self.with_base(other));
        match forks {
            ([fork], [other_fork]) if !self.entangled.contains(&in_order(one, other)) => {
                self.look_up(*fork, *other_fork)
            }
            _ => self.look_up(one, other),
        }
    }

    fn look_up(&self, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>> {
        if one == other {
            return Ok(vec![one]);
        }
        let pair = in_order(one, other);
        if let Some(known) = self.known.borrow().get(&pair) {
            return Ok(known.clone());
        }
        let found = history::merge_bases(self.repo, one, other)?;
        self.known.borrow_mut().insert(pair, found.clone());
        Ok(found)
    }
}

fn in_order(one: ObjectId, other: ObjectId) -> (ObjectId, ObjectId) {
    (one.min(other), one.max(other))
}
