//! What a removed lane holds beyond the proof of its commits: it is said, and such a lane never
//! leaves the trash in passing. A lane that holds any of it is no lane that prune may take.

use crate::support::{Sandbox, change_entry, outdate};

/// What makes lane `x`, whose commit is in `main`, hold more than that; a script that runs in the
/// lane. The codes of what it holds then.
const HOLDINGS: [(&str, &str, &[&str]); 27] = [
    ("untracked", "echo gold >new", &["untracked"]),
    ("modified", "echo gold >>README", &["modified"]),
    ("deleted", "rm README", &["modified"]),
    ("staged", "echo gold >new; git add new", &["staged"]),
    (
        "staged mode",
        "git update-index --chmod=+x README; git checkout -q-index 2>/dev/null; chmod +x README",
        &["staged"],
    ),
    (
        "skip-worktree",
        "git update-index --skip-worktree README; echo gold >>README",
        &["modified"],
    ),
    (
        "assume-unchanged",
        "git update-index --assume-unchanged README; echo gold >>README",
        &["modified"],
    ),
    (
        "intent to add",
        "echo gold >new; git add -N new",
        &["modified"],
    ),
    (
        "merge",
        "git checkout -q -b y main~1; echo y >work; git add work; git commit -qm y; git checkout \
         -q x; ! git merge -q y",
        &["conflicted", "operation"],
    ),
    (
        "rebase with an autostash",
        "echo gold >>README; git -c sequence.editor='sed -i 1s/pick/edit/' rebase -q -i \
         --autostash HEAD~1 2>/dev/null",
        &["operation"],
    ),
    ("bisect", "git bisect start >/dev/null", &["operation"]),
    (
        "am",
        "git format-patch -q -1 --stdout >../p; ! git am -q ../p >/dev/null 2>&1",
        &["operation"],
    ),
    (
        "revert",
        "git revert --no-commit HEAD; git reset -q --hard; git rev-parse HEAD >\"$D/REVERT_HEAD\"",
        &["operation"],
    ),
    ("sequence", "mkdir \"$D/sequencer\"", &["operation"]),
    ("stray", "git checkout -q -b elsewhere", &["stray"]),
    ("detached", "git checkout -q --detach", &["stray"]),
    (
        "detached commit",
        "git checkout -q --detach; git commit -q --allow-empty -m gold",
        &["stray", "commits"],
    ),
    (
        "commit of no branch",
        "git checkout -q --detach; git commit -q --allow-empty -m gold; git checkout -q x",
        &["commits"],
    ),
    (
        "own ref",
        "git update-ref refs/worktree/mine $(git commit-tree -m gold HEAD^{tree})",
        &["commits"],
    ),
    (
        "own ref that is a link",
        "git commit-tree -m gold HEAD^{tree} >../there; mkdir -p \"$D/refs/worktree\"; ln \
         -s \"$PWD/../there\" \"$D/refs/worktree/mine\"",
        &["commits"],
    ),
    (
        "ref of a bisect",
        "git update-ref refs/bisect/bad $(git commit-tree -m gold HEAD^{tree})",
        &["commits"],
    ),
    (
        "ref of a rebase",
        "git update-ref refs/rewritten/a $(git commit-tree -m gold HEAD^{tree})",
        &["commits"],
    ),
    (
        "gone, staged",
        "echo gold >new; git add new; rm -r \"$PWD\"",
        &["staged"],
    ),
    (
        "gone, removal staged",
        "git rm -q --cached README; rm -r \"$PWD\"",
        &["staged"],
    ),
    (
        "gone, bisect",
        "git bisect start >/dev/null; rm -r \"$PWD\"",
        &["operation"],
    ),
    (
        "gone, detached commit",
        "git checkout -q --detach; git commit -q --allow-empty -m gold; rm -r \"$PWD\"",
        &["stray", "commits"],
    ),
    (
        "gone, commit of no branch",
        "git checkout -q --detach; git commit -q --allow-empty -m gold; git checkout -q x; rm \
         -r \"$PWD\"",
        &["commits"],
    ),
];

