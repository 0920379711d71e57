//! Looks a repository over for what hooks cannot see and plain git stumbles over, and puts right what can be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BStr, ByteSlice};

use super::overtaken::overtaken;
use super::overview::worktree_statuses;
use super::repository::{RefFormat, Repository};
use super::{lockfile, metadata, moved, reconcile, worktree};
use crate::domain::doctor::{AdminAge, Finding, LockOwner, StrayRemedy};
use crate::domain::lane::{Lane, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::overview::stray;
use crate::domain::retire::{Place, place};
use crate::error::{Error, IoContext, Result};

/// How long an admin directory must have been left alone before it counts as dead.
const ADMIN_PATIENCE: Duration = Duration::from_secs(60);

/// Everything that is not as it should be, except the hooks.
pub fn examine(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = configuration(repository)?;
    found.extend(locks(repository)?);
    for admin in worktree::unfinished(repository.common_dir())? {
        let age = if left_alone(&admin) { AdminAge::Old } else { AdminAge::Fresh };
        found.push(Finding::UnfinishedAdmin(admin, age));
    }
    let poisoned = found.iter().any(|finding| matches!(finding, Finding::UnfinishedAdmin(..)));
    let records = repository.records()?;
    for damaged in &records.damaged {
        found.push(Finding::DamagedRecord(damaged.section.to_string(), damaged.problem.clone()));
    }
    // A reftable is read by git, which may not start while a half-made worktree is around.
    if poisoned && repository.ref_format() == RefFormat::Reftable {
        return Ok(found);
    }
    let worktrees = repository.worktrees()?;
    let outdated = reconcile::outdated(repository, &records.lanes, &worktrees)?;
    found.extend(lanes(repository, &records.lanes, &worktrees, &outdated)?);
    found.extend(outdated);
    found.extend(other_worktrees(&records.lanes, &worktrees));
    found.extend(orphans(repository, &records.lanes, &worktrees)?);
    Ok(found)
}

/// Puts one finding right.
pub fn fix(repository: &Repository, finding: &Finding) -> Result<()> {
    match finding {
        Finding::Stray(lane, _, StrayRemedy::SwitchBack) => switch_back(repository, lane),
        Finding::RenamedBranch(..) | Finding::RenamedBase(..) | Finding::MovedWorktree(..) => {
            reconcile::follow(repository, std::slice::from_ref(finding))
        }
        // Neither files nor index change: HEAD names the commit instead of the branch.
        Finding::CheckedOutTwice(_, _, path, true) => {
            repository.git.at(path).args(["switch", "--quiet", "--detach"]).run()
        }
        Finding::FoundWorktree(_, _, to) => {
            repository.git_here().args(["worktree", "repair", "--"]).arg(to).run()?;
            reconcile::follow(repository, std::slice::from_ref(finding))
        }
        Finding::UnfinishedAdmin(path, AdminAge::Old) => put_aside(repository, path),
        Finding::Lock(_, LockOwner::Dead) => {
            lockfile::clear_dead(&metadata::locks(repository.common_dir()), &lock_targets(repository)).map(drop)
        }
        Finding::BareWithWorktree => set(repository, &["core.bare", "false"]),
        Finding::StrangeWorktree(_) => set(repository, &["--unset-all", "core.worktree"]),
        other => Err(Error::refused(format!("{other}; that is for you to decide"))),
    }
}

fn set(repository: &Repository, args: &[&str]) -> Result<()> {
    repository.git.at(repository.common_dir()).args(["config", "--file", "config"]).args(args).run()
}

/// The settings of the shared configuration that make git run a program, in every worktree: any lane can plant one.
pub fn programs(repository: &Repository) -> Result<Vec<String>> {
    let config = metadata::load(&repository.common_dir().join("config"))?;
    let mut found: Vec<String> = Vec::new();
    for section in config.sections() {
        let header = section.header();
        let (word, name) = (header.name().to_string().to_lowercase(), header.subsection_name());
        for (key, value) in section.body() {
            let key = key.to_string();
            if runs_a_program(&word, &key.to_lowercase(), value.as_bstr()) {
                let name = name.map(|name| format!(".{name}")).unwrap_or_default();
                found.push(format!("{word}{name}.{key}"));
            }
        }
    }
    found.dedup();
    Ok(found)
}

/// git-config(1): what git hands to a shell, or runs.
fn runs_a_program(section: &str, key: &str, value: &BStr) -> bool {
    match (section, key) {
        // A built-in daemon is asked for with a boolean.
        ("core", "fsmonitor") => gix::config::Boolean::try_from(value).is_err(),
        ("core", "sshcommand" | "editor" | "pager" | "gitproxy" | "askpass" | "alternaterefscommand") => true,
        ("alias", _) => value.starts_with(b"!"),
        ("filter", "clean" | "smudge" | "process") | ("diff", "external" | "command" | "textconv") => true,
        ("merge", "driver") | ("credential", "helper") | ("sequence", "editor") | ("interactive", "difffilter") => true,
        ("difftool" | "mergetool" | "man" | "browser", "cmd" | "path") | ("gpg", "program") => true,
        _ => false,
    }
}

/// Settings that a hook's or a test's leaked `GIT_DIR` leaves behind.
fn configuration(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let common_dir = repository.common_dir();
    let top = common_dir.parent().filter(|_| common_dir.file_name().is_some_and(|name| name == ".git"));
    let submodule = common_dir.components().any(|part| part.as_os_str() == "modules");
    if let Some(top) = top
        && !submodule
    {
        if repository.config_bool("core.bare") && common_dir.join("index").exists() {
            found.push(Finding::BareWithWorktree);
        }
        if let Some(path) = repository.config("core.worktree") {
            let path = common_dir.join(super::path(&path));
            if std::fs::canonicalize(&path).map_or(true, |real| real != top) {
                found.push(Finding::StrangeWorktree(path));
            }
        }
    }
    if let Some(path) = repository.config("core.hooksPath") {
        let path = super::path(&path);
        if path.is_absolute() && !path.exists() {
            found.push(Finding::DeadHooksPath(path));
        }
    }
    Ok(found)
}

/// The files whose locks may be left behind.
fn lock_targets(repository: &Repository) -> Vec<PathBuf> {
    let common_dir = repository.common_dir();
    let mut targets = ["config", "index", "HEAD", "packed-refs"].map(|name| common_dir.join(name)).to_vec();
    let admin_dirs = std::fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    for admin in admin_dirs {
        targets.extend(["index", "HEAD"].map(|name| admin.path().join(name)));
    }
    targets
}

fn locks(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for target in lock_targets(repository) {
        let lock = lockfile::lock_path(&target);
        let Ok(metadata) = std::fs::symlink_metadata(&lock) else { continue };
        let age = metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
        let dead = lockfile::is_dead(&lock, &metadata::locks(repository.common_dir()));
        // A lock that is only being used is nothing to report.
        if dead || age > Duration::from_secs(5) {
            let owner = if dead { LockOwner::Dead } else { LockOwner::Unknown(age.as_secs()) };
            found.push(Finding::Lock(lock, owner));
        }
    }
    Ok(found)
}

fn left_alone(admin: &Path) -> bool {
    let recent = |path: &Path| {
        let time = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        time.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < ADMIN_PATIENCE))
    };
    let entries = std::fs::read_dir(admin).into_iter().flatten().flatten();
    !recent(admin) && !entries.map(|entry| entry.path()).any(|path| recent(&path))
}

