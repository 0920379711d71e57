//! What a person sees.

use std::path::Path;

use super::check;
use crate::support::{Sandbox, write};

#[test]
fn conflicts_are_sentences_with_their_files() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    assert_eq!(
        sandbox.lane(["check"]).ok(),
        "3 lanes, 3 pairs, no conflict\n"
    );
    for name in ["a", "b"] {
        sandbox.work(name, "src/app.txt", name);
        sandbox.work(name, "README", name);
    }
    let run = sandbox.lane(["check"]);
    assert_eq!(
        run.stdout,
        "lanes 'a' and 'b' conflict in 2 files:\n  README\n  src/app.txt\n"
    );
    assert_eq!(run.stderr, "error: in conflict: 1 pair of lanes\n");
    assert_eq!(
        sandbox.lane(["check", "c"]).ok(),
        "lane 'c' has nothing that 'main' lacks\nno conflict with 2 other lanes\n"
    );
}

/// A terminal of that many columns, by script(1).
fn on_terminal(sandbox: &Sandbox, columns: usize) -> Option<String> {
    let script = format!(
        "command -v script >/dev/null || exit 9; \
         script -qec 'stty rows 99 cols {columns}; git lane check' /dev/null </dev/null | tr -d '\\r'"
    );
    let run = sandbox.sh(&script);
    (run.code != 9).then_some(run.stdout)
}

#[test]
fn a_terminal_shows_a_matrix_that_fits() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (1..=50)
        .map(|n| format!("agent-{}/fix-login-form-{n}", n % 9))
        .collect();
    sandbox
        .lane(["start"].map(String::from).iter().chain(&names))
        .ok();
    for name in [&names[0], &names[49]] {
        let lane = sandbox.lane(["path", name]).ok();
        write(&Path::new(lane.trim()).join("src/app.txt"), name);
    }
    let Some(screen) = on_terminal(&sandbox, 80) else {
        return eprintln!("SKIPPED: there is no script(1)");
    };
    // There is no room for the longest beside so many marks.
    let rows: Vec<&str> = screen.lines().skip(2).take(100).collect();
    for (at, name) in names.iter().enumerate() {
        assert_eq!(rows[2 * at], format!("{:>2} {name}", at + 1), "{screen}");
    }
    let width = |line: &&str| line.chars().count();
    assert!(rows.iter().map(width).all(|width| width <= 80), "{screen}");
    assert!(
        rows[99].starts_with("    .  x....") && rows[97].starts_with("    =  ....."),
        "{screen}"
    );
    // The pairs have the whole names.
    assert!(screen.contains(&format!("lanes '{}' and '{}'", names[0], names[49])));
    // More are listed by their pairs alone.
    sandbox.lane(["start", "one-more"]).ok();
    let screen = on_terminal(&sandbox, 80).unwrap();
    assert!(!screen.contains("first mark") && screen.contains("in 'src/app.txt'"));
    let (document, _) = check(&sandbox, &[]);
    assert_eq!(document["pairsClear"], 51 * 50 / 2 - 1);
}
