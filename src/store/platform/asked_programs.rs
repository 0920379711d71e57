//! What ps(1), lsof(8), sysctl(8) and ioreg(8) tell of processes and of the machine, where there is no
//! /proc.
//!
//! `store/platform` gives it to the same callers as what it reads on Linux, and `engines/platform` asks
//! for rows of its own. A column has an `-o` of its own: in a list, macOS takes all that follows the
//! first `=` for one header. Times are asked for in UTC, in the words of the C locale, so that
//! each caller gets the same ones.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use bstr::ByteSlice;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{ProcessStat, SHELLS, host_name, one_word, shell_probe};

/// Where lsof is; PATH may lead into a worktree.
const LSOF: [&str; 2] = ["/usr/sbin/lsof", "/usr/bin/lsof"];

/// The option by which ps shows the environment too.
const WITH_ENVIRONMENT: &str = if cfg!(target_os = "linux") { "e" } else { "-E" };

/// What a program of the system says, be it with an error; `None` where it cannot be run.
fn ask(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .env("TZ", "UTC0")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    Some(command.output().ok()?.stdout)
}

/// The rows that ps has for these columns, without headers; `which` says of which processes.
pub fn ps(which: &[&str], columns: &[&str]) -> Option<Vec<u8>> {
    let columns: Vec<String> = columns.iter().map(|column| format!("{column}=")).collect();
    let mut arguments = which.to_vec();
    for column in &columns {
        arguments.extend(["-o", column]);
    }
    ask("/bin/ps", &arguments)
}

/// What lsof lists; `None` where there is none, or where it says nothing at all. It ends with an error
/// when it could not look at everything, and still says what it saw.
pub fn lsof(arguments: &[&str]) -> Option<Vec<u8>> {
    let lsof = LSOF.into_iter().find(|path| Path::new(path).exists())?;
    // Bytes of other characters are written as they are, or as \xHH.
    let said = ask(lsof, &[&["-w", "-n", "-P"], arguments].concat())?;
    Some(said).filter(|said| !said.is_empty())
}

/// The groups that a user is in, as id(1) has them.
pub fn groups_of(user: u32) -> Vec<u32> {
    let said = ask("/usr/bin/id", &["-G", &user.to_string()]).unwrap_or_default();
    said.fields()
        .filter_map(|group| number(Some(group)))
        .collect()
}

fn number<T: std::str::FromStr>(field: Option<&[u8]>) -> Option<T> {
    field?.to_str().ok()?.parse().ok()
}

const COLUMNS: [&str; 5] = ["pid", "ppid", "pgid", "stat", "lstart"];

/// One process.
pub fn stat(id: i32) -> Option<ProcessStat> {
    let said = ps(&["-p", &id.to_string()], &COLUMNS)?;
    said.lines().find_map(parse).filter(|found| found.id == id)
}

/// Every process.
pub fn all() -> Option<Vec<ProcessStat>> {
    let said = ps(&["-A"], &COLUMNS)?;
    let found: Vec<ProcessStat> = said.lines().filter_map(parse).collect();
    // This process itself is one: an empty list is no answer.
    (!found.is_empty()).then_some(found)
}

fn parse(line: &[u8]) -> Option<ProcessStat> {
    let mut fields = line.fields();
    let (id, parent) = (number(fields.next())?, number(fields.next())?);
    let (group, state) = (number(fields.next())?, fields.next()?);
    Some(ProcessStat {
        id,
        parent,
        group,
        is_zombie: state.starts_with(b"Z"),
        started: seconds(&fields.collect::<Vec<_>>())?,
    })
}

/// `Tue Dec  1 14:14:05 2026` in seconds since 1970.
fn seconds(words: &[&[u8]]) -> Option<u64> {
    let text = words.join(&b' ');
    let moment = DateTime::strptime("%a %b %d %H:%M:%S %Y", text.to_str().ok()?).ok()?;
    let moment = moment.to_zoned(TimeZone::UTC).ok()?.timestamp();
    u64::try_from(moment.as_second()).ok()
}

/// The system gives numbers in no order that could be relied on.
pub fn last_number() -> Option<i32> {
    None
}

/// Whether it is a shell that is itself in the foreground of its terminal.
pub fn is_idle_shell(id: i32) -> bool {
    let columns = ["pgid", "tpgid", "stat", "ucomm"];
    let said = ps(&["-p", &id.to_string()], &columns).unwrap_or_default();
    said.lines().any(is_at_its_prompt)
}

