//! Many processes at once. The ordinary suite runs one quick round of each race; this runs fifty
//! processes by ten rounds of each, plain git's way of doing the same beside it, and prints a
//! table:
//!
//! ```sh
//! GIT_LANE_TEST_LONG=1 cargo test --test suite concurrency -- --nocapture --test-threads=1
//! ```

mod claims;
mod gate_races;
mod landings;
mod moves;
mod random;
mod relocations;
mod starts;
mod syncs;
mod tries;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, checked_document, long, rounds};

fn processes() -> usize {
    if long() { 50 } else { 14 }
}

fn times() -> usize {
    rounds(1, 10) as usize
}

/// The names of `count` lanes.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("lane-{number}")).collect()
}

/// How one of the processes ended.
#[derive(Debug)]
#[allow(dead_code, reason = "shown when a test fails")]
struct Ended {
    args: Vec<String>,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn ok(&self) -> bool {
        self.code == Some(0)
    }

    fn json(&self) -> serde_json::Value {
        let verb = self.args.iter().skip(1).find(|arg| !arg.starts_with('-'));
        checked_document(verb.map_or("list", String::as_str), &self.stdout)
    }
}

impl Sandbox {
    /// Starts all `commands` behind a barrier, opens it, and waits for all of them.
    fn together<S: AsRef<str>>(&self, commands: &[Vec<S>]) -> Vec<Ended> {
        self.together_after(commands, || {})
    }

    /// Like [`Sandbox::together`]; `opened` runs once the barrier is open.
    fn together_after<S: AsRef<str>>(
        &self,
        commands: &[Vec<S>],
        opened: impl FnOnce(),
    ) -> Vec<Ended> {
        // Everybody waits for the end of one file, which is there for all when its writer is
        // dropped.
        let (reader, writer) = std::io::pipe().unwrap();
        let children: Vec<(Vec<String>, Child)> = commands
            .iter()
            .map(|args| {
                let args: Vec<String> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
                let mut command = self.command("sh");
                command
                    .args(["-c", r#"read -r _; exec "$@""#, "sh"])
                    .args(&args)
                    .stdin(reader.try_clone().unwrap());
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                let child = command.spawn().unwrap();
                (args, child)
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        drop(writer);
        opened();
        let ended = |(args, child): (Vec<String>, Child)| {
            let output = child.wait_with_output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
            assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
            Ended {
                args,
                code: output.status.code(),
                stdout,
                stderr,
            }
        };
        children.into_iter().map(ended).collect()
    }

    /// Runs `work` while each of `loops` runs again and again; returns what it returns, how often
    /// they ran, and those that failed.
    fn beside<T>(&self, loops: &[&[&str]], work: impl FnOnce() -> T) -> (T, usize, Vec<Ended>) {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stop = &stop;
            let turn = move |args: &[&str]| {
                let (mut ran, mut failed) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let output = self.command(args[0]).args(&args[1..]).output().unwrap();
                    ran += 1;
                    if !output.status.success() {
                        failed.push(Ended {
                            args: args.iter().map(ToString::to_string).collect(),
                            code: output.status.code(),
                            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                        });
                    }
                    std::thread::sleep(Duration::from_millis(if long() { 0 } else { 5 }));
                }
                (ran, failed)
            };
            let turning: Vec<_> = loops
                .iter()
                .map(|args| scope.spawn(move || turn(args)))
                .collect();
            // A failing assertion must not leave the loops turning for ever.
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            stop.store(true, Ordering::Relaxed);
            let (mut ran, mut failed) = (0, Vec::new());
            for turned in turning {
                let (times, failures) = turned.join().unwrap();
                ran += times;
                failed.extend(failures);
            }
            (
                worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                ran,
                failed,
            )
        })
    }

    /// The lane's worktree is whole: on its branch, clean.
    #[track_caller]
    fn whole(&self, lane: &str) {
        let path = self.lane_path(lane);
        assert_eq!(
            self.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
            lane
        );
        assert_eq!(self.git_in(&path, ["status", "--porcelain"]), "", "{lane}");
    }

    /// `git fsck` finds nothing, nothing is under way, and the trash has so many entries.
    #[track_caller]
    fn at_rest(&self, entries: usize) {
        self.git(["fsck", "--strict", "--no-progress"]);
        self.nothing_left_behind(entries);
    }
}

/// All must have done what they were asked for.
#[track_caller]
fn all_ok(ended: &[Ended]) {
    let failed: Vec<&Ended> = ended.iter().filter(|ended| !ended.ok()).collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed: {failed:#?}",
        failed.len(),
        ended.len()
    );
}

/// One line of the table of the long runs: how often git-lane failed, how often plain git did, and
/// what else was seen.
fn tell(
    scenario: &str,
    processes: usize,
    failures: usize,
    by_git: impl std::fmt::Display,
    more: &str,
) {
    static HEADER: std::sync::Once = std::sync::Once::new();
    if long() {
        HEADER.call_once(|| {
            eprintln!(
                "\n| scenario | processes x rounds | git-lane failed | git failed | |\n|-|-|-|-|-|"
            )
        });
        eprintln!(
            "| {scenario} | {processes} x {} | {failures} | {by_git} | {more} |",
            times()
        );
    }
}

/// How many of them did not do what they were asked for.
fn failures(ended: &[Ended]) -> usize {
    ended.iter().filter(|ended| !ended.ok()).count()
}

/// How long something takes.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

/// A command whose output no test reads.
fn quietly(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
