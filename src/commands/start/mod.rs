//! `git lane start`: makes lanes, several at once if need be. Called by `cli` alone.

mod making;
mod start_report;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use bstr::ByteSlice;
use clap::Args as ClapArgs;

use crate::commands::first_lane;
use crate::commands::start::making::create;
use crate::commands::start::start_report::{Outcome, StartReport};
use crate::domain::lane::Worktree;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::start::{Explicit, Plan, Request, branch_name, plan};
use crate::error::{Code, Error, Result};
use crate::install;
use crate::operations::start::base;
use crate::operations::start::base::Upstreams;
use crate::operations::start::registry_lock;
use crate::policy::Policy;
use crate::repository::Repository;
use crate::repository::revision;
use crate::store::login;
use crate::ui::Ui;

/// Start a lane: a branch and a worktree of its own for each NAME
///
/// A lane that exists already is shown and is no error, unless it is another owner's or not what
/// was asked for. A branch of that name that no worktree has checked out is taken up; one that only
/// a remote has is made from there and follows it, as by git-switch(1), unless --base says where it
/// starts.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lanes to start
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Start from this branch or commit [default: the policy's, else the remote's HEAD, else the
    /// main worktree's branch]
    #[arg(short, long, value_name = "REF")]
    base: Option<String>,

    /// Fetch first, and start from the base's upstream where the base is behind it
    #[arg(long)]
    fetch: bool,

    /// Use this branch instead of one named by the policy
    #[arg(long, value_name = "BRANCH", conflicts_with = "detach")]
    branch: Option<String>,

    /// Put the worktree here instead of where the policy says
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,

    /// What the lane is for: text, or an id from a tracker
    #[arg(short, long, value_name = "TEXT")]
    task: Option<String>,

    /// Who works in it [default: GIT_LANE_OWNER, the policy's, or the login name]
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,

    /// Check out the base's commit without any branch
    #[arg(long)]
    detach: bool,

    /// Check out only these directories, and the files beside and above them
    #[arg(long, value_name = "DIR", num_args = 1..)]
    sparse: Vec<String>,

    /// Check out the submodules too
    #[arg(long)]
    recurse_submodules: bool,

    /// Show what would be done and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let names = args
        .names
        .iter()
        .map(|name| super::lane_name(name))
        .collect::<Result<Vec<_>>>()?;
    if names.len() > 1 && (args.branch.is_some() || args.path.is_some()) {
        return Err(Error::usage("--branch and --path go with one NAME"));
    }
    // Nothing is healed either by who only wants to see.
    let (repository, worktrees, policy) = match args.dry_run {
        true => {
            let (repository, _) = super::open(ui, true)?;
            let policy = repository.policy();
            (repository, None, policy)
        }
        false => {
            let opened = super::open_and_look(ui)?;
            (opened.repository, opened.worktrees, opened.policy)
        }
    };
    let undecided = install::undecided(&repository)?;
    let policy = policy?;
    let upstreams = match (args.fetch || policy.fetch, args.dry_run) {
        (false, _) => Upstreams::Compared,
        (true, false) => Upstreams::Fetched,
        (true, true) => Upstreams::AsLastFetched,
    };
    let base = base::resolve(
        &repository,
        args.base.as_deref().or(policy.base.as_deref()),
        upstreams,
    )?;
    if upstreams == Upstreams::AsLastFetched {
        ui.note(
            "note: nothing is fetched to see what would be done; the remote is taken as it was \
             fetched last",
        );
    }
    if let Some(warning) = &base.warning {
        ui.warn(warning);
    }
    // A fetch may have taken minutes.
    let seen = RefCell::new(
        worktrees
            .filter(|_| upstreams != Upstreams::Fetched)
            .map(Rc::new),
    );
    let look = || -> Result<Rc<Vec<Worktree>>> {
        let known = seen.borrow().clone();
        let all = known.map_or_else(|| repository.worktrees().map(Rc::new), Ok)?;
        seen.replace(Some(all.clone()));
        Ok(all)
    };
    let plan_one = |name: &LaneName| -> Result<Plan> {
        repository.unrecovered.ensure_lane_is_whole(name)?;
        let request = request(&repository, &args, &policy, name.clone(), &base)?;
        let facts = revision::start(&repository, &look()?, &policy, &request, base.base.clone())?;
        let plan = plan(request, facts)?;
        if let Plan::Create(creation) = &plan
            && let Some(branch) = creation.request.branch.as_ref()
            && creation.new_branch
            && creation.upstream.is_none()
        {
            policy.ensure_branch_fits(branch)?;
        }
        Ok(plan)
    };
    let plan_settled = |name: &LaneName| match plan_one(name) {
        // Another start may be in the middle of publishing that very lane: once it is there it is
        // no obstacle.
        Err(_)
            if !args.dry_run
                && repository.lane_dir().is_dir()
                && registry_lock(&repository).is_ok() =>
        {
            seen.replace(None);
            plan_one(name)
        }
        plan => plan,
    };
    // All or none, as far as that can be known beforehand.
    if names.len() > 1 {
        names
            .iter()
            .try_for_each(|name| plan_settled(name).map(drop))?;
    }
    let mut report = StartReport {
        dry_run: args.dry_run,
        lanes: Vec::new(),
    };
    let mut failure = None;
    for name in &names {
        let outcome = plan_settled(name).and_then(|plan| match plan {
            Plan::Exists(lane) => Ok((Outcome::existing(*lane), None)),
            Plan::Create(creation) if args.dry_run => Ok((Outcome::planned(&creation), None)),
            Plan::Create(creation) => {
                let created = create(&repository, &look()?, &creation, &args, ui);
                seen.replace(None);
                created
            }
        });
        match outcome {
            Ok((outcome, hook)) => {
                failure = failure.or(hook);
                report.lanes.push(outcome);
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    if undecided && report.lanes.iter().any(|lane| lane.created) {
        first_lane::put_in_force(&repository, &policy, ui);
    }
    let made =
        report.lanes.iter().any(|lane| lane.created) || args.dry_run && !report.lanes.is_empty();
    if made && args.owner.is_none() && !policy.names_owner() && login::name().is_none() {
        ui.note(format_args!(
            "note: nothing says what your login name is (neither USER nor LOGNAME, nor the system \
             of {}), so a new lane has no owner; name one with --owner or GIT_LANE_OWNER",
            login::number()
        ));
    }
    // Before its first lane a repository has nothing for the hooks.
    if undecided
        && report.lanes.iter().any(|lane| lane.created)
        && let Err(error) = install::follow_policy(&repository, &policy)
    {
        ui.warn(format_args!(
            "the hooks do not know the policy's latest rules: {error}"
        ));
    }
    match failure {
        None => {
            ui.report(&report);
            Ok(())
        }
        // What was made stays made: say so before saying what failed.
        Some(error) if !report.lanes.is_empty() => Err(ui.failed(&report, error)),
        Some(error) => Err(error),
    }
}

fn request(
    repository: &Repository,
    args: &Args,
    policy: &Policy,
    name: LaneName,
    base: &base::Resolved,
) -> Result<Request> {
    let owner = match &args.owner {
        Some(owner) => Some(owner.clone()).filter(|owner| !owner.is_empty()),
        None => policy.owner_of_new_lanes(login::name),
    };
    let wanted = args
        .branch
        .clone()
        .unwrap_or_else(|| branch_name(&policy.branch, &name, owner.as_deref()));
    let branch = match args.detach {
        true => None,
        false => {
            let branch = BranchName::parse(wanted.as_bytes().as_bstr());
            let fitting = branch.and_then(|branch| branch.ensure_fits_a_file().map(|()| branch));
            let fitting = fitting.map_err(|problem| {
                Error::refused(format!(
                    "'{wanted}' cannot be a branch: it {}",
                    problem.because()
                ))
                .with_code(Code::BadName)
            })?;
            Some(repository.branch_meant(&fitting)?)
        }
    };
    let path = args.path.as_ref().map(std::path::absolute).transpose();
    Ok(Request {
        explicit: Explicit {
            branch: (args.detach || args.branch.is_some()).then(|| branch.clone()),
            base: args.base.as_ref().map(|_| base.base.clone()),
            path: path.map_err(|error| {
                Error::environment("the current directory is gone").caused_by(error)
            })?,
            owner: args.owner.clone(),
            task: args.task.clone(),
        },
        task: args.task.clone(),
        parameters: Vec::new(),
        read_only: false,
        claim: None,
        name,
        branch,
        owner,
    })
}
