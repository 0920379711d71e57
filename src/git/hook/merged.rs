//! The way back from `git checkout --merge`, which no git command knows: it mixes the user's edits into the other branch's
//! files, and may end in conflicts.
//!
//! git writes the tree of the worktree as it was before it merges, and tells nobody. That tree is among the objects written
//! since the calling git began, and it proves itself: merged again, it gives exactly what is there now. Without such a
//! proof nothing is touched.

use std::path::Path;

use bstr::{BString, ByteSlice};

use super::place::Place;
use super::remedy::{read_tree_reset, with_index};
use crate::error::{Error, Result};
use crate::git::command::Invocation;

/// More trees than this in one switch's time are somebody else's.
const MOST: usize = 200;

/// Gives index and files back as they were at `old` before somebody merged them into `target`; `false`, with nothing
/// changed, where that was not done or cannot be proved.
pub(super) fn bring_back(place: &Place, old: &str, target: &str) -> Result<bool> {
    let Some(caller) = place.caller().filter(|caller| caller.merges()) else { return Ok(false) };
    let candidates = caller.wrote_objects(&place.common_dir.join("objects"));
    let was = match find(place, old, target, &candidates) {
        Ok(Found::Was(tree)) => tree,
        Ok(Found::Lost) => {
            return Err(Error::refused("git has merged uncommitted changes, and nothing says how they were"));
        }
        // Nothing has changed, and the ordinary way back is open.
        Ok(Found::Nothing) | Err(_) => return Ok(false),
    };
    // A file in the way of one that comes back is nobody's but the user's.
    let gone = place.git().args(["diff-tree", "-r", "-z", "--name-only", "--diff-filter=D", &was, target]).stdout()?;
    if paths(&gone).any(|path| !is_tracked(place, path) && Path::new(&crate::git::path(path)).exists()) {
        return Ok(false);
    }
    read_tree_reset(place, &["-u"], &was)?;
    // git merges only where nothing is staged.
    read_tree_reset(place, &[], old)?;
    // Tells git which files are as the index has them; that some are not is no failure.
    with_index(place).args(["update-index", "-q", "--refresh"]).output().map(|_| true)
}

/// What the objects say.
enum Found {
    /// Nothing was merged, or nobody can tell.
    Nothing,
    /// Something was merged, and this is how it was before.
    Was(String),
    /// Something was merged, and what was before is not among them: it had been written long ago.
    Lost,
}

/// The one tree that, merged into `target`, makes what is there.
fn find(place: &Place, old: &str, target: &str, candidates: &[String]) -> Result<Found> {
    let tree = |name: &str| place.git().args(["rev-parse", "--verify"]).arg(format!("{name}^{{tree}}")).text();
    let (old, target) = (tree(old)?, tree(target)?);
    let listed: String = candidates.iter().flat_map(|id| [id, "\n"]).collect();
    let kinds = place.git().args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]).input(listed).text()?;
    let trees =
        kinds.lines().filter_map(|line| line.strip_suffix(" tree")).filter(|id| **id != *old && **id != *target);
    let trees: Vec<&str> = trees.take(MOST + 1).collect();
    if trees.is_empty() || trees.len() > MOST {
        return Ok(Found::Nothing);
    }
    let conflicts = Conflicts::read(place)?;
    let now = worktree(place)?;
    let commit = |tree: &str, parent: Option<&str>| {
        let git = nobody(place.git()).args(["commit-tree", "-m", "lane: a proof", tree]);
        git.args(parent.map(|parent| format!("-p{parent}"))).text()
    };
    let base = commit(&old, None)?;
    let theirs = commit(&target, Some(&base))?;
    let mut found: Vec<&str> = Vec::new();
    for candidate in trees {
        if !conflicts.come_from(place, candidate)? {
            continue;
        }
        let merge = ["merge-tree", "--write-tree", "--no-messages", &theirs, &commit(candidate, Some(&base))?];
        let merged = place.git().args(merge).output()?;
        let Some(merged) = merged.stdout.to_str_lossy().lines().next().map(str::to_owned) else { continue };
        let differ =
            place.git().args(["diff-tree", "-r", "-z", "--name-only", "--no-renames", &merged, &now]).stdout()?;
        if paths(&differ).all(|path| conflicts.has(path)) {
            found.push(candidate);
        }
    }
    // What the merge made gives itself again.
    let merged = found.contains(&now.as_str());
    found.retain(|tree| *tree != now);
    Ok(match found[..] {
        [only] => Found::Was(only.to_owned()),
        [] if !merged => Found::Nothing,
        _ => Found::Lost,
    })
}

/// The conflicts in the index, each with what the worktree had.
struct Conflicts(Vec<(BString, Option<BString>)>);

impl Conflicts {
    fn read(place: &Place) -> Result<Self> {
        let listed = with_index(place).args(["ls-files", "--unmerged", "-z"]).stdout()?;
        let mut all: Vec<(BString, Option<BString>)> = Vec::new();
        for entry in paths(&listed) {
            let Some((words, path)) = entry.split_once_str("\t") else { continue };
            let mut words = words.split_str(" ").skip(1);
            let (Some(id), Some(stage)) = (words.next(), words.next()) else { continue };
            if all.last().is_none_or(|(last, _)| last != path) {
                all.push((path.into(), None));
            }
            if stage == b"3"
                && let Some((_, theirs)) = all.last_mut()
            {
                *theirs = Some(id.into());
            }
        }
        Ok(Conflicts(all))
    }

    fn has(&self, path: &[u8]) -> bool {
        self.0.iter().any(|(conflict, _)| conflict == path)
    }

    /// Whether `tree` has what the third stages say.
    fn come_from(&self, place: &Place, tree: &str) -> Result<bool> {
        for (path, theirs) in &self.0 {
            let name = [tree.as_bytes(), b":", path].concat();
            let found = place.git().args(["rev-parse", "--verify", "--quiet"]).bytes(name).output()?;
            let found = Some(found.stdout.trim_ascii_end()).filter(|id| found.status.success() && !id.is_empty());
            if found != theirs.as_ref().map(|id| id.as_slice()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The tree of what is there now, conflicts and all.
fn worktree(place: &Place) -> Result<String> {
    let scratch = super::remedy::scratch(place)?;
    let index = super::remedy::index(place);
    let copy = scratch.path().join("index");
    std::fs::copy(&index, &copy).map_err(|error| Error::environment("cannot copy the index").source(error))?;
    let git = || place.git().env("GIT_INDEX_FILE", &copy);
    git().args(["add", "--update"]).run()?;
    git().arg("write-tree").text()
}

fn is_tracked(place: &Place, path: &[u8]) -> bool {
    let listed = with_index(place).args(["--literal-pathspecs", "ls-files", "-z", "--"]).bytes(path).output();
    listed.is_ok_and(|listed| !listed.stdout.is_empty())
}

fn paths(listed: &[u8]) -> impl Iterator<Item = &[u8]> {
    listed.split_str("\0").filter(|path| !path.is_empty())
}

/// A commit that only proves something needs no author.
fn nobody(git: Invocation) -> Invocation {
    let names = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
    names.into_iter().fold(git, |git, name| git.env(name, "git-lane"))
}
