//! What a resolver has resolved lands.

use super::{BOTH, code, collide, conflicting};
use crate::support::{Sandbox, git_version, write};

#[test]
fn what_was_resolved_is_committed_and_lands() {
    for strategy in ["merge", "squash"] {
        let sandbox = conflicting();
        let (base, tip) = (
            sandbox.git(["rev-parse", "main"]),
            sandbox.git(["rev-parse", "login"]),
        );
        let run = sandbox.resolving(BOTH, &["--strategy", strategy]);
        assert!(
            run.stderr
                .contains("conflicts with 'main' in 'src/app.txt'"),
            "{run}"
        );
        let said = run.ok();
        assert!(
            said.contains("after its conflict with 'main' was resolved"),
            "{said}"
        );
        assert_eq!(
            sandbox.git(["show", "main:src/app.txt"]),
            "one\nlogin\nbase beside login\nthree"
        );
        assert_eq!(sandbox.git(["show", "main:of-the-lane"]), "lane");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        assert!(!sandbox.lane_path("login").exists());
        let lane = sandbox.git(["for-each-ref", "--format=%(objectname)", "refs/lane/trash"]);
        if strategy == "merge" {
            let merge = sandbox.git(["rev-parse", "main^2"]);
            let parents = sandbox.git(["rev-parse", "main^1", "main^2^1", "main^2^2"]);
            assert_eq!(parents, [&*base, &tip, &base].join("\n"));
            let message = sandbox.git(["log", "-1", "--format=%B", &merge]);
            assert_eq!(message.trim(), "Merge branch 'main' into login");
        } else {
            // Its only parent.
            assert_eq!(sandbox.git(["rev-parse", "main^@"]), base);
        }
        assert!(!lane.is_empty());
        sandbox.nothing_under_way();
        let names = std::fs::read_dir(sandbox.repo.join(".git/lane")).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.all(|name| !name.starts_with("resolve-")));
    }
}

#[test]
fn without_a_conflict_the_command_does_not_run() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    let ran = sandbox.root().join("ran");
    let resolver = format!("touch '{}'", ran.display());
    let document = sandbox.resolving(&resolver, &["--json"]).json();
    assert_eq!(document["landed"]["resolved"], false);
    assert!(!ran.exists());
}

#[test]
fn the_command_runs_in_the_lane_and_knows_what_for() {
    let sandbox = conflicting();
    let seen = sandbox.root().join("home/seen");
    let resolver = format!(
        "{BOTH} && {{ pwd; echo $GIT_LANE_NAME $GIT_LANE_BRANCH $GIT_LANE_BASE $GIT_DIR; \
         tr '\\0' '\\n' <\"$GIT_LANE_CONFLICTS\"; git symbolic-ref --short HEAD; git rev-parse MERGE_HEAD; \
         cat; }} >'{}'; echo said",
        seen.display()
    );
    let run = sandbox.resolving(&resolver, &["--json"]);
    assert!(run.stderr.contains("said\n"), "{run}");
    assert_eq!(run.json()["landed"]["resolved"], true);
    let (lane, base) = (
        sandbox.lane_path("login"),
        sandbox.git(["rev-parse", "main^1"]),
    );
    let expected = format!(
        "{}\nlogin login main\nsrc/app.txt\nlogin\n{base}\n",
        lane.display()
    );
    assert_eq!(std::fs::read_to_string(seen).unwrap(), expected);
}

#[test]
fn without_json_the_command_has_standard_output() {
    let sandbox = conflicting();
    let run = sandbox.resolving(&format!("{BOTH}; echo said"), &[]);
    assert!(run.ok().starts_with("said\nlanded"));
}

/// Each of these counts as resolved.
#[test]
fn how_the_command_ends_the_merge_is_its_own_business() {
    for more in [
        "true",
        "git add src/app.txt",
        "git commit -qam 'by itself'",
        "git add -A && git merge --continue",
        "git commit -qam one && echo more >more && git add more && git commit -qm two",
        "echo mended >>of-the-base",
        "echo new >new && git add new",
        "git rm -qf --cached src/app.txt && rm src/app.txt",
        "rm src/app.txt",
        "cp src/app.txt x && git checkout -q --ours src/app.txt && mv x src/app.txt",
        "touch ignored",
    ] {
        let sandbox = conflicting();
        let resolver = format!("export GIT_EDITOR=true; {BOTH} && {more}");
        let document = sandbox.resolving(&resolver, &["--json"]).json();
        assert_eq!(document["landed"]["resolved"], true, "{more}");
        assert_eq!(sandbox.git(["show", "main:of-the-lane"]), "lane");
        let mended = sandbox.git(["show", "main:of-the-base"]);
        assert_eq!(mended.contains("mended"), more.contains("mended"), "{more}");
        let gone = sandbox.git(["ls-tree", "main", "src/app.txt"]).is_empty();
        assert_eq!(gone, more.contains("rm "), "{more}");
    }
}

