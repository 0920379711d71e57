//! Taking back what was stopped. Every git started here passes our own hooks and none of the hook's environment on, but
//! for the index that the caller chose.
//!
//! Only what the calling git wrote is taken back. What somebody had staged before looks the same where it equals what the
//! switch brought; the index tells when each entry was written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bstr::{BStr, BString, ByteSlice};

use super::caller::{self, Caller};
use super::details;
use super::merged;
use super::place::Place;
use crate::domain::guard::{Finding, Remedy};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Error, IoContext, Result};
use crate::git::command::{Invocation, failure};
use crate::git::overtaken::index_has_left;
use crate::git::scratch::{self, Directory};

/// How long another process may hold the index before the way back is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the name of a place for a second index begins with.
pub const SCRATCH: &str = "lane-undo-";

/// Undoes what happened; `old` and `new` are the commits of a switch, as post-checkout is told them. A failure leaves
/// things as git made them.
pub(super) fn apply(place: &Place, finding: &Finding, remedy: &Remedy, old: &BStr, new: &BStr) -> Result<()> {
    match remedy {
        Remedy::None => Ok(()),
        Remedy::Switch(branch) => {
            let reset = match finding {
                Finding::Taken { owner, .. } | Finding::Left { owner: Some(owner), .. } => {
                    details::reset_from_outside(place, owner)?
                }
                _ => None,
            };
            go_back(place, old, new, &Goal::Branch(branch))?;
            match reset {
                // Never over what somebody else has done with the branch by now.
                Some(reset) => place
                    .git()
                    .args(["update-ref", "-m", "lane: reset taken back"])
                    .bytes(reset.branch.to_ref())
                    .bytes(&reset.before)
                    .bytes(&reset.now)
                    .run(),
                None => Ok(()),
            }
        }
        Remedy::DetachAtOld => go_back(place, old, new, &Goal::Commit(old)),
        // First to where everything was before: should the rest fail, nothing has changed.
        Remedy::EndBisection(branch) => {
            go_back(place, old, new, &Goal::Commit(old))?;
            let reset = place.git().args(["bisect", "reset"]);
            match branch {
                Some(branch) => reset.bytes(branch.as_bstr()).run(),
                None => reset.run(),
            }
        }
        // Nothing but HEAD changes, so hooks and filters have nothing to do.
        Remedy::DetachHere => {
            let here = place.git().args(["rev-parse", "--verify", "HEAD"]).text()?;
            detach(place, "lane: the branch belongs elsewhere", here.as_bytes())
        }
        // A push is received in the git directory: there is no worktree to take back.
        Remedy::ReadTree(_) if place.git_dir == Path::new(".") => Ok(()),
        Remedy::ReadTree(target) => read_tree_back(place, target),
    }
}

