//! The files that a repository's policy is made of: the user's, the team's, this clone's. Each is
//! found and read here, and [`crate::policy`] says what it means.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bstr::BString;

use crate::domain::lane::WorktreeState;
use crate::error::{IoContext, Result};
use crate::policy::{FILE, MAX_BYTES, Origin, Policy, Values, config_home, failure, readable};
use crate::repository::{RefFormat, Repository};
use crate::store::retry;

impl Repository {
    /// The policy in force: user, team and clone layers, later ones winning.
    pub fn policy(&self) -> Result<Policy> {
        Ok(Policy::of(&self.policy_values()?))
    }

    /// The value of every key, with the file it comes from.
    pub fn policy_values(&self) -> Result<Values> {
        let mut values = Values::defaults();
        if let Some(path) = config_home().map(|home| home.join("git-lane").join(FILE))
            && let Some(text) = read(&path)?
        {
            values.apply(&text, Origin::User(path))?;
        }
        if let Some((text, path)) = team(self)? {
            values.apply(&text, Origin::Team(path))?;
        }
        let path = self.lane_dir().join(FILE);
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Err(
                failure(&path, "is a symbolic link, which is not followed there")
                    .hint("replace the link by a file, or move it to your own lane.toml"),
            );
        }
        if let Some(text) = read(&path)? {
            values.apply(&text, Origin::Clone(path))?;
        }
        Ok(values)
    }
}

/// The team's file: that of the main worktree, or of the commit `HEAD` names where there are no
/// files.
fn team(repository: &Repository) -> Result<Option<(String, PathBuf)>> {
    let (main, state) = repository.main_site();
    if state != WorktreeState::Present {
        let name = PathBuf::from(format!("HEAD:{FILE}"));
        let Some(bytes) = committed(repository, &name)? else {
            return Ok(None);
        };
        let text = readable(&bytes)
            .map_err(|problem| failure(&name, problem))?
            .to_owned();
        return Ok(Some((text, name)));
    }
    let path = main.join(FILE);
    if std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
        let target = std::fs::canonicalize(&path)
            .map_err(|_| failure(&path, "is a symbolic link that leads nowhere"))?;
        let root = std::fs::canonicalize(&main).context("read", &main)?;
        if !target.starts_with(&root) || target.starts_with(repository.common_dir()) {
            return Err(failure(
                &path,
                "is a symbolic link out of the repository, which is not followed",
            )
            .hint("replace the link by a file, or move it to your own lane.toml"));
        }
    }
    Ok(read(&path)?.map(|text| (text, path)))
}

/// The blob `HEAD:lane.toml`.
fn committed(repository: &Repository, name: &Path) -> Result<Option<BString>> {
    retry::objects(&repository.gix, || committed_now(repository, name))
}

fn committed_now(repository: &Repository, name: &Path) -> Result<Option<BString>> {
    let broken = |error: String| failure(name, format_args!("cannot be read: {error}"));
    let commit = if repository.ref_format() == RefFormat::Reftable {
        let Some(id) = repository.git_here().rev_parse("HEAD^{commit}")? else {
            return Ok(None);
        };
        repository
            .gix
            .find_commit(id)
            .map_err(|error| broken(error.to_string()))?
    } else {
        // No commit yet: nothing is tracked.
        let Ok(commit) = repository.gix.head_commit() else {
            return Ok(None);
        };
        commit
    };
    let tree = commit.tree().map_err(|error| broken(error.to_string()))?;
    let Some(entry) = tree
        .lookup_entry_by_path(FILE)
        .map_err(|error| broken(error.to_string()))?
    else {
        return Ok(None);
    };
    if !entry.mode().is_blob() {
        return Err(failure(name, "is no plain file"));
    }
    let header = repository
        .gix
        .find_header(entry.object_id())
        .map_err(|error| broken(error.to_string()))?;
    if header.size() > MAX_BYTES as u64 {
        return Err(failure(
            name,
            format_args!("is larger than {} KiB", MAX_BYTES / 1024),
        ));
    }
    let object = entry.object().map_err(|error| broken(error.to_string()))?;
    Ok(Some(object.detach().data.into()))
}

/// The text of a file; `None` where there is none. A pipe or a device is refused before it can
/// block or never end.
fn read(path: &Path) -> Result<Option<String>> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
    {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        // What nothing can open: a socket.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            return Err(failure(path, "is no plain file"));
        }
        Err(error) => return Err(error).context("read", path),
    };
    if !file.metadata().context("read", path)?.is_file() {
        return Err(failure(path, "is no plain file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .context("read", path)?;
    let text = readable(&bytes).map_err(|problem| failure(path, problem))?;
    Ok(Some(text.to_owned()))
}
