//! The repositories in a lane: those of its submodules, which are in its admin directory or in its
//! worktree, and any other in its worktree. All of them leave with it.
//!
//! `find` knows where the submodules' are, `inner` and `nested` where the others are,
//! `submodule_refs` what they have that no remote has. Here that becomes an [`Inner`]; what cannot
//! be read counts as held.
//!
//! Called by `operations/retire` and the commands that tell what a lane holds.

mod find;
mod inner;
mod nested;
mod submodule_refs;

use std::path::{Path, PathBuf};

use bstr::BString;

use self::find::{Found, checked_out, repositories};
use super::worktree;
use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::submodule::{Inner, Inside, Kind};
use crate::engines::status::{Depth, operation, statuses};
use crate::error::{Error, Result};
use crate::repository::Repository;
pub use crate::repository::submodules::inner::Memo;
use crate::store::git::{Git, Invocation, NONE};
use crate::store::optional;

/// What the repositories in a lane hold that exists nowhere else: of its submodules those in its
/// admin directory's `modules`, whether or not an index still knows them, and those of old style in
/// its worktree; and every other repository in its worktree. Those need not be looked for where the
/// status of the worktree, which says so, had a complete look.
pub fn held(
    repository: &Repository,
    lane: &Lane,
    worktree: &Worktree,
    had_complete_look: bool,
) -> Inner {
    let mut inner = Inner::default();
    let submodules = find::all(repository, lane, worktree, &mut inner);
    let others = match worktree.state {
        WorktreeState::Present if !had_complete_look => {
            nested::all(repository, worktree, &submodules, &mut inner)
        }
        _ => Vec::new(),
    };
    for found in submodules.found.iter().chain(&others) {
        look(repository, found, worktree, &mut inner);
    }
    lent(repository, worktree, &submodules.found, &mut inner);
    inner
}

/// A worktree of another repository in a lane's, or a repository there that has worktrees of its own:
/// they and what they are of name each other by their places.
pub fn bound(repository: &Repository, worktree: &Worktree) -> Option<PathBuf> {
    nested::bound(repository, worktree)
}

/// The submodules that are checked out in a lane: where in it, and the repository of each.
pub fn in_worktree(
    repository: &Repository,
    lane: &Lane,
    worktree: &Worktree,
) -> Vec<(PathBuf, PathBuf)> {
    let found = find::all(repository, lane, worktree, &mut Inner::default()).found;
    let Ok(top) = std::fs::canonicalize(&worktree.path) else {
        return Vec::new();
    };
    let place = |found: Found| {
        let files = std::fs::canonicalize(found.worktree().ok()??).ok()?;
        Some((files.strip_prefix(&top).ok()?.to_owned(), found.git_dir))
    };
    let mut places: Vec<_> = found.into_iter().filter_map(place).collect();
    places.sort();
    places
}

/// Looks into one of them.
fn look(repository: &Repository, found: &Found, lane: &Worktree, inner: &mut Inner) {
    let mut note = |kind, count| inner.note(&found.of, kind, count);
    let git = &repository.git;
    note(Kind::Operation, operation(&found.git_dir).iter().count());
    if found.leaves {
        let around = Around {
            repository,
            found,
            lane,
        };
        if submodule_refs::own(git, &found.git_dir, &around, &mut note).is_err() {
            note(Kind::Unread, 1);
        }
        match optional::list(&found.git_dir.join("worktrees")) {
            Ok(worktrees) => note(
                Kind::Worktree,
                worktrees.map_or(0, |worktrees| worktrees.len()),
            ),
            Err(_) => note(Kind::Unread, 1),
        }
    } else {
        match submodule_refs::is_off_refs(git, &found.git_dir) {
            Ok(off) => note(Kind::Detached, usize::from(off)),
            Err(_) => note(Kind::Unread, 1),
        }
    }
    let inside =
        |path: &Path| std::fs::canonicalize(path).is_ok_and(|path| path.starts_with(&lane.path));
    match found.worktree() {
        Ok(Some(files)) => {
            note(Kind::Apart, usize::from(!inside(&files)));
            match status(&repository.git, found, &files) {
                Ok((staged, changed)) => {
                    note(Kind::Staged, staged);
                    note(Kind::Changed, changed);
                }
                Err(_) => note(Kind::Unread, 1),
            }
        }
        Ok(None) => match staged(git, &found.git_dir) {
            Ok(count) => note(Kind::Staged, count),
            Err(_) => note(Kind::Unread, 1),
        },
        Err(_) => note(Kind::Unread, 1),
    }
}

/// How many paths are staged, and how many are changed, untracked or in conflict.
fn status(git: &Git, found: &Found, files: &Path) -> Result<(usize, usize)> {
    let options = gix::open::Options::default()
        .bail_if_untrusted(true)
        .open_path_as_is(true);
    let unread = |error: String| {
        Error::git(format!(
            "cannot open '{}': {error}",
            found.git_dir.display()
        ))
    };
    let repo = options
        .open(&found.git_dir)
        .map_err(|error| unread(error.to_string()))?
        .to_thread_local();
    let places = [(files, found.git_dir.as_path())];
    let depth = match found.of {
        Inside::Submodule(_) => Depth::Full,
        Inside::Repository(_) => Depth::Foreign,
    };
    let status = statuses(&repo, &places, git, depth).swap_remove(0)?;
    Ok((
        status.staged,
        status.modified + status.untracked + status.conflicted,
    ))
}

