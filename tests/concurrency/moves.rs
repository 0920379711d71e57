//! Starts that take work along: many from one worktree, and each from its own.

use std::path::PathBuf;

use super::{Ended, all_ok, names, processes, tell, times};
use crate::support::Sandbox;

const BESIDE: &[&[&str]] = &[
    &["git", "gc", "--quiet", "--prune=now"],
    &["git", "status", "--short"],
    &["git", "worktree", "prune", "--expire=now"],
];

const STATUS: &str = "MM README\n?? new";

fn work(sandbox: &Sandbox, place: &std::path::Path, number: usize) {
    let script =
        format!("echo {number} >>README; git add README; echo more >>README; echo {number} >new");
    sandbox.sh_in(place, &script).ok();
}

fn lanes_with_work(sandbox: &Sandbox, names: &[String]) -> Vec<PathBuf> {
    let paths = names.iter().map(|name| sandbox.lane_path(name));
    let paths = paths.filter(|path| path.exists());
    paths
        .filter(|path| sandbox.git_in(path, ["status", "--short"]) == STATUS)
        .collect()
}

/// One of them has the work; the others have none, or were too late to be made at all.
#[test]
fn work_goes_into_one_lane_of_many() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "gc.auto", "0"]);
        work(&sandbox, &sandbox.repo, 7);
        let names = names(processes());
        let start = |name: &String| {
            ["git-lane", "start", name, "--move"]
                .map(str::to_owned)
                .to_vec()
        };
        let starts: Vec<Vec<String>> = names.iter().map(start).collect();
        let (ended, ..) = sandbox.beside(BESIDE, || sandbox.together(&starts));
        let raced = |ended: &&Ended| !ended.ok();
        for ended in ended.iter().filter(raced) {
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.stderr.contains("changed meanwhile"), "{ended:?}");
        }
        let with_work = lanes_with_work(&sandbox, &names);
        assert_eq!(with_work.len(), 1, "{ended:#?}");
        assert_eq!(
            std::fs::read_to_string(with_work[0].join("new")).unwrap(),
            "7\n"
        );
        assert_eq!(sandbox.git(["status", "--short"]), "");
        let made = ended.iter().filter(|ended| ended.ok()).count();
        assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), made + 1);
        sandbox.at_rest(0);
    }
    tell("start --move from one worktree", processes(), 0, 0, "");
}

/// Each finds all of its own work, and leaves nothing.
#[test]
fn work_moves_from_many_lanes_at_once() {
    for _ in 0..times() {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "gc.auto", "0"]);
        let names = names(processes());
        let full = |name: &String| format!("from-{name}");
        for (number, name) in names.iter().enumerate() {
            let path = sandbox.lane_path(&full(name));
            let path = path.to_str().unwrap();
            sandbox.git(["worktree", "add", "-q", "-b", &full(name), path]);
            work(&sandbox, path.as_ref(), number);
        }
        let start = |name: &String| {
            let move_from = format!(
                "cd ../shop.lanes/{} && exec git-lane start {name} --move",
                full(name)
            );
            ["sh", "-c", &move_from].map(str::to_owned).to_vec()
        };
        let starts: Vec<Vec<String>> = names.iter().map(start).collect();
        let (ended, ..) = sandbox.beside(BESIDE, || sandbox.together(&starts));
        all_ok(&ended);
        assert_eq!(lanes_with_work(&sandbox, &names).len(), names.len());
        for (number, name) in names.iter().enumerate() {
            let [from, to] = [full(name), name.clone()].map(|name| sandbox.lane_path(&name));
            assert_eq!(sandbox.git_in(&from, ["status", "--short"]), "");
            let new = std::fs::read_to_string(to.join("new")).unwrap();
            assert_eq!(new, format!("{number}\n"));
        }
        sandbox.at_rest(0);
    }
    tell("start --move from as many worktrees", processes(), 0, 0, "");
}