/// Strays, and worktrees that are not where they should be.
fn lanes(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
    outdated: &[Finding],
) -> Result<Vec<Finding>> {
    let explained = |lane: &Lane| {
        outdated.iter().any(|finding| {
            matches!(finding, Finding::RenamedBranch(name, ..) | Finding::MovedWorktree(name, ..) if *name == lane.name)
        })
    };
    let mut found = Vec::new();
    for lane in lanes.iter().filter(|lane| !explained(lane)) {
        let name = || lane.name.clone();
        match place(lane, worktrees) {
            Place::Listed(worktree) | Place::Moved(worktree) => match &worktree.state {
                WorktreeState::Missing => found.push(missing(repository, lane, worktree)),
                WorktreeState::Damaged(why) => {
                    found.push(Finding::DamagedWorktree(Some(name()), worktree.path.clone(), why.clone()));
                }
                WorktreeState::Bare => {}
                WorktreeState::Present => {
                    let underway = super::status::operation(&worktree.git_dir).is_some();
                    if let Some(branch) = lane.branch.as_ref().filter(|branch| worktree.head.branch() == Some(branch)) {
                        let git = || repository.git.at(&worktree.path);
                        let found_out = overtaken(&worktree.git_dir, repository.common_dir(), branch, git);
                        found.extend(found_out.map(|overtaken| Finding::Overtaken(name(), branch.clone(), overtaken)));
                        found.extend(twice(lane, branch, lanes, worktrees, worktree));
                    }
                    if stray(lane, &worktree.head, underway) {
                        found.push(Finding::Stray(name(), worktree.head.clone(), remedy(repository, lane, worktree)));
                    }
                }
            },
            Place::Unlisted if std::fs::symlink_metadata(&lane.worktree).is_ok() => {
                found.push(Finding::UnlistedWorktree(name(), lane.worktree.clone()));
            }
            Place::Unlisted => found.push(Finding::MissingWorktree(name(), lane.worktree.clone())),
        }
    }
    Ok(found)
}

/// Worktrees of nobody's that have a lane's branch checked out too; a lane's would be a stray.
fn twice<'a>(
    lane: &'a Lane,
    branch: &'a BranchName,
    lanes: &'a [Lane],
    worktrees: &'a [Worktree],
    own: &'a Worktree,
) -> impl Iterator<Item = Finding> + 'a {
    let nobodys = |worktree: &Worktree| !lanes.iter().any(|lane| place(lane, worktrees).worktree() == Some(worktree));
    let others = worktrees.iter().filter(move |other| {
        *other != own && other.state == WorktreeState::Present && other.head.branch() == Some(branch) && nobodys(other)
    });
    others.map(|other| {
        // The main worktree is somebody's place to work in: where it goes is for them to say.
        let can_let_go = other.id.is_some() && super::status::operation(&other.git_dir).is_none();
        Finding::CheckedOutTwice(lane.name.clone(), branch.clone(), other.path.clone(), can_let_go)
    })
}

