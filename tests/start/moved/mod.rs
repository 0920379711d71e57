//! `git lane start --move`: the uncommitted work of where one stands, in the new lane.

mod cases;
mod meanwhile;
mod refused;
mod told;
mod undone;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{Sandbox, digest};

/// Everything in a worktree that is not ignored, as git and the disk tell it: the status with modes and
/// ids, the index with its flags, each file with its bytes and mode.
fn work_in(sandbox: &Sandbox, worktree: &Path) -> String {
    let git = |args: &[&str]| sandbox.git_in(worktree, args);
    // A file that is as the index says is known to be only once git has compared it.
    let status = [
        "status",
        "--porcelain=v2",
        "--no-renames",
        "--untracked-files=all",
    ];
    let mut said = vec![
        git(&status),
        git(&["ls-files", "--stage", "-t", "-v"]),
        git(&["diff", "--cached", "--no-renames"]),
    ];
    let listed = git(&[
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.dedup();
    said.extend(paths.iter().map(|path| file(&worktree.join(path), path)));
    said.join("\n")
}

fn file(path: &Path, name: &str) -> String {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return format!("{name} is not there");
    };
    let content = match std::fs::read_link(path) {
        Ok(target) => format!("{target:?}"),
        Err(_) => std::fs::read(path).map_or("closed".into(), |bytes| digest(&bytes)),
    };
    let above = path.parent().unwrap().symlink_metadata().unwrap();
    format!(
        "{name} {:o} below {:o} {content}",
        found.mode(),
        above.mode()
    )
}

/// The main worktree has what its commit has, and nothing else.
#[track_caller]
fn assert_as_committed(sandbox: &Sandbox, worktree: &Path) {
    let status = ["status", "--porcelain", "--untracked-files=all"];
    assert_eq!(sandbox.git_in(worktree, status), "");
    let fresh = sandbox.root().join("fresh");
    let fresh = fresh.to_str().unwrap();
    sandbox.git_in(worktree, ["worktree", "add", "-q", "--detach", fresh]);
    let files = "find . -name .git -prune -o -print | sort";
    let [here, there] = [worktree, Path::new(fresh)].map(|place| sandbox.sh_in(place, files).ok());
    let ignored = ["ls-files", "--others", "--ignored", "--exclude-standard"];
    if sandbox.git_in(worktree, ignored).is_empty() {
        assert_eq!(here, there);
    }
    let tracked = sandbox.git_in(worktree, ["ls-files", "-z"]);
    for path in tracked.split('\0').filter(|path| !path.is_empty()) {
        let [here, there] = [worktree, Path::new(fresh)].map(|place| file(&place.join(path), path));
        assert_eq!(here, there);
    }
    sandbox.git_in(worktree, ["worktree", "remove", "--force", fresh]);
}
