//! What keeps a lane's name, and leaves everything as it was.

use super::at_work;
use crate::support::{Sandbox, listing, wait_until, write};

fn seen(sandbox: &Sandbox) -> String {
    // git refreshes an index when it looks.
    sandbox.git_in(&sandbox.lane_path("login"), ["status"]);
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    [
        config,
        sandbox.git(["for-each-ref"]),
        sandbox.git(["worktree", "list", "--porcelain"]),
        listing(&sandbox.root().join("shop.lanes")),
    ]
    .join("\n")
}

type Prepare = fn(&Sandbox);

#[test]
fn with_the_reason_and_a_code() {
    let table: [(&str, &[&str], Prepare); 25] = [
        ("lane-exists", &["other"], |sandbox| {
            sandbox.lane(["start", "other"]).ok();
        }),
        ("lane-exists", &["strange"], |sandbox| {
            sandbox.git(["config", "lane.strange.path", "relative"]);
        }),
        ("base-cycle", &["main"], |_| ()),
        // A base that is gone would come back as the lane's own branch.
        ("base-cycle", &["topic"], |sandbox| {
            sandbox.git(["config", "lane.login.base", "refs/heads/topic"]);
        }),
        ("branch-in-use", &["dev"], |sandbox| {
            let file = sandbox.repo.join(".git/lane/lane.toml");
            write(&file, "rule.home = \"dev\"\n");
        }),
        ("branch-exists", &["topic"], |sandbox| {
            sandbox.git(["branch", "topic"]);
        }),
        (
            "branch-owned",
            &["signin", "--branch", "other"],
            |sandbox| {
                sandbox.lane(["start", "other"]).ok();
            },
        ),
        ("branch-conflict", &["topic"], |sandbox| {
            sandbox.git(["branch", "topic/deep"]);
        }),
        ("branch-conflict", &["topic/deep/er"], |sandbox| {
            sandbox.git(["branch", "topic/deep"]);
        }),
        ("bad-name", &["HEAD"], |_| ()),
        ("bad-name", &["a..b"], |_| ()),
        ("bad-name", &["signin", "--branch", "a..b"], |_| ()),
        ("branch-pattern", &["signin"], |sandbox| {
            write(
                &sandbox.repo.join(".git/lane/lane.toml"),
                "[rule]\nbranch-pattern = [\"log*\"]\n",
            );
        }),
        ("operation-in-progress", &["signin"], |sandbox| {
            let path = sandbox.lane_path("login");
            let rebase = "git stash -q -u; git rebase -q -x false HEAD~1";
            sandbox.sh_in(&path, rebase).fails(1);
        }),
        ("operation-in-progress", &["signin"], |sandbox| {
            let path = sandbox.lane_path("login");
            sandbox
                .sh_in(&path, "git stash -q -u; git bisect start -q HEAD HEAD~2")
                .ok();
        }),
        ("worktree-locked", &["signin"], |sandbox| {
            let path = sandbox.lane_path("login");
            sandbox.git(["worktree", "lock", path.to_str().unwrap()]);
        }),
        ("branch-elsewhere", &["signin"], |sandbox| {
            let path = sandbox.root().join("second");
            let path = path.to_str().unwrap();
            sandbox.git(["worktree", "add", "-q", "--force", path, "login"]);
        }),
        ("nested", &["signin"], |sandbox| {
            let inside = sandbox.lane_path("login").join("inside");
            sandbox.add_worktree("inside", &inside);
        }),
        ("path-occupied", &["signin"], |sandbox| {
            write(&sandbox.lane_path("signin").join("file"), "mine");
        }),
        ("path-occupied", &["signin"], |sandbox| {
            std::fs::create_dir(sandbox.lane_path("signin")).unwrap();
        }),
        ("path-occupied", &["signin", "--path", ".git/x"], |_| ()),
        (
            "path-occupied",
            &["signin", "--path", "../shop.lanes/login/x"],
            |_| (),
        ),
        ("branch-alias", &["signin"], |sandbox| {
            sandbox.git(["symbolic-ref", "refs/heads/alias", "refs/heads/login"]);
        }),
        ("branch-alias", &["signin"], |sandbox| {
            let name = "refs/remotes/origin/HEAD";
            sandbox.git(["symbolic-ref", name, "refs/heads/login"]);
        }),
        ("no-such-lane", &["signin", "x"], |_| ()),
    ];
    for (code, words, prepare) in table {
        let sandbox = at_work();
        prepare(&sandbox);
        let before = seen(&sandbox);
        let mut args = vec!["--json", "rename"];
        args.extend((words != ["signin", "x"]).then_some("login"));
        args.extend(words);
        for dry_run in [&["-n"][..], &[]] {
            let run = sandbox.lane(args.iter().chain(dry_run));
            let document: serde_json::Value =
                serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
            assert_eq!(document["error"]["code"], code, "{words:?}: {run}");
            run.fails(1);
            assert_eq!(seen(&sandbox), before, "{code} {words:?}");
        }
        sandbox.nothing_under_way();
    }
}

