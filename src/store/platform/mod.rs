//! What the systems do differently: the one place for it on this floor (`engines/platform` is that of
//! the other). Both sides have the same functions, and their callers do not know which one answers.
//!
//! On Linux the kernel tells of processes and mounts by /proc. macOS has none: ps(1) and lsof(8),
//! which are part of the system, ask proc_pidinfo(3) there. A crate that asks it itself would need
//! libclang to be built (libproc) or know neither open files nor the second's fraction of a start
//! (sysinfo), and the call itself is unsafe, which this crate forbids; the answers of two programs
//! that Linux has too are tested on Linux. What no answer is certain of is `None`, and the caller
//! refuses what must not be guessed. `renameat2` needs nothing here: rustix calls `renameatx_np` by
//! the same name.

#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "tested there, called elsewhere")
)]
mod asked_programs;
mod by_device;
#[cfg(target_os = "linux")]
mod linux_files;
#[cfg(target_os = "linux")]
mod linux_processes;
#[cfg(not(target_os = "linux"))]
mod macos_files;
mod mount_table;
mod shell_probe;

#[cfg(not(target_os = "linux"))]
pub use asked_programs::{
    all, arguments, began, boot, flock_holder, has_in_environment, has_on_stdin, ignored_signals,
    is_hidden, is_idle_shell, last_number, machine, namespace, runs_this_program, stat,
};
#[cfg(any(test, not(target_os = "linux")))]
pub use asked_programs::{groups_of, lsof, ps};
#[cfg(target_os = "linux")]
pub use linux_files::{
    Mounts, PROTECTS_HFS, end_of, inherits_access, mount_number, open_up, other_writers,
};
#[cfg(target_os = "linux")]
pub use linux_processes::{
    all, arguments, began, boot, flock_holder, has_in_environment, has_on_stdin, ignored_signals,
    is_hidden, is_idle_shell, last_number, machine, namespace, runs_this_program, stat,
};
#[cfg(not(target_os = "linux"))]
pub use macos_files::{
    Mounts, PROTECTS_HFS, end_of, inherits_access, mount_number, open_up, other_writers,
};

pub use mount_table::mount_points;

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
    /// When it began, in the system's own count: clock ticks since the machine began on Linux, seconds
    /// since 1970 on macOS.
    pub started: u64,
}

/// The shells that wait for a user in front of them.
const SHELLS: [&[u8]; 11] = [
    b"ash", b"bash", b"csh", b"dash", b"fish", b"ksh", b"mksh", b"nu", b"sh", b"tcsh", b"zsh",
];

fn one_word(text: &str) -> String {
    text.split_whitespace().collect()
}

fn host_name() -> String {
    let name = rustix::system::uname();
    one_word(&name.nodename().to_string_lossy())
}