/// A process that has slept for long is `I` on macOS.
fn is_at_its_prompt(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.fields().collect();
    let [group, foreground, state, name] = fields[..] else {
        return false;
    };
    group == foreground && matches!(state.first(), Some(b'S' | b'I')) && SHELLS.contains(&name)
}

/// Its arguments, each ended by a zero byte: a blank in one of them cannot be told from one between
/// two.
pub fn arguments(id: i32) -> Option<Vec<u8>> {
    let said = ps(&["-ww", "-p", &id.to_string()], &["args"])?;
    let words = said.fields().flat_map(|word| [word, b"\0"]);
    Some(words.collect::<Vec<_>>().concat()).filter(|words| !words.is_empty())
}

/// ps knows whole seconds: too little to tell what a process has written from what was there before.
pub fn began(_: &ProcessStat) -> Option<SystemTime> {
    None
}

/// Nothing quick tells; git starts git-lane by that name, which its arguments have.
pub fn runs_this_program(_: i32) -> bool {
    false
}

/// Whether only another user may look at a process.
pub fn is_hidden(id: i32) -> bool {
    let said = ps(&["-p", &id.to_string()], &["uid"]).unwrap_or_default();
    let own = rustix::process::getuid().as_raw();
    number(said.fields().next()).is_some_and(|user: u32| user != own && own != 0)
}

/// Whether it began with that `NAME=value` in its environment. macOS does not show the environment of
/// the system's own programs, a shell among them: what is not seen is not known.
pub fn has_in_environment(id: i32, setting: &str) -> Option<bool> {
    let said = ps(
        &[WITH_ENVIRONMENT, "-ww", "-p", &id.to_string()],
        &["command"],
    )?;
    let is_there = said.fields().any(|word| word == setting.as_bytes());
    is_there.then_some(true)
}

/// Whether its standard input is that file.
pub fn has_on_stdin(id: i32, file: &File) -> Option<bool> {
    let given = file.metadata().ok().filter(|given| given.is_file())?;
    let said = lsof(&["-F", "Di", "-a", "-d", "0", "-p", &id.to_string()])?;
    // Device numbers have 32 bits, which is all that lsof writes of them.
    let found = device_and_inode(&said)?;
    Some(found == (given.dev() & u64::from(u32::MAX), given.ino()))
}

/// The `D0x…` and `i…` of lsof's only file.
fn device_and_inode(listing: &[u8]) -> Option<(u64, u64)> {
    let field = |kind: &[u8]| listing.lines().find_map(|line| line.strip_prefix(kind));
    let device = u64::from_str_radix(field(b"D0x")?.to_str().ok()?, 16).ok()?;
    Some((device & u64::from(u32::MAX), number(field(b"i"))?))
}

/// Nothing tells who holds a flock.
pub fn flock_holder(_: &File) -> Option<i32> {
    None
}

/// Which of the `asked` signals this process began with as ignored ones.
pub fn ignored_signals(asked: &[i32]) -> Vec<i32> {
    shell_probe::ignored_signals(asked)
}

/// Which boot of this machine it is; empty where the system has no word for it.
pub fn boot() -> String {
    static BOOT: OnceLock<String> = OnceLock::new();
    let found = BOOT.get_or_init(|| {
        let said = ask("/usr/sbin/sysctl", &["-n", "kern.bootsessionuuid"]);
        one_word(&said.unwrap_or_default().to_str_lossy())
    });
    found.clone()
}

/// The numbers of processes are counted once on the machine.
pub fn namespace() -> String {
    String::new()
}

/// The machine: its name follows the network that it is in, so its serial number is asked first.
pub fn machine() -> String {
    static MACHINE: OnceLock<String> = OnceLock::new();
    let found = MACHINE.get_or_init(|| {
        let said = ask("/usr/sbin/ioreg", &["-rd1", "-c", "IOPlatformExpertDevice"]);
        hardware_id(&said.unwrap_or_default()).unwrap_or_else(host_name)
    });
    found.clone()
}

