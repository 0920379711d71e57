//! A base that lacks what its upstream has: said before anything lands, and once for each base.

use super::*;

#[test]
fn a_base_behind_its_upstream_is_named_before_it_moves() {
    let sandbox = Sandbox::new();
    sandbox.with_origin();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    for lane in ["a", "b", "c"] {
        sandbox.work(lane, lane, "x");
    }
    let sentence = "'main' is 2 commits behind 'origin/main'";
    let hint = "up to date first with: git lane sync --fetch a";
    let quiet = sandbox.lane(["finish", "-n", "a"]);
    assert!(!quiet.stderr.contains("behind"), "{quiet}");
    // A colleague's commits, as they were fetched last.
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    let mut tip = sandbox.git(["rev-parse", "main"]);
    for message in ["one", "two"] {
        tip = sandbox.git(["commit-tree", "-p", &tip, "-m", message, &tree]);
    }
    sandbox.git(["update-ref", "refs/remotes/origin/main", &tip]);
    for args in [&["finish", "-n", "a"][..], &["finish", "a"]] {
        let run = sandbox.lane(args);
        assert!(
            run.stderr.contains(sentence) && run.stderr.contains(hint),
            "{run}"
        );
        run.ok();
    }
    // Once for all lanes; the base has commits of its own now.
    let run = sandbox.lane(["finish", "b", "c"]);
    assert_eq!(run.stderr.matches("'main' is ").count(), 1, "{run}");
    assert!(
        run.stderr
            .contains(&format!("{sentence} and 2 ahead of it")),
        "{run}"
    );
    // What lands nowhere has nothing to do with it.
    sandbox.lane(["start", "d"]).ok();
    let run = sandbox.lane(["finish", "--no-land", "d"]);
    assert!(!run.stderr.contains("behind"), "{run}");
}

/// What a colleague has pushed is not the lane's to squash or to replay.
#[test]
fn commits_of_the_upstream_are_not_rewritten() {
    let sandbox = Sandbox::new();
    let origin = sandbox.with_origin();
    let lane = sandbox.lane_by_git("login");
    sandbox.work("login", "new.txt", "new\n");
    for file in ["one.txt", "two.txt"] {
        sandbox.colleague_pushes(&origin, file);
    }
    sandbox.git(["fetch", "-q"]);
    // As long as the lane has only its own.
    sandbox
        .lane(["finish", "login", "-n", "--strategy", "squash"])
        .ok();
    sandbox.git_in(&lane, ["rebase", "-q", "origin/main"]);
    let before = sandbox.git(["rev-parse", "main"]);
    for strategy in ["squash", "rebase"] {
        for dry in [&["-n"][..], &[]] {
            let args = ["finish", "login", "--strategy", strategy];
            let run = sandbox.lane(args.iter().chain(dry));
            assert!(run.stderr.contains("has commits of 'origin/main'"), "{run}");
            let hint = "git lane sync --fetch login";
            assert!(run.stderr.contains(hint), "{run}");
            run.fails(1);
        }
    }
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    for strategy in ["merge", "ff"] {
        sandbox
            .lane(["finish", "login", "-n", "--strategy", strategy])
            .ok();
    }
    sandbox.lane(["sync", "--fetch", "login"]).ok();
    sandbox
        .lane(["finish", "login", "--strategy", "squash"])
        .ok();
    let landed = sandbox.git(["log", "--format=%s", "origin/main..main"]);
    assert_eq!(landed, "login: new.txt");
}
