//! How long a removed lane waits: as long as was promised, whatever a stranger's file or a wrong
//! clock says.

use std::process::Command;

use crate::support::{Run, Sandbox, write};

/// A clock that is off by `SHIFT` seconds for one process; the kernel's own, and so that of files,
/// is right.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    long done = syscall(SYS_clock_gettime, id, now);
    if (id == CLOCK_REALTIME && getenv("SHIFT")) now->tv_sec += atol(getenv("SHIFT"));
    return done;
}
"#;

const DAY: i64 = 86_400;

/// git-lane with a clock that is off.
fn shifted(sandbox: &Sandbox, seconds: i64, args: &[&str]) -> Run {
    let library = sandbox.root().join("clock.so");
    if !library.exists() {
        let source = sandbox.root().join("clock.c");
        std::fs::write(&source, CLOCK).unwrap();
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source);
        sandbox.run(&mut compiler).ok();
    }
    let mut command = sandbox.command("git-lane");
    sandbox.run(
        command
            .args(args)
            .env("LD_PRELOAD", library)
            .env("SHIFT", seconds.to_string()),
    )
}

/// A lane with a commit of its own that is in its base, and an ignored file.
fn landed(sandbox: &Sandbox, name: &str) {
    sandbox.work(name, name, "x");
    sandbox.git(["merge", "-q", "--no-edit", name]);
}

#[test]
fn a_clock_that_is_wrong_at_the_removal_does_not_let_the_lane_expire_minutes_later() {
    // Fifty years, a month; ahead, for which nothing expires either.
    for (started, dropped) in [
        (0, -50 * 365 * DAY),
        (0, -30 * DAY),
        (-50 * 365 * DAY, -50 * 365 * DAY),
        (0, 30 * DAY),
    ] {
        let sandbox = Sandbox::new();
        shifted(&sandbox, started, &["start", "x"]).ok();
        landed(&sandbox, "x");
        shifted(&sandbox, dropped, &["finish", "x"]).ok();
        assert_eq!(sandbox.entry_ids().len(), 1);
        // The clock is right again.
        sandbox.lane(["start", "y"]).ok();
        landed(&sandbox, "y");
        write(
            &sandbox.repo.join(".git/lane/lane.toml"),
            "[trash]\nsize = 1\n",
        );
        sandbox.lane(["finish", "y"]).ok();
        sandbox.lane(["prune", "--yes"]).ok();
        sandbox.lane(["trash", "--expire"]).ok();
        assert_eq!(sandbox.entry_ids().len(), 2, "{started} {dropped}");
        // Its time passes all the same.
        if dropped <= 0 {
            shifted(&sandbox, 15 * DAY, &["trash", "--expire"]).ok();
            assert_eq!(sandbox.entry_ids().len(), 0, "{started} {dropped}");
        }
    }
}

/// The files, what is in force, and how long a lane waits that was removed before the second of two
/// came.
#[test]
fn a_tracked_file_only_ever_lengthens_and_what_was_promised_holds() {
    const TEAM: &str = "lane.toml";
    const CLONE: &str = ".git/lane/lane.toml";
    const USER: &str = "../home/.config/git-lane/lane.toml";
    for (before, after, gone_after) in [
        (vec![], vec![], 14),
        (vec![], vec![(TEAM, "days = 1")], 14),
        (vec![], vec![(TEAM, "days = 30")], 30),
        (vec![(TEAM, "days = 1")], vec![], 14),
        (vec![(TEAM, "days = 30")], vec![], 30),
        (vec![(TEAM, "days = 30")], vec![(TEAM, "days = 20")], 30),
        (vec![(TEAM, "days = 30")], vec![(USER, "days = 3")], 3),
        (vec![(TEAM, "days = 30")], vec![(CLONE, "days = 3")], 3),
        (
            vec![(USER, "days = 3")],
            vec![(TEAM, "days = 1"), (USER, "days = 3")],
            3,
        ),
        (
            vec![(USER, "days = 3")],
            vec![(TEAM, "days = 9"), (USER, "days = 3")],
            9,
        ),
        (vec![(USER, "days = 30")], vec![], 30),
        (
            vec![(CLONE, "days = 3")],
            vec![(TEAM, "days = 9"), (CLONE, "days = 3")],
            3,
        ),
    ] {
        let sandbox = Sandbox::new();
        let lay = |files: &[(&str, &str)]| {
            for file in [TEAM, CLONE, USER] {
                drop(std::fs::remove_file(sandbox.repo.join(file)));
            }
            for (file, text) in files {
                write(&sandbox.repo.join(file), format!("[trash]\n{text}\n"));
            }
        };
        sandbox.lane(["start", "x"]).ok();
        lay(&before);
        sandbox.lane(["drop", "x"]).ok();
        lay(&after);
        for (days, waits) in [(gone_after - 1, 1), (gone_after, 0)] {
            shifted(&sandbox, days * DAY + 60, &["prune", "--yes"]).ok();
            assert_eq!(
                sandbox.entry_ids().len(),
                waits,
                "{before:?} {after:?} after {days} days"
            );
        }
    }
}

#[test]
fn a_tracked_size_makes_no_room() {
    for (before, after, waits) in [
        ("", "[trash]\nsize = 1\n", 1),
        ("[trash]\nsize = 1\n", "[trash]\nsize = 1\n", 1),
        (
            "[trash]\nsize = \"20 GiB\"\n",
            "[trash]\nsize = \"1 B\"\n",
            1,
        ),
        ("own", "own", 0),
    ] {
        let sandbox = Sandbox::new();
        let lay = |text: &str| match text {
            "own" => write(
                &sandbox.repo.join(".git/lane/lane.toml"),
                "[trash]\nsize = 1\n",
            ),
            text => sandbox.write("lane.toml", text),
        };
        sandbox.lane(["start", "x"]).ok();
        lay(before);
        sandbox.lane(["drop", "x"]).ok();
        lay(after);
        shifted(&sandbox, 2 * 3600, &["prune", "--yes"]).ok();
        assert_eq!(sandbox.entry_ids().len(), waits, "{before:?} {after:?}");
    }
}
