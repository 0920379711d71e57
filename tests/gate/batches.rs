//! Many processes land at once behind a gate.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};

use super::{gate, runs, with_lanes};
use crate::support::{Run, Sandbox, checked_document, wait_until};

fn start(sandbox: &Sandbox, lane: &str, gate: &str) -> Child {
    sandbox
        .command("git-lane")
        .args(["finish", lane, "--gate", gate, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Exit code and document.
fn end(child: Child) -> (i32, serde_json::Value) {
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap_or(-1),
        checked_document("finish", &String::from_utf8_lossy(&output.stdout)),
    )
}

/// A gate that waits in its first run until the others are in the queue.
fn patient_gate(sandbox: &Sandbox, others: usize, body: &str) -> String {
    let queue = sandbox.repo.join(".git/lane/landing");
    let wait = format!(
        "first='{}'; if mkdir \"$first\" 2>/dev/null; then
           for i in $(seq 600); do
             test \"$(ls '{}' | grep -c json)\" -gt {others} && break; sleep 0.1
           done
         fi\n{body}",
        sandbox.root().join("home/first").display(),
        queue.display(),
    );
    gate(sandbox, &wait)
}

/// How many wait in the queues there.
fn waiting(queue: &Path) -> usize {
    let files = std::fs::read_dir(queue).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    names
        .filter(|name| name.ends_with(".json") && !name.starts_with('.'))
        .count()
}

#[test]
fn those_that_wait_are_tested_together_and_the_base_is_never_untested() {
    let names = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "bad", "l7", "l8"];
    let sandbox = with_lanes(&names);
    let first = sandbox.git(["rev-parse", "main^{tree}"]);
    let gate = patient_gate(
        &sandbox,
        names.len() - 1,
        "sleep 0.3; test ! -e src/bad.txt",
    );
    let mut children = vec![("l0", start(&sandbox, "l0", &gate))];
    wait_until(|| runs(&sandbox).len() == 1);
    children.extend(
        names[1..]
            .iter()
            .map(|name| (*name, start(&sandbox, name, &gate))),
    );
    let mut batches = BTreeSet::new();
    for (name, child) in children {
        let (exit, document) = end(child);
        if name == "bad" {
            assert_eq!(
                (exit, &document["error"]["code"]),
                (6, &"gate-failed".into()),
                "{document}"
            );
        } else {
            assert_eq!(exit, 0, "{name}: {document}");
            batches.insert(document["landed"]["batch"].as_str().unwrap().to_owned());
        }
    }
    // One alone, the others together, three or four to find the lane, one for it alone, and those
    // behind it, which come again one after the other.
    assert!(runs(&sandbox).len() <= 10, "{:?}", runs(&sandbox));
    assert!(batches.len() <= 5, "{batches:?}");
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "9"
    );
    let receipts = sandbox.root().join("home/.local/state/git-lane/receipts");
    let tested: Vec<String> = std::fs::read_dir(receipts)
        .unwrap()
        .flatten()
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    for tree in sandbox
        .git(["reflog", "show", "--format=%T", "main"])
        .lines()
    {
        let known = tree == first || tested.iter().any(|name| name.starts_with(tree));
        assert!(known, "main was at {tree}");
    }
    assert_eq!(sandbox.git(["status", "--short"]), "");
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
    assert!(
        std::fs::read_dir(sandbox.repo.join(".git/lane/landing"))
            .unwrap()
            .next()
            .is_none()
    );
}