/// A directory that is gone, or was moved by hand.
fn missing(repository: &Repository, lane: &Lane, worktree: &Worktree) -> Finding {
    match moved::find_after_repository(repository, worktree) {
        Some(path) => Finding::FoundWorktree(lane.name.clone(), lane.worktree.clone(), path),
        None => Finding::MissingWorktree(lane.name.clone(), lane.worktree.clone()),
    }
}

/// A clean stray can be switched back; a detached one only when a ref has its commit too.
fn remedy(repository: &Repository, lane: &Lane, worktree: &Worktree) -> StrayRemedy {
    let clean = worktree_statuses(repository, &[worktree])
        .pop()
        .is_some_and(|status| status.is_ok_and(|status| status.is_clean() && status.operation.is_none()));
    let branch = worktree.head.branch().is_some();
    let home = lane.branch.as_ref().is_some_and(|own| repository.branch_tip(own).is_ok_and(|tip| tip.is_some()));
    if clean && branch && home { StrayRemedy::SwitchBack } else { StrayRemedy::Leave }
}

fn switch_back(repository: &Repository, name: &crate::domain::name::LaneName) -> Result<()> {
    let records = repository.records()?;
    let worktrees = repository.worktrees()?;
    let lane = records.find(name).filter(|lane| lane.branch.is_some());
    let Some((lane, worktree)) = lane.and_then(|lane| Some((lane, place(lane, &worktrees).present()?))) else {
        return Err(Error::refused(format!("lane '{name}' is no longer what it was")).code("raced"));
    };
    let Some(branch) = &lane.branch else { return Ok(()) };
    let switch = repository.git.at(&worktree.path).args(["switch", "--quiet", "--no-guess", "--end-of-options"]);
    switch.bytes(branch.as_bstr()).run()
}

fn other_worktrees(lanes: &[Lane], worktrees: &[Worktree]) -> Vec<Finding> {
    let lanes_own =
        |worktree: &&Worktree| lanes.iter().any(|lane| place(lane, worktrees).worktree() == Some(*worktree));
    let damaged = |worktree: &Worktree| match &worktree.state {
        WorktreeState::Damaged(why) => Some(Finding::DamagedWorktree(None, worktree.path.clone(), why.clone())),
        _ => None,
    };
    worktrees.iter().filter(|worktree| !lanes_own(worktree)).filter_map(damaged).collect()
}

/// Branches whose only reflog entry is their creation, that nobody has checked out, and that were made beside a worktree
/// that never came to be: a half-made admin directory, still there or put aside, has the name or names the branch in its
/// HEAD. Without such a trace nothing tells an orphan from a branch that somebody made and has not used yet.
fn orphans(repository: &Repository, lanes: &[Lane], worktrees: &[Worktree]) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let put_aside = std::fs::read_dir(damaged(repository)).into_iter().flatten().flatten().map(|entry| entry.path());
    let half_made = worktree::unfinished(repository.common_dir())?.into_iter().chain(put_aside);
    let named: Vec<BranchName> = half_made.filter_map(|admin| worktree::read_head(&admin).branch().cloned()).collect();
    for (name, _) in repository.refs_below("refs/heads/")? {
        let Some(branch) = BranchName::from_ref(name.as_bstr()) else { continue };
        let known = lanes.iter().any(|lane| lane.branch.as_ref() == Some(&branch))
            || worktrees.iter().any(|worktree| worktree.head.branch() == Some(&branch));
        let admin = repository
            .common_dir()
            .join("worktrees")
            .join(super::path(branch.as_bstr().rsplit_str("/").next().unwrap_or_default()));
        let log = repository.common_dir().join("logs").join(super::path(&branch.to_ref()));
        let log = std::fs::read(log).unwrap_or_default();
        let never_used = log.lines().count() == 1 && log.contains_str("\tbranch: Created from");
        let half_made = admin.exists() && worktree::describe(repository.common_dir(), &admin).is_none();
        if !known && never_used && (half_made || named.contains(&branch)) {
            found.push(Finding::OrphanBranch(branch));
        }
    }
    Ok(found)
}

fn damaged(repository: &Repository) -> PathBuf {
    repository.lane_dir().join("damaged")
}

/// Moves a half-made admin directory out of git's sight; nothing in it is deleted.
fn put_aside(repository: &Repository, path: &Path) -> Result<()> {
    let directory = damaged(repository);
    std::fs::create_dir_all(&directory).context("create", &directory)?;
    std::fs::rename(path, directory.join(super::journal::unique_id())).context("move", path)
}
