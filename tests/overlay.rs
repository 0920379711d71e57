//! A lane in the image of a container: overlayfs renames no directory of a lower layer.

use std::path::Path;
use std::process::Command;

use crate::sandbox::Sandbox;

/// An overlay over everything in a sandbox, for as long as it lives.
struct Overlay<'a>(&'a Path);

impl<'a> Overlay<'a> {
    /// `None` where the kernel or the user cannot.
    fn over(root: &'a Path, layers: &Path) -> Option<Self> {
        let (upper, work) = (layers.join("upper"), layers.join("work"));
        for directory in [&upper, &work] {
            std::fs::create_dir(directory).unwrap();
        }
        let root_name = root.display();
        let options =
            format!("redirect_dir=off,lowerdir={root_name},upperdir={},workdir={}", upper.display(), work.display());
        let mounted = Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(root).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Overlay(root))
    }
}

impl Drop for Overlay<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.0).status());
    }
}

#[test]
fn a_lane_in_a_lower_layer_stays_with_the_reason_and_leaves_when_it_is_copied_up() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "x"]).ok();
    let root = sandbox.root();
    let layers = tempfile::Builder::new().prefix("git-lane-test-").tempdir().unwrap();
    let Some(_overlay) = Overlay::over(&root, layers.path()) else {
        eprintln!("skipped: no overlay can be mounted here");
        return;
    };
    let before = sandbox.fingerprint();
    // Its directory first, then its admin directory.
    for place in [sandbox.lane_path("x"), sandbox.repo.join(".git/worktrees/x")] {
        for args in [&["drop", "x"][..], &["drop", "x", "--force"], &["finish", "x"]] {
            let refused = sandbox.lane(args).fails(1);
            let named = format!("'{}' is in a lower layer of an overlay filesystem", place.display());
            assert!(refused.contains(&named), "{refused}");
            assert!(!sandbox.lane_path(".lane-trash").exists());
            assert!(sandbox.fingerprint() == before);
        }
        let refused = sandbox.lane(["drop", "x"]).fails(1);
        let remedy = refused.lines().find_map(|line| line.strip_prefix("hint: ")?.split_once(": ")).unwrap().1;
        let mut command = sandbox.command("sh");
        sandbox.run(command.args(["-ec", remedy])).ok();
    }
    sandbox.lane(["drop", "x"]).ok();
    sandbox.lane(["restore", "x"]).ok();
    assert_eq!(sandbox.git_in(&sandbox.lane_path("x"), ["status", "--short"]), "");
}
