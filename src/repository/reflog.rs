//! Adds lines to reflogs, where git would.

use crate::domain::name::BranchName;
use crate::repository::RefFormat;
use crate::store::lane_files;
use crate::store::permissions::Shared;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::path::PathBuf;

use bstr::BStr;

use super::refs::RefChange;
use crate::domain::lane::ObjectId;
use crate::error::{IoContext, Result};
use crate::repository::Repository;
use crate::store::entries;
use crate::store::lockfile::LockFile;

/// What every reflog is told.
pub(crate) struct Log {
    tail: Vec<u8>,
    every: bool,
    usual: bool,
    shared: Shared,
}

impl Log {
    pub(crate) fn new(repository: &Repository, reason: &str) -> Result<Self> {
        let now = gix::date::Time::now_utc().to_string();
        let unnamed = gix::actor::SignatureRef {
            name: "git-lane".into(),
            email: "git-lane@localhost".into(),
            time: &now,
        };
        // Like git, write a reflog also for a user without a name.
        let committer = repository
            .gix
            .committer()
            .and_then(Result::ok)
            .unwrap_or(unnamed);
        let mut tail = Vec::new();
        committer
            .write_to(&mut tail)
            .context("write", &repository.common_dir().join("logs"))?;
        tail.push(b'\t');
        tail.extend(
            reason
                .bytes()
                .map(|byte| if byte == b'\n' { b' ' } else { byte }),
        );
        tail.push(b'\n');
        let wanted = repository.config("core.logAllRefUpdates");
        let every = wanted
            .as_ref()
            .is_some_and(|value| value.eq_ignore_ascii_case(b"always"));
        let usual = match wanted {
            Some(_) => every || repository.config_bool("core.logAllRefUpdates"),
            None => !repository.is_bare(),
        };
        Ok(Log {
            tail,
            every,
            usual,
            shared: repository.shared(),
        })
    }

    /// Adds a line to the reflog of `name`, in one write; starts one where git would.
    pub(crate) fn append(&self, logs: &Path, name: &BStr, change: &RefChange) -> Result<()> {
        match change.to {
            Some(to) => self.add(logs, name, (change.from, to)),
            None => Ok(()),
        }
    }

    /// The same of a move from one commit to another.
    pub(crate) fn add(
        &self,
        logs: &Path,
        name: &BStr,
        (from, to): (Option<ObjectId>, ObjectId),
    ) -> Result<()> {
        let file = logs.join(crate::store::path(name));
        let kinds = ["refs/heads/", "refs/remotes/", "refs/notes/"];
        let usual = name == "HEAD" || kinds.iter().any(|kind| name.starts_with(kind.as_bytes()));
        let create = self.every || (self.usual && usual);
        let open = || {
            if create {
                remove_empty_below(&file);
                self.shared.create_dir_all(file.parent().unwrap_or(&file))?;
            }
            self.shared
                .open(OpenOptions::new().append(true).create(create), &file)
        };
        let mut attempts = 0;
        let mut opened = loop {
            attempts += 1;
            match open() {
                Err(error) if !create && error.kind() == ErrorKind::NotFound => return Ok(()),
                // A process that deletes a neighbour may just have removed the directory.
                Err(error) if error.kind() == ErrorKind::NotFound && attempts < 100 => {}
                opened => break opened.context("open", &file)?,
            }
        };
        let from = from.unwrap_or(ObjectId::null(to.kind()));
        let line = [format!("{from} {to} ").as_bytes(), &self.tail].concat();
        opened.write_all(&line).context("write", &file)
    }
}

/// Removes `directory` if there is nothing but directories in it.
pub(crate) fn remove_empty_below(directory: &Path) {
    if std::fs::symlink_metadata(directory).is_ok_and(|metadata| metadata.is_dir()) {
        for entry in entries(directory) {
            remove_empty_below(&entry.path());
        }
        drop(std::fs::remove_dir(directory));
    }
}

/// The file of a branch's reflog, for the files backend.
pub fn reflog_path(repository: &Repository, branch: &BranchName) -> Option<PathBuf> {
    (repository.ref_format() == RefFormat::Files).then(|| {
        repository
            .common_dir()
            .join("logs")
            .join(crate::store::path(&branch.to_ref()))
    })
}

/// Makes sure that there is a reflog of `branch`, also where git begins none by itself: it goes on
/// with one that is there. Nothing is done where the refs are a reftable.
pub fn begin(repository: &Repository, branch: &BranchName) -> Result<()> {
    let Some(log) = reflog_path(repository, branch).filter(|log| !log.exists()) else {
        return Ok(());
    };
    let parent = log.parent().unwrap_or(&log);
    let shared = repository.shared();
    shared.create_dir_all(parent).context("create", parent)?;
    shared
        .open(OpenOptions::new().append(true).create(true), &log)
        .map(drop)
        .context("open", &log)
}

/// Puts the branch's own reflog in the place of the one its creation wrote; the trash keeps its
/// link until the end.
pub fn relink_reflog(repository: &Repository, branch: &BranchName, kept: &Path) -> Result<()> {
    let Some(log) = reflog_path(repository, branch) else {
        return Ok(());
    };
    if !lane_files::is_file(kept) {
        return Ok(());
    }
    let parent = log.parent().unwrap_or(&log);
    repository
        .shared()
        .create_dir_all(parent)
        .context("create", parent)?;
    let temporary = kept.with_file_name(".reflog");
    lane_files::remove_if_there(&temporary)?;
    if std::fs::hard_link(kept, &temporary).is_err() {
        repository
            .shared()
            .copy(kept, &temporary)
            .context("copy", kept)?;
    }
    std::fs::rename(&temporary, &log).context("write", &log)?;
    // Renaming one link of a file onto another does nothing, and leaves both.
    lane_files::remove_if_there(&temporary)
}

/// Puts what the branch's own reflog said before that of a branch that was made again in its place.
pub fn prepend_reflog(repository: &Repository, branch: &BranchName, kept: &Path) -> Result<()> {
    let Some(log) = reflog_path(repository, branch).filter(|_| lane_files::is_file(kept)) else {
        return Ok(());
    };
    let file = repository
        .common_dir()
        .join(crate::store::path(&branch.to_ref()));
    for parent in [&file, &log].into_iter().filter_map(|path| path.parent()) {
        repository
            .shared()
            .create_dir_all(parent)
            .context("create", parent)?;
    }
    // git writes a reflog under the lock of its ref.
    let _lock = LockFile::acquire_link(&file, repository.lane_dir())?;
    let mut text = lane_files::read(kept).context("read", kept)?;
    let now = match crate::store::optional::bytes(&log) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context("read", &log);
        }
        now => now.unwrap_or_default(),
    };
    if now.starts_with(&text) {
        return Ok(());
    }
    text.extend_from_slice(&now);
    let temporary = kept.with_file_name(".reflog");
    lane_files::remove_if_there(&temporary)?;
    repository
        .lane_dir()
        .write(&temporary, &text)
        .context("write", &temporary)?;
    std::fs::rename(&temporary, &log).context("write", &log)
}
