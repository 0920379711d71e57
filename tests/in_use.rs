//! A lane that is in use elsewhere: its branch is worked on in another worktree, another user's
//! process may be in it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Run, Sandbox, git_version, skipped, wait_until};

/// Another worktree that rebases or bisects a lane's branch writes to it when that ends.
#[test]
fn a_branch_that_another_worktree_rebases_or_bisects_stays() {
    for (what, work) in [
        (
            "rebase",
            "git checkout -q x; git -c sequence.editor='sed -i 1s/pick/edit/' rebase -q -i HEAD~1 \
             2>/dev/null",
        ),
        (
            "apply",
            "git checkout -q x; ! git rebase -q --apply main >/dev/null 2>&1",
        ),
        (
            "bisect",
            "git checkout -q x; git bisect start HEAD HEAD~1 >/dev/null; git checkout -q --detach",
        ),
        (
            "update-refs",
            "git checkout -q -b y x; git commit -q --allow-empty -m y; git -c sequence.editor='sed \
             -i 1s/pick/edit/' \
             rebase -q -i --update-refs HEAD~2 2>/dev/null",
        ),
    ] {
        if what == "update-refs" && git_version() < (2, 38) {
            continue;
        }
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        sandbox.work("x", "work", "lane");
        sandbox.write("work", "main");
        sandbox.commit("main");
        let other = sandbox.root().join("other");
        sandbox.git(["worktree", "add", "-q", "--detach", other.to_str().unwrap()]);
        // The lane's own worktree is elsewhere meanwhile; that is no reason for its branch to go.
        sandbox.git_in(&lane, ["checkout", "-q", "--detach"]);
        sandbox.sh_in(&other, work).ok();
        for force in ["--yes", "--force"] {
            let run = sandbox.lane(["--json", "drop", "x", force]);
            assert!(
                run.stdout.contains("\"branch-elsewhere\"") && run.stdout.contains("other"),
                "{what}: {run}"
            );
            run.fails(1);
        }
        assert!(lane.join("work").exists(), "{what}");
        assert_ne!(sandbox.git(["rev-parse", "x"]), "", "{what}");
    }
}

/// A sandbox in which `owner` owns everything; `None` where there are no other users to be.
fn owned_by(owner: u32) -> Option<Sandbox> {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("x");
    if !sandbox.lets_others_in(0o755) {
        return None;
    }
    let mut chown = sandbox.command("chown");
    chown.args(["-R", &format!("{owner}:{owner}")]);
    sandbox.run(chown.arg(sandbox.root())).ok();
    Some(sandbox)
}

fn sleeper(command: &mut Command, directory: &Path) -> Child {
    command
        .arg("60")
        .current_dir(directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Nothing tells where it works; a user who cannot write in the lane does not work there.
#[test]
fn a_process_of_another_user_who_can_write_there_may_be_in_it() {
    let (owner, other) = (54_811, 54_812);
    const GROUP: &str = "54813";
    for (what, mode, groups, refused) in [
        ("cannot write", 0o755, "", false),
        ("cannot write, of its group", 0o755, GROUP, false),
        ("of its group", 0o775, GROUP, true),
        ("not of its group", 0o775, "", false),
        ("everybody's", 0o777, "", true),
    ] {
        let Some(sandbox) = owned_by(owner) else {
            return;
        };
        let lane = sandbox.lane_path("x");
        let chgrp = Command::new("chgrp")
            .arg(GROUP)
            .arg(&lane)
            .status()
            .unwrap();
        assert!(chgrp.success());
        std::fs::set_permissions(&lane, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut process = sleeper(&mut sandbox.as_user(other, other, groups, "sleep"), &lane);
        let program = format!("/proc/{}/comm", process.id());
        wait_until(|| std::fs::read_to_string(&program).is_ok_and(|name| name == "sleep\n"));
        let drop_it = |more: &[&str]| -> Run {
            let mut command = sandbox.as_user(owner, owner, "", "git-lane");
            sandbox.run(command.args(["--json", "drop", "x"]).args(more))
        };
        let run = drop_it(&["--yes"]);
        let busy = run.stdout.contains("\"busy\"");
        let forced = busy.then(|| drop_it(&["--force"]));
        process.kill().and_then(|()| process.wait()).unwrap();
        assert_eq!(busy, refused, "{what}: {run}");
        assert!(
            !busy || run.stdout.contains(&other.to_string()),
            "{what}: {run}"
        );
        forced.unwrap_or(run).ok();
    }
}

/// As an agent in a container works in a lane: the kernel names the directory as the container has
/// it.
#[test]
fn a_process_that_has_the_lane_under_another_name_is_noticed() {
    for below in ["", "/src"] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        let alike = sandbox.root().join("workspace");
        std::fs::create_dir(&alike).unwrap();
        let script = "mount --bind \"$1\" \"$2\" 2>/dev/null && cd \"$2$3\" && echo there && exec \
                      sleep 60; echo no";
        let mut command = sandbox.command("unshare");
        command
            .args(["--mount", "sh", "-c", script, "-"])
            .arg(sandbox.lane_path("x"))
            .arg(&alike)
            .arg(below);
        let Ok(mut agent) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            skipped("there is no unshare(1)");
            return;
        };
        let mut said = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(agent.stdout.take().unwrap()),
            &mut said,
        )
        .unwrap();
        if said == "there\n" {
            let dropped = sandbox.lane(["drop", "--yes", "x"]);
            let _ = agent.kill().and_then(|()| agent.wait());
            assert!(dropped.stderr.contains("sleep"), "{dropped}");
            let _ = dropped.fails(1);
            sandbox.lane(["drop", "--yes", "x"]).ok();
        } else {
            skipped("nothing may be mounted here");
        }
    }
}
