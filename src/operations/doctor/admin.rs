//! Admin directories, `.git/worktrees/<id>`: those that git stumbles over, and worktrees that lost
//! theirs.
//!
//! One whose worktree is alive is mended in place, because index, logs and HEAD in it are the
//! user's work. Only one that no worktree answers to is moved out of git's sight, and can be
//! brought back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::ByteSlice;

use super::rebuild;
use crate::domain::doctor::{AdminAge, Finding, Orphan, Poisoned};
use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::name::BranchName;
use crate::domain::status::Operation;
use crate::engines::status;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::repository::find_worktree;
use crate::repository::find_worktree::named_by;
use crate::repository::recovered::Healed;
use crate::repository::worktree;
use crate::repository::{RefFormat, Repository};
use crate::store as git;
use crate::store::entries;
use crate::store::exists;
use crate::store::file_id::{FileId, is_same};
use crate::store::journal::{About, Announce, Journal};
use crate::store::lockfile;
use crate::store::lockfile::LockFile;
use crate::store::retry;

impl Announce for Poisoned {
    fn about(&self) -> About {
        let what = format!("the mending of '{}'", self.admin.display());
        About {
            what,
            lanes: self.lane.iter().cloned().collect(),
            ..About::default()
        }
    }
}

/// How long an admin directory must have been left alone before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// The admin directories that git stumbles over.
pub(super) fn poisoned(repository: &Repository, lanes: &[Lane]) -> Result<Vec<Finding>> {
    let common_dir = repository.common_dir();
    let mut found = Vec::new();
    for admin in worktree::unfinished(common_dir)? {
        let age = if left_alone(&admin) {
            AdminAge::Old
        } else {
            AdminAge::Fresh
        };
        found.push(match living(repository, lanes, &admin) {
            Some((lane, worktree)) => {
                let head = readable_head(&admin) || head_of(repository, lane, &admin).is_some();
                let lane = lane.map(|lane| lane.name.clone());
                Finding::Poisoned(Poisoned {
                    lane,
                    worktree,
                    admin,
                    age,
                    head,
                })
            }
            None => Finding::UnfinishedAdmin(admin, age),
        });
    }
    Ok(found)
}

/// The worktree whose `.git` file names this admin directory, and the lane it is of.
fn living<'a>(
    repository: &Repository,
    lanes: &'a [Lane],
    admin: &Path,
) -> Option<(Option<&'a Lane>, PathBuf)> {
    let real = std::fs::canonicalize(admin).ok()?;
    let answers = |path: &Path| {
        named_by(path)
            .is_some_and(|target| std::fs::canonicalize(target).is_ok_and(|target| target == real))
    };
    if let Some(lane) = lanes.iter().find(|lane| answers(&lane.worktree)) {
        return Some((Some(lane), lane.worktree.clone()));
    }
    let named = worktree::describe(repository.common_dir(), admin).map(|worktree| worktree.path);
    let main = repository.main_site().0;
    let path = named
        .into_iter()
        .chain(find_worktree::candidates(repository, &main))
        .find(|path| answers(path))?;
    Some((None, path))
}

/// Gives a living worktree's admin directory back what git needs of it; what was there and is of no
/// use is kept.
pub(super) fn mend(repository: &Repository, poisoned: &Poisoned) -> Result<()> {
    // Half mended it would look as if a process were just making it, and be left alone.
    let running = Journal::new(repository.lane_dir()).begin(poisoned)?;
    write_what_is_missing(repository, poisoned)?;
    running.done()
}

/// Completes an interrupted mending. Who has done something else about that worktree since was
/// right to.
pub fn recover(repository: &Repository, poisoned: &Poisoned) -> Result<Healed> {
    let broken = || {
        worktree::unfinished(repository.common_dir()).map(|found| found.contains(&poisoned.admin))
    };
    if broken()? {
        match write_what_is_missing(repository, poisoned) {
            Err(error) if error.kind() != Kind::Refused => return Err(error),
            _ => {}
        }
    }
    let what = format!("the mending of '{}'", poisoned.admin.display());
    Ok(Healed::new(what, !broken()?))
}

