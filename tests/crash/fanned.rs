//! Starts of several lanes, and one that begins with a claim.

use super::scenarios::{Scenario, started, worktrees};
use super::situations::{filtered, nothing};
use crate::support::{Sandbox, write};

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "start --from",
        &["start", "--from", "../home/tasks"],
        with_tasks,
        all_started,
    ),
    Scenario::new(
        "start --from --atomic",
        &["start", "--from", "../home/tasks", "--atomic"],
        with_tasks,
        all_started,
    )
    .halfway(all_or_none),
    Scenario::new(
        "start --from, filtered",
        &["start", "--from", "../home/tasks", "--atomic"],
        with_filtered_tasks,
        all_started,
    )
    .halfway(all_or_none),
    Scenario::new(
        "start --claim",
        &["start", "login", "--task", "T-1", "--unique", "--claim"],
        nothing,
        held,
    ),
];

/// A task file for three lanes.
pub fn with_tasks(sandbox: &Sandbox) -> String {
    let tasks = "{\"name\":\"a\"}\n{\"name\":\"b\",\"task\":\"T\"}\n{\"name\":\"c\"}\n";
    write(&sandbox.root().join("home/tasks"), tasks);
    String::new()
}

/// ... with files that a filter writes.
pub fn with_filtered_tasks(sandbox: &Sandbox) -> String {
    filtered(sandbox);
    with_tasks(sandbox)
}

/// A lane that was made is claimed from its first moment on.
fn held(sandbox: &Sandbox, before: &str) {
    started(sandbox, before);
    assert_eq!(sandbox.git(["config", "lane.login.claim"]), "tester");
}

/// The next command that changes anything has healed what was left: of lanes that belong together there is
/// each or none.
fn all_or_none(sandbox: &Sandbox) {
    sandbox.lane(["trash", "--expire"]).ok();
    let made = ["a", "b", "c"].map(|name| sandbox.lane_path(name).exists());
    assert!(made == [true; 3] || made == [false; 3], "{made:?}");
    let recorded = sandbox
        .git(["config", "--list", "--local"])
        .matches(".worktree=")
        .count();
    assert_eq!(recorded, if made[0] { 3 } else { 0 });
}

fn all_started(sandbox: &Sandbox, _: &str) {
    for name in ["a", "b", "c"] {
        let path = sandbox.lane_path(name);
        assert_eq!(
            sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
            name
        );
        assert_eq!(
            sandbox.git_in(&path, ["status", "--porcelain"]),
            "",
            "{name}"
        );
        let recorded = sandbox.git(["config", &format!("lane.{name}.worktree")]);
        assert_eq!(recorded, path.to_str().unwrap());
    }
    worktrees(sandbox, 4);
    sandbox.nothing_left_behind(0);
}
