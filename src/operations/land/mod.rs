//! Landing: the result is computed in memory, then the base moves to it by compare-and-swap.
//!
//! [`preview`] computes and changes nothing. [`land`] queues behind other landings, so that fifty
//! of them do not redo each other's work; the compare-and-swap stays as the safety net against
//! everybody who does not queue.
//!
//! Called by `commands/finish`, and by `recover`.

pub mod apply;
pub mod commit;
pub mod keepalive_ref;
pub mod landing_facts;
pub mod landing_hooks;
pub mod merge;
mod merge_settings;
mod preview;
pub mod recover_landing;
pub mod replay;
mod stage;
#[doc(hidden)]
pub mod stamp;
mod verdict;

use crate::repository::recovered::Heal;
use std::time::{Duration, Instant};

use self::apply::Moved;
pub use self::preview::preview;
use self::verdict::{Place, Verdict};
use super::retire::look;
use crate::domain::event::{End, Subject, What};
use crate::domain::finish::Strategy;
use crate::domain::finish::{self, Facts, Plan, Request};
use crate::domain::integration::Integration;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::message;
use crate::domain::name::BranchName;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::checkout::Move;
use crate::operations::land::keepalive_ref::Kept;
use crate::operations::land::landing_hooks::Making;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::journal::Exclusive;

/// The lock of landings: one at a time.
const LOCK: &str = "land.lock";

/// How long to wait for other landings; their hooks may run a test suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// A wait after which the lane's files are looked at again.
const QUICK: Duration = Duration::from_millis(100);

/// How often a landing that lost its race starts again.
const ATTEMPTS: usize = 20;

/// What the commit of a landing says, and who may object.
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

/// Lands the lane of `facts`. What the facts say about the base is looked at again when it is this
/// landing's turn.
pub fn land(
    repository: &mut Repository,
    facts: &mut Facts,
    request: &Request,
    wording: &Wording<'_>,
    heal: Heal<'_>,
) -> Result<Outcome> {
    let mut subject = Subject::of(What::Land, &facts.lane);
    if let Some(base) = &facts.base {
        (subject.base, subject.base_commit) = (Some(RefName::from(&base.branch)), base.tip);
    }
    let mut operation = repository.log().begin(subject);
    let outcome = queue(repository, facts, request, wording, heal);
    if let Ok(Outcome::Landed(landed)) = &outcome {
        operation.subject().base_commit = Some(landed.old);
    }
    operation.ended(outcome, |outcome| match outcome {
        Outcome::Landed(landed) => End {
            result: landed.new,
            note: Some(word(landed.strategy).into()),
            ..End::default()
        },
        Outcome::Integrated(proof) => End {
            note: Some(format!("nothing to land: {proof}")),
            ..End::default()
        },
    })
}

fn queue(
    repository: &mut Repository,
    facts: &mut Facts,
    request: &Request,
    wording: &Wording<'_>,
    heal: Heal<'_>,
) -> Result<Outcome> {
    let scratch = Scratch::new(repository)?;
    let mut draft = None;
    if wording.edit {
        // No other landing has to wait for an editor; a conflict is told before the user has typed
        // a message.
        let plan = finish::plan(facts, request)?;
        if let Some(landing) = &plan.landing {
            let worktrees = repository.worktrees()?;
            let place = Place::of(repository, &scratch, &worktrees, facts, landing)?;
            if let Verdict::Tree(tree, making) = place.compute(wording.message.is_some())? {
                let hooks = place.hooks(wording);
                let _seen = place.show(&hooks, making, tree)?;
                let message = commit::message(&place, facts, landing, wording)?;
                draft = Some(hooks.draft(making, tree, &message)?);
            }
        }
    }
    landing_hooks::ensure_outside(repository, LOCK)?;
    let queued = Instant::now();
    let turn = Exclusive::acquire(repository.lane_dir(), LOCK, PATIENCE)?;
    turn.sign()
        .context("write", &repository.lane_dir().join(LOCK))?;
    let waited = wording.edit || queued.elapsed() > QUICK;
    for attempt in 0..ATTEMPTS {
        // The process that had the turn before us may have died in the middle of it.
        heal(repository)?;
        let repository = &*repository;
        let worktrees = repository.worktrees()?;
        look::ensure_unchanged(repository, &worktrees, facts, waited || attempt > 0)?;
        let Some(base) = facts.base.as_ref().map(|base| base.branch.clone()) else {
            break;
        };
        facts.base = Some(landing_facts::base_facts(
            repository, &worktrees, &base, facts.tip,
        )?);
        let Plan {
            landing: Some(landing),
            ..
        } = finish::plan(facts, request)?
        else {
            return Ok(Outcome::Integrated(Integration::Ancestor));
        };
        let place = Place::of(repository, &scratch, &worktrees, facts, &landing)?;
        let (new, commits, making) = match place.compute(wording.message.is_some())? {
            Verdict::Nothing(proof) => return Ok(Outcome::Integrated(proof)),
            Verdict::Commit(new, commits) => (new, commits, None),
            Verdict::Tree(tree, making) => {
                let hooks = place.hooks(wording);
                let _seen = place.show(&hooks, making, tree)?;
                let tree = hooks.first(making, tree)?;
                if draft.is_none() {
                    let message = commit::message(&place, facts, &landing, wording)?;
                    draft = Some(hooks.draft(making, tree, &message)?);
                }
                let message = hooks.seal(
                    making,
                    tree,
                    draft.as_deref().map_or(&[][..], |draft| draft),
                )?;
                (
                    commit::create(&place, making, tree, &message)?,
                    place.ahead()?,
                    Some(making),
                )
            }
        };
        let reason = format!(
            "lane: finish '{}' ({})",
            facts.lane.name,
            word(landing.strategy)
        );
        // The lane keeps its own tip.
        let fresh = new != place.tip;
        let Some(young) = place.keep_young(new)? else {
            continue;
        };
        let kept = fresh
            .then(|| Kept::new(repository, &scratch, new))
            .transpose()?;
        let (old, site, scratch) = (place.old, place.site, Some(&scratch));
        let planned = Move {
            base: &base,
            old,
            new,
            fresh,
            site,
            reason: &reason,
            scratch,
        };
        let moved = apply::apply(repository, &planned);
        if let Some(kept) = kept {
            kept.release();
        }
        drop(young);
        if moved? == Moved::Done {
            // These hooks may land the next lane.
            drop(turn);
            let hooks = place.hooks(wording);
            hooks.index_changed();
            match making {
                Some(making @ Making::Squash { .. }) => {
                    hooks.after(Making::Merge, "post-merge", &["1"]);
                    hooks.after(making, "post-commit", &[]);
                }
                _ => hooks.after(Making::Merge, "post-merge", &["0"]),
            }
            return Ok(Outcome::Landed(place.landed(Some(new), commits)));
        }
    }
    Err(
        Error::refused("the base kept moving while the lane was landing")
            .with_code(Code::Raced)
            .hint("run the command again"),
    )
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
