//! What a judgement needs beyond HEAD and the configuration. git is asked; by now something seems
//! wrong, or a merge is under way, and a few milliseconds do not matter.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};

use super::caller::Caller;
use super::fetched;
use crate::domain::guard::{self, Event, Facts, Lane, Made, Merged, OwnBranch, Previous};
use crate::domain::lane::Head;
use crate::domain::name::BranchName;
use crate::engines::status::operation;
use crate::error::{Error, Result};
use crate::guard::site;
use crate::guard::site::Place;
use crate::repository::renames;
use crate::repository::worktree::read_head;
use crate::store::git::Git;

/// Where the branch of the lane we are in is.
pub(super) fn own_branch(place: &Place, facts: &Facts) -> Result<OwnBranch> {
    let guard::Place::Lane(Lane {
        branch: Some(own), ..
    }) = &facts.place
    else {
        return Ok(OwnBranch::There);
    };
    if facts.head.branch() == Some(own) || exists(place, own)? {
        return Ok(OwnBranch::There);
    }
    Ok(match renamed(place, facts, own)? {
        Some(name) => OwnBranch::Renamed(name),
        None => OwnBranch::Gone,
    })
}

/// What the logs of the branch that is checked out, and of HEAD itself, say the lane's branch is
/// called now.
fn renamed(place: &Place, facts: &Facts, own: &BranchName) -> Result<Option<BranchName>> {
    if let Some(head) = facts.head.branch()
        && renames::was_renamed(own, head, reflog(place, head, None)?.as_bstr())
    {
        return Ok(Some(head.clone()));
    }
    let log = place.git().reflog("HEAD", "%gs", None)?;
    match renames::renamed_to(own, bstr::join("\n", log).as_bstr()) {
        Some(name) if exists(place, &name)? => Ok(Some(name)),
        _ => Ok(None),
    }
}

/// The same while HEAD is about to name `to`: the second half of a renaming looks like that, and so
/// does a switch away from a branch that is gone. HEAD still names the old branch, and logs may not
/// be written yet.
pub(super) fn own_branch_now(place: &Place, facts: &Facts, to: &BranchName) -> Result<OwnBranch> {
    let guard::Place::Lane(Lane {
        branch: Some(own), ..
    }) = &facts.place
    else {
        return Ok(OwnBranch::There);
    };
    if exists(place, own)? {
        return Ok(OwnBranch::There);
    }
    if place
        .caller()
        .is_none_or(|caller| caller.command == "branch")
    {
        return Ok(OwnBranch::Renamed(to.clone()));
    }
    own_branch(place, facts).map(|found| {
        if found == OwnBranch::There {
            OwnBranch::Gone
        } else {
            found
        }
    })
}

fn exists(place: &Place, branch: &BranchName) -> Result<bool> {
    place.git().has_ref(branch.to_ref())
}

/// The messages of a branch's log, newest first; empty where none is kept.
fn reflog(place: &Place, branch: &BranchName, most: Option<u32>) -> Result<BString> {
    let log = place.git().reflog(branch.to_ref(), "%gs", most)?;
    Ok(bstr::join("\n", log).into())
}

/// The branch `named` stands for on a command line, if it is one.
pub(super) fn branch_named(place: &Place, named: &BStr) -> Result<Option<BranchName>> {
    // As git does it: `git rebase main refs/heads/x` only detaches HEAD.
    let mut full = BString::from("refs/heads/");
    full.extend_from_slice(named);
    match BranchName::from_ref(full.as_bstr()) {
        Some(branch) if exists(place, &branch)? => Ok(Some(branch)),
        _ => Ok(None),
    }
}

/// What post-checkout is told, completed by what the logs say.
pub(super) fn switched(place: &Place, facts: &Facts, args: &[OsString]) -> Result<Event> {
    let old = args.first().map(|old| old.as_bytes()).unwrap_or_default();
    let checkout = place.last_checkout().is_some();
    let Head::Branch(to) = &facts.head else {
        let (previous, own) = (Previous::Unknown, OwnBranch::There);
        return Ok(Event::Switched {
            previous,
            added: false,
            made: Made::Before,
            checkout,
            own,
        });
    };
    Ok(Event::Switched {
        previous: previous(place, to)?,
        added: !old.is_empty() && old.iter().all(|digit| *digit == b'0') && place.linked,
        made: made(place, to)?,
        checkout,
        own: own_branch(place, facts)?,
    })
}

