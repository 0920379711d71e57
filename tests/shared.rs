//! `core.sharedRepository`: what git-lane makes has the modes of what git makes, and a second user
//! of the group can work.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox};

/// `args` with a umask of their own.
fn masked(sandbox: &Sandbox, umask: &str, directory: &Path, args: &[&str]) -> Run {
    let mut command = sandbox.command("sh");
    command
        .args(["-c", "umask \"$0\"; exec \"$@\"", umask])
        .args(args);
    sandbox.run(command.current_dir(directory))
}

/// A repository with packed refs; made by git, with `shared` as it wants to be asked for that.
fn shop(shared: &str, umask: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let git =
        |args: &[&str]| masked(&sandbox, umask, &sandbox.repo, &[&["git"], args].concat()).ok();
    git(&[
        "init",
        "-q",
        "-b",
        "main",
        &format!("--shared={shared}"),
        ".",
    ]);
    for name in ["README", "tidy"] {
        sandbox.write(name, name);
        git(&["add", name]);
        git(&["commit", "-q", "-m", name]);
    }
    git(&["branch", "packed"]);
    git(&["pack-refs", "--all"]);
    sandbox
}

fn mode(path: &Path) -> u32 {
    let metadata = std::fs::symlink_metadata(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

/// Every file and directory below, symbolic links left out.
fn below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if !kind.is_symlink() {
            found.push(entry.path());
        }
        if kind.is_dir() {
            below(&entry.path(), found);
        }
    }
}

/// Objects by their kind of place, since their names differ.
fn objects(repo: &Path) -> BTreeMap<(usize, u32), usize> {
    let mut found = Vec::new();
    below(&repo.join(".git/objects"), &mut found);
    let depth = |path: &Path| path.components().count();
    found
        .iter()
        .map(|path| ((depth(path) - depth(repo), mode(path)), 1))
        .collect()
}

/// The same work by git alone, and by git-lane.
fn both(shared: &str, umask: &str) -> (Sandbox, Sandbox) {
    let (git, lane) = (shop(shared, umask), shop(shared, umask));
    let by_git = |directory: &Path, args: &[&str]| masked(&git, umask, directory, args).ok();
    let by_lane = |directory: &Path, args: &[&str]| masked(&lane, umask, directory, args).ok();
    by_lane(
        &lane.repo,
        &[
            "git-lane",
            "start",
            "--path",
            "../shop.lanes/deep/x",
            "deep/x",
        ],
    );
    by_git(
        &git.repo,
        &[
            "git",
            "worktree",
            "add",
            "-q",
            "-b",
            "deep/x",
            "../shop.lanes/deep/x",
        ],
    );
    for (sandbox, run) in [
        (&git, &by_git as &dyn Fn(&Path, &[&str]) -> String),
        (&lane, &by_lane),
    ] {
        let worktree = sandbox.root().join("shop.lanes/deep/x");
        run(
            &worktree,
            &[
                "sh",
                "-c",
                "echo new >new; git add new; git commit -q -m new",
            ],
        );
    }
    by_git(
        &git.repo,
        &["git", "merge", "-q", "--no-ff", "-m", "land", "deep/x"],
    );
    by_lane(
        &lane.repo,
        &[
            "git-lane",
            "finish",
            "deep/x",
            "--keep",
            "--strategy",
            "merge",
        ],
    );
    // A lane with something that only a keeper commit keeps, gone and back; one that stays in the
    // trash.
    for name in ["back", "gone"] {
        by_lane(&lane.repo, &["git-lane", "start", name]);
        by_lane(
            &lane.lane_path(name),
            &["sh", "-c", "echo staged >staged; git add staged"],
        );
        by_lane(&lane.repo, &["git-lane", "drop", "--force", name]);
    }
    by_lane(&lane.repo, &["git-lane", "restore", "back"]);
    by_lane(
        &lane.repo,
        &["git-lane", "start", "--branch", "packed", "packed"],
    );
    by_lane(&lane.repo, &["git-lane", "drop", "--force", "packed"]);
    by_git(&git.repo, &["git", "branch", "-q", "-D", "packed"]);
    // Rewritten by replaying.
    by_lane(&lane.repo, &["git-lane", "start", "replayed"]);
    for (directory, text) in [
        (lane.lane_path("replayed"), "lane"),
        (lane.repo.clone(), "main"),
    ] {
        by_lane(
            &directory,
            &[
                "sh",
                "-c",
                &format!("echo {text} >{text}; git add {text}; git commit -q -m {text}"),
            ],
        );
    }
    by_lane(
        &lane.repo,
        &["git-lane", "finish", "replayed", "--strategy", "rebase"],
    );
    (git, lane)
}

