//! The short critical section that makes a prepared lane visible, and its completion after a crash.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::unmake::{Identity, created_from, is_registered};
use super::{Intent, by_git};
use crate::domain::lane::{Lane, ObjectId, RefName};
use crate::domain::start;
use crate::error::{Code, Error, IoContext, Result};
use crate::install;
use crate::repository::Repository;
use crate::repository::admin_dir::link;
use crate::repository::exclude;
use crate::repository::metadata::Edit;
use crate::repository::refs::RefChange;
use crate::store::exists;
use crate::store::git::settings::SPARSE_CONFIG;
use crate::store::journal::step;
use crate::store::no_replace;

/// Writes down how far a start is.
pub(super) type Save<'a> = &'a mut dyn FnMut(&Intent) -> Result<()>;

/// Makes the lane visible. The caller holds the registry lock. Every step looks whether it was done
/// before.
pub(super) fn publish(repository: &Repository, intent: &mut Intent, save: Save<'_>) -> Result<()> {
    make_ready(repository, intent, &BTreeSet::new())?;
    save(intent)?;
    // A config.lock that another process holds must stop us before anything can be seen.
    let edit = Edit::begin(repository.lane_dir())?;
    put_in_place(repository, intent)?;
    record(repository, intent, edit)
}

/// Looks a last time whether the lane can be made, and fixes what it is made of; `taken` are names of
/// admin directories that are spoken for.
pub(super) fn make_ready(
    repository: &Repository,
    intent: &mut Intent,
    taken: &BTreeSet<PathBuf>,
) -> Result<()> {
    ensure_still_free(repository, intent)?;
    if intent.by_git {
        intent.made_admin = Identity::of(&admin_dir(repository, intent));
    } else {
        point_at_admin(repository, intent, &intent.staged_worktree.clone(), taken)?;
        intent.made_admin = Identity::of(&intent.staged_admin);
    }
    intent.made_worktree = Identity::of(&intent.staged_worktree);
    intent.publishing = true;
    Ok(())
}

/// Puts branch, worktree and admin directory where git and the user see them. The caller holds
/// `config.lock` too.
pub(super) fn put_in_place(repository: &Repository, intent: &mut Intent) -> Result<()> {
    exclude::add(repository, &intent.lane.worktree)?;
    create_branch(repository, intent)?;
    if intent.by_git {
        by_git::attach(repository, intent)?;
        write_dot_git(repository, intent, &intent.staged_worktree)?;
    }
    step("start.branch");
    place_worktree(intent)?;
    exclude::remove(repository, &intent.hidden_directory())?;
    step("start.worktree");
    register(repository, intent)?;
    step("start.registered");
    Ok(())
}

/// Tells git where the worktree is that is in place.
fn register(repository: &Repository, intent: &Intent) -> Result<()> {
    match intent.by_git {
        true => by_git::register(repository, intent),
        false => place_admin(
            repository,
            &intent.staged_admin,
            &admin_dir(repository, intent),
        ),
    }
}

/// Completes a start whose worktree can be seen at `at`: it is registered and recorded as it is,
/// whatever a user who works there has done meanwhile. `false` when it must stay a worktree without
/// a lane.
pub(super) fn complete(
    repository: &Repository,
    intent: &mut Intent,
    at: PathBuf,
    save: Save<'_>,
) -> Result<bool> {
    let edit = Edit::begin(repository.lane_dir())?;
    intent.lane.worktree = at;
    let lost =
        !intent.by_git && !is_registered(repository, intent) && !intent.staged_admin.exists();
    let (records, name) = (edit.records(), &intent.lane.name);
    let alike = records.alike(repository.name_rule(), name);
    let named = records.find(name).or(alike).is_some();
    if named || lost || is_anothers(repository, intent)? {
        if intent.by_git {
            by_git::register(repository, intent)?;
            by_git::release(repository, intent)?;
        }
        return Ok(false);
    }
    exclude::add(repository, &intent.lane.worktree)?;
    if !intent.by_git && !is_registered(repository, intent) {
        // Another git may have taken the admin directory's name meanwhile.
        let place = intent.lane.worktree.clone();
        point_at_admin(repository, intent, &place, &BTreeSet::new())?;
        save(intent)?;
        place_admin(
            repository,
            &intent.staged_admin,
            &admin_dir(repository, intent),
        )?;
    }
    if intent.by_git {
        by_git::register(repository, intent)?;
    }
    record(repository, intent, edit).map(|()| true)
}

