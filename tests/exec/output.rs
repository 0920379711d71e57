//! What is shown of what commands say: with their lane before each line, in one piece, or not at all;
//! and to a reader who goes away.

use std::io::{BufRead, BufReader};

use super::{Another, with_lanes};
use crate::support::Sandbox;

const SAY: &str = "printf 'one\\n\\377\\033[2J\\033[31mred\\n'; printf 'half'; exit $1";

fn say(sandbox: &Sandbox, how: &str, code: &str) -> crate::support::Run {
    let args = ["exec", "-j1", "a", "long", "--output", how, "--"];
    sandbox.lane(args.into_iter().chain(["sh", "-c", SAY, "sh", code]))
}

#[test]
fn each_line_has_its_lane_before_it() {
    let sandbox = with_lanes(&["a", "long"]);
    let run = say(&sandbox, "prefixed", "0");
    let expected = "a    | one\na    | \\xffred\na    | half\n\
        long | one\nlong | \\xffred\nlong | half\n";
    assert_eq!(run.stdout, expected, "{run}");
    assert!(
        run.stderr
            .starts_with("LANE  ENDED   TIME  LOG\na     exit 0  "),
        "{run}"
    );
    run.ok();
}

#[test]
fn grouped_output_is_in_one_piece() {
    let sandbox = with_lanes(&["a", "long"]);
    let run = say(&sandbox, "grouped", "2");
    let expected = "==> a <==\none\n\\xffred\nhalf\n==> long <==\none\n\\xffred\nhalf\n";
    assert_eq!(run.stdout, expected, "{run}");
    assert!(!run.stderr.contains("| half"), "{run}");
    run.fails(6);
}

#[test]
fn without_output_the_end_of_each_is_the_result() {
    let sandbox = with_lanes(&["a", "long"]);
    let run = say(&sandbox, "none", "2");
    assert!(
        run.stdout
            .starts_with("LANE  ENDED   TIME  LOG\na     exit 2  "),
        "{run}"
    );
    assert_eq!(run.stdout.lines().count(), 3, "{run}");
    for (at, line) in run.stdout.lines().skip(1).enumerate() {
        let log = sandbox.repo.join(line.split_whitespace().last().unwrap());
        assert!(log.exists(), "{at}: {run}");
    }
    let quoted = "with exit code 2\n  | one\n  | \u{fffd}red\n  | half\nhint: ";
    assert_eq!(run.stderr.matches(quoted).count(), 2, "{run}");
    assert!(
        run.stderr
            .ends_with("error: 2 of 2 lanes have not succeeded\n"),
        "{run}"
    );
    run.fails(6);
}

/// What they do is done all the same, and the exit code says how.
#[test]
fn a_reader_who_goes_away_ends_no_command() {
    let sandbox = with_lanes(&["a", "b"]);
    let script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done; touch done";
    let mut another = Another::start(&sandbox, &["--all", "--", "sh", "-c", script]);
    let mut reader = BufReader::new(another.0.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    another.0.stderr = None;
    assert!(first.ends_with(" | line 0\n"), "{first}");
    assert_eq!(another.0.wait().unwrap().code(), Some(0));
    for lane in ["a", "b"] {
        assert!(sandbox.lane_path(lane).join("done").exists(), "{lane}");
    }
    // Whether anything reads its output changes nothing about how it ends.
    for (command, code) in [("false", "6"), ("echo x", "0")] {
        let run = sandbox.sh(&format!(
            "{{ git lane exec --all -- {command}; echo $? >code; }} | head -1 >/dev/null; cat code"
        ));
        assert_eq!(run.ok().trim(), code, "{command}");
    }
}
