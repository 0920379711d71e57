//! A lane that wants to land: looked at again, computed on a commit of its base, asked about by the
//! user's hooks, and dressed as the commit that the base is to move to.
//!
//! Nothing here moves a base. Called by `land` for one lane.

use bstr::BString;

use super::commit;
use super::crowd::{Blame, Crowd, Member};
use super::keepalive_ref::Kept;
use super::landing_facts;
use super::landing_hooks::Making;
use super::obstacles_ahead::{ensure_nothing_overwritten, foretell_obstacles};
use super::outcome::{Wording, word};
use super::prepared::Prepared;
use super::verdict::{Place, Verdict};
use crate::domain::finish::{self, Facts, Landing, Plan, Request};
use crate::domain::gate::Gate;
use crate::domain::integration::Integration;
use crate::domain::lane::{Head, ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::error::{Error, Kind, Result};
use crate::operations::gate::Judge;
use crate::operations::resolve::{Before, Resolver, resolve};
use crate::operations::retire::look;
use crate::repository::Repository;
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;

/// A lane that wants to land, and what was settled about it so far.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) facts: &'a mut Facts,
    request: &'a Request,
    wording: &'a Wording<'a>,
    scratch: Scratch,
    /// The message that the user has edited, or that prepare-commit-msg has seen.
    draft: Option<BString>,
    /// A commit of an earlier attempt, where it has a gate and its base has none.
    brought: Option<ObjectId>,
    /// Those that have landed, or were about to, since it was first looked at.
    crowd: Option<Crowd>,
}

/// A commit to look at, which nothing leads to; whatever is young about it is kept from every gc
/// while this lives.
#[derive(Debug)]
pub(super) struct Rehearsal {
    pub(super) commit: ObjectId,
    #[allow(dead_code, reason = "held for its effect on a gc")]
    young: Option<KeptPack>,
}

/// How an attempt to prepare a landing ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// With a commit.
    Prepared(Box<Prepared>),
    /// The base has everything already.
    Integrated(Integration),
    /// A gc has taken some of it away: it has to be computed again.
    Raced,
}

impl<'a> Candidate<'a> {
    /// The lane of `facts`. No other landing has to wait for an editor, so the message is edited
    /// here; a conflict is told before the user has typed it.
    pub(super) fn new(
        repository: &Repository,
        facts: &'a mut Facts,
        request: &'a Request,
        wording: &'a Wording<'a>,
    ) -> Result<Self> {
        let mut candidate = Candidate {
            facts,
            request,
            wording,
            scratch: Scratch::new(repository)?,
            draft: None,
            brought: None,
            crowd: None,
        };
        if wording.edit
            && let Some(landing) = finish::plan(candidate.facts, request)?.landing
        {
            candidate.draft = candidate.edit(repository, &landing)?;
        }
        Ok(candidate)
    }

    fn edit(&self, repository: &Repository, landing: &Landing) -> Result<Option<BString>> {
        let worktrees = repository.worktrees()?;
        let place = self.place(repository, &worktrees, landing)?;
        let Verdict::Tree(tree, making) = place.compute(self.wording.message.is_some())? else {
            return Ok(None);
        };
        let hooks = place.hooks(self.wording);
        let _seen = place.show(&hooks, making, tree)?;
        let message = commit::message(&place, self.facts, landing, self.wording)?;
        let draft = hooks.draft(making, tree, &message)?;
        hooks.room.leave().map(|()| Some(draft))
    }

    /// Where a landing's files are made ready.
    pub(super) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Whether the user has taken time over its message.
    pub(super) fn was_edited(&self) -> bool {
        self.wording.edit
    }

    /// The tip of the base, and the gate there; `None` where it has none, or is gone.
    pub(super) fn gate(
        &self,
        repository: &Repository,
        judge: &Judge<'_>,
    ) -> Result<Option<(ObjectId, Gate)>> {
        let Some(tip) = self.tip(repository)? else {
            return Ok(None);
        };
        let gate = judge.gate(repository, tip, self.brought)?;
        Ok((!gate.is_empty()).then_some((tip, gate)))
    }

    /// Whether what was prepared has a gate although its base has none; from now on that is the
    /// candidate's.
    pub(super) fn brings_gate(
        &mut self,
        repository: &Repository,
        judge: &Judge<'_>,
        prepared: &Prepared,
    ) -> Result<bool> {
        let gate = judge.gate(repository, prepared.old, Some(prepared.new))?;
        self.brought = (!gate.is_empty()).then_some(prepared.new);
        Ok(self.brought.is_some())
    }

