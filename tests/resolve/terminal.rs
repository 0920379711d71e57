//! A resolver has the terminal, and what is typed there.

use std::io::{Read, Write};
use std::process::Stdio;

use super::{BOTH, conflicting};
use crate::support::{Sandbox, skipped, wait_until};

/// Runs `finish` with a resolver on a terminal where `typed` is typed once the resolver has begun;
/// its exit code and what was shown. `None` where there is no script(1).
fn on_a_terminal(sandbox: &Sandbox, resolver: &str, typed: &[u8]) -> Option<(i32, String)> {
    let begun = sandbox.root().join("home/begun");
    let program = sandbox.root().join("home/resolver");
    crate::support::script(
        &program,
        format!("#!/bin/sh\ntouch '{}'\n{resolver}\n", begun.display()),
    );
    let line = format!(
        "exec git-lane finish login --on-conflict '{}'",
        program.display()
    );
    let mut command = sandbox.command("script");
    command.args(["-qec", &line, "/dev/null"]);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = piped.spawn() else {
        skipped("there is no script(1)");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    wait_until(|| begun.exists());
    std::thread::sleep(std::time::Duration::from_millis(200));
    stdin.write_all(typed).unwrap();
    let mut shown = Vec::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut shown)
        .unwrap();
    let code = child.wait().unwrap().code().unwrap();
    drop(stdin);
    Some((code, String::from_utf8_lossy(&shown).into_owned()))
}

#[test]
fn it_reads_what_is_typed_and_writes_to_the_terminal() {
    let sandbox = conflicting();
    let resolver = format!(
        "test -t 0 && test -t 1 && test -t 2 && read -r word && echo \"[$word]\" && {BOTH}"
    );
    let Some((code, shown)) = on_a_terminal(&sandbox, &resolver, b"typed\r") else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("[typed]") && shown.contains("was resolved"),
        "{shown}"
    );
}

#[test]
fn ctrl_c_ends_a_resolver_that_hangs_and_the_lane_is_as_before() {
    let sandbox = conflicting();
    let before = sandbox.lane_as_it_is("login");
    let resolver = format!("{BOTH}\nexec sleep 60");
    let Some((code, shown)) = on_a_terminal(&sandbox, &resolver, b"\x03") else {
        return;
    };
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("the lane is as before"), "{shown}");
    assert_eq!(sandbox.lane_as_it_is("login"), before);
}
