//! Everything else in `.git/lane`: its directories, its locks, what is being made, the policy of
//! the clone.

use std::path::Path;

use super::{ID, link, look, pipe};
use crate::support::{Sandbox, write};

/// All commands that come by git-lane's own files.
const COMMANDS: [&[&str]; 9] = [
    &["list"],
    &["trash"],
    &["doctor"],
    &["log"],
    &["start", "new"],
    &["finish", "x", "--no-land", "--force"],
    &["restore", "x"],
    &["drop", "--yes", "--force", "x"],
    &["prune", "--yes"],
];

#[test]
fn a_directory_that_is_a_link_is_moved_away() {
    for name in [
        "journal", "trash", "locks", "staging", "scratch", "damaged", "claims",
    ] {
        for kind in ["link", "dangling link", "pipe", "file"] {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            write(&victim.join(format!("{ID}.json")), "{}");
            write(&victim.join(format!("{ID}/entry.json")), "{}");
            let _ = sandbox.lane(["start", "x"]).ok();
            let at = sandbox.own(name);
            let _ = std::fs::remove_dir_all(&at);
            match kind {
                "link" => link(&victim, &at),
                "dangling link" => link(&victim.join("new"), &at),
                "pipe" => pipe(&at),
                _ => write(&at, "x"),
            }
            let before = look(&sandbox, &victim);
            for args in COMMANDS {
                let run = sandbox.lane_in_time(args);
                assert!(run.code == 0 || args == ["doctor"], "{name} {kind}: {run}");
                assert_eq!(look(&sandbox, &victim), before, "{name} {kind}: {run}");
                assert!(!victim.join("new").exists(), "{name} {kind}: {run}");
            }
            assert_eq!(sandbox.found(), ["strange-file"], "{name} {kind}");
        }
    }
}

#[test]
fn a_lock_is_opened_without_following_or_waiting() {
    for name in [
        "lock",
        "trash.lock",
        "land.lock",
        "sweep.lock",
        "hooks.lock",
        "fetch.lock",
        "locks/0",
        "locks/ID",
    ] {
        for kind in ["link", "dangling link", "pipe", "directory"] {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            let _ = sandbox.lane(["start", "x"]).ok();
            let at = sandbox.own(&name.replace("ID", ID));
            let _ = std::fs::remove_file(&at);
            match kind {
                "link" => link(&victim.join("doc"), &at),
                "dangling link" => link(&victim.join("new"), &at),
                "pipe" => pipe(&at),
                _ => write(&at.join("x"), "x"),
            }
            // A lock that a living git holds is looked for among the witnesses.
            write(&sandbox.repo.join(".git/index.lock"), "");
            std::fs::remove_file(sandbox.repo.join(".git/index.lock")).unwrap();
            let before = look(&sandbox, &victim);
            for args in COMMANDS
                .iter()
                .copied()
                .chain([&["init"][..], &["init", "--remove"]])
            {
                let run = sandbox.lane_in_time(args);
                assert!(run.code <= 2, "{name} {kind}: {run}");
                assert_eq!(look(&sandbox, &victim), before, "{name} {kind}: {run}");
                assert!(!victim.join("new").exists(), "{name} {kind}: {run}");
            }
        }
    }
}

#[test]
fn what_is_being_made_is_cleared_without_following() {
    for directory in ["scratch", "staging"] {
        for kind in ["link", "pipe", "file link"] {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            let _ = sandbox.lane(["start", "x"]).ok();
            let at = sandbox.own(directory).join(ID);
            match kind {
                "link" => link(&victim, &at),
                "pipe" => pipe(&at),
                _ => link(&victim.join("doc"), &at),
            }
            let before = look(&sandbox, &victim);
            for args in COMMANDS {
                let run = sandbox.lane_in_time(args);
                assert_eq!(look(&sandbox, &victim), before, "{directory} {kind}: {run}");
            }
        }
    }
}

/// Puts something in the place of a file or directory; `false` where this user cannot.
type Plant = fn(&Path, &Path) -> bool;

/// What is neither a directory nor a plain file, or only a way to one.
const STRANGE: [(&str, Plant); 6] = [
    ("link", |at, victim| {
        link(victim, at);
        true
    }),
    ("link to a file", |at, victim| {
        link(&victim.join("doc"), at);
        true
    }),
    ("dangling link", |at, victim| {
        link(&victim.join("new"), at);
        true
    }),
    ("pipe", |at, _| {
        pipe(at);
        true
    }),
    ("socket", |at, _| {
        std::os::unix::net::UnixListener::bind(at).is_ok()
    }),
    ("device", |at, _| {
        let zero = rustix::fs::makedev(1, 5);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at,
            rustix::fs::FileType::CharacterDevice,
            0o600.into(),
            zero,
        )
        .is_ok()
    }),
];

