//! The git under test.

use std::path::PathBuf;
use std::process::Command;

/// The git under test: `GIT_LANE_TEST_GIT`, else `git`.
pub fn git_program() -> PathBuf {
    let wanted =
        std::env::var_os("GIT_LANE_TEST_GIT").map_or_else(|| PathBuf::from("git"), PathBuf::from);
    if wanted.components().count() > 1 {
        return wanted;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(&wanted))
        .find(|file| file.is_file())
        .expect("git on PATH")
}

/// The version of the git under test.
pub fn git_version() -> (u32, u32) {
    let output = Command::new(git_program())
        .arg("version")
        .output()
        .expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text
        .trim_start_matches("git version ")
        .split('.')
        .map_while(|part| part.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}
