//! What a line of work has changed, and by that whether two of them can meet at all.
//!
//! A merge of two trees that come from one takes every path from the side that has changed it. It
//! has to look at both where both have changed the path, where one has a file in place of a
//! directory of the other, and where one has moved a directory that the other adds to
//! (git-merge(1), `merge.directoryRenames`). A renamed file is a path that has gone on one side, so
//! that a change on the other side is to the same path.

use std::collections::{BTreeSet, HashSet};

use bstr::{BStr, BString, ByteSlice};

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has come.
    Added,
    /// It has gone.
    Deleted,
    /// It has another content or mode.
    Modified,
}

/// The paths that differ between a tree and the one that it came from.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Footprint {
    changed: Vec<(BString, Change)>,
    paths: HashSet<BString>,
    /// The directories on the way to them, without the top.
    directories: BTreeSet<BString>,
    /// Those of them that have gone with everything in them.
    vanished: BTreeSet<BString>,
}

impl Footprint {
    /// Of these changes; `exists` says whether a directory is still there afterwards.
    pub fn new(changed: Vec<(BString, Change)>, exists: impl Fn(&BStr) -> bool) -> Self {
        let parents = |(path, _): &(BString, Change)| {
            let above: Vec<BString> = above(path.as_bstr()).map(BString::from).collect();
            above
        };
        let directories = changed.iter().flat_map(parents).collect();
        let has = |change| changed.iter().any(|(_, found)| *found == change);
        // What has only gone was moved nowhere.
        let moved = has(Change::Added) && has(Change::Deleted);
        let gone = changed
            .iter()
            .filter(|(_, change)| moved && *change == Change::Deleted);
        let mut vanished: BTreeSet<BString> = gone.flat_map(parents).collect();
        vanished.retain(|directory| !exists(directory.as_bstr()));
        Footprint {
            paths: changed.iter().map(|(path, _)| path.clone()).collect(),
            changed,
            directories,
            vanished,
        }
    }

    /// The directories on the way to what has changed, without the top.
    pub fn directories(&self) -> impl Iterator<Item = &BStr> {
        self.directories.iter().map(|directory| directory.as_bstr())
    }

    /// Whether a merge of the two has to look at both sides of anything; both come from one tree.
    pub fn meets(&self, other: &Footprint) -> bool {
        let (few, many) = match self.changed.len() <= other.changed.len() {
            true => (self, other),
            false => (other, self),
        };
        let meets = |(path, _): &(BString, Change)| {
            many.paths.contains(path)
                || many.directories.contains(path)
                || above(path.as_bstr()).any(|directory| many.paths.contains(directory))
        };
        few.changed.iter().any(meets) || self.adds_to_moved(other) || other.adds_to_moved(self)
    }

    /// Whether it adds something where the other has moved a directory away.
    fn adds_to_moved(&self, other: &Footprint) -> bool {
        let into_moved = |(path, change): &(BString, Change)| {
            *change == Change::Added
                && above(path.as_bstr()).any(|directory| other.vanished.contains(directory))
        };
        !other.vanished.is_empty() && self.changed.iter().any(into_moved)
    }
}

/// The directories above a path, without the top.
fn above(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.find_iter("/").map(|at| path[..at].as_bstr())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+a -b ~c` as changes; `left` are directories that are still there.
    fn footprint(changes: &str, left: &[&str]) -> Footprint {
        let change = |word: &str| {
            let (sign, path) = word.split_at(1);
            let change = match sign {
                "+" => Change::Added,
                "-" => Change::Deleted,
                _ => Change::Modified,
            };
            (BString::from(path), change)
        };
        let changes = changes.split_whitespace().map(change).collect();
        Footprint::new(changes, |directory| {
            left.iter().any(|left| directory == *left)
        })
    }

    #[test]
    fn two_meet_where_a_merge_looks_at_both() {
        for (one, other, meet) in [
            ("", "", false),
            ("~a", "~b", false),
            ("~a", "~a", true),
            ("~d/a", "~d/b", false),
            // A renamed file has gone where the other changes it.
            ("-a +b", "~a", true),
            ("-a +b", "+b", true),
            ("-a +b", "~c", false),
            // A file in place of a directory.
            ("+d", "+d/x", true),
            ("-d/x +d", "~d/y", true),
            ("+d.x", "+d/x", false),
            // A directory that was moved.
            ("-d/x +e/x", "+d/y", true),
            ("-d/f/x +e/f/x", "+d/y", true),
            ("-d/f/x +e/f/x", "~d/y", false),
            ("-d/x +e/x", "+e/y", false),
            ("-d/x", "+d/y", false),
            ("-a +d/a", "+b", false),
            ("-d/x +e/x", "-d/y", false),
        ] {
            let (one, other) = (footprint(one, &[]), footprint(other, &[]));
            assert_eq!(one.meets(&other), meet, "{one:?} {other:?}");
            assert_eq!(other.meets(&one), meet, "{other:?} {one:?}");
        }
    }

    #[test]
    fn a_directory_that_is_still_there_was_not_moved() {
        let (moved, adds) = (footprint("-d/x +e/x", &["d"]), footprint("+d/y", &["d"]));
        assert!(!moved.meets(&adds) && !adds.meets(&moved));
    }
}
