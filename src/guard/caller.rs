//! The git that called the hook: which command it is, when it began, and so what it has changed by
//! now.
//!
//! A hook is told what is checked out, not who wrote what: edits the user staged before the switch
//! look like what the switch wrote. Times tell them apart. Where no start is known
//! (macOS) no process is found, and what cannot be told from git's work is taken for it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bstr::{BStr, BString, ByteSlice};

use crate::store::ancestors;
use crate::store::ancestors::Process;
use crate::store::{entries, process_stat};

/// The kernel counts the start of a process in hundredths of a second, rounded down, whatever its
/// own clock does.
const TICK: Duration = Duration::from_millis(10);

/// Time stamps of files lag behind the clock by up to a timer interrupt.
const LAG: Duration = Duration::from_millis(10);

/// The nearest git above this process.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its command: `switch`, `update-ref`.
    pub command: BString,
    /// What follows the command.
    arguments: Vec<BString>,
    /// When it began, up to a [`TICK`] early.
    started: SystemTime,
    /// The process that started it.
    parent: Option<i32>,
}

impl Caller {
    /// Looks for it among those who wait for this process.
    pub fn find() -> Option<Self> {
        Self::find_from(rustix::process::getppid()?.as_raw_nonzero().get())
    }

    fn find_from(id: i32) -> Option<Self> {
        let called = |process: &Process| {
            let (command, rest) = command(&process.arguments)?;
            let words = rest.split(|byte| *byte == 0).skip(1).map(BString::from);
            Some((BString::from(command), words.collect()))
        };
        let (process, (command, arguments)) =
            ancestors::from(id).find_map(|process| called(&process).map(|said| (process, said)))?;
        Some(Caller {
            command,
            arguments,
            started: process.started?,
            parent: process.parent,
        })
    }

    /// Whether it writes index and files before it moves HEAD or a branch.
    pub fn switches(&self) -> bool {
        [&b"switch"[..], b"checkout", b"merge", b"rebase"].contains(&&self.command[..])
    }

    /// The options it was given, without their first dash.
    fn options(&self) -> impl Iterator<Item = &[u8]> {
        let before = self
            .arguments
            .iter()
            .take_while(|argument| *argument != "--");
        before.filter_map(|argument| argument.strip_prefix(b"-"))
    }

    /// Whether it was given an option with such a `long` name, or with `short` in a cluster, where
    /// what follows one of `named` is a name: `-qB other`.
    fn has(&self, long: impl Fn(&[u8]) -> bool, short: u8, named: &[u8]) -> bool {
        self.options().any(|word| match word.strip_prefix(b"-") {
            Some(name) => long(name),
            None => word
                .iter()
                .take_while(|byte| !named.contains(byte))
                .any(|byte| *byte == short),
        })
    }

    /// Whether it is `git switch`, or the checkout that does the same.
    fn is_switch(&self) -> bool {
        self.command == "switch" || self.command == "checkout"
    }

    /// Whether it merges uncommitted changes into what it switches to: `checkout --merge`.
    pub fn merges(&self) -> bool {
        let long = |name: &[u8]| name.starts_with(b"m") || name.starts_with(b"conf");
        self.is_switch() && self.has(long, b'm', b"bBcC-=")
    }

    /// What it was told besides options, and besides `name`.
    pub fn words(&self, name: &BStr) -> Vec<BString> {
        let words = self
            .arguments
            .iter()
            .take_while(|argument| *argument != "--");
        words
            .filter(|word| *word != name && (*word == "-" || !word.starts_with(b"-")))
            .cloned()
            .collect()
    }

    /// The loose objects that were written, or found to be there already, since this git began.
    pub fn wrote_objects(&self, objects: &Path) -> Vec<String> {
        let digits = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut found = Vec::new();
        for directory in entries(objects) {
            let Some(start) = directory
                .file_name()
                .to_str()
                .filter(|name| name.len() == 2 && digits(name))
                .map(str::to_owned)
            else {
                continue;
            };
            for file in entries(&directory.path()) {
                if let Some(rest) = file.file_name().to_str().filter(|name| digits(name))
                    && self.wrote(&file.path())
                {
                    found.push(format!("{start}{rest}"));
                }
            }
        }
        found
    }

