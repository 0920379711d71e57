//! What a caller asks of a landing beyond the plan, and what becomes of it.
//!
//! Plain values that every room of `land` knows; `commands/finish` and `commands/check` make and
//! read them.

use crate::domain::finish::Strategy;
use crate::domain::integration::Integration;
use crate::domain::lane::ObjectId;
use crate::domain::name::BranchName;
use crate::policy::Policy;

/// What the commit of a landing says, and who may object.
#[derive(Debug)]
pub struct Wording<'a> {
    /// Template and trailers.
    pub policy: &'a Policy,
    /// The message, instead of the template.
    pub message: Option<&'a str>,
    /// Open an editor on it.
    pub edit: bool,
    /// Skip the hooks `--no-verify` skips.
    pub no_verify: bool,
}

/// A base that moved, or would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The branch.
    pub base: BranchName,
    /// How.
    pub strategy: Strategy,
    /// Its commit before.
    pub old: ObjectId,
    /// Its commit after; `None` in a preview of a commit that has yet to be made.
    pub new: Option<ObjectId>,
    /// The lane's commits that are in it now.
    pub commits: usize,
}

/// What became of the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The base moves.
    Landed(Landed),
    /// The base has everything already.
    Integrated(Integration),
}

/// The strategy as the command line says it.
pub fn word(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Merge => "merge",
        Strategy::Squash => "squash",
        Strategy::Rebase => "rebase",
        Strategy::Ff => "ff",
    }
}
