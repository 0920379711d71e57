//! A signal for git-lane while commands run: all of them end, and of each it is told.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Another, document, lives, number, verdicts, with_lanes};
use crate::support::{Sandbox, checked_document, installed, skipped, wait_until};

const AT_WORK: &str = "sleep 600 & echo $! >below; trap 'echo asked >>asked; exit 0' TERM
    echo $$ >pid; while :; do sleep 0.05; done";

/// Two that are at work, and one that waits for its turn.
fn at_work(sandbox: &Sandbox, line: &str, more: &[&str]) -> Another {
    let mut command = sandbox.command("git-lane");
    command.args(["exec", "-j2", "a", "b", "c"]).args(more);
    // Ctrl-C is for a group of its own, as in a terminal.
    command.args(["--", "sh", "-c", line]).process_group(0);
    let another = Another::of(&mut command);
    for lane in ["a", "b"] {
        number(sandbox, lane, "pid");
    }
    another
}

#[test]
fn the_first_signal_ends_every_group() {
    for (name, number_of) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let sandbox = with_lanes(&["a", "b", "c"]);
        let another = at_work(&sandbox, AT_WORK, &["--json"]);
        another.signal(name);
        let started = Instant::now();
        let (code, said) = another.ended();
        assert_eq!(code, 128 + number_of, "{name}: {said}");
        assert!(started.elapsed() < Duration::from_secs(4), "{name}");
        for lane in ["a", "b"] {
            for file in ["pid", "below"] {
                assert!(!lives(number(&sandbox, lane, file)), "{name} {lane}");
            }
            let asked = std::fs::read_to_string(sandbox.lane_path(lane).join("asked"));
            assert_eq!(asked.unwrap(), "asked\n", "{name} {lane}");
        }
        assert!(!sandbox.lane_path("c").join("pid").exists());
        let (out, _) = said.split_once("\nerror: ").unwrap();
        let document = checked_document("exec", out);
        assert_eq!(document["error"]["code"], "interrupted", "{document}");
        let expected = ["a", "b", "c"].map(|lane| (lane, "interrupted"));
        assert_eq!(verdicts(&document), expected);
    }
}

#[test]
fn the_second_ends_all_of_it_at_once() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    let deaf =
        "trap '' TERM; sleep 600 & echo $! >below; echo $$ >pid; while :; do sleep 0.05; done";
    let another = at_work(&sandbox, deaf, &[]);
    let all = ["a", "b"].map(|lane| number(&sandbox, lane, "pid"));
    another.signal("INT");
    std::thread::sleep(Duration::from_millis(600));
    assert!(all.into_iter().all(lives));
    another.signal("INT");
    let started = Instant::now();
    assert_eq!(another.ended().0, 128 + 2);
    assert!(started.elapsed() < Duration::from_secs(2));
    wait_until(|| !all.into_iter().any(lives));
    // The next run has nothing to end and clears up.
    let (document, _) = document(&sandbox, &["a", "b", "--", "true"]);
    assert_eq!(
        verdicts(&document),
        [("a", "succeeded"), ("b", "succeeded")]
    );
    let left = std::fs::read_dir(sandbox.repo.join(".git/lane/exec")).unwrap();
    let record = |name: &str| name.ends_with(".group");
    assert!(
        !left
            .flatten()
            .any(|file| record(&file.file_name().to_string_lossy()))
    );
}

/// The terminal's end is told to every process in it; the commands are in groups of their own.
#[test]
fn a_terminal_that_goes_away_ends_every_group() {
    if !installed("script") || !Path::new("/proc/self/stat").exists() {
        return skipped("there is no script(1), or no /proc");
    }
    let sandbox = with_lanes(&["a", "b", "c"]);
    let line = format!(
        "git-lane exec -j2 --all -- sh -c {}",
        shlex::try_quote(AT_WORK).unwrap()
    );
    let mut terminal = sandbox.command("script");
    terminal.args(["-qec", &line, "/dev/null"]);
    terminal
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut terminal = terminal.spawn().unwrap();
    let started = || {
        let lanes = ["a", "b", "c"].into_iter();
        lanes
            .filter(|lane| sandbox.lane_path(lane).join("pid").exists())
            .count()
    };
    wait_until(|| started() == 2);
    let all = ["a", "b", "c"].into_iter();
    let there: Vec<&str> = all
        .filter(|lane| sandbox.lane_path(lane).join("pid").exists())
        .collect();
    let processes: Vec<i32> = there
        .iter()
        .flat_map(|lane| ["pid", "below"].map(|file| number(&sandbox, lane, file)))
        .collect();
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    wait_until(|| !processes.iter().any(|process| lives(*process)));
}

#[test]
fn what_a_killed_one_has_left_is_ended_by_the_next() {
    if !Path::new("/proc/self/stat").exists() {
        return skipped("there is no /proc");
    }
    let sandbox = with_lanes(&["a", "b", "c"]);
    let another = at_work(&sandbox, AT_WORK, &[]);
    another.signal("KILL");
    assert_eq!(another.ended().0, 128 + 9);
    let left = |lane: &str| ["pid", "below"].map(|file| number(&sandbox, lane, file));
    assert!(left("a").into_iter().chain(left("b")).all(lives));
    let script = format!(
        "ps -o stat= -p {} | grep -qv ^Z || echo alone",
        left("a")[0]
    );
    let run = sandbox.lane(["exec", "a", "--", "sh", "-c", &script]);
    assert_eq!(run.stdout, "a | alone\n", "{run}");
    let told = "processes were ended that a killed git-lane had left running";
    assert!(run.stderr.contains(told), "{run}");
    run.ok();
    assert!(!left("a").into_iter().any(lives) && left("b").into_iter().all(lives));
    sandbox.lane(["exec", "b", "--", "true"]).ok();
    assert!(!left("b").into_iter().any(lives));
}
