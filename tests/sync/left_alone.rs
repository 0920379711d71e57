//! What a sync leaves as it is: uncommitted work, and lanes that were not named.

use std::process::Command;

use super::*;

#[test]
fn uncommitted_work_stays_where_the_change_does_not_meet_it() {
    for strategy in ["merge", "rebase"] {
        let sandbox = diverged();
        let path = lane(&sandbox);
        write(&path.join("README"), "edited\n");
        write(&path.join("staged.txt"), "staged\n");
        sandbox.git_in(&path, ["add", "staged.txt"]);
        write(&path.join("untracked.txt"), "untracked\n");
        sync(&sandbox, ["--strategy", strategy]).ok();
        assert_eq!(
            status(&sandbox),
            " M README\nA  staged.txt\n?? untracked.txt"
        );
        assert_eq!(read(path.join("README")), "edited\n");
        assert_eq!(read(path.join("staged.txt")), "staged\n");
        assert_eq!(read(path.join("untracked.txt")), "untracked\n");
        assert_eq!(read(path.join("src/app.txt")), BOTH);
    }
}

/// Work that the new commits meet, in every state.
#[test]
fn uncommitted_work_that_the_change_meets_is_a_refusal() {
    let table: &[(&str, &str)] = &[
        ("src/app.txt", "echo mine >src/app.txt"),
        ("src/app.txt", "echo mine >src/app.txt; git add src/app.txt"),
        ("other.txt", "echo mine >other.txt"),
        (
            "other.txt",
            "echo other.txt >.git-ignore; git config core.excludesFile $PWD/.git-ignore; echo mine >other.txt",
        ),
        (
            "src/app.txt",
            "git update-index --assume-unchanged src/app.txt; echo mine >src/app.txt",
        ),
        ("other.txt", "mkdir other.txt; echo mine >other.txt/deep"),
        (
            "other.txt",
            "mkdir other.txt; echo mine >other.txt/deep; git add other.txt/deep",
        ),
        (
            "other.txt",
            "mkdir -p other.txt/d; git mv README other.txt/d/README",
        ),
    ];
    for (file, work) in table {
        for strategy in ["merge", "rebase"] {
            let sandbox = diverged();
            sandbox.sh_in(&lane(&sandbox), work).ok();
            let before = state(&sandbox);
            let run = sync(&sandbox, ["--strategy", strategy, "--json"]);
            assert!(run.stdout.contains("\"in-the-way\""), "{work}: {run}");
            let error = run.fails(1);
            assert!(error.contains(file), "{work}: {error}");
            assert!(
                error.contains("commit or stash") || error.contains("show it to git"),
                "{error}"
            );
            assert_eq!(state(&sandbox), before, "{work}");
            let foretold = sync(&sandbox, ["--strategy", strategy, "--dry-run"]).fails(1);
            assert!(foretold.contains(file), "{foretold}");
        }
    }
}

#[test]
fn all_passes_over_lanes_of_others_and_names_them() {
    let sandbox = diverged();
    sandbox.git(["config", "lane.login.owner", "claude:7"]);
    let before = state(&sandbox);
    let run = sandbox.lane(["sync", "--all"]);
    let says = "left lane 'login' as it is: it is claude:7's; sync it with: git lane sync login\n";
    assert_eq!(run.ok(), says);
    let document = sandbox.lane(["sync", "--all", "--json"]).json();
    assert_eq!(document["lanes"][0]["verdict"], "skipped");
    assert_eq!(document["lanes"][0]["skipped"]["owner"], "claude:7");
    assert_eq!(state(&sandbox), before);
    // Its owner's own --all, and one that names it, do it.
    let mut own = sandbox.command("git-lane");
    own.args(["sync", "--all", "--dry-run"])
        .env("GIT_LANE_OWNER", "claude:7");
    assert!(
        sandbox
            .run(&mut own)
            .ok()
            .contains("would sync lane 'login'")
    );
    sync(&sandbox, []).ok();
}

