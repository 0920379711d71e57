//! Whether a lane may be taken away, and what would leave with it; pure.

mod retire_refusal;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::domain::claim::Claim;
use crate::domain::lane::{Lane, Worktree, WorktreeState};

pub use crate::domain::retire::retire_refusal::{Busy, BusyProcess, Refusal, moved_on, raced};

/// Where a lane's files are, by git's own list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// git lists this worktree at the recorded path.
    Listed(&'a Worktree),
    /// git lists the lane's branch in this worktree and nothing at the recorded path: `git worktree
    /// move` was here.
    Moved(&'a Worktree),
    /// git lists nothing of it.
    Unlisted,
}

impl<'a> Place<'a> {
    /// The worktree, where there is one.
    pub fn worktree(self) -> Option<&'a Worktree> {
        match self {
            Place::Listed(worktree) | Place::Moved(worktree) => Some(worktree),
            Place::Unlisted => None,
        }
    }

    /// The worktree, where its directory is really there.
    pub fn present(self) -> Option<&'a Worktree> {
        self.worktree()
            .filter(|worktree| worktree.state == WorktreeState::Present)
    }
}

/// Finds a lane among git's worktrees. The record's path is a claim; git's list decides.
pub fn place<'a>(lane: &Lane, worktrees: &'a [Worktree]) -> Place<'a> {
    let linked = || worktrees.iter().filter(|worktree| worktree.id.is_some());
    // A damaged one can claim the path of another.
    let there = || linked().filter(|worktree| worktree.path == lane.worktree);
    let present = there().find(|worktree| worktree.state == WorktreeState::Present);
    if let Some(worktree) = present.or_else(|| there().next()) {
        return Place::Listed(worktree);
    }
    let on_branch = |worktree: &&Worktree| {
        lane.branch
            .as_ref()
            .is_some_and(|branch| worktree.is_on(branch))
    };
    linked()
        .find(on_branch)
        .map_or(Place::Unlisted, Place::Moved)
}

/// The worktrees by their paths, to find many lanes among them.
pub struct Places<'a> {
    all: &'a [Worktree],
    by_path: HashMap<&'a Path, Option<&'a Worktree>>,
}

impl<'a> Places<'a> {
    /// Of all worktrees.
    pub fn of(all: &'a [Worktree]) -> Self {
        let mut by_path = HashMap::new();
        for worktree in all.iter().filter(|worktree| worktree.id.is_some()) {
            // Where two claim one path, it takes a look at both.
            by_path
                .entry(worktree.path.as_path())
                .and_modify(|one| *one = None)
                .or_insert(Some(worktree));
        }
        Places { all, by_path }
    }

    /// What [`place`] says.
    pub fn place(&self, lane: &Lane) -> Place<'a> {
        match self.by_path.get(lane.worktree.as_path()) {
            Some(Some(only)) => Place::Listed(only),
            _ => place(lane, self.all),
        }
    }
}

/// Facts about a worktree that is to be moved away.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The lane.
    pub lane: &'a Lane,
    /// Its worktree.
    pub worktree: Option<&'a Worktree>,
    /// Every worktree of the repository, the main one first.
    pub all: &'a [Worktree],
    /// The directory all worktrees share.
    pub common_dir: &'a Path,
    /// Whether there is something at the recorded path.
    pub path_exists: bool,
    /// Where the directory of a missing worktree was found.
    pub found_at: Option<PathBuf>,
    /// Another holder's living claim.
    pub claimed: Option<Claim>,
    /// A process that works in it.
    pub busy: Option<Busy>,
    /// Whether the lane's branch goes too.
    pub delete_branch: bool,
}

