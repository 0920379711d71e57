//! What the kernel of Linux tells of processes, read from /proc.
//!
//! `store/platform` gives it to `process_stat`, `ancestors`, `process_mark`, `lock_holder`, `signals` and
//! `command_run`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bstr::ByteSlice;

use super::{ProcessStat, SHELLS, host_name, one_word, shell_probe};

/// The directory of the process in /proc.
fn directory(id: i32) -> PathBuf {
    Path::new("/proc").join(id.to_string())
}

/// Reads `/proc/<id>/stat`, as proc_pid_stat(5) has it.
pub fn stat(id: i32) -> Option<ProcessStat> {
    // The kernel has all of it for one look; a whole file is read with a dozen.
    let mut stat = [0; 2048];
    let mut file = File::open(directory(id).join("stat")).ok()?;
    let length = file.read(&mut stat).ok()?;
    parse(&stat[..length])
}

fn parse(stat: &[u8]) -> Option<ProcessStat> {
    fn number<T: std::str::FromStr>(field: Option<&[u8]>) -> Option<T> {
        field?.to_str().ok()?.parse().ok()
    }
    // The command's name stands in parentheses and may hold anything.
    let name = stat.find_byte(b'(')?;
    let mut fields = stat[stat.rfind_byte(b')')? + 1..].fields();
    Some(ProcessStat {
        id: number(Some(stat[..name].trim()))?,
        is_zombie: matches!(fields.next()?, b"Z" | b"X"),
        parent: number(fields.next())?,
        group: number(fields.next())?,
        started: number(fields.nth(16))?,
    })
}

/// Every process.
pub fn all() -> Option<Vec<ProcessStat>> {
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Some(ids.filter_map(stat).collect())
}

/// The last number that was given to a process, as proc_loadavg(5) has it.
pub fn last_number() -> Option<i32> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().last()?.parse().ok()
}

/// Whether it is a shell that is itself in the foreground of its terminal: it runs nothing and waits for
/// what its user types.
pub fn is_idle_shell(id: i32) -> bool {
    let stat = std::fs::read(directory(id).join("stat")).unwrap_or_default();
    is_at_its_prompt(&stat).unwrap_or(false)
}

fn is_at_its_prompt(stat: &[u8]) -> Option<bool> {
    let (begin, end) = (stat.find_byte(b'(')?, stat.rfind_byte(b')')?);
    let is_shell = SHELLS.contains(&stat.get(begin + 1..end)?);
    let fields: Vec<&[u8]> = stat[end + 1..].fields().collect();
    // State, parent, group, session, terminal, and the group in the foreground of that.
    let [state, _, group, _, terminal, foreground, ..] = fields[..] else {
        return None;
    };
    let is_in_front = terminal != b"0" && group == foreground;
    Some(is_shell && is_in_front && state == b"S")
}

/// Its arguments, each ended by a zero byte.
pub fn arguments(id: i32) -> Option<Vec<u8>> {
    std::fs::read(directory(id).join("cmdline")).ok()
}

/// When it began, up to a hundredth of a second early.
pub fn began(process: &ProcessStat) -> Option<SystemTime> {
    use rustix::time::{ClockId, clock_gettime};
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let started = Duration::from_nanos(
        (u128::from(process.started) * 1_000_000_000 / u128::from(per_second))
            .try_into()
            .ok()?,
    );
    let now = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
    SystemTime::now().checked_sub(now.checked_sub(started)?)
}

/// Whether its program is the file of this one.
pub fn runs_this_program(id: i32) -> bool {
    let program = |directory: &Path| std::fs::read_link(directory.join("exe")).ok();
    program(Path::new("/proc/self")).is_some_and(|own| program(&directory(id)) == Some(own))
}

/// Whether only another user may look at a process.
pub fn is_hidden(id: i32) -> bool {
    let environment = std::fs::read(directory(id).join("environ"));
    environment.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Whether it began with that `NAME=value` in its environment.
pub fn has_in_environment(id: i32, setting: &str) -> Option<bool> {
    let environment = std::fs::read(directory(id).join("environ")).unwrap_or_default();
    let mut settings = environment.split_str("\0");
    Some(settings.any(|one| one == setting.as_bytes()))
}

/// Whether its standard input is that file.
pub fn has_on_stdin(id: i32, file: &File) -> Option<bool> {
    let given = file.metadata().ok().filter(|given| given.is_file());
    let own = std::fs::metadata(directory(id).join("fd/0")).ok();
    let is_it = given
        .zip(own)
        .is_some_and(|(given, own)| (own.dev(), own.ino()) == (given.dev(), given.ino()));
    Some(is_it)
}

/// The process that holds the flock of a file.
pub fn flock_holder(file: &File) -> Option<i32> {
    let inode = file.metadata().ok()?.ino();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| held(line, inode))
}

