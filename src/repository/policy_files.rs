//! The files that a repository's policy is made of: the user's, the team's, this clone's. Each is
//! found and read here, and [`crate::policy`] says what it means.
//!
//! `gate_rules` calls it for the team's file of a commit; everything else takes the policy in force.

use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::domain::lane::{ObjectId, WorktreeState};
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
        let files = [of_the_user()?, team(self)?, of_the_clone(self)?];
        layered(files.into_iter().flatten())
    }
}

/// What a file says, and where it is.
pub(super) type Layer = (String, Origin);

/// The values of these files, each laid over those before it.
pub(super) fn layered(files: impl IntoIterator<Item = Layer>) -> Result<Values> {
    let mut values = Values::defaults();
    for (text, origin) in files {
        values.apply(&text, origin)?;
    }
    Ok(values)
}

/// The user's own file.
pub(super) fn of_the_user() -> Result<Option<Layer>> {
    let Some(path) = config_home().map(|home| home.join("git-lane").join(FILE)) else {
        return Ok(None);
    };
    Ok(read(&path)?.map(|text| (text, Origin::User(path))))
}

/// The file of this clone.
pub(super) fn of_the_clone(repository: &Repository) -> Result<Option<Layer>> {
    let path = repository.lane_dir().join(FILE);
    if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
        return Err(
            failure(&path, "is a symbolic link, which is not followed there")
                .hint("replace the link by a file, or move it to your own lane.toml"),
        );
    }
    Ok(read(&path)?.map(|text| (text, Origin::Clone(path))))
}

/// The team's file: that of the main worktree, or of the commit `HEAD` names where there are no
/// files. While the main worktree shows a lane, its files are none of the team's: then that of the
/// branch to which it comes back.
fn team(repository: &Repository) -> Result<Option<Layer>> {
    if let Some(tried) = repository.tried()? {
        let tip = repository.ref_target(&tried.branch)?.unwrap_or(tried.from);
        let path = PathBuf::from(format!("{}:{FILE}", tried.branch));
        return committed(repository, &repository.gix, tip, path);
    }
    let (main, state) = repository.main_site();
    if state != WorktreeState::Present {
        return match head(repository)? {
            Some(commit) => {
                let path = PathBuf::from(format!("HEAD:{FILE}"));
                committed(repository, &repository.gix, commit, path)
            }
            None => Ok(None),
        };
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
    Ok(read(&path)?.map(|text| (text, Origin::Team(path))))
}

/// The commit that `HEAD` names; `None` where nothing is tracked yet.
fn head(repository: &Repository) -> Result<Option<ObjectId>> {
    if repository.ref_format() == RefFormat::Reftable {
        return repository.git_here().rev_parse("HEAD^{commit}");
    }
    let head = || repository.gix.head_id();
    Ok(retry::objects(&repository.gix, head)
        .ok()
        .map(|id| id.detach()))
}

/// The team's file in the commit or tree `id`; messages call it `path`. `view` may have objects that
/// the repository has not yet.
pub(super) fn committed(
    repository: &Repository,
    view: &gix::Repository,
    id: ObjectId,
    path: PathBuf,
) -> Result<Option<Layer>> {
    let Some(bytes) = retry::objects(view, || committed_now(repository, view, id, &path))? else {
        return Ok(None);
    };
    let text = readable(&bytes).map_err(|problem| failure(&path, problem))?;
    Ok(Some((text.to_owned(), Origin::Team(path))))
}

fn committed_now(
    repository: &Repository,
    view: &gix::Repository,
    id: ObjectId,
    name: &Path,
) -> Result<Option<BString>> {
    let broken = |error: String| failure(name, format_args!("cannot be read: {error}"));
    let Some(blob) = blob_of(view, id, name)? else {
        return Ok(None);
    };
    let Ok(header) = view.find_header(blob) else {
        // In a partial clone git gets it from the remote.
        let bytes = repository.git_here().blob(blob);
        return bytes.map(Some).map_err(|error| broken(error.to_string()));
    };
    if header.size() > MAX_BYTES as u64 {
        return Err(failure(
            name,
            format_args!("is larger than {} KiB", MAX_BYTES / 1024),
        ));
    }
    let object = view.find_object(blob);
    let object = object.map_err(|error| broken(error.to_string()))?;
    Ok(Some(object.detach().data.into()))
}

/// The blob of the team's file in the commit or tree `id`; `name` is for messages.
pub(super) fn blob_of(
    view: &gix::Repository,
    id: ObjectId,
    name: &Path,
) -> Result<Option<ObjectId>> {
    let broken = |error: String| failure(name, format_args!("cannot be read: {error}"));
    let object = view.find_object(id);
    let object = object.map_err(|error| broken(error.to_string()))?;
    let tree = object.peel_to_tree();
    let tree = tree.map_err(|error| broken(error.to_string()))?;
    let at = |path: &Path| {
        let found = tree.lookup_entry_by_path(path);
        found.map_err(|error| broken(error.to_string()))
    };
    let Some(mut entry) = at(Path::new(FILE))? else {
        return Ok(None);
    };
    if entry.mode().is_link() {
        // A link within the repository counts in a worktree too.
        let target = entry.object().map_err(|error| broken(error.to_string()))?;
        let path = target.data.to_path().ok().filter(|path| is_inside(path));
        let found = path.map(at).transpose()?.flatten();
        entry = found.ok_or_else(|| failure(name, "is no plain file"))?;
    }
    if entry.mode().is_blob() {
        Ok(Some(entry.object_id()))
    } else {
        Err(failure(name, "is no plain file"))
    }
}

/// Whether a path leads to something below the top without a detour.
fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, std::path::Component::Normal(_)))
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
