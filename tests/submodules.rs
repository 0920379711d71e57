//! What only a lane's submodules have: their repositories leave with the lane, and no base says
//! anything about them.

use std::path::Path;

use crate::support::{Sandbox, outdate, write};

/// A superproject with the submodule `library`, which has two commits, a tag and a branch upstream.
fn super_project() -> Sandbox {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git(["clone", "-q", ".", library.to_str().unwrap()]);
    sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", "second"]);
    sandbox.git_in(&library, ["tag", "-a", "-m", "one", "v1"]);
    sandbox.git_in(&library, ["tag", "v0", "HEAD~1"]);
    // A release that no branch leads to any more.
    sandbox.git_in(&library, ["checkout", "-q", "--detach"]);
    sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", "release"]);
    sandbox.git_in(&library, ["tag", "v2"]);
    sandbox.git_in(&library, ["checkout", "-q", "main"]);
    sandbox.add_submodule(&library, "library");
    sandbox.commit("library");
    sandbox
}

fn sh(sandbox: &Sandbox, directory: &Path, script: &str) {
    let mut command = sandbox.command("sh");
    command
        .args(["-ec", script])
        .current_dir(directory)
        .env("ROOT", sandbox.root());
    sandbox.run(&mut command).ok();
}

/// A lane whose own commit has landed, with `script` run in the lane.
fn landed(script: &str) -> Sandbox {
    let sandbox = super_project();
    sandbox.lane(["start", "--recurse-submodules", "x"]).ok();
    sandbox.work("x", "x", "x");
    sandbox.git(["merge", "-q", "--no-edit", "x"]);
    sh(&sandbox, &sandbox.lane_path("x"), script);
    sandbox
}

/// The situation, what is said of it, and a question in the lane that must be answered the same
/// when it is back.
const HELD: &[(&str, &str, &str)] = &[
    (
        "cd library; git switch -qc mine; git commit -q --allow-empty -m mine; git checkout -q \
         --detach HEAD~",
        "1 unpublished branch",
        "git -C library rev-parse mine",
    ),
    (
        "cd library; git commit -q --allow-empty -m mine; git -C .. update-index \
         --assume-unchanged library",
        "1 unpublished detached commit",
        "git -C library rev-parse HEAD",
    ),
    (
        "cd library; git commit -q --allow-empty -m mine; git checkout -q HEAD~",
        "1 commit that only its reflog names",
        "git -C library cat-file -p HEAD@{1}",
    ),
    (
        "cd library; echo y >>README; git stash -q",
        "1 stash entry",
        "git -C library stash show -p",
    ),
    (
        "cd library; echo y >>README; git stash -q; echo z >>README; git stash -q",
        "2 stash entries",
        "git -C library stash list",
    ),
    (
        "cd library; git tag -a -m mine mine",
        "1 tag of its own",
        "git -C library rev-parse mine",
    ),
    (
        "cd library; git tag mine; git pack-refs --all",
        "1 tag of its own",
        "git -C library rev-parse mine",
    ),
    (
        "cd library; git tag mine $(echo x | git hash-object -w --stdin)",
        "1 tag of its own",
        "git -C library cat-file -p mine",
    ),
    (
        "cd library; git notes add -m note",
        "1 ref of its own",
        "git -C library notes show",
    ),
    (
        "cd library; git bisect -q start HEAD HEAD~ || git bisect start HEAD HEAD~",
        "1 operation in progress",
        "git -C library bisect log",
    ),
    (
        "cd library; git update-index --assume-unchanged README; echo y >>README",
        "1 changed path",
        "cat library/README",
    ),
    (
        "cd library; echo y >>README; git add README; git checkout -q --force HEAD -- . ; git \
         worktree add -q --detach ../../inner",
        "1 linked worktree",
        "git -C ../inner rev-parse HEAD",
    ),
    (
        "git update-index --assume-unchanged library; echo y >>library/README",
        "1 changed path",
        "cat library/README",
    ),
    (
        "cd library; git switch -qc mine; git commit -q --allow-empty -m mine; git checkout -q \
         --detach HEAD~; cd ..; git submodule --quiet deinit -f library",
        "1 unpublished branch",
        "git --git-dir \"$(git rev-parse --git-dir)/modules/library\" --work-tree . rev-parse mine",
    ),
    // Moved out of the lane, and out of its own directory.
    (
        "mv library \"$ROOT/moved\"; d=$(cd \"$(git rev-parse --git-dir)\"; pwd)/modules/library; \
         git config -f $d/config core.worktree \"$ROOT/moved\"; echo \"gitdir: $d\" \
         >\"$ROOT/moved/.git\"; git update-index --skip-worktree library",
        "1 half of it outside the lane",
        "cat ../../moved/README",
    ),
    (
        "cd library; git submodule --quiet add \"$ROOT/library\" inner; git commit -qm inner; git \
         push -q origin HEAD:refs/heads/inner; git -C .. update-index --assume-unchanged library; \
         cd inner; git tag mine",
        "'library/inner' has (1 tag of its own)",
        "git -C library/inner rev-parse mine",
    ),
];