    /// Has the resolver bring the base into the lane, and looks at the lane again.
    pub(super) fn resolve(&mut self, repository: &Repository, by: Resolver<'_>) -> Result<()> {
        let (lane, base) = (self.facts.lane.clone(), self.base());
        if let (Some(tip), Some(base)) = (self.facts.tip, &base) {
            let before: Before<'_> =
                &|site, merge| ensure_nothing_overwritten(repository, site, merge);
            resolve(repository, &lane, tip, base, by, before)?;
        }
        let worktrees = repository.worktrees()?;
        *self.facts = landing_facts::gather(repository, &worktrees, &lane, base.as_ref())?;
        // The message of the user's stays, one that only a hook has seen is of another commit.
        self.draft = self.draft.take().filter(|_| self.wording.edit);
        (self.brought, self.crowd) = (None, None);
        Ok(())
    }

    /// Whether a conflict can be laid out in the lane: it has a worktree with a branch.
    pub(super) fn has_room(&self) -> bool {
        matches!(self.facts.head, Some(Head::Branch(_))) && self.facts.lane.branch.is_some()
    }

    /// The branch to land on.
    pub(super) fn base(&self) -> Option<BranchName> {
        self.facts.base.as_ref().map(|base| base.branch.clone())
    }

    /// The tip of that branch.
    pub(super) fn tip(&self, repository: &Repository) -> Result<Option<ObjectId>> {
        let base = self.base();
        base.map_or(Ok(None), |base| repository.branch_tip(&base))
    }

    /// Looks at lane and base again; `waited` says that time has passed since the last look. What is
    /// to be landed on is the tip of the base, or `onto`, which is about to become that. `None` where
    /// nothing has to land any more.
    fn look_again(
        &mut self,
        repository: &Repository,
        worktrees: &[Worktree],
        onto: Option<ObjectId>,
        waited: bool,
    ) -> Result<Option<Landing>> {
        look::ensure_unchanged(repository, worktrees, self.facts, waited)?;
        landing_facts::ensure_still_meant(repository, &self.facts.lane)?;
        if let Some(base) = self.base() {
            let tip = self.facts.tip;
            let mut facts = landing_facts::base_facts(repository, worktrees, &base, tip)?;
            if let Some(onto) = onto {
                facts.tip = Some(onto);
                let relation = |tip| landing_facts::relation(repository, onto, tip);
                facts.relation = tip.map(relation).transpose()?;
            }
            self.facts.base = Some(facts);
        }
        let Plan { landing, .. } = finish::plan(self.facts, self.request)?;
        Ok(landing)
    }

    /// Computes the landing on the tip of the base as it is now, or on `onto`, asks the hooks, and
    /// makes the commit.
    pub(super) fn prepare(
        &mut self,
        repository: &Repository,
        onto: Option<ObjectId>,
        waited: bool,
    ) -> Result<Attempt> {
        let worktrees = repository.worktrees()?;
        let Some(landing) = self.look_again(repository, &worktrees, onto, waited)? else {
            return Ok(Attempt::Integrated(Integration::Ancestor));
        };
        let mut draft = self.draft.take();
        let prepared = self.prepare_at(repository, worktrees, landing, &mut draft);
        self.draft = draft;
        prepared
    }

    fn prepare_at(
        &self,
        repository: &Repository,
        worktrees: Vec<Worktree>,
        landing: Landing,
        draft: &mut Option<BString>,
    ) -> Result<Attempt> {
        let place = self.place(repository, &worktrees, &landing)?;
        let (new, commits, making) = match place.compute(self.wording.message.is_some())? {
            Verdict::Nothing(proof) => return Ok(Attempt::Integrated(proof)),
            Verdict::Commit(new, commits) => (new, commits, None),
            Verdict::Tree(tree, making) => {
                let hooks = place.hooks(self.wording);
                let _seen = place.show(&hooks, making, tree)?;
                let message = commit::message(&place, self.facts, &landing, self.wording)?;
                let tree = hooks.first(making, tree, &message)?;
                if draft.is_none() {
                    *draft = Some(hooks.draft(making, tree, &message)?);
                }
                let message =
                    hooks.seal(making, tree, draft.as_deref().map_or(&[], |text| text))?;
                let new = commit::create(&place, making, tree, &message)?;
                (new, place.ahead()?, Some(making))
            }
        };
        // The lane keeps its own tip.
        let fresh = new != place.tip;
        let Some(young) = place.keep_young(new)? else {
            return Ok(Attempt::Raced);
        };
        let kept = fresh
            .then(|| Kept::new(repository, &self.scratch, new))
            .transpose()?;
        let old = place.old;
        Ok(Attempt::Prepared(Box::new(Prepared {
            landing,
            worktrees,
            old,
            new,
            commits,
            making,
            fresh,
            kept,
            young,
        })))
    }

