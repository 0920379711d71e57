//! What the repository says about a step that the event log tells of: it counts more than the log.
//! Nothing is changed here.

use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::{Act, Leaving, Plan, Request, Way, record_back};
use crate::domain::branch_renames::BranchRenames;
use crate::domain::carried::Moved;
use crate::domain::event::{Stays, What};
use crate::domain::finish::Relation;
use crate::domain::lane::{Lane, ObjectId, RefName, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire::{ensure_movable, place};
use crate::domain::trash_entry::Entry;
use crate::domain::undo;
use crate::domain::undo::{BaseToday, Course, Deed, Refusal, Removal, Step};
use crate::error::{Code, Error, Result};
use crate::operations::carry::work_back::{self, Progress};
use crate::operations::land::landing_facts;
use crate::operations::retire::{look, surroundings};
use crate::operations::{restore, trash, try_lane};
use crate::repository::Repository;
use crate::repository::{claims, renames};
use crate::store::retry;

/// What to do about the request, or why it cannot be done.
pub fn plan(repository: &Repository, request: Request<'_>) -> Result<Plan> {
    let steps = steps(repository)?;
    let step = undo::choose(&steps, request.wanted)?;
    let passed_over = undo::passed_over(&steps, request.wanted, step).cloned();
    match Survey::new(repository, &steps)?.plan(step, request.revert) {
        Ok(plan) => Ok(Plan {
            passed_over,
            ..plan
        }),
        Err(error) => Err(match passed_over {
            Some(lane) => error.hint(over(&lane)),
            None => error,
        }),
    }
}

/// What a user is told whose last step is a try that is over.
pub fn over(lane: &LaneName) -> String {
    format!(
        "the try of lane '{lane}' is over and has changed nothing: this is about what came before it"
    )
}

/// A step, and why it cannot be taken back; `None`: it can.
pub type Listed = (Step, Option<Error>);

/// The newest steps of one lane, or of all, newest first, `most` of them; and how many more there
/// are.
pub fn list(
    repository: &Repository,
    lane: Option<&str>,
    most: usize,
) -> Result<(Vec<Listed>, usize)> {
    let steps = steps(repository)?;
    let survey = Survey::new(repository, &steps)?;
    let ids = lane.map(|lane| undo::called(&steps, lane));
    let wanted = |step: &&Step| ids.as_ref().is_none_or(|ids| ids.contains(&step.lane_id));
    let found: Vec<&Step> = steps.iter().rev().filter(wanted).collect();
    let more = found.len().saturating_sub(most);
    let listed = found.into_iter().take(most).map(|step| {
        let why_not = match undo::overtaker(&steps, step) {
            _ if step.over => Some(Refusal::Over.into()),
            _ if !step.stands() => Some(Refusal::Undone(step.deed == Deed::Undo).into()),
            Some(later) => Some(Refusal::Later(later.deed.what()).into()),
            None => survey.plan(step, false).err(),
        };
        (step.clone(), why_not)
    });
    Ok((listed.collect(), more))
}

fn steps(repository: &Repository) -> Result<Vec<Step>> {
    let mut steps = undo::steps(&repository.log().since(0)?);
    let lanes = repository.records()?.lanes;
    let tried = repository.tried()?;
    // One that has ended, in whatever way, or shows something newer, is nothing to take back.
    let mut is_shown = false;
    for step in steps.iter_mut().rev().filter(|step| step.stands()) {
        if let Deed::Try(commit) = &step.deed {
            let shown = tried
                .as_ref()
                .is_some_and(|tried| tried.lane_id == step.lane_id && tried.commit == *commit);
            step.over = is_shown || !shown;
            is_shown |= shown;
        }
    }
    let mut standing = BTreeSet::new();
    // Git takes syncs back, and the log does not know. Where one stands, those before it do too.
    for step in steps.iter_mut().rev().filter(|step| step.stands()) {
        let Deed::Sync(synced) = &step.deed else {
            continue;
        };
        let Some(lane) = lanes.iter().find(|lane| lane.id == step.lane_id) else {
            continue;
        };
        if standing.contains(&lane.id) {
            continue;
        }
        match repository.tip_of(lane)? {
            Some(tip) if tip != synced.to && !has(repository, tip, synced.to)? => {
                step.undone = true;
            }
            _ => drop(standing.insert(lane.id.clone())),
        }
    }
    Ok(steps)
}

/// The lanes and the trash, read once for many steps.
struct Survey<'a> {
    repository: &'a Repository,
    steps: &'a [Step],
    lanes: Vec<Lane>,
    entries: Vec<Entry>,
    renames: BranchRenames,
}

