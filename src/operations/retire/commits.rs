//! Commits that leave with a worktree and are on no branch, and whether a lane ever got one of its
//! own.
//!
//! A worktree's HEAD, the log of its HEAD and its own refs (`refs/bisect`, `refs/worktree`,
//! `refs/rewritten`) go with its admin directory. What they alone lead to was made on a detached
//! HEAD. What git replaced itself (an amended commit, the steps of a rebase) and what the log of
//! the lane's branch names too is no such commit: the user has put another one in its place, or has
//! put it away.

use std::collections::BTreeSet;
use std::path::Path;

use bstr::{BString, ByteSlice};

use super::look::git_in_admin;
use crate::domain::integration::Integration;
use crate::domain::lane::{Head, Lane, ObjectId, Worktree};
use crate::error::{IoContext, Result};
use crate::repository::reflog::reflog_path;
use crate::repository::renames;
use crate::repository::revision::forget_reachable;
use crate::repository::{RefFormat, Repository};
use crate::store::optional;

/// The refs a worktree has for itself.
const OWN_REFS: [&str; 3] = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];

/// How many commits only the worktree leads to.
pub(super) fn only_here(
    repository: &Repository,
    lane: &Lane,
    worktree: &Worktree,
) -> Result<usize> {
    let tip = super::look::tip(repository, lane, Some(worktree))?;
    let mut found = BTreeSet::new();
    if let Head::Detached(id) = worktree.head {
        found.insert(id);
    }
    found.extend(own_refs(repository, worktree)?);
    found.extend(left_behind(&log_of_head(repository, worktree)?));
    found.retain(|id| Some(*id) != tip && *id != lane.fork_point && !id.is_null());
    if let Some(tip) = tip.filter(|_| !found.is_empty()) {
        // git need not be asked about an ordinary lane.
        forget_reachable(repository, tip, lane.fork_point, &mut found);
    }
    if found.is_empty() {
        return Ok(0);
    }
    let known = log_of_branch(repository, lane)?
        .into_iter()
        .map(|line| line.new)
        .chain(tip)
        .chain([lane.fork_point]);
    let known = known.filter(|id| !id.is_null()).map(|id| format!("^{id}"));
    let names = known.chain(found.iter().map(ToString::to_string));
    // What gc has removed is not lost by the removal of the lane.
    let published = ["--not", "--branches", "--tags", "--remotes"];
    let which = ["--ignore-missing", "--stdin"].into_iter().chain(published);
    repository.git_here().count_commits(which, names)
}

/// Whether a commit was made in the lane: its own log or that of its worktree's HEAD says so.
/// `None` without a log.
pub fn were_made(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
) -> Option<bool> {
    let mut logs: BString = lane
        .branch
        .as_ref()
        .map(|branch| renames::log(repository, branch))
        .unwrap_or_default();
    if let Some(worktree) = worktree {
        logs.push(b'\n');
        logs.extend_from_slice(&renames::log_of_head(repository, worktree));
    }
    let mut messages = logs.lines().filter(|line| !line.is_empty()).peekable();
    messages.peek()?;
    Some(messages.any(makes_a_commit))
}

/// Whether no commit was ever made in the lane. One that was only brought up to date with its base
/// is as new as before.
pub fn is_untouched(
    repository: &Repository,
    (lane, worktree): (&Lane, Option<&Worktree>),
    tip: Option<ObjectId>,
    integrated: Option<&Integration>,
) -> bool {
    match tip {
        None => lane.branch.is_some(),
        Some(tip) if tip == lane.fork_point => true,
        Some(_) => {
            let contained = matches!(
                integrated,
                Some(Integration::SameCommit | Integration::Ancestor)
            );
            contained && were_made(repository, lane, worktree) == Some(false)
        }
    }
}

