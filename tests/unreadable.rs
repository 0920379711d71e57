//! What another user's umask keeps this one from reading is not taken for absent: the lane stays,
//! and the path is named.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{Run, Sandbox};

const USER: u32 = 54_331;

/// A program as the user whom everything belongs to but what is hidden.
fn as_user(sandbox: &Sandbox, directory: &Path, args: &[&str]) -> Run {
    let mut command = sandbox.as_user(USER, USER, "", args[0]);
    sandbox.run(command.args(&args[1..]).current_dir(directory))
}

/// What is done in the lane first, and what then cannot be read: in the admin directory (`@`), in
/// the repository (`.git`), in the lane.
const HIDDEN: &[(&str, &str)] = &[
    (
        "echo y >>README; git fetch -q ../../shop clash; git rebase -q --autostash FETCH_HEAD; \
         true",
        "@/rebase-merge/autostash",
    ),
    (
        "git fetch -q ../../shop clash; git rebase -q FETCH_HEAD; true",
        "@/rebase-merge",
    ),
    (
        "git fetch -q ../../shop clash; git merge -q FETCH_HEAD; true",
        "@/MERGE_HEAD",
    ),
    (
        "echo y >>README; git fetch -q ../../shop clash; git merge -q --autostash FETCH_HEAD; true",
        "@/MERGE_AUTOSTASH",
    ),
    ("git worktree lock --reason mine .", "@/locked"),
    ("true", "@/HEAD"),
    ("true", "@/index"),
    ("true", "@/logs/HEAD"),
    ("true", "@/logs"),
    ("true", "@/commondir"),
    (
        "git update-ref refs/worktree/mine HEAD",
        "@/refs/worktree/mine",
    ),
    ("git update-ref refs/worktree/mine HEAD", "@/refs"),
    ("true", "@/ORIG_HEAD"),
    ("true", ".git/logs/refs/heads/x"),
    ("true", ".git/refs/heads/x"),
    (
        "echo staged >staged; git add staged",
        ".git/objects/$(git rev-parse :staged | sed 's|..|&/|')",
    ),
    ("mkdir mine; echo y >mine/y", "mine"),
    ("true", ".git/lane/lane.toml"),
    ("true", ".."),
];

#[test]
fn what_cannot_be_read_keeps_its_lane() {
    for (script, hidden) in HIDDEN {
        let sandbox = Sandbox::new();
        if !sandbox.lets_others_in(0o777) {
            return;
        }
        sandbox.give_to(USER);
        let user = |directory: &Path, args: &[&str]| as_user(&sandbox, directory, args);
        let lane = sandbox.lane_path("x");
        let shop = |script: &str| user(&sandbox.repo, &["sh", "-ec", script]).ok();
        shop(
            "git branch clash; git lane start x; git switch -q clash; echo clash >a; git add a; \
             git commit -qm clash; git switch -q main",
        );
        user(
            &lane,
            &[
                "sh",
                "-ec",
                "echo lane >a; git add a; git commit -qm lane; git update-ref \
                 ORIG_HEAD HEAD; echo '' >../../shop/.git/lane/lane.toml",
            ],
        )
        .ok();
        shop("git merge -q x");
        user(&lane, &["sh", "-c", script]).ok();

        let admin = sandbox.repo.join(".git/worktrees/x");
        let path = sandbox.sh_in(&lane, &format!("echo {hidden}")).ok();
        let path = match path.trim_end().split_once('/') {
            Some(("@", rest)) => admin.join(rest),
            Some((".git", rest)) => sandbox.repo.join(".git").join(rest),
            _ => lane.join(path.trim_end()),
        };
        let path = std::fs::canonicalize(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mode = std::fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
        std::fs::set_permissions(
            &path,
            std::fs::Permissions::from_mode(if path.is_dir() { 0o700 } else { 0o600 }),
        )
        .unwrap();

        let kept_all_the_same = ["lane.toml", "objects", "mine"]
            .iter()
            .any(|part| hidden.contains(part));
        for args in [
            &["prune", "--all", "--yes", "--older-than", "0s"][..],
            &["finish", "x"],
            &["drop", "x", "--yes"],
            &["drop", "x", "--force"],
        ] {
            // A directory that cannot be looked into moves whole and an object is named without
            // being read: with a yes that is what was asked for.
            if kept_all_the_same && args[0] == "drop" {
                continue;
            }
            let run = user(&sandbox.repo, &[&["git-lane"], args].concat());
            let taken = run.code == 0 && !run.stdout.contains("kept lane 'x'");
            assert!(!taken, "{hidden}: {run}");
            assert!(!run.stderr.contains("panicked"), "{hidden}: {run}");
            let said = run.stdout.contains("worktree is locked")
                || run.stderr.contains("worktree is locked");
            assert!(*hidden != "@/locked" || said, "{hidden}: {run}");
        }
        std::os::unix::fs::chown(&path, Some(USER), Some(USER)).unwrap();
        std::fs::set_permissions(&path, mode).unwrap();
        let fsck = "git fsck && git -C ../shop.lanes/x status && git worktree list";
        user(&sandbox.repo, &["sh", "-ec", fsck]).ok();
        user(
            &sandbox.repo,
            &[
                "sh",
                "-c",
                "git worktree unlock ../shop.lanes/x 2>/dev/null; git lane drop x --yes",
            ],
        )
        .ok();
        user(&sandbox.repo, &["git-lane", "restore", "x"]).ok();
    }
}
