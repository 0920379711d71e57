//! Why a lane is not shown in the main worktree, or not taken back from there: the facts, the
//! sentence, the remedy, the word for scripts.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use crate::domain::finish::some;
use crate::domain::lane::{ObjectId, RefName, lossless};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Code, Error};

/// Why the main worktree does not show a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginRefusal {
    /// The repository is bare.
    Bare,
    /// Nothing says where the main worktree is, or it is not there.
    NoMainWorktree,
    /// The main worktree is on no branch.
    NoBranch(PathBuf),
    /// Its branch has no commit.
    Unborn(PathBuf),
    /// It has changes, or an operation is in progress.
    Unsettled(PathBuf, WorktreeStatus),
    /// The lane's worktree is not there, or damaged.
    NoWorktree(PathBuf),
    /// The lane's worktree has something else than its branch checked out.
    Stray(PathBuf),
    /// An operation is in progress in the lane.
    Operation(PathBuf, Operation),
    /// The lane has no commit.
    NoCommit,
    /// What the lane has would go over files that no commit has.
    InTheWay(PathBuf, Vec<BString>),
    /// Files that git is told not to look at: it would forget that.
    Flagged(PathBuf, Vec<BString>),
    /// Files that git would write otherwise when the main worktree comes back.
    WrittenOtherwise(PathBuf, Vec<BString>),
    /// Submodules at another commit than the lane's, with files in them.
    Submodules(PathBuf, Vec<BString>),
}

