//! Why a lane cannot finish: the facts, the sentence, the remedy, the word for scripts.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use crate::domain::finish::Strategy;
use crate::domain::lane::{Head, ObjectId, RefName, lossless};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Code, Error};

/// Why a lane cannot finish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named for what they hold")]
pub enum Refusal {
    /// The lane's worktree has something else checked out; `renamed`: and the lane's branch is no
    /// more.
    Stray {
        lane: LaneName,
        expected: Option<BranchName>,
        head: Head,
        renamed: bool,
    },
    /// git is in the middle of something in the lane.
    Operating {
        lane: LaneName,
        operation: Operation,
    },
    /// The lane holds work that is not committed.
    Unsettled {
        lane: LaneName,
        status: WorktreeStatus,
        landing: bool,
    },
    /// `--commit` made its commit, and something is not in it: a hook made it, or git looks away
    /// from it.
    LeftBehind {
        lane: LaneName,
        status: WorktreeStatus,
    },
    /// The lane's branch is gone, or has no commit.
    NoTip { lane: LaneName },
    /// The lane has no base to land on.
    NoBase { lane: LaneName },
    /// The base is no local branch, and no local branch follows it.
    RemoteBase { lane: LaneName, base: RefName },
    /// Several local branches follow the remote base.
    SeveralLocal {
        base: RefName,
        candidates: Vec<BranchName>,
    },
    /// The lane would land on itself.
    OntoItself { lane: LaneName, branch: BranchName },
    /// The base does not exist; `renamed`: it has that name now.
    BaseMissing {
        lane: LaneName,
        base: BranchName,
        renamed: Option<BranchName>,
    },
    /// Lane and base share no commit.
    Unrelated { lane: LaneName, base: BranchName },
    /// A fast-forward is asked for and the base has moved on.
    NotFastForward { lane: LaneName, base: BranchName },
    /// Several worktrees have the base checked out, and they cannot move together.
    SeveralSites {
        base: BranchName,
        paths: Vec<PathBuf>,
    },
    /// A worktree that has the base checked out, or works on it, is in the middle of something.
    SiteBusy {
        base: BranchName,
        path: PathBuf,
        operation: Operation,
    },
    /// The worktree that has the base checked out is gone or damaged.
    SiteBroken {
        base: BranchName,
        path: PathBuf,
        why: String,
    },
    /// The main worktree has it checked out, and nothing says where that is; `bare`: only
    /// `--work-tree` ever does.
    SiteUnknown {
        lane: LaneName,
        base: BranchName,
        git_dir: PathBuf,
        bare: bool,
    },
    /// Local changes or untracked files where the base is checked out are in the way.
    InTheWay {
        base: BranchName,
        path: PathBuf,
        files: Vec<BString>,
    },
    /// The same, and `git status` does not show it.
    Hidden {
        base: BranchName,
        path: PathBuf,
        files: Vec<(BString, HiddenBy)>,
    },
    /// The lane moves a submodule to a commit that only its own clone of the submodule has, at
    /// `path`.
    SubmoduleOnlyHere {
        lane: LaneName,
        base: BranchName,
        submodule: BString,
        commit: ObjectId,
        path: Box<std::path::Path>,
    },
    /// What would land in this way lacks some of the lane's work: what these commits did, or what
    /// was done to these files.
    LeftOut {
        lane: LaneName,
        base: BranchName,
        strategy: Strategy,
        commits: Vec<ObjectId>,
        files: Vec<BString>,
    },
    /// The lane's work is not in its base, and nothing is to be landed.
    Unintegrated {
        lane: LaneName,
        base: Option<BranchName>,
    },
}

/// Why git looks away from a file (git-update-index(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenBy {
    /// `--assume-unchanged`
    AssumeUnchanged,
    /// `--skip-worktree`
    SkipWorktree,
}

