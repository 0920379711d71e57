//! `--push`, and `finish.push` in `lane.toml`: the remote has a landing before the base does.

use super::*;
use crate::support::executable;

/// A sandbox whose main follows origin, and lane `login` with a commit.
fn followed() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let origin = sandbox.with_origin();
    sandbox.lane_by_git("login");
    sandbox.work("login", "new.txt", "new\n");
    (sandbox, origin)
}

fn tip(sandbox: &Sandbox, name: &str) -> String {
    sandbox.git(["rev-parse", name])
}

fn tip_of(sandbox: &Sandbox, origin: &Path, name: &str) -> String {
    sandbox.git_in(origin, ["rev-parse", "--verify", "-q", name])
}

/// Nothing has landed, here or there, and nothing is under way.
fn as_before(sandbox: &Sandbox, origin: &Path, (here, there): (&str, &str)) {
    assert_eq!(tip(sandbox, "main"), here);
    assert_eq!(tip_of(sandbox, origin, "main"), there);
    assert!(sandbox.lane_path("login").join("new.txt").exists());
    sandbox.nothing_under_way();
}

#[test]
fn the_remote_and_the_base_have_the_same_commit() {
    for strategy in ["merge", "squash", "rebase", "ff"] {
        let (sandbox, origin) = followed();
        let out = sandbox
            .lane(["finish", "login", "--push", "--strategy", strategy])
            .ok();
        assert!(out.contains("pushed 'main' to 'origin' first"), "{out}");
        assert!(out.contains("git lane undo --revert login"), "{out}");
        let landed = tip(&sandbox, "main");
        assert_eq!(tip_of(&sandbox, &origin, "main"), landed);
        assert_eq!(tip(&sandbox, "origin/main"), landed);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        assert!(sandbox.repo.join("new.txt").exists());
        sandbox.nothing_left_behind(1);
    }
}

#[test]
fn the_policy_says_so_and_the_command_line_knows_better() {
    let (sandbox, origin) = followed();
    sandbox.write("lane.toml", "[finish]\npush = true\n");
    sandbox.commit("policy");
    sandbox.git(["push", "-q"]);
    let before = tip(&sandbox, "main");
    let told = sandbox.lane(["finish", "login", "-n"]).ok();
    assert!(
        told.contains("would push 'main' to 'origin' first"),
        "{told}"
    );
    as_before(&sandbox, &origin, (&before, &before));
    let document = sandbox
        .lane(["finish", "login", "--no-push", "--keep", "--json"])
        .json();
    assert!(document["landed"]["pushed"].is_null(), "{document}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), before);
    // What landed here alone goes along with the next.
    sandbox.work("login", "more.txt", "more\n");
    let document = sandbox.lane(["finish", "login", "--json"]).json();
    let pushed = &document["landed"]["pushed"];
    assert_eq!(pushed["remote"], "origin", "{document}");
    assert_eq!(pushed["ref"], "refs/heads/main", "{document}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn it_goes_where_git_would_push_the_base() {
    let (sandbox, origin) = followed();
    let fork = sandbox.root().join("fork.git");
    sandbox.git(["clone", "-q", "--bare", ".", fork.to_str().unwrap()]);
    sandbox.git(["remote", "add", "fork", fork.to_str().unwrap()]);
    let before = tip(&sandbox, "main");
    // (setting, its value, the branch that gets it there)
    sandbox.git(["branch", "-q", "-m", "main", "trunk"]);
    sandbox.git(["config", "lane.login.base", "refs/heads/trunk"]);
    sandbox.lane(["finish", "login", "--push", "--keep"]).ok();
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "trunk"));
    for (number, (key, value)) in [
        ("remote.pushDefault", "fork"),
        ("branch.trunk.pushRemote", "fork"),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.git(["config", key, value]);
        sandbox.work("login", &format!("{number}.txt"), "x\n");
        sandbox.lane(["finish", "login", "--push", "--keep"]).ok();
        assert_eq!(tip_of(&sandbox, &fork, "trunk"), tip(&sandbox, "trunk"));
        sandbox.git(["config", "--unset", key]);
    }
    assert_eq!(tip_of(&sandbox, &fork, "main"), before);
}

