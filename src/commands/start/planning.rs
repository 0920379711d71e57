//! What is to be done for each lane that is asked for: requests, facts and plans. Nothing is made before all
//! of them are planned.

use bstr::{BString, ByteSlice};

use crate::commands::start::asked::Asked;
use crate::commands::start::fetching::Renewed;
use crate::commands::start::{Args, moving};
use crate::domain::claim::ClaimEnd;
use crate::domain::lane::{Lane, LaneId, Worktree};
use crate::domain::name::BranchName;
use crate::domain::start::{Base, Behind, Creation, Explicit, Plan, Request, branch_name, plan};
use crate::engines::populate::Sparse;
use crate::error::{Code, Error, Result};
use crate::operations::claim::{Wish, end_with, new};
use crate::operations::start::base::{Bases, Found, Upstreams};
use crate::operations::start::registry_lock;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::start_facts::{Around, facts};
use crate::store::{clock, login};
use crate::ui::Ui;

/// A lane, and what is to be done for it.
pub(super) struct Planned {
    pub(super) asked: Asked,
    pub(super) plan: Plan,
    /// What its base lacks of its upstream.
    pub(super) behind: Option<Behind>,
    pub(super) sparse: Option<Sparse>,
    /// How it is to be claimed.
    pub(super) wish: Option<Wish>,
    /// The token of the claim that a new lane begins with.
    pub(super) token: Option<String>,
}

/// All that one command plans with.
pub(super) struct Planner<'a> {
    repository: &'a Repository,
    policy: &'a Policy,
    /// When claims end.
    claim_end: ClaimEnd,
    bases: Bases<'a>,
    renewed: Renewed,
    ui: &'a Ui,
    dry_run: bool,
    /// The work of where the caller stands comes along.
    moving: bool,
    /// The worktrees as they were seen last, where that still holds.
    seen: Option<Vec<Worktree>>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        policy: &'a Policy,
        args: &Args,
        (seen, renewed): (Option<Vec<Worktree>>, Renewed),
        ui: &'a Ui,
    ) -> Result<Self> {
        let upstreams = match (args.fetch || policy.fetch) && args.dry_run {
            false => Upstreams::Compared,
            true => Upstreams::AsLastFetched,
        };
        if upstreams == Upstreams::AsLastFetched {
            ui.note(
                "note: nothing is fetched to see what would be done; the remote is taken as it was \
                 fetched last",
            );
        }
        let claim_end = match (args.time, args.pid) {
            (Some(seconds), _) => ClaimEnd::Time(clock::now().saturating_add(seconds)),
            (None, Some(pid)) => end_with(pid)?,
            (None, None) => ClaimEnd::Release,
        };
        Ok(Planner {
            repository,
            policy,
            claim_end,
            bases: Bases::of(repository, upstreams),
            ui,
            dry_run: args.dry_run,
            moving: args.moving,
            // A fetch may take minutes.
            seen: seen.filter(|_| !renewed.is_some()),
            renewed,
        })
    }

    /// Plans all of them, or says which cannot be made; and the worktrees that files may be copied from.
    pub(super) fn plan_all(&mut self, asked: &[Asked]) -> Result<(Vec<Planned>, Vec<Worktree>)> {
        match self.try_all(asked) {
            // Another start may be in the middle of publishing one of the lanes: once it is there it is
            // no obstacle.
            Err(_)
                if !self.dry_run
                    && self.repository.lane_dir().is_dir()
                    && registry_lock(self.repository).is_ok() =>
            {
                self.seen = None;
                self.try_all(asked)
            }
            planned => planned,
        }
    }

    /// Why a lane cannot be made that another process has made meanwhile.
    pub(super) fn why_not_now(&mut self, asked: &Asked) -> Option<Error> {
        self.seen = None;
        self.try_all(std::slice::from_ref(asked)).err()
    }

    fn try_all(&mut self, asked: &[Asked]) -> Result<(Vec<Planned>, Vec<Worktree>)> {
        // What has to be fetched comes first: facts must not be older than the bases.
        let mut bases = Vec::new();
        for one in asked {
            let base = self.base(one, asked);
            bases.push(base.map_err(|error| one.located(error))?);
        }
        let seen = self.seen.take();
        let worktrees = seen.map_or_else(|| self.repository.worktrees(), Ok)?;
        let mut around = Around::of(self.repository, worktrees)?;
        let mut planned = Vec::new();
        for (asked, (base, behind)) in asked.iter().zip(bases) {
            let one = self.plan_one(asked, (base, behind), &around);
            let one = one.map_err(|error| asked.located(error))?;
            if let Plan::Create(creation) = &one.plan {
                around.expect(expected(creation));
            }
            planned.push(one);
        }
        Ok((planned, around.worktrees().to_vec()))
    }

    fn base(&mut self, asked: &Asked, all: &[Asked]) -> Result<Found> {
        let name = asked.base.as_deref().or(self.policy.base.as_deref());
        let (renewed, ui) = (&self.renewed, self.ui);
        let found = self.bases.find(name, |base, behind| {
            renewed.tell(base, behind, all, ui);
        });
        let found = found.map(|(base, behind)| {
            let code = renewed.why(&base);
            (base, behind.map(|behind| Behind { code, ..behind }))
        });
        match self.moving && asked.base.is_none() {
            true => moving::base(self.repository, found),
            false => found,
        }
    }

    fn plan_one(&self, asked: &Asked, (base, behind): Found, around: &Around) -> Result<Planned> {
        let (repository, policy) = (self.repository, self.policy);
        repository.unrecovered.ensure_lane_is_whole(&asked.name)?;
        let mut request = request(repository, policy, asked, &base)?;
        let wish = asked.claim.then(|| Wish {
            holder: crate::commands::asker(policy, request.owner.as_deref()),
            end: self.claim_end.clone(),
            take_over: false,
        });
        let begun = wish.as_ref().map(new).transpose()?;
        let (claim, token) = begun.unzip();
        request.claim = claim;
        let facts = facts(repository, around, policy, &request, base)?;
        let plan = plan(request, facts)?;
        if let Plan::Create(creation) = &plan
            && let Some(branch) = creation.request.branch.as_ref()
            && creation.new_branch
            && creation.upstream.is_none()
        {
            policy.ensure_branch_fits(branch)?;
        }
        let directories = asked.sparse.iter().map(|one| BString::from(one.as_str()));
        Ok(Planned {
            asked: asked.clone(),
            plan,
            behind,
            sparse: (!asked.sparse.is_empty()).then(|| Sparse {
                directories: directories.collect(),
            }),
            wish,
            token,
        })
    }
}

