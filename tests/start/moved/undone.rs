//! `git lane undo` of a start that took work along: the work is back where it came from.

use super::work_in;
use crate::start::assert_nothing_left;
use crate::support::{Sandbox, git_version};

fn moved(script: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.sh(script).ok();
    let before = work_in(&sandbox, &sandbox.repo);
    sandbox.lane(["start", "login", "--move"]).ok();
    (sandbox, before)
}

const WORK: &str = "echo x >>README; git add README; echo y >>README; rm src/app.txt; \
    mkdir -p a/b; echo z >a/b/z; ln -s z a/link; echo n >new; git add -N new; chmod +x new";

#[test]
fn the_work_is_back_as_it_was() {
    for script in [
        WORK,
        "rm -r src; echo x >src; git rm -q README; mkdir README; echo x >README/x; git add README",
        "git mv README READ; echo more >>READ",
        "echo a >README; git stash -q; echo b >README; git commit -qam b; \
         ! git stash pop -q >/dev/null 2>&1; git stash drop -q",
    ] {
        let (sandbox, before) = moved(script);
        let dry = sandbox.lane(["undo", "-n"]).ok();
        assert!(dry.contains("its work would be back in "), "{dry}");
        assert_ne!(work_in(&sandbox, &sandbox.repo), before);
        let said = sandbox.lane(["undo"]).ok();
        assert!(said.contains("its work is back in "), "{said}");
        assert_eq!(work_in(&sandbox, &sandbox.repo), before, "{script}");
        assert!(!sandbox.lane_path("login").exists());
        assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
        assert_nothing_left(&sandbox);
        // The trash has it too.
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(work_in(&sandbox, &sandbox.lane_path("login")), before);
    }
}

/// What was done in the lane since goes back too: it is what the lane has.
#[test]
fn later_edits_of_the_lane_come_along() {
    let (sandbox, _) = moved(WORK);
    let lane = sandbox.lane_path("login");
    sandbox
        .sh_in(&lane, "echo later >>README; echo later >later")
        .ok();
    let before = work_in(&sandbox, &lane);
    let document = sandbox.lane(["undo", "--json"]).json();
    assert_eq!(
        document["undone"][0]["workBackIn"],
        sandbox.repo.to_str().unwrap()
    );
    assert_eq!(work_in(&sandbox, &sandbox.repo), before);
}

/// A copy goes if it is what its original still is.
#[test]
fn a_copy_goes_into_the_trash() {
    let sandbox = Sandbox::new();
    sandbox.sh(WORK).ok();
    let before = work_in(&sandbox, &sandbox.repo);
    sandbox.lane(["start", "login", "--move", "--keep"]).ok();
    sandbox.lane(["undo"]).ok();
    assert_eq!(work_in(&sandbox, &sandbox.repo), before);
    assert!(!sandbox.lane_path("login").exists());
}

/// What happened in the lane or the place since, and a part of the refusal.
#[test]
fn nothing_is_written_over() {
    for (in_place, in_lane, said) in [
        ("echo other >>README", ":", "'README' is another one"),
        ("echo other >new", ":", "'new' is another one"),
        (
            "echo new >.gitignore; echo other >new",
            ":",
            "'new' is another one",
        ),
        ("rm -r src", ":", "'src/app.txt' is another one"),
        (
            "echo more >>README; git commit -qam more",
            ":",
            "has another 'README'",
        ),
        ("git rm -q README", ":", "'README' is another one"),
        (":", "git commit -qam done", "has"),
        (
            ":",
            "git stash -q; git stash pop -q; git checkout -q --detach",
            "detached",
        ),
        ("git bisect start", ":", "bisect is in progress"),
    ] {
        let (sandbox, _) = moved("echo x >>README; echo n >new; echo y >>src/app.txt");
        sandbox.sh(in_place).ok();
        let lane = sandbox.lane_path("login");
        sandbox.sh_in(&lane, in_lane).ok();
        let before = [&sandbox.repo, &lane].map(|place| work_in(&sandbox, place));
        let run = sandbox.lane(["undo", "login"]);
        assert!(
            run.code == 1 && run.stderr.contains(said),
            "{in_place}, {in_lane}: {run}"
        );
        let after = [&sandbox.repo, &lane].map(|place| work_in(&sandbox, place));
        assert_eq!(after, before, "{in_place}, {in_lane}");
    }
}

/// Other work in the place is no obstacle.
#[test]
fn what_is_elsewhere_in_the_place_stays() {
    let (sandbox, _) = moved("echo x >>README");
    sandbox
        .sh("echo other >other; git add other; echo y >>src/app.txt")
        .ok();
    sandbox.lane(["undo"]).ok();
    assert_eq!(
        sandbox.git(["status", "--short"]),
        " M README\nA  other\n M src/app.txt"
    );
}

/// A lane on another file system, and refs that are a reftable: there, back, and back again by the next undo
/// where one was killed on the way.
#[test]
fn it_goes_and_comes_wherever_the_lane_is() {
    let steps = [
        "",
        "carry.held",
        "carry.made-room",
        "undo.work-back",
        "undo.done",
    ];
    for reftable in [false, true]
        .into_iter()
        .take(if git_version() < (2, 45) { 1 } else { 2 })
    {
        for step in steps {
            let sandbox = Sandbox::new();
            if reftable {
                std::fs::remove_dir_all(sandbox.repo.join(".git")).unwrap();
                sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
                sandbox.commit("first");
            }
            let Some((_directory, far)) = sandbox.far() else {
                return;
            };
            sandbox.sh(WORK).ok();
            let before = work_in(&sandbox, &sandbox.repo);
            let start = ["start", "login", "--move", "--path", far.to_str().unwrap()];
            sandbox.lane(start).ok();
            assert_eq!(work_in(&sandbox, &far), before, "{step} {reftable}");
            assert_eq!(
                sandbox.git(["status", "--porcelain"]),
                "",
                "{step} {reftable}"
            );
            if !step.is_empty() {
                sandbox.died(step, ["undo", "login"]);
                // Another command knows nothing of it, and the lane has all of it until the end.
                sandbox.lane(["trash", "--expire"]).ok();
                if far.exists() {
                    assert_eq!(work_in(&sandbox, &far), before, "{step} {reftable}");
                }
            }
            if step != "undo.done" {
                sandbox.lane(["undo", "login"]).ok();
            }
            assert_eq!(
                work_in(&sandbox, &sandbox.repo),
                before,
                "{step} {reftable}"
            );
            assert!(!far.exists(), "{step} {reftable}");
            assert_nothing_left(&sandbox);
        }
    }
}