/// Everything that protects a worktree from being moved, whatever was forced; processes are left
/// out of the facts where `--force` was given.
pub fn ensure_movable(facts: &Surroundings<'_>) -> Result<(), Refusal> {
    let lane = facts.lane;
    if let Some(claim) = &facts.claimed {
        return Err(Refusal::Claimed(Box::new(claim.clone())));
    }
    if let Some(worktree) = facts.worktree.filter(|_| lane.adopted)
        && worktree.state != WorktreeState::Missing
    {
        return Err(Refusal::Adopted(worktree.path.clone()));
    }
    let main = facts
        .all
        .iter()
        .find(|worktree| worktree.id.is_none() && !worktree.state.is_bare());
    if let Some(main) = main.filter(|main| main.path == lane.worktree) {
        return Err(Refusal::Main(main.path.clone()));
    }
    match facts.worktree {
        None if facts.path_exists => return Err(Refusal::NotListed(lane.worktree.clone())),
        None => {}
        // After `git worktree move` nothing is left at the old path; otherwise the user made git
        // name another place.
        Some(worktree) if worktree.path != lane.worktree && facts.path_exists => {
            return Err(Refusal::NotListed(lane.worktree.clone()));
        }
        Some(worktree) => ensure_worktree_movable(facts, worktree)?,
    }
    let others = |other: &&Worktree| {
        facts
            .worktree
            .is_none_or(|worktree| worktree.git_dir != other.git_dir)
    };
    let Some(branch) = lane.branch.as_ref().filter(|_| facts.delete_branch) else {
        return Ok(());
    };
    match facts
        .all
        .iter()
        .filter(others)
        .find(|other| other.uses(branch))
    {
        Some(other) if other.is_on(branch) => {
            Err(Refusal::BranchElsewhere(branch.clone(), other.path.clone()))
        }
        Some(other) => Err(Refusal::BranchHeld(branch.clone(), other.path.clone())),
        None => Ok(()),
    }
}

fn ensure_worktree_movable(facts: &Surroundings<'_>, worktree: &Worktree) -> Result<(), Refusal> {
    if worktree.id.is_none() {
        return Err(Refusal::Main(worktree.path.clone()));
    }
    match &worktree.state {
        WorktreeState::Damaged(why) => {
            return Err(Refusal::Damaged(worktree.path.clone(), why.clone()));
        }
        WorktreeState::Bare | WorktreeState::BareWithIndex | WorktreeState::Unknown => {
            return Err(Refusal::Main(worktree.path.clone()));
        }
        WorktreeState::Present | WorktreeState::Missing => {}
    }
    if let Some(reason) = &worktree.locked {
        return Err(Refusal::Locked(worktree.path.clone(), reason.clone()));
    }
    if let Some(path) = &facts.found_at {
        return Err(Refusal::MovedByHand(path.clone()));
    }
    let inside = |other: &&Worktree| {
        other.git_dir != worktree.git_dir && other.path.starts_with(&worktree.path)
    };
    let nested = facts
        .all
        .iter()
        .filter(|other| other.state != WorktreeState::Missing)
        .find(inside);
    if let Some(nested) = nested.filter(|_| worktree.state == WorktreeState::Present) {
        let to = beside(&worktree.path, &nested.path);
        return Err(Refusal::Nested(nested.path.clone(), Some(to)));
    }
    if facts.common_dir.starts_with(&worktree.path) {
        return Err(Refusal::Nested(facts.common_dir.to_owned(), None));
    }
    match &facts.busy {
        Some(busy) => Err(Refusal::Busy(busy.clone())),
        None => Ok(()),
    }
}

