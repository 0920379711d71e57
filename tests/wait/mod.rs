//! `git lane wait`: what can be waited for, how the wait ends, and what it says.

mod end;
mod landed;
mod quiet;
mod woken;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::Sandbox;

/// No test waits longer for the end of a wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// A wait that goes on in the background. It ends with the test, whatever comes.
struct Waiting {
    child: Child,
}

/// How it ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Sandbox {
    /// Begins `git lane wait` with `args` in the main worktree; it has looked once and sleeps, or has
    /// ended, when this returns.
    fn waits(&self, args: &[&str]) -> Waiting {
        self.waits_in(&self.repo, args)
    }

    fn waits_in(&self, directory: &Path, args: &[&str]) -> Waiting {
        let mut command = self.command("git-lane");
        command.arg("wait").args(args).current_dir(directory);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut waiting = Waiting {
            child: child.spawn().unwrap(),
        };
        let began = Instant::now();
        while !waiting.sleeps() && !waiting.has_ended() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        waiting
    }

    /// Waits with `args` and expects it to end at once with `code`; standard output.
    #[track_caller]
    fn wait_is(&self, args: &[&str], code: i32) -> String {
        let run = self.lane([&["wait"], args, &["--timeout", "0s"]].concat());
        assert_eq!(run.code, code, "{run}");
        run.stdout
    }

    /// git-lane in the main worktree; must succeed.
    #[track_caller]
    fn does(&self, args: &[&str]) {
        self.lane(args).ok();
    }
}

