//! `git lane prune`: only what is provably done, and it says by which proof.

use std::collections::BTreeMap;

use crate::support::{Sandbox, write};

fn outcome(sandbox: &Sandbox, args: &[&str]) -> BTreeMap<String, String> {
    let report = sandbox.lane(["--json", "prune"].iter().chain(args)).json();
    let list = |key: &str, code: &str| {
        let entries = report[key].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let sign = if key == "pruned" { "-" } else { "+" };
        entries
            .into_iter()
            .map(|entry| {
                (
                    text(&entry["lane"]),
                    format!("{sign}{}", text(&entry[code])),
                )
            })
            .collect::<Vec<_>>()
    };
    list("pruned", "code")
        .into_iter()
        .chain(list("kept", "code"))
        .collect()
}

#[test]
fn every_lane_goes_by_proof_or_stays_for_a_reason() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("merged");
    sandbox.work("merged", "merged", "x");
    sandbox.lane_by_git("picked");
    sandbox.work("picked", "picked", "x");
    sandbox.git(["merge", "-q", "--no-ff", "-m", "merge", "merged"]);
    sandbox.git(["cherry-pick", "picked"]);
    let dirty = sandbox.lane_by_git("landed-but-dirty");
    sandbox.work("landed-but-dirty", "landed", "x");
    sandbox.git(["merge", "-q", "landed-but-dirty"]);
    write(&dirty.join("new"), "x");
    sandbox.lane_by_git("ahead");
    sandbox.work("ahead", "ahead", "x");
    let gone = sandbox.lane_by_git("gone");
    sandbox.work("gone", "gone", "x");
    std::fs::remove_dir_all(gone).unwrap();
    let gone = sandbox.lane_by_git("gone-unused");
    std::fs::remove_dir_all(gone).unwrap();
    sandbox.lane_by_git("fresh");
    let locked = sandbox.lane_by_git("locked");
    sandbox.git(["worktree", "lock", locked.to_str().unwrap()]);
    let expected: BTreeMap<String, String> = [
        ("merged", "-ancestor"),
        ("picked", "-same-content"),
        ("landed-but-dirty", "+unsettled"),
        ("ahead", "+not-integrated"),
        ("gone", "-directory-gone"),
        ("gone-unused", "-directory-gone"),
        ("fresh", "+too-young"),
        ("locked", "+worktree-locked"),
    ]
    .map(|(name, why)| (name.to_owned(), why.to_owned()))
    .into();

    let before = sandbox.fingerprint();
    assert_eq!(outcome(&sandbox, &["--dry-run"]), expected);
    assert!(sandbox.fingerprint() == before);
    assert_eq!(outcome(&sandbox, &[]), expected);
    let branches = sandbox.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
    assert_eq!(
        branches,
        "ahead\nfresh\ngone\nlanded-but-dirty\nlocked\nmain"
    );
    sandbox.plain_git_works();
    sandbox.nothing_left_behind(4);
    for name in ["merged", "gone", "gone-unused"] {
        sandbox.lane(["restore", name]).ok();
    }
    sandbox.plain_git_works();
    let text = sandbox.lane(["prune", "--all"]).ok();
    assert!(
        text.contains("pruned lane 'merged': merged into its base"),
        "{text}"
    );
    assert!(
        text.contains("kept lane 'ahead': it has 1 commit that 'main' has not"),
        "{text}"
    );
}

/// Those that stay are counted, unless they are asked for; what says why names them.
#[test]
fn lanes_that_stay_are_no_flood() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "one", "two"]).ok();
    let hint = "git lane prune --dry-run --older-than 5s";
    for (args, wanted) in [
        (
            &["prune"][..],
            "2 kept; see why with: git lane prune --dry-run\n".to_owned(),
        ),
        (
            &["prune", "--yes", "--older-than", "5s"],
            format!("2 kept; see why with: {hint}\n"),
        ),
    ] {
        assert_eq!(sandbox.lane(args).ok(), wanted);
    }
    for args in [&["prune", "--all"][..], &["prune", "-n"]] {
        let text = sandbox.lane(args).ok();
        let kept = text.lines().filter(|line| line.starts_with("kept lane '"));
        assert_eq!((kept.count(), text.lines().count()), (2, 2), "{text}");
    }
    let report = sandbox.lane(["prune", "--json"]).json();
    assert_eq!(report["kept"].as_array().unwrap().len(), 2);
}

#[test]
fn an_age_holds_for_every_lane() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("merged");
    sandbox.work("merged", "merged", "x");
    sandbox.git(["merge", "-q", "merged"]);
    sandbox.lane_by_git("unused");
    for (age, why) in [
        ("1h", ["+too-young", "+too-young"]),
        ("0s", ["-same-commit", "-never-used"]),
    ] {
        let names = ["merged", "unused"].map(str::to_owned);
        let expected: BTreeMap<_, _> = names.into_iter().zip(why.map(str::to_owned)).collect();
        assert_eq!(outcome(&sandbox, &["--older-than", age]), expected);
    }
    sandbox.lane(["prune", "--older-than", "soon"]).fails(2);
    assert_eq!(sandbox.lane(["prune"]).ok(), "there are no lanes\n");
}