impl std::fmt::Display for HiddenBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            HiddenBy::AssumeUnchanged => "assume-unchanged",
            HiddenBy::SkipWorktree => "skip-worktree",
        })
    }
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Stray { .. } => Code::Stray,
            Refusal::Operating { .. } => Code::OperationInProgress,
            Refusal::Unsettled { .. } | Refusal::LeftBehind { .. } => Code::Unsettled,
            Refusal::NoTip { .. } => Code::NoCommit,
            Refusal::NoBase { .. } => Code::NoBase,
            Refusal::RemoteBase { .. } | Refusal::SeveralLocal { .. } => Code::RemoteBase,
            Refusal::OntoItself { .. } => Code::OntoItself,
            Refusal::BaseMissing { .. } => Code::BaseMissing,
            Refusal::Unrelated { .. } => Code::Unrelated,
            Refusal::NotFastForward { .. } => Code::NotFastForward,
            Refusal::SeveralSites { .. } => Code::BaseCheckedOutTwice,
            Refusal::SiteBusy { .. } => Code::BaseBusy,
            Refusal::SiteBroken { .. } => Code::BaseWorktreeBroken,
            Refusal::SiteUnknown { .. } => Code::MainWorktreeUnknown,
            Refusal::InTheWay { .. } | Refusal::Hidden { .. } => Code::InTheWay,
            Refusal::SubmoduleOnlyHere { .. } => Code::SubmoduleUnpublished,
            Refusal::LeftOut { .. } => Code::LeftOut,
            Refusal::Unintegrated { .. } => Code::Unintegrated,
        }
    }

    /// The same after `--commit` has made its commit.
    pub fn after_commit(self) -> Self {
        match self {
            Refusal::Unsettled { lane, status, .. } => Refusal::LeftBehind { lane, status },
            other => other,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Refusal::Stray {
                lane,
                head: Head::Branch(there),
                renamed: true,
                ..
            } => {
                format!(
                    "if its branch was renamed, tell the record: git config {} {}",
                    quote(format!("lane.{lane}.branch")),
                    quote(there)
                )
            }
            Refusal::Stray {
                expected: Some(branch),
                ..
            } => format!("in the lane: git switch {}", quote(branch)),
            Refusal::Stray { expected: None, .. } => "in the lane: git switch --detach".into(),
            Refusal::Operating { operation, .. } | Refusal::SiteBusy { operation, .. } => {
                operation_hint(*operation)
            }
            Refusal::Unsettled {
                lane,
                landing: true,
                ..
            } => {
                format!(
                    "commit or stash them, or: git lane finish {} --commit MESSAGE",
                    quote(lane)
                )
            }
            Refusal::Unsettled {
                lane,
                landing: false,
                ..
            }
            | Refusal::Unintegrated { lane, base: None } => {
                format!(
                    "to move it into the trash as it is: git lane finish {} --no-land --force",
                    quote(lane)
                )
            }
            Refusal::LeftBehind { .. } => {
                "a hook of git commit made them, or git looks away from them (git ls-files -v \
                 shows which); commit or put them away, then finish again"
                    .into()
            }
            Refusal::NoTip { lane } => format!("to remove the lane: git lane drop {}", quote(lane)),
            Refusal::NoBase { lane } | Refusal::RemoteBase { lane, .. } => {
                format!(
                    "name a local branch: git lane finish {} --into BRANCH",
                    quote(lane)
                )
            }
            Refusal::SeveralLocal { candidates, .. } => {
                format!("name one of them: --into {}", quote(&candidates[0]))
            }
            Refusal::OntoItself { .. } => "name another branch with --into".into(),
            Refusal::BaseMissing {
                renamed: Some(renamed),
                ..
            } => format!("it was renamed: --into {}", quote(renamed)),
            Refusal::BaseMissing {
                lane,
                renamed: None,
                ..
            } => {
                format!(
                    "name another with --into BRANCH, or for good: git config {} refs/heads/BRANCH",
                    quote(format_args!("lane.{lane}.base"))
                )
            }
            Refusal::Unrelated { base, .. } => {
                format!(
                    "in the lane: git merge --allow-unrelated-histories {}, then finish again",
                    quote(base)
                )
            }
            Refusal::NotFastForward { base, .. } => {
                format!(
                    "in the lane: git rebase {}, or finish with --strategy rebase",
                    quote(base)
                )
            }
            Refusal::SeveralSites { .. } => "switch all but one of them to another branch".into(),
            Refusal::SiteBroken { .. } => {
                "bring it back, or see what can be done about it with: git lane doctor".into()
            }
            Refusal::SiteUnknown {
                lane,
                git_dir,
                bare: true,
                ..
            } => {
                format!(
                    "tell it where: git --git-dir={} --work-tree=DIRECTORY lane finish {}; if \
                     nothing is checked out from it any more: rm {}",
                    quote(git_dir.display()),
                    quote(lane),
                    quote(git_dir.join("index").display())
                )
            }
            Refusal::SiteUnknown {
                git_dir,
                bare: false,
                ..
            } => format!(
                "finish it there, or tell git where that is: git --git-dir={} config \
                 core.worktree DIRECTORY",
                quote(git_dir.display())
            ),
            Refusal::Hidden { path, files, .. } => {
                let by = files
                    .first()
                    .map_or(HiddenBy::AssumeUnchanged, |(_, by)| *by);
                let alike: Vec<_> = files.iter().filter(|(_, other)| *other == by).collect();
                let names = alike
                    .iter()
                    .take(3)
                    .map(|(file, _)| format!(" {}", quote(file)))
                    .collect::<String>();
                let more = if alike.len() > 3 { " …" } else { "" };
                format!(
                    "show it to git: git -C {} update-index --no-{by}{names}{more}; then commit \
                     or stash it there",
                    quote(path.display())
                )
            }
            Refusal::InTheWay { .. } => "commit or stash them there, then finish again".into(),
            Refusal::SubmoduleOnlyHere { commit, path, .. } => format!(
                "publish it, then finish again: git -C {} push origin {}:refs/heads/BRANCH",
                quote(path.display()),
                commit.to_hex_with_len(10)
            ),
            Refusal::LeftOut { lane, .. } => {
                format!(
                    "land its commits as they are: git lane finish {} --strategy merge",
                    quote(lane)
                )
            }
            Refusal::Unintegrated {
                lane,
                base: Some(_),
            } => {
                format!(
                    "land it with: git lane finish {}; or retire it with --no-land --force",
                    quote(lane)
                )
            }
        }
    }
}

