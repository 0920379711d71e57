//! Why a lane is not brought up to date: the facts, the sentence, the remedy, the word for scripts.
//! What a landing refuses too has the landing's words.

use std::path::PathBuf;

use bstr::BString;

use crate::domain::finish;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// Why a lane is not synced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named for what they hold")]
pub enum Refusal {
    /// What a landing refuses for the same reason.
    AsLanding(Box<finish::Refusal>),
    /// The lane has no base.
    NoBase { lane: LaneName },
    /// The lane has no branch that could take anything.
    NoBranch {
        lane: LaneName,
        base: RefName,
        path: PathBuf,
    },
    /// Its worktree is gone or damaged.
    NoWorktree { lane: LaneName, path: PathBuf },
    /// The index of its worktree has unmerged files.
    Unmerged { lane: LaneName, path: PathBuf },
    /// Changes are not committed that git would put away for the time of a rebase.
    Uncommitted { lane: LaneName, path: PathBuf },
    /// Its base is its own branch.
    OntoItself { lane: LaneName, base: RefName },
    /// The base does not exist; `renamed`: it has that name now.
    BaseMissing {
        lane: LaneName,
        base: RefName,
        renamed: Option<BranchName>,
    },
    /// The lane's branch is gone, or has no commit.
    NoTip { lane: LaneName },
    /// Lane and base share no commit.
    Unrelated {
        lane: LaneName,
        base: RefName,
        path: PathBuf,
    },
    /// A rebase would replace commits that a remote-tracking branch has.
    Published { lane: LaneName, branch: RefName },
    /// A rebase would leave out what these commits did.
    LeftOut {
        lane: LaneName,
        commits: Vec<ObjectId>,
        files: Vec<BString>,
    },
}

impl From<finish::Refusal> for Refusal {
    fn from(refusal: finish::Refusal) -> Self {
        Refusal::AsLanding(Box::new(refusal))
    }
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::AsLanding(refusal) => refusal.code(),
            Refusal::NoBase { .. } => Code::NoBase,
            Refusal::NoBranch { .. } => Code::Detached,
            Refusal::NoWorktree { .. } => Code::WorktreeGone,
            Refusal::Unmerged { .. } | Refusal::Uncommitted { .. } => Code::Unsettled,
            Refusal::OntoItself { .. } => Code::OntoItself,
            Refusal::BaseMissing { .. } => Code::BaseMissing,
            Refusal::NoTip { .. } => Code::NoCommit,
            Refusal::Unrelated { .. } => Code::Unrelated,
            Refusal::Published { .. } => Code::Published,
            Refusal::LeftOut { .. } => Code::LeftOut,
        }
    }

    fn hint(&self) -> String {
        let new_base = |lane: &LaneName, base: &str| {
            let key = quote(format_args!("lane.{lane}.base"));
            format!("git config {key} {base}")
        };
        match self {
            Refusal::AsLanding(refusal) => refusal.hint(),
            Refusal::NoBase { lane } | Refusal::OntoItself { lane, .. } => {
                format!("give it one: {}", new_base(lane, "refs/heads/BRANCH"))
            }
            Refusal::NoBranch { base, path, .. } => format!(
                "look at the base's newest commit with: git -C {} switch --detach {}",
                quote(path.display()),
                quote(base)
            ),
            Refusal::NoWorktree { .. } => {
                "see what can be done about it with: git lane doctor".into()
            }
            Refusal::Unmerged { path, .. } => format!(
                "see them with: git -C {} status; git add marks those that are resolved",
                quote(path.display())
            ),
            Refusal::Uncommitted { path, .. } => format!(
                "commit or stash them; see them with: git -C {} status",
                quote(path.display())
            ),
            Refusal::BaseMissing {
                lane,
                renamed: Some(renamed),
                ..
            } => {
                let renamed = quote(RefName::from(renamed).as_bstr());
                format!("it was renamed: {}", new_base(lane, &renamed))
            }
            Refusal::BaseMissing { lane, .. } => {
                format!("name another: {}", new_base(lane, "refs/heads/BRANCH"))
            }
            Refusal::NoTip { lane } => format!("to remove the lane: git lane drop {}", quote(lane)),
            Refusal::Unrelated { base, path, .. } => format!(
                "git -C {} merge --allow-unrelated-histories {}",
                quote(path.display()),
                quote(base)
            ),
            Refusal::Published { lane, .. } => format!(
                "keep them: git lane sync {0} --strategy merge; or replace them all the same: git \
                 lane sync {0} --strategy rebase --force",
                quote(lane)
            ),
            Refusal::LeftOut { lane, .. } => format!(
                "keep its commits as they are: git lane sync {} --strategy merge",
                quote(lane)
            ),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::AsLanding(refusal) => refusal.fmt(f),
            Refusal::NoBase { lane } => write!(f, "lane '{lane}' has no base"),
            Refusal::NoBranch { lane, .. } => {
                write!(f, "lane '{lane}' has no branch that could take new commits")
            }
            Refusal::NoWorktree { lane, path } => write!(
                f,
                "the worktree of lane '{lane}' is gone from '{}' or damaged",
                path.display()
            ),
            Refusal::Unmerged { lane, .. } => write!(f, "lane '{lane}' has unmerged files"),
            Refusal::Uncommitted { lane, .. } => write!(
                f,
                "lane '{lane}' has changes that are not committed, and a rebase would put them away"
            ),
            Refusal::OntoItself { lane, base } => {
                write!(f, "the base of lane '{lane}' is '{base}', its own branch")
            }
            Refusal::BaseMissing { lane, base, .. } => {
                write!(f, "there is no '{base}', the base of lane '{lane}'")
            }
            Refusal::NoTip { lane } => write!(f, "lane '{lane}' has no commit"),
            Refusal::Unrelated { lane, base, .. } => {
                write!(f, "lane '{lane}' and '{base}' share no history")
            }
            Refusal::Published { lane, branch } => write!(
                f,
                "a rebase would replace commits of lane '{lane}' that '{branch}' has"
            ),
            Refusal::LeftOut {
                lane,
                commits,
                files,
            } => {
                write!(f, "a rebase would leave out work of lane '{lane}'")?;
                let ids: Vec<_> = commits
                    .iter()
                    .take(3)
                    .map(|id| id.to_hex_with_len(10).to_string())
                    .collect();
                let more = if commits.len() > 3 { " and others" } else { "" };
                write!(f, ": what commit {}{more} did", ids.join(", "))?;
                match files.is_empty() {
                    true => Ok(()),
                    false => write!(f, " to {}", finish::some(files)),
                }
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::AsLanding(refusal) = refusal {
            return (*refusal).into();
        }
        let error = Error::refused(refusal.to_string())
            .with_code(refusal.code())
            .hint(refusal.hint());
        match &refusal {
            Refusal::LeftOut { commits, files, .. } => error.details(serde_json::json!({
                "commitIds": commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "paths": files.iter().map(|file| crate::domain::lane::lossless(file.as_ref()))
                    .collect::<Vec<_>>(),
            })),
            _ => error,
        }
    }
}
