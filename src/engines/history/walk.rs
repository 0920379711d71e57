//! The walk: which commits each of several starts reaches.
//!
//! Every commit carries a bit for the base and one for each tip; bits flow from children to parents
//! along a queue ordered by generation (commit-graph) and then date, until everything waiting is
//! common to all. Below a commit-graph that is exact. Above it dates may be skewed: bits that
//! arrive late flow again, and the walk goes on past the point where dates alone say it is done, as
//! revision.c (`still_interesting`) and name-rev (a day) do, only further.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::ObjectId;
use gix::commitgraph::Position;
use gix::prelude::FindExt;

use super::Divergence;
use crate::engines::history::graph::Source;
use crate::error::{Error, Result};

/// The generation of a commit outside the commit-graph: younger than all inside.
const NO_GENERATION: u32 = u32::MAX;
/// No node: the commit at this position of the commit-graph has not been met.
const UNSEEN: u32 = u32::MAX;
/// name-rev's `CUTOFF_DATE_SLOP`, in seconds.
const DAY: i64 = 86_400;

#[derive(Clone, Copy)]
struct Node {
    id: ObjectId,
    /// Its place in the commit-graph, if it has one.
    position: Option<Position>,
    generation: u32,
    date: i64,
    /// Where its parents are in `Walk::parents`, once it has left the queue.
    parents: Option<(u32, u32)>,
    waiting: bool,
}

