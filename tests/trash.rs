//! `git lane trash`: what waits, what expires, and that expiry removes that and nothing else.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{Sandbox, outdate, write};

#[test]
fn an_entry_is_as_big_as_its_files() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox.lane(["trash"]).ok(),
        "the trash is empty
"
    );
    let path = sandbox.lane_by_git("login");
    write(&path.join("big"), vec![7; 3 << 20]);
    sandbox.lane(["drop", "--yes", "login"]).ok();
    let entry = &sandbox.entries()[0];
    assert!(entry["bytes"].as_u64().unwrap() >= 3 << 20, "{entry}");
}

#[test]
fn expiry_takes_the_old_names_their_work_and_touches_nothing_else() {
    let sandbox = Sandbox::new();
    let outside = sandbox.root().join("outside");
    write(&outside.join("precious"), "x");
    let path = sandbox.lane_by_git("old");
    let tip = sandbox.work("old", "file", "x");
    symlink(&outside, path.join("link")).unwrap();
    write(&path.join("sealed/inside"), "x");
    std::fs::set_permissions(path.join("sealed"), std::fs::Permissions::from_mode(0o555)).unwrap();
    sandbox.lane(["drop", "--yes", "old"]).ok();
    sandbox.lane_by_git("new");
    sandbox.lane(["drop", "new"]).ok();
    let old = sandbox.entry_ids().pop().unwrap();
    outdate(&sandbox.entry_with(&old));

    let said = sandbox.lane(["trash", "--expire", "--dry-run"]).ok();
    assert!(
        said.contains("would remove lane 'old'") && said.contains(&tip),
        "{said}"
    );
    assert_eq!(sandbox.entry_ids().len(), 2);
    let said = sandbox.lane(["trash", "--expire"]).ok();
    assert!(
        said.contains("removed lane 'old'") && said.contains("not known to be in its base"),
        "{said}"
    );
    assert_eq!(sandbox.entry_ids().len(), 1);
    assert!(outside.join("precious").exists());
    sandbox.nothing_left_behind(1);
    assert_eq!(
        sandbox.lane(["trash", "--expire"]).ok(),
        "nothing has expired\n"
    );
    sandbox.lane(["restore", "new"]).ok();
}

#[test]
fn killed_at_any_step_expiry_is_completed_by_the_next_command() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        sandbox.lane_by_git("old");
        sandbox.work("old", "file", "x");
        sandbox.lane(["drop", "--yes", "old"]).ok();
        outdate(&sandbox.entry_with(&sandbox.entry_ids()[0]));
        let run = sandbox.dying(step, ["trash", "--expire"]);
        sandbox.plain_git_works();
        if run.code == 0 {
            assert!(step > 3);
            return;
        }
        sandbox.lane(["trash", "--expire"]).ok();
        sandbox.nothing_left_behind(0);
    }
}

#[test]
fn commits_only_a_submodule_of_the_lane_has_are_not_called_integrated() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git(["clone", "-q", ".", library.to_str().unwrap()]);
    sandbox.add_submodule(&library, "library");
    sandbox.commit("library");
    for (name, published) in [("pushed", true), ("kept", false)] {
        sandbox.lane(["start", "--recurse-submodules", name]).ok();
        let inside = sandbox.lane_path(name).join("library");
        sandbox.git_in(&inside, ["commit", "-q", "--allow-empty", "-m", name]);
        if published {
            sandbox.git_in(&inside, ["push", "-q", "origin", "HEAD:refs/heads/pushed"]);
        }
        sandbox.work(name, name, "x");
        // Plain git lands what finish would refuse.
        sandbox.git(["merge", "-q", "--no-edit", name]);
        let said = sandbox
            .lane(["prune", "--all", "--yes", "--older-than", "0s"])
            .ok();
        if !published {
            assert!(said.contains("kept lane 'kept': "), "{said}");
            sandbox.lane(["drop", "--yes", name]).ok();
        }
        let trash = sandbox.lane(["--json", "trash"]).json();
        let entries = trash["entries"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["lane"] == name).unwrap();
        assert_eq!(entry["integrated"].is_null(), !published, "{name}: {entry}");
        sandbox.lane(["restore", name]).ok();
        assert_eq!(sandbox.git_in(&inside, ["log", "-1", "--format=%s"]), name);
    }
}

