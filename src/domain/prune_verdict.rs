//! Which lanes are provably done; pure.

use super::integration::Integration;
use super::losses::Losses;
use super::retire::Refusal;

/// What is known of one lane.
#[derive(Debug)]
pub struct Facts {
    /// What protects it, busy processes included.
    pub protected: Option<Refusal>,
    /// Whether it was adopted: its worktree and its branch are not git-lane's to take away.
    pub adopted: bool,
    /// Whether its directory is gone.
    pub missing: bool,
    /// What only this lane has. The index and an operation in progress outlive the directory.
    pub losses: Losses,
    /// No commit was ever made in it: it is where it started, was only brought up to date with its
    /// base, or its branch is gone.
    pub untouched: bool,
    /// It is for looking and running alone, and no claim holds it.
    pub read_only: bool,
    /// How its work is known to be in its base.
    pub integrated: Option<Integration>,
    /// When it was started or last worked in, in seconds since 1970 UTC.
    pub last_seen: i64,
    /// Why its state could not be read.
    pub unreadable: Option<String>,
}

/// Why a lane is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Its work is in its base.
    Integrated(Integration),
    /// No commit was ever made in it, and nothing else is there.
    NeverUsed {
        /// How its commits are known to be in its base.
        integrated: Option<Integration>,
    },
    /// It was for looking and running alone, and nothing was made in it.
    ReadOnly {
        /// How its commit is known to be in its base.
        integrated: Option<Integration>,
    },
    /// The user removed its directory; its branch stays unless it is integrated.
    DirectoryGone {
        /// How its work is known to be in its base.
        integrated: Option<Integration>,
        /// Whether it never held a commit of its own.
        untouched: bool,
    },
    /// Another program has removed the worktree that it had made; the branch stays in any case.
    AdoptedGone,
}

impl Done {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Done::Integrated(integration) => integration.code(),
            Done::NeverUsed { .. } => "never-used",
            Done::ReadOnly { .. } => "read-only",
            Done::DirectoryGone { .. } | Done::AdoptedGone => "directory-gone",
        }
    }

    /// Whether the branch goes with the lane.
    pub fn delete_branch(&self) -> bool {
        match self {
            Done::Integrated(_) | Done::NeverUsed { .. } | Done::ReadOnly { .. } => true,
            Done::DirectoryGone {
                integrated,
                untouched,
            } => integrated.is_some() || *untouched,
            Done::AdoptedGone => false,
        }
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Done::Integrated(integration) => integration.fmt(f),
            Done::NeverUsed { .. } => f.write_str("never used"),
            Done::ReadOnly { .. } => f.write_str("read-only, and nothing was made in it"),
            Done::DirectoryGone {
                integrated: Some(integration),
                ..
            } => {
                write!(f, "its directory is gone; {integration}")
            }
            Done::DirectoryGone {
                untouched: true, ..
            } => f.write_str("its directory is gone; never used"),
            Done::DirectoryGone { .. } | Done::AdoptedGone => {
                f.write_str("its directory is gone; its branch stays")
            }
        }
    }
}

/// Why a lane stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its worktree may not be touched, or holds what nothing else has.
    Protected(Refusal),
    /// It is younger than asked for.
    TooYoung,
    /// Its state could not be read.
    Unreadable(String),
    /// Its work is not in its base, as far as we can tell.
    NotIntegrated,
}

impl Kept {
    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Kept::Protected(refusal) => refusal.code().as_str(),
            Kept::TooYoung => "too-young",
            Kept::Unreadable(_) => "unreadable",
            Kept::NotIntegrated => "not-integrated",
        }
    }
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kept::Protected(refusal) => refusal.fmt(f),
            Kept::TooYoung => f.write_str("worked in too recently"),
            Kept::Unreadable(why) => write!(f, "its state cannot be read: {why}"),
            Kept::NotIntegrated => f.write_str("its work is not in its base"),
        }
    }
}

/// How long an unused lane is left to its owner when nothing else was asked for.
pub const UNUSED_AGE: i64 = 86_400;

