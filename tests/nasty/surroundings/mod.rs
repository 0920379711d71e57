//! Rows 33 to 40: owners, kinds of repositories, environments, other people's settings, locks and
//! work.

mod planted;
mod repositories;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{assert_calm, executable};
use crate::support::{Sandbox, git_version, write};
