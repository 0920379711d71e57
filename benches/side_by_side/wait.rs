//! Waiting for a lane, beside a shell that asks git twenty times a second: how soon each hears of a
//! status, and what waiting takes of the processor.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fixture::Fixtures;
use crate::race::Race;

/// How often each side is told something.
const TIMES: usize = 15;

/// How long it has nothing to hear.
const QUIET: Duration = Duration::from_secs(3);

/// What people write without it.
const LOOP: &str = "until [ \"$(git config lane.there0.status)\" = ready ]; do sleep 0.05; done";

/// From the end of the git that has written the status to the end of the wait.
pub fn reaction(race: &mut Race) {
    let repo = with_lanes(&race.fixtures);
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..2 * TIMES {
        let side = round % 2;
        race.fixtures
            .git(&repo, &["config", "lane.there0.status", "working"]);
        let mut waiting = begin(&race.fixtures, &repo, side);
        // Each time at another moment of the sleep.
        std::thread::sleep(Duration::from_millis(300 + 7 * round as u64));
        race.fixtures
            .git(&repo, &["config", "lane.there0.status", "ready"]);
        let told = Instant::now();
        let status = waiting.wait().expect("the wait ends");
        assert!(status.success());
        times[side].push(told.elapsed().as_secs_f64() * 1e3);
    }
    let [ours, theirs] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    race.result("wait, reaction / 50 ms", ours, 50.0, 1.0, "ms");
    race.result(
        "wait, reaction / loop of sleep 0.05",
        ours,
        theirs,
        0.5,
        "ms",
    );
}

/// User and system time of three seconds in which nothing happens.
pub fn processor(race: &mut Race) {
    let repo = with_lanes(&race.fixtures);
    race.fixtures
        .git(&repo, &["config", "lane.there0.status", "working"]);
    let [ours, theirs] = [0, 1].map(|side| {
        let mut waiting = begin(&race.fixtures, &repo, side);
        std::thread::sleep(Duration::from_millis(500));
        let before = ticks(&waiting);
        std::thread::sleep(QUIET);
        let taken = ticks(&waiting) - before;
        waiting.kill().expect("the wait can be ended");
        waiting.wait().expect("the wait ends");
        taken as f64 * 10.0
    });
    race.result(
        "wait, processor in 3 s / loop of sleep 0.05",
        ours,
        theirs,
        0.1,
        "ms",
    );
}

fn with_lanes(fixtures: &Fixtures) -> std::path::PathBuf {
    let repo = fixtures.text_clone_of(20);
    let names: Vec<String> = (0..50).map(|number| format!("there{number}")).collect();
    let args: Vec<&str> = std::iter::once("start")
        .chain(names.iter().map(String::as_str))
        .collect();
    fixtures.lane(&repo, &args);
    repo
}

fn begin(fixtures: &Fixtures, repo: &Path, side: usize) -> Child {
    let mut command: Command = match side {
        0 => fixtures.command("git-lane", repo),
        _ => fixtures.command("sh", repo),
    };
    match side {
        0 => command.args(["wait", "there0", "--until", "ready"]),
        _ => command.args(["-c", LOOP]),
    };
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    quiet.spawn().expect("the wait starts")
}

/// User and system time of a process and of its children that have ended, in hundredths of a second.
fn ticks(process: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id()));
    let stat = stat.expect("the wait goes on");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let times = fields.split(' ').skip(11).take(4);
    times
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum()
}
