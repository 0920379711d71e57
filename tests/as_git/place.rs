//! What runs while a lane is made sees the lane's own place, and a start that cannot write its
//! files leaves nothing.

use super::{Call, Setup, both};
use crate::support::{Sandbox, executable, git_version, write};

/// A filter that says where it runs, in the file it makes.
fn telling(sandbox: &Sandbox) {
    let script = sandbox.root().join("tell");
    let text = "#!/bin/sh\ncat\necho \"$(pwd -P)|$1|$(git rev-parse --show-toplevel \
                --absolute-git-dir)\
        |$(git symbolic-ref HEAD)|${GIT_WORK_TREE-none}|$GIT_DIR|${GIT_LANE_INTERNAL-}\" | sed \
        's/|1$/|/'\n";
    executable(&script, text);
    sandbox.git([
        "config",
        "filter.tell.smudge",
        &format!("{} %f", script.display()),
    ]);
    sandbox.git(["config", "filter.tell.clean", "sed '/|/d'"]);
    sandbox.write("told.txt", "told\n");
    sandbox.write("deep/er/told.txt", "told\n");
    sandbox.write("plain", "plain\n");
}

#[test]
fn filters_run_in_the_place_of_the_worktree() {
    let table: &[(&str, Setup)] = &[
        ("an attribute", |s| {
            telling(s);
            s.write(".gitattributes", "*.txt filter=tell\n");
            s.commit("told");
        }),
        ("an attribute of the user's", |s| {
            telling(s);
            s.commit("told");
            write(
                &s.root().join("home/.config/git/attributes"),
                "told.txt filter=tell ident\n",
            );
        }),
        ("where git checks out everything", |s| {
            telling(s);
            s.write(".gitattributes", "*.txt filter=tell\n");
            s.commit("told");
            s.git(["config", "core.splitIndex", "true"]);
        }),
        ("with settings that depend on the place", |s| {
            telling(s);
            s.write(".gitattributes", "*.txt filter=tell\n");
            s.commit("told");
            s.git(["config", "includeIf.onbranch:x.path", "/nowhere"]);
        }),
    ];
    for (name, setup) in table {
        let (ours, gits) = both(*setup, Call::default());
        assert_eq!(ours, gits, "{name}");
        assert!(
            gits["deep/er/told.txt"].contains("deep/er/told.txt") || name.contains("user's"),
            "{gits:?}"
        );
    }
}

/// A filter that must succeed and does not: no lane, no branch, no directory.
#[test]
fn a_start_whose_files_cannot_be_written_leaves_nothing() {
    for reason in ["smudge", "missing", "killed", "half"] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "other"]).ok();
        sandbox.write(".gitattributes", "*.txt filter=must\n");
        sandbox.write("a.txt", "a\n");
        sandbox.write("z.txt", "z\n");
        sandbox.commit("filtered");
        sandbox.git(["config", "filter.must.required", "true"]);
        let command = match reason {
            "smudge" => "false",
            "missing" => "/nowhere/filter",
            "killed" => "kill $$",
            _ => "case %f in z.txt) false;; *) cat;; esac",
        };
        sandbox.git(["config", "filter.must.smudge", command]);
        sandbox.git(["config", "filter.must.clean", "cat"]);
        let before = sandbox.fingerprint();
        let said = sandbox.lane(["start", "x"]).fails(5);
        assert!(said.contains(".txt"), "{reason}: {said}");
        assert_eq!(sandbox.fingerprint(), before, "{reason}");
        sandbox.nothing_left_behind(0);
        sandbox.git(["config", "filter.must.smudge", "cat"]);
        sandbox.lane(["start", "x"]).ok();
        assert_eq!(
            sandbox.git_in(&sandbox.lane_path("x"), ["status", "--porcelain"]),
            ""
        );
    }
}

/// A user who works in the lane before its last files are there keeps what he made.
#[test]
fn a_start_that_fails_late_takes_no_work_along() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.txt filter=must\n");
    sandbox.commit("filtered");
    sandbox.git(["config", "filter.must.required", "true"]);
    sandbox.git(["config", "filter.must.smudge", "echo precious >work; false"]);
    sandbox.git(["config", "filter.must.clean", "cat"]);
    let said = sandbox.lane(["start", "x"]).fails(5);
    assert!(said.contains("stays there"), "{said}");
    assert_eq!(
        std::fs::read_to_string(sandbox.lane_path("x").join("work")).unwrap(),
        "precious\n"
    );
    assert_eq!(
        sandbox.git(["rev-parse", "x"]),
        sandbox.git(["rev-parse", "main"])
    );
    sandbox.git(["config", "filter.must.smudge", "cat"]);
    sandbox.lane(["start", "y"]).ok();
    let lane = sandbox.lane_path("x");
    assert_eq!(
        sandbox.git_in(&lane, ["status", "--porcelain"]),
        "?? work",
        "the next command completes it"
    );
    sandbox.nothing_under_way();
}

