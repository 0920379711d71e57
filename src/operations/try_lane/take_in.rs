//! Puts files that were changed in the main worktree into the lane that it shows, as they are.
//!
//! The lane's index is locked and stays as it is. Each file is made ready beside its place and renamed
//! into it, where the lane's own is still the one that was looked at. *Dead in between: the next
//! command puts the rest there, but for what has changed in the lane meanwhile.*

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use serde::{Deserialize, Serialize};

use super::obstructed::is_alike;
use crate::domain::lane::{LaneId, Worktree, lossless_bytes, lossless_path};
use crate::domain::name::LaneName;
use crate::domain::try_lane::{EndRefusal, Tried};
use crate::error::{Error, IoContext, Result};
use crate::operations::checkout::worktree_files::remove_empty;
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::recovered::{Healed, Healing};
use crate::store::journal::{About, Announce, GitDir, Journal, Running, step, unique_id};
use crate::store::lane_files::remove_if_there;
use crate::store::lockfile::LockFile;

/// What the names of files begin with that are being made ready.
const READY: &str = ".git-lane-";

/// The files that go into the lane.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "take-in")]
pub struct Intent {
    lane: LaneName,
    lane_id: LaneId,
    /// The main worktree.
    #[serde(with = "lossless_path")]
    main: PathBuf,
    /// The lane's worktree, and its git directory.
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
    #[serde(with = "lossless_path")]
    git_dir: PathBuf,
    /// The end of the name of the file that is being made ready.
    ready: String,
    files: Vec<OneFile>,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OneFile {
    #[serde(with = "lossless_bytes")]
    path: BString,
    /// Whether the main worktree has it, or it is to go.
    stays: bool,
    /// Which file the lane had there: inode, length, and when it was modified.
    before: Option<(u64, u64, i64, i64)>,
}

impl Intent {
    /// The lane, by its name and its id.
    pub fn lane(&self) -> (&LaneName, &LaneId) {
        (&self.lane, &self.lane_id)
    }

    fn what(&self) -> String {
        format!(
            "taking changes of the main worktree into lane '{}'",
            self.lane
        )
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About {
            git_dirs: vec![GitDir(self.git_dir.clone())],
            ..About::lane(self.what(), &self.lane)
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.id("lane id", self.lane_id.as_str());
        assertions.id("name", &self.ready);
        assertions.admin("git directory", &self.git_dir);
        assertions.place("worktree", &self.worktree);
        let main = assertions.repository().main_site().0;
        assertions.that("main worktree", self.main.display(), self.main == main);
        for file in &self.files {
            assertions.that("file", &file.path, is_inside(file.path.as_bstr()));
        }
    }
}

/// Whether a path leads to something below the top, and not into a `.git`.
fn is_inside(path: &BStr) -> bool {
    let path = crate::store::path(path);
    let mut names = path.components().map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    !path.as_os_str().is_empty() && names.all(|name| name.is_some_and(|name| name != ".git"))
}

/// The place of one file in both worktrees.
struct Place {
    from: PathBuf,
    to: PathBuf,
}

impl Intent {
    pub(super) fn of(
        tried: &Tried,
        (main, site): (&Worktree, &Worktree),
        files: impl Iterator<Item = (BString, bool)>,
    ) -> Self {
        let file = |(path, stays): (BString, bool)| OneFile {
            before: identity(&site.path.join(crate::store::path(&path))),
            path,
            stays,
        };
        Intent {
            lane: tried.lane.clone(),
            lane_id: tried.lane_id.clone(),
            main: main.path.clone(),
            worktree: site.path.clone(),
            git_dir: site.git_dir.clone(),
            ready: unique_id(),
            // What goes makes room for what comes.
            files: {
                let mut files: Vec<OneFile> = files.map(file).collect();
                files.sort_by_key(|file| file.stays);
                files
            },
        }
    }

    fn place(&self, file: &OneFile) -> Place {
        let path = crate::store::path(&file.path);
        Place {
            from: self.main.join(&path),
            to: self.worktree.join(path),
        }
    }

    fn ready_beside(&self, to: &Path) -> PathBuf {
        to.with_file_name(format!("{READY}{}", self.ready))
    }