/// Whether the history of `tip` has a commit since the lane's fork point that was made in the lane,
/// or by a sync that replayed it: what the lane was only moved to is not its own.
pub fn has_own(
    repository: &Repository,
    lane: &Lane,
    worktree: Option<&Worktree>,
    tip: ObjectId,
) -> Result<bool> {
    let mut log = log_of_branch(repository, lane)?;
    if let Some(worktree) = worktree {
        log.extend(log_of_head(repository, worktree)?);
    }
    let replays =
        |message: &BString| message.starts_with(b"lane: sync ") && message.ends_with(b"(rebase)");
    log.retain(|line| makes_a_commit(&line.message) || replays(&line.message));
    let mut made: BTreeSet<ObjectId> = log.into_iter().map(|line| line.new).collect();
    let all = made.len();
    forget_reachable(repository, tip, lane.fork_point, &mut made);
    Ok(made.len() < all)
}

/// Whether git writes that message when it makes a commit (builtin/commit.c, sequencer.c,
/// builtin/merge.c, builtin/am.c). Moves to commits that others made are fast-forwards, resets and
/// checkouts.
fn makes_a_commit(message: &[u8]) -> bool {
    let action = message
        .split(|byte| *byte == b':')
        .next()
        .unwrap_or_default();
    let step = action.rsplit_once_str(" (").map_or(&b""[..], |(_, step)| {
        step.strip_suffix(b")").unwrap_or(step)
    });
    match action
        .split(|byte| *byte == b' ')
        .next()
        .unwrap_or_default()
    {
        b"commit" | b"cherry-pick" | b"revert" | b"am" => true,
        // Of what git-lane writes only the landing of another lane makes one.
        b"lane" => message.starts_with(b"lane: finish "),
        b"rebase" => !matches!(step, b"start" | b"finish" | b"abort" | b""),
        b"merge" | b"pull" => {
            !matches!(step, b"start" | b"finish" | b"abort")
                && !message.to_lowercase().contains_str("fast-forward")
        }
        _ => false,
    }
}

/// One line of a reflog.
struct Line {
    old: ObjectId,
    new: ObjectId,
    message: BString,
}

/// The commits HEAD was on that nothing has replaced since.
fn left_behind(log: &[Line]) -> BTreeSet<ObjectId> {
    let next = log.iter().skip(1).map(Some).chain([None]);
    let left = log.iter().zip(next).filter(|(line, next)| {
        let amended = next.is_some_and(|next| {
            next.old == line.new && next.message.starts_with(b"commit (amend)")
        });
        let rebasing = ["rebase", "pull"]
            .iter()
            .any(|verb| line.message.starts_with(verb.as_bytes()))
            && line
                .message
                .split(|byte| *byte == b':')
                .next()
                .unwrap_or_default()
                .ends_with(b")");
        !amended && !rebasing
    });
    left.map(|(line, _)| line.new).collect()
}

fn log_of_head(repository: &Repository, worktree: &Worktree) -> Result<Vec<Line>> {
    if repository.ref_format() == RefFormat::Reftable {
        return log_by_git(git_in_admin(repository, worktree), b"HEAD".to_vec());
    }
    read_log(&worktree.git_dir.join("logs/HEAD"))
}

fn log_of_branch(repository: &Repository, lane: &Lane) -> Result<Vec<Line>> {
    let Some(branch) = &lane.branch else {
        return Ok(Vec::new());
    };
    match reflog_path(repository, branch) {
        Some(path) => read_log(&path),
        None if repository.branch_tip(branch)?.is_none() => Ok(Vec::new()),
        None => log_by_git(repository.git_here(), branch.to_ref().into()),
    }
}

fn read_log(path: &Path) -> Result<Vec<Line>> {
    let text = match optional::bytes(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context("read", path),
    };
    let line = |line: &[u8]| {
        let (facts, message) = line.split_once_str("\t").unwrap_or((line, b""));
        let mut fields = facts.split(|byte| *byte == b' ');
        let mut id = || ObjectId::from_hex(fields.next()?).ok();
        Some(Line {
            old: id()?,
            new: id()?,
            message: message.into(),
        })
    };
    Ok(text.lines().filter_map(line).collect())
}