/// What is no work of its own: the commit is in `main`, and these leave nothing that is nowhere
/// else.
const NOTHING: [(&str, &str); 9] = [
    ("nothing", "true"),
    ("ignored", "echo secret >.env"),
    (
        "elsewhere and back",
        "git checkout -q -b elsewhere; git checkout -q x; git branch -q -D elsewhere",
    ),
    (
        "detached and back",
        "git checkout -q --detach main; git checkout -q x",
    ),
    (
        "looked at a tag",
        "git tag t main~1; git checkout -q t; git checkout -q x",
    ),
    (
        "branch of its own",
        "git checkout -q -b kept; git commit -q --allow-empty -m kept; git checkout -q x",
    ),
    (
        "bisected",
        "git bisect start HEAD HEAD~1 >/dev/null; git bisect reset >/dev/null 2>&1",
    ),
    (
        "hidden and the same",
        "git update-index --assume-unchanged README",
    ),
    ("gone", "rm -r \"$PWD\""),
];

/// Lane `x`, merged into `main`, after `script` ran in it.
fn lane_after(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", ".env\n");
    sandbox.commit("ignore");
    let lane = sandbox.lane_by_git("x");
    sandbox.work("x", "work", "work\n");
    sandbox.git(["merge", "-q", "--no-ff", "-m", "merge", "x"]);
    let mut shell = sandbox.command("sh");
    shell
        .args([
            "-c",
            &format!("D=$(git rev-parse --absolute-git-dir)\n{script}\ntrue"),
        ])
        .current_dir(&lane);
    sandbox.run(&mut shell).ok();
    sandbox
}

fn only_entry(sandbox: &Sandbox) -> serde_json::Value {
    let entries = sandbox.entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0].clone()
}