/// Records the lane.
fn record(repository: &Repository, intent: &Intent, mut edit: Edit) -> Result<()> {
    add_record(intent, &mut edit)?;
    edit.commit()?;
    step("start.recorded");
    match intent.by_git {
        true => by_git::release(repository, intent),
        false => Ok(()),
    }
}

/// Adds the lane's record, and the include that brings a sparse worktree its settings.
pub(super) fn add_record(intent: &Intent, edit: &mut Edit) -> Result<()> {
    edit.put(&intent.lane)?;
    if let Some(branch) = &intent.lane.branch {
        edit.put_branch_section(branch, &intent.upstream)?;
    }
    if intent.relative {
        edit.allow_relative_links()?;
    }
    edit.set_default(install::MARK, install::UNDECIDED)?;
    // git itself sees to its settings of a sparse worktree.
    if intent.sparse && !intent.by_git {
        edit.include_for_worktree(&intent.admin_name, SPARSE_CONFIG)?;
    }
    Ok(())
}

/// Whether what a dead process had prepared can still be published.
pub(super) fn can_resume(repository: &Repository, intent: &Intent) -> Result<bool> {
    let records = repository.records()?;
    if records
        .find(&intent.lane.name)
        .is_some_and(|lane| lane.id == intent.lane.id)
    {
        return Ok(true);
    }
    let own = intent.new_branch && branch_is(repository, intent, intent.commit)?;
    let intent = Intent {
        new_branch: intent.new_branch && !own,
        ..intent.clone()
    };
    Ok(!is_anothers(repository, &intent)? && ensure_still_free(repository, &intent).is_ok())
}

/// Publishes what a dead process had prepared and no other could see yet.
pub(super) fn resume(repository: &Repository, intent: &mut Intent, save: Save<'_>) -> Result<()> {
    if !intent.publishing {
        return Err(Error::refused("nothing was published yet"));
    }
    if is_anothers(repository, intent)? {
        return Err(Error::refused("another lane is there"));
    }
    if intent.new_branch && branch_is(repository, intent, intent.commit)? {
        intent.new_branch = false;
    }
    publish(repository, intent, save)
}

/// Looks again, now that no other git-lane can interfere.
fn ensure_still_free(repository: &Repository, intent: &Intent) -> Result<()> {
    let raced = |what: String| {
        Error::refused(what)
            .with_code(Code::Raced)
            .hint("run the command again")
    };
    let records = repository.records()?;
    if records.find(&intent.lane.name).is_some() {
        return Err(raced(format!(
            "lane '{}' was started by another command at the same moment",
            intent.lane.name
        )));
    }
    if let Some(other) = records.alike(repository.name_rule(), &intent.lane.name) {
        let name = intent.lane.name.clone();
        return Err(start::Refusal::Alike(name, other.name.clone()).into());
    }
    if let Some(task) = intent.lane.task.as_ref().filter(|_| intent.unique)
        && let Some(other) = records
            .lanes
            .iter()
            .find(|lane| lane.task.as_ref() == Some(task))
    {
        return Err(start::Refusal::TaskTaken(task.clone(), other.name.clone()).into());
    }
    if let Some(branch) = intent.lane.branch.as_ref().filter(|_| intent.new_branch)
        && repository.branch_tip(branch)?.is_some()
    {
        // At the same commit it would pass for ours, and undoing this start would take it from its
        // owner.
        return Err(raced(format!(
            "branch '{branch}' was created by another command at the same moment"
        )));
    }
    if let Some(branch) = intent.lane.branch.as_ref().filter(|_| !intent.new_branch) {
        let own = admin_dir(repository, intent);
        let own =
            |git_dir: &Path| intent.by_git && git_dir == own && is_registered(repository, intent);
        let mut all = repository.worktrees()?.into_iter();
        let used = all.find(|worktree| worktree.uses(branch) && !own(&worktree.git_dir));
        if let Some(used) = used {
            return Err(raced(format!(
                "branch '{branch}' was just checked out in '{}'",
                used.path.display()
            )));
        }
        if !branch_is(repository, intent, intent.commit)? {
            return Err(raced(format!("branch '{branch}' has just moved")));
        }
    }
    Ok(())
}

