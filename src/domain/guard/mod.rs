//! The guard: what a git hook is told when the user is about to leave a lane, or has just left it.
//!
//! Pure: facts and an event in, a verdict out. Rules 1 to 4 are those of git-lane(1), THE RULE.
//! What each hook can still prevent is git's doing (there is no hook before a switch); the verdict
//! names the remedy, `crate::guard` carries it out.

mod finding;
pub mod git_hook;
mod guard_words;
mod situation;
mod suggestion;
#[cfg(test)]
mod tests;

pub use crate::domain::guard::situation::{
    Event, Facts, Lane, Level, Made, Merged, Overtaken, OwnBranch, Place, Previous, RefMove,
    Remedy, Verdict,
};
pub use crate::domain::guard::suggestion::Way;
pub use finding::Finding;

use bstr::ByteSlice;
use gix::glob::wildmatch;

use super::lane::Head;
use super::name::BranchName;

impl Facts {
    /// Whether HEAD is where it belongs: the one question that has to be answered fast.
    pub fn in_order(&self) -> bool {
        if self.level == Level::Off {
            return true;
        }
        match (&self.place, &self.head) {
            (Place::Redirected(_), _) => false,
            (
                Place::Lane(Lane {
                    branch: Some(own), ..
                }),
                Head::Branch(head),
            ) => head == own,
            (
                Place::Lane(Lane {
                    branch: Some(_), ..
                }),
                _,
            ) => self.rebasing || self.bisecting,
            (_, Head::Branch(_)) if self.owner.is_some() => false,
            (Place::Main, Head::Branch(head)) => self.home.as_ref().is_none_or(|home| home == head),
            _ => true,
        }
    }

    /// The lane we are in, where nothing is to be committed in it.
    pub fn read_only_lane(&self) -> Option<&Lane> {
        match &self.place {
            Place::Lane(lane) => Some(lane).filter(|lane| lane.read_only),
            _ => None,
        }
    }

    /// The lane that we look at in the main worktree, where HEAD is on no branch.
    pub fn tried_lane(&self) -> Option<&str> {
        let detached = matches!(self.head, Head::Detached(_));
        let tried = self.tried.as_deref();
        tried.filter(|_| detached && self.place == Place::Main)
    }

    /// Whether no commit belongs here, whatever branch it would be on.
    pub fn takes_no_commit(&self) -> bool {
        self.read_only_lane().is_some() || self.tried_lane().is_some()
    }

    fn protects(&self, branch: &BranchName) -> bool {
        // git's own wildmatch, as in gitignore(5): `*` stops at a slash, `**` does not.
        let fits = |pattern: &String| {
            wildmatch(
                pattern.as_bytes().as_bstr(),
                branch.as_bstr(),
                wildmatch::Mode::NO_MATCH_SLASH_LITERAL,
            )
        };
        self.protected.iter().any(fits)
    }
}

/// What to do about an event.
pub fn judge(facts: &Facts, event: &Event) -> Verdict {
    if facts.level == Level::Off {
        return Verdict::Allow;
    }
    let verdict = match event {
        Event::Switched { .. } => switched(facts, event),
        Event::Commit {
            merged,
            own,
            overtaken,
        } => read_only(facts)
            .or_else(|| misplaced(facts, own))
            .or_else(|| guarded(facts))
            .or_else(|| stale(facts, overtaken.as_ref()))
            .or_else(|| merging(facts, merged))
            .unwrap_or(Verdict::Allow),
        Event::Merge { merged, own } => read_only(facts)
            .or_else(|| misplaced(facts, own))
            .or_else(|| guarded(facts))
            .or_else(|| merging(facts, merged))
            .unwrap_or(Verdict::Allow),
        Event::Rebase { branch, own } => {
            read_only(facts).unwrap_or_else(|| rebase(facts, branch.as_ref(), own))
        }
        Event::Refs(moves) => moves
            .iter()
            .find_map(|change| transaction(facts, change))
            .unwrap_or(Verdict::Allow),
    };
    match verdict {
        Verdict::Stop(finding, _) if facts.level == Level::Warn => Verdict::Say(finding),
        verdict => verdict,
    }
}