impl BeginRefusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            BeginRefusal::Bare | BeginRefusal::NoMainWorktree => Code::NoMainWorktree,
            BeginRefusal::NoBranch(_) => Code::Detached,
            BeginRefusal::Unborn(_) => Code::Unborn,
            BeginRefusal::Unsettled(_, status) if status.operation.is_some() => {
                Code::OperationInProgress
            }
            BeginRefusal::Unsettled(..) => Code::Unsettled,
            BeginRefusal::NoWorktree(_) => Code::WorktreeGone,
            BeginRefusal::Stray(_) => Code::Stray,
            BeginRefusal::Operation(..) => Code::OperationInProgress,
            BeginRefusal::NoCommit => Code::NoCommit,
            BeginRefusal::InTheWay(..)
            | BeginRefusal::Flagged(..)
            | BeginRefusal::WrittenOtherwise(..)
            | BeginRefusal::Submodules(..) => Code::InTheWay,
        }
    }

    /// The error for lane `lane`.
    pub fn refuse(&self, lane: &LaneName) -> Error {
        let error = Error::refused(self.sentence(lane)).with_code(self.code());
        let error = match self {
            BeginRefusal::InTheWay(_, files)
            | BeginRefusal::Flagged(_, files)
            | BeginRefusal::WrittenOtherwise(_, files)
            | BeginRefusal::Submodules(_, files) => error.details(files_of(files)),
            BeginRefusal::Unsettled(_, status) => error.details(serde_json::json!({
                "staged": status.staged, "modified": status.modified,
                "untracked": status.untracked, "conflicted": status.conflicted,
            })),
            _ => error,
        };
        error.hint(self.hint(lane))
    }

    fn sentence(&self, lane: &LaneName) -> String {
        let not = format!("lane '{lane}' is not shown");
        match self {
            BeginRefusal::Bare => {
                format!("{not}: the repository is bare, there is no main worktree")
            }
            BeginRefusal::NoMainWorktree => {
                format!("{not}: nothing says where the main worktree is, or it is not there")
            }
            BeginRefusal::NoBranch(path) => format!(
                "{not}: the main worktree '{}' is on no branch to come back to",
                path.display()
            ),
            BeginRefusal::Unborn(path) => format!(
                "{not}: the branch of the main worktree '{}' has no commit yet",
                path.display()
            ),
            BeginRefusal::Unsettled(path, status) => match status.operation {
                Some(operation) => format!(
                    "{not}: in the main worktree '{}' a {operation} is in progress",
                    path.display()
                ),
                None => format!(
                    "{not}: the main worktree '{}' has changes that are not committed: {}",
                    path.display(),
                    some(&status.samples)
                ),
            },
            BeginRefusal::NoWorktree(path) => {
                format!("{not}: its worktree is not in '{}'", path.display())
            }
            BeginRefusal::Stray(path) => format!(
                "{not}: its worktree '{}' has something else than its branch checked out",
                path.display()
            ),
            BeginRefusal::Operation(_, operation) => {
                format!("{not}: a {operation} is in progress in it")
            }
            BeginRefusal::NoCommit => format!("{not}: it has no commit"),
            BeginRefusal::InTheWay(path, files) => format!(
                "{not}: in the main worktree '{}' files are in the way: {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::Flagged(path, files) => format!(
                "{not}: in the main worktree '{}' git is told not to look at files that would \
                 change: {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::WrittenOtherwise(path, files) => format!(
                "{not}: in the main worktree '{}' are files that git would not write as they are: \
                 {}",
                path.display(),
                some(files)
            ),
            BeginRefusal::Submodules(path, files) => format!(
                "{not}: it has other commits of submodules that the main worktree '{}' has \
                 checked out: {}",
                path.display(),
                some(files)
            ),
        }
    }

    fn hint(&self, lane: &LaneName) -> String {
        let git = |path: &PathBuf| format!("git -C {}", quote(path.display()));
        match self {
            BeginRefusal::Bare | BeginRefusal::NoMainWorktree => {
                format!(
                    "look at it where it is; go to: cd \"$(git lane path {})\"",
                    quote(lane)
                )
            }
            BeginRefusal::NoBranch(path) => {
                format!("switch to one with: {} switch BRANCH", git(path))
            }
            BeginRefusal::Unborn(path) => format!(
                "make a first commit: {} commit --allow-empty -m 'Start'",
                git(path)
            ),
            BeginRefusal::Unsettled(path, status) if status.operation.is_some() => {
                format!(
                    "complete it or give it up; see how with: {} status",
                    git(path)
                )
            }
            BeginRefusal::Unsettled(path, _) => format!(
                "commit them, or put them aside with: {} stash push --include-untracked",
                git(path)
            ),
            BeginRefusal::NoWorktree(_) | BeginRefusal::NoCommit => {
                "see what can be done about it with: git lane doctor".into()
            }
            BeginRefusal::Stray(_) => "see what can be done about it with: git lane doctor".into(),
            BeginRefusal::Operation(path, _) => {
                format!(
                    "complete it or give it up; see how with: {} status",
                    git(path)
                )
            }
            BeginRefusal::InTheWay(..) => "move them away and try again".into(),
            BeginRefusal::Flagged(path, _) => {
                format!("see which with: {} ls-files -v", git(path))
            }
            BeginRefusal::WrittenOtherwise(path, files) => format!(
                "see their line endings and attributes with: {} ls-files --eol{}",
                git(path),
                named(files)
            ),
            BeginRefusal::Submodules(path, files) => format!(
                "take their files away with: {} submodule deinit{}",
                git(path),
                named(files)
            ),
        }
    }
}

/// Something in the main worktree that is not as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// An operation is in progress.
    Operation(Operation),
    /// HEAD is at a commit that was made on top of the one that was shown.
    Commits(ObjectId),
    /// HEAD is at another commit.
    Elsewhere(ObjectId),
    /// HEAD is on a branch that was made of what was shown; the one to come back to.
    Branch(BranchName, RefName),
    /// Tracked files, changed, staged or in conflict, as `git status` has them.
    Changed(Vec<BString>),
    /// Files that were not there.
    New(Vec<BString>),
}

/// What can be done about differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ways {
    /// They can go into the lane, or be put aside.
    All,
    /// git would put aside what is no difference as well.
    NoStash,
    /// They were to go into the lane, and these are what cannot.
    ToLane,
}