#[test]
fn what_git_lane_makes_has_the_modes_of_what_git_makes() {
    for (shared, umask) in [
        ("umask", "022"),
        ("umask", "077"),
        ("group", "022"),
        ("group", "077"),
        ("all", "027"),
        ("0660", "022"),
    ] {
        let (git, lane) = both(shared, umask);
        let context = format!("--shared={shared}, umask {umask}");
        for name in [
            ".git/HEAD",
            ".git/config",
            ".git/index",
            ".git/ORIG_HEAD",
            ".git/packed-refs",
            ".git/refs/heads/main",
            ".git/refs/heads/deep",
            ".git/refs/heads/deep/x",
            ".git/logs/HEAD",
            ".git/logs/refs/heads/main",
            ".git/logs/refs/heads/deep",
            ".git/logs/refs/heads/deep/x",
            ".git/worktrees",
            ".git/worktrees/x/HEAD",
            ".git/worktrees/x/index",
            ".git/worktrees/x/logs",
            ".git/worktrees/x/logs/HEAD",
            "../shop.lanes",
            "../shop.lanes/deep",
            "../shop.lanes/deep/x",
            "../shop.lanes/deep/x/.git",
            "../shop.lanes/deep/x/README",
        ] {
            let modes = (mode(&git.repo.join(name)), mode(&lane.repo.join(name)));
            assert_eq!(
                modes.0, modes.1,
                "{name}: {:o} by git, {:o} by git-lane, {context}",
                modes.0, modes.1
            );
        }
        assert_eq!(objects(&git.repo), objects(&lane.repo), "{context}");

        // What git has not, and what git itself forgets (an admin directory and two files in it),
        // is like the rest.
        let (file, directory) = (
            mode(&git.repo.join(".git/logs/HEAD")),
            mode(&git.repo.join(".git/logs")),
        );
        let mut ours = Vec::new();
        for part in ["lane", "worktrees", "refs", "logs"] {
            below(&lane.repo.join(".git").join(part), &mut ours);
        }
        let of_git_or_a_worktree = |path: &Path| {
            let parts = path.iter().any(|part| part == "trash")
                && path.iter().any(|part| part == "worktree");
            parts || path.ends_with("dot-git") || path.ends_with("COMMIT_EDITMSG")
        };
        for path in ours.iter().filter(|path| !of_git_or_a_worktree(path)) {
            let expected = if path.is_dir() { directory } else { file };
            assert_eq!(
                mode(path),
                expected,
                "{}: {:o}, {context}",
                path.display(),
                mode(path)
            );
        }
    }
}

#[test]
fn hooks_are_for_everybody_who_shares_the_repository() {
    let sandbox = shop("group", "022");
    masked(
        &sandbox,
        "022",
        &sandbox.repo,
        &["git-lane", "init", "--files"],
    )
    .ok();
    let mut hooks = Vec::new();
    below(&sandbox.repo.join(".git/hooks"), &mut hooks);
    let ours: Vec<&PathBuf> = hooks
        .iter()
        .filter(|path| path.extension().is_none())
        .collect();
    assert!(!ours.is_empty());
    for hook in ours {
        assert_eq!(mode(hook), 0o775, "{}", hook.display());
    }
}

/// A user who shares a group with another.
fn as_user<'a>(
    sandbox: &'a Sandbox,
    number: u32,
    directory: &'a Path,
) -> impl Fn(&[&str]) -> Run + 'a {
    let home = sandbox.root().join(format!("home{number}"));
    if !home.exists() {
        std::fs::create_dir(&home).unwrap();
        std::fs::write(home.join(".gitconfig"), "[safe]\n\tdirectory = *\n").unwrap();
        std::os::unix::fs::chown(&home, Some(number), Some(GROUP)).unwrap();
    }
    move |args| {
        let mut command = sandbox.as_user(number, GROUP, "", "sh");
        command
            .args(["-c", "umask 022; exec \"$@\"", "sh"])
            .args(args);
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"));
        sandbox.run(command.current_dir(directory))
    }
}

const GROUP: u32 = 54_321;

