//! Tables: what the log tells, and what can be taken back of it.

use super::*;
use crate::domain::event::Event;

/// An event in short: operation, phase, process, owner, what, lane (its id is the same), base
/// commit, result, and more fields.
type Line = (
    &'static str,
    &'static str,
    u32,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn log(lines: &[Line]) -> Vec<Event> {
    let id = |digit: &str| match digit {
        "" => "null".to_owned(),
        digit => format!("\"{}\"", digit.repeat(40)),
    };
    let text = |word: &str| match word {
        "" => "null".to_owned(),
        word => format!("\"{word}\""),
    };
    let event = |(at, line): (usize, &Line)| {
        let (operation, phase, pid, owner, what, lane, before, after, more) = line;
        let json = format!(
            r#"{{"sequence":{},"time":"2026-11-30T10:00:00.000Z","operation":"{operation}",
            "phase":"{phase}","actor":{{"owner":"{owner}","pid":{pid}}},"what":"{what}",
            "lane":{lane},"laneId":{lane},"base":"refs/heads/main","baseCommit":{},"result":{}{more}}}"#,
            at + 1,
            id(before),
            id(after),
            lane = text(lane),
        );
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
    };
    lines.iter().enumerate().map(event).collect()
}

/// What the steps are, in short.
fn told(steps: &[Step]) -> Vec<String> {
    let word = |step: &Step| {
        let state = match (step.undone, step.begun) {
            (true, _) => "-",
            (_, true) => "~",
            _ => "",
        };
        let what = serde_json::to_value(step.deed.what()).unwrap();
        format!(
            "{state}{} {} [{}]",
            what.as_str().unwrap(),
            step.lane,
            step.operations.join("+")
        )
    };
    steps.iter().map(word).collect()
}

#[test]
fn what_the_log_tells() {
    let trash = r#","trash":"t1""#;
    let undoes = r#","undoes":["b","c"]"#;
    for (lines, expected) in [
        (&[][..], &[][..]),
        // What failed or only began is no step.
        (
            &[
                ("a", "before", 1, "ann", "start", "x", "1", "", ""),
                ("a", "failed", 1, "ann", "start", "x", "1", "", ""),
                ("b", "before", 1, "ann", "drop", "x", "1", "", ""),
            ],
            &[],
        ),
        // A landing and the removal by the same process are one.
        (
            &[
                ("a", "after", 1, "ann", "start", "x", "1", "1", ""),
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
            ],
            &["start x [a]", "land x [b+c]"],
        ),
        // ... by another process they are two.
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 3, "ann", "finish", "x", "1", "2", trash),
            ],
            &["land x [b]", "finish x [c]"],
        ),
        // A landing of nothing is no step.
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
            ],
            &["finish x [c]"],
        ),
        // Taken back, and begun to be.
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
                ("d", "before", 4, "ann", "undo", "x", "2", "", undoes),
            ],
            &["~land x [b+c]"],
        ),
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
                ("d", "after", 4, "ann", "undo", "x", "2", "1", undoes),
            ],
            &["-land x [b+c]", "undo x [d]"],
        ),
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
                ("d", "failed", 4, "ann", "undo", "x", "2", "", undoes),
            ],
            &["land x [b+c]"],
        ),
        // After a revert the removal is left.
        (
            &[
                ("b", "after", 2, "ann", "land", "x", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
                (
                    "d",
                    "after",
                    4,
                    "ann",
                    "undo",
                    "x",
                    "2",
                    "3",
                    r#","undoes":["b"]"#,
                ),
            ],
            &["-land x [b]", "finish x [c]", "undo x [d]"],
        ),
        // What a process died of and another has healed.
        (
            &[
                ("a", "before", 1, "ann", "drop", "x", "1", "", ""),
                ("h", "after", 2, "bob", "heal", "x", "1", "1", trash),
            ],
            &["drop x [a]"],
        ),
        (
            &[
                ("a", "before", 1, "ann", "land", "x", "1", "", ""),
                ("h", "after", 2, "ann", "heal", "", "1", "2", ""),
                ("c", "after", 2, "ann", "finish", "x", "1", "2", trash),
            ],
            &["land x [a+c]"],
        ),
        // Which of two landings was healed is not known.
        (
            &[
                ("a", "before", 1, "ann", "land", "x", "1", "", ""),
                ("b", "before", 3, "ann", "land", "y", "1", "", ""),
                ("h", "after", 2, "ann", "heal", "", "1", "2", ""),
            ],
            &[],
        ),
        // One that was undone has no result.
        (
            &[
                ("a", "before", 1, "ann", "land", "x", "1", "", ""),
                ("h", "after", 2, "ann", "heal", "", "1", "", ""),
            ],
            &[],
        ),
    ] {
        assert_eq!(told(&steps(&log(lines))), expected, "{lines:?}");
    }
}