/// Decides about one lane. `older_than` (seconds) holds for every lane; without it only unused
/// lanes must have an age.
pub fn verdict(facts: &Facts, now: i64, older_than: Option<i64>) -> Result<Done, Kept> {
    if let Some(refusal) = &facts.protected {
        return Err(Kept::Protected(refusal.clone()));
    }
    if facts.adopted && facts.missing {
        let age = now.saturating_sub(facts.last_seen);
        let is_young = older_than.is_some_and(|least| age < least);
        return if is_young {
            Err(Kept::TooYoung)
        } else {
            Ok(Done::AdoptedGone)
        };
    }
    if let Some(why) = &facts.unreadable {
        return Err(Kept::Unreadable(why.clone()));
    }
    let age = now.saturating_sub(facts.last_seen);
    if older_than.is_some_and(|least| age < least) {
        return Err(Kept::TooYoung);
    }
    if let Some(refusal @ Refusal::Unsettled(_)) = facts.losses.refusal() {
        return Err(Kept::Protected(refusal));
    }
    if facts.missing {
        return Ok(Done::DirectoryGone {
            integrated: facts.integrated.clone(),
            untouched: facts.untouched,
        });
    }
    let never_used = || Done::NeverUsed {
        integrated: facts.integrated.clone(),
    };
    // A lane that was just started is in its base too: that is no proof that its owner is done with
    // it.
    if facts.untouched && facts.read_only {
        let integrated = facts.integrated.clone();
        return Ok(Done::ReadOnly { integrated });
    }
    if facts.untouched {
        return if age < older_than.unwrap_or(UNUSED_AGE) {
            Err(Kept::TooYoung)
        } else {
            Ok(never_used())
        };
    }
    match (&facts.integrated, facts.losses.refusal()) {
        (Some(integration), _) => Ok(Done::Integrated(integration.clone())),
        (None, Some(refusal)) => Err(Kept::Protected(refusal)),
        (None, None) => Err(Kept::NotIntegrated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::WorktreeStatus;

    const DAY: i64 = 86_400;

    fn facts() -> Facts {
        let losses = Losses::default();
        let (protected, integrated, unreadable) = (None, None, None);
        Facts {
            protected,
            adopted: false,
            missing: false,
            losses,
            untouched: false,
            read_only: false,
            integrated,
            last_seen: 0,
            unreadable,
        }
    }

    fn code(facts: &Facts, now: i64, older_than: Option<i64>) -> &'static str {
        verdict(facts, now, older_than).map_or_else(|kept| kept.code(), |done| done.code())
    }

    #[test]
    fn only_what_is_proven_goes() {
        let dirty = || WorktreeStatus {
            untracked: 1,
            ..Default::default()
        };
        let landed = || Facts {
            integrated: Some(Integration::Ancestor),
            ..facts()
        };
        let unused = || Facts {
            untouched: true,
            integrated: Some(Integration::SameCommit),
            ..facts()
        };
        let looked = || Facts {
            read_only: true,
            ..unused()
        };
        let busy = Refusal::Locked("/lanes/x".into(), "in use".into());
        for (facts, now, older_than, expected) in [
            (landed(), 1, None, "ancestor"),
            (landed(), DAY, Some(2 * DAY), "too-young"),
            (landed(), 2 * DAY, Some(2 * DAY), "ancestor"),
            (
                Facts {
                    losses: Losses {
                        status: dirty(),
                        ..Default::default()
                    },
                    ..landed()
                },
                9 * DAY,
                None,
                "unsettled",
            ),
            (
                Facts {
                    protected: Some(busy),
                    ..landed()
                },
                9 * DAY,
                None,
                "worktree-locked",
            ),
            (
                Facts {
                    unreadable: Some("x".into()),
                    ..landed()
                },
                9 * DAY,
                None,
                "unreadable",
            ),
            (unused(), DAY - 1, None, "too-young"),
            // Who only looks has nothing to come back to.
            (looked(), 0, None, "read-only"),
            (looked(), 60, Some(61), "too-young"),
            (
                Facts {
                    losses: Losses {
                        status: dirty(),
                        ..Default::default()
                    },
                    ..looked()
                },
                9 * DAY,
                None,
                "unsettled",
            ),
            (
                Facts {
                    read_only: true,
                    ..facts()
                },
                9 * DAY,
                None,
                "not-integrated",
            ),
            (unused(), DAY, None, "never-used"),
            (unused(), 60, Some(60), "never-used"),
            (
                Facts {
                    losses: Losses {
                        ahead: 2,
                        ..Default::default()
                    },
                    ..facts()
                },
                9 * DAY,
                None,
                "not-integrated",
            ),
            (facts(), 9 * DAY, None, "not-integrated"),
            (
                Facts {
                    missing: true,
                    ..facts()
                },
                1,
                None,
                "directory-gone",
            ),
            (
                Facts {
                    adopted: true,
                    missing: true,
                    ..landed()
                },
                1,
                None,
                "directory-gone",
            ),
            (
                Facts {
                    adopted: true,
                    missing: true,
                    ..landed()
                },
                DAY,
                Some(2 * DAY),
                "too-young",
            ),
            (
                Facts {
                    adopted: true,
                    protected: Some(Refusal::Adopted("/w".into())),
                    ..landed()
                },
                9 * DAY,
                None,
                "adopted",
            ),
            // The directory may only be unmounted.
            (
                Facts {
                    missing: true,
                    losses: Losses {
                        status: WorktreeStatus {
                            staged: 1,
                            ..Default::default()
                        },
                        ..Default::default()
                    },
                    ..unused()
                },
                99 * DAY,
                None,
                "unsettled",
            ),
            (
                Facts {
                    losses: Losses {
                        commits: 1,
                        ..Default::default()
                    },
                    ..landed()
                },
                9 * DAY,
                None,
                "unsettled",
            ),
        ] {
            assert_eq!(code(&facts, now, older_than), expected, "{facts:?}");
        }
    }

    #[test]
    fn a_removed_directorys_branch_stays_unless_its_work_is_safe() {
        let gone = |integrated, untouched| Done::DirectoryGone {
            integrated,
            untouched,
        };
        assert!(!Done::AdoptedGone.delete_branch());
        assert!(!gone(None, false).delete_branch());
        assert!(gone(None, true).delete_branch());
        assert!(gone(Some(Integration::SamePatches), false).delete_branch());
    }
}
