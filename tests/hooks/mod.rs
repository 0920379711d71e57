//! `git lane init`: installing, upgrading, checking and removing hooks beside everybody else's.

mod by_others;
mod in_force;
mod kept;
mod surroundings;
mod third_parties;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{Run, Sandbox, git_version, write};

const RESTORE: [&str; 4] = [
    "post-checkout",
    "pre-commit",
    "pre-merge-commit",
    "pre-rebase",
];

fn configured() -> bool {
    git_version() >= (2, 54)
}

fn hooks(sandbox: &Sandbox) -> PathBuf {
    sandbox.repo.join(".git/hooks")
}

fn hook(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    write(path, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Name, kind, content and mode of every hook that is no sample.
fn listing(directory: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with(".sample"))
        .map(|entry| {
            let metadata = std::fs::symlink_metadata(entry.path()).unwrap();
            let content = match metadata.is_symlink() {
                true => std::fs::read_link(entry.path())
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes(),
                false => std::fs::read(entry.path()).unwrap_or_default(),
            };
            (
                entry.file_name().to_string_lossy().into_owned(),
                metadata.mode(),
                content,
            )
        })
        .collect();
    found.sort();
    found
}

/// The rule holds: a lane cannot be switched away.
#[track_caller]
fn assert_in_force(sandbox: &Sandbox, lane: &str) {
    let path = sandbox.lane_path(lane);
    let run =
        sandbox.run(
            sandbox
                .command("git")
                .current_dir(&path)
                .args(["switch", "-c", "elsewhere"]),
        );
    assert!(
        run.stderr.contains(&format!("this is lane '{lane}'")),
        "{run}"
    );
    let _ = run.fails(1);
    assert_eq!(
        sandbox.git_in(&path, ["symbolic-ref", "--short", "HEAD"]),
        lane
    );
    sandbox.git(["branch", "-q", "-D", "elsewhere"]);
}

fn init(sandbox: &Sandbox, args: &[&str]) -> Run {
    sandbox.lane([&["init"], args].concat())
}

/// What `husky` makes in a worktree: hook files that lead to the user's scripts, and a directory
/// that is not tracked.
fn husky(root: &Path) {
    let directory = root.join(".husky/_");
    let runner = "s=$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\n[ -f \"$s\" ] || exit \
                  0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    write(&directory.join("h"), format!("#!/usr/bin/env sh\n{runner}"));
    write(&directory.join(".gitignore"), "*");
    for name in RESTORE.into_iter().chain(["pre-push", "commit-msg"]) {
        hook(
            &directory.join(name),
            "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"",
            0o755,
        );
    }
}

/// The lines init tells to add, in a directory that is tracked or not.
fn by_hand(directory: &Path, first: &str) {
    for name in RESTORE {
        let line = format!(
            "{first}command -v git-lane >/dev/null && {{ git-lane hook {name} \"$@\" || exit; }}\n"
        );
        hook(
            &directory.join(name),
            format!("{line}echo \"after {name}\" >>\"$HOME/ran\"\n"),
            0o755,
        );
    }
}

fn why_not(sandbox: &Sandbox) -> String {
    let run = init(sandbox, &["--check", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["inForce"], false, "{run}");
    let _ = run.fails(1);
    init(sandbox, &["--check"]).fails(1)
}
