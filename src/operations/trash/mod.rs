//! `.git/lane/trash/<id>/`: where removed lanes wait, complete.
//!
//! An entry holds `entry.json` (what it is), `worktree/` (the directory, renamed), `dot-git` (the
//! directory's `.git` file, kept aside so that a shell still standing in there cannot work on a
//! later worktree of the same name), `admin/` (git's admin directory, renamed) and `reflog` (the
//! branch's). `refs/lane/trash/<id>` keeps its objects from gc.
//!
//! Called by `retire` and `restore`, which fill and empty it, and by the commands that list it.

pub mod expire;
pub mod keeper_commit;
pub(super) mod links;
mod lower_layer;
pub(super) mod move_mark;
mod parking;
pub mod relocation;
pub mod size;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::operations::trash::relocation::Places;
use bstr::BStr;
pub use expire::{Expiration, Expired, expire, expire_within};

use crate::domain::lane::RefName;
use crate::domain::name::LaneName;
use crate::domain::trash_entry::{Entry, KeptWorktree, relocated};
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;
use crate::repository::provenance::misfit_of_entry;
use crate::repository::recovered::Heal;
use crate::repository::refs::RefChange;
use crate::store::exists;
use crate::store::file_id::FileId;
use crate::store::journal::{Exclusive, Journal, Running};
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;

/// How long to wait for others who move lanes; each holds the lock for milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The directory of entries.
pub fn directory(repository: &Repository) -> PathBuf {
    repository.lane_dir().join("trash")
}

/// The ref that keeps an entry's objects.
pub fn ref_name(id: &str) -> Result<RefName> {
    RefName::parse(BStr::new(&format!("refs/lane/trash/{id}")))
        .ok_or_else(|| Error::environment(format!("'{id}' cannot be the id of a removed lane")))
}

/// The complete entries, oldest first. What is on its way in, out or back is left out, and so is
/// what cannot be read.
pub fn entries(repository: &Repository) -> Result<Vec<Entry>> {
    let directory = directory(repository);
    let under_way = under_way(repository);
    let mut found = Vec::new();
    let listed = match std::fs::read_dir(&directory) {
        Ok(listed) if lane_files::is_directory(&directory) => listed,
        Err(error) if lane_files::is_directory(&directory) => {
            return Err(error).context("read", &directory);
        }
        _ => return Ok(found),
    };
    for entry in listed.flatten() {
        let id = entry.file_name();
        let Some(read) = read(repository, &entry.path()) else {
            continue;
        };
        if id == *read.id && !under_way.iter().any(|(_, busy)| busy.id == read.id) {
            found.push(read);
        }
    }
    found.sort_by(|a: &Entry, b| a.id.cmp(&b.id));
    Ok(found)
}

/// What the entry in `directory` says, with the places of today.
fn read(repository: &Repository, directory: &Path) -> Option<Entry> {
    let mut entry = said(repository, directory)?;
    let common_dir = repository.common_dir();
    if let Some(worktree) = &mut entry.worktree
        && has_moved(worktree, common_dir)
        && let Some(today) = relocated(&worktree.path, &worktree.common_dir, common_dir)
        && today != worktree.path
    {
        if entry.lane.worktree == worktree.path {
            entry.lane.worktree.clone_from(&today);
        }
        worktree.was_at = Some(std::mem::replace(&mut worktree.path, today));
    }
    Some(entry)
}

/// What the file of the entry in `directory` says, if git-lane itself could have written that.
fn said(repository: &Repository, directory: &Path) -> Option<Entry> {
    if !lane_files::is_directory(directory) {
        return None;
    }
    let entry: Entry =
        serde_json::from_slice(&lane_files::read(&directory.join("entry.json")).ok()?).ok()?;
    misfit_of_entry(repository, directory, &entry)
        .is_none()
        .then_some(entry)
}

/// Whether the place of a worktree went where the repository did, or is that of the repository this
/// one is a copy of.
fn has_moved(worktree: &KeptWorktree, common_dir: &Path) -> bool {
    let then = FileId::of(&worktree.common_dir);
    let elsewhere =
        !worktree.common_dir.as_os_str().is_empty() && worktree.common_dir != common_dir;
    let place_is_gone = || worktree.path.parent().is_none_or(|parent| !parent.exists());
    elsewhere && then != FileId::of(common_dir) && (then.is_some() || place_is_gone())
}

