//! What repositories hold: a sync makes of it what `git merge` and `git rebase` in the lane make.

use super::*;

/// What the lane does, what its base does, each in its worktree; the last says whether git can merge
/// it.
const TABLE: &[(&str, &str, &str, bool)] = &[
    ("mode", "chmod +x src/app.txt", "echo more >>README", true),
    (
        "mode of the base",
        "echo more >>README",
        "chmod +x src/app.txt",
        true,
    ),
    ("link", "ln -s README link", "ln -s src deep", true),
    (
        "file to link",
        "echo more >>README",
        "rm src/app.txt; ln -s ../README src/app.txt",
        true,
    ),
    (
        "binary",
        "printf 'a\\0b' >blob",
        "printf 'c\\0d' >other.bin",
        true,
    ),
    (
        "binary on both sides",
        "printf 'a\\0b' >blob",
        "printf 'c\\0d' >blob",
        false,
    ),
    (
        "rename and change",
        "git mv src/app.txt src/moved.txt",
        "echo four >>src/app.txt",
        true,
    ),
    (
        "change and rename",
        "echo four >>src/app.txt",
        "git mv src/app.txt src/moved.txt",
        true,
    ),
    ("renamed alike", "git mv README R", "git mv README R", true),
    ("renamed apart", "git mv README A", "git mv README B", false),
    (
        "directory for a file",
        "echo x >spot",
        "mkdir spot; echo y >spot/file",
        false,
    ),
    (
        "a directory moves",
        "git mv src lib",
        "echo new >src/new.txt",
        false,
    ),
    (
        "deleted and changed",
        "git rm -q README",
        "echo more >>README",
        false,
    ),
    (
        "deleted alike",
        "git rm -q README",
        "git rm -q README",
        true,
    ),
    (
        "emptied directory",
        "echo x >own",
        "git rm -q src/app.txt",
        true,
    ),
    ("added alike", "echo same >same", "echo same >same", true),
    (
        "line ends",
        "echo more >>README",
        "echo '*.txt text eol=crlf' >.gitattributes; echo x >new.txt",
        true,
    ),
    (
        "odd names",
        "echo x >'tab\there'; echo y >'-dash'",
        "echo z >'new\nline'; echo q >'\"'",
        true,
    ),
    (
        "bytes",
        "echo x >\"$(printf 'a\\377b')\"",
        "echo y >\"$(printf 'c\\376d')\"",
        true,
    ),
    (
        "a filter",
        "echo more >>README",
        "echo '*.up filter=up' >.gitattributes; echo y >two.up",
        true,
    ),
    (
        "ignored file of the base",
        "echo '*.log' >.gitignore",
        "echo x >forced.log",
        true,
    ),
    (
        "many",
        "for n in $(seq 300); do echo $n >own$n; done",
        "for n in $(seq 300); do echo $n >base$n; \
      done",
        true,
    ),
];

fn with(lane_does: &str, base_does: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "filter.up.clean", "tr A-Z a-z"]);
    sandbox.git(["config", "filter.up.smudge", "tr a-z A-Z"]);
    let path = sandbox.lane_by_git("login");
    sandbox
        .sh_in(
            &path,
            &format!("{lane_does}\ngit add -A -f && git commit -qm lane"),
        )
        .ok();
    sandbox
        .sh(&format!(
            "{base_does}\ngit add -A -f && git commit -qm base"
        ))
        .ok();
    sandbox
}

#[test]
fn what_git_merges_is_merged_alike_and_what_it_cannot_stays() {
    for strategy in ["merge", "rebase"] {
        for (what, lane_does, base_does, merges) in TABLE {
            let sandbox = with(lane_does, base_does);
            let there = sandbox.root().join("yardstick");
            let add = [
                "worktree",
                "add",
                "-q",
                "-b",
                "yardstick",
                there.to_str().unwrap(),
                "login",
            ];
            sandbox.git(add);
            let before = state(&sandbox);
            let theirs = sandbox.sh_in(&there, &format!("git {strategy} -q main"));
            let ours = sync(&sandbox, ["--strategy", strategy]);
            assert_eq!(theirs.code == 0, *merges, "{what} {strategy}: {theirs}");
            if !merges {
                ours.fails(3);
                sandbox
                    .sh_in(&there, &format!("git {strategy} --abort"))
                    .ok();
                assert_eq!(state(&sandbox), before, "{what} {strategy}");
                continue;
            }
            ours.ok();
            let tree = |name: &str| tip(&sandbox, &format!("{name}^{{tree}}"));
            assert_eq!(tree("login"), tree("yardstick"), "{what} {strategy}");
            assert_eq!(status(&sandbox), "", "{what} {strategy}");
            let files = |path: &Path| {
                let list = "find . -name .git -prune -o -print0 | sort -z | while IFS= read -r -d '' f; \
                            do if [ -L \"$f\" ]; then readlink \"$f\"; elif [ -f \"$f\" ]; then stat -c \
                            '%A %n' \"$f\"; cat \"$f\"; else echo \"$f\"; fi; done";
                sandbox
                    .sh_in(path, &format!("bash -c '{}'", list.replace('\'', "'\\''")))
                    .ok()
            };
            assert_eq!(files(&lane(&sandbox)), files(&there), "{what} {strategy}");
        }
    }
}

