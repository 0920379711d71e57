//! A worktree whose admin directory git has lost: that is built again, from what the lane's record
//! and its branch say.
//!
//! git removes the admin directory of a worktree that is on a disk which is not mounted (`git
//! worktree prune`), or while another git is moving it. What only was in there is lost: what was
//! staged, an operation in progress, the log of HEAD. Nothing in the worktree is touched, and as
//! the index is that of the branch's commit, all that was done since shows.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::admin::is_free;
use super::raced;
use crate::domain::lane::{Lane, ObjectId, lossless_path};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{IoContext, Result};
use crate::operations::start::publish::place_admin;
use crate::operations::start::registry_lock;
use crate::operations::trash;
use crate::repository::admin_dir::{begin_reflog, line};
use crate::repository::find_worktree::named_by;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::recovered::Healed;
use crate::repository::{RefFormat, Repository};
use crate::store::exists;
use crate::store::git::NONE;
use crate::store::journal::{About, Announce, Journal, step, unique_id};

/// The mode of a submodule in a tree.
const SUBMODULE: &[u8] = b"160000";

/// An admin directory that is being built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "rebuild")]
pub struct Intent {
    /// The lane that lost it.
    pub(crate) lane: LaneName,
    /// Where it will be.
    #[serde(with = "lossless_path")]
    pub(crate) admin: PathBuf,
    /// Where it is while it is incomplete.
    #[serde(with = "lossless_path")]
    staged: PathBuf,
}

impl Announce for Intent {
    fn about(&self) -> About {
        About::lane(what(self), &self.lane)
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.admin("admin directory", &self.admin);
        assertions.staging("staged admin directory", &self.staged);
    }
}

/// What an interrupted rebuilding is called.
pub fn what(intent: &Intent) -> String {
    format!("the rebuilding of '{}'", intent.admin.display())
}

/// The admin directory that the lane's worktree names and that is no more, where record, branch and
/// directory agree on what was in it.
pub(super) fn lost(repository: &Repository, lane: &Lane) -> Option<PathBuf> {
    known(repository, lane).map(|(admin, ..)| admin)
}

/// The same with the branch it had checked out, and the commit that is at.
fn known<'a>(
    repository: &Repository,
    lane: &'a Lane,
) -> Option<(PathBuf, &'a BranchName, ObjectId)> {
    let common_dir = repository.common_dir();
    let admin = admin_of(common_dir, &lane.worktree).filter(|_| !lane.worktree.is_symlink())?;
    let id = admin.file_name()?;
    // Built for this lane it would be taken for that of the other one, too.
    let is_anothers = |other: &Lane| {
        other.name != lane.name && admin_of(common_dir, &other.worktree) == Some(admin.clone())
    };
    if exists(&admin) || repository.records().ok()?.lanes.iter().any(is_anothers) {
        return None;
    }
    // What settings of its own the worktree had went too: a sparse one would seem to have lost
    // files.
    let include = format!("includeIf.gitdir:./worktrees/{}.path", id.to_str()?);
    let included = repository.config(&include).is_some();
    let has_settings = included
        || ["extensions.worktreeConfig", "core.sparseCheckout"]
            .iter()
            .any(|key| repository.config_bool(key));
    if has_settings
        || repository.ref_format() != RefFormat::Files
        || trash::is_moving(repository, &lane.name)
    {
        return None;
    }
    let branch = lane
        .branch
        .as_ref()
        .filter(|branch| is_free(repository, branch, &admin))?;
    let tip = repository.branch_tip(branch).ok().flatten()?;
    holds_files_of(repository, tip, &lane.worktree).then_some((admin, branch, tip))
}

/// The admin directory of this repository that the `.git` file of a worktree names, whether or not
/// it is there.
fn admin_of(common_dir: &Path, worktree: &Path) -> Option<PathBuf> {
    let named = named_by(worktree)?;
    let worktrees = named
        .parent()
        .filter(|parent| parent.ends_with("worktrees"))?;
    let ours = std::fs::canonicalize(worktrees.parent()?).is_ok_and(|found| found == common_dir);
    ours.then(|| Some(common_dir.join("worktrees").join(named.file_name()?)))
        .flatten()
}

/// Whether something that is in the commit is in the directory too, and no submodule has lost its
/// repository with the admin directory, which git could not get over.
fn holds_files_of(repository: &Repository, commit: ObjectId, directory: &Path) -> bool {
    let listed = repository.git_here().ls_tree(commit, NONE);
    let Ok(listed) = listed else { return false };
    let mut any = listed.is_empty();
    for entry in listed {
        let path = directory.join(crate::store::path(&entry.path));
        any = any || exists(&path);
        if entry.mode == SUBMODULE && named_by(&path).is_some_and(|git_dir| !git_dir.exists()) {
            return false;
        }
    }
    any
}

/// Builds it.
pub(super) fn rebuild(repository: &Repository, name: &LaneName) -> Result<()> {
    repository.unrecovered.ensure_lane_is_whole(name)?;
    let _registry = registry_lock(repository)?;
    let records = repository.records()?;
    let lane = records.find(name).ok_or_else(|| raced(name))?;
    let (admin, branch, tip) = known(repository, lane).ok_or_else(|| raced(name))?;
    let staged = repository.lane_dir().join("staging").join(unique_id());
    let intent = Intent {
        lane: name.clone(),
        admin,
        staged,
    };
    let running = Journal::new(repository.lane_dir()).begin(&intent)?;
    let built = build(repository, &intent, lane, branch, tip);
    if built.is_err() {
        remove(&intent.staged)?;
    }
    running.done()?;
    built
}

fn build(
    repository: &Repository,
    intent: &Intent,
    lane: &Lane,
    branch: &BranchName,
    tip: ObjectId,
) -> Result<()> {
    let Intent { admin, staged, .. } = intent;
    repository
        .shared()
        .create_dir_all(staged)
        .context("create", staged)?;
    step("rebuild.begun");
    let head = [b"ref: ", branch.to_ref().as_slice(), b"\n"].concat();
    for (name, text) in [
        ("HEAD", head),
        ("commondir", b"../..\n".to_vec()),
        ("gitdir", line(&lane.worktree.join(".git"))),
    ] {
        let path = staged.join(name);
        repository
            .shared()
            .write(&path, text)
            .context("write", &path)?;
    }
    begin_reflog(repository, staged, tip, &lane.id)?;
    let index = staged.join("index");
    repository
        .git_here()
        .on_own_index(&repository.gix, &index)
        .fill_index(tip)?;
    step("rebuild.built");
    let placed = place_admin(repository, staged, admin);
    step("rebuild.placed");
    // The user may have made one meanwhile, and knows better.
    placed.map_err(|error| {
        if admin.exists() {
            raced(&lane.name)
        } else {
            error
        }
    })
}

/// What died before the rename is not missed; after it, it is done.
pub fn recover(repository: &Repository, intent: &Intent) -> Result<Healed> {
    let _registry = registry_lock(repository)?;
    let completed = !intent.staged.exists() && intent.admin.exists();
    remove(&intent.staged)?;
    Ok(Healed::new(what(intent), completed))
}

fn remove(staged: &Path) -> Result<()> {
    match std::fs::remove_dir_all(staged) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("remove", staged)
        }
        _ => Ok(()),
    }
}
