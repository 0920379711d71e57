//! What a newer version or another repository has under way.

use super::*;
use crate::support::{executable, listing, outdate, wait_until};

/// As if a later version had begun what is in the journal, in a way that this one does not know.
fn as_of_a_newer_version(sandbox: &Sandbox) -> PathBuf {
    let file = journal(sandbox, "json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    json["intent"] = serde_json::json!({ "operation": "teleport", "to": "mars" });
    json["about"]["speed"] = 7.into();
    std::fs::write(&file, json.to_string()).unwrap();
    file
}

#[test]
fn what_a_newer_version_does_with_a_lane_stops_that_lane_and_no_other() {
    let sandbox = Sandbox::new();
    with_work(&sandbox);
    sandbox.lane(["start", "gone"]).ok();
    sandbox.lane(["drop", "gone"]).ok();
    sandbox.dying(2, ["drop", "--force", "login"]).fails(137);
    let intent = as_of_a_newer_version(&sandbox);
    let said = sandbox.lane(["start", "other"]);
    warns(
        &said,
        &[
            "warning: the removal of lane 'login' was interrupted",
            "newer git-lane",
            intent.to_str().unwrap(),
        ],
    );
    for args in [&["doctor"][..], &["doctor", "--fix"]] {
        let told = sandbox.lane(args);
        let newer = "s ago, and only the newer git-lane that began it can complete or undo it";
        for words in [
            "the removal of lane 'login' was interrupted ",
            newer,
            "nothing in the trash expires",
        ] {
            assert!(told.stdout.contains(words), "{words}: {told}");
        }
        assert!(told.stderr.contains("1 thing is not"), "{told}");
        let _ = told.fails(1);
    }
    for args in [
        &["drop", "--force", "login"][..],
        &["restore", "login"],
        &["start", "login"],
        &["finish", "login"],
    ] {
        let refused = sandbox.lane(args).fails(1);
        assert!(
            refused.contains("is still to be healed") && refused.contains("newer git-lane"),
            "{args:?}: {refused}"
        );
    }
    sandbox.work("other", "another", "x");
    sandbox.lane(["finish", "other", "--keep"]).ok();
    assert!(
        sandbox
            .lane(["prune", "--yes"])
            .ok()
            .contains("pruned lane 'other'")
    );
    // It may be bringing one of them back.
    let waiting = sandbox.entry_ids();
    for id in &waiting {
        outdate(&sandbox.entry_with(id));
    }
    sandbox.lane(["trash", "--expire"]).ok();
    assert_eq!(sandbox.entry_ids(), waiting);
    assert!(intent.exists() && sandbox.lane_path("login").join("file").exists());
    std::fs::remove_file(&intent).unwrap();
    sandbox.lane(["trash", "--expire"]).ok();
    assert!(sandbox.entry_ids().is_empty());
}

#[test]
fn a_newer_versions_landing_stops_landings_on_its_base_and_keeps_what_it_needs() {
    let sandbox = dies_landing("land.files");
    let kept = sandbox.git([
        "for-each-ref",
        "--format=%(objectname)",
        "refs/lane/landing",
    ]);
    let intent = as_of_a_newer_version(&sandbox);
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "another", "x");
    let main = sandbox.git(["rev-parse", "main"]);
    let finish = sandbox.lane(["finish", "other", "--json"]);
    assert!(
        finish.code == 1 && finish.stdout.contains("\"not-healed\""),
        "{finish}"
    );
    assert_eq!(sandbox.git(["rev-parse", "main"]), main);
    sandbox.git(["branch", "side", "main"]);
    sandbox.lane(["finish", "other", "--into", "side"]).ok();
    assert_eq!(
        sandbox.git([
            "for-each-ref",
            "--format=%(objectname)",
            "refs/lane/landing"
        ]),
        kept
    );
    assert!(intent.exists() && index_lock(&sandbox).exists());
    let git_dir = std::fs::read_dir(sandbox.repo.join(".git"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name());
    assert_eq!(
        git_dir
            .filter(|name| name.to_string_lossy().starts_with("lane-index-"))
            .count(),
        1
    );
}

/// A command that dies moving a lane into the trash or out of it is healed by the next whose turn
/// it is, which may have looked before that death.
#[test]
fn who_waits_for_the_trash_tells_what_it_healed_there() {
    for (args, json) in [
        (&["drop", "--force", "login"][..], false),
        (&["drop", "--force", "login", "--json"], true),
    ] {
        let sandbox = Sandbox::new();
        with_work(&sandbox);
        sandbox.died("retire.entry-made", ["drop", "--force", "login"]);
        let (intent, aside) = (journal(&sandbox, "json"), sandbox.root().join("intent"));
        std::fs::rename(&intent, &aside).unwrap();
        let lane = sandbox.repo.join(".git/lane");
        let begun = || {
            std::fs::read_to_string(lane.join("events.jsonl"))
                .unwrap()
                .matches("\"before\"")
                .count()
        };
        let before = begun();
        let lock = lane.join("trash.lock");
        let turn = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock)
            .unwrap();
        turn.lock().unwrap();
        let mut waiting = sandbox.command("git-lane");
        let piped = std::process::Stdio::piped;
        let waiting = waiting
            .args(args)
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .unwrap();
        wait_until(|| begun() != before);
        std::fs::rename(&aside, &intent).unwrap();
        drop(turn);
        let said = waiting.wait_with_output().unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr),
        );
        let healed = "the removal of lane 'login' was interrupted; it has been undone";
        assert_eq!(err.matches(healed).count(), 1, "{err}");
        assert!(said.status.success() && out.contains("login"), "{out}{err}");
        assert!(
            !json || serde_json::from_str::<serde_json::Value>(&out).is_ok(),
            "{out}"
        );
        assert!(!sandbox.lane_path("login").exists());
        sandbox.nothing_under_way();
    }
}

