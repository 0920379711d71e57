//! What git keeps about a worktree in its admin directory, as `git worktree add` would write it.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::domain::lane::{LaneId, ObjectId};
use crate::error::{IoContext, Result};
use crate::repository::{RefFormat, Repository};
use crate::store::git::version::RELATIVE_LINKS;

/// The name git would give the admin directory: the worktree's last component, as far as it is a
/// safe name.
pub(crate) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "._-+".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let safe = safe.trim_start_matches('.').trim_end_matches(".lock");
    // Left room for a number.
    let cut = safe
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= 200)
        .last()
        .unwrap_or(0);
    if cut == 0 {
        "lane".into()
    } else {
        safe[..cut].to_owned()
    }
}

/// A repository with `extensions.worktreeConfig` has settings per worktree, which `git worktree
/// add` copies, except those that belong to the main worktree alone.
pub(crate) fn copy_worktree_config(repository: &Repository, admin: &Path) -> Result<()> {
    let source = repository.git_dir().join("config.worktree");
    if !repository.config_bool("extensions.worktreeConfig") || !source.is_file() {
        return Ok(());
    }
    let target = admin.join("config.worktree");
    repository
        .shared()
        .copy(&source, &target)
        .context("copy", &source)?;
    for key in ["core.bare", "core.worktree"] {
        repository.git.at(admin).unset_in(&target, key)?;
    }
    Ok(())
}

/// What the log of a new worktree's HEAD begins with: the worktree is this lane's, and never
/// another one's.
pub(crate) fn started(lane: &LaneId) -> String {
    format!("lane: started (lane {})", lane.as_str())
}

/// The first line of the new worktree's HEAD reflog, where reflogs are kept.
pub(crate) fn begin_reflog(
    repository: &Repository,
    admin: &Path,
    commit: ObjectId,
    lane: &LaneId,
) -> Result<()> {
    let wanted = repository
        .config("core.logAllRefUpdates")
        .map(|value| !value.eq_ignore_ascii_case(b"false"));
    if !wanted.unwrap_or(!repository.is_bare()) || repository.ref_format() != RefFormat::Files {
        return Ok(());
    }
    let mut handle = repository.gix.clone();
    let committer = handle.committer_or_set_generic_fallback();
    let Ok(committer) = committer else {
        return Ok(());
    };
    let mut text = format!("{} {commit} ", ObjectId::null(commit.kind())).into_bytes();
    committer.write_to(&mut text).context("write", admin)?;
    text.extend_from_slice(format!("\t{}\n", started(lane)).as_bytes());
    let logs = admin.join("logs");
    repository
        .shared()
        .create_dir_all(&logs)
        .context("create", &logs)?;
    repository
        .shared()
        .write(&logs.join("HEAD"), text)
        .context("write", &logs)
}

/// Whether git would link a new worktree and its admin directory by relative paths
/// (`worktree.useRelativePaths`, git 2.48).
pub(crate) fn wants_relative_links(repository: &Repository) -> Result<bool> {
    Ok(repository.config_bool("worktree.useRelativePaths")
        && repository.git.is_at_least(RELATIVE_LINKS)?)
}

/// The line with which a file in the directory `from` names `to`.
pub(crate) fn link(from: &Path, to: &Path, relative: bool) -> Vec<u8> {
    if !relative {
        return line(to);
    }
    line(&crate::store::relative(from, to))
}

/// A path as git writes it into a file of one line.
pub(crate) fn line(path: &Path) -> Vec<u8> {
    let mut bytes = path.as_os_str().as_bytes().to_vec();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_absolute_or_the_shortest_way_there() {
        let (admin, worktree) = (
            Path::new("/a/r/.git/worktrees/x"),
            Path::new("/a/r.lanes/x"),
        );
        assert_eq!(
            link(admin, &worktree.join(".git"), true),
            b"../../../../r.lanes/x/.git\n"
        );
        assert_eq!(link(worktree, admin, true), b"../../r/.git/worktrees/x\n");
        assert_eq!(
            link(Path::new("/a/r/lanes/x"), admin, true),
            b"../../.git/worktrees/x\n"
        );
        assert_eq!(link(worktree, admin, false), b"/a/r/.git/worktrees/x\n");
    }
}
