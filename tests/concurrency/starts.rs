//! Many starts: of different lanes, of one lane, next to everything git does to a repository.

use super::{Ended, all_ok, failures, names, processes, tell, times};
use crate::support::{Sandbox, git_version, long, skipped};

const GC: &[&str] = &["git", "gc", "--quiet", "--prune=now"];
const FETCH: &[&str] = &["git", "fetch", "--quiet", "--prune", "origin"];
const PRUNE: &[&str] = &["git", "worktree", "prune", "--expire=now"];
const BRANCH: &[&str] = &["git", "branch", "--list", "--all"];
const LOG: &[&str] = &["git", "log", "--all", "--oneline"];
const STATUS: &[&str] = &["git", "status", "--short"];

/// A repository with a remote that gets new branches and loses old ones whenever it is fetched
/// from.
fn with_remote() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "gc.auto", "0"]);
    sandbox.git(["clone", "-q", "--bare", ".", "../origin.git"]);
    sandbox.git(["remote", "add", "origin", "../origin.git"]);
    // What git runs at the other end of a fetch.
    let upload = sandbox.root().join("upload");
    let script = "#!/bin/sh\ngit -C \"$1\" branch -f fresh-$$ main >/dev/null 2>&1\n\
        git -C \"$1\" for-each-ref --format='delete %(refname)' 'refs/heads/fresh-*' | head -n 1 \
        |\n\
        git -C \"$1\" update-ref --stdin >/dev/null 2>&1\nexec git-upload-pack \"$1\"\n";
    std::fs::write(&upload, script).unwrap();
    let mut chmod = sandbox.command("chmod");
    sandbox.run(chmod.arg("+x").arg(&upload)).ok();
    sandbox.git([
        "config",
        "remote.origin.uploadpack",
        upload.to_str().unwrap(),
    ]);
    sandbox.git(["fetch", "-q", "origin"]);
    sandbox
}

/// Those of the bystanders that only look: no start may give them cause to fail. gc, fetch and
/// prune fall over each other with git alone too.
fn readers(failed: Vec<Ended>) -> Vec<Ended> {
    let readers = [BRANCH, LOG, STATUS].map(|args| args.join(" "));
    failed
        .into_iter()
        .filter(|failed| readers.contains(&failed.args.join(" ")))
        .collect()
}

/// Starts all lanes at once from `base`, next to `loops`; returns how often those ran.
fn different(base: &str, loops: &[&[&str]]) -> usize {
    let sandbox = with_remote();
    let names = names(processes());
    let starts: Vec<Vec<&str>> = names
        .iter()
        .map(|name| vec!["git-lane", "start", name, "--base", base])
        .collect();
    let (ended, ran, failed) = sandbox.beside(loops, || sandbox.together(&starts));
    all_ok(&ended);
    let failed = readers(failed);
    assert!(failed.is_empty(), "{failed:#?}");
    names.iter().for_each(|name| sandbox.whole(name));
    sandbox.at_rest(0);
    assert_eq!(
        sandbox
            .git(["config", "--get-regexp", r"^lane\..*\.id$"])
            .lines()
            .count(),
        names.len()
    );
    ran
}

/// How many of as many `git worktree add` fail in the same place, and how many that only look.
fn different_by_git(base: &str, loops: &[&[&str]]) -> (usize, usize) {
    let sandbox = with_remote();
    let add = |name: &String| {
        let path = format!("../{name}");
        ["git", "worktree", "add", "-q", "-b", name, &path, base]
            .map(str::to_owned)
            .to_vec()
    };
    let adds: Vec<Vec<String>> = names(processes()).iter().map(add).collect();
    let (ended, _, failed) = sandbox.beside(loops, || sandbox.together(&adds));
    (failures(&ended), readers(failed).len())
}

