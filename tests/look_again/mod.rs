//! What comes into a lane after the decision and before the lane leaves: it stays, whatever command
//! was at it and whatever it waited for.

mod held_up;
mod landing;
mod pruned;
mod removal;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Run, Sandbox, script, skipped, write};

/// What a user, or the user's program, does in lane `x` meanwhile, as a script that runs there; the
/// word for it that the refusal has; whether a look at the files and commits shows it.
const CHANGES: [(&str, &str, &str); 16] = [
    ("untracked", "echo gold >precious", "unsettled"),
    (
        "untracked directory",
        "mkdir d; echo gold >d/precious",
        "unsettled",
    ),
    ("modified", "echo gold >>README", "unsettled"),
    ("deleted", "rm README", "unsettled"),
    (
        "staged",
        "echo gold >precious; git add precious",
        "unsettled",
    ),
    (
        "staged and gone",
        "echo gold >precious; git add precious; rm precious",
        "unsettled",
    ),
    (
        "assume-unchanged",
        "git update-index --assume-unchanged README; echo gold >>README",
        "unsettled",
    ),
    (
        "skip-worktree",
        "git update-index --skip-worktree README; echo gold >>README",
        "unsettled",
    ),
    (
        "bisect",
        "git bisect start -q 2>/dev/null || git bisect start >/dev/null",
        "unsettled",
    ),
    (
        "cherry-pick",
        "git rev-parse HEAD >.git-pick; mv .git-pick \"$(git rev-parse \
         --git-dir)/CHERRY_PICK_HEAD\"",
        "unsettled",
    ),
    (
        "commit",
        "echo gold >precious; git add .; git commit -q -m gold",
        "raced",
    ),
    ("other branch", "git checkout -q -b elsewhere", "unsettled"),
    (
        "detached commit",
        "git checkout -q --detach; git commit -q --allow-empty -m gold",
        "unsettled",
    ),
    (
        "commit of no branch",
        "git checkout -q --detach; git commit -q --allow-empty -m gold; git checkout -q x",
        "unsettled",
    ),
    (
        "locked",
        "git worktree lock --reason mine .",
        "worktree-locked",
    ),
    (
        "nested worktree",
        "echo /in >>\"$(git rev-parse --git-common-dir)/info/exclude\"; git worktree add -q \
         --detach in",
        "nested",
    ),
];

/// A repository with lane `x`, one commit ahead, and a program that makes `change` in it, once.
fn lane_with(change: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_by_git("x");
    sandbox.work("x", "work", "work");
    let program = sandbox.root().join("meanwhile");
    let (unset, once) = (
        "unset $(git rev-parse --local-env-vars); export GIT_EDITOR=true",
        sandbox.root().join("once"),
    );
    let (lane_text, once) = (lane.display(), once.display());
    script(
        &program,
        format!(
            "mkdir {once} 2>/dev/null || exit 0\n{unset}\ncd {lane_text} || exit 1\n{change}\nexit \
             0"
        ),
    );
    (sandbox, program)
}

/// Lane `x` is whole, and the change in it too.
#[track_caller]
fn stays(sandbox: &Sandbox, run: Run, code: &str, what: &str) -> Run {
    assert!(
        sandbox.lane_path("x").join("work").exists(),
        "{what}: {run}"
    );
    assert_eq!(
        sandbox.git(["branch", "--list", "--format=%(refname:short)", "x"]),
        "x",
        "{what}: {run}"
    );
    assert!(
        sandbox.root().join("once").exists(),
        "{what}: never happened: {run}"
    );
    let trash = sandbox.lane(["--json", "trash"]).json();
    assert_eq!(trash["entries"], serde_json::json!([]), "{what}: {run}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
    if !report.is_null() {
        let refused = report["error"]["code"]
            .as_str()
            .or(report["kept"][0]["code"].as_str());
        assert_eq!(refused, Some(code), "{what}: {run}");
    }
    sandbox.nothing_left_behind(0);
    run
}

fn main_at(sandbox: &Sandbox) -> String {
    sandbox.git(["rev-parse", "main"])
}

/// git-lane on a terminal of its own, by script(1); what it has said so far.
struct Terminal {
    child: Child,
    said: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new(sandbox: &Sandbox, line: &str) -> Option<Self> {
        if !Path::new("/usr/bin/script").exists() {
            skipped("there is no script(1)");
            return None;
        }
        let mut command = sandbox.command("/usr/bin/script");
        command
            .args(["-qec", line, "/dev/null"])
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let (mut output, heard) = (child.stdout.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                heard.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Some(Terminal { child, said })
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    fn answer(&mut self, keys: &str) {
        // The first key may have been enough.
        let _ = self
            .child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(keys.as_bytes());
        std::thread::sleep(Duration::from_millis(100));
    }
}
