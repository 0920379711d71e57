//! Which lanes have changed some files since their fork points, committed or not: what an agent asks
//! before it edits them.

use std::collections::HashMap;

use bstr::BString;

use super::snapshot::{self, Purpose};
use crate::domain::forecast::Unclear;
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::name::LaneName;
use crate::domain::overview::stray;
use crate::domain::retire::Places;
use crate::engines::history::{merge_bases, tree_of};
use crate::engines::status::{operation, surely_as_in};
use crate::error::{Error, Result};
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::changes;
use crate::repository::{Repository, revision};

/// A lane that has changed some of the files, or of which it cannot be said.
#[derive(Debug)]
pub struct Touched {
    /// The lane.
    pub lane: LaneName,
    /// Who works in it.
    pub owner: Option<String>,
    /// The files that its commits have changed.
    pub committed: Vec<BString>,
    /// Those that are not as its commit has them.
    pub uncommitted: Vec<BString>,
    /// Their hunks as a patch, where that was asked for.
    pub patch: Option<BString>,
    /// Why something is not known of it.
    pub unclear: Option<Unclear>,
}

impl Touched {
    /// The files, each once.
    pub fn paths(&self) -> Vec<&BString> {
        let mut paths: Vec<&BString> = self.committed.iter().chain(&self.uncommitted).collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// A lane with what is asked of it.
struct Asked<'a> {
    lane: &'a Lane,
    /// Where it comes from; several after merges in both directions.
    forks: Vec<ObjectId>,
    tip: ObjectId,
    /// The worktree, where what is uncommitted counts.
    home: Option<&'a Worktree>,
    /// What of it is not known.
    unclear: Option<Unclear>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The files or directories, relative to the top; the empty one is the top itself.
    pub paths: &'a [BString],
    /// Whether their hunks are wanted.
    pub patch: bool,
    /// Whether only what is committed counts.
    pub committed: bool,
}

/// The lanes that have changed something at or below the paths, and those of which it cannot be
/// said.
pub fn touched(repository: &Repository, lanes: &[Lane], wish: Wish<'_>) -> Result<Vec<Touched>> {
    let worktrees = repository.worktrees()?;
    let places = Places::of(&worktrees);
    let (mut asked, mut found) = (Vec::new(), Vec::new());
    let mut bases = HashMap::new();
    for lane in lanes {
        let place = places.place(lane).worktree();
        let home = place.filter(|home| home.state == WorktreeState::Present);
        let unclear = match place.map(|place| &place.state) {
            _ if wish.committed => None,
            Some(WorktreeState::Present) => None,
            Some(WorktreeState::Damaged(why)) => Some(Unclear::Unreadable(why.clone())),
            _ => Some(Unclear::Missing),
        };
        match tip_and_forks(repository, lane, home, &mut bases) {
            Ok(Some((tip, forks))) => asked.push(Asked {
                lane,
                forks,
                tip,
                home: home.filter(|_| !wish.committed),
                unclear,
            }),
            Ok(None) => found.push(unknown(lane, Unclear::NoCommit)),
            Err(error) => found.push(unknown(lane, Unclear::Unreadable(error.to_string()))),
        }
    }
    let uncommitted = uncommitted(repository, &asked, wish.paths)?;
    for (asked, uncommitted) in asked.iter().zip(uncommitted) {
        let unreadable = |error: Error| unknown(asked.lane, Unclear::Unreadable(error.to_string()));
        let touched = asked.touched(repository, wish, uncommitted);
        found.extend(touched.unwrap_or_else(|error| Some(unreadable(error))));
    }
    found.sort_by(|one, other| one.lane.cmp(&other.lane));
    Ok(found)
}

/// The lane's commit and its fork points; none for a lane without a commit.
fn tip_and_forks(
    repository: &Repository,
    lane: &Lane,
    home: Option<&Worktree>,
    bases: &mut HashMap<RefName, Option<ObjectId>>,
) -> Result<Option<(ObjectId, Vec<ObjectId>)>> {
    let tip = match (&lane.branch, home.map(|home| &home.head)) {
        (Some(branch), _) => repository.branch_tip(branch)?,
        (None, Some(Head::Detached(id))) => Some(*id),
        (None, _) => None,
    };
    let Some(tip) = tip else { return Ok(None) };
    let base = match &lane.base {
        None => None,
        Some(base) => match bases.get(base) {
            Some(known) => *known,
            None => {
                let target = repository.ref_target(base)?;
                let target = target.map(|target| revision::peeled(repository, target));
                bases.insert(base.clone(), target);
                target
            }
        },
    };
    let mut forks = match base {
        Some(base) => merge_bases(&repository.gix, base, tip)?,
        None => Vec::new(),
    };
    if forks.is_empty() {
        forks.push(lane.fork_point);
    }
    Ok(Some((tip, forks)))
}

/// What is not committed of each, as git says where it is not surely nothing.
fn uncommitted(
    repository: &Repository,
    asked: &[Asked<'_>],
    paths: &[BString],
) -> Result<Vec<Result<Vec<BString>>>> {
    let mut places = Vec::new();
    for asked in asked {
        let tree = tree_of(&repository.gix, asked.tip)?;
        places.push(asked.files().map(|home| (home, tree)));
    }
    let there: Vec<_> = places
        .iter()
        .flatten()
        .map(|(home, tree)| (home.path.as_path(), home.git_dir.as_path(), *tree))
        .collect();
    let mut sure = surely_as_in(&repository.gix, &repository.git, &there, paths).into_iter();
    let look = |place: &Option<(&Worktree, ObjectId)>| {
        let Some((home, _)) = place else {
            return Ok(Vec::new());
        };
        match sure.next() {
            Some(true) => Ok(Vec::new()),
            _ => repository.git_in(home).changed_at(paths),
        }
    };
    Ok(places.iter().map(look).collect())
}

impl Asked<'_> {
    /// The worktree, where its files are the lane's.
    fn files(&self) -> Option<&Worktree> {
        let underway = |home: &Worktree| operation(&home.git_dir).is_some();
        self.home
            .filter(|home| !stray(self.lane, home, underway(home)))
    }

    /// What it has changed; `None` for nothing.
    fn touched(
        &self,
        repository: &Repository,
        wish: Wish<'_>,
        uncommitted: Result<Vec<BString>>,
    ) -> Result<Option<Touched>> {
        let is_asked = |path: &BString| {
            wish.paths.iter().any(|asked| {
                let below = path.strip_prefix(asked.as_slice());
                asked.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
            })
        };
        let mut touched = unknown(self.lane, Unclear::Stray);
        touched.unclear = match self.home {
            Some(home) => match operation(&home.git_dir) {
                Some(operation) => Some(Unclear::Operating(operation)),
                None => self.files().is_none().then_some(Unclear::Stray),
            },
            None => self.unclear.clone(),
        };
        // What came from the base is in one of the commits that the lane comes from.
        let mut committed: Option<Vec<BString>> = None;
        for fork in &self.forks {
            let changed = changes(repository, *fork, self.tip)?.into_iter();
            let changed: Vec<BString> =
                changed.map(|change| change.path).filter(is_asked).collect();
            committed = Some(match committed {
                Some(before) => before
                    .into_iter()
                    .filter(|path| changed.contains(path))
                    .collect(),
                None => changed,
            });
        }
        touched.committed = committed.unwrap_or_default();
        match uncommitted {
            Ok(paths) => touched.uncommitted = paths,
            Err(error) => touched.unclear = Some(Unclear::Unreadable(error.to_string())),
        }
        if touched.paths().is_empty() {
            return Ok(touched.unclear.is_some().then_some(touched));
        }
        if wish.patch {
            match self.patch(repository, wish.paths, &touched) {
                Ok(patch) => touched.patch = Some(patch),
                Err(error) => touched.unclear = Some(Unclear::Unreadable(error.to_string())),
            }
        }
        Ok(Some(touched))
    }

    fn patch(
        &self,
        repository: &Repository,
        paths: &[BString],
        touched: &Touched,
    ) -> Result<BString> {
        let fork = self.forks.first().copied().unwrap_or(self.tip);
        let home = self.files().filter(|_| !touched.uncommitted.is_empty());
        let Some(home) = home else {
            return repository.git_here().patch_at(fork, self.tip, paths);
        };
        let scratch = Scratch::outside(repository)?;
        let now = snapshot::uncommitted(repository, &scratch, home, self.tip, Purpose::Foretold)?;
        let git = scratch.contain(repository.git_here());
        git.patch_at(fork, now.tree, paths)
    }
}

fn unknown(lane: &Lane, why: Unclear) -> Touched {
    Touched {
        lane: lane.name.clone(),
        owner: lane.owner.clone(),
        committed: Vec::new(),
        uncommitted: Vec::new(),
        patch: None,
        unclear: Some(why),
    }
}
