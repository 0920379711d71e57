//! What the tests of shell code share: the shells, and the word when one is missing.

use std::io::Write;
use std::process::{Command, Stdio};

/// Says that a part of a test was not run; past the capture of test output, because that must not
/// look like a pass.
#[expect(
    clippy::explicit_write,
    reason = "what the print macros write is captured"
)]
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    writeln!(std::io::stderr(), "SKIPPED {test}: {why}").unwrap();
}

/// Whether a program is installed; where it is not, that is said.
pub fn installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        skipped(&format!("{program} is not installed"));
    }
    found
}
