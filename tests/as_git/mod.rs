//! What git would do is what happens: the configuration, files and place that a lane gets are those
//! that git uses there.
//!
//! Each case is set up twice, once for git-lane and once for plain git, and the two results are
//! compared.

mod conversions;
mod formats;
mod ignore;
mod place;
mod settings;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{Run, Sandbox};

/// Something to do in a repository before anything is compared.
pub type Setup = fn(&Sandbox);

/// The same with something at hand.
pub type Doing<'a> = &'a dyn Fn(&Sandbox);

/// How git is called: `git <arguments> worktree add …` and `git <arguments> lane start …`, with
/// this environment.
#[derive(Default, Clone, Copy)]
pub struct Call<'a> {
    pub arguments: &'a [&'a str],
    pub environment: &'a [(&'a str, &'a str)],
}

impl Call<'_> {
    /// `git <arguments> <rest>` in `directory`.
    pub fn run(&self, sandbox: &Sandbox, directory: &Path, rest: &[&str]) -> Run {
        let mut command = sandbox.command("git");
        command
            .current_dir(directory)
            .args(self.arguments)
            .args(rest);
        for (name, value) in self.environment {
            command.env(
                name,
                value.replace("ROOT", sandbox.root().to_str().unwrap()),
            );
        }
        sandbox.run(&mut command)
    }
}

/// The files of the lane `x` that git-lane starts, and those of the worktree git makes at the same
/// place elsewhere.
pub fn both(setup: Setup, call: Call<'_>) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (ours, gits) = (Sandbox::new(), Sandbox::new());
    setup(&ours);
    setup(&gits);
    call.run(&ours, &ours.repo, &["lane", "start", "x"]).ok();
    let path = gits.lane_path("x");
    call.run(
        &gits,
        &gits.repo,
        &["worktree", "add", "-q", "-b", "x", path.to_str().unwrap()],
    )
    .ok();
    let status = |sandbox: &Sandbox| {
        call.run(sandbox, &sandbox.lane_path("x"), &["status", "--porcelain"])
            .ok()
    };
    assert_eq!(status(&ours), status(&gits));
    ours.plain_git_works();
    ours.nothing_under_way();
    (contents(&ours.lane_path("x")), contents(&path))
}

/// Path to mode and content, `.git` left out, with the place of the sandbox made the same.
pub fn contents(root: &Path) -> BTreeMap<String, String> {
    let above = root
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .as_os_str()
        .as_bytes();
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).unwrap().flatten() {
            let path = entry.path();
            if path == root.join(".git") {
                continue;
            }
            let metadata = path.symlink_metadata().unwrap();
            let content = if metadata.is_symlink() {
                path.read_link().unwrap().as_os_str().as_bytes().to_vec()
            } else if metadata.is_dir() {
                waiting.push(path.clone());
                Vec::new()
            } else {
                std::fs::read(&path).unwrap()
            };
            let content = bstr::ByteSlice::replace(content.as_slice(), above, b"ROOT");
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.insert(
                name,
                format!("{:o} {}", metadata.mode(), content.escape_ascii()),
            );
        }
    }
    found
}
