//! What hooks, editors, filters, merge drivers and signing programs are given: exactly what git gives them, so that a git
//! they run elsewhere works elsewhere, and one they run in another lane is guarded.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sandbox::{Sandbox, git_version, write};

fn program(path: &Path, text: &str) {
    write(path, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Notes what it was given, and passes its input on.
const NOTE: &str = "{ echo \"== ${0##*/} $*\"; echo \"cwd $(pwd)\"; echo \"umask $(umask)\"
  readlink /proc/self/fd/0 | sed 's/:.*//'; grep -E 'Sig(Blk|Ign)' /proc/self/status
  env | grep -vE '^(PWD|OLDPWD|SHLVL|_|GIT_AUTHOR_DATE|GIT_COMMITTER_DATE)=' | sort; } >>\"$HOME/notes\"
case ${0##*/} in filter) cat ;; driver) cat \"$2\" >/dev/null ;; esac";

/// One program for every place, each under the name it is called by.
fn noting(sandbox: &Sandbox) -> PathBuf {
    let tools = sandbox.root().join("tools");
    for name in ["editor", "filter", "driver"] {
        program(&tools.join(name), NOTE);
    }
    for name in ["post-checkout", "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-merge-commit"] {
        program(&sandbox.repo.join(".git/hooks").join(name), NOTE);
    }
    program(&sandbox.repo.join(".git/hooks/post-merge"), NOTE);
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
    for (key, value) in [("filter.f.smudge", "filter s %f"), ("merge.d.driver", "driver %O %A %B")] {
        sandbox.git(["config", key, &format!("{}/{value}", tools.display())]);
    }
    noting(&sandbox);
    sandbox
}

/// What was noted, in words that are the same in every sandbox. A landing's hooks are given the merged index and the
/// message in places of its own, which finish(1) says.
fn noted(sandbox: &Sandbox) -> Vec<String> {
    let notes = sandbox.root().join("home/notes");
    let text = std::fs::read_to_string(&notes).unwrap_or_default();
    let _ = std::fs::remove_file(&notes);
    let text = text.replace(sandbox.root().to_str().unwrap(), "ROOT");
    let mut lines = Vec::new();
    let mut meant = 0;
    for line in text.lines() {
        // The C library's own two signals, which its posix_spawn(3) leaves ignored, and SIGPIPE, which newer gits ignore
        // for hooks and not for aliases. SIGALRM is that of git's progress.
        if line.starts_with("== ") {
            meant = !0x1_8000_3000;
        }
        // git catches the signals it cleans up for, be they ignored, so that its children begin with none of them ignored. A
        // landing merges and checks out by gits that stay as the caller wants them.
        if ["== filter", "== driver"].iter().any(|program| line.starts_with(program)) {
            meant &= !0x4007;
        }
        let mask = line.strip_prefix("SigIgn:\t").and_then(|mask| u64::from_str_radix(mask, 16).ok());
        let line = mask.map_or_else(|| line.to_owned(), |mask| format!("SigIgn: {:x}", mask & meant));
        let words: Vec<String> = line.split(' ').map(|word| known(word.to_owned())).collect();
        lines.push(words.join(" "));
    }
    let mut found: Vec<String> = lines.join("\n").split("== ").skip(1).map(|note| note.trim_end().to_owned()).collect();
    found.retain(|note| !note.is_empty());
    found
}

fn known(word: String) -> String {
    let id = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some((name, value)) = word.split_once('=') {
        return match name {
            "GIT_INDEX_FILE" => "GIT_INDEX_FILE=INDEX".into(),
            // `git lane` is called by a git that has put its own programs there before.
            "PATH" => format!("PATH={}", value.split("/git-core:").next().unwrap_or_default()),
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

/// Runs what git does in one sandbox and what git-lane does in another; their programs were given the same.
#[track_caller]
fn same(prepare: impl Fn() -> Sandbox, git: &str, lane: &str, programs: &[&str]) {
    let run = |script: &str| {
        let sandbox = prepare();
        let editor = sandbox.root().join("tools/editor");
        let mut shell = sandbox.command("sh");
        shell.args(["-ec", script]).env("EDIT", &editor).env_remove("GIT_AUTHOR_DATE").env_remove("GIT_COMMITTER_DATE");
        let _ = sandbox.run(&mut shell).ok();
        noted(&sandbox)
    };
    let (expected, found) = (run(git), run(lane));
    for program in programs {
        let of = |notes: &[String]| -> Vec<String> {
            notes.iter().filter(|note| note.starts_with(&format!("{program} "))).cloned().collect()
        };
        let (expected, found) = (of(&expected), of(&found));
        assert!(!expected.is_empty(), "{git}: {program} did not run");
        assert_eq!(found.last(), expected.last(), "{lane}: {program} was given something else than by {git}");
    }
}

#[test]
fn the_hook_of_a_new_worktree_is_given_what_git_worktree_add_gives() {
    let noting = || {
        let sandbox = Sandbox::new();
        noting(&sandbox);
        sandbox.git(["worktree", "add", "-q", "-b", "other", "../other"]);
        std::fs::remove_file(sandbox.root().join("home/notes")).unwrap();
        sandbox.write("sub/file", "");
        sandbox
    };
    for (git, lane) in [
        ("git worktree add -q -b x ../shop.lanes/x", "git lane start x"),
        ("git worktree add -q -b x ../shop.lanes/x", "git-lane start x"),
        ("cd sub; git worktree add -q -b x ../../shop.lanes/x", "cd sub; git lane start x"),
        ("cd ../other; git worktree add -q -b x ../shop.lanes/x main", "cd ../other; git lane start x --base main"),
        ("cd .git; git worktree add -q -b x ../../shop.lanes/x", "cd .git; git lane start x"),
        ("umask 027; git worktree add -q -b x ../shop.lanes/x", "umask 027; git lane start x"),
        ("git -c a.b=\"it's 100%\" worktree add -q -b x ../shop.lanes/x", "git -c a.b=\"it's 100%\" lane start x"),
        (
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b GIT_CONFIG_VALUE_0=c git worktree add -q -b x ../shop.lanes/x",
            "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=a.b GIT_CONFIG_VALUE_0=c git lane start x",
        ),
    ] {
        same(noting, git, lane, &["post-checkout"]);
    }
}

#[test]
fn the_programs_of_a_landing_are_given_what_git_merge_gives() {
    same(
        diverged,
        "git merge -q --no-edit x",
        "git lane finish x",
        &["driver", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-merge"],
    );
    let programs = ["driver", "pre-merge-commit", "prepare-commit-msg", "editor", "commit-msg", "post-merge"];
    same(diverged, "GIT_EDITOR=$EDIT git merge -q --edit x", "GIT_EDITOR=$EDIT git lane finish x --edit", &programs);
    // Where the base is checked out in a linked worktree.
    same(
        diverged,
        "git switch -q --detach; git worktree add -q ../base main; cd ../base; git merge -q --no-edit x",
        "git switch -q --detach; git worktree add -q ../base main; git lane finish x",
        &programs.map(|program| if program == "editor" { "commit-msg" } else { program }),
    );
}

#[test]
fn the_programs_of_a_squash_are_given_what_git_commit_gives() {
    let programs = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-merge", "post-commit"];
    same(
        diverged,
        "git merge -q --squash x; git commit -q --no-edit",
        "git lane finish x --keep --strategy squash",
        &programs,
    );
    same(
        diverged,
        "git merge -q --squash x; GIT_EDITOR=$EDIT git commit -q",
        "GIT_EDITOR=$EDIT git lane finish x --keep --strategy squash --edit",
        &["pre-commit", "prepare-commit-msg", "editor", "commit-msg", "post-commit"],
    );
    same(
        diverged,
        "cd ../shop.lanes/x; echo >new; git add -A; git commit -q -m m",
        "cd ../shop.lanes/x; echo >new; git lane finish --commit m",
        &["pre-commit", "post-commit"],
    );
}

/// nohup(1) and a shell's background have signals ignored. git catches those it cleans up for, so that hooks and editors begin
/// with none of them ignored; all others stay as they were.
#[test]
fn what_the_caller_ignores_is_ignored_where_git_has_it_so() {
    let ignore = |command: &str| format!("trap '' HUP INT QUIT TERM USR1 CHLD; {command}");
    let empty = || {
        let sandbox = Sandbox::new();
        noting(&sandbox);
        sandbox
    };
    let add = "git worktree add -q -b x ../shop.lanes/x";
    same(empty, &ignore(add), &ignore("git lane start x"), &["post-checkout"]);
    let (merge, land) = ("GIT_EDITOR=$EDIT git merge -q --edit x", "GIT_EDITOR=$EDIT git lane finish x --edit");
    let programs = ["driver", "pre-merge-commit", "prepare-commit-msg", "editor", "commit-msg", "post-merge"];
    same(diverged, &ignore(merge), &ignore(land), &programs);
}

/// What the hook of an index heard of `script`.
fn index_changes(sandbox: &Sandbox, script: &str) -> Vec<String> {
    program(&sandbox.repo.join(".git/hooks/post-index-change"), NOTE);
    let _ = std::fs::remove_file(sandbox.root().join("home/notes"));
    let mut shell = sandbox.command("sh");
    let _ = sandbox.run(shell.args(["-ec", script])).ok();
    noted(sandbox).into_iter().filter(|note| note.starts_with("post-index-change ")).collect()
}

/// It hears of no index that git-lane only works on, and is given nothing that git-lane tells its own gits.
#[test]
fn the_hook_of_an_index_hears_of_the_real_one_once() {
    type Prepare = fn(&Sandbox);
    const MERGE: &str = "git merge -q --no-edit x";
    let rows: [(&str, &str, Prepare); 17] = [
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |_| {}),
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |sandbox| {
            drop(sandbox.git(["config", "--remove-section", "filter.f"]));
        }),
        // git writes files aside.
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |sandbox| {
            sandbox.git(["config", "--remove-section", "filter.f"]);
            sandbox.write(".gitattributes", "*.txt text eol=crlf\n");
            sandbox.commit("attributes");
        }),
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |sandbox| {
            sandbox.git(["config", "--remove-section", "filter.f"]);
            sandbox.git(["config", "core.splitIndex", "true"]);
        }),
        // git writes all of them in place.
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |sandbox| {
            let included = sandbox.root().join("home/included");
            write(&included, "[a]\nb = c\n");
            sandbox.git(["config", "includeIf.gitdir:**/y.path", included.to_str().unwrap()]);
        }),
        ("git -c a.b=c worktree add -q -b y ../shop.lanes/y", "git -c a.b=c lane start y", |_| {}),
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y --sparse src", |_| {}),
        ("git worktree add -q -b y ../shop.lanes/y", "git lane start y", |sandbox| {
            let format = if git_version() < (2, 45) { "-q" } else { "--ref-format=reftable" };
            std::fs::remove_dir_all(sandbox.repo.join(".git")).unwrap();
            sandbox.git(["init", "-q", "-b", "main", format]);
            sandbox.commit("all");
        }),
        ("git -C ../shop.lanes/x switch -q x", "git lane doctor --fix", |sandbox| {
            drop(sandbox.git_in(&sandbox.lane_path("x"), ["switch", "-q", "-c", "other", "main"]));
        }),
        (MERGE, "git lane finish x", |_| {}),
        ("git -c a.b=c merge -q --no-edit x", "git -c a.b=c lane finish x", |_| {}),
        // The files are written in place.
        (MERGE, "git lane finish x", |sandbox| sandbox.write(".git/info/sparse-checkout", "/*\n")),
        ("git merge -q --ff-only x", "git lane finish x --strategy ff", |sandbox| {
            drop(sandbox.git_in(&sandbox.lane_path("x"), ["rebase", "-q", "main"]));
        }),
        (
            "git -C ../shop.lanes/x rebase -q main; rm -f ~/notes; git merge -q --ff-only x",
            "git lane finish x --keep --strategy rebase",
            |_| {},
        ),
        ("git merge -q --squash x; git commit -q --no-edit", "git lane finish x --keep --strategy squash", |_| {}),
        ("cd ../base; git merge -q --no-edit x", "git lane finish x", |sandbox| {
            sandbox.git(["switch", "-q", "--detach"]);
            sandbox.git(["worktree", "add", "-q", "../base", "main"]);
        }),
        // No worktree has the base checked out.
        ("true", "git lane finish x", |sandbox| drop(sandbox.git(["switch", "-q", "--detach"]))),
    ];
    let mut by_git = BTreeMap::new();
    for (number, (git, lane, prepare)) in rows.into_iter().enumerate() {
        let run = |script: &str| {
            let sandbox = diverged();
            std::fs::remove_file(sandbox.repo.join(".git/hooks/post-merge")).unwrap();
            prepare(&sandbox);
            index_changes(&sandbox, script)
        };
        let expected = by_git.entry(git).or_insert_with(|| run(git));
        // Before it merges, git may write down stat data that it has looked up.
        expected.retain(|note| note.starts_with("post-index-change 1 "));
        assert_eq!(expected.len(), usize::from(git != "true"), "{number} {git}: {expected:?}");
        assert_eq!(run(lane), *expected, "{number} {lane}");
    }
}

/// A smudge filter is told neither of the prepared index nor of the repository; git tells it besides what is merged.
#[test]
fn a_filter_of_a_landing_is_told_of_no_place_of_git_lane() {
    let sandbox = diverged();
    sandbox.lane(["finish", "x"]).ok();
    let notes: Vec<String> = noted(&sandbox).into_iter().filter(|note| note.starts_with("filter ")).collect();
    assert!(!notes.is_empty());
    for note in notes {
        for variable in ["GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG_PARAMETERS", "GIT_LANE"] {
            assert!(!note.contains(variable), "{note}");
        }
    }
}

/// Nor is one of a new worktree told what keeps a hook from hearing of each index that git writes on the way.
#[test]
fn a_filter_of_a_new_worktree_is_given_what_git_worktree_add_gives() {
    let prepare = || {
        let sandbox = diverged();
        program(&sandbox.repo.join(".git/hooks/post-index-change"), "exit 0");
        sandbox
    };
    same(prepare, "git worktree add -q -b y ../shop.lanes/y", "git lane start y", &["filter"]);
}

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
    (At::Hook("pre-commit"), &["finish", "x", "--keep", "--strategy", "squash"]),
    (At::Hook("post-commit"), &["finish", "x", "--keep", "--strategy", "squash"]),
    (At::Hook("reference-transaction"), &["finish", "x", "--keep"]),
    (At::Editor, &["finish", "x", "--keep", "--edit"]),
    (At::Gpg, &["finish", "x", "--keep"]),
    (At::Config("merge.d.driver"), &["finish", "x", "--keep"]),
    (At::Config("filter.f.smudge"), &["finish", "x", "--keep"]),
    (At::Config("filter.f.clean"), &["finish", "x", "--keep"]),
];

