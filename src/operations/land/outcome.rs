//! What a caller asks of a landing beyond the plan, and what becomes of it.
//!
//! Every room of `land` knows these; `commands/finish` and `commands/check` make and read them.

use crate::domain::finish::Strategy;
use crate::domain::integration::Integration;
use crate::domain::lane::ObjectId;
use crate::domain::name::{BranchName, LaneName};
use crate::operations::gate::Judge;
use crate::operations::resolve::Resolver;
use crate::policy::Policy;
use crate::repository::recovered::Heal;
use crate::store::git::PrePush;

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

/// What all landings of one command share.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Knows the gate, and runs it.
    pub judge: &'a Judge<'a>,
    /// Recovers what others have left.
    pub heal: Heal<'a>,
    /// Has the remote of the base take what lands before the base does, and whether the hook pre-push
    /// is asked; `None` where it lands here alone.
    pub push: Option<PrePush>,
    /// Resolves conflicts, where the user has named a command for that.
    pub resolver: Option<Resolver<'a>>,
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
    /// The lanes that landed with it behind one run of the gate; `None` where there was none.
    pub together: Option<Together>,
    /// Whether a conflict with the base had to be resolved first, by a command of the user's.
    pub resolved: bool,
}

/// The landings that the base took in one move, behind one run of the gate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Together {
    /// The id of that move, in the event log too.
    pub batch: String,
    /// The other lanes.
    pub lanes: Vec<LaneName>,
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
