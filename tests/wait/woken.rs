//! What wakes a wait: marks, plain git, a log that is rotated, a configuration that is replaced,
//! many at once, and what dies beside it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Waiting, with_lanes};
use crate::support::Sandbox;

/// Long before the next look from time to time, and long enough on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(700);

/// The shortest time of some from `make` to the end of a wait.
fn reaction(mut begin: impl FnMut() -> Waiting, mut make: impl FnMut()) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let waiting = begin();
        make();
        let made = Instant::now();
        waiting.ends(0);
        shortest = shortest.min(made.elapsed());
        if shortest < AT_ONCE {
            break;
        }
    }
    shortest
}

#[test]
fn it_hears_of_each_change_at_once() {
    let sandbox = with_lanes(&["a"]);
    let lane = sandbox.lane_path("a");
    let number = std::cell::Cell::new(0);
    let commit = || {
        number.set(number.get() + 1);
        let file = format!("{}.txt", number.get());
        sandbox.work("a", &file, "x\n");
    };
    let mark = |word: &'static str| sandbox.does(&["mark", "a", word]);
    let dirty = || {
        number.set(number.get() + 1);
        let file = format!("{}.txt", number.get());
        std::fs::write(lane.join(file), "x\n").unwrap();
        sandbox.git_in(&lane, ["add", "."]);
    };
    let on = |until: &'static str| sandbox.waits(&["a", "--until", until]);
    // git-lane marks, git-config marks, git commits, git merges.
    let found = [
        reaction(|| (mark("working"), on("ready")).1, || mark("ready")),
        reaction(
            || (mark("working"), on("ready")).1,
            || drop(sandbox.git(["config", "lane.a.status", "ready"])),
        ),
        reaction(
            || (dirty(), on("settled")).1,
            || drop(sandbox.git_in(&lane, ["commit", "-q", "-m", "x"])),
        ),
        reaction(
            || (commit(), on("landed")).1,
            || drop(sandbox.git(["merge", "-q", "a"])),
        ),
        reaction(
            || (commit(), on("landed")).1,
            || sandbox.does(&["finish", "a", "--keep"]),
        ),
    ];
    assert!(found.iter().all(|time| *time < AT_ONCE), "{found:?}");
}

/// The log is renamed away while it is read, and git renames a new configuration into its place.
#[test]
fn a_log_that_is_rotated_and_a_configuration_that_is_replaced() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.work("a", "a.txt", "a\n");
    let landed = sandbox.waits(&["a", "--until", "landed"]);
    let ready = sandbox.waits(&["b", "--until", "ready"]);
    let log = sandbox.repo.join(".git/lane/events.jsonl");
    for round in 0..3 {
        // The next event finds the file too large.
        let mut text = vec![b'\n'; 1 << 20];
        text.extend(std::fs::read(&log).unwrap());
        std::fs::write(&log, text).unwrap();
        sandbox.does(&["mark", "b", ["working", "blocked"][round % 2]]);
        sandbox.git(["config", "some.key", &round.to_string()]);
    }
    assert!(log.with_file_name("events.3.jsonl").exists());
    sandbox.lane(["finish", "a", "--gate", "false"]).fails(6);
    landed.ends(6);
    sandbox.does(&["mark", "b", "ready"]);
    ready.ends(0);
}

#[test]
fn one_mark_wakes_fifty() {
    let sandbox = with_lanes(&["a"]);
    let mut waiting: Vec<Waiting> = (0..50)
        .map(|number| {
            let until = ["ready", "ready,gone", "ready,landed"][number % 3];
            sandbox.waits(&["a", "--until", until])
        })
        .collect();
    let mut killed = waiting.split_off(45);
    // One that is killed leaves nothing, and no other notices.
    for one in &mut killed {
        one.child.kill().unwrap();
        one.child.wait().unwrap();
    }
    sandbox.does(&["mark", "a", "ready"]);
    for one in waiting {
        assert_eq!(one.ends(0).stdout, "a ready\n");
    }
    sandbox.does(&["drop", "a", "--yes"]);
}

/// A landing that died has landed where the base has it. A removal that died half-way has not told
/// what became of the lane; the next command heals it, and the wait hears of that.
#[test]
fn a_git_lane_that_was_killed() {
    let at_work = || {
        let sandbox = with_lanes(&["a"]);
        sandbox.work("a", "a.txt", "a\n");
        sandbox
    };
    let dies = |sandbox: &Sandbox, args: &[&str], step: &str| {
        let mut command = sandbox.command("git-lane");
        command.args(args).env("GIT_LANE_TEST_DIE_AT", step);
        assert_ne!(sandbox.run(&mut command).code, 0, "{args:?} {step}");
    };
    let sandbox = at_work();
    let landed = sandbox.waits(&["a", "--until", "landed"]);
    dies(&sandbox, &["finish", "a"], "land.ref");
    landed.ends(0);
    let sandbox = at_work();
    let gone = sandbox.waits(&["a", "--until", "gone"]);
    let mut landed = sandbox.waits(&["a", "--until", "landed"]);
    dies(&sandbox, &["drop", "a", "--yes"], "retire.forgotten");
    gone.ends(0);
    landed.goes_on();
    sandbox.does(&["start", "b"]);
    let ended = landed.ends(1);
    assert!(ended.stderr.contains("it was dropped"), "{ended:?}");
}

/// A signal ends it, and the shell sees by which.
#[test]
fn a_signal_ends_it() {
    use std::os::unix::process::ExitStatusExt;
    let sandbox = with_lanes(&["a"]);
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let mut waiting = sandbox.waits(&["a", "--until", "ready"]);
        let pid = waiting.child.id().to_string();
        sandbox.sh(&format!("kill -{name} {pid}")).ok();
        let status = waiting.child.wait().unwrap();
        assert_eq!(status.signal(), Some(number));
    }
    // Where no reader is left for what it says, it ends as before.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = sandbox.command("git-lane");
    command.args(["wait", "a", "--until", "settled"]);
    let status = command.stdout(writer).stderr(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(0));
}
