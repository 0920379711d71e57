//! Landings that the remote has first, stopped at every step: the base is never ahead of it by one.

use super::scenarios::{Scenario, forwarded, merged};
use super::situations::{ahead, diverged, nowhere};
use crate::support::Sandbox;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "finish --push",
        &["finish", "login", "--push"],
        pushed,
        both,
    )
    .halfway(never_ahead),
    Scenario::new(
        "finish --push ff",
        &["finish", "login", "--push", "--strategy", "ff"],
        pushed_ahead,
        both_forward,
    )
    .halfway(never_ahead),
    Scenario::new(
        "finish --push, base nowhere",
        &["finish", "login", "--push"],
        pushed_nowhere,
        both,
    )
    .halfway(never_ahead),
    Scenario::new(
        "gated finish --push",
        &["finish", "login", "--push", "--gate", "test -e new.txt"],
        pushed,
        both,
    )
    .halfway(never_ahead),
];

fn pushed(sandbox: &Sandbox) -> String {
    let tip = diverged(sandbox);
    sandbox.with_origin_inside();
    tip
}

fn pushed_ahead(sandbox: &Sandbox) -> String {
    let tip = ahead(sandbox);
    sandbox.with_origin_inside();
    tip
}

fn pushed_nowhere(sandbox: &Sandbox) -> String {
    let tip = nowhere(sandbox);
    sandbox.with_origin_inside();
    tip
}

fn there(sandbox: &Sandbox) -> String {
    let remote = sandbox.root().join("shop/.git/remote");
    sandbox.git_in(&remote, ["rev-parse", "main"])
}

/// What the base has, the remote has.
fn never_ahead(sandbox: &Sandbox) {
    let beyond = format!("{}..main", there(sandbox));
    assert_eq!(sandbox.git(["rev-list", "--count", &beyond]), "0");
}

fn both(sandbox: &Sandbox, tip: &str) {
    merged(sandbox, tip);
    assert_eq!(there(sandbox), sandbox.git(["rev-parse", "main"]));
}

fn both_forward(sandbox: &Sandbox, tip: &str) {
    forwarded(sandbox, tip);
    assert_eq!(there(sandbox), sandbox.git(["rev-parse", "main"]));
}
