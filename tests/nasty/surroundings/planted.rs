//! Programs, settings and locks that lie around.

use super::*;
use crate::support::listing;

/// Programs called `git`, `sh` or `git-lane` that a repository tracks, with `.` or an empty entry
/// in PATH: not started.
#[test]
fn row_37_programs_the_repository_tracks() {
    let sandbox = Sandbox::new();
    for program in ["git", "sh", "git-lane", "id", "lsof", "rm", "cp"] {
        executable(&sandbox.repo.join(program), "#!/bin/true\n");
        let text = format!("#!{}\n: >\"$HOME/started\"\n", "/bin/sh");
        executable(&sandbox.repo.join(program), &text);
    }
    sandbox.commit("traps");
    let path = std::env::var("PATH").unwrap();
    let real = sandbox.root().join("bin");
    for entry in [".", "", "./", "bin/.."] {
        let run = |args: &[&str]| {
            let mut command = sandbox.command("git-lane");
            // No other git is found before the trap.
            command
                .args(args)
                .env("PATH", format!("{entry}:{}:{path}", real.display()));
            sandbox.run(&mut command).ok()
        };
        run(&["start", "x"]);
        sandbox.git_in(
            &sandbox.lane_path("x"),
            ["commit", "-q", "--allow-empty", "-m", "x"],
        );
        run(&["list"]);
        run(&["finish", "--strategy", "squash", "x"]);
        run(&["doctor"]);
        run(&["prune"]);
        sandbox.nothing_was_started();
        sandbox.git(["branch", "--list"]);
    }
}

/// `core.fsmonitor`, an alias, a filter, a hooks path that one lane puts into the shared
/// configuration: no worse than git, and doctor names them.
#[test]
fn row_38_settings_another_lane_planted() {
    let sandbox = Sandbox::new();
    let plain = sandbox.lane(["doctor"]);
    assert!(
        !plain.stderr.contains("core.") && !plain.stdout.contains("core."),
        "{plain}"
    );
    plain.ok();
    sandbox.lane(["start", "x", "y"]).ok();
    let planted = [
        ("core.fsmonitor", "touch pwned; : >$HOME/started"),
        ("alias.lane", "!: >$HOME/started"),
        ("alias.status", "!: >$HOME/started"),
        ("filter.evil.smudge", ": >$HOME/started; cat"),
        ("diff.external", ": >$HOME/started"),
        ("core.sshCommand", ": >$HOME/started"),
        ("core.editor", ": >$HOME/started"),
    ];
    for (key, value) in planted {
        sandbox.git_in(&sandbox.lane_path("x"), ["config", key, value]);
    }
    sandbox.lane(["list"]).ok();
    sandbox.lane(["show", "y"]).ok();
    sandbox.lane(["start", "z"]).ok();
    sandbox.lane(["drop", "z"]).ok();
    let run = sandbox.lane(["doctor"]);
    sandbox.nothing_was_started();
    for (key, _) in planted {
        assert!(
            run.stderr.to_lowercase().contains(&key.to_lowercase()),
            "{key}: {run}"
        );
    }
    run.ok();
    let json = sandbox.lane(["--json", "doctor"]).json();
    assert_eq!(
        json["programs"].as_array().unwrap().len(),
        planted.len(),
        "{json}"
    );
}