/// The process of a line of /proc/locks (proc_locks(5)), where that is a flock of this inode and not a
/// wait for one.
fn held(line: &str, inode: u64) -> Option<i32> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, id, place, ..] = fields[..] else {
        return None;
    };
    let found = place.rsplit(':').next()?.parse::<u64>().ok()?;
    id.parse().ok().filter(|id| found == inode && *id > 0)
}

/// Which of the `asked` signals this process began with as ignored ones.
pub fn ignored_signals(asked: &[i32]) -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let Some(mask) = mask else {
        return shell_probe::ignored_signals(asked);
    };
    let asked = asked.iter().copied();
    asked
        .filter(|signal| mask & (1 << (signal - 1)) != 0)
        .collect()
}

/// Which boot of this machine it is; empty where the system has no word for it.
pub fn boot() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    one_word(&boot.unwrap_or_default())
}

/// Where the numbers of processes are counted that are seen here; empty likewise.
pub fn namespace() -> String {
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    one_word(&namespace.to_string_lossy())
}

/// The machine; a container has none but its own name.
pub fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let id = one_word(&id);
    match id.is_empty() {
        false => id,
        true => host_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_command_may_hold_anything() {
        let rest = "1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        for (name, state, is_zombie) in [
            ("sh", "S", false),
            ("a) Z 7 (b", "R", false),
            ("x\ny", "Z", true),
        ] {
            let found = parse(format!("42 ({name}) {state} {rest}").as_bytes()).unwrap();
            let expected = ProcessStat {
                id: 42,
                parent: 1,
                group: 2,
                is_zombie,
                started: 4711,
            };
            assert_eq!(found, expected, "{name}");
        }
        for damaged in ["", "42", "42 (sh", "42 (sh) S 1", "x (sh) S 1 2 3"] {
            assert_eq!(parse(damaged.as_bytes()), None, "{damaged}");
        }
    }

    #[test]
    fn a_shell_at_its_prompt_is_in_front_of_its_terminal() {
        for (stat, is_idle) in [
            ("7 (bash) S 1 7 7 34816 7 4194560", Some(true)),
            ("7 (zsh) S 1 7 7 34816 7 4194560", Some(true)),
            // It runs something, it works itself, it has no terminal, it is no shell.
            ("7 (bash) S 1 7 7 34816 9 4194560", Some(false)),
            ("7 (bash) R 1 7 7 34816 7 4194560", Some(false)),
            ("7 (bash) S 1 7 7 0 -1 4194560", Some(false)),
            ("7 (vim) S 1 7 7 34816 7 4194560", Some(false)),
            ("7 (bash) S 1", None),
            ("", None),
        ] {
            assert_eq!(is_at_its_prompt(stat.as_bytes()), is_idle, "{stat}");
        }
    }

    #[test]
    fn the_holder_is_found_by_the_inode() {
        for (line, found) in [
            ("1: FLOCK  ADVISORY  WRITE 4711 00:1b:42 0 EOF", Some(4711)),
            ("1: -> FLOCK  ADVISORY  WRITE 4711 00:1b:42 0 EOF", None),
            ("1: POSIX  ADVISORY  WRITE 4711 00:1b:42 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE 4711 00:1b:421 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE -1 00:1b:42 0 EOF", None),
            ("", None),
        ] {
            assert_eq!(held(line, 42), found, "{line}");
        }
    }

    #[test]
    fn a_held_lock_has_a_holder() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(flock_holder(&file), None);
        file.lock().unwrap();
        assert_eq!(flock_holder(&file), Some(std::process::id().cast_signed()));
    }

    #[test]
    fn the_start_of_a_process_is_known_to_a_tick() {
        let tick = Duration::from_millis(10);
        let before = SystemTime::now();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let after = SystemTime::now();
        let started = began(&stat(child.id().cast_signed()).unwrap()).unwrap();
        drop(child.kill().and_then(|()| child.wait()));
        assert!(
            started + tick + tick >= before && started <= after,
            "{started:?} {before:?}"
        );
    }
}
