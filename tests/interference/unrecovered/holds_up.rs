//! What cannot be recovered holds up what it is about.

use super::*;
use crate::support::{age, wait_until};

#[test]
fn a_landing_that_cannot_be_healed_stops_landings_on_its_base_and_nothing_else() {
    for (at, landed) in [("land.files", false), ("land.ref", true)] {
        let sandbox = dies_landing(at);
        let commit = sandbox.git([
            "for-each-ref",
            "--format=%(objectname)",
            "refs/lane/landing",
        ]);
        let intent = journal(&sandbox, "json");
        std::fs::remove_file(index_lock(&sandbox)).unwrap();
        foreign_lock(&index_lock(&sandbox));

        let said = sandbox.lane(["start", "other"]);
        warns(
            &said,
            &[
                "warning: a landing on 'main' was interrupted",
                "index.lock",
                intent.to_str().unwrap(),
            ],
        );
        sandbox.work("other", "another", "x");
        let main = sandbox.git(["rev-parse", "main"]);
        let finish = sandbox.lane(["finish", "other", "--json"]);
        assert!(
            finish.code == 1 && finish.stdout.contains("\"not-healed\""),
            "{finish}"
        );
        assert_eq!(
            finish.stderr.matches("warning: a landing").count(),
            1,
            "{finish}"
        );
        assert_eq!(sandbox.git(["rev-parse", "main"]), main);
        sandbox.git(["branch", "side", "main"]);
        sandbox
            .lane(["finish", "other", "--into", "side", "--keep"])
            .ok();
        sandbox.lane(["drop", "--force", "other"]).ok();
        sandbox.lane(["restore", "other"]).ok();
        sandbox.git(["gc", "-q", "--prune=now"]);
        sandbox.git(["cat-file", "-e", &commit]);
        assert!(intent.exists() && index_lock(&sandbox).exists());

        std::fs::remove_file(index_lock(&sandbox)).unwrap();
        let said = sandbox.lane(["finish", "other"]);
        assert!(
            said.code == 0 && said.stderr.contains("it has been"),
            "{said}"
        );
        assert_eq!(sandbox.git(["status", "--porcelain"]), "", "{at}");
        assert_eq!(has_landed(&sandbox), landed, "{at}");
        sandbox.nothing_under_way();
    }
}

#[test]
fn the_doctor_tells_what_is_interrupted_since_when_and_what_will_become_of_it() {
    let sandbox = dies_landing("land.files");
    let intent = journal(&sandbox, "json");
    age(&intent, 3 * 86_400);
    let before = sandbox.fingerprint();
    let told = sandbox.lane(["doctor"]);
    let words = "fixable: a landing on 'main' was interrupted 3d ago; the next command that \
                 changes something completes";
    assert!(
        told.stdout.contains(words) && told.stderr.contains("git lane doctor --fix"),
        "{told}"
    );
    let _ = told.fails(1);
    assert!(intent.exists() && sandbox.fingerprint() == before);

    // A command is at work: nothing is wrong.
    let owner = std::fs::File::open(&intent).unwrap();
    owner.lock().unwrap();
    let told = sandbox.lane(["doctor"]);
    assert!(!told.stdout.contains("was interrupted"), "{told}");
    assert_eq!(
        told.code,
        i32::from(told.stdout.contains("index.lock")),
        "{told}"
    );
    // Not just closed: what another test is starting may have it open too.
    owner.unlock().unwrap();

    // What was tried in vain is not promised.
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    foreign_lock(&index_lock(&sandbox));
    let said = sandbox.lane(["start", "other"]);
    assert!(
        said.stderr.contains("can be neither completed nor undone"),
        "{said}"
    );
    for args in [&["doctor", "--json"][..], &["doctor", "--fix", "--json"]] {
        let told = sandbox.lane(args);
        let json: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap();
        let found = findings
            .iter()
            .find(|finding| finding["code"] == "not-healed")
            .unwrap_or_else(|| panic!("{told}"));
        let (text, hint) = (
            found["message"].as_str().unwrap(),
            found["hints"][0].as_str().unwrap(),
        );
        assert!(
            text.contains("a landing on 'main'") && text.contains("index.lock' is held"),
            "{told}"
        );
        assert!(
            found["fixable"] == false && hint.contains(intent.to_str().unwrap()),
            "{told}"
        );
        let _ = told.fails(1);
    }
    std::fs::remove_file(index_lock(&sandbox)).unwrap();
    let told = sandbox.lane(["doctor", "--fix"]);
    assert!(
        told.stderr
            .contains("a landing on 'main' was interrupted; it has been undone"),
        "{told}"
    );
    assert!(told.ok().contains("everything is as it should be"));
    sandbox.nothing_under_way();
}

