//! What else goes on in the repository neither hinders the worktree nor is hindered by it.

use crate::support::{Sandbox, die_at, wait_until, write};

/// A repository with a gate's worktree at `main`.
fn with_a_gate() -> Sandbox {
    let sandbox = Sandbox::new();
    let commit = sandbox.git(["rev-parse", "main"]);
    sandbox.gate_ok(&["gate", &format!("check_out {commit}")]);
    sandbox
}

#[test]
fn git_sees_no_worktree_and_is_kept_from_nothing() {
    let sandbox = with_a_gate();
    sandbox.git(["branch", "side"]);
    let side = sandbox.git(["rev-parse", "side"]);
    let shown = format!("show_merge side {side} {side}^{{tree}} merged");
    let shown = shown.replace(
        &format!("{side}^{{tree}}"),
        &sandbox.git(["rev-parse", "side^{tree}"]),
    );
    sandbox.gate_ok(&["hooks", &shown]);
    let head = std::fs::read(sandbox.slot("hooks").join("tree/.git/HEAD")).unwrap();
    assert_eq!(head, b"ref: refs/heads/side\n");
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 1);
    for args in [
        &["worktree", "prune", "--expire=now"][..],
        &["worktree", "repair"],
        &["checkout", "-q", "side"],
        &["checkout", "-q", "main"],
        &["branch", "-D", "side"],
    ] {
        sandbox.git(args);
    }
    let tree = sandbox.gate_tree();
    assert_eq!(sandbox.git_in(&tree, ["status", "--porcelain"]), "");
    assert_eq!(sandbox.git_in(&tree, ["log", "--format=%s"]), "first");
    let common = sandbox.git_in(
        &tree,
        ["rev-parse", "--path-format=absolute", "--git-common-dir"],
    );
    assert_eq!(common, sandbox.repo.join(".git").to_str().unwrap());
    sandbox.git(["tag", "v1"]);
    assert_eq!(sandbox.git_in(&tree, ["describe", "--tags"]), "v1");
    assert_eq!(
        sandbox.git_in(&tree, ["rev-parse", "--show-toplevel"]),
        tree.to_str().unwrap()
    );
}

