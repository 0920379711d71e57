//! Where the parts of a removed lane are, and the renames between here and there.
//!
//! Every step asks the disk what is already done, so that it can be repeated after a crash,
//! forwards and backwards. Nothing is ever replaced and no symbolic link followed:
//! `RENAME_NOREPLACE` and `O_NOFOLLOW` semantics throughout.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
use rustix::io::Errno;

use super::move_mark::{is_marked, mark, mark_to_move, unmark};
use super::{links, lower_layer, parking};
use crate::domain::obstacle::Obstacle;
use crate::domain::trash_entry::{KeptWorktree, Stamp};
use crate::error::{Error, IoContext, Result};
use crate::repository::provenance::worktree_settings;
use crate::store::exists;
use crate::store::journal::step;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::no_replace;

/// How long `git worktree prune` may keep on removing the directory a lane comes back into.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// Where a directory of a lower layer becomes one of the upper layer, on its way into the trash and
/// back.
const LEAVING: &str = "leaving";
const RETURNING: &str = "returning";
const ADMIN_LEAVING: &str = "admin-leaving";
const ADMIN_RETURNING: &str = "admin-returning";

/// The two ends of a move.
#[derive(Debug)]
pub struct Places {
    lane_dir: LaneDir,
    /// The entry's directory in the trash.
    pub entry: PathBuf,
    /// The worktree's directory, at its original path.
    original: PathBuf,
    /// `.git/worktrees/<id>`.
    admin: PathBuf,
    stamp: Option<Stamp>,
}

/// A git that was at work in the worktree when it left makes the admin directory again for its lock
/// or its reflog; that is no worktree, and in the way of the real one. `false` where there is none;
/// git-worktree(1) locks what it is making.
fn remove_husk(admin: &Path) -> bool {
    let husk = || {
        !["gitdir", "commondir", "HEAD", "index", "locked"]
            .iter()
            .any(|file| exists(&admin.join(file)))
    };
    admin.is_dir() && husk() && std::fs::remove_dir_all(admin).is_ok()
}

/// A process that held a lock in there cannot reach it any more, and would leave it for the lane's
/// return.
fn remove_orphaned_locks(admin: &Path) {
    for path in lane_files::list(admin).chain(lane_files::list(&admin.join("logs"))) {
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
            && lane_files::is_file(&path)
        {
            drop(std::fs::remove_file(path));
        }
    }
}

impl Places {
    /// The places of `worktree`, which waits (or shall wait) in the entry `entry`, `admin` being
    /// git's place for it.
    pub fn new(
        lane_dir: &LaneDir,
        entry: PathBuf,
        worktree: &KeptWorktree,
        admin: PathBuf,
    ) -> Self {
        Places {
            lane_dir: lane_dir.clone(),
            entry,
            original: worktree.path.clone(),
            admin,
            stamp: worktree.directory,
        }
    }

    /// The admin directory in the trash.
    pub fn kept_admin(&self) -> PathBuf {
        self.entry.join("admin")
    }

    fn inside(&self) -> PathBuf {
        self.entry.join("worktree")
    }

    /// A place beside the original for a worktree on another filesystem than the repository.
    fn parked(&self) -> PathBuf {
        let id = self.entry.file_name().unwrap_or_default();
        self.original
            .with_file_name(".lane-trash")
            .join(id)
            .join("worktree")
    }

    /// Where the directory waits, if it does.
    pub fn waiting(&self) -> Option<PathBuf> {
        let inside = Some(self.inside()).filter(|path| exists(path));
        inside
            .or_else(|| Some(self.parked()).filter(|path| exists(path) && self.parking().is_some()))
    }

    /// Why nothing waits here, as far as that can be told.
    pub fn missing(&self) -> Result<Obstacle> {
        match self.parked().parent().filter(|_| exists(&self.parked())) {
            Some(place) => parking::foreign(place, self.common_dir()),
            None => Ok(Obstacle::Incomplete(self.entry.clone())),
        }
    }

    /// The `.git` file of a directory that waits at `waiting`.
    pub fn dot_git(waiting: &Path) -> PathBuf {
        waiting.with_file_name("dot-git")
    }

    /// What waits to take the place of a directory of a lower layer while its files go there.
    fn lifting(directory: &Path, word: &str) -> PathBuf {
        directory.with_file_name(word)
    }

    /// Completes what a process has begun with directories of a lower layer.
    fn settle_lower(&self) -> Result<()> {
        let (inside, parked, kept_admin) = (self.inside(), self.parked(), self.kept_admin());
        let ours = self.parking().is_some();
        let beside = [
            (&self.original, Self::lifting(&parked, LEAVING)),
            (&parked, Self::lifting(&parked, RETURNING)),
        ];
        let own = [
            (&inside, Self::lifting(&inside, RETURNING)),
            (&self.admin, Self::lifting(&kept_admin, ADMIN_LEAVING)),
            (&kept_admin, Self::lifting(&kept_admin, ADMIN_RETURNING)),
        ];
        for (directory, aside) in own.into_iter().chain(beside.into_iter().filter(|_| ours)) {
            lower_layer::settle(directory, &aside).context("move", directory)?;
        }
        Ok(())
    }