/// The admin directory of a removed worktree leaves; those of other missing worktrees are none of
/// our business.
#[test]
fn other_peoples_missing_worktrees_keep_their_admin_directories() {
    let sandbox = Sandbox::new();
    let stick = sandbox.root().join("stick");
    sandbox.add_worktree("stick", &stick);
    std::fs::rename(&stick, sandbox.root().join("unplugged")).unwrap();
    let gone = sandbox.lane_by_git("gone");
    std::fs::remove_dir_all(gone).unwrap();
    sandbox.lane(["prune"]).ok();
    let left = std::fs::read_dir(sandbox.repo.join(".git/worktrees"))
        .unwrap()
        .flatten();
    assert_eq!(
        left.map(|entry| entry.file_name()).collect::<Vec<_>>(),
        ["stick"]
    );
}

/// A lane that was only brought up to date with its base is as new as it was before: nothing was
/// done in it yet.
#[test]
fn a_lane_that_was_only_brought_up_to_date_was_never_used() {
    for (what, sync, used) in [
        ("merge", "git merge -q main", false),
        ("reset", "git reset -q --hard main", false),
        ("rebase", "git rebase -q main", false),
        ("pull", "git pull -q . main", false),
        ("pull --rebase", "git pull -q --rebase . main", false),
        ("twice", "git merge -q main~1; git merge -q main", false),
        (
            "merge without a fast-forward",
            "git merge -q --no-ff --no-edit main",
            true,
        ),
        (
            "commit",
            "git commit -q --allow-empty -m work; git merge -q --no-edit main; git push -q . \
             HEAD:main",
            true,
        ),
        (
            "cherry-pick",
            "git cherry-pick main; git reset -q --hard main",
            true,
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(".gitignore", ".env\n");
        sandbox.commit("ignore");
        sandbox.lane(["start", "x"]).ok();
        let lane = sandbox.lane_path("x");
        for name in ["one", "two"] {
            sandbox.write(name, name);
            sandbox.commit(name);
        }
        write(&lane.join(".env"), "secret");
        sandbox.git(["config", "receive.denyCurrentBranch", "ignore"]);
        sandbox.sh_in(&lane, sync).ok();
        // A merge commit of its own is in no base.
        let expected = if what.starts_with("merge without") {
            "+not-integrated"
        } else {
            "-integrated"
        };
        let found = outcome(&sandbox, &["-n"])["x"].clone();
        let right = if used {
            found == expected || found.starts_with("-")
        } else {
            found == "+too-young"
        };
        assert!(right, "{what}: {found}");
        if !used {
            let json = sandbox
                .lane(["--json", "prune", "-n", "--older-than", "0s"])
                .json();
            assert_eq!(json["pruned"][0]["code"], "never-used", "{what}: {json}");
            assert_eq!(
                json["pruned"][0]["ignored"],
                serde_json::json!([".env"]),
                "{what}: {json}"
            );
            let text = sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
            assert!(
                text.contains("ignored files that left with it: '.env'"),
                "{what}: {text}"
            );
        }
    }
}

/// show, prune and drop say the same of a lane without a branch.
#[test]
fn a_detached_lane_has_one_verdict() {
    for (what, work, integrated, asks) in [
        ("as started", "true", true, None),
        (
            "ahead",
            "echo x >work; git add work; git commit -qm work",
            false,
            Some("not-integrated"),
        ),
        (
            "landed",
            "echo x >work; git add work; git commit -qm work; git -C ../../shop merge -q $(git \
             rev-parse HEAD)",
            true,
            None,
        ),
        ("dirty", "echo x >new", true, Some("unsettled")),
        (
            "on a branch",
            "git checkout -q -b somewhere",
            true,
            Some("unsettled"),
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x", "--detach"]).ok();
        let lane = sandbox.lane_path("x");
        sandbox.sh_in(&lane, work).ok();
        let shown = sandbox.lane(["--json", "show", "x"]).json();
        let stray = what == "on a branch";
        assert!(
            stray || integrated != shown["versusBase"]["integrated"].is_null(),
            "{what}: {shown}"
        );
        let pruned = outcome(&sandbox, &["-n", "--older-than", "0s"])["x"].clone();
        assert_eq!(pruned.strip_prefix('+'), asks, "{what}: {pruned}");
        let run = sandbox.lane(["--json", "drop", "x"]);
        match asks {
            Some(code) => assert!(
                run.stdout.contains(&format!("\"code\": \"{code}\"")),
                "{what}: {run}"
            ),
            None => drop(run.ok()),
        }
    }
}

#[test]
fn a_branch_that_stays_can_be_worked_on_again() {
    let sandbox = Sandbox::new();
    let gone = sandbox.lane_by_git("gone");
    sandbox.work("gone", "gone", "x");
    std::fs::remove_dir_all(gone).unwrap();
    let text = sandbox.lane(["prune"]).ok();
    let hint = text
        .lines()
        .find_map(|line| line.split_once(": git lane "))
        .map(|(_, command)| command.to_owned());
    let command = hint.unwrap_or_else(|| panic!("{text}"));
    sandbox.lane(command.split(' ')).ok();
    assert!(sandbox.lane_path("gone").join("gone").exists(), "{text}");
}