/// Paths git cannot open are refused with nothing left, and longer places than the system takes
/// likewise.
#[test]
fn paths_too_long_are_refused() {
    let sandbox = Sandbox::new();
    let blob = sandbox.git(["rev-parse", "HEAD:README"]);
    let tree = |entry: &str| {
        let file = sandbox.root().join("home/entry");
        write(&file, format!("{entry}\n"));
        let mut command = sandbox.command("sh");
        command.args(["-c", &format!("git mktree <'{}'", file.display())]);
        sandbox.run(&mut command).ok().trim().to_owned()
    };
    for (depth, length, fits) in [
        (25, 200, false),
        (20, 202, true),
        (1, 255, true),
        (1, 256, false),
    ] {
        let mut id = tree(&format!("100644 blob {blob}\tf"));
        for _ in 0..depth {
            id = tree(&format!("040000 tree {id}\t{}", "d".repeat(length)));
        }
        let commit = sandbox.git(["commit-tree", "-m", "deep", &id]);
        let run = sandbox.lane(["start", "x", "--base", &commit]);
        assert_eq!(run.code == 0, fits, "{depth} times {length}: {run}");
        if fits {
            assert_eq!(
                sandbox.git_in(&sandbox.lane_path("x"), ["status", "--porcelain"]),
                ""
            );
            sandbox.lane(["drop", "--yes", "x"]).ok();
        } else {
            sandbox.nothing_under_way();
            sandbox.git_fails(["rev-parse", "--verify", "-q", "x"]);
            assert!(!sandbox.lane_path("x").exists());
        }
    }
    for path in [
        format!("{}/{}", sandbox.root().display(), "d/".repeat(2100)),
        "n".repeat(256),
    ] {
        let before = sandbox.fingerprint();
        let run = sandbox.lane(["start", "long", "--path", &path]);
        assert!(
            matches!(run.code, 1 | 4) && run.stderr.contains("long"),
            "{run}"
        );
        let after = sandbox.fingerprint();
        let new: Vec<&str> = after
            .lines()
            .filter(|line| !before.contains(line))
            .collect();
        assert_eq!((new, after.len()), (Vec::new(), before.len()));
    }
}

/// Links between worktree and repository are relative where git would make them so.
#[test]
fn links_are_relative_where_git_makes_them_so() {
    let table = [("true", git_version() >= (2, 48)), ("false", false)];
    for format in ["files", "reftable"] {
        for (setting, relative) in table {
            let (ours, gits) = (Sandbox::empty(), Sandbox::empty());
            for sandbox in [&ours, &gits] {
                if format == "reftable" && git_version() < (2, 46) {
                    continue;
                }
                let storage = format!("--ref-format={format}");
                let storage = if git_version() < (2, 46) {
                    "--quiet"
                } else {
                    &storage
                };
                sandbox.git(["init", "-q", "-b", "main", storage, "."]);
                sandbox.write("README", "x");
                sandbox.commit("first");
                sandbox.git(["config", "worktree.useRelativePaths", setting]);
            }
            if !ours.repo.join(".git").exists() {
                continue;
            }
            ours.lane(["start", "x"]).ok();
            let path = gits.lane_path("x");
            gits.add_worktree("x", &path);
            let links = |sandbox: &Sandbox| {
                let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
                let admin = sandbox.repo.join(".git/worktrees/x");
                [
                    read(sandbox.lane_path("x").join(".git")),
                    read(admin.join("gitdir")),
                    read(admin.join("commondir")),
                ]
                .map(|text| text.replace(sandbox.root().to_str().unwrap(), "ROOT"))
            };
            assert_eq!(links(&ours), links(&gits), "{format} {setting}");
            assert_eq!(links(&ours)[1].starts_with("../"), relative);
            let settings = |sandbox: &Sandbox| {
                [
                    "core.repositoryformatversion",
                    "extensions.relativeWorktrees",
                ]
                .map(|key| {
                    let mut command = sandbox.command("git");
                    sandbox.run(command.args(["config", key])).stdout
                })
            };
            assert_eq!(settings(&ours), settings(&gits), "{format} {setting}");
            ours.work("x", "file", "x");
            ours.lane(["drop", "--yes", "x"]).ok();
            ours.lane(["restore", "x"]).ok();
            assert_eq!(links(&ours), links(&gits), "{format} {setting}, restored");
            ours.lane(["finish", "x"]).ok();
            ours.plain_git_works();
        }
    }
}
