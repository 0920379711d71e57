//! Landings that one move of the base brought: all of them are taken back, or none.

use super::*;

/// Two lanes that have landed by one move, as their events say.
fn together() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let before = main(&sandbox);
    for name in ["one", "two"] {
        sandbox.lane(["start", name]).ok();
        sandbox.work(name, name, name);
    }
    for name in ["one", "two"] {
        sandbox.lane(["finish", name]).ok();
    }
    let log = sandbox.repo.join(".git/lane/events.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let batched = |line: &str| match line.contains("\"what\":\"land\"") {
        true => line.replace("\"batch\":null", "\"batch\":\"m1\""),
        false => line.to_owned(),
    };
    let text: String = text.lines().map(|line| batched(line) + "\n").collect();
    write(&log, text);
    (sandbox, before)
}

#[test]
fn one_member_takes_the_others_along_after_a_yes() {
    for member in ["one", "two"] {
        let (sandbox, before) = together();
        let said = undo(&sandbox, [member]).fails(1);
        assert_eq!(
            said,
            format!(
                "error: lanes 'one', 'two' landed by one move of the base, and can only be taken \
                 back together\nhint: take all of them back: git lane undo --yes {}\n",
                "one"
            )
        );
        assert_eq!(refused(&sandbox, &[member]), "whole-group");
        let dry = undo(&sandbox, ["-n", member]).ok();
        assert!(dry.contains("'one'") && dry.contains("'two'"), "{dry}");
        undo(&sandbox, ["--yes", member]).ok();
        assert_eq!(main(&sandbox), before);
        for name in ["one", "two"] {
            assert!(sandbox.lane_path(name).join(name).exists());
            assert!(!sandbox.repo.join(name).exists());
        }
        sandbox.nothing_left_behind(0);
        for name in ["one", "two"] {
            assert_eq!(refused(&sandbox, &["--yes", name]), "unsettled");
        }
    }
}

#[test]
fn one_member_that_cannot_come_back_keeps_all() {
    let (sandbox, _) = together();
    write(&sandbox.lane_path("two").join("mine"), "mine");
    assert_eq!(refused(&sandbox, &["--yes", "one"]), "path-taken");
}

/// A death between the lanes' returns: the same command brings the rest back.
#[test]
fn a_death_in_the_middle_is_completed() {
    for step in [
        "undo.begun",
        "undo.base-moved",
        "undo.lane-back",
        "undo.done",
    ] {
        let (sandbox, before) = together();
        sandbox.died(step, ["undo", "--yes", "one"]);
        sandbox.plain_git_works();
        undo(&sandbox, ["--yes", "one"]).ok();
        assert_eq!(main(&sandbox), before, "{step}");
        for name in ["one", "two"] {
            assert!(sandbox.lane_path(name).join(name).exists(), "{step}");
            assert_eq!(refused(&sandbox, &["--yes", name]), "unsettled", "{step}");
        }
        sandbox.nothing_left_behind(0);
    }
}
