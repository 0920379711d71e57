//! Beside `git gc --prune=now`: no gc that has read refs and indexes before a command has moved
//! them takes anything away that they lead to afterwards. A hook of the repository's plays that gc,
//! at the latest moment; a stress test runs real ones.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::support::{Sandbox, executable, rounds, write};

/// What one that began now would take for reachable: `seen` are the refs and more that it has read.
fn begin_gc(sandbox: &Sandbox, seen: &[&str]) {
    let listed = sandbox.git(
        ["rev-list", "--objects", "--no-object-names"]
            .iter()
            .chain(seen),
    );
    write(&sandbox.root().join("reachable"), listed + "\n");
    // What it takes for reachable it packs again.
    let packs = sandbox.repo.join(".git/objects/pack");
    let again = format!("git pack-objects -q {}/pack <../reachable", packs.display());
    let again = sandbox.sh(&again).ok();
    let names = std::fs::read_dir(packs)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let old = names.filter(|path| !path.to_string_lossy().contains(again.trim()));
    let old: String = old.map(|path| format!("{}\n", path.display())).collect();
    write(&sandbox.root().join("packs"), old);
}

/// A reference-transaction hook that ends the gc begun before at every change of a ref: unreachable
/// loose objects go, and the packs that were there when it began, which it has packed again without
/// what it takes for garbage.
fn end_gc_at_every_change(sandbox: &Sandbox, when: &str) {
    let root = sandbox.root();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = {when} ] || exit 0\ncd '{}' || exit 1\nfind . -path './??/*' -type \
         f | while read -r file; do\n\
         id=$(echo \"$file\" | tr -d './')\ngrep -q \"$id\" '{root}/reachable' || rm \
         -f \"$file\"\ndone\n\
         while read -r pack; do [ -e \"${{pack%.*}}.keep\" ] || rm -f \"$pack\"; done \
         <'{root}/packs'\ntouch '{root}/collected'\n",
        sandbox.repo.join(".git/objects").display(),
        root = root.display(),
    );
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    executable(&hook, script);
}

/// Nothing is missing, and nothing is left of what kept it.
#[track_caller]
fn whole(sandbox: &Sandbox, what: &str) {
    assert!(sandbox.root().join("collected").exists(), "{what}");
    let fsck = sandbox.run(
        sandbox
            .command("git")
            .args(["fsck", "--no-progress", "--no-dangling"]),
    );
    assert_eq!(fsck.code, 0, "{what}: {fsck}");
    sandbox.nothing_under_way();
}

/// A lane that merges into a file of main's, in a repository whose objects before that are packed.
fn stage() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    sandbox.work("x", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.work("x", "deep/new.txt", "new\n");
    sandbox.write("src/app.txt", "ONE\ntwo\nthree\n");
    sandbox.commit("first line");
    (sandbox, lane)
}

#[test]
fn what_a_landing_makes_outlives_a_gc_that_began_before_it() {
    for strategy in ["merge", "squash", "rebase"] {
        for (nowhere, hooked, when) in [
            (false, false, "prepared"),
            (false, false, "committed"),
            (true, false, "committed"),
            (false, true, "committed"),
        ] {
            let (sandbox, _) = stage();
            if nowhere {
                sandbox.git(["switch", "-q", "--detach"]);
            }
            if hooked {
                let hook = sandbox.hook(
                    "pre-merge-commit",
                    "blob=$(echo added | git hash-object -w --stdin)\ngit update-index \
                     --add --cacheinfo 100644,$blob,added",
                );
                std::fs::copy(&hook, hook.with_file_name("pre-commit")).unwrap();
            }
            // The same merge was tried by hand before: what it made lies about as garbage.
            sandbox.git(["merge-tree", "--write-tree", "main", "x"]);
            begin_gc(&sandbox, &["--all", "--reflog", "--indexed-objects"]);
            end_gc_at_every_change(&sandbox, when);
            let what = format!("{strategy}, nowhere {nowhere}, hooked {hooked}, {when}");
            let run = sandbox.lane(["finish", "x", "--strategy", strategy]);
            assert_eq!(run.code, 0, "{what}: {run}");
            whole(&sandbox, &what);
            assert_eq!(
                sandbox.git(["show", "main:src/app.txt"]),
                "ONE\ntwo\nTHREE",
                "{what}"
            );
        }
    }
}

