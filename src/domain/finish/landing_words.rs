//! The words in which a refused landing is told: the sentence, and what to do about it.

use crate::domain::finish::Strategy;
use crate::domain::finish::landing_refusal::{HiddenBy, Refusal, some};
use crate::domain::lane::Head;
use crate::domain::shell_word::quote;
use crate::domain::status::{Operation, WorktreeStatus};

impl Refusal {
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
            Refusal::Stray { expected, path, .. } => {
                let branch = expected.as_ref();
                format!(
                    "take the lane back with: git -C {} switch {}",
                    quote(path.display()),
                    branch.map_or_else(|| "--detach".into(), quote)
                )
            }
            Refusal::Operating {
                operation, path, ..
            }
            | Refusal::SiteBusy {
                operation, path, ..
            } => {
                let git = format!("git -C {}", quote(path.display()));
                match operation {
                    Operation::Bisect => format!("end it with: {git} bisect reset"),
                    other => format!(
                        "end it with: {git} {other} --continue; or take it back with: {git} \
                         {other} --abort"
                    ),
                }
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
            Refusal::ReadOnly { .. } => {
                "to work on what is there, start a lane from its commit: git lane start NAME --base \
                 COMMIT"
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
            Refusal::Unrelated { base, path, .. } => {
                format!(
                    "join them, then finish again: git -C {} merge --allow-unrelated-histories {}",
                    quote(path.display()),
                    quote(base)
                )
            }
            Refusal::NotFastForward { lane, .. } => {
                format!(
                    "replay it onto the base: git lane finish {} --strategy rebase",
                    quote(lane)
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
            Refusal::InTheWay { .. } => {
                "commit or stash them there, then run the command again".into()
            }
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
            Refusal::Operating {
                lane, operation, ..
            } => {
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
            Refusal::ReadOnly { lane } => write!(
                f,
                "lane '{lane}' is read-only: nothing lands from it or comes into it"
            ),
            Refusal::OntoItself { lane, branch } => {
                write!(f, "lane '{lane}' cannot land on '{branch}', its own branch")
            }
            Refusal::BaseMissing { base, .. } => {
                write!(f, "there is no branch '{base}' to land on")
            }
            Refusal::Unrelated { lane, base, .. } => {
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
