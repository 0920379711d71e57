//! A shell that stands in a lane at its prompt is asked to leave; what works there is named.

use crate::support::{Sandbox, installed};

#[test]
fn an_idle_shell_is_not_to_be_ended() {
    if !installed("bash") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    let line = "(cd ../shop.lanes/login; PS1='at the prompt: ' exec bash --norc)";
    let Some(terminal) = sandbox.terminal((80, 20), line) else {
        return;
    };
    terminal.wait_for(|screen| screen.contains("at the prompt:"));
    let said = sandbox.lane(["drop", "login"]).fails(1);
    assert!(
        said.contains("lane 'login' stays: a shell (bash, process "),
        "{said}"
    );
    assert!(
        said.contains("hint: leave the lane in that shell; go to: cd \"$(git lane path main)\""),
        "{said}"
    );
    assert!(!said.contains("end "), "{said}");
    // What the shell runs is what works there.
    terminal.type_text("sleep 60");
    terminal.press(&["Enter"]);
    let mut said = String::new();
    crate::support::wait_until(|| {
        said = sandbox.lane(["drop", "login"]).fails(1);
        said.contains("(sleep)")
    });
    assert!(
        said.contains("(sleep) works in it") && said.contains("hint: end process "),
        "{said}"
    );
    // The hint is what takes the shell out.
    terminal.press(&["C-c"]);
    terminal.type_text("cd \"$(git lane path main)\"; echo left");
    terminal.press(&["Enter"]);
    terminal.wait_for(|screen| screen.lines().any(|line| line == "left"));
    sandbox.lane(["drop", "login"]).ok();
}
