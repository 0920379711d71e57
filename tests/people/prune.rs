//! The choice of `git lane prune` on terminals, and how one leaves it.

use crate::support::{Sandbox, WIDTHS, assert_screen};

const LOGIN: &str = "agent-7/fix-login-form-validation";
const DRIVER: &str = "agent-12/upgrade-postgres-driver";

/// Three lanes that are done, and one that is not.
fn mostly_done() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .lane(["start", LOGIN, DRIVER, "dark-mode", "open"])
        .ok();
    sandbox.work("open", "open", "x");
    sandbox
}

const PRUNE: &str = "git-lane prune --older-than 0s";

#[test]
fn what_is_done_is_picked_and_the_keys_are_named() {
    for columns in WIDTHS {
        let sandbox = mostly_done();
        let Some(terminal) = sandbox.terminal((columns, 20), PRUNE) else {
            return;
        };
        let asked = terminal.wait_for(|screen| screen.matches("[x]").count() == 3);
        assert_screen(&format!("prune-asks-{columns}"), asked.trim_end());
        terminal.press(&["Down", "Space", "Enter"]);
        let shown = terminal.ended();
        assert_eq!(shown.code, 0, "{}", shown.text);
        assert_screen(&format!("prune-done-{columns}"), &shown.text);
        let left = sandbox.lane(["--json", "list"]).json();
        let left = left["entries"]
            .as_array()
            .or(left["lanes"].as_array())
            .unwrap();
        let names = left.iter().filter_map(|entry| entry["lane"].as_str());
        assert_eq!(names.count(), 2, "{left:?}");
    }
}

#[test]
fn who_leaves_changes_nothing() {
    for key in ["q", "Escape", "C-c"] {
        let sandbox = mostly_done();
        let before = sandbox.fingerprint();
        let Some(terminal) = sandbox.terminal((40, 20), PRUNE) else {
            return;
        };
        terminal.wait_for(|screen| screen.contains("[x]"));
        terminal.press(&[key]);
        let shown = terminal.ended();
        assert_eq!(shown.code, 130, "{key}: {}", shown.text);
        assert!(
            key == "C-c" || shown.text.contains("nothing was changed"),
            "{key}: {}",
            shown.text
        );
        assert!(
            !shown.text.contains("[x]") || key == "C-c",
            "{key}: {}",
            shown.text
        );
        assert!(sandbox.fingerprint() == before, "{key}");
        assert!(sandbox.entry_ids().is_empty(), "{key}");
    }
}

/// Rows that are wider than the screen, and more of them than it has lines.
#[test]
fn what_was_asked_goes_away_whatever_it_took() {
    const LONG: &str = "agent-6/remove-legacy-session-cookie";
    for (lines, lanes) in [(20, 4), (9, 5)] {
        let sandbox = Sandbox::new();
        let name = |number| format!("{LONG}-{number}");
        let names: Vec<String> = (0..lanes).map(name).collect();
        let start = ["start".to_owned()].into_iter().chain(names);
        sandbox.lane(start).ok();
        let Some(terminal) = sandbox.terminal((40, lines), PRUNE) else {
            return;
        };
        let asked = terminal.wait_for(|screen| screen.contains("> [x]"));
        for key in ["Down", "Down", "Up", "Up"] {
            terminal.press(&[key]);
        }
        terminal.press(&["Space"]);
        let now = terminal.wait_for(|screen| screen.contains("> [ ]"));
        assert_eq!(now.replace("> [ ]", "> [x]"), asked);
        terminal.press(&["Escape"]);
        let shown = terminal.ended();
        let left = shown.text.lines().filter(|line| !line.is_empty());
        let left: Vec<&str> = left.collect();
        assert_eq!(left.len(), 1, "{}", shown.text);
        assert!(left[0].contains("nothing was changed"), "{}", shown.text);
    }
}