#[test]
fn a_gc_leaves_what_it_needs() {
    let sandbox = Sandbox::new();
    sandbox.write("only", "here\n");
    let commit = sandbox.commit("only in the gate");
    sandbox.git(["reset", "-q", "--hard", "HEAD~1"]);
    sandbox.gate_ok(&["gate", &format!("check_out {commit}")]);
    sandbox.git(["reflog", "expire", "--expire=now", "--all"]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    let tree = sandbox.gate_tree();
    assert_eq!(sandbox.git_in(&tree, ["show", "HEAD:only"]), "here");
    sandbox.gate_ok(&["gate", "sh rm only", &format!("check_out {commit}")]);
    assert!(tree.join("only").exists());
    // The ref moves along, and what was kept goes.
    let main = sandbox.git(["rev-parse", "main"]);
    sandbox.gate_ok(&["gate", &format!("check_out {main}")]);
    sandbox.git(["gc", "-q", "--prune=now"]);
    sandbox.git_fails(["cat-file", "-e", &commit]);
    sandbox.gate_ok(&["gate", "sh echo x >>README", &format!("check_out {main}")]);
    sandbox.assert_exact("main", &[], "after a gc of the tree before");
}

#[test]
fn git_lane_works_in_it_and_beside_it() {
    let sandbox = Sandbox::new();
    sandbox.lane(["init"]).ok();
    sandbox.lane(["start", "login"]).ok();
    let commit = sandbox.git(["rev-parse", "main"]);
    sandbox.gate_ok(&["gate", &format!("check_out {commit}")]);
    let tree = sandbox.gate_tree();
    assert_eq!(sandbox.findings(), [""; 0]);
    assert_eq!(
        sandbox.lane_in(&tree, ["doctor", "--json"]).findings(),
        [""; 0]
    );
    let listed = sandbox.lane_in(&tree, ["list", "--json"]).json();
    let lanes = listed["lanes"].as_array().unwrap().iter();
    let names: Vec<_> = lanes.filter_map(|lane| lane["lane"].as_str()).collect();
    assert_eq!(names, ["login"], "{listed}");
    // The guard has nothing to say of what a command does there.
    let deeds = "git checkout -q --detach HEAD; echo x >>README; git commit -qam x; git checkout -q -b own; git checkout -q --detach; git branch -D -q own";
    let said = sandbox.sh_in(&tree, deeds);
    assert_eq!(said.stderr, "", "{said}");
    said.ok();
    sandbox.lane(["drop", "login"]).ok();
    sandbox.gate_ok(&["gate", &format!("check_out {commit}")]);
    sandbox.assert_exact("main", &[], "after commands of git-lane");
}

#[test]
fn the_doctor_names_a_ref_whose_worktree_is_gone() {
    let sandbox = with_a_gate();
    let refs = || sandbox.git(["for-each-ref", "--format=%(refname)", "refs/lane"]);
    assert!(refs().starts_with("refs/lane/gate/") && refs().ends_with("-gate"));
    assert_eq!(sandbox.findings(), [""; 0]);
    std::fs::remove_dir_all(sandbox.slot("gate")).unwrap();
    assert_eq!(sandbox.findings(), ["gate-ref"]);
    let before = refs();
    // Another user's is none of this one's business.
    sandbox.git([
        "update-ref",
        "refs/lane/gate/4294967294-0123456789ab-gate",
        "main",
    ]);
    assert_eq!(sandbox.findings(), ["gate-ref"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert!(!refs().contains(&before) && refs().contains("4294967294"));
    assert_eq!(sandbox.findings(), [""; 0]);
}

/// A process that has the slot and runs a command there, until `note.end` is made or the sandbox is gone.
fn holder(sandbox: &Sandbox, note: &std::path::Path) -> std::process::Child {
    let wait = format!(
        "sh exec 3<&0; touch {0}; while [ -e {0} -a ! -e {0}.end ]; do sleep 0.05; done",
        note.display()
    );
    let holder = sandbox
        .gate_command(&["gate", &wait])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| note.exists());
    holder
}

#[test]
fn one_process_has_it_and_what_a_killed_one_leaves_behind_keeps_it() {
    let sandbox = with_a_gate();
    let commit = sandbox.git(["rev-parse", "main"]);
    let to = format!("check_out {commit}");
    let note = sandbox.root().join("note");
    let mut holder = holder(&sandbox, &note);
    let is_busy = || {
        let said = sandbox.gate(&["gate 50"]);
        let told = said[0].starts_with("busy: ") && said[0].contains("fuser");
        assert!(told, "{said:?}");
    };
    is_busy();
    holder.kill().unwrap();
    holder.wait().unwrap();
    is_busy();
    // The other slot is free.
    sandbox.gate_ok(&["hooks 0"]);
    let waiting = sandbox
        .gate_command(&["gate", &to])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    write(&note.with_extension("end"), "");
    let said = String::from_utf8(waiting.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("=> ok waited"), "{said}");
}

/// At a regular end the slot is free, whatever a command has left with its standard input open.
#[test]
fn what_is_left_behind_at_a_regular_end_keeps_it_from_nobody() {
    let sandbox = with_a_gate();
    let note = sandbox.root().join("note");
    let left = format!(
        "left touch {0}; while [ -e {0} -a ! -e {0}.end ]; do sleep 0.05; done",
        note.display()
    );
    sandbox.gate_ok(&["gate", &left]);
    wait_until(|| note.exists());
    sandbox.gate_ok(&["gate 0"]);
    write(&note.with_extension("end"), "");
}

#[test]
fn a_waiting_command_ends_by_a_signal() {
    let sandbox = with_a_gate();
    let note = sandbox.root().join("note");
    let mut holder = holder(&sandbox, &note);
    let mut waiting = sandbox
        .gate_command(&["gate 60000"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let process = rustix::process::Pid::from_child(&waiting);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    wait_until(|| waiting.try_wait().unwrap().is_some());
    write(&note.with_extension("end"), "");
    holder.wait().unwrap();
}

/// Killed anywhere, the next preparation is exact.
#[test]
fn a_dead_preparation_hinders_none() {
    for step in ["gate.written", "gate.prepared"] {
        let sandbox = with_a_gate();
        sandbox.write("README", "changed\n");
        sandbox.write("new", "new\n");
        let two = sandbox.commit("two");
        let to = format!("check_out {two}");
        let mut dying = sandbox.gate_command(&["gate", &to]);
        die_at(&mut dying, step);
        drop(sandbox.run(&mut dying));
        sandbox.gate_ok(&["gate", &to]);
        sandbox.assert_exact(&two, &[], step);
        sandbox.gate_ok(&[
            "gate",
            &format!("check_out {}", sandbox.git(["rev-parse", "HEAD~1"])),
        ]);
        sandbox.assert_exact("HEAD~1", &[], step);
    }
}
