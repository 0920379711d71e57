//! Landings with a resolver that are stopped.

use super::scenarios::{Scenario, finished};
use super::situations::colliding;
use crate::support::Sandbox;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "finish --on-conflict",
        &[
            "finish",
            "login",
            "--strategy",
            "merge",
            "--on-conflict",
            BOTH,
        ],
        colliding,
        resolved,
    ),
    Scenario::new(
        "finish --on-conflict, given up",
        &["finish", "login", "--on-conflict", GIVEN_UP],
        colliding,
        given_up,
    )
    .ending(3),
];

/// Resolvers: one that keeps both sides, and one that leaves much behind.
const BOTH: &str = "sed -i '/^[<=>]\\{7\\}/d' src/app.txt";
const GIVEN_UP: &str = "echo more >>src/app.txt; echo left >.gitignore; echo x >left; echo x >more; \
                        git add more; exit 1";

fn resolved(sandbox: &Sandbox, tip: &str) {
    let text = sandbox.git(["show", "main:src/app.txt"]);
    assert_eq!(text, "one\ntwo\nTHREE\nBASE");
    let base = sandbox.git(["log", "-1", "--format=%s", "main^1"]);
    let parents = sandbox.git(["rev-parse", "main^2^1", "main^2^2"]);
    assert_eq!(base, "collision");
    assert_eq!(
        parents,
        format!("{tip}\n{}", sandbox.git(["rev-parse", "main^1"]))
    );
    finished(sandbox);
}

fn given_up(sandbox: &Sandbox, tip: &str) {
    let lane = sandbox.lane_path("login");
    let git = |args: &[&str]| sandbox.git_in(&lane, args);
    assert_eq!(git(&["rev-parse", "HEAD"]), tip);
    assert_eq!(git(&["symbolic-ref", "HEAD"]), "refs/heads/login");
    assert_eq!(git(&["status", "--porcelain", "--ignored"]), "");
    assert_eq!(
        std::fs::read_to_string(lane.join("src/app.txt")).unwrap(),
        "one\ntwo\nTHREE\n"
    );
    assert!(!sandbox.admin(&lane).join("MERGE_HEAD").exists());
    assert_eq!(
        sandbox.git(["log", "-1", "--format=%s", "main"]),
        "collision"
    );
    sandbox.nothing_left_behind(0);
}
