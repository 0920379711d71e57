//! The repository's own hooks see what `git merge` and `git commit` show them, and come before the
//! gate.

use super::{gate, runs, with_lanes};
use crate::support::{Sandbox, write};

/// What a hook can see: where HEAD is, which state files there are, index, files, arguments. Paths
/// of the git directory are left out.
const LOOK: &str = r#"{
    echo "hook ${0##*/} $# $(basename "$1") $2"
    git symbolic-ref HEAD; git rev-parse HEAD
    for name in MERGE_HEAD ORIG_HEAD MERGE_MODE; do
        file=$(git rev-parse --git-path $name)
        test -e "$file" && echo "$name $(cat "$file")"
    done
    git ls-files --stage
    git diff --name-status
    git diff --cached --name-status
    git status --short --untracked-files=no
    cat src/*.txt
    cat ignored/built
    test -n "$GIT_EDITOR" && echo "editor $GIT_EDITOR"
    test -n "$GIT_INDEX_FILE" && echo "index $(basename "$GIT_INDEX_FILE")"
    env | grep -E '^(GITHEAD_|GIT_REFLOG_ACTION)' | sort
    case "${0##*/}" in *msg) cat "$1";; esac
} >> "$LOOKED" 2>&1"#;

fn with_hooks(looked: &str) -> Sandbox {
    let sandbox = with_lanes(&["a"]);
    sandbox.write(".gitignore", "ignored/\n");
    sandbox.write("src/main.txt", "of main\n");
    sandbox.commit("main goes on");
    sandbox.write("ignored/built", "built\n");
    for hook in [
        "pre-merge-commit",
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
    ] {
        let file = sandbox.root().join("home").join(looked);
        sandbox.hook(hook, format!("LOOKED='{}'\n{LOOK}", file.display()));
    }
    sandbox
}

fn looked(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.root().join("home").join(name)).unwrap()
}

#[test]
fn a_merge_shows_them_what_git_merge_shows() {
    let (by_git, by_lane) = (with_hooks("looked"), with_hooks("looked"));
    by_git.git(["merge", "--no-ff", "--no-edit", "-m", "landed", "a"]);
    by_lane.lane(["finish", "a", "-m", "landed"]).ok();
    assert_eq!(looked(&by_lane, "looked"), looked(&by_git, "looked"));
    assert_eq!(
        by_lane.git(["rev-parse", "main"]),
        by_git.git(["rev-parse", "main"])
    );
}

#[test]
fn a_squash_shows_them_what_git_commit_shows() {
    let (by_git, by_lane) = (with_hooks("looked"), with_hooks("looked"));
    by_git.git(["merge", "-q", "--squash", "a"]);
    by_git.git(["commit", "-q", "-m", "landed"]);
    by_lane
        .lane(["finish", "a", "--strategy", "squash", "-m", "landed"])
        .ok();
    assert_eq!(looked(&by_lane, "looked"), looked(&by_git, "looked"));
    assert_eq!(
        by_lane.git(["rev-parse", "main^{tree}"]),
        by_git.git(["rev-parse", "main^{tree}"])
    );
}

/// What a hook does to the files is ignored as git ignores it, what it adds to the index lands, and
/// that is what the gate sees.
#[test]
fn what_pre_commit_adds_is_what_the_gate_tests() {
    let sandbox = with_lanes(&["a"]);
    let hook = "echo formatted > src/a.txt; git add src/a.txt; echo lost > src/app.txt; touch new";
    sandbox.hook("pre-commit", hook);
    let gate = gate(
        &sandbox,
        "test \"$(cat src/a.txt)\" = formatted && test ! -e new && test \"$(cat src/app.txt)\" != lost",
    );
    let args = ["finish", "a", "--strategy", "squash", "--gate", &gate];
    sandbox.lane(args).ok();
    assert_eq!(runs(&sandbox).len(), 1);
    assert_eq!(sandbox.git(["show", "main:src/a.txt"]), "formatted");
    assert_eq!(sandbox.git(["status", "--short"]), "");
}

