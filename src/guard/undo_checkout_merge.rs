//! The way back from `git checkout --merge`, which no git command knows: it mixes the user's edits
//! into the other branch's files, and may end in conflicts.
//!
//! git writes the tree of the worktree as it was before it merges, and does not tell. That tree is
//! among the objects written since the calling git began, and it proves itself: merged again, it
//! gives exactly what is there now. Without such a proof nothing is touched. Newer gits make a
//! stash of everything first, whose commit tells what was staged, too.

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::remedy::{on_own_index, read_tree_reset, recursion, with_index};
use crate::error::{Error, Result};
use crate::guard::site::Place;
use crate::store::git::Invocation;
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
        .args([
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--diff-filter=D",
            &was.tree,
            target,
        ])
        .stdout()?;
    if paths(&gone)
        .any(|path| !is_tracked(place, path) && Path::new(&crate::store::path(path)).exists())
    {
        return Ok(false);
    }
    // Only what differs is written: what the user told git to assume unchanged is in none of these
    // trees.
    now.git(place)?
        .args(["read-tree", "-m", "-u"])
        .args(recursion(place))
        .args([&now.tree, &was.tree])
        .run()?;
    read_tree_reset(place, was.staged.as_deref().unwrap_or(old))?;
    // Tells git which files are as the index has them; that some are not is no failure.
    with_index(place)
        .args(["update-index", "-q", "--refresh"])
        .output()
        .map(|_| true)
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
    tree: String,
    /// What was staged, where a stash tells; the gits that make none merge only where nothing is.
    staged: Option<String>,
}

/// The one tree that, merged into `target`, makes what is there.
fn find(place: &Place, old: &str, target: &str, objects: &[String]) -> Result<Found> {
    let parse = |name: String| place.git().args(["rev-parse", "--verify", &name]).text();
    let from = parse(format!("{old}^{{commit}}"))?;
    let (old, target) = (
        parse(format!("{old}^{{tree}}"))?,
        parse(format!("{target}^{{tree}}"))?,
    );
    let listed: String = objects.iter().flat_map(|id| [id, "\n"]).collect();
    let kinds = place
        .git()
        .args(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
        .input(listed)
        .text()?;
    let of = |kind: &'static str| {
        kinds
            .lines()
            .filter_map(move |line| line.strip_suffix(kind))
    };
    let mut candidates = stashes(place, &from, of(" commit").take(MOST))?;
    let known: Vec<String> = candidates
        .iter()
        .map(|stash| stash.tree.clone())
        .chain([old.clone(), target.clone()])
        .collect();
    let trees = of(" tree")
        .filter(|id| !known.iter().any(|known| known == id))
        .take(MOST + 1);
    candidates.extend(trees.map(|id| Candidate {
        tree: id.to_owned(),
        staged: None,
    }));
    if candidates.is_empty() || candidates.len() > MOST {
        return Ok(Found::Nothing);
    }
    let conflicts = Conflicts::read(place)?;
    let now = Now::read(place)?;
    let commit = |tree: &str, parent: Option<&str>| {
        let git = nobody(place.git()).args(["commit-tree", "-m", "lane: a proof", tree]);
        git.args(parent.map(|parent| format!("-p{parent}"))).text()
    };
    let base = commit(&old, None)?;
    let theirs = commit(&target, Some(&base))?;
    let mut found = Vec::new();
    for candidate in candidates {
        if !conflicts.come_from(place, &candidate.tree)? {
            continue;
        }
        let merge = [
            "merge-tree",
            "--write-tree",
            "--no-messages",
            &theirs,
            &commit(&candidate.tree, Some(&base))?,
        ];
        let merged = place.git().args(merge).output()?;
        let Some(merged) = merged
            .stdout
            .to_str_lossy()
            .lines()
            .next()
            .map(str::to_owned)
        else {
            continue;
        };
        // Which commit of a submodule is checked out is not changed by a merge.
        let differ = [
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            "--ignore-submodules=all",
        ];
        let differ = place
            .git()
            .args(differ)
            .args([&merged, &now.tree])
            .stdout()?;
        if paths(&differ).all(|path| conflicts.has(path)) {
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
fn stashes<'a>(
    place: &Place,
    from: &str,
    commits: impl Iterator<Item = &'a str>,
) -> Result<Vec<Candidate>> {
    let commits: String = commits.flat_map(|id| [id, "\n"]).collect();
    if commits.is_empty() {
        return Ok(Vec::new());
    }
    let shown = place.git().args([
        "rev-list",
        "--no-walk",
        "--no-commit-header",
        "--format=%T %P",
        "--stdin",
    ]);
    let shown = shown.input(commits).text()?;
    let stash = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [tree, parent, staged, ..] if parent == from => Some(Candidate {
            tree: tree.to_owned(),
            staged: Some(staged.to_owned()),
        }),
        _ => None,
    };
    Ok(shown.lines().filter_map(stash).collect())
}

/// The conflicts in the index, each with what the worktree had.
struct Conflicts(Vec<(BString, Option<BString>)>);

impl Conflicts {
    fn read(place: &Place) -> Result<Self> {
        let listed = with_index(place)
            .args(["ls-files", "--unmerged", "-z"])
            .stdout()?;
        let mut all: Vec<(BString, Option<BString>)> = Vec::new();
        for entry in paths(&listed) {
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
            let found = place
                .git()
                .args(["rev-parse", "--verify", "--quiet"])
                .bytes(name)
                .output()?;
            let found = Some(found.stdout.trim_ascii_end())
                .filter(|id| found.status.success() && !id.is_empty());
            if found != theirs.as_ref().map(|id| id.as_slice()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is there now, conflicts and all, in an index of its own.
struct Now {
    tree: String,
    scratch: Directory,
}

impl Now {
    fn read(place: &Place) -> Result<Self> {
        let mut now = Now {
            tree: String::new(),
            scratch: super::remedy::scratch(place)?,
        };
        std::fs::copy(super::remedy::index(place), now.index())
            .map_err(|error| Error::environment("cannot copy the index").caused_by(error))?;
        now.git(place)?.args(["add", "--update"]).run()?;
        now.tree = now.git(place)?.arg("write-tree").text()?;
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

fn is_tracked(place: &Place, path: &[u8]) -> bool {
    let listed = with_index(place)
        .args(["--literal-pathspecs", "ls-files", "-z", "--"])
        .bytes(path)
        .output();
    listed.is_ok_and(|listed| !listed.stdout.is_empty())
}

fn paths(listed: &[u8]) -> impl Iterator<Item = &[u8]> {
    listed.split_str("\0").filter(|path| !path.is_empty())
}

/// A commit that only proves something needs no author.
fn nobody(git: Invocation) -> Invocation {
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