/// Two lanes that pass alone and fail together: the later one is held, and is told with which.
#[test]
fn a_lane_that_fails_only_with_another_one_is_held() {
    let sandbox = with_lanes(&["l0", "x", "l1", "y", "l2"]);
    let gate = patient_gate(&sandbox, 4, "test ! -e src/x.txt || test ! -e src/y.txt");
    let first = start(&sandbox, "l0", &gate);
    wait_until(|| runs(&sandbox).len() == 1);
    let queue = sandbox.repo.join(".git/lane/landing");
    let mut children = vec![("l0", first)];
    for (number, name) in ["x", "l1", "y", "l2"].into_iter().enumerate() {
        children.push((name, start(&sandbox, name, &gate)));
        wait_until(|| waiting(&queue) >= number + 2 || runs(&sandbox).len() > 1);
    }
    for (name, child) in children {
        let (exit, document) = end(child);
        if name == "y" {
            assert_eq!(exit, 6, "{document}");
            assert_eq!(document["error"]["code"], "held", "{document}");
            assert_eq!(document["error"]["details"]["with"][0], "x", "{document}");
        } else {
            assert_eq!(exit, 0, "{name}: {document}");
        }
    }
}

/// One that has its answer and is too slow to read it is in no leader's next batch, where it would be
/// told something else.
#[test]
fn a_slow_reader_keeps_its_answer() {
    let sandbox = with_lanes(&["l0", "x", "y", "l1"]);
    let go = sandbox.root().join("home/go");
    let body = format!(
        "until test -e '{}'; do sleep 0.05; done\ntest ! -e src/x.txt || test ! -e src/y.txt",
        go.display()
    );
    let gate = gate(&sandbox, &body);
    let queue = sandbox.repo.join(".git/lane/landing");
    let mut children = Vec::new();
    for (number, name) in ["l0", "x", "y", "l1"].into_iter().enumerate() {
        children.push(start(&sandbox, name, &gate));
        wait_until(|| waiting(&queue) > number);
    }
    let slow = children[2].id().to_string();
    assert!(sandbox.sh(&format!("kill -STOP {slow}")).code == 0);
    crate::support::write(&go, "");
    let last = end(children.pop().unwrap());
    assert_eq!(last.0, 0, "{}", last.1);
    assert!(sandbox.sh(&format!("kill -CONT {slow}")).code == 0);
    let (exit, document) = end(children.pop().unwrap());
    assert_eq!(
        (exit, &document["error"]["code"]),
        (6, &"held".into()),
        "{document}"
    );
    assert_eq!(document["error"]["details"]["with"][0], "x", "{document}");
    for child in children {
        let (exit, document) = end(child);
        assert_eq!(exit, 0, "{document}");
    }
}

/// Where the base itself does not pass, no lane is to blame.
#[test]
fn a_base_that_fails_by_itself_is_told_as_that() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    let gate = gate(&sandbox, "exit 1");
    let run: Run = sandbox.lane(["finish", "a", "b", "c", "--gate", &gate]);
    let said = run.fails(6);
    assert_eq!(
        said.matches("the gate failed for 'main' as it is, without any lane")
            .count(),
        3,
        "{said}"
    );
    assert_eq!(sandbox.git(["rev-list", "--count", "main"]), "1");
}

/// The process that leads dies: those who wait go on, and it has not landed.
#[test]
fn a_leader_that_dies_is_replaced() {
    let sandbox = with_lanes(&["a", "b", "c"]);
    let gate = patient_gate(&sandbox, 2, "");
    let mut leader = start(&sandbox, "a", &gate);
    wait_until(|| runs(&sandbox).len() == 1);
    let others = ["b", "c"].map(|name| (name, start(&sandbox, name, &gate)));
    wait_until(|| {
        let log = sandbox.lane(["log", "--json"]).ok();
        log.matches("\"what\": \"land\"").count() + log.matches("\"what\":\"land\"").count() >= 3
    });
    leader.kill().unwrap();
    leader.wait().unwrap();
    for (name, child) in others {
        let (exit, document) = end(child);
        assert_eq!(exit, 0, "{name}: {document}");
    }
    let landed = sandbox.git(["log", "--format=%s", "--merges", "main"]);
    assert!(landed.contains("'b'") && landed.contains("'c'"), "{landed}");
    sandbox.lane(["finish", "a", "--gate", &gate]).ok();
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "main"]),
        "3"
    );
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/landing"]), "");
}