/// Where a branch that is being switched to comes from.
pub(super) fn made(place: &Place, branch: &BranchName) -> Result<Made> {
    let log = reflog(place, branch, Some(2))?;
    Ok(match log.lines().count() {
        1 if log.starts_with(b"branch: Created from") && has_stash(place, branch)? => Made::AtStash,
        1 if log.starts_with(b"branch: Created from") => Made::Now,
        // The line may be an old one.
        _ if log.starts_with(b"branch: Reset to") && place.caller().is_none_or(Caller::resets) => {
            Made::Reset
        }
        _ => Made::Before,
    })
}

/// Whether a stash was made on the commit a branch is at: its first parent.
fn has_stash(place: &Place, branch: &BranchName) -> Result<bool> {
    let parents = place.git().reflog("refs/stash", "%P", None)?;
    if parents.is_empty() {
        return Ok(false);
    }
    let tip = place.git().rev_parse(branch.to_ref())?;
    let tip = tip.map(|tip| tip.to_string()).unwrap_or_default();
    Ok(parents.iter().any(|line| line.starts_with(tip.as_bytes())))
}

/// What was checked out before `to`.
fn previous(place: &Place, to: &BranchName) -> Result<Previous> {
    // Of coming to a branch without a commit git writes no log: it came from where it went last.
    if !exists(place, to)? {
        return Ok(match place.last_switch() {
            Some(before) => {
                branch_named(place, before.as_bstr())?.map_or(Previous::Commit, Previous::Branch)
            }
            None => Previous::Unknown,
        });
    }
    Ok(match place.git().full_name_of("@{-1}")? {
        Some(name) => {
            BranchName::from_ref(name.as_bstr()).map_or(Previous::Commit, Previous::Branch)
        }
        None => Previous::Unknown,
    })
}

/// The lanes whose branches are being merged. `before`: git has not written `MERGE_HEAD` yet, and
/// names what it merges in the environment.
pub(super) fn merged(
    place: &Place,
    facts: &Facts,
    lanes: &[Lane],
    before: bool,
) -> Result<Vec<Merged>> {
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let mut commits: Vec<BString> = Vec::new();
    if before {
        let named = |(name, _): (OsString, OsString)| {
            name.as_bytes().strip_prefix(b"GITHEAD_").map(BString::from)
        };
        commits.extend(std::env::vars_os().filter_map(named));
    }
    if let Ok(heads) = crate::store::optional::bytes(place.git_dir.join("MERGE_HEAD")) {
        commits.extend(heads.lines().map(BString::from));
    }
    let mut found = Vec::new();
    for commit in commits
        .iter()
        .filter(|id| !id.is_empty() && id.iter().all(u8::is_ascii_hexdigit))
    {
        let which = [&*format!("--points-at={commit}"), "refs/heads/"];
        let listed = place.git().for_each_ref(["refname"], which)?;
        for lane in lanes {
            let branch = lane.branch.as_ref().map(BranchName::to_ref);
            if branch.is_some_and(|branch| listed.contains(&[branch])) {
                found.push(Merged {
                    in_own_base: in_own_base(place, facts, commit.as_bstr())?,
                    in_upstream: in_upstream(place, facts, lanes, commit.as_bstr())?,
                    unsettled: unsettled(lane, &place.common_dir)?,
                    lane: lane.clone(),
                });
            }
        }
    }
    Ok(found)
}

/// Whether the base of the lane we are in, or what it follows, holds `commit`.
fn in_own_base(place: &Place, facts: &Facts, commit: &BStr) -> Result<bool> {
    let guard::Place::Lane(Lane {
        base: Some(base), ..
    }) = &facts.place
    else {
        return Ok(false);
    };
    let base = base.as_bstr();
    Ok(holds(place, base, commit)?
        || upstream_holds(place, base, commit)?
        || fetched::as_own(place, base, commit)?)
}