/// The lane's own commits may be as young as the gc: one that was committed a moment ago.
#[test]
fn what_a_lane_committed_a_moment_ago_lands_whole() {
    for strategy in ["merge", "ff"] {
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        begin_gc(&sandbox, &["--all", "--reflog", "--indexed-objects"]);
        write(&lane.join("young.txt"), "young\n");
        end_gc_at_every_change(&sandbox, "never");
        sandbox.git_in(&lane, ["add", "-A"]);
        sandbox.git_in(&lane, ["commit", "-q", "-m", "young"]);
        let hook = sandbox.repo.join(".git/hooks/reference-transaction");
        let text = std::fs::read_to_string(&hook)
            .unwrap()
            .replace("= never", "= committed");
        write(&hook, text);
        sandbox.lane(["finish", "x", "--strategy", strategy]).ok();
        whole(&sandbox, strategy);
    }
}

/// What git writes for a commit is in its own hands until a ref leads there: where the gc was
/// faster, the branch and the logs know nothing of that commit, the files stay, and the same
/// command ends well.
#[test]
fn what_a_commit_of_ours_loses_is_forgotten() {
    for (when, detached) in [
        ("prepared", false),
        ("committed", false),
        ("committed", true),
    ] {
        let (sandbox, lane) = stage();
        if detached {
            sandbox.git_in(&lane, ["switch", "-q", "--detach"]);
            sandbox.git(["config", "--unset", "lane.x.branch"]);
        }
        let tip = sandbox.git_in(&lane, ["rev-parse", "HEAD"]);
        begin_gc(&sandbox, &["--all", "--reflog", "--indexed-objects"]);
        write(&lane.join("young.txt"), "young\n");
        end_gc_at_every_change(&sandbox, when);
        let stderr = sandbox.lane_in(&lane, ["finish", "--commit", "m"]).fails(4);
        assert!(
            stderr.contains("git gc") && stderr.contains("run the command again"),
            "{stderr}"
        );
        whole(&sandbox, when);
        assert_eq!(sandbox.git_in(&lane, ["rev-parse", "HEAD"]), tip, "{when}");
        assert_eq!(
            sandbox.git_in(&lane, ["status", "--porcelain"]),
            "?? young.txt",
            "{when}"
        );
        std::fs::remove_file(sandbox.repo.join(".git/hooks/reference-transaction")).unwrap();
        sandbox.lane_in(&lane, ["finish", "--commit", "m"]).ok();
        assert_eq!(sandbox.git(["show", "main:young.txt"]), "young");
        sandbox.git(["fsck", "--no-progress", "--no-dangling"]);
    }
}

/// A gc reads the branches before a lane is back, and the refs of the trash after they have gone.
#[test]
fn what_only_the_trash_had_comes_back_whole() {
    for packed in [false, true] {
        let (sandbox, lane) = stage();
        write(&lane.join("staged.txt"), "staged\n");
        sandbox.git_in(&lane, ["add", "staged.txt"]);
        write(&lane.join("deep/new.txt"), "amended\n");
        sandbox.git_in(
            &lane,
            ["commit", "-q", "--amend", "-m", "amended", "deep/new.txt"],
        );
        sandbox.lane(["drop", "x", "--force"]).ok();
        if packed {
            sandbox.git(["gc", "-q"]);
        }
        begin_gc(
            &sandbox,
            &[
                "--exclude=refs/lane/*",
                "--all",
                "--reflog",
                "--indexed-objects",
            ],
        );
        end_gc_at_every_change(&sandbox, "committed");
        sandbox.lane(["restore", "x"]).ok();
        whole(&sandbox, &format!("packed {packed}"));
        assert_eq!(sandbox.git_in(&lane, ["show", ":staged.txt"]), "staged");
        assert_eq!(
            sandbox.git_in(&lane, ["show", "HEAD:deep/new.txt"]),
            "amended"
        );
        assert_eq!(
            sandbox.git_in(&lane, ["show", "HEAD@{1}:deep/new.txt"]),
            "new"
        );
    }
}

