//! Whether the worktree that has a base checked out will let it move: asked without touching that
//! worktree, for a preview, and before a gate runs for minutes.

use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::BranchName;
use crate::error::{IoContext, Result};
use crate::operations::checkout::index_lock::Prepared;
use crate::operations::checkout::{Move, Why, obstacles};
use crate::operations::land::merge::Bench;
use crate::operations::land::merge_settings;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::changes_in;
use crate::store::git::Merged;
use crate::store::lockfile::LockFile;

/// Asks what the landing asks of the worktree that has the base checked out, on a copy of its index
/// outside the repository; `new` is the commit or tree that would land, and may be in the
/// quarantine only.
pub(in crate::operations) fn foretell_obstacles(
    repository: &Repository,
    scratch: &Scratch,
    site: &Worktree,
    (base, old, new): (&BranchName, ObjectId, ObjectId),
) -> Result<()> {
    let index = site.git_dir.join("index");
    LockFile::wait_until_free(&index, repository.lane_dir())?;
    let copy = Prepared::copy(&index, scratch.path("index-ahead"))?;
    let changed = changes_in(&scratch.view(repository)?, old, new)?;
    let planned = Move {
        base,
        old,
        new,
        made_on: None,
        why: Why::Landing,
        site: Some(site),
        reason: "",
        scratch: Some(scratch),
        under: None,
    };
    let halves = std::fs::read_dir(&site.git_dir)
        .context("read", &site.git_dir)?
        .flatten();
    if halves
        .map(|entry| entry.file_name())
        .any(|name| name.as_encoded_bytes().starts_with(b"sharedindex."))
    {
        // A git that writes a split index may write another half into the git directory.
        let whole = obstacles::on_copy(repository, &planned, site, &copy.path);
        whole.with("core.splitIndex", "false").unsplit_index()?;
    }
    obstacles::ensure_clear(repository, &planned, site, &copy.path, &changed)
}

/// Asks it of a worktree with `branch`, now at `ours`, before git itself merges `theirs` there: it
/// would write over ignored files.
pub(in crate::operations) fn foretell_laid_out(
    repository: &Repository,
    scratch: &Scratch,
    site: &Worktree,
    bench: &Bench<'_>,
    (branch, ours, theirs): (&BranchName, ObjectId, ObjectId),
) -> Result<()> {
    let (Merged::Clean(tree) | Merged::Conflict { tree, .. }) = bench.merge(ours, theirs)?;
    foretell_obstacles(repository, scratch, site, (branch, ours, tree))
}

/// Refuses a merge in which git would write over what no commit has.
pub(super) fn ensure_nothing_overwritten(
    repository: &Repository,
    site: &Worktree,
    (branch, tip, onto): (&BranchName, ObjectId, ObjectId),
) -> Result<()> {
    let scratch = Scratch::outside(repository)?;
    let policy = merge_settings::read(repository, &site.path, branch)?;
    let bench = Bench::new(repository, &scratch, Some(site), site.path.clone(), tip)?;
    let bench = bench.with_options(&policy.options);
    foretell_laid_out(repository, &scratch, site, &bench, (branch, tip, onto))
}
