//! Why the main worktree does not come back from a lane that it shows: the facts, the sentence, the
//! remedies, the word for scripts.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use super::refused_files::{files_of, named};
use crate::domain::finish::some;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::status::Operation;
use crate::error::{Code, Error};
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
                    "leave it there, with your changes: {} switch --detach",
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
