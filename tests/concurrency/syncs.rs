//! Many lanes are brought up to date at once, beside landings, commits and `git gc`.

use super::{all_ok, names, processes, times};
use crate::support::Sandbox;

/// Lanes with one commit each, and a base that has moved on.
fn with_lanes(names: &[String]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "gc.auto", "0"]);
    let start = ["start"]
        .into_iter()
        .chain(names.iter().map(String::as_str));
    sandbox.lane(start).ok();
    for name in names {
        sandbox.work(name, &format!("src/{name}.txt"), &format!("{name}\n"));
    }
    sandbox.write("src/base.txt", "base\n");
    sandbox.commit("base");
    sandbox
}

/// Whether the lane has all of main, and nothing but its own file changed.
fn up_to_date(sandbox: &Sandbox, name: &str, base: &str) {
    let missing = sandbox.git(["rev-list", "--count", &format!("{name}..{base}")]);
    assert_eq!(missing, "0", "{name}");
    let path = sandbox.lane_path(name);
    assert_eq!(
        sandbox.git_in(&path, ["status", "--porcelain"]),
        "",
        "{name}"
    );
    assert!(path.join("src/base.txt").exists(), "{name}");
}

#[test]
fn syncs_of_many_lanes_at_once_all_arrive() {
    for strategy in ["merge", "rebase"] {
        let lanes = names(processes());
        let sandbox = with_lanes(&lanes);
        let syncs: Vec<Vec<&str>> = lanes
            .iter()
            .map(|name| vec!["git-lane", "sync", name, "--strategy", strategy])
            .collect();
        let gc = ["git", "gc", "-q", "--prune=now"];
        let (ended, ran, failed) = sandbox.beside(&[&gc], || sandbox.together(&syncs));
        assert!(ran > 0 && failed.is_empty(), "{failed:#?}");
        all_ok(&ended);
        for name in &lanes {
            up_to_date(&sandbox, name, "main");
        }
        sandbox.git(["fsck", "--strict"]);
        sandbox.at_rest(0);
    }
}

/// Half of the lanes land while the others take what has landed: each ends well or is told that it
/// was outrun, and a second look brings the rest.
#[test]
fn syncs_beside_landings_and_commits_lose_nothing() {
    for _ in 0..times() {
        let lanes = names(processes());
        let sandbox = with_lanes(&lanes);
        let (land, take) = lanes.split_at(lanes.len() / 2);
        let base = sandbox.git(["rev-parse", "main"]);
        let commands: Vec<Vec<&str>> = land
            .iter()
            .map(|name| vec!["git-lane", "finish", "--json", name])
            .chain(
                take.iter()
                    .map(|name| vec!["git-lane", "sync", "--json", name]),
            )
            .chain(take.iter().map(|name| {
                let path = Box::leak(
                    sandbox
                        .lane_path(name)
                        .display()
                        .to_string()
                        .into_boxed_str(),
                );
                vec![
                    "git",
                    "-C",
                    path,
                    "commit",
                    "-q",
                    "--allow-empty",
                    "-m",
                    "beside",
                ]
            }))
            .collect();
        let ended = sandbox.together(&commands);
        let (own, git): (Vec<_>, Vec<_>) = ended
            .into_iter()
            .partition(|ended| ended.args[0] == "git-lane");
        for ended in &own {
            let outrun = || ended.json()["error"]["code"] == "raced";
            assert!(ended.ok() || outrun(), "{ended:#?}");
        }
        // git does not wait for a lock, and says so.
        for ended in git.iter().filter(|ended| !ended.ok()) {
            assert!(ended.stderr.contains("lock"), "{ended:#?}");
        }
        for name in land {
            let file = format!("src/{name}.txt");
            let has = |place: &str| !sandbox.git(["ls-tree", place, &file]).is_empty();
            assert!(has("main") || has(name), "{name}");
        }
        for name in take {
            let synced = own
                .iter()
                .any(|ended| ended.ok() && ended.args.last() == Some(name));
            if synced {
                up_to_date(&sandbox, name, &base);
            }
            let made = git
                .iter()
                .any(|ended| ended.ok() && ended.args[2].ends_with(name.as_str()));
            let subjects = sandbox.git(["log", "--format=%s", name]);
            assert_eq!(subjects.contains("beside"), made, "{name}: {subjects}");
        }
        sandbox.lane(["sync", "--all"]).ok();
        for name in take {
            up_to_date(&sandbox, name, "main");
        }
        sandbox.git(["fsck", "--strict"]);
    }
}

/// Of many processes that sync the same lane one does, and the others find it done.
#[test]
fn one_lane_is_synced_once() {
    let lanes = names(1);
    let sandbox = with_lanes(&lanes);
    let syncs = vec![vec!["git-lane", "sync", "lane-0", "--json"]; processes()];
    let ended = sandbox.together(&syncs);
    all_ok(&ended);
    let done = ended
        .iter()
        .filter(|ended| ended.json()["verdict"] == "synced");
    assert_eq!(done.count(), 1, "{ended:#?}");
    assert_eq!(
        sandbox.git(["rev-list", "--count", "--merges", "lane-0"]),
        "1"
    );
    up_to_date(&sandbox, "lane-0", "main");
    sandbox.at_rest(0);
}
