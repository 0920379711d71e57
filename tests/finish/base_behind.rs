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