    /// Whether it switches for a `git bisect reset`.
    pub fn ends_bisection(&self) -> bool {
        let above = self.parent.and_then(Self::find_from);
        // Before git 2.40 it is a script, which has a helper reset.
        above.is_some_and(|above| {
            let first = above.arguments.first().map(|word| word.as_slice());
            above.command.starts_with(b"bisect")
                && matches!(first, Some(b"reset" | b"--bisect-reset"))
        })
    }

    /// Whether it wrote `file`. Something written within the [`TICK`] before it began may be taken
    /// for its work.
    pub fn wrote(&self, file: &Path) -> bool {
        std::fs::symlink_metadata(file)
            .and_then(|file| file.modified())
            .is_ok_and(|written| self.is_before(written))
    }

    /// Whether it had begun at `moment`, as far as times of files tell.
    pub fn is_before(&self, moment: SystemTime) -> bool {
        moment + LAG >= self.started
    }

    /// Whether it resets the branch it switches to: `checkout -B`, `switch -C`.
    pub fn resets(&self) -> bool {
        let short = match &self.command[..] {
            b"checkout" => b'B',
            b"switch" => b'C',
            _ => return false,
        };
        self.has(|name| name.starts_with(b"force-c"), short, b"bc-=")
    }

    /// What it was told about the worktrees of submodules, as an option for the way back.
    pub fn recursion(&self) -> Option<BString> {
        let said = self.options().filter_map(|word| {
            let word = word.strip_prefix(b"-")?;
            let (no, word) = word
                .strip_prefix(b"no-")
                .map_or((&b""[..], word), |word| (b"no-", word));
            let (name, value) = word.split_at(word.find_byte(b'=').unwrap_or(word.len()));
            // git takes any beginning of an option that no other one has.
            let recursion = name.starts_with(b"re") && b"recurse-submodules".starts_with(name);
            recursion.then(|| bstr::concat([b"--", no, b"recurse-submodules", value]).into())
        });
        said.last()
    }

    /// The moment from which on what `index` says was written by this git; `None` when it has not
    /// written the index at all. git takes the index's lock first and keeps that very file, so what
    /// it wrote is not older than the file, unless that one was `rewritten` since.
    pub fn began_to_write(&self, index: &Path, rewritten: bool) -> Option<SystemTime> {
        let born = born(index)?;
        // An editor may have rewritten it, too.
        let began = if rewritten {
            self.started - LAG
        } else {
            born.min(self.started + TICK)
        };
        self.is_before(born).then_some(began)
    }

    /// Whether it throws away what is staged and edited: `--force`, `--discard-changes`.
    pub fn forces(&self) -> bool {
        let long = |name: &[u8]| {
            !name.is_empty() && (b"force".starts_with(name) || b"discard-changes".starts_with(name))
        };
        self.is_switch() && self.has(long, b'f', b"bBcC-=")
    }
}

/// When a file was made.
pub fn born(file: &Path) -> Option<SystemTime> {
    let file = std::fs::symlink_metadata(file).ok()?;
    file.created().or_else(|_| file.modified()).ok()
}

/// Whether git-lane started the git that runs this hook, with its own hands: what that git does is
/// looked at by git-lane already. A git below an editor, a hook or an alias has another parent, and one
/// that is itself a command of the user's, as of `git lane exec`, a process group of its own.
pub fn is_git_lanes() -> bool {
    let mut above = ancestors::above().skip_while(|process| command(&process.arguments).is_none());
    let (Some(git), Some(parent)) = (above.next(), above.next()) else {
        return false;
    };
    let group = |process: &Process| process_stat::of(process.id).map(|found| found.group);
    parent.is_git_lane() && group(&git) == group(&parent)
}

