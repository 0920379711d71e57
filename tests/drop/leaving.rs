//! What leaves, and what a yes is needed for.

use super::*;

#[test]
fn a_clean_lane_leaves_whole_and_says_how_to_come_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    sandbox.git(["config", "branch.login.remote", "origin"]);
    let text = sandbox.lane(["drop", "login"]).ok();
    assert!(
        text.contains("dropped lane 'login' (branch 'login' at "),
        "{text}"
    );
    assert!(text.contains("git lane restore login"), "{text}");
    assert!(!path.exists());
    assert_eq!(sandbox.git(["branch", "--list", "login"]), "");
    assert_eq!(sandbox.git(["worktree", "list"]).lines().count(), 1);
    let config = sandbox.git(["config", "--list", "--local"]);
    assert!(!config.contains("login"), "{config}");
    sandbox.nothing_left_behind(1);
    let again = sandbox.lane(["drop", "login"]).fails(1);
    assert!(
        again.contains("there is no lane 'login'") && again.contains("git lane restore login"),
        "{again}"
    );
}

#[test]
fn inside_a_lane_it_needs_no_name() {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("login");
    sandbox.lane_by_git("other");
    let said = sandbox.lane(["drop"]).fails(2);
    assert!(said.contains("this is no lane's worktree"), "{said}");
    let run = sandbox.lane_in(&lane, ["drop"]);
    assert!(run.stdout.contains("dropped lane 'login' "), "{run}");
    let back = format!("go to: cd {}", sandbox.repo.display());
    assert!(run.stderr.contains(&back), "{run}");
    assert!(!lane.exists() && sandbox.lane_path("other").exists());
    // Work in it is asked about as always.
    let other = sandbox.lane_path("other");
    write(&other.join("new"), "x");
    let said = sandbox.lane_in(&other, ["drop"]).fails(1);
    assert!(said.contains("git lane drop --yes other"), "{said}");
}

#[test]
fn work_that_nothing_else_holds_needs_a_yes() {
    let sandbox = Sandbox::new();
    let dirty = sandbox.lane_by_git("dirty");
    write(&dirty.join("new"), "x");
    sandbox.lane_by_git("ahead");
    sandbox.work("ahead", "file", "x");
    let both = sandbox.lane_by_git("both");
    sandbox.git_in(&both, ["checkout", "-q", "--detach"]);
    let before = sandbox.fingerprint();
    for (name, code, words) in [
        (
            "dirty",
            "unsettled",
            "lane 'dirty' stays: it has 1 untracked path",
        ),
        (
            "ahead",
            "not-integrated",
            "lane 'ahead' stays: it has 1 commit that 'main' has not",
        ),
        ("both", "unsettled", "detached commit"),
    ] {
        let said = sandbox.lane(["drop", name]).fails(1);
        assert!(
            said.contains(words) && said.contains(&format!("git lane drop --yes {name}")),
            "{said}"
        );
        let run = sandbox.lane(["--json", "drop", name]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["error"]["code"], code);
        run.fails(1);
    }
    // One that stays keeps the others.
    sandbox.lane(["drop", "dirty", "ahead"]).fails(1);
    sandbox.lane(["drop", "--dry-run", "--yes", "dirty"]).ok();
    assert_eq!(sandbox.fingerprint(), before);
    sandbox.lane(["drop", "--yes", "dirty", "ahead"]).ok();
    sandbox.lane(["drop", "--force", "both"]).ok();
    sandbox.nothing_left_behind(3);
}

#[test]
fn landed_work_needs_none() {
    let sandbox = Sandbox::new();
    sandbox.lane_by_git("landed");
    sandbox.work("landed", "file", "x");
    sandbox.git(["merge", "-q", "--squash", "landed"]);
    sandbox.commit("squashed");
    sandbox.lane(["drop", "landed"]).ok();
}

#[test]
fn from_inside_it_works_and_says_where_to_go() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    std::fs::create_dir(path.join("deep")).unwrap();
    let run = sandbox.lane_in(&path.join("deep"), ["drop", "--yes", "login"]);
    assert!(
        run.stderr
            .contains(&format!("cd {}", sandbox.repo.display())),
        "{run}"
    );
    run.ok();
    sandbox.nothing_left_behind(1);
}

