//! Brings the main worktree back to its branch, where nothing in it differs from what was shown.

use std::path::{Path, PathBuf};

use bstr::BString;

use super::main_move::{Deed, MainMove};
use super::{differences, known_untracked, main_worktree, obstructed, raced, tried_now, turn};
use crate::domain::event::{End, Event, Phase, Subject, What};
use crate::domain::lane::{Head, ObjectId, RefName, Worktree, user_of};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::place;
use crate::domain::try_lane::{EndRefusal, Tried};
use crate::error::Result;
use crate::operations::checkout::index_lock::Locked;
use crate::operations::land::landing_lock::Turn;
use crate::operations::land::obstacles_ahead::foretell_obstacles;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::changes;
use crate::repository::unrecovered::ensure_not_half_moved;
use crate::store::journal::step;

/// The main worktree, back.
#[derive(Debug, Clone)]
pub struct BroughtBack {
    /// The lane that was shown.
    pub lane: LaneName,
    /// Whether it is gone by now.
    pub lane_is_gone: bool,
    /// The commit that was shown.
    pub commit: ObjectId,
    /// The main worktree.
    pub main: PathBuf,
    /// Its branch.
    pub branch: RefName,
    /// Where that was before.
    pub from: ObjectId,
    /// Where it is now.
    pub tip: ObjectId,
    /// Files that were made there meanwhile and that only the lane ignores, so that they are no
    /// difference from what was shown.
    pub left: Vec<BString>,
    /// Whether it was back before, and only the command that brought it back had not told so.
    pub already: bool,
}

/// Brings it back, or says what would be done.
pub fn back(repository: &Repository, dry_run: bool) -> Result<BroughtBack> {
    let _turn = turn(repository, dry_run)?;
    if let Some(back) = is_back(repository)? {
        return Ok(back);
    }
    go_back(repository, dry_run)
}

/// How it is where a command died that was bringing it back, and what has recovered that has completed
/// it.
pub(super) fn is_back(repository: &Repository) -> Result<Option<BroughtBack>> {
    if repository.tried()?.is_some() {
        return Ok(None);
    }
    let events = repository.log().since(0)?;
    let of_a_try = |event: &&Event| matches!(event.subject.what, What::Try | What::TryBack);
    let last = events.iter().rev().find(of_a_try);
    let Some(last) =
        last.filter(|last| last.subject.what == What::TryBack && last.phase == Phase::Before)
    else {
        return Ok(None);
    };
    let Subject {
        lane: Some(lane),
        lane_id,
        base: Some(branch),
        base_commit: Some(commit),
        ..
    } = last.subject.clone()
    else {
        return Ok(None);
    };
    let Ok(main) = main_worktree(repository)? else {
        return Ok(None);
    };
    let Some(tip) = repository.ref_target(&branch)? else {
        return Ok(None);
    };
    let named = BranchName::from_ref(branch.as_bstr());
    let meant = named
        .map(|named| repository.branch_meant(&named))
        .transpose()?;
    if meant.is_none() || meant.as_ref() != main.head.branch() {
        return Ok(None);
    }
    let lanes = repository.records()?.lanes;
    let now = lanes
        .into_iter()
        .find(|lane| Some(&lane.id) == lane_id.as_ref());
    Ok(Some(BroughtBack {
        lane_is_gone: now.is_none(),
        lane: now.map_or(lane, |lane| lane.name),
        commit,
        main: main.path,
        branch,
        from: tip,
        tip,
        left: Vec::new(),
        already: true,
    }))
}

/// The same for who has the turn.
pub(super) fn go_back(repository: &Repository, dry_run: bool) -> Result<BroughtBack> {
    let plan = Plan::look(repository)?;
    if dry_run {
        let scratch = Scratch::outside(repository)?;
        let move_ = (&plan.branch, plan.tried.commit, plan.tip);
        foretell_obstacles(repository, &scratch, &plan.main, move_)
            .map_err(|error| plan.in_the_way(error))?;
        plan.ensure_seen(repository, &scratch, &plan.main.git_dir.join("index"), &[])?;
        return plan.told(repository);
    }
    let operation = repository.log().begin(plan.subject());
    let done = plan.carry_out(repository);
    operation.ended(done, |back| End {
        result: Some(back.tip),
        ..End::default()
    })
}

/// What becomes of it once these files are in the lane; refuses where the others could not go.
pub(super) fn foreseen(
    repository: &Repository,
    scratch: &Scratch,
    (tried, main): (&Tried, &Worktree),
    taken: &[BString],
) -> Result<BroughtBack> {
    let plan = Plan::of(repository, tried.clone(), main.clone())?;
    plan.ensure_seen(repository, scratch, &main.git_dir.join("index"), taken)?;
    plan.told(repository)
}

/// The branch that the main worktree comes back to, and its commit.
pub(super) fn home_of(
    repository: &Repository,
    tried: &Tried,
    main: &Worktree,
) -> Result<(BranchName, ObjectId)> {
    let plan = Plan::of(repository, tried.clone(), main.clone())?;
    Ok((plan.branch, plan.tip))
}

/// What is untracked there by now and was not before. It is only told: all of it stays.
fn left_there(
    repository: &Repository,
    main: &Worktree,
    known: &known_untracked::Known,
) -> Vec<BString> {
    let mut left = repository.git_in(main).list_untracked().unwrap_or_default();
    left.retain(|path| !known.has(path));
    left
}