/// Why the main worktree does not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndRefusal {
    /// It shows no lane.
    NotTried,
    /// It differs from what was shown.
    Differs {
        /// The main worktree.
        path: PathBuf,
        /// The commit that was shown.
        commit: ObjectId,
        /// How it differs.
        differences: Vec<Difference>,
        /// What can be done about them.
        ways: Ways,
    },
    /// Its branch is gone.
    BranchGone {
        /// The branch.
        branch: RefName,
        /// Where it was.
        from: ObjectId,
    },
    /// Another worktree has its branch by now.
    BranchElsewhere {
        /// The branch.
        branch: RefName,
        /// The other worktree.
        path: PathBuf,
    },
    /// Files that no commit has are where its branch has some.
    InTheWay(PathBuf, Vec<BString>),
    /// The lane that was shown is gone, or has no worktree to take the changes.
    LaneGone(LaneName),
    /// The lane has changed in the same files.
    LaneChanged(LaneName, Vec<BString>),
    /// In the lane, whose worktree is there, these files are not as git would write them.
    LaneOtherwise(LaneName, PathBuf, Vec<BString>),
    /// What is staged of these files is neither in the lane nor in the files themselves.
    OnlyStaged(PathBuf, Vec<BString>),
    /// These files were in the main worktree before, untracked, and are staged by now.
    OfMain(PathBuf, Vec<BString>),
    /// git is told not to look at these files, or would not write them as they are, and the lane has
    /// them otherwise.
    Unseen(PathBuf, Vec<BString>),
    /// An operation is in progress in the lane, or it has something else checked out.
    LaneUnsettled(LaneName, PathBuf),
    /// Submodules have changed, whose files only git can bring along.
    Submodules(PathBuf, Vec<BString>),
}

impl EndRefusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            EndRefusal::NotTried => Code::NotTried,
            EndRefusal::Differs { .. }
            | EndRefusal::OnlyStaged(..)
            | EndRefusal::OfMain(..)
            | EndRefusal::Unseen(..) => Code::Unsettled,
            EndRefusal::BranchGone { .. } => Code::BranchGone,
            EndRefusal::BranchElsewhere { .. } => Code::BranchInUse,
            EndRefusal::InTheWay(..) | EndRefusal::Submodules(..) => Code::InTheWay,
            EndRefusal::LaneGone(_) => Code::LaneGone,
            EndRefusal::LaneChanged(..) | EndRefusal::LaneOtherwise(..) => Code::LaneChanged,
            EndRefusal::LaneUnsettled(..) => Code::Stray,
        }
    }

    fn hints(&self) -> Vec<String> {
        let git = |path: &PathBuf| format!("git -C {}", quote(path.display()));
        match self {
            EndRefusal::NotTried => vec!["show one with: git lane try NAME".into()],
            EndRefusal::Differs {
                path,
                commit,
                differences,
                ways,
            } => differences
                .iter()
                .flat_map(|difference| difference.hints(&git(path), *commit, *ways))
                .fold(Vec::new(), |mut hints, hint| {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                    hints
                }),
            EndRefusal::BranchGone { branch, from } => vec![format!(
                "make it again with: git branch {} {from}",
                quote(branch)
            )],
            EndRefusal::BranchElsewhere { path, .. } => {
                vec![format!(
                    "switch to another branch there: {} switch BRANCH",
                    git(path)
                )]
            }
            EndRefusal::InTheWay(..) => vec!["move them away and try again".into()],
            EndRefusal::LaneGone(lane) => vec![format!(
                "if it is in the trash, bring it back with: git lane restore {}",
                quote(lane)
            )],
            EndRefusal::LaneChanged(lane, _) => vec![format!(
                "see what the lane has by now with: git lane diff {}",
                quote(lane)
            )],
            EndRefusal::LaneOtherwise(_, path, files) => vec![format!(
                "see their line endings, attributes and flags with: {0} ls-files --eol -v --{1}",
                git(path),
                named(files)
            )],
            EndRefusal::OnlyStaged(path, files) => vec![format!(
                "stage them as they are, or unstage them, with: {0} add{1}; or: {0} restore \
                 --staged{1}",
                git(path),
                named(files)
            )],
            EndRefusal::OfMain(path, files) => vec![format!(
                "unstage them with: {} restore --staged --{}",
                git(path),
                named(files)
            )],
            EndRefusal::Unseen(path, files) => {
                let (git, named) = (git(path), named(files));
                vec![
                    format!("see why with: {git} ls-files --eol -v --{named}"),
                    format!(
                        "move away what you need of them, then write them as they were shown: {git} \
                         checkout-index --index --{named}"
                    ),
                ]
            }
            EndRefusal::LaneUnsettled(_, path) => {
                vec![format!("see how it stands with: {} status", git(path))]
            }
            EndRefusal::Submodules(path, _) => {
                vec![format!(
                    "see how they stand with: {} submodule status",
                    git(path)
                )]
            }
        }
    }
}