#[test]
fn a_base_that_follows_nothing_is_refused_and_a_stacked_lane_lands_on_the_other() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new.txt", "new\n");
    for dry in [&["-n"][..], &[]] {
        let args = ["finish", "login", "--push"];
        let run = sandbox.lane(args.iter().chain(dry));
        assert!(
            run.stderr.contains("follows no branch of a remote"),
            "{run}"
        );
        assert!(run.stderr.contains("git push -u origin main"), "{run}");
        run.fails(1);
    }
    sandbox.lane(["start", "above", "--base", "login"]).ok();
    sandbox.work("above", "above.txt", "above\n");
    sandbox.lane(["finish", "above", "--push"]).ok();
    assert!(sandbox.lane_path("login").join("above.txt").exists());
}

/// What a remote may answer, and the words of the refusal.
#[test]
fn a_push_that_is_refused_is_a_landing_that_is_refused() {
    let hook = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    for (what, (name, text), says) in [
        (
            "a protected branch",
            hook("update", "echo protected; exit 1"),
            "has refused the push of 'main'",
        ),
        (
            "a check of everything",
            hook("pre-receive", "exit 1"),
            "pre-receive hook declined",
        ),
        (
            "a remote that dies before it has taken it",
            hook("pre-receive", "kill -9 $PPID"),
            "the push of 'main' to 'origin' has failed",
        ),
    ] {
        let (sandbox, origin) = followed();
        executable(
            &origin.join("hooks").join(name),
            format!("#!/bin/sh\n{text}\n"),
        );
        let before = tip(&sandbox, "main");
        let run = sandbox.lane(["finish", "login", "--push"]);
        assert!(run.stderr.contains(says), "{what}: {run}");
        assert!(run.stderr.contains("nothing has landed"), "{what}: {run}");
        run.fails(1);
        as_before(&sandbox, &origin, (&before, &before));
        sandbox.nothing_left_behind(0);
        // It lands here alone, and the remote has it once it lets it in.
        std::fs::remove_dir_all(origin.join("hooks")).unwrap();
        sandbox.lane(["finish", "login", "--push"]).ok();
        assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    }
}