/// The lane as those that are planned after it see it.
fn expected(creation: &Creation) -> Lane {
    let request = &creation.request;
    Lane {
        name: request.name.clone(),
        id: LaneId("planned".into()),
        branch: request.branch.clone(),
        worktree: creation.path.clone(),
        base: creation.base.name.clone(),
        fork_point: creation.base.commit,
        owner: request.owner.clone(),
        task: request.task.clone(),
        created: 0,
        mark: None,
        claim: None,
        parameters: Vec::new(),
        read_only: request.read_only,
        adopted: false,
    }
}

fn request(
    repository: &Repository,
    policy: &Policy,
    asked: &Asked,
    base: &Base,
) -> Result<Request> {
    let owner = match &asked.owner {
        Some(owner) => Some(owner.clone()).filter(|owner| !owner.is_empty()),
        None => policy.owner_of_new_lanes(login::name),
    };
    let is_detached = asked.detach || asked.read_only;
    let wanted = asked
        .branch
        .clone()
        .unwrap_or_else(|| branch_name(&policy.branch, &asked.name, owner.as_deref()));
    let branch = match is_detached {
        true => None,
        false => Some(repository.branch_meant(&branch_of(&wanted)?)?),
    };
    let path = asked.path.as_ref().map(std::path::absolute).transpose();
    let parameters = &asked.parameters;
    Ok(Request {
        explicit: Explicit {
            branch: (is_detached || asked.branch.is_some()).then(|| branch.clone()),
            base: asked.base.as_ref().map(|_| base.clone()),
            path: path.map_err(|error| {
                Error::environment("the current directory is gone").caused_by(error)
            })?,
            owner: asked.owner.clone(),
            task: asked.task.clone(),
            parameters: (!parameters.is_empty()).then(|| parameters.clone()),
            read_only: asked.read_only,
        },
        task: asked.task.clone(),
        parameters: parameters.clone(),
        read_only: asked.read_only,
        claim: None,
        unique: asked.unique,
        name: asked.name.clone(),
        branch,
        owner,
    })
}

fn branch_of(wanted: &str) -> Result<BranchName> {
    let branch = BranchName::parse(wanted.as_bytes().as_bstr());
    let fitting = branch.and_then(|branch| branch.ensure_fits_a_file().map(|()| branch));
    fitting.map_err(|problem| {
        let because = problem.because();
        Error::refused(format!("'{wanted}' cannot be a branch: it {because}"))
            .with_code(Code::BadName)
    })
}
