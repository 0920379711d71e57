//! When git is asked for a merge at all, and with what.

use std::path::PathBuf;

use super::{check, conflicts, found};
use crate::support::{Sandbox, script, write};

/// Has every `git merge-tree` be noted; the file of the notes.
fn noting_merges(sandbox: &Sandbox) -> PathBuf {
    let (notes, wrapper) = (sandbox.root().join("merges"), sandbox.root().join("git"));
    let git = crate::support::git_program();
    script(
        &wrapper,
        format_args!(
            "case \" $* \" in *' merge-tree '*) echo merge >>'{}';; esac\nexec '{}' \"$@\"",
            notes.display(),
            git.display()
        ),
    );
    notes
}

fn merges(notes: &PathBuf) -> usize {
    let noted = std::fs::read_to_string(notes).unwrap_or_default();
    let _ = std::fs::remove_file(notes);
    noted.lines().count()
}

fn checked(sandbox: &Sandbox) -> i32 {
    let wrapper = sandbox.root().join("git");
    let mut command = sandbox.command("git-lane");
    command.args(["check"]).env("GIT_LANE_GIT", wrapper);
    sandbox.run(&mut command).code
}

#[test]
fn pairs_that_share_no_path_are_clear_without_a_merge() {
    let sandbox = Sandbox::new();
    sandbox.write("d/x", "some\nlines\nthat\nare\nmoved\n");
    sandbox.commit("files");
    sandbox.lane(["start", "a", "b", "c"]).ok();
    for name in ["a", "b", "c"] {
        sandbox.work(name, &format!("of-{name}"), "work\n");
    }
    sandbox.write("of-main", "main\n");
    sandbox.commit("main");
    let notes = noting_merges(&sandbox);
    assert_eq!((checked(&sandbox), merges(&notes)), (0, 0));
    // A directory that one has moved, and the other adds to.
    sandbox.git_in(&sandbox.lane_path("a"), ["mv", "d", "e"]);
    write(&sandbox.lane_path("b").join("d/y"), "new\n");
    assert_eq!(checked(&sandbox), 3);
    assert!(merges(&notes) > 0);
}

#[test]
fn a_second_look_merges_nothing() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    write(&sandbox.lane_path("a").join("src/app.txt"), "of a\n");
    write(&sandbox.lane_path("b").join("src/app.txt"), "of b\n");
    let notes = noting_merges(&sandbox);
    assert_eq!(checked(&sandbox), 3);
    assert!(merges(&notes) > 0);
    assert_eq!((checked(&sandbox), merges(&notes)), (3, 0));
    // What a merge depends on has changed: a setting, an attribute, a tree.
    sandbox.git(["config", "merge.conflictStyle", "diff3"]);
    assert_eq!(checked(&sandbox), 3);
    assert!(merges(&notes) > 0);
    sandbox.write("src/.gitattributes", "*.txt merge=union\n");
    assert_eq!(checked(&sandbox), 0);
    assert!(merges(&notes) > 0);
    std::fs::remove_file(sandbox.repo.join("src/.gitattributes")).unwrap();
    assert_eq!((checked(&sandbox), merges(&notes)), (3, 0));
    write(&sandbox.lane_path("b").join("src/app.txt"), "of a\n");
    assert_eq!(checked(&sandbox), 0);
}

/// Whatever a merge heeds: after each change the second look says what a first one says, and that is
/// something else than before.
#[test]
fn nothing_that_a_merge_heeds_is_remembered_past_its_change() {
    for (setup, change) in [
        (
            "cd ../shop.lanes/a; printf 'one\\r\\ntwo\\r\\nthree\\r\\n' >src/app.txt; git commit -qam a",
            "git config core.autocrlf input; git config merge.renormalize true",
        ),
        (
            "echo 'APP.TXT merge=union' >src/.gitattributes",
            "git config core.ignoreCase true",
        ),
        (
            "echo '*.txt merge=union' >rules; ln -s ../rules src/.gitattributes",
            "rm src/.gitattributes; cp rules src/.gitattributes",
        ),
        (
            "",
            "mkdir -p .git/info; echo '*.txt merge=union' >.git/info/attributes",
        ),
        (
            "echo '*.txt merge=union' >all; git config core.attributesFile all.off",
            "mv all all.off",
        ),
        (
            "git config core.attributesFile all; echo >all",
            "echo '*.txt merge=union' >all",
        ),
        (
            "",
            "git config merge.union.driver true; git config merge.default union",
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "a", "b"]).ok();
        sandbox.work("a", "src/app.txt", "one\nof a\nthree\n");
        sandbox.work("b", "src/app.txt", "one\nof b\nthree\n");
        sandbox.sh(setup).ok();
        let first = found(&sandbox, &[]);
        sandbox.sh(change).ok();
        let second = found(&sandbox, &[]);
        assert_ne!(second, first, "{setup} / {change}");
        std::fs::remove_file(sandbox.repo.join(".git/lane/forecasts.json")).unwrap();
        assert_eq!(second, found(&sandbox, &[]), "{setup} / {change}");
    }
}