/// The other lane has landed while this one waited.
#[test]
fn a_lane_that_waited_is_held_too_and_told_with_whom() {
    let sandbox = with_lanes(&["x", "y"]);
    let gate = patient_gate(&sandbox, 1, "test ! -e src/x.txt || test ! -e src/y.txt");
    let first = start(&sandbox, "x", &gate);
    wait_until(|| runs(&sandbox).len() == 1);
    let second = start(&sandbox, "y", &gate);
    assert_eq!(end(first).0, 0);
    let (exit, document) = end(second);
    assert_eq!(
        (exit, &document["error"]["code"]),
        (6, &"held".into()),
        "{document}"
    );
    assert_eq!(document["error"]["details"]["with"][0], "x", "{document}");
}

/// A lane that conflicts with one in the queue waits for that one, however many come after it.
#[test]
fn a_lane_that_waits_for_another_waits_however_many_queue_up_behind() {
    let many: Vec<String> = (0..24).map(|number| format!("l{number}")).collect();
    let mut names = vec!["first", "x", "clash"];
    names.extend(many.iter().map(String::as_str));
    let sandbox = with_lanes(&names);
    sandbox.work("x", "src/app.txt", "of x\n");
    sandbox.work("clash", "src/app.txt", "of clash\n");
    // All but the one that clashes.
    let gate = patient_gate(&sandbox, names.len() - 2, "");
    let mut children = vec![("first", start(&sandbox, "first", &gate))];
    wait_until(|| runs(&sandbox).len() == 1);
    let queue = sandbox.repo.join(".git/lane/landing");
    let waiting = || {
        let files = std::fs::read_dir(&queue).unwrap().flatten();
        files
            .filter(|file| file.path().extension().is_some_and(|end| end == "json"))
            .count()
    };
    children.push(("x", start(&sandbox, "x", &gate)));
    wait_until(|| waiting() == 2);
    for name in &names[2..] {
        children.push((name, start(&sandbox, name, &gate)));
    }
    for (name, child) in children {
        let (exit, document) = end(child);
        if name == "clash" {
            assert_eq!(exit, 3, "{document}");
            assert_eq!(document["error"]["details"]["with"][0], "x", "{document}");
        } else {
            assert_eq!(exit, 0, "{name}: {document}");
        }
    }
}

/// A file in the queue says what is to land; what would take the base anywhere but forward is left.
#[test]
fn a_planted_place_in_the_queue_moves_no_base_back() {
    let sandbox = with_lanes(&["a"]);
    let before = sandbox.git(["rev-parse", "main"]);
    let gate = patient_gate(&sandbox, 0, "");
    let first = start(&sandbox, "a", &gate);
    wait_until(|| runs(&sandbox).len() == 1);
    let queue = sandbox.repo.join(".git/lane/landing");
    let own = std::fs::read_dir(&queue)
        .unwrap()
        .flatten()
        .map(|file| file.path());
    let own = own
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "json"));
    let own = own.unwrap();
    let mut entry: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&own).unwrap()).unwrap();
    assert_eq!(end(first).0, 0);
    let landed = sandbox.git(["rev-parse", "main"]);
    let orphan = sandbox.git(["commit-tree", "-m", "orphan", &format!("{before}^{{tree}}")]);
    (entry["onto"], entry["commit"], entry["tip"]) = (
        landed.as_str().into(),
        orphan.as_str().into(),
        orphan.as_str().into(),
    );
    std::fs::create_dir_all(&queue).unwrap();
    std::fs::write(&own, entry.to_string()).unwrap();
    let held = std::fs::File::open(&own).unwrap();
    held.lock().unwrap();
    sandbox.lane(["start", "b"]).ok();
    sandbox.work("b", "src/b.txt", "work\n");
    assert_eq!(end(start(&sandbox, "b", &gate)).0, 0);
    assert_eq!(sandbox.git(["merge-base", "main", &landed]), landed);
    drop(held);
}
