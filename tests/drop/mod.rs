//! `git lane drop`: into the trash and nowhere else, or not at all.

mod elsewhere;
mod leaving;
mod races;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Sandbox, listing, write};