#[test]
fn a_submodule_moves_its_entry_and_keeps_its_files() {
    let sandbox = Sandbox::new();
    let inner = sandbox.root().join("inner");
    sandbox.git(["init", "-q", "-b", "main", inner.to_str().unwrap()]);
    sandbox.git_in(&inner, ["commit", "-q", "--allow-empty", "-m", "one"]);
    sandbox.add_submodule(&inner, "sub");
    sandbox.commit("submodule");
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "own.txt", "own\n");
    let inside = lane(&sandbox).join("sub");
    sandbox.git_in(&lane(&sandbox), ["submodule", "-q", "update", "--init"]);
    let before = sandbox.git_in(&inside, ["rev-parse", "HEAD"]);
    sandbox.git_in(&inner, ["commit", "-q", "--allow-empty", "-m", "two"]);
    sandbox.git_in(&sandbox.repo.join("sub"), ["pull", "-q", "origin", "main"]);
    sandbox.commit("submodule moves");
    sync(&sandbox, []).ok();
    let entry = |name: &str| tip(&sandbox, &format!("{name}:sub"));
    assert_eq!(entry("login"), entry("main"));
    assert_ne!(entry("login"), before);
    assert_eq!(sandbox.git_in(&inside, ["rev-parse", "HEAD"]), before);
}

/// Lanes and bases that another process changes meanwhile: the loser says so, nothing is half done.
#[test]
fn a_base_that_moves_meanwhile_is_taken_as_it_was_or_as_it_is() {
    let sandbox = diverged();
    let git = "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git";
    // The hook runs once the merge is computed.
    let line = format!(
        "cd '{}' && test -e moved || {{ touch moved && {git} -c core.hooksPath=/dev/null commit -q \
         --allow-empty -m late; }}",
        sandbox.repo.display()
    );
    sandbox.hook("pre-merge-commit", line);
    let base = tip(&sandbox, "main");
    sync(&sandbox, []).ok();
    assert_eq!(tip(&sandbox, "login^2"), base);
    assert_ne!(tip(&sandbox, "main"), base);
    sync(&sandbox, []).ok();
    assert_eq!(sandbox.git(["rev-list", "--count", "login..main"]), "0");
}

#[test]
fn a_lane_whose_branch_moves_meanwhile_is_computed_again() {
    let sandbox = diverged();
    let line = format!(
        "cd '{}' && test -e ../moved || {{ touch ../moved && env -u GIT_DIR -u GIT_WORK_TREE -u \
         GIT_INDEX_FILE git -c core.hooksPath=/dev/null commit -q --allow-empty -m late; }}",
        lane(&sandbox).display()
    );
    sandbox.hook("pre-merge-commit", line);
    sync(&sandbox, []).ok();
    let subject = sandbox.git(["log", "-1", "--format=%s", "login^1"]);
    assert_eq!(subject, "late");
    assert_eq!(status(&sandbox), "");
}

#[test]
fn a_lane_that_leaves_meanwhile_is_told() {
    let sandbox = diverged();
    let inner = env!("CARGO_BIN_EXE_git-lane");
    let line = format!(
        "cd '{}' && env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE '{inner}' drop --yes login \
         >&2; exit 0",
        sandbox.repo.display()
    );
    sandbox.hook("pre-merge-commit", line);
    let said = sync(&sandbox, []).fails(1);
    assert!(said.contains("was changed by another command"), "{said}");
    assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
    assert_eq!(sandbox.entry_ids().len(), 1);
    sandbox.plain_git_works();
}

#[test]
fn a_damaged_index_is_no_loss() {
    let sandbox = diverged();
    let git_dir = sandbox.admin(&lane(&sandbox));
    let before = state(&sandbox);
    std::fs::rename(git_dir.join("index"), git_dir.join("index.away")).unwrap();
    std::fs::write(git_dir.join("index"), "damaged").unwrap();
    let run = sync(&sandbox, []);
    assert_ne!(run.code, 0, "{run}");
    std::fs::rename(git_dir.join("index.away"), git_dir.join("index")).unwrap();
    assert_eq!(state(&sandbox), before);
}