/// Where a lane that has left is now.
enum Whereabouts<'a> {
    InTrash(&'a Entry),
    Back(&'a Lane),
}

impl<'a> Survey<'a> {
    fn new(repository: &'a Repository, steps: &'a [Step]) -> Result<Self> {
        Ok(Survey {
            repository,
            steps,
            lanes: repository.records()?.lanes,
            entries: trash::entries(repository)?,
            renames: BranchRenames::of(&repository.log().since(0)?),
        })
    }

    fn plan(&self, step: &Step, revert: bool) -> Result<Plan> {
        // A revert takes back one landing of several that came by one move of the base.
        let step = &match revert {
            true => step.clone().by_itself(),
            false => step.clone(),
        };
        let steps: Vec<Step> = undo::members(self.steps, step)
            .into_iter()
            .cloned()
            .collect();
        let act = match &step.deed {
            Deed::Landing(_) => self.base(step, &steps, revert)?,
            _ if revert => {
                return Err(Refusal::NoLanding {
                    lane: step.lane.clone(),
                    what: step.deed.what(),
                }
                .into());
            }
            Deed::Start(tip, moved) => self.put_away(step, *tip, moved.as_deref())?,
            Deed::Restore(tip) => self.put_away(step, *tip, None)?,
            Deed::Removal(removal) => self.bring_back(step, removal)?,
            Deed::Adopt => self.forget(step)?,
            Deed::Relocation(_, change) | Deed::Base(change) => {
                let lane = self.lane(step).ok_or_else(|| Refusal::NoLane {
                    lane: change.to.lane.clone(),
                    in_trash: self
                        .entries
                        .iter()
                        .any(|entry| entry.lane.id == step.lane_id),
                })?;
                record_back::plan(self.repository, step, lane, change, &self.renames)?
            }
            Deed::Try(_) => Act::EndTry(Box::new(try_lane::back(self.repository, true)?)),
            Deed::Undo => return Err(Refusal::Undone(true).into()),
            Deed::Sync(synced) => {
                let gone = || Refusal::NoLane {
                    lane: step.lane.clone(),
                    in_trash: self
                        .entries
                        .iter()
                        .any(|entry| entry.lane.id == step.lane_id),
                };
                let lane = self.lane(step).ok_or_else(gone)?;
                let tip = self.repository.tip_of(lane)?;
                return Err(Refusal::Synced {
                    lane: step.lane.clone(),
                    path: lane.worktree.clone(),
                    from: synced.from,
                    since: (tip != Some(synced.to)).then_some(synced.to),
                }
                .into());
            }
        };
        Ok(Plan {
            steps,
            act,
            passed_over: None,
        })
    }

    fn lane(&self, step: &Step) -> Option<&Lane> {
        let mut lanes = self.lanes.iter();
        lanes.find(|lane| lane.id == step.lane_id)
    }

    /// A lane that was made or came back goes into the trash, if it is as it was then.
    fn put_away(&self, step: &Step, tip: Option<ObjectId>, moved: Option<&Moved>) -> Result<Act> {
        let repository = self.repository;
        let Some(lane) = self.lane(step) else {
            let entry = self
                .entries
                .iter()
                .find(|entry| entry.lane.id == step.lane_id);
            return match entry.filter(|_| step.begun) {
                Some(entry) => Ok(Act::Done(Some(Box::new(entry.lane.clone())))),
                None => Err(Refusal::NoLane {
                    lane: step.lane.clone(),
                    in_trash: entry.is_some(),
                }
                .into()),
            };
        };
        repository.unrecovered.ensure_lane_is_whole(&lane.name)?;
        let all = repository.worktrees()?;
        let worktree = place(lane, &all).worktree();
        let Some(worktree) = worktree.filter(|found| found.state != WorktreeState::Missing) else {
            return Err(Refusal::NoWorktree {
                lane: lane.name.clone(),
                path: lane.worktree.clone(),
            }
            .into());
        };
        let delete_branch = step.deed.what() == What::Restore || self.has_made_branch(lane);
        let around = surroundings(repository, lane, Some(worktree), &all, delete_branch);
        ensure_movable(&around.with_processes()).map_err(|refusal| refusal.refuse(&lane.name))?;
        let look = look::look(repository, lane, Some(worktree))?;
        if tip.is_some() && look.tip != tip {
            return Err(Refusal::Worked {
                lane: lane.name.clone(),
                since: step.deed.what(),
            }
            .into());
        }
        let work = match moved {
            Some(moved) if look.losses.are_changes_alone() => {
                let progress = match step.begun {
                    true => Progress::Begun,
                    false => Progress::Fresh,
                };
                Some(work_back::foresee(
                    repository,
                    worktree,
                    &moved.from,
                    progress,
                )?)
            }
            _ => None,
        };
        // The commits that the branch had then are no work that was done since, and work that came along
        // goes back.
        if let Some(refusal) = look
            .losses
            .refusal()
            .filter(|_| work.is_none() && !look.losses.holdings().is_empty())
        {
            return Err(refusal.refuse(&lane.name));
        }
        Ok(Act::PutAway(Box::new(Leaving {
            lane: lane.clone(),
            worktree: worktree.clone(),
            look,
            delete_branch,
            work,
        })))
    }

    /// Whether the lane's branch came with its start: the branch's log says so. A branch that was
    /// there before stays.
    fn has_made_branch(&self, lane: &Lane) -> bool {
        let Some(branch) = &lane.branch else {
            return false;
        };
        let own = format!("(lane {})", lane.id.as_str());
        let log = renames::log(self.repository, branch);
        log.is_empty() || log.lines().any(|line| line.ends_with(own.as_bytes()))
    }

    /// A lane that was adopted is forgotten, whatever was done there since: its worktree and its
    /// branch stay.
    fn forget(&self, step: &Step) -> Result<Act> {
        match self.lane(step) {
            Some(lane) => {
                self.repository
                    .unrecovered
                    .ensure_lane_is_whole(&lane.name)?;
                claims::ensure_not_anothers(self.repository, lane)?;
                Ok(Act::Forget(Box::new(lane.clone())))
            }
            None if step.begun => Ok(Act::Done(None)),
            None => Err(Refusal::NoLane {
                lane: step.lane.clone(),
                in_trash: false,
            }
            .into()),
        }
    }

    /// A lane that has left comes back.
    fn bring_back(&self, step: &Step, removal: &Removal) -> Result<Act> {
        if let Some(stays) = removal.stays.as_ref().filter(|_| self.lane(step).is_none()) {
            return Err(Refusal::Forgotten {
                lane: step.lane.clone(),
                path: stays.path.clone(),
            }
            .into());
        }
        match self.whereabouts(step, removal, false)? {
            Whereabouts::InTrash(entry) => {
                restore::foresee(self.repository, entry)?;
                Ok(Act::BringBack(Box::new(entry.clone())))
            }
            Whereabouts::Back(lane) if step.begun => Ok(Act::Done(Some(Box::new(lane.clone())))),
            Whereabouts::Back(lane) => Err(Refusal::IsBack {
                lane: lane.name.clone(),
            }
            .into()),
        }
    }

    fn whereabouts(&self, step: &Step, removal: &Removal, landed: bool) -> Result<Whereabouts<'_>> {
        let trash = removal.trash.as_ref();
        let mut entries = self.entries.iter();
        match (
            entries.find(|entry| trash == Some(&entry.id) && entry.lane.id == step.lane_id),
            self.lane(step),
        ) {
            (Some(entry), _) => Ok(Whereabouts::InTrash(entry)),
            (None, Some(lane)) => Ok(Whereabouts::Back(lane)),
            (None, None) => Err(Refusal::NoEntry {
                lane: step.lane.clone(),
                landed,
            }
            .into()),
        }
    }

    /// A base goes back, or gets a revert.
    fn base(&self, step: &Step, members: &[Step], revert: bool) -> Result<Act> {
        let today = self.today(step)?;
        let course = undo::course(&step.lane, &today, revert)?;
        let not_landed = || Refusal::NotLanded {
            lane: step.lane.clone(),
            base: today.base.clone(),
        };
        let base = BranchName::from_ref(today.base.as_bstr()).ok_or_else(not_landed)?;
        let mut way = Way {
            base,
            from: today.from,
            to: today.to,
            tip: today.tip.unwrap_or(today.to),
            course,
            entries: Vec::new(),
        };
        if course == Course::Revert {
            let is_there = step.begun && way.revert(&step.lane).is_on(self.repository, way.tip)?;
            match way.revert(&step.lane).foresee(self.repository) {
                _ if is_there => way.course = Course::IsReverted,
                Err(error) if step.begun && error.code() == Code::NothingToUndo => {
                    way.course = Course::IsReverted;
                }
                foreseen => foreseen?,
            }
            return Ok(Act::Base(way));
        }
        for member in members {
            match member.removal() {
                None => self.ensure_there(member)?,
                Some(Removal {
                    stays: Some(stays), ..
                }) => self.ensure_stays(member, stays)?,
                Some(removal) => {
                    if let Whereabouts::InTrash(entry) = self.whereabouts(member, removal, true)? {
                        restore::foresee(self.repository, entry)?;
                        way.entries.push(entry.clone());
                    }
                }
            }
        }
        match course {
            Course::Back => way.back(&step.lane).foresee(self.repository)?,
            _ if !way.entries.is_empty() => {}
            _ if step.begun => return Ok(Act::Done(None)),
            _ => return Err(not_landed().into()),
        }
        Ok(Act::Base(way))
    }

    /// Refuses where a lane that was kept after its landing is gone: its commits would be on no
    /// branch any more.
    fn ensure_there(&self, member: &Step) -> Result<()> {
        let gone = || Refusal::NoLane {
            lane: member.lane.clone(),
            in_trash: false,
        };
        let lane = self.lane(member).ok_or_else(gone)?;
        match lane.branch {
            Some(_) if self.repository.tip_of(lane)?.is_none() => Err(gone().into()),
            _ => Ok(()),
        }
    }

    /// The same of a lane that was adopted and forgotten after its landing.
    fn ensure_stays(&self, member: &Step, stays: &Stays) -> Result<()> {
        let is_there = match &stays.branch {
            Some(branch) => self.repository.branch_tip(branch)?.is_some(),
            None => {
                let all = self.repository.worktrees()?;
                all.iter().any(|worktree| worktree.path == stays.path)
            }
        };
        match is_there {
            true => Ok(()),
            false => Err(Refusal::NoLane {
                lane: member.lane.clone(),
                in_trash: false,
            }
            .into()),
        }
    }

    fn today(&self, step: &Step) -> Result<BaseToday> {
        let repository = self.repository;
        let (landed_on, from, to) = undo::span(self.steps, step).ok_or(Refusal::NoLane {
            lane: step.lane.clone(),
            in_trash: false,
        })?;
        let base = self.renames.since(step.sequence, &landed_on);
        let tip = repository.ref_target(&base)?;
        // The log may have come with an archive: a base goes nowhere but back.
        if !has(repository, to, from)? {
            return Err(Refusal::NotLanded {
                lane: step.lane.clone(),
                base,
            }
            .into());
        }
        let since = match tip {
            Some(tip) => commits_since(repository, tip, to)?,
            None => None,
        };
        let published = match since {
            Some(_) => published(repository, first_of(repository, from, to)?)?
                .map(|branch| branch.to_string())
                .or_else(|| step.landing()?.pushed.clone()),
            None => None,
        };
        Ok(BaseToday {
            lanes: [&landed_on, &base]
                .into_iter()
                .take(1 + usize::from(landed_on != base))
                .flat_map(|base| undo::landed_since(self.steps, base, step))
                .collect(),
            base,
            tip,
            from,
            to,
            since,
            published,
        })
    }
}

