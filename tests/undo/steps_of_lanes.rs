//! Starts, removals and returns that are taken back; whose they are, and which one is meant.

use super::*;

fn by(sandbox: &Sandbox, owner: &str, args: &[&str]) -> Run {
    let mut command = sandbox.command("git-lane");
    sandbox.run(command.args(args).env("GIT_LANE_OWNER", owner))
}

type Prepare = fn(&Sandbox);

/// What was done with a lane since its start, and the refusal, or none.
const AFTER_A_START: [(&str, Prepare, &str); 8] = [
    ("nothing", |_| {}, ""),
    (
        "a commit",
        |sandbox| drop(sandbox.work("login", "new", "new")),
        "unsettled",
    ),
    (
        "a file",
        |sandbox| write(&sandbox.lane_path("login").join("new"), "new"),
        "unsettled",
    ),
    (
        "an edit",
        |sandbox| write(&sandbox.lane_path("login").join("README"), "edited"),
        "unsettled",
    ),
    (
        "another branch",
        |sandbox| {
            sandbox.git_in(&sandbox.lane_path("login"), ["switch", "-q", "-c", "stray"]);
        },
        "unsettled",
    ),
    (
        "a lock",
        |sandbox| {
            let path = sandbox.lane_path("login");
            sandbox.git(["worktree", "lock", path.to_str().unwrap()]);
        },
        "worktree-locked",
    ),
    (
        "no worktree",
        |sandbox| std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap(),
        "worktree-gone",
    ),
    (
        "no record",
        |sandbox| {
            sandbox.git(["config", "--remove-section", "lane.login"]);
        },
        "no-such-lane",
    ),
];

#[test]
fn a_start_is_taken_back_while_nothing_was_done() {
    for (situation, prepare, expected) in AFTER_A_START {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        prepare(&sandbox);
        if expected.is_empty() {
            undo(&sandbox, ["-n", "login"]).ok();
            assert!(sandbox.lane_path("login").exists());
            undo(&sandbox, ["login"]).ok();
            assert!(!sandbox.lane_path("login").exists());
            assert_eq!(sandbox.git(["branch", "--list"]), "* main");
            sandbox.nothing_left_behind(1);
            sandbox.lane(["restore", "login"]).ok();
        } else {
            for args in [&["-n", "login"][..], &["login"]] {
                assert_eq!(refused(&sandbox, args), expected, "{situation}");
            }
        }
    }
}

#[test]
fn a_process_in_the_lane_keeps_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let mut sleep = sandbox.command("sleep");
    let mut sleep = sleep
        .arg("60")
        .current_dir(sandbox.lane_path("login"))
        .spawn()
        .unwrap();
    assert_eq!(refused(&sandbox, &["login"]), "busy");
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    undo(&sandbox, ["login"]).ok();
}

/// The branch is the user's, with all it has.
#[test]
fn a_branch_that_was_there_before_the_start_stays() {
    let sandbox = Sandbox::new();
    sandbox.git(["switch", "-q", "-c", "login"]);
    let tip = sandbox.commit("mine");
    sandbox.git(["switch", "-q", "main"]);
    sandbox.lane(["start", "login"]).ok();
    undo(&sandbox, ["login"]).ok();
    assert!(!sandbox.lane_path("login").exists());
    assert_eq!(sandbox.git(["rev-parse", "login"]), tip);
}

#[test]
fn from_inside_the_lane_it_says_where_to_go() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let said = sandbox.lane_in(&sandbox.lane_path("login"), ["undo"]).ok();
    let cd = format!(
        "this directory is gone; go to: cd {}\n",
        sandbox.repo.display()
    );
    assert!(said.ends_with(&cd), "{said}");
}