/// Whether a submodule's commits are in one line is known where the submodule is.
#[test]
fn what_a_submodule_has_is_looked_at_each_time() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git_in(&sandbox.root(), ["init", "-q", "library"]);
    let commit = |name: &str| {
        write(&library.join("file"), name);
        sandbox.git_in(&library, ["add", "-A"]);
        sandbox.git_in(&library, ["commit", "-q", "-m", name]);
        sandbox.git_in(&library, ["rev-parse", "HEAD"])
    };
    commit("1");
    sandbox.add_submodule(&library, "library");
    sandbox.commit("submodule");
    let (two, three) = (commit("2"), commit("3"));
    sandbox.git(["submodule", "-q", "deinit", "-f", "library"]);
    sandbox.sh("rm -rf .git/modules/library").ok();
    sandbox.lane(["start", "a", "b"]).ok();
    for (name, commit) in [("a", &two), ("b", &three)] {
        let lane = sandbox.lane_path(name);
        let entry = format!("160000,{commit},library");
        sandbox.git_in(&lane, ["update-index", "--cacheinfo", &entry]);
        sandbox.git_in(&lane, ["commit", "-q", "-m", name]);
    }
    assert_eq!(found(&sandbox, &["--committed"]), ["a b: library"]);
    sandbox.git(["submodule", "-q", "update", "--init"]);
    assert!(found(&sandbox, &["--committed"]).is_empty());
}

#[test]
fn a_driver_may_say_what_it_does() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "merge.mine.driver", "echo merging; exit 0"]);
    sandbox.write(".gitattributes", "src/* merge=mine\n");
    sandbox.commit("driver");
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    assert!(found(&sandbox, &[]).is_empty());
    sandbox.lane(["finish", "a"]).ok();
}

#[test]
fn what_no_landing_does_is_not_forecast() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.git(["config", "branch.main.mergeOptions", "-s ours"]);
    let (document, code) = check(&sandbox, &["a"]);
    assert_eq!(
        (&document["lanes"][0]["verdict"], code),
        (&"unknown".into(), 0)
    );
    sandbox.lane(["finish", "a"]).fails(1);
}

#[test]
fn merge_drivers_are_asked_as_by_a_landing() {
    let sandbox = Sandbox::new();
    let heard = sandbox.root().join("heard");
    let driver = format!("pwd >>'{}'; exit 0", heard.display());
    sandbox.git(["config", "merge.mine.driver", &driver]);
    sandbox.write(".gitattributes", "src/* merge=mine\n");
    sandbox.commit("driver");
    sandbox.lane(["start", "a", "b"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.work("b", "src/app.txt", "of b\n");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    assert!(found(&sandbox, &[]).is_empty());
    let asked = std::fs::read_to_string(&heard).unwrap();
    let main = sandbox.repo.canonicalize().unwrap();
    assert!(
        asked.lines().all(|line| *line == *main.to_str().unwrap()),
        "{asked}"
    );
    assert_eq!(asked.lines().count(), 3);
    // Nothing of what a driver says is remembered.
    sandbox.git(["config", "merge.mine.driver", "false"]);
    assert_eq!(conflicts(&check(&sandbox, &[]).0).len(), 3);
    sandbox.lane(["finish", "a"]).fails(3);
}

#[test]
fn the_merge_options_of_the_base_count_as_in_a_landing() {
    if crate::support::git_version() < (2, 43) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a"]).ok();
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.write("src/app.txt", "of main\n");
    sandbox.commit("main");
    assert_eq!(found(&sandbox, &["a"]), ["a: src/app.txt"]);
    sandbox.git(["config", "branch.main.mergeOptions", "-X theirs"]);
    assert!(found(&sandbox, &["a"]).is_empty());
}

#[test]
fn attributes_are_the_bases_where_it_is_checked_out_nowhere() {
    let sandbox = Sandbox::new();
    sandbox.git(["checkout", "-q", "-b", "base"]);
    sandbox.write(".gitattributes", "*.txt merge=union\n");
    sandbox.commit("union");
    sandbox.lane(["start", "a", "b", "--base", "base"]).ok();
    sandbox.git(["checkout", "-q", "main"]);
    sandbox.work("a", "src/app.txt", "of a\n");
    sandbox.work("b", "src/app.txt", "of b\n");
    assert!(found(&sandbox, &[]).is_empty());
}

/// Lanes that have merged each other have several common ancestors, which are none of the base's.
#[test]
fn lanes_that_share_commits_are_compared_by_those() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "a", "b"]).ok();
    let (a, b) = (sandbox.lane_path("a"), sandbox.lane_path("b"));
    sandbox.work("a", "src/app.txt", "of both\n");
    sandbox.git_in(&b, ["reset", "-q", "--hard", "a"]);
    sandbox.work("b", "src/app.txt", "of b\n");
    assert!(found(&sandbox, &[]).is_empty());
    // A criss-cross.
    sandbox.work("a", "one", "1\n");
    sandbox.work("b", "two", "2\n");
    let (one, two) = (
        sandbox.git_in(&a, ["rev-parse", "HEAD"]),
        sandbox.git_in(&b, ["rev-parse", "HEAD"]),
    );
    for (lane, other) in [(&a, &two), (&b, &one)] {
        sandbox.git_in(
            lane,
            [
                "-c",
                "core.hooksPath=/dev/null",
                "merge",
                "-q",
                "--no-edit",
                other,
            ],
        );
    }
    sandbox.work("a", "one", "3\n");
    sandbox.work("b", "one", "4\n");
    assert_eq!(found(&sandbox, &[]), ["a b: one"]);
}
