//! What is shown is the lane as it stands, and what comes back is what was there.

use super::{at_work, forgotten, lane, of_lane, of_main, sandbox, visible};
use crate::support::{Sandbox, skipped, write};

/// What is done in the lane, by a shell.
const LANES: &[(&str, &str)] = &[
    ("nothing", ""),
    ("nothing of its own", "git reset -q --hard main"),
    ("changed", "echo x >>README"),
    ("staged", "echo x >>README; git add README"),
    (
        "staged and changed",
        "echo x >>README; git add README; echo y >>README",
    ),
    ("new", "echo x >new; mkdir d; echo y >d/new"),
    ("new and staged", "echo x >new; git add new; echo y >>new"),
    ("to be added", "echo x >new; git add -N new"),
    ("gone", "rm README"),
    ("gone from the index", "git rm -q --cached README"),
    ("a directory gone", "rm -r sub"),
    ("renamed", "git mv README OTHER"),
    ("runs", "chmod +x README"),
    ("a link", "ln -s README link; ln -s nowhere dead"),
    ("a link for a file", "rm README; ln -s src README"),
    ("a link for a directory", "rm -r sub; ln -s src sub"),
    ("a file for a directory", "rm -r sub; echo x >sub"),
    (
        "a directory for a file",
        "rm README; mkdir README; echo x >README/x",
    ),
    ("empty", ": >README; : >empty"),
    ("bytes", "printf 'a\\000b\\377' >bytes"),
    (
        "odd names",
        "echo x >'a b'; echo y >'-n'; echo z >'üñ'; echo w >\"$(printf 'a\\nb')\"",
    ),
    ("a name that is no text", "echo x >\"$(printf 'a\\377b')\""),
    ("large", "head -c 300000 /dev/zero >large"),
    ("less is ignored", "echo '# nothing' >.gitignore"),
    (
        "more is ignored",
        "echo '*.tmp' >>.gitignore; echo x >a.tmp",
    ),
    (
        "crlf by attribute",
        "echo 'src/*.txt text eol=crlf' >.gitattributes; printf 'a\\r\\nb\\r\\n' >src/app.txt",
    ),
    (
        "bytes by attribute",
        "echo '*.txt -text' >.gitattributes; printf 'a\\r\\nb\\n' >src/app.txt",
    ),
    (
        "a filter",
        "echo 'src/*.txt filter=twist' >.gitattributes; printf 'abc\\n' >src/app.txt",
    ),
    (
        "a conflict that was left",
        "echo a >README; git stash -q; echo b >README; git commit -qam b; git stash pop -q || true",
    ),
    (
        "a submodule that is not there",
        "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),module; mkdir -p module",
    ),
    (
        "files that git is told not to look at",
        "git update-index --assume-unchanged README; echo edited >>README;
         git update-index --skip-worktree src/app.txt; echo more >>src/app.txt;
         git update-index --assume-unchanged sub/deep.txt; rm sub/deep.txt",
    ),
    (
        "files that git is told not to look at, beside what only git can tell",
        "echo new >added; git add --intent-to-add added;
         git update-index --assume-unchanged README; echo edited >>README;
         git update-index --skip-worktree src/app.txt; echo more >>src/app.txt",
    ),
    ("a pipe", "mkfifo pipe; echo x >new"),
];

fn prepared(script: &str) -> Sandbox {
    let sandbox = sandbox();
    sandbox.git(["config", "filter.twist.clean", "tr a-m n-z"]);
    sandbox.git(["config", "filter.twist.smudge", "tr n-z a-m"]);
    sandbox
        .sh_in(&lane(&sandbox), &format!("set -e; {script}"))
        .ok();
    sandbox
}

#[test]
fn the_main_worktree_has_the_lanes_files_and_then_its_own_again() {
    for (name, script) in LANES {
        let sandbox = prepared(script);
        // git refreshes the index when it is asked.
        let (main, own) = (of_main(&sandbox), of_lane(&sandbox));
        let before = visible(&sandbox, &lane(&sandbox));
        sandbox.lane(["try", "login"]).ok();
        assert_eq!(of_lane(&sandbox), own, "{name}");
        let mut shown = visible(&sandbox, &sandbox.repo);
        // What was ignored in the main worktree and is not in the lane is the main worktree's.
        for own in [&b"own.log"[..], b"build/out.o"] {
            shown.remove(own);
        }
        assert_eq!(shown, before, "{name}");
        let head = sandbox.git(["rev-parse", "HEAD"]);
        assert_eq!(head, sandbox.git(["rev-parse", "refs/lane/try"]), "{name}");
        sandbox.git_fails(["symbolic-ref", "-q", "HEAD"]);
        sandbox.git(["diff-index", "--quiet", "--cached", "HEAD"]);
        assert_eq!(sandbox.git(["diff", "--name-only"]), "", "{name}");
        sandbox.lane(["try", "--back"]).ok();
        assert_eq!(of_main(&sandbox), main, "{name}");
        assert_eq!(of_lane(&sandbox), own, "{name}");
        forgotten(&sandbox);
    }
}

