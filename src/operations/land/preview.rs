//! What a landing would do, foretold: nothing is written and no hook is asked, but whatever would
//! refuse the landing itself refuses here, with the same words.

use super::apply::is_half_landed;
use super::obstacles_ahead::foretell_obstacles;
use super::outcome::Outcome;
use super::verdict::{Place, Verdict};
use crate::domain::finish::{Facts, Landing};
use crate::domain::lane::Worktree;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;

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
    let is_whole =
        |site: &&Worktree| !is_half_landed(repository, place.base, Some(&site.git_dir), None);
    if let Some(site) = place.site.filter(is_whole) {
        foretell_obstacles(repository, &scratch, site, (place.base, place.old, new))?;
    }
    Ok(Outcome::Landed(landed))
}