/// Each way into the trash; then each of them again, by way of a restore that is taken back.
#[test]
fn a_removal_is_taken_back_and_a_return_too() {
    let ways: [(&[&str], Prepare); 4] = [
        (&["drop", "--yes", "login"], |_| {}),
        (&["finish", "--no-land", "--force", "login"], |_| {}),
        (&["finish", "login"], |sandbox| {
            sandbox.git(["merge", "-q", "--no-edit", "login"]);
        }),
        (&["prune", "--yes"], |sandbox| {
            sandbox.git(["merge", "-q", "--no-edit", "login"]);
        }),
    ];
    for (args, prepare) in ways {
        let sandbox = Sandbox::new();
        start_and_work(&sandbox, "login");
        prepare(&sandbox);
        let path = sandbox.lane_path("login");
        let admin = sandbox.admin(&path);
        let whole = || sandbox.whole_lane("login", &path, &admin);
        let before = whole();
        sandbox.lane(args).ok();
        undo(&sandbox, ["login"]).ok();
        assert!(whole() == before, "{args:?}");
        sandbox.nothing_left_behind(0);

        sandbox.lane(args).ok();
        sandbox.lane(["restore", "login"]).ok();
        undo(&sandbox, ["login"]).ok();
        sandbox.nothing_left_behind(1);
        assert!(!path.exists());
        // What remains is the removal, whose entry is another one by now.
        assert_eq!(refused(&sandbox, &["login"]), "no-entry");
        sandbox.lane(["restore", "login"]).ok();
        assert!(whole() == before, "{args:?}");
        sandbox.work("login", "later", "later");
        assert_eq!(refused(&sandbox, &["login"]), "unsettled");
    }
}

#[test]
fn what_the_lane_held_comes_back_with_a_drop() {
    let sandbox = Sandbox::new();
    start_and_work(&sandbox, "login");
    let path = sandbox.lane_path("login");
    write(&path.join("staged"), "staged");
    sandbox.git_in(&path, ["add", "staged"]);
    write(&path.join("untracked"), "x");
    sandbox.lane(["drop", "--yes", "login"]).ok();
    undo(&sandbox, ["login"]).ok();
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        "A  staged\n?? untracked"
    );
    // A lane whose record was put back by hand is back.
    sandbox.lane(["drop", "--yes", "login"]).ok();
    write(&path.join("in the way"), "x");
    assert_eq!(refused(&sandbox, &["login"]), "path-taken");
}

#[test]
fn without_a_name_it_is_what_the_caller_did_last() {
    let sandbox = Sandbox::new();
    by(&sandbox, "ann", &["start", "a"]).ok();
    by(&sandbox, "bob", &["start", "b"]).ok();
    by(&sandbox, "bob", &["start", "c"]).ok();
    let nobody = by(&sandbox, "cat", &["undo", "--json"]);
    assert_eq!(
        nobody.stdout.contains("\"nothing-to-undo\""),
        nobody.code == 1,
        "{nobody}"
    );
    by(&sandbox, "ann", &["undo"]).ok();
    assert!(!sandbox.lane_path("a").exists());
    // Somebody else's by its name only.
    by(&sandbox, "ann", &["undo", "b"]).ok();
    assert!(!sandbox.lane_path("b").exists());
    by(&sandbox, "ann", &["drop", "c"]).ok();
    let said = by(&sandbox, "bob", &["undo"]).fails(1);
    assert!(
        said.contains(
            "where the drop by 'ann' came after\nhint: if that is to go: git lane undo c"
        ),
        "{said}"
    );
    by(&sandbox, "bob", &["undo", "c"]).ok();
    by(&sandbox, "bob", &["undo"]).ok();
    assert!(!sandbox.lane_path("c").exists());
}

/// A name is used again; what was done with the lane of today comes first.
#[test]
fn lanes_of_one_name_are_told_apart() {
    let sandbox = Sandbox::new();
    start_and_work(&sandbox, "login");
    sandbox.lane(["finish", "login"]).ok();
    let landed = main(&sandbox);
    sandbox.lane(["start", "login"]).ok();
    undo(&sandbox, ["login"]).ok();
    assert_eq!(main(&sandbox), landed);
    undo(&sandbox, ["login"]).ok();
    assert_ne!(main(&sandbox), landed);
    assert_eq!(
        sandbox.git(["log", "-1", "--format=%s", "login"]),
        "login: new.txt"
    );
}

/// The record of a lane that came back by an undo is known to the doctor, and that of one whose
/// start was taken back is not missed.
#[test]
fn the_doctor_knows_of_it() {
    let sandbox = Sandbox::new();
    for name in ["back", "gone"] {
        sandbox.lane(["start", name]).ok();
    }
    sandbox.lane(["drop", "back"]).ok();
    undo(&sandbox, ["back"]).ok();
    undo(&sandbox, ["gone"]).ok();
    assert_eq!(sandbox.findings(), [""; 0]);
    sandbox.git(["config", "--remove-section", "lane.back"]);
    assert_eq!(sandbox.findings(), ["lost-record"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert_eq!(sandbox.git(["config", "lane.back.branch"]), "back");
}
