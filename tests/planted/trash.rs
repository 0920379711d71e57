//! Entries of the trash: what they say, and what lies in their directories.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{link, look, pipe};
use crate::sandbox::{Sandbox, write};

/// A repository with a removed lane `x`, and its entry's directory.
fn with_entry(path: Option<&Path>) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let mut args = vec!["start", "x"];
    args.extend(path.iter().flat_map(|path| ["--path", path.to_str().unwrap()]));
    let _ = sandbox.lane(&args).ok();
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = std::fs::read_dir(sandbox.own("trash")).unwrap().next().unwrap().unwrap().path();
    (sandbox, entry)
}

fn change(entry: &Path, pointer: &str, value: &str) {
    let file = entry.join("entry.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.into();
    write(&file, json.to_string());
}

/// What no entry of this repository can say.
#[test]
fn an_entry_that_git_lane_cannot_have_written_is_named_and_left_alone() {
    for (pointer, values) in [
        ("/worktree/path", &["/", "..", "x", "REPO", "REPO/.git", "REPO/.git/hooks", "LANES/../precious"][..]),
        ("/worktree/admin", &["../../../precious", "..", ".", "a/b", "", "/x"]),
        ("/id", &["../../../../precious", "another", "", "A"]),
        ("/lane/id", &["../x", "a/b", ""]),
    ] {
        for value in values {
            let (sandbox, entry) = with_entry(None);
            let victim = sandbox.precious();
            let spelled = value
                .replace("REPO", sandbox.repo.to_str().unwrap())
                .replace("LANES", sandbox.lane_path("").to_str().unwrap().trim_end_matches('/'));
            change(&entry, pointer, &spelled);
            let before = look(&sandbox, &victim);
            assert_eq!(sandbox.found(), ["strange-file"], "{pointer} {value}");
            let listed = sandbox.lane_in_time(&["trash"]);
            assert!(format!("{listed}").contains(entry.to_str().unwrap()), "{pointer} {value}: {listed}");
            let _ = sandbox.lane_in_time(&["restore", "x"]).fails(1);
            let _ = sandbox.lane_in_time(&["trash", "--expire"]).ok();
            let _ = sandbox.lane_in_time(&["prune", "--yes"]).ok();
            assert!(entry.join("worktree").exists(), "{pointer} {value}");
            assert_eq!(look(&sandbox, &victim), before, "{pointer} {value}");
            let _ = sandbox.lane_in_time(&["start", "y"]).ok();
        }
    }
}

/// A place that git-lane may have used, but nothing outside of the repository says so.
#[test]
fn a_lane_does_not_come_back_to_where_the_user_never_had_one() {
    for value in [".ssh", ".config/git", "bin", ".local/share/applications", ".bashrc.d"] {
        let (sandbox, entry) = with_entry(None);
        let place = sandbox.root().join("home").join(value);
        change(&entry, "/worktree/path", place.to_str().unwrap());
        change(&entry, "/lane/worktree", place.to_str().unwrap());
        let said = sandbox.lane_in_time(&["restore", "x"]).fails(1);
        assert!(said.contains("nothing outside of this repository") && !place.exists(), "{said}");
        assert!(said.contains(&format!("git lane restore --path {} x", place.display())), "{said}");
        // The file says as well where the repository was, which must not lead there either.
        change(&entry, "/worktree/common_dir", sandbox.root().join("home/.config/evil/.git").to_str().unwrap());
        let _ = sandbox.lane_in_time(&["restore", "x"]).fails(1);
        assert!(!place.exists());
        let elsewhere = sandbox.root().join("elsewhere");
        let _ = sandbox.lane_in_time(&["restore", "--path", "../elsewhere", "x"]).ok();
        assert_eq!(sandbox.git_in(&elsewhere, ["status", "--porcelain", "--branch"]), "## x");
        assert_eq!(sandbox.lane(["path", "x"]).ok(), format!("{}\n", elsewhere.display()));
    }
}

/// The user's own word counts, wherever it was given.
#[test]
fn a_lane_comes_back_to_where_the_user_has_put_it() {
    for place in ["elsewhere/x", ".hidden/x", "home/.worktrees/x"] {
        let sandbox = Sandbox::new();
        let place = sandbox.root().join(place);
        let (sandbox, entry) = {
            let _ = sandbox.lane(["start", "x", "--path", place.to_str().unwrap()]).ok();
            let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
            let entry = std::fs::read_dir(sandbox.own("trash")).unwrap().next().unwrap().unwrap().path();
            (sandbox, entry)
        };
        let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
        assert!(place.join("README").exists() && !entry.exists());
        // One that plain git made and a record adopted is known from its removal on.
        let by_git = place.with_file_name("y");
        sandbox.git(["worktree", "add", "-q", "-b", "y", by_git.to_str().unwrap(), "main"]);
        sandbox.record("y", &by_git);
        let _ = sandbox.lane(["drop", "--yes", "y"]).ok();
        let _ = sandbox.lane_in_time(&["restore", "y"]).ok();
        assert!(by_git.join("README").exists());
    }
}

/// Links, pipes and directories in the places of an entry's parts.
#[test]
fn what_lies_in_an_entry_is_not_followed() {
    for part in ["worktree", "admin", "reflog", "dot-git", "entry.json", "size", ".size", ".entry.json", ".reflog"] {
        for kind in ["directory", "file", "pipe", "nothing"] {
            let (sandbox, entry) = with_entry(None);
            let victim = sandbox.precious();
            let at = entry.join(part);
            if at.exists() {
                std::fs::rename(&at, sandbox.root().join("aside")).unwrap();
            }
            match kind {
                "directory" => link(&victim, &at),
                "file" => link(&victim.join("doc"), &at),
                "pipe" => pipe(&at),
                _ => link(&victim.join("new"), &at),
            }
            let before = look(&sandbox, &victim);
            for args in [&["trash"][..], &["doctor"], &["restore", "x"], &["start", "y"], &["prune", "--yes"]] {
                let run = sandbox.lane_in_time(args);
                assert_eq!(look(&sandbox, &victim), before, "{part} {kind} {args:?}: {run}");
                assert!(!victim.join("new").exists(), "{part} {kind} {args:?}");
            }
            if part != "entry.json" && entry.join("entry.json").is_file() {
                let _ = crate::trash::age(&sandbox, entry.file_name().unwrap().to_str().unwrap());
            }
            let run = sandbox.lane_in_time(&["trash", "--expire"]);
            assert_eq!(look(&sandbox, &victim), before, "{part} {kind}: {run}");
        }
    }
}

/// The same in the admin directory, which is written to before it leaves the trash.
#[test]
fn what_lies_in_a_kept_admin_directory_is_not_followed() {
    for name in ["logs", "locked", ".locked.lane-new", "gitdir.lane", "gitdir", "HEAD.lock"] {
        for to_file in [false, true] {
            let (sandbox, entry) = with_entry(None);
            let victim = sandbox.precious();
            let at = entry.join("admin").join(name);
            if at.is_dir() {
                std::fs::remove_dir_all(&at).unwrap();
            } else {
                let _ = std::fs::remove_file(&at);
            }
            link(&if to_file { victim.join("doc") } else { victim.clone() }, &at);
            let before = look(&sandbox, &victim);
            let run = sandbox.lane_in_time(&["restore", "x"]);
            assert_eq!(look(&sandbox, &victim), before, "{name}: {run}");
            let run = sandbox.lane_in_time(&["drop", "--yes", "--force", "x"]);
            assert_eq!(look(&sandbox, &victim), before, "{name}: {run}");
        }
    }
}

/// What is on its way out is deleted, and nothing that it leads to.
#[test]
fn the_sweep_deletes_what_is_in_the_trash_and_nothing_else() {
    let (sandbox, entry) = with_entry(None);
    let victim = sandbox.precious();
    write(&victim.join(".lane-trash/0/worktree/doc"), "gold\n");
    let id = entry.file_name().unwrap().to_str().unwrap().to_owned();
    write(&victim.join(format!(".lane-trash/{id}/doc")), "gold\n");
    let before = look(&sandbox, &victim);
    change(&entry, "/worktree/path", victim.join("x").to_str().unwrap());
    std::fs::rename(&entry, sandbox.own(&format!("trash/.deleting-{id}"))).unwrap();
    link(&victim, &sandbox.own("trash/.deleting-0"));
    link(&victim, &sandbox.own("trash/1"));
    let _ = sandbox.lane_in_time(&["trash", "--expire"]).ok();
    assert_eq!(look(&sandbox, &victim), before);
    assert!(!sandbox.own(&format!("trash/.deleting-{id}")).exists());
    assert_eq!(sandbox.found(), ["strange-file"]);
}

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
    assert!(run.stderr.contains("git config branch.x.mergeOptions '--strategy=pwned'"), "{run}");
    let _ = run.ok();
    let left = sandbox.git(["config", "--get-regexp", "^(branch|core.pager)"]);
    assert_eq!(left, "branch.x.remote origin\nbranch.x.merge refs/heads/x\nbranch.x.description two\nlines");
}