/// Where HEAD was.
enum Goal<'a> {
    Branch(&'a BranchName),
    Commit(&'a BStr),
}

/// Goes back after git has moved HEAD.
fn go_back(place: &Place, old: &BStr, new: &BStr, goal: &Goal) -> Result<()> {
    let (old, new) = (old.to_str_lossy(), new.to_str_lossy());
    let born = place.git().args(["rev-parse", "--verify", "--quiet", "HEAD"]).output()?.status.success();
    // `checkout --orphan` comes to a branch without a commit, and from there git knows no way back; `switch --orphan` is
    // told by a commit that is none, and has left nothing in the way.
    let orphan = !born && new.bytes().any(|digit| digit != b'0');
    let target = if orphan { &*new } else { "HEAD" };
    if !merged::bring_back(place, &old, target)? {
        let kept = staged_before(place, &old, target)?;
        if kept.is_empty() && !orphan {
            return checkout(place, goal);
        }
        read_tree(place, target, &if kept.is_empty() { old.into_owned() } else { with(place, &old, &kept)? })?;
    }
    match goal {
        Goal::Branch(branch) => {
            let from = place.head()?.branch().map_or_else(|| "HEAD".into(), ToString::to_string);
            let message = format!("checkout: moving from {from} to {branch}");
            place.git().args(["symbolic-ref", "-m", &message, "HEAD"]).bytes(branch.to_ref()).run()
        }
        Goal::Commit(commit) => detach(place, "lane: switch taken back", commit),
    }
}

/// `git checkout` and not `git switch`, which does not work while `git am` or a cherry-pick is under way.
fn checkout(place: &Place, goal: &Goal) -> Result<()> {
    let back = || {
        let git = with_index(place).args(["checkout", "--quiet"]).args(recursion(place));
        match goal {
            Goal::Branch(branch) => git.args(["--no-guess", "--ignore-other-worktrees"]).bytes(branch.as_bstr()),
            Goal::Commit(commit) => git.arg("--detach").bytes(commit),
        }
        .arg("--")
    };
    let arrived = || match goal {
        Goal::Branch(branch) => place.head().is_ok_and(|head| head.branch() == Some(*branch)),
        Goal::Commit(_) => false,
    };
    // Another tool's post-checkout hook may fail on the way back; where HEAD is decides.
    patiently("git checkout", back).or_else(|error| if arrived() { Ok(()) } else { Err(error) })
}

fn detach(place: &Place, message: &str, commit: &[u8]) -> Result<()> {
    place.git().args(["update-ref", "--no-deref", "-m", message, "HEAD"]).bytes(commit).run()
}

/// Takes index and files back while HEAD is still where it was.
fn read_tree_back(place: &Place, target: &str) -> Result<()> {
    if place.caller().is_some_and(|caller| !caller.switches() || caller.began_to_write(&index(place)).is_none()) {
        return Ok(());
    }
    let found = place.git().args(["rev-parse", "--verify", "--quiet"]).arg(format!("{target}^{{tree}}")).output()?;
    let tree = match found.status.success() {
        true => found.stdout.trim_ascii_end().to_str_lossy().into_owned(),
        // `switch --orphan` has emptied index and worktree; `checkout --orphan` keeps everything, or goes where it is told.
        false if place.caller().is_some_and(|caller| caller.command == "checkout") => match orphan_of(place, target)? {
            Some(tree) => tree,
            None => return Ok(()),
        },
        false => place.git().args(["hash-object", "-t", "tree", "/dev/null"]).text()?,
    };
    // Nobody knows who called; then the index has to look as if a switch had written it.
    if place.caller().is_none() && index_has_left("HEAD", &tree, || with_index(place)) == Some(false) {
        return Ok(());
    }
    if merged::bring_back(place, "HEAD", &tree)? {
        return Ok(());
    }
    let kept = staged_before(place, "HEAD", &tree)?;
    let back = if kept.is_empty() { "HEAD".into() } else { with(place, "HEAD", &kept)? };
    read_tree(place, &tree, &back)
}

/// The tree that `checkout --orphan` was told to begin the branch `target` with, where the index is that by now.
fn orphan_of(place: &Place, target: &str) -> Result<Option<String>> {
    let name = target.strip_prefix("refs/heads/").unwrap_or(target);
    for word in place.caller().map(|caller| caller.words(name.into())).unwrap_or_default() {
        let word = if word == "-" { "@{-1}".into() } else { word };
        let tree = bstr::concat([&word[..], b"^{tree}"]);
        let found = place.git().args(["rev-parse", "--verify", "--quiet", "--end-of-options"]).bytes(tree).output()?;
        let tree = found.stdout.trim_ascii_end().to_str_lossy().into_owned();
        if found.status.success() && index_has_left("HEAD", &tree, || with_index(place)) == Some(true) {
            return Ok(Some(tree));
        }
    }
    Ok(None)
}

fn read_tree(place: &Place, from: &str, to: &str) -> Result<()> {
    patiently("git read-tree", || {
        with_index(place).args(["read-tree", "-m", "-u"]).args(recursion(place)).args([from, to])
    })
}

/// The index, and no file, becomes that of `tree`, whatever it is now.
pub(super) fn read_tree_reset(place: &Place, tree: &str) -> Result<()> {
    patiently("git read-tree", || with_index(place).args(["read-tree", "--reset", tree]))
}

/// Submodules that went along come back along. What the configuration says of them git knows by itself.
pub(super) fn recursion(place: &Place) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    place.caller()?.recursion().map(|option| OsString::from_vec(option.into()))
}

