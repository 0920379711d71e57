//! What hooks, editors, filters and drivers are given.

use super::*;

#[test]
fn the_hook_of_a_new_worktree_is_given_what_git_worktree_add_gives() {
    let noting = || {
        let sandbox = Sandbox::new();
        noting(&sandbox);
        sandbox.git(["worktree", "add", "-q", "-b", "other", "../other"]);
        std::fs::remove_file(sandbox.root().join("home/notes")).unwrap();
        sandbox.write("sub/file", "");
        sandbox
    };
    for (git, lane) in [
        (
            "git worktree add -q -b x ../shop.lanes/x",
            "git lane start x",
        ),
        (
            "git worktree add -q -b x ../shop.lanes/x",
            "git-lane start x",
        ),
        (
            "cd sub; git worktree add -q -b x ../../shop.lanes/x",
            "cd sub; git lane start x",
        ),
        (
            "cd ../other; git worktree add -q -b x ../shop.lanes/x main",
            "cd ../other; git lane start x --base main",
        ),
        (
            "cd .git; git worktree add -q -b x ../../shop.lanes/x",
            "cd .git; git lane start x",
        ),
        (
            "umask 027; git worktree add -q -b x ../shop.lanes/x",
            "umask 027; git lane start x",
        ),
        (
            "git -c a.b=\"it's 100%\" worktree add -q -b x ../shop.lanes/x",
            "git -c a.b=\"it's 100%\" lane start x",
        ),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b GIT_CONFIG_VALUE_0=c git worktree add -q -b x \
             ../shop.lanes/x",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b GIT_CONFIG_VALUE_0=c git lane start x",
        ),
    ] {
        same(noting, git, lane, &["post-checkout"]);
    }
}

#[test]
fn the_programs_of_a_landing_are_given_what_git_merge_gives() {
    same(
        diverged,
        "git merge -q --no-edit x",
        "git lane finish x",
        &[
            "driver",
            "pre-merge-commit",
            "prepare-commit-msg",
            "commit-msg",
            "post-merge",
        ],
    );
    let programs = [
        "driver",
        "pre-merge-commit",
        "prepare-commit-msg",
        "editor",
        "commit-msg",
        "post-merge",
    ];
    same(
        diverged,
        "GIT_EDITOR=$EDIT git merge -q --edit x",
        "GIT_EDITOR=$EDIT git lane finish x --edit",
        &programs,
    );
    // Where the base is checked out in a linked worktree.
    same(
        diverged,
        "git switch -q --detach; git worktree add -q ../base main; cd ../base; git merge -q \
         --no-edit x",
        "git switch -q --detach; git worktree add -q ../base main; git lane finish x",
        &programs.map(|program| {
            if program == "editor" {
                "commit-msg"
            } else {
                program
            }
        }),
    );
}

#[test]
fn the_programs_of_a_squash_are_given_what_git_commit_gives() {
    let programs = [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-merge",
        "post-commit",
    ];
    same(
        diverged,
        "git merge -q --squash x; git commit -q --no-edit",
        "git lane finish x --keep --strategy squash",
        &programs,
    );
    same(
        diverged,
        "git merge -q --squash x; GIT_EDITOR=$EDIT git commit -q",
        "GIT_EDITOR=$EDIT git lane finish x --keep --strategy squash --edit",
        &[
            "pre-commit",
            "prepare-commit-msg",
            "editor",
            "commit-msg",
            "post-commit",
        ],
    );
    same(
        diverged,
        "cd ../shop.lanes/x; echo >new; git add -A; git commit -q -m m",
        "cd ../shop.lanes/x; echo >new; git lane finish --commit m",
        &["pre-commit", "post-commit"],
    );
}

/// nohup(1) and a shell's background have signals ignored. git catches those it cleans up for, so
/// that hooks and editors begin with none of them ignored; all others stay as they were.
#[test]
fn what_the_caller_ignores_is_ignored_where_git_has_it_so() {
    let ignore = |command: &str| format!("trap '' HUP INT QUIT TERM USR1 CHLD; {command}");
    let empty = || {
        let sandbox = Sandbox::new();
        noting(&sandbox);
        sandbox
    };
    let add = "git worktree add -q -b x ../shop.lanes/x";
    same(
        empty,
        &ignore(add),
        &ignore("git lane start x"),
        &["post-checkout"],
    );
    let (merge, land) = (
        "GIT_EDITOR=$EDIT git merge -q --edit x",
        "GIT_EDITOR=$EDIT git lane finish x --edit",
    );
    let programs = [
        "driver",
        "pre-merge-commit",
        "prepare-commit-msg",
        "editor",
        "commit-msg",
        "post-merge",
    ];
    same(diverged, &ignore(merge), &ignore(land), &programs);
}

/// What the hook of an index heard of `script`.
fn index_changes(sandbox: &Sandbox, script: &str) -> Vec<String> {
    sandbox.hook("post-index-change", NOTE);
    let _ = std::fs::remove_file(sandbox.root().join("home/notes"));
    let mut shell = sandbox.command("sh");
    let _ = sandbox.run(shell.args(["-ec", script])).ok();
    noted(sandbox)
        .into_iter()
        .filter(|note| note.starts_with("post-index-change "))
        .collect()
}

