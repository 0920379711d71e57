//! What a judgement needs beyond HEAD and the configuration. git is asked; by now something seems wrong, or a merge is
//! under way, and a few milliseconds do not matter.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use bstr::{BStr, BString, ByteSlice};

use super::place::{self, Place, linked_git_dir};
use crate::domain::guard::{self, Event, Facts, Lane, Made, Merged, OwnBranch, Previous};
use crate::domain::lane::Head;
use crate::domain::name::BranchName;
use crate::error::Result;
use crate::git::command::Git;
use crate::git::renames;
use crate::git::status::operation;
use crate::git::worktree::read_head;

/// Where the branch of the lane we are in is.
pub(super) fn own_branch(place: &Place, facts: &Facts) -> Result<OwnBranch> {
    let guard::Place::Lane(Lane { branch: Some(own), .. }) = &facts.place else { return Ok(OwnBranch::There) };
    if facts.head.branch() == Some(own) || exists(place, own)? {
        return Ok(OwnBranch::There);
    }
    match facts.head.branch() {
        Some(head) if renames::was_renamed(own, head, reflog(place, head, None)?.as_bstr()) => Ok(OwnBranch::Renamed),
        _ => Ok(OwnBranch::Gone),
    }
}

/// The same while refs are changing: HEAD still names the branch when the second half of its renaming is announced.
pub(super) fn own_branch_now(place: &Place, facts: &Facts) -> Result<OwnBranch> {
    let guard::Place::Lane(Lane { branch: Some(own), .. }) = &facts.place else { return Ok(OwnBranch::There) };
    Ok(if exists(place, own)? { OwnBranch::There } else { OwnBranch::Gone })
}

fn exists(place: &Place, branch: &BranchName) -> Result<bool> {
    let shown = place.git().args(["show-ref", "--verify", "--quiet"]).bytes(branch.to_ref()).output()?;
    Ok(shown.status.success())
}

/// The messages of a branch's log, newest first; empty where none is kept.
fn reflog(place: &Place, branch: &BranchName, most: Option<u32>) -> Result<BString> {
    let mut log = place.git().args(["reflog", "show", "--format=%gs"]);
    if let Some(most) = most {
        log = log.arg(format!("-{most}"));
    }
    Ok(log.bytes(branch.to_ref()).arg("--").output()?.stdout.into())
}

/// The branch `named` stands for on a command line, if it is one.
pub(super) fn branch_named(place: &Place, named: &BStr) -> Result<Option<BranchName>> {
    let short = named.strip_prefix(b"refs/heads/").unwrap_or(named);
    let mut full = BString::from("refs/heads/");
    full.extend_from_slice(short);
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
        return Ok(Event::Switched { previous, added: false, made: Made::Before, checkout, own });
    };
    Ok(Event::Switched {
        previous: previous(place)?,
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
        _ if log.starts_with(b"branch: Reset to") => Made::Reset,
        _ => Made::Before,
    })
}

/// Whether a stash was made on the commit a branch is at: its first parent.
fn has_stash(place: &Place, branch: &BranchName) -> Result<bool> {
    let parents = place.git().args(["log", "-g", "--format=%P", "refs/stash", "--"]).output()?.stdout;
    if parents.is_empty() {
        return Ok(false);
    }
    let tip = place.git().args(["rev-parse", "--verify", "--quiet"]).bytes(branch.to_ref()).output()?.stdout;
    Ok(parents.lines().any(|line| line.starts_with(tip.trim_end())))
}

/// What was checked out before.
fn previous(place: &Place) -> Result<Previous> {
    let asked = place.git().args(["rev-parse", "--symbolic-full-name", "--verify", "--quiet", "@{-1}"]).output()?;
    if !asked.status.success() {
        return Ok(Previous::Unknown);
    }
    Ok(BranchName::from_ref(asked.stdout.trim_ascii_end().as_bstr()).map_or(Previous::Commit, Previous::Branch))
}

