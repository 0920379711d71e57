//! Settings and locks that a process left behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use crate::domain::doctor::{Finding, LockOwner, TreeElsewhere};
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::{metadata, worktree};
use crate::store as git;
use crate::store::entries;
use crate::store::lockfile;

/// How many tracked files say where the working tree is.
pub(super) const SAMPLE: usize = 100;

/// Settings that a hook's or a test's leaked `GIT_DIR` leaves behind.
pub(super) fn configuration(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let common_dir = repository.common_dir();
    let top = common_dir
        .parent()
        .filter(|_| common_dir.file_name().is_some_and(|name| name == ".git"));
    let submodule = common_dir
        .components()
        .any(|part| part.as_os_str() == "modules");
    if let Some(top) = top
        && !submodule
    {
        if repository.config_bool("core.bare") && common_dir.join("index").exists() {
            found.push(Finding::BareWithWorktree);
        }
        if let Some(path) = repository.config("core.worktree") {
            let path = common_dir.join(git::path(&path));
            if let Some(why) = tree_elsewhere(repository, top, &path) {
                found.push(Finding::StrangeWorktree(path, why));
            }
        }
    }
    if let Some(path) = repository.config("core.hooksPath") {
        let path = git::path(&path);
        if path.is_absolute() && !path.exists() {
            found.push(Finding::DeadHooksPath(path));
        }
    }
    Ok(found)
}

/// Why the working tree is not the directory `top` around `.git`; `None` where it is, or the user
/// plainly wants it so: what git tracks is there and not here.
fn tree_elsewhere(repository: &Repository, top: &Path, tree: &Path) -> Option<TreeElsewhere> {
    let Ok(tree) = std::fs::canonicalize(tree) else {
        return Some(TreeElsewhere::ByAccident);
    };
    if tree == top {
        return None;
    }
    let linked = worktree::linked(repository.common_dir()).unwrap_or_default();
    if linked
        .iter()
        .any(|worktree| std::fs::canonicalize(&worktree.path).is_ok_and(|path| path == tree))
    {
        return Some(TreeElsewhere::ByAccident);
    }
    let index = repository.gix.open_index().ok();
    let tracked = index
        .iter()
        .flat_map(|index| index.entries().iter().map(|entry| entry.path(index)));
    let tracked: Vec<PathBuf> = tracked
        .take(SAMPLE)
        .map(|path| git::path(path).to_owned())
        .collect();
    let any = |root: &Path| {
        tracked
            .iter()
            .any(|path| root.join(path).symlink_metadata().is_ok())
    };
    (!any(&tree) || any(top)).then_some(TreeElsewhere::Perhaps)
}

/// Sets a value of the shared configuration's `[core]`, or removes it.
pub(super) fn set(repository: &Repository, key: &str, value: Option<&str>) -> Result<()> {
    let mut edit = metadata::Edit::begin(repository.lane_dir())?;
    edit.set_core(key, value)?;
    edit.commit()
}

pub(super) fn clear_dead_locks(repository: &Repository) -> Result<()> {
    lockfile::clear_dead(repository.lane_dir(), &lock_targets(repository)).map(drop)
}

/// The files whose locks may be left behind.
fn lock_targets(repository: &Repository) -> Vec<PathBuf> {
    let common_dir = repository.common_dir();
    let mut targets = ["config", "index", "HEAD", "packed-refs"]
        .map(|name| common_dir.join(name))
        .to_vec();
    targets.push(common_dir.join("shallow"));
    for refs in ["refs", "reftable"] {
        locked_refs(&common_dir.join(refs), &mut targets);
    }
    let admin_dirs = entries(&common_dir.join("worktrees"));
    for admin in admin_dirs {
        targets.extend(["index", "HEAD"].map(|name| admin.path().join(name)));
        for refs in ["refs", "reftable"] {
            locked_refs(&admin.path().join(refs), &mut targets);
        }
    }
    targets
}

/// The refs, or tables of refs, below `directory` that have a lock file beside them; no ref's own name
/// ends like that.
fn locked_refs(directory: &Path, targets: &mut Vec<PathBuf>) {
    for entry in entries(directory) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            locked_refs(&path, targets);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            targets.push(path.with_extension(""));
        }
    }
}

