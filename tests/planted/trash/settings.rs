//! Settings that an entry would bring back.

use super::*;
use crate::support::script;

/// Settings of a branch that have git run a program, or that are none of a branch.
#[test]
fn an_entry_brings_no_setting_back_that_runs_a_program() {
    let (sandbox, entry) = with_entry(None);
    sandbox.git(["remote", "add", "origin", "/nowhere"]);
    let file = entry.join("entry.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let settings = [
        ("remote", "origin"),
        ("merge", "refs/heads/x"),
        ("description", "two\nlines"),
        ("pushRemote", "ext::sh -c touch% PWNED"),
        ("mergeOptions", "--strategy=pwned"),
        ("x]\n[core]\n\tpager", "touch PWNED"),
        ("x-y", "a\n[core]\n\tpager = touch PWNED"),
    ];
    let settings = settings.map(|(key, value)| serde_json::json!({ "key": key, "value": value }));
    json["branch"]["settings"] = settings.to_vec().into();
    write(&file, json.to_string());
    let run = sandbox.lane_in_time(&["restore", "x"]);
    assert_eq!(run.stderr.matches("warning: ").count(), 4, "{run}");
    assert!(
        run.stderr
            .contains("git config branch.x.mergeOptions '--strategy=pwned'"),
        "{run}"
    );
    let _ = run.ok();
    let left = sandbox.git(["config", "--get-regexp", "^(branch|core.pager)"]);
    assert_eq!(
        left,
        "branch.x.remote origin\nbranch.x.merge refs/heads/x\nbranch.x.description two\nlines"
    );
}

/// What git would run or read for a planted setting of the worktree, each in the file that git
/// reads there.
const WORKTREE_SETTINGS: [&str; 12] = [
    "[core]\n\tfsmonitor = touch PWNED; false\n",
    "[core]\n\thooksPath = HOOKS\n",
    "[core]\n\tpager = touch PWNED\n[pager]\n\tstatus = true\n",
    "[core]\n\tsshCommand = touch PWNED\n",
    "[core]\n\tworktree = VICTIM\n",
    "[core]\n\tbare = true\n",
    "[core]\n\teditor = touch PWNED\n",
    "[alias]\n\tst = !touch PWNED\n",
    "[filter \"x\"]\n\tclean = touch PWNED; cat\n\tsmudge = touch PWNED; cat\n",
    "[diff]\n\texternal = touch PWNED\n",
    "[include]\n\tpath = EVIL\n",
    "[includeIf \"gitdir:**\"]\n\tpath = EVIL\n",
];

/// Has plain git do in the lane what a user does there first.
fn at_work(sandbox: &Sandbox, lane: &Path) {
    for args in [
        &["status"][..],
        &["diff"],
        &["log", "-1"],
        &["st"],
        &["add", "."],
        &["commit", "-qm", "x"],
    ] {
        let _ = sandbox.run(
            sandbox
                .command("git")
                .current_dir(lane)
                .env("GIT_PAGER_IN_USE", "1")
                .args(args),
        );
    }
}

#[test]
fn an_entry_brings_no_setting_of_its_worktree_back_that_nothing_bears_out() {
    for planted in WORKTREE_SETTINGS {
        let (sandbox, entry) = with_entry(None);
        sandbox.git(["config", "extensions.worktreeConfig", "true"]);
        let (victim, pwned) = (sandbox.precious(), sandbox.root().join("pwned"));
        let (hook, evil) = (victim.join("hooks/pre-commit"), victim.join("evil"));
        script(&hook, format!("touch {}", pwned.display()));
        write(
            &evil,
            format!("[core]\n\tfsmonitor = touch {}; false\n", pwned.display()),
        );
        let text = planted
            .replace("PWNED", pwned.to_str().unwrap())
            .replace("VICTIM", victim.to_str().unwrap())
            .replace("EVIL", evil.to_str().unwrap())
            .replace("HOOKS", hook.parent().unwrap().to_str().unwrap());
        write(
            &entry.join("admin/config.worktree"),
            format!("[core]\n\tautocrlf = false\n{text}"),
        );
        let before = look(&sandbox, &victim);
        let run = sandbox.lane_in_time(&["restore", "x"]);
        let lane = sandbox.lane_path("x");
        write(&lane.join("README"), "changed\n");
        at_work(&sandbox, &lane);
        assert!(!pwned.exists(), "{text}: {run}");
        assert_eq!(look(&sandbox, &victim), before, "{text}: {run}");
        let left = sandbox.git_in(&lane, ["config", "--worktree", "--list"]);
        assert_eq!(left, "core.autocrlf=false", "{text}: {run}");
        // Nothing is lost, and what is said puts it back.
        let hint = run
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix("hint: if you know it to be yours: "));
        let hint = hint.unwrap_or_else(|| panic!("{text}: {run}")).to_owned();
        let _ = run.ok();
        let _ = sandbox.sh(&hint).ok();
        let aside = sandbox
            .repo
            .join(".git/worktrees/x/config.worktree.not-restored");
        assert!(
            std::fs::read_to_string(aside).unwrap().ends_with(&text),
            "{text}"
        );
    }
}

