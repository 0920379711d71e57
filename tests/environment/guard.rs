//! What a git started by a program may do in another lane.

use super::*;
use crate::support::skipped;

/// Where the program is that runs a git of its own.
#[derive(Debug, Clone, Copy)]
enum At {
    Hook(&'static str),
    Config(&'static str),
    Editor,
    Gpg,
}

/// Every program git-lane lets git run, and the command that has it run.
const PROGRAMS: [(At, &[&str]); 13] = [
    (At::Hook("post-checkout"), &["start", "z"]),
    (At::Hook("pre-merge-commit"), &["finish", "x", "--keep"]),
    (At::Hook("prepare-commit-msg"), &["finish", "x", "--keep"]),
    (At::Hook("commit-msg"), &["finish", "x", "--keep"]),
    (At::Hook("post-merge"), &["finish", "x", "--keep"]),
    (
        At::Hook("pre-commit"),
        &["finish", "x", "--keep", "--strategy", "squash"],
    ),
    (
        At::Hook("post-commit"),
        &["finish", "x", "--keep", "--strategy", "squash"],
    ),
    (
        At::Hook("reference-transaction"),
        &["finish", "x", "--keep"],
    ),
    (At::Editor, &["finish", "x", "--keep", "--edit"]),
    (At::Gpg, &["finish", "x", "--keep"]),
    (At::Config("merge.d.driver"), &["finish", "x", "--keep"]),
    (At::Config("filter.f.smudge"), &["finish", "x", "--keep"]),
    (At::Config("filter.f.clean"), &["finish", "x", "--keep"]),
];

/// Lets `text` run where `at` says.
fn install(sandbox: &Sandbox, at: At, text: &str) {
    let path = sandbox.root().join("tools/program");
    script(&path, text);
    let path = path.to_str().unwrap();
    match at {
        At::Hook(name) => drop(sandbox.hook(name, text)),
        At::Config(key) => {
            sandbox.git([
                "config",
                key,
                &format!("{path} %f; cat 2>/dev/null || true"),
            ]);
            // A new time stamp has git look into the file. In a linked worktree git tells a filter
            // of the repository.
            sandbox.write("x.f", "x");
        }
        At::Editor => drop(sandbox.git(["config", "core.editor", path])),
        At::Gpg => {
            sandbox.git(["config", "gpg.program", path]);
            sandbox.git(["config", "commit.gpgSign", "true"]);
        }
    }
}

/// As `diverged`, with another lane beside it and nothing noted.
fn guarded() -> Sandbox {
    let sandbox = diverged();
    for name in ["merge.d.driver", "filter.f.smudge"] {
        sandbox.git(["config", "--unset", name]);
    }
    std::fs::remove_dir_all(sandbox.repo.join(".git/hooks")).unwrap();
    sandbox.lane(["start", "y"]).ok();
    sandbox.git(["branch", "topic"]);
    sandbox
}

/// A git below any of them has another parent than git-lane: the guard sees to it, whatever the
/// program is.
#[test]
fn the_guard_sees_to_what_they_do_in_another_lane() {
    let switch =
        "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git -C ../shop.lanes/y switch -q topic";
    let quiet = format!("{switch} >/dev/null 2>&1 </dev/null");
    for (at, args) in PROGRAMS {
        // One that replaces itself by git must not look like a git that git-lane started.
        for text in [
            format!("cd '{{repo}}'; {quiet}; exit 0"),
            format!("cd '{{repo}}'; exec {quiet}"),
        ] {
            let sandbox = guarded();
            let text = text.replace("{repo}", sandbox.repo.to_str().unwrap());
            install(
                &sandbox,
                at,
                &format!("[ ! -e \"$HOME/ran\" ] || exit 0; echo ran >>\"$HOME/ran\"\n{text}"),
            );
            let init = sandbox.lane(["init"]).to_string();
            let run = sandbox.lane(args);
            let y = sandbox.git_in(&sandbox.lane_path("y"), ["branch", "--show-current"]);
            assert!(
                sandbox.root().join("home/ran").exists(),
                "{at:?} did not run: {init}{run}"
            );
            assert_eq!(y, "y", "{at:?} {text}: {run}");
        }
    }
}

/// `git init` in a directory of its own, as a package manager or a test does it, leaves the lane's
/// repository alone. A hook of a commit in a linked worktree is told the repository by git as well.
#[test]
fn a_git_elsewhere_works_elsewhere() {
    let text = "[ ! -e \"$HOME/ran\" ] || exit 0; echo ran >>\"$HOME/ran\"
        d=$(mktemp -d) && cd \"$d\" && { git init -q && git commit -q --allow-empty -m inner; } \
        >/dev/null 2>&1 </dev/null
        rm -rf \"$d\"; exit 0";
    for (at, args) in PROGRAMS {
        let git_tells = |name| {
            [
                "pre-commit",
                "prepare-commit-msg",
                "commit-msg",
                "pre-merge-commit",
            ]
            .contains(&name)
        };
        if matches!(at, At::Gpg)
            || matches!(at, At::Hook(name) if git_tells(name) || name == "reference-transaction")
        {
            continue;
        }
        let sandbox = guarded();
        install(&sandbox, at, text);
        let run = sandbox.lane(args);
        let settings = sandbox.git(["config", "--file", ".git/config", "--list"]);
        assert!(
            sandbox.root().join("home/ran").exists(),
            "{at:?} did not run: {run}"
        );
        assert!(
            settings.contains("core.bare=false") && !settings.contains("core.worktree"),
            "{at:?}: {settings}"
        );
        let log = sandbox.git(["log", "--all", "--format=%s"]);
        assert!(!log.contains("inner"), "{at:?}: {log}\n{run}");
    }
}

/// git looks for the hook of a new worktree where its caller stands.
#[test]
fn a_relative_hooks_path_counts_from_where_the_caller_stands() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.hooksPath", "tools/hooks"]);
    script(&sandbox.repo.join("tools/hooks/post-checkout"), NOTE);
    for (start, name) in [("git lane start x", "x"), ("cd src; git lane start y", "y")] {
        let _ = sandbox.sh(start).ok();
        let notes = noted(&sandbox);
        assert!(
            notes.len() == 1 && notes[0].contains(&format!("cwd ROOT/shop.lanes/{name}\n")),
            "{notes:?}"
        );
    }
}

/// Hooks of the configuration run as well, in git's order, the directory's last; one that is
/// switched off does not.
#[test]
fn hooks_of_the_configuration_hear_of_a_new_worktree() {
    if git_version() < (2, 54) {
        return skipped("this git has no hooks in its configuration");
    }
    let sandbox = Sandbox::new();
    for (name, enabled) in [("one", "true"), ("two", "false"), ("three", "true")] {
        sandbox.git([
            "config",
            &format!("hook.{name}.command"),
            &format!("echo {name} >>\"$HOME/order\"; test -z \"$GIT_DIR\" || exit 1; :"),
        ]);
        sandbox.git(["config", &format!("hook.{name}.event"), "post-checkout"]);
        sandbox.git(["config", &format!("hook.{name}.enabled"), enabled]);
    }
    script(
        &sandbox.repo.join(".git/hooks/post-checkout"),
        "echo file >>\"$HOME/order\"",
    );
    sandbox.lane(["start", "x"]).ok();
    let order = std::fs::read_to_string(sandbox.root().join("home/order")).unwrap();
    assert_eq!(order, "one\nthree\nfile\n");
}
