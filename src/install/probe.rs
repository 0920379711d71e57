//! Whether a hook reaches git-lane: found out by running it.
//!
//! A hook that gets as far as `git lane hook` with [`ASKED`] set gets an answer that ends it, so
//! that nothing after it runs. Nothing of another tool's may run before it either: where other
//! commands come first, or an older hook, the text has to do.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bstr::{BStr, BString, ByteSlice};

use super::stub;
use crate::domain::guard::git_hook::Hook;
use crate::domain::lane::WorktreeState;
use crate::install::third_party::Onward;
use crate::repository::Repository;
use crate::repository::hook_file::{BEGIN, kept};

/// Set for a hook that is only asked whether it reaches git-lane.
pub const ASKED: &str = "GIT_LANE_PROBE";

/// What `git lane hook` says when it is asked.
pub fn answer(hook: Hook) -> String {
    format!("git-lane answers {}", hook.name())
}

/// Whether git would run this file, and it would come to us.
pub(super) fn runs_us(repository: &Repository, file: &Path, hook: Hook) -> bool {
    executable(file) && reaches_us(repository, &Onward::from(file), kept(file).exists(), hook)
}

/// Whether a script of husky's user comes to us.
pub(super) fn script_reaches_us(repository: &Repository, script: &Path, hook: Hook) -> bool {
    reaches_us(repository, &Onward::Script(script.to_owned()), false, hook)
}

fn reaches_us(repository: &Repository, onward: &Onward, older: bool, hook: Hook) -> bool {
    let Ok(text) = std::fs::read(onward.file()) else {
        return false;
    };
    let Some(before) = before_us(text.as_bstr(), hook) else {
        return false;
    };
    // An older hook that comes first is not run to find out.
    let older_first = older && stub::runs_older_first(text.as_bstr(), hook);
    match older_first || !before.lines().all(inert) {
        true => !before
            .lines()
            .any(|line| first_word(line) == b"exit" || first_word(line) == b"exec"),
        false => {
            let run = |command: Command| ask(repository, command, hook);
            let answered = match run(onward.command()) {
                // git runs a file without an interpreter line by the shell.
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) =>
                {
                    let mut shell = Command::new("/bin/sh");
                    shell.arg(onward.file());
                    run(shell)
                }
                answered => answered,
            };
            answered.is_ok_and(|output| said(&output, hook))
        }
    }
}

/// Whether a file has a call of us, reached or not.
pub(super) fn names_us(file: &Path, hook: Hook) -> bool {
    std::fs::read(file).is_ok_and(|text| before_us(text.as_bstr(), hook).is_some())
}

/// Whether this command of git's configuration calls us, run as git runs it.
pub(super) fn answers(repository: &Repository, command: &BStr, hook: Hook) -> bool {
    if command != stub::command(hook) {
        // Of another version, or edited.
        return before_us(command, hook).is_some();
    }
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!("{command} \"$@\""))
        .arg("git-lane");
    ask(repository, shell, hook).is_ok_and(|output| said(&output, hook))
}

/// What comes before the call of git-lane, or before our block.
fn before_us(text: &BStr, hook: Hook) -> Option<BString> {
    let named = |line: &[u8]| {
        !line.trim_start().starts_with(b"#")
            && line.contains_str("git-lane hook ")
            && line.contains_str(format!(" {} ", hook.name()))
    };
    let call = text.lines_with_terminator().position(named)?;
    let lines = || text.lines_with_terminator();
    let block = lines()
        .position(|line| line.starts_with_str(BEGIN))
        .filter(|block| *block < call);
    Some(
        lines()
            .take(block.unwrap_or(call))
            .collect::<Vec<_>>()
            .concat()
            .into(),
    )
}

fn first_word(line: &[u8]) -> &[u8] {
    line.split(|byte| byte.is_ascii_whitespace() || *byte == b';')
        .next()
        .unwrap_or_default()
}

/// A line that changes nothing in the world.
fn inert(line: &[u8]) -> bool {
    let line = line.trim();
    line.starts_with(b"#")
        || matches!(
            line,
            b"" | b"exit"
                | b"return"
                | b"set -e"
                | b"set -u"
                | b"set -eu"
                | b"exit 0"
                | b"return 0"
        )
}

pub(super) fn executable(file: &Path) -> bool {
    std::fs::metadata(file)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Runs a hook as git would, in the main worktree or the repository itself.
fn ask(repository: &Repository, mut command: Command, hook: Hook) -> std::io::Result<Output> {
    let main = repository
        .main_worktree()
        .ok()
        .filter(|main| main.state == WorktreeState::Present);
    let zero = "0".repeat(40);
    let (args, input): (&[&str], String) = match hook {
        Hook::PostCheckout => (&[&zero, &zero, "1"], String::new()),
        Hook::ReferenceTransaction => (
            &["prepared"],
            format!("{zero} {zero} refs/heads/git-lane-probe\n"),
        ),
        _ => (&[], String::new()),
    };
    command
        .args(args)
        .current_dir(main.map_or_else(|| repository.common_dir().to_owned(), |main| main.path));
    command
        .env("GIT_DIR", repository.common_dir())
        .env(ASKED, "1");
    // This very program has to answer, which knows the question; whether one is on PATH is asked
    // apart from it.
    if let Ok(own) = std::env::current_exe()
        && let Some(directory) = own
            .parent()
            .filter(|directory| executable(&directory.join("git-lane")))
        && let Ok(path) =
            std::env::join_paths(std::iter::once(directory.to_owned()).chain(on_path_directories()))
    {
        command.env("PATH", path);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read it is not reached either.
        drop(stdin.write_all(input.as_bytes()));
    }
    child.wait_with_output()
}

fn said(output: &Output, hook: Hook) -> bool {
    output.stderr.contains_str(answer(hook))
}

/// Without those that depend on the current directory: what a repository tracks must not be run
/// because of its name.
fn on_path_directories() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .collect()
}

/// Whether the git-lane that a shell finds on PATH runs.
pub(super) fn on_path() -> bool {
    let found = on_path_directories()
        .into_iter()
        .map(|directory| directory.join("git-lane"));
    let Some(found) = found.into_iter().find(|file| executable(file)) else {
        return false;
    };
    let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    if own.is_some() && own == std::fs::canonicalize(&found).ok() {
        return true;
    }
    let run = Command::new(found)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    run.is_ok_and(|output| output.status.success())
}
