//! `git lane try`: the main worktree shows a lane as it stands, and comes back exactly.

mod around;
mod begun_not;
mod brought_back;
mod ended_not;
mod kept_apart;
mod policy_unmoved;
mod shown;
mod taken_in;
mod under_the_rule;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Sandbox, write};

/// A repository with `README`, `src/app.txt`, `sub/deep.txt` and a `.gitignore`, something ignored in
/// the main worktree, and a lane `login` with a commit of its own.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.log\nbuild/\n");
    sandbox.write("sub/deep.txt", "deep\n");
    sandbox.commit("more");
    sandbox.lane(["start", "login"]).ok();
    sandbox.work("login", "src/app.txt", "one\ntwo\nTHREE\n");
    sandbox.write("own.log", "mine\n");
    sandbox.write("build/out.o", "object\n");
    sandbox
}

/// The same with uncommitted work of every kind in the lane.
fn at_work() -> Sandbox {
    let sandbox = sandbox();
    let lane = sandbox.lane_path("login");
    write(&lane.join("README"), "edited\n");
    write(&lane.join("staged.txt"), "staged\n");
    sandbox.git_in(&lane, ["add", "staged.txt"]);
    write(&lane.join("untracked/new.txt"), "new\n");
    std::fs::remove_file(lane.join("sub/deep.txt")).unwrap();
    write(&lane.join("build/lanes.o"), "of the lane\n");
    sandbox
}

fn lane(sandbox: &Sandbox) -> PathBuf {
    sandbox.lane_path("login")
}

/// Kind, mode as far as git has it, and bytes of every file below, but for those of git.
pub fn contents(directory: &Path) -> BTreeMap<Vec<u8>, (String, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for path in crate::support::files(directory) {
        let name = path.strip_prefix(directory).unwrap();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        if name.starts_with(".git") || !(metadata.is_file() || metadata.is_symlink()) {
            continue;
        }
        let said = match metadata.is_symlink() {
            true => {
                let target = std::fs::read_link(&path).unwrap();
                ("link".to_owned(), target.as_os_str().as_bytes().to_owned())
            }
            false => {
                let runs = metadata.permissions().mode() & 0o111 != 0;
                (format!("file {runs}"), std::fs::read(&path).unwrap())
            }
        };
        found.insert(name.as_os_str().as_bytes().to_owned(), said);
    }
    found
}

/// The same of what is not ignored.
fn visible(sandbox: &Sandbox, directory: &Path) -> BTreeMap<Vec<u8>, (String, Vec<u8>)> {
    let mut command = sandbox.command("git");
    let listed = command
        .current_dir(directory)
        .args([
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            "--exclude-standard",
        ])
        .output()
        .unwrap();
    let ignored: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).collect();
    let mut all = contents(directory);
    all.retain(|path, _| !ignored.contains(&path.as_slice()));
    all
}

/// All of the main worktree that has to be as before: HEAD, index, files, ignored ones too.
pub fn of_main(sandbox: &Sandbox) -> String {
    let files = contents(&sandbox.repo);
    [
        std::fs::read_to_string(sandbox.repo.join(".git/HEAD")).unwrap(),
        sandbox.git(["rev-parse", "HEAD"]),
        sandbox.git(["symbolic-ref", "-q", "HEAD"]),
        sandbox.git(["ls-files", "--stage", "-v", "-t"]),
        sandbox.git(["status", "--porcelain=v2", "--ignored"]),
        format!("{files:?}"),
    ]
    .join("\n--\n")
}

/// All of the lane: nothing of it may change.
fn of_lane(sandbox: &Sandbox) -> String {
    let lane = lane(sandbox);
    let admin = sandbox.admin(&lane);
    [
        crate::support::listing(&lane),
        crate::support::listing(&admin),
        sandbox.git(["for-each-ref", "refs/heads"]),
    ]
    .join("\n--\n")
}

/// Nothing says that a lane is shown.
pub fn forgotten(sandbox: &Sandbox) {
    assert_eq!(sandbox.git(["for-each-ref", "refs/lane/try"]), "");
    let config = std::fs::read_to_string(sandbox.repo.join(".git/config")).unwrap();
    assert!(!config.contains("tried"), "{config}");
    for file in ["try.json", "try-modes.json"] {
        assert!(!sandbox.repo.join(".git/lane").join(file).exists());
    }
    assert_eq!(sandbox.locks_of_git(), Vec::<PathBuf>::new());
}
