//! Taking back what was stopped. Every git started here passes our own hooks and none of the hook's
//! environment on, but for the index that the caller chose.
//!
//! Only what the calling git wrote is taken back, and what other hooks have made of it since is
//! kept; [`super::written`] tells both from what the user had there before.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BStr, ByteSlice};
use gix::object::Kind;

use super::caller::Caller;
use super::times::has_hook;
use super::written::{Saved, Written};
use crate::domain::guard::{Finding, Remedy};
use crate::domain::lane::ObjectId;
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Code, Error, IoContext, Result};
use crate::guard::queries;
use crate::guard::site::Place;
use crate::guard::undo_checkout_merge;
use crate::repository::branch_moved_behind::index_has_left;
use crate::store::git::{Invocation, failure};
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::permissions::Shared;
use crate::store::scratch;
use crate::store::scratch::Directory;

/// How long another process may hold the index before the way back is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the name of a place for a second index begins with.
pub const SCRATCH: &str = "lane-undo-";

/// Undoes what happened; `old` and `new` are the commits of a switch, as post-checkout is told
/// them. A failure leaves things as git made them.
pub(super) fn apply(
    place: &Place,
    finding: &Finding,
    remedy: &Remedy,
    old: &BStr,
    new: &BStr,
) -> Result<Option<Saved>> {
    match remedy {
        Remedy::None => Ok(None),
        Remedy::Switch(branch) => {
            let reset = match finding {
                Finding::Taken { owner, .. }
                | Finding::Left {
                    owner: Some(owner), ..
                } => queries::reset_from_outside(place, owner)?,
                _ => None,
            };
            let saved = go_back(place, old, new, &Goal::Branch(branch))?;
            if let Some(reset) = reset {
                // Never over what another process has done with the branch by now.
                let reason = "lane: reset taken back";
                let (name, before) = (reset.branch.to_ref(), reset.before);
                place
                    .git()
                    .update_ref(name, before, reset.now, Some(reason))?;
            }
            Ok(saved)
        }
        Remedy::DetachAtOld => go_back(place, old, new, &Goal::Commit(old)),
        // First to where everything was before: should the rest fail, nothing has changed.
        Remedy::EndBisection(branch) => {
            let saved = go_back(place, old, new, &Goal::Commit(old))?;
            let branch = branch.as_ref().map(|branch| branch.as_bstr().as_bytes());
            place.git().bisect_reset(branch).map(|()| saved)
        }
        // Nothing but HEAD changes, so hooks and filters have nothing to do.
        Remedy::DetachHere => {
            let Some(here) = place.git().rev_parse("HEAD")? else {
                return Err(Error::git("git does not say where HEAD is"));
            };
            let reason = "lane: the branch belongs elsewhere";
            place
                .git()
                .detach_head(here.to_string(), reason)
                .map(|()| None)
        }
        // A push is received in the git directory: there is no worktree to take back.
        Remedy::ReadTree(_) if place.git_dir == Path::new(".") => Ok(None),
        Remedy::ReadTree(target) => read_tree_back(place, target),
    }
}

