//! Whose gate a landing has to pass: the user's, the team's, the clone's, and what `--gate` names.
//!
//! The team's commands, and whether they may be left out, come from the commits: from the tip of
//! the base, and from what lands where that has others. No file that lies in a worktree counts.
//!
//! Landing, undo and the verb `approve` call it.

use std::path::Path;

use super::policy_files::{Layer, blob_of, committed, layered, of_the_clone, of_the_user};
use crate::domain::gate::{CommandList, Gate, Source};
use crate::domain::lane::ObjectId;
use crate::error::Result;
use crate::policy::{FILE, Policy};
use crate::repository::Repository;

/// The gate between the base, whose tip is `base_tip`, and `landing`: the commit or the tree that
/// the base is to get, where it gets one. `view` may have objects that the repository has not yet
/// (a quarantine), `extra` are the commands of `--gate`.
///
/// # Errors
/// A file that cannot be used, with the commit or the path it is in. That of what lands counts only
/// where the base has a gate: no policy keeps a landing from repairing a file.
pub fn gate(
    repository: &Repository,
    view: &gix::Repository,
    base_tip: ObjectId,
    landing: Option<ObjectId>,
    extra: &[String],
) -> Result<Gate> {
    let (user, clone) = (of_the_user()?, of_the_clone(repository)?);
    let with = |team: Option<&Layer>| -> Result<Policy> {
        let files = [user.as_ref(), team, clone.as_ref()];
        Ok(Policy::of(&layered(files.into_iter().flatten().cloned())?))
    };
    let name = format!("{}:{FILE}", base_tip.to_hex_with_len(10));
    let team = committed(repository, view, base_tip, name.into())?;
    let (own, of_team, of_clone) = (
        alone(user.as_ref())?,
        alone(team.as_ref())?,
        alone(clone.as_ref())?,
    );
    let has_gate = !of_team.gate.is_empty() || of_team.gate_terms.required;
    let new = match landing {
        Some(landing) => arriving(repository, view, landing).or_else(|error| match has_gate {
            true => Err(error),
            false => Ok(None),
        })?,
        None => None,
    };
    let mut terms = with(team.as_ref())?.gate_terms;
    let mut lists = vec![
        list(Source::User, own.gate),
        list(Source::Team, of_team.gate.clone()),
    ];
    if let Some((layer, policy)) = new {
        terms = terms.and(with(layer.as_ref())?.gate_terms);
        if policy.gate != of_team.gate {
            lists.push(list(Source::Landing, policy.gate));
        }
    }
    lists.push(list(Source::Clone, of_clone.gate));
    lists.push(list(Source::CommandLine, extra.to_vec()));
    Ok(Gate::of(lists, terms))
}

/// Whether the team's file is another one in `to` than in `from`, both commits or trees.
pub fn is_changed(view: &gix::Repository, from: ObjectId, to: ObjectId) -> Result<bool> {
    let name = Path::new(FILE);
    Ok(blob_of(view, from, name)? != blob_of(view, to, name)?)
}

/// The team's file in what lands, and what that file says by itself.
fn arriving(
    repository: &Repository,
    view: &gix::Repository,
    landing: ObjectId,
) -> Result<Option<(Option<Layer>, Policy)>> {
    // git has no name for what may be in a quarantine yet.
    let name = format!("{FILE} of what lands");
    let layer = committed(repository, view, landing, name.into())?;
    let policy = alone(layer.as_ref())?;
    Ok(Some((layer, policy)))
}

/// What a file says by itself.
fn alone(file: Option<&Layer>) -> Result<Policy> {
    Ok(Policy::of(&layered(file.cloned())?))
}

fn list(source: Source, lines: Vec<String>) -> CommandList {
    CommandList { source, lines }
}