/// `"IOPlatformUUID" = "…"`.
fn hardware_id(listing: &[u8]) -> Option<String> {
    let line = listing
        .lines()
        .find(|line| line.contains_str("\"IOPlatformUUID\""))?;
    let (_, value) = line.split_once_str("=")?;
    let value = one_word(&value.trim_with(|c| c == ' ' || c == '"').to_str_lossy());
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_row_of_ps_is_a_process() {
        for (line, expected) in [
            (
                " 4711     1  4711 Ss   Tue Dec  1 14:14:05 2026",
                Some((4711, 1, 4711, false, 1_796_134_445)),
            ),
            ("7 6 5 Z+ Thu Jan 1 00:00:09 1970", Some((7, 6, 5, true, 9))),
            // The words of another language, a row that is cut off, a header, nothing.
            ("7 6 5 S Di 1 Dez 14:14:05 2026", None),
            ("7 6 5 S", None),
            ("PID PPID PGID STAT STARTED", None),
            ("", None),
        ] {
            let found = parse(line.as_bytes());
            let found = found.map(|p| (p.id, p.parent, p.group, p.is_zombie, p.started));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_shell_at_its_prompt_is_in_front_of_its_terminal() {
        for (line, is_idle) in [
            ("7 7 Ss+ zsh", true),
            ("7 7 I+ bash", true),
            ("7 9 S bash", false),
            ("7 7 R+ bash", false),
            ("7 0 Ss bash", false),
            ("7 7 S+ vim", false),
            ("7 7 S+", false),
            ("", false),
        ] {
            assert_eq!(is_at_its_prompt(line.as_bytes()), is_idle, "{line}");
        }
    }

    #[test]
    fn a_file_is_known_by_device_and_inode() {
        for (listing, expected) in [
            ("p7\nf0\nD0x1000004\ni8614\n", Some((0x100_0004, 8614))),
            ("p7\nf0\ni8614\n", None),
            ("p7\n", None),
            ("p7\nf0\nD0xzz\ni8614\n", None),
        ] {
            assert_eq!(device_and_inode(listing.as_bytes()), expected, "{listing}");
        }
    }

    #[test]
    fn a_machine_is_known_by_its_serial_number() {
        let listing =
            "+-o J314\n    {\n      \"IOPlatformUUID\" = \"6F1D-AB\"\n      \"x\" = <01>\n    }\n";
        let found = hardware_id(listing.as_bytes());
        assert_eq!(found.as_deref(), Some("6F1D-AB"));
        for nothing in ["", "\"IOPlatformUUID\" = \"\"", "\"IOPlatformUUID\""] {
            assert_eq!(hardware_id(nothing.as_bytes()), None, "{nothing}");
        }
        assert!(!machine().is_empty());
    }

    /// The programs of Linux have the same options, so that what they are asked is tried too.
    #[test]
    fn the_programs_tell_of_this_process_what_proc_does() {
        let id = std::process::id().cast_signed();
        let own = stat(id).unwrap();
        let expected = (
            rustix::process::getppid().map(|id| id.as_raw_nonzero().get()),
            rustix::process::getpgrp().as_raw_nonzero().get(),
        );
        assert_eq!((Some(own.parent), own.group), expected);
        assert!(all().unwrap().iter().any(|one| one.id == id));
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(own.started);
        let age = SystemTime::now().duration_since(began).unwrap();
        assert!(age < Duration::from_secs(3600), "{age:?}");
        let words = arguments(id).unwrap();
        let program = std::env::args().next().unwrap();
        assert!(words.starts_with(program.as_bytes()), "{words:?}");
        assert!(!is_hidden(id) && !is_idle_shell(id) && stat(i32::MAX).is_none());
    }

    #[test]
    fn a_command_is_known_by_its_environment_or_its_input() {
        let file = tempfile::tempfile().unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .env("GIT_LANE_RUN", "a1")
            .stdin(file.try_clone().unwrap())
            .spawn()
            .unwrap();
        let id = child.id().cast_signed();
        // What is not seen is not known.
        let seen = ["GIT_LANE_RUN=a1", "GIT_LANE_RUN=a"].map(|one| has_in_environment(id, one));
        let other = tempfile::tempfile().unwrap();
        let has_lsof = LSOF.into_iter().any(|path| Path::new(path).exists());
        let inputs = [&file, &other].map(|file| has_on_stdin(id, file));
        drop(child.kill().and_then(|()| child.wait()));
        assert_eq!(seen, [Some(true), None]);
        match has_lsof {
            true => assert_eq!(inputs, [Some(true), Some(false)]),
            false => assert_eq!(inputs, [None, None]),
        }
    }
}
