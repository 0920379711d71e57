//! A landing as hooks see it: what `git merge` has written by the time it calls them.

use std::path::Path;

use crate::support::Sandbox;

/// Two branches that can be merged; commits of both and the tree of the merge.
fn two_branches() -> (Sandbox, [String; 3]) {
    let sandbox = Sandbox::new();
    sandbox.git(["checkout", "-q", "-b", "side"]);
    sandbox.write("side", "side\n");
    let side = sandbox.commit("side");
    sandbox.git(["checkout", "-q", "main"]);
    sandbox.write("README", "main\n");
    let main = sandbox.commit("main");
    let tree = sandbox.git(["merge-tree", "--write-tree", "main", "side"]);
    (sandbox, [main, side, tree])
}

/// What tells of the merge in a git directory: names and contents.
fn told(git_dir: &Path) -> Vec<(&'static str, Option<String>)> {
    let names = [
        "HEAD",
        "ORIG_HEAD",
        "AUTO_MERGE",
        "MERGE_HEAD",
        "MERGE_MODE",
        "MERGE_MSG",
        "SQUASH_MSG",
    ];
    names
        .map(|name| (name, std::fs::read_to_string(git_dir.join(name)).ok()))
        .to_vec()
}

#[test]
fn each_hook_sees_what_git_merge_would_show_it() {
    for (hook, moment, no_ff) in [
        ("pre-merge-commit", "merged", true),
        ("prepare-commit-msg", "message", true),
        ("commit-msg", "message", false),
    ] {
        let (sandbox, [main, side, tree]) = two_branches();
        let seen = sandbox.root().join("seen");
        let copy = "mkdir \"$SEEN\"; for f in HEAD ORIG_HEAD AUTO_MERGE MERGE_HEAD MERGE_MODE MERGE_MSG SQUASH_MSG; do [ ! -e .git/$f ] || cp .git/$f \"$SEEN\"; done; git write-tree >\"$SEEN/tree\"; git status --porcelain >\"$SEEN/status\"; exit 1";
        sandbox.hook(hook, copy);
        let mut merge = sandbox.command("git");
        merge
            .args(["merge", "-q", "-m", "Merge it", "side"])
            .args(no_ff.then_some("--no-ff"));
        drop(sandbox.run(merge.env("SEEN", &seen)).fails(1));
        sandbox.git(["merge", "--abort"]);
        let moment = match moment {
            "message" => format!("message {side} {}", if no_ff { "no-ff" } else { "ff" }),
            moment => moment.to_owned(),
        };
        let status = "sh git status --porcelain; git write-tree";
        let said = sandbox.gate_ok(&[
            "hooks",
            &format!("show_merge main {main} {tree} {moment}"),
            status,
            "index_tree",
            "differing",
        ]);
        assert_eq!(
            told(&sandbox.slot("hooks").join("tree/.git")),
            told(&seen),
            "{hook}"
        );
        let expected =
            ["status", "tree"].map(|name| std::fs::read_to_string(seen.join(name)).unwrap());
        assert_eq!(
            said[2].replace("\\n", "\n").trim_end(),
            expected.concat().trim_end(),
            "{hook}"
        );
        assert_eq!((&*said[3], &*said[4]), (&*tree, "[]"), "{hook}");
    }
}

#[test]
fn a_squash_has_its_message_and_no_merge() {
    let (sandbox, [main, _, tree]) = two_branches();
    sandbox.gate_ok(&["hooks", &format!("show_merge main {main} {tree} squashed")]);
    let told = told(&sandbox.slot("hooks").join("tree/.git"));
    let expected = [
        ("HEAD", Some("ref: refs/heads/main\n".to_owned())),
        ("ORIG_HEAD", Some(format!("{main}\n"))),
        ("AUTO_MERGE", Some(format!("{tree}\n"))),
        ("MERGE_HEAD", None),
        ("MERGE_MODE", None),
        ("MERGE_MSG", None),
        ("SQUASH_MSG", Some("Squashed\n".to_owned())),
    ];
    assert_eq!(told, expected);
    // One that lands upon another that is still to land.
    let on = sandbox.git(["rev-parse", "main~1"]);
    sandbox.gate_ok(&["hooks", &format!("show_merge main {on} {tree} merged")]);
    let head = std::fs::read_to_string(sandbox.slot("hooks").join("tree/.git/HEAD")).unwrap();
    assert_eq!(head, format!("{on}\n"));
}

#[test]
fn what_a_hook_changes_is_told() {
    let (sandbox, [main, _, tree]) = two_branches();
    let show = format!("show_merge main {main} {tree} merged");
    let staged = sandbox.gate_ok(&["hooks", &show, "sh echo x >README; git add README; echo y >>side; touch src/app.txt; git status >/dev/null", "differing", "index_tree"]);
    assert_eq!(staged[3], "[\"README\", \"side\"]");
    assert_ne!(staged[4], tree);
    let listed = sandbox.git(["ls-tree", &staged[4]]);
    assert!(
        listed.contains("README") && sandbox.git(["show", &format!("{}:README", staged[4])]) == "x",
        "{listed}"
    );
    let touched = sandbox.gate_ok(&[
        "hooks",
        &show,
        "sh touch README; git status >/dev/null; git update-index --refresh",
        "differing",
        "index_tree",
        "sh git rm -q --cached side; chmod +x README",
        "differing",
    ]);
    assert_eq!(
        (&*touched[3], &*touched[4], &*touched[6]),
        ("[]", &*tree, "[\"README\", \"side\"]")
    );
}

#[test]
fn a_worktree_that_is_gone_or_moved_is_told_apart() {
    let (sandbox, [main, side, tree]) = two_branches();
    let show = format!("show_merge main {main} {tree} merged");
    for deed in [
        "rm -rf \"$PWD\"",
        "git checkout -q -f --detach side",
        "rm -r .git",
        "rm -rf ../../hooks",
        "mv ../../hooks ../../away; mkdir ../../hooks",
    ] {
        let said = sandbox.gate(&["hooks", &show, &format!("sh {deed}"), "differing"]);
        assert!(said[3].starts_with("gate-worktree: "), "{deed}: {said:?}");
    }
    let said = sandbox.gate_ok(&[
        "gate",
        &format!("check_out {side}"),
        "sh rm -rf \"$PWD\"",
        &format!("check_out {side}"),
        "differing",
    ]);
    assert_eq!(said[4], "[]");
    sandbox.assert_exact("side", &[], "removed");
}
