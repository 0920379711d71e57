//! Landings that die, race or fail half way.

use super::*;

#[test]
fn half_written_files_are_put_back() {
    // Die with the files written, then make it look as if git had died among them.
    let sandbox = with_lane();
    advance(&sandbox);
    sandbox.died("land.files", ["finish", "login", "--keep"]);
    let repo = &sandbox.repo;
    assert_eq!(
        std::fs::read_to_string(repo.join("src/app.txt")).unwrap(),
        "one\ntwo\nTHREE\n"
    );
    assert_eq!(
        sandbox.git(["ls-tree", "--name-only", "main", "new.txt"]),
        ""
    );
    write(&repo.join("src/app.txt"), "one\ntw");
    // Another git that came along since keeps what it did.
    write(&repo.join("README"), "edited\n");
    finish(&sandbox, ["-n"]).ok();
    finish(&sandbox, ["--into", "nowhere"]).fails(1);
    assert_eq!(
        std::fs::read_to_string(repo.join("src/app.txt")).unwrap(),
        "one\ntwo\nthree\n"
    );
    assert!(!repo.join("new.txt").exists());
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    finish(&sandbox, []).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
}

#[test]
fn twenty_lanes_finish_at_once() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..20).map(|index| format!("l{index}")).collect();
    for name in &names {
        lane(&sandbox, name, "main");
        sandbox.work(name, &format!("{name}.txt"), name);
    }
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = sandbox.command("git-lane");
            command
                .args(["finish", name.as_str(), "--keep"])
                .stdout(std::process::Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "20"
    );
    clean(&sandbox, &sandbox.repo);
    sandbox.git(["fsck", "--strict"]);
}

#[test]
fn a_base_that_moves_meanwhile_is_landed_on_where_it_is_now() {
    let sandbox = with_lane();
    sandbox.git(["switch", "-q", "--detach"]);
    let runs = sandbox.root().join("runs");
    sandbox.hook(
        "pre-merge-commit",
        format!(
            "echo run >> {0}; test $(wc -l < {0}) = 1 || exit 0\n\
             unset $(git rev-parse --local-env-vars); cd {1}\n\
             git update-ref refs/heads/main $(git commit-tree -p main -m raced main^{{tree}})",
            runs.display(),
            sandbox.repo.display()
        ),
    );
    finish(&sandbox, []).ok();
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), "run\nrun\n");
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
}

#[test]
fn a_base_that_moves_under_its_worktree_leaves_that_worktree_as_it_was() {
    let sandbox = with_lane();
    sandbox.write("README", "edited\n");
    // git writes the files in place, and their filter runs before the base moves.
    sandbox.write(".git/info/sparse-checkout", "/*\n");
    sandbox.write(".git/info/attributes", "* filter=race\n");
    let race = "test -e ../raced || { touch ../raced; \
         git update-ref refs/heads/main $(git commit-tree -p main -m raced main^{tree}); }; cat";
    sandbox.git(["config", "filter.race.smudge", race]);
    finish(&sandbox, []).ok();
    assert!(sandbox.root().join("raced").exists());
    assert_eq!(sandbox.git(["log", "-1", "--format=%s", "main^1"]), "raced");
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README");
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "1"
    );
}

#[test]
fn a_filter_that_fails_leaves_the_worktree_as_it_was() {
    let sandbox = with_lane();
    sandbox.git(["config", "filter.bad.required", "true"]);
    sandbox.git(["config", "filter.bad.clean", "cat"]);
    sandbox.git(["config", "filter.bad.smudge", "false"]);
    let lane = sandbox.lane_path("login");
    write(&lane.join(".gitattributes"), "zzz.bin filter=bad\n");
    sandbox.work("login", "zzz.bin", "bin\n");
    let main = sandbox.git(["rev-parse", "main"]);
    sandbox.write("README", "edited\n");
    let run = finish(&sandbox, []);
    assert!(run.code != 0, "{run}");
    assert_eq!(sandbox.git(["rev-parse", "main"]), main);
    assert_eq!(sandbox.git(["status", "--porcelain"]), " M README", "{run}");
    assert!(lane.exists());
}