    /// Moves directory and admin directory into the trash; returns those of a lower layer, whose
    /// files went one by one.
    pub fn take_away(&self) -> Result<Vec<PathBuf>> {
        self.settle_lower()?;
        let mut lifted = Vec::new();
        // What is in the place of one that has moved already is another one's.
        let admin_is_here = !exists(&self.kept_admin()) && exists(&self.admin);
        if admin_is_here && self.stamp.is_some() {
            mark_to_move(&self.lane_dir, &self.admin)?;
            step("places.marked");
        }
        if self.stamp.is_some() {
            let waiting = match self.waiting() {
                Some(waiting) => waiting,
                None => self.move_directory_away(&mut lifted)?,
            };
            step("places.directory-moved");
            let dot_git = Self::dot_git(&waiting);
            if !exists(&dot_git) {
                with_writable(&waiting, || {
                    no_replace::rename(&waiting.join(".git"), &dot_git)
                })
                .context("move to", &dot_git)?;
            }
            step("places.dot-git-moved");
        }
        if admin_is_here {
            worktree_settings::vouch(self.common_dir(), &self.admin);
            let kept = self.kept_admin();
            if lower_layer::rename(&self.admin, &kept, &Self::lifting(&kept, ADMIN_LEAVING))? {
                lifted.push(self.admin.clone());
            }
            step("places.admin-moved");
            unmark(&self.kept_admin())?;
        }
        remove_orphaned_locks(&self.kept_admin());
        Ok(lifted)
    }

    fn move_directory_away(&self, lifted: &mut Vec<PathBuf>) -> Result<PathBuf> {
        let inside = self.inside();
        match with_writable(&self.original, || {
            no_replace::rename(&self.original, &inside)
        }) {
            Ok(()) => return Ok(inside),
            Err(error) if error.kind() != ErrorKind::CrossesDevices => {
                return Err(error)
                    .context("move", &self.original)
                    .map_err(hint_at_mounts);
            }
            Err(_) => {}
        }
        let parked = self.parked();
        let directory = parked.parent().unwrap_or(&parked);
        parking::ensure_own(&self.original.with_file_name(".lane-trash"), &self.lane_dir)?;
        self.lane_dir
            .shared()
            .create_dir_all(directory)
            .context("create", directory)?;
        parking::claim(directory, &self.lane_dir)?;
        // Lanes may lie inside a repository, which must not see this directory.
        let ignore = self
            .original
            .with_file_name(".lane-trash")
            .join(".gitignore");
        self.lane_dir
            .write(&ignore, b"*\n")
            .context("write", &ignore)?;
        step("places.parking-made");
        if lower_layer::rename(&self.original, &parked, &Self::lifting(&parked, LEAVING))? {
            lifted.push(self.original.clone());
        }
        Ok(parked)
    }

    /// Moves admin directory and directory to where git expects them; `admin` may differ from the
    /// original one. Until [`settle`](Self::settle) both stay marked as ours to finish, or to take
    /// back.
    pub fn bring_back(&self) -> Result<()> {
        self.settle_lower()?;
        let kept_admin = self.kept_admin();
        if exists(&kept_admin) {
            if self.stamp.is_some() {
                mark(&self.lane_dir, &kept_admin)?;
            }
            step("places.admin-marked");
            remove_orphaned_locks(&kept_admin);
            worktree_settings::tame(&self.lane_dir, &kept_admin)?;
            links::point_at_worktree(&self.lane_dir, &kept_admin, &self.admin, &self.original)?;
            self.place_admin(&kept_admin)?;
            step("places.admin-back");
        }
        if let Some(waiting) = self.waiting() {
            let dot_git = Self::dot_git(&waiting);
            if exists(&dot_git) {
                with_writable(&waiting, || {
                    no_replace::rename(&dot_git, &waiting.join(".git"))
                })
                .context("move back", &dot_git)?;
            }
            links::point_at_admin(&waiting.join(".git"), &self.original, &self.admin)?;
            step("places.dot-git-back");
            let parent = self.original.parent().unwrap_or(&self.original);
            self.lane_dir
                .shared()
                .create_dir_all(parent)
                .context("create", parent)?;
            lower_layer::rename(
                &waiting,
                &self.original,
                &Self::lifting(&waiting, RETURNING),
            )?;
            step("places.directory-back");
        }
        step("places.back");
        Ok(())
    }

