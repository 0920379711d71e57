//! The forecast: would lanes conflict with their bases and with each other, as they stand.

use bstr::BString;

use super::lane::{Lane, ObjectId, RefName, Worktree};
use super::name::LaneName;
use super::overview::stray;
use super::status::{Operation, WorktreeStatus};

/// What there is to say of lanes and of pairs of them.
#[derive(Debug, Default)]
pub struct Forecast {
    /// Each lane, and how it stands to its base.
    pub lanes: Vec<Outlook>,
    /// The pairs that conflict, or of which it cannot be said.
    pub pairs: Vec<Meeting>,
    /// How many pairs do not conflict.
    pub clear: usize,
}

impl Forecast {
    /// How many of its lanes conflict with their bases, and how many pairs with each other.
    pub fn conflicts(&self) -> (usize, usize) {
        let lanes = self.lanes.iter().filter_map(|lane| lane.onto.as_ref());
        let pairs = self.pairs.iter().map(|pair| &pair.verdict);
        (
            lanes.filter(|verdict| verdict.is_conflict()).count(),
            pairs.filter(|verdict| verdict.is_conflict()).count(),
        )
    }

    /// Of how many lanes and pairs it cannot be said; the pairs of a lane that is unclear are not
    /// among them.
    pub fn unknown(&self) -> (usize, usize) {
        let is_unknown = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(_));
        let lanes = self
            .lanes
            .iter()
            .filter(|lane| lane.standing.is_err() || lane.onto.as_ref().is_some_and(is_unknown));
        let pairs = self.pairs.iter().filter(|pair| is_unknown(&pair.verdict));
        (lanes.count(), pairs.count())
    }
}

/// One lane.
#[derive(Debug)]
pub struct Outlook {
    /// Its name.
    pub lane: LaneName,
    /// What it is compared with: the branch that it would land on, else what it is based on.
    pub base: Option<RefName>,
    /// How it stands, or why that cannot be said.
    pub standing: Result<Standing, Unclear>,
    /// Whether it conflicts with its base; `None` where nothing can be said of the lane.
    pub onto: Option<Verdict>,
}

/// A lane as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its commit.
    pub tip: ObjectId,
    /// What stands for it in a merge: that commit, or one that has what is not committed too.
    pub commit: ObjectId,
    /// The tree of that.
    pub tree: ObjectId,
}

impl Standing {
    /// Whether something is in it that is not committed.
    pub fn is_uncommitted(&self) -> bool {
        self.commit != self.tip
    }
}

/// Two lanes with one base.
#[derive(Debug)]
pub struct Meeting {
    /// The one that would be there first.
    pub first: LaneName,
    /// The one that would be merged into it.
    pub second: LaneName,
    /// Whether they conflict.
    pub verdict: Verdict,
}

/// What a merge would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is nothing to merge.
    Nothing,
    /// No conflict.
    Clear,
    /// Conflicts in these files.
    Conflict(Vec<BString>),
    /// It cannot be said, and why.
    Unknown(String),
}

impl Verdict {
    /// Whether it is a conflict.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Verdict::Conflict(_))
    }

    /// The word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Verdict::Nothing => "nothing",
            Verdict::Clear => "clear",
            Verdict::Conflict(_) => "conflict",
            Verdict::Unknown(_) => "unknown",
        }
    }

    /// The files in conflict.
    pub fn paths(&self) -> &[BString] {
        match self {
            Verdict::Conflict(paths) => paths,
            _ => &[],
        }
    }
}

/// Why nothing can be said of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// git is in the middle of something there.
    Operating(Operation),
    /// So many files are unmerged.
    Unmerged(usize),
    /// Something else than its branch is checked out.
    Stray,
    /// Its worktree is not where it was.
    Missing,
    /// It has no base, or that is gone.
    NoBase,
    /// It has no commit.
    NoCommit,
    /// It is not all readable, and what is not.
    Unreadable(String),
    /// It went away during the look.
    Gone,
}

impl Unclear {
    /// The word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Unclear::Operating(_) => "operation",
            Unclear::Unmerged(_) => "unmerged",
            Unclear::Stray => "stray",
            Unclear::Missing => "missing",
            Unclear::NoBase => "no-base",
            Unclear::NoCommit => "no-commit",
            Unclear::Unreadable(_) => "unreadable",
            Unclear::Gone => "gone",
        }
    }
}

impl std::fmt::Display for Unclear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unclear::Operating(operation) => write!(f, "{operation} in progress"),
            Unclear::Unmerged(1) => f.write_str("1 file unmerged"),
            Unclear::Unmerged(files) => write!(f, "{files} files unmerged"),
            Unclear::Stray => f.write_str("not on its branch"),
            Unclear::Missing => f.write_str("its worktree is missing"),
            Unclear::NoBase => f.write_str("no base"),
            Unclear::NoCommit => f.write_str("its branch has no commit"),
            Unclear::Unreadable(why) => f.write_str(why),
            Unclear::Gone => f.write_str("gone meanwhile"),
        }
    }
}

/// Why nothing can be said of a lane with that worktree, where that is so; without a `status` its
/// files do not count.
pub fn unclear(
    lane: &Lane,
    worktree: &Worktree,
    operation: Option<Operation>,
    status: Option<&WorktreeStatus>,
) -> Option<Unclear> {
    if let Some(operation) = operation {
        return Some(Unclear::Operating(operation));
    }
    if stray(lane, worktree, false) {
        return Some(Unclear::Stray);
    }
    let unmerged = status.map_or(0, |status| status.conflicted);
    (unmerged > 0).then_some(Unclear::Unmerged(unmerged))
}

/// Which pairs of so many lanes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Every pair.
    Among,
    /// Those of the lane at this place with all others.
    With(usize),
}

impl Pairs {
    /// The pairs, the places of each in their order.
    pub fn of(self, lanes: usize) -> Vec<(usize, usize)> {
        let wanted = |pair: &(usize, usize)| match self {
            Pairs::Among => true,
            Pairs::With(one) => pair.0 == one || pair.1 == one,
        };
        let all = (0..lanes).flat_map(|one| (one + 1..lanes).map(move |other| (one, other)));
        all.filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_all_or_those_of_one() {
        assert_eq!(Pairs::Among.of(3), [(0, 1), (0, 2), (1, 2)]);
        assert_eq!(Pairs::With(1).of(3), [(0, 1), (1, 2)]);
        assert!(Pairs::Among.of(1).is_empty());
    }
}
