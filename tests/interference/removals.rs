//! Others at work while a lane leaves or comes back.

use super::*;

#[test]
fn a_git_at_work_makes_the_admin_directory_again_for_its_reflog() {
    let makes_it_again = |sandbox: &Sandbox| {
        let gone = !admin(sandbox).exists();
        if gone {
            write(&admin(sandbox).join("logs/HEAD"), "");
            write(&admin(sandbox).join("HEAD.lock"), "");
        }
        gone
    };
    interfere(
        &["drop", "--yes", "login"],
        |_| {},
        makes_it_again,
        |sandbox, commit| {
            comes_back(sandbox, commit);
            // What git made is git's to prune, where it was not in the way.
            drop(std::fs::remove_file(admin(sandbox).join("HEAD.lock")));
        },
    );
}

#[test]
fn a_directory_is_removed_and_its_branch_renamed() {
    let remove = |sandbox: &Sandbox| {
        let there = sandbox.lane_path("login").exists();
        if there {
            std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
            sandbox.git(["branch", "-m", "login", "renamed"]);
        }
        there
    };
    interfere(&["drop", "--yes", "login"], |_| {}, remove, |_, _| {});
}

#[test]
fn a_lane_that_is_back_is_its_owners_to_work_in() {
    let dropped = |sandbox: &Sandbox| drop(sandbox.lane(["drop", "--yes", "login"]).ok());
    let commit = |sandbox: &Sandbox| {
        let back = sandbox.git(["config", "--list"]).contains("lane.login.id=")
            && sandbox.lane_path("login").exists();
        if back {
            sandbox.work("login", "more", "y");
        }
        back
    };
    interfere(&["restore", "login"], dropped, commit, |sandbox, _| {
        assert_eq!(
            sandbox.git(["log", "-1", "--format=%s", "login"]),
            "login: more"
        );
        sandbox.nothing_left_behind(0);
    });
}

#[test]
fn a_lock_of_a_git_that_was_at_work_does_not_come_back() {
    let sandbox = Sandbox::new();
    let commit = with_work(&sandbox);
    let id = sandbox.lane(["drop", "--yes", "login", "--json"]).json()["dropped"][0]["trash"]
        .to_string();
    let kept = sandbox
        .repo
        .join(".git/lane/trash")
        .join(id.trim_matches('"'))
        .join("admin");
    for lock in ["index.lock", "HEAD.lock", "logs/HEAD.lock"] {
        write(&kept.join(Path::new(lock)), "");
    }
    sandbox.lane(["restore", "login"]).ok();
    comes_back(&sandbox, &commit);
    sandbox.work("login", "more", "y");
    sandbox.nothing_left_behind(0);
}