/// Runs git again while somebody else holds the index.
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

/// An entry of the index as `git update-index --index-info` reads it.
type Entry = BString;

/// What was staged before the calling git went from `old` to `target`, and equals what `target` has.
fn staged_before(place: &Place, old: &str, target: &str) -> Result<Vec<Entry>> {
    let changed = place.git().args(["diff-tree", "-r", "-z", "--no-renames", old, target]).output()?;
    // One of them is a branch without a commit: nothing can equal that.
    if !changed.status.success() {
        return Ok(Vec::new());
    }
    let changed = changed.stdout;
    let file = index(place);
    let began = match place.caller() {
        Some(caller) => caller.began_to_write(&file),
        None => caller::born(&file),
    };
    let mut fields = changed.split_str("\0");
    let mut kept = Vec::new();
    // An entry without times belongs to no file: somebody staged it so, or a merge left it, which nothing staged survives.
    let merges = place.caller().is_some_and(Caller::merges);
    let mut entries = None;
    while let (Some(change), Some(path)) = (fields.next(), fields.next()) {
        let mut words = change.split_str(" ");
        let (Some(mode), Some(id)) = (words.nth(1), words.nth(1)) else { continue };
        // What the target lacks is not in the index, whoever took it out.
        if mode == b"000000" {
            continue;
        }
        let entries = match &entries {
            Some(entries) => entries,
            None => entries.insert(read_index(&file, id)?),
        };
        let Some(entry) = entries.entry_by_path(path.as_bstr()) else { continue };
        let timeless = merges && entry.stat.ctime.secs == 0;
        if entry.id.to_string().as_bytes() == id && !timeless && is_older(entry, began) {
            kept.push([mode, b" ", id, b"\t", path].concat().into());
        }
    }
    Ok(kept)
}

fn read_index(file: &Path, id: &[u8]) -> Result<gix::index::File> {
    let kind = if id.len() == 64 { gix::hash::Kind::Sha256 } else { gix::hash::Kind::Sha1 };
    gix::index::File::at(file, kind, true, gix::index::decode::Options::default())
        .map_err(|error| Error::environment(format!("cannot read '{}'", file.display())).source(error.to_string()))
}

/// Whether an entry was written before `began`; without one nothing has been written since.
fn is_older(entry: &gix::index::Entry, began: Option<SystemTime>) -> bool {
    use gix::index::entry::{Flags, Mode};
    // These have no file whose time could tell.
    if entry.flags.contains(Flags::SKIP_WORKTREE) || entry.mode == Mode::COMMIT {
        return false;
    }
    let changed = entry.stat.ctime;
    // A git that does not write down fractions of a second.
    let rounded_up = if changed.nsecs == 0 { 1 } else { 0 };
    let changed = Duration::new(u64::from(changed.secs) + rounded_up, changed.nsecs);
    began.is_none_or(|began| SystemTime::UNIX_EPOCH + changed < began)
}

/// The tree of `commit` with some entries replaced.
fn with(place: &Place, commit: &str, entries: &[Entry]) -> Result<String> {
    let scratch = scratch(place)?;
    let git = || place.git().env("GIT_INDEX_FILE", scratch.path().join("index"));
    git().args(["read-tree", commit]).run()?;
    let mut lines = bstr::join("\0", entries);
    lines.push(0);
    git().args(["update-index", "-z", "--index-info"]).input(lines).run()?;
    git().arg("write-tree").text()
}

/// A place for a second index, in the worktree's own git directory; those of hooks that were killed go.
pub(super) fn scratch(place: &Place) -> Result<Directory> {
    let git_dir = std::path::absolute(&place.git_dir).context("find", &place.git_dir)?;
    scratch::clear(&git_dir, SCRATCH);
    Directory::new(&git_dir, SCRATCH)
}

/// The index the caller chose; git runs these hooks in the root of the worktree, from which it counts.
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
    let name = LaneName::parse(lane).map_err(|problem| Error::refused(format!("'{lane}' {}", problem.because())))?;
    let common_dir = std::fs::canonicalize(common_dir).unwrap_or_else(|_| common_dir.to_owned());
    crate::git::renames::follow(&common_dir, &name, branch)
}