/// What git would run or read for a planted setting of the worktree, each in the file that git reads there.
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
    for args in [&["status"][..], &["diff"], &["log", "-1"], &["st"], &["add", "."], &["commit", "-qm", "x"]] {
        let _ = sandbox.run(sandbox.command("git").current_dir(lane).env("GIT_PAGER_IN_USE", "1").args(args));
    }
}

#[test]
fn an_entry_brings_no_setting_of_its_worktree_back_that_nothing_bears_out() {
    for planted in WORKTREE_SETTINGS {
        let (sandbox, entry) = with_entry(None);
        sandbox.git(["config", "extensions.worktreeConfig", "true"]);
        let (victim, pwned) = (sandbox.precious(), sandbox.root().join("pwned"));
        let (hook, evil) = (victim.join("hooks/pre-commit"), victim.join("evil"));
        write(&hook, format!("#!/bin/sh\ntouch {}\n", pwned.display()));
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        write(&evil, format!("[core]\n\tfsmonitor = touch {}; false\n", pwned.display()));
        let text = planted
            .replace("PWNED", pwned.to_str().unwrap())
            .replace("VICTIM", victim.to_str().unwrap())
            .replace("EVIL", evil.to_str().unwrap())
            .replace("HOOKS", hook.parent().unwrap().to_str().unwrap());
        write(&entry.join("admin/config.worktree"), format!("[core]\n\tautocrlf = false\n{text}"));
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
        let hint = run.stderr.lines().find_map(|line| line.strip_prefix("hint: if you know it to be yours: "));
        let hint = hint.unwrap_or_else(|| panic!("{text}: {run}")).to_owned();
        let _ = run.ok();
        let _ = sandbox.run(sandbox.command("sh").args(["-c", &hint])).ok();
        let aside = sandbox.repo.join(".git/worktrees/x/config.worktree.not-restored");
        assert!(std::fs::read_to_string(aside).unwrap().ends_with(&text), "{text}");
    }
}