#[test]
fn what_somebody_else_put_into_the_trash_is_left_alone_and_stops_nothing() {
    let sandbox = Sandbox::new();
    let odd = sandbox.repo.join(".git/lane/trash/.deleting-foo..bar");
    write(&odd.join("file"), "x");
    sandbox.lane_by_git("unused");
    sandbox.lane(["prune", "--older-than", "0s"]).ok();
    sandbox.lane(["trash", "--expire"]).ok();
    assert!(odd.join("file").exists());
}

/// The trash of a lane with a large file, over a limit of one megabyte.
fn limited() -> Sandbox {
    let sandbox = Sandbox::new();
    write(
        &sandbox.repo.join(".git/lane/lane.toml"),
        "[trash]\nsize = \"1 MiB\"\n",
    );
    sandbox.write(".gitignore", "*.big\n");
    sandbox.commit("ignore");
    sandbox
}

fn large(sandbox: &Sandbox, name: &str) {
    sandbox.lane(["start", name]).ok();
    sandbox.work(name, name, "x");
    write(&sandbox.lane_path(name).join("x.big"), vec![7; 5 << 20]);
}

fn names(value: &serde_json::Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["lane"].as_str().unwrap())
        .collect()
}

#[test]
fn what_a_command_has_just_promised_to_bring_back_is_not_too_large_for_the_trash() {
    let sandbox = limited();
    large(&sandbox, "first");
    let said = sandbox.lane(["finish", "first"]).ok();
    assert!(
        said.contains("git lane restore first") && !said.contains("removed"),
        "{said}"
    );
    large(&sandbox, "second");
    sandbox.git(["merge", "-q", "--no-edit", "second"]);
    sandbox.lane(["prune", "--older-than", "0s"]).ok();
    sandbox.lane(["restore", "first", "second"]).ok();
    assert!(sandbox.lane_path("first").join("x.big").exists());
}

#[test]
fn a_finish_names_work_that_is_in_no_base_and_leaves_it_to_those_who_ask() {
    let sandbox = limited();
    for name in ["landed", "dropped", "reset"] {
        large(&sandbox, name);
    }
    let before = sandbox.git(["rev-parse", "main"]);
    sandbox.lane(["finish", "reset"]).ok();
    sandbox.git(["reset", "-q", "--hard", &before]);
    sandbox.lane(["finish", "landed"]).ok();
    sandbox.lane(["drop", "--yes", "dropped"]).ok();
    sandbox.lane(["start", "unused"]).ok();
    sandbox.lane(["prune", "--older-than", "0s"]).ok();
    for id in sandbox.entry_ids() {
        outdate(&sandbox.entry_with(&id));
    }
    let finish = |name: &str| {
        sandbox.lane(["start", name]).ok();
        sandbox.work(name, name, "x");
    };
    finish("other");
    let report = sandbox.lane(["--json", "finish", "other"]).json();
    assert_eq!(names(&report["expired"]), ["landed", "unused"], "{report}");
    assert_eq!(names(&report["overdue"]), ["reset", "dropped"], "{report}");
    finish("another");
    let said = sandbox.lane(["finish", "another"]).ok();
    assert!(
        said.contains("not known to be in its base: reset, dropped; remove them with"),
        "{said}"
    );
    let said = sandbox.lane(["trash", "--expire"]).ok();
    for name in ["reset", "dropped"] {
        let line = said
            .lines()
            .find(|line| line.contains(&format!("removed lane '{name}' ")))
            .unwrap_or_default();
        assert!(
            line.contains("its work was not known to be in its base; last commit"),
            "{said}"
        );
    }
    sandbox.nothing_left_behind(2);
}

#[test]
fn an_entry_that_cannot_be_read_is_shown_with_its_directory() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("precious"), "x");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    let entry = sandbox
        .repo
        .join(".git/lane/trash")
        .join(&sandbox.entry_ids()[0]);
    for damage in ["", "{\"id\": 1"] {
        write(&entry.join("entry.json"), damage);
        let said = sandbox.lane(["trash"]).ok();
        assert!(
            said.contains("damaged") && said.contains(entry.to_str().unwrap()),
            "{said}"
        );
        assert!(!said.contains("empty"), "{said}");
        assert_eq!(
            sandbox.lane(["--json", "trash"]).json()["damaged"][0],
            entry.to_str().unwrap()
        );
        sandbox.lane(["trash", "--expire"]).ok();
        assert!(entry.join("worktree/precious").exists());
    }
}
