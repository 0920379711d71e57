//! A lane's branch that a user or a git moved from outside its worktree: `git update-ref`, `git
//! fetch -u`, a push that git was told to accept.
//!
//! Index and files are still those of the commit the worktree left the branch at, so that the next
//! commit would silently undo what came between. No hook of level restore sees it happen. It shows
//! in the worktree's own log of HEAD, whose last entry is not where the branch is; some tools write
//! no such log, so the index has to agree before anything is said. Where the refs are a reftable
//! the log is in there too, and git is asked for it.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::worktree::read_head;
use crate::domain::guard::Overtaken;
use crate::domain::name::BranchName;
use crate::repository::{RefFormat, Repository};
use crate::store::git::Invocation;

/// More than a line of the log ever takes.
const TAIL: i64 = 8192;

/// Whether `branch`, which the worktree of `git_dir` has checked out, was moved behind its back.
/// What cannot be told counts as no.
pub fn overtaken(
    git_dir: &Path,
    common_dir: &Path,
    branch: &BranchName,
    git: impl Fn() -> Invocation,
) -> Option<Overtaken> {
    let was = match common_dir.join("reftable").is_dir() {
        true => last_commit_by_git(&git)?,
        false => last_commit(git_dir)?,
    };
    let loose =
        crate::store::optional::bytes(common_dir.join(crate::store::path(&branch.to_ref())))
            .unwrap_or_default();
    if loose.trim_end() == was.as_bytes() {
        return None;
    }
    let now = git().rev_parse(branch.to_ref()).ok()?;
    let now = now.map(|id| id.to_string());
    if now.as_ref() == Some(&was) {
        return None;
    }
    git().rev_parse_to(&was, gix::object::Kind::Commit).ok()??;
    let Some(now) = now else {
        return Some(Overtaken { was, now: None });
    };
    (!index_has_left(&was, &now, git)?).then_some(Overtaken {
        was,
        now: Some(now),
    })
}

/// The same of the linked worktree that the caller stands in, with the branch that it has checked
/// out.
pub fn overtaken_here(repository: &Repository) -> Option<(BranchName, Overtaken)> {
    let (git_dir, common_dir) = (repository.git_dir(), repository.common_dir());
    if git_dir == common_dir {
        return None;
    }
    let here = std::env::current_dir().ok()?;
    let git = || repository.git.at(&here);
    let branch = match repository.ref_format() {
        RefFormat::Reftable => {
            let named = git().symbolic_ref("HEAD").ok()??;
            BranchName::from_ref(named.as_bstr())?
        }
        RefFormat::Files => read_head(git_dir).branch()?.clone(),
    };
    let found = overtaken(git_dir, common_dir, &branch, git)?;
    Some((branch, found))
}

/// Whether the index is no longer `from`'s wherever `to` is another tree: it was taken there,
/// whatever else is staged. `None` when git does not know.
pub fn index_has_left(from: &str, to: &str, git: impl Fn() -> Invocation) -> Option<bool> {
    let came = git().diff_tree(&["--no-renames"], from, to).ok()?;
    let own: BTreeSet<BString> = git().diff_index(from).ok()?.into_iter().collect();
    Some(came.iter().all(|path| own.contains(path)))
}

/// The commit HEAD was at when this worktree wrote it last.
fn last_commit(git_dir: &Path) -> Option<String> {
    let mut log = crate::store::optional::open(&git_dir.join("logs/HEAD")).ok()??;
    if log.seek(SeekFrom::End(-TAIL)).is_err() {
        log.rewind().ok()?;
    }
    let mut tail = Vec::new();
    log.read_to_end(&mut tail).ok()?;
    commit(
        tail.trim_end()
            .lines()
            .next_back()?
            .split(|byte| *byte == b' ')
            .nth(1)?,
    )
}

/// The same, of a log that only git can read.
fn last_commit_by_git(git: impl Fn() -> Invocation) -> Option<String> {
    commit(git().reflog("HEAD", "%H", Some(1)).ok()?.first()?)
}

fn commit(id: &[u8]) -> Option<String> {
    let id = id.to_str().ok()?.to_owned();
    (id.bytes().all(|digit| digit.is_ascii_hexdigit()) && id.bytes().any(|digit| digit != b'0'))
        .then_some(id)
}
