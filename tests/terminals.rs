//! The screens on real terminals of every width, in colour and without; the terminal of the tests
//! itself.

use crate::support::{Sandbox, WIDTHS};

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
