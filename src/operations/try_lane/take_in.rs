//! Puts files that were changed in the main worktree into the lane that it shows, as they are.
//!
//! The indexes of both are locked, that of the lane stays as it is. All files are copied to a stage
//! first. Then each is made ready beside its place and renamed into it, where the lane's own is still
//! the one that was looked at. *Dead before all are staged: nothing has happened. Dead later: the next
//! command puts the rest there, from the stage, but for what has changed in the lane meanwhile; what is
//! nowhere else by then is set aside.*

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};
use serde::{Deserialize, Serialize};

use super::obstructed::is_alike;
use super::raced;
use super::take_in_stage::{TakeInStage, copy};
use crate::domain::lane::{LaneId, Worktree, lossless_bytes, lossless_path};
use crate::domain::name::LaneName;
use crate::domain::try_lane::{EndRefusal, Tried};
use crate::error::{IoContext, Result};
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
    /// The main worktree, and its git directory.
    #[serde(with = "lossless_path")]
    main: PathBuf,
    #[serde(with = "lossless_path")]
    main_git_dir: PathBuf,
    /// The lane's worktree, and its git directory.
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
    #[serde(with = "lossless_path")]
    git_dir: PathBuf,
    /// The name of the stage, and the end of that of the file that is being made ready.
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
    /// Which file the lane had there.
    before: Option<Identity>,
}

/// Inode and length of a file, and when its content and the file itself were changed.
pub(super) type Identity = (u64, u64, (i64, i64), (i64, i64));

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
            // The main worktree still counts as showing the lane, and its files stay.
            git_dirs: vec![
                GitDir(self.git_dir.clone()),
                GitDir(self.main_git_dir.clone()),
            ],
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
        let common_dir = assertions.repository().common_dir().to_owned();
        let git_dir = &self.main_git_dir;
        assertions.that(
            "main git directory",
            git_dir.display(),
            *git_dir == common_dir,
        );
        let stage = TakeInStage::directory(assertions.repository(), &self.ready);
        assertions.staging("stage", &stage);
        for file in &self.files {
            assertions.that("file", &file.path, is_inside(file.path.as_bstr()));
        }
    }
}

/// Whether a path leads to something below the top, and not into a `.git`.
pub(super) fn is_inside(path: &BStr) -> bool {
    let path = crate::store::path(path);
    let mut names = path.components().map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    !path.as_os_str().is_empty() && names.all(|name| name.is_some_and(|name| name != ".git"))
}

impl Intent {
    /// With what was in the lane before it was looked at.
    pub(super) fn of(
        tried: &Tried,
        (main, site): (&Worktree, &Worktree),
        files: impl Iterator<Item = (BString, bool, Option<Identity>)>,
    ) -> Self {
        let file = |(path, stays, before)| OneFile {
            path,
            stays,
            before,
        };
        let mut files: Vec<OneFile> = files.map(file).collect();
        // What goes makes room for what comes.
        files.sort_by_key(|file| file.stays);
        Intent {
            lane: tried.lane.clone(),
            lane_id: tried.lane_id.clone(),
            main: main.path.clone(),
            main_git_dir: main.git_dir.clone(),
            worktree: site.path.clone(),
            git_dir: site.git_dir.clone(),
            ready: unique_id(),
            files,
        }
    }

    fn in_lane(&self, file: &OneFile) -> PathBuf {
        self.worktree.join(crate::store::path(&file.path))
    }

    fn in_main(&self, file: &OneFile) -> PathBuf {
        self.main.join(crate::store::path(&file.path))
    }

    /// Those that come, with their numbers in the stage.
    fn coming(&self) -> impl Iterator<Item = (usize, &OneFile)> {
        let numbered = self.files.iter().enumerate();
        numbered.filter(|(_, file)| file.stays)
    }

    fn ready_beside(&self, to: &Path) -> PathBuf {
        to.with_file_name(format!("{READY}{}", self.ready))
    }

