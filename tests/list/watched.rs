//! `git lane list --watch`: on a terminal, for as long as the user looks.

use crate::support::{Sandbox, Terminal, Thirty, wait_until};

fn rows_of(screen: &str, word: &str) -> usize {
    screen.lines().filter(|line| line.contains(word)).count()
}

#[test]
fn it_follows_what_changes_and_leaves_the_terminal_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let line = "echo before; git-lane list --watch";
    let Some(terminal) = sandbox.terminal((80, 12), line) else {
        return;
    };
    let first = terminal.wait_for(|screen| screen.contains("q leaves"));
    assert!(
        first.starts_with("  NAME") && terminal.is_borrowed(),
        "{first}"
    );
    assert!(
        first.contains("* (main)") && first.contains("unused"),
        "{first}"
    );
    // A commit in a lane, a lane more, an edit that no directory tells of, one lane less.
    sandbox.work("login", "login.txt", "x");
    terminal.wait_for(|screen| rows_of(screen, "+1") == 1);
    sandbox.lane(["start", "search"]).ok();
    terminal.wait_for(|screen| rows_of(screen, "search") == 1);
    sandbox.git_in(&sandbox.lane_path("search"), ["branch", "other"]);
    crate::support::write(&sandbox.lane_path("search").join("src/app.txt"), "changed");
    terminal.wait_for(|screen| rows_of(screen, "1 changed") == 1);
    sandbox.lane(["drop", "--yes", "--force", "search"]).ok();
    terminal.wait_for(|screen| rows_of(screen, "search") == 0);
    terminal.press(&["x", "Enter", "q"]);
    let shown = terminal.ended();
    assert_eq!((shown.code, &*shown.text), (0, "before\n"));
    assert!(!terminal.is_borrowed());
}

/// The terminal is as it was: what is typed is shown again, and the cursor too.
fn is_given_back(terminal: &Terminal<'_>) {
    let state = terminal.wait_for(|screen| screen.contains("icanon"));
    let words: Vec<&str> = state.split_whitespace().collect();
    for word in ["icanon", "echo", "isig"] {
        assert!(words.contains(&word), "{word}: {state}");
    }
    assert!(state.contains("susp = ^Z"), "{state}");
    assert!(!terminal.is_borrowed() && terminal.has_cursor());
}

#[test]
fn however_it_ends_the_terminal_is_given_back() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    // The shell passes the signal by; the pid is that of the program.
    let line = "trap : INT; sh -c 'echo $$ >../home/pid; exec git-lane list --watch'; \
                echo \"[code $?]\"; stty -a";
    for end in ["q", "C-c", "TERM"] {
        let Some(terminal) = sandbox.terminal((80, 24), line) else {
            return;
        };
        terminal.wait_for(|screen| screen.contains("q leaves"));
        assert!(!terminal.has_cursor());
        if end == "TERM" {
            let pid = std::fs::read_to_string(sandbox.root().join("home/pid")).unwrap();
            sandbox.sh(&format!("kill -TERM {pid}")).ok();
        } else {
            // Nothing suspends it: the shell would be left on its screen.
            terminal.press(&["C-z", end]);
        }
        is_given_back(&terminal);
        let code = [("q", 0), ("C-c", 130), ("TERM", 143)]
            .into_iter()
            .find(|(by, _)| *by == end);
        let code = format!("[code {}]", code.unwrap().1);
        assert!(
            terminal.screen().contains(&code),
            "{end}: {}",
            terminal.screen()
        );
    }
}

#[test]
fn it_fits_a_terminal_of_any_size_and_says_what_is_left_out() {
    let Thirty { sandbox, names } = Thirty::new();
    let Some(terminal) = sandbox.terminal((80, 12), "git-lane list --watch") else {
        return;
    };
    // The title, ten rows and the foot; thirty-two rows there are.
    let screen = terminal.wait_for(|screen| screen.contains("22 more rows; q leaves"));
    assert_eq!(screen.lines().count(), 12, "{screen}");
    assert!(!screen.contains("\n  login "), "{screen}");
    // A row takes two lines where a name has one of its own.
    terminal.resize(40, 12);
    let screen = terminal.wait_for(|screen| screen.contains("28 more rows; q leaves"));
    assert!(screen.contains("* (main)"), "{screen}");
    terminal.resize(100, 40);
    let screen = terminal.wait_for(|screen| screen.contains("(no lane) by-hand"));
    assert!(
        names.iter().all(|name| screen.contains(name.as_str())),
        "{screen}"
    );
    assert!(!screen.contains("more row"), "{screen}");
    terminal.resize(10, 3);
    terminal.wait_for(|screen| screen.contains("32 more…"));
    terminal.resize(80, 12);
    terminal.press(&["Escape"]);
    assert_eq!(terminal.ended().code, 0);
}

#[test]
fn it_stays_where_its_lane_goes_and_keeps_no_lane() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let line = "cd ../shop.lanes/login && (cd / && exec sleep 60) & \
                cd ../shop.lanes/login && exec 2>&1 && git-lane list --watch";
    let Some(terminal) = sandbox.terminal((80, 12), line) else {
        return;
    };
    let screen = terminal.wait_for(|screen| screen.contains("q leaves"));
    assert!(screen.contains("* login"), "{screen}");
    assert!(
        screen.contains("../../shop\n") || screen.contains(" ."),
        "{screen}"
    );
    sandbox.git(["worktree", "remove", "--force", "../shop.lanes/login"]);
    terminal.wait_for(|screen| rows_of(screen, "missing") == 1);
    terminal.press(&["q"]);
    wait_until(|| !terminal.is_borrowed());
}

#[test]
fn where_there_is_no_terminal_it_says_what_to_do_instead() {
    let sandbox = Sandbox::new();
    for args in [&["list", "--watch"][..], &["list", "--watch", "--json"]] {
        let error = sandbox.lane(args).fails(2);
        assert!(error.contains("git lane list --json"), "{error}");
        assert!(error.contains("git lane wait"), "{error}");
    }
    let Some(shown) = sandbox.shown_at(80, "TERM=dumb git-lane list --watch") else {
        return;
    };
    assert_eq!(shown.code, 2, "{}", shown.text);
    // Where keys come from elsewhere it still can be drawn, and left.
    let line = "trap : INT; git-lane list --watch </dev/null";
    let Some(terminal) = sandbox.terminal((80, 12), line) else {
        return;
    };
    terminal.wait_for(|screen| screen.contains("\nCtrl-C leaves"));
    terminal.press(&["C-c"]);
    assert_eq!(terminal.ended().code, 130);
}
