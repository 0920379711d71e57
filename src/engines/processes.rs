//! Who works in a directory: the kernel's own list of processes, read from /proc, or where there is
//! none (macOS) what lsof(8) makes of it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bstr::ByteSlice;

use crate::domain::retire::Busy;
use crate::store::ancestors;
use crate::store::entries;
use crate::store::file_id::FileId;
use crate::store::process_stat;

/// How long to look at open files; current directories are always looked at.
const PATIENCE: Duration = Duration::from_millis(40);

/// How long to wait for a git that is about to end: a commit leaves `git maintenance --auto`
/// behind, and another git-lane command may be looking into the lane. One without a name has ended
/// while we looked.
const GIT_PATIENCE: Duration = Duration::from_secs(1);

/// Where lsof is; PATH may lead into a worktree.
const LSOF: [&str; 2] = ["/usr/sbin/lsof", "/usr/bin/lsof"];

/// A process whose current directory, program, or one of whose open files, is in `directory`. Our
/// own process and those that wait for us (the shell, git) are left out, and so is the reader of
/// what we write: `git lane drop | cat`. A process of another user who can write there counts too:
/// the kernel does not tell us where it works.
pub fn working_in(directory: &Path) -> Option<Busy> {
    let start = Instant::now();
    loop {
        let busy = if Path::new("/proc/self/stat").exists() {
            look(directory)
        } else {
            ask_lsof(directory)
        };
        let passing = busy.as_ref().is_some_and(|busy| is_passing(&busy.command));
        if !passing || start.elapsed() > GIT_PATIENCE {
            return busy;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a git may be at work in one of the `places`: it stands there, names one, or does not show
/// where it works. Nothing is known where there is no /proc.
pub fn may_have_git(places: &[PathBuf]) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return true;
    }
    let names_one = |file: PathBuf| {
        let text = std::fs::read(file).unwrap_or_default();
        let name = |place: &PathBuf| text.contains_str(place.as_os_str().as_encoded_bytes());
        places.iter().any(name)
    };
    let is_at_one = |process: &Path| match std::fs::read_link(process.join("cwd")) {
        Ok(cwd) => places.iter().any(|place| cwd.starts_with(place)),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    };
    entries(Path::new("/proc")).any(|process| {
        let process = process.path();
        let comm = std::fs::read(process.join("comm")).unwrap_or_default();
        let is_git = comm.starts_with(b"git") && !comm.starts_with(b"git-lane");
        is_git
            && (is_at_one(&process)
                || names_one(process.join("cmdline"))
                || names_one(process.join("environ")))
    })
}

/// In which of these directories [`working_in`] may find a process: one look at all processes rules
/// the others out.
pub fn may_be_worked_in(directories: &[&Path]) -> Vec<bool> {
    let mut found = vec![false; directories.len()];
    if !Path::new("/proc/self/stat").exists() {
        return vec![true; directories.len()];
    }
    let (spared, start) = (waiting(), Instant::now());
    let own: Vec<Option<FileId>> = directories.iter().map(|path| FileId::of(path)).collect();
    for entry in entries(Path::new("/proc")) {
        let (name, process) = (entry.file_name(), entry.path());
        let id = name.to_str().and_then(|name| name.parse::<i32>().ok());
        if id.is_none_or(|id| spared.contains(&id)) {
            continue;
        }
        // Nothing tells where the processes of another user work.
        if unseen_user(&process).is_some() {
            return vec![true; directories.len()];
        }
        let above = ids_above(process.join("cwd"));
        let files = entries(&process.join("fd")).map(|file| file.path());
        let files = files.take_while(|_| start.elapsed() < PATIENCE);
        let links = [process.join("cwd"), process.join("exe")];
        let links: Vec<PathBuf> = links
            .into_iter()
            .chain(files)
            .filter_map(|link| std::fs::read_link(link).ok())
            .collect();
        for (place, directory) in directories.iter().enumerate() {
            found[place] |= links.iter().any(|link| link.starts_with(directory))
                || own[place].is_some_and(|own| above.contains(&own));
        }
    }
    found
}

/// A directory and those above it, up to the first.
fn ids_above(mut directory: PathBuf) -> Vec<FileId> {
    let mut found = Vec::new();
    while let Some(id) = FileId::of(&directory).filter(|id| found.last() != Some(id)) {
        found.push(id);
        directory.push("..");
    }
    found
}

/// Where the processes stand that we may look at.
pub fn current_directories() -> Vec<PathBuf> {
    let processes = entries(Path::new("/proc"));
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok())
        .collect()
}