/// What is to be done.
struct Plan {
    tried: Tried,
    main: Worktree,
    /// The branch that the name of the record leads to.
    branch: BranchName,
    tip: ObjectId,
}

impl Plan {
    fn look(repository: &Repository) -> Result<Self> {
        let tried = tried_now(repository)?;
        let main = main_worktree(repository)?.map_err(|refusal| refusal.refuse(&tried.lane))?;
        differences::ensure_none(repository, &main, &tried)?;
        Plan::of(repository, tried, main)
    }

    fn of(repository: &Repository, tried: Tried, main: Worktree) -> Result<Self> {
        let gone = || EndRefusal::BranchGone {
            branch: tried.branch.clone(),
            from: tried.from,
        };
        let named = BranchName::from_ref(tried.branch.as_bstr()).ok_or_else(gone)?;
        let branch = repository.branch_meant(&named)?;
        let tip = repository.branch_tip(&branch)?.ok_or_else(gone)?;
        let others: Vec<Worktree> = repository
            .worktrees()?
            .into_iter()
            .filter(|other| other.id.is_some())
            .collect();
        if let Some(other) = user_of(&branch, &others) {
            return Err(EndRefusal::BranchElsewhere {
                branch: tried.branch,
                path: other.path.clone(),
            }
            .into());
        }
        Ok(Plan {
            tried,
            main,
            branch,
            tip,
        })
    }

    fn carry_out(&self, repository: &Repository) -> Result<BroughtBack> {
        // No landing moves the branch between the last look at it and HEAD.
        let _turn = Turn::take_to(repository, "bring the main worktree back")?;
        repository
            .unrecovered
            .ensure_files_are_whole(&self.main.git_dir)?;
        let shown = Head::Detached(self.tried.commit);
        let index = Locked::where_head(repository, &self.main, |head| *head == shown)?;
        let index = index.ok_or_else(|| raced(&self.main))?;
        ensure_not_half_moved(repository, &self.main)?;
        // What was so before the lock was taken is looked at again.
        let now = Plan::look(repository)?;
        if now.tried != self.tried {
            return Err(raced(&self.main));
        }
        let prepared = index.copy()?;
        step("try.prepared");
        let (commit, tip) = (now.tried.commit, now.tip);
        let changed = changes(repository, commit, tip)?;
        let submodules = obstructed::submodules(&now.main, &changed);
        if !submodules.is_empty() {
            return Err(EndRefusal::Submodules(now.main.path, submodules).into());
        }
        let scratch = Scratch::new(repository)?;
        now.ensure_seen(repository, &scratch, &prepared.path, &[])?;
        let move_ = (&now.branch, commit, tip);
        obstructed::ensure_clear(repository, &now.main, move_, &prepared.path, &changed)
            .map_err(|error| now.in_the_way(error))?;
        let back = MainMove {
            deed: Deed::Back,
            tried: &now.tried,
            main: &now.main,
            old: commit,
            new: tip,
            from: shown,
        };
        let known = known_untracked::Known::read(repository);
        back.carry_out(repository, index, prepared)?;
        let left = match known {
            Ok(known) => left_there(repository, &now.main, &known),
            Err(_) => Vec::new(),
        };
        now.told(repository)
            .map(|back| BroughtBack { left, ..back })
    }

    /// Refuses where files, but for those that are taken, have something that neither git nor the lane
    /// has.
    fn ensure_seen(
        &self,
        repository: &Repository,
        scratch: &Scratch,
        index: &Path,
        taken: &[BString],
    ) -> Result<()> {
        let mut changed = changes(repository, self.tried.commit, self.tip)?;
        changed.retain(|change| !taken.contains(&change.path));
        let lanes = repository.records()?.lanes;
        let lane = lanes.iter().find(|lane| lane.id == self.tried.lane_id);
        let worktrees = repository.worktrees()?;
        let site = lane.and_then(|lane| place(lane, &worktrees).worktree());
        let sites = (&self.main, site.map(|site| site.path.as_path()));
        let unseen = obstructed::unseen(repository, scratch, sites, index, &changed)?;
        match unseen.is_empty() {
            true => Ok(()),
            false => Err(EndRefusal::Unseen(self.main.path.clone(), unseen).into()),
        }
    }

    fn told(&self, repository: &Repository) -> Result<BroughtBack> {
        let tried = &self.tried;
        let lanes = repository.records()?.lanes;
        // It may have got another name since.
        let lane = lanes.into_iter().find(|lane| lane.id == tried.lane_id);
        Ok(BroughtBack {
            lane_is_gone: lane.is_none(),
            lane: lane.map_or_else(|| tried.lane.clone(), |lane| lane.name),
            commit: tried.commit,
            main: self.main.path.clone(),
            branch: tried.branch.clone(),
            from: tried.from,
            tip: self.tip,
            left: Vec::new(),
            already: false,
        })
    }

    fn in_the_way(&self, error: crate::error::Error) -> crate::error::Error {
        match obstructed::files_of(&error) {
            Some(files) => EndRefusal::InTheWay(self.main.path.clone(), files).into(),
            None => error,
        }
    }

    fn subject(&self) -> Subject {
        Subject {
            what: What::TryBack,
            lane: Some(self.tried.lane.clone()),
            lane_id: Some(self.tried.lane_id.clone()),
            base: Some(self.tried.branch.clone()),
            base_commit: Some(self.tried.commit),
            undoes: Vec::new(),
        }
    }
}
