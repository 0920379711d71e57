//! Lane and base, patch by patch: were the lane's commits picked one by one, squashed into one, or
//! squashed into several, in order? Only ranges and commits that change the same paths are diffed,
//! all in one child.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use gix::ObjectId;

use super::{Bound, Change, Integration, Lane, Trees};
use crate::engines::evidence::isolated::Probe;
use crate::engines::evidence::remaining;
use crate::engines::history::commits_beyond;
use crate::error::Result;

/// A commit and the commit it is compared with.
type Pair = (ObjectId, ObjectId);

/// Which paths a patch touches and what they become; equal for equal patches.
type Outline = u64;

/// The lane's commits, oldest first, after the merge base; and what each range of them changes.
struct Ranges {
    commits: Vec<ObjectId>,
    /// Whether the commits are those of the lane; else there is only the merge base and the tip.
    straight: bool,
    outlines: HashMap<(usize, usize), Outline>,
    /// Commits (by the place after them) that change nothing.
    empty: HashSet<usize>,
}

/// A commit of the base with its parent, what it does, and what undoing it would do.
struct BaseCommit {
    pair: Pair,
    outline: Outline,
    inverse: Outline,
}

pub(super) fn compare(
    trees: &Trees<'_>,
    probe: &Probe<'_>,
    lanes: &[&Lane],
    bound: Bound,
) -> Result<Vec<Option<Integration>>> {
    let mut outlines = HashMap::new();
    let mut work = Vec::with_capacity(lanes.len());
    let mut wanted: BTreeSet<Pair> = BTreeSet::new();
    for lane in lanes {
        let base = base_commits(trees, (lane.base, lane.tip), bound, &mut outlines)?;
        let ranges = ranges(trees, lane, bound)?;
        let of_base: HashSet<Outline> = base.iter().map(|commit| commit.outline).collect();
        let of_lane: HashSet<Outline> = ranges.outlines.values().copied().collect();
        wanted.extend(candidates(&base, &of_lane));
        for (range, outline) in &ranges.outlines {
            if of_base.contains(outline) {
                wanted.insert(ranges.pair(*range));
            }
        }
        work.push((ranges, base));
    }
    let wanted: Vec<Pair> = wanted.into_iter().collect();
    let ids = probe.patches(&wanted, trees.repo.object_hash())?;
    let ids: HashMap<Pair, ObjectId> = wanted.into_iter().zip(ids).collect();
    let mut found = Vec::with_capacity(lanes.len());
    for ((ranges, base), lane) in work.iter().zip(lanes) {
        let how = ranges.find(base, &ids);
        found.push(if how.is_some() && ranges.any_undone(trees, lane)? {
            None
        } else {
            how
        });
    }
    Ok(found)
}

/// Which of `commits` are in the base (that of `pair`, whose other is the tip) as the very same
/// patch, and whether it stands.
pub(super) fn twins(
    trees: &Trees<'_>,
    probe: &Probe<'_>,
    pair: Pair,
    commits: &[Pair],
    bound: Bound,
) -> Result<Vec<(ObjectId, bool)>> {
    let base = base_commits(trees, pair, bound, &mut HashMap::new())?;
    let mut outlined = Vec::with_capacity(commits.len());
    for (commit, parent) in commits {
        let changes = trees.changes(trees.tree_of(*parent)?, trees.tree_of(*commit)?)?;
        if !changes.is_empty() {
            outlined.push(((*commit, *parent), outline(&changes).0));
        }
    }
    let mut wanted = candidates(
        &base,
        &outlined.iter().map(|(_, outline)| *outline).collect(),
    );
    wanted.extend(outlined.iter().map(|(pair, _)| *pair));
    let wanted: Vec<Pair> = wanted.into_iter().collect();
    let ids = probe.patches(&wanted, trees.repo.object_hash())?;
    let ids: HashMap<Pair, ObjectId> = wanted.into_iter().zip(ids).collect();
    let (standing, all) = places(&base, &ids);
    let found = outlined.into_iter().filter_map(|(pair, _)| {
        let id = ids.get(&pair).filter(|id| all.contains(*id))?;
        Some((pair.0, standing.contains_key(id)))
    });
    Ok(found.collect())
}

/// The commits of the base with one of these outlines, what would undo them, and what may have
/// undone them.
fn candidates(base: &[BaseCommit], of: &HashSet<Outline>) -> BTreeSet<Pair> {
    let found: Vec<_> = base
        .iter()
        .filter(|commit| of.contains(&commit.outline))
        .collect();
    let inverses: HashSet<Outline> = found.iter().map(|commit| commit.inverse).collect();
    let undoing = base
        .iter()
        .filter(|commit| inverses.contains(&commit.outline))
        .map(|commit| commit.pair);
    found
        .iter()
        .flat_map(|commit| [commit.pair, flipped(commit.pair)])
        .chain(undoing)
        .collect()
}

/// Where in the base each patch is that stands, and all patches that were ever there. From the
/// youngest: whatever a later commit takes back does not count, unless it came again after that.
fn places(
    base: &[BaseCommit],
    ids: &HashMap<Pair, ObjectId>,
) -> (HashMap<ObjectId, Vec<usize>>, HashSet<ObjectId>) {
    let mut places: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    let mut later = HashSet::new();
    for (place, commit) in base.iter().enumerate().rev() {
        let Some(id) = ids.get(&commit.pair) else {
            continue;
        };
        let undone = ids
            .get(&flipped(commit.pair))
            .is_some_and(|inverse| later.contains(inverse));
        if !undone {
            places.entry(*id).or_default().insert(0, place);
        }
        later.insert(*id);
    }
    (places, later)
}

