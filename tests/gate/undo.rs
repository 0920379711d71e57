//! The way back of landings behind a gate: the base goes to tested trees only, there too.

use super::{code, gate, policy, runs, with_lanes};

#[test]
fn lanes_that_landed_together_go_back_together() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    let before = sandbox.git(["rev-parse", "main"]);
    sandbox
        .lane(["finish", "a", "b", "c", "--gate", "true"])
        .ok();
    let landed = sandbox.git(["rev-parse", "main"]);
    let run = sandbox.lane(["undo", "b", "--json"]);
    assert_eq!(code(run, 1), "whole-group");
    assert_eq!(sandbox.git(["rev-parse", "main"]), landed);
    sandbox.lane(["undo", "b", "--yes"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    for lane in ["a", "b", "c"] {
        assert!(
            sandbox
                .lane_path(lane)
                .join(format!("src/{lane}.txt"))
                .exists(),
            "{lane}"
        );
    }
    assert_eq!(sandbox.git(["status", "--short"]), "");
}

/// One member can go by a revert, which is tested first.
#[test]
fn a_revert_passes_the_gate_and_takes_back_one_member() {
    let sandbox = with_lanes(&["a", "b"]);
    let passes = gate(&sandbox, "true");
    policy(&sandbox, &format!("[finish]\ngate = \"{passes}\"\n"));
    sandbox.lane(["finish", "a", "b"]).ok();
    assert_eq!(runs(&sandbox).len(), 1);
    sandbox.lane(["undo", "a", "--revert"]).ok();
    assert_eq!(runs(&sandbox).len(), 2);
    assert!(!sandbox.repo.join("src/a.txt").exists());
    assert!(sandbox.repo.join("src/b.txt").exists());
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    let receipts = sandbox.root().join("home/.local/state/git-lane/receipts");
    let mut names = std::fs::read_dir(receipts).unwrap().flatten();
    assert!(names.any(|file| file.file_name().to_string_lossy().starts_with(&tree)));
}

/// Where the base was has to pass as well.
#[test]
fn a_base_goes_back_to_what_passes_only() {
    let sandbox = with_lanes(&["a"]);
    let needs = gate(&sandbox, "test -e src/a.txt");
    policy(&sandbox, &format!("[finish]\ngate = \"{needs}\"\n"));
    sandbox.lane(["finish", "a"]).ok();
    let landed = sandbox.git(["rev-parse", "main"]);
    for args in [
        &["undo", "a", "--json"][..],
        &["undo", "a", "--revert", "--json"],
    ] {
        assert_eq!(code(sandbox.lane(args), 6), "gate-failed", "{args:?}");
        assert_eq!(sandbox.git(["rev-parse", "main"]), landed, "{args:?}");
        assert_eq!(sandbox.git(["status", "--short"]), "", "{args:?}");
    }
    sandbox.lane(["undo", "a", "--no-gate"]).ok();
    assert!(!sandbox.repo.join("src/a.txt").exists());
    assert!(sandbox.lane_path("a").join("src/a.txt").exists());
}

/// The remote has the first of two landings: the move of both does not go back.
#[test]
fn what_is_published_in_part_stays() {
    let sandbox = with_lanes(&["a", "b"]);
    sandbox.git(["init", "-q", "--bare", "../hub.git"]);
    sandbox.git(["remote", "add", "origin", "../hub.git"]);
    sandbox.lane(["finish", "a", "b", "--gate", "true"]).ok();
    sandbox.git(["push", "-q", "origin", "main~1:refs/heads/main"]);
    let landed = sandbox.git(["rev-parse", "main"]);
    assert_eq!(
        code(sandbox.lane(["undo", "b", "--yes", "--json"]), 1),
        "published"
    );
    assert_eq!(sandbox.git(["rev-parse", "main"]), landed);
}