/// git-mergetool(1) leaves the file as it was in conflict.
#[test]
fn a_merge_tool_may_leave_its_backup() {
    let sandbox = conflicting();
    sandbox.git(["config", "merge.tool", "both"]);
    let tool = "cat \"$LOCAL\" \"$REMOTE\" >\"$MERGED\"";
    sandbox.git(["config", "mergetool.both.cmd", tool]);
    sandbox.git(["config", "mergetool.both.trustExitCode", "true"]);
    sandbox.resolving("git mergetool -y", &[]).ok();
    let listed = sandbox.git(["ls-tree", "--name-only", "main", "src/"]);
    assert_eq!(listed, "src/app.txt");
    assert!(
        sandbox
            .git(["show", "main:src/app.txt"])
            .contains("login\nthree\none\nbase")
    );
}

#[test]
fn what_git_remembers_needs_no_command() {
    let sandbox = conflicting();
    sandbox.git(["config", "rerere.enabled", "true"]);
    let lane = sandbox.lane_path("login");
    let merge =
        format!("git merge -q main; {BOTH}; git commit -qam x && git reset -q --hard HEAD^");
    sandbox.sh_in(&lane, &merge).ok();
    let run = sandbox.resolving("false", &[]);
    assert!(
        run.stderr
            .contains("git itself has resolved what conflicts"),
        "{run}"
    );
    run.ok();
    assert!(
        sandbox
            .git(["show", "main:src/app.txt"])
            .contains("login\nbase")
    );
}

#[test]
fn the_hooks_of_git_run_and_no_verify_skips_them() {
    let sandbox = conflicting();
    sandbox.hook("pre-commit", "echo pre-commit >>\"$HOME/ran\"; exit 1");
    let before = sandbox.lane_as_it_is("login");
    let document = sandbox.resolving(BOTH, &["--json", "--strategy", "squash"]);
    assert_eq!(document.code, 3, "{document}");
    let document: serde_json::Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(code(&document), "unresolved");
    let message = document["error"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("git commit ended with exit code 1"),
        "{message}"
    );
    assert_eq!(sandbox.lane_as_it_is("login"), before);
    let ran = sandbox.root().join("home/ran");
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), "pre-commit\n");
    sandbox
        .resolving(BOTH, &["--no-verify", "--strategy", "squash"])
        .ok();
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), "pre-commit\n");
}

#[test]
fn a_gate_tests_what_was_resolved_and_the_resolution_stays_where_it_fails() {
    let sandbox = conflicting();
    let run = sandbox.resolving(BOTH, &["--gate", "grep -q missing src/app.txt"]);
    run.fails(6);
    let lane = sandbox.lane_path("login");
    let message = sandbox.git_in(&lane, ["log", "-1", "--format=%s"]);
    assert_eq!(message, "Merge branch 'main' into login");
    assert_eq!(sandbox.git_in(&lane, ["status", "--porcelain"]), "");
    let gate = ["--gate", "grep -q login src/app.txt"];
    sandbox.resolving("false", &gate).ok();
    assert_eq!(sandbox.untested_moves(), Vec::<String>::new());
}

#[test]
fn a_conflict_that_comes_up_behind_the_gate_is_handed_over_too() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "cart"]).ok();
    for lane in ["login", "cart"] {
        sandbox.work(lane, "src/app.txt", &format!("one\n{lane}\nthree\n"));
    }
    let gate = [
        "finish",
        "login",
        "cart",
        "--json",
        "--gate",
        "true",
        "--on-conflict",
        BOTH,
    ];
    let document = sandbox.lane(gate).json();
    let lanes = document["lanes"].as_array().unwrap();
    let resolved = lanes
        .iter()
        .map(|lane| lane["landed"]["resolved"].as_bool().unwrap());
    assert_eq!(resolved.filter(|resolved| *resolved).count(), 1);
    let text = sandbox.git(["show", "main:src/app.txt"]);
    assert!(text.contains("login") && text.contains("cart"), "{text}");
    assert_eq!(sandbox.untested_moves(), Vec::<String>::new());
}