/// Lets `text` run where `at` says.
fn install(sandbox: &Sandbox, at: At, text: &str) {
    let path = sandbox.root().join("tools/program");
    program(&path, text);
    let path = path.to_str().unwrap();
    match at {
        At::Hook(name) => program(&sandbox.repo.join(".git/hooks").join(name), text),
        At::Config(key) => {
            sandbox.git(["config", key, &format!("{path} %f; cat 2>/dev/null || true")]);
            // A new time stamp has git look into the file. In a linked worktree git tells a filter of the repository.
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

/// A git below any of them has another parent than git-lane: the guard sees to it, whatever the program is.
#[test]
fn the_guard_sees_to_what_they_do_in_another_lane() {
    let switch = "env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git -C ../shop.lanes/y switch -q topic";
    let quiet = format!("{switch} >/dev/null 2>&1 </dev/null");
    for (at, args) in PROGRAMS {
        // One that replaces itself by git must not look like a git that git-lane started.
        for text in [format!("cd '{{repo}}'; {quiet}; exit 0"), format!("cd '{{repo}}'; exec {quiet}")] {
            let sandbox = guarded();
            let text = text.replace("{repo}", sandbox.repo.to_str().unwrap());
            install(&sandbox, at, &format!("[ ! -e \"$HOME/ran\" ] || exit 0; echo ran >>\"$HOME/ran\"\n{text}"));
            let init = sandbox.lane(["init"]).to_string();
            let run = sandbox.lane(args);
            let y = sandbox.git_in(&sandbox.lane_path("y"), ["branch", "--show-current"]);
            assert!(sandbox.root().join("home/ran").exists(), "{at:?} did not run: {init}{run}");
            assert_eq!(y, "y", "{at:?} {text}: {run}");
        }
    }
}

/// `git init` in a directory of its own, as a package manager or a test does it, leaves the lane's repository alone. A
/// hook of a commit in a linked worktree is told the repository by git as well.
#[test]
fn a_git_elsewhere_works_elsewhere() {
    let text = "[ ! -e \"$HOME/ran\" ] || exit 0; echo ran >>\"$HOME/ran\"
        d=$(mktemp -d) && cd \"$d\" && { git init -q && git commit -q --allow-empty -m inner; } >/dev/null 2>&1 </dev/null
        rm -rf \"$d\"; exit 0";
    for (at, args) in PROGRAMS {
        let git_tells = |name| ["pre-commit", "prepare-commit-msg", "commit-msg", "pre-merge-commit"].contains(&name);
        if matches!(at, At::Gpg) || matches!(at, At::Hook(name) if git_tells(name) || name == "reference-transaction") {
            continue;
        }
        let sandbox = guarded();
        install(&sandbox, at, text);
        let run = sandbox.lane(args);
        let settings = sandbox.git(["config", "--file", ".git/config", "--list"]);
        assert!(sandbox.root().join("home/ran").exists(), "{at:?} did not run: {run}");
        assert!(settings.contains("core.bare=false") && !settings.contains("core.worktree"), "{at:?}: {settings}");
        let log = sandbox.git(["log", "--all", "--format=%s"]);
        assert!(!log.contains("inner"), "{at:?}: {log}\n{run}");
    }
}

/// git looks for the hook of a new worktree where its caller stands.
#[test]
fn a_relative_hooks_path_counts_from_where_the_caller_stands() {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "core.hooksPath", "tools/hooks"]);
    program(&sandbox.repo.join("tools/hooks/post-checkout"), NOTE);
    for (start, name) in [("git lane start x", "x"), ("cd src; git lane start y", "y")] {
        let _ = sandbox.run(sandbox.command("sh").args(["-c", start])).ok();
        let notes = noted(&sandbox);
        assert!(notes.len() == 1 && notes[0].contains(&format!("cwd ROOT/shop.lanes/{name}\n")), "{notes:?}");
    }
}

/// Hooks of the configuration run as well, in git's order, the directory's last; one that is switched off does not.
#[test]
fn hooks_of_the_configuration_hear_of_a_new_worktree() {
    if git_version() < (2, 54) {
        return eprintln!("skipped: this git has no hooks in its configuration");
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
    program(&sandbox.repo.join(".git/hooks/post-checkout"), "echo file >>\"$HOME/order\"");
    sandbox.lane(["start", "x"]).ok();
    let order = std::fs::read_to_string(sandbox.root().join("home/order")).unwrap();
    assert_eq!(order, "one\nthree\nfile\n");
}
