//! Reverts of landings that something came after.

use super::*;

#[test]
fn a_revert_is_the_one_git_would_make() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        for nowhere in [false, true] {
            let sandbox = with_work("login");
            if strategy == "ff" {
                sandbox.git(["reset", "-q", "--hard", "HEAD~1"]);
            }
            let before = main(&sandbox);
            sandbox
                .lane(["finish", "login", "--strategy", strategy])
                .ok();
            let landed = main(&sandbox);
            sandbox.write("later.txt", "later\n");
            let later = sandbox.commit("later");
            // git, in a clone.
            let clone = sandbox.root().join("clone");
            sandbox.git(["clone", "-q", ".", clone.to_str().unwrap()]);
            let range = format!("{before}..{landed}");
            let how = match strategy {
                "merge" => vec!["-m", "1", &*landed],
                _ => vec![&*range],
            };
            sandbox.git_in(&clone, ["revert", "--no-edit"].iter().chain(&how));
            if nowhere {
                sandbox.git(["switch", "-q", "--detach"]);
            }
            sandbox.write("README", "edited\n");

            let dry = undo(&sandbox, ["-n", "--revert", "login"]).ok();
            assert!(dry.starts_with("would revert the landing"), "{dry}");
            assert_eq!(main(&sandbox), later);
            undo(&sandbox, ["--revert", "login"]).ok();
            let show = |directory: &std::path::Path, format: &str, commit: &str| {
                sandbox.git_in(directory, ["log", "-1", format, commit])
            };
            let tree = show(&sandbox.repo, "--format=%T %P", "main");
            assert_eq!(
                tree,
                format!("{} {later}", show(&clone, "--format=%T", "HEAD")),
                "{strategy}"
            );
            if matches!(strategy, "merge" | "squash") {
                assert_eq!(
                    show(&sandbox.repo, "--format=%B", "main"),
                    show(&clone, "--format=%B", "HEAD")
                );
            } else {
                let said = show(&sandbox.repo, "--format=%B", "main");
                assert_eq!(said.lines().next(), Some("Revert lane 'login'"), "{said}");
                assert!(said.contains(&format!("This reverts the commits {range}:\n")));
            }
            assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
            sandbox.nothing_left_behind(1);
            // The lane waits; that it left can be taken back, the landing and the revert cannot.
            undo(&sandbox, ["login"]).ok();
            assert_eq!(sandbox.git(["rev-parse", "main^"]), later);
            assert!(sandbox.lane_path("login").join("new.txt").exists());
        }
    }
}

#[test]
fn a_conflict_changes_nothing() {
    let sandbox = landed();
    sandbox.write("src/app.txt", "one\ntwo\nfour\n");
    let tip = sandbox.commit("later");
    for args in [&["-n"][..], &[]] {
        let args = ["--json", "undo", "--revert", "login"].iter().chain(args);
        let run = sandbox.lane(args);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["kind"], "conflict", "{run}");
        assert_eq!(
            document["error"]["details"]["paths"],
            serde_json::json!(["src/app.txt"])
        );
        run.fails(3);
        assert_eq!(main(&sandbox), tip);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.nothing_left_behind(1);
    }
}

#[test]
fn hooks_may_object_and_local_changes_may_be_in_the_way() {
    let sandbox = landed();
    let tip = sandbox.commit("later");
    sandbox.write("src/app.txt", "mine\n");
    assert_eq!(refused(&sandbox, &["--revert", "login"]), "in-the-way");
    sandbox.git(["checkout", "-q", "src/app.txt"]);
    sandbox.hook("pre-commit", "exit 3");
    let said = undo(&sandbox, ["--revert", "login"]).fails(1);
    assert!(
        said.contains("hook 'pre-commit' ended with exit code 3"),
        "{said}"
    );
    assert_eq!(main(&sandbox), tip);
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_under_way();
    undo(&sandbox, ["--revert", "--no-verify", "login"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main^"]), tip);
    assert_eq!(read(&sandbox, "src/app.txt"), "one\ntwo\nthree\n");
}

/// Also where it would have been possible to take the landing back, or where it was pushed.
#[test]
fn a_landing_that_is_public_is_reverted() {
    let sandbox = landed();
    let tip = main(&sandbox);
    sandbox.git(["update-ref", "refs/remotes/origin/main", "main"]);
    undo(&sandbox, ["--revert"]).ok();
    assert_eq!(sandbox.git(["rev-parse", "main^"]), tip);
    assert_eq!(
        sandbox.git(["diff", "--stat", &format!("{tip}^"), "main"]),
        ""
    );
}

#[test]
fn only_a_landing_is_reverted() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    assert_eq!(refused(&sandbox, &["--revert", "login"]), "not-landed");
    undo(&sandbox, ["--no-verify"]).fails(2);
    undo(&sandbox, ["--list", "-n"]).fails(2);
}