#[test]
fn a_base_that_moves_meanwhile_is_resolved_again_and_not_for_ever() {
    let sandbox = conflicting();
    let again = |times: usize| {
        format!(
            "{BOTH}; n=$(cat $HOME/n 2>/dev/null || echo 0); if [ $n -lt {times} ]; then \
             echo $((n+1)) >$HOME/n; cd ../../shop && echo one$n >src/app.txt && \
             git commit -qam \"moves $n\"; fi"
        )
    };
    sandbox.resolving(&again(2), &["--keep"]).ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.root().join("home/n")).unwrap(),
        "2\n"
    );
    assert!(sandbox.git(["show", "main:src/app.txt"]).contains("one1"));
    collide(&sandbox, "login", "src/app.txt");
    let said = sandbox.resolving(&again(100), &[]).fails(3);
    assert!(said.contains("moved on 5 times"), "{said}");
}

#[test]
fn several_lanes_are_resolved_one_after_the_other() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b", "c"]).ok();
    for lane in ["a", "b", "c"] {
        sandbox.work(lane, "src/app.txt", &format!("one\n{lane}\nthree\n"));
    }
    let names = ["finish", "a", "b", "c", "--json", "--on-conflict", BOTH];
    let document = sandbox.lane(names).json();
    let resolved = document["lanes"].as_array().unwrap().iter();
    let resolved = resolved.filter(|lane| lane["landed"]["resolved"] == true);
    assert_eq!(resolved.count(), 2);
    let text = sandbox.git(["show", "main:src/app.txt"]);
    assert!(
        text.contains('a') && text.contains('b') && text.contains('c'),
        "{text}"
    );
}

#[test]
fn a_dry_run_says_what_would_run_and_changes_nothing() {
    let sandbox = conflicting();
    let before = sandbox.fingerprint();
    let said = sandbox.resolving("touch ran", &["--dry-run"]).fails(3);
    assert!(
        said.contains("laid out in lane 'login', and this would run there: touch ran"),
        "{said}"
    );
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_way_to_land_without_a_merge_is_refused_before_anything_happens() {
    let sandbox = conflicting();
    let before = sandbox.fingerprint();
    for strategy in ["rebase", "ff"] {
        let said = sandbox.resolving(BOTH, &["--strategy", strategy]).fails(2);
        assert!(
            said.contains(&format!("a landing by {strategy} does not land")),
            "{said}"
        );
    }
    let policy = sandbox.root().join("home/.config/git-lane/lane.toml");
    write(&policy, "[finish]\nstrategy = \"rebase\"\n");
    sandbox.resolving(BOTH, &[]).fails(2);
    sandbox
        .resolving(BOTH, &["--strategy", "merge", "--into", "main"])
        .fails(2);
    sandbox
        .resolving(BOTH, &["--strategy", "merge", "--no-land"])
        .fails(2);
    std::fs::remove_file(policy).unwrap();
    assert_eq!(sandbox.fingerprint(), before);
}

#[test]
fn a_lane_without_a_branch_or_a_worktree_conflicts_as_without_a_command() {
    let sandbox = conflicting();
    sandbox.git([
        "worktree",
        "remove",
        sandbox.lane_path("login").to_str().unwrap(),
    ]);
    let said = sandbox.resolving(BOTH, &[]).fails(3);
    assert!(
        said.contains("only where the lane has a worktree with a branch"),
        "{said}"
    );
}

#[test]
fn the_rule_lets_the_base_into_the_lane() {
    let sandbox = conflicting();
    let level = match git_version() >= (2, 46) {
        true => "refuse",
        false => "restore",
    };
    sandbox.lane(["init", "--level", level]).ok();
    sandbox
        .resolving(&format!("{BOTH}; git commit -qam itself"), &[])
        .ok();
    assert!(
        sandbox
            .git(["show", "main:src/app.txt"])
            .contains("login\nbase")
    );
}

#[test]
fn what_is_uncommitted_in_the_lane_is_not_touched() {
    let sandbox = conflicting();
    let lane = sandbox.lane_path("login");
    write(&lane.join("README"), "edited\n");
    let before = sandbox.fingerprint();
    sandbox.resolving(BOTH, &[]).fails(1);
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.resolving(BOTH, &["--commit", "edits"]).ok();
    assert_eq!(sandbox.git(["show", "main:README"]), "edited");
}
