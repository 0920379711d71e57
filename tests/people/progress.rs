//! Long work on a terminal says what it does, with which lane of how many, and for whom it waits; in a
//! pipe nothing of that is there.

use crate::support::{Sandbox, write};

/// A lane in which something is to be done, and a lock that a process holds which says who it is.
fn held(lock: &str) -> (Sandbox, std::fs::File) {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login", "search"]).ok();
    for lane in ["login", "search"] {
        sandbox.work(lane, lane, "x");
    }
    sandbox.write("new", "x");
    sandbox.commit("new on main");
    let path = sandbox.repo.join(".git/lane").join(lock);
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = file.unwrap();
    file.lock().unwrap();
    (sandbox, file)
}

#[test]
fn a_wait_for_a_lock_says_for_whom() {
    for (lock, line, lane) in [
        (
            "land.lock",
            "git-lane finish login search",
            "landing lane 'login'",
        ),
        ("land.lock", "git-lane sync login", "syncing lane 'login'"),
        ("lock", "git-lane start new", "starting lane 'new'"),
        (
            "lock",
            "git-lane drop --yes login",
            "moving lane 'login' into the trash",
        ),
    ] {
        let (sandbox, file) = held(lock);
        let Some(terminal) = sandbox.terminal((160, 20), line) else {
            return;
        };
        let wait = format!("waiting for process {}: suite", std::process::id());
        let screen = terminal.wait_for(|screen| screen.contains("waiting for"));
        assert!(
            screen.contains(lane) && screen.contains(&wait[..wait.len() - 7]),
            "{line}: {screen}"
        );
        drop(file);
        let shown = terminal.ended();
        assert_eq!(shown.code, 0, "{line}: {}", shown.text);
        assert!(
            !shown.text.contains("waiting for"),
            "{line}: {}",
            shown.text
        );
    }
}

#[test]
fn a_lock_of_git_is_named() {
    let sandbox = Sandbox::new();
    write(&sandbox.repo.join(".git/config.lock"), "");
    let Some(terminal) = sandbox.terminal((100, 20), "git-lane start new") else {
        return;
    };
    terminal
        .wait_for(|screen| screen.contains("waiting for another process to release config.lock"));
    std::fs::remove_file(sandbox.repo.join(".git/config.lock")).unwrap();
    assert_eq!(terminal.ended().code, 0);
}

#[test]
fn several_lanes_are_counted_and_a_filter_that_is_slow_is_not_silent() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitattributes", "*.slow filter=slow\n");
    sandbox.git(["config", "filter.slow.smudge", "sleep 1; cat"]);
    sandbox.git(["config", "filter.slow.clean", "cat"]);
    sandbox.write("one.slow", "x");
    sandbox.commit("slow");
    for (line, wanted) in [
        ("git-lane start new other", "starting 2 lanes"),
        ("git-lane start third", "starting lane 'third'"),
    ] {
        let Some(terminal) = sandbox.terminal((80, 20), line) else {
            return;
        };
        let screen = terminal.wait_for(|screen| screen.contains(wanted));
        assert!(screen.contains("starting"), "{screen}");
        let shown = terminal.ended();
        assert_eq!(shown.code, 0);
        assert!(!shown.text.contains("starting"), "{}", shown.text);
    }
}

#[test]
fn there_is_none_in_a_pipe_and_none_in_a_document() {
    let (sandbox, file) = held("land.lock");
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(900));
        drop(file);
    });
    let run = sandbox.lane(["sync", "login"]);
    assert!(!run.stderr.contains("waiting"), "{run}");
    let _ = run.ok();
    waiting.join().unwrap();
}