/// One bounded wait, however many there are to be healed; whom nothing holds up is healed all the
/// same.
#[test]
fn what_holds_up_many_healings_is_waited_for_once() {
    let sandbox = Sandbox::new();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        sandbox.dying(3, ["start", name]).fails(137);
        // The next one is to heal nothing.
        let aside = sandbox.root().join("aside").join(name);
        std::fs::create_dir_all(aside.parent().unwrap()).unwrap();
        std::fs::rename(sandbox.repo.join(".git/lane/journal"), aside).unwrap();
    }
    let mut at_work = Vec::new();
    std::fs::create_dir(sandbox.repo.join(".git/lane/journal")).unwrap();
    for name in names {
        for file in std::fs::read_dir(sandbox.root().join("aside").join(name))
            .unwrap()
            .flatten()
        {
            let place = sandbox
                .repo
                .join(".git/lane/journal")
                .join(file.file_name());
            std::fs::rename(file.path(), &place).unwrap();
            // As if a git of all but the last were still at work.
            if name != "e" && place.extension().is_some_and(|end| end == "children") {
                at_work.push(std::fs::File::open(place).unwrap());
            }
        }
    }
    at_work.iter().for_each(|file| file.lock().unwrap());
    assert_eq!(at_work.len(), 4);
    let start = std::time::Instant::now();
    let said = sandbox.lane(["start", "other"]);
    assert!(
        start.elapsed() < std::time::Duration::from_secs(60),
        "{said}"
    );
    assert_eq!(said.code, 0, "{said}");
    assert!(
        said.stderr
            .contains("the start of lane 'e' was interrupted; it has been"),
        "{said}"
    );
    assert_eq!(
        said.stderr
            .matches("can be neither completed nor undone: a program")
            .count(),
        4,
        "{said}"
    );
    drop(at_work);
    sandbox.lane(["start", "another"]).ok();
    sandbox.nothing_under_way();
}

#[test]
fn a_lane_whose_files_somebody_died_moving_is_not_taken_away() {
    let sandbox = Sandbox::new();
    with_work(&sandbox);
    sandbox.lane(["start", "sub", "--base", "login"]).ok();
    sandbox.work("sub", "more", "y");
    sandbox.died("land.files", ["finish", "sub", "--keep"]);
    let lock = admin(&sandbox).join("index.lock");
    std::fs::remove_file(&lock).unwrap();
    foreign_lock(&lock);
    let refused = sandbox.lane(["drop", "--force", "login"]).fails(1);
    assert!(
        refused.contains("a landing on 'login' was interrupted and is still to be healed"),
        "{refused}"
    );
    std::fs::remove_file(&lock).unwrap();
    sandbox.lane(["drop", "--force", "login"]).ok();
    sandbox.nothing_under_way();
}

#[test]
fn a_healing_that_fails_half_way_keeps_the_index_locked() {
    let sandbox = dies_landing("land.files");
    // What was there cannot be read for a while.
    let blob = sandbox.git(["rev-parse", "main:src/app.txt"]);
    let object = sandbox
        .repo
        .join(".git/objects")
        .join(&blob[..2])
        .join(&blob[2..]);
    let aside = sandbox.root().join("aside");
    std::fs::rename(&object, &aside).unwrap();
    let said = sandbox.lane(["start", "early"]);
    assert!(
        said.stderr.contains("can be neither completed nor undone"),
        "{said}"
    );
    assert!(index_lock(&sandbox).exists());
    std::fs::rename(&aside, &object).unwrap();
    sandbox.lane(["start", "other"]).ok();
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.nothing_under_way();
}

#[test]
fn a_removal_that_cannot_be_healed_stops_its_lane_and_no_other() {
    let sandbox = Sandbox::new();
    let commit = with_work(&sandbox);
    sandbox.died("places.directory-moved", ["drop", "--force", "login"]);
    // Neither back, where something is in the way, nor forth.
    write(&sandbox.lane_path("login").join("mine"), "mine");
    let lock = sandbox
        .repo
        .join(".git/refs/lane/trash")
        .join(sandbox.entry().file_name().unwrap())
        .with_extension("lock");
    foreign_lock(&lock);

    let said = sandbox.lane(["start", "other"]);
    let intent = journal(&sandbox, "json");
    warns(
        &said,
        &[
            "warning: the removal of lane 'login' was interrupted",
            ".lock",
            intent.to_str().unwrap(),
        ],
    );
    for args in [
        &["drop", "--force", "login"][..],
        &["restore", "login"],
        &["start", "login"],
        &["finish", "login"],
    ] {
        let refused = sandbox.lane(args).fails(1);
        assert!(
            refused.contains("is still to be healed"),
            "{args:?}: {refused}"
        );
    }
    sandbox.work("other", "another", "x");
    sandbox.lane(["finish", "other", "--keep"]).ok();
    let pruned = sandbox.lane(["prune", "--yes"]).ok();
    assert!(pruned.contains("pruned lane 'other'"), "{pruned}");
    sandbox.git(["gc", "-q", "--prune=now"]);

    std::fs::remove_file(lock).unwrap();
    let said = sandbox.lane(["start", "third"]);
    assert!(
        said.stderr
            .contains("the removal of lane 'login' was interrupted; it has been completed"),
        "{said}"
    );
    assert_eq!(
        std::fs::read(sandbox.lane_path("login").join("mine")).unwrap(),
        b"mine"
    );
    std::fs::remove_dir_all(sandbox.lane_path("login")).unwrap();
    comes_back(&sandbox, &commit);
    sandbox.nothing_under_way();
}

#[test]
fn a_landing_tells_what_it_healed_when_its_turn_came() {
    let sandbox = Sandbox::new();
    with_work(&sandbox);
    sandbox.lane(["start", "other"]).ok();
    let lane = sandbox.repo.join(".git/lane");
    let turn = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lane.join("land.lock"))
        .unwrap();
    turn.lock().unwrap();
    let mut landing = sandbox.command("git-lane");
    let piped = std::process::Stdio::piped;
    let landing = landing
        .args(["finish", "login"])
        .stdout(piped())
        .stderr(piped())
        .spawn()
        .unwrap();
    let waits =
        || std::fs::read_dir(lane.join("scratch")).is_ok_and(|mut found| found.next().is_some());
    wait_until(waits);
    write(&lane.join("journal/0123.json"), "damaged");
    drop(turn);
    let said = landing.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.contains("warning: an interrupted command's journal is damaged"),
        "{said}"
    );
}
