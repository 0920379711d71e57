//! Many landings behind a gate at once, leaders and followers killed at any moment, beside commits on
//! the base, starts, drops and `git gc`.
//!
//! `GIT_LANE_TEST_SEED` repeats a run's choices, though never the moments they meet in.

use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{names, quietly, tell, times};
use crate::support::{Dice, Sandbox, long, script};

/// The lane that no gate lets through.
const BAD: &str = "bad";

/// No process takes as long, killed ones aside.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often one lane's process is killed, at most.
const KILLS: usize = 2;

/// Lanes with one commit each, and a gate outside of the repository.
fn prepare(lanes: &[String]) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    // The sandbox's clock stands still, years ago.
    for setting in ["gc.reflogExpire", "gc.reflogExpireUnreachable"] {
        sandbox.git(["config", setting, "never"]);
    }
    sandbox.git(["config", "gc.auto", "0"]);
    let start = std::iter::once("start").chain(lanes.iter().map(String::as_str));
    sandbox.lane(start).ok();
    for lane in lanes {
        sandbox.work(lane, &format!("src/{lane}.txt"), lane);
    }
    let gate = sandbox.root().join("gate");
    let runs = sandbox.root().join("home/runs");
    let text = format!(
        "#!/bin/sh\necho run >>'{}'\nsleep 0.3\ntest ! -e src/{BAD}.txt\n",
        runs.display()
    );
    script(&gate, text);
    (sandbox, gate.to_str().unwrap().to_owned())
}

/// What the processes of one round share.
struct Round<'a> {
    sandbox: &'a Sandbox,
    gate: &'a str,
    kills: AtomicUsize,
    ended: AtomicBool,
}

impl Round<'_> {
    /// Lands a lane, again after each death, as a user would. Returns the exit code of the last
    /// process, and what it said.
    fn land(&self, lane: &str, dice: &mut Dice) -> (Option<i32>, String) {
        let mut said = String::new();
        for attempt in 0..30 {
            let mut command = self.sandbox.command("git-lane");
            command.args(["finish", lane, "--gate", self.gate, "--json"]);
            let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = child.spawn().unwrap();
            if attempt < KILLS && dice.roll(2) == 0 {
                let moment = dice.roll(if attempt == 0 { 1_500 } else { 700 });
                std::thread::sleep(Duration::from_millis(moment as u64));
                if child.try_wait().unwrap().is_none() {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    self.kills.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
            }
            let status = wait(&mut child, lane);
            let output = child.wait_with_output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            said = text(&output.stdout) + &text(&output.stderr);
            assert!(!said.contains("panicked"), "{lane}: {said}");
            // The base may have moved all the time.
            if !said.contains("\"raced\"") {
                return (status.code(), said);
            }
        }
        (None, said)
    }

    /// Does `act` again and again until all have landed.
    fn meanwhile(&self, pause: u64, mut act: impl FnMut(usize)) {
        for turn in 0.. {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            act(turn);
            std::thread::sleep(Duration::from_millis(pause));
        }
    }

    /// A git that commits on the checked out base; a lock in its way makes it fail.
    fn commit(&self, turn: usize) {
        // A base that never stands still has every gate run in vain.
        if turn < 4 {
            let file = format!("of-git-{turn}");
            self.sandbox.write(&file, "by git\n");
            for args in [&["add", &file][..], &["commit", "-q", "-m", "by git"]] {
                quietly(self.sandbox.command("git").args(args));
            }
        }
    }

    fn come_and_go(&self, turn: usize) {
        let lane = format!("short-{turn}");
        self.sandbox.lane(["start", &lane]).ok();
        self.sandbox.lane(["drop", &lane, "--yes"]).ok();
    }
}

