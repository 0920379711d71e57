//! Changes of every kind, committed and not: the forecast says what `git merge-tree` says of the same
//! trees.

use super::{check, conflicts};
use crate::support::{Sandbox, installed, skipped, write};

/// Two lanes that have run a script each, and a base on which a third was run.
struct Kind {
    what: &'static str,
    base: &'static str,
    one: &'static str,
    other: &'static str,
}

const fn kind(
    what: &'static str,
    base: &'static str,
    one: &'static str,
    other: &'static str,
) -> Kind {
    Kind {
        what,
        base,
        one,
        other,
    }
}

const KINDS: &[Kind] = &[
    kind("content", "", "echo x >file", "echo y >file"),
    kind("the same", "", "echo x >file", "echo x >file"),
    kind(
        "apart",
        "",
        "sed -i 's/^1$/x/' long",
        "sed -i 's/^40$/y/' long",
    ),
    kind("both add", "", "echo x >new", "echo y >new"),
    kind("delete and change", "", "rm file", "echo y >file"),
    kind("both delete", "", "rm file", "rm file"),
    kind("mode and content", "", "chmod +x file", "echo y >file"),
    kind("modes", "", "chmod +x file", "chmod +x file; echo y >>file"),
    kind("link and content", "", "ln -sf long file", "echo y >file"),
    kind("links", "", "ln -sfn a link", "ln -sfn b link"),
    kind(
        "directory and file",
        "",
        "rm file; mkdir file; echo x >file/in",
        "echo y >file",
    ),
    kind(
        "file where the other has a directory",
        "",
        "rm -r d; echo x >d",
        "echo y >d/a",
    ),
    kind(
        "new file and new directory",
        "",
        "echo x >n",
        "mkdir n; echo y >n/in",
    ),
    kind(
        "rename and change",
        "",
        "mv long longer",
        "sed -i 's/^1$/y/' long",
    ),
    kind(
        "rename with change and change",
        "",
        "mv long longer; sed -i 's/^1$/x/' longer",
        "sed -i 's/^1$/y/' long",
    ),
    kind("two names", "", "mv long one", "mv long other"),
    kind("two to one name", "", "mv long same", "mv longish same"),
    kind("rename and delete", "", "mv long longer", "rm long"),
    kind(
        "a directory moved, a file added",
        "",
        "mv d e",
        "echo y >d/new",
    ),
    kind("directories moved apart", "", "mv d e", "mv d f"),
    kind(
        "a directory moved, moved into",
        "",
        "mv d e",
        "mv long d/long",
    ),
    kind(
        "a directory moved below",
        "",
        "mkdir -p t; mv d t/d",
        "echo y >d/new",
    ),
    kind(
        "a directory split, a file added",
        "",
        "mkdir e f; mv d/a e/a; mv d/b f/b",
        "echo y >d/new",
    ),
    kind(
        "a link in place of a directory",
        "",
        "rm -r d; ln -s nowhere d",
        "echo y >d/a",
    ),
    kind(
        "a file in place of a directory, a link beside",
        "",
        "rm -r d; echo x >d; echo x >d.x",
        "rm -r d; ln -s long d; echo y >d.x",
    ),
    kind("binary", "", "printf 'x\\000' >bin", "printf 'y\\000' >bin"),
    kind(
        "on the base",
        "echo m >file",
        "echo x >file",
        "echo y >other",
    ),
    kind(
        "renamed on the base",
        "mv long longer",
        "sed -i 's/^1$/x/' long",
        "mv long third",
    ),
    kind(
        "odd names",
        "",
        "echo x >'a b'",
        "echo y >'a b'; echo z >'\"q\"'",
    ),
    kind("union", "", "echo x >>u.union", "echo y >>u.union"),
];

/// The verdict and files of a merge as git has them.
fn by_git(sandbox: &Sandbox, ours: &str, theirs: &str) -> Option<Vec<String>> {
    let run = sandbox.sh(&format!(
        "git merge-tree --write-tree -z --name-only --no-messages {ours} {theirs}"
    ));
    let fields: Vec<&str> = run
        .stdout
        .split('\0')
        .filter(|field| !field.is_empty())
        .collect();
    match run.code {
        0 => None,
        1 => {
            // Of two files of one name git calls one by its commit.
            let name = |field: &&str| field.split('~').next().unwrap_or_default().to_owned();
            let mut names: Vec<String> = Vec::new();
            for name in fields[1..].iter().map(name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Some(names)
        }
        code => panic!("git merge-tree ended with {code}: {}", run.stderr),
    }
}

/// A commit of all that is in a lane, made without writing to it.
fn snapshot(sandbox: &Sandbox, name: &str) -> String {
    let script = "cp \"$(git rev-parse --git-dir)/index\" ../index; export GIT_INDEX_FILE=$PWD/../index; \
                  git add -A; git commit-tree -p HEAD -m all $(git write-tree)";
    let run = sandbox.sh_in(&sandbox.lane_path(name), script);
    run.ok().trim().to_owned()
}

#[test]
fn the_forecast_is_gits_own_verdict() {
    for kind in KINDS {
        let sandbox = Sandbox::new();
        let long: String = (1..50).map(|line| format!("{line}\n")).collect();
        sandbox.write("file", "file\n");
        sandbox.write("long", &long);
        sandbox.write("longish", format!("{long}more\n"));
        sandbox.write("bin", b"\0");
        sandbox.write("d/a", "some\nlines\nof\na\n");
        sandbox.write("d/b", "other\nlines\nof\nb\n");
        sandbox.write("u.union", "1\n");
        sandbox.write(".gitattributes", "*.union merge=union\n");
        sandbox.sh("ln -s nowhere link").ok();
        sandbox.commit("files");
        sandbox.lane(["start", "one", "other"]).ok();
        sandbox.sh(kind.base).ok();
        sandbox.git(["add", "-A"]);
        sandbox.git(["commit", "-q", "--allow-empty", "-m", "base"]);
        for (name, script) in [("one", kind.one), ("other", kind.other)] {
            sandbox.sh_in(&sandbox.lane_path(name), script).ok();
        }
        let [one, other] = ["one", "other"].map(|name| snapshot(&sandbox, name));
        let mut expected = Vec::new();
        for (what, ours, theirs) in [
            ("one", "main", &one),
            ("other", "main", &other),
            ("one other", one.as_str(), &other),
        ] {
            let files = by_git(&sandbox, ours, theirs);
            expected.extend(files.map(|files| format!("{what}: {}", files.join(" "))));
        }
        // A second look rests on what the first one has left.
        for look in ["", ", a second look"] {
            let uncommitted = conflicts(&check(&sandbox, &[]).0);
            assert_eq!(uncommitted, expected, "{}{look}", kind.what);
        }
        for name in ["one", "other"] {
            let lane = sandbox.lane_path(name);
            sandbox.git_in(&lane, ["add", "-A"]);
            sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "work"]);
        }
        let committed = conflicts(&check(&sandbox, &[]).0);
        assert_eq!(committed, expected, "{}, committed", kind.what);
    }
}

