//! Which paths each of several lanes has changed, and by that the order in which they land: few of
//! them are to meet files that others have changed. Called by `commands/finish`.

use std::collections::BTreeSet;

use crate::domain::finish::{Facts, landing_order};
use crate::repository::Repository;
use crate::repository::revision::merge_base;
use crate::repository::tree_diff;

/// The place of each lane in that order. A lane whose changes cannot be read counts as one that
/// changes nothing: its landing says why.
pub fn order(repository: &Repository, lanes: &[&Facts]) -> Vec<usize> {
    let changed: Vec<_> = lanes
        .iter()
        .map(|facts| of(repository, facts).unwrap_or_default())
        .collect();
    landing_order::places(&changed)
}

fn of(repository: &Repository, facts: &Facts) -> Option<BTreeSet<bstr::BString>> {
    let (base, tip) = (facts.base.as_ref()?.tip?, facts.tip?);
    let fork = merge_base(repository, base, tip).ok()??;
    let changes = tree_diff::changes(repository, fork, tip).ok()?;
    Some(changes.into_iter().map(|change| change.path).collect())
}
