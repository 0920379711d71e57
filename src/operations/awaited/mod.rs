//! Waits until lanes are what they are waited for. Only looks: no lock, no recovery, nothing
//! written.
//!
//! `facts_now` gathers what the conditions ask for, and again only what has changed; `engines/watch`
//! wakes it, and plain git, which tells no watcher, is found out by a look at everything from time to
//! time. `domain/waiting` decides. Called by `commands/wait`.

mod ended_landings;
mod facts_now;
mod refs_now;

use std::time::{Duration, Instant};

use self::facts_now::{FactsNow, MISSING};
use crate::domain::lane::Lane;
use crate::domain::waiting::{Condition, Outcome, Standing, outcome};
use crate::engines::watch::Watch;
use crate::error::Result;
use crate::repository::Repository;

/// How long nothing is looked at that no watch has told of.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks at everything take no more than one part in so many of the time: the files of large lanes
/// are looked at less often.
const PARTS: u32 = 20;

/// For how long what cannot be read is taken for what another process is just writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is waited for.
#[derive(Debug)]
pub struct Wish {
    /// Each lane is to meet one of these.
    pub until: Vec<Condition>,
    /// All of the lanes are to, and not only any one.
    pub all: bool,
    /// For no longer than that.
    pub limit: Option<Duration>,
}

/// A lane that is waited for.
#[derive(Debug)]
pub struct Awaited {
    /// Its record, or the last one where it is gone.
    pub lane: Lane,
    /// How it stood at the last look.
    pub standing: Standing,
}

impl Awaited {
    fn new(lane: Lane) -> Self {
        Awaited {
            lane,
            standing: Standing::Open,
        }
    }
}

/// Waits; returns how it stands then, [`Outcome::Open`] where the time was too short.
///
/// # Errors
/// Where the records cannot be read at the beginning, or not for a while.
pub fn wait(
    repository: &Repository,
    lanes: Vec<Lane>,
    wish: &Wish,
) -> Result<(Outcome, Vec<Awaited>)> {
    let end = wish
        .limit
        .and_then(|limit| Instant::now().checked_add(limit));
    let mut watch = Watch::begin();
    let mut facts = FactsNow::begin(repository, lanes, &wish.until);
    let mut at_everything = Instant::now();
    let mut read = None;
    loop {
        let now = Instant::now();
        let is_last = end.is_some_and(|end| now >= end);
        let at_all = now >= at_everything || is_last;
        match facts.look(at_all) {
            Ok(()) => read = Some(now),
            Err(error) if read.is_none_or(|read: Instant| read.elapsed() > PATIENCE) => {
                return Err(error);
            }
            Err(_) => {}
        }
        let found = outcome(
            facts.lanes.iter().map(|awaited| &awaited.standing),
            wish.all,
        );
        if found != Outcome::Open || is_last {
            return Ok((found, facts.lanes));
        }
        if at_all {
            at_everything = now + PAUSE.max(now.elapsed() * PARTS);
        }
        if watch.follow(facts.directories()) {
            // What happened there before the watch began is found by another look.
            at_everything = now;
            continue;
        }
        let mut next = end.map_or(at_everything, |end| end.min(at_everything));
        if facts.misses_a_record() {
            next = next.min(now + MISSING);
        }
        watch.sleep(next.saturating_duration_since(Instant::now()));
    }
}