/// A pipe or a socket beside the lane's new files is none of its work.
#[test]
fn what_git_cannot_have_does_not_count() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    for name in ["a", "b"] {
        write(&sandbox.lane_path(name).join("new"), name);
        sandbox.sh_in(&sandbox.lane_path(name), "mkfifo pipe").ok();
    }
    assert_eq!(conflicts(&check(&sandbox, &[]).0), ["a b: new"]);
}

#[test]
fn filters_are_asked_as_by_git_add() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "filter.up.clean", "tr a-z A-Z"]);
    sandbox.git(["config", "filter.up.smudge", "tr A-Z a-z"]);
    sandbox.write(".gitattributes", "*.up filter=up\n");
    sandbox.write("x.up", "one\n");
    sandbox.commit("filtered");
    sandbox.lane(["start", "a", "b"]).ok();
    write(&sandbox.lane_path("a").join("x.up"), "two\n");
    write(&sandbox.lane_path("b").join("x.up"), "TWO\n");
    assert!(conflicts(&check(&sandbox, &[]).0).is_empty());
    write(&sandbox.lane_path("b").join("x.up"), "three\n");
    assert_eq!(conflicts(&check(&sandbox, &[]).0), ["a b: x.up"]);
}

/// git-lfs keeps what it cleans; what is only forecast it keeps elsewhere.
#[test]
fn large_files_are_compared_and_not_stored() {
    if !installed("git-lfs") {
        return skipped("git-lfs is not installed");
    }
    let sandbox = Sandbox::new();
    sandbox.git(["lfs", "install", "--local"]);
    sandbox.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    sandbox.write("x.bin", "first\n");
    sandbox.commit("large");
    sandbox.lane(["start", "a", "b"]).ok();
    for name in ["a", "b"] {
        write(&sandbox.lane_path(name).join("x.bin"), name);
    }
    let stored = || crate::support::files(&sandbox.repo.join(".git/lfs"));
    let before = stored();
    assert_eq!(conflicts(&check(&sandbox, &[]).0), ["a b: x.bin"]);
    assert_eq!(stored(), before);
    write(&sandbox.lane_path("b").join("x.bin"), "a");
    assert!(conflicts(&check(&sandbox, &[]).0).is_empty());
}

#[test]
fn a_submodule_at_two_commits_is_a_conflict() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git_in(&sandbox.root(), ["init", "-q", "library"]);
    for name in ["1", "2", "3"] {
        write(&library.join("file"), name);
        sandbox.git_in(&library, ["add", "-A"]);
        sandbox.git_in(&library, ["commit", "-q", "-m", name]);
    }
    sandbox.git_in(&library, ["branch", "side", "HEAD~2"]);
    sandbox.git_in(&library, ["checkout", "-q", "side"]);
    sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", "4"]);
    sandbox.git_in(&library, ["checkout", "-q", "-"]);
    sandbox.git_in(&library, ["checkout", "-q", "--detach", "side~1"]);
    sandbox.add_submodule(&library, "library");
    sandbox.commit("submodule");
    sandbox.lane(["start", "a", "b"]).ok();
    for (lane, commit) in [("a", "side"), ("b", "side@{0}")] {
        let lane = sandbox.lane_path(lane);
        sandbox.git_in(&lane, ["submodule", "-q", "update", "--init"]);
        let inner = lane.join("library");
        sandbox.git_in(
            &inner,
            [
                "fetch",
                "-q",
                library.to_str().unwrap(),
                "+refs/heads/*:refs/x/*",
            ],
        );
        let _ = commit;
    }
    let at = |lane: &str, commit: &str| {
        let inner = sandbox.lane_path(lane).join("library");
        sandbox.git_in(&inner, ["checkout", "-q", "--detach", commit]);
    };
    at("a", "refs/x/side");
    assert!(conflicts(&check(&sandbox, &[]).0).is_empty());
    let main = sandbox.git_in(&library, ["branch", "--format=%(refname:short)"]);
    let main = main
        .lines()
        .find(|name| !name.contains("side") && !name.contains('('))
        .unwrap();
    at("b", &format!("refs/x/{main}"));
    assert_eq!(conflicts(&check(&sandbox, &[]).0), ["a b: library"]);
}