/// A branch that is not there gets no name.
#[test]
fn a_lane_without_a_branch_gets_none() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "--detach"]).ok();
    let run = sandbox.lane(["--json", "rename", "login", "signin", "--branch", "x"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "detached", "{run}");
    sandbox.lane(["rename", "login", "signin"]).ok();
}

/// What is said where only the branch has another name, and of a git that is at work.
#[test]
fn the_words_name_what_is_meant() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let lock = sandbox.repo.join(".git/worktrees/login/index.lock");
    write(&lock, "");
    let said = sandbox.lane(["rename", "login", "signin"]).fails(1);
    assert!(said.contains("index.lock"), "{said}");
    assert!(!said.contains("drop"), "{said}");
    std::fs::remove_file(lock).unwrap();
    let said = sandbox
        .lane(["rename", "login", "login", "--branch", "x"])
        .ok();
    assert_eq!(said, "branch 'login' of lane 'login' is now 'x'\n");
    sandbox.git(["branch", "login"]);
    let said = sandbox.lane(["undo", "login"]).fails(1);
    assert!(said.contains("there is a branch 'login' already"), "{said}");
    assert!(!said.contains("--branch"), "{said}");
}

/// The directory of a lane with submodules stays, and the lane is renamed all the same.
#[test]
fn submodules_bind_a_directory_to_its_place() {
    let sandbox = Sandbox::new();
    let library = sandbox.root().join("library");
    std::fs::create_dir(&library).unwrap();
    sandbox
        .sh_in(
            &library,
            "git init -q -b main && git commit -q --allow-empty -m one",
        )
        .ok();
    sandbox.add_submodule(&library, "lib");
    sandbox.commit("library");
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    sandbox.git_in(&path, ["submodule", "--quiet", "update", "--init"]);
    let run = sandbox.lane(["rename", "login", "signin"]);
    assert!(run.stderr.contains("has a submodule in 'lib'"), "{run}");
    let path = path.to_str().unwrap();
    assert!(
        run.stderr
            .contains(&format!("git lane rename login signin --path {path}")),
        "{run}"
    );
    run.fails(1);
    sandbox
        .lane(["rename", "login", "signin", "--path", path])
        .ok();
    sandbox.git_in(std::path::Path::new(path), ["submodule", "status"]);
    assert_eq!(sandbox.git(["config", "lane.signin.worktree"]), path);
    let said = sandbox.lane(["move", "signin", "../elsewhere"]).fails(1);
    assert!(said.contains("has a submodule"), "{said}");
}

/// What waits for the gate knows its lane by name and branch.
#[test]
fn a_lane_that_waits_to_land_keeps_its_name_its_place_and_its_base() {
    let sandbox = Sandbox::new();
    let (go, policy) = (
        sandbox.root().join("go"),
        sandbox.root().join("home/.config/git-lane/lane.toml"),
    );
    let gate = format!("until test -e {}; do sleep 0.05; done", go.display());
    write(&policy, format!("finish.gate = \"{gate}\"\n"));
    sandbox.git(["branch", "release"]);
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "one", "one\n");
    let mut finish = sandbox.command("git-lane");
    let finish = finish.args(["finish", "login"]);
    let finish = finish.stdout(std::process::Stdio::piped());
    let finish = finish.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let landing = sandbox.repo.join(".git/lane/landing");
    let is_queued = || {
        let entries = std::fs::read_dir(&landing).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .any(|path| path.extension().is_some_and(|end| end == "json"))
    };
    wait_until(is_queued);
    let attempts = [
        ["--json", "rename", "login", "signin"],
        ["--json", "move", "login", "../elsewhere"],
        ["--json", "base", "login", "release"],
    ];
    let runs = attempts.map(|args| sandbox.lane(args));
    write(&go, "");
    let finished = finish.wait_with_output().unwrap();
    assert!(finished.status.success(), "{finished:?}");
    for run in runs {
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], "busy", "{run}");
        let message = document["error"]["message"].as_str().unwrap();
        assert!(message.contains("is about to land lane 'login'"), "{run}");
        run.fails(1);
    }
}

/// A lane in the trash takes no name, and comes back when its own is free.
#[test]
fn the_trash_is_no_obstacle() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "signin"]).ok();
    sandbox.lane(["drop", "signin"]).ok();
    sandbox.lane(["rename", "login", "signin"]).ok();
    let said = sandbox.lane(["restore", "signin"]).fails(1);
    assert!(said.contains("signin"), "{said}");
    sandbox.lane(["rename", "signin", "login"]).ok();
    sandbox.lane(["restore", "signin"]).ok();
}

/// A dry run heals nothing and writes nothing.
#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = at_work();
    sandbox.lane(["start", "upper", "--base", "login"]).ok();
    sandbox.git_in(&sandbox.lane_path("login"), ["status"]);
    let look = || {
        [
            listing(&sandbox.repo),
            listing(&sandbox.root().join("shop.lanes")),
        ]
    };
    let before = look();
    for args in [
        &["rename", "-n", "login", "signin"][..],
        &["move", "-n", "login", "../elsewhere/x"],
        &["base", "-n", "upper", "main"],
        &["base", "upper"],
    ] {
        sandbox.lane(args).ok();
        assert!(look() == before, "{args:?}");
    }
}