impl Waiting {
    /// Whether it has its watches and sleeps: a watch is added after the look before it.
    fn sleeps(&self) -> bool {
        let process = format!("/proc/{}", self.child.id());
        let infos = std::fs::read_dir(format!("{process}/fdinfo"));
        let watches = infos.into_iter().flatten().flatten().any(|info| {
            std::fs::read_to_string(info.path()).is_ok_and(|text| text.contains("inotify wd"))
        });
        let state = std::fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        watches && state.contains(") S ")
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    #[track_caller]
    fn goes_on(&mut self) {
        std::thread::sleep(Duration::from_millis(100));
        assert!(!self.has_ended(), "{:?}", self.output());
    }

    fn output(&mut self) -> Ended {
        let read = |from: Option<&mut dyn std::io::Read>| {
            let mut text = String::new();
            from.map(|from| from.read_to_string(&mut text));
            text
        };
        let code = self.child.wait().unwrap().code();
        let stdout = self.child.stdout.as_mut();
        let stdout = read(stdout.map(|pipe| pipe as &mut dyn std::io::Read));
        let stderr = self.child.stderr.as_mut();
        let stderr = read(stderr.map(|pipe| pipe as &mut dyn std::io::Read));
        Ended {
            code,
            stdout,
            stderr,
        }
    }

    /// It must end by itself, with `code`.
    #[track_caller]
    fn ends(mut self, code: i32) -> Ended {
        let asked = Instant::now();
        while !self.has_ended() && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(self.has_ended(), "it waits on");
        let ended = self.output();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        ended
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sandbox with lanes.
fn with_lanes(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.does(&[&["start"], names].concat());
    sandbox
}

/// Each condition: not so, made so while it is waited for, and so at the beginning.
#[test]
fn each_condition_is_heard_of_when_it_comes_and_seen_when_it_is_there() {
    type Make = fn(&Sandbox);
    let mark: [(&str, Make); 4] = [
        ("working", |sandbox| sandbox.does(&["mark", "a", "working"])),
        ("blocked", |sandbox| sandbox.does(&["mark", "a", "blocked"])),
        ("ready", |sandbox| sandbox.does(&["mark", "a", "ready"])),
        ("done", |sandbox| sandbox.does(&["mark", "a", "done"])),
    ];
    let others: [(&str, Make); 3] = [
        ("settled", |sandbox| {
            sandbox.work("a", "new.txt", "new\n");
        }),
        ("landed", |sandbox| sandbox.does(&["finish", "a", "--keep"])),
        ("gone", |sandbox| sandbox.does(&["drop", "a", "--yes"])),
    ];
    let sandbox = with_lanes(&["a"]);
    std::fs::write(sandbox.lane_path("a").join("new.txt"), "new\n").unwrap();
    for (condition, make) in mark.into_iter().chain(others) {
        assert_eq!(sandbox.wait_is(&["a", "--until", condition], 1), "");
        let mut waiting = sandbox.waits(&["a", "--until", condition]);
        waiting.goes_on();
        make(&sandbox);
        let said = format!("a {condition}\n");
        assert_eq!(waiting.ends(0).stdout, said);
        assert_eq!(sandbox.wait_is(&["a", "--until", condition], 0), said);
    }
}

#[test]
fn what_is_settled() {
    let sandbox = with_lanes(&["a"]);
    let lane = sandbox.lane_path("a");
    let settled = |code| drop(sandbox.wait_is(&["a", "--until", "settled"], code));
    settled(0);
    std::fs::write(lane.join("untracked"), "x").unwrap();
    settled(1);
    // Nothing tells of a file: the look from time to time finds it.
    let waiting = sandbox.waits(&["a", "--until", "settled"]);
    std::fs::remove_file(lane.join("untracked")).unwrap();
    waiting.ends(0);
    sandbox.git_in(&lane, ["checkout", "-q", "--detach"]);
    settled(1);
    let waiting = sandbox.waits(&["a", "--until", "settled"]);
    sandbox.git_in(&lane, ["checkout", "-q", "a"]);
    waiting.ends(0);
    sandbox.work("a", "src/app.txt", "a\n");
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("main");
    let _ = sandbox.sh_in(&lane, "git merge -q main").code;
    settled(1);
    let waiting = sandbox.waits(&["a", "--until", "settled"]);
    sandbox.git_in(&lane, ["merge", "--abort"]);
    waiting.ends(0);
    // A directory that is gone is no clean one.
    std::fs::remove_dir_all(&lane).unwrap();
    settled(1);
}

#[test]
fn all_lanes_or_any_of_them_and_any_of_the_conditions() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    sandbox.does(&["mark", "a", "ready"]);
    sandbox.does(&["mark", "b", "blocked"]);
    for (args, code, said) in [
        (&["a", "--until", "ready"][..], 0, "a ready\n"),
        (&["a", "b", "--until", "ready"], 1, "a ready\n"),
        (
            &["a", "b", "--until", "ready,blocked"],
            0,
            "a ready\nb blocked\n",
        ),
        (&["a", "b", "--all", "--until", "ready"], 1, "a ready\n"),
        (&["a", "b", "--any", "--until", "ready"], 0, "a ready\n"),
        (&["b", "c", "--any", "--until", "ready"], 1, ""),
        (&["--any", "--until", "blocked"], 0, "b blocked\n"),
        (&["--until", "ready,blocked"], 1, "a ready\nb blocked\n"),
        // One that is named twice is one.
        (&["a", "a", "--until", "ready"], 0, "a ready\n"),
        // By default, whatever wants the orchestrator's attention.
        (&["a", "b"], 0, "a ready\nb blocked\n"),
        (&["c"], 1, ""),
    ] {
        assert_eq!(sandbox.wait_is(args, code), said, "{args:?}");
    }
}

/// All have to be so at the same time: one that was ready and is not any more is not.
#[test]
fn a_condition_must_hold_when_the_wait_ends() {
    let sandbox = with_lanes(&["a", "b"]);
    let mut waiting = sandbox.waits(&["a", "b", "--until", "ready"]);
    sandbox.does(&["mark", "a", "ready"]);
    waiting.goes_on();
    sandbox.does(&["mark", "a", "working"]);
    sandbox.does(&["mark", "b", "ready"]);
    waiting.goes_on();
    sandbox.does(&["mark", "a", "ready"]);
    assert_eq!(waiting.ends(0).stdout, "a ready\nb ready\n");
}

#[test]
fn a_lane_is_the_one_it_was_at_the_beginning() {
    let sandbox = with_lanes(&["a"]);
    let lane = sandbox.lane_path("a");
    // Inside a lane it is that one.
    let inside = sandbox.waits_in(&lane, &["--until", "ready"]);
    let to_the_end = sandbox.waits_in(&lane, &["--until", "gone"]);
    let other = sandbox.waits(&["a", "--until", "blocked,gone"]);
    sandbox.does(&["start", "b"]);
    sandbox.does(&["mark", "a", "ready"]);
    assert_eq!(inside.ends(0).stdout, "a ready\n");
    // Another lane of the name is another lane, and be it blocked.
    sandbox.does(&["drop", "a", "--yes"]);
    sandbox.does(&["start", "a"]);
    sandbox.does(&["mark", "a", "blocked"]);
    assert_eq!(other.ends(0).stdout, "a gone\n");
    // It does not stand in the way of what it waits for.
    assert_eq!(to_the_end.ends(0).stdout, "a gone\n");
    // The name means the new one from now on, and what has come about before is seen of the old one.
    assert_eq!(sandbox.wait_is(&["a", "--until", "gone"], 1), "");
    sandbox.does(&["drop", "b", "--yes"]);
    assert_eq!(sandbox.wait_is(&["b", "--until", "gone"], 0), "b gone\n");
    let error = sandbox.lane(["wait", "bb"]).fails(1);
    assert!(error.contains("there is no lane 'bb'"), "{error}");
}

#[test]
fn where_there_is_no_lane_all_of_none_are_so_and_none_of_them() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.wait_is(&["--until", "ready"], 0), "");
    let error = sandbox.lane(["wait", "--any"]).fails(1);
    assert!(
        error.contains("no lane that could be waited for"),
        "{error}"
    );
}
