//! What is in a worktree that its branch does not hold.

use bstr::BString;

/// The difference between a worktree, its index and its branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorktreeStatus {
    /// Paths whose index entry differs from the commit.
    pub staged: usize,
    /// Paths whose file differs from the index.
    pub modified: usize,
    /// Untracked, not ignored, directories collapsed as `git status` does.
    pub untracked: usize,
    /// Unmerged paths.
    pub conflicted: usize,
    /// What git is in the middle of.
    pub operation: Option<Operation>,
    /// The first few paths with git's two-letter code, for messages.
    pub samples: Vec<BString>,
    /// Whether the look went into every directory: nothing is ignored, and no other repository is
    /// among the files.
    pub is_complete: bool,
}

impl WorktreeStatus {
    /// Whether index and files are those of the commit, and nothing untracked is there; the
    /// operation is a separate matter.
    pub fn is_clean(&self) -> bool {
        self.staged + self.modified + self.untracked + self.conflicted == 0
    }

    /// Tracked paths that differ from the commit, staged or not. One that is staged and was changed
    /// again is one path as far as the samples show it.
    pub fn changed(&self) -> usize {
        let both = self
            .samples
            .iter()
            .filter(|sample| match sample.as_slice() {
                [b'?', ..] | [b'U', ..] | [_, b'U', ..] | [b'A', b'A', ..] | [b'D', b'D', ..] => {
                    false
                }
                [staged, modified, ..] => *staged != b' ' && *modified != b' ',
                _ => false,
            });
        (self.staged + self.modified).saturating_sub(both.count())
    }

    /// Two words at the most, the weightiest first: `rebasing, 1 conflicted`, `2 changed, 3
    /// untracked`.
    pub fn in_short(&self) -> String {
        let counted = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
        let conflicted = counted(self.conflicted, "conflicted");
        let first = match (self.operation, conflicted) {
            (Some(operation), Some(conflicted)) => {
                return format!("{}, {conflicted}", operation.under_way());
            }
            (Some(operation), None) => Some(operation.under_way().to_owned()),
            (None, conflicted) => conflicted,
        };
        let changed = counted(self.changed(), "changed");
        let untracked = counted(self.untracked, "untracked");
        let rest = match (first.is_some(), changed, untracked) {
            (true, Some(_), Some(_)) => Some(self.changes()),
            (_, changed, untracked) => joined([changed, untracked]),
        };
        joined([first, rest]).unwrap_or_else(|| "clean".into())
    }

    /// One word: what git is in the middle of, or how much there is that the commit does not have.
    pub fn in_brief(&self) -> String {
        match self.operation {
            Some(operation) => operation.under_way().into(),
            None if self.conflicted > 0 => format!("{} conflicted", self.conflicted),
            None if self.untracked > 0 && self.changed() > 0 => self.changes(),
            None => self.in_short(),
        }
    }

    fn changes(&self) -> String {
        format!("{} changes", self.changed() + self.untracked)
    }
}

fn joined(words: [Option<String>; 2]) -> Option<String> {
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What git can be in the middle of, in a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `git merge`
    Merge,
    /// `git rebase`
    Rebase,
    /// `git am`
    Am,
    /// `git cherry-pick`
    CherryPick,
    /// `git revert`
    Revert,
    /// A sequence of cherry-picks or reverts, between two commits.
    Sequence,
    /// `git bisect`
    Bisect,
}

impl Operation {
    /// What is said of a worktree in which it is in progress.
    pub fn under_way(self) -> &'static str {
        match self {
            Operation::Merge => "merging",
            Operation::Rebase => "rebasing",
            Operation::Am => "applying",
            Operation::CherryPick => "picking",
            Operation::Revert => "reverting",
            Operation::Sequence => "in a sequence",
            Operation::Bisect => "bisecting",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Operation::Merge => "merge",
            Operation::Rebase => "rebase",
            Operation::Am => "am",
            Operation::CherryPick => "cherry-pick",
            Operation::Revert => "revert",
            Operation::Sequence => "sequence",
            Operation::Bisect => "bisect",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_words_stay_few() {
        let status = |counts: [usize; 4], operation| {
            let [conflicted, staged, modified, untracked] = counts;
            WorktreeStatus {
                staged,
                modified,
                untracked,
                conflicted,
                operation,
                ..WorktreeStatus::default()
            }
        };
        let rebase = Some(Operation::Rebase);
        for (counts, operation, short, brief) in [
            ([0, 0, 0, 0], None, "clean", "clean"),
            ([0, 1, 1, 0], None, "2 changed", "2 changed"),
            ([0, 0, 0, 3], None, "3 untracked", "3 untracked"),
            ([0, 2, 0, 3], None, "2 changed, 3 untracked", "5 changes"),
            ([1, 0, 0, 0], None, "1 conflicted", "1 conflicted"),
            (
                [1, 2, 0, 0],
                None,
                "1 conflicted, 2 changed",
                "1 conflicted",
            ),
            (
                [1, 2, 0, 3],
                None,
                "1 conflicted, 5 changes",
                "1 conflicted",
            ),
            ([0, 0, 0, 0], rebase, "rebasing", "rebasing"),
            ([0, 0, 2, 0], rebase, "rebasing, 2 changed", "rebasing"),
            ([0, 1, 1, 3], rebase, "rebasing, 5 changes", "rebasing"),
            ([1, 1, 1, 3], rebase, "rebasing, 1 conflicted", "rebasing"),
        ] {
            let status = status(counts, operation);
            assert_eq!((&*status.in_short(), &*status.in_brief()), (short, brief));
        }
    }

    #[test]
    fn a_path_that_is_staged_and_changed_again_is_one() {
        let samples = ["MM a", "M  b", " M c", "?? d", "UU e", "AA f", "AD g"];
        let status = WorktreeStatus {
            staged: 3,
            modified: 3,
            samples: samples.map(BString::from).into(),
            ..WorktreeStatus::default()
        };
        assert_eq!(status.changed(), 4);
    }
}