    /// Moves the admin directory to git's place, which `git worktree prune` removes whenever it is
    /// empty, and where a git may leave a husk at any moment.
    fn place_admin(&self, kept: &Path) -> Result<()> {
        let worktrees = self.admin.parent().unwrap_or(&self.admin);
        let start = std::time::Instant::now();
        loop {
            self.lane_dir
                .shared()
                .create_dir_all(worktrees)
                .context("create", worktrees)?;
            match no_replace::rename(kept, &self.admin) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    return lower_layer::rename(
                        kept,
                        &self.admin,
                        &Self::lifting(kept, ADMIN_RETURNING),
                    )
                    .map(drop);
                }
                // Another process may have made it again by now, so that it is there is no sign
                // that it was.
                Err(error) if error.kind() == ErrorKind::NotFound && start.elapsed() < PATIENCE => {
                }
                Err(_) if start.elapsed() < PATIENCE && remove_husk(&self.admin) => {}
                done => return done.context("move to", &self.admin),
            }
        }
    }

    /// The end of [`bring_back`](Self::bring_back): the directory gets its mode and time, and is
    /// like any other again.
    pub fn settle(&self) -> Result<()> {
        if let Some(stamp) = self.stamp.filter(|_| is_marked(&self.admin))
            && links::names(&self.original.join(".git"), &self.original, &self.admin)
        {
            restamp(&self.original, stamp)?;
        }
        step("places.stamped");
        unmark(&self.admin)?;
        self.leave_parking();
        Ok(())
    }

    /// Undoes what a half-done [`bring_back`](Self::bring_back) did.
    pub fn back_to_trash(&self) -> Result<()> {
        self.settle_lower()?;
        if exists(&self.kept_admin()) {
            // The admin directory goes first, so nothing else has moved.
            return unmark(&self.kept_admin());
        }
        let ours = self.waiting().is_some()
            || links::names(&self.original.join(".git"), &self.original, &self.admin);
        if is_marked(&self.admin) && ours {
            self.take_away().map(drop)
        } else {
            Ok(())
        }
    }

    /// Removes the parking place when this was the last one in it.
    pub fn leave_parking(&self) {
        let Some(own) = self.parking().filter(|own| !exists(&own.join("worktree"))) else {
            return;
        };
        let Some(all) = own.parent() else { return };
        parking::release(&own);
        if std::fs::remove_dir(&own).is_ok()
            && std::fs::read_dir(all).is_ok_and(|mut rest| {
                rest.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".gitignore"))
            })
        {
            // A process that parks at this very moment makes both again.
            drop(std::fs::remove_file(all.join(".gitignore")));
            drop(std::fs::remove_dir(all));
        }
    }

    /// Everything of this entry that is not below its directory. A copy of the repository knows of
    /// the same place, where nothing is the copy's.
    pub fn parking(&self) -> Option<PathBuf> {
        let parked = self.parked();
        let own = parked
            .parent()
            .filter(|own| lane_files::is_directory(own))?;
        parking::may_touch(own, self.common_dir()).then(|| own.to_owned())
    }

    /// The same where it says that it is this repository's: a place that says nothing can be a
    /// stranger's.
    pub fn own_parking(&self) -> Option<PathBuf> {
        self.parking()
            .filter(|own| lane_files::is_file(&own.join(parking::OWNER)))
    }

    fn common_dir(&self) -> &Path {
        self.lane_dir.common_dir()
    }
}

/// What moving a directory may change about it.
pub fn stamp(directory: &Path) -> Result<Stamp> {
    let metadata = std::fs::symlink_metadata(directory).context("read", directory)?;
    Ok(Stamp {
        mode: metadata.mode() & 0o7777,
        seconds: metadata.mtime(),
        nanoseconds: metadata.mtime_nsec(),
    })
}

pub(in crate::operations) fn restamp(directory: &Path, stamp: Stamp) -> Result<()> {
    let now = std::fs::symlink_metadata(directory).context("read", directory)?;
    if now.mode() & 0o7777 != stamp.mode {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(stamp.mode))
            .context("set the mode of", directory)?;
    }
    match date(directory, stamp.seconds, stamp.nanoseconds) {
        // Another user of the repository may bring the lane back; the time is the owner's alone to
        // set.
        Err(Errno::PERM) => Ok(()),
        set => set.context("set the time of", directory),
    }
}

/// Sets when a directory changed last.
pub(super) fn date(directory: &Path, seconds: i64, nanoseconds: i64) -> Result<(), Errno> {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds,
        },
    };
    utimensat(CWD, directory, &times, AtFlags::SYMLINK_NOFOLLOW)
}

/// A directory that may not be written cannot be moved either: its `..` changes.
pub(in crate::operations) fn with_writable(
    directory: &Path,
    act: impl FnOnce() -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mode = std::fs::symlink_metadata(directory)?.mode() & 0o7777;
    if mode & 0o200 == 0 {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(mode | 0o700))?;
    }
    act()
}

pub(in crate::operations) fn hint_at_mounts(error: Error) -> Error {
    error.hint("a directory that something is mounted on cannot be moved; unmount it first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worktree_that_git_is_just_making_is_no_husk() {
        let directory = tempfile::tempdir().unwrap();
        let admin = directory.path().join("login");
        std::fs::create_dir_all(admin.join("logs")).unwrap();
        std::fs::write(admin.join("logs/HEAD"), "").unwrap();
        assert!(remove_husk(&admin) && !admin.exists());

        std::fs::create_dir_all(&admin).unwrap();
        std::fs::write(admin.join("locked"), "initializing").unwrap();
        assert!(!remove_husk(&admin) && admin.exists());
    }
}
