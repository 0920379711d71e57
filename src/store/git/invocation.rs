//! One git command: what it is told, how it is run, and how it has ended.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::environment;
use crate::error::{Code, Error, Result};
use crate::store::activity::TerminalTaken;
use crate::store::signals;
use crate::store::signals::Waiting;

/// Where git looks for translations of its messages and finds none. Unlike `LC_ALL` it leaves the
/// programs that git runs the user's language.
const UNTRANSLATED: (&str, &str) = ("GIT_TEXTDOMAINDIR", "/dev/null");

/// One git command being put together.
#[derive(Debug)]
#[must_use = "a git command does nothing until it is run"]
pub struct Invocation {
    pub(super) command: Command,
    input: Option<Vec<u8>>,
    keeps_language: bool,
}

impl Invocation {
    pub(super) fn new(command: Command) -> Self {
        Invocation {
            command,
            input: None,
            keeps_language: false,
        }
    }

    /// Adds one argument.
    pub(super) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds several arguments.
    pub(super) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument of bytes that git knows as a name, a path or a revision.
    pub(super) fn bytes(self, arg: impl AsRef<[u8]>) -> Self {
        use std::os::unix::ffi::OsStrExt;
        self.arg(OsStr::from_bytes(arg.as_ref()))
    }

    /// Adds options that come before the command's name, as
    /// [`no_hooks_of`](super::without_hooks::no_hooks_of) has some.
    pub fn options(self, options: &[std::ffi::OsString]) -> Self {
        self.args(options)
    }

    /// Sets an environment variable for this git alone.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives this git a setting: `-c key=value`.
    pub fn with(self, key: &str, value: &str) -> Self {
        self.arg("-c").arg(format!("{key}={value}"))
    }

    /// Has the answer be one that removal may rest on: no environment of the caller misleads this
    /// git, it takes no optional locks and speaks untranslated English. The caller's `git -c`
    /// counts, for settings decide which files are ignored and converted.
    pub fn reliable(mut self) -> Self {
        for variable in environment::MISLEADING {
            self.command.env_remove(variable);
        }
        self.env("GIT_OPTIONAL_LOCKS", "0")
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
    }

    /// Keeps the caller's settings from this git, for what is about commits alone.
    pub fn without_settings(mut self) -> Self {
        for variable in environment::SETTINGS {
            self.command.env_remove(variable);
        }
        self
    }

    /// Leaves this git the user's language, for it runs hooks, filters or other programs of the
    /// user's. What any other git says is English, whatever is made of it.
    pub(super) fn running_programs(mut self) -> Self {
        self.keeps_language = true;
        self
    }

