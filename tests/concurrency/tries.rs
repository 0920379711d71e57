//! Many processes show lanes in one main worktree and bring it back, beside landings, commits and
//! `git gc`.

use super::{all_ok, names, processes, times};
use crate::support::{Sandbox, write};
use crate::try_lane::{forgotten, of_main};

/// What a command that was outrun may say.
const OUTRUN: [&str; 2] = ["raced", "not-tried"];

fn with_lanes(names: &[String]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "gc.auto", "0"]);
    let start = ["start"].into_iter();
    sandbox
        .lane(start.chain(names.iter().map(String::as_str)))
        .ok();
    for name in names {
        sandbox.work(name, &format!("src/{name}.txt"), &format!("{name}\n"));
        write(&sandbox.lane_path(name).join("README"), name);
    }
    sandbox
}

#[test]
fn many_show_their_lanes_and_none_is_mixed_with_another() {
    for _ in 0..times() {
        let lanes = names(processes());
        let sandbox = with_lanes(&lanes);
        let before = of_main(&sandbox);
        let files: Vec<String> = lanes
            .iter()
            .map(|name| crate::support::listing(&sandbox.lane_path(name)))
            .collect();
        let tries = lanes
            .iter()
            .map(|name| vec!["git-lane", "try", "--json", name]);
        let backs = lanes
            .iter()
            .map(|_| vec!["git-lane", "try", "--json", "--back"]);
        let commands: Vec<Vec<&str>> = tries.chain(backs).collect();
        let gc = ["git", "gc", "-q", "--prune=now"];
        let (ended, _, failed) = sandbox.beside(&[&gc], || sandbox.together(&commands));
        assert!(failed.is_empty(), "{failed:#?}");
        for ended in ended.iter().filter(|ended| !ended.ok()) {
            let code = ended.json()["error"]["code"].clone();
            assert!(OUTRUN.iter().any(|known| code == *known), "{ended:#?}");
        }
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        drop(sandbox.lane(["try", "--back"]));
        assert_eq!(of_main(&sandbox), before);
        forgotten(&sandbox);
        for (name, before) in lanes.iter().zip(files) {
            assert_eq!(crate::support::listing(&sandbox.lane_path(name)), before);
        }
        sandbox.git(["fsck", "--strict"]);
    }
}

/// Lanes land on the branch of the main worktree while that goes away from it and comes back: it ends
/// at the branch's commit, with nothing to commit.
#[test]
fn landings_beside_tries_leave_the_main_worktree_whole() {
    for _ in 0..times() {
        let lanes = names(processes());
        let sandbox = with_lanes(&lanes);
        let (land, look) = lanes.split_at(lanes.len() / 2);
        for name in land {
            sandbox.git_in(&sandbox.lane_path(name), ["checkout", "-q", "README"]);
        }
        let landings = land
            .iter()
            .map(|name| vec!["git-lane", "finish", "--json", name]);
        let tries = look
            .iter()
            .map(|name| vec!["git-lane", "try", "--json", name]);
        let backs = look
            .iter()
            .map(|_| vec!["git-lane", "try", "--json", "--back"]);
        let commands: Vec<Vec<&str>> = landings.chain(tries).chain(backs).collect();
        let ended = sandbox.together(&commands);
        let (landings, others): (Vec<_>, Vec<_>) = ended
            .into_iter()
            .partition(|ended| ended.args.contains(&"finish".to_owned()));
        for ended in others.iter().filter(|ended| !ended.ok()) {
            let code = ended.json()["error"]["code"].clone();
            assert!(OUTRUN.iter().any(|known| code == *known), "{ended:#?}");
        }
        all_ok(&landings);
        drop(sandbox.lane(["try", "--back"]));
        assert_eq!(sandbox.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        for name in land {
            assert!(
                sandbox.repo.join(format!("src/{name}.txt")).exists(),
                "{name}"
            );
        }
        forgotten(&sandbox);
    }
}