    /// Puts them in place, with the lane's index locked; returns those that are not as they were.
    pub(super) fn carry_out(&self, repository: &Repository) -> Result<()> {
        let running = Journal::new(repository.lane_dir()).begin(self)?;
        let done = self.put();
        running.done()?;
        let left = done?;
        match left.is_empty() {
            true => Ok(()),
            false => Err(EndRefusal::LaneChanged(self.lane.clone(), left).into()),
        }
    }

    fn put(&self) -> Result<Vec<BString>> {
        let mut left = Vec::new();
        for file in &self.files {
            if !self.put_one(file)? {
                left.push(file.path.clone());
            }
            step("try.taken-in");
        }
        Ok(left)
    }

    /// Whether it is in its place by then.
    fn put_one(&self, file: &OneFile) -> Result<bool> {
        let Place { from, to } = self.place(file);
        if is_behind_something(&self.worktree, &to) {
            return Ok(false);
        }
        let now = identity(&to);
        if !file.stays {
            return match now {
                None => Ok(true),
                now if now == file.before => {
                    std::fs::remove_file(&to).context("remove", &to)?;
                    remove_empty(&self.worktree, &to);
                    Ok(true)
                }
                _ => Ok(false),
            };
        }
        if is_alike(&from, &to, true) {
            return Ok(true);
        }
        if now != file.before {
            return Ok(false);
        }
        let above = to.parent().unwrap_or(&self.worktree);
        std::fs::create_dir_all(above).context("create", above)?;
        let ready = self.ready_beside(&to);
        remove_if_there(&ready)?;
        copy(&from, &ready)?;
        step("try.ready");
        // What was saved there meanwhile stays.
        if identity(&to) != file.before {
            remove_if_there(&ready)?;
            return Ok(false);
        }
        std::fs::rename(&ready, &to).context("write", &to)?;
        Ok(true)
    }

    /// Removes what was being made ready.
    fn tidy(&self) -> Result<()> {
        let places = self.files.iter().map(|file| self.place(file).to);
        places
            .filter(|to| !is_behind_something(&self.worktree, to))
            .try_for_each(|to| remove_if_there(&self.ready_beside(&to)))
    }
}

/// Whether something else than a directory, which may lead elsewhere, is on the way to a file.
pub(super) fn is_behind_something(root: &Path, file: &Path) -> bool {
    crate::operations::checkout::worktree_files::is_behind_a_file(root, file)
}

/// Which file it is, and which state of it; a directory is none, its files go before.
fn identity(file: &Path) -> Option<(u64, u64, i64, i64)> {
    let found = std::fs::symlink_metadata(file).ok()?;
    (!found.is_dir()).then_some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// Copies a file or a link, with its mode.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let found = std::fs::symlink_metadata(from).context("read", from)?;
    if found.is_symlink() {
        let target = std::fs::read_link(from).context("read", from)?;
        return std::os::unix::fs::symlink(target, to).context("write", to);
    }
    if !found.is_file() {
        let error = std::io::Error::from(ErrorKind::Unsupported);
        return Err(
            Error::environment(format!("'{}' is no plain file", from.display())).caused_by(error),
        );
    }
    std::fs::copy(from, to).context("write", to)?;
    Ok(())
}

/// Puts the rest in place.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let records = repository.records()?;
    let is_there = records.lanes.iter().any(|lane| lane.id == intent.lane_id)
        && intent.worktree.is_dir()
        && intent.main.is_dir()
        && repository
            .tried()?
            .is_some_and(|tried| tried.lane_id == intent.lane_id);
    let mut whole = false;
    if is_there {
        let index = intent.git_dir.join("index");
        let _lock = LockFile::take_over(&index, repository.lane_dir(), &running.id())?;
        intent.tidy()?;
        whole = intent.put()?.is_empty();
    }
    Ok(Healing::Whole(Healed::new(intent.what(), whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_an_intent_leads_nowhere_else() {
        for (path, inside) in [
            ("a/b", true),
            (".gitignore", true),
            ("", false),
            ("/etc/passwd", false),
            ("../x", false),
            ("a/../../x", false),
            (".git/config", false),
            ("sub/.GIT/hooks/x", false),
        ] {
            assert_eq!(is_inside(path.into()), inside, "{path}");
        }
    }
}