#[test]
fn a_remote_that_has_more_is_brought_in_first() {
    let (sandbox, origin) = followed();
    sandbox.colleague_pushes(&origin, "theirs.txt");
    let (here, there) = (tip(&sandbox, "main"), tip_of(&sandbox, &origin, "main"));
    // Whether it was fetched or not, and never by force.
    sandbox.git(["config", "remote.origin.push", "+refs/heads/*:refs/heads/*"]);
    for _ in 0..2 {
        let run = sandbox.lane(["finish", "login", "--push", "--json"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["error"]["code"], "push-refused", "{run}");
        assert!(run.stdout.contains("git lane sync --fetch login"), "{run}");
        run.fails(1);
        as_before(&sandbox, &origin, (&here, &there));
        sandbox.git(["fetch", "-q"]);
    }
    sandbox.lane(["sync", "--fetch", "login"]).ok();
    sandbox.lane(["finish", "login", "--push"]).ok();
    assert!(sandbox.repo.join("theirs.txt").exists());
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn a_remote_that_cannot_be_reached_is_asked_before_anything_is_sent() {
    let (sandbox, origin) = followed();
    let before = tip(&sandbox, "main");
    std::fs::rename(&origin, sandbox.root().join("away")).unwrap();
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("--no-push"), "{run}");
    run.fails(5);
    assert_eq!(tip(&sandbox, "main"), before);
    sandbox.nothing_left_behind(0);
    std::fs::rename(sandbox.root().join("away"), &origin).unwrap();
    sandbox.lane(["finish", "login", "--push"]).ok();
}

/// Has the remote die as soon as its branch has moved, before it says so; it does `then` first.
fn once_taken(origin: &Path, then: &str) {
    let text = format!("#!/bin/sh\ntest \"$1\" = committed || exit 0\n{then}\nkill -9 $PPID\n");
    executable(&origin.join("hooks/reference-transaction"), text);
}

/// The remote takes the push and dies before it says so: it is asked.
#[test]
fn an_unknown_outcome_is_asked_of_the_remote() {
    let (sandbox, origin) = followed();
    once_taken(&origin, "");
    let out = sandbox.lane(["finish", "login", "--push"]).ok();
    assert!(out.contains("pushed 'main'"), "{out}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    sandbox.nothing_left_behind(1);
}

/// ... and others have pushed on top before it can be asked.
#[test]
fn what_others_have_pushed_since_counts_as_taken() {
    let (sandbox, origin) = followed();
    let tree = sandbox.git(["rev-parse", "main^{tree}"]);
    let more = format!(
        "rm hooks/reference-transaction\nunset GIT_QUARANTINE_PATH\n\
         new=$(git -c user.name=c -c user.email=c@example.com commit-tree -p main -m more {tree})\n\
         git update-ref refs/heads/main $new"
    );
    once_taken(&origin, &more);
    sandbox.lane(["finish", "login", "--push"]).ok();
    let (here, there) = (tip(&sandbox, "main"), tip_of(&sandbox, &origin, "main"));
    assert_eq!(sandbox.git(["rev-parse", &format!("{there}^")]), here);
}

/// The remote has it and then goes away: nothing is guessed, and the next command finds out.
#[test]
fn where_it_cannot_be_asked_nothing_moves_until_it_can() {
    let (sandbox, origin) = followed();
    let away = sandbox.root().join("away");
    let before = tip(&sandbox, "main");
    once_taken(
        &origin,
        &format!("mv {} {}", origin.display(), away.display()),
    );
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("is not known"), "{run}");
    run.fails(5);
    assert_eq!(tip(&sandbox, "main"), before);
    // Nothing lands there meanwhile, whichever way, and all else goes on.
    let run = sandbox.lane(["finish", "login", "--no-push"]);
    assert!(run.stderr.contains("the push of a landing on"), "{run}");
    run.fails(1);
    sandbox.lane(["start", "other"]).ok();
    sandbox.collect_garbage();
    std::fs::rename(&away, &origin).unwrap();
    std::fs::remove_dir_all(origin.join("hooks")).unwrap();
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("it has been completed"), "{run}");
    assert!(run.ok().contains("nothing to land"));
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    sandbox.nothing_under_way();
    // It counts as a landing.
    let log = sandbox.lane(["undo", "--list"]).ok();
    assert!(log.contains("login"), "{log}");
}

/// What happens here while the push is on its way cannot take the landing back.
#[test]
fn a_base_that_could_not_follow_does_so_later() {
    // A file in the way.
    let (sandbox, origin) = followed();
    let in_the_way = format!(
        "#!/bin/sh\necho mine > {}\n",
        sandbox.repo.join("new.txt").display()
    );
    executable(&origin.join("hooks/post-update"), in_the_way);
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("'origin' has the landing"), "{run}");
    assert!(run.stderr.contains("new.txt"), "{run}");
    run.fails(5);
    assert_eq!(
        std::fs::read_to_string(sandbox.repo.join("new.txt")).unwrap(),
        "mine\n"
    );
    std::fs::remove_dir_all(origin.join("hooks")).unwrap();
    std::fs::remove_file(sandbox.repo.join("new.txt")).unwrap();
    sandbox.lane(["finish", "login", "--push"]).ok();
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_left_behind(1);
    // A commit of plain git's.
    let (sandbox, origin) = followed();
    let commits = format!(
        "#!/bin/sh\nunset $(git rev-parse --local-env-vars)\ncd {} && git commit -q --allow-empty -m mine\n",
        sandbox.repo.display()
    );
    executable(&origin.join("hooks/post-update"), commits);
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("was moved here meanwhile"), "{run}");
    assert!(run.stderr.contains("pull --no-rebase"), "{run}");
    run.fails(5);
    std::fs::remove_dir_all(origin.join("hooks")).unwrap();
    sandbox.git(["pull", "-q", "--no-rebase", "--no-edit"]);
    assert!(
        sandbox
            .lane(["finish", "login"])
            .ok()
            .contains("nothing to land")
    );
    sandbox.nothing_under_way();
}