/// Every kind of work a lane can hold beside its commits, at finish, drop and prune: refused and
/// named, or it comes back; prune takes none of it.
#[test]
fn row_39_work_that_is_in_no_commit() {
    type Work = fn(&Sandbox, &Path);
    // What finish says: refused with these words, or "" where the work goes into the trash with the
    // lane.
    let table: [(&str, &str, Work); 18] = [
        ("untracked", "untracked", |_, lane| {
            write(&lane.join("new"), "x")
        }),
        ("modified", "modified", |_, lane| {
            write(&lane.join("README"), "x")
        }),
        ("staged", "staged", |sandbox, lane| {
            write(&lane.join("new"), "x");
            sandbox.git_in(lane, ["add", "new"]);
        }),
        ("ignored", "", |sandbox, lane| {
            write(&sandbox.repo.join(".git/info/exclude"), ".env\nbuild/\n");
            write(&lane.join(".env"), "secret");
            write(&lane.join("build/out"), "x");
        }),
        ("stash", "", |sandbox, lane| {
            write(&lane.join("README"), "stashed");
            sandbox.git_in(lane, ["stash", "-q"]);
        }),
        ("merge", "merge", |sandbox, lane| {
            conflict(sandbox, lane, &["merge", "main"])
        }),
        ("rebase", "rebase", |sandbox, lane| {
            conflict(sandbox, lane, &["rebase", "main"])
        }),
        ("cherry-pick", "cherry-pick", |sandbox, lane| {
            conflict(sandbox, lane, &["cherry-pick", "main"])
        }),
        ("bisect", "bisect", |sandbox, lane| {
            sandbox.git_in(lane, ["bisect", "start", "HEAD", "HEAD~1"]);
        }),
        ("detached commits", "detached", |sandbox, lane| {
            sandbox.git_in(lane, ["checkout", "-q", "--detach"]);
            sandbox.git_in(lane, ["commit", "-q", "--allow-empty", "-m", "lost"]);
        }),
        ("another branch", "other", |sandbox, lane| {
            sandbox.git_in(lane, ["checkout", "-q", "-b", "other"]);
        }),
        ("locked", "locked", |sandbox, lane| {
            sandbox.git(["worktree", "lock", lane.to_str().unwrap()]);
        }),
        ("assume-unchanged", "modified", |sandbox, lane| {
            sandbox.git_in(lane, ["update-index", "--assume-unchanged", "README"]);
            write(&lane.join("README"), "hidden");
        }),
        ("skip-worktree", "modified", |sandbox, lane| {
            sandbox.git_in(lane, ["update-index", "--skip-worktree", "README"]);
            write(&lane.join("README"), "hidden");
        }),
        ("hidden by the user", "untracked", |sandbox, lane| {
            sandbox.git(["config", "status.showUntrackedFiles", "no"]);
            write(&lane.join("new"), "x");
        }),
        ("nested repository", "untracked", |sandbox, lane| {
            sandbox.git_in(lane, ["init", "-q", "nested"]);
            write(&lane.join("nested/file"), "x");
        }),
        ("submodule", "modified", |sandbox, lane| {
            let source = sandbox.root().join("source");
            sandbox.git(["clone", "-q", ".", source.to_str().unwrap()]);
            let add = [
                "-c",
                "protocol.file.allow=always",
                "submodule",
                "--quiet",
                "add",
            ];
            // By its URL, or objects would be links that a gc in the source counts.
            let url = format!("file://{}", source.display());
            sandbox.git_in(lane, [&add[..], &[&url, "module"]].concat());
            sandbox.git_in(lane, ["commit", "-q", "-m", "module"]);
            write(&lane.join("module/README"), "changed");
            sandbox.git_in(
                &lane.join("module"),
                ["commit", "-q", "--allow-empty", "-m", "unpublished"],
            );
        }),
        ("amended away", "", |sandbox, lane| {
            sandbox.git_in(
                lane,
                ["commit", "-q", "--amend", "--allow-empty", "-m", "again"],
            );
        }),
    ];
    for (kind, words, work) in table {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        sandbox.work("x", "src/app.txt", "lane\n");
        sandbox.git_in(&lane, ["commit", "-q", "--allow-empty", "-m", "second"]);
        work(&sandbox, &lane);
        sandbox.git_in(&lane, ["--no-optional-locks", "status"]);
        let admin = sandbox.admin(&lane);
        let before = sandbox.whole_lane("x", &lane, &admin);
        let finish = sandbox.lane(["finish", "x"]);
        if words.is_empty() {
            if kind == "ignored" {
                assert!(
                    finish.stdout.contains(".env") && finish.stdout.contains("build/"),
                    "{finish}"
                );
            }
            finish.ok();
            sandbox.lane(["restore", "x"]).ok();
            let refs = sandbox.git(["for-each-ref", "refs/heads/x", "refs/stash"]);
            assert!(
                before.ends_with(&refs) || before.contains(refs.lines().next().unwrap()),
                "{kind}: {before} {refs}"
            );
        } else {
            assert!(finish.stderr.contains(words), "{kind}: {finish}");
            let _ = finish.fails(1);
            assert_eq!(sandbox.whole_lane("x", &lane, &admin), before, "{kind}");
            sandbox.git(["merge", "-q", "-s", "ours", "--no-edit", "x"]);
            let before = sandbox.whole_lane("x", &lane, &admin);
            sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
            assert_eq!(
                sandbox.whole_lane("x", &lane, &admin),
                before,
                "prune: {kind}"
            );
            let dropped = sandbox.lane(["drop", "x"]).fails(1);
            assert!(
                dropped.contains(words) && dropped.contains("hint: "),
                "{kind}: {dropped}"
            );
            if kind != "locked" {
                sandbox.lane(["drop", "--yes", "x"]).ok();
                sandbox.collect_garbage();
                sandbox.lane(["restore", "x"]).ok();
                assert_eq!(
                    sandbox.whole_lane("x", &lane, &admin),
                    before,
                    "restore: {kind}"
                );
            }
        }
        sandbox.plain_git_works();
    }
}

