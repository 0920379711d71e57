//! Reads what a decision needs and fills the plain structs of `domain`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::provenance::{WORKTREES, is_usual};
use super::remote_branch;
use crate::domain::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState, user_of};
use crate::domain::name::BranchName;
use crate::domain::retire::place;
use crate::domain::start::{self, Base, Broken, OfRemote, Target, TargetState};
use crate::error::{Code, Error, Result};
use crate::policy::Policy;
use crate::repository::Repository;
use crate::store::exists;
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
            return branch_base(repository, &branch)?.ok_or_else(|| no_commit_yet(&branch));
        }
    }
    Ok(Base {
        name: None,
        commit: commit(repository, name)?,
    })
}

/// The base when none was named: the branch the remote's HEAD points to, else the main worktree's
/// branch.
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
    match repository.main_worktree_head()? {
        Head::Branch(branch) => {
            branch_base(repository, &branch)?.ok_or_else(|| no_commit_yet(&branch))
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

fn no_commit_yet(branch: &BranchName) -> Error {
    Error::refused(format!("branch '{branch}' has no commit yet"))
        .with_code(Code::Unborn)
        .hint("make a first commit: git commit --allow-empty -m 'Start'")
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

/// What the repository, with these worktrees, says about a request to start a lane.
pub fn start(
    repository: &Repository,
    worktrees: &[Worktree],
    policy: &Policy,
    request: &start::Request,
    base: Base,
) -> Result<start::Facts> {
    let records = repository.records()?;
    let mut existing = records.find(&request.name).cloned();
    let present = existing
        .as_ref()
        .and_then(|lane| place(lane, worktrees).present());
    let existing_broken = existing
        .as_ref()
        .filter(|_| present.is_none())
        .map(|lane| broken(repository, lane, worktrees));
    if let (Some(lane), Some(worktree)) = (&mut existing, present) {
        // git may have moved it.
        lane.worktree.clone_from(&worktree.path);
    }
    let mut facts = start::Facts {
        existing_broken,
        base,
        branch_tip: None,
        branch_used_by: None,
        branch_owned_by: None,
        conflicting_branch: None,
        of_remote: OfRemote::Nothing,
        target: target(repository, policy, request, &records.lanes, worktrees)?,
        existing,
    };
    if let Some(branch) = &request.branch {
        facts.branch_tip = repository.branch_tip(branch)?;
        facts.branch_used_by = user_of(branch, worktrees).map(|worktree| worktree.path.clone());
        facts.branch_owned_by = records
            .lanes
            .iter()
            .find(|lane| lane.branch.as_ref() == Some(branch))
            .map(|lane| lane.name.clone());
        if facts.branch_tip.is_none() {
            facts.conflicting_branch = repository.conflicting_branch(branch)?;
            facts.of_remote = of_remote(repository, request, branch)?;
        }
    }
    Ok(facts)
}

/// What the remotes have of a branch that does not exist here. Who names a base wants a new branch
/// from there, and who names a branch that very one.
fn of_remote(
    repository: &Repository,
    request: &start::Request,
    branch: &BranchName,
) -> Result<OfRemote> {
    if let Some((tracking, branch)) = remote_branch::named(repository, branch)? {
        return Ok(OfRemote::Named(tracking, branch));
    }
    let guessed = match request.explicit.base {
        Some(_) => OfRemote::Nothing,
        None => remote_branch::guess(repository, branch)?,
    };
    // A policy may put all branches below the name of a remote.
    let is_typed = request.explicit.branch.is_none() && branch.as_bstr() == request.name.as_str();
    if guessed != OfRemote::Nothing || !is_typed {
        return Ok(guessed);
    }
    let missing = remote_branch::would_be(repository, branch);
    Ok(missing.map_or(OfRemote::Nothing, |(remote, named)| {
        OfRemote::Missing(remote, named)
    }))
}

/// What is wrong with the worktree of a lane that has none to work in.
fn broken(repository: &Repository, lane: &Lane, worktrees: &[Worktree]) -> Broken {
    let there = exists(&lane.worktree);
    let Some(worktree) = place(lane, worktrees).worktree() else {
        let unknown = || {
            Broken::Damaged(
                lane.worktree.clone(),
                "git does not list it as a worktree".into(),
            )
        };
        return if there { unknown() } else { Broken::Gone };
    };
    match &worktree.state {
        WorktreeState::Damaged(why) => Broken::Damaged(worktree.path.clone(), why.clone()),
        _ => crate::repository::find_worktree::find(repository, worktree)
            .map_or(Broken::Gone, Broken::Moved),
    }
}

/// Where the worktree goes, and what is there now.
fn target(
    repository: &Repository,
    policy: &Policy,
    request: &start::Request,
    lanes: &[Lane],
    worktrees: &[Worktree],
) -> Result<Target> {
    if let Some(path) = &request.explicit.path {
        let path = resolve(path);
        return Ok(Target {
            state: state_of(repository, &path, worktrees),
            path,
        });
    }
    let (main, _) = repository.main_site();
    let repo = repository_name(&main);
    let mut attempt = 1;
    loop {
        let relative = start::worktree_path(&policy.path, repo.as_bstr(), &request.name, attempt);
        let path = resolve(&main.join(relative));
        let taken = |lane: &Lane| lane.worktree == path && lane.name != request.name;
        let same_path = worktrees.iter().any(|worktree| worktree.path == path);
        // Another lane whose name leads to the same directory keeps it; this one gets the next.
        if lanes.iter().any(taken)
            || (same_path && attempt < 100 && lanes.iter().all(|lane| lane.worktree != path))
        {
            attempt += 1;
            continue;
        }
        let state = match state_of(repository, &path, worktrees) {
            TargetState::Free if policy.path_is_tracked => {
                tracked_state(repository, &repository.main_worktree()?, &path)?
            }
            state => state,
        };
        return Ok(Target { state, path });
    }
}

/// What speaks against a place that the tracked policy names: a stranger may have put something
/// there, or on the way.
fn tracked_state(repository: &Repository, main: &Worktree, path: &Path) -> Result<TargetState> {
    if exists(path) {
        return Ok(TargetState::NotNew);
    }
    let below = |directory: &str| {
        let home = main.path.join(directory);
        path.starts_with(&home).then_some(home)
    };
    let home = WORKTREES.iter().find_map(|known| below(known));
    let Some(home) = home.filter(|_| main.state == WorktreeState::Present) else {
        // A link has led away from where it should be.
        let is_inside = path.starts_with(&main.path) || !is_usual(repository, path);
        return Ok(if is_inside {
            TargetState::InTheRepository(path.to_owned())
        } else {
            TargetState::Free
        });
    };
    let named = home.strip_prefix(&main.path).unwrap_or(&home);
    let tracked = repository.git_in(main).has_in_any_case(named)?;
    let on_the_way = home.ancestors().take_while(|above| *above != main.path);
    let link = on_the_way
        .map(Path::to_owned)
        .find(|above| above.is_symlink());
    Ok(match link {
        Some(link) => TargetState::InTheRepository(link),
        None if tracked => TargetState::InTheRepository(home),
        None => TargetState::Free,
    })
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

fn state_of(repository: &Repository, path: &Path, worktrees: &[Worktree]) -> TargetState {
    if path.as_os_str().len() > 3900 {
        return TargetState::Impossible("the path is too long".into());
    }
    if path.iter().any(|name| name.len() > 255) {
        return TargetState::Impossible("a name in it is too long".into());
    }
    if let Some(file) = path
        .ancestors()
        .skip(1)
        .find(|ancestor| ancestor.exists() && !ancestor.is_dir())
    {
        return TargetState::Impossible(format!("'{}' is not a directory", file.display()));
    }
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => return TargetState::Symlink,
        Ok(metadata) if !metadata.is_dir() => return TargetState::Occupied,
        Ok(_) if std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_some()) => {
            return TargetState::Occupied;
        }
        _ => {}
    }
    if path.starts_with(repository.common_dir())
        || path.components().any(|part| part.as_os_str() == ".git")
    {
        return TargetState::InsideGitDirectory;
    }
    // A damaged admin directory may claim any place, `/` for one; files of its own must be there to
    // count.
    let there = |worktree: &Worktree| match worktree.state {
        WorktreeState::Bare | WorktreeState::BareWithIndex | WorktreeState::Unknown => false,
        WorktreeState::Damaged(_) => worktree.path.join(".git").is_file(),
        WorktreeState::Present | WorktreeState::Missing => true,
    };
    let inside = |worktree: &&Worktree| there(worktree) && path.starts_with(&worktree.path);
    // The innermost worktree is the one whose files the directory would be among.
    match worktrees
        .iter()
        .filter(inside)
        .max_by_key(|worktree| worktree.path.components().count())
    {
        None => TargetState::Free,
        Some(worktree) if worktree.id.is_some() => {
            TargetState::InsideWorktree(worktree.path.clone())
        }
        Some(_) => TargetState::Free,
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
