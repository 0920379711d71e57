//! Everything the guard can say: one line what was stopped, one line what to do instead.

use std::fmt;

use bstr::ByteSlice;

use super::{Finding, Lane, Made, Way};
use crate::domain::name::BranchName;
use crate::domain::shell_word::{quote, quote_bytes};

impl Finding {
    /// What to do instead. `merge`: git has a merge prepared that has to be given up first; `way`
    /// is asked how to come to work on a branch that is no lane's.
    pub fn hint(&self, merge: bool, way: impl FnOnce(&BranchName) -> Way) -> String {
        let hint = self.remedy(way);
        // git itself advises "git commit" at this point, which would complete the merge.
        if merge {
            format!("give the merge up with: git merge --abort; then {hint}")
        } else {
            hint
        }
    }

    fn remedy(&self, way: impl FnOnce(&BranchName) -> Way) -> String {
        match self {
            Finding::Left {
                owner: Some(owner), ..
            }
            | Finding::Taken {
                owner,
                added: false,
                ..
            } => enter(owner),
            Finding::Left { to, made, .. } | Finding::LeftHome { to, made, .. } => {
                start(to, *made, way)
            }
            Finding::Stray { lane, .. } | Finding::Detached { lane } => {
                format!("go back, with your changes, by: git switch {}", own(lane))
            }
            Finding::BranchGone { lane, on } => {
                let key = quote(format!("lane.{}.branch", lane.name));
                format!(
                    "make it again where you are with: git switch -c {}; or let the lane have \
                     this one: git config {key} {}",
                    own(lane),
                    named(on)
                )
            }
            Finding::Taken {
                owner, added: true, ..
            } => format!(
                "use the lane's own worktree; go to: cd \"$(git lane path {})\"; the new one goes with: \
                 git worktree remove",
                quote(&owner.name)
            ),
            Finding::OffHome { home, on } => {
                format!(
                    "go back with: git switch {}; to work on '{on}': {}",
                    named(home),
                    way(on).command()
                )
            }
            Finding::Protected { .. } => {
                "start a lane with: git lane start NAME; and land it with: git lane finish NAME"
                    .into()
            }
            Finding::ReadOnly { .. } => {
                "start a lane to work in from here with: git lane start NAME --base \
                 \"$(git rev-parse HEAD)\""
                    .into()
            }
            Finding::Tried { .. } => {
                "take your changes into the lane with: git lane try --back --to-lane".into()
            }
            Finding::Overtaken { lane, overtaken } => match &lane.branch {
                Some(branch) => overtaken.remedy(branch),
                None => String::new(),
            },
            Finding::LaneIntoLane { other, .. } => {
                let other = quote(&other.name);
                format!(
                    "land it first with: git lane finish {other}; or, if you mean it, set \
                     GIT_LANE_BYPASS=1"
                )
            }
            Finding::Unsettled { lane, .. } => {
                format!(
                    "settle it first; go to: cd \"$(git lane path {0})\"; then: git lane finish {0}",
                    quote(&lane.name)
                )
            }
            Finding::RebaseElsewhere { lane, branch } => {
                format!(
                    "rebase '{branch}' where it is checked out; this lane: git rebase … {}",
                    own(lane)
                )
            }
            Finding::Redirected { lane } => {
                format!(
                    "{}; if this is another lane's, see what is wrong with it: git lane doctor",
                    enter(lane)
                )
            }
            Finding::BranchMoved {
                lane,
                deleted: false,
            } => enter(lane),
            Finding::BranchMoved {
                lane,
                deleted: true,
            } => {
                format!(
                    "remove the lane, so that it can be restored, with: git lane drop {}",
                    quote(&lane.name)
                )
            }
        }
    }
}

fn branch(lane: &Lane) -> String {
    lane.branch
        .as_ref()
        .map_or_else(|| lane.name.clone(), ToString::to_string)
}

/// The same as a word of a command.
fn own(lane: &Lane) -> String {
    lane.branch
        .as_ref()
        .map_or_else(|| quote(&lane.name), named)
}

fn named(branch: &BranchName) -> String {
    quote_bytes(branch.as_bstr())
}

fn enter(lane: &Lane) -> String {
    format!(
        "work on it in its own worktree; go to: cd \"$(git lane path {})\"",
        quote(&lane.name)
    )
}