/// Whether the lane's branch is at `commit`.
fn branch_is(repository: &Repository, intent: &Intent, commit: ObjectId) -> Result<bool> {
    let Some(branch) = &intent.lane.branch else {
        return Ok(false);
    };
    Ok(repository.branch_tip(branch)? == Some(commit))
}

/// Whether a lane has been recorded meanwhile with the worktree or the branch that this start
/// wanted.
fn is_anothers(repository: &Repository, intent: &Intent) -> Result<bool> {
    let wanted = &intent.lane;
    let same = |lane: &Lane| {
        lane.worktree == wanted.worktree || lane.branch.is_some() && lane.branch == wanted.branch
    };
    Ok(repository
        .records()?
        .lanes
        .iter()
        .any(|lane| lane.id != wanted.id && same(lane)))
}

fn create_branch(repository: &Repository, intent: &mut Intent) -> Result<()> {
    let Some(branch) = intent.lane.branch.as_ref().filter(|_| intent.new_branch) else {
        return Ok(());
    };
    let change = RefChange {
        name: RefName::from(branch),
        from: None,
        to: Some(intent.commit),
    };
    repository.change_refs(&[change], &created_from(intent))?;
    intent.created_branch = true;
    Ok(())
}

fn place_worktree(intent: &Intent) -> Result<()> {
    let target = &intent.lane.worktree;
    // An empty directory that the user prepared is used, as git does; anything else in it makes
    // this fail.
    let _ = std::fs::remove_dir(target);
    rename_new(&intent.staged_worktree, target)
}

/// Renames a complete admin directory to where git looks for it; what is there stays.
pub(crate) fn place_admin(repository: &Repository, staged: &Path, admin: &Path) -> Result<()> {
    let worktrees = admin.parent().unwrap_or(admin);
    let mut attempts = 0;
    loop {
        repository
            .shared()
            .create_dir_all(worktrees)
            .context("create", worktrees)?;
        attempts += 1;
        match rename_new(staged, admin) {
            // `git worktree prune` removes the directory whenever it is empty.
            Err(_) if attempts < 100 && !worktrees.exists() => {}
            done => return done,
        }
    }
}

/// A rename that never replaces anything.
fn rename_new(from: &Path, to: &Path) -> Result<()> {
    match no_replace::rename(from, to) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(occupied(to))
        }
        other => other.context("create", to),
    }
}

fn occupied(path: &Path) -> Error {
    Error::refused(format!("'{}' already exists", path.display()))
        .with_code(Code::PathOccupied)
        .hint("choose another place with --path, or move away what is there")
}

/// The place of the admin directory once it is registered.
pub(super) fn admin_dir(repository: &Repository, intent: &Intent) -> PathBuf {
    repository
        .common_dir()
        .join("worktrees")
        .join(&intent.admin_name)
}

/// Picks an admin directory that is free and writes the `.git` file of `worktree` to match.
fn point_at_admin(
    repository: &Repository,
    intent: &mut Intent,
    worktree: &Path,
    taken: &BTreeSet<PathBuf>,
) -> Result<()> {
    let stem = intent.admin_name.clone();
    let mut attempt = 1;
    while taken.contains(&intent.admin_name) || exists(&admin_dir(repository, intent)) {
        let mut name = stem.clone().into_os_string();
        name.push(attempt.to_string());
        intent.admin_name = name.into();
        attempt += 1;
    }
    if intent.relative {
        let gitdir = intent.staged_admin.join("gitdir");
        let text = link(
            &admin_dir(repository, intent),
            &intent.lane.worktree.join(".git"),
            true,
        );
        repository
            .shared()
            .write(&gitdir, text)
            .context("write", &gitdir)?;
    }
    write_dot_git(repository, intent, worktree)
}

/// Writes the `.git` file of `worktree`, which is to be the lane's.
fn write_dot_git(repository: &Repository, intent: &Intent, worktree: &Path) -> Result<()> {
    let mut text = b"gitdir: ".to_vec();
    text.extend_from_slice(&link(
        &intent.lane.worktree,
        &admin_dir(repository, intent),
        intent.relative,
    ));
    let dot_git = worktree.join(".git");
    if crate::store::optional::bytes(&dot_git).is_ok_and(|now| now == text) {
        return Ok(());
    }
    std::fs::write(&dot_git, text).context("write", &dot_git)
}
