//! What does not become a lane, each with its reason.

use super::by_hand;
use crate::support::Sandbox;

/// The code of the refusal.
#[track_caller]
fn code(sandbox: &Sandbox, args: &[&str]) -> String {
    let before = sandbox.fingerprint();
    let run = sandbox.lane(["adopt"].iter().chain(args).chain(&["--json"]));
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(
        !document["error"]["hints"].as_array().unwrap().is_empty(),
        "{run}"
    );
    run.fails(1);
    assert!(sandbox.fingerprint() == before, "{args:?}");
    document["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn each_has_its_reason() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let path = |name: &str| root.join(name).display().to_string();
    sandbox.lane(["start", "own"]).ok();
    by_hand(&sandbox, "login");
    let gone = by_hand(&sandbox, "gone");
    std::fs::remove_dir_all(&gone).unwrap();
    let damaged = by_hand(&sandbox, "damaged");
    std::fs::remove_file(damaged.join(".git")).unwrap();
    let moved = by_hand(&sandbox, "moved");
    std::fs::rename(&moved, root.join("elsewhere")).unwrap();
    let twice = path("shop-twice");
    sandbox.git(["worktree", "add", "-q", "--force", &twice, "own"]);
    let again = path("shop-again");
    sandbox.git(["worktree", "add", "-q", "--force", &again, "login"]);
    let orphan = by_hand(&sandbox, "orphan");
    sandbox.git_in(&orphan, ["checkout", "-q", "--orphan", "unborn"]);
    let unrelated = by_hand(&sandbox, "unrelated");
    sandbox.git_in(&unrelated, ["checkout", "-q", "--orphan", "root"]);
    sandbox.git_in(&unrelated, ["commit", "-qm", "root"]);
    sandbox.git(["switch", "-q", "-c", "away"]);
    sandbox.git(["worktree", "add", "-q", &path("shop-main"), "main"]);
    sandbox.git(["branch", "-q", "loose"]);
    std::fs::create_dir(root.join("nothing")).unwrap();
    let other = root.join("other");
    sandbox.git(["init", "-q", other.to_str().unwrap()]);
    for (args, expected) in [
        (&["."][..], "main-worktree"),
        (&["away"], "main-worktree"),
        (&["src"], "main-worktree"),
        (&["own"], "other-lane"),
        (&[sandbox.lane_path("own").to_str().unwrap()], "other-lane"),
        (&[gone.to_str().unwrap()], "worktree-gone"),
        (&["gone"], "worktree-gone"),
        (&[damaged.to_str().unwrap()], "damaged"),
        (&[moved.to_str().unwrap()], "moved"),
        (&[&twice], "branch-owned"),
        (&[&again], "branch-elsewhere"),
        (&["unborn"], "unborn"),
        (&["root", "--base", "main"], "unrelated"),
        (&["main", "--base", "main"], "onto-itself"),
        (&["main", "--base", "away", "--name", "own"], "lane-exists"),
        (&["main", "--base", "away", "--name", "a b"], "bad-name"),
        (&["main", "--base", "nowhere"], "no-such-base"),
        (&["loose"], "not-a-worktree"),
        (&["nobody"], "not-a-worktree"),
        (&["../nothing"], "not-a-worktree"),
        (&["../other"], "not-a-worktree"),
        (&["../absent"], "not-a-worktree"),
    ] {
        assert_eq!(code(&sandbox, args), expected, "{args:?}");
    }
    let hint = sandbox.lane(["adopt", "loose"]).fails(1);
    assert!(
        hint.ends_with("give it a lane with: git lane start loose\n"),
        "{hint}"
    );

    // One that cannot be is told, and stops no other.
    let run = sandbox.lane(["adopt", "--all", "--base", "main", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut verdicts: Vec<&str> = document["lanes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lane| lane["verdict"].as_str().unwrap())
        .collect();
    verdicts.sort_unstable();
    assert_eq!(
        verdicts,
        [
            "branch-elsewhere",
            "branch-elsewhere",
            "branch-owned",
            "damaged",
            "moved",
            "unborn",
            "unrelated",
            "worktree-gone"
        ]
    );
    run.fails(1);
}

#[test]
fn a_branch_and_a_path_of_one_name_are_not_confused() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    let named = sandbox.repo.join("login");
    sandbox.git([
        "worktree",
        "add",
        "-q",
        "-b",
        "other",
        named.to_str().unwrap(),
    ]);
    assert_eq!(code(&sandbox, &["login"]), "not-a-worktree");
    let lane = |text: &str| sandbox.lane(["adopt", text, "-n", "--json"]).json()["lane"].clone();
    assert_eq!(lane("./login"), "other");
    assert_eq!(lane("refs/heads/login"), "login");
    // A directory inside means the worktree that git would find there.
    assert_eq!(lane(path.join("src").to_str().unwrap()), "login");
}

#[test]
fn a_worktree_that_a_dead_process_was_at_is_nobody_elses() {
    let sandbox = Sandbox::new();
    let path = by_hand(&sandbox, "login");
    sandbox.dying(2, ["start", "other"]).fails(137);
    // Nothing of this version heals it.
    let journal = std::fs::read_dir(sandbox.repo.join(".git/lane/journal")).unwrap();
    let file = journal
        .map(|file| file.unwrap().path())
        .find(|file| file.extension().is_some_and(|end| end == "json"));
    let file = file.unwrap();
    let text = std::fs::read(&file).unwrap();
    let mut intent: serde_json::Value = serde_json::from_slice(&text).unwrap();
    intent["intent"] = serde_json::json!({ "operation": "teleport", "lane": { "worktree": path } });
    std::fs::write(&file, intent.to_string()).unwrap();
    let run = sandbox.lane(["adopt", "login"]);
    let said = "lane 'login' was changed by another command at the same moment";
    assert!(run.stderr.contains(said), "{run}");
    run.fails(1);
    std::fs::remove_file(&file).unwrap();
    sandbox.lane(["adopt", "login"]).ok();
}

#[test]
fn arguments_that_make_no_sense_are_a_usage_error() {
    let sandbox = Sandbox::new();
    for args in [
        &["adopt"][..],
        &["adopt", "a", "b", "--name", "x"],
        &["adopt", "--all", "a"],
        &["adopt", "--all", "--name", "x"],
    ] {
        sandbox.lane(args).fails(2);
    }
}