/// A lane on another filesystem waits beside its place: for its user alone, or for all who share
/// the repository.
#[test]
fn a_parking_place_is_for_whoever_the_repository_is_for() {
    for (shared, umask, directory, file) in [
        ("umask", "022", [0o700, 0o755], 0o644),
        ("umask", "077", [0o700, 0o700], 0o600),
        ("group", "022", [0o2770, 0o2775], 0o664),
        ("group", "077", [0o2770, 0o2770], 0o660),
        ("0660", "022", [0o2770, 0o2770], 0o660),
    ] {
        let sandbox = shop(shared, umask);
        let Some((_elsewhere, path)) = sandbox.far() else {
            return;
        };
        let lane = |args: &[&str]| {
            masked(
                &sandbox,
                umask,
                &sandbox.repo,
                &[&["git-lane"], args].concat(),
            )
            .ok()
        };
        lane(&["start", "far", "--path", path.to_str().unwrap()]);
        lane(&["drop", "far"]);
        let place = path.with_file_name(".lane-trash");
        let own = std::fs::read_dir(&place)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.is_dir());
        let own = own.unwrap();
        let modes = [mode(&place), mode(&own)];
        let [outer, inner] = modes;
        assert_eq!(
            modes, directory,
            "{shared}, umask {umask}: {outer:o} {inner:o}"
        );
        for name in [place.join(".gitignore"), own.join("repository")] {
            assert_eq!(
                mode(&name),
                file,
                "{}, {shared}, umask {umask}: {:o}",
                name.display(),
                mode(&name)
            );
        }
        lane(&["restore", "far"]);
        assert!(path.join("README").exists() && !place.exists());
    }
}

#[test]
fn a_second_user_of_the_group_can_do_everything() {
    let sandbox = Sandbox::empty();
    let far = sandbox.far();
    if !sandbox.lets_others_in(0o777) {
        return;
    }
    std::os::unix::fs::chown(sandbox.root(), None, Some(GROUP)).unwrap();
    std::os::unix::fs::chown(&sandbox.repo, Some(54_321), Some(GROUP)).unwrap();
    let (one, two) = (
        as_user(&sandbox, 54_321, &sandbox.repo),
        as_user(&sandbox, 54_322, &sandbox.repo),
    );
    let work = |user: &dyn Fn(&[&str]) -> Run, lane: &str| {
        let place = sandbox.lane_path(lane);
        let script = format!(
            "cd '{}' && echo x >{lane} && git add . && git commit -q -m {lane}",
            place.display()
        );
        user(&["sh", "-c", &script]).ok();
    };
    one(&["git", "init", "-q", "-b", "main", "--shared=group", "."]).ok();
    one(&[
        "sh",
        "-c",
        "echo shop >README; git add .; git commit -q -m first; git switch -q -c home",
    ])
    .ok();
    for lane in ["a", "b", "c", "d"] {
        one(&["git-lane", "start", "--base", "main", lane]).ok();
        work(&one, lane);
    }
    one(&["git-lane", "init"]).ok();
    one(&["git-lane", "finish", "a"]).ok();
    one(&["git-lane", "drop", "--force", "b"]).ok();

    two(&["git-lane", "restore", "b"]).ok();
    two(&["git-lane", "finish", "c"]).ok();
    two(&["git-lane", "start", "--base", "main", "e"]).ok();
    work(&two, "e");
    two(&["git-lane", "finish", "--strategy", "rebase", "e"]).ok();
    two(&["git-lane", "drop", "--force", "d"]).ok();
    two(&["git-lane", "log"]).ok();
    two(&["git-lane", "doctor"]).ok();
    two(&["git-lane", "start", "--base", "main", "f"]).ok();
    work(&two, "f");

    one(&["git-lane", "finish", "f"]).ok();
    one(&["git-lane", "restore", "d"]).ok();

    if let Some((elsewhere, path)) = &far {
        std::os::unix::fs::chown(elsewhere.path(), Some(54_321), Some(GROUP)).unwrap();
        std::fs::set_permissions(elsewhere.path(), std::fs::Permissions::from_mode(0o2770))
            .unwrap();
        one(&[
            "git-lane",
            "start",
            "--base",
            "main",
            "far",
            "--path",
            path.to_str().unwrap(),
        ])
        .ok();
        one(&["git-lane", "drop", "far"]).ok();
        two(&["git-lane", "restore", "far"]).ok();
        two(&["git-lane", "drop", "far"]).ok();
        one(&["git-lane", "restore", "far"]).ok();
        // One who is not in the group may have made the place.
        let place = path.with_file_name(".lane-trash");
        std::fs::create_dir(&place).unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o777)).unwrap();
        std::os::unix::fs::chown(&place, Some(54_323), Some(54_323)).unwrap();
        assert!(
            two(&["git-lane", "drop", "far"])
                .fails(1)
                .contains("not a directory of yours")
        );
        std::fs::remove_dir(&place).unwrap();
        one(&["git-lane", "drop", "far"]).ok();
    }
    for args in [
        &["git", "config", "some.key", "value"][..],
        &["git", "branch", "another", "main"],
        &["git", "pack-refs", "--all"],
        &["git", "gc", "-q"],
        &["git", "fsck"],
    ] {
        one(args).ok();
        two(if args[1] == "branch" {
            &["git", "branch", "other", "main"]
        } else {
            args
        })
        .ok();
    }
}