/// A hook that looks at the merged files stops the landing as it stops `git merge`.
#[test]
fn a_hook_that_stops_git_merge_stops_finish() {
    let sandbox = with_lanes(&["a"]);
    sandbox.hook("pre-merge-commit", "test ! -e src/a.txt");
    sandbox.git_fails(["merge", "--no-ff", "--no-edit", "a"]);
    sandbox.git(["merge", "--abort"]);
    let before = sandbox.git(["rev-parse", "main"]);
    let gate = gate(&sandbox, "true");
    let said = sandbox.lane(["finish", "a", "--gate", &gate]).fails(1);
    assert!(
        said.contains("hook 'pre-merge-commit' ended with exit code 1"),
        "{said}"
    );
    assert_eq!(sandbox.git(["rev-parse", "main"]), before);
    assert!(runs(&sandbox).is_empty());
    sandbox.lane(["finish", "a", "--no-verify"]).ok();
}

/// Hooks below a relative path are those of the merged files, and where they are neither tracked nor
/// ignored those of the worktree that has the base.
#[test]
fn hooks_of_a_relative_path_are_found() {
    for (place, ignored) in [("tracked", false), ("untracked", false), ("ignored", true)] {
        let sandbox = with_lanes(&["a"]);
        if ignored {
            sandbox.write(".gitignore", "/hooks\n");
            sandbox.commit("ignore");
        }
        let hook = sandbox.repo.join("hooks/pre-merge-commit");
        write(&hook, "");
        crate::support::script(&hook, "test ! -e src/a.txt");
        if place == "tracked" {
            sandbox.commit("hooks");
        }
        sandbox.git(["config", "core.hooksPath", "hooks"]);
        let said = sandbox.lane(["finish", "a"]).fails(1);
        assert!(said.contains("hook 'pre-merge-commit'"), "{place}: {said}");
    }
}

/// What is ignored stays so where the hooks run, and what they write there is where git has it.
#[test]
fn ignored_files_are_there_and_stay_ignored() {
    let sandbox = with_lanes(&["a"]);
    sandbox.write(".gitignore", "node_modules/\n*.env\n");
    sandbox.commit("ignore");
    sandbox.write("node_modules/tool/main", "tool\n");
    sandbox.write("local.env", "secret\n");
    sandbox.hook(
        "pre-merge-commit",
        "test -z \"$(git ls-files --others --exclude-standard)\" && test -z \"$(git status --short \
         | grep -v '^A ')\" && cat node_modules/tool/main local.env && touch node_modules/tool/cache \
         && git add -A",
    );
    sandbox.lane(["finish", "a"]).ok();
    assert!(sandbox.repo.join("node_modules/tool/cache").exists());
    assert_eq!(
        sandbox.git(["ls-tree", "-r", "--name-only", "main", "node_modules"]),
        ""
    );
    let own = sandbox.root().join("home/.cache/git-lane/worktrees");
    let left = sandbox
        .sh(&format!("find '{}' -type l", own.display()))
        .ok();
    assert_eq!(left, "");
}

/// HEAD is on the base, and a hook that commits there would take the base to what nobody tested.
#[test]
fn a_hook_that_commits_lands_nothing() {
    for (hook, strategy) in [("pre-merge-commit", "merge"), ("pre-commit", "squash")] {
        let sandbox = with_lanes(&["a"]);
        sandbox.write("src/main.txt", "of main\n");
        let before = sandbox.commit("main goes on");
        let once = sandbox.root().join("home/once");
        let commit = "git commit -q --no-verify -m hookmade";
        sandbox.hook(hook, format!("mkdir '{}' && {commit}", once.display()));
        let args = ["finish", "a", "--strategy", strategy, "--gate", "false"];
        let said = sandbox.lane(args).fails(1);
        assert!(
            said.contains("has made a commit on 'main' itself"),
            "{said}"
        );
        assert_eq!(sandbox.git(["rev-parse", "main"]), before);
        assert_eq!(sandbox.git(["status", "--short"]), "");
        assert!(sandbox.lane_path("a").exists());
    }
}