#[test]
fn a_worktree_whose_index_is_not_racy_is_judged_by_its_stat_data_and_as_strictly() {
    let sandbox = with_lane();
    let app = sandbox.repo.join("src/app.txt");
    age(&app, 2);
    sandbox.git(["status"]);
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 4] = [
        ("changed", |app| write(app, "mine\n")),
        ("same size", |app| write(app, "one\ntwo\nTTTTT\n")),
        ("mode", |app| {
            std::fs::set_permissions(app, std::fs::Permissions::from_mode(0o755)).unwrap()
        }),
        ("kind", |app| {
            std::fs::remove_file(app).unwrap();
            std::os::unix::fs::symlink("../README", app).unwrap();
        }),
    ];
    for trust in ["true", "false"] {
        sandbox.git(["config", "core.trustctime", trust]);
        for (what, spoil) in spoil {
            spoil(&app);
            assert!(
                finish(&sandbox, []).fails(1).contains("'src/app.txt'"),
                "{what}"
            );
            sandbox.git(["checkout", "-q", "-f", "src/app.txt"]);
            age(&app, 2);
            sandbox.git(["status"]);
        }
    }
    finish(&sandbox, []).ok();
    clean(&sandbox, &sandbox.repo);
    retired(&sandbox);
}

#[test]
fn a_changed_mode_of_a_file_the_landing_appends_to_is_a_local_change() {
    let sandbox = with_lane();
    let file = sandbox.repo.join("src/app.txt");
    sandbox.work("login", "src/app.txt", "one\ntwo\nthree\nfour\n");
    // Not racy, and no time tells: only the mode does.
    sandbox.git(["config", "core.trustctime", "false"]);
    age(&file, 2);
    sandbox.git(["status"]);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = finish(&sandbox, []).fails(1);
    assert!(refused.contains("'src/app.txt'"), "{refused}");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o111,
        0o111
    );
}

#[test]
fn a_hook_of_a_landing_that_lands_is_refused_and_one_after_it_is_not() {
    let sandbox = with_lane();
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "other.txt", "other");
    sandbox.hook("pre-merge-commit", "git lane finish other; test $? = 1");
    sandbox.hook(
        "post-merge",
        "rm .git/hooks/pre-merge-commit .git/hooks/post-merge; git lane finish other",
    );
    finish(&sandbox, []).ok();
    assert_eq!(log(&sandbox, "%s"), "Merge lane 'other' into main");
}

#[test]
fn a_git_that_the_repository_tracks_is_not_run() {
    let sandbox = with_lane();
    let lane = sandbox.lane_path("login");
    let pwned = sandbox.root().join("pwned");
    for place in [&sandbox.repo, &lane] {
        for name in ["git", "sh"] {
            write(
                &place.join(name),
                format!("#!/bin/sh\ntouch {}\n", pwned.display()),
            );
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(place.join(name), mode).unwrap();
        }
    }
    let mut command = sandbox.command("git-lane");
    let path = std::env::join_paths([
        "".into(),
        ".".into(),
        sandbox.root().join("bin"),
        "/bin".into(),
    ])
    .unwrap();
    command
        .args(["finish", "--commit", "all"])
        .current_dir(&lane)
        .env("PATH", path);
    let text = sandbox.run(&mut command);
    assert!(!pwned.exists(), "{text}");
    drop(text.fails(1));
}

#[test]
fn without_a_name_for_the_commit_nothing_is_changed() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "user.useConfigOnly", "true"]);
    let nameless = |args: &[&str]| {
        let mut command = sandbox.command("git-lane");
        for variable in [
            "GIT_AUTHOR_NAME",
            "GIT_AUTHOR_EMAIL",
            "GIT_COMMITTER_NAME",
            "GIT_COMMITTER_EMAIL",
        ] {
            command.env_remove(variable);
        }
        sandbox.run(command.args(args))
    };
    nameless(&["start", "login", "search"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    write(&sandbox.lane_path("search").join("uncommitted"), "x");
    sandbox.git(["config", "user.name", "Ann"]);
    let before = sandbox.fingerprint();
    for args in [
        &["login"][..],
        &["login", "--strategy", "squash"],
        &["search", "--commit", "Search"],
    ] {
        let said = nameless(&[&["finish"], args].concat()).fails(1);
        assert!(
            said.contains("whom to name in the commit: set user.email\n"),
            "{args:?}: {said}"
        );
        assert!(
            said.contains("hint: git config --global user.email you@example.com"),
            "{args:?}: {said}"
        );
    }
    assert!(sandbox.fingerprint() == before);
    // What makes no commit names no author.
    nameless(&["drop", "--yes", "login"]).ok();
    nameless(&["restore", "login"]).ok();
    nameless(&["finish", "login", "--strategy", "ff"]).ok();
    sandbox.git(["config", "user.email", "ann@example.com"]);
    let report = nameless(&["--json", "finish", "search", "--commit", "Search"]).json();
    assert_eq!(report["committed"], true);
    assert_eq!(log(&sandbox, "%an %ae %cn"), "Ann ann@example.com Ann");
}