/// The command of a git and what follows it, from its arguments, each ended by a zero byte; `None`
/// for any other program.
fn command(arguments: &[u8]) -> Option<(&[u8], &[u8])> {
    let word = |text: &'_ [u8]| text.find_byte(0).unwrap_or(text.len());
    let (program, mut rest) = arguments.split_at(word(arguments));
    let program = program.rsplit(|byte| *byte == b'/').next()?;
    if let Some(command) = program.strip_prefix(b"git-") {
        return (command != b"lane").then_some((command, rest));
    }
    if program != b"git" {
        return None;
    }
    let mut value = false;
    while let Some(text) = rest.strip_prefix(b"\0").filter(|text| !text.is_empty()) {
        let (option, after) = text.split_at(word(text));
        if !value && !option.starts_with(b"-") {
            return Some((option, after));
        }
        // git(1): the options whose value is a word of its own.
        const WITH_VALUE: [&[u8]; 7] = [
            b"-C",
            b"-c",
            b"--git-dir",
            b"--work-tree",
            b"--namespace",
            b"--config-env",
            b"--attr-source",
        ];
        value = !value && WITH_VALUE.contains(&option);
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_found_behind_gits_own_options() {
        for (line, expected) in [
            ("git switch other", Some("switch")),
            (
                "/usr/lib/git-core/git -C dir -c a=b --no-pager checkout -q other",
                Some("checkout"),
            ),
            (
                "git --git-dir=x --work-tree y update-ref refs/heads/x y",
                Some("update-ref"),
            ),
            ("git-receive-pack .", Some("receive-pack")),
            ("/usr/bin/git-lane hook post-checkout", None),
            ("sh -c git switch", None),
            ("git", None),
        ] {
            let arguments = line.replace(' ', "\0") + "\0";
            assert_eq!(
                command(arguments.as_bytes()).map(|found| found.0),
                expected.map(str::as_bytes),
                "{line}"
            );
        }
    }

    #[test]
    fn a_reset_is_told_by_its_option() {
        for (line, expected) in [
            ("checkout -B other", true),
            ("checkout -qB other", true),
            ("checkout -Bother", true),
            ("switch -C other", true),
            ("switch --force-create=other", true),
            ("checkout -bB", false),
            ("checkout -b B", false),
            ("switch -c C", false),
            ("checkout other -- -B", false),
            ("branch -C a b", false),
        ] {
            assert_eq!(caller(line).resets(), expected, "{line}");
        }
    }

    #[test]
    fn what_it_does_to_submodules_is_told_by_its_last_word() {
        for (line, expected) in [
            ("switch other", None),
            (
                "switch --recurse-submodules other",
                Some("--recurse-submodules"),
            ),
            ("switch --recurse other", Some("--recurse-submodules")),
            (
                "checkout --recurse-submodules=no other",
                Some("--recurse-submodules=no"),
            ),
            (
                "checkout --recurse-submodules --no-recurse-sub other",
                Some("--no-recurse-submodules"),
            ),
            ("checkout other -- --recurse-submodules", None),
            ("switch --recreate other", None),
        ] {
            assert_eq!(
                caller(line).recursion(),
                expected.map(BString::from),
                "{line}"
            );
        }
    }

    #[test]
    fn a_merge_of_what_is_uncommitted_is_told_by_its_option() {
        for (line, expected) in [
            ("checkout -m other", true),
            ("switch -qm other", true),
            ("switch --merge other", true),
            ("checkout --conflict=diff3 other", true),
            ("checkout -bm other", false),
            ("checkout other -- -m", false),
            ("switch main", false),
            ("merge -m x other", false),
        ] {
            assert_eq!(caller(line).merges(), expected, "{line}");
        }
    }

    #[test]
    fn one_that_throws_changes_away_is_told_by_its_option() {
        for (line, expected) in [
            ("checkout -f other", true),
            ("switch -qf other", true),
            ("switch --force other", true),
            ("switch --discard-changes other", true),
            ("switch --disc other", true),
            ("switch --force-create other", false),
            ("checkout -bf other", false),
            ("checkout -q other", false),
            ("checkout other -- -f", false),
            ("worktree add -f x", false),
        ] {
            assert_eq!(caller(line).forces(), expected, "{line}");
        }
    }

    fn caller(line: &str) -> Caller {
        let (command, arguments) = line.split_once(' ').unwrap();
        let arguments = arguments.split(' ').map(BString::from).collect();
        Caller {
            command: command.into(),
            arguments,
            started: SystemTime::UNIX_EPOCH,
            parent: None,
        }
    }
}
