//! What the user is shown and asked, what each answer does, and what happens where none can be
//! asked.

use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{approvals, gate, gated};
use crate::support::{Sandbox, skipped, wait_until, write};

/// Runs `git lane approve` on a terminal, where each answer is typed once its question is there;
/// `None` where there is no script(1).
fn on_a_terminal(sandbox: &Sandbox, words: &str, answers: &[&str]) -> Option<(i32, String)> {
    let mut command = sandbox.command("script");
    command.args(["-qec", &format!("git-lane approve {words}"), "/dev/null"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = piped.spawn() else {
        skipped("there is no script(1)");
        return None;
    };
    let shown = Arc::new(Mutex::new(Vec::new()));
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn({
        let shown = Arc::clone(&shown);
        move || {
            let mut part = [0; 512];
            while let Ok(read @ 1..) = stdout.read(&mut part) {
                shown.lock().unwrap().extend_from_slice(&part[..read]);
            }
        }
    });
    let text = || String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
    let mut stdin = child.stdin.take().unwrap();
    for (asked, answer) in answers.iter().enumerate() {
        wait_until(|| text().matches("[y/N]").count() > asked);
        std::thread::sleep(Duration::from_millis(200));
        stdin.write_all(answer.as_bytes()).unwrap();
    }
    let code = child.wait().unwrap().code().unwrap();
    drop(stdin);
    reader.join().unwrap();
    Some((code, text()))
}

#[test]
fn only_a_yes_is_a_yes() {
    for (answer, approved) in [("\r", false), ("n", false), ("y", true)] {
        let sandbox = gated(&["make test", "printf 'a\\n' &&\nmake \u{202e}lint"]);
        let Some((code, text)) = on_a_terminal(&sandbox, "x", &[answer]) else {
            return;
        };
        for line in [
            "lane.toml of main asks to run:",
            "  $ make test",
            r"  $ printf 'a\n' &&",
            r"  > make \u{202e}lint",
        ] {
            let is_there = text.lines().any(|shown| shown.trim_end() == line);
            assert!(is_there, "{line}: {text}");
        }
        assert!(!text.contains('\u{202e}'), "{text}");
        let files = crate::support::files(&approvals(&sandbox)).len();
        assert_eq!(
            (code, files),
            (i32::from(!approved), usize::from(approved)),
            "{answer:?}: {text}"
        );
        assert_eq!(sandbox.lane(["approve", "x"]).code, code, "{answer:?}");
        if approved {
            assert!(
                text.contains("approved: the gate in lane.toml of main"),
                "{text}"
            );
        }
    }
}

#[test]
fn each_list_is_asked_for_by_itself_and_a_yes_stays() {
    let sandbox = gated(&["a"]);
    sandbox.work("x", "lane.toml", &gate(&["b"]));
    write(&sandbox.repo.join(".git/lane/lane.toml"), gate(&["c"]));
    let Some((code, text)) = on_a_terminal(&sandbox, "x", &["y", "n", "y"]) else {
        return;
    };
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("the gate in lane.toml of lane 'x' is not approved"),
        "{text}"
    );
    assert!(text.contains("git lane approve x"), "{text}");
    // Only what is missing is asked for.
    let (code, text) = on_a_terminal(&sandbox, "x", &["y"]).unwrap();
    assert_eq!(
        (code, text.matches("asks to run").count()),
        (0, 1),
        "{text}"
    );
    assert!(text.contains("lane.toml of lane 'x' asks to run"), "{text}");
}

#[test]
fn without_a_terminal_the_commands_are_shown_and_refused() {
    let sandbox = gated(&["make test"]);
    let said = sandbox.lane(["approve", "x"]).fails(1);
    assert_eq!(
        said,
        "lane.toml of main asks to run:\n  $ make test\n\
         error: the gate in lane.toml of main is not approved\n\
         hint: on a terminal, see and approve it with: git lane approve x\n"
    );
    let said = sandbox.lane(["approve", "x", "--into", "main"]).fails(1);
    assert!(said.ends_with("git lane approve x --into main\n"), "{said}");
    let said = sandbox.lane(["approve"]).fails(1);
    assert!(said.ends_with("git lane approve\n"), "{said}");
    let run = sandbox.lane(["approve", "x", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "not-approved", "{run}");
    assert_eq!(document["lists"][0]["approved"], false, "{run}");
    run.fails(1);
    assert!(!approvals(&sandbox).exists());
}

#[test]
fn what_is_approved_is_listed_and_taken_back() {
    let sandbox = gated(&["make test", "a\nb"]);
    assert_eq!(
        sandbox.lane(["approve", "--list"]).ok(),
        "nothing is approved\n"
    );
    super::approve(&sandbox, &["x"]);
    let known = sandbox.lane(["approve", "--list", "--json"]).json();
    let digest = known["approvals"][0]["digest"].as_str().unwrap();
    let shown = "  $ make test\n  $ a\n  > b\n";
    assert_eq!(
        sandbox.lane(["approve", "--list"]).ok(),
        format!("{digest}\n{shown}")
    );
    sandbox.lane(["approve", "x"]).ok();
    let candidates = sandbox.lane(["complete", "--", "git-lane", "approve", "--revoke", ""]);
    assert_eq!(candidates.ok(), format!("{digest}\tmake test\n"));
    let said = sandbox.lane(["approve", "--revoke", "nonsense"]).fails(1);
    assert!(said.contains("hint: see the approvals with"), "{said}");
    let revoked = sandbox.lane(["approve", "--revoke", &digest[..6]]).ok();
    assert_eq!(revoked, format!("no longer approved:\n{shown}"));
    sandbox.lane(["approve", "x"]).fails(1);
    sandbox.lane(["approve", "--list", "x"]).fails(2);
}