/// Waits for a process to end, and does not wait for ever.
fn wait(child: &mut Child, lane: &str) -> ExitStatus {
    let start = Instant::now();
    // Both of its outputs fit into their pipes.
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > PATIENCE {
            drop(child.kill());
            panic!("the landing of {lane} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_death_lets_a_lane_get_lost_or_land_twice_or_untested() {
    let count = if long() { 30 } else { 8 };
    let given = std::env::var("GIT_LANE_TEST_SEED").ok();
    let given = given.and_then(|seed| seed.parse().ok());
    let clock = || {
        std::time::UNIX_EPOCH
            .elapsed()
            .map_or(1, |now| now.as_millis() as u64)
    };
    let (seed, mut kills, mut runs) = (given.unwrap_or_else(clock), 0, 0);
    for round in 0..times() {
        let seed = seed.wrapping_add(round as u64);
        // Shown when the test fails.
        println!("GIT_LANE_TEST_SEED={seed}");
        let mut lanes = names(count);
        lanes.push(BAD.into());
        let (sandbox, gate) = prepare(&lanes);
        let tips: Vec<String> = lanes
            .iter()
            .map(|lane| sandbox.git(["rev-parse", lane]))
            .collect();
        let round = Round {
            sandbox: &sandbox,
            gate: &gate,
            kills: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        };
        let verdicts = land_all(&round, &lanes, seed);
        kills += round.kills.load(Ordering::Relaxed);
        check(&sandbox, &lanes, &tips, &verdicts);
        let told = std::fs::read_to_string(sandbox.root().join("home/runs"));
        runs += told.unwrap_or_default().lines().count();
    }
    let more = format!("{kills} killed, {runs} gate runs, no move to an untested tree");
    tell(
        "finish behind a gate, killed at random",
        count + 1,
        0,
        "-",
        &more,
    );
}

/// How the last process of each lane ended.
fn land_all(round: &Round<'_>, lanes: &[String], seed: u64) -> Vec<(Option<i32>, String)> {
    std::thread::scope(|scope| {
        scope.spawn(|| round.meanwhile(700, |turn| round.commit(turn)));
        scope.spawn(|| round.meanwhile(400, |turn| round.come_and_go(turn)));
        scope.spawn(|| {
            let collect = ["gc", "-q", "--prune=now"];
            round.meanwhile(400, |_| {
                quietly(round.sandbox.command("git").args(collect));
            });
        });
        let landing: Vec<_> = lanes
            .iter()
            .enumerate()
            .map(|(number, lane)| {
                let mut dice = Dice::new(seed ^ ((number as u64) << 32));
                scope.spawn(move || round.land(lane, &mut dice))
            })
            .collect();
        let joined: Vec<_> = landing.into_iter().map(|thread| thread.join()).collect();
        // A failing one must not leave the others turning for ever.
        round.ended.store(true, Ordering::Relaxed);
        joined.into_iter().map(|ended| ended.unwrap()).collect()
    })
}

fn check(sandbox: &Sandbox, lanes: &[String], tips: &[String], verdicts: &[(Option<i32>, String)]) {
    sandbox.plain_git_works();
    sandbox.lane(["trash", "--expire"]).ok();
    assert_eq!(sandbox.untested_moves(), Vec::<String>::new());
    let parents = sandbox.git(["log", "--first-parent", "--merges", "--format=%P", "main"]);
    for ((lane, tip), (code, said)) in lanes.iter().zip(tips).zip(verdicts) {
        let landings = parents.lines().filter(|line| line.ends_with(tip)).count();
        if lane == BAD {
            assert_eq!((*code, landings), (Some(6), 0), "{said}");
            sandbox.whole(BAD);
            continue;
        }
        // Its process may have died when all was done.
        let gone = said.contains("\"no-such-lane\"");
        assert!(*code == Some(0) || gone, "{lane}: {code:?} {said}");
        assert_eq!(landings, 1, "{lane}: {said}");
        assert!(sandbox.repo.join(format!("src/{lane}.txt")).is_file());
        assert!(!sandbox.lane_path(lane).exists(), "{lane}");
    }
    let status = sandbox.git(["status", "--porcelain"]);
    // What a git could not commit lies there, untracked or added.
    assert!(
        status.lines().all(|line| line[3..].starts_with("of-git-")),
        "{status}"
    );
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
    sandbox.nothing_under_way();
    sandbox.git(["fsck", "--strict", "--no-progress"]);
}