#[test]
fn a_landing_leaves_what_the_healing_of_another_needs() {
    let sandbox = dies_landing("land.ref");
    let (intent, aside) = (journal(&sandbox, "json"), sandbox.root().join("intent"));
    // As if the other one had died only after this one had healed what there was to heal.
    std::fs::rename(&intent, &aside).unwrap();
    std::fs::remove_file(journal(&sandbox, "children")).unwrap();
    let git_dir = std::fs::read_dir(sandbox.repo.join(".git"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let is_copy = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("lane-index-")
    };
    let (copy, copy_aside) = (
        git_dir.into_iter().find(is_copy).unwrap(),
        sandbox.root().join("copy"),
    );
    std::fs::rename(&copy, &copy_aside).unwrap();
    sandbox.lane(["start", "other"]).ok();
    sandbox.work("other", "another", "x");
    let hook = sandbox.repo.join(".git/hooks/pre-merge-commit");
    let back = |from: &Path, to: &Path| {
        format!("mv '{}' '{}' 2>/dev/null\n", from.display(), to.display())
    };
    let text = format!(
        "#!/bin/sh\n{}{}:\n",
        back(&copy_aside, &copy),
        back(&aside, &intent)
    );
    executable(&hook, text);
    let said = sandbox.lane(["finish", "other", "--keep"]);
    assert!(
        said.code == 0 && said.stderr.contains("it has been completed"),
        "{said}"
    );
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    assert!(sandbox.repo.join("another").exists() && sandbox.repo.join("file").exists());
    sandbox.nothing_under_way();
}

#[test]
fn a_copy_does_not_heal_what_is_under_way_in_the_original() {
    for landing in [false, true] {
        let sandbox = if landing {
            dies_landing("land.files")
        } else {
            Sandbox::new()
        };
        if !landing {
            sandbox.dying(3, ["start", "second"]).fails(137);
        }
        let copy = sandbox.root().join("copy");
        let mut copying = std::process::Command::new("cp");
        sandbox
            .run(copying.arg("-a").arg(&sandbox.repo).arg(&copy))
            .ok();
        let lanes = || listing(&sandbox.root().join("shop.lanes"));
        let staging = || {
            std::fs::read_dir(sandbox.repo.join(".git/lane/staging"))
                .into_iter()
                .flatten()
                .count()
        };
        let before = (lanes(), staging());
        let said = sandbox.lane_in(&copy, ["init"]);
        assert!(said.stderr.contains("this repository was copied"), "{said}");
        assert!(!said.stderr.contains("was interrupted"), "{said}");
        assert!(!copy.join(".git/index.lock").exists());
        assert_eq!((lanes(), staging()), before);
        assert!(
            sandbox
                .lane_in(&copy, ["doctor"])
                .stdout
                .contains("no command can complete or undo it")
        );
        let said = sandbox.lane(["start", "other"]);
        assert!(
            said.stderr.contains("was interrupted; it has been"),
            "{said}"
        );
        sandbox.nothing_under_way();
    }
}

/// A landing that waits for its turn has looked before. What it cannot heal when its turn comes
/// stops the rest of it: its lane stays, and nothing in the trash expires.
#[test]
fn what_is_not_healed_when_a_landings_turn_comes_stops_the_rest_of_it() {
    let sandbox = Sandbox::new();
    with_work(&sandbox);
    sandbox.lane(["start", "gone"]).ok();
    sandbox.lane(["drop", "gone"]).ok();
    let waiting = sandbox.entry_ids();
    outdate(&sandbox.entry_with(&waiting[0]));
    sandbox.dying(2, ["drop", "--force", "login"]).fails(137);
    let intent = as_of_a_newer_version(&sandbox);
    let aside = sandbox.root().join("intent");
    std::fs::rename(&intent, &aside).unwrap();

    let lock = sandbox.repo.join(".git/lane/land.lock");
    let turn = std::fs::File::create(&lock).unwrap();
    turn.lock().unwrap();
    let mut finish = sandbox.command("git-lane");
    finish.args(["finish", "login", "--json"]);
    let landing = finish
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let log = sandbox.repo.join(".git/lane/events.jsonl");
    let begun = |log: String| log.lines().any(|line| line.contains("\"land\""));
    wait_until(|| std::fs::read_to_string(&log).is_ok_and(begun));
    std::thread::sleep(std::time::Duration::from_millis(300));
    std::fs::copy(&aside, &intent).unwrap();
    drop(turn);

    let output = landing.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["error"]["code"], "not-healed", "{said}");
    assert!(report["landed"].is_object(), "{said}");
    assert!(sandbox.lane_path("login").join("file").exists(), "{said}");
    assert_eq!(sandbox.entry_ids(), waiting, "{said}");
}