fn write_what_is_missing(repository: &Repository, poisoned: &Poisoned) -> Result<()> {
    let Poisoned {
        worktree, admin, ..
    } = poisoned;
    let records = repository.records()?;
    let lane = poisoned.lane.as_ref().and_then(|name| records.find(name));
    if living(repository, &records.lanes, admin).is_none_or(|(_, path)| path != *worktree) {
        return Err(
            Error::refused(format!("'{}' is no longer what it was", admin.display()))
                .with_code(Code::Raced),
        );
    }
    if !worktree::names_its_repository(repository.common_dir(), admin) {
        replace(repository, &admin.join("commondir"), b"../..\n")?;
    }
    if worktree::describe(repository.common_dir(), admin)
        .is_none_or(|found| found.path != *worktree)
    {
        replace(
            repository,
            &admin.join("gitdir"),
            &line(&worktree.join(".git")),
        )?;
    }
    if !readable_head(admin) {
        let head = head_of(repository, lane, admin)
            .ok_or_else(|| Error::refused("nothing says where HEAD was"))?;
        keep(repository, &admin.join("HEAD"))?;
        LockFile::acquire_link(&admin.join("HEAD"), repository.lane_dir())?
            .commit(head.as_bytes())?;
    }
    Ok(())
}

/// Tells both ends of a worktree that was moved by hand to `to` where the other one is now. Each
/// write is complete, and after the first one alone the worktree is found again.
pub(super) fn reconnect(repository: &Repository, site: &Worktree, to: &Path) -> Result<()> {
    if find_worktree::find_after_repository(repository, site).as_deref() != Some(to) {
        return Err(
            Error::refused(format!("'{}' is no longer what it was", to.display()))
                .with_code(Code::Raced),
        );
    }
    let dot_git = to.join(".git");
    let names_it =
        |target: PathBuf| std::fs::canonicalize(target).is_ok_and(|target| target == site.git_dir);
    if !named_by(to).is_some_and(names_it) {
        let text = [b"gitdir: ", line(&site.git_dir).as_slice()].concat();
        lockfile::replace(&dot_git, repository.lane_dir(), &text)?;
    }
    lockfile::replace(
        &site.git_dir.join("gitdir"),
        repository.lane_dir(),
        &line(&dot_git),
    )
}

fn line(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    [path.as_os_str().as_bytes(), b"\n"].concat()
}

fn readable_head(admin: &Path) -> bool {
    worktree::has_head(admin)
}

/// The text of the `HEAD` that a worktree lost: where its log says it was, else the branch of its
/// record. A branch must bear that out by being where the log ends, and free; else `HEAD` is that
/// commit, where nothing can be lost.
fn head_of(repository: &Repository, lane: Option<&Lane>, admin: &Path) -> Option<String> {
    if repository.ref_format() == RefFormat::Reftable {
        // A stand-in: the reftable has it.
        return Some("ref: refs/heads/.invalid\n".into());
    }
    let log = crate::store::optional::bytes(admin.join("logs/HEAD")).unwrap_or_default();
    let last = log
        .lines()
        .next_back()
        .and_then(|line| ObjectId::from_hex(line.split(|b| *b == b' ').nth(1)?).ok());
    let commit = last.filter(|id| !id.is_null() && retry::has_object(&repository.gix, *id));
    let named = log.lines().rev().find_map(|line| {
        let (_, message) = line.split_once_str("\t")?;
        let went = message
            .strip_prefix(b"checkout: moving from ")
            .or(message.strip_prefix(b"Branch: renamed "))?;
        Some(went.rsplit_once_str(" to ")?.1)
    });
    let tip = |branch: &BranchName| repository.branch_tip(branch).ok().flatten();
    // `git checkout --detach main` is logged like a switch to main.
    let branch = match named {
        Some(to) => BranchName::from_ref(to.as_bstr())
            .or_else(|| BranchName::parse(to.as_bstr()).ok())
            .filter(|branch| commit.is_some() && tip(branch) == commit),
        None => lane.and_then(|lane| lane.branch.clone()).filter(|branch| {
            tip(branch).is_some_and(|tip| commit.is_none_or(|commit| commit == tip))
        }),
    };
    // In the middle of a rebase HEAD is where the log ends.
    let detaches = |operation| matches!(operation, Operation::Rebase | Operation::Bisect);
    let attached = !status::operation(admin).is_some_and(detaches);
    match branch.filter(|branch| attached && is_free(repository, branch, admin)) {
        Some(branch) => Some(format!("ref: {}\n", branch.to_ref())),
        None => commit.map(|id| format!("{id}\n")),
    }
}

