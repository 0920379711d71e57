//! The user's own directory of state: where it is, and when it counts.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::{approvals, approve, gated};
use crate::support::{Run, Sandbox};

/// Another user of the machine.
const OTHER: u32 = 54_321;

fn with_state(sandbox: &Sandbox, place: &str) -> Run {
    let mut command = sandbox.command("git-lane");
    sandbox.run(command.args(["approve", "x"]).env("XDG_STATE_HOME", place))
}

#[test]
fn it_is_where_the_xdg_specification_says() {
    let sandbox = gated(&["a"]);
    approve(&sandbox, &["x"]);
    let state = sandbox.root().join("home/.local/state");
    with_state(&sandbox, state.to_str().unwrap()).ok();
    with_state(&sandbox, "").ok();
    // A relative path is to be ignored.
    with_state(&sandbox, "home/.local").ok();
    with_state(&sandbox, sandbox.root().to_str().unwrap()).fails(1);
    let mut homeless = sandbox.command("git-lane");
    homeless.args(["approve", "x"]).env_remove("HOME");
    let said = sandbox.run(&mut homeless).fails(4);
    assert!(said.contains("neither HOME nor XDG_STATE_HOME"), "{said}");
    // Who has nothing to approve needs none.
    sandbox.write("lane.toml", "");
    sandbox.commit("no gate");
    sandbox.run(&mut homeless).ok();
}

#[test]
fn what_another_may_have_written_approves_nothing() {
    let sandbox = gated(&["a"]);
    approve(&sandbox, &["x"]);
    sandbox.lane(["approve", "x"]).ok();
    let home = sandbox.root().join("home/.local/state/git-lane");
    let refused = |why: &str| {
        for args in [&["approve", "x"][..], &["approve", "--list"]] {
            let run = sandbox.lane(args.iter().chain(&["--json"]));
            let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(document["error"]["code"], "state-home", "{why}: {run}");
            let said = run.fails(4);
            assert!(said.contains("hint: "), "{why}: {said}");
        }
    };
    for path in [&home, &approvals(&sandbox)] {
        for bits in [0o770, 0o707, 0o777, 0o1777] {
            std::fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
            refused(&format!("{bits:o}"));
        }
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        let real = sandbox.root().join("real");
        std::fs::rename(path, &real).unwrap();
        symlink(&real, path).unwrap();
        refused("a link");
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, "").unwrap();
        refused("a file");
        std::fs::remove_file(path).unwrap();
        std::fs::rename(&real, path).unwrap();
        sandbox.lane(["approve", "x"]).ok();
        if chown(path, Some(OTHER), None).is_ok() {
            refused("another user's");
            chown(path, Some(0), None).unwrap();
        }
    }
    let file = crate::support::files(&approvals(&sandbox)).remove(0);
    std::fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    sandbox.lane(["approve", "x"]).fails(1);
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    sandbox.lane(["approve", "x"]).ok();
    if chown(&file, Some(OTHER), None).is_ok() {
        sandbox.lane(["approve", "x"]).fails(1);
        chown(&file, Some(0), None).unwrap();
    }
    for damaged in ["", "[]", "[\"b\"]", "nonsense"] {
        std::fs::write(&file, damaged).unwrap();
        sandbox.lane(["approve", "x"]).fails(1);
    }
    let elsewhere = sandbox.root().join("elsewhere");
    std::fs::write(&elsewhere, "[\"a\"]").unwrap();
    std::fs::remove_file(&file).unwrap();
    symlink(&elsewhere, &file).unwrap();
    sandbox.lane(["approve", "x"]).fails(1);
}

#[test]
fn one_user_approves_nothing_for_another() {
    let sandbox = gated(&["a"]);
    approve(&sandbox, &["x"]);
    if !sandbox.lets_others_in(0o755) {
        return;
    }
    sandbox.git(["config", "--global", "safe.directory", "*"]);
    let theirs = sandbox.root().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(OTHER), Some(OTHER)).unwrap();
    let ours = sandbox.root().join("home");
    for (home, code) in [(&theirs, 1), (&ours, 4)] {
        let mut command = sandbox.as_user(OTHER, OTHER, "", "git-lane");
        command.args(["approve", "x"]).env("HOME", home);
        command.env("GIT_CONFIG_GLOBAL", ours.join(".gitconfig"));
        sandbox.run(&mut command).fails(code);
    }
    sandbox.lane(["approve", "x"]).ok();
}
