//! Two sides, one clock.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::Fixtures;

/// A side of a race: set up (not timed), then the command to time.
pub type Side<'a> = &'a mut (dyn FnMut(&Fixtures, usize) -> Command + 'a);

/// Runs races and prints their results.
pub struct Race {
    /// Where repositories come from.
    pub fixtures: Fixtures,
    /// How many aims were missed.
    pub missed: usize,
    rounds: usize,
}

impl Race {
    pub fn new() -> Self {
        let rounds = std::env::var("GIT_LANE_BENCH_ROUNDS")
            .ok()
            .and_then(|rounds| rounds.parse().ok())
            .unwrap_or(7);
        Race {
            fixtures: Fixtures::new(),
            missed: 0,
            rounds,
        }
    }

    /// Times both sides in turn, the first to go changing every round, after one round that does
    /// not count.
    pub fn run<'a>(&mut self, title: &str, aim: f64, ours: Side<'a>, theirs: Side<'a>) {
        let mut times = [Vec::new(), Vec::new()];
        let sides = [ours, theirs];
        for round in 0..=self.rounds {
            for place in 0..2 {
                let which = (place + round) % 2;
                let mut command = sides[which](&self.fixtures, round);
                self.fixtures.flush();
                let time = timed(&mut command);
                if round > 0 {
                    times[which].push(time);
                }
            }
        }
        let [ours, theirs] = times.map(median);
        self.result(
            title,
            ours.as_secs_f64() * 1e3,
            theirs.as_secs_f64() * 1e3,
            aim,
            "ms",
        );
    }

    /// Times both sides in turn and compares what the first takes longer with what it may.
    pub fn run_longer<'a>(
        &mut self,
        title: &str,
        most: Duration,
        ours: Side<'a>,
        theirs: Side<'a>,
    ) {
        let mut longer = Vec::new();
        let sides = [ours, theirs];
        for round in 0..=self.rounds {
            let mut samples = [0.0; 2];
            for place in 0..2 {
                let which = (place + round) % 2;
                let mut command = sides[which](&self.fixtures, round);
                self.fixtures.flush();
                samples[which] = timed(&mut command).as_secs_f64() * 1e3;
            }
            if round > 0 {
                longer.push(samples[0] - samples[1]);
            }
        }
        longer.sort_by(f64::total_cmp);
        let most = most.as_secs_f64() * 1e3;
        self.result(title, longer[longer.len() / 2], most, 1.0, "ms");
    }

    /// Times both sides once: what takes minutes is not repeated.
    pub fn run_once<'a>(&mut self, title: &str, aim: f64, ours: Side<'a>, theirs: Side<'a>) {
        let [ours, theirs] = [ours, theirs].map(|side| {
            let mut command = side(&self.fixtures, 0);
            self.fixtures.flush();
            timed(&mut command).as_secs_f64()
        });
        self.result(title, ours, theirs, aim, "s");
    }

    /// Times three sides in turn (ours, theirs, and what both add to) and compares what is added to
    /// each of the `times` commands of a sample. Differences are taken within a round, so that a
    /// machine that is busy for a while counts for all three.
    pub fn run_added<'a>(
        &mut self,
        title: &str,
        aim: f64,
        times: usize,
        sides: &mut (dyn FnMut(&Fixtures, usize) -> Command + 'a),
    ) {
        let mut added = [Vec::new(), Vec::new()];
        for round in 0..=3 * self.rounds {
            let mut samples = [0.0; 3];
            for place in 0..3 {
                let side = (place + round) % 3;
                let mut command = sides(&self.fixtures, side);
                self.fixtures.flush();
                samples[side] = timed(&mut command).as_secs_f64() * 1e3 / times as f64;
            }
            if round > 0 {
                added[0].push(samples[0] - samples[2]);
                added[1].push(samples[1] - samples[2]);
            }
        }
        let [ours, theirs] = added.map(|mut added| {
            added.sort_by(f64::total_cmp);
            added[added.len() / 2]
        });
        self.result(title, ours, theirs, aim, "ms");
    }

    /// Prints a line of the table.
    pub fn result(&mut self, title: &str, ours: f64, theirs: f64, aim: f64, unit: &str) {
        let ratio = ours / theirs;
        let missed = ratio > aim;
        self.missed += usize::from(missed);
        let mark = if missed { "  missed" } else { "" };
        println!(
            "{title:<44} {ours:>7.2} {unit} {theirs:>7.2} {unit} {ratio:>7.3} {aim:>7.2}{mark}"
        );
    }
}

fn timed(command: &mut Command) -> Duration {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let output = command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .expect("the command starts");
    let time = start.elapsed();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most memory a command ever had resident, in MiB.
pub fn peak_memory(command: &mut Command) -> f64 {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0.0_f64;
    loop {
        peak = peak.max(high_water(&status).unwrap_or(0.0));
        if child
            .try_wait()
            .expect("the command can be waited for")
            .is_some()
        {
            return peak;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn high_water(status: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
