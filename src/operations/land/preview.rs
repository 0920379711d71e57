//! What a landing would do, foretold: nothing is written and no hook is asked, but whatever would
//! refuse the landing itself refuses here, with the same words.

use super::apply::is_half_landed;
use super::outcome::Outcome;
use super::verdict::{Place, Verdict};
use crate::domain::finish::{Facts, Landing};
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::{IoContext, Result};
use crate::operations::checkout::Move;
use crate::operations::checkout::index_lock::Prepared;
use crate::operations::checkout::obstacles;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::tree_diff::changes_in;
use crate::store::lockfile::LockFile;

/// What landing would do. Changes nothing, asks no hook.
pub fn preview(
    repository: &Repository,
    facts: &Facts,
    landing: &Landing,
    own_message: bool,
) -> Result<Outcome> {
    let scratch = Scratch::outside(repository)?;
    let worktrees = repository.worktrees()?;
    let place = Place::of(repository, &scratch, &worktrees, facts, landing)?;
    let (new, landed) = match place.compute(own_message)? {
        Verdict::Nothing(proof) => return Ok(Outcome::Integrated(proof)),
        Verdict::Commit(new, commits) => (new, place.landed(Some(new), commits)),
        Verdict::Tree(tree, _) => (tree, place.landed(None, place.ahead()?)),
    };
    // What a dead landing has left there is healed before the next one lands, which a dry run must
    // not do.
    let is_whole = |site: &&Worktree| !is_half_landed(repository, place.base, Some(&site.git_dir));
    if let Some(site) = place.site.filter(is_whole) {
        ensure_clear(&place, site, new)?;
    }
    Ok(Outcome::Landed(landed))
}

/// Asks what the landing asks of the worktree that has the base checked out, on a copy of its index
/// outside the repository; `new` is the commit or tree that would land, and may be in the
/// quarantine only.
pub(super) fn ensure_clear(place: &Place<'_>, site: &Worktree, new: ObjectId) -> Result<()> {
    let (repository, scratch) = (place.repository, place.scratch);
    let index = site.git_dir.join("index");
    LockFile::wait_until_free(&index, repository.lane_dir())?;
    let copy = Prepared::copy(&index, scratch.path("index"))?;
    let changed = changes_in(&scratch.view(repository)?, place.old, new)?;
    let planned = Move {
        base: place.base,
        old: place.old,
        new,
        fresh: false,
        back: false,
        site: Some(site),
        reason: "",
        scratch: Some(scratch),
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
