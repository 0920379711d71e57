//! Every command that takes more than one step, stopped at every one of them: afterwards plain git
//! works, and the same command again ends well.
//!
//! The quick loops stop at the named steps of a debug build (`store::journal::step`) and are part
//! of every run. The thorough ones stop at every file-changing system call of the command and its
//! children, on Linux with a C compiler:
//!
//! ```sh
//! GIT_LANE_TEST_CRASH=all cargo test --test suite crash -- --ignored --nocapture
//! ```
//!
//! Instead of `all`, parts of a command's name and a fault's pick some of them: `drop,kill-one`,
//! `finish,!nowhere`. With `GIT_LANE_TEST_STRIDE=7` only every seventh call is struck.

mod claimed;
mod fanned;
mod gated;
mod moving;
mod pushed;
mod relocated;
mod resolving;
mod scenarios;
mod situations;
mod strike;
mod synced;
mod tried;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Run, Sandbox, die_at, long, write};
use scenarios::Scenario;

/// What a command may change: repository, lanes, and the user's own files, with receipts and the
/// gate's worktree among them.
const PARTS: [&str; 4] = ["shop", "shop.lanes", "home", "by-hand"];

/// A sandbox that can be put back to where the command has not run yet.
struct Stage {
    sandbox: Sandbox,
    scenario: &'static Scenario,
    /// What the scenario wants to compare with.
    before: String,
}

impl Stage {
    fn new(scenario: &'static Scenario) -> Self {
        let sandbox = Sandbox::new();
        let before = (scenario.prepare)(&sandbox);
        let stage = Stage {
            sandbox,
            scenario,
            before,
        };
        std::fs::create_dir(stage.saved()).unwrap();
        stage.copy(
            PARTS.map(|name| stage.sandbox.root().join(name)),
            stage.saved(),
        );
        stage
    }

    fn saved(&self) -> PathBuf {
        self.sandbox.root().join("saved")
    }

    fn copy(&self, from: [PathBuf; PARTS.len()], to: PathBuf) {
        let mut copy = Command::new("cp");
        copy.arg("-a")
            .args(from.iter().filter(|path| path.exists()))
            .arg(to);
        self.sandbox.run(&mut copy).ok();
    }

