//! One lane that is to finish: looked at, planned, landed with others or alone, and left.

use super::Args;
use super::finish_report::Finished;
use super::leaving::{Leaving, clear_up, prove, seen};
use crate::commands::gate_approval;
use crate::commands::{heal, landing_base, records, tell_of_lost_base};
use crate::domain::finish::{self, Facts, Plan, Request};
use crate::domain::gate::Gate;
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::losses::Losses;
use crate::domain::name::BranchName;
use crate::domain::retire::{ensure_movable, place};
use crate::error::{Code, Error, Kind, Result};
use crate::operations::gate::Judge;
use crate::operations::land::outcome::{Outcome, Wording};
use crate::operations::land::{self, Wanted, commit, landing_facts};
use crate::operations::retire;
use crate::policy::Policy;
use crate::repository::{Repository, identity};
use crate::ui::Ui;

/// What all lanes of one command share.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    pub(super) args: &'a Args,
    pub(super) ui: &'a Ui,
    pub(super) policy: &'a Policy,
}

/// One lane that is to finish.
pub(super) struct Task {
    pub(super) lane: Lane,
    worktree: Option<Worktree>,
    base: Option<BranchName>,
    pub(super) facts: Facts,
    request: Request,
    plan: Plan,
    seen: Losses,
    /// The commands of the gate, as far as they are known before the landing is computed.
    gate: Vec<String>,
}

impl Task {
    /// The base on which it is to land; `None` where it lands nowhere.
    pub(super) fn landing_base(&self) -> Option<&BranchName> {
        self.base.as_ref().filter(|_| self.plan.landing.is_some())
    }

    /// Looks at the lane, decides, and commits what is to be committed first.
    pub(super) fn prepare(
        repository: &mut Repository,
        course: Course<'_>,
        lane: Lane,
    ) -> Result<Self> {
        let Course { args, ui, policy } = course;
        let worktrees = repository.worktrees()?;
        let lane = match args.dry_run {
            true => records(repository, &worktrees, true)?
                .find(&lane.name)
                .cloned()
                .unwrap_or(lane),
            false => lane,
        };
        let mut request = Request {
            strategy: args.strategy.unwrap_or(policy.strategy),
            landing: !args.no_land,
            force: args.force,
            keep: args.keep,
            commit: args.commit.is_some(),
        };
        let base = landing_base(repository, &lane, args.into.as_deref(), request.landing)?;
        // Another command may take the lane away at any moment.
        let or_raced = |error| retire::or_raced(repository, &lane, error);
        let mut facts = landing_facts::gather(repository, &worktrees, &lane, base.as_ref())
            .map_err(or_raced)?;
        if !request.landing {
            landing_facts::prove(repository, &mut facts).map_err(or_raced)?;
        }
        let mut plan =
            finish::plan(&facts, &request).map_err(|refusal| or_raced(refusal.into()))?;
        let worktree = place(&lane, &worktrees).worktree();
        if plan.retire && !lane.adopted {
            // Known before anything lands, so that a lane does not land and then stay.
            let around = retire::surroundings(repository, &lane, worktree, &worktrees, true);
            let around = if args.force {
                around
            } else {
                around.with_processes()
            };
            ensure_movable(&around).map_err(|refusal| or_raced(refusal.refuse(&lane.name)))?;
        }
        let present = worktree.filter(|worktree| worktree.state == WorktreeState::Present);
        if plan.makes_commits(&facts) {
            let git = || {
                present.map_or_else(
                    || repository.git_here(),
                    |worktree| repository.git.at(&worktree.path),
                )
            };
            identity::ensure_known(repository, git).map_err(or_raced)?;
        }
        let committed = plan.commit;
        if let (true, false, Some(message), Some(worktree)) =
            (committed, args.dry_run, &args.commit, worktree)
        {
            commit::commit_all(repository, &lane.name, worktree, message, args.no_verify)
                .map_err(or_raced)?;
            let told = |error| {
                Finished::new(&lane, &plan, base.as_ref(), None, false).failed(ui, or_raced(error))
            };
            let worktrees = repository.worktrees()?;
            facts = landing_facts::gather(repository, &worktrees, &lane, base.as_ref())
                .map_err(told)?;
            // What the commit did not take will not be taken by another one.
            request.commit = false;
            plan = finish::plan(&facts, &request)
                .map_err(|refusal| told(refusal.after_commit().into()))?;
        }
        let goes = plan.retire && !lane.adopted;
        let seen = seen(repository, &facts, worktree, goes).map_err(or_raced)?;
        plan.commit = committed;
        let worktree = worktree.cloned();
        Ok(Task {
            lane,
            worktree,
            base,
            facts,
            request,
            plan,
            seen,
            gate: Vec::new(),
        })
    }

    /// Whether there is anything to land.
    pub(super) fn lands(&self) -> bool {
        self.plan.landing.is_some()
    }

    /// Why there is nothing to land.
    pub(super) fn integrated(&self) -> Option<Outcome> {
        self.plan.integrated.clone().map(Outcome::Integrated)
    }

