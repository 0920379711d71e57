//! A disk that takes no more is called that, whatever could not be written for it, and nothing is
//! half done.

use std::path::PathBuf;

use crate::support::{Sandbox, listing, skipped, write};

/// A small file system; unmounted at the end.
struct Small(PathBuf);

impl Small {
    /// `None` where this user cannot mount one.
    fn mount(sandbox: &Sandbox) -> Option<Self> {
        let place = sandbox.root().join("small");
        std::fs::create_dir(&place).unwrap();
        let mut mount = sandbox.command("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=256k", "small"])
            .arg(&place);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            skipped("no file system can be mounted");
            return None;
        }
        Some(Small(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .status(),
        );
    }
}

/// More than fits.
fn big() -> Vec<u8> {
    (0..400_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

#[test]
fn a_landing_on_a_full_disk_says_so() {
    for (strategy, edit) in [
        ("merge", false),
        ("squash", true),
        ("rebase", true),
        ("ff", false),
    ] {
        let sandbox = Sandbox::new();
        let Some(small) = Small::mount(&sandbox) else {
            return;
        };
        let base = small.0.join("dev");
        sandbox.add_worktree("dev", &base);
        let lane = sandbox.lane_by_git("login");
        write(&lane.join("big"), big());
        sandbox.work("login", "src/app.txt", "lane\n");
        if edit {
            write(&base.join("README"), "edited\n");
        }
        let (before, tip) = (listing(&base), sandbox.git(["rev-parse", "dev"]));
        let run = sandbox.lane([
            "--json",
            "finish",
            "login",
            "--into",
            "dev",
            "--strategy",
            strategy,
        ]);
        assert!(
            run.stdout.contains("\"disk-full\"") && run.stdout.contains("small/dev"),
            "{strategy}: {run}"
        );
        run.fails(4);
        assert_eq!(sandbox.git(["rev-parse", "dev"]), tip, "{strategy}");
        let names = |listing: &str| {
            listing
                .lines()
                .map(|line| line.split(' ').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&listing(&base)), names(&before), "{strategy}");
        assert_eq!(
            std::fs::read(base.join("src/app.txt")).unwrap(),
            b"one\ntwo\nthree\n",
            "{strategy}"
        );
        sandbox.lane(["list"]).ok();
        sandbox.nothing_under_way();
    }
}

/// What is laid out is larger than the disk of the lane.
#[test]
fn a_conflict_that_does_not_fit_in_its_lane_leaves_it_as_it_was() {
    let sandbox = Sandbox::new();
    let Some(small) = Small::mount(&sandbox) else {
        return;
    };
    let place = small.0.join("login");
    sandbox.add_worktree("login", &place);
    sandbox.record("login", &place);
    write(&place.join("src/app.txt"), "lane\n");
    sandbox.git_in(&place, ["commit", "-q", "-a", "-m", "lane"]);
    sandbox.write("big", big());
    sandbox.write("src/app.txt", "base\n");
    sandbox.commit("base");
    let (tip, main) = (
        sandbox.git(["rev-parse", "login"]),
        sandbox.git(["rev-parse", "main"]),
    );
    let run = sandbox.lane(["finish", "login", "--on-conflict", "touch ran", "--json"]);
    assert!(
        run.code == 4 && run.stdout.contains("\"disk-full\""),
        "{run}"
    );
    assert!(run.stderr.contains("the lane is as before"), "{run}");
    assert_eq!(sandbox.git_in(&place, ["status", "--porcelain"]), "");
    assert_eq!(sandbox.git_in(&place, ["rev-parse", "HEAD"]), tip);
    assert_eq!(std::fs::read(place.join("src/app.txt")).unwrap(), b"lane\n");
    assert_eq!(sandbox.git(["rev-parse", "main"]), main);
    sandbox.nothing_under_way();
}

#[test]
fn a_sync_on_a_full_disk_says_so_and_leaves_the_lane_as_it_was() {
    for (strategy, edit) in [("merge", false), ("merge", true), ("rebase", true)] {
        let sandbox = Sandbox::new();
        let Some(small) = Small::mount(&sandbox) else {
            return;
        };
        let lane = small.0.join("login");
        sandbox.add_worktree("login", &lane);
        sandbox.record("login", &lane);
        write(&lane.join("own.txt"), "own\n");
        sandbox.git_in(&lane, ["add", "own.txt"]);
        sandbox.git_in(&lane, ["commit", "-qm", "own"]);
        sandbox.write("big", big());
        sandbox.write("src/app.txt", "base\n");
        sandbox.commit("big");
        if edit {
            write(&lane.join("README"), "edited\n");
        }
        let (before, tip) = (listing(&lane), sandbox.git(["rev-parse", "login"]));
        let run = sandbox.lane(["--json", "sync", "login", "--strategy", strategy]);
        let says = run.stdout.contains("\"disk-full\"") && run.stdout.contains("small/login");
        assert!(says, "{strategy}: {run}");
        run.fails(4);
        assert_eq!(sandbox.git(["rev-parse", "login"]), tip, "{strategy}");
        assert_eq!(listing(&lane).lines().count(), before.lines().count());
        let read = |file: &str| std::fs::read_to_string(lane.join(file)).unwrap();
        assert_eq!(read("src/app.txt"), "one\ntwo\nthree\n", "{strategy}");
        assert_eq!(read("README") == "edited\n", edit);
        sandbox.nothing_under_way();
    }
}

#[test]
fn a_start_on_a_full_disk_says_so_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let Some(small) = Small::mount(&sandbox) else {
        return;
    };
    sandbox.write("big", big());
    sandbox.commit("big");
    let place = small.0.join("login");
    let run = sandbox.lane([
        "--json",
        "start",
        "login",
        "--path",
        place.to_str().unwrap(),
    ]);
    assert!(run.stdout.contains("\"disk-full\""), "{run}");
    run.fails(4);
    assert!(!place.exists());
    sandbox.git_fails(["rev-parse", "-q", "--verify", "login"]);
    sandbox.lane(["list"]).ok();
    sandbox.nothing_under_way();
}