#[test]
fn which_step_is_meant() {
    let trash = r#","trash":"t1""#;
    let all = steps(&log(&[
        ("a", "after", 1, "ann", "start", "x", "1", "1", ""),
        ("b", "after", 1, "bob", "start", "y", "1", "1", ""),
        ("c", "after", 1, "bob", "drop", "x", "1", "1", trash),
        ("d", "after", 1, "cat", "start", "z", "1", "1", ""),
        (
            "e",
            "after",
            1,
            "cat",
            "undo",
            "z",
            "1",
            "1",
            r#","undoes":["d"]"#,
        ),
    ]));
    for (lane, owner, expected) in [
        (Some("x"), "ann", "c"),
        (Some("y"), "ann", "b"),
        (Some("z"), "cat", "nothing of lane 'z' is left to take back"),
        (
            Some("w"),
            "ann",
            "the event log knows of nothing that was done with a lane 'w'",
        ),
        (None, "bob", "c"),
        (
            None,
            "ann",
            "what you did last was with lane 'x', where the drop by 'bob' came after",
        ),
        (
            None,
            "cat",
            "the event log knows of nothing that 'cat' has done and that stands",
        ),
    ] {
        let found = match choose(&all, Wanted { lane, owner }) {
            Ok(step) => step.operations[0].clone(),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(found, expected);
    }
}

#[test]
fn one_move_of_a_base_is_one_step_of_several_lanes() {
    let batch = r#","batch":"m1""#;
    // Each member may tell its own part of the move, or all of them the whole.
    for commits in [
        ["1", "2", "2", "3", "3", "4"],
        ["1", "4", "1", "4", "1", "4"],
    ] {
        let [a, b, c, d, e, f] = commits;
        let all = steps(&log(&[
            ("k", "after", 1, "ann", "land", "w", "0", "1", ""),
            ("a", "after", 1, "ann", "land", "x", a, b, batch),
            ("b", "after", 2, "bob", "land", "y", c, d, batch),
            ("c", "after", 3, "cat", "land", "z", e, f, batch),
            ("l", "after", 1, "ann", "land", "v", "4", "5", ""),
        ]));
        let lanes = |steps: Vec<&Step>| {
            let names = steps.into_iter().map(|step| step.lane.to_string());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(lanes(members(&all, &all[2])), "x y z");
        assert_eq!(lanes(members(&all, &all[0])), "w");
        let span = |at: usize| {
            let (_, from, to) = span(&all, &all[at]).unwrap();
            format!("{}{}", from.to_hex_with_len(1), to.to_hex_with_len(1))
        };
        assert_eq!(
            [span(0), span(1), span(3), span(4)],
            ["01", "14", "14", "45"]
        );
        let since = landed_since(&all, &all[0].landing().unwrap().base, &all[2]);
        let since: Vec<_> = since.iter().map(LaneName::as_str).collect();
        assert_eq!(since, ["v"]);
    }
}

#[test]
fn whether_a_landing_can_be_taken_back() {
    let lane = LaneName::parse("x").unwrap();
    let id = |digit: char| ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap();
    let name = |name: &str| RefName::parse(name.into()).unwrap();
    for (tip, since, published, revert, expected) in [
        (Some('2'), Some(0), false, false, "Back"),
        (Some('2'), Some(0), false, true, "Revert"),
        (Some('2'), Some(0), true, false, "published"),
        (Some('2'), Some(0), true, true, "Revert"),
        (Some('3'), Some(1), false, false, "came-after"),
        (Some('3'), Some(1), true, false, "came-after"),
        (Some('3'), Some(1), false, true, "Revert"),
        (Some('1'), None, false, false, "IsBack"),
        (Some('1'), None, false, true, "not-landed"),
        (Some('4'), None, false, false, "not-landed"),
        (None, None, false, false, "base-missing"),
    ] {
        let today = BaseToday {
            base: name("refs/heads/main"),
            tip: tip.map(id),
            from: id('1'),
            to: id('2'),
            since,
            lanes: Vec::new(),
            published: published.then(|| "refs/remotes/origin/main".into()),
        };
        let found = match course(&lane, &today, revert) {
            Ok(course) => format!("{course:?}"),
            Err(refusal) => refusal.code().to_string(),
        };
        assert_eq!(found, expected, "{today:?} {revert}");
    }
}