/// A sparse lane has its settings in a file that the shared configuration includes.
#[test]
fn an_entry_of_a_sparse_lane_brings_back_that_it_is_sparse_and_no_more() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "x", "--sparse", "src"]).ok();
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = sandbox.entry();
    let file = entry.join("admin/lane-sparse.config");
    let own = std::fs::read_to_string(&file).unwrap();
    let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
    let back = sandbox.repo.join(".git/worktrees/x/lane-sparse.config");
    assert_eq!(std::fs::read_to_string(&back).unwrap(), own);
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = sandbox.entry();
    let pwned = sandbox.root().join("pwned");
    let planted = format!("{own}\tfsmonitor = touch {}; false\n", pwned.display());
    write(&entry.join("admin/lane-sparse.config"), planted);
    let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
    let lane = sandbox.lane_path("x");
    at_work(&sandbox, &lane);
    assert!(!pwned.exists());
    assert_eq!(
        sandbox.git_in(&lane, ["config", "core.sparseCheckoutCone"]),
        "true"
    );
}

/// What the user had set there is the user's, byte for byte, as long as it was not changed.
#[test]
fn what_a_lane_had_of_settings_comes_back_to_it() {
    for text in WORKTREE_SETTINGS
        .iter()
        .filter(|text| !text.contains("bare") && !text.contains("worktree ="))
    {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "extensions.worktreeConfig", "true"]);
        let _ = sandbox.lane(["start", "x"]).ok();
        let file = sandbox.repo.join(".git/worktrees/x/config.worktree");
        let text = format!("; mine\n{}", text.replace("touch PWNED", "true"));
        write(&file, &text);
        for _ in 0..2 {
            let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
            let run = sandbox.lane_in_time(&["restore", "x"]);
            assert_eq!(run.stderr, "", "{text}");
            let _ = run.ok();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
    // What the main worktree has, a lane may have by any word.
    let (sandbox, entry) = with_entry(None);
    sandbox.git(["config", "extensions.worktreeConfig", "true"]);
    sandbox.git(["config", "--worktree", "core.pager", "less"]);
    write(
        &entry.join("admin/config.worktree"),
        "[core]\n\tpager = less\n",
    );
    let run = sandbox.lane_in_time(&["restore", "x"]);
    assert_eq!(run.stderr, "");
    let _ = run.ok();
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("x"), ["config", "core.pager"]),
        "less"
    );
}

/// What leads git to another repository, or is no file of settings at all.
#[test]
fn a_kept_admin_directory_leads_git_to_no_other_repository() {
    type Plant = fn(&Path, &Path);
    let rows: [(&str, Plant); 8] = [
        ("commondir", |admin, evil| {
            write(&admin.join("commondir"), evil.to_str().unwrap())
        }),
        ("a relative commondir", |admin, _| {
            write(&admin.join("commondir"), "../../../../evil\n")
        }),
        ("a linked commondir", |admin, evil| {
            write(&evil.join("way"), evil.to_str().unwrap());
            std::fs::remove_file(admin.join("commondir")).unwrap();
            link(&evil.join("way"), &admin.join("commondir"));
        }),
        ("no commondir", |admin, evil| {
            std::fs::remove_file(admin.join("commondir")).unwrap();
            std::fs::copy(evil.join("config"), admin.join("config")).unwrap();
            for name in ["objects", "refs"] {
                std::fs::create_dir_all(admin.join(name)).unwrap();
            }
        }),
        ("a linked config.worktree", |admin, evil| {
            link(&evil.join("config"), &admin.join("config.worktree"))
        }),
        ("a pipe", |admin, _| pipe(&admin.join("config.worktree"))),
        ("a directory", |admin, _| {
            std::fs::create_dir(admin.join("config.worktree")).unwrap()
        }),
        ("no settings", |admin, _| {
            write(&admin.join("config.worktree"), "[core\n\0")
        }),
    ];
    for (what, plant) in rows {
        let (sandbox, entry) = with_entry(None);
        sandbox.git(["config", "extensions.worktreeConfig", "true"]);
        let (evil, pwned) = (sandbox.root().join("evil"), sandbox.root().join("pwned"));
        sandbox.git(["init", "-q", "--bare", evil.to_str().unwrap()]);
        let command = format!("touch {}; false", pwned.display());
        sandbox.git_in(&evil, ["config", "core.fsmonitor", &command]);
        plant(&entry.join("admin"), &evil);
        let run = sandbox.lane_in_time(&["restore", "x"]);
        let lane = sandbox.lane_path("x");
        at_work(&sandbox, &lane);
        let _ = sandbox.lane_in_time(&["list"]).ok();
        assert!(!pwned.exists(), "{what}: {run}");
        let _ = run.ok();
        assert_eq!(
            sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]),
            "## x",
            "{what}"
        );
    }
}