/// `.git/lane` itself may lead anywhere, or be no directory at all.
#[test]
fn nothing_is_kept_in_what_is_no_directory() {
    let file: (&str, Plant) = ("file", |at, _| {
        write(at, "x");
        true
    });
    for (kind, plant) in STRANGE.into_iter().chain([file]) {
        let sandbox = Sandbox::new();
        let victim = sandbox.precious();
        let _ = sandbox.lane(["init"]).ok();
        let _ = sandbox.lane(["start", "x"]).ok();
        std::fs::remove_dir_all(sandbox.own("")).unwrap();
        if !plant(&sandbox.repo.join(".git/lane"), &victim) {
            continue;
        }
        let before = look(&sandbox, &victim);
        let what = if kind.contains("link") {
            "symbolic link"
        } else {
            "no directory"
        };
        for args in COMMANDS
            .iter()
            .copied()
            .chain([&["init"][..], &["doctor", "--fix"]])
        {
            let said = sandbox.lane_in_time(args).fails(4);
            assert!(
                said.contains(what) && said.contains("then: rm "),
                "{kind}: {said}"
            );
            assert_eq!(look(&sandbox, &victim), before, "{kind} {args:?}");
        }
        for args in [
            &["status"][..],
            &["commit", "-q", "--allow-empty", "-m", "x"],
            &["switch", "-q", "--detach"],
        ] {
            let mut git = sandbox.command("timeout");
            let run = sandbox.run(git.arg("10").arg(sandbox.root().join("bin/git")).args(args));
            assert_ne!(run.code, 124, "{kind} {args:?}: it hangs");
        }
        assert!(!victim.join("new").exists(), "{kind}");
    }
}

/// The user's own file may be a link, as those who keep dotfiles have it; no other may lead out of
/// its repository.
#[test]
fn a_policy_is_a_plain_file_wherever_it_is() {
    let directory: (&str, Plant) = ("directory", |at, _| std::fs::create_dir(at).is_ok());
    let loops: (&str, Plant) = ("loop", |at, _| {
        std::os::unix::fs::symlink("lane.toml", at).is_ok()
    });
    for place in [
        "shop/lane.toml",
        "home/.config/git-lane/lane.toml",
        "shop/.git/lane/lane.toml",
    ] {
        for (kind, plant) in STRANGE.into_iter().chain([directory, loops]) {
            let sandbox = Sandbox::new();
            let victim = sandbox.precious();
            let _ = sandbox.lane(["start", "x"]).ok();
            let at = sandbox.root().join(place);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            // A file of the user's that is not there says nothing.
            let is_absent = place.starts_with("home") && kind == "dangling link";
            if is_absent || !plant(&at, &victim) {
                continue;
            }
            let before = look(&sandbox, &victim);
            assert_eq!(sandbox.found(), ["policy"], "{place} {kind}");
            for args in COMMANDS.iter().copied().chain([
                &["config"][..],
                &["show", "x"],
                &["doctor", "--fix"],
            ]) {
                let run = sandbox.lane_in_time(args);
                assert!(
                    run.code <= 1 || run.stderr.contains(at.to_str().unwrap()),
                    "{place} {kind}: {run}"
                );
                assert_eq!(look(&sandbox, &victim), before, "{place} {kind}: {run}");
            }
            let said = sandbox.lane_in_time(&["start", "new"]).fails(4);
            assert!(said.contains("lane.toml'"), "{place} {kind}: {said}");
        }
    }
}

#[test]
fn the_policy_of_the_clone_is_a_plain_file_and_names_a_directory_of_its_own() {
    let sandbox = Sandbox::new();
    let victim = sandbox.precious();
    link(&victim.join("doc"), &sandbox.own("lane.toml"));
    let said = sandbox.lane_in_time(&["start", "x"]).fails(4);
    assert!(said.contains("symbolic link"), "{said}");
    std::fs::remove_file(sandbox.own("lane.toml")).unwrap();
    pipe(&sandbox.own("lane.toml"));
    let _ = sandbox.lane_in_time(&["start", "x"]).fails(4);
    std::fs::remove_file(sandbox.own("lane.toml")).unwrap();
    for path in ["../home/.config/git", "../home/.ssh", "../{name}/git"] {
        write(
            &sandbox.own("lane.toml"),
            format!("start.path = \"{path}\"\n"),
        );
        let said = sandbox.lane_in_time(&["start", "x"]).fails(4);
        assert!(said.contains("{name}"), "{said}");
    }
    // What is there is never written over.
    for path in ["../precious/{name}", "../{name}"] {
        write(
            &sandbox.own("lane.toml"),
            format!("start.path = \"{path}\"\n"),
        );
        write(&sandbox.root().join("login/doc"), "gold\n");
        write(&victim.join("login/doc"), "gold\n");
        let before = look(&sandbox, &victim);
        let _ = sandbox.lane_in_time(&["start", "login"]).fails(1);
        assert_eq!(look(&sandbox, &victim), before);
    }
}

/// Once the user has looked after what was set aside, nothing of it stays.
#[test]
fn an_empty_directory_of_damaged_things_goes() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.own("damaged")).unwrap();
    let _ = sandbox.lane_in_time(&["start", "x"]).ok();
    assert!(!sandbox.own("damaged").exists());
}
