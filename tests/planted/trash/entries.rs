//! Entries that git-lane cannot have written, and what lies in them.

use super::*;
use crate::support::outdate;

/// What no entry of this repository can say.
#[test]
fn an_entry_that_git_lane_cannot_have_written_is_named_and_left_alone() {
    for (pointer, values) in [
        (
            "/worktree/path",
            &[
                "/",
                "..",
                "x",
                "REPO",
                "REPO/.git",
                "REPO/.git/hooks",
                "LANES/../precious",
            ][..],
        ),
        (
            "/worktree/admin",
            &["../../../precious", "..", ".", "a/b", "", "/x"],
        ),
        ("/id", &["../../../../precious", "another", "", "A"]),
        ("/lane/id", &["../x", "a/b", ""]),
    ] {
        for value in values {
            let (sandbox, entry) = with_entry(None);
            let victim = sandbox.precious();
            let spelled = value
                .replace("REPO", sandbox.repo.to_str().unwrap())
                .replace(
                    "LANES",
                    sandbox
                        .lane_path("")
                        .to_str()
                        .unwrap()
                        .trim_end_matches('/'),
                );
            change(&entry, pointer, &spelled);
            let before = look(&sandbox, &victim);
            assert_eq!(sandbox.found(), ["strange-file"], "{pointer} {value}");
            let listed = sandbox.lane_in_time(&["trash"]);
            assert!(
                format!("{listed}").contains(entry.to_str().unwrap()),
                "{pointer} {value}: {listed}"
            );
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
    for value in [
        ".ssh",
        ".config/git",
        "bin",
        ".local/share/applications",
        ".bashrc.d",
    ] {
        let (sandbox, entry) = with_entry(None);
        let place = sandbox.root().join("home").join(value);
        change(&entry, "/worktree/path", place.to_str().unwrap());
        change(&entry, "/lane/worktree", place.to_str().unwrap());
        let said = sandbox.lane_in_time(&["restore", "x"]).fails(1);
        assert!(
            said.contains("nothing outside of this repository") && !place.exists(),
            "{said}"
        );
        assert!(
            said.contains(&format!("git lane restore --path {} x", place.display())),
            "{said}"
        );
        // The file says as well where the repository was, which must not lead there either.
        change(
            &entry,
            "/worktree/common_dir",
            sandbox
                .root()
                .join("home/.config/evil/.git")
                .to_str()
                .unwrap(),
        );
        let _ = sandbox.lane_in_time(&["restore", "x"]).fails(1);
        assert!(!place.exists());
        let elsewhere = sandbox.root().join("elsewhere");
        let _ = sandbox
            .lane_in_time(&["restore", "--path", "../elsewhere", "x"])
            .ok();
        assert_eq!(
            sandbox.git_in(&elsewhere, ["status", "--porcelain", "--branch"]),
            "## x"
        );
        assert_eq!(
            sandbox.lane(["path", "x"]).ok(),
            format!("{}\n", elsewhere.display())
        );
    }
}

/// The user's own word counts, wherever it was given.
#[test]
fn a_lane_comes_back_to_where_the_user_has_put_it() {
    for place in ["elsewhere/x", ".hidden/x", "home/.worktrees/x"] {
        let sandbox = Sandbox::new();
        let place = sandbox.root().join(place);
        let (sandbox, entry) = {
            let _ = sandbox
                .lane(["start", "x", "--path", place.to_str().unwrap()])
                .ok();
            let _ = sandbox.lane(["drop", "--yes", "x"]).ok();
            let entry = sandbox.entry();
            (sandbox, entry)
        };
        let _ = sandbox.lane_in_time(&["restore", "x"]).ok();
        assert!(place.join("README").exists() && !entry.exists());
        // One that plain git made and a record adopted is known from its removal on.
        let by_git = place.with_file_name("y");
        sandbox.git([
            "worktree",
            "add",
            "-q",
            "-b",
            "y",
            by_git.to_str().unwrap(),
            "main",
        ]);
        sandbox.record("y", &by_git);
        let _ = sandbox.lane(["drop", "--yes", "y"]).ok();
        let _ = sandbox.lane_in_time(&["restore", "y"]).ok();
        assert!(by_git.join("README").exists());
    }
}

/// Links, pipes and directories in the places of an entry's parts.
#[test]
fn what_lies_in_an_entry_is_not_followed() {
    for part in [
        "worktree",
        "admin",
        "reflog",
        "dot-git",
        "entry.json",
        "size",
        ".size",
        ".entry.json",
        ".reflog",
    ] {
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
            for args in [
                &["trash"][..],
                &["doctor"],
                &["restore", "x"],
                &["start", "y"],
                &["prune", "--yes"],
            ] {
                let run = sandbox.lane_in_time(args);
                assert_eq!(
                    look(&sandbox, &victim),
                    before,
                    "{part} {kind} {args:?}: {run}"
                );
                assert!(!victim.join("new").exists(), "{part} {kind} {args:?}");
            }
            if part != "entry.json" && entry.join("entry.json").is_file() {
                outdate(&entry);
            }
            let run = sandbox.lane_in_time(&["trash", "--expire"]);
            assert_eq!(look(&sandbox, &victim), before, "{part} {kind}: {run}");
        }
    }
}

/// The same in the admin directory, which is written to before it leaves the trash.
#[test]
fn what_lies_in_a_kept_admin_directory_is_not_followed() {
    for name in [
        "logs",
        "locked",
        ".locked.lane-new",
        "gitdir.lane",
        "gitdir",
        "HEAD.lock",
    ] {
        for to_file in [false, true] {
            let (sandbox, entry) = with_entry(None);
            let victim = sandbox.precious();
            let at = entry.join("admin").join(name);
            if at.is_dir() {
                std::fs::remove_dir_all(&at).unwrap();
            } else {
                let _ = std::fs::remove_file(&at);
            }
            link(
                &if to_file {
                    victim.join("doc")
                } else {
                    victim.clone()
                },
                &at,
            );
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
