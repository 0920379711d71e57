//! Programs that a test writes, and those that a machine may lack.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Run, Sandbox, write};

/// Writes a file that can be run.
pub fn executable(path: &Path, content: impl AsRef<[u8]>) {
    // A link of the sandbox's must not be written through.
    let _ = std::fs::remove_file(path);
    write(path, content);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Writes a shell script that can be run.
pub fn script(path: &Path, text: impl std::fmt::Display) {
    executable(path, format!("#!/bin/sh\n{text}\n"));
}

impl Sandbox {
    /// A hook of the repository's own, as a shell script; its file.
    pub fn hook(&self, name: &str, text: impl std::fmt::Display) -> PathBuf {
        let file = self.repo.join(".git/hooks").join(name);
        script(&file, text);
        file
    }

    /// A shell script with mounts of its own, which ends with 77 where one fails; `None` where
    /// nothing may be mounted.
    pub fn with_mounts(&self, directory: &Path, script: &str) -> Option<Run> {
        if !installed("unshare") {
            return None;
        }
        let mut command = self.command("unshare");
        command.args(["--mount", "sh", "-c", script]);
        let run = self.run(command.current_dir(directory));
        let refused = run.code == 77 || run.stderr.contains("unshare failed");
        if refused {
            skipped("nothing may be mounted here");
        }
        (!refused).then_some(run)
    }
}

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
