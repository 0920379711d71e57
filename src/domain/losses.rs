//! What leaves with a lane that no commit of its branch has, and what of it a look did not see
//! before; pure.
//!
//! The decision, the user at a prompt, the refusal at the last moment and the entry in the trash
//! all speak of the same [`Losses`].

use super::lane::{Head, Lane, Worktree};
use super::retire::Refusal;
use super::status::WorktreeStatus;
use super::submodule::Inner;
use crate::domain::trash_entry::Holding;

/// What only this lane has: what a person should hear before it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// Changes no commit has, and the operation in progress.
    pub status: WorktreeStatus,
    /// What is checked out instead of the lane's branch.
    pub stray: Option<String>,
    /// Commits that only the worktree leads to: its detached HEAD, the log of its HEAD, its own
    /// refs.
    pub commits: usize,
    /// What its submodules, and other repositories in it, hold that exists nowhere else.
    pub inner: Inner,
    /// Commits its base has not.
    pub ahead: usize,
    /// The base those are counted against.
    pub base: Option<String>,
}

impl Losses {
    /// Gathers what would leave with the lane, its commits apart.
    pub fn of(lane: &Lane, worktree: Option<&Worktree>, status: WorktreeStatus) -> Self {
        let operation = status.operation;
        let stray = worktree
            .filter(|_| operation.is_none())
            .and_then(|worktree| match (&worktree.head, &lane.branch) {
                (Head::Branch(there), Some(branch)) if !worktree.is_on(branch) => {
                    Some(format!("branch '{there}'"))
                }
                (Head::Detached(id), Some(_)) => {
                    Some(format!("detached commit {}", id.to_hex_with_len(10)))
                }
                (Head::Branch(there), None) => Some(format!("branch '{there}'")),
                (Head::Other(there), _) => Some(format!("'{there}'")),
                _ => None,
            });
        let base = lane.base.as_ref().map(ToString::to_string);
        Losses {
            status,
            stray,
            base,
            ..Losses::default()
        }
    }

    /// The refusal when the user has not said yes; `None` when nothing is lost.
    pub fn refusal(&self) -> Option<Refusal> {
        if !self.holdings().is_empty() {
            return Some(Refusal::Unsettled(Box::new(self.clone())));
        }
        (self.ahead > 0).then(|| Refusal::NotIntegrated(Box::new(self.clone())))
    }

    /// Whether nothing but uncommitted changes would leave with it.
    pub fn are_changes_alone(&self) -> bool {
        let settled = Losses {
            status: WorktreeStatus::default(),
            ..self.clone()
        };
        self.status.operation.is_none() && settled.holdings().is_empty()
    }

    /// All of it that no proof about the branch's commits covers: what the entry in the trash says
    /// it holds.
    pub fn holdings(&self) -> Vec<Holding> {
        let status = &self.status;
        let counts = [
            (status.staged, "staged"),
            (status.modified, "modified"),
            (status.untracked, "untracked"),
            (status.conflicted, "conflicted"),
        ];
        let mut held: Vec<Holding> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| {
                Holding::new(kind, format!("{count} {kind} {}", plural(count, "path")))
            })
            .collect();
        if let Some(operation) = status.operation {
            held.push(Holding::new(
                "operation",
                format!("a {operation} in progress"),
            ));
        }
        if let Some(stray) = &self.stray {
            held.push(Holding::new("stray", format!("{stray} checked out")));
        }
        if self.commits > 0 {
            let text = format!(
                "{} {} of no branch",
                self.commits,
                plural(self.commits, "commit")
            );
            held.push(Holding::new("commits", text));
        }
        for (code, inner) in [
            ("submodule", &self.inner.submodules),
            ("repository", &self.inner.repositories),
        ] {
            if !inner.is_empty() {
                held.push(Holding::new(code, inner.to_string()));
            }
        }
        held
    }

    /// Whether a look that found this found what was not there when `seen` was seen. What has gone
    /// since is no matter.
    pub fn goes_beyond(&self, seen: &Losses) -> bool {
        let (now, then) = (&self.status, &seen.status);
        let counted = [
            (now.staged, then.staged),
            (now.modified, then.modified),
            (now.untracked, then.untracked),
            (now.conflicted, then.conflicted),
            (self.commits, seen.commits),
        ];
        // Of many paths only the first few are named; then the counts have to do.
        let all_named =
            then.staged + then.modified + then.untracked + then.conflicted <= then.samples.len();
        counted.into_iter().any(|(now, then)| now > then)
            || (all_named && now.samples.iter().any(|path| !then.samples.contains(path)))
            || (now.operation.is_some() && now.operation != then.operation)
            || (self.stray.is_some() && self.stray != seen.stray)
            || self.inner.goes_beyond(&seen.inner)
    }

    /// The same for scripts.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "staged": self.status.staged,
            "modified": self.status.modified,
            "untracked": self.status.untracked,
            "conflicted": self.status.conflicted,
            "inProgress": self.status.operation,
            "stray": self.stray,
            "commits": self.commits,
            "submodules": self.inner.submodules,
            "repositories": self.inner.repositories,
            "ahead": self.ahead,
        })
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