/// How to work on a branch that is not to be switched to.
fn start(to: &BranchName, made: Made, way: impl FnOnce(&BranchName) -> Way) -> String {
    let led = |way: Way| format!("{}: {}", way.what(), way.command());
    match made {
        Made::Now => format!("branch '{to}' stays; {}", led(way(to))),
        Made::AtStash => {
            let led = led(way(to));
            format!(
                "branch '{to}' stays, and so does the stash; {led}; and there: git stash pop \
                 --index"
            )
        }
        Made::Reset => {
            let before = quote_bytes(&[to.as_bstr().as_bytes(), b"@{1}"].concat());
            format!(
                "branch '{to}' was reset; to put it back too: git branch -f {} {before}",
                named(to)
            )
        }
        Made::Before => format!("to work on '{to}', {}", led(way(to))),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Left {
                lane,
                to,
                owner,
                moved,
                ..
            } => {
                let whose = owner
                    .as_ref()
                    .map(|owner| format!(" (lane '{}')", owner.name))
                    .unwrap_or_default();
                let did = if *moved {
                    "does not belong here"
                } else {
                    "was refused here"
                };
                write!(
                    f,
                    "this is lane '{}' with branch '{}': the switch to '{to}'{whose} {did}",
                    lane.name,
                    branch(lane)
                )
            }
            Finding::Stray { lane, on, .. } => {
                write!(
                    f,
                    "this is lane '{}' with branch '{}', but '{on}' is checked out",
                    lane.name,
                    branch(lane)
                )
            }
            Finding::Detached { lane } => {
                write!(
                    f,
                    "HEAD is detached: commits made now are not on the branch of lane '{}'",
                    lane.name
                )
            }
            Finding::BranchGone { lane, .. } => {
                write!(
                    f,
                    "branch '{}' of lane '{}' does not exist any more",
                    branch(lane),
                    lane.name
                )
            }
            Finding::Taken { owner, branch, .. } => {
                write!(
                    f,
                    "branch '{branch}' belongs to lane '{}', in whose worktree alone it is \
                     checked out",
                    owner.name
                )
            }
            Finding::LeftHome { home, to, .. } => {
                write!(
                    f,
                    "the main worktree stays on '{home}': the switch to '{to}' does not belong here"
                )
            }
            Finding::OffHome { home, on } => {
                write!(
                    f,
                    "the main worktree belongs on '{home}', but '{on}' is checked out"
                )
            }
            Finding::Protected { branch } => {
                write!(
                    f,
                    "branch '{branch}' is protected: nothing is committed to it or rebased but by \
                     'git lane finish'"
                )
            }
            Finding::ReadOnly { lane } => {
                let name = &lane.name;
                write!(
                    f,
                    "lane '{name}' is read-only: nothing is committed or rebased in it"
                )
            }
            Finding::Tried { lane } => {
                write!(
                    f,
                    "the main worktree shows lane '{lane}': nothing is committed or rebased there"
                )
            }
            Finding::Overtaken { lane, overtaken } => {
                write!(
                    f,
                    "branch '{}' of lane '{}' {}",
                    branch(lane),
                    lane.name,
                    overtaken.danger()
                )
            }
            Finding::LaneIntoLane { here, other } => {
                write!(
                    f,
                    "lane '{}' takes merges from its base only, not from lane '{}'",
                    here.name, other.name
                )
            }
            Finding::Unsettled { lane, base, why } => {
                write!(
                    f,
                    "lane '{}' is not settled ({why}): '{base}' does not take it yet",
                    lane.name
                )
            }
            Finding::RebaseElsewhere { lane, branch } => {
                write!(
                    f,
                    "this is lane '{}': a rebase of '{branch}' would leave it on that branch",
                    lane.name
                )
            }
            Finding::Redirected { lane } => {
                let (name, own) = (&lane.name, lane.worktree.display());
                write!(
                    f,
                    "this directory's .git file is that of lane '{name}', whose worktree is '{own}'"
                )
            }
            Finding::BranchMoved { lane, deleted } => {
                let what = if *deleted {
                    "deleted"
                } else {
                    "moved from outside"
                };
                write!(
                    f,
                    "branch '{}' of lane '{}' is not {what}",
                    branch(lane),
                    lane.name
                )
            }
        }
    }
}
