//! Completes or undoes a landing that its process was pushing when it died, or of which nothing was
//! heard; see [`super::push_first`].

use super::base_remote::{Asks, Server};
use super::landing_facts;
use super::push_first::{Intent, follow, pull};
use super::verdict::site_of;
use crate::domain::lane::ObjectId;
use crate::domain::name::BranchName;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::operations::gate::has_passed;
use crate::repository::Repository;
use crate::repository::gate_rules;
use crate::repository::push_destination::Destination;
use crate::repository::recovered::{Healed, Healing};
use crate::store::journal::Running;

/// Completes or undoes what a dead process was pushing.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let healed = |counts| Ok(Healing::Whole(Healed::new(intent.what(), counts)));
    let Intent { base, old, new, .. } = intent;
    if let Some(now) = repository.ref_target(base)?
        && is_landing(repository, *new, now)
    {
        return healed(true);
    }
    // A journal may have come from anywhere: a base goes only forward by it.
    let branch = BranchName::from_ref(base.as_bstr());
    let Some(branch) = branch.filter(|_| is_landing(repository, *old, *new)) else {
        return healed(false);
    };
    let destination = Destination::known_as(repository, &intent.remote, &intent.name);
    let Some(destination) = destination else {
        return healed(false);
    };
    let worktrees = repository.worktrees()?;
    let site = site_of(&worktrees, &branch);
    let server = Server::of(repository, destination, site, Asks::NoOne);
    let has_it = server.has(*new);
    if !has_it.map_err(|error| server.unknown(&branch, &error.to_string()))? {
        return healed(false);
    }
    let id = running.id();
    let planned = Move {
        base: &branch,
        old: *old,
        new: *new,
        made_on: None,
        why: Why::Landing,
        site,
        reason: "lane: finish what was pushed",
        scratch: None,
        under: Some(&id),
    };
    ensure_passed(repository, &planned)
        .and_then(|()| follow(repository, &planned))
        .map_err(|error| server.ahead(&branch, error))?;
    healed(true)
}

/// Whether `older` is a commit that `newer`, a commit too, has in its history.
fn is_landing(repository: &Repository, older: ObjectId, newer: ObjectId) -> bool {
    let is_commit = |id| {
        let kind = repository.gix.find_header(id).map(|header| header.kind());
        kind.is_ok_and(|kind| kind == gix::objs::Kind::Commit)
    };
    is_commit(older)
        && is_commit(newer)
        && landing_facts::has(repository, newer, older).unwrap_or(false)
}

/// Refuses a commit that the gate of the base is not known to let pass: the file that names it is no
/// proof.
fn ensure_passed(repository: &Repository, planned: &Move<'_>) -> Result<()> {
    let gate = gate_rules::gate(
        repository,
        &repository.gix,
        planned.old,
        Some(planned.new),
        &[],
    )?;
    if gate.is_empty() || has_passed(repository, &gate, planned.new)? {
        return Ok(());
    }
    let sentence = format!(
        "'{}' has a gate, and nothing shows that this landing has passed it",
        planned.base
    );
    Err(Error::refused(sentence)
        .with_code(Code::GateRequired)
        .hint(format!(
            "take it from there by hand with: {}",
            pull(planned)
        )))
}
