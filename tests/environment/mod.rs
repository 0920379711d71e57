//! What hooks, editors, filters, merge drivers and signing programs are given: exactly what git
//! gives them, so that a git they run elsewhere works elsewhere, and one they run in another lane
//! is guarded.

mod guard;
mod programs;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::{Sandbox, git_version, script, write};

/// Notes what it was given, and passes its input on.
const NOTE: &str = "{ echo \"== ${0##*/} $*\"; echo \"cwd $(pwd)\"; echo \"umask $(umask)\"
  readlink /proc/self/fd/0 | sed 's/:.*//'; grep -E 'Sig(Blk|Ign)' /proc/self/status
  env | grep -vE '^(PWD|OLDPWD|SHLVL|_|GIT_AUTHOR_DATE|GIT_COMMITTER_DATE)=' | sort; \
  } >>\"$HOME/notes\"
case ${0##*/} in filter) cat ;; driver) cat \"$2\" >/dev/null ;; esac";

/// One program for every place, each under the name it is called by.
fn noting(sandbox: &Sandbox) -> PathBuf {
    let tools = sandbox.root().join("tools");
    for name in ["editor", "filter", "driver"] {
        script(&tools.join(name), NOTE);
    }
    for name in [
        "post-checkout",
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "pre-merge-commit",
    ] {
        sandbox.hook(name, NOTE);
    }
    sandbox.hook("post-merge", NOTE);
    tools
}

/// A lane `x`, or a worktree of that name, whose merge needs a driver and a filter.
fn diverged() -> Sandbox {
    let sandbox = Sandbox::new();
    let tools = sandbox.root().join("tools");
    sandbox.write(".gitattributes", "*.f filter=f\n*.m merge=d\n");
    sandbox.write("a.m", "1\n2\n3\n4\n5\n");
    sandbox.write("x.f", "x");
    sandbox.commit("attributes");
    sandbox.lane_by_git("x");
    sandbox.work("x", "a.m", "0\n2\n3\n4\n5\n");
    sandbox.work("x", "x.f", "y");
    sandbox.write("a.m", "1\n2\n3\n4\n6\n");
    sandbox.commit("main");
    for (key, value) in [
        ("filter.f.smudge", "filter s %f"),
        ("merge.d.driver", "driver %O %A %B"),
    ] {
        sandbox.git(["config", key, &format!("{}/{value}", tools.display())]);
    }
    noting(&sandbox);
    sandbox
}

/// What was noted, in words that are the same in every sandbox. A landing's hooks are given the
/// merged index and the message in places of its own, which finish(1) says.
fn noted(sandbox: &Sandbox) -> Vec<String> {
    let notes = sandbox.root().join("home/notes");
    let text = std::fs::read_to_string(&notes).unwrap_or_default();
    let _ = std::fs::remove_file(&notes);
    let text = text.replace(sandbox.root().to_str().unwrap(), "ROOT");
    // Hooks of a landing run in a worktree of git-lane's own that has the merged files.
    let text = match text.split_once("ROOT/home/.cache/git-lane/worktrees/") {
        Some((_, rest)) => {
            let (set, _) = rest.split_once('/').unwrap();
            let own = format!("ROOT/home/.cache/git-lane/worktrees/{set}/hooks/tree");
            text.replace(&own, "ROOT/shop")
        }
        None => text,
    };
    let mut lines = Vec::new();
    let mut meant = 0;
    for line in text.lines() {
        // The C library's own two signals, which its posix_spawn(3) leaves ignored, and SIGPIPE,
        // which newer gits ignore for hooks and not for aliases. SIGALRM is that of git's progress.
        if line.starts_with("== ") {
            meant = !0x1_8000_3000;
        }
        // git catches the signals it cleans up for, be they ignored, so that its children begin
        // with none of them ignored. A landing merges and checks out by gits that stay as the
        // caller wants them.
        if ["== filter", "== driver"]
            .iter()
            .any(|program| line.starts_with(program))
        {
            meant &= !0x4007;
        }
        let mask = line
            .strip_prefix("SigIgn:\t")
            .and_then(|mask| u64::from_str_radix(mask, 16).ok());
        let line = mask.map_or_else(
            || line.to_owned(),
            |mask| format!("SigIgn: {:x}", mask & meant),
        );
        let words: Vec<String> = line.split(' ').map(|word| known(word.to_owned())).collect();
        lines.push(words.join(" "));
    }
    let mut found: Vec<String> = lines
        .join("\n")
        .split("== ")
        .skip(1)
        .map(|note| note.trim_end().to_owned())
        .collect();
    found.retain(|note| !note.is_empty());
    found
}

fn known(word: String) -> String {
    let id = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((name, value)) = word.split_once('=') {
        return match name {
            "GIT_INDEX_FILE" => "GIT_INDEX_FILE=INDEX".into(),
            // `git lane` is called by a git that has put its own programs there before.
            "PATH" => format!(
                "PATH={}",
                value.split("/git-core:").next().unwrap_or_default()
            ),
            name if name.starts_with("GITHEAD_") => format!("GITHEAD_ID={value}"),
            _ => word,
        };
    }
    if id(&word) {
        return "ID".into();
    }
    for name in ["MERGE_MSG", "COMMIT_EDITMSG", ".merge_file_"] {
        if word.contains(name) {
            return name.into();
        }
    }
    word
}

/// The hooks that a landing runs before its base moves.
const BEFORE: [&str; 4] = [
    "pre-merge-commit",
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
];

/// Runs what git does in one sandbox and what git-lane does in another; their programs were given
/// the same.
#[track_caller]
fn same(prepare: impl Fn() -> Sandbox, git: &str, lane: &str, programs: &[&str]) {
    let run = |script: &str| {
        let sandbox = prepare();
        let editor = sandbox.root().join("tools/editor");
        let mut shell = sandbox.command("sh");
        shell
            .args(["-ec", script])
            .env("EDIT", &editor)
            .env_remove("GIT_AUTHOR_DATE")
            .env_remove("GIT_COMMITTER_DATE");
        let _ = sandbox.run(&mut shell).ok();
        noted(&sandbox)
    };
    let (expected, found) = (run(git), run(lane));
    for program in programs {
        let of = |notes: &[String]| -> Vec<String> {
            notes
                .iter()
                .filter(|note| note.starts_with(&format!("{program} ")))
                .cloned()
                .collect()
        };
        let (mut expected, mut found) = (of(&expected), of(&found));
        // Where git tells a hook of the git directory of a linked worktree, one of a landing finds
        // that of git-lane's own worktree where it stands.
        let linked = |note: &String| note.contains("GIT_DIR=ROOT/shop/.git/worktrees/");
        if BEFORE.contains(program) && expected.iter().any(linked) {
            for note in expected.iter_mut().chain(&mut found) {
                let place = |line: &&str| line.starts_with("cwd ") || line.starts_with("GIT_DIR=");
                let lines: Vec<&str> = note.lines().filter(|line| !place(line)).collect();
                *note = lines.join("\n");
            }
        }
        assert!(!expected.is_empty(), "{git}: {program} did not run");
        assert_eq!(
            found.last(),
            expected.last(),
            "{lane}: {program} was given something else than by {git}"
        );
    }
}