/// The lanes whose branches are being merged. `before`: git has not written `MERGE_HEAD` yet, and names what it merges
/// in the environment.
pub(super) fn merged(place: &Place, facts: &Facts, lanes: &[Lane], before: bool) -> Result<Vec<Merged>> {
    if lanes.is_empty() {
        return Ok(Vec::new());
    }
    let mut commits: Vec<BString> = Vec::new();
    if before {
        let named = |(name, _): (OsString, OsString)| name.as_bytes().strip_prefix(b"GITHEAD_").map(BString::from);
        commits.extend(std::env::vars_os().filter_map(named));
    }
    if let Ok(heads) = std::fs::read(place.git_dir.join("MERGE_HEAD")) {
        commits.extend(heads.lines().map(BString::from));
    }
    let mut found = Vec::new();
    for commit in commits.iter().filter(|id| !id.is_empty() && id.iter().all(u8::is_ascii_hexdigit)) {
        let listed = place
            .git()
            .args(["for-each-ref", "--format=%(refname)", &format!("--points-at={commit}"), "refs/heads/"])
            .stdout()?;
        for lane in lanes {
            let tip = |line: &[u8]| lane.branch.as_ref().is_some_and(|branch| branch.to_ref() == line);
            if listed.lines().any(tip) {
                found.push(Merged {
                    in_own_base: in_own_base(place, facts, commit)?,
                    unsettled: unsettled(lane)?,
                    lane: lane.clone(),
                });
            }
        }
    }
    Ok(found)
}

/// Whether the base of the lane we are in, or what it follows, holds `commit`.
fn in_own_base(place: &Place, facts: &Facts, commit: &BString) -> Result<bool> {
    let guard::Place::Lane(Lane { base: Some(base), .. }) = &facts.place else { return Ok(false) };
    for suffix in ["", "@{upstream}"] {
        let mut revision = base.to_ref();
        revision.extend_from_slice(suffix.as_bytes());
        let asked = place.git().args(["merge-base", "--is-ancestor"]).bytes(commit).bytes(&revision).output()?;
        if asked.status.success() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why a lane is not settled: something uncommitted, something in progress, something else checked out.
fn unsettled(lane: &Lane) -> Result<Option<String>> {
    let Some(git_dir) = linked_git_dir(&lane.worktree.join(".git")).filter(|_| place::is_alive(lane)) else {
        return Ok(None);
    };
    if let Some(operation) = operation(&git_dir) {
        return Ok(Some(format!("a {operation} is in progress")));
    }
    match read_head(&git_dir) {
        Head::Branch(on) if on.as_bstr() != ".invalid" && lane.branch.as_ref() != Some(&on) => {
            return Ok(Some(format!("'{on}' is checked out in it")));
        }
        Head::Detached(_) if lane.branch.is_some() => return Ok(Some("its HEAD is detached".into())),
        _ => {}
    }
    let status = ["--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=normal"];
    let changes = Git::default().at(&lane.worktree).args(status).stdout()?;
    Ok((!changes.is_empty()).then(|| "it has uncommitted changes".into()))
}

/// The commit a living lane's branch was at before a `checkout -B` elsewhere took it along: git refuses every other way
/// of resetting a branch that is checked out, so a reset younger than the lane's worktree was that.
pub(super) fn reset_from_outside(place: &Place, owner: &Lane) -> Result<Option<(BranchName, BString)>> {
    let Some(branch) = owner.branch.clone() else { return Ok(None) };
    let time = |path: std::path::PathBuf| {
        std::fs::metadata(path).ok().map(|metadata| (metadata.mtime(), metadata.mtime_nsec()))
    };
    let log = place.common_dir.join("logs").join(crate::git::path(&branch.to_ref()));
    let made = linked_git_dir(&owner.worktree.join(".git")).and_then(|git_dir| time(git_dir.join("gitdir")));
    if time(log) <= made || made.is_none() || !reflog(place, &branch, Some(1))?.starts_with(b"branch: Reset to ") {
        return Ok(None);
    }
    let mut before = branch.to_ref();
    before.extend_from_slice(b"@{1}");
    let before = place.git().args(["rev-parse", "--verify", "--quiet"]).bytes(&before).output()?;
    Ok(before.status.success().then(|| (branch, before.stdout.trim_ascii_end().into())))
}