fn look(directory: &Path) -> Option<Busy> {
    let spared = waiting();
    let mut others: Vec<(i32, PathBuf)> = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(pid, _)| !spared.contains(pid))
        .collect();
    // What works in a lane started after most of what else runs: time is better spent on the
    // youngest first.
    others.reverse();
    let inside =
        |link: PathBuf| std::fs::read_link(link).is_ok_and(|path| path.starts_with(directory));
    let own = FileId::of(directory);
    let works = |process: &Path| {
        let cwd = process.join("cwd");
        inside(cwd.clone())
            || inside(process.join("exe"))
            || own.is_some_and(|own| is_below(cwd, own))
    };
    let mut found = others
        .iter()
        .find(|(_, process)| works(process) && !shares_our_pipe(process));
    if found.is_none() {
        let start = Instant::now();
        let has_open = |process: &Path| {
            let files = entries(&process.join("fd"));
            files
                .take_while(|_| start.elapsed() < PATIENCE)
                .any(|file| inside(file.path()))
        };
        let mut looked_at = others.iter().take_while(|_| start.elapsed() < PATIENCE);
        found = looked_at.find(|(_, process)| has_open(process) && !shares_our_pipe(process));
    }
    if let Some((pid, process)) = found {
        return Some(Busy {
            pid: *pid,
            command: command_of(process),
            unseen: None,
            is_idle_shell: process_stat::is_idle_shell(*pid),
        });
    }
    let writers = Writers::of(directory)?;
    others.iter().find_map(|(pid, process)| {
        let user = unseen_user(process).filter(|user| writers.include(*user, process))?;
        let command = command_of(process);
        // A git that changes something in the lane holds a lock there; one that tidies up behind a
        // commit does not.
        (!is_passing(&command)).then_some(Busy {
            pid: *pid,
            command,
            unseen: Some(user),
            is_idle_shell: false,
        })
    })
}

/// Whether a process's current directory is `directory`, or below it, under another name: a
/// container has its worktree where a bind mount puts it, and the kernel names it as the process
/// sees it.
fn is_below(mut cwd: PathBuf, directory: FileId) -> bool {
    let mut below = None;
    while let Some(found) =
        FileId::of(&cwd).filter(|found| found.is_beside(directory) && Some(*found) != below)
    {
        if found == directory {
            return true;
        }
        below = Some(found);
        cwd.push("..");
    }
    false
}

fn is_passing(command: &str) -> bool {
    ["git", "git-lane", ""].contains(&command)
}