    /// Puts them in place, with both indexes locked; refuses where some are not as they were.
    pub(super) fn carry_out(&self, repository: &Repository, main: &Worktree) -> Result<()> {
        let stage = TakeInStage::of(repository, &self.ready);
        let running = Journal::new(repository.lane_dir()).begin(self)?;
        let done = self.stage_and_put(repository, main, &stage);
        // Until then all of it is in the main worktree, whose index is locked.
        stage.remove()?;
        running.done()?;
        let left = done?;
        match left.is_empty() {
            true => Ok(()),
            false => Err(EndRefusal::LaneChanged(self.lane.clone(), left).into()),
        }
    }

    fn stage_and_put(
        &self,
        repository: &Repository,
        main: &Worktree,
        stage: &TakeInStage,
    ) -> Result<Vec<BString>> {
        let files = self.coming();
        stage.fill(
            repository,
            files.map(|(number, file)| (number, self.in_main(file))),
        )?;
        step("try.staged");
        if !self.is_in_main(stage) {
            return Err(raced(main));
        }
        self.put(stage)
    }

    /// Whether the main worktree has what is staged.
    fn is_in_main(&self, stage: &TakeInStage) -> bool {
        let mut files = self.files.iter().enumerate();
        files.all(|(number, file)| {
            let own = self.in_main(file);
            match file.stays {
                true => is_alike(&own, &stage.copy_of(number), true),
                false => identity(&own).is_none(),
            }
        })
    }

    fn put(&self, stage: &TakeInStage) -> Result<Vec<BString>> {
        let mut left = Vec::new();
        for (number, file) in self.files.iter().enumerate() {
            if !self.put_one(file, &stage.copy_of(number))? {
                left.push(file.path.clone());
            }
            step("try.taken-in");
        }
        Ok(left)
    }

    /// Whether it is in its place by then.
    fn put_one(&self, file: &OneFile, from: &Path) -> Result<bool> {
        let to = self.in_lane(file);
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
        if is_alike(from, &to, true) {
            return Ok(true);
        }
        if now != file.before {
            return Ok(false);
        }
        let above = to.parent().unwrap_or(&self.worktree);
        std::fs::create_dir_all(above).context("create", above)?;
        let ready = self.ready_beside(&to);
        remove_if_there(&ready)?;
        copy(from, &ready)?;
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
        let places = self.files.iter().map(|file| self.in_lane(file));
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
pub(super) fn identity(file: &Path) -> Option<Identity> {
    let found = std::fs::symlink_metadata(file).ok()?;
    let modified = (found.mtime(), found.mtime_nsec());
    let changed = (found.ctime(), found.ctime_nsec());
    (!found.is_dir()).then_some((found.ino(), found.len(), modified, changed))
}

/// Puts the rest in place, if all of it was staged.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let stage = TakeInStage::of(repository, &intent.ready);
    let healed = |whole| Healing::Whole(Healed::new(intent.what(), whole));
    if !stage.is_complete() {
        stage.remove()?;
        let is_there = |file: &OneFile| {
            let (from, to) = (intent.in_main(file), intent.in_lane(file));
            match file.stays {
                true => is_alike(&from, &to, true),
                false => identity(&to).is_none(),
            }
        };
        return Ok(healed(intent.files.iter().all(is_there)));
    }
    let records = repository.records()?;
    let is_there = records.lanes.iter().any(|lane| lane.id == intent.lane_id)
        && intent.worktree.is_dir()
        && intent.git_dir.is_dir();
    let mut whole = false;
    if is_there {
        let index = intent.git_dir.join("index");
        let _lock = LockFile::take_over(&index, repository.lane_dir(), &running.id())?;
        intent.tidy()?;
        whole = intent.put(&stage)?.is_empty();
    }
    let is_elsewhere = |(number, file): (usize, &OneFile)| {
        let copy = stage.copy_of(number);
        is_alike(&copy, &intent.in_main(file), true) || is_alike(&copy, &intent.in_lane(file), true)
    };
    match whole || intent.coming().all(is_elsewhere) {
        true => stage.remove()?,
        false => stage.set_aside(repository)?,
    }
    Ok(healed(whole))
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