/// Where HEAD was.
enum Goal<'a> {
    Branch(&'a BranchName),
    Commit(&'a BStr),
}

/// Goes back after git has moved HEAD.
fn go_back(place: &Place, old: &BStr, new: &BStr, goal: &Goal) -> Result<Option<Saved>> {
    let (old, new) = (old.to_str_lossy(), new.to_str_lossy());
    let born = place.git().rev_parse("HEAD")?.is_some();
    // `checkout --orphan` comes to a branch without a commit, and from there git knows no way back;
    // `switch --orphan` is told by a commit that is none, and has left nothing in the way.
    let orphan = !born && new.bytes().any(|digit| digit != b'0');
    let target = if orphan { &*new } else { "HEAD" };
    let mut saved = None;
    if !undo_checkout_merge::bring_back(place, &old, target)? && !same_tree(place, &old, target)? {
        let written = Written::since(place, &old, target)?;
        saved = written.make_way(place)?;
        if written.is_plain() && !orphan {
            return checkout(place, goal).map(|()| saved);
        }
        read_tree(place, target, &written.goal(place, &old)?)?;
        written.complete(place)?;
    }
    match goal {
        Goal::Branch(branch) => {
            let from = place
                .head()?
                .branch()
                .map_or_else(|| "HEAD".into(), ToString::to_string);
            let message = format!("checkout: moving from {from} to {branch}");
            place.git().attach_head(branch.to_ref(), &message)?;
        }
        Goal::Commit(commit) => place.git().detach_head(commit, "lane: switch taken back")?,
    }
    // Other tools' hooks have heard of the way out; what they say counts as little as it does on a
    // way back by git.
    let args = [&*new, &*old, "1"];
    place.git().run_hook_unheard("post-checkout", args)?;
    Ok(saved)
}

/// Whether only HEAD is to be moved: then index and files, with conflicts and all, are none of
/// git-lane's business.
fn same_tree(place: &Place, old: &str, target: &str) -> Result<bool> {
    let tree = |name: &str| place.git().rev_parse_to(name, Kind::Tree);
    let old = tree(old)?;
    Ok(old.is_some() && old == tree(target)?)
}

/// `git checkout` and not `git switch`, which does not work while `git am` or a cherry-pick is
/// under way.
fn checkout(place: &Place, goal: &Goal) -> Result<()> {
    let back = || {
        let (git, options) = (with_index(place), recursion(place));
        match goal {
            Goal::Branch(branch) => git.checkout_branch(options, branch.as_bstr()),
            Goal::Commit(commit) => git.checkout_detached(options, commit),
        }
    };
    let arrived = || match goal {
        Goal::Branch(branch) => place
            .head()
            .is_ok_and(|head| head.branch() == Some(*branch)),
        Goal::Commit(_) => false,
    };
    // Another tool's post-checkout hook may fail on the way back; where HEAD is decides.
    patiently("git checkout", back).or_else(|error| if arrived() { Ok(()) } else { Err(error) })
}

/// Takes index and files back while HEAD is still where it was.
fn read_tree_back(place: &Place, target: &str) -> Result<Option<Saved>> {
    let wrote = |caller: &Caller| {
        caller.switches() && caller.began_to_write(&index(place), false).is_some()
    };
    if place.caller().is_some_and(|caller| !wrote(caller)) {
        return Ok(None);
    }
    let checkout = |caller: &Caller| caller.command == "checkout";
    let tree = match place.git().rev_parse_to(target, Kind::Tree)? {
        Some(tree) => tree,
        // `switch --orphan` has emptied index and worktree; `checkout --orphan` keeps everything,
        // or goes where it is told.
        None if place.caller().is_some_and(checkout) => match orphan_of(place, target)? {
            Some(tree) => tree,
            None => return Ok(None),
        },
        None => place.git().empty_tree()?,
    };
    let tree = tree.to_string();
    // The caller is not known; then the index has to look as if a switch had written it.
    if place.caller().is_none()
        && index_has_left("HEAD", &tree, || with_index(place)) == Some(false)
    {
        return Ok(None);
    }
    if undo_checkout_merge::bring_back(place, "HEAD", &tree)? || same_tree(place, "HEAD", &tree)? {
        return Ok(None);
    }
    let written = Written::since(place, "HEAD", &tree)?;
    let saved = written.make_way(place)?;
    read_tree(place, &tree, &written.goal(place, "HEAD")?)?;
    written.complete(place).map(|()| saved)
}

/// The tree that `checkout --orphan` was told to begin the branch `target` with, where the index is
/// that by now.
fn orphan_of(place: &Place, target: &str) -> Result<Option<ObjectId>> {
    let name = target.strip_prefix("refs/heads/").unwrap_or(target);
    for word in place
        .caller()
        .map(|caller| caller.words(name.into()))
        .unwrap_or_default()
    {
        let word = if word == "-" { "@{-1}".into() } else { word };
        if let Some(tree) = place.git().rev_parse_to(&word, Kind::Tree)?
            && index_has_left("HEAD", &tree.to_string(), || with_index(place)) == Some(true)
        {
            return Ok(Some(tree));
        }
    }
    Ok(None)
}

/// Whether index and files are still those of `branch`, which HEAD has left: git may refuse a
/// switch back to it then, for conflicts or what is staged, and HEAD alone has to move.
pub(super) fn only_head_moved(place: &Place, branch: &BranchName) -> bool {
    let name = branch.to_ref().to_str_lossy().into_owned();
    if matches!(place.git().rev_parse("HEAD"), Ok(None)) {
        return true;
    }
    same_tree(place, &name, "HEAD").unwrap_or(false)
        || index_has_left(&name, "HEAD", || with_index(place)) == Some(false)
}

fn read_tree(place: &Place, from: &str, to: &str) -> Result<()> {
    patiently("git read-tree", || {
        with_index(place).reading_tree(updating(place), [from, to])
    })
}

/// The index, and no file, becomes that of `tree`, whatever it is now.
pub(super) fn read_tree_reset(place: &Place, tree: &str) -> Result<()> {
    patiently("git read-tree", || {
        with_index(place).reading_tree(["--reset"], [tree])
    })
}

/// Options for a read-tree that takes the files along.
pub(super) fn updating(place: &Place) -> Vec<OsString> {
    let options = ["-m".into(), "-u".into()];
    options.into_iter().chain(recursion(place)).collect()
}

/// Submodules that went along come back along. What the configuration says of them git knows by
/// itself.
fn recursion(place: &Place) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    place
        .caller()?
        .recursion()
        .map(|option| OsString::from_vec(option.into()))
}