fn codes(holds: &serde_json::Value) -> Vec<String> {
    holds
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether the only entry is still there after another lane's finish, once its time is up.
fn outlives_its_time(sandbox: &Sandbox) -> bool {
    let entry = sandbox.entry();
    outdate(&entry);
    sandbox.lane_by_git("z");
    sandbox.work("z", "z", "z");
    sandbox.lane(["finish", "z"]).ok();
    entry.exists()
}

/// The lane comes back between two ways to remove it; one without a directory is made anew.
#[test]
fn what_no_proof_covers_is_said_and_waits_until_asked() {
    for (what, script, held) in HOLDINGS {
        let mut sandbox = lane_after(script);
        stays(&sandbox, what);
        for way in [
            &["drop", "x", "--yes"][..],
            &["drop", "x", "--force"],
            &["finish", "x", "--no-land", "--force"],
        ] {
            sandbox.lane(way).ok();
            let entry = only_entry(&sandbox);
            assert_eq!(
                entry["integrated"],
                serde_json::Value::Null,
                "{what} by {way:?}: {entry}"
            );
            let found = codes(&entry["holds"]);
            assert_eq!(found, held, "{what} by {way:?}: {entry}");
            let text = sandbox.lane(["trash"]).ok();
            assert!(
                !text.contains("integrated")
                    && text.contains(entry["holds"][0]["message"].as_str().unwrap()),
                "{what}: {text}"
            );
            if way[0] == "finish" {
                assert!(outlives_its_time(&sandbox), "{what} by {way:?}");
                let asked = sandbox.lane(["trash", "--expire"]).ok();
                assert!(
                    asked.contains(entry["holds"][0]["message"].as_str().unwrap()),
                    "{what}: {asked}"
                );
            } else if what.starts_with("gone") {
                sandbox = lane_after(script);
            } else {
                sandbox.lane(["restore", "x"]).ok();
            }
        }
    }
}

/// It is not pruned, and not dropped without a yes.
fn stays(sandbox: &Sandbox, what: &str) {
    let pruned = sandbox
        .lane(["--json", "prune", "--older-than", "0s"])
        .json();
    assert_eq!(pruned["kept"][0]["code"], "unsettled", "{what}: {pruned}");
    let run = sandbox.lane(["--json", "drop", "x"]);
    assert!(
        run.stdout.contains("\"code\": \"unsettled\""),
        "{what}: {run}"
    );
    run.fails(1);
    sandbox.nothing_left_behind(0);
}

#[test]
fn what_is_nothing_of_its_own_stands_in_no_proofs_way() {
    for (what, script) in NOTHING {
        let mut sandbox = lane_after(script);
        for way in [&["finish", "x"][..], &["drop", "x"], &["prune", "--yes"]] {
            sandbox.lane(way).ok();
            let entry = only_entry(&sandbox);
            assert_eq!(
                entry["integrated"]["code"], "ancestor",
                "{what} by {way:?}: {entry}"
            );
            assert_eq!(
                entry["holds"],
                serde_json::json!([]),
                "{what} by {way:?}: {entry}"
            );
            if way[0] == "prune" {
                assert!(!outlives_its_time(&sandbox), "{what} by {way:?}");
            } else if what == "gone" {
                sandbox = lane_after(script);
            } else {
                sandbox.lane(["restore", "x"]).ok();
            }
        }
    }
}

/// An amended commit, one that was reset away, the steps of a rebase: the user, or git for the
/// user, has put something else in their place.
#[test]
fn what_was_replaced_is_no_work_of_its_own() {
    for script in [
        "git commit -q --amend -m better",
        "git commit -q --allow-empty -m wrong; git reset -q --hard HEAD~1",
        "echo more >>work; git commit -qam more; git -c sequence.editor='sed -i 2s/pick/fixup/' \
         rebase -q -i main",
        "git checkout -q --detach; git commit -q --allow-empty -m a; git commit -q --amend \
         --allow-empty -m b; git branch -qf x; git checkout -q x",
        "git merge -q --no-edit main",
    ] {
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        sandbox.work("x", "work", "work\n");
        sandbox.write("other", "other");
        sandbox.commit("other");
        sandbox.sh_in(&lane, script).ok();
        sandbox.lane(["finish", "x"]).ok();
        let entry = only_entry(&sandbox);
        assert_eq!(
            (&entry["integrated"]["code"], &entry["holds"]),
            (&"ancestor".into(), &serde_json::json!([])),
            "{script}"
        );
    }
}

/// An entry of a version that did not look does not say what it holds.
#[test]
fn an_entry_that_does_not_say_what_it_holds_waits_until_asked() {
    let sandbox = lane_after("true");
    sandbox.lane(["finish", "x"]).ok();
    change_entry(&sandbox.entry(), |json| {
        json.as_object_mut().unwrap().remove("holds").unwrap();
    });
    assert_eq!(only_entry(&sandbox)["holds"], serde_json::Value::Null);
    assert!(outlives_its_time(&sandbox));
}

/// Submodules of a lane: what only its own clone has.
#[test]
fn what_only_a_submodule_of_the_lane_has() {
    for (what, script) in [
        (
            "branch",
            "git checkout -q -b mine; git commit -q --allow-empty -m gold; git checkout -q \
             --detach HEAD~1",
        ),
        ("head", "git commit -q --allow-empty -m gold"),
    ] {
        let sandbox = Sandbox::new();
        let library = sandbox.root().join("library");
        sandbox.git(["init", "-q", library.to_str().unwrap()]);
        sandbox.git_in(&library, ["commit", "-q", "--allow-empty", "-m", "one"]);
        let allow = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
        sandbox.git(
            allow
                .iter()
                .chain(&["add", library.to_str().unwrap(), "lib"]),
        );
        sandbox.commit("submodule");
        let lane = sandbox.lane_by_git("x");
        sandbox.git_in(&lane, allow.iter().chain(&["update", "--init"]));
        sandbox.sh_in(&lane.join("lib"), script).ok();
        sandbox.git_in(&lane, ["submodule", "--quiet", "update", "--checkout"]);
        let pruned = sandbox
            .lane(["--json", "prune", "--older-than", "0s"])
            .json();
        assert_eq!(pruned["kept"][0]["code"], "unsettled", "{what}: {pruned}");
        sandbox.lane(["finish", "x"]).ok();
        let entry = only_entry(&sandbox);
        assert_eq!(
            (&entry["integrated"], codes(&entry["holds"])),
            (&serde_json::Value::Null, vec!["submodule".to_owned()]),
            "{what}"
        );
        assert!(outlives_its_time(&sandbox), "{what}");
    }
}
