//! What is in flight: one entry for each lane and for each worktree that is none.

use std::path::PathBuf;

use super::forecast::Verdict;
use super::integration::Integration;
use super::lane::{Head, Lane, ObjectId, RefName, Worktree, WorktreeState};
use super::name::{BranchName, LaneName};
use super::relation::distance;
use super::status::WorktreeStatus;

/// A lane, or a worktree that is none.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The lane; `None` for any other worktree.
    pub lane: Option<Lane>,
    /// Its worktree, when git knows one.
    pub worktree: Option<Worktree>,
    /// What state it is in.
    pub state: State,
    /// The commit at its tip.
    pub tip: Option<ObjectId>,
    /// How it stands to its base; `None` without a base, or when it was not asked for.
    pub versus: Option<Versus>,
    /// What the last forecast has said of the lane and its base, where that still holds.
    pub forecast: Option<Verdict>,
    /// When the tip was committed, in seconds since 1970; `None` when not asked for.
    pub committed: Option<i64>,
    /// Whether no commit was ever made in the lane.
    pub untouched: bool,
    /// Where it is published; `None` where it is not, or when it was not asked for.
    pub published: Option<Published>,
    /// When something was last done in it, in seconds since 1970; `None` when not asked for.
    pub active: Option<i64>,
    /// Whether the caller stands in it.
    pub is_current: bool,
}

/// The branch of a remote that a lane's branch was pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The remote-tracking branch that mirrors it.
    pub tracking: RefName,
    /// Commits of the lane that are not there, and those there that the lane does not have; `None`
    /// where the branch is gone.
    pub distance: Option<(usize, usize)>,
}

impl std::fmt::Display for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.distance {
            Some((0, 0)) => f.write_str("yes"),
            Some((ahead, behind)) => f.write_str(&distance(ahead, behind)),
            None => f.write_str("gone"),
        }
    }
}

/// How a lane stands to its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versus {
    /// Commits the base does not have.
    pub ahead: usize,
    /// Commits of the base the lane does not have.
    pub behind: usize,
    /// The proof that its work is in the base.
    pub integrated: Option<Integration>,
}

/// The state of a lane or a worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The files were not looked at.
    Unread,
    /// The files were read; clean when all counts are zero.
    Read(WorktreeStatus),
    /// Something else than the lane's branch is checked out; what the files are, where they were
    /// read.
    Stray(Head, Option<WorktreeStatus>),
    /// It is the main worktree and shows that lane; what the files are, where they were read.
    Trying(LaneName, Option<WorktreeStatus>),
    /// The worktree's directory is gone.
    Missing,
    /// The bare repository itself.
    Bare,
    /// Directory and admin directory do not belong together, or git could not read it.
    Damaged(String),
}

impl State {
    /// Derives the state of a worktree, a lane's or not.
    pub fn of(
        lane: Option<&Lane>,
        worktree: Option<&Worktree>,
        status: Option<Result<WorktreeStatus, String>>,
    ) -> Self {
        let Some(worktree) = worktree else {
            return State::Missing;
        };
        match &worktree.state {
            WorktreeState::Missing => return State::Missing,
            WorktreeState::Bare | WorktreeState::BareWithIndex => return State::Bare,
            WorktreeState::Unknown => {
                return State::Damaged("nothing says where the main worktree is".into());
            }
            WorktreeState::Damaged(why) => return State::Damaged(why.clone()),
            WorktreeState::Present => {}
        }
        let status = match status {
            Some(Err(why)) => return State::Damaged(why),
            Some(Ok(status)) => Some(status),
            None => None,
        };
        let underway = status
            .as_ref()
            .is_some_and(|status| status.operation.is_some());
        match lane {
            Some(lane) if stray(lane, worktree, underway) => {
                State::Stray(worktree.head.clone(), status)
            }
            _ => status.map_or(State::Unread, State::Read),
        }
    }

    /// The same for the main worktree where that shows a lane.
    pub fn trying(self, lane: LaneName) -> Self {
        match self {
            State::Read(status) => State::Trying(lane, Some(status)),
            State::Unread => State::Trying(lane, None),
            other => other,
        }
    }

    /// Whether it is settled: clean, no operation in progress, not stray.
    pub fn is_settled(&self) -> bool {
        matches!(self, State::Read(status) if status.operation.is_none() && status.is_clean())
    }

    /// Whether files were read that differ from the commit, or an operation in progress.
    pub fn has_changes(&self) -> bool {
        let status = self.status();
        status.is_some_and(|status| status.operation.is_some() || !status.is_clean())
    }

    /// What the files are, where they were read.
    pub fn status(&self) -> Option<&WorktreeStatus> {
        match self {
            State::Read(status) | State::Stray(_, Some(status)) => Some(status),
            _ => None,
        }
    }

