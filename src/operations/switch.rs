//! Switches a worktree that nothing is uncommitted in to another branch: files, index and HEAD, or
//! nothing.
//!
//! `git switch` leaves locks behind when it is killed that could be any program's, and files of two
//! branches. The order here is that of a landing ([`super::land::apply`]): the index's lock, a look
//! at what is in the way, the intent, the files, and then the one step that counts, HEAD. *Dead
//! before it: the files go back to what the untouched index says. Dead after it: the prepared index
//! is put in force.*

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::lane::{Head, ObjectId, RefName, Worktree, hex, lossless_path};
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::index_lock::{Halted, Locked, index_signature, remove_prepared};
use crate::operations::checkout::{Move, Why, obstacles, read_tree, worktree_files};
use crate::repository::Repository;
use crate::repository::head_move::{HeadMove, switched_meanwhile};
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::recovered::Healing;
use crate::repository::tree_diff::changes;
use crate::store::git::failure;
use crate::store::journal::{About, Announce, GitDir, Running, step};
use crate::store::lockfile::LockFile;

/// A switch under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "switch")]
pub struct Intent {
    /// The full name of the branch it goes to.
    to: RefName,
    #[serde(with = "hex")]
    old: ObjectId,
    #[serde(with = "hex")]
    new: ObjectId,
    /// The worktree, and its git directory.
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
    #[serde(with = "lossless_path")]
    git_dir: PathBuf,
    /// The index being prepared.
    #[serde(with = "lossless_path")]
    prepared: PathBuf,
    /// What the index looked like.
    index: Option<(u64, i64, i64)>,
}

impl Intent {
    /// The worktree.
    pub fn worktree(&self) -> &Path {
        &self.worktree
    }

    /// The git directory of the worktree.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        let what = format!("a switch in '{}'", self.worktree.display());
        About {
            what,
            git_dirs: vec![GitDir(self.git_dir.clone())],
            ..About::default()
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.branch("branch", &self.to);
        assertions.git_dir("git directory", &self.git_dir);
        assertions.index_copy("prepared index", &self.prepared, &self.git_dir);
    }
}

/// Switches `site` from branch `from` to branch `to`. Local changes and ignored files in the way
/// are a refusal.
pub fn switch(
    repository: &Repository,
    site: &Worktree,
    from: &BranchName,
    to: &BranchName,
) -> Result<()> {
    repository
        .unrecovered
        .ensure_files_are_whole(&site.git_dir)?;
    let index = Locked::of(repository, site, from)?.ok_or_else(|| switched_meanwhile(site))?;
    let tips = (repository.branch_tip(from)?, repository.branch_tip(to)?);
    let (Some(old), Some(new)) = tips else {
        return Err(switched_meanwhile(site));
    };
    crate::repository::unrecovered::ensure_not_half_moved(repository, site)?;
    let prepared = index.copy()?;
    step("switch.prepared");
    let planned = Move {
        base: from,
        old,
        new,
        made_on: None,
        why: Why::Landing,
        site: Some(site),
        reason: "",
        scratch: None,
        under: None,
    };
    let changed = changes(repository, old, new)?;
    obstacles::ensure_clear(repository, &planned, site, &prepared.path, &changed).map_err(
        |error| {
            Error::refused(error.to_string())
                .with_code(Code::InTheWay)
                .hint("move them away and try again")
        },
    )?;
    let intent = Intent {
        to: to.into(),
        old,
        new,
        worktree: site.path.clone(),
        git_dir: site.git_dir.clone(),
        prepared: prepared.path.clone(),
        index: index.signature(),
    };
    index.carry_out(&intent, prepared, "switch", |prepared, lock| {
        let end = carry_out(repository, &planned, site, to, prepared, lock)?;
        step("switch.index");
        Ok(end)
    })?;
    after(repository, site, old, new);
    Ok(())
}

