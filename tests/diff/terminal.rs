//! git has the terminal: its pager and its colours are as without git-lane.

use super::worked;
use crate::support::{Sandbox, skipped};

/// What a terminal shows of a command line, and its exit code. `None` where there is no script(1).
fn on_a_terminal(sandbox: &Sandbox, line: &str) -> Option<(i32, String)> {
    let mut command = sandbox.command("script");
    command
        .args(["-qec", line, "/dev/null"])
        .env("TERM", "xterm");
    let Ok(output) = command.output() else {
        skipped("there is no script(1)");
        return None;
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.code().unwrap(), shown))
}

#[test]
fn the_pager_is_gits_and_so_are_the_colours() {
    let sandbox = worked();
    sandbox.git(["config", "core.pager", "sed 's/^/paged: /'"]);
    let Some((code, shown)) = on_a_terminal(&sandbox, "git-lane diff login") else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.lines().all(|line| line.starts_with("paged: ")),
        "{shown}"
    );
    assert!(shown.contains("\u{1b}[32m"), "{shown}");
    // Not so where a program reads.
    let text = sandbox.lane(["diff", "login"]).ok();
    assert!(
        !text.contains("paged") && !text.contains('\u{1b}'),
        "{text}"
    );
}

/// No process of git-lane's is in between: what ends a pager ends git as it does without us.
#[test]
fn the_process_is_gits_own() {
    let sandbox = worked();
    sandbox.git(["config", "diff.external", "cat /proc/$PPID/comm #"]);
    let text = sandbox
        .lane(["diff", "login", "--", "--ext-diff", "--", "README"])
        .ok();
    assert_eq!(text, "git\n");
    let parent = "cat /proc/$(awk '/^PPid/ { print $2 }' /proc/$PPID/status)/comm #";
    sandbox.git(["config", "diff.external", parent]);
    let line = "git-lane diff login -- --ext-diff -- README; :";
    assert_eq!(sandbox.sh(line).ok(), "sh\n");
}