#[test]
fn what_only_a_submodule_has_is_said_kept_and_comes_back() {
    for (script, said, question) in HELD {
        let sandbox = landed(script);
        let lane = sandbox.lane_path("x");
        let ask = || sandbox.sh_in(&lane, question).ok();
        let before = ask();

        let kept = sandbox
            .lane(["prune", "--all", "--yes", "--older-than", "0s"])
            .ok();
        assert!(
            kept.contains("kept lane 'x': ") && kept.contains(said),
            "{script}: {kept}"
        );
        let refused = sandbox.lane(["drop", "x"]).fails(1);
        assert!(refused.contains(said), "{script}: {refused}");

        let planned = sandbox.lane(["finish", "x", "--dry-run"]).ok();
        let finished = sandbox.lane(["finish", "x"]).ok();
        for text in [&planned, &finished] {
            assert!(text.contains(said), "{script}: {text}");
        }
        let entry = &sandbox.entries()[0];
        assert!(entry["integrated"].is_null(), "{script}: {entry}");
        assert!(
            !entry["submodules"].as_array().unwrap().is_empty(),
            "{script}: {entry}"
        );

        // Its time is up, and others finish.
        outdate(&sandbox.entry());
        sandbox.lane(["start", "y"]).ok();
        sandbox.work("y", "y", "y");
        let passing = sandbox.lane(["finish", "y"]).ok();
        assert!(passing.contains("kept because"), "{script}: {passing}");
        sandbox.lane(["restore", "x"]).ok();
        assert_eq!(ask(), before, "{script}");
    }
}

/// What a clone brings along is no work, however many tags it has, and neither is what was pushed.
#[test]
fn a_submodule_as_it_was_cloned_or_pushed_holds_nothing() {
    for script in [
        "true",
        "cd library; git checkout -q HEAD~; git -C .. update-index --assume-unchanged library",
        "cd library; git switch -qc mine; git commit -q --allow-empty -m mine; git push -q origin \
         mine; git checkout -q --detach main",
        "git submodule --quiet deinit -f library",
        "echo y >library/new; rm library/new",
        // The main worktree's own clone has it too.
        "git -C library tag mine; git -C ../../shop/library tag mine $(git -C library rev-parse \
         HEAD)",
    ] {
        let sandbox = landed(script);
        let finished = sandbox.lane(["finish", "x"]).ok();
        assert!(!finished.contains("submodule"), "{script}: {finished}");
        assert_eq!(
            sandbox.entries()[0]["submodules"],
            serde_json::json!([]),
            "{script}"
        );
        assert!(!sandbox.entries()[0]["integrated"].is_null(), "{script}");
    }
}

/// An ignored file of a submodule is named where those of the lane are; it is in the trash like
/// them.
#[test]
fn ignored_files_in_a_submodule_are_named_like_those_of_the_lane() {
    for (script, named) in [
        (
            "echo .env >>\"$(git -C library rev-parse --git-dir)/info/exclude\"; echo secret \
             >library/.env",
            "library/.env",
        ),
        (
            "echo 'build' >>\"$(git -C library rev-parse --git-dir)/info/exclude\"; mkdir \
             library/build; echo o >library/build/o",
            "library/build/",
        ),
        (
            "cd library; git submodule --quiet add \"$ROOT/library\" inner; git commit -qm inner; \
             git push -q origin HEAD:refs/heads/inner; git -C .. update-index --assume-unchanged \
             library; echo .env >>\"$(git -C inner rev-parse --git-dir)/info/exclude\"; echo \
             secret >inner/.env",
            "library/inner/.env",
        ),
    ] {
        for args in [
            &["finish", "x"][..],
            &["prune", "--all", "--yes", "--older-than", "0s"],
        ] {
            let sandbox = landed(script);
            let planned = sandbox.lane(args.iter().chain(&["--dry-run"])).ok();
            assert!(planned.contains(named), "{script}: {planned}");
            let json = sandbox.lane(["--json"].iter().chain(args)).json();
            let said = if args[0] == "prune" {
                &json["pruned"][0]["ignored"]
            } else {
                &json["ignored"]
            };
            assert_eq!(*said, serde_json::json!([named]), "{script}: {json}");
            sandbox.lane(["restore", "x"]).ok();
            assert!(sandbox.lane_path("x").join(named).exists(), "{script}");
        }
    }
}

