//! Every way to break the rule, at every level.

use super::*;

#[test]
fn level_restore_takes_it_back() {
    every_row("restore", Refs::Files);
}

#[test]
fn level_refuse_refuses_it() {
    every_row("refuse", Refs::Files);
}

#[test]
fn levels_warn_and_off_let_it_happen() {
    every_row("warn", Refs::Files);
    every_row("off", Refs::Files);
}

#[test]
fn reftable_is_no_way_round() {
    every_row("restore", Refs::Reftable);
    every_row("refuse", Refs::Reftable);
}

/// HEAD never moves: not even for an instant, so no editor reloads and no build starts over.
#[test]
fn level_refuse_leaves_no_trace_in_the_log() {
    if git_version() < (2, 46) {
        return;
    }
    let shop = Shop::new("refuse", Refs::Files);
    let log = || shop.sandbox.git_in(&shop.one, ["reflog", "HEAD"]);
    let before = log();
    assert_ne!(shop.sh(&shop.one, "git switch other").code, 0);
    assert_eq!(log(), before);
}

/// What is staged may happen to be as in the branch that is switched to; it is the user's
/// all the same.
#[test]
fn a_refused_transaction_leaves_what_is_staged_alone() {
    if git_version() < (2, 46) {
        return;
    }
    for (place, script) in [
        (In::CleanLane, "git symbolic-ref HEAD refs/heads/other"),
        (In::CleanLane, "git update-ref refs/heads/two other"),
        (In::CleanMain, "git update-ref refs/heads/one other"),
        (In::CleanMain, "git symbolic-ref HEAD refs/heads/one"),
    ] {
        let shop = Shop::new("refuse", Refs::Files);
        let directory = shop.at(place);
        shop.sh(
            &directory,
            "git checkout -q other -- d/x; git checkout -q one -- one",
        )
        .ok();
        let before = shop.snapshots();
        let run = shop.sh(&directory, script);
        assert_ne!(run.code, 0, "{run}");
        assert_eq!(shop.snapshots(), before, "{run}");
    }
}