    /// The few words that the list has for it: two at the most, the weightiest first.
    pub fn in_short(&self) -> String {
        let more = self.status().filter(|status| !status.is_clean());
        match self {
            State::Read(status) => status.in_short(),
            State::Stray(..) => {
                let words = [stray_words(self), more.map(WorktreeStatus::in_brief)];
                words.into_iter().flatten().collect::<Vec<_>>().join(", ")
            }
            _ => self.to_string(),
        }
    }

    /// One of these words.
    pub fn in_brief(&self) -> String {
        match self {
            State::Read(status) => status.in_brief(),
            State::Stray(..) => "stray".into(),
            _ => self.to_string(),
        }
    }

    /// A stable word for scripts and for `--state`.
    pub fn code(&self) -> &'static str {
        match self {
            State::Unread => "unread",
            State::Read(status) if status.operation.is_some() => "operation",
            State::Read(status) if status.is_clean() => "clean",
            State::Read(_) => "dirty",
            State::Stray(..) => "stray",
            State::Trying(..) => "trying",
            State::Missing => "missing",
            State::Bare => "bare",
            State::Damaged(_) => "damaged",
        }
    }

    /// The words a state can be filtered by.
    pub const CODES: [&str; 7] = [
        "clean",
        "dirty",
        "operation",
        "stray",
        "trying",
        "missing",
        "damaged",
    ];
}

/// Whether a lane's worktree shows something else than the lane's branch. A detached HEAD is git's
/// own business while an operation is under way.
pub fn stray(lane: &Lane, worktree: &Worktree, underway: bool) -> bool {
    match (&worktree.head, &lane.branch) {
        (_, Some(own)) if worktree.is_on(own) => false,
        (Head::Branch(_), Some(_)) => true,
        (Head::Detached(_), Some(_)) => !underway,
        (Head::Detached(_), None) => false,
        (Head::Branch(_), None) | (Head::Other(_), _) => true,
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Unread => f.write_str("-"),
            State::Read(status) => f.write_str(&words(status)),
            State::Stray(_, status) => {
                f.write_str(&stray_words(self).unwrap_or_default())?;
                match status {
                    Some(status) if !status.is_clean() => write!(f, ", {}", words(status)),
                    _ => Ok(()),
                }
            }
            State::Trying(lane, status) => {
                write!(f, "trying {lane}")?;
                match status {
                    Some(status) if !status.is_clean() => write!(f, ", {}", words(status)),
                    _ => Ok(()),
                }
            }
            State::Missing => f.write_str("missing"),
            State::Bare => f.write_str("bare"),
            State::Damaged(_) => f.write_str("damaged"),
        }
    }
}

/// Where a stray worktree is.
fn stray_words(state: &State) -> Option<String> {
    match state {
        State::Stray(Head::Branch(branch), _) => Some(format!("stray on {branch}")),
        State::Stray(Head::Detached(id), _) => Some(format!("stray at {}", id.to_hex_with_len(7))),
        State::Stray(Head::Other(_), _) => Some("stray".into()),
        _ => None,
    }
}

fn words(status: &WorktreeStatus) -> String {
    let mut words = Vec::new();
    if let Some(operation) = status.operation {
        words.push(operation.to_string());
    }
    for (count, word) in [
        (status.conflicted, "conflicted"),
        (status.staged, "staged"),
        (status.modified, "modified"),
        (status.untracked, "untracked"),
    ] {
        if count > 0 {
            words.push(format!("{count} {word}"));
        }
    }
    if words.is_empty() {
        "clean".into()
    } else {
        words.join(", ")
    }
}

impl std::fmt::Display for Versus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.integrated {
            Some(_) if self.ahead > 0 => f.write_str("integrated"),
            _ => f.write_str(&distance(self.ahead, self.behind)),
        }
    }
}

impl Entry {
    /// One of which nothing but the record and the worktree was read.
    pub fn unread(lane: Option<Lane>, worktree: Option<Worktree>) -> Self {
        Entry {
            lane,
            worktree,
            state: State::Unread,
            tip: None,
            versus: None,
            forecast: None,
            committed: None,
            untouched: false,
            published: None,
            active: None,
            is_current: false,
        }
    }

    /// The lane's name.
    pub fn name(&self) -> Option<&LaneName> {
        self.lane.as_ref().map(|lane| &lane.name)
    }

    /// The lane's branch, or the one that is checked out.
    pub fn branch(&self) -> Option<&BranchName> {
        match &self.lane {
            Some(lane) => lane.branch.as_ref(),
            None => self
                .worktree
                .as_ref()
                .and_then(|worktree| worktree.head.branch()),
        }
    }

    /// Where it is: git's word, else the record's.
    pub fn path(&self) -> PathBuf {
        match (&self.worktree, &self.lane) {
            (Some(worktree), _) => worktree.path.clone(),
            (None, Some(lane)) => lane.worktree.clone(),
            (None, None) => PathBuf::new(),
        }
    }