/// It hears of no index that git-lane only works on, and is given nothing that git-lane tells its
/// own gits.
#[test]
fn the_hook_of_an_index_hears_of_the_real_one_once() {
    type Prepare = fn(&Sandbox);
    const MERGE: &str = "git merge -q --no-edit x";
    let rows: [(&str, &str, Prepare); 17] = [
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |_| {},
        ),
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |sandbox| {
                drop(sandbox.git(["config", "--remove-section", "filter.f"]));
            },
        ),
        // git writes files aside.
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |sandbox| {
                sandbox.git(["config", "--remove-section", "filter.f"]);
                sandbox.write(".gitattributes", "*.txt text eol=crlf\n");
                sandbox.commit("attributes");
            },
        ),
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |sandbox| {
                sandbox.git(["config", "--remove-section", "filter.f"]);
                sandbox.git(["config", "core.splitIndex", "true"]);
            },
        ),
        // git writes all of them in place.
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |sandbox| {
                let included = sandbox.root().join("home/included");
                write(&included, "[a]\nb = c\n");
                sandbox.git([
                    "config",
                    "includeIf.gitdir:**/y.path",
                    included.to_str().unwrap(),
                ]);
            },
        ),
        (
            "git -c a.b=c worktree add -q -b y ../shop.lanes/y",
            "git -c a.b=c lane start y",
            |_| {},
        ),
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y --sparse src",
            |_| {},
        ),
        (
            "git worktree add -q -b y ../shop.lanes/y",
            "git lane start y",
            |sandbox| {
                let format = if git_version() < (2, 45) {
                    "-q"
                } else {
                    "--ref-format=reftable"
                };
                std::fs::remove_dir_all(sandbox.repo.join(".git")).unwrap();
                sandbox.git(["init", "-q", "-b", "main", format]);
                sandbox.commit("all");
            },
        ),
        (
            "git -C ../shop.lanes/x switch -q x",
            "git lane doctor --fix",
            |sandbox| {
                drop(sandbox.git_in(
                    &sandbox.lane_path("x"),
                    ["switch", "-q", "-c", "other", "main"],
                ));
            },
        ),
        (MERGE, "git lane finish x", |_| {}),
        (
            "git -c a.b=c merge -q --no-edit x",
            "git -c a.b=c lane finish x",
            |_| {},
        ),
        // The files are written in place.
        (MERGE, "git lane finish x", |sandbox| {
            sandbox.write(".git/info/sparse-checkout", "/*\n")
        }),
        (
            "git merge -q --ff-only x",
            "git lane finish x --strategy ff",
            |sandbox| {
                drop(sandbox.git_in(&sandbox.lane_path("x"), ["rebase", "-q", "main"]));
            },
        ),
        (
            "git -C ../shop.lanes/x rebase -q main; rm -f ~/notes; git merge -q --ff-only x",
            "git lane finish x --keep --strategy rebase",
            |_| {},
        ),
        (
            "git merge -q --squash x; git commit -q --no-edit",
            "git lane finish x --keep --strategy squash",
            |_| {},
        ),
        (
            "cd ../base; git merge -q --no-edit x",
            "git lane finish x",
            |sandbox| {
                sandbox.git(["switch", "-q", "--detach"]);
                sandbox.git(["worktree", "add", "-q", "../base", "main"]);
            },
        ),
        // No worktree has the base checked out.
        ("true", "git lane finish x", |sandbox| {
            drop(sandbox.git(["switch", "-q", "--detach"]))
        }),
    ];
    let mut by_git = BTreeMap::new();
    for (number, (git, lane, prepare)) in rows.into_iter().enumerate() {
        let run = |script: &str| {
            let sandbox = diverged();
            std::fs::remove_file(sandbox.repo.join(".git/hooks/post-merge")).unwrap();
            prepare(&sandbox);
            index_changes(&sandbox, script)
        };
        let expected = by_git.entry(git).or_insert_with(|| run(git));
        // Before it merges, git may write down stat data that it has looked up.
        expected.retain(|note| note.starts_with("post-index-change 1 "));
        assert_eq!(
            expected.len(),
            usize::from(git != "true"),
            "{number} {git}: {expected:?}"
        );
        assert_eq!(run(lane), *expected, "{number} {lane}");
    }
}

/// A smudge filter is told neither of the prepared index nor of the repository; git tells it
/// besides what is merged.
#[test]
fn a_filter_of_a_landing_is_told_of_no_place_of_git_lane() {
    let sandbox = diverged();
    sandbox.lane(["finish", "x"]).ok();
    let notes: Vec<String> = noted(&sandbox)
        .into_iter()
        .filter(|note| note.starts_with("filter "))
        .collect();
    assert!(!notes.is_empty());
    for note in notes {
        for variable in [
            "GIT_INDEX_FILE",
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_CONFIG_PARAMETERS",
            "GIT_LANE",
        ] {
            assert!(!note.contains(variable), "{note}");
        }
    }
}

/// Nor is one of a new worktree told what keeps a hook from hearing of each index that git writes
/// on the way.
#[test]
fn a_filter_of_a_new_worktree_is_given_what_git_worktree_add_gives() {
    let prepare = || {
        let sandbox = diverged();
        sandbox.hook("post-index-change", "exit 0");
        sandbox
    };
    same(
        prepare,
        "git worktree add -q -b y ../shop.lanes/y",
        "git lane start y",
        &["filter"],
    );
}