fn conflict(sandbox: &Sandbox, lane: &Path, args: &[&str]) {
    sandbox.write("src/app.txt", "main\n");
    sandbox.commit("conflicting");
    assert_eq!(
        sandbox
            .run(sandbox.command("git").current_dir(lane).args(args))
            .code,
        1
    );
}

/// `config.lock`, `index.lock`, `packed-refs.lock` of an unknown dead process: waits a bounded
/// time, names the file, and deletes nothing that might be alive. Locks of our own dead:
/// tests/start.rs, tests/restore.rs, tests/crash.
#[test]
fn row_40_locks_of_the_dead() {
    std::thread::scope(|scope| {
        for (lock, words) in [
            ("config.lock", "config.lock' is held by another process"),
            ("packed-refs.lock", "packed-refs"),
            ("index.lock", "index.lock"),
        ] {
            scope.spawn(move || {
                let sandbox = Sandbox::new();
                sandbox.lane(["start", "x"]).ok();
                sandbox.work("x", "file", "x");
                sandbox.git(["pack-refs", "--all"]);
                let lock = sandbox.repo.join(".git").join(lock);
                write(&lock, "");
                let state = |sandbox: &Sandbox| {
                    (
                        sandbox.git(["for-each-ref"]),
                        listing(&sandbox.lane_path("x")),
                    )
                };
                let before = state(&sandbox);
                let start = std::time::Instant::now();
                let run = sandbox.lane(["finish", "x"]);
                assert!(
                    start.elapsed() < std::time::Duration::from_secs(90),
                    "{run}"
                );
                assert!(
                    run.stderr.contains(words) && run.code != 0,
                    "{words}: {run}"
                );
                assert!(
                    run.stderr.contains("s old") && run.stderr.contains("remove that file"),
                    "{run}"
                );
                assert_calm(&run);
                assert!(lock.exists());
                sandbox.lane(["doctor"]).fails(1);
                let landed = sandbox.git(["log", "-1", "--format=%s", "main"]) != "first";
                assert!(
                    landed || state(&sandbox) == before,
                    "{words}: half done: {run}"
                );
                std::fs::remove_file(&lock).unwrap();
                sandbox.lane(["finish", "x"]).ok();
                assert!(sandbox.repo.join("file").exists());
                sandbox.nothing_left_behind(1);
                sandbox.plain_git_works();
            });
        }
    });
}