/// A sparse lane has its settings in a file that the shared configuration includes.
#[test]
fn an_entry_of_a_sparse_lane_brings_back_that_it_is_sparse_and_no_more() {
    let sandbox = Sandbox::new();
    let _ = sandbox.lane(["start", "x", "--sparse", "src"]).ok();
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = std::fs::read_dir(sandbox.own("trash")).unwrap().next().unwrap().unwrap().path();
    let file = entry.join("admin/lane-sparse.config");
    let own = std::fs::read_to_string(&file).unwrap();
    let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
    let back = sandbox.repo.join(".git/worktrees/x/lane-sparse.config");
    assert_eq!(std::fs::read_to_string(&back).unwrap(), own);
    let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
    let entry = std::fs::read_dir(sandbox.own("trash")).unwrap().next().unwrap().unwrap().path();
    let pwned = sandbox.root().join("pwned");
    let planted = format!("{own}\tfsmonitor = touch {}; false\n", pwned.display());
    write(&entry.join("admin/lane-sparse.config"), planted);
    let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
    let lane = sandbox.lane_path("x");
    at_work(&sandbox, &lane);
    assert!(!pwned.exists());
    assert_eq!(sandbox.git_in(&lane, ["config", "core.sparseCheckoutCone"]), "true");
}

/// What the user had set there is the user's, byte for byte, as long as nobody has changed it.
#[test]
fn what_a_lane_had_of_settings_comes_back_to_it() {
    for text in WORKTREE_SETTINGS.iter().filter(|text| !text.contains("bare") && !text.contains("worktree =")) {
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
    write(&entry.join("admin/config.worktree"), "[core]\n\tpager = less\n");
    let run = sandbox.lane_in_time(&["restore", "x"]);
    assert_eq!(run.stderr, "");
    let _ = run.ok();
    assert_eq!(sandbox.git_in(&sandbox.lane_path("x"), ["config", "core.pager"]), "less");
}

/// What leads git to another repository, or is no file of settings at all.
#[test]
fn a_kept_admin_directory_leads_git_to_no_other_repository() {
    type Plant = fn(&Path, &Path);
    let rows: [(&str, Plant); 8] = [
        ("commondir", |admin, evil| write(&admin.join("commondir"), evil.to_str().unwrap())),
        ("a relative commondir", |admin, _| write(&admin.join("commondir"), "../../../../evil\n")),
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
        ("a linked config.worktree", |admin, evil| link(&evil.join("config"), &admin.join("config.worktree"))),
        ("a pipe", |admin, _| pipe(&admin.join("config.worktree"))),
        ("a directory", |admin, _| std::fs::create_dir(admin.join("config.worktree")).unwrap()),
        ("no settings", |admin, _| write(&admin.join("config.worktree"), "[core\n\0")),
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
        assert_eq!(sandbox.git_in(&lane, ["status", "--porcelain", "--branch"]), "## x", "{what}");
    }
}
