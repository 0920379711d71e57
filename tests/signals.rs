//! A signal that ends a command leaves no lock of git's behind: it waits for the part that holds
//! one, and plain git works before any git-lane command runs again. The thorough version is in
//! `crash/strike.rs`.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Sandbox, executable, script, skipped, wait_until, write};

/// Sends a signal to the git-lane above it, once, while that holds the locks of the refs it is
/// about to change.
const STRIKE: &str = "#!/bin/sh
cat >/dev/null
[ \"$1\" = prepared ] && [ -n \"$STRIKE\" ] && [ ! -e \"$HOME/struck\" ] || exit 0
pid=$PPID
while [ \"$(cat /proc/$pid/comm)\" != git-lane ]; do
  pid=$(ps -o ppid= -p $pid | tr -d ' ') && [ \"$pid\" -gt 1 ] || exit 0
done
echo >\"$HOME/struck\"; kill -$STRIKE $pid; sleep 0.3
";

fn striking() -> Sandbox {
    let sandbox = Sandbox::new();
    let hook = sandbox.repo.join(".git/hooks/reference-transaction");
    executable(&hook, STRIKE);
    sandbox.lane_by_git("x");
    sandbox.work("x", "new", "new");
    sandbox
}

#[test]
fn no_lock_of_gits_is_left() {
    if !Path::new("/proc/self/comm").exists() {
        return skipped("there is no /proc");
    }
    type Prepare = fn(&Sandbox);
    let commands: [(&[&str], Prepare); 6] = [
        (&["start", "y"], |_| {}),
        (&["finish", "x", "--strategy", "merge"], |_| {}),
        (&["finish", "x", "--strategy", "ff", "--keep"], |_| {}),
        (&["drop", "--yes", "x"], |_| {}),
        (&["restore", "x"], |sandbox| {
            drop(sandbox.lane(["drop", "--yes", "x"]).ok())
        }),
        (&["prune", "--yes"], |sandbox| {
            drop(sandbox.git(["merge", "-q", "--no-ff", "-m", "m", "x"]))
        }),
    ];
    for (args, prepare) in commands {
        for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("QUIT", 3)]
            .into_iter()
            .filter(|(_, number)| !is_ignored(*number))
        {
            let sandbox = striking();
            prepare(&sandbox);
            let run = sandbox.run(sandbox.command("git-lane").args(args).env("STRIKE", signal));
            assert!(
                sandbox.root().join("home/struck").exists(),
                "nothing was struck: {run}"
            );
            let left = sandbox.locks_of_git();
            assert!(left.is_empty(), "{signal}: {left:?} {run}");
            assert_eq!(run.code, 128 + number, "{run}");
            sandbox.git(["commit", "-q", "--allow-empty", "-m", "works"]);
            sandbox.plain_git_works();
        }
    }
}

/// Whether this process ignores a signal, and with it what it starts: a shell has SIGINT ignored in
/// its background.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// nohup(1) has the hang-up ignored, for good.
#[test]
fn an_ignored_signal_stays_ignored() {
    if !Path::new("/proc/self/comm").exists() {
        return skipped("there is no /proc");
    }
    let sandbox = striking();
    let mut shell = sandbox.command("sh");
    shell
        .args(["-c", "trap '' HUP; exec git-lane finish x --keep"])
        .env("STRIKE", "HUP");
    let _ = sandbox.run(&mut shell).ok();
    assert!(sandbox.root().join("home/struck").exists());
    assert_eq!(sandbox.git(["show", "main:new"]), "new");
}

/// Waiting for a lock of another git's, or for another landing, ends at once.
#[test]
fn waiting_ends_at_once() {
    let sandbox = striking();
    for (file, args) in [
        ("config.lock", &["start", "y"][..]),
        ("lane/land.lock", &["finish", "x"]),
    ] {
        let path = sandbox.repo.join(".git").join(file);
        write(&path, "");
        let held = std::fs::File::open(&path).unwrap();
        held.lock().unwrap();
        let mut command = sandbox.command("git-lane");
        let mut child = command
            .args(args)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        assert!(child.try_wait().unwrap().is_none(), "{args:?} did not wait");
        let started = Instant::now();
        let mut kill = sandbox.command("kill");
        let _ = sandbox
            .run(kill.args(["-TERM", &child.id().to_string()]))
            .ok();
        let status = child.wait().unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{args:?}: {:?}",
            started.elapsed()
        );
        assert!(!status.success(), "{args:?}: {status}");
        drop(held);
        std::fs::remove_file(path).unwrap();
        assert!(sandbox.locks_of_git().is_empty());
    }
}

/// What is typed while an editor has the terminal is for the editor alone, as it is while git waits
/// for one.
#[test]
fn an_editor_has_the_terminal_to_itself() {
    use std::os::unix::process::CommandExt;
    if !Path::new("/proc/self/comm").exists() || is_ignored(2) || is_ignored(3) {
        return skipped("there is no /proc, or SIGINT or SIGQUIT is ignored");
    }
    let edit = |text: &str, signal: &str| {
        let sandbox = striking();
        let editor = sandbox.root().join("home/editor");
        // A git that has just started it would still die of the signal.
        let ready = "git=$(ps -o ppid= -p $PPID | tr -d ' ')
            until grep -q '^SigCgt:.*[67ef]$' /proc/$git/status; do sleep 0.01; done; echo \
            >\"$HOME/editing\"";
        script(
            &editor,
            format!("{text}\n{ready}\nwhile :; do sleep 0.05; done\n"),
        );
        let mut command = sandbox.command("git-lane");
        command
            .args(["finish", "x", "--keep", "--edit", "--strategy", "merge"])
            .env("GIT_EDITOR", &editor);
        let child = command
            .process_group(0)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until(|| sandbox.root().join("home/editing").exists());
        let mut kill = sandbox.command("kill");
        let _ = sandbox
            .run(kill.args([&format!("-{signal}"), "--", &format!("-{}", child.id())]))
            .ok();
        let ended = child.wait_with_output().unwrap();
        (sandbox, ended)
    };
    for signal in ["INT", "QUIT"] {
        // Longer than git-lane would give it.
        let (sandbox, ended) = edit(
            "trap 'sleep 0.5; echo typed >>\"$1\"; exit 0' INT QUIT",
            signal,
        );
        assert!(ended.status.success(), "{signal}: {ended:?}");
        assert!(
            sandbox
                .git(["log", "-1", "--format=%B", "main"])
                .contains("typed")
        );
        let (sandbox, ended) = edit("", signal);
        assert!(!ended.status.success(), "{signal}: {ended:?}");
        assert_eq!(
            sandbox.git(["log", "-1", "--format=%s", "main"]),
            "first",
            "{signal}"
        );
        sandbox.nothing_under_way();
    }
}

/// A git that git-lane waits for is ended with it, and what it had begun is put right.
#[test]
fn the_git_it_waits_for_ends_too() {
    let sandbox = striking();
    sandbox.hook("pre-commit", "echo >\"$HOME/waiting\"; exec sleep 60");
    write(&sandbox.lane_path("x").join("more"), "more");
    let mut command = sandbox.command("git-lane");
    command
        .args(["finish", "x", "--commit", "m"])
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_until(|| sandbox.root().join("home/waiting").exists());
    let started = Instant::now();
    let _ = sandbox
        .run(
            sandbox
                .command("kill")
                .args(["-TERM", &child.id().to_string()]),
        )
        .ok();
    assert!(!child.wait().unwrap().success());
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert!(sandbox.locks_of_git().is_empty());
    assert_eq!(
        sandbox.git_in(&sandbox.lane_path("x"), ["status", "--porcelain"]),
        "?? more"
    );
}