impl std::fmt::Display for Losses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = self
            .holdings()
            .into_iter()
            .map(|holding| holding.text)
            .collect();
        if self.ahead > 0 {
            let commits = plural(self.ahead, "commit");
            match &self.base {
                Some(base) => parts.push(format!("{} {commits} that '{base}' has not", self.ahead)),
                None => parts.push(format!("{} {commits} of its own", self.ahead)),
            }
        }
        f.write_str(&if parts.is_empty() {
            "nothing of its own".into()
        } else {
            parts.join(", ")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::{WorktreeId, WorktreeState};
    use crate::domain::name::BranchName;
    use crate::domain::status::Operation;
    use crate::domain::submodule::{Inside, Kind};
    use crate::domain::trash_entry::tests::entry;

    fn worktree(branch: &str) -> Worktree {
        Worktree {
            id: Some(WorktreeId("x".into())),
            path: "/lanes/x".into(),
            git_dir: "/repo/.git/worktrees/x".into(),
            head: Head::Branch(BranchName::parse(branch.into()).unwrap()),
            alias: None,
            held: Vec::new(),
            locked: None,
            state: WorktreeState::Present,
        }
    }

    #[test]
    fn what_leaves_with_a_lane_is_said_in_words() {
        let lane = entry("1", "x", 0).lane;
        let status = WorktreeStatus {
            staged: 1,
            untracked: 2,
            operation: Some(Operation::Rebase),
            ..Default::default()
        };
        let losses = Losses {
            ahead: 3,
            commits: 1,
            ..Losses::of(&lane, Some(&worktree("x")), status)
        };
        assert_eq!(
            losses.to_string(),
            "1 staged path, 2 untracked paths, a rebase in progress, 1 commit of no branch, 3 \
             commits that 'main' has not"
        );
        assert_eq!(losses.refusal().unwrap().code().as_str(), "unsettled");
        let ahead = Losses {
            ahead: 1,
            ..Losses::of(&lane, Some(&worktree("x")), WorktreeStatus::default())
        };
        assert_eq!(ahead.refusal().unwrap().code().as_str(), "not-integrated");
        let landed = Losses { ahead: 0, ..ahead };
        assert_eq!(landed.refusal(), None);
        let losses = Losses::of(&lane, Some(&worktree("other")), WorktreeStatus::default());
        assert_eq!(losses.to_string(), "branch 'other' checked out");
    }

    #[test]
    fn only_what_was_not_there_before_is_news() {
        let status = |staged, untracked, samples: &[&str]| WorktreeStatus {
            staged,
            untracked,
            samples: samples.iter().map(|path| (*path).into()).collect(),
            ..Default::default()
        };
        let of = |status| Losses {
            status,
            ..Losses::default()
        };
        let operating = |operation| {
            of(WorktreeStatus {
                operation: Some(operation),
                ..Default::default()
            })
        };
        let stray = |name: &str| Losses {
            stray: Some(name.into()),
            ..Losses::default()
        };
        let inside = |of: Inside| {
            let mut inner = Inner::default();
            inner.note(&of, Kind::Stash, 1);
            Losses {
                inner,
                ..Losses::default()
            }
        };
        let submodule = |name: &str| inside(Inside::Submodule(name.into()));
        let repository = |name: &str| inside(Inside::Repository(name.into()));
        let table = [
            (Losses::default(), Losses::default(), false),
            (of(status(0, 1, &["?? a"])), Losses::default(), true),
            (
                of(status(0, 1, &["?? a"])),
                of(status(0, 1, &["?? a"])),
                false,
            ),
            (
                of(status(0, 1, &["?? b"])),
                of(status(0, 1, &["?? a"])),
                true,
            ),
            (
                of(status(1, 0, &["A  a"])),
                of(status(0, 1, &["?? a"])),
                true,
            ),
            (Losses::default(), of(status(0, 1, &["?? a"])), false),
            // Where not all were named, another one may have been there.
            (
                of(status(0, 2, &["?? b"])),
                of(status(0, 2, &["?? a"])),
                false,
            ),
            (operating(Operation::Merge), Losses::default(), true),
            (
                operating(Operation::Merge),
                operating(Operation::Rebase),
                true,
            ),
            (
                operating(Operation::Merge),
                operating(Operation::Merge),
                false,
            ),
            (stray("branch 'y'"), Losses::default(), true),
            (stray("branch 'y'"), stray("branch 'z'"), true),
            (
                Losses {
                    commits: 1,
                    ..Losses::default()
                },
                Losses::default(),
                true,
            ),
            (submodule("a"), submodule("b"), true),
            (submodule("a"), submodule("a"), false),
            (repository("a"), submodule("a"), true),
            (repository("a"), repository("b"), true),
            (repository("a"), repository("a"), false),
        ];
        for (now, seen, news) in table {
            assert_eq!(now.goes_beyond(&seen), news, "{now} after {seen}");
        }
    }
}