/// Rows 16 to 23 of the table of nasty inputs: whatever the user did to a worktree, nothing is
/// moved.
#[test]
fn damaged_foreign_nested_and_locked_worktrees_stay_untouched() {
    type Damage = fn(&Sandbox, &Path);
    let table: [(&str, Damage); 12] = [
        ("symbolic link", |sandbox, lane| {
            let moved = sandbox.root().join("moved");
            std::fs::rename(lane, &moved).unwrap();
            symlink(moved, lane).unwrap();
        }),
        ("symbolic link", |sandbox, lane| {
            std::fs::remove_dir_all(lane).unwrap();
            symlink(sandbox.root().join("home"), lane).unwrap();
        }),
        ("was moved to", |_, lane| {
            std::fs::rename(lane, lane.with_file_name("by-hand")).unwrap()
        }),
        ("points at another git directory", |sandbox, lane| {
            let other = sandbox.root().join("other");
            sandbox.add_worktree("other", &other);
            std::fs::copy(other.join(".git"), lane.join(".git")).unwrap();
        }),
        ("does not name a git directory", |_, lane| {
            std::fs::write(lane.join(".git"), "").unwrap()
        }),
        ("has no .git file", |_, lane| {
            std::fs::remove_file(lane.join(".git")).unwrap()
        }),
        ("is no worktree of this repository", |sandbox, lane| {
            let foreign = sandbox.root().join("foreign");
            std::fs::create_dir(&foreign).unwrap();
            write(
                &foreign.join(".git"),
                std::fs::read(lane.join(".git")).unwrap(),
            );
            write(&foreign.join("precious"), "x");
            sandbox.git_in(lane, ["checkout", "-q", "--detach"]);
            write(
                &sandbox.admin(lane).join("gitdir"),
                format!("{}\n", foreign.join(".git").display()),
            );
        }),
        ("commondir", |sandbox, lane| {
            write(&sandbox.admin(lane).join("commondir"), "")
        }),
        ("lies inside it", |sandbox, lane| {
            sandbox.add_worktree("inner", &lane.join("inner"));
        }),
        ("locked: on a stick", |sandbox, lane| {
            sandbox.git([
                "worktree",
                "lock",
                "--reason",
                "on a stick",
                lane.to_str().unwrap(),
            ]);
        }),
        ("also checked out in", |sandbox, _| {
            sandbox.git([
                "worktree",
                "add",
                "-q",
                "-f",
                sandbox.root().join("twice").to_str().unwrap(),
                "x",
            ]);
        }),
        ("main worktree", |sandbox, _| {
            sandbox.git(["config", "lane.x.worktree", sandbox.repo.to_str().unwrap()]);
        }),
    ];
    for (expected, damage) in table {
        let sandbox = Sandbox::new();
        let lane = sandbox.lane_by_git("x");
        write(&lane.join("uncommitted"), "x");
        damage(&sandbox, &lane);
        let before = sandbox.fingerprint();
        let run = sandbox.lane(["drop", "--force", "x"]);
        assert!(
            run.code == 1 && run.stderr.contains(expected),
            "{expected}: {run}"
        );
        sandbox.lane(["drop", "--yes", "x"]).fails(1);
        sandbox.lane(["prune", "--yes", "--older-than", "0s"]).ok();
        assert!(sandbox.fingerprint() == before, "{expected}");
    }
}

#[test]
fn a_recorded_path_is_a_claim_and_gits_list_decides() {
    for path in ["/", "/tmp", ".", "~/x", "/etc\nx"] {
        let sandbox = Sandbox::new();
        sandbox.record("x", Path::new(path));
        let before = sandbox.fingerprint();
        let code = sandbox.lane(["drop", "--force", "x"]).code;
        if path != "/etc\nx" {
            assert_eq!(code, 1, "{path}");
            assert_eq!(sandbox.fingerprint(), before);
        }
    }
    // git moved it: git's word counts.
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    let moved = sandbox.root().join("elsewhere");
    sandbox.git([
        "worktree",
        "move",
        lane.to_str().unwrap(),
        moved.to_str().unwrap(),
    ]);
    sandbox.lane(["drop", "x"]).ok();
    assert!(!moved.exists());
    sandbox.lane(["restore", "x"]).ok();
    assert!(moved.join("README").exists());
}