    /// A commit with the tree that the landing on `onto` has before any hook, to look at and to throw
    /// away; `None` where nothing would land.
    pub(super) fn rehearse(
        &mut self,
        repository: &Repository,
        onto: ObjectId,
    ) -> Result<Option<Rehearsal>> {
        let worktrees = repository.worktrees()?;
        let Some(landing) = self.look_again(repository, &worktrees, Some(onto), true)? else {
            return Ok(None);
        };
        let place = self.place(repository, &worktrees, &landing)?;
        let commit = match place.compute(true)? {
            Verdict::Nothing(_) => return Ok(None),
            Verdict::Commit(commit, _) => commit,
            Verdict::Tree(tree, making) => {
                commit::create(&place, making, tree, &"git-lane: a rehearsal\n".into())?
            }
        };
        let young = place.keep_young(commit)?;
        Ok(young.map(|young| Rehearsal { commit, young }))
    }

    /// Refuses a landing that local changes in the worktree of the base would be in the way of; the
    /// base is at `tip`.
    pub(super) fn ensure_clear(
        &self,
        repository: &Repository,
        tip: ObjectId,
        prepared: &Prepared,
    ) -> Result<()> {
        match prepared.site() {
            Some(site) => {
                let moved = (&prepared.landing.base, tip, prepared.new);
                foretell_obstacles(repository, &self.scratch, site, moved)
            }
            None => Ok(()),
        }
    }

    /// Remembers who is about to land before it, beside those that it knows of.
    pub(super) fn note_crowd(&mut self, crowd: Crowd) {
        let known = self.crowd.get_or_insert_with(|| Crowd {
            from: crowd.from,
            before: Vec::new(),
        });
        for member in crowd.before {
            if !known
                .before
                .iter()
                .any(|other| other.commit == member.commit)
            {
                known.before.push(member);
            }
        }
    }

    /// Those of them that have landed, if any.
    pub(super) fn crowd(&self, repository: &Repository) -> Result<Option<Crowd>> {
        let Some((tip, mut crowd)) = self.tip(repository)?.zip(self.crowd.clone()) else {
            return Ok(None);
        };
        let mut landed = Vec::new();
        for member in crowd.before {
            if landing_facts::has(repository, tip, member.commit)? {
                landed.push(member);
            }
        }
        crowd.before = landed;
        Ok((!crowd.before.is_empty()).then_some(crowd))
    }

    /// Remembers a lane that the same command has landed on `base`, which was at `old`.
    pub(super) fn note_landed(&mut self, base: &BranchName, old: ObjectId, member: Member) {
        if self.base().as_ref() == Some(base) {
            let before = vec![member];
            self.note_crowd(Crowd { from: old, before });
        }
    }

    /// A conflict, with the lane that has landed what it is with.
    pub(super) fn blame(&mut self, repository: &Repository, error: Error) -> Error {
        if error.kind() != Kind::Conflict {
            return error;
        }
        let Ok(Some(crowd)) = self.crowd(repository) else {
            return error;
        };
        let conflicts = |onto| match self.rehearse(repository, onto) {
            Err(error) if error.kind() == Kind::Conflict => Ok(Some(())),
            Err(error) => Err(error),
            Ok(_) => Ok(None),
        };
        let Ok(Blame::Member(member)) = crowd.blame(conflicts) else {
            return error;
        };
        let mut details = error.to_json()["error"]["details"].take();
        details["with"] = serde_json::json!([member.lane]);
        let whose = format!("lane '{}' has landed what it conflicts with", member.lane);
        error.details(details).hint(whose)
    }

    /// What the base's reflog says of the landing.
    pub(super) fn reason(&self, landing: &Landing) -> String {
        format!(
            "lane: finish '{}' ({})",
            self.facts.lane.name,
            word(landing.strategy)
        )
    }

    /// Tells the hooks that hear of a landing once it has happened. They may land the next lane. What
    /// keeps them from being told does not take the landing back.
    pub(super) fn tell(&self, repository: &Repository, prepared: &Prepared) {
        let Ok(place) = self.place(repository, &prepared.worktrees, &prepared.landing) else {
            return;
        };
        let hooks = place.hooks(self.wording);
        hooks.index_changed();
        match prepared.making {
            Some(making @ Making::Squash { .. }) => {
                hooks.after(Making::Merge, "post-merge", &["1"]);
                hooks.after(making, "post-commit", &[]);
            }
            _ => hooks.after(Making::Merge, "post-merge", &["0"]),
        }
    }

    fn place<'b>(
        &'b self,
        repository: &'b Repository,
        worktrees: &'b [Worktree],
        landing: &'b Landing,
    ) -> Result<Place<'b>> {
        Place::of(repository, &self.scratch, worktrees, self.facts, landing)
    }
}
