//! The login name of the user who runs git-lane: cron, containers and services set no `USER`.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What the environment says, else what the system's user database does; `None` for a user it does
/// not know.
pub fn name() -> Option<String> {
    let said = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    said.or_else(|| {
        // The policy and every event want to know it. It stays what it is while the process lives:
        // no function does anything else for having asked earlier.
        static ASKED: OnceLock<Option<String>> = OnceLock::new();
        ASKED.get_or_init(by_the_system).clone()
    })
}

/// What tells such a user from others: `uid 1000`.
pub fn number() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

fn by_the_system() -> Option<String> {
    let output = Command::new("id")
        .arg("-un")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}
