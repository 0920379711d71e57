//! Running a command line of the user's: how it ends, what it leaves, and what becomes of it when
//! git-lane is interrupted or killed.

mod ends;
mod interrupted;
mod leftovers;
mod orphans;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use git_lane::internals::{
    CappedLog, CommandRun, Ended, Outcome, Program, Result, Stdin, Waiting, end_left_group,
    run_command,
};

use crate::support::{directory_in, place, wait_until};

/// A directory with a log, a file for standard input and a place for a record.
struct Site(tempfile::TempDir);

impl Site {
    fn new() -> Self {
        let site = Site(directory_in(place()).unwrap());
        File::create_new(site.path("slot")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// The number that a command wrote into a file.
    fn number(&self, name: &str) -> i32 {
        wait_until(|| self.text(name).ends_with('\n'));
        self.text(name).trim().parse().unwrap()
    }

    fn slot(&self) -> File {
        File::options().read(true).open(self.path("slot")).unwrap()
    }

    /// Runs a command line here.
    fn run(&self, line: &str) -> Outcome {
        self.try_run(line, |_| {}).unwrap()
    }

    fn run_within(&self, limit: Duration, line: &str) -> Outcome {
        let limited = |run: &mut CommandRun<'_>| run.time_limit = Some(limit);
        self.try_run(line, limited).unwrap()
    }

    fn try_run(&self, line: &str, set: impl FnOnce(&mut CommandRun<'_>)) -> Result<Outcome> {
        let (path, slot, record) = (self.path("log"), self.slot(), self.path("record"));
        let mut log = CappedLog::new(File::create(&path).unwrap(), &path);
        let mut run = CommandRun {
            program: Program::Line(line),
            directory: self.0.path(),
            environment: &[],
            without: &[],
            stdin: Stdin::File(&slot),
            log: &mut log,
            live: None,
            tick: None,
            time_limit: None,
            stop: None,
            group_record: Some(&record),
        };
        set(&mut run);
        let outcome = run_command(run)?;
        assert!(!record.exists(), "{line}");
        log.close()?;
        Ok(outcome)
    }

    /// Another process that runs a command line here, as git-lane would.
    fn start_another(&self, line: &str, set: impl FnOnce(&mut Command)) -> Another {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "command_run::another_process", "--ignored"])
            .env("GIT_LANE_TEST_SITE", self.0.path())
            .env("GIT_LANE_TEST_LINE", line)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        set(&mut command);
        Another(command.spawn().unwrap())
    }
}

/// A test that fails leaves no command running.
impl Drop for Site {
    fn drop(&mut self) {
        drop(end_left_group(&self.path("record"), None));
    }
}

/// A process that runs a command.
struct Another(Child);

impl Another {
    fn signal(&self, name: &str) {
        signal(name, self.0.id().cast_signed());
    }

    /// How it ended, as a shell says it, and how long that took.
    fn ended(mut self) -> (i32, Duration) {
        use std::os::unix::process::ExitStatusExt;
        let started = Instant::now();
        let status = self.0.wait().unwrap();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        (code.unwrap(), started.elapsed())
    }
}

impl Drop for Another {
    fn drop(&mut self) {
        drop(self.0.kill().and_then(|()| self.0.wait()));
    }
}

/// No test, but the other process of those here; says what came of it in a file.
#[test]
#[ignore = "the other process of other tests"]
fn another_process() {
    let Some(site) = std::env::var_os("GIT_LANE_TEST_SITE").map(PathBuf::from) else {
        return;
    };
    if std::env::var_os("GIT_LANE_RUN").is_some() {
        return orphans::end_own_group(&site);
    }
    let line = std::env::var("GIT_LANE_TEST_LINE").unwrap();
    let path = site.join("log");
    let mut log = CappedLog::new(File::create(&path).unwrap(), &path);
    let slot = File::open(site.join("slot")).unwrap();
    slot.lock().unwrap();
    let _waiting = Waiting::begin();
    let outcome = run_command(CommandRun {
        program: Program::Line(&line),
        directory: &site,
        environment: &[("GIVEN".into(), "given".into())],
        without: &[],
        stdin: Stdin::File(&slot),
        log: &mut log,
        live: None,
        tick: None,
        time_limit: None,
        stop: None,
        group_record: Some(&site.join("record")),
    });
    log.close().unwrap();
    let said = format!("{:?}\n{}", outcome.unwrap().ended, most_memory());
    std::fs::write(site.join("outcome"), said).unwrap();
}

/// What this process had at most, in KiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.map_or(0, |most| {
        most.trim().trim_end_matches(" kB").parse().unwrap()
    })
}

fn signal(name: &str, process: i32) {
    let mut kill = Command::new("kill");
    let arguments = [format!("-{name}"), "--".into(), process.to_string()];
    let _ = kill.args(arguments).stderr(Stdio::null()).status();
}

/// Whether a process has not ended.
fn lives(process: i32) -> bool {
    let mut ps = Command::new("ps");
    let said = ps.args(["-o", "stat=", "-p", &process.to_string()]);
    let state = said.output().unwrap().stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

fn has_proc() -> bool {
    Path::new("/proc/self/environ").exists()
}

const fn exit(code: i32) -> Ended {
    Ended::Exit(code)
}
