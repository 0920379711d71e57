//! Reads what a decision needs and fills the plain structs of `domain`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::domain::lane::{Head, ObjectId, RefName, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote;
use crate::domain::start::Base;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::store::retry;

/// Finds the base that the user named: a branch, a remote-tracking branch, a tag, or any commit.
pub fn named_base(repository: &Repository, name: &str) -> Result<Base> {
    for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/", ""] {
        let Some(full) = RefName::parse(format!("{prefix}{name}").as_bytes().as_bstr()) else {
            continue;
        };
        if let Some(id) = repository.ref_target(&full)? {
            let name = Some(repository.ref_meant(full)?);
            return Ok(Base {
                commit: commit(repository, &id.to_string())?,
                name,
            });
        }
    }
    if name == "HEAD" || name == "@" {
        let head = repository.current_worktree()?.map_or_else(
            || repository.main_worktree().map(|w| w.head),
            |w| Ok(w.head),
        )?;
        if let Head::Branch(branch) = head {
            return branch_base(repository, &branch)?
                .ok_or_else(|| no_commit_yet(repository, &branch));
        }
    }
    Ok(Base {
        name: None,
        commit: commit(repository, name)?,
    })
}

/// The base when none was named: the branch the remote's HEAD points to, else the main worktree's
/// branch, which is the one it comes back to while it shows a lane.
pub fn default_base(repository: &Repository) -> Result<Base> {
    if let Some(upstream) = remote_head(repository)? {
        let short = upstream.shorten();
        let local = short
            .find_byte(b'/')
            .and_then(|at| BranchName::parse(short[at + 1..].as_bstr()).ok());
        if let Some(local) = local
            && let Some(base) = branch_base(repository, &local)?
        {
            return Ok(base);
        }
        if let Some(commit) = repository.ref_target(&upstream)? {
            return Ok(Base {
                name: Some(upstream),
                commit,
            });
        }
    }
    let tried = repository.tried()?;
    let home = tried.and_then(|tried| BranchName::from_ref(tried.branch.as_bstr()));
    let head = match home {
        Some(branch) => Head::Branch(branch),
        None => repository.main_worktree_head()?,
    };
    match head {
        Head::Branch(branch) => {
            branch_base(repository, &branch)?.ok_or_else(|| no_commit_yet(repository, &branch))
        }
        Head::Detached(commit) => Ok(Base { name: None, commit }),
        Head::Other(_) => {
            Err(Error::refused("the main worktree is on no branch")
                .hint("name the base with --base"))
        }
    }
}

fn branch_base(repository: &Repository, branch: &BranchName) -> Result<Option<Base>> {
    let branch = &repository.branch_meant(branch)?;
    let tip = repository.branch_tip(branch)?;
    Ok(tip.map(|commit| Base {
        name: Some(RefName::from(branch)),
        commit,
    }))
}

fn no_commit_yet(repository: &Repository, branch: &BranchName) -> Error {
    let error =
        Error::refused(format!("branch '{branch}' has no commit yet")).with_code(Code::Unborn);
    let worktrees = repository.worktrees().unwrap_or_default();
    let there = worktrees.iter().find(|worktree| {
        worktree.state == WorktreeState::Present && worktree.head.branch() == Some(branch)
    });
    error.hint(match there {
        Some(there) => format!(
            "make a first commit: git -C {} commit --allow-empty -m Start",
            quote(there.path.display())
        ),
        None => "push a first commit to it".to_owned(),
    })
}

/// Where `refs/remotes/<remote>/HEAD` points, for `origin` or else the only remote.
fn remote_head(repository: &Repository) -> Result<Option<RefName>> {
    let remotes = repository.gix.remote_names();
    let remote = match remotes.iter().find(|name| name.as_bstr() == "origin") {
        Some(origin) => origin,
        None if remotes.len() == 1 => match remotes.iter().next() {
            Some(only) => only,
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let Some(head) = RefName::parse(format!("refs/remotes/{remote}/HEAD").as_bytes().as_bstr())
    else {
        return Ok(None);
    };
    repository.symbolic_target(&head)
}

/// The commit a revision names.
pub fn commit(repository: &Repository, revision: &str) -> Result<ObjectId> {
    let git = repository.git_in_current()?;
    let found = git.rev_parse_to(revision, gix::object::Kind::Commit)?;
    found.ok_or_else(|| {
        Error::refused(format!("'{revision}' names no commit"))
            .with_code(Code::NoSuchBase)
            .hint("see the branches with: git branch --all")
    })
}

/// The commit an annotated tag leads to; any other object as it is.
pub fn peeled(repository: &Repository, id: ObjectId) -> ObjectId {
    let peel = || repository.gix.find_object(id)?.peel_to_commit();
    retry::objects(&repository.gix, peel).map_or(id, |commit| commit.id)
}

/// The best common ancestor of a base and a lane's tip.
pub fn merge_base(
    repository: &Repository,
    base: ObjectId,
    tip: ObjectId,
) -> Result<Option<ObjectId>> {
    let found = retry::objects(&repository.gix, || repository.gix.merge_base(base, tip));
    let found = found
        .map_err(|error| Error::git(format!("cannot compare the lane with its base: {error}")))?;
    Ok(found.map(|id| id.detach()))
}

/// The name `{repo}` stands for: the main worktree's directory, a bare repository's without `.git`.
pub(crate) fn repository_name(main: &Path) -> BString {
    use std::os::unix::ffi::OsStrExt;
    let name = |path: &Path| BString::from(path.file_name().unwrap_or_default().as_bytes());
    let own = name(main);
    let own = own.strip_suffix(b".git").unwrap_or(&own);
    if own.is_empty() || own.starts_with(b".") {
        main.parent().map(name).unwrap_or_default()
    } else {
        own.into()
    }
}

/// An absolute path without `.`, `..` or symbolic links in what exists of it; the last component is
/// left as it is.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                absolute = std::fs::canonicalize(&absolute).unwrap_or(absolute);
                absolute.pop();
            }
            Component::CurDir => {}
            other => absolute.push(other),
        }
    }
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return absolute;
    };
    let existing = parent
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(parent);
    let Ok(real) = std::fs::canonicalize(existing) else {
        return absolute;
    };
    match parent.strip_prefix(existing) {
        Ok(rest) => real.join(rest).join(name),
        Err(_) => absolute.clone(),
    }
}

/// Takes out of `ids` what `tip` reaches since `fork_point`, as far as a bounded walk goes.
pub(crate) fn forget_reachable(
    repository: &Repository,
    tip: ObjectId,
    fork_point: ObjectId,
    ids: &mut BTreeSet<ObjectId>,
) {
    /// Hardly a lane has more commits of its own.
    const MOST: usize = 10_000;
    let hidden = retry::has_object(&repository.gix, fork_point).then_some(fork_point);
    let Ok(walk) = repository.gix.rev_walk([tip]).with_hidden(hidden).all() else {
        return;
    };
    for commit in walk.take(MOST) {
        match commit {
            Ok(commit) if !ids.is_empty() => drop(ids.remove(&commit.id)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_after_its_directory() {
        assert_eq!(repository_name(Path::new("/x/shop")), "shop");
        assert_eq!(repository_name(Path::new("/x/shop.git")), "shop");
        assert_eq!(repository_name(Path::new("/x/shop/.bare")), "shop");
        assert_eq!(repository_name(Path::new("/x/shop/.git")), "shop");
    }
}