/// The directories of entries that hold something and do not say what: restoring them is for a
/// person to do.
pub fn damaged(repository: &Repository) -> Vec<PathBuf> {
    let unreadable = |path: &PathBuf| {
        let holds = |part: &str| exists(&path.join(part));
        said(repository, path).is_none()
            && (lane_files::is_unfit(path, true)
                || ["entry.json", "worktree", "admin"].into_iter().any(holds))
    };
    let hidden = |path: &PathBuf| {
        path.file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'))
    };
    let listed = lane_files::list(&directory(repository));
    let mut found: Vec<PathBuf> = listed
        .filter(|path| !hidden(path) && unreadable(path))
        .collect();
    if !found.is_empty() {
        // Some may just be coming or going; what was done meanwhile can be read now, or is gone.
        let busy = under_way(repository);
        let moving = |path: &PathBuf| busy.iter().any(|(_, busy)| path.ends_with(&busy.id));
        found.retain(|path| !moving(path) && unreadable(path));
    }
    found.sort();
    found
}

/// Removes the ref that keeps what the entry `id` has, where it is there.
pub fn remove_ref(repository: &Repository, id: &str, reason: &str) -> Result<()> {
    let name = ref_name(id)?;
    match repository.ref_target(&name)? {
        Some(kept) => repository.change_refs(&[RefChange::removal(name, kept)], reason),
        None => Ok(()),
    }
}

/// Writes `entry.json`, whole or not at all.
pub fn write(lane_dir: &LaneDir, directory: &Path, entry: &Entry) -> Result<()> {
    let path = directory.join("entry.json");
    let malformed =
        |error| Error::environment(format!("cannot write '{}'", path.display())).caused_by(error);
    let bytes = serde_json::to_vec_pretty(entry).map_err(malformed)?;
    lane_dir.replace(&path, &bytes)
}

/// Removes an entry's directory once worktree and admin directory have left it; never anything
/// else. What a user who still stood in the removed lane put beside them stays, and the directory
/// with it.
pub fn remove_empty(directory: &Path) -> Result<()> {
    for file in [
        ".entry.json",
        "entry.json",
        "reflog",
        ".reflog",
        "size",
        ".size",
    ] {
        lane_files::remove_if_there(&directory.join(file))?;
    }
    let left = |part: &str| exists(&directory.join(part));
    match std::fs::remove_dir(directory) {
        Err(error)
            if error.kind() == std::io::ErrorKind::DirectoryNotEmpty
                && !["worktree", "admin"].into_iter().any(left) =>
        {
            Ok(())
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove", directory)
        }
        _ => Ok(()),
    }
}

/// A lane on its way into the trash or out of it, as the journal says.
#[derive(Debug, serde::Deserialize)]
struct UnderWay {
    operation: String,
    id: String,
    lane: LaneName,
}

fn under_way(repository: &Repository) -> Vec<(PathBuf, UnderWay)> {
    let mut pending: Vec<(PathBuf, UnderWay)> = Journal::new(repository.lane_dir()).pending();
    // A finish is under way too when it takes its lane away.
    pending.retain(|(_, busy)| matches!(busy.operation.as_str(), "retire" | "restore"));
    pending
}

/// Whether a process is taking the lane away or bringing it back, or died doing so.
pub fn is_moving(repository: &Repository, lane: &LaneName) -> bool {
    under_way(repository)
        .iter()
        .any(|(_, busy)| busy.lane == *lane)
}

/// Only one process at a time moves lanes in or out of the trash, and never one that a dead process
/// left half-moved: that is healed first.
pub fn exclusive(
    repository: &mut Repository,
    lane: &LaneName,
    heal: Heal<'_>,
) -> Result<Exclusive> {
    let start = std::time::Instant::now();
    loop {
        if let Some(lock) = unless_moving(repository, lane, |_| false)? {
            return Ok(lock);
        }
        // A process may have died after this command had looked.
        heal(repository)?;
        repository.unrecovered.ensure_lane_is_whole(lane)?;
        wait_since(start, lane)?;
    }
}

/// The same for the healing of the operation that `own` speaks of.
pub fn exclusive_for(repository: &Repository, lane: &LaneName, own: &Running) -> Result<Exclusive> {
    let start = std::time::Instant::now();
    loop {
        if let Some(lock) = unless_moving(repository, lane, |path| own.path() == path)? {
            return Ok(lock);
        }
        wait_since(start, lane)?;
    }
}

/// The lock, unless the journal has another operation than an own one that moves the lane.
fn unless_moving(
    repository: &Repository,
    lane: &LaneName,
    own: impl Fn(&Path) -> bool,
) -> Result<Option<Exclusive>> {
    let lock = Exclusive::acquire(repository.lane_dir(), "trash.lock", PATIENCE)?;
    let moving = under_way(repository)
        .iter()
        .any(|(path, busy)| !own(path) && busy.lane == *lane);
    Ok((!moving).then_some(lock))
}

fn wait_since(start: std::time::Instant, lane: &LaneName) -> Result<()> {
    if start.elapsed() > PATIENCE {
        return Err(Error::environment(format!(
            "another git-lane command is busy with lane '{lane}'"
        ))
        .with_code(Code::Busy));
    }
    std::thread::sleep(Duration::from_millis(5));
    Ok(())
}