fn command_of(process: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(process.join("comm")).unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// The other user whose process this is, where the kernel does not show us where it works
/// (proc(5)). Services of the system, which are root's, work in no lane.
fn unseen_user(process: &Path) -> Option<u32> {
    let hidden = std::fs::read_link(process.join("cwd"))
        .is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    let user = std::fs::metadata(process).ok().filter(|_| hidden)?.uid();
    (user != 0 && user != rustix::process::getuid().as_raw()).then_some(user)
}

/// Which users can write in a directory: of their processes nothing tells that they do not work
/// there.
struct Writers {
    mode: u32,
    owner: u32,
    group: u32,
    /// An access control list (acl(5)) names more of them than mode and group do.
    listed: bool,
}

impl Writers {
    fn of(directory: &Path) -> Option<Self> {
        let found = std::fs::metadata(directory).ok()?;
        let listed =
            rustix::fs::getxattr(directory, "system.posix_acl_access", &mut [0; 0][..]).is_ok();
        Some(Writers {
            mode: found.mode(),
            owner: found.uid(),
            group: found.gid(),
            listed,
        })
    }

    fn include(&self, user: u32, process: &Path) -> bool {
        let may = |bit: u32| self.mode & bit != 0;
        (user == self.owner && may(0o200))
            || may(0o002)
            || (may(0o020) && (self.listed || groups(process).contains(&self.group)))
    }
}

fn groups(process: &Path) -> Vec<u32> {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let lines = status.lines().filter_map(|line| {
        line.strip_prefix("Groups:")
            .or_else(|| line.strip_prefix("Gid:"))
    });
    lines
        .flat_map(str::split_ascii_whitespace)
        .filter_map(|id| id.parse().ok())
        .collect()
}

/// This process and every one that waits for it, up to the first.
fn waiting() -> Vec<i32> {
    let own = std::process::id() as i32;
    let above = ancestors::above().map(|process| process.id);
    std::iter::once(own).chain(above).collect()
}

fn shares_our_pipe(process: &Path) -> bool {
    let pipe = |process: &Path, fd: &str| {
        std::fs::read_link(process.join("fd").join(fd))
            .ok()
            .filter(|link| link.to_string_lossy().starts_with("pipe:"))
    };
    let own = Path::new("/proc/self");
    let reads = pipe(process, "0");
    let writes = pipe(process, "1");
    let feeds_us = writes.is_some() && writes == pipe(own, "0");
    feeds_us || (reads.is_some() && (reads == pipe(own, "1") || reads == pipe(own, "2")))
}

/// What lsof finds; nothing where there is no lsof.
fn ask_lsof(directory: &Path) -> Option<Busy> {
    let lsof = LSOF.into_iter().find(|path| Path::new(path).exists())?;
    let mut command = Command::new(lsof);
    command
        .args(["-w", "-n", "-P", "-F", "pcfn", "-u"])
        .arg(rustix::process::getuid().as_raw().to_string());
    // It ends with 1 when it could not look at everything, and still says what it saw.
    let output = command
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    listed(&output.stdout, directory, &waiting())
}

/// Who is in `directory` by lsof's `-F pcfn`: a line `p<pid>` begins a process, `c<command>`
/// describes it, and every `f<descriptor>` has its `n<name>`. Those that are `spared` are left out.
fn listed(listing: &[u8], directory: &Path, spared: &[i32]) -> Option<Busy> {
    let mut process = Busy {
        pid: 0,
        command: String::new(),
        unseen: None,
        is_idle_shell: false,
    };
    for line in listing.lines() {
        let Some((kind, text)) = line.split_first() else {
            continue;
        };
        match kind {
            b'p' => {
                process.pid = text
                    .to_str()
                    .ok()
                    .and_then(|id| id.parse().ok())
                    .unwrap_or_default()
            }
            b'c' => process.command = text.to_str_lossy().into_owned(),
            b'n' if crate::store::path(&unescaped(text)).starts_with(directory)
                && !spared.contains(&process.pid) =>
            {
                return Some(process);
            }
            _ => {}
        }
    }
    None
}

/// lsof writes a backslash as two, and a byte it does not take for printable as `\\xHH`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after
            .strip_prefix(b"x")
            .and_then(|hex| hex.get(..2))
            .and_then(|hex| hex.to_str().ok());
        let (decoded, taken) = match (
            byte,
            after.first(),
            hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()),
        ) {
            (b'\\', _, Some(decoded)) => (decoded, 3),
            (b'\\', Some(b'\\'), _) => (b'\\', 1),
            _ => (byte, 0),
        };
        bytes.push(decoded);
        rest = &after[taken..];
    }
    bytes
}

