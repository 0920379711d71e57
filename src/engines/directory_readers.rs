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
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A program of that name that has a directory open until its standard input ends.
    fn reader(name: &str, place: &Path, directory: &Path) -> Child {
        let program = place.join(name);
        std::fs::write(
            &program,
            "#!/bin/sh\nexec 9<\"$1\"; echo open; read line; :\n",
        )
        .unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new("/bin/sh");
        // The file may be open still in the child of another test.
        command.args(["-c", "until \"$0\" \"$@\"; do sleep 0.01; done"]);
        command.arg(program).arg(directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = [0; 5];
        let stdout = child.stdout.as_mut().unwrap();
        stdout.read_exact(&mut said).unwrap();
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
            let mut child = reader(name, &place, directory);
            let (stdin, is_let_go) = (child.stdin.take(), AtomicBool::new(false));
            std::thread::scope(|scope| {
                let let_go = || {
                    is_let_go.store(true, Ordering::SeqCst);
                    drop(stdin);
                };
                if waits {
                    scope.spawn(|| {
                        std::thread::sleep(Duration::from_millis(100));
                        let_go();
                    });
                    outlast_gits(&read).unwrap();
                    assert!(is_let_go.load(Ordering::SeqCst), "{name}");
                } else {
                    outlast_gits(&read).unwrap();
                    assert!(!is_let_go.load(Ordering::SeqCst), "{name}");
                    let_go();
                }
            });
            child.wait().unwrap();
        }
    }
}
