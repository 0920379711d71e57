//! The packs that a command keeps from a gc: what the doctor says of those that a dead one has
//! left.

use std::path::PathBuf;

use crate::support::{Sandbox, write};

/// The `.keep` files in the repository.
fn keeps(sandbox: &Sandbox) -> Vec<PathBuf> {
    let packs = std::fs::read_dir(sandbox.repo.join(".git/objects/pack"))
        .into_iter()
        .flatten()
        .flatten();
    packs
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "keep"))
        .collect()
}

/// A lane that is ahead of a base that has moved on, and a landing of it that was killed once it
/// had kept what it made.
fn killed_with_a_kept_pack() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new", "new");
    sandbox.write("other", "other");
    sandbox.commit("other");
    sandbox.died("pack.kept", ["finish", "login", "--strategy", "merge"]);
    assert_eq!(keeps(&sandbox).len(), 1);
    sandbox
}

#[test]
fn a_pack_that_a_dead_landing_keeps_is_named() {
    // The next command knows of it.
    let sandbox = killed_with_a_kept_pack();
    assert_eq!(sandbox.findings(), ["kept-pack"]);
    sandbox.lane(["doctor", "--fix"]).ok();
    assert!(keeps(&sandbox).is_empty() && sandbox.findings().is_empty());

    // What says whose it was is gone, and nothing else has what it keeps.
    let sandbox = killed_with_a_kept_pack();
    std::fs::remove_dir_all(sandbox.repo.join(".git/lane/scratch")).unwrap();
    sandbox.lane(["trash", "--expire"]).ok();
    assert_eq!(sandbox.findings(), ["kept-pack"]);
    let said = sandbox.lane(["doctor", "--fix"]);
    let commit = said
        .stdout
        .split("git show ")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(sandbox.git(["cat-file", "-t", &commit]), "commit", "{said}");
    drop(said.fails(1));
    assert_eq!(keeps(&sandbox).len(), 1);
    // A branch has it now.
    sandbox.git(["branch", "rescued", &commit]);
    assert!(sandbox.lane(["doctor", "--fix"]).ok().contains("fixed: "));
    assert!(keeps(&sandbox).is_empty() && sandbox.findings().is_empty());
}

#[test]
fn a_pack_that_is_kept_by_a_living_landing_or_by_somebody_else_is_no_finding() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "new", "new");
    sandbox.write("other", "other");
    sandbox.commit("other");
    sandbox.git(["repack", "-q", "-a", "-d"]);
    let packs = sandbox.repo.join(".git/objects/pack");
    let pack = std::fs::read_dir(&packs)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let pack = pack
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "pack"))
        .unwrap();
    write(&pack.with_extension("keep"), "mine\n");
    let root = sandbox.root().display().to_string();
    sandbox.hook(
        "pre-merge-commit",
        format!(
            "ls {}/*.keep >{root}/kept; git lane doctor >{root}/said",
            packs.display()
        ),
    );
    sandbox
        .lane(["finish", "login", "--strategy", "merge"])
        .ok();
    assert_eq!(
        std::fs::read_to_string(sandbox.root().join("kept"))
            .unwrap()
            .lines()
            .count(),
        2
    );
    let said = std::fs::read_to_string(sandbox.root().join("said")).unwrap();
    assert!(said.contains("everything is as it should be"), "{said}");
    assert_eq!(keeps(&sandbox), [pack.with_extension("keep")]);
    assert!(sandbox.findings().is_empty());
}

/// Where not all of a lane can be packed, what was made to keep the rest of it is there all the
/// same.
#[test]
fn the_keeper_of_a_lane_with_a_damaged_object_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "file", "committed");
    let lane = sandbox.lane_path("login");
    for name in ["whole", "damaged"] {
        write(
            &lane.join(name),
            format!("{name}, and in the index alone\n"),
        );
    }
    sandbox.git_in(&lane, ["add", "-A"]);
    let blob = sandbox.git_in(&lane, ["rev-parse", ":damaged"]);
    let (start, rest) = blob.split_at(2);
    let object = sandbox.repo.join(".git/objects").join(start).join(rest);
    std::fs::set_permissions(&object, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&object, "damaged").unwrap();
    sandbox.lane(["drop", "--force", "--yes", "login"]).ok();
    let kept = ["for-each-ref", "--format=%(objectname)", "refs/lane/trash"];
    let keeper = sandbox.git(kept);
    let tree = sandbox.git(["ls-tree", &format!("{keeper}^{{tree}}")]);
    assert!(tree.contains(&blob), "{tree}");
}