pub(super) struct Walk<'a> {
    source: &'a Source<'a>,
    nodes: Vec<Node>,
    by_id: gix::hashtable::HashMap<ObjectId, u32>,
    by_position: Vec<u32>,
    parents: Vec<u32>,
    /// Parents of commits outside the graph, kept from reading them until they leave the queue.
    unresolved: HashMap<u32, Vec<ObjectId>>,
    /// `words` words for each node: bit 0 for the base, then one for each tip.
    bits: Vec<u64>,
    words: usize,
    full: Vec<u64>,
    queue: BinaryHeap<(u32, i64, u32)>,
    /// Nodes in the queue that are not common to all.
    partial: usize,
    buffer: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a Source<'a>, starts: usize) -> Self {
        let words = starts.div_ceil(64);
        let mut full = vec![u64::MAX; words];
        if !starts.is_multiple_of(64) {
            full[words - 1] = (1 << (starts % 64)) - 1;
        }
        Walk {
            source,
            nodes: Vec::new(),
            by_id: Default::default(),
            by_position: vec![
                UNSEEN;
                source
                    .graph
                    .as_ref()
                    .map_or(0, |graph| graph.num_commits() as usize)
            ],
            parents: Vec::new(),
            unresolved: HashMap::new(),
            bits: Vec::new(),
            words,
            full,
            queue: BinaryHeap::new(),
            partial: 0,
            buffer: Vec::new(),
        }
    }

    /// How each of `tips` relates to `base`.
    pub(super) fn run(mut self, base: ObjectId, tips: &[ObjectId]) -> Result<Vec<Divergence>> {
        for (at, id) in std::iter::once(&base).chain(tips).enumerate() {
            let node = self.node(*id)?;
            let mut bits = vec![0; self.words];
            bits[at / 64] |= 1 << (at % 64);
            self.give(node, &bits);
        }
        self.walk()?;
        Ok(self.count(tips.len()))
    }

    /// The commits that `tip` alone reaches, parents before children, each with its parents; at
    /// most `most`, the youngest.
    pub(super) fn beyond(
        mut self,
        tip: ObjectId,
        hidden: ObjectId,
        most: usize,
    ) -> Result<Vec<(ObjectId, Vec<ObjectId>)>> {
        for (id, bits) in [(tip, 1), (hidden, 2)] {
            let node = self.node(id)?;
            self.give(node, &[bits]);
        }
        self.walk()?;
        // Depth first, so that order never depends on dates.
        let start = self.node(tip)?;
        let (mut order, mut seen, mut stack) = (Vec::new(), HashSet::new(), vec![(start, false)]);
        while let Some((at, done)) = stack.pop() {
            if done {
                order.push(at);
            } else if self.bits_of(at)[0] == 1 && seen.insert(at) {
                stack.push((at, true));
                let (first, end) = self.nodes[at as usize].parents.unwrap_or((0, 0));
                stack.extend(
                    self.parents[first as usize..end as usize]
                        .iter()
                        .map(|parent| (*parent, false)),
                );
            }
        }
        let skip = order.len().saturating_sub(most);
        let ids = |at: u32| {
            let (first, end) = self.nodes[at as usize].parents.unwrap_or((0, 0));
            self.parents[first as usize..end as usize]
                .iter()
                .map(|parent| self.nodes[*parent as usize].id)
                .collect()
        };
        Ok(order
            .into_iter()
            .skip(skip)
            .map(|at| (self.nodes[at as usize].id, ids(at)))
            .collect())
    }

    fn walk(&mut self) -> Result<()> {
        let (mut oldest_partial, mut beyond) = (i64::MAX, 0);
        while let Some(&(generation, date, at)) = self.queue.peek() {
            if self.partial == 0 {
                let done = generation != NO_GENERATION
                    || (date < oldest_partial
                        && beyond >= 256
                        && (date < oldest_partial - DAY || beyond >= 2048));
                if done {
                    return Ok(());
                }
                beyond += 1;
            } else {
                beyond = 0;
            }
            self.queue.pop();
            self.nodes[at as usize].waiting = false;
            if !self.is_full(at) {
                self.partial -= 1;
                oldest_partial = oldest_partial.min(date);
            }
            let (start, end) = self.parents_of(at)?;
            let bits = self.bits_of(at).to_vec();
            for parent in start..end {
                self.give(self.parents[parent as usize], &bits);
            }
        }
        Ok(())
    }

    fn bits_of(&self, at: u32) -> &[u64] {
        &self.bits[at as usize * self.words..][..self.words]
    }

    fn is_full(&self, at: u32) -> bool {
        self.bits_of(at) == self.full
    }

    /// Adds bits to a node, which goes (back) into the queue if any of them is news.
    fn give(&mut self, at: u32, bits: &[u64]) {
        let was_full = self.is_full(at);
        let mut news = false;
        for (have, more) in self.bits[at as usize * self.words..].iter_mut().zip(bits) {
            news |= *more & !*have != 0;
            *have |= *more;
        }
        if !news {
            return;
        }
        let is_full = self.is_full(at);
        let node = &mut self.nodes[at as usize];
        if node.waiting {
            self.partial -= usize::from(is_full && !was_full);
        } else {
            node.waiting = true;
            self.partial += usize::from(!is_full);
            self.queue.push((node.generation, node.date, at));
        }
    }

    fn node(&mut self, id: ObjectId) -> Result<u32> {
        if let Some(at) = self.by_id.get(&id) {
            return Ok(*at);
        }
        if let Some(position) = self
            .source
            .graph
            .as_ref()
            .and_then(|graph| graph.lookup(id))
        {
            let at = self.node_at(position);
            self.by_id.insert(id, at);
            return Ok(at);
        }
        let source = self.source;
        let mut buffer = std::mem::take(&mut self.buffer);
        let commit = source.repo.objects.find_commit(&id, &mut buffer);
        let commit = commit
            .map_err(|error| Error::git(format!("cannot read commit {id}")).caused_by(error))?;
        let date = commit
            .committer()
            .ok()
            .and_then(|who| who.time().ok())
            .map_or(0, |time| time.seconds);
        let parents = source
            .parents
            .get(&id)
            .cloned()
            .unwrap_or_else(|| commit.parents().collect());
        drop(commit);
        self.buffer = buffer;
        let at = self.push(Node {
            id,
            position: None,
            generation: NO_GENERATION,
            date,
            parents: None,
            waiting: false,
        });
        self.unresolved.insert(at, parents);
        self.by_id.insert(id, at);
        Ok(at)
    }

    fn node_at(&mut self, position: Position) -> u32 {
        let seen = self.by_position[position.0 as usize];
        if seen != UNSEEN {
            return seen;
        }
        let Some(graph) = &self.source.graph else {
            return UNSEEN;
        };
        let commit = graph.commit_at(position);
        // 0 stands for "not computed" in graphs of old gits.
        let generation = if commit.generation() == 0 {
            NO_GENERATION
        } else {
            commit.generation()
        };
        let date = i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX);
        let id = commit.id().to_owned();
        let node = Node {
            id,
            position: Some(position),
            generation,
            date,
            parents: None,
            waiting: false,
        };
        let at = self.push(node);
        self.by_position[position.0 as usize] = at;
        at
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        self.bits.resize(self.nodes.len() * self.words, 0);
        self.nodes.len() as u32 - 1
    }

    fn parents_of(&mut self, at: u32) -> Result<(u32, u32)> {
        let node = self.nodes[at as usize];
        if let Some(range) = node.parents {
            return Ok(range);
        }
        let mut parents = Vec::with_capacity(2);
        match (node.position, &self.source.graph) {
            (Some(position), Some(graph)) => {
                for parent in graph.commit_at(position).iter_parents() {
                    let parent = parent.map_err(|error| {
                        Error::git("the commit-graph is damaged").caused_by(error)
                    })?;
                    parents.push(self.node_at(parent));
                }
            }
            _ => {
                for parent in self.unresolved.remove(&at).unwrap_or_default() {
                    parents.push(self.node(parent)?);
                }
            }
        }
        let start = self.parents.len() as u32;
        self.parents.extend(parents);
        let range = (start, self.parents.len() as u32);
        self.nodes[at as usize].parents = Some(range);
        Ok(range)
    }

    fn count(&self, tips: usize) -> Vec<Divergence> {
        let mut results = vec![
            Divergence {
                ahead: 0,
                behind: 0,
                merge_base: None
            };
            tips
        ];
        let mut best: Vec<Option<(u32, i64, u32)>> = vec![None; tips];
        let mut of_base = 0;
        let (mut of_tip, mut common) = (vec![0; tips], vec![0; tips]);
        // A common ancestor is a best one unless a child of it is common too.
        let mut covered = vec![0u64; self.bits.len()];
        for at in 0..self.nodes.len() as u32 {
            let bits = self.bits_of(at);
            if let (1, Some((start, end))) = (bits[0] & 1, self.nodes[at as usize].parents) {
                for parent in &self.parents[start as usize..end as usize] {
                    for (word, bits) in covered[*parent as usize * self.words..]
                        .iter_mut()
                        .zip(bits)
                    {
                        *word |= bits;
                    }
                }
            }
        }
        for at in 0..self.nodes.len() as u32 {
            let bits = self.bits_of(at);
            let in_base = bits[0] & 1 == 1;
            of_base += usize::from(in_base);
            for (word, mut left) in bits.iter().copied().enumerate() {
                left &= !u64::from(word == 0);
                while left != 0 {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    let tip = word * 64 + bit - 1;
                    of_tip[tip] += 1;
                    if in_base {
                        common[tip] += 1;
                        if covered[at as usize * self.words + word] >> bit & 1 == 0 {
                            let node = &self.nodes[at as usize];
                            best[tip] = best[tip].max(Some((node.generation, node.date, at)));
                        }
                    }
                }
            }
        }
        for (tip, result) in results.iter_mut().enumerate() {
            result.ahead = of_tip[tip] - common[tip];
            result.behind = of_base - common[tip];
            result.merge_base = best[tip].map(|(_, _, at)| self.nodes[at as usize].id);
        }
        results
    }
}
