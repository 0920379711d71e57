//! Rows 1 to 15: names.

mod colliding;
mod told;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{SHELL, assert_calm, executable};
use crate::support::{Sandbox, git_program, write};

/// Every way to hand a name to git-lane.
const VERBS: [&[&str]; 7] = [
    &["start"],
    &["show"],
    &["path"],
    &["drop", "--yes"],
    &["finish"],
    &["restore"],
    &["start", "fine", "--branch"],
];
