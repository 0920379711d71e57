//! A child git that no environment of the caller can mislead.
//!
//! Everything `git rev-parse --local-env-vars` names, and every variable that changes what diff, status or attributes
//! say, is removed; what a probe relies on is pinned by the probe itself with `-c` and flags.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// `git rev-parse --local-env-vars` of git 2.39 and 2.47, then the variables that alter answers without being local.
const MISLEADING: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_ATTR_SOURCE",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_QUARANTINE_PATH",
];

/// A git that writes no optional locks, speaks untranslated English and sees none of the caller's `GIT_*` state.
pub(crate) fn scrubbed(git: &OsStr) -> Command {
    let mut command = Command::new(git);
    for name in MISLEADING {
        command.env_remove(name);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    command.stdin(Stdio::null());
    command
}

/// Runs `command` and returns its output, or git's own words as the error.
pub(crate) fn output(mut command: Command, doing: &str) -> Result<Output> {
    let output =
        command.output().map_err(|error| Error::environment(format!("cannot start git to {doing}")).source(error))?;
    if output.status.success() { Ok(output) } else { Err(failed(doing, &output.stderr)) }
}

/// The error for a git that failed, with the last line it wrote.
pub(crate) fn failed(doing: &str, stderr: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned();
    Error::git(format!("git could not {doing}: {last}"))
}
