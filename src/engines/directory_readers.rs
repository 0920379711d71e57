//! Waits for the gits that read a directory at this moment, as the list of open files has them.
//!
//! `operations/trash/move_mark` asks. Of the processes of another user nothing is found.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::engines::platform::gits_that_read;

/// How long to wait; a git reads a directory for milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until no git reads `directory` any more that reads it now; those that begin later do not
/// count. Returns the process that does not end.
pub fn outlast_gits(directory: &Path) -> Result<(), i32> {
    let start = Instant::now();
    let mut readers = gits_that_read(directory, None);
    while !readers.is_empty() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
        readers = gits_that_read(directory, Some(&readers));
    }
    readers.first().map_or(Ok(()), |id| Err(*id))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// A program of that name that has a directory open for as long as it is told.
    fn reader(name: &str, place: &Path, directory: &Path, seconds: &str) -> std::process::Child {
        let program = place.join(name);
        std::fs::write(
            &program,
            "#!/bin/sh\nexec 9<\"$1\"; echo open; sleep $2; :\n",
        )
        .unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("/bin/sh");
        // The file may be open still in the child of another test.
        command.args(["-c", "until \"$0\" \"$@\"; do sleep 0.01; done"]);
        command.arg(program).arg(directory).arg(seconds);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = [0; 5];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut said)
            .unwrap();
        child
    }

    #[test]
    fn a_git_is_waited_for_as_long_as_it_reads() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let (read, other) = (place.join("read"), place.join("other"));
        for directory in [&read, &other] {
            std::fs::create_dir(directory).unwrap();
        }
        for (name, directory, waits) in [
            ("git", &read, true),
            ("git", &other, false),
            ("git-lane", &read, false),
        ] {
            let mut child = reader(name, &place, directory, "0.3");
            let start = Instant::now();
            outlast_gits(&read).unwrap();
            let waited = start.elapsed() > Duration::from_millis(200);
            assert_eq!(waited, waits, "{name} {}", directory.display());
            child.wait().unwrap();
        }
    }
}
