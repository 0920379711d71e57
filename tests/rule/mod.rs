//! The rule: plain git, tried in every way that could break it and in every way that must stay
//! free, at every level.
use crate::support::{long, skipped};

mod asked_level;
mod breaks;
mod everything;
mod follows;
mod foreign_hooks;
mod free;
mod hints;
mod merges;
mod newer_gits;
mod read_only;
mod shop;
mod unheard;
mod way_back;
mod writes;

use self::shop::{Refs, possible};

/// The levels that hold the rule, as far as the git under test can do them.
fn levels() -> impl Iterator<Item = &'static str> {
    ["restore", "refuse"]
        .into_iter()
        .filter(|level| possible(level, Refs::Files))
}

/// Tries every row of a table at one level, where the git under test can do that, and tells all
/// that is wrong at once: `problem` says what is wrong with a row. With a reftable, which changes
/// only how refs are read, it is every third row unless `GIT_LANE_TEST_LONG` is set.
fn every_row<'a, Row: std::fmt::Debug + 'a>(
    level: &str,
    refs: Refs,
    rows: impl Iterator<Item = &'a Row>,
    problem: impl Fn(&'a Row) -> Option<String>,
) {
    if !possible(level, refs) {
        skipped(&format!("this git cannot do level {level} with {refs:?}"));
        return;
    }
    let step = match refs {
        Refs::Reftable if !long() => 3,
        _ => 1,
    };
    let wrong: Vec<String> = rows
        .step_by(step)
        .filter_map(|row| problem(row).map(|problem| format!("=== {row:?}\n{problem}")))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} rows at level {level} with {refs:?}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
