//! A lane in the image of a container: overlayfs renames no directory of a lower layer.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Sandbox, die_at, directory_in, long, skipped, write};

/// An overlay over everything in a sandbox, for as long as it lives.
struct Overlay<'a>(&'a Path, TempDir);

impl<'a> Overlay<'a> {
    /// `None` where the kernel or the user cannot.
    fn over(root: &'a Path) -> Option<Self> {
        Self::with_room(root, "100%")
    }

    /// The same with so much room for what changes.
    fn with_room(root: &'a Path, room: &str) -> Option<Self> {
        let layers = directory_in(&std::env::temp_dir()).unwrap();
        let mount = |args: &[&str], at: &Path| {
            let mounted = Command::new("mount").args(args).arg(at).output();
            mounted.is_ok_and(|output| output.status.success())
        };
        let size = format!("size={room}");
        if !mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], layers.path()) {
            skipped("nothing can be mounted here");
            return None;
        }
        let (upper, work) = (layers.path().join("upper"), layers.path().join("work"));
        for directory in [&upper, &work] {
            std::fs::create_dir(directory).unwrap();
        }
        let root_name = root.display();
        let options = format!(
            "redirect_dir=off,lowerdir={root_name},upperdir={},workdir={}",
            upper.display(),
            work.display()
        );
        let overlay = Overlay(root, layers);
        if !mount(&["-t", "overlay", "overlay", "-o", &options], root) {
            skipped("no overlay can be mounted here");
            return None;
        }
        Some(overlay)
    }
}

impl Drop for Overlay<'_> {
    fn drop(&mut self) {
        for place in [self.0, self.1.path()] {
            drop(
                Command::new("umount")
                    .arg("-l")
                    .arg(place)
                    .stderr(Stdio::null())
                    .status(),
            );
        }
    }
}

/// A lane `x` with work of every kind that a directory can hold.
fn with_lane() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let lane = sandbox.lane_path("x");
    write(&lane.join("README"), "edited\n");
    write(&lane.join("staged"), "staged\n");
    sandbox.git_in(&lane, ["add", "staged"]);
    write(&lane.join("deep/er/file"), "untracked\n");
    std::fs::hard_link(lane.join("deep/er/file"), lane.join("deep/link")).unwrap();
    symlink("nowhere", lane.join("deep/symbolic")).unwrap();
    write(&lane.join("closed/file"), "closed\n");
    std::fs::create_dir(lane.join("empty")).unwrap();
    sandbox
        .run(sandbox.command("mkfifo").arg(lane.join("pipe")))
        .ok();
    sandbox
        .run(
            sandbox
                .command("touch")
                .args(["-d", "2001-02-03", "deep", "deep/er", "empty"])
                .current_dir(&lane),
        )
        .ok();
    std::fs::set_permissions(lane.join("closed"), std::fs::Permissions::from_mode(0o550)).unwrap();
    sandbox
}

/// Everything in the lane's directory: path, mode, owner, time and content.
fn contents(sandbox: &Sandbox) -> Vec<String> {
    fn look(root: &Path, directory: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let content = match () {
                () if metadata.is_file() => format!("{:?}", std::fs::read(&path).unwrap()),
                () if metadata.is_symlink() => format!("{:?}", std::fs::read_link(&path).unwrap()),
                () => String::new(),
            };
            let name = path.strip_prefix(root).unwrap().display();
            let (mode, owner) = (metadata.mode(), (metadata.uid(), metadata.gid()));
            found.push(format!(
                "{name} {mode:o} {owner:?} {} {content}",
                metadata.mtime()
            ));
            if metadata.is_dir() {
                look(root, &path, found);
            }
        }
    }
    let (lane, mut found) = (sandbox.lane_path("x"), Vec::new());
    look(&lane, &lane, &mut found);
    found.sort();
    found
}

#[test]
fn a_lane_in_a_lower_layer_leaves_file_by_file_and_comes_back() {
    let sandbox = with_lane();
    let root = sandbox.root();
    let before = contents(&sandbox);
    let status = sandbox.git_in(&sandbox.lane_path("x"), ["status", "--porcelain"]);
    let Some(_overlay) = Overlay::over(&root) else {
        return;
    };
    sandbox.lane(["drop", "x", "--force"]).ok();
    assert!(!sandbox.lane_path("x").exists() && !sandbox.repo.join(".git/worktrees/x").exists());
    sandbox.nothing_left_behind(1);
    let log = sandbox.lane(["log", "--json"]).ok();
    assert!(
        log.contains("was in a lower layer of an overlay filesystem"),
        "{log}"
    );
    sandbox.lane(["restore", "x"]).ok();
    assert_eq!(contents(&sandbox), before);
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("x"), ["status", "--porcelain"]),
        status
    );
    sandbox.nothing_left_behind(0);
    assert!(!sandbox.root().join("shop.lanes/.lane-trash").exists());
}