/// The same two commits the other way round: the patch that takes the first one back.
fn flipped((commit, parent): Pair) -> Pair {
    (parent, commit)
}

/// The outlines of a patch and of its inverse.
fn outline(changes: &[Change]) -> (Outline, Outline) {
    let (mut forward, mut backward) = (DefaultHasher::new(), DefaultHasher::new());
    for change in changes {
        let kind = |entry: super::Entry| entry.map(|(mode, _)| mode.kind() as u16);
        (&change.path, kind(change.old), kind(change.new)).hash(&mut forward);
        (&change.path, kind(change.new), kind(change.old)).hash(&mut backward);
    }
    (forward.finish(), backward.finish())
}

/// Commits of the base the tip does not have, without merges, roots and empty ones.
fn base_commits(
    trees: &Trees<'_>,
    (base, tip): Pair,
    bound: Bound,
    known: &mut HashMap<ObjectId, Option<(Outline, Outline)>>,
) -> Result<Vec<BaseCommit>> {
    let mut commits = Vec::new();
    for (commit, parents) in commits_beyond(trees.repo, base, tip, bound.base_commits)? {
        let [parent] = parents[..] else { continue };
        let found = match known.get(&commit) {
            Some(found) => *found,
            None => {
                let changes = trees.changes(trees.tree_of(parent)?, trees.tree_of(commit)?)?;
                let found = (!changes.is_empty()).then(|| outline(&changes));
                known.insert(commit, found);
                found
            }
        };
        commits.extend(found.map(|(outline, inverse)| BaseCommit {
            pair: (commit, parent),
            outline,
            inverse,
        }));
    }
    Ok(commits)
}

/// The ranges of a lane worth looking for: all of a short and straight one, else only the whole.
fn ranges(trees: &Trees<'_>, lane: &Lane, bound: Bound) -> Result<Ranges> {
    let listed = commits_beyond(
        trees.repo,
        lane.tip,
        lane.base,
        bound.tip_commits.saturating_add(1),
    )?;
    let mut before = lane.merge_base;
    let straight = listed.len() <= bound.tip_commits
        && listed.iter().all(|(commit, parents)| {
            let follows = parents[..] == [before];
            before = *commit;
            follows
        });
    let mut commits = vec![lane.merge_base];
    if straight {
        commits.extend(listed.iter().map(|(commit, _)| *commit));
    } else {
        commits.push(lane.tip);
    }
    let roots = commits
        .iter()
        .map(|commit| trees.tree_of(*commit))
        .collect::<Result<Vec<_>>>()?;
    let (mut outlines, mut empty) = (HashMap::new(), HashSet::new());
    for end in 1..commits.len() {
        if roots[end] == roots[end - 1] {
            empty.insert(end);
        }
        for start in (0..end).filter(|start| roots[*start] != roots[end]) {
            outlines.insert(
                (start, end),
                outline(&trees.changes(roots[start], roots[end])?).0,
            );
        }
    }
    Ok(Ranges {
        commits,
        straight,
        outlines,
        empty,
    })
}

impl Ranges {
    fn pair(&self, (start, end): (usize, usize)) -> Pair {
        (self.commits[end], self.commits[start])
    }

    fn find(&self, base: &[BaseCommit], ids: &HashMap<Pair, ObjectId>) -> Option<Integration> {
        let (places, _) = places(base, ids);
        let landed = |range| ids.get(&self.pair(range)).and_then(|id| places.get(id));
        let last = self.commits.len() - 1;
        let each =
            (1..=last).all(|end| self.empty.contains(&end) || landed((end - 1, end)).is_some());
        let whole = landed((0, last)).and_then(|places| places.first());
        match (each, whole) {
            (true, _) if self.straight => Some(Integration::SamePatches),
            (_, Some(place)) => Some(Integration::Squashed {
                commits: vec![base[*place].pair.0],
            }),
            _ => self.partition(base, landed),
        }
    }

    /// Whether any commit of a straight lane has left nothing in the base.
    fn any_undone(&self, trees: &Trees<'_>, lane: &Lane) -> Result<bool> {
        for pair in self.commits.windows(2).filter(|_| self.straight) {
            let changes = trees.changes(trees.tree_of(pair[0])?, trees.tree_of(pair[1])?)?;
            if remaining::is_undone(trees.repo, lane, &changes)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Cuts the lane into consecutive groups, each of them one commit of the base, in the base's
    /// order; of all ways to cover the first commits the one that ends earliest in the base leaves
    /// the most room for the rest.
    fn partition<'a>(
        &self,
        base: &[BaseCommit],
        landed: impl Fn((usize, usize)) -> Option<&'a Vec<usize>>,
    ) -> Option<Integration> {
        // For each number of commits covered: the first free place in the base, and the places
        // used.
        let mut best: Vec<Option<(usize, Vec<usize>)>> = vec![Some((0, Vec::new()))];
        for end in 1..self.commits.len() {
            let mut found: Option<(usize, Vec<usize>)> = None;
            if self.empty.contains(&end) {
                found = best[end - 1].clone();
            }
            for (start, covered) in best.iter().enumerate() {
                let (Some((free, used)), Some(places)) = (covered, landed((start, end))) else {
                    continue;
                };
                let Some(place) = places.iter().find(|place| *place >= free) else {
                    continue;
                };
                if found.as_ref().is_none_or(|(free, _)| place + 1 < *free) {
                    found = Some((place + 1, used.iter().copied().chain([*place]).collect()));
                }
            }
            best.push(found);
        }
        let (_, used) = best.pop().flatten()?;
        Some(Integration::Squashed {
            commits: used.into_iter().map(|place| base[place].pair.0).collect(),
        })
    }
}
