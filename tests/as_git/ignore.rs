//! A file that git shows as untracked is seen, whatever hides it elsewhere, and no lane is taken
//! away with it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{Sandbox, script, write};

/// What is done to the lane in the second path.
type Setup<'a> = &'a dyn Fn(&Sandbox, &Path);

/// Where patterns are written, and how.
type Patterns = fn(&Sandbox, &Path, &str);

/// What git counts in a worktree, with everything switched on that shows work: untracked paths and
/// changed ones.
fn by_git(sandbox: &Sandbox, lane: &Path) -> (u64, u64) {
    let all = [
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.untrackedCache=false",
        "-c",
        "status.showUntrackedFiles=normal",
    ];
    let status = [
        "status",
        "--porcelain=v2",
        "--ignore-submodules=none",
        "--no-renames",
    ];
    let said = sandbox.git_in(lane, all.into_iter().chain(status));
    let count = |test: fn(&&str) -> bool| said.lines().filter(test).count() as u64;
    (
        count(|line| line.starts_with('?')),
        count(|line| line.starts_with('1') && line.as_bytes()[3] != b'.'),
    )
}

/// What git-lane's list counts.
fn by_lane(sandbox: &Sandbox) -> (u64, u64) {
    let listed = sandbox.lane(["list", "--json"]).json();
    let lane = listed["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|lane| lane["lane"] == "x")
        .cloned()
        .unwrap();
    (
        lane["untracked"].as_u64().unwrap(),
        lane["modified"].as_u64().unwrap(),
    )
}

/// Sets a lane up, compares, and expects `finish`, `drop` and `prune` to take it only where git
/// sees nothing.
#[track_caller]
fn compare(name: &str, setup: Setup<'_>) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let lane = sandbox.lane_path("x");
    sandbox.work("x", "src/done", "x");
    sandbox.git(["merge", "-q", "--ff-only", "x"]);
    setup(&sandbox, &lane);
    let (ours, gits) = (by_lane(&sandbox), by_git(&sandbox, &lane));
    assert_eq!(
        ours, gits,
        "{name}: (untracked, modified) of git-lane and of git"
    );
    if gits != (0, 0) {
        sandbox.lane(["finish", "x"]).fails(1);
        sandbox.lane(["drop", "x"]).fails(1);
        let pruned = sandbox.lane(["prune", "--yes", "--older-than", "0s"]);
        assert!(lane.exists(), "{name}: {pruned}");
    } else {
        sandbox.lane(["finish", "x"]).ok();
    }
}

/// Patterns, one file of them in each place git reads; `notes.txt`, `dir/notes.txt` and
/// `dir/sub/deep` are untracked.
#[test]
fn patterns_in_every_place_hide_what_git_hides() {
    let patterns = [
        "*/",
        "/*\n!/notes.txt",
        "*\n!*.txt",
        "/",
        "/*/\n!/src/",
        "**\n!notes.txt",
        "*",
        "/*",
        "**",
        "**/",
        "/**",
        "/**/",
        "*/*",
        "/*/*",
        "***",
        "!/\n*",
        "//",
        "*//",
        "\\*",
        "\\/",
        "/ ",
        "* ",
        "*\\ ",
        "! *",
        "!",
        "!!*",
        "#*",
        "\\#*",
        "*\t",
        "notes.txt\r",
        "*/\r",
        "\u{feff}*/",
        "\u{feff}notes.txt",
        "notes.txt  ",
        "notes.txt\\ ",
        "dir",
        "dir/",
        "/dir",
        "dir/*",
        "dir/**",
        "**/dir",
        "**/sub",
        "dir/*\n!dir/sub",
        "dir/*\n!dir/sub/",
        "[n]*",
        "[!n]*",
        "?*",
        "*.*",
        "NOTES.TXT",
        "notes.tx[a-z]",
        "/src/../notes.txt",
        "./notes.txt",
        "no\\tes.txt",
        "notes.txt\\",
    ];
    let places: [(&str, Patterns); 5] = [
        ("info/exclude", |sandbox, _, text| {
            write(&sandbox.repo.join(".git/info/exclude"), text)
        }),
        ("core.excludesFile", |sandbox, _, text| {
            write(&sandbox.root().join("home/ignore"), text);
            sandbox.git(["config", "--global", "core.excludesFile", "~/ignore"]);
        }),
        ("~/.config/git/ignore", |sandbox, _, text| {
            write(&sandbox.root().join("home/.config/git/ignore"), text)
        }),
        (".gitignore", |_, lane, text| {
            write(&lane.join(".gitignore"), text)
        }),
        ("dir/.gitignore", |_, lane, text| {
            write(&lane.join("dir/.gitignore"), text)
        }),
    ];
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let lane = sandbox.lane_path("x");
    let mut wrong = Vec::new();
    for (place, put) in places {
        for file in [
            "notes.txt",
            "dir/notes.txt",
            "dir/sub/deep",
            " ",
            "dir/#odd",
        ] {
            write(&lane.join(file), "precious");
        }
        for pattern in patterns {
            put(&sandbox, &lane, &format!("{pattern}\n"));
            let (ours, gits) = (by_lane(&sandbox), by_git(&sandbox, &lane));
            if ours != gits {
                wrong.push(format!("{place} {pattern:?}: {ours:?}, git: {gits:?}"));
            }
        }
        put(&sandbox, &lane, "");
        std::fs::remove_dir_all(lane.join("dir")).unwrap();
        let _ = std::fs::remove_file(lane.join(".gitignore"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Ignore files that are no plain files, and other ways in which something comes to be hidden.
#[test]
fn what_hides_a_file_from_others_hides_it_from_no_removal() {
    let note = |lane: &Path| write(&lane.join("notes.txt"), "precious");
    let table: &[(&str, Setup<'_>)] = &[
        ("nothing", &|_, _| ()),
        ("a linked .gitignore", &|s, lane| {
            note(lane);
            write(&s.root().join("patterns"), "notes.txt\n.gitignore\n");
            symlink(s.root().join("patterns"), lane.join(".gitignore")).unwrap();
        }),
        ("a linked .gitignore below", &|s, lane| {
            write(&lane.join("dir/notes.txt"), "precious");
            write(&s.root().join("patterns"), "notes.txt\n.gitignore\n");
            symlink(s.root().join("patterns"), lane.join("dir/.gitignore")).unwrap();
        }),
        ("a linked info/exclude", &|s, lane| {
            note(lane);
            write(&s.root().join("patterns"), "notes.txt\n");
            let _ = std::fs::remove_file(s.repo.join(".git/info/exclude"));
            symlink(s.root().join("patterns"), s.repo.join(".git/info/exclude")).unwrap();
        }),
        ("info/exclude of the lane's own", &|s, lane| {
            note(lane);
            write(&s.admin(lane).join("info/exclude"), "notes.txt\n");
        }),
        (".gitignore is a directory", &|_, lane| {
            note(lane);
            write(&lane.join(".gitignore/notes.txt"), "notes.txt\n");
        }),
        ("a relative excludesFile", &|s, lane| {
            note(lane);
            write(&lane.join("src/patterns"), "notes.txt\npatterns\n");
            s.git(["config", "core.excludesFile", "src/patterns"]);
        }),
        ("status.showUntrackedFiles", &|s, lane| {
            note(lane);
            s.git(["config", "status.showUntrackedFiles", "no"]);
        }),
        ("a lying fsmonitor", &|s, lane| {
            write(&lane.join("README"), "changed");
            let hook = s.root().join("nothing-changed");
            script(&hook, "printf 'token\\0'");
            s.git(["config", "core.fsmonitor", hook.to_str().unwrap()]);
            s.git_in(lane, ["update-index", "--fsmonitor"]);
        }),
        ("the untracked cache", &|s, lane| {
            s.git(["config", "core.untrackedCache", "true"]);
            s.git_in(lane, ["status"]);
            note(lane);
        }),
        ("core.checkStat and core.trustctime", &|s, lane| {
            s.git(["config", "core.checkStat", "minimal"]);
            s.git(["config", "core.trustctime", "false"]);
            write(&lane.join("README"), "chop\n");
        }),
        ("ignored inside ignored", &|_, lane| {
            write(&lane.join(".gitignore"), "/out/\n/.gitignore\n");
            write(&lane.join("out/.gitignore"), "!keep\n");
            write(&lane.join("out/keep"), "x");
        }),
        ("a .gitignore in an untracked directory", &|_, lane| {
            write(&lane.join("new/.gitignore"), "*\n");
            write(&lane.join("new/file"), "x");
        }),
        ("an empty directory", &|_, lane| {
            std::fs::create_dir_all(lane.join("empty/inner")).unwrap()
        }),
        ("a nested repository", &|s, lane| {
            drop(s.git_in(lane, ["init", "-q", "inner"]))
        }),
        ("an ignored nested repository", &|s, lane| {
            write(&lane.join(".gitignore"), "inner\n.gitignore\n");
            s.git_in(lane, ["init", "-q", "inner"]);
        }),
        ("a split index", &|s, lane| {
            s.git_in(lane, ["update-index", "--split-index"]);
            note(lane);
        }),
        ("core.ignoreCase", &|s, lane| {
            write(&lane.join("NOTES.TXT"), "x");
            write(&s.repo.join(".git/info/exclude"), "notes.txt\n");
            s.git(["config", "core.ignoreCase", "true"]);
        }),
        ("intent to add", &|s, lane| {
            note(lane);
            s.git_in(lane, ["add", "-N", "notes.txt"]);
        }),
        ("core.fileMode", &|s, lane| {
            s.git(["config", "core.fileMode", "false"]);
            std::fs::set_permissions(lane.join("README"), PermissionsExt::from_mode(0o755))
                .unwrap();
        }),
    ];
    for (name, setup) in table {
        compare(name, setup);
    }
}

/// Flags of the index make git look away, and so do settings about submodules: a removal looks all
/// the same.
#[test]
fn what_git_was_told_not_to_look_at_is_looked_at() {
    let table: &[(&str, Setup<'_>)] = &[
        ("assume-unchanged", &|s, lane| {
            drop(s.git_in(lane, ["update-index", "--assume-unchanged", "README"]))
        }),
        ("skip-worktree", &|s, lane| {
            drop(s.git_in(lane, ["update-index", "--skip-worktree", "README"]))
        }),
        ("core.ignoreStat", &|s, lane| {
            s.git(["config", "core.ignoreStat", "true"]);
            s.git_in(lane, ["update-index", "--really-refresh"]);
            s.git_in(lane, ["checkout", "-q", "HEAD", "--", "README"]);
            s.git_in(lane, ["rm", "-q", "--cached", "README"]);
            s.git_in(lane, ["add", "README"]);
        }),
    ];
    for (name, setup) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        setup(&sandbox, &lane);
        write(&lane.join("README"), "changed\n");
        assert_eq!(by_lane(&sandbox), (0, 1), "{name}");
        sandbox.lane(["finish", "x"]).fails(1);
        sandbox.lane(["drop", "x"]).fails(1);
    }
    for setting in ["diff.ignoreSubmodules", "submodule.part.ignore"] {
        let sandbox = Sandbox::new();
        sandbox.git(["init", "-q", "-b", "main", "../part"]);
        sandbox.git_in(
            &sandbox.root().join("part"),
            ["commit", "-q", "--allow-empty", "-m", "part"],
        );
        sandbox.git(["config", "--global", "protocol.file.allow", "always"]);
        sandbox.git([
            "submodule",
            "--quiet",
            "add",
            "--name",
            "part",
            "../part",
            "part",
        ]);
        sandbox.commit("part");
        sandbox.lane(["start", "x", "--recurse-submodules"]).ok();
        sandbox.git(["config", setting, "all"]);
        write(&sandbox.lane_path("x").join("part/notes.txt"), "precious");
        assert_eq!(by_lane(&sandbox), (0, 1), "{setting}");
        sandbox.lane(["finish", "x"]).fails(1);
        sandbox.lane(["drop", "x"]).fails(1);
    }
}