/// A repack reads the refs before the keeper is there, and the indexes after the lane's is gone.
#[test]
fn what_a_lane_had_staged_goes_into_the_trash_whole() {
    for detached in [false, true] {
        let (sandbox, lane) = stage();
        if detached {
            sandbox.git_in(&lane, ["switch", "-q", "--detach"]);
            sandbox.git(["config", "--unset", "lane.x.branch"]);
            sandbox.work("x", "detached.txt", "detached\n");
        }
        write(&lane.join("staged.txt"), "staged\n");
        sandbox.git_in(&lane, ["add", "staged.txt"]);
        sandbox.git(["gc", "-q"]);
        begin_gc(&sandbox, &["--branches", "--all"]);
        let seen = std::fs::read_to_string(sandbox.root().join("reachable")).unwrap();
        assert!(!seen.contains(&sandbox.git_in(&lane, ["rev-parse", ":staged.txt"])));
        end_gc_at_every_change(&sandbox, "committed");
        sandbox.lane(["drop", "x", "--force"]).ok();
        std::fs::remove_file(sandbox.repo.join(".git/hooks/reference-transaction")).unwrap();
        sandbox.lane(["restore", "x"]).ok();
        whole(&sandbox, &format!("detached {detached}"));
        assert_eq!(sandbox.git_in(&lane, ["show", ":staged.txt"]), "staged");
    }
}

/// A git that runs over and over until it is dropped.
struct Loop(Child);

impl Loop {
    fn new(sandbox: &Sandbox, git: &str) -> Self {
        let script = format!("while [ ! -e ../stop ]; do git {git} 2>/dev/null; done");
        let mut shell = sandbox.command("sh");
        Loop(
            shell
                .args(["-c", &script])
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Loop {
    fn end(mut self, sandbox: &Sandbox) {
        write(&sandbox.root().join("stop"), "");
        self.0.wait().unwrap();
        std::fs::remove_file(sandbox.root().join("stop")).unwrap();
    }
}

/// Lanes land, go and come back beside each of them; `GIT_LANE_TEST_LONG=1` runs many.
#[test]
fn lanes_land_and_come_back_beside_real_ones() {
    let many = rounds(4, 60) as usize;
    for git in ["gc -q --prune=now", "prune --expire=now", "repack -q -a -d"] {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "gc.auto", "0"]);
        for number in 0..many {
            let name = format!("l{number}");
            let lane = sandbox.lane_by_git(&name);
            sandbox.work(&name, &format!("{name}.txt"), "work\n");
            write(&lane.join("staged"), format!("staged in {name}\n"));
            sandbox.git_in(&lane, ["add", "staged"]);
        }
        let running = Loop::new(&sandbox, git);
        for number in 0..many {
            let name = format!("l{number}");
            sandbox.lane(["drop", &name, "--force"]).ok();
            sandbox.lane(["restore", &name]).ok();
            let lane = sandbox.lane_path(&name);
            let staged = sandbox.git_in(&lane, ["show", ":staged"]);
            assert_eq!(staged, format!("staged in {name}"), "{git}");
            sandbox.git_in(&lane, ["reset", "-q", "--hard"]);
            let strategy = ["merge", "squash", "rebase"][number % 3];
            sandbox.lane(["finish", &name, "--strategy", strategy]).ok();
        }
        running.end(&sandbox);
        sandbox.git(["fsck", "--no-progress", "--no-dangling"]);
        sandbox.nothing_under_way();
    }
}