/// Whether no worktree but the one with this admin directory has the branch checked out, or will
/// write to it.
pub(super) fn is_free(repository: &Repository, branch: &BranchName, admin: &Path) -> bool {
    let taken = |other: &Worktree| other.git_dir != admin && other.uses(branch);
    repository
        .worktrees()
        .is_ok_and(|all| !all.iter().any(taken))
}

/// Puts a new file in the place of one that git cannot use, which is kept when there is anything in
/// it.
fn replace(repository: &Repository, file: &Path, text: &[u8]) -> Result<()> {
    keep(repository, file)?;
    lockfile::replace(file, repository.lane_dir(), text)
}

/// Keeps what a file that is about to be replaced says, once: by a link, which is there or is not.
fn keep(repository: &Repository, file: &Path) -> Result<()> {
    let Some(found) = std::fs::symlink_metadata(file)
        .ok()
        .filter(|found| found.is_file() && found.len() > 0)
    else {
        return Ok(());
    };
    let same = |kept: PathBuf| FileId::of_name(&kept) == Some((&found).into());
    if paths_in(&damaged(repository)).any(same) {
        return Ok(());
    }
    let aside = aside(repository)?;
    std::fs::hard_link(file, &aside).context("keep", file)
}

/// A lane whose worktree git does not know: it lost its admin directory, which may have been put
/// aside here.
pub(super) fn unlisted(repository: &Repository, lane: &Lane) -> Finding {
    let (name, worktree) = (lane.name.clone(), lane.worktree.clone());
    if !exists(&worktree) {
        return Finding::MissingWorktree(name, worktree);
    }
    let Some(admin) = named_by(&worktree) else {
        return Finding::UnlistedWorktree(name, worktree, None);
    };
    let ours = admin
        .parent()
        .and_then(|parent| std::fs::canonicalize(parent).ok());
    let ours = ours == std::fs::canonicalize(repository.common_dir().join("worktrees")).ok();
    let was_its = |kept: &PathBuf| {
        let named = worktree::describe(repository.common_dir(), kept).map(|found| found.path);
        let head = worktree::resolved_head(kept, repository.common_dir());
        named.map_or_else(
            || head.branch().is_some() && head.branch() == lane.branch.as_ref(),
            |path| path == worktree,
        )
    };
    match paths_in(&damaged(repository)).find(was_its) {
        Some(kept) if ours && !admin.exists() => Finding::PutAside(name, worktree, kept),
        _ => match rebuild::lost(repository, lane) {
            Some(admin) => Finding::LostAdmin(name, worktree, admin),
            None => Finding::UnlistedWorktree(name, worktree, other_of(repository, &admin)),
        },
    }
}

/// The living worktree whose admin directory that is.
fn other_of(repository: &Repository, admin: &Path) -> Option<PathBuf> {
    let admin = std::fs::canonicalize(admin).ok()?;
    let other = repository
        .worktrees()
        .ok()?
        .into_iter()
        .find(|other| other.git_dir == admin)?;
    (other.state == WorktreeState::Present).then_some(other.path)
}

/// Brings an admin directory back that was put aside, and mends it.
pub(super) fn bring_back(repository: &Repository, lane: &Lane, kept: &Path) -> Result<()> {
    let raced = || {
        Error::refused(format!("'{}' is no longer what it was", kept.display()))
            .with_code(Code::Raced)
    };
    let admin = named_by(&lane.worktree)
        .filter(|admin| !admin.exists())
        .ok_or_else(raced)?;
    if let Some(parent) = admin.parent() {
        repository
            .shared()
            .create_dir_all(parent)
            .context("create", parent)?;
    }
    std::fs::rename(kept, &admin).context("move", kept)?;
    let (lane, worktree) = (Some(lane.name.clone()), lane.worktree.clone());
    mend(
        repository,
        &Poisoned {
            lane,
            worktree,
            admin,
            age: AdminAge::Old,
            head: true,
        },
    )
}

/// The repository that a worktree we have an admin directory for really belongs to: ours is a copy
/// of that one.
pub(super) fn belongs_elsewhere(repository: &Repository, worktree: &Worktree) -> Option<PathBuf> {
    let admin = std::fs::canonicalize(named_by(&worktree.path)?).ok()?;
    let common = crate::store::optional::bytes(admin.join("commondir")).ok()?;
    let common = std::fs::canonicalize(admin.join(git::path(common.trim_end()))).ok()?;
    (!is_same(&common, repository.common_dir())).then_some(common)
}

fn left_alone(admin: &Path) -> bool {
    let recent = |path: &Path| {
        let time = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        time.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < PATIENCE))
    };
    let entries = entries(admin);
    !recent(admin) && !entries.map(|entry| entry.path()).any(|path| recent(&path))
}

