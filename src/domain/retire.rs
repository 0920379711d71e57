//! Whether a lane may be taken away, and what would leave with it; pure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::lane::{Lane, Worktree, WorktreeState};
use super::losses::Losses;
use super::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

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

/// A process that works in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// Its id.
    pub pid: i32,
    /// The name of its command.
    pub command: String,
    /// The other user it belongs to, where only that user and root can see whether it really works
    /// there.
    pub unseen: Option<u32>,
}

/// Why a lane's worktree is not touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The recorded path is the main worktree.
    Main(PathBuf),
    /// The recorded path is the worktree of another lane, whose branch it has checked out.
    OfLane(PathBuf, LaneName),
    /// Something is at the recorded path, but git does not know it as a worktree.
    NotListed(PathBuf),
    /// Directory and admin directory do not belong together.
    Damaged(PathBuf, String),
    /// `git worktree lock`, with its reason.
    Locked(String),
    /// Another worktree, or the repository itself, lies inside.
    Nested(PathBuf),
    /// A process works in it.
    Busy(Busy),
    /// A git holds this lock of the worktree, or died with it.
    GitAtWork(PathBuf),
    /// The lane's branch is checked out elsewhere too.
    BranchElsewhere(BranchName, PathBuf),
    /// Another worktree rebases or bisects the lane's branch.
    BranchHeld(BranchName, PathBuf),
    /// The directory was moved by hand and now is there.
    MovedByHand(PathBuf),
    /// Another repository borrows the objects of one of its submodules.
    Lender(PathBuf),
    /// It holds what no commit has.
    Unsettled(Box<Losses>),
    /// Its branch holds what its base has not.
    NotIntegrated(Box<Losses>),
    /// It has what was not there when the user, or the decision, saw it.
    Changed(Box<Losses>),
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Main(_) => Code::MainWorktree,
            Refusal::OfLane(..) => Code::OtherLane,
            Refusal::NotListed(_) => Code::NotAWorktree,
            Refusal::Damaged(..) => Code::Damaged,
            Refusal::Locked(_) => Code::WorktreeLocked,
            Refusal::Nested(_) => Code::Nested,
            Refusal::Busy(_) => Code::Busy,
            Refusal::GitAtWork(_) => Code::Locked,
            Refusal::BranchElsewhere(..) | Refusal::BranchHeld(..) => Code::BranchElsewhere,
            Refusal::MovedByHand(_) => Code::Moved,
            Refusal::Lender(_) => Code::Lender,
            Refusal::Unsettled(_) | Refusal::Changed(_) => Code::Unsettled,
            Refusal::NotIntegrated(_) => Code::NotIntegrated,
        }
    }

    /// The refusal for lane `name`.
    pub fn refuse(&self, name: &LaneName) -> Error {
        let error = Error::refused(format!("lane '{name}' stays: {self}")).with_code(self.code());
        match self {
            Refusal::Main(_) | Refusal::OfLane(..) => error.hint(format!(
                "forget the record with: git config --remove-section {}",
                quote(format!("lane.{name}"))
            )),
            Refusal::NotListed(path) => {
                let known = format!(
                    "see what is in '{}', and what git knows with: git worktree list",
                    path.display()
                );
                error
                    .hint(known)
                    .hint("see what can be done about it with: git lane doctor")
            }
            Refusal::Damaged(..) => {
                error.hint("see what can be done about it with: git lane doctor")
            }
            Refusal::Locked(_) => {
                error.hint("when that is no longer so: git worktree unlock <path>")
            }
            Refusal::Nested(_) => error.hint("move it elsewhere first with: git worktree move"),
            Refusal::Busy(busy) => error
                .hint(format!(
                    "end it (process {}), or take the lane away although it runs: --force",
                    busy.pid
                ))
                .details(serde_json::json!({ "pid": busy.pid, "command": busy.command })),
            Refusal::GitAtWork(lock) => error
                .hint(format!(
                    "when no git runs there any more: rm {}",
                    quote(lock.display())
                ))
                .hint(format!(
                    "or take the lane away as it is: git lane drop --force {}",
                    quote(name)
                )),
            Refusal::Changed(losses) => error
                .hint("look at it, then run the command again")
                .details(losses.json()),
            Refusal::BranchElsewhere(_, path) => error.hint(format!(
                "switch to another branch in '{}' first",
                path.display()
            )),
            Refusal::BranchHeld(_, path) => error.hint(format!(
                "end that first; see it with: git -C {} status",
                quote(path.display())
            )),
            Refusal::MovedByHand(path) => error.hint(format!(
                "tell git where it is: git worktree repair {}",
                quote(path.display())
            )),
            Refusal::Lender(_) => error.hint(
                "give the borrower objects of its own with: git repack -ad, there; then remove \
                 its objects/info/alternates",
            ),
            Refusal::Unsettled(losses) | Refusal::NotIntegrated(losses) => error
                .hint(format!(
                    "it can be brought back, so if that is fine: git lane drop --yes {}",
                    quote(name)
                ))
                .details(losses.json()),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Main(path) => write!(f, "'{}' is the main worktree", path.display()),
            Refusal::OfLane(path, lane) => {
                write!(f, "'{}' is the worktree of lane '{lane}'", path.display())
            }
            Refusal::NotListed(path) => {
                write!(f, "'{}' is no worktree of this repository", path.display())
            }
            Refusal::Damaged(path, why) => {
                write!(f, "the worktree at '{}' is damaged: {why}", path.display())
            }
            Refusal::Locked(reason) if reason.is_empty() => f.write_str("its worktree is locked"),
            Refusal::Locked(reason) => write!(f, "its worktree is locked: {reason}"),
            Refusal::Nested(path) => write!(f, "'{}' lies inside it", path.display()),
            Refusal::Busy(Busy {
                pid,
                command,
                unseen: None,
            }) => write!(f, "process {pid} ({command}) works in it"),
            Refusal::Busy(Busy {
                pid,
                command,
                unseen: Some(user),
            }) => write!(
                f,
                "process {pid} ({command}) of user {user}, who can write there, may work in it; \
                 the system does not show where"
            ),
            Refusal::BranchElsewhere(branch, path) => {
                write!(
                    f,
                    "its branch '{branch}' is also checked out in '{}'",
                    path.display()
                )
            }
            Refusal::GitAtWork(lock) => {
                write!(f, "a git is at work in it: '{}' is there", lock.display())
            }
            Refusal::Changed(losses) => write!(f, "meanwhile it got {losses}"),
            Refusal::BranchHeld(branch, path) => {
                write!(
                    f,
                    "its branch '{branch}' is being rebased or bisected in '{}'",
                    path.display()
                )
            }
            Refusal::MovedByHand(path) => {
                write!(f, "its directory was moved to '{}'", path.display())
            }
            Refusal::Lender(submodule) => {
                write!(
                    f,
                    "another repository borrows the objects of its submodule '{}'",
                    submodule.display()
                )
            }
            Refusal::Unsettled(losses) | Refusal::NotIntegrated(losses) => {
                write!(f, "it has {losses}")
            }
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
    /// A process that works in it.
    pub busy: Option<Busy>,
    /// Whether the lane's branch goes too.
    pub delete_branch: bool,
}

/// Everything that protects a worktree from being moved, whatever was forced; processes are left
/// out of the facts where `--force` was given.
pub fn ensure_movable(facts: &Surroundings<'_>) -> Result<(), Refusal> {
    let lane = facts.lane;
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
        return Err(Refusal::Locked(reason.clone()));
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
        return Err(Refusal::Nested(nested.path.clone()));
    }
    if facts.common_dir.starts_with(&worktree.path) {
        return Err(Refusal::Nested(facts.common_dir.to_owned()));
    }
    match &facts.busy {
        Some(busy) => Err(Refusal::Busy(busy.clone())),
        None => Ok(()),
    }
}

/// The refusal when a lane is no longer what the caller saw.
pub fn raced(lane: &LaneName) -> Error {
    Error::refused(format!(
        "lane '{lane}' was changed by another command at the same moment"
    ))
    .with_code(Code::Raced)
    .hint("see what it is now with: git lane list")
}

/// The refusal when the lane got other commits than the caller saw.
pub fn moved_on(lane: &LaneName) -> Error {
    Error::refused(format!(
        "lane '{lane}' stays: it is at another commit than it was when the command began"
    ))
    .with_code(Code::Raced)
    .hint("look at it, then run the command again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::{Head, WorktreeId};
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
        let table: [(&str, Change); 13] = [
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
                facts.busy = Some(Busy {
                    pid: 7,
                    command: "sh".into(),
                    unseen: None,
                })
            }),
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
