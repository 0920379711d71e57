//! Why a lane is not taken away: the facts, the sentence, the remedy, the word for scripts.

use std::fmt;
use std::path::PathBuf;

use crate::domain::claim::{self, Claim};
use crate::domain::losses::Losses;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// What is typed in a shell that stands in a lane.
const LEAVE: &str = "leave the lane in that shell; go to: cd \"$(git lane path main)\"";

/// Who works in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Busy {
    /// This process does, or may.
    Process(BusyProcess),
    /// The system does not tell.
    Unknown,
}

/// A process that works in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyProcess {
    /// Its id.
    pub pid: i32,
    /// The name of its command.
    pub command: String,
    /// The other user it belongs to, where only that user and root can see whether it really works
    /// there.
    pub unseen: Option<u32>,
    /// It is a shell that waits for its user to type something.
    pub is_idle_shell: bool,
}

impl Busy {
    /// Its id and its command, where it is known.
    pub fn known(&self) -> Option<(i32, &str)> {
        match self {
            Busy::Process(process) => Some((process.pid, process.command.as_str())),
            Busy::Unknown => None,
        }
    }

    fn remedy(&self) -> String {
        match self {
            Busy::Process(process) if process.is_idle_shell => LEAVE.to_owned(),
            Busy::Process(BusyProcess { pid, command, .. }) => format!(
                "end process {pid} ({command}), or take the lane away although it runs: --force"
            ),
            Busy::Unknown => "see for yourself that none works there, then take the lane away \
                              although it cannot be told: --force"
                .to_owned(),
        }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Busy::Process(process) = self else {
            return f.write_str(
                "the system does not tell which processes work in it: /proc, or lsof(8), is missing",
            );
        };
        let BusyProcess { pid, command, .. } = process;
        match process.unseen {
            Some(user) => write!(
                f,
                "process {pid} ({command}) of user {user}, who can write there, may work in it; \
                 the system does not show where"
            ),
            None if process.is_idle_shell => {
                write!(f, "a shell ({command}, process {pid}) stands in it")
            }
            None => write!(f, "process {pid} ({command}) works in it"),
        }
    }
}

/// Why a lane's worktree is not touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The lane was adopted: another program made its worktree.
    Adopted(PathBuf),
    /// The recorded path is the main worktree.
    Main(PathBuf),
    /// The recorded path is the worktree of another lane, whose branch it has checked out.
    OfLane(PathBuf, LaneName),
    /// Something is at the recorded path, but git does not know it as a worktree.
    NotListed(PathBuf),
    /// Directory and admin directory do not belong together.
    Damaged(PathBuf, String),
    /// `git worktree lock`, with its reason.
    Locked(PathBuf, String),
    /// Another worktree, which could go there, or the repository itself, lies inside.
    Nested(PathBuf, Option<PathBuf>),
    /// Another holder has claimed it.
    Claimed(Box<Claim>),
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
            Refusal::Adopted(_) => Code::Adopted,
            Refusal::Main(_) => Code::MainWorktree,
            Refusal::OfLane(..) => Code::OtherLane,
            Refusal::NotListed(_) => Code::NotAWorktree,
            Refusal::Damaged(..) => Code::Damaged,
            Refusal::Locked(..) => Code::WorktreeLocked,
            Refusal::Nested(..) => Code::Nested,
            Refusal::Claimed(_) => Code::Claimed,
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
            Refusal::Adopted(_) => error.hint(format!(
                "forget the lane, while worktree and branch stay: git lane drop {}",
                quote(name)
            )),
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
            Refusal::Locked(path, _) => {
                let path = quote(path.display());
                error.hint(format!(
                    "when that is no longer so: git -C {path} worktree unlock {path}"
                ))
            }
            Refusal::Nested(_, None) => error,
            Refusal::Nested(path, Some(to)) => {
                let path = quote(path.display());
                error.hint(format!(
                    "move it beside the lane first with: git -C {path} worktree move {path} {}",
                    quote(to.display())
                ))
            }
            Refusal::Claimed(claim) => claim
                .hints(name)
                .into_iter()
                .fold(error, Error::hint)
                .details(claim::details(name, claim)),
            Refusal::Busy(busy) => {
                let (pid, command) = busy.known().unzip();
                error
                    .hint(busy.remedy())
                    .details(serde_json::json!({ "pid": pid, "command": command }))
            }
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
                "leave it there first, with your changes: git -C {} switch --detach",
                quote(path.display())
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Adopted(path) => write!(
                f,
                "it was adopted, and git-lane never moves what it has not made: '{}'",
                path.display()
            ),
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
            Refusal::Locked(_, reason) if reason.is_empty() => {
                f.write_str("its worktree is locked")
            }
            Refusal::Locked(_, reason) => write!(f, "its worktree is locked: {reason}"),
            Refusal::Nested(path, _) => write!(f, "'{}' lies inside it", path.display()),
            Refusal::Claimed(claim) => write!(f, "it is {claim}"),
            Refusal::Busy(busy) => busy.fmt(f),
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