/// A directory that is gone, or was moved by hand.
pub(super) fn missing(repository: &Repository, lane: &Lane, worktree: &Worktree) -> Finding {
    match find_worktree::find_after_repository(repository, worktree) {
        Some(path) => Finding::FoundWorktree(lane.name.clone(), lane.worktree.clone(), path),
        None => Finding::MissingWorktree(lane.name.clone(), lane.worktree.clone()),
    }
}

fn paths_in(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    entries(directory).map(|entry| entry.path())
}

/// Branches whose only reflog entry is their creation, that no worktree has checked out, and that
/// were made beside a worktree that never came to be: a half-made admin directory, still there or
/// put aside, has the name or names the branch in its HEAD. Without such a trace nothing tells an
/// orphan from a branch that the user made and has not used yet.
pub(super) fn orphans(
    repository: &Repository,
    lanes: &[Lane],
    worktrees: &[Worktree],
    alive: &[Finding],
) -> Result<Vec<Finding>> {
    let alive = |admin: &Path| {
        alive
            .iter()
            .any(|finding| matches!(finding, Finding::Poisoned(p) if p.admin == admin))
    };
    let mut found = Vec::new();
    let put_aside = paths_in(&damaged(repository));
    let half_made = worktree::unfinished(repository.common_dir())?
        .into_iter()
        .filter(|admin| !alive(admin));
    let half_made: Vec<PathBuf> = half_made.chain(put_aside).collect();
    for (name, tip) in repository.refs_below("refs/heads/")? {
        let Some(branch) = BranchName::from_ref(name.as_bstr()) else {
            continue;
        };
        let known = lanes
            .iter()
            .any(|lane| lane.branch.as_ref() == Some(&branch))
            || worktrees.iter().any(|worktree| worktree.uses(&branch));
        let named = repository.common_dir().join("worktrees").join(git::path(
            branch.as_bstr().rsplit_str("/").next().unwrap_or_default(),
        ));
        let log = repository
            .common_dir()
            .join("logs")
            .join(git::path(&branch.to_ref()));
        let log = crate::store::optional::bytes(log).unwrap_or_default();
        let never_used = log.lines().count() == 1 && log.contains_str("\tbranch: Created from");
        if known || !never_used {
            continue;
        }
        let by_name = named.exists()
            && !alive(&named)
            && worktree::describe(repository.common_dir(), &named).is_none();
        let on_it = half_made
            .iter()
            .filter(|admin| worktree::read_head(admin).branch() == Some(&branch));
        let admins: Vec<&PathBuf> = on_it.chain(Some(&named).filter(|_| by_name)).collect();
        if admins.is_empty() {
            continue;
        }
        let fresh = admins.iter().any(|admin| {
            admin.starts_with(repository.common_dir().join("worktrees")) && !left_alone(admin)
        });
        let way = || crate::guard::way_to(repository.git_dir(), &branch);
        found.push(Finding::OrphanBranch(
            branch.clone(),
            match fresh {
                true => Orphan::Fresh,
                false if is_elsewhere(repository, &branch, &tip)? => Orphan::TakeUpOrDelete(way()),
                false => Orphan::TakeUp(way()),
            },
        ));
    }
    Ok(found)
}

/// Whether another branch has the commit, too.
fn is_elsewhere(repository: &Repository, branch: &BranchName, tip: &ObjectId) -> Result<bool> {
    let holding = format!("--contains={tip}");
    let which = ["--count=2", &holding, "refs/heads", "refs/remotes"];
    let listed = repository.git_here().for_each_ref(["refname"], which)?;
    Ok(listed.iter().any(|[name]| *name != branch.to_ref()))
}

fn damaged(repository: &Repository) -> PathBuf {
    repository.lane_dir().join("damaged")
}

fn aside(repository: &Repository) -> Result<PathBuf> {
    let directory = damaged(repository);
    repository
        .shared()
        .create_dir_all(&directory)
        .context("create", &directory)?;
    Ok(directory.join(git::journal::unique_id()))
}

/// Moves a half-made admin directory out of git's sight; nothing in it is deleted. Returns where it
/// is.
pub(super) fn put_aside(repository: &Repository, path: &Path) -> Result<PathBuf> {
    let aside = aside(repository)?;
    std::fs::rename(path, &aside).context("move", path)?;
    Ok(aside)
}
