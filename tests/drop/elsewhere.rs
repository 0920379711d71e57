//! Lanes on other file systems, and what is parked beside them.

use super::*;
use crate::support::{entry_of, outdate};

#[test]
fn a_lane_on_another_filesystem_is_parked_beside_its_place() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = sandbox.far() else {
        return;
    };
    sandbox.add_worktree("login", &path);
    sandbox.record("login", &path);
    write(&path.join("new"), "x");
    sandbox.git_in(&path, ["status"]);
    let admin = sandbox.admin(&path);
    let before = sandbox.whole_lane("login", &path, &admin);
    // A user who may write beside the lane could have put it there.
    let place = path.with_file_name(".lane-trash");
    std::os::unix::fs::symlink("/", &place).unwrap();
    assert!(
        sandbox
            .lane(["drop", "--yes", "login"])
            .fails(1)
            .contains("not a directory of yours")
    );
    assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
    std::fs::remove_file(&place).unwrap();
    for step in 1.. {
        let done = sandbox.dying(step, ["drop", "--yes", "login"]).code == 0;
        if !done {
            sandbox.lane(["drop", "--yes", "login"]).ok();
        }
        assert!(!path.exists());
        assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        sandbox.nothing_left_behind(1);
        sandbox.lane(["restore", "login"]).ok();
        assert_eq!(sandbox.whole_lane("login", &path, &admin), before);
        assert!(!path.with_file_name(".lane-trash").exists());
        if done {
            break;
        }
    }
    assert!(!listing(&path).is_empty());
}

#[test]
fn a_lane_moved_far_away_stays_where_that_is_known_and_else_comes_back_whole() {
    let sandbox = Sandbox::new();
    let path = sandbox.lane_by_git("login");
    write(&path.join("staged"), "x");
    sandbox.git_in(&path, ["add", "staged"]);
    let far = sandbox.root().join("far/away");
    std::fs::create_dir_all(far.parent().unwrap()).unwrap();
    std::fs::rename(&path, &far).unwrap();
    // A shell that stands in it shows where it is.
    let said = sandbox.lane_in(&far, ["drop", "--force", "login"]).fails(1);
    assert!(
        said.contains(&format!("git worktree repair {}", far.display())),
        "{said}"
    );
    #[cfg(target_os = "linux")]
    {
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(&far)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let said = sandbox.lane(["drop", "--force", "login"]);
        child.kill().and_then(|()| child.wait()).unwrap();
        assert!(said.fails(1).contains("its directory was moved to"));
    }
    let text = sandbox.lane(["drop", "--force", "login"]).ok();
    assert!(
        text.contains(&format!("its directory was gone from '{}'", path.display())),
        "{text}"
    );
    let text = sandbox.lane(["restore", "login"]).ok();
    assert!(text.contains("git worktree repair DIRECTORY"), "{text}");
    sandbox.git(["worktree", "repair", far.to_str().unwrap()]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert_eq!(
        sandbox.git_in(&far, ["status", "--porcelain", "--branch"]),
        "## login\nA  staged"
    );
    assert_eq!(
        sandbox.lane(["path", "login"]).ok().trim_end(),
        far.to_str().unwrap()
    );
}

/// `git worktree lock` without a reason leaves an empty file, which is the user's alone.
#[test]
fn healing_leaves_a_lock_that_somebody_has_put_on_the_worktree_meanwhile() {
    for step in 1.. {
        let sandbox = Sandbox::new();
        let path = sandbox.lane_by_git("login");
        let run = sandbox.dying(step, ["drop", "login"]);
        if run.stderr.contains("places.marked") {
            assert!(step > 2, "{run}");
            return;
        }
        sandbox.git(["worktree", "lock", path.to_str().unwrap()]);
        let lock = sandbox.admin(&path).join("locked");
        assert_eq!(std::fs::read(&lock).unwrap(), b"");
        sandbox.lane(["start", "other"]).ok();
        assert!(lock.exists(), "step {step}");
        sandbox.nothing_under_way();
        sandbox.lane(["drop", "login"]).fails(1);
    }
}

/// A dropped lane whose place is on another filesystem, so that it waits there.
fn parked(sandbox: &Sandbox) -> Option<(tempfile::TempDir, PathBuf)> {
    let (elsewhere, path) = sandbox.far()?;
    sandbox
        .lane(["start", "far", "--path", path.to_str().unwrap()])
        .ok();
    write(&path.join("notes"), "precious");
    sandbox.lane(["drop", "--yes", "far"]).ok();
    Some((elsewhere, path))
}

/// The entry is copied with the repository; the files that wait on another filesystem are not.
#[test]
fn a_copy_of_the_repository_neither_takes_nor_removes_what_the_original_has_parked() {
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = parked(&sandbox) else {
        return;
    };
    let copy = sandbox.root().join("copy");
    let mut copies = Command::new("cp");
    sandbox
        .run(copies.arg("-a").args([&sandbox.repo, &copy]))
        .ok();

    let refused = sandbox.lane_in(&copy, ["restore", "far"]).fails(1);
    let owner = format!(
        "for the repository '{}'",
        sandbox.repo.join(".git").display()
    );
    assert!(
        refused.contains("its directory waits in") && refused.contains(&owner),
        "{refused}"
    );
    let entry = entry_of(&copy);
    outdate(&entry);
    assert!(
        sandbox
            .lane_in(&copy, ["trash", "--expire"])
            .ok()
            .contains("removed lane 'far'")
    );
    assert!(!entry.exists());

    // A repository that has moved is still the same.
    let moved = sandbox.root().join("moved");
    std::fs::rename(&sandbox.repo, &moved).unwrap();
    sandbox.lane_in(&moved, ["restore", "far"]).ok();
    assert_eq!(
        std::fs::read_to_string(path.join("notes")).unwrap(),
        "precious"
    );
    sandbox.git_in(&path, ["status"]);
    assert!(!path.with_file_name(".lane-trash").exists());
    sandbox.lane_in(&moved, ["drop", "--yes", "far"]).ok();
    outdate(&entry_of(&moved));
    sandbox.lane_in(&moved, ["trash", "--expire"]).ok();
    assert!(
        !path.with_file_name(".lane-trash").exists(),
        "nothing of it stays beside its place"
    );
}

/// Brought back from a backup, or moved to another disk: the repository is the same to its owner,
/// and another to the place where the lane waits.
#[test]
fn a_lane_parked_for_a_repository_that_has_become_another_comes_back_when_its_owner_says_so() {
    let sandbox = Sandbox::new();
    let Some((_elsewhere, path)) = parked(&sandbox) else {
        return;
    };
    let backup = sandbox.root().join("backup");
    let mut copies = Command::new("cp");
    sandbox
        .run(copies.arg("-a").args([&sandbox.repo, &backup]))
        .ok();
    std::fs::remove_dir_all(&sandbox.repo).unwrap();
    std::fs::rename(&backup, &sandbox.repo).unwrap();

    let refused = sandbox.lane(["restore", "far"]).fails(1);
    let claim = refused
        .split("say so and try again: ")
        .nth(1)
        .unwrap_or_else(|| panic!("{refused}"));
    sandbox.sh(claim).ok();
    sandbox.lane(["restore", "far"]).ok();
    assert_eq!(
        std::fs::read_to_string(path.join("notes")).unwrap(),
        "precious"
    );
    sandbox.git_in(&path, ["status"]);
    assert!(
        !path.with_file_name(".lane-trash").exists(),
        "nothing of it stays beside its place"
    );
}
