//! Questions on a narrow terminal: each fits its line, says what a yes means, and takes anything else
//! for a no.

use crate::support::{Sandbox, write};

/// A sandbox in which the command line asks.
fn asking(line: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let lanes = ["agent-7/fix-login-form-validation", "dark-mode", "search"];
    sandbox.lane([&["start"], lanes.as_slice()].concat()).ok();
    for lane in ["dark-mode", "search"] {
        sandbox.work(lane, lane, "x");
        write(&sandbox.lane_path(lane).join("untracked"), "x");
    }
    if line.contains("approve") {
        sandbox.write("lane.toml", "[finish]\ngate = [\"make test\"]\n");
        sandbox.commit("a gate");
    }
    sandbox
}

#[test]
fn a_question_fits_a_narrow_line_and_its_default_is_safe() {
    for (line, question, meaning) in [
        (
            "git-lane drop dark-mode",
            "Drop it? [y/N]",
            "git lane restore brings it back",
        ),
        (
            "git-lane drop dark-mode search",
            "Drop them? [y/N]",
            "git lane restore brings them back",
        ),
        (
            "git-lane approve dark-mode",
            "Let git-lane run these commands? [y/N]",
            "a yes holds wherever a file has the",
        ),
    ] {
        for (key, is_yes) in [
            ("Enter", false),
            ("Escape", false),
            ("n", false),
            ("y", true),
        ] {
            let sandbox = asking(line);
            let Some(terminal) = sandbox.terminal((40, 24), line) else {
                return;
            };
            let screen = terminal.wait_for(|screen| screen.contains("[y/N]"));
            let mut lines = screen.lines();
            assert!(lines.any(|shown| shown.starts_with(meaning)), "{screen}");
            assert!(lines.any(|shown| shown == question), "{screen}");
            terminal.press(&[key]);
            let shown = terminal.ended();
            assert_eq!(shown.code == 0, is_yes, "{line} {key}: {}", shown.text);
        }
    }
}