/// How many commits `tip` has that `landed` has not; `None` where it does not have `landed`.
fn commits_since(
    repository: &Repository,
    tip: ObjectId,
    landed: ObjectId,
) -> Result<Option<usize>> {
    if tip == landed {
        return Ok(Some(0));
    }
    if !has(repository, tip, landed)? {
        return Ok(None);
    }
    let names = [tip.to_string(), format!("^{landed}")];
    let count = repository.git_here().count_commits(["--stdin"], names)?;
    Ok(Some(count))
}

/// Whether `ancestor` is an older commit in the history of `commit`; both may be gone.
fn has(repository: &Repository, commit: ObjectId, ancestor: ObjectId) -> Result<bool> {
    let there = |id| retry::has_object(&repository.gix, id);
    Ok(there(commit)
        && there(ancestor)
        && landing_facts::relation(repository, commit, ancestor)? == Relation::Contained)
}

/// The first of the commits by which a base came from `from` to `to`: a branch that has any of them
/// has that one.
fn first_of(repository: &Repository, from: ObjectId, to: ObjectId) -> Result<ObjectId> {
    let mut at = to;
    loop {
        let commit = retry::objects(&repository.gix, || repository.gix.find_commit(at));
        let commit = commit
            .map_err(|error| Error::git(format!("cannot read commit {at}")).caused_by(error))?;
        match commit.parent_ids().next().map(|parent| parent.detach()) {
            Some(parent) if parent != from => at = parent,
            _ => return Ok(at),
        }
    }
}

/// A remote-tracking branch that has `landed`.
fn published(repository: &Repository, landed: ObjectId) -> Result<Option<RefName>> {
    if repository.refs_below("refs/remotes/")?.is_empty() {
        return Ok(None);
    }
    let found = repository.git_here().remote_branches_with(landed)?;
    Ok(found.iter().find_map(|name| RefName::parse(name.as_bstr())))
}
