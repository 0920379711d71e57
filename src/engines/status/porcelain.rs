//! The child `git status` that answers when the in-process look is in doubt.
//!
//! A linked worktree is named by environment, never discovered: a damaged `.git` file must not make
//! git answer for an enclosing repository. The settings are those of the worktree and of the
//! caller's `git -c`. Flags win over status.showUntrackedFiles and `submodule.<name>.ignore`; the
//! rest that could hide work is pinned with `-c`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use bstr::{BString, ByteSlice};

use super::{Depth, Tally};
use crate::error::{Error, Result};
use crate::store::git;

/// What could make git trust another program's word, or a coarser look, than the files themselves.
const PINNED: &[&str] = &[
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.checkStat=default",
    "core.trustctime=true",
    "core.quotePath=false",
    "diff.ignoreSubmodules=none",
    "status.relativePaths=false",
    "status.renames=false",
    "color.ui=false",
];

fn in_worktree(git: &OsStr, worktree: &Path, admin: &Path) -> Command {
    let mut command = git::probe_as_configured(git);
    git::stand_in(&mut command, worktree, admin);
    for pin in PINNED {
        command.arg("-c").arg(pin);
    }
    command
}

/// Every path git has something to say about, ignored and untracked ones included, each file by
/// itself.
pub fn changed(git: &OsStr, worktree: &Path, admin: &Path) -> Result<Vec<BString>> {
    let mut command = in_worktree(git, worktree, admin);
    command.args([
        "status",
        "--porcelain=v2",
        "-z",
        "--ignore-submodules=none",
        "--no-renames",
        "--no-ahead-behind",
    ]);
    command.args(["--untracked-files=all", "--ignored"]);
    let output = git::probe_output(command, "read the status of a worktree")?;
    let records = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty());
    let path = |line: &[u8]| {
        let fields = match line.first() {
            Some(b'1') => 9,
            Some(b'u') => 11,
            _ => 2,
        };
        BString::from(
            line.splitn(fields, |byte| *byte == b' ')
                .last()
                .unwrap_or(line),
        )
    };
    Ok(records.map(path).collect())
}

/// What git counts, and the paths it counts as modified.
pub(super) fn ask(
    git: &OsStr,
    worktree: &Path,
    admin: &Path,
    depth: Depth,
) -> Result<(Tally, HashSet<BString>)> {
    let mut command = in_worktree(git, worktree, admin);
    if depth == Depth::Foreign {
        without_own_programs(&mut command, git, worktree, admin)?;
    }
    command.args([
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--no-renames",
        "--no-ahead-behind",
    ]);
    command.arg(match depth {
        // The other submodules' commits are compared, and no git is started in them.
        Depth::Foreign => "--ignore-submodules=dirty",
        Depth::Full | Depth::Removal | Depth::Tracked => "--ignore-submodules=none",
    });
    command.arg(match depth {
        Depth::Full | Depth::Removal | Depth::Foreign => "--untracked-files=normal",
        Depth::Tracked => "--untracked-files=no",
    });
    let output = git::probe_output(command, "read the status of a worktree")?;
    // git only warns about a directory it cannot read, and then knows nothing about what is in it.
    if output.stderr.contains_str("could not open directory") {
        return Err(git::failure(
            &format!("git could not {}", "read the status of a worktree"),
            &output,
        ));
    }
    // It always begins with the commit. A program that says nothing has not looked.
    if !output.stdout.starts_with(b"# ") {
        return Err(Error::git("cannot understand what git status says"));
    }
    let (mut tally, mut modified) = (Tally::default(), HashSet::new());
    for line in output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|line| !line.is_empty())
    {
        count(line, &mut tally, &mut modified)
            .ok_or_else(|| Error::git("cannot understand what git status says"))?;
    }
    Ok((tally, modified))
}

/// Has `command` start no filter that the repository itself configures, and fetch nothing. A file
/// that needs such a filter looks changed then.
fn without_own_programs(
    command: &mut Command,
    git: &OsStr,
    worktree: &Path,
    admin: &Path,
) -> Result<()> {
    let mut ask = git::probe(git);
    git::stand_in(&mut ask, worktree, admin);
    ask.args(["config", "--list", "--show-scope", "--name-only", "-z"]);
    let listed = git::probe_output(ask, "read the settings of a repository")?.stdout;
    let mut fields = listed.split(|byte| *byte == 0);
    while let (Some(scope), Some(key)) = (fields.next(), fields.next()) {
        if matches!(scope, b"local" | b"worktree") && key.starts_with(b"filter.") {
            let assigned = [b"--config-env=", key, b"=GIT_LANE_NOTHING"].concat();
            command.arg(assigned.to_os_str_lossy());
        }
    }
    command
        .env("GIT_LANE_NOTHING", "")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_NO_LAZY_FETCH", "1");
    Ok(())
}

/// Whether a line can be understood, for the fuzz target.
pub(crate) fn understands(line: &[u8]) -> bool {
    count(line, &mut Tally::default(), &mut HashSet::new()).is_some()
}

/// One record of porcelain v2: `1 XY sub mH mI mW hH hI path`, `u XY sub m1 m2 m3 mW h1 h2 h3
/// path`, `? path`.
fn count(line: &[u8], tally: &mut Tally, modified: &mut HashSet<BString>) -> Option<()> {
    let (kind, rest) = line.split_once_str(" ")?;
    let (fields, code) = match kind {
        b"1" => (8, rest.get(..2)?),
        b"u" => (10, rest.get(..2)?),
        b"?" => (1, b"??".as_slice()),
        b"#" | b"!" => return Some(()),
        _ => return None,
    };
    let path = rest.splitn(fields, |byte| *byte == b' ').last()?;
    match kind {
        b"u" => tally.conflicted += 1,
        b"?" => tally.untracked += 1,
        _ => {
            tally.staged += usize::from(code[0] != b'.');
            if code[1] != b'.' {
                tally.modified += 1;
                modified.insert(path.into());
            }
        }
    }
    tally.note(
        path,
        [code[0], code[1]].map(|letter| if letter == b'.' { b' ' } else { letter }),
    );
    Some(())
}

/// The ignored paths of a worktree, whole directories as one with a slash at the end: what a
/// removal takes along without any other command having named it.
pub fn ignored(git: &OsStr, worktree: &Path, admin: &Path) -> Result<Vec<BString>> {
    let mut command = in_worktree(git, worktree, admin);
    command.args([
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
    ]);
    let output = git::probe_output(command, "list ignored files")?;
    Ok(output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(BString::from)
        .collect())
}
