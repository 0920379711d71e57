//! How we know that a branch's work is in its base. The variants are ordered by the cost of the
//! evidence.

use super::lane::ObjectId;

/// The proof that everything a branch holds is already in its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integration {
    /// Branch and base are the same commit.
    SameCommit,
    /// The branch's tip is an ancestor of the base (`git merge-base --is-ancestor`).
    Ancestor,
    /// Both have the same tree.
    SameTree,
    /// The base has every path the branch changed, exactly as the branch left it.
    SameContent,
    /// Merging the branch into the base, with nothing configured, would change nothing (`git
    /// merge-tree --write-tree`).
    NothingToMerge,
    /// Every commit of the branch has a twin of the same patch id in the base (`git cherry`).
    SamePatches,
    /// The branch's changes are in the base as these commits, each of them one or several of the
    /// branch's.
    Squashed {
        /// The base's commits, oldest first.
        commits: Vec<ObjectId>,
    },
}

impl Integration {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Integration::SameCommit => "same-commit",
            Integration::Ancestor => "ancestor",
            Integration::SameTree => "same-tree",
            Integration::SameContent => "same-content",
            Integration::NothingToMerge => "nothing-to-merge",
            Integration::SamePatches => "same-patches",
            Integration::Squashed { .. } => "squashed",
        }
    }
}

impl std::fmt::Display for Integration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Integration::SameCommit => f.write_str("same commit as its base"),
            Integration::Ancestor => f.write_str("merged into its base"),
            Integration::SameTree => f.write_str("same files as its base"),
            Integration::SameContent => f.write_str("its base has the same content"),
            Integration::NothingToMerge => f.write_str("merging it would change nothing"),
            Integration::SamePatches => f.write_str("its base has the same patches"),
            Integration::Squashed { commits } if commits.len() == 1 => {
                write!(f, "squashed into {}", commits[0].to_hex_with_len(10))
            }
            Integration::Squashed { commits } => {
                write!(f, "squashed into {} commits of its base", commits.len())
            }
        }
    }
}