    /// Feeds `input` to standard input.
    pub(super) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Runs it with standard output and error captured, whatever its exit code.
    pub fn output(mut self) -> Result<Output> {
        signals::ensure_may_begin()?;
        let what = self.describe();
        let mut child = self.spawn_captured()?;
        let feeder = self.input.take().zip(child.stdin.take());
        let feeder = feeder.map(|(input, mut stdin)| {
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

    /// The same of a git that is asked to stop when `interrupt` becomes true.
    pub fn output_unless(mut self, interrupt: &AtomicBool) -> Result<Output> {
        let mut child = self.spawn_captured()?;
        let (stdin, input) = (child.stdin.take(), self.input.take());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (status, stdout, stderr) = std::thread::scope(|scope| {
            // A child that stops reading has failed, and says so by its status.
            let feeder = scope.spawn(move || {
                let feed = stdin.zip(input);
                feed.map(|(mut stdin, input)| stdin.write_all(&input))
            });
            let stdout = scope.spawn(move || read_whole(stdout));
            let stderr = scope.spawn(move || read_whole(stderr));
            let status = wait(&mut child, interrupt);
            drop(feeder.join());
            let said =
                |of: std::thread::ScopedJoinHandle<'_, Vec<u8>>| of.join().unwrap_or_default();
            (status, said(stdout), said(stderr))
        });
        let status = status.map_err(|error| Error::git("cannot wait for git").caused_by(error))?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// The same of a git that asks no user. Where that time is over, or a signal has come, it is ended
    /// with all that it has started: what it runs may keep its output open. `None` then.
    pub(super) fn output_within(mut self, limit: Duration) -> Result<Option<Output>> {
        use std::os::unix::process::CommandExt;
        self.command
            .process_group(0)
            .env("GIT_TERMINAL_PROMPT", "0");
        let mut child = self.spawn_captured()?;
        let group = i32::try_from(child.id()).ok();
        let group = group.and_then(rustix::process::Pid::from_raw);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let begun = Instant::now();
        let (status, stdout, stderr) = std::thread::scope(|scope| {
            let stdout = scope.spawn(move || read_whole(stdout));
            let stderr = scope.spawn(move || read_whole(stderr));
            let is_over = || begun.elapsed() > limit || signals::has_come();
            let mut status = Ok(None);
            while matches!(status, Ok(None)) && !is_over() {
                std::thread::sleep(Duration::from_millis(2));
                status = child.try_wait();
            }
            if let (Ok(None), Some(group)) = (&status, group) {
                let ended =
                    rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                drop((ended, child.wait()));
            }
            let said =
                |of: std::thread::ScopedJoinHandle<'_, Vec<u8>>| of.join().unwrap_or_default();
            (status, said(stdout), said(stderr))
        });
        let status = status.map_err(|error| Error::git("cannot wait for git").caused_by(error))?;
        Ok(status.map(|status| Output {
            status,
            stdout,
            stderr,
        }))
    }

    /// Runs it with the caller's standard error, and standard output captured but for the lines that
    /// are not `gits`: these go to standard error too. A signal asks it to stop. Returns the exit code,
    /// and what it has said.
    pub(super) fn overheard(mut self, gits: fn(&[u8]) -> bool) -> Result<(Option<i32>, Vec<u8>)> {
        signals::ensure_may_begin()?;
        let _taken = TerminalTaken::begin();
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let child = self.command.spawn();
        let mut child = child.map_err(|error| not_started(&self.command, error))?;
        let stdout = child.stdout.take();
        std::thread::scope(|scope| {
            let said = scope.spawn(move || read_gits(stdout, gits));
            let status = wait(&mut child, &signals::PENDING);
            let said = said.join().unwrap_or_default();
            let failed = |error| Error::git("cannot wait for git").caused_by(error);
            Ok((status.map_err(failed)?.code(), said))
        })
    }

    fn spawn_captured(&mut self) -> Result<Child> {
        if !self.keeps_language {
            self.command.env(UNTRANSLATED.0, UNTRANSLATED.1);
        }
        let stdin = match &self.input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        self.command.stdin(stdin);
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.command.spawn();
        child.map_err(|error| not_started(&self.command, error))
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

    /// Whether it ends with success; its words are passed over.
    pub(super) fn succeeds(self) -> Result<bool> {
        Ok(self.output()?.status.success())
    }

    /// The fields of standard output, a NUL after each.
    pub(super) fn fields(self) -> Result<Vec<BString>> {
        let listed = self.stdout()?;
        let fields = listed.split_str("\0").filter(|field| !field.is_empty());
        Ok(fields.map(BString::from).collect())
    }

    /// The object it names.
    pub fn object_id(self) -> Result<ObjectId> {
        let what = self.describe();
        let id = self.text()?;
        ObjectId::from_hex(id.as_bytes()).map_err(|error| Error::git(what).caused_by(error))
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
        let _taken = TerminalTaken::begin();
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

    /// Becomes this git: same process, same terminal. Returns only where it cannot be started.
    pub(super) fn become_git(mut self) -> Error {
        use std::os::unix::process::CommandExt;
        let _taken = TerminalTaken::begin();
        let failed = self.command.exec();
        not_started(&self.command, failed)
    }

    fn describe(&self) -> String {
        let mut args = self.command.get_args().map(OsStr::to_string_lossy);
        let verb = loop {
            match args.next() {
                Some(option) if option == "-c" => drop(args.next()),
                Some(option) if option.starts_with('-') => {}
                verb => break verb,
            }
        };
        format!("git {}", verb.unwrap_or_default())
    }
}

/// The lines that are `gits`; the others go to standard error as they come.
fn read_gits(stream: Option<impl Read>, gits: fn(&[u8]) -> bool) -> Vec<u8> {
    let mut said = Vec::new();
    let Some(stream) = stream else {
        return said;
    };
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        if gits(&line) {
            said.append(&mut line);
        } else {
            drop(std::io::stderr().write_all(&line));
            line.clear();
        }
    }
    said
}

fn read_whole(stream: Option<impl Read>) -> Vec<u8> {
    let mut said = Vec::new();
    drop(stream.map(|mut stream| stream.read_to_end(&mut said)));
    said
}

/// Waits for the child, and asks it to stop when `interrupt` becomes true.
fn wait(child: &mut Child, interrupt: &AtomicBool) -> std::io::Result<ExitStatus> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupt.load(Ordering::Relaxed) {
            // SIGTERM, not SIGKILL: git removes its lock files and stops its filter processes.
            let process = i32::try_from(child.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(process) = process {
                rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
            }
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Runs a git that writes objects, and again where a gc took the empty directory away that it was
/// about to write to; returns standard output without the final newline. Only git's words tell
/// that; where they may be translated, it is run once more to hear them.
pub fn writing_objects<T>(
    git: impl Fn() -> Invocation,
    end: impl Fn(Invocation) -> Result<T>,
) -> Result<T> {
    for again in 0..4 {
        let mut asked = git();
        asked.keeps_language &= again == 0;
        match end(asked) {
            Err(error)
                if error
                    .to_string()
                    .contains("unable to create temporary file") => {}
            Err(_) if again == 0 && is_translated() => {}
            done => return done,
        }
    }
    end(git())
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
