//! Which worktree the user means, and which ones could become lanes.

use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::Wish;
use super::own_base::base_of;
use crate::domain::adopt::{branch_of, ensure_other_than, git_dirs_of_lanes, is_being_made};
use crate::domain::lane::Worktree;
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::repository::metadata::Records;
use crate::repository::{Repository, revision};
use crate::store::exists;

/// The worktrees that `--all` means: each that is no lane's, is not being made, and is not where
/// the base or a protected branch is checked out.
pub fn candidates<'a>(
    repository: &Repository,
    all: &'a [Worktree],
    records: &Records,
    wish: &Wish<'_>,
) -> Vec<&'a Worktree> {
    let is_home = |worktree: &Worktree| {
        let Some(branch) = branch_of(worktree) else {
            return false;
        };
        let base = base_of(repository, Some(branch), wish);
        wish.policy.protects(branch)
            || base.is_ok_and(|base| ensure_other_than(branch, base.name.as_ref()).is_err())
    };
    let linked = all.iter().filter(|worktree| worktree.id.is_some());
    let taken = git_dirs_of_lanes(all, &records.lanes);
    linked
        .filter(|worktree| !taken.contains(worktree.git_dir.as_path()))
        .filter(|worktree| !is_being_made(worktree) && !is_home(worktree))
        .collect()
}

/// The linked worktrees that are no lane's: what a shell completes.
pub fn without_a_lane(repository: &Repository) -> Result<Vec<Worktree>> {
    let all = repository.worktrees()?;
    let taken = git_dirs_of_lanes(&all, &repository.records()?.lanes);
    let free =
        |worktree: &&Worktree| worktree.id.is_some() && !taken.contains(worktree.git_dir.as_path());
    Ok(all.iter().filter(free).cloned().collect())
}

/// The worktree that the user means: by the branch that it works on, or by a path to it or into it.
///
/// # Errors
/// A refusal where nothing is called so, or a branch and a path mean two worktrees.
pub fn find<'a>(repository: &Repository, all: &'a [Worktree], text: &str) -> Result<&'a Worktree> {
    let branch = text.strip_prefix("refs/heads/").unwrap_or(text);
    let branch = BranchName::parse(branch.as_bytes().as_bstr()).ok();
    let branch = branch
        .map(|branch| repository.branch_meant(&branch))
        .transpose()?;
    let by_branch = branch.as_ref().and_then(|branch| {
        let works_on = |worktree: &&Worktree| branch_of(worktree) == Some(branch);
        // The main worktree is no lane's, whatever is checked out there beside another one.
        let linked = |worktree: &&Worktree| worktree.id.is_some();
        let found = all.iter().filter(linked).find(works_on);
        found.or_else(|| all.iter().find(works_on))
    });
    let (path, by_path) = at(all, Path::new(text))?;
    match (by_branch, by_path) {
        (Some(one), Some(other)) if one.git_dir != other.git_dir => Err(two(text, one, other)),
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) => Err(nothing(repository, text, branch.as_ref(), path)),
    }
}

/// The top of the worktree that `path` leads into, as git would find it from there, and that
/// worktree where it is one of `all`.
fn at<'a>(all: &'a [Worktree], path: &Path) -> Result<(Option<PathBuf>, Option<&'a Worktree>)> {
    let absolute = std::path::absolute(path)
        .map_err(|error| Error::environment("the current directory is gone").caused_by(error))?;
    let Ok(real) = std::fs::canonicalize(&absolute) else {
        let gone = revision::resolve(&absolute);
        return Ok((None, all.iter().find(|worktree| worktree.path == gone)));
    };
    let is_top = |path: &&Path| exists(&path.join(".git"));
    // A worktree that has lost its `.git` file is damaged, and told so by its path.
    let listed = all.iter().find(|worktree| worktree.path == real);
    let top = real.ancestors().find(is_top);
    let inside = top.and_then(|top| all.iter().find(|worktree| worktree.path == top));
    Ok((top.map(Path::to_owned), listed.or(inside)))
}

fn two(text: &str, by_branch: &Worktree, by_path: &Worktree) -> Error {
    let (one, other) = (by_branch.path.display(), by_path.path.display());
    Error::refused(format!(
        "'{text}' is the branch in '{one}' and the path of '{other}'"
    ))
    .with_code(Code::NotAWorktree)
    .hint(format!(
        "say which with: git lane adopt {}, or {}",
        quote(one),
        quote(other)
    ))
}

fn nothing(
    repository: &Repository,
    text: &str,
    branch: Option<&BranchName>,
    top: Option<PathBuf>,
) -> Error {
    let refuse = |sentence: String| Error::refused(sentence).with_code(Code::NotAWorktree);
    if let Some(top) = top {
        return refuse(format!(
            "'{}' is no worktree of this repository",
            top.display()
        ))
        .hint("see those there are with: git worktree list");
    }
    let exists =
        branch.is_some_and(|branch| repository.branch_tip(branch).is_ok_and(|tip| tip.is_some()));
    match branch.filter(|_| exists) {
        Some(branch) => refuse(format!("no worktree has branch '{branch}' checked out")).hint(
            format!("give it a lane with: git lane start {}", quote(branch)),
        ),
        None => refuse(format!(
            "'{text}' is neither a worktree nor a branch that is checked out in one"
        ))
        .hint("see those there are with: git worktree list"),
    }
}