    /// Whether it is the main worktree or the bare repository.
    pub fn is_main(&self) -> bool {
        self.worktree
            .as_ref()
            .is_some_and(|worktree| worktree.id.is_none())
    }

    /// When something last happened, as far as that is known.
    pub fn recency(&self) -> i64 {
        let created = self.lane.as_ref().map_or(i64::MIN, |lane| lane.created);
        self.active.unwrap_or(i64::MIN).max(created)
    }

    /// When something was last done in it: it was started, marked or claimed, its HEAD moved, or a
    /// commit of its own was made. A commit of the base says nothing of the lane.
    pub fn last_activity(&self, head_moved: Option<i64>) -> Option<i64> {
        let lane = self.lane.as_ref();
        let has_own = self.versus.as_ref().is_none_or(|versus| versus.ahead > 0);
        let own_commit = self.committed.filter(|_| match lane {
            Some(_) => has_own,
            // Of a worktree that is no lane nothing else may be known.
            None => head_moved.is_none(),
        });
        [
            lane.map(|lane| lane.created),
            lane.and_then(|lane| lane.mark.as_ref())
                .map(|mark| mark.since),
            lane.and_then(|lane| lane.claim.as_ref())
                .map(|claim| claim.since),
            own_commit,
            head_moved,
        ]
        .into_iter()
        .flatten()
        .max()
    }
}

/// The order of the list: the main worktree, lanes, other worktrees; the most recent first.
pub fn sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| {
        let rank = |entry: &Entry| {
            (
                !entry.is_main(),
                entry.lane.is_none(),
                std::cmp::Reverse(entry.recency()),
            )
        };
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.name().cmp(&b.name()))
            .then_with(|| a.path().cmp(&b.path()))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::WorktreeId;
    use crate::domain::status::Operation;

    fn lane(branch: Option<&str>) -> Lane {
        Lane {
            branch: branch.map(|branch| BranchName::parse(branch.into()).unwrap()),
            created: 5,
            ..Lane::sample("login")
        }
    }

    fn worktree(head: Head, state: WorktreeState) -> Worktree {
        Worktree {
            id: Some(WorktreeId("login".into())),
            path: "/x/login".into(),
            git_dir: "/r/worktrees/login".into(),
            head,
            alias: None,
            held: Vec::new(),
            locked: None,
            state,
        }
    }

    #[test]
    fn states_follow_from_the_facts() {
        let on = |name: &str| Head::Branch(BranchName::parse(name.into()).unwrap());
        let detached = Head::Detached(ObjectId::null(gix::hash::Kind::Sha1));
        let clean = WorktreeStatus::default();
        let rebasing = WorktreeStatus {
            operation: Some(Operation::Rebase),
            ..clean.clone()
        };
        let dirty = WorktreeStatus {
            untracked: 1,
            ..clean.clone()
        };
        for (branch, head, status, code) in [
            (Some("login"), on("login"), Some(&clean), "clean"),
            (Some("login"), on("login"), Some(&dirty), "dirty"),
            (Some("login"), on("login"), None, "unread"),
            (Some("login"), on("other"), Some(&clean), "stray"),
            (Some("login"), on("other"), None, "stray"),
            (Some("login"), detached.clone(), Some(&clean), "stray"),
            (
                Some("login"),
                detached.clone(),
                Some(&rebasing),
                "operation",
            ),
            (None, detached, Some(&clean), "clean"),
            (None, on("main"), Some(&clean), "stray"),
        ] {
            let worktree = worktree(head, WorktreeState::Present);
            let state = State::of(
                Some(&lane(branch)),
                Some(&worktree),
                status.cloned().map(Ok),
            );
            assert_eq!(state.code(), code, "{branch:?} {worktree:?}");
        }
        let gone = worktree(on("login"), WorktreeState::Missing);
        assert_eq!(
            State::of(Some(&lane(Some("login"))), Some(&gone), None),
            State::Missing
        );
        assert_eq!(
            State::of(Some(&lane(Some("login"))), None, None),
            State::Missing
        );
        let failed = State::of(
            None,
            Some(&worktree(on("x"), WorktreeState::Present)),
            Some(Err("no index".into())),
        );
        assert_eq!(failed, State::Damaged("no index".into()));
    }

    #[test]
    fn a_state_reads_as_words() {
        let status = WorktreeStatus {
            staged: 2,
            untracked: 1,
            operation: Some(Operation::Merge),
            ..Default::default()
        };
        assert_eq!(
            State::Read(status).to_string(),
            "merge, 2 staged, 1 untracked"
        );
        assert_eq!(State::Read(WorktreeStatus::default()).to_string(), "clean");
        let versus = |ahead, behind| {
            Versus {
                ahead,
                behind,
                integrated: None,
            }
            .to_string()
        };
        assert_eq!(
            [versus(0, 0), versus(2, 0), versus(2, 1), versus(0, 3)],
            ["even", "+2", "+2 -1", "-3"]
        );
    }
}