#[test]
fn different_starts_do_not_see_each_other() {
    let scenarios: &[(&str, &str, &[&[&str]])] = &[
        ("start", "main", &[]),
        ("start beside gc --prune=now", "main", &[GC]),
        ("start beside worktree prune", "main", &[PRUNE]),
        (
            "start from a remote beside fetch --prune",
            "origin/main",
            &[FETCH],
        ),
        (
            "start from a remote, all of these and readers beside",
            "origin/main",
            &[GC, FETCH, PRUNE, BRANCH, LOG, STATUS],
        ),
    ];
    // In the quick version the last has everything the others have.
    let skip = if long() { 0 } else { scenarios.len() - 1 };
    for (scenario, base, loops) in scenarios.iter().skip(skip) {
        let (mut by_git, mut blind, mut ran) = (0, 0, 0);
        for _ in 0..times() {
            ran += different(base, loops);
            if long() {
                let (failed, readers) = different_by_git(base, loops);
                (by_git, blind) = (by_git + failed, blind + readers);
            }
        }
        let more = format!("{ran} bystanders, no reader failed; beside git {blind} readers failed");
        tell(
            scenario,
            processes(),
            0,
            by_git,
            if loops.is_empty() { "" } else { &more },
        );
    }
}

#[test]
fn the_same_start_creates_one_lane() {
    let mut by_git = 0;
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let starts: Vec<Vec<&str>> = (0..processes())
            .map(|_| vec!["git-lane", "start", "same", "--json"])
            .collect();
        exactly_one(&sandbox, &sandbox.together(&starts));
        if long() {
            let sandbox = Sandbox::new();
            let add = ["git", "worktree", "add", "-q", "-b", "same", "../same"];
            let created =
                processes() - failures(&sandbox.together(&vec![add.to_vec(); processes()]));
            let whole = || {
                sandbox.run(
                    sandbox
                        .command("git")
                        .args(["-C", "../same", "status", "--porcelain"]),
                )
            };
            let whole = created == 1
                && whole().code == 0
                && sandbox.git(["worktree", "list"]).lines().count() == 2;
            by_git += usize::from(!whole);
        }
    }
    tell(
        "the same start",
        processes(),
        0,
        format!("{by_git} rounds"),
        "one creates, the others are told",
    );
}

/// git itself makes the worktrees of a reftable repository.
#[test]
fn the_same_start_creates_one_lane_in_a_reftable_too() {
    if git_version() < (2, 45) {
        skipped(&format!("git {:?} has no reftable", git_version()));
        return;
    }
    let sandbox = Sandbox::empty();
    sandbox.git(["init", "-q", "-b", "main", "--ref-format=reftable"]);
    sandbox.write("README", "shop\n");
    sandbox.commit("first");
    let starts = vec![vec!["git-lane", "start", "same", "--json"]; 6];
    exactly_one(&sandbox, &sandbox.together(&starts));
}

/// A task is one lane's, however many names want it.
#[test]
fn of_many_starts_for_one_task_one_gets_it() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let start = |name: &String| {
            [
                "git-lane", "start", name, "--task", "T-1", "--unique", "--json",
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let names = names(processes());
        let ended = sandbox.together(&names.iter().map(start).collect::<Vec<_>>());
        let winners: Vec<&Ended> = ended.iter().filter(|ended| ended.ok()).collect();
        assert_eq!(winners.len(), 1, "{ended:#?}");
        for loser in ended.iter().filter(|ended| !ended.ok()) {
            let error = &loser.json()["error"];
            assert!(
                loser.code == Some(1) && error["code"] == "task-taken",
                "{loser:#?}"
            );
            assert_eq!(error["details"]["lane"], *winners[0].args[2], "{loser:#?}");
        }
        sandbox.at_rest(0);
        assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 2);
        assert_eq!(sandbox.git(["branch", "--list"]).lines().count(), 2);
    }
    tell(
        "start --task --unique",
        processes(),
        0,
        "-",
        "one gets the task",
    );
}

/// The holder of a lane is one, although all of them have one login name.
#[test]
fn of_many_starts_that_claim_one_lane_one_holds_it() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let start = vec!["git-lane", "start", "same", "--claim", "--json"];
        let ended = sandbox.together(&vec![start; processes()]);
        let token = |ended: &Ended| ended.json()["lanes"][0]["claim"]["token"].clone();
        let tokens: Vec<_> = ended.iter().filter(|ended| ended.ok()).map(token).collect();
        assert_eq!(tokens.len(), 1, "{ended:#?}");
        for loser in ended.iter().filter(|ended| !ended.ok()) {
            let code = &loser.json()["error"]["code"];
            let lost = code == "claimed" || code == "raced";
            assert!(loser.code == Some(1) && lost, "{loser:#?}");
        }
        let mut release = sandbox.command("git-lane");
        release.args(["release", "same"]);
        let token = tokens[0].as_str().unwrap();
        sandbox.run(release.env("GIT_LANE_CLAIM", token)).ok();
        sandbox.whole("same");
        sandbox.at_rest(0);
    }
    tell(
        "start --claim of one lane",
        processes(),
        0,
        "-",
        "one holds it",
    );
}

