//! Renames beside each other and beside everything else.

use super::{Sandbox, all_ok, failures, names, processes, tell, times};
use crate::support::write;

const LANE: &str = "git-lane";

fn line(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Lanes that are renamed, each by a process of its own, while others are started, dropped and synced, and
/// git collects garbage: every one has its new name, and its work.
#[test]
fn renames_beside_starts_drops_syncs_and_gc() {
    let (mut failed, mut by_git) = (0, 0);
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let lanes = names(processes());
        let start = line(&["start"]).into_iter().chain(lanes.iter().cloned());
        sandbox.lane(start).ok();
        let mut tips = Vec::new();
        for name in &lanes {
            tips.push(sandbox.work(name, name, "work\n"));
            write(&sandbox.lane_path(name).join("new"), "new\n");
        }
        let mut commands = Vec::new();
        for (at, name) in lanes.iter().enumerate() {
            let renamed = format!("renamed-{at}");
            commands.push(match at % 7 {
                3 => line(&[LANE, "drop", "--yes", name]),
                5 => line(&[LANE, "start", &format!("more-{at}"), "--base", "main"]),
                6 => line(&[LANE, "move", name, &format!("../moved-{at}")]),
                // A directory of refs where the branch was.
                1 => line(&[LANE, "rename", name, &format!("{name}/deep")]),
                _ => line(&[LANE, "rename", name, &renamed]),
            });
        }
        let gits: [&[&str]; 2] = [
            &["git", "gc", "-q", "--prune=now"],
            &["git", "worktree", "prune", "--expire=now"],
        ];
        let (ended, _, gits) = sandbox.beside(&gits, || sandbox.together(&commands));
        failed += failures(&ended);
        by_git += gits.len();
        all_ok(&ended);
        for (at, (name, tip)) in lanes.iter().zip(&tips).enumerate() {
            let (branch, path) = match at % 7 {
                3 | 5 => continue,
                6 => (name.clone(), sandbox.root().join(format!("moved-{at}"))),
                1 => (
                    format!("{name}/deep"),
                    sandbox.lane_path(&format!("{name}-deep")),
                ),
                _ => (
                    format!("renamed-{at}"),
                    sandbox.lane_path(&format!("renamed-{at}")),
                ),
            };
            let git = |args: &[&str]| sandbox.git_in(&path, args);
            assert_eq!(git(&["symbolic-ref", "--short", "HEAD"]), branch);
            assert_eq!(git(&["rev-parse", "HEAD"]), *tip);
            assert_eq!(git(&["status", "--porcelain"]), "?? new");
        }
        let dropped = (0..lanes.len()).filter(|at| at % 7 == 3).count();
        sandbox.at_rest(dropped);
        assert_eq!(sandbox.findings(), Vec::<String>::new());
    }
    tell("rename beside others", processes(), failed, by_git, "");
}

/// Of those that rename one lane, or want one name, one does; nothing is left of the others.
#[test]
fn one_lane_gets_one_name() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        let lanes = names(processes());
        let start = line(&["start", "login"])
            .into_iter()
            .chain(lanes.iter().cloned());
        sandbox.lane(start).ok();
        let of_one = |at: usize| line(&[LANE, "rename", "login", &format!("wish-{at}")]);
        let to_one = |name: &String| line(&[LANE, "rename", name, "wanted"]);
        let mut commands: Vec<Vec<String>> = (0..lanes.len()).map(of_one).collect();
        commands.extend(lanes.iter().map(to_one));
        let ended = sandbox.together(&commands);
        let (first, second) = ended.split_at(lanes.len());
        for group in [first, second] {
            let won = group.iter().filter(|ended| ended.ok()).count();
            assert_eq!(won, 1, "{group:#?}");
            for lost in group.iter().filter(|ended| !ended.ok()) {
                assert_eq!(lost.code, Some(1), "{lost:?}");
            }
        }
        let branches = sandbox.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        assert_eq!(branches.lines().count(), lanes.len() + 2, "{branches}");
        assert_eq!(sandbox.findings(), Vec::<String>::new());
        sandbox.at_rest(0);
    }
}

/// A commit that is made while the lane is renamed is on its branch afterwards.
#[test]
fn commits_go_on_beside_a_rename() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let path = sandbox.lane_path("login");
    let script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do git commit -q --allow-empty -m c$n && \
                  git rev-parse HEAD; done; true";
    let commits = ["sh", "-c", script].map(str::to_owned).to_vec();
    let mut inside = vec![
        "env".to_owned(),
        "-C".to_owned(),
        path.display().to_string(),
    ];
    inside.extend(commits);
    let renames = "n=login; for m in signin signin/deep login/deep login; do \
                   git-lane rename $n $m || true; git-lane path $m >/dev/null && n=$m; done; true";
    let renames = ["sh", "-c", renames].map(str::to_owned).to_vec();
    let ended = sandbox.together(&[inside, renames]);
    all_ok(&ended);
    let lanes = sandbox.lane(["--json", "list", "--no-status"]).json();
    let is_lane = |lane: &&serde_json::Value| !lane["lane"].is_null();
    let lane = lanes["lanes"].as_array().unwrap().iter().find(is_lane);
    let branch = lane.unwrap()["branch"].as_str().unwrap().to_owned();
    for commit in ended[0].stdout.lines() {
        sandbox.git(["merge-base", "--is-ancestor", commit, &branch]);
    }
    assert_eq!(sandbox.findings(), Vec::<String>::new());
    sandbox.at_rest(0);
}
