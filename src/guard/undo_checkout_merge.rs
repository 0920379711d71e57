//! The way back from `git checkout --merge`, which no git command knows: it mixes the user's edits
//! into the other branch's files, and may end in conflicts.
//!
//! git writes the tree of the worktree as it was before it merges, and does not tell. That tree is
//! among the objects written since the calling git began, and it proves itself: merged again, it
//! gives exactly what is there now. Without such a proof nothing is touched. Newer gits make a
//! stash of everything first, whose commit tells what was staged, too.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};
use gix::object::Kind;

use super::remedy::{on_own_index, read_tree_reset, updating, with_index};
use crate::domain::lane::ObjectId;
use crate::error::{Error, Result};
use crate::guard::site::Place;
use crate::store::git::{Invocation, Merged, NONE};
use crate::store::scratch::Directory;

/// More trees than this in one switch's time are another git's.
const MOST: usize = 200;

/// Gives index and files back as they were at `old` before git merged them into `target`; `false`,
/// with nothing changed, where that was not done or cannot be proved.
pub(super) fn bring_back(place: &Place, old: &str, target: &str) -> Result<bool> {
    let Some(caller) = place.caller().filter(|caller| caller.merges()) else {
        return Ok(false);
    };
    let candidates = caller.wrote_objects(&place.common_dir.join("objects"));
    let (was, now) = match find(place, old, target, &candidates) {
        Ok(Found::Was(was, now)) => (was, now),
        Ok(Found::Lost) => {
            return Err(Error::refused(
                "git has merged uncommitted changes, and nothing says how they were",
            ));
        }
        // Nothing has changed, and the ordinary way back is open.
        Ok(Found::Nothing) | Err(_) => return Ok(false),
    };
    // A file in the way of one that comes back is the user's.
    let gone = place
        .git()
        .diff_tree(&["--diff-filter=D"], was.tree, target)?;
    let in_the_way = |path: &BString| {
        let file = crate::store::path(path);
        // What git cannot say of it counts as the user's.
        let is_tracked = |listed: Vec<BString>| !listed.is_empty();
        file.exists()
            && !with_index(place)
                .ls_files(&[], [&file])
                .is_ok_and(is_tracked)
    };
    if gone.iter().any(in_the_way) {
        return Ok(false);
    }
    // Only what differs is written: what the user told git to assume unchanged is in none of these
    // trees.
    let git = now.git(place)?;
    git.reading_tree(updating(place), [now.tree, was.tree])
        .run()?;
    let staged = was.staged.map(|tree| tree.to_string());
    read_tree_reset(place, staged.as_deref().unwrap_or(old))?;
    with_index(place).refresh_index().map(|()| true)
}

/// What the objects say.
enum Found {
    /// Nothing was merged, or it cannot be told.
    Nothing,
    /// Something was merged, and this is how it was before, and how it is now.
    Was(Candidate, Now),
    /// Something was merged, and what was before is not among them: it had been written long ago.
    Lost,
}

/// How everything may have been.
struct Candidate {
    /// The files.
    tree: ObjectId,
    /// What was staged, where a stash tells; the gits that make none merge only where nothing is.
    staged: Option<ObjectId>,
}

/// The one tree that, merged into `target`, makes what is there.
fn find(place: &Place, old: &str, target: &str, objects: &[String]) -> Result<Found> {
    let parse = |name: &str, kind| place.git().rev_parse_to(name, kind);
    let (Some(from), Some(old), Some(target)) = (
        parse(old, Kind::Commit)?,
        parse(old, Kind::Tree)?,
        parse(target, Kind::Tree)?,
    ) else {
        return Ok(Found::Nothing);
    };
    let kinds = place.git().kinds_of(objects)?;
    let of = |wanted: Kind| {
        let found = kinds.iter().filter(move |(_, kind)| *kind == wanted);
        found.map(|(id, _)| *id)
    };
    let mut candidates = stashes(place, from, of(Kind::Commit).take(MOST))?;
    let known: Vec<ObjectId> = candidates
        .iter()
        .map(|stash| stash.tree)
        .chain([old, target])
        .collect();
    let trees = of(Kind::Tree)
        .filter(|id| !known.contains(id))
        .take(MOST + 1);
    candidates.extend(trees.map(|tree| Candidate { tree, staged: None }));
    if candidates.is_empty() || candidates.len() > MOST {
        return Ok(Found::Nothing);
    }
    let conflicts = Conflicts::read(place)?;
    let now = Now::read(place)?;
    let commit = |tree: ObjectId, parents: &[ObjectId]| {
        let git = unnamed(place.git());
        git.commit_tree(NONE, tree, parents, "lane: a proof")
            .object_id()
    };
    let base = commit(old, &[])?;
    let theirs = commit(target, &[base])?;
    let mut found = Vec::new();
    for candidate in candidates {
        if !conflicts.come_from(place, candidate.tree)? {
            continue;
        }
        let ours = commit(candidate.tree, &[base])?;
        let merged = match place.git().merge_tree(theirs, ours, &[]) {
            Ok(Merged::Clean(tree) | Merged::Conflict { tree, .. }) => tree,
            Err(_) => continue,
        };
        // Which commit of a submodule is checked out is not changed by a merge.
        let options = ["--no-renames", "--ignore-submodules=all"];
        let differ = place.git().diff_tree(&options, merged, now.tree)?;
        if differ.iter().all(|path| conflicts.has(path)) {
            found.push(candidate);
        }
    }
    // What the merge made gives itself again, but it makes no stash.
    let proved = found.len();
    let stashed = found.iter().any(|candidate| candidate.staged.is_some());
    found.retain(|candidate| candidate.staged.is_some() || !stashed && candidate.tree != now.tree);
    Ok(match (found.pop(), found.is_empty(), proved) {
        (Some(only), true, _) => Found::Was(only, now),
        (None, _, 0) => Found::Nothing,
        _ => Found::Lost,
    })
}

