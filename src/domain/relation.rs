//! How a lane stands to its base, in the few words that the list has for it: what was never begun,
//! what has landed and what is still to land must not look alike.

use super::forecast::Verdict;
use super::integration::Integration;
use super::overview::{Entry, Versus};

/// How a lane stands to its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Nothing was ever done in it; the base has so many commits more.
    Unused(usize),
    /// The base has its commits.
    Merged,
    /// The base has its changes as other commits, each of one or several.
    Squashed,
    /// The base has its changes in another way.
    Integrated,
    /// They differ.
    Apart {
        /// Commits the base does not have.
        ahead: usize,
        /// Commits of the base the lane does not have.
        behind: usize,
    },
    /// The same, and the last forecast has said that they conflict.
    Conflicting {
        /// Commits the base does not have.
        ahead: usize,
        /// Commits of the base the lane does not have.
        behind: usize,
    },
}

impl Relation {
    /// That of an entry that was compared with its base.
    pub fn of(entry: &Entry) -> Option<Self> {
        let versus = entry.versus.as_ref()?;
        let Versus { ahead, behind, .. } = *versus;
        let has_work = entry.state.has_changes();
        Some(match &versus.integrated {
            _ if entry.forecast.as_ref().is_some_and(Verdict::is_conflict) => {
                Relation::Conflicting { ahead, behind }
            }
            _ if ahead == 0 && entry.untouched && !has_work => Relation::Unused(behind),
            _ if ahead == 0 && entry.untouched => Relation::Apart { ahead, behind },
            None => Relation::Apart { ahead, behind },
            Some(Integration::SameCommit | Integration::Ancestor) => Relation::Merged,
            Some(Integration::Squashed { .. }) => Relation::Squashed,
            Some(_) => Relation::Integrated,
        })
    }

    /// The same where there is little room.
    pub fn in_brief(self) -> String {
        match self {
            Relation::Unused(_) => "unused".into(),
            Relation::Conflicting { .. } => "conflicts".into(),
            other => other.to_string(),
        }
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Relation::Unused(0) => f.write_str("unused"),
            Relation::Unused(behind) => write!(f, "unused -{behind}"),
            Relation::Merged => f.write_str("merged"),
            Relation::Squashed => f.write_str("squashed"),
            Relation::Integrated => f.write_str("integrated"),
            Relation::Apart { ahead, behind } => f.write_str(&distance(ahead, behind)),
            Relation::Conflicting { ahead, behind } => {
                write!(f, "{} conflicts", distance(ahead, behind))
            }
        }
    }
}

/// How far two branches are from each other: `+2 -1`.
pub fn distance(ahead: usize, behind: usize) -> String {
    match (ahead, behind) {
        (0, 0) => "even".into(),
        (0, behind) => format!("-{behind}"),
        (ahead, 0) => format!("+{ahead}"),
        (ahead, behind) => format!("+{ahead} -{behind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::Lane;
    use crate::domain::overview::State;
    use crate::domain::status::WorktreeStatus;

    #[test]
    fn what_was_never_begun_has_landed_or_is_to_land_looks_different() {
        let squashed = || Integration::Squashed {
            commits: Vec::new(),
        };
        let conflict = || Verdict::Conflict(Vec::new());
        let untouched = |entry: &mut Entry| entry.untouched = true;
        let dirty = |entry: &mut Entry| {
            entry.untouched = true;
            entry.state = State::Read(WorktreeStatus {
                untracked: 1,
                ..WorktreeStatus::default()
            });
        };
        let conflicting = |entry: &mut Entry| entry.forecast = Some(conflict());
        let plain = |_: &mut Entry| {};
        type Case<'a> = (
            (usize, usize, Option<Integration>),
            &'a dyn Fn(&mut Entry),
            [&'a str; 2],
        );
        let table: [Case<'_>; 12] = [
            (
                (0, 0, Some(Integration::SameCommit)),
                &untouched,
                ["unused"; 2],
            ),
            (
                (0, 3, Some(Integration::Ancestor)),
                &untouched,
                ["unused -3", "unused"],
            ),
            // Nothing is committed, but something is under way.
            ((0, 0, Some(Integration::SameCommit)), &dirty, ["even"; 2]),
            ((0, 3, Some(Integration::Ancestor)), &dirty, ["-3"; 2]),
            ((0, 0, Some(Integration::SameCommit)), &plain, ["merged"; 2]),
            ((0, 1, Some(Integration::Ancestor)), &plain, ["merged"; 2]),
            ((2, 1, Some(squashed())), &plain, ["squashed"; 2]),
            (
                (2, 1, Some(Integration::SamePatches)),
                &plain,
                ["integrated"; 2],
            ),
            ((2, 0, None), &plain, ["+2"; 2]),
            ((2, 1, None), &plain, ["+2 -1"; 2]),
            ((0, 1, None), &plain, ["-1"; 2]),
            ((2, 1, None), &conflicting, ["+2 -1 conflicts", "conflicts"]),
        ];
        for ((ahead, behind, integrated), change, wanted) in table {
            let mut entry = Entry {
                state: State::Read(WorktreeStatus::default()),
                versus: Some(Versus {
                    ahead,
                    behind,
                    integrated,
                }),
                ..Entry::unread(Some(Lane::sample("login")), None)
            };
            change(&mut entry);
            let found = Relation::of(&entry).unwrap();
            assert_eq!([found.to_string(), found.in_brief()], wanted);
        }
    }
}
