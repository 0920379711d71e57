//! The only folder that knows git exists.
//!
//! `repository` opens one and answers what is where; `command` starts git; `metadata` writes `.git/config`; `journal`
//! and `lockfile` make every change survive a crash.

pub mod alias;
pub mod ancestors;
pub mod base;
pub mod branch_moved_behind;
mod child_of_git;
pub mod clock;
pub mod command;
mod disk;
pub mod doctor;
mod effective_settings;
pub mod events;
pub mod evidence;
mod exclude;
pub mod facts;
pub mod foreign_hook;
mod heads;
pub mod history;
pub mod hook;
pub mod hook_file;
pub mod identity;
pub mod index_change;
pub mod interrupted;
pub mod journal;
pub mod kept_pack;
pub mod land;
pub mod lane_files;
pub mod lockfile;
pub mod login;
mod main_worktree;
pub mod metadata;
pub mod moved;
pub mod optional;
pub mod overview;
pub mod patience;
pub mod pending;
mod policy_files;
pub mod populate;
pub mod processes;
pub mod provenance;
pub mod quarantine;
pub mod reconcile;
pub mod recover;
pub mod recovered;
mod reflog;
pub mod refs;
pub mod remote_branch;
pub mod renames;
pub mod repository;
pub mod restore;
pub mod retire;
pub mod scratch;
pub mod settings;
pub mod shared;
mod small_file;
pub mod start;
pub mod status;
pub mod steady;
pub mod submodules;
mod switch;
mod transaction;
pub mod trash;
pub mod tree_diff;
pub mod version;
pub mod without_hooks;
pub mod worktree;

/// The path git wrote as bytes.
pub(crate) fn path(bytes: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// What a one-line file of git's says: without the line's end, and with every other byte, for a path may end in a blank.
pub(crate) fn line(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    &text[..end]
}
