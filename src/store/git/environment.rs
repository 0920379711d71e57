//! The variables git's callers and git itself hand down, and which of them a git of ours sees.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};

/// `git rev-parse --local-env-vars` of git 2.55, minus `GIT_CONFIG_PARAMETERS` and
/// `GIT_CONFIG_COUNT`: those carry what the caller asked for with `git -c`, and point nowhere.
const LOCAL_ENVIRONMENT: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
];

/// Carries an inherited `GIT_DIR` past [`start_over`].
pub const INHERITED_DIR: &str = "GIT_LANE_INHERITED_DIR";

/// Carries an inherited `GIT_WORK_TREE` past [`start_over`].
pub const INHERITED_WORK_TREE: &str = "GIT_LANE_INHERITED_WORK_TREE";

/// Says, after [`start_over`], that git was running a hook.
pub const IN_HOOK: &str = "GIT_LANE_IN_HOOK";

/// Starts this program over without the variables git exports to hooks. Libraries read the
/// environment too, and a hook's `GIT_WORK_TREE` or `GIT_INDEX_FILE` speaks of another worktree.
/// Returns only when there is nothing to shed, or when starting over failed.
pub fn start_over() -> Result<()> {
    use std::os::unix::process::CommandExt;
    if LOCAL_ENVIRONMENT
        .iter()
        .all(|variable| std::env::var_os(variable).is_none())
    {
        return Ok(());
    }
    let failed =
        |error| Error::environment("cannot start over without git's environment").caused_by(error);
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(std::env::args_os().skip(1));
    for variable in LOCAL_ENVIRONMENT {
        command.env_remove(variable);
    }
    if let Some(inherited) = std::env::var_os("GIT_DIR") {
        command.env(INHERITED_DIR, inherited);
    }
    // To a hook git says where it runs, by this or by the current directory; that is no choice of
    // the user's.
    if let (Some(inherited), None) = (
        std::env::var_os("GIT_WORK_TREE"),
        std::env::var_os("GIT_INDEX_FILE"),
    ) {
        command.env(INHERITED_WORK_TREE, inherited);
    }
    if std::env::var_os("GIT_INDEX_FILE").is_some() {
        command.env(IN_HOOK, "1");
    }
    Err(failed(command.exec()))
}

/// Removes what would redirect a git, a hook or a user's command to another repository or worktree.
pub(in crate::store) fn scrub(command: &mut Command) {
    for variable in
        LOCAL_ENVIRONMENT
            .into_iter()
            .chain([INHERITED_DIR, INHERITED_WORK_TREE, IN_HOOK])
    {
        command.env_remove(variable);
    }
}

/// Has `command` run in a worktree whose git directory is `git_dir`, as if a user stood there:
/// filters, merge drivers and hooks inherit what names a repository, and one that runs git
/// elsewhere would then change this one. git exports `GIT_DIR` itself for a linked worktree; naming
/// it keeps a damaged `.git` file from leading to another repository.
pub(super) fn stand_in(command: &mut Command, worktree: &Path, git_dir: &Path) {
    command.current_dir(worktree);
    let found = worktree.join(".git");
    if found == git_dir && std::fs::symlink_metadata(&found).is_ok_and(|found| found.is_dir()) {
        return;
    }
    command.env("GIT_DIR", git_dir);
    if !git_dir
        .parent()
        .is_some_and(|parent| parent.ends_with("worktrees"))
    {
        command.env("GIT_WORK_TREE", worktree);
    }
}

/// Variables that alter what git says without naming a repository.
pub(super) const MISLEADING: [&str; 8] = [
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
];

/// Variables that carry settings: they decide what a worktree's files are, and nothing about
/// commits.
pub(super) const SETTINGS: [&str; 3] = [
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_ATTR_SOURCE",
];