/// The stashes among `commits` that were made at `from`.
fn stashes(
    place: &Place,
    from: ObjectId,
    commits: impl Iterator<Item = ObjectId>,
) -> Result<Vec<Candidate>> {
    let mut commits = commits.peekable();
    if commits.peek().is_none() {
        return Ok(Vec::new());
    }
    let shown = place.git().describe_commits(commits, "%T %P")?;
    let stash = |line: &String| {
        let ids = line.split(' ').map(|id| ObjectId::from_hex(id.as_bytes()));
        match ids.collect::<Result<Vec<_>, _>>().ok()?[..] {
            [tree, parent, staged, ..] if parent == from => Some(Candidate {
                tree,
                staged: Some(staged),
            }),
            _ => None,
        }
    };
    Ok(shown.iter().filter_map(stash).collect())
}

/// The conflicts in the index, each with what the worktree had.
struct Conflicts(Vec<(BString, Option<ObjectId>)>);

impl Conflicts {
    fn read(place: &Place) -> Result<Self> {
        let listed = with_index(place).ls_files(&["--unmerged"], NONE)?;
        let mut all: Vec<(BString, Option<ObjectId>)> = Vec::new();
        for entry in &listed {
            let Some((words, path)) = entry.split_once_str("\t") else {
                continue;
            };
            let mut words = words.split_str(" ").skip(1);
            let (Some(id), Some(stage)) = (words.next(), words.next()) else {
                continue;
            };
            if all.last().is_none_or(|(last, _)| last != path) {
                all.push((path.into(), None));
            }
            if stage == b"3"
                && let Some((_, theirs)) = all.last_mut()
            {
                *theirs = ObjectId::from_hex(id).ok();
            }
        }
        Ok(Conflicts(all))
    }

    fn has(&self, path: &[u8]) -> bool {
        self.0.iter().any(|(conflict, _)| conflict == path)
    }

    /// Whether `tree` has what the third stages say.
    fn come_from(&self, place: &Place, tree: ObjectId) -> Result<bool> {
        for (path, theirs) in &self.0 {
            let name = [tree.to_string().as_bytes(), b":", path].concat();
            if place.git().rev_parse(name)? != *theirs {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is there now, conflicts and all, in an index of its own.
struct Now {
    tree: ObjectId,
    scratch: Directory,
}

impl Now {
    fn read(place: &Place) -> Result<Self> {
        let mut now = Now {
            tree: ObjectId::null(gix::hash::Kind::Sha1),
            scratch: super::remedy::scratch(place)?,
        };
        std::fs::copy(super::remedy::index(place), now.index())
            .map_err(|error| Error::environment("cannot copy the index").caused_by(error))?;
        now.git(place)?.adding(&["--update"]).run()?;
        now.tree = now.git(place)?.write_tree()?;
        crate::store::journal::step("undo.merged");
        Ok(now)
    }

    fn index(&self) -> PathBuf {
        self.scratch.path().join("index")
    }

    fn git(&self, place: &Place) -> Result<Invocation> {
        on_own_index(place, &self.index())
    }
}

/// A commit that only proves something needs no author.
fn unnamed(git: Invocation) -> Invocation {
    let names = [
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ];
    names
        .into_iter()
        .fold(git, |git, name| git.env(name, "git-lane"))
}