/// Several orchestrators with the same task file: each lane is made once, and whole.
#[test]
fn the_same_task_file_from_many_makes_each_lane_once() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let names = names(6);
        let tasks: String = names
            .iter()
            .map(|name| format!("{{\"name\":\"{name}\"}}\n"))
            .collect();
        std::fs::write(sandbox.root().join("tasks"), tasks).unwrap();
        let start = vec!["git-lane", "start", "--from", "../tasks", "--json"];
        let ended = sandbox.together(&vec![start; processes()]);
        for loser in ended.iter().filter(|ended| !ended.ok()) {
            let lanes = loser.json()["lanes"].as_array().unwrap().clone();
            let failed = lanes.iter().filter(|lane| lane["error"].is_object());
            let raced = |lane: &serde_json::Value| lane["error"]["code"] == "raced";
            assert!(
                loser.code == Some(1) && failed.clone().all(raced),
                "{loser:#?}"
            );
        }
        for name in &names {
            let made = |ended: &&Ended| {
                let lanes = ended.json()["lanes"].clone();
                let lanes = lanes.as_array().cloned().unwrap_or_default();
                lanes
                    .iter()
                    .any(|lane| lane["lane"] == **name && lane["created"] == true)
            };
            assert_eq!(ended.iter().filter(made).count(), 1, "{name}: {ended:#?}");
            sandbox.whole(name);
        }
        sandbox.at_rest(0);
    }
    tell(
        "start --from of one file",
        processes(),
        0,
        "-",
        "each lane is made once",
    );
}

#[track_caller]
fn exactly_one(sandbox: &Sandbox, ended: &[Ended]) {
    let created = |ended: &&Ended| ended.ok() && ended.json()["lanes"][0]["created"] == true;
    assert_eq!(ended.iter().filter(created).count(), 1, "{ended:#?}");
    for loser in ended.iter().filter(|ended| !ended.ok()) {
        let code = &loser.json()["error"]["code"];
        assert!(loser.code == Some(1) && code == "raced", "{loser:#?}");
    }
    sandbox.whole("same");
    sandbox.at_rest(0);
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 2);
}

#[test]
fn no_write_of_the_configuration_is_lost() {
    let (mut refused, mut by_git) = (0, 0);
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let names = names(processes());
        let mut commands: Vec<Vec<String>> = Vec::new();
        for name in &names {
            commands.push(["git-lane", "start", name].map(str::to_owned).to_vec());
            commands.push(
                ["git", "config", &format!("foreign.{name}.key"), "value"]
                    .map(str::to_owned)
                    .to_vec(),
            );
        }
        let ended = sandbox.together(&commands);
        let (ours, foreign): (Vec<Ended>, Vec<Ended>) = ended
            .into_iter()
            .partition(|ended| ended.args[0] == "git-lane");
        all_ok(&ours);
        for written in foreign {
            // git does not wait for config.lock.
            let found = sandbox
                .command("git")
                .args(["config", &written.args[2]])
                .output()
                .unwrap();
            assert_eq!(found.status.success(), written.ok(), "{written:#?}");
            refused += usize::from(!written.ok());
        }
        let recorded = sandbox.git(["config", "--get-regexp", r"^lane\..*\.worktree$"]);
        assert_eq!(recorded.lines().count(), names.len());
        sandbox.at_rest(0);
        if long() {
            let sandbox = Sandbox::new();
            let keys: Vec<String> = names
                .iter()
                .map(|name| format!("foreign.{name}.key"))
                .collect();
            let writes: Vec<Vec<&str>> = keys
                .iter()
                .map(|key| vec!["git", "config", key, "value"])
                .collect();
            by_git += failures(&sandbox.together(&writes));
        }
    }
    let more = format!("none lost; {refused} git config met our lock or each other's and said so");
    tell(
        "start beside as many git config",
        processes(),
        0,
        by_git,
        &more,
    );
}
