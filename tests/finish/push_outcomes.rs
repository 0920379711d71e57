//! What may become of a push: refused, lost on its way, taken while the base here cannot follow.

use super::pushed::{as_before, followed, tip, tip_of};
use super::*;
use crate::support::executable;

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
            "a hook of the user's",
            hook("pre-push", "exit 1"),
            "git has not pushed 'main' to 'origin'",
        ),
    ] {
        let (sandbox, origin) = followed();
        let here = match name.as_str() {
            "pre-push" => sandbox.repo.join(".git"),
            _ => origin.clone(),
        };
        let file = here.join("hooks").join(name);
        executable(&file, format!("#!/bin/sh\n{text}\n"));
        let before = tip(&sandbox, "main");
        let run = sandbox.lane(["finish", "login", "--push"]);
        assert!(run.stderr.contains(says), "{what}: {run}");
        assert!(run.stderr.contains("nothing has landed"), "{what}: {run}");
        run.fails(1);
        as_before(&sandbox, &origin, (&before, &before));
        sandbox.nothing_left_behind(0);
        // It lands here alone, and the remote has it once it lets it in.
        std::fs::remove_file(file).unwrap();
        sandbox.lane(["finish", "login", "--push"]).ok();
        assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    }
}

/// A remote that has not answered may be at work still: that it has nothing is no refusal, and the next
/// command asks again.
#[test]
fn a_remote_that_dies_without_a_word_is_asked_again() {
    let (sandbox, origin) = followed();
    executable(
        &origin.join("hooks/pre-receive"),
        "#!/bin/sh\nkill -9 $PPID\n",
    );
    let before = tip(&sandbox, "main");
    let run = sandbox.lane(["finish", "login", "--push", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["error"]["code"], "push-unknown", "{run}");
    run.fails(5);
    assert_eq!(tip(&sandbox, "main"), before);
    std::fs::remove_dir_all(origin.join("hooks")).unwrap();
    let run = sandbox.lane(["finish", "login", "--push"]);
    assert!(run.stderr.contains("it has been undone"), "{run}");
    run.ok();
    assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    sandbox.nothing_left_behind(1);
}

/// What a file in the journal says moves a base forward to what the remote has, and nowhere else.
#[test]
fn a_planted_push_takes_nothing_back() {
    use std::os::unix::fs::MetadataExt;
    let (sandbox, origin) = followed();
    sandbox.colleague_pushes(&origin, "theirs.txt");
    sandbox.git(["fetch", "-q"]);
    let theirs = tip(&sandbox, "origin/main");
    sandbox.write("mine.txt", "mine\n");
    sandbox.commit("mine");
    let mine = tip(&sandbox, "main");
    let blob = tip(&sandbox, "main:mine.txt");
    let first = tip(&sandbox, "main~1");
    let lane_dir = sandbox.repo.join(".git/lane");
    sandbox.lane(["start", "other"]).ok();
    let there = std::fs::metadata(&lane_dir).unwrap();
    let plant = |old: &str, new: &str| {
        let intent = serde_json::json!({
            "home": {"path": lane_dir, "device": there.dev(), "inode": there.ino()},
            "about": {"what": "x", "lanes": [], "bases": ["refs/heads/main"], "gitDirs": []},
            "intent": {
                "operation": "push", "base": "refs/heads/main", "old": old, "new": new,
                "remote": "origin", "name": "refs/heads/main",
            },
        });
        let name = "0190000000000000000.json";
        std::fs::create_dir_all(lane_dir.join("journal")).unwrap();
        write(&lane_dir.join("journal").join(name), intent.to_string());
    };
    for (old, new) in [
        (&mine, &theirs),
        (&first, &theirs),
        (&mine, &blob),
        (&mine, &first),
    ] {
        plant(old, new);
        let _ = sandbox.lane(["mark", "other", "ready"]);
        assert_eq!(tip(&sandbox, "main"), mine, "{old} {new}");
        assert!(sandbox.repo.join("mine.txt").exists());
        let _ = std::fs::remove_dir_all(lane_dir.join("journal"));
    }
    // Forward, but behind a gate that it has not passed.
    sandbox.git(["reset", "-q", "--hard", &first]);
    write(
        &lane_dir.join("lane.toml"),
        "finish.gate = \"false\"\nfinish.gate-required = true\n",
    );
    plant(&first, &theirs);
    let run = sandbox.lane(["mark", "other", "working"]);
    assert!(run.stderr.contains("has a gate"), "{run}");
    assert_eq!(tip(&sandbox, "main"), first);
}

/// The remedy that is named works where the base has commits of its own, too.
#[test]
fn the_way_to_catch_up_can_be_pasted() {
    for (what, own, gate) in [
        ("only lacks", false, false),
        ("has its own", true, false),
        ("has a gate", false, true),
    ] {
        let (sandbox, origin) = followed();
        if own {
            sandbox.write("own.txt", "own\n");
            sandbox.commit("own");
        }
        if gate {
            let own = sandbox.root().join("home/.config/git-lane/lane.toml");
            write(&own, "finish.gate = \"true\"\n");
        }
        sandbox.colleague_pushes(&origin, "theirs.txt");
        let refused = sandbox.lane(["finish", "login", "--push"]);
        let hint = refused
            .stderr
            .lines()
            .find_map(|line| line.split_once("up to date first with: "))
            .map(|(_, hint)| hint.to_owned());
        refused.fails(1);
        let hint = hint.unwrap();
        assert_eq!(hint.contains("pull"), own || gate, "{what}: {hint}");
        // Where nothing is edited a merge needs no editor.
        sandbox
            .sh(&format!("export GIT_MERGE_AUTOEDIT=no; {hint}"))
            .ok();
        sandbox.lane(["finish", "login", "--push"]).ok();
        assert_eq!(tip_of(&sandbox, &origin, "main"), tip(&sandbox, "main"));
    }
}

/// Whoever has to wait for a remote that hangs is not held up for long.
#[test]
fn a_remote_that_hangs_holds_no_other_command_up() {
    let (sandbox, _) = followed();
    sandbox.died("push.announced", ["finish", "login", "--push"]);
    let hangs = sandbox.root().join("hangs");
    executable(&hangs, "#!/bin/sh\nsleep 60\n");
    sandbox.git([
        "config",
        "remote.origin.uploadpack",
        hangs.to_str().unwrap(),
    ]);
    let begun = std::time::Instant::now();
    let run = sandbox.lane(["start", "other"]);
    assert!(run.stderr.contains("has not ended within"), "{run}");
    run.ok();
    assert!(begun.elapsed().as_secs() < 40);
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