fn operation_hint(operation: Operation) -> String {
    match operation {
        Operation::Bisect => "end it there with: git bisect reset".into(),
        other => format!("end it there with: git {other} --continue, or --abort"),
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Stray {
                lane,
                expected,
                head,
                ..
            } => {
                write!(f, "lane '{lane}' is stray: its worktree is on ")?;
                match head {
                    Head::Branch(branch) => write!(f, "'{branch}'")?,
                    Head::Detached(id) => {
                        write!(f, "a detached HEAD at {}", id.to_hex_with_len(10))?
                    }
                    Head::Other(other) => write!(f, "'{other}'")?,
                }
                match expected {
                    Some(branch) => write!(f, " instead of '{branch}'"),
                    None => f.write_str(" instead of a detached HEAD"),
                }
            }
            Refusal::Operating { lane, operation } => {
                write!(f, "lane '{lane}' is in the middle of a {operation}")
            }
            Refusal::Unsettled { lane, status, .. } => {
                write!(f, "lane '{lane}' is not settled: {}", Counted(status))
            }
            Refusal::LeftBehind { lane, status } => {
                write!(
                    f,
                    "the commit left changes behind in lane '{lane}': {}",
                    Counted(status)
                )
            }
            Refusal::NoTip { lane } => write!(f, "lane '{lane}' has no commit to land"),
            Refusal::NoBase { lane } => write!(f, "lane '{lane}' has no base to land on"),
            Refusal::RemoteBase { lane, base } => {
                write!(
                    f,
                    "the base of lane '{lane}' is '{base}', which no local branch follows"
                )
            }
            Refusal::SeveralLocal { base, candidates } => {
                write!(
                    f,
                    "several local branches follow '{base}': {}",
                    quoted(candidates)
                )
            }
            Refusal::OntoItself { lane, branch } => {
                write!(f, "lane '{lane}' cannot land on '{branch}', its own branch")
            }
            Refusal::BaseMissing { base, .. } => {
                write!(f, "there is no branch '{base}' to land on")
            }
            Refusal::Unrelated { lane, base } => {
                write!(f, "lane '{lane}' and '{base}' share no history")
            }
            Refusal::NotFastForward { lane, base } => {
                write!(
                    f,
                    "'{base}' has moved on since lane '{lane}' started and cannot be fast-forwarded"
                )
            }
            Refusal::SeveralSites { base, paths } => {
                let paths: Vec<_> = paths.iter().map(|path| path.display()).collect();
                write!(
                    f,
                    "'{base}' is checked out in several worktrees: {}",
                    quoted(&paths)
                )
            }
            Refusal::SiteBusy {
                base,
                path,
                operation,
            } => {
                write!(
                    f,
                    "'{base}' cannot move: '{}' is in the middle of a {operation}",
                    path.display()
                )
            }
            Refusal::SiteUnknown {
                base,
                git_dir,
                bare: true,
                ..
            } => write!(
                f,
                "'{base}' is checked out from '{}', which is bare and has an index, and nothing \
                 here says where",
                git_dir.display()
            ),
            Refusal::SiteUnknown {
                base,
                git_dir,
                bare: false,
                ..
            } => write!(
                f,
                "'{base}' is checked out in the main worktree of '{}', and nothing here says \
                 where that is",
                git_dir.display()
            ),
            Refusal::SiteBroken { base, path, why } => {
                write!(
                    f,
                    "'{base}' is checked out in '{}', but {why}",
                    path.display()
                )
            }
            Refusal::InTheWay { base, path, files } => {
                write!(
                    f,
                    "'{base}' is checked out in '{}', where local changes are in the way: ",
                    path.display()
                )?;
                f.write_str(&some(files))
            }
            Refusal::Hidden { base, path, files } => {
                write!(
                    f,
                    "'{base}' is checked out in '{}', where changes git status does not show ",
                    path.display()
                )?;
                let named: Vec<_> = files
                    .iter()
                    .take(10)
                    .map(|(file, by)| format!("'{file}' ({by})"))
                    .collect();
                write!(f, "are in the way: {}", named.join(", "))?;
                if files.len() > named.len() {
                    write!(f, " and {} more", files.len() - named.len())
                } else {
                    Ok(())
                }
            }
            Refusal::SubmoduleOnlyHere {
                lane,
                submodule,
                commit,
                ..
            } => {
                let commit = commit.to_hex_with_len(10);
                write!(
                    f,
                    "lane '{lane}' would land commit {commit} of submodule '{submodule}', "
                )?;
                f.write_str("which only the lane has")
            }
            Refusal::LeftOut {
                lane,
                base,
                strategy,
                commits,
                files,
            } => {
                let by = if *strategy == Strategy::Squash {
                    "squash"
                } else {
                    "rebase"
                };
                write!(
                    f,
                    "a {by} would leave work of lane '{lane}' out of '{base}'"
                )?;
                if !commits.is_empty() {
                    let ids: Vec<_> = commits
                        .iter()
                        .take(3)
                        .map(|id| id.to_hex_with_len(10).to_string())
                        .collect();
                    let more = if commits.len() > 3 { " and others" } else { "" };
                    write!(f, ": what commit {}{more} did", ids.join(", "))?;
                }
                match files[..] {
                    [] => Ok(()),
                    _ if commits.is_empty() => write!(f, ": {}", some(files)),
                    _ => write!(f, " to {}", some(files)),
                }
            }
            Refusal::Unintegrated {
                lane,
                base: Some(base),
            } => {
                write!(f, "the work of lane '{lane}' is not in '{base}'")
            }
            Refusal::Unintegrated { lane, base: None } => {
                write!(f, "lane '{lane}' has no base that could hold its work")
            }
        }
    }
}

