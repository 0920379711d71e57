//! The hooks of git that the guard takes part in.

use std::ffi::OsStr;

/// The hooks we take part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// After a switch.
    PostCheckout,
    /// Before a commit.
    PreCommit,
    /// Before a merge commit.
    PreMergeCommit,
    /// Before a rebase.
    PreRebase,
    /// Before refs change; at level refuse only.
    ReferenceTransaction,
}

impl Hook {
    /// Every hook; the first four are those of level restore.
    pub const ALL: [Hook; 5] = [
        Hook::PostCheckout,
        Hook::PreCommit,
        Hook::PreMergeCommit,
        Hook::PreRebase,
        Hook::ReferenceTransaction,
    ];

    /// git's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Hook::PostCheckout => "post-checkout",
            Hook::PreCommit => "pre-commit",
            Hook::PreMergeCommit => "pre-merge-commit",
            Hook::PreRebase => "pre-rebase",
            Hook::ReferenceTransaction => "reference-transaction",
        }
    }

    /// The hook git calls by this name.
    pub fn parse(name: &OsStr) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| name == hook.name())
    }
}