/// The log of `name` where only git can read it, oldest first.
fn log_by_git(git: crate::store::git::Invocation, name: Vec<u8>) -> Result<Vec<Line>> {
    let listed = git.reflog(name, "%H %gs", None)?;
    let mut lines: Vec<Line> = Vec::new();
    for line in listed.iter().rev() {
        let Some((id, message)) = line.split_once_str(" ") else {
            continue;
        };
        let Ok(new) = ObjectId::from_hex(id) else {
            continue;
        };
        let old = lines
            .last()
            .map_or_else(|| ObjectId::null(new.kind()), |line| line.new);
        lines.push(Line {
            old,
            new,
            message: message.into(),
        });
    }
    Ok(lines)
}

fn own_refs(repository: &Repository, worktree: &Worktree) -> Result<BTreeSet<ObjectId>> {
    let mut found = BTreeSet::new();
    if repository.ref_format() == RefFormat::Reftable {
        let git = git_in_admin(repository, worktree);
        let listed = git.for_each_ref(["objectname"], OWN_REFS)?;
        found.extend(listed.iter().filter_map(|[id]| ObjectId::from_hex(id).ok()));
        return Ok(found);
    }
    ids_below(&worktree.git_dir.join("refs"), &mut found).map(|()| found)
}

fn ids_below(path: &Path, found: &mut BTreeSet<ObjectId>) -> Result<()> {
    let Some(there) = optional::followed(path)? else {
        return Ok(());
    };
    if there.is_file() {
        let text = optional::read(path)?.unwrap_or_default();
        found.extend(ObjectId::from_hex(text.trim_ascii()).ok());
    } else if there.is_dir() {
        for entry in optional::list(path)?.unwrap_or_default() {
            ids_below(&entry.path(), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_commit() {
        for (message, makes) in [
            ("commit: x", true),
            ("commit (amend): x", true),
            ("commit (initial): x", true),
            ("cherry-pick: x", true),
            ("revert: x", true),
            ("am: x", true),
            ("rebase (pick): x", true),
            ("rebase (continue): x", true),
            ("rebase (start): checkout main", false),
            ("rebase (finish): refs/heads/x onto 1234", false),
            ("merge main: Fast-forward", false),
            ("merge main: Merge made by the 'ort' strategy.", true),
            ("pull: Fast-forward", false),
            ("pull --rebase (start): checkout main", false),
            ("pull --rebase (pick): x", true),
            ("pull: Merge made by the 'ort' strategy.", true),
            ("reset: moving to main", false),
            ("checkout: moving from a to b", false),
            ("branch: Created from main", false),
            ("Branch: renamed refs/heads/a to refs/heads/b", false),
            ("lane: finish 'y' (merge)", true),
            ("lane: started (lane 1a22965a0d4dd5e1229)", false),
            ("", false),
        ] {
            assert_eq!(makes_a_commit(message.as_bytes()), makes, "{message}");
        }
    }

    #[test]
    fn what_git_has_replaced_is_not_left_behind() {
        let id = |digit: u8| ObjectId::from_hex(&[digit; 40]).unwrap();
        let log: Vec<Line> = [
            (b'0', b'1', "branch: Created from main"),
            (b'1', b'2', "commit: x"),
            (b'2', b'3', "commit (amend): x"),
            (b'3', b'4', "rebase (pick): x"),
            (b'4', b'5', "pull --rebase (pick): x"),
            (b'5', b'6', "pull: Fast-forward"),
            (b'6', b'7', "commit: y"),
        ]
        .into_iter()
        .map(|(old, new, message)| Line {
            old: id(old),
            new: id(new),
            message: message.into(),
        })
        .collect();
        assert_eq!(
            left_behind(&log).into_iter().collect::<Vec<_>>(),
            [b'1', b'3', b'6', b'7'].map(id)
        );
    }
}