#[test]
fn a_lane_of_its_own_kind_is_shown_too() {
    for (start, lanes_head) in [
        (&["start", "look", "--detach"][..], "HEAD"),
        (&["start", "look", "--read-only"][..], "HEAD"),
    ] {
        let sandbox = sandbox();
        sandbox.lane(start).ok();
        let look = sandbox.lane_path("look");
        write(&look.join("README"), "looked at\n");
        let main = of_main(&sandbox);
        sandbox.lane(["try", "look"]).ok();
        assert_eq!(
            std::fs::read(sandbox.repo.join("README")).unwrap(),
            b"looked at\n"
        );
        assert_eq!(
            sandbox.git(["rev-parse", "HEAD^"]),
            sandbox.git_in(&look, ["rev-parse", lanes_head])
        );
        sandbox.lane(["try", "--back"]).ok();
        assert_eq!(of_main(&sandbox), main);
    }
}

/// Where nothing is uncommitted, no commit is made.
#[test]
fn a_settled_lane_is_shown_as_its_own_commit() {
    let sandbox = sandbox();
    let run = sandbox.lane(["try", "login", "--json"]).json();
    let tip = sandbox.git(["rev-parse", "login"]);
    assert_eq!(run["shown"]["commit"], *tip);
    assert_eq!(run["shown"]["tip"], *tip);
    assert_eq!(sandbox.git(["rev-parse", "HEAD"]), tip);
}

/// git-lane names no lane where one stands in it.
#[test]
fn inside_a_lane_that_lane_is_meant() {
    let sandbox = at_work();
    let shown = sandbox
        .lane_in(&lane(&sandbox).join("src"), ["try", "--json"])
        .json();
    assert_eq!(shown["lane"], "login");
    assert!(sandbox.repo.join("untracked/new.txt").exists());
    let back = sandbox
        .lane_in(&lane(&sandbox), ["try", "--back", "--json"])
        .json();
    assert_eq!(back["back"]["branch"], "main");
    forgotten(&sandbox);
}

#[test]
fn sparse_worktrees_stay_sparse() {
    let sandbox = at_work();
    sandbox.git(["sparse-checkout", "set", "--no-cone", "/README", "/src"]);
    let main = of_main(&sandbox);
    sandbox.lane(["try", "login"]).ok();
    assert_eq!(
        std::fs::read(sandbox.repo.join("README")).unwrap(),
        b"edited\n"
    );
    assert!(!sandbox.repo.join("staged.txt").exists());
    sandbox.lane(["try", "--back"]).ok();
    assert_eq!(of_main(&sandbox), main);
    forgotten(&sandbox);
}

/// The commit that is shown outlives a gc of everything that nothing names.
#[test]
fn no_gc_takes_away_what_is_shown() {
    let sandbox = at_work();
    sandbox.lane(["try", "login"]).ok();
    sandbox.collect_garbage();
    sandbox.git(["fsck", "--no-dangling"]);
    assert_eq!(sandbox.git(["status", "--porcelain", "-uno"]), "");
    sandbox.lane(["try", "--back"]).ok();
}

#[test]
fn a_reftable_shows_lanes_too() {
    if crate::support::git_version() < (2, 46) {
        return skipped("this git has no reftable");
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "--ref-format=reftable", "-b", "main"]);
    sandbox.write("README", "one\n");
    sandbox.commit("one");
    sandbox.lane(["start", "login"]).ok();
    write(&lane(&sandbox).join("README"), "two\n");
    sandbox.lane(["try", "login"]).ok();
    assert_eq!(
        std::fs::read(sandbox.repo.join("README")).unwrap(),
        b"two\n"
    );
    sandbox.git_fails(["symbolic-ref", "-q", "HEAD"]);
    sandbox.write("README", "three\n");
    sandbox.lane(["try", "--back", "--to-lane"]).ok();
    assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(
        std::fs::read(lane(&sandbox).join("README")).unwrap(),
        b"three\n"
    );
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane"]), "");
}