#[test]
fn every_verb_takes_it_away_and_an_entry_in_a_lower_layer_comes_back() {
    for args in [&["finish", "x"][..], &["prune", "--yes"]] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "x"]).ok();
        sandbox.work("x", "deep/new", "new");
        if args[0] == "prune" {
            sandbox.git(["merge", "-q", "--no-ff", "-m", "m", "x"]);
        }
        let root = sandbox.root();
        let Some(_overlay) = Overlay::over(&root) else {
            return;
        };
        sandbox.lane(args).ok();
        sandbox.nothing_left_behind(1);
    }
    let sandbox = with_lane();
    let before = contents(&sandbox);
    sandbox.lane(["drop", "x", "--force"]).ok();
    let root = sandbox.root();
    let Some(_overlay) = Overlay::over(&root) else {
        return;
    };
    sandbox.lane(["restore", "x"]).ok();
    assert_eq!(contents(&sandbox), before);
    sandbox.nothing_left_behind(0);
}

/// Everything but the times of directories: a move that stops halfway has changed those.
fn undated(contents: Vec<String>) -> Vec<String> {
    let words = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let undated = contents.into_iter().map(words).map(|mut words| {
        if words[1].starts_with('4') {
            words.remove(4);
        }
        words.join(" ")
    });
    undated.collect()
}

/// Dies at every step, in both directions: plain git works, and the same command again ends well.
/// Every fifth of them unless `GIT_LANE_TEST_LONG` is set.
#[test]
fn whatever_stops_it_nothing_is_lost() {
    let dying = |args: &'static [&'static str], dropped: bool, asked: bool| {
        let sandbox = with_lane();
        let before = undated(contents(&sandbox));
        if dropped {
            sandbox.lane(["drop", "x", "--force"]).ok();
        }
        let root = sandbox.root();
        let (first, stride) = match long() {
            true => (1, 1),
            false => (1 + usize::try_from(std::process::id()).unwrap() % 5, 5),
        };
        for step in (first..).step_by(stride) {
            let Some(_overlay) = Overlay::over(&root) else {
                return;
            };
            let mut command = sandbox.command("git-lane");
            if asked {
                command.env("GIT_LANE_TEST_DIE_ASKED", "1");
            }
            let run = sandbox.run(die_at(command.args(args), step));
            if !run.stderr.contains("died at") {
                assert!(run.code == 0 && step > 20, "{step} {run}");
                return;
            }
            sandbox.plain_git_works();
            if asked {
                sandbox.nothing_under_way();
            }
            let said = sandbox.lane(["trash"]).to_string() + &sandbox.lane(args).to_string();
            if !dropped {
                let _ = sandbox.lane(["restore", "x"]);
            }
            let what = format!("{args:?} {step} {run}{said}");
            assert_eq!(undated(contents(&sandbox)), before, "{what}");
            sandbox.nothing_under_way();
        }
    };
    dying(&["drop", "x", "--force"], false, false);
    dying(&["restore", "x"], true, false);
    dying(&["drop", "x", "--force"], false, true);
}

/// The files are copied up on their way, and there is no room for all of them.
#[test]
fn a_full_upper_layer_leaves_it_as_it_was() {
    let sandbox = with_lane();
    for number in 0..8 {
        write(
            &sandbox.lane_path("x").join(format!("large{number}")),
            vec![b'x'; 400_000],
        );
    }
    let root = sandbox.root();
    let before = undated(contents(&sandbox));
    let Some(_overlay) = Overlay::with_room(&root, "2M") else {
        return;
    };
    let failed = sandbox.lane(["drop", "x", "--force"]).fails(4);
    assert!(
        failed.contains("cannot copy up") && failed.contains("No space left on device"),
        "{failed}"
    );
    assert_eq!(undated(contents(&sandbox)), before);
    sandbox.nothing_left_behind(0);
}

/// Something is mounted in it.
#[test]
fn what_cannot_go_file_by_file_stays_with_the_reason_and_a_remedy() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let root = sandbox.root();
    let Some(_overlay) = Overlay::over(&root) else {
        return;
    };
    let lane = sandbox.lane_path("x");
    let before = contents(&sandbox);
    let mounted = lane.join("src");
    if !Command::new("mount")
        .args(["--bind"])
        .args([&mounted, &mounted])
        .status()
        .unwrap()
        .success()
    {
        return skipped("nothing can be mounted here");
    }
    let refused = sandbox.lane(["drop", "x"]).fails(1);
    assert!(
        refused.contains(&format!(
            "'{}' is in a lower layer of an overlay filesystem",
            lane.display()
        )),
        "{refused}"
    );
    assert!(
        refused.contains("hint: copy it into the upper layer, then try again: cp -a "),
        "{refused}"
    );
    assert_eq!(contents(&sandbox), before);
    assert!(!sandbox.root().join("shop.lanes/.lane-trash").exists());
    sandbox.nothing_left_behind(0);
    assert!(
        Command::new("umount")
            .arg(&mounted)
            .status()
            .unwrap()
            .success()
    );
    sandbox.lane(["drop", "x"]).ok();
}
