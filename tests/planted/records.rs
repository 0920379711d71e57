//! Records in `.git/config` whose worktree is a directory that was never a lane's.

use super::look;
use crate::support::{Sandbox, write};

#[test]
fn a_record_makes_no_lane_of_what_is_none() {
    for place in [
        "HOME",
        "ROOT/precious",
        "REPO",
        "REPO/.git",
        "REPO/src",
        "ROOT/other",
        "/",
        "HOME/..",
        "x",
    ] {
        let sandbox = Sandbox::new();
        let victim = sandbox.precious();
        let other = sandbox.root().join("other");
        std::fs::create_dir(&other).unwrap();
        sandbox.git_in(&other, ["init", "-q", "-b", "main", "."]);
        write(&other.join("work"), "gold\n");
        sandbox.git(["branch", "evil"]);
        let path = place
            .replace("HOME", sandbox.root().join("home").to_str().unwrap())
            .replace("ROOT", sandbox.root().to_str().unwrap())
            .replace("REPO", sandbox.repo.to_str().unwrap());
        sandbox.record("evil", std::path::Path::new(&path));
        let before = (
            look(&sandbox, &victim),
            sandbox.git(["config", "--list", "--local"]),
        );
        for args in [
            &["show", "evil"][..],
            &["list"],
            &["path", "evil"],
            &["doctor"],
            &["doctor", "--fix"],
            &["finish", "evil"],
            &["finish", "evil", "--no-land", "--force"],
            &["prune", "--older-than", "0s", "--yes"],
            &["start", "evil"],
            &["drop", "--yes", "evil"],
            &["drop", "--yes", "--force", "evil"],
            &["restore", "evil"],
        ] {
            let run = sandbox.lane_in_time(args);
            assert_eq!(look(&sandbox, &victim), before.0, "{place} {args:?}: {run}");
            assert!(
                other.join("work").exists() && sandbox.root().join("home").exists(),
                "{place} {args:?}: {run}"
            );
            assert!(
                sandbox.repo.join(".git/HEAD").exists()
                    && sandbox.repo.join("src/app.txt").exists(),
                "{place}: {run}"
            );
        }
        sandbox.git(["rev-parse", "--verify", "main"]);
    }
}

/// Of two records with one directory the lane's whose branch is checked out there has it.
#[test]
fn a_record_takes_no_other_lanes_directory() {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("k");
    write(&lane.join("work"), "gold\n");
    sandbox.git(["branch", "evil"]);
    sandbox.record("evil", &lane);
    for args in [
        &["finish", "evil"][..],
        &["finish", "evil", "--no-land", "--force"],
        &["prune", "--older-than", "0s", "--yes"],
        &["drop", "--yes", "evil"],
        &["drop", "--force", "evil"],
    ] {
        let run = sandbox.lane_in_time(args);
        assert!(lane.join("work").exists(), "{args:?}: {run}");
    }
    let _ = sandbox.lane(["drop", "--yes", "k"]).ok();
    assert!(!lane.exists());
}
