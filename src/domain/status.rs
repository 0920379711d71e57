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
