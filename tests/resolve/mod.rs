//! `git lane finish --on-conflict`: a conflict is laid out, resolved by a command, and landed; or the
//! lane is as it was.

mod bad_resolvers;
mod kinds;
mod landed;
mod nothing_lost;
mod recovered;
mod summary;
mod terminal;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Run, Sandbox};

/// A resolver that keeps both sides.
const BOTH: &str = "sed -i '/^[<=>]\\{7\\}/d' src/app.txt";

/// A lane and its base that change the same line, each with a file of its own beside it.
fn conflicting() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "ignored\n");
    sandbox.commit("what is ignored");
    sandbox.lane(["start", "login"]).ok();
    collide(&sandbox, "login", "src/app.txt");
    sandbox
}

/// Has lane and base change the same file.
fn collide(sandbox: &Sandbox, lane: &str, path: &str) {
    sandbox.work(lane, "of-the-lane", "lane\n");
    sandbox.work(lane, path, &format!("one\n{lane}\nthree\n"));
    sandbox.write("of-the-base", "base\n");
    sandbox.write(path, format!("one\nbase beside {lane}\nthree\n"));
    sandbox.commit("the base goes on");
}

impl Sandbox {
    fn resolving(&self, resolver: &str, more: &[&str]) -> Run {
        self.lane([&["finish", "login", "--on-conflict", resolver], more].concat())
    }

    /// All of a lane that a resolver may have changed: files, branch, HEAD, index and what git is in
    /// the middle of.
    fn lane_as_it_is(&self, lane: &str) -> String {
        let path = self.lane_path(lane);
        let git = |args: &[&str]| self.git_in(&path, args);
        let admin = self.admin(&path);
        let mut state: Vec<String> = std::fs::read_dir(&admin)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                !["ORIG_HEAD", "REBASE_HEAD", "logs", "COMMIT_EDITMSG"].contains(&&**name)
            })
            .collect();
        state.sort();
        [
            contents(&path).join("\n"),
            git(&["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"]),
            git(&["ls-files", "--stage"]),
            git(&["status", "--porcelain=v2"]),
            state.join("\n"),
        ]
        .join("\n--\n")
    }
}

/// The code of an error document.
fn code(document: &Value) -> &str {
    document["error"]["code"].as_str().unwrap_or_default()
}

/// What is in a directory: names, modes, targets of links and bytes, whenever they were written.
fn contents(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let what = if metadata.is_dir() {
            found.extend(contents(&path));
            "directory".into()
        } else if metadata.is_symlink() {
            format!("{:?}", std::fs::read_link(&path).unwrap())
        } else {
            format!("{:?}", bstr::BString::from(std::fs::read(&path).unwrap()))
        };
        let mode = metadata.permissions().mode();
        found.push(format!("{path:?} {mode:o} {what}"));
    }
    found.sort();
    found
}