pub(super) fn locks(repository: &Repository) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for target in lock_targets(repository) {
        let lock = lockfile::lock_path(&target);
        let Ok(metadata) = std::fs::symlink_metadata(&lock) else {
            continue;
        };
        let age = metadata
            .modified()
            .ok()
            .and_then(|time| time.elapsed().ok())
            .unwrap_or_default();
        let dead = lockfile::is_dead(&lock, repository.lane_dir());
        // A lock that is only being used is nothing to report.
        if dead || age > Duration::from_secs(5) {
            let owner = if dead {
                LockOwner::Dead
            } else {
                LockOwner::Unknown(age.as_secs())
            };
            found.push(Finding::Lock(lock, owner));
        }
    }
    Ok(found)
}

/// The settings of the shared configuration that make git run a program, in every worktree: any
/// lane can plant one.
pub fn programs(repository: &Repository) -> Result<Vec<BString>> {
    let config = metadata::load(&repository.common_dir().join("config"))?;
    let mut found: Vec<BString> = Vec::new();
    for section in config.sections() {
        let header = section.header();
        let (word, name) = (
            header.name().to_string().to_lowercase(),
            header.subsection_name(),
        );
        for (key, value) in section.body() {
            let key = key.to_string();
            let is_ours = word == "hook" && name.is_some_and(|name| name.starts_with(b"git-lane-"));
            if !is_ours && runs_a_program(&word, &key.to_lowercase(), value.as_bstr()) {
                let words = std::iter::once(BStr::new(&word)).chain(name);
                let words: Vec<&BStr> = words.chain([BStr::new(&key)]).collect();
                found.push(bstr::join(".", words).into());
            }
        }
    }
    found.dedup();
    Ok(found)
}

/// git-config(1): what git hands to a shell, or runs.
fn runs_a_program(section: &str, key: &str, value: &BStr) -> bool {
    match (section, key) {
        // A built-in daemon is asked for with a boolean.
        ("core", "fsmonitor") => gix::config::Boolean::try_from(value).is_err(),
        (
            "core",
            "sshcommand" | "editor" | "pager" | "gitproxy" | "askpass" | "alternaterefscommand",
        ) => true,
        ("alias", _) => value.starts_with(b"!"),
        ("filter", "clean" | "smudge" | "process")
        | ("diff", "external" | "command" | "textconv") => true,
        ("merge", "driver")
        | ("credential", "helper")
        | ("sequence", "editor")
        | ("interactive", "difffilter") => true,
        ("difftool" | "mergetool" | "man" | "browser" | "guitool", "cmd" | "path") => true,
        ("gpg", "program" | "defaultkeycommand")
        | ("hook" | "tar", "command")
        | ("trailer", "cmd" | "command") => true,
        ("uploadpack", "packobjectshook") | ("gc", "recentobjectshook") | ("imap", "tunnel") => {
            true
        }
        ("remote", "uploadpack" | "receivepack" | "vcs") | ("instaweb", "browser" | "httpd") => {
            true
        }
        ("sendemail", "tocmd" | "cccmd" | "headercmd" | "sendmailcmd") => true,
        ("pager", _) => gix::config::Boolean::try_from(value).is_err(),
        ("submodule", "update") => value.starts_with(b"!"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_runs_is_told_from_what_it_only_reads() {
        for (section, key, value, runs) in [
            ("core", "fsmonitor", "true", false),
            ("core", "fsmonitor", "watchman", true),
            ("core", "autocrlf", "input", false),
            ("alias", "st", "status", false),
            ("alias", "st", "!sh", true),
            ("pager", "log", "false", false),
            ("pager", "log", "less", true),
            ("submodule", "update", "rebase", false),
            ("submodule", "update", "!sh", true),
            ("gpg", "defaultkeycommand", "x", true),
            ("hook", "command", "x", true),
            ("hook", "event", "x", false),
            ("remote", "url", "x", false),
            ("remote", "uploadpack", "x", true),
            ("filter", "process", "x", true),
            ("filter", "required", "true", false),
        ] {
            assert_eq!(
                runs_a_program(section, key, value.into()),
                runs,
                "{section}.{key} = {value}"
            );
        }
    }
}
