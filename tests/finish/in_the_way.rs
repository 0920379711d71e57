//! Files of the base's worktree that a landing would touch.

use super::*;

#[test]
fn a_directory_replaced_by_a_symbolic_link_is_in_the_way() {
    type Work = fn(&Sandbox, &Path);
    let works: [Work; 3] = [
        |sandbox, _| drop(sandbox.work("login", "src/app.txt", "changed\n")),
        |sandbox, _| drop(sandbox.work("login", "src/new.txt", "new\n")),
        |sandbox, lane| {
            std::fs::remove_file(lane.join("src/app.txt")).unwrap();
            sandbox.work("login", "elsewhere.txt", "x\n");
        },
    ];
    for work in works {
        let sandbox = Sandbox::new();
        work(&sandbox, &lane(&sandbox, "login", "main"));
        let (src, outside) = (sandbox.repo.join("src"), sandbox.root().join("outside"));
        std::fs::rename(&src, &outside).unwrap();
        std::os::unix::fs::symlink(&outside, &src).unwrap();
        let before = untouched(&sandbox, &outside);
        let said = finish(&sandbox, []).fails(1);
        assert!(
            said.contains("local changes are in the way: 'src'"),
            "{said}"
        );
        assert_eq!(untouched(&sandbox, &outside), before);
        assert_eq!(std::fs::read_link(&src).unwrap(), outside);
    }
}

#[test]
fn changes_git_was_told_to_overlook_are_named_with_the_way_to_see_them() {
    for flag in ["assume-unchanged", "skip-worktree"] {
        let sandbox = with_lane();
        sandbox.git(["update-index", &format!("--{flag}"), "src/app.txt"]);
        sandbox.write("src/app.txt", "mine\n");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        let before = untouched(&sandbox, &sandbox.repo.join("src"));
        let said = finish(&sandbox, []).fails(1);
        assert!(
            said.contains(&format!(
                "git status does not show are in the way: 'src/app.txt' ({flag})\n"
            )),
            "{said}"
        );
        let remedy = format!(
            "git -C {} update-index --no-{flag} src/app.txt",
            sandbox.repo.display()
        );
        assert!(said.contains(&remedy), "{said}");
        let run = finish(&sandbox, ["--json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            report["error"]["details"]["paths"],
            serde_json::json!(["src/app.txt"]),
            "{run}"
        );
        run.fails(1);
        assert_eq!(untouched(&sandbox, &sandbox.repo.join("src")), before);
        sandbox.git(["update-index", &format!("--no-{flag}"), "src/app.txt"]);
        assert!(
            finish(&sandbox, [])
                .fails(1)
                .contains("local changes are in the way: 'src/app.txt'")
        );
        sandbox.git(["checkout", "-q", "src/app.txt"]);
        finish(&sandbox, []).ok();
    }
}

#[test]
fn a_submodule_commit_that_only_the_lane_has_is_refused_until_somebody_else_has_it() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    sandbox.git(["clone", "-q", "--bare", ".", library.to_str().unwrap()]);
    sandbox.add_submodule(&library, "library");
    sandbox.commit("library");
    for name in ["login", "search"] {
        sandbox.lane(["start", "--recurse-submodules", name]).ok();
        let inside = sandbox.lane_path(name).join("library");
        sandbox.git_in(&inside, ["commit", "-q", "--allow-empty", "-m", name]);
        sandbox.work(name, name, "x");
    }
    let inside = sandbox.lane_path("login").join("library");
    let before = sandbox.fingerprint();
    for args in [
        ["--strategy", "merge"],
        ["--strategy", "squash"],
        ["--strategy", "rebase"],
        ["--strategy", "ff"],
    ] {
        let said = finish(&sandbox, args).fails(1);
        assert!(
            said.contains("of submodule 'library', which only the lane has"),
            "{said}"
        );
        assert!(
            said.contains(&format!("git -C {} push origin", inside.display())),
            "{said}"
        );
    }
    finish(&sandbox, ["--dry-run"]).fails(1);
    assert!(sandbox.fingerprint() == before);

    // Published, or fetched into the main worktree's own clone.
    sandbox.git_in(&inside, ["push", "-q", "origin", "HEAD:refs/heads/login"]);
    finish(&sandbox, []).ok();
    let other = sandbox.lane_path("search").join("library");
    sandbox.git_in(
        &sandbox.repo.join("library"),
        ["fetch", "-q", other.to_str().unwrap(), "HEAD"],
    );
    // The base's pointer has moved on, which is no merge git can make without the commits.
    sandbox
        .lane(["finish", "search", "--into", "other"])
        .fails(1);
    sandbox.git(["branch", "other", "main~1"]);
    sandbox.lane(["finish", "search", "--into", "other"]).ok();
}

