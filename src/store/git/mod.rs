//! The only place that starts git.
//!
//! Everything git exports to hooks and would redirect a child to another worktree is removed from
//! the environment; arguments are passed as they are, never through a shell; git's own stderr
//! becomes the text of the error.

pub mod child_of_git;
pub mod settings;
pub mod version;
pub mod without_hooks;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use bstr::{BString, ByteSlice};

use crate::error::{Code, Error, Result};
use crate::store::signals;
use crate::store::signals::Waiting;
use version::Version;

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

/// Where git looks for translations of its messages and finds none. Unlike `LC_ALL` it leaves the
/// programs that git runs the user's language.
const UNTRANSLATED: (&str, &str) = ("GIT_TEXTDOMAINDIR", "/dev/null");

/// The git program and what is known of it.
#[derive(Debug, Default)]
pub struct Git {
    pub(crate) version: OnceLock<Version>,
}

impl Git {
    /// The program to start: `GIT_LANE_GIT` where it is set, else `git` from PATH. Entries of PATH
    /// that depend on the current directory are passed over: what a repository tracks must not be
    /// run because it is called git.
    pub fn program() -> OsString {
        if let Some(chosen) = std::env::var_os("GIT_LANE_GIT").filter(|path| !path.is_empty()) {
            return chosen;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        if std::env::split_paths(&path).all(|directory| directory.is_absolute()) {
            return "git".into();
        }
        let fixed = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
        let found = fixed
            .map(|directory| directory.join("git"))
            .find(|file| file.is_file());
        found.unwrap_or_else(|| "/usr/bin/git".into()).into()
    }

    /// Whether the user chose the program by `GIT_LANE_GIT`.
    pub fn is_chosen() -> bool {
        std::env::var_os("GIT_LANE_GIT").is_some_and(|path| !path.is_empty())
    }

    /// An invocation of git in `directory`.
    pub fn at(&self, directory: &Path) -> Invocation {
        let mut command = Command::new(Self::program());
        command.current_dir(directory);
        scrub(&mut command);
        Invocation {
            command,
            input: None,
        }
    }

    /// An invocation of git in a worktree, whatever its `.git` says.
    pub fn in_worktree(&self, worktree: &Path, git_dir: &Path) -> Invocation {
        let mut invocation = self.at(worktree);
        stand_in(&mut invocation.command, worktree, git_dir);
        invocation
    }
}

/// Removes what would redirect a git, or a hook, to another repository or worktree.
pub fn scrub(command: &mut Command) {
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
pub(crate) fn stand_in(command: &mut Command, worktree: &Path, git_dir: &Path) {
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
const MISLEADING: [&str; 8] = [
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
const SETTINGS: [&str; 3] = [
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_ATTR_SOURCE",
];

/// A git whose answer removal may rest on: no environment of the caller misleads it, it takes no
/// optional locks and speaks untranslated English. The configuration is for the probe itself to pin
/// with `-c` and flags.
pub(crate) fn probe(git: &OsStr) -> Command {
    let mut command = probe_as_configured(git);
    for variable in SETTINGS {
        command.env_remove(variable);
    }
    command
}

/// A probe that hears the caller's `git -c`, for what settings decide: which files are ignored,
/// which are converted.
pub(crate) fn probe_as_configured(git: &OsStr) -> Command {
    let mut command = Command::new(git);
    scrub(&mut command);
    for variable in MISLEADING {
        command.env_remove(variable);
    }
    command
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0");
    command.stdin(Stdio::null());
    command
}

/// Runs a probe and returns its output, or git's own words as the error.
pub(crate) fn probe_output(mut command: Command, doing: &str) -> Result<Output> {
    let output = command
        .output()
        .map_err(|error| not_started(&command, error))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(failure(&format!("git could not {doing}"), &output))
    }
}

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

/// One git command being put together.
#[derive(Debug)]
#[must_use = "a git command does nothing until it is run"]
pub struct Invocation {
    pub(crate) command: Command,
    input: Option<Vec<u8>>,
}

impl Invocation {
    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds several arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument of bytes that git knows as a name, a path or a revision.
    pub fn bytes(self, arg: impl AsRef<[u8]>) -> Self {
        use std::os::unix::ffi::OsStrExt;
        self.arg(OsStr::from_bytes(arg.as_ref()))
    }

    /// Sets an environment variable for this git alone.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Feeds `input` to standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs it with standard output and error captured, whatever its exit code.
    pub fn output(mut self) -> Result<Output> {
        signals::ensure_may_begin()?;
        let what = self.describe();
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.stdin(if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = self
            .command
            .spawn()
            .map_err(|error| not_started(&self.command, error))?;
        let feeder = self
            .input
            .take()
            .zip(child.stdin.take())
            .map(|(input, mut stdin)| {
                // A git that stops reading early says so with its exit code.
                std::thread::spawn(move || drop(stdin.write_all(&input)))
            });
        let _waiting = Waiting::for_child(child.id());
        let output = child
            .wait_with_output()
            .map_err(|error| Error::git(format!("{what} failed")).caused_by(error))?;
        if let Some(feeder) = feeder {
            drop(feeder.join());
        }
        Ok(output)
    }

    /// Has this git say what it has to say in English, for what is made of its words.
    pub fn untranslated(self) -> Self {
        self.env(UNTRANSLATED.0, UNTRANSLATED.1)
    }

    /// Runs it and returns standard output; anything but success is an error with git's own words.
    pub fn stdout(self) -> Result<BString> {
        let what = self.describe();
        let output = self.output()?;
        if output.status.success() {
            Ok(output.stdout.into())
        } else {
            Err(failure(&what, &output))
        }
    }

    /// Like [`stdout`](Self::stdout), as text without the final newline.
    pub fn text(self) -> Result<String> {
        Ok(self
            .stdout()?
            .to_str_lossy()
            .trim_end_matches('\n')
            .to_owned())
    }

    /// Runs it for its effect.
    pub fn run(self) -> Result<()> {
        self.stdout().map(drop)
    }

    /// Runs it with standard output sent to our standard error, so that the user sees what hooks
    /// and filters say; returns the exit code.
    pub fn interactive(mut self, stdin: Stdio) -> Result<i32> {
        self.command
            .stdin(stdin)
            .stdout(std::io::stderr())
            .stderr(Stdio::inherit());
        self.attached()
    }

    /// Runs it with the caller's standard input, output and error; returns the exit code.
    pub fn attached(mut self) -> Result<i32> {
        signals::ensure_may_begin()?;
        let mut child = self
            .command
            .spawn()
            .map_err(|error| not_started(&self.command, error))?;
        let _waiting = Waiting::for_child(child.id());
        let status = child
            .wait()
            .map_err(|error| Error::git("cannot wait for git").caused_by(error))?;
        Ok(status.code().unwrap_or(128))
    }

    fn describe(&self) -> String {
        let verb = self
            .command
            .get_args()
            .map(OsStr::to_string_lossy)
            .find(|arg| !arg.starts_with('-'));
        format!("git {}", verb.unwrap_or_default())
    }
}

/// Runs a git that writes objects, and again where a gc took the empty directory away that it was
/// about to write to; returns standard output without the final newline. Only git's words tell
/// that; where they may be translated, it is run once more to hear them.
pub fn writing_objects(git: impl Fn() -> Invocation) -> Result<String> {
    for again in 0..4 {
        let asked = if again == 0 {
            git()
        } else {
            git().untranslated()
        };
        match asked.text() {
            Err(error)
                if error
                    .to_string()
                    .contains("unable to create temporary file") => {}
            Err(_) if again == 0 && is_translated() => {}
            done => return done,
        }
    }
    git().text()
}

/// Whether the user's git may speak another language than English.
fn is_translated() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(locale) = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set) else {
        return false;
    };
    let english = |text: &str| text.starts_with("en") || text.starts_with("C.");
    !matches!(&*locale, "C" | "POSIX") && !english(&set("LANGUAGE").unwrap_or(locale))
}

/// The error for a git that ran and failed.
pub fn failure(what: &str, output: &Output) -> Error {
    let text = output.stderr.to_str_lossy();
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = line.or_else(|| text.lines().map(str::trim).find(|line| !line.is_empty()));
    match line {
        Some(line) => match crate::store::disk::trouble(&output.stderr) {
            Some(code) => Error::environment(format!("{what}: {line}")).with_code(code),
            None => Error::git(format!("{what}: {line}")),
        },
        None => Error::git(format!("{what} ended with {}", output.status)),
    }
}

pub(crate) fn not_started(command: &Command, error: std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    // One that is back by now was gone all the same: the program is there.
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&paths).any(|directory| directory.join(&program).is_file());
    if let Some(directory) = command
        .get_current_dir()
        .filter(|directory| there || !directory.is_dir())
        && error.kind() == std::io::ErrorKind::NotFound
    {
        return Error::refused(format!(
            "'{}' was removed at the same moment",
            directory.display()
        ))
        .with_code(Code::Raced)
        .hint("see what is left with: git lane list");
    }
    Error::environment(format!("cannot start '{program}'"))
        .caused_by(error)
        .hint("install git and put it on PATH")
}