#[test]
fn local_changes_in_the_way_are_found_before_anything_is_sent() {
    let (sandbox, origin) = followed();
    let before = tip(&sandbox, "main");
    sandbox.write("new.txt", "mine\n");
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("new.txt"), "{run}");
    run.fails(1);
    as_before(&sandbox, &origin, (&before, &before));
}

#[test]
fn pre_push_is_asked_as_git_asks_it() {
    let (sandbox, origin) = followed();
    let before = tip(&sandbox, "main");
    sandbox.hook(
        "pre-push",
        "cat > seen; echo \"$1\" >> seen; pwd >> seen; exit 1",
    );
    let run = sandbox.lane(["finish", "login", "--push"]);
    run.fails(1);
    let seen = std::fs::read_to_string(sandbox.repo.join("seen")).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert!(
        lines[0].contains(&format!("refs/heads/main {before}")),
        "{seen}"
    );
    assert_eq!(lines[1], "origin", "{seen}");
    assert_eq!(Path::new(lines[2]), sandbox.repo.as_path(), "{seen}");
    std::fs::remove_file(sandbox.repo.join("seen")).unwrap();
    as_before(&sandbox, &origin, (&before, &before));
    sandbox
        .lane(["finish", "login", "--push", "--no-verify"])
        .ok();
    assert!(!sandbox.repo.join("seen").exists());
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

#[test]
fn lanes_behind_one_gate_are_one_push() {
    let (sandbox, origin) = followed();
    sandbox.lane_by_git("second");
    sandbox.work("second", "second.txt", "second\n");
    executable(
        &origin.join("hooks/post-receive"),
        "#!/bin/sh\ncat >> pushes\n",
    );
    sandbox
        .lane(["finish", "login", "second", "--push", "--gate", "true"])
        .ok();
    let pushes = std::fs::read_to_string(origin.join("pushes")).unwrap();
    assert_eq!(pushes.lines().count(), 1, "{pushes}");
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    assert!(sandbox.repo.join("second.txt").exists());
    // A gate that fails lets nothing out.
    sandbox.lane_by_git("third");
    sandbox.work("third", "third.txt", "third\n");
    sandbox
        .lane(["finish", "third", "--push", "--gate", "false"])
        .fails(6);
    let pushes = std::fs::read_to_string(origin.join("pushes")).unwrap();
    assert_eq!(pushes.lines().count(), 1, "{pushes}");
}

#[test]
fn a_landing_that_was_pushed_is_reverted_there_too() {
    let (sandbox, origin) = followed();
    sandbox.write("lane.toml", "[finish]\npush = true\n");
    sandbox.commit("policy");
    sandbox.git(["push", "-q"]);
    sandbox.lane(["finish", "login"]).ok();
    let run = sandbox.lane(["undo", "login"]);
    assert!(run.stderr.contains("is public"), "{run}");
    run.fails(1);
    sandbox.lane(["undo", "--revert", "login"]).ok();
    assert!(!sandbox.repo.join("new.txt").exists());
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
}

/// Of many at once each lands, and the remote has what the base has.
#[test]
fn twelve_at_once_all_land() {
    let (sandbox, origin) = followed();
    let names: Vec<String> = (0..12).map(|number| format!("lane-{number}")).collect();
    for name in &names {
        sandbox.lane_by_git(name);
        sandbox.work(name, &format!("{name}.txt"), "x\n");
    }
    let mut children: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = sandbox.command(env!("CARGO_BIN_EXE_git-lane"));
            command.args(["finish", name, "--push"]);
            let quiet = command.stdout(std::process::Stdio::null());
            quiet.current_dir(&sandbox.repo).spawn().unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    for name in &names {
        assert!(sandbox.repo.join(format!("{name}.txt")).exists());
    }
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_left_behind(12);
}