#[test]
fn a_gc_that_prunes_everything_during_a_landing_takes_nothing_of_it() {
    let sandbox = with_a_slow_filter("git gc -q --prune=now >&2 && touch ../collected");
    finish(&sandbox, []).ok();
    assert!(sandbox.root().join("collected").exists());
    retired(&sandbox);
    assert_eq!(sandbox.git(["show", "main:src/app.txt"]) + "\n", MERGED);
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
    clean(&sandbox, &sandbox.repo);
}

#[test]
fn a_base_never_moves_to_a_commit_of_which_something_is_gone() {
    // What a gc does that had looked for refs before the landing made its own.
    let find = "new=$(git rev-parse \"$(git for-each-ref --format='%(objectname)' \
                refs/lane/landing)WHAT\") || exit";
    let once = "[ -e ../once ] || rm -f \".git/objects/$(echo \"$new\" | sed 's|^..|&/|')\"; touch \
                ../once";
    let cases = [
        (":src/app.txt", false),
        ("^{tree}", false),
        (":src/app.txt", true),
        ("^{tree}", true),
    ];
    for (what, in_place) in cases {
        let sandbox = with_a_slow_filter(&format!("{}\n{once}", find.replace("WHAT", what)));
        if in_place {
            sandbox.work(
                "login",
                ".gitattributes",
                "*.slow filter=slow\n*.bin binary\n",
            );
        }
        finish(&sandbox, []).ok();
        assert!(sandbox.root().join("once").exists());
        assert_eq!(sandbox.git(["show", "main:src/app.txt"]) + "\n", MERGED);
        retired(&sandbox);
        clean(&sandbox, &sandbox.repo);
    }
}

/// git removes the directory with its branches and untracked files, and says nothing.
#[test]
fn a_repository_in_whose_place_a_file_or_a_link_comes_is_in_the_way() {
    for (absorbed, replace) in [
        (true, "echo x > n"),
        (true, "ln -s README n"),
        (false, "echo x > n"),
        (false, "ln -s README n"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.git(["init", "-q", "../inner"]);
        let inner = sandbox.root().join("inner");
        sandbox.git_in(&inner, ["commit", "-q", "--allow-empty", "-m", "first"]);
        let add: &[&str] = match absorbed {
            true => &[
                "-c",
                "protocol.file.allow=always",
                "submodule",
                "--quiet",
                "add",
                "../inner",
                "n",
            ],
            false => &["clone", "-q", "../inner", "n"],
        };
        let mut clone = sandbox.command("git");
        clone.args(add).current_dir(&sandbox.repo);
        let _ = sandbox.run(&mut clone);
        sandbox.git(["-c", "advice.addEmbeddedRepo=false", "add", "-A"]);
        sandbox.commit("with n");
        let lane = sandbox.lane_by_git("x");
        let mut shell = sandbox.command("sh");
        shell.args([
            "-c",
            &format!(
                "git rm -q --cached n && rm -rf n && {replace} && git add n && git commit -qm \
                 replaced"
            ),
        ]);
        sandbox.run(shell.current_dir(&lane)).ok();
        write(&sandbox.repo.join("n/untracked"), "work");
        for args in [["finish", "x", "-n"], ["finish", "x", "--keep"]] {
            let told = sandbox.lane(args).fails(1);
            assert!(told.contains("'n'"), "{absorbed} {replace}: {told}");
        }
        assert_eq!(
            std::fs::read_to_string(sandbox.repo.join("n/untracked")).unwrap(),
            "work"
        );
    }
}
