//! The repositories of a linked worktree's submodules, which live in its admin directory or in it, and leave with it.
//!
//! `find` knows where they are, `refs` what they have that no remote has. Here both become [`Holdings`]; what cannot be
//! read counts as held.

mod find;
mod refs;

use std::path::Path;

use bstr::BString;

use self::find::{Found, checked_out, repositories};
use super::command::{Git, Invocation};
use super::repository::Repository;
use super::status::{Depth, operation, statuses};
use super::{optional, worktree};
use crate::domain::lane::{Lane, ObjectId, Worktree};
use crate::domain::submodule::{Holdings, Kind};
use crate::error::{Error, Result};

/// What the submodules of a lane's worktree hold that exists nowhere else: in its admin directory's `modules`, whether or
/// not an index still knows them, and as directories of old style that are repositories themselves.
pub fn held(repository: &Repository, lane: &Lane, worktree: &Worktree) -> Holdings {
    let mut holdings = Holdings::default();
    let found = find::all(repository, lane, worktree, &mut holdings);
    for found in &found {
        look(repository, found, worktree, &mut holdings);
    }
    lent(repository, worktree, &found, &mut holdings);
    holdings
}

/// Looks into one of them.
fn look(repository: &Repository, found: &Found, lane: &Worktree, holdings: &mut Holdings) {
    let mut note = |kind, count| holdings.note(&found.name, kind, count);
    note(Kind::Operation, operation(&found.git_dir).iter().count());
    let siblings = Siblings { repository, name: &found.name };
    if refs::own(&repository.git, &found.git_dir, &siblings, &mut note).is_err() {
        note(Kind::Unread, 1);
    }
    match optional::list(&found.git_dir.join("worktrees")) {
        Ok(worktrees) => note(Kind::Worktree, worktrees.map_or(0, |worktrees| worktrees.len())),
        Err(_) => note(Kind::Unread, 1),
    }
    let inside = |path: &Path| std::fs::canonicalize(path).is_ok_and(|path| path.starts_with(&lane.path));
    match found.worktree() {
        Ok(Some(files)) => {
            note(Kind::Apart, usize::from(!inside(&files)));
            match status(found, &files) {
                Ok((staged, changed)) => {
                    note(Kind::Staged, staged);
                    note(Kind::Changed, changed);
                }
                Err(_) => note(Kind::Unread, 1),
            }
        }
        Ok(None) => match staged(&repository.git, &found.git_dir) {
            Ok(count) => note(Kind::Staged, count),
            Err(_) => note(Kind::Unread, 1),
        },
        Err(_) => note(Kind::Unread, 1),
    }
}

/// How many paths are staged, and how many are changed, untracked or in conflict.
fn status(found: &Found, files: &Path) -> Result<(usize, usize)> {
    let options = gix::open::Options::default().bail_if_untrusted(true).open_path_as_is(true);
    let unread = |error: String| Error::git(format!("cannot open '{}': {error}", found.git_dir.display()));
    let repo = options.open(&found.git_dir).map_err(|error| unread(error.to_string()))?.to_thread_local();
    let places = [(files, found.git_dir.as_path())];
    let status = statuses(&repo, &places, &Git::program(), Depth::Full).swap_remove(0)?;
    Ok((status.staged, status.modified + status.untracked + status.conflicted))
}

/// How many paths the index of a submodule without a worktree has otherwise than its HEAD.
fn staged(git: &Git, git_dir: &Path) -> Result<usize> {
    if optional::metadata(&git_dir.join("index"))?.is_none() {
        return Ok(0);
    }
    let born = at(git, git_dir).args(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).output()?;
    let listed = match born.status.success() {
        true => at(git, git_dir).args(["diff-index", "--cached", "--name-only", "-z", "HEAD", "--"]).stdout()?,
        false => at(git, git_dir).args(["ls-files", "-z"]).stdout()?,
    };
    Ok(listed.iter().filter(|byte| **byte == 0).count())
}

/// Where else a tag of a submodule may be: in the clones of the same submodule that the lane does not take along.
struct Siblings<'a> {
    repository: &'a Repository,
    name: &'a Path,
}

impl refs::Elsewhere for Siblings<'_> {
    fn tags(&self) -> Vec<u8> {
        let main = self.repository.common_dir().join("modules").join(self.name);
        let list = || at(&self.repository.git, &main).args(refs::LIST).arg("refs/tags").stdout().ok();
        let listed = main.join("HEAD").exists().then(list).flatten();
        listed.map(Vec::from).unwrap_or_default()
    }
}

/// Notes every submodule of the lane that a repository of another worktree borrows objects from.
fn lent(repository: &Repository, lane: &Worktree, found: &[Found], holdings: &mut Holdings) {
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
        let text = crate::git::optional::bytes(objects.join("info/alternates")).unwrap_or_default();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Ok(lender) = std::fs::canonicalize(objects.join(super::path(line))) else { continue };
            let of = |found: &&Found| std::fs::canonicalize(&found.git_dir).is_ok_and(|own| lender.starts_with(own));
            if let Some(lender) = found.iter().find(of) {
                holdings.note(&lender.name, Kind::Lent, 1);
            }
        }
    }
}

/// A git in a submodule's repository. Its worktree may be gone, where git would want to go first.
fn at(git: &Git, directory: &Path) -> Invocation {
    git.at(directory).env("GIT_DIR", directory).env("GIT_WORK_TREE", directory)
}

/// The first of the submodule commits `pointers` (path and commit) that none of the submodule's remotes has, and no
/// repository but those of the lane's worktree: whoever checks it out after the lane has left finds nothing.
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
        own.extend(checked_out(git, &lane.path.join(super::path(path))));
        elsewhere.extend(checked_out(git, &main.join(super::path(path))));
    }
    let has = |directory: &Path, id: ObjectId| {
        let asked = at(git, directory).args(["cat-file", "-e"]).arg(format!("{id}^{{commit}}")).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let published = |directory: &Path, id: ObjectId| {
        let walk = at(git, directory).args(["rev-list", "--max-count=1"]).arg(id.to_string());
        walk.args(["--not", "--remotes"]).stdout().is_ok_and(|found| found.is_empty())
    };
    pointers.iter().find(|(_, id)| {
        let here: Vec<_> = own.iter().filter(|directory| has(directory, *id)).collect();
        !here.is_empty()
            && !here.iter().any(|directory| published(directory, *id))
            && !elsewhere.iter().any(|directory| has(directory, *id))
    })
}