fn switched(facts: &Facts, event: &Event) -> Verdict {
    let Event::Switched {
        previous,
        added,
        made,
        checkout,
        own,
    } = event
    else {
        return Verdict::Allow;
    };
    if facts.in_order() {
        return Verdict::Allow;
    }
    let to = match (&facts.place, &facts.head) {
        (_, Head::Branch(to)) => to.clone(),
        // A detached HEAD is never taken back: git may need it for what it is about to do.
        (Place::Lane(lane), _) if *checkout => {
            return Verdict::Say(Finding::Detached { lane: lane.clone() });
        }
        _ => return Verdict::Allow,
    };
    if let Place::Lane(
        lane @ Lane {
            branch: Some(branch),
            ..
        },
    ) = &facts.place
    {
        let found = || Finding::Left {
            lane: lane.clone(),
            to: to.clone(),
            owner: facts.owner.clone(),
            made: *made,
            moved: true,
        };
        return match own {
            OwnBranch::Renamed(name) => Verdict::Follow(name.clone()),
            OwnBranch::There if facts.ending_bisection && !facts.rebasing => {
                Verdict::Stop(found(), Remedy::EndBisection(Some(branch.clone())))
            }
            _ if facts.rebasing || *previous == Previous::Commit => {
                Verdict::Stop(found(), Remedy::DetachAtOld)
            }
            OwnBranch::Gone => Verdict::Say(Finding::BranchGone {
                lane: lane.clone(),
                on: to,
            }),
            OwnBranch::There => Verdict::Stop(found(), Remedy::Switch(branch.clone())),
        };
    }
    if let Some(owner) = &facts.owner {
        let finding = Finding::Taken {
            owner: owner.clone(),
            branch: to.clone(),
            added: *added,
        };
        return match previous {
            _ if *added => Verdict::Stop(finding, Remedy::DetachHere),
            Previous::Branch(previous) if *previous == to => Verdict::Say(finding),
            Previous::Branch(previous) => Verdict::Stop(finding, Remedy::Switch(previous.clone())),
            Previous::Commit if facts.ending_bisection => {
                Verdict::Stop(finding, Remedy::EndBisection(None))
            }
            Previous::Commit => Verdict::Stop(finding, Remedy::DetachAtOld),
            Previous::Unknown => Verdict::Say(finding),
        };
    }
    let Some(home) = &facts.home else {
        return Verdict::Allow;
    };
    let finding = Finding::LeftHome {
        home: home.clone(),
        to,
        made: *made,
        moved: true,
    };
    match previous {
        Previous::Branch(previous) if previous == home => {
            Verdict::Stop(finding, Remedy::Switch(home.clone()))
        }
        // Back to what it shows of a lane.
        Previous::Commit if facts.tried.is_some() && facts.place == Place::Main => {
            Verdict::Stop(finding, Remedy::DetachAtOld)
        }
        // It was elsewhere before: only its way home is held open.
        _ => Verdict::Say(finding),
    }
}

/// Whether a commit, merge or rebase would happen on a branch that does not belong here.
fn misplaced(facts: &Facts, own: &OwnBranch) -> Option<Verdict> {
    if facts.in_order() {
        return None;
    }
    let stop = |finding| Some(Verdict::Stop(finding, Remedy::None));
    match (&facts.place, &facts.head) {
        (Place::Redirected(lane), _) => stop(Finding::Redirected { lane: lane.clone() }),
        (
            Place::Lane(
                lane @ Lane {
                    branch: Some(_), ..
                },
            ),
            Head::Branch(on),
        ) => match own {
            OwnBranch::Renamed(name) => Some(Verdict::Follow(name.clone())),
            OwnBranch::Gone => stop(Finding::BranchGone {
                lane: lane.clone(),
                on: on.clone(),
            }),
            OwnBranch::There => stop(Finding::Stray {
                lane: lane.clone(),
                on: on.clone(),
                owner: facts.owner.clone(),
            }),
        },
        (_, Head::Branch(on)) => match (&facts.owner, &facts.home) {
            (Some(owner), _) => stop(Finding::Taken {
                owner: owner.clone(),
                branch: on.clone(),
                added: false,
            }),
            (None, Some(home)) => stop(Finding::OffHome {
                home: home.clone(),
                on: on.clone(),
            }),
            (None, None) => None,
        },
        _ => None,
    }
}

/// Whether new commits would come about in a lane that is for looking and running alone, or on what
/// the main worktree shows of one.
fn read_only(facts: &Facts) -> Option<Verdict> {
    let finding = match facts.read_only_lane() {
        Some(lane) => Finding::ReadOnly { lane: lane.clone() },
        None => Finding::Tried {
            lane: facts.tried_lane()?.to_owned(),
        },
    };
    Some(Verdict::Stop(finding, Remedy::None))
}

fn guarded(facts: &Facts) -> Option<Verdict> {
    let branch = facts
        .head
        .branch()
        .filter(|branch| facts.protects(branch))?;
    Some(Verdict::Stop(
        Finding::Protected {
            branch: branch.clone(),
        },
        Remedy::None,
    ))
}

/// Whether the lane's branch has left its worktree behind.
fn stale(facts: &Facts, overtaken: Option<&Overtaken>) -> Option<Verdict> {
    let (Place::Lane(lane), Some(overtaken)) = (&facts.place, overtaken) else {
        return None;
    };
    let finding = Finding::Overtaken {
        lane: lane.clone(),
        overtaken: overtaken.clone(),
    };
    Some(Verdict::Stop(finding, Remedy::None))
}

