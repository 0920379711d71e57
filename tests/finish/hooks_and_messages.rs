//! Hooks, editors, signatures and messages, as `git merge` and `git commit` have them.

use super::*;

/// The hooks of git merge and git commit.
const OF_COMMITS: [&str; 6] = [
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-merge",
    "pre-commit",
    "post-commit",
];

#[test]
fn hooks_see_what_git_merge_would_show_them() {
    let sandbox = with_lane();
    advance(&sandbox);
    let seen = sandbox.root().join("seen").display().to_string();
    for name in OF_COMMITS {
        sandbox.hook(
            name,
            format!(
                "echo {name} $(basename \"$1\") $2 $(ls new.txt) $(git ls-files new.txt) >> {seen}"
            ),
        );
    }
    sandbox.hook(
        "commit-msg",
        format!(
            "echo commit-msg >> {seen}; test \"$(git show :new.txt)\" = new || exit 9; echo \
             'Reviewed-by: hook' >> \"$1\""
        ),
    );
    finish(&sandbox, []).ok();
    assert_eq!(
        std::fs::read_to_string(seen).unwrap(),
        "pre-merge-commit new.txt new.txt\nprepare-commit-msg MERGE_MSG merge new.txt \
         new.txt\ncommit-msg\npost-merge 0 new.txt new.txt\n"
    );
    assert_eq!(
        log(&sandbox, "%B"),
        "Merge lane 'login' into main\nReviewed-by: hook"
    );
    retired(&sandbox);
}

#[test]
fn squash_runs_the_hooks_of_git_merge_and_git_commit() {
    let sandbox = with_lane();
    let seen = sandbox.root().join("seen").display().to_string();
    for name in OF_COMMITS {
        sandbox.hook(name, format!("echo {name} $(basename \"$1\") $2 >> {seen}"));
    }
    finish(&sandbox, ["--strategy", "squash", "-m", "one"]).ok();
    assert_eq!(
        std::fs::read_to_string(seen).unwrap(),
        "pre-commit\nprepare-commit-msg COMMIT_EDITMSG message\ncommit-msg \
         COMMIT_EDITMSG\npost-merge 1\npost-commit\n"
    );
    assert_eq!(log(&sandbox, "%B"), "one");
}

/// What the squash of a lane says, by its commits' messages, its task and the policy's template.
#[test]
fn a_squash_says_what_people_expect() {
    let sandbox = Sandbox::new();
    let one = "Ask for the password\n\nBecause.\n\nFixes: 7\n";
    let two = ["Ask\nfor it\n\nBecause.\n", "Käse\n"];
    let list = "\n\n* Ask for it\n* Käse\n";
    let rows: [(&[&str], &str, &str, String); 6] = [
        (&[one], "", "", one.into()),
        (&[one], "Log in", "", one.into()),
        (&two, "Log in", "", format!("Log in{list}")),
        (&two, "", "", format!("Land lane 'l4' on main{list}")),
        (&two, "Log in", "Say {task}", format!("Say Log in{list}")),
        (
            &[one],
            "",
            "Squash {name}",
            "Squash l6\n\n* Ask for the password\n".into(),
        ),
    ];
    for (at, (messages, task, template, said)) in rows.into_iter().enumerate() {
        let name = format!("l{}", at + 1);
        let policy = match template {
            "" => String::new(),
            template => format!("[finish]\nmessage = \"{template}\"\n"),
        };
        std::fs::write(sandbox.repo.join(".git/lane/lane.toml"), policy).unwrap_or_default();
        let start = ["start", &name, "--task", task];
        sandbox
            .lane(&start[..if task.is_empty() { 2 } else { 4 }])
            .ok();
        std::fs::create_dir_all(sandbox.repo.join(".git/lane")).unwrap();
        let lane = sandbox.lane_path(&name);
        for (nth, message) in messages.iter().enumerate() {
            write(&lane.join(format!("{name}-{nth}")), "x");
            sandbox.git_in(&lane, ["add", "."]);
            sandbox.git_in(&lane, ["commit", "-q", "-m", message]);
        }
        sandbox.lane(["finish", &name, "--strategy", "squash"]).ok();
        let told = sandbox.git(["log", "-1", "--format=%B", "main"]);
        assert_eq!(told.trim_end(), said.trim_end(), "{name}");
    }
}

#[test]
fn a_hook_that_says_no_stops_the_landing_and_no_verify_skips_it() {
    for (name, strategy) in [
        ("pre-merge-commit", "merge"),
        ("prepare-commit-msg", "merge"),
        ("commit-msg", "merge"),
        ("pre-commit", "squash"),
        ("commit-msg", "squash"),
    ] {
        let sandbox = with_lane();
        advance(&sandbox);
        sandbox.hook(name, "echo no way >&2; exit 1");
        let before = sandbox.fingerprint();
        let stderr = finish(&sandbox, ["--strategy", strategy]).fails(1);
        assert!(
            stderr.contains("no way") && stderr.contains(&format!("hook '{name}'")),
            "{stderr}"
        );
        assert_eq!(
            without_objects(&sandbox.fingerprint()),
            without_objects(&before)
        );
        if name != "prepare-commit-msg" {
            finish(&sandbox, ["--strategy", strategy, "--no-verify"]).ok();
            retired(&sandbox);
        }
    }
}

#[test]
fn a_hook_may_change_the_tree_and_lives_where_hooks_path_says() {
    let sandbox = with_lane();
    sandbox.git(["config", "core.hooksPath", "my-hooks"]);
    sandbox.write(".git/info/exclude", "my-hooks\n");
    let file = sandbox.repo.join("my-hooks/pre-merge-commit");
    script(
        &file,
        "echo stamped > /tmp/$$.stamp; blob=$(git hash-object -w /tmp/$$.stamp); rm \
         /tmp/$$.stamp\n\
         git update-index --add --cacheinfo 100644,$blob,stamp.txt",
    );
    finish(&sandbox, []).ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("stamp.txt")).unwrap(),
        "stamped\n"
    );
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn the_editor_has_the_last_word_and_an_empty_message_aborts() {
    let sandbox = with_lane();
    advance(&sandbox);
    let editor = |script: &str| {
        let mut command = sandbox.command("git-lane");
        command
            .args(["finish", "login", "--edit"])
            .env("GIT_EDITOR", script);
        sandbox.run(&mut command)
    };
    let before = sandbox.fingerprint();
    assert!(editor("true >").fails(1).contains("empty"));
    assert_eq!(
        without_objects(&sandbox.fingerprint()),
        without_objects(&before)
    );
    editor("sed -i s/Merge/Join/").ok();
    assert_eq!(log(&sandbox, "%B"), "Join lane 'login' into main");
}

#[test]
fn commits_are_signed_where_the_configuration_asks() {
    for strategy in ["merge", "squash", "rebase"] {
        let sandbox = with_lane();
        advance(&sandbox);
        let program = sandbox.root().join("bin/fake-gpg");
        script(
            &program,
            "cat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\nprintf -- '-----BEGIN \
             PGP SIGNATURE-----\\nx\\n-----END PGP SIGNATURE-----\\n'",
        );
        sandbox.git(["config", "gpg.program", program.to_str().unwrap()]);
        sandbox.git(["config", "commit.gpgSign", "true"]);
        finish(&sandbox, ["--strategy", strategy]).ok();
        assert!(
            sandbox
                .git(["cat-file", "commit", "main"])
                .contains("gpgsig"),
            "{strategy}"
        );
        assert_eq!(
            log(&sandbox, "%an|%ae|%cn"),
            "A. Author|author@example.com|C. Committer"
        );
    }
}
