//! Several lanes in an order in which those come first that share the fewest paths with the others:
//! what collides, collides late, when as much as possible has landed.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;

/// The place of each lane in that order, from the paths that each has changed; lanes that are alike
/// keep the order they are given in.
pub fn places(changed: &[BTreeSet<BString>]) -> Vec<usize> {
    let mut users: BTreeMap<&BString, usize> = BTreeMap::new();
    for path in changed.iter().flatten() {
        *users.entry(path).or_default() += 1;
    }
    let shared = |paths: &BTreeSet<BString>| {
        let others = |path| users.get(path).map_or(0, |users| users - 1);
        paths.iter().map(others).sum::<usize>()
    };
    let mut order: Vec<usize> = (0..changed.len()).collect();
    order.sort_by_key(|lane| shared(&changed[*lane]));
    let mut places = vec![0; changed.len()];
    for (place, lane) in order.into_iter().enumerate() {
        places[lane] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_paths_comes_after_what_does_not() {
        for (changed, expected) in [
            (vec![], vec![]),
            (vec!["a", "b"], vec![0, 1]),
            // The first shares with both others, which share nothing with each other.
            (vec!["a b", "a", "b"], vec![2, 0, 1]),
            (vec!["a", "a", "b"], vec![1, 2, 0]),
            (vec!["", "a"], vec![0, 1]),
        ] {
            let sets: Vec<BTreeSet<BString>> = changed
                .iter()
                .map(|paths| paths.split_whitespace().map(BString::from).collect())
                .collect();
            assert_eq!(places(&sets), expected, "{changed:?}");
        }
    }
}