#[test]
fn all_passes_over_lanes_in_which_a_process_lives_and_a_name_does_not() {
    let sandbox = diverged();
    let path = lane(&sandbox);
    let mut agent = Command::new("sleep");
    let mut agent = agent.arg("600").current_dir(&path).spawn().unwrap();
    let before = state(&sandbox);
    let document = sandbox.lane(["sync", "--all", "--json"]).json();
    let named = sync(&sandbox, []);
    let skipped = &document["lanes"][0]["skipped"];
    let (pid, after) = (agent.id(), tip(&sandbox, "login"));
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(skipped["code"], "process");
    assert_eq!(skipped["pid"], pid);
    assert_eq!(skipped["command"], "sleep");
    assert!(!before.contains(&after));
    named.ok();
}

#[test]
fn all_takes_every_lane_that_has_a_base_and_no_other() {
    let sandbox = diverged();
    sandbox.lane(["start", "search", "loose"]).ok();
    sandbox.git(["config", "--unset", "lane.loose.base"]);
    sandbox.write("later.txt", "later\n");
    sandbox.commit("later");
    let document = sandbox.lane(["sync", "--all", "--json"]).json();
    let lanes = document["lanes"].as_array().unwrap();
    let names: Vec<_> = lanes
        .iter()
        .map(|lane| lane["lane"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["login", "search"]);
    assert!(
        lanes.iter().all(|lane| lane["verdict"] == "synced"),
        "{document}"
    );
}

#[test]
fn inside_a_lane_that_one_is_meant() {
    let sandbox = diverged();
    let text = sandbox.lane_in(&lane(&sandbox), ["sync"]).ok();
    assert!(text.starts_with("synced lane 'login'"), "{text}");
    let error = sandbox.lane(["sync"]).fails(2);
    assert!(error.contains("name the lane"), "{error}");
    sandbox.lane(["sync", "login", "--all"]).fails(2);
}

/// What is staged in a directory that the base has made a file, a link or nothing of.
#[test]
fn staged_work_below_what_is_no_directory_any_more_stays() {
    for change in ["echo file >d", "ln -s src/app.txt d"] {
        for work in [
            "echo more >>d/x; git add d/x",
            "echo new >d/new; git add d/new",
            "git mv d/x d/y",
        ] {
            let sandbox = Sandbox::new();
            sandbox.write("d/x", "x\n");
            sandbox.commit("directory");
            sandbox.lane(["start", "login"]).ok();
            sandbox.sh(&format!("rm -r d; {change}")).ok();
            sandbox.commit("no directory");
            sandbox.sh_in(&lane(&sandbox), work).ok();
            let before = state(&sandbox);
            let run = sync(&sandbox, ["--json"]);
            assert!(
                run.stdout.contains("\"in-the-way\""),
                "{change} / {work}: {run}"
            );
            let _ = run.fails(1);
            assert_eq!(state(&sandbox), before, "{change} / {work}");
        }
    }
}

#[test]
fn all_leaves_lanes_alone_that_cannot_take_anything() {
    let sandbox = diverged();
    sandbox.lane(["start", "detached", "--detach"]).ok();
    sandbox.lane(["start", "gone"]).ok();
    std::fs::remove_dir_all(sandbox.lane_path("gone")).unwrap();
    sandbox.write("more.txt", "more\n");
    sandbox.commit("more");
    let document = sandbox.lane(["sync", "--all", "--json"]).json();
    let why = |name: &str| {
        let lanes = document["lanes"].as_array().unwrap().iter();
        let mut lanes = lanes.filter(|lane| lane["lane"] == name);
        lanes.next().unwrap()["skipped"]["code"].clone()
    };
    assert_eq!(why("detached"), "detached");
    assert_eq!(why("gone"), "worktree-gone");
    sandbox.lane(["sync", "detached"]).fails(1);
}