/// Rule 3: a lane takes merges from its base, a base takes settled lanes.
fn merging(facts: &Facts, merged: &[Merged]) -> Option<Verdict> {
    let on = facts.head.branch()?;
    let stop = |finding| Some(Verdict::Stop(finding, Remedy::None));
    merged
        .iter()
        .filter(|merged| !merged.in_upstream)
        .find_map(|merged| {
            let takes_it = merged.lane.lands_on(on);
            match &facts.place {
                Place::Lane(here) if here.is_on(on) => {
                    let own = merged.lane.name == here.name || merged.in_own_base;
                    if !own && !takes_it {
                        let finding = Finding::LaneIntoLane {
                            here: here.clone(),
                            other: merged.lane.clone(),
                        };
                        return stop(finding);
                    }
                    if own {
                        return None;
                    }
                }
                _ if !takes_it => return None,
                _ => {}
            }
            let why = merged.unsettled.clone()?;
            stop(Finding::Unsettled {
                lane: merged.lane.clone(),
                base: on.clone(),
                why,
            })
        })
}

fn rebase(facts: &Facts, branch: Option<&BranchName>, own: &OwnBranch) -> Verdict {
    let stop = |finding| Verdict::Stop(finding, Remedy::None);
    if let Some(branch) = branch
        .or(facts.head.branch())
        .filter(|branch| facts.protects(branch))
    {
        return stop(Finding::Protected {
            branch: branch.clone(),
        });
    }
    let Some(branch) = branch else {
        return misplaced(facts, own).unwrap_or(Verdict::Allow);
    };
    match (&facts.place, &facts.home) {
        (
            Place::Lane(
                lane @ Lane {
                    branch: Some(own), ..
                },
            ),
            _,
        ) if own != branch => stop(Finding::RebaseElsewhere {
            lane: lane.clone(),
            branch: branch.clone(),
        }),
        (Place::Main, Some(home)) if home != branch && facts.head.branch() == Some(home) => {
            stop(Finding::LeftHome {
                home: home.clone(),
                to: branch.clone(),
                made: Made::Before,
                moved: false,
            })
        }
        _ => Verdict::Allow,
    }
}

fn transaction(facts: &Facts, change: &RefMove) -> Option<Verdict> {
    let stop = |finding, remedy| Some(Verdict::Stop(finding, remedy));
    match change {
        // `checkout -B` has written index and files before it moves the branch.
        RefMove::Moved(lane, to) => stop(
            Finding::BranchMoved {
                lane: lane.clone(),
                deleted: false,
            },
            Remedy::ReadTree(to.clone()),
        ),
        RefMove::Deleted(lane) => stop(
            Finding::BranchMoved {
                lane: lane.clone(),
                deleted: true,
            },
            Remedy::None,
        ),
        // A rebase that cannot come back to its branch cannot be aborted either.
        RefMove::Head { here: true, .. } if facts.rebasing => None,
        // While git is moving HEAD no other git can; post-checkout ends the bisection where it
        // belongs.
        RefMove::Head { here: true, .. } if facts.ending_bisection => None,
        RefMove::Head {
            to,
            here,
            owner,
            made,
            own,
        } => {
            let remedy = if *here {
                Remedy::ReadTree(to.to_ref().to_string())
            } else {
                Remedy::None
            };
            match (&facts.place, &facts.home) {
                (
                    Place::Lane(
                        lane @ Lane {
                            branch: Some(branch),
                            ..
                        },
                    ),
                    _,
                ) if *here => {
                    match own {
                        _ if branch == to => None,
                        // This is the second half of its renaming, or its way back.
                        OwnBranch::Renamed(name) if name == to => None,
                        OwnBranch::Renamed(name) => Some(Verdict::Follow(name.clone())),
                        OwnBranch::There | OwnBranch::Gone => {
                            let (lane, to, owner) = (lane.clone(), to.clone(), owner.clone());
                            stop(
                                Finding::Left {
                                    lane,
                                    to,
                                    owner,
                                    made: *made,
                                    moved: false,
                                },
                                remedy,
                            )
                        }
                    }
                }
                _ if owner.is_some() => {
                    let owner = owner.clone()?;
                    stop(
                        Finding::Taken {
                            owner,
                            branch: to.clone(),
                            added: !here,
                        },
                        remedy,
                    )
                }
                (Place::Main, Some(home))
                    if *here && home != to && facts.head.branch() == Some(home) =>
                {
                    let (home, to) = (home.clone(), to.clone());
                    stop(
                        Finding::LeftHome {
                            home,
                            to,
                            made: *made,
                            moved: false,
                        },
                        remedy,
                    )
                }
                _ => None,
            }
        }
    }
}
