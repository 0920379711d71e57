//! What the kernel says of other processes: who started one, which group it is in, and when it
//! began.
//!
//! On Linux it is read from /proc; elsewhere ps(1) tells as much of it as it can. `ancestors` and
//! `command_run` call it.

#[cfg(target_os = "linux")]
use std::io::Read;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessStat {
    /// Its number.
    pub id: i32,
    /// Who started it; 0 at the top.
    pub parent: i32,
    /// The number of its process group.
    pub group: i32,
    /// It has ended, and nobody has asked how.
    pub is_zombie: bool,
    /// When it began, in the kernel's clock ticks since the machine began.
    pub started: u64,
}

/// The directory of the process in /proc.
pub fn directory(id: i32) -> PathBuf {
    Path::new("/proc").join(id.to_string())
}

/// Reads `/proc/<id>/stat`, as proc_pid_stat(5) has it.
#[cfg(target_os = "linux")]
pub fn of(id: i32) -> Option<ProcessStat> {
    // The kernel has all of it for one look; a whole file is read with a dozen.
    let mut stat = [0; 2048];
    let mut file = std::fs::File::open(directory(id).join("stat")).ok()?;
    let length = file.read(&mut stat).ok()?;
    parse(&stat[..length])
}

#[cfg(target_os = "linux")]
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

/// The shells that wait for a user in front of them.
#[cfg(target_os = "linux")]
const SHELLS: [&[u8]; 11] = [
    b"ash", b"bash", b"csh", b"dash", b"fish", b"ksh", b"mksh", b"nu", b"sh", b"tcsh", b"zsh",
];

/// Whether it is a shell that is itself in the foreground of its terminal: it runs nothing and waits for
/// what its user types.
#[cfg(target_os = "linux")]
pub fn is_idle_shell(id: i32) -> bool {
    let stat = std::fs::read(directory(id).join("stat")).unwrap_or_default();
    is_at_its_prompt(&stat).unwrap_or(false)
}

#[cfg(target_os = "linux")]
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

/// Nothing tells.
#[cfg(not(target_os = "linux"))]
pub fn is_idle_shell(_: i32) -> bool {
    false
}

/// Every process of the group that has not ended; `None` where the system does not tell.
pub fn living(group: i32) -> Option<Vec<ProcessStat>> {
    let mut living = all()?;
    living.retain(|found| found.group == group && !found.is_zombie);
    Some(living)
}

/// The same of a group whose leader began a moment ago: the kernel gives numbers in turn, so what the
/// leader has started has one between the leader's own and the last that was given. Most commands
/// are over before many numbers are.
pub fn living_since(leader: i32) -> Option<Vec<ProcessStat>> {
    let Some(last) = last_number().filter(|last| (leader..leader + FEW).contains(last)) else {
        return living(leader);
    };
    let mut living: Vec<ProcessStat> = (leader..=last).filter_map(of).collect();
    living.retain(|found| found.group == leader && !found.is_zombie);
    Some(living)
}

/// More numbers than this are not tried one by one.
const FEW: i32 = 200;

/// The last number that was given to a process, as proc_loadavg(5) has it.
fn last_number() -> Option<i32> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().last()?.parse().ok()
}

/// The processes that a process has started, and those that they have started.
pub fn below(id: i32) -> Vec<i32> {
    let all = all().unwrap_or_default();
    let mut found = vec![id];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let own = all.iter().filter(|process| process.parent == parent);
        let new = own.map(|process| process.id);
        let new: Vec<i32> = new.filter(|id| !found.contains(id)).collect();
        found.extend(new);
        at += 1;
    }
    found.split_off(1)
}

/// Every process.
#[cfg(target_os = "linux")]
fn all() -> Option<Vec<ProcessStat>> {
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Some(ids.filter_map(of).collect())
}

/// The same by ps(1), which tells the start in words.
#[cfg(not(target_os = "linux"))]
pub fn of(id: i32) -> Option<ProcessStat> {
    ask(&["-p", &id.to_string()])?.pop()
}

/// The same by ps(1).
#[cfg(not(target_os = "linux"))]
fn all() -> Option<Vec<ProcessStat>> {
    ask(&["-A"])
}

#[cfg(not(target_os = "linux"))]
fn ask(which: &[&str]) -> Option<Vec<ProcessStat>> {
    let mut ps = std::process::Command::new("/bin/ps");
    let columns = "pid=,ppid=,pgid=,stat=,lstart=";
    let said = ps.env("LC_ALL", "C").args(["-o", columns]).args(which);
    let said = said.output().ok()?.stdout;
    Some(said.lines().filter_map(parse).collect())
}

/// The words of the start are as good as a number: equal where the second is.
#[cfg(not(target_os = "linux"))]
fn parse(line: &[u8]) -> Option<ProcessStat> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    fn number(field: Option<&[u8]>) -> Option<i32> {
        field?.to_str().ok()?.parse().ok()
    }
    let mut fields = line.fields();
    let (id, parent) = (number(fields.next())?, number(fields.next())?);
    let (group, state) = (number(fields.next())?, fields.next()?);
    let mut started = DefaultHasher::new();
    fields.for_each(|word| word.hash(&mut started));
    Some(ProcessStat {
        id,
        parent,
        group,
        is_zombie: state.starts_with(b"Z"),
        started: started.finish(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
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

    #[cfg(target_os = "linux")]
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
    fn this_process_is_in_its_group() {
        let own = of(std::process::id() as i32).unwrap();
        assert_eq!(own.group, rustix::process::getpgrp().as_raw_nonzero().get());
        for living in [living, living_since] {
            let found = living(own.group).unwrap();
            assert!(found.iter().any(|one| one.id == own.id));
        }
    }

    /// The numbers are given in turn, so that both ways find the same.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_leader_has_just_started_is_found_either_way() {
        use std::os::unix::process::CommandExt;
        let mut leader = std::process::Command::new("/bin/sh");
        let line = "sleep 60 & sleep 60 & echo ready; wait";
        let leader = leader.args(["-c", line]).process_group(0);
        let mut leader = leader.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(leader.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let group = leader.id().cast_signed();
        let (all, since) = (living(group).unwrap(), living_since(group).unwrap());
        let group = rustix::process::Pid::from_raw(group).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        leader.wait().unwrap();
        assert_eq!(since.len(), 3, "{since:?}");
        assert!(all.iter().all(|one| since.contains(one)), "{all:?}");
    }
}