    /// What the landing is asked for with.
    pub(super) fn wanted<'a>(&'a mut self, wording: &'a Wording<'a>) -> Wanted<'a> {
        Wanted {
            facts: &mut self.facts,
            request: &self.request,
            wording,
        }
    }

    /// What would land, and behind which gate.
    pub(super) fn foretell(
        &mut self,
        repository: &Repository,
        course: Course<'_>,
        judge: &Judge<'_>,
    ) -> Result<Option<Outcome>> {
        let Course { args, policy, .. } = course;
        let push = args.push(policy);
        if let Some((_, gate)) = self.gate(repository, judge)? {
            self.gate = gate.lines();
        }
        match &self.plan.landing {
            None => Ok(self.integrated()),
            Some(landing) => {
                if let (Some(_), Some(base)) = (push, &self.facts.base)
                    && let Some(tip) = base.tip
                {
                    land::push_first::ensure_may_push(
                        repository,
                        &base.branch,
                        tip,
                        &self.lane.name,
                    )?;
                }
                self.ensure_own_commits(repository)?;
                let own_message = args.message.is_some();
                let outcome = land::preview(repository, &self.facts, landing, own_message);
                outcome.map(Some).map_err(|error| self.foresee(args, error))
            }
        }
    }

    /// Refuses to squash or to replay what is others' on the remote of the base.
    pub(super) fn ensure_own_commits(&self, repository: &Repository) -> Result<()> {
        let base = self.facts.base.as_ref();
        let tips = self.facts.tip.zip(base.and_then(|base| base.tip));
        let (Some(landing), Some(base), Some((tip, base_tip))) = (&self.plan.landing, base, tips)
        else {
            return Ok(());
        };
        land::upstream_commits::ensure_none_is_rewritten(
            repository,
            landing.strategy,
            (&self.lane.name, tip),
            (&base.branch, base_tip),
        )
    }

    /// A conflict, with what would be done about it.
    fn foresee(&self, args: &Args, error: Error) -> Error {
        match &args.on_conflict {
            Some(line) if error.kind() == Kind::Conflict => error.hint(format!(
                "without --dry-run it would be laid out in lane '{}', and this would run there: \
                 {line}",
                self.lane.name
            )),
            _ => error,
        }
    }

    /// The base of what is to land, and the gate there.
    fn gate(
        &self,
        repository: &Repository,
        judge: &Judge<'_>,
    ) -> Result<Option<(BranchName, Gate)>> {
        let base = self.facts.base.as_ref().filter(|_| self.lands());
        let Some((base, tip)) = base.and_then(|base| Some((&base.branch, base.tip?))) else {
            return Ok(None);
        };
        let gate = judge.gate(repository, tip, self.facts.tip)?;
        Ok(Some((base.clone(), gate)))
    }

    /// Asks for the user's yes to the commands that came with the repository, before anything takes
    /// time.
    pub(super) fn ensure_approved(
        &mut self,
        repository: &Repository,
        ui: &Ui,
        judge: &Judge<'_>,
    ) -> Result<()> {
        let Some((base, gate)) = self.gate(repository, judge)? else {
            return Ok(());
        };
        self.gate = gate.lines();
        let of = gate_approval::For {
            lane: Some(self.lane.name.as_str()),
            base: &base.to_string(),
            into: self.lane.base_branch().as_ref() != Some(&base),
        };
        gate_approval::ensure_approved(ui, &gate, of)
    }

    /// The report of what was done before something failed, and the failure.
    pub(super) fn failed(
        &self,
        repository: &Repository,
        course: Course<'_>,
        error: Error,
    ) -> Error {
        let report = self.report(repository, None, course);
        // A lane that its resolver has removed was not taken by another process.
        let error = match error.code() {
            Code::Unresolved => error,
            _ => retire::or_raced(repository, &self.lane, error),
        };
        report.failed(course.ui, error)
    }

    fn report(
        &self,
        repository: &Repository,
        outcome: Option<Outcome>,
        course: Course<'_>,
    ) -> Finished {
        let base = self.base.as_ref();
        let pushed = match (&outcome, base) {
            (Some(Outcome::Landed(_)), Some(base)) => course
                .args
                .push(course.policy)
                .and_then(|_| land::base_remote::goes_to(repository, base).ok().flatten()),
            _ => None,
        };
        Finished {
            gate: self.gate.clone(),
            pushed,
            ..Finished::new(&self.lane, &self.plan, base, outcome, course.args.dry_run)
        }
    }

    /// What follows the landing: the lane leaves.
    pub(super) fn leave(
        &self,
        repository: &mut Repository,
        course: Course<'_>,
        outcome: Option<Outcome>,
    ) -> Result<Finished> {
        let Course { args, ui, policy } = course;
        let mut report = self.report(repository, outcome, course);
        let heal = heal(ui);
        let done = prove(repository, &self.facts, &report)
            .and_then(|proof| Ok((proof, self.seen_last(repository, &report)?)))
            .map_err(|error| retire::or_raced(repository, &self.lane, error))
            .and_then(|(proof, seen)| {
                let leaving = Leaving {
                    facts: &self.facts,
                    worktree: self.worktree.as_ref(),
                    seen: &seen,
                    whatever: !self.request.landing && self.request.force,
                    proof,
                    although_busy: args.force,
                    heal: &heal,
                };
                clear_up(repository, &leaving, policy, &mut report)
            });
        if let Err(error) = done {
            return Err(report.failed(ui, error));
        }
        Ok(report)
    }

    /// What is known to be in the lane beyond its commits: what a resolver has left there has been
    /// looked at since.
    fn seen_last(&self, repository: &Repository, report: &Finished) -> Result<Losses> {
        let resolved = report.landed.as_ref().is_some_and(|landed| landed.resolved);
        match resolved && !self.request.keep {
            true => seen(repository, &self.facts, self.worktree.as_ref(), true),
            false => Ok(self.seen.clone()),
        }
    }

    /// Says which lanes have no base any more.
    pub(super) fn tell_of_lost_base(&self, course: Course<'_>, report: &Finished) {
        if report.heir.is_none() {
            let base = self.lane.base_branch();
            let branches = (self.lane.branch.as_ref(), base.as_ref());
            tell_of_lost_base(course.ui, &report.above, branches, course.args.dry_run);
        }
    }
}