/// The first few of a list of files, and how many there are beyond them.
pub fn some(files: &[BString]) -> String {
    const SHOWN: usize = 10;
    let mut text = files
        .iter()
        .take(SHOWN)
        .map(|file| format!("'{file}'"))
        .collect::<Vec<_>>()
        .join(", ");
    if files.len() > SHOWN {
        text.push_str(&format!(" and {} more", files.len() - SHOWN));
    }
    text
}

fn quoted(items: &[impl std::fmt::Display]) -> String {
    items
        .iter()
        .map(|item| format!("'{item}'"))
        .collect::<Vec<_>>()
        .join(", ")
}

struct Counted<'a>(&'a WorktreeStatus);

impl std::fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = self.0;
        let counts = [
            (status.staged, "staged"),
            (status.modified, "modified"),
            (status.untracked, "untracked"),
            (status.conflicted, "conflicted"),
        ];
        let present = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"));
        f.write_str(&present.collect::<Vec<_>>().join(", "))?;
        if !status.samples.is_empty() {
            let samples: Vec<_> = status
                .samples
                .iter()
                .take(3)
                .map(|sample| sample.to_string())
                .collect();
            write!(f, " ({})", samples.join(", "))?;
        }
        Ok(())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Error::refused(refusal.to_string())
            .with_code(refusal.code())
            .hint(refusal.hint());
        match &refusal {
            Refusal::InTheWay { files, .. } => error.details(serde_json::json!({
                "files": files.iter().map(|file| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::LeftOut { commits, files, .. } => error.details(serde_json::json!({
                "commits": commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "files": files.iter().map(|file| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::Hidden { files, .. } => error.details(serde_json::json!({
                "files": files.iter().map(|(file, _)| lossless(file.as_bstr())).collect::<Vec<_>>(),
            })),
            Refusal::Unsettled { status, .. } | Refusal::LeftBehind { status, .. } => error
                .details(serde_json::json!({
                    "staged": status.staged, "modified": status.modified,
                    "untracked": status.untracked, "conflicted": status.conflicted,
                })),
            _ => error,
        }
    }
}