/// Repositories in the worktree itself, as git made submodules before 1.7.8, and as `git add` of a
/// clone still does.
#[test]
fn a_submodule_of_old_style_is_looked_into_wherever_it_is_known_from() {
    for (script, said) in [
        ("cd old; echo y >>README; git stash -q", "1 stash entry"),
        ("cd old; git tag mine", "'old' has (1 tag of its own)"),
        (
            "cd old; echo y >>README; git stash -q; cd ..; git rm -q --cached old; echo old \
             >.gitignore; git add .; git commit -qm removed; git -C ../../shop merge -q x",
            "1 stash entry",
        ),
        (
            "cd old; echo y >>README; git stash -q; cd ..; git update-index --assume-unchanged old",
            "1 stash entry",
        ),
        (
            "git clone -q \"$ROOT/library\" old/inner; cd old; git add inner 2>/dev/null; git \
             commit -qm inner; git push -q origin HEAD:refs/heads/inner; git -C inner tag mine; \
             git -C .. update-index --assume-unchanged old",
            "'old/inner' has (1 tag of its own)",
        ),
    ] {
        let sandbox = super_project();
        let add = "git clone -q \"$ROOT/library\" old; git add old 2>/dev/null; git commit -qm old";
        sh(&sandbox, &sandbox.repo, add);
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        sh(
            &sandbox,
            &lane,
            &format!(
                "git clone -q \"$ROOT/library\" old; echo x >x; git add x; git commit -qm x; git \
                 -C ../../shop merge -q x; {script}"
            ),
        );
        let kept = sandbox
            .lane(["prune", "--all", "--yes", "--older-than", "0s"])
            .ok();
        assert!(
            kept.contains("kept lane 'x': ") && kept.contains(said),
            "{script}: {kept}"
        );
        sandbox.lane(["drop", "x", "--yes"]).ok();
        assert!(sandbox.entries()[0]["integrated"].is_null(), "{script}");
    }
}

#[test]
fn what_cannot_be_read_counts_as_held() {
    for damage in [
        "rm HEAD",
        "echo x >HEAD",
        "rm -r objects",
        "echo '[' >config",
        "echo x >refs/heads/main",
    ] {
        let sandbox = landed(&format!(
            "cd \"$(git rev-parse --git-dir)/modules/library\"; {damage}"
        ));
        sandbox.git_in(
            &sandbox.lane_path("x"),
            ["update-index", "--assume-unchanged", "library"],
        );
        let kept = sandbox
            .lane(["prune", "--all", "--yes", "--older-than", "0s"])
            .ok();
        assert!(kept.contains("kept lane 'x': "), "{damage}: {kept}");
        sandbox.lane(["drop", "x", "--force"]).ok();
        assert!(sandbox.entries()[0]["integrated"].is_null(), "{damage}");
    }
}

/// A lane whose directory is gone still has its submodules' repositories.
#[test]
fn a_lane_without_its_directory_is_kept_for_its_submodules() {
    let sandbox = landed("cd library; echo y >>README; git stash -q");
    std::fs::remove_dir_all(sandbox.lane_path("x")).unwrap();
    let kept = sandbox
        .lane(["prune", "--all", "--yes", "--older-than", "0s"])
        .ok();
    assert!(kept.contains("1 stash entry"), "{kept}");
}

/// `git submodule update --reference` makes one clone live off another's objects.
#[test]
fn a_submodule_others_borrow_from_does_not_leave_and_one_that_borrows_comes_back() {
    let sandbox = landed("true");
    let lender = sandbox
        .repo
        .join(".git/worktrees/x/modules/library/objects");
    let borrower = sandbox
        .repo
        .join(".git/modules/library/objects/info/alternates");
    write(&borrower, format!("{}\n", lender.display()));
    for args in [&["finish", "x"][..], &["drop", "x", "--force"]] {
        let refused = sandbox.lane(args).fails(1);
        assert!(
            refused.contains("borrows the objects of its submodule 'library'"),
            "{refused}"
        );
    }
    std::fs::remove_file(&borrower).unwrap();

    let alternates = lender.join("info/alternates");
    write(
        &alternates,
        format!(
            "{}\n",
            sandbox.repo.join(".git/modules/library/objects").display()
        ),
    );
    let inside = sandbox.lane_path("x").join("library");
    sandbox.git_in(&inside, ["commit", "-q", "--allow-empty", "-m", "mine"]);
    sandbox.git_in(&inside, ["repack", "-adlq"]);
    sandbox.lane(["drop", "x", "--yes"]).ok();
    sandbox.git_in(&sandbox.repo.join("library"), ["gc", "-q", "--prune=now"]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    sandbox.lane(["restore", "x"]).ok();
    sandbox.git_in(&inside, ["fsck", "--strict"]);
    assert_eq!(
        sandbox.git_in(&inside, ["log", "-1", "--format=%s"]),
        "mine"
    );
}
