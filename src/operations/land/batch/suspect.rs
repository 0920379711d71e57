//! A lane with which the gate failed although it had succeeded for all that landed before it: is it
//! the lane alone, or does it not get along with one of them?

use crate::domain::gate::Gate;
use crate::domain::lane::ObjectId;
use crate::error::{Code, Error, Kind, Result};
use crate::operations::gate::Trial;
use crate::operations::land::candidate::Candidate;
use crate::operations::land::crowd::{Blame, Crowd};
use crate::operations::land::outcome::Asked;
use crate::repository::Repository;

/// Finds out which: how the gate fails for the lane alone, else an error that names the other lane.
pub(super) fn examine(
    repository: &Repository,
    candidate: &mut Candidate<'_>,
    gate: &Gate,
    crowd: &Crowd,
    failure: Error,
    asked: Asked<'_>,
) -> Result<Error> {
    let blame = crowd.blame(|onto| fails(repository, candidate, gate, onto, asked))?;
    let other = match blame {
        Blame::Itself(alone) => return Ok(alone),
        Blame::First => return Ok(failure),
        Blame::Member(other) => &other.lane,
    };
    let (lane, base) = (candidate.facts.lane.name.clone(), candidate.base());
    let base = base.map_or_else(String::new, |base| format!(" on '{base}'"));
    let held = Error::new(
        Kind::Gate,
        format!(
            "lane '{lane}' is held: the gate succeeds for it alone and fails with lane '{other}'{base}"
        ),
    );
    let told = failure.to_json();
    let mut details = told["error"]["details"].clone();
    details["with"] = serde_json::json!([other]);
    let hints = failure.hints().iter().cloned();
    Ok(hints.fold(held.with_code(Code::Held).details(details), Error::hint))
}

/// How the gate fails for the lane on `onto`, or why it cannot even be merged there.
fn fails(
    repository: &Repository,
    candidate: &mut Candidate<'_>,
    gate: &Gate,
    onto: ObjectId,
    asked: Asked<'_>,
) -> Result<Option<Error>> {
    let lane = candidate.facts.lane.name.clone();
    let Some(base) = candidate.base() else {
        return Ok(None);
    };
    let rehearsal = match candidate.rehearse(repository, onto) {
        Ok(rehearsal) => rehearsal,
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::Refused) => {
            return Ok(Some(error));
        }
        Err(error) => return Err(error),
    };
    let Some(rehearsal) = rehearsal else {
        return Ok(None);
    };
    let trial = Trial {
        gate,
        base: &base,
        commit: rehearsal.commit,
        names: &[&lane],
        without: None,
    };
    asked.judge.test(repository, &trial)
}