fn holds(place: &Place, name: &BStr, commit: &BStr) -> Result<bool> {
    place.git().has_ancestor(name, commit)
}

/// Whether what the branch of this full name follows holds `commit`.
fn upstream_holds(place: &Place, name: &BStr, commit: &BStr) -> Result<bool> {
    let upstream = upstream(place, name)?;
    Ok(!upstream.is_empty() && holds(place, upstream.as_bstr(), commit)?)
}

/// Whether what the checked out branch follows holds `commit`, or held it when that was fetched. A
/// local branch that it follows may be another lane's; then whose it is counts.
fn in_upstream(place: &Place, facts: &Facts, lanes: &[Lane], commit: &BStr) -> Result<bool> {
    let Some(own) = facts.head.branch().map(BranchName::to_ref) else {
        return Ok(false);
    };
    let upstream = upstream(place, own.as_bstr())?;
    let is_lanes = lanes.iter().any(|lane| {
        lane.branch
            .as_ref()
            .is_some_and(|branch| branch.to_ref() == upstream)
    });
    if !upstream.is_empty() && !is_lanes && holds(place, upstream.as_bstr(), commit)? {
        return Ok(true);
    }
    fetched::as_own(place, own.as_bstr(), commit)
}

/// What the branch of this full name follows; empty where it follows nothing.
fn upstream(place: &Place, name: &BStr) -> Result<BString> {
    // `@{upstream}` takes short names only.
    let found = place
        .git()
        .for_each_ref(["upstream"], [name.to_os_str_lossy()])?;
    Ok(found
        .into_iter()
        .map(|[name]| name)
        .next()
        .unwrap_or_default())
}

/// Why a lane is not settled: something uncommitted, something in progress, something else checked
/// out.
fn unsettled(lane: &Lane, common_dir: &Path) -> Result<Option<String>> {
    let Some(git_dir) = site::git_dir_of(lane, common_dir) else {
        return Ok(None);
    };
    let Some(directory) = site::directory(&git_dir) else {
        return Ok(None);
    };
    if let Some(operation) = operation(&git_dir) {
        return Ok(Some(format!("a {operation} is in progress")));
    }
    match read_head(&git_dir) {
        Head::Branch(on) if on.as_bstr() != ".invalid" && lane.branch.as_ref() != Some(&on) => {
            return Ok(Some(format!("'{on}' is checked out in it")));
        }
        Head::Detached(_) if lane.branch.is_some() => {
            return Ok(Some("its HEAD is detached".into()));
        }
        _ => {}
    }
    let git = Git::default().at(&directory).env("GIT_OPTIONAL_LOCKS", "0");
    let changed = git.has_changes()?;
    Ok(changed.then(|| "it has uncommitted changes".into()))
}

/// A branch that `checkout -B` took along from outside its lane.
pub(super) struct Reset {
    pub branch: BranchName,
    pub before: BString,
    pub now: BString,
}

/// Whether the git that called reset a lane's branch from outside: its option says that it resets,
/// the branch's log that it did, and the lane's own log of HEAD does not know.
pub(super) fn reset_from_outside(place: &Place, owner: &Lane) -> Result<Option<Reset>> {
    let (Some(branch), Some(true)) = (owner.branch.clone(), place.caller().map(Caller::resets))
    else {
        return Ok(None);
    };
    if !reflog(place, &branch, Some(1))?.starts_with(b"branch: Reset to ") {
        return Ok(None);
    }
    let Some(directory) =
        site::git_dir_of(owner, &place.common_dir).and_then(|git_dir| site::directory(&git_dir))
    else {
        return Ok(None);
    };
    let last = Git::default()
        .at(&directory)
        .reflog("HEAD", "%H", Some(1))?;
    let commit = |revision: &[u8]| {
        let found = place.git().rev_parse(revision)?;
        Ok::<_, Error>(found.map(|id| BString::from(id.to_string())))
    };
    let name = branch.to_ref();
    let (Some(now), Some(before)) = (
        commit(&name)?,
        commit(&bstr::concat([name.as_slice(), b"@{1}"]))?,
    ) else {
        return Ok(None);
    };
    Ok((!last.contains(&now) && before != now).then_some(Reset {
        branch,
        before,
        now,
    }))
}