/// Runs git again while another git holds the index.
fn patiently(what: &str, git: impl Fn() -> Invocation) -> Result<()> {
    let start = std::time::Instant::now();
    loop {
        let output = git().output()?;
        if output.status.success() {
            return Ok(());
        }
        if !output.stderr.contains_str("index.lock") || start.elapsed() > PATIENCE {
            return Err(failure(what, &output));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A place for a second index, where the next git-lane command looks for those of hooks that were
/// killed.
pub(super) fn scratch(place: &Place) -> Result<Directory> {
    let common_dir = std::path::absolute(&place.common_dir).context("find", &place.common_dir)?;
    let lane_dir = LaneDir::of(&common_dir, Shared::Umask);
    let home = lane_dir.scratch();
    // Behind a link that came from elsewhere nothing is written.
    if lane_files::is_unfit(&lane_dir, true) || lane_files::is_unfit(&home, true) {
        let strange = Error::environment(format!(
            "'{}' is no directory of git-lane's",
            home.display()
        ));
        return Err(strange
            .with_code(Code::StrangeFile)
            .hint("see what to do about it with: git lane doctor"));
    }
    scratch::clear(&lane_dir, SCRATCH);
    Directory::new(&lane_dir, SCRATCH)
}

/// A git that works on a second index, of which no hook hears.
pub(super) fn on_own_index(place: &Place, index: &Path) -> Result<Invocation> {
    let (event, value) = (r"^hook\..*\.event$", "^post-index-change$");
    let named = place.git().settings_like(event, value)?;
    let names = named
        .iter()
        .filter_map(|key| key.strip_prefix(b"hook.")?.strip_suffix(b".event"))
        .map(ByteSlice::as_bstr);
    let mut names = names.peekable();
    let git = place.git().env("GIT_INDEX_FILE", index);
    // Filters would see such settings.
    let heard = names.peek().is_some() || has_hook(place, "post-index-change");
    Ok(if heard {
        git.without_named_hooks(names)
    } else {
        git
    })
}

/// The index the caller chose; git runs these hooks in the root of the worktree, from which it
/// counts.
fn chosen_index() -> Option<OsString> {
    std::env::var_os("GIT_INDEX_FILE").filter(|file| !file.is_empty())
}

pub(super) fn index(place: &Place) -> PathBuf {
    chosen_index().map_or_else(|| place.git_dir.join("index"), PathBuf::from)
}

pub(super) fn with_index(place: &Place) -> Invocation {
    match chosen_index() {
        Some(file) => place.git().env("GIT_INDEX_FILE", file),
        None => place.git(),
    }
}

/// Gives a lane's record the branch's new name.
pub(super) fn follow(common_dir: &Path, lane: &str, branch: &BranchName) -> Result<()> {
    let name = LaneName::parse(lane)
        .map_err(|problem| Error::refused(format!("'{lane}' {}", problem.because())))?;
    let common_dir = std::fs::canonicalize(common_dir).unwrap_or_else(|_| common_dir.to_owned());
    crate::repository::renames::follow(&LaneDir::of(&common_dir, Shared::Umask), &name, branch)
}