impl Difference {
    fn hints(&self, git: &str, commit: ObjectId, ways: Ways) -> Vec<String> {
        let take = "take them into the lane with: git lane try --back --to-lane".to_owned();
        match self {
            Difference::Operation(_) => {
                vec![format!(
                    "complete it or give it up; see how with: {git} status"
                )]
            }
            Difference::Commits(_) => vec![format!(
                "make changes of them with: {git} reset --soft {commit}; then take these into the \
                 lane with: git lane try --back --to-lane"
            )],
            Difference::Elsewhere(_) => {
                vec![format!(
                    "go to what was shown with: {git} checkout --detach {commit}"
                )]
            }
            Difference::Branch(_, home) => {
                let home = home.as_bstr();
                let home = home.strip_prefix(b"refs/heads/").unwrap_or(home);
                vec![
                    format!("go to what was shown with: {git} checkout --detach {commit}"),
                    format!(
                        "or keep the branch and end it with: {git} switch {}",
                        quote(home.as_bstr())
                    ),
                ]
            }
            Difference::Changed(_) | Difference::New(_) => match ways {
                Ways::ToLane => vec![format!("resolve them first; see them with: {git} status")],
                Ways::NoStash => vec![take],
                Ways::All => vec![
                    take,
                    format!("or put them aside with: {git} stash push --include-untracked"),
                ],
            },
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Difference::Operation(operation) => write!(f, "a {operation} is in progress"),
            Difference::Commits(head) => {
                write!(f, "commits were made, up to {}", head.to_hex_with_len(10))
            }
            Difference::Elsewhere(head) => {
                write!(f, "HEAD is at another commit, {}", head.to_hex_with_len(10))
            }
            Difference::Branch(branch, _) => {
                write!(f, "it is on branch '{branch}', which was made of that")
            }
            Difference::Changed(files) => write!(f, "changed: {}", some(files)),
            Difference::New(files) => write!(f, "new: {}", some(files)),
        }
    }
}

impl std::fmt::Display for EndRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EndRefusal::NotTried => f.write_str("the main worktree shows no lane"),
            EndRefusal::Differs {
                path, differences, ..
            } => {
                let all: Vec<String> = differences.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "the main worktree '{}' differs from what was shown: {}",
                    path.display(),
                    all.join("; ")
                )
            }
            EndRefusal::BranchGone { branch, .. } => {
                write!(f, "branch '{branch}' of the main worktree is gone")
            }
            EndRefusal::BranchElsewhere { branch, path } => write!(
                f,
                "branch '{branch}' of the main worktree is checked out in '{}' by now",
                path.display()
            ),
            EndRefusal::InTheWay(path, files) => write!(
                f,
                "in the main worktree '{}' files are in the way of those of its branch: {}",
                path.display(),
                some(files)
            ),
            EndRefusal::LaneGone(lane) => write!(
                f,
                "lane '{lane}' is gone, or has no worktree that could take the changes"
            ),
            EndRefusal::LaneChanged(lane, files) => write!(
                f,
                "lane '{lane}' has changed in the same files: {}",
                some(files)
            ),
            EndRefusal::LaneOtherwise(lane, _, files) => write!(
                f,
                "lane '{lane}' has something in the same files that git does not see, or would not \
                 write as it is: {}",
                some(files)
            ),
            EndRefusal::OnlyStaged(_, files) => write!(
                f,
                "what is staged of these files is neither in them nor in the lane: {}",
                some(files)
            ),
            EndRefusal::OfMain(path, files) => write!(
                f,
                "these files were in the main worktree '{}' before, and are none of the lane's: {}",
                path.display(),
                some(files)
            ),
            EndRefusal::Unseen(path, files) => write!(
                f,
                "in the main worktree '{}' are files that git does not look at, or would not write \
                 as they are: {}",
                path.display(),
                some(files)
            ),
            EndRefusal::LaneUnsettled(lane, _) => write!(
                f,
                "lane '{lane}' has an operation in progress, or something else than its branch \
                 checked out"
            ),
            EndRefusal::Submodules(_, files) => {
                write!(f, "submodules have changed: {}", some(files))
            }
        }
    }
}

