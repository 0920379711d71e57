//! The screens on real terminals of every width, in colour and without; the terminal of the tests
//! itself.

use crate::support::{Sandbox, Thirty, WIDTHS, assert_screen, lasting};

#[test]
fn a_terminal_shows_what_is_typed_and_becomes_another_size() {
    let sandbox = Sandbox::empty();
    let line = "stty size; read word; echo \"[$word]\"; stty size; sh -c 'exit 7'";
    let Some(terminal) = sandbox.terminal((40, 10), line) else {
        return;
    };
    terminal.wait_for(|screen| screen.contains("10 40"));
    assert!(!terminal.is_borrowed());
    terminal.resize(60, 12);
    terminal.type_text("grün");
    terminal.press(&["Enter"]);
    let shown = terminal.ended();
    assert_eq!(shown.code, 7);
    assert!(shown.text.ends_with("[grün]\n12 60\n"), "{}", shown.text);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for (line, coloured) in [
        ("git-lane list", true),
        ("NO_COLOR=1 git-lane list", false),
        ("TERM=dumb git-lane list", false),
        ("git-lane list | cat", false),
    ] {
        let Some(shown) = sandbox.shown_at(WIDTHS[1], line) else {
            return;
        };
        assert_eq!(shown.coloured.contains('\u{1b}'), coloured, "{line}");
        assert!(shown.text.contains("login"), "{}", shown.text);
    }
    sandbox.assert_terminals("terminal-config", &["config"]);
}

/// Thirty lanes in every situation at 40, 80 and 120 columns; and once with the colours of a
/// terminal.
#[test]
fn the_list_of_thirty_lanes() {
    let Thirty { sandbox, .. } = Thirty::new();
    sandbox.assert_terminals("thirty-list", &["list"]);
    let chosen = "name,state,base,published,claim,message,task";
    sandbox.assert_terminals("thirty-chosen", &["list", "--columns", chosen]);
    sandbox.assert_terminals("thirty-check", &["check"]);
    let Some(shown) = sandbox.shown_at(80, "git-lane list") else {
        return;
    };
    // What a terminal of any ground shows: bold, faint, red, green, yellow, and back.
    let codes = shown.coloured.split("\u{1b}[").skip(1);
    let codes = codes.filter_map(|rest| rest.split('m').next());
    let known = ["", "0", "1", "2", "22", "31", "32", "33", "39", "49"];
    for code in codes.flat_map(|codes| codes.split(';')) {
        assert!(known.contains(&code), "{code}");
    }
    let mut coloured = sandbox.command("git-lane");
    coloured
        .args(["list", "--status", "working,blocked,ready,done"])
        .args(["--columns", "name,state,base,published,owner"])
        .envs([("CLICOLOR_FORCE", "1"), ("COLUMNS", "80")]);
    let text = sandbox.run(&mut coloured).ok().replace('\u{1b}', "^[");
    assert_screen("thirty-coloured", &lasting(&sandbox, &text));
}
