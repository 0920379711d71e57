//! The gate: the commands that have to succeed on exactly the tree that is about to land.
//!
//! They run in a worktree of git-lane's own; what they say about a tree is kept in a receipt, and a
//! tree with a receipt is not tested again. Called by `land` before a base moves, and by
//! `commands/check`.

mod gate_run;
mod ignored_links;
pub mod own_worktree;
mod preparation;
mod slot_layout;
mod trial;

use std::path::Path;
use std::time::Duration;

use self::gate_run::Run;
use self::own_worktree::{OwnWorktree, Slot};
pub use self::trial::Trial;
use crate::domain::gate::Gate;
use crate::domain::lane::ObjectId;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::engines::history::tree_of;
use crate::error::{Code, Error, Result};
use crate::repository::{Repository, gate_rules};
use crate::store::approvals;
use crate::store::command_run::end_left_group;
use crate::store::receipts::Receipts;

/// How long to wait for the gate runs of others.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// What the user says about the gate of one landing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Commands beside those of the policy.
    pub commands: Vec<String>,
    /// Land without it.
    pub left_out: bool,
    /// Run it although it has failed on that tree.
    pub again: bool,
}

/// Hears how a gate goes.
pub trait Watch {
    /// Another gate runs in this worktree.
    fn waits(&self);
    /// A command begins, whose output goes to `log`.
    fn begins(&self, line: &str, lanes: &[&LaneName], log: &Path);
    /// It has said this.
    fn says(&self, output: &[u8]);
    /// It has run for so long.
    fn runs(&self, elapsed: Duration);
    /// The commands have ended.
    fn ends(&self);
    /// They have succeeded for these files before, and do not run.
    fn knows(&self, lanes: &[&LaneName]);
}

/// Runs gates for one command of the user's.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// What the user says about it.
    pub wish: &'a Wish,
    /// Hears of it.
    pub watch: &'a dyn Watch,
}

impl Judge<'_> {
    /// The gate of a landing on `tip`, the tip of its base; `landing` is the commit that would land.
    /// It has no commands where the user leaves it out and may.
    pub fn gate(
        &self,
        repository: &Repository,
        tip: ObjectId,
        landing: Option<ObjectId>,
    ) -> Result<Gate> {
        let extra = &self.wish.commands;
        let gate = gate_rules::gate(repository, &repository.gix, tip, landing, extra)?;
        if self.wish.left_out && !gate.is_empty() {
            if gate.required {
                return Err(
                    Error::refused("the policy does not let the gate be left out")
                        .with_code(Code::GateRequired)
                        .hint("see where it says so with: git lane config finish.gate-required"),
                );
            }
            return Ok(gate.left_out());
        }
        Ok(gate)
    }

    /// Refuses a commit as the tip of `base`, which is at `tip`, where the gate does not succeed for
    /// it: the landing of `without` is taken back.
    pub fn ensure_passes_without(
        &self,
        repository: &Repository,
        (base, tip): (&BranchName, ObjectId),
        commit: ObjectId,
        without: &LaneName,
    ) -> Result<()> {
        let gate = self.gate(repository, tip, Some(commit))?;
        if gate.is_empty() {
            return Ok(());
        }
        ensure_approved(&gate, without)?;
        let trial = Trial {
            gate: &gate,
            base,
            commit,
            names: &[],
            without: Some(without),
        };
        self.test(repository, &trial)?.map_or(Ok(()), Err)
    }

    /// How the gate fails for a tree, or ends without a verdict; `None` where it succeeds. A receipt
    /// tells it, or the commands run.
    pub fn test(&self, repository: &Repository, trial: &Trial<'_>) -> Result<Option<Error>> {
        let receipts = Receipts::open()?;
        let tree = tree_of(&repository.gix, trial.commit)?;
        let digest = trial.gate.digest();
        let known = || {
            let found = receipts.find(tree, &digest, trial.gate.receipt_age);
            let receipt = found.filter(|receipt| receipt.is_good() || !self.wish.again)?;
            if receipt.is_good() {
                self.watch.knows(trial.names);
            }
            Some(trial.failure(&receipt, true))
        };
        if let Some(failure) = known() {
            return Ok(failure);
        }
        let mut worktree =
            OwnWorktree::take(repository, Slot::Gate, PATIENCE, &mut || self.watch.waits())?;
        // The process that had it before may have tested the same tree.
        if let Some(failure) = known() {
            return Ok(failure);
        }
        let record = worktree.group_record();
        end_left_group(&record, Some(worktree.lock_file()))?;
        worktree.check_out(repository, trial.commit)?;
        let run = Run {
            trial,
            watch: self.watch,
            worktree: &worktree,
            tree,
            digest,
        };
        let tested = run.run(repository, &receipts);
        self.watch.ends();
        receipts.expire(trial.gate.receipt_age);
        tested
    }
}

/// Whether a receipt says that the gate has let the tree of `commit` pass.
pub fn has_passed(repository: &Repository, gate: &Gate, commit: ObjectId) -> Result<bool> {
    let tree = tree_of(&repository.gix, commit)?;
    let receipt = Receipts::open()?.find(tree, &gate.digest(), gate.receipt_age);
    Ok(receipt.is_some_and(|receipt| receipt.is_good()))
}

/// Refuses commands that came with the repository and that the user has not approved.
pub fn ensure_approved(gate: &Gate, lane: &LaneName) -> Result<()> {
    if gate.is_empty() || approvals::missing(gate)?.is_empty() {
        return Ok(());
    }
    Err(
        Error::refused("the gate has commands that came with the repository and are not approved")
            .with_code(Code::NotApproved)
            .hint(format!(
                "look at them with: git lane approve {}",
                quote(lane)
            )),
    )
}