/// Looks until `look` finds who is expected: a process that another test is just starting holds all
/// our files until it is exec'ed.
#[cfg(test)]
#[track_caller]
fn assert_found(expected: Option<i32>, look: impl Fn() -> Option<Busy>) {
    let start = std::time::Instant::now();
    let mut found = look();
    while found.as_ref().map(|busy| busy.pid) != expected
        && start.elapsed() < std::time::Duration::from_secs(20)
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
        found = look();
    }
    assert_eq!(found.as_ref().map(|busy| busy.pid), expected, "{found:?}");
}

#[cfg(test)]
mod lsof_tests {
    use super::*;

    #[test]
    fn lsof_says_who_is_inside() {
        let listing = [
            "p1\ncinit\nfcwd\nn/\np7\ncsh\nfcwd\nn/lanes/login\n",
            "p9\ncgit-lane\nfcwd\nn/lanes/login\np10\nclsof\nfcwd\nn/\n",
            "p20\ncvim\nfcwd\nn/home\nf4\nn/lanes/login/a \\xc3\\xa9\\\\b\n",
            "p21\ncless\nfcwd\nn/lanes/login2\n",
        ]
        .concat();
        let named = |directory: &str| {
            listed(listing.as_bytes(), Path::new(directory), &[9, 7, 1])
                .map(|busy| (busy.pid, busy.command))
        };
        assert_eq!(named("/lanes/login"), Some((20, "vim".into())));
        assert_eq!(named("/lanes/login/a é\\b"), Some((20, "vim".into())));
        assert_eq!(named("/lanes/login2"), Some((21, "less".into())));
        assert_eq!(named("/lanes/log"), None);
        assert_eq!(listed(b"p\nn\n\nx\npx\nn/", Path::new("/x"), &[]), None);
        // A process whose id cannot be read works there all the same.
        assert!(listed(b"px\ncsh\nn/x", Path::new("/x"), &[]).is_some());
    }

    #[test]
    fn a_real_lsof_finds_a_stranger_and_not_us() {
        if !LSOF.into_iter().any(|path| Path::new(path).exists()) {
            eprintln!("skipped: there is no lsof");
            return;
        }
        let directory = tempfile::Builder::new().prefix("a b\\é").tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        let _open = std::fs::File::create(directory.join("open")).unwrap();
        assert_found(None, || ask_lsof(&directory));
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(&directory)
            .spawn()
            .unwrap();
        assert_found(Some(child.id() as i32), || ask_lsof(&directory));
        let _ = child.kill().and_then(|()| child.wait());
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_found_and_we_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        let file = std::fs::File::create(directory.join("open")).unwrap();
        assert_found(None, || working_in(&directory));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(&directory)
            .spawn()
            .unwrap();
        assert_found(Some(child.id() as i32), || working_in(&directory));
        let _ = child.kill().and_then(|()| child.wait());
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(file)
            .spawn()
            .unwrap();
        assert_found(Some(child.id() as i32), || working_in(&directory));
        let _ = child.kill().and_then(|()| child.wait());
    }

    #[test]
    fn a_program_that_was_built_there_is_found_wherever_it_runs() {
        let directory = tempfile::tempdir().unwrap();
        let directory = std::fs::canonicalize(directory.path()).unwrap();
        std::fs::copy("/bin/sleep", directory.join("server")).unwrap();
        let mut server = Command::new(directory.join("server"));
        server.arg("60").current_dir("/");
        let mut child = loop {
            match server.spawn() {
                // A neighbouring test that forks has the copy open for writing until its own
                // program runs.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now()
                }
                started => break started.unwrap(),
            }
        };
        let found = working_in(&directory);
        let _ = child.kill().and_then(|()| child.wait());
        assert_eq!(found.map(|busy| busy.pid), Some(child.id() as i32));
    }
}