/// Files, HEAD and index. An error means that the switch is neither done nor undone.
fn carry_out(
    repository: &Repository,
    planned: &Move<'_>,
    site: &Worktree,
    to: &BranchName,
    prepared: &Path,
    lock: &LockFile,
) -> Result<Result<()>> {
    let Move {
        base: from,
        old,
        new,
        ..
    } = *planned;
    let written = read_tree(repository, site, prepared, &["-m", "-u"], old, new)?;
    step("switch.files");
    if written.status.success() {
        let _ = worktree_files::remove_left(repository, site, old, new);
    }
    let moved = match written.status.success() {
        true => Checkout { site, old, new }.go(repository, from, &Head::Branch(to.clone())),
        false => Err(failure("git read-tree", &written)),
    };
    // A git that died right after the move has moved it all the same.
    if moved.is_err() && branch_of(repository, site)?.as_ref() != Some(to) {
        worktree_files::put_back(repository, site, old, new)?;
        return Ok(moved);
    }
    lock.replace_with(prepared)?;
    Ok(Ok(()))
}

/// Lets HEAD of `site` name the commit of its branch instead of the branch; neither files nor index
/// change.
pub fn detach(repository: &Repository, site: &Worktree, from: &BranchName) -> Result<()> {
    repository
        .unrecovered
        .ensure_files_are_whole(&site.git_dir)?;
    crate::repository::unrecovered::ensure_not_half_moved(repository, site)?;
    let tip = repository
        .branch_tip(from)?
        .ok_or_else(|| switched_meanwhile(site))?;
    let (old, new) = (tip, tip);
    Checkout { site, old, new }.go(repository, from, &Head::Detached(tip))
}

/// What `git switch` does to HEAD.
struct Checkout<'a> {
    site: &'a Worktree,
    old: ObjectId,
    new: ObjectId,
}

impl Checkout<'_> {
    fn go(&self, repository: &Repository, from: &BranchName, to: &Head) -> Result<()> {
        let target = match to {
            Head::Branch(branch) => branch.to_string(),
            _ => self.new.to_string(),
        };
        let moving = HeadMove {
            site: self.site,
            from: &Head::Branch(from.clone()),
            to,
            old: self.old,
            new: self.new,
            reason: &format!("checkout: moving from {from} to {target}"),
        };
        moving.carry_out(repository)
    }
}

/// The repository's own hooks; as for git, their verdict does not count here: HEAD is where it
/// should be.
pub(super) fn after(repository: &Repository, site: &Worktree, old: ObjectId, new: ObjectId) {
    repository.tell_of_index(site, repository.git.at(&site.path));
    if repository.has_hook("post-checkout") {
        let args = [old.to_string(), new.to_string(), "1".into()];
        let git = repository.git_as_user_at(&site.path);
        let _ = git.run_hook("post-checkout", args);
    }
}

fn branch_of(repository: &Repository, site: &Worktree) -> Result<Option<BranchName>> {
    let found = repository
        .worktrees()?
        .into_iter()
        .find(|worktree| worktree.git_dir == site.git_dir);
    Ok(found.and_then(|worktree| worktree.head.branch().cloned()))
}

/// Completes or undoes an interrupted switch; see the module's comment.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let what = format!(
        "the switch of '{}' to '{}'",
        intent.worktree.display(),
        intent.to
    );
    let halted = Halted {
        what,
        worktree: &intent.worktree,
        git_dir: &intent.git_dir,
    };
    halted.heal(repository, running, |site| heal(repository, intent, site))
}

/// Whether the switch counts, and whether the index fits.
fn heal(
    repository: &Repository,
    intent: &Intent,
    site: Option<(&Worktree, &LockFile)>,
) -> Result<(bool, bool)> {
    let (mut counts, mut fits) = (false, true);
    if let Some((site, lock)) = site {
        counts = site.head.branch().map(RefName::from).as_ref() == Some(&intent.to);
        if intent.prepared.exists() {
            // An index that was written since knows nothing of this switch and is left alone.
            fits = index_signature(&intent.git_dir.join("index")) == intent.index;
            match counts {
                true if fits => lock.replace_with(&intent.prepared)?,
                false if fits => {
                    worktree_files::put_back(repository, site, intent.old, intent.new)?
                }
                _ => {}
            }
        }
    }
    remove_prepared(&intent.prepared);
    Ok((counts, fits))
}