/// Where a worktree that lies inside of another could be, beside that: by both names.
fn beside(outer: &Path, inner: &Path) -> PathBuf {
    let mut name = outer.file_name().unwrap_or_default().to_owned();
    name.push("-");
    name.push(inner.file_name().unwrap_or_default());
    outer.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::{Head, WorktreeId};
    use crate::domain::name::BranchName;
    use crate::domain::trash_entry::tests::entry;

    fn lane() -> Lane {
        entry("1", "x", 0).lane
    }

    fn worktree(id: Option<&str>, path: &str, branch: &str) -> Worktree {
        Worktree {
            id: id.map(|id| WorktreeId(id.into())),
            path: path.into(),
            git_dir: format!("/repo/.git/{}", id.unwrap_or_default()).into(),
            head: Head::Branch(BranchName::parse(branch.into()).unwrap()),
            alias: None,
            held: Vec::new(),
            locked: None,
            state: WorktreeState::Present,
        }
    }

    #[test]
    fn gits_list_decides_where_a_lane_is() {
        let at = [
            worktree(None, "/repo", "main"),
            worktree(Some("x"), "/lanes/x", "x"),
        ];
        assert_eq!(place(&lane(), &at), Place::Listed(&at[1]));
        let moved = [
            worktree(None, "/repo", "main"),
            worktree(Some("x"), "/elsewhere", "x"),
        ];
        assert_eq!(place(&lane(), &moved), Place::Moved(&moved[1]));
        let gone = [
            worktree(None, "/lanes/x", "main"),
            worktree(Some("y"), "/lanes/y", "y"),
        ];
        assert_eq!(place(&lane(), &gone), Place::Unlisted);
    }

    #[test]
    fn what_protects_a_worktree() {
        type Change = fn(&mut Worktree, &mut Vec<Worktree>, &mut Surroundings<'_>);
        let table: [(&str, Change); 14] = [
            ("", |_, _, _| {}),
            ("main-worktree", |_, all, _| all[0].path = "/lanes/x".into()),
            ("worktree-locked", |own, _, _| {
                own.locked = Some(String::new())
            }),
            ("damaged", |own, _, _| {
                own.state = WorktreeState::Damaged("why".into())
            }),
            ("nested", |_, all, _| {
                all.push(worktree(Some("y"), "/lanes/x/y", "y"))
            }),
            ("", |_, all, _| {
                all.push(worktree(Some("y"), "/lanes/xy", "y"))
            }),
            ("branch-elsewhere", |_, all, _| {
                all.push(worktree(Some("y"), "/lanes/y", "x"))
            }),
            ("branch-elsewhere", |_, all, _| {
                all.push(Worktree {
                    alias: Some(BranchName::parse("x".into()).unwrap()),
                    ..worktree(Some("y"), "/y", "z")
                });
            }),
            ("branch-elsewhere", |_, all, _| {
                all.push(Worktree {
                    held: vec![BranchName::parse("x".into()).unwrap()],
                    ..worktree(Some("y"), "/y", "z")
                });
            }),
            ("", |_, all, _| {
                all.push(Worktree {
                    state: WorktreeState::Bare,
                    ..worktree(None, "/repo", "x")
                })
            }),
            ("busy", |_, _, facts| {
                facts.busy = Some(Busy::Process(BusyProcess {
                    pid: 7,
                    command: "sh".into(),
                    unseen: None,
                    is_idle_shell: false,
                }))
            }),
            ("busy", |_, _, facts| facts.busy = Some(Busy::Unknown)),
            ("not-a-worktree", |own, _, _| own.path = "/elsewhere".into()),
            ("moved", |_, _, facts| {
                facts.found_at = Some("/elsewhere".into())
            }),
        ];
        for (expected, change) in table {
            let lane = lane();
            let mut own = worktree(Some("x"), "/lanes/x", "x");
            let mut all = vec![worktree(None, "/repo", "main"), own.clone()];
            let mut facts = Surroundings {
                lane: &lane,
                worktree: None,
                all: &[],
                common_dir: Path::new("/repo/.git"),
                path_exists: true,
                found_at: None,
                claimed: None,
                busy: None,
                delete_branch: true,
            };
            change(&mut own, &mut all, &mut facts);
            let facts = Surroundings {
                worktree: Some(&own),
                all: &all,
                ..facts
            };
            assert_eq!(
                ensure_movable(&facts).map_or_else(|refusal| refusal.code().as_str(), |()| ""),
                expected
            );
        }
    }
}