/// How many paths the index of a repository without a worktree has otherwise than its HEAD.
fn staged(git: &Git, git_dir: &Path) -> Result<usize> {
    if optional::metadata(&git_dir.join("index"))?.is_none() {
        return Ok(0);
    }
    let staged = match at(git, git_dir).rev_parse("HEAD^{commit}")? {
        Some(head) => at(git, git_dir).diff_index(head)?,
        None => at(git, git_dir).ls_files(&[], NONE)?,
    };
    Ok(staged.len())
}

/// What is around a repository in a lane.
struct Around<'a> {
    repository: &'a Repository,
    found: &'a Found,
    lane: &'a Worktree,
}

impl Around<'_> {
    /// The clone of the same that the lane does not take along.
    fn sibling(&self) -> PathBuf {
        match &self.found.of {
            Inside::Submodule(name) => self.repository.common_dir().join("modules").join(name),
            Inside::Repository(path) => self.repository.main_site().0.join(path).join(".git"),
        }
    }
}

impl submodule_refs::Elsewhere for Around<'_> {
    fn refs(&self) -> Vec<submodule_refs::Row> {
        let sibling = self.sibling();
        let list = || {
            let git = at(&self.repository.git, &sibling);
            git.for_each_ref(submodule_refs::FIELDS, NONE).ok()
        };
        let listed = sibling.join("HEAD").exists().then(list).flatten();
        listed.unwrap_or_default()
    }

    fn leaving_remotes(&self) -> Result<Vec<BString>> {
        nested::leaving_remotes(&self.found.git_dir, &self.lane.path)
    }
}

/// Notes every submodule of the lane that a repository of another worktree borrows objects from.
fn lent(repository: &Repository, lane: &Worktree, found: &[Found], inner: &mut Inner) {
    if found.is_empty() {
        return;
    }
    let common_dir = repository.common_dir();
    let mut others = repositories(common_dir, &mut |_| ());
    for other in worktree::linked(common_dir).unwrap_or_default() {
        if other.git_dir != lane.git_dir {
            others.extend(repositories(&other.git_dir, &mut |_| ()));
        }
    }
    for other in others {
        let objects = other.join("objects");
        // The borrower that cannot be read is not the lane's to account for.
        let text =
            crate::store::optional::bytes(objects.join("info/alternates")).unwrap_or_default();
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let Ok(lender) = std::fs::canonicalize(objects.join(crate::store::path(line))) else {
                continue;
            };
            let of = |found: &&Found| {
                std::fs::canonicalize(&found.git_dir).is_ok_and(|own| lender.starts_with(own))
            };
            if let Some(lender) = found.iter().find(of) {
                inner.note(&lender.of, Kind::Lent, 1);
            }
        }
    }
}

/// A git in such a repository. Its worktree may be gone, where git would want to go first. What the
/// repository lacks is not fetched, by no program that it may name for that.
fn at(git: &Git, directory: &Path) -> Invocation {
    let git = git
        .at(directory)
        .env("GIT_DIR", directory)
        .env("GIT_WORK_TREE", directory);
    git.env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_NO_LAZY_FETCH", "1")
}

/// The first of the submodule commits `pointers` (path and commit) that none of the submodule's
/// remotes has, and no repository but those of the lane's worktree: a user who checks it out after
/// the lane has left finds nothing.
pub fn only_in_lane<'a>(
    repository: &Repository,
    lane: &Worktree,
    pointers: &'a [(BString, ObjectId)],
) -> Option<&'a (BString, ObjectId)> {
    let git = &repository.git;
    let mut own = repositories(&lane.git_dir, &mut |_| ());
    let mut elsewhere = repositories(repository.common_dir(), &mut |_| ());
    let main = repository.main_site().0;
    for (path, _) in pointers {
        own.extend(checked_out(git, &lane.path.join(crate::store::path(path))));
        elsewhere.extend(checked_out(git, &main.join(crate::store::path(path))));
    }
    let has = |directory: &Path, id: ObjectId| at(git, directory).has_commit(id).unwrap_or(false);
    let published = |directory: &Path, id: ObjectId| {
        let which = ["--max-count=1", &id.to_string(), "--not", "--remotes"];
        let beyond = at(git, directory).rev_list(which, NONE);
        beyond.is_ok_and(|found| found.is_empty())
    };
    pointers.iter().find(|(_, id)| {
        let here: Vec<_> = own.iter().filter(|directory| has(directory, *id)).collect();
        !here.is_empty()
            && !here.iter().any(|directory| published(directory, *id))
            && !elsewhere.iter().any(|directory| has(directory, *id))
    })
}
