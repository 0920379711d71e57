//! What dead processes left half done, as the journal tells: what a command that may change
//! something would heal first.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::domain::doctor::{Finding, Interrupted, Prospect};
use crate::domain::event::{Event, Phase, Subject, What};
use crate::error::Result;
use crate::operations::recover::Intent;
use crate::repository::Repository;
use crate::repository::provenance::misfit;
use crate::store::journal::{Journal, Said};

/// All of it, oldest first. Nothing is healed here.
pub fn operations(repository: &Repository) -> Result<Vec<Finding>> {
    let left = Journal::new(repository.lane_dir()).left::<Intent>()?;
    if left.is_empty() {
        return Ok(Vec::new());
    }
    let events = repository.log().since(0).unwrap_or_default();
    Ok(left
        .into_iter()
        .map(|(path, since, said)| finding(repository, &events, path, since, said))
        .collect())
}

fn finding(
    repository: &Repository,
    events: &[Event],
    intent: PathBuf,
    since: SystemTime,
    said: Said<Intent>,
) -> Finding {
    if matches!(&said, Said::Intent(intent) if misfit(repository, intent).is_some()) {
        return Finding::DamagedIntent(intent);
    }
    let (what, prospect) = match said {
        // The next command sets it aside.
        Said::Nothing | Said::OfTheOriginal => return Finding::DamagedIntent(intent),
        Said::Unknown(about) => match about {
            Some(about) => (about.what, Prospect::Newer),
            None => ("a command".into(), Prospect::Unknown),
        },
        Said::Intent(said) => {
            let tried = repository
                .unrecovered
                .why_not_healed(&intent)
                .or_else(|| failed_since(events, &said.subject(), since));
            (
                said.about().what,
                tried.map_or(Prospect::Healing, Prospect::Failed),
            )
        }
    };
    let age = since.elapsed().map_or(0, |age| age.as_secs());
    Finding::Interrupted(Interrupted {
        what,
        age,
        intent,
        prospect,
    })
}

/// Why the last attempt to heal it failed, as the event log tells. Its events name lane and base,
/// not the intent.
fn failed_since(events: &[Event], subject: &Subject, since: SystemTime) -> Option<String> {
    let is_one = subject.lane.is_some() || subject.base.is_some();
    let mut heals = events
        .iter()
        .rev()
        .filter(|event| event.subject == *subject && event.subject.what == What::Heal);
    let last = heals.find(|event| is_one && event.phase != Phase::Before)?;
    let time = last.time.parse::<jiff::Timestamp>().ok()?;
    let later = SystemTime::from(time) + std::time::Duration::from_millis(1) >= since;
    Some(last.end.problem.as_ref()?.message.clone()).filter(|_| later)
}