    /// As before the command.
    fn reset(&self) {
        let root = self.sandbox.root();
        for name in PARTS {
            match std::fs::remove_dir_all(root.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
        self.copy(PARTS.map(|name| self.saved().join(name)), root);
    }

    /// What must hold before anything else is done.
    fn check_before(&self) {
        self.sandbox.plain_git_works();
        (self.scenario.halfway)(&self.sandbox);
    }

    /// The same command again, and what must hold then.
    fn check_after(&self, stopped: &Run) {
        // One that succeeded although it could not tidy up leaves that to whatever command comes
        // next.
        let next: &[&str] = if stopped.code == 0 {
            &["trash", "--expire"]
        } else {
            self.scenario.args
        };
        let said = self.sandbox.lane(next).to_string();
        assert!(!said.contains("panicked"), "{said}");
        let whole = catch_unwind(AssertUnwindSafe(|| {
            self.sandbox.plain_git_works();
            (self.scenario.whole)(&self.sandbox, &self.before);
        }));
        if let Err(reason) = whole {
            panic!("{}\n{said}", text(&*reason));
        }
    }
}

/// What a failed assertion said.
fn text(reason: &(dyn std::any::Any + Send)) -> String {
    let owned = reason.downcast_ref::<String>().cloned();
    owned
        .or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}

/// A lock whose witness no process holds is ours and dead; one without a witness may be a living
/// git's.
#[test]
fn dead_locks_of_ours_are_cleared_and_foreign_ones_stay() {
    let sandbox = Sandbox::new();
    let git_dir = sandbox.repo.join(".git");
    sandbox.git(["branch", "a/b"]);
    let locks = [
        "refs/heads/a/b.lock",
        "refs/heads/new.lock",
        "packed-refs.lock",
        "HEAD.lock",
        "index.lock",
        "config.lock",
    ];
    for (number, lock) in locks.iter().enumerate() {
        let witness = git_dir.join("lane/locks").join(number.to_string());
        write(&witness, "");
        std::fs::hard_link(witness, git_dir.join(lock)).unwrap();
    }
    let foreign = git_dir.join("refs/heads/foreign.lock");
    write(&foreign, "");
    sandbox.lane(["start", "login"]).ok();
    for lock in locks {
        assert!(!git_dir.join(lock).exists(), "{lock}");
    }
    assert_eq!(
        std::fs::read_dir(git_dir.join("lane/locks"))
            .unwrap()
            .count(),
        0
    );
    assert!(foreign.exists());
    sandbox.git(["commit", "-q", "--allow-empty", "-m", "works"]);
}

/// Dies at every named step in turn.
fn die_at_every_step(name: &str, least: usize) {
    let stage = Stage::new(scenarios::find(name));
    // Those that share most of their steps with others take every third, another one in each run.
    let stride = match name.contains("gated") || name.starts_with("undo") {
        true if !long() => 3,
        _ => 1,
    };
    let first = 1 + std::process::id() as usize % stride;
    for step in (first..).step_by(stride) {
        stage.reset();
        let mut dying = stage.sandbox.command("git-lane");
        dying
            .args(stage.scenario.args)
            .env("GIT_LANE_TEST_DIE_AT", step.to_string());
        let run = stage.sandbox.run(&mut dying);
        if run.code == stage.scenario.ends {
            assert!(step > least, "{name}: only {step} steps");
            return stage.check_after(&run);
        }
        assert_eq!(run.code, 137, "{run}");
        let held = catch_unwind(AssertUnwindSafe(|| {
            stage.check_before();
            stage.check_after(&run);
        }));
        if let Err(reason) = held {
            panic!("{name}, step {step}: {run}{}", text(&*reason));
        }
    }
}

/// Is asked to end at every named step in turn: nothing is left for the next command, whether it
/// was done or not.
fn end_at_every_step(name: &str, least: usize) {
    let stage = Stage::new(scenarios::find(name));
    let mut ended = 0;
    for step in 1.. {
        stage.reset();
        let mut ending = stage.sandbox.command("git-lane");
        ending
            .args(stage.scenario.args)
            .env("GIT_LANE_TEST_DIE_ASKED", "1");
        let run = stage.sandbox.run(die_at(&mut ending, step));
        let held = catch_unwind(AssertUnwindSafe(|| {
            stage.sandbox.nothing_under_way();
            stage.check_before();
        }));
        if let Err(reason) = held {
            panic!("{name}, step {step}: {run}{}", text(&*reason));
        }
        ended += usize::from(run.code == 128 + 15);
        if !run.stderr.contains("died at ") {
            // What takes one step, or none that is told, ends at none.
            assert!(
                run.code == stage.scenario.ends && ended >= least,
                "{name}: ended at {ended} of {step} steps: {run}"
            );
            return stage.check_after(&run);
        }
    }
}

#[test]
fn a_signal_leaves_nothing() {
    for (name, least) in [
        ("start", 10),
        ("start --from --atomic", 20),
        ("start --move", 25),
        ("start --move --keep", 15),
        ("finish merge", 20),
        ("finish --on-conflict, given up", 8),
        ("drop", 12),
        ("restore", 12),
        ("sync merge", 15),
        ("sync rebase", 15),
        ("rename", 8),
        ("exec", 0),
        ("try --back --to-lane", 20),
    ] {
        end_at_every_step(name, least);
    }
}

#[test]
#[ignore = "all of them take minutes"]
fn a_signal_leaves_nothing_of_any() {
    for scenario in scenarios::all() {
        end_at_every_step(scenario.name, 0);
    }
}

macro_rules! at_every_step {
    ($($test:ident $name:literal $least:literal;)*) => {
        $(#[test]
        fn $test() {
            die_at_every_step($name, $least);
        })*
    };
}

at_every_step! {
    claim "claim" 3;
    claim_for_a_time "claim for a time" 3;
    claim_next "claim next" 3;
    claim_over "claim over" 3;
    release "release" 1;
    mark "mark" 1;
    adopt "adopt" 0;
    drop_of_an_adopted_lane "drop adopted" 0;
    start_of_an_ephemeral_lane "start --ephemeral" 10;
    exec "exec" 0;
    start "start" 12;
    start_filtered "start filtered" 12;
    start_by_git "start by git" 8;
    start_from "start --from" 25;
    start_from_all_or_none "start --from --atomic" 25;
    start_from_filtered "start --from, filtered" 25;
    start_with_a_claim "start --claim" 12;
    start_with_work "start --move" 30;
    start_with_work_filtered "start --move, filtered" 30;
    start_with_work_by_git "start --move by git" 25;
    start_with_a_copy_of_work "start --move --keep" 15;
    finish_merge "finish merge" 25;
    finish_removing "finish removing" 30;
    finish_in_place "finish in place" 25;
    finish_squash "finish squash" 25;
    finish_rebase "finish rebase" 25;
    finish_ff "finish ff" 25;
    finish_merge_elsewhere "finish merge, base nowhere" 20;
    finish_squash_elsewhere "finish squash, base nowhere" 20;
    finish_rebase_elsewhere "finish rebase, base nowhere" 20;
    finish_ff_elsewhere "finish ff, base nowhere" 20;
    finish_pushed "finish --push" 30;
    finish_pushed_ff "finish --push ff" 30;
    finish_pushed_elsewhere "finish --push, base nowhere" 25;
    finish_pushed_behind_a_gate "gated finish --push" 35;
    finish_with_a_resolver "finish --on-conflict" 30;
    finish_with_a_resolver_that_fails "finish --on-conflict, given up" 10;
    drop_with_work "drop" 15;
    drop_of_a_packed_branch "drop packed" 15;
    drop_with_a_hook "drop hooked" 12;
    restore "restore" 15;
    prune "prune" 15;
    undo_of_a_landing "undo landing" 30;
    undo_in_place "undo in place" 25;
    undo_of_a_landing_elsewhere "undo landing, base nowhere" 20;
    undo_by_a_revert "undo --revert" 15;
    undo_of_a_drop "undo drop" 15;
    undo_of_a_prune "undo prune" 15;
    undo_of_a_start "undo start" 12;
    undo_of_a_restore "undo restore" 12;
    undo_of_a_start_with_work "undo start --move" 18;
    gated_merge "gated merge" 30;
    gated_squash "gated squash" 30;
    gated_merge_elsewhere "gated merge, base nowhere" 25;
    gated_squash_elsewhere "gated squash, base nowhere" 25;
    gated_pair "gated pair" 40;
    gated_pair_of_which_one_fails "gated pair, one fails" 30;
    check_with_the_gate "check gated" 3;
    undo_with_a_gate "undo gated" 25;
    undo_of_a_pair "undo pair" 30;
    undo_by_a_tested_revert "undo --revert gated" 15;
    rename "rename" 15;
    rename_into_a_directory_of_refs "rename into a directory of refs" 15;
    rename_of_a_branch_that_no_head_is_on
        "rename into a directory of refs of a branch that no HEAD is on" 8;
    rename_of_a_packed_branch "rename of a packed branch" 15;
    rename_with_relative_links "rename with relative links" 15;
    move_of_a_lane "move" 8;
    undo_of_a_rename "undo rename" 15;
    base "base" 2;
    sync_merge "sync merge" 20;
    sync_rebase "sync rebase" 20;
    sync_forward "sync forward" 15;
    sync_in_place "sync in place" 20;
    sync_rebase_in_place "sync rebase in place" 20;
    sync_of_a_stack "sync a stack" 40;
    sync_with_a_fetch "sync --fetch" 30;
    sync_that_conflicts "sync conflict" 0;
    start_with_a_fetch "start --fetch" 25;
    try_a_lane "try" 10;
    try_another_lane "try another" 20;
    try_back "try --back" 8;
    try_back_to_a_branch_that_moved "try --back, moved on" 8;
    try_back_to_the_lane "try --back --to-lane" 20;
    undo_of_a_try "undo try" 10;
    init "init" 1;
    doctor_fix "doctor --fix" 1;
}