impl From<EndRefusal> for Error {
    fn from(refusal: EndRefusal) -> Self {
        let error = Error::refused(refusal.to_string()).with_code(refusal.code());
        let error = match &refusal {
            EndRefusal::InTheWay(_, files)
            | EndRefusal::LaneChanged(_, files)
            | EndRefusal::LaneOtherwise(_, _, files)
            | EndRefusal::OnlyStaged(_, files)
            | EndRefusal::OfMain(_, files)
            | EndRefusal::Unseen(_, files)
            | EndRefusal::Submodules(_, files) => error.details(files_of(files)),
            _ => error,
        };
        refusal.hints().into_iter().fold(error, Error::hint)
    }
}

fn files_of(files: &[BString]) -> serde_json::Value {
    let files: Vec<_> = files.iter().map(|file| lossless(file.as_bstr())).collect();
    serde_json::json!({ "files": files })
}

/// The first few of them as words of a command.
fn named(files: &[BString]) -> String {
    files
        .iter()
        .take(3)
        .map(|file| format!(" {}", quote(file)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each way in which the main worktree can differ has its own way on.
    #[test]
    fn every_difference_is_named_with_a_hint() {
        let id = |digit: u8| ObjectId::from_hex(&[digit; 40]).unwrap();
        let files = || vec![BString::from("a b")];
        for (difference, said, hint) in [
            (
                Difference::Operation(Operation::Merge),
                "a merge is in progress",
                "git -C '/x y' status",
            ),
            (
                Difference::Commits(id(b'3')),
                "commits were made, up to 3333333333",
                "git -C '/x y' reset --soft 2222",
            ),
            (
                Difference::Elsewhere(id(b'3')),
                "HEAD is at another commit, 3333333333",
                "git -C '/x y' checkout --detach 2222",
            ),
            (
                Difference::Changed(files()),
                "changed: 'a b'",
                "git lane try --back --to-lane",
            ),
            (
                Difference::New(files()),
                "new: 'a b'",
                "git lane try --back --to-lane",
            ),
        ] {
            let refusal = EndRefusal::Differs {
                path: "/x y".into(),
                commit: id(b'2'),
                differences: vec![difference],
                ways: Ways::All,
            };
            let error = Error::from(refusal);
            assert!(error.to_string().ends_with(said), "{error}");
            assert!(
                error.hints().iter().any(|line| line.contains(hint)),
                "{:?}",
                error.hints()
            );
        }
    }

    #[test]
    fn what_speaks_against_showing_a_lane_has_a_word() {
        let lane = LaneName::parse("login").unwrap();
        let path = || PathBuf::from("/shop");
        let merging = WorktreeStatus {
            operation: Some(Operation::Merge),
            ..WorktreeStatus::default()
        };
        for (refusal, code) in [
            (BeginRefusal::Bare, Code::NoMainWorktree),
            (BeginRefusal::NoBranch(path()), Code::Detached),
            (
                BeginRefusal::Unsettled(path(), WorktreeStatus::default()),
                Code::Unsettled,
            ),
            (
                BeginRefusal::Unsettled(path(), merging),
                Code::OperationInProgress,
            ),
            (
                BeginRefusal::InTheWay(path(), vec!["x".into()]),
                Code::InTheWay,
            ),
            (
                BeginRefusal::WrittenOtherwise(path(), vec!["x".into()]),
                Code::InTheWay,
            ),
        ] {
            let error = refusal.refuse(&lane);
            assert_eq!(error.code(), code, "{error}");
            assert!(!error.hints().is_empty(), "{error}");
        }
    }
}
