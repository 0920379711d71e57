//! A hook file of the repository: whether git-lane's block is in it, alone or among what others
//! wrote, and where the hook is kept that was there before.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::error::{IoContext, Result};
use crate::store::exists;
use crate::store::with_end;

/// The line our block of a hook file begins with, without its version.
pub const BEGIN: &str = "# >>> git-lane ";
/// The line it ends with.
pub const END: &str = "# <<< git-lane <<<";

/// What a hook file is.
#[derive(Debug)]
pub enum Found {
    /// None is there.
    Missing,
    /// Nothing but ours.
    Ours(BString),
    /// Our block, and what others have put before and after it.
    Shared(BString, BString),
    /// Not ours.
    Foreign,
}

/// What `file` is.
pub fn read(file: &Path) -> Result<Found> {
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(error).context("read", file),
        // Never ours, wherever it leads.
        Ok(metadata) if !metadata.is_file() => return Ok(Found::Foreign),
        Ok(_) => {}
    }
    let text = BString::from(std::fs::read(file).context("read", file)?);
    let Some(start) = text
        .find(BEGIN)
        .filter(|at| *at == 0 || text[at - 1] == b'\n')
    else {
        return Ok(Found::Foreign);
    };
    let end_line = format!("{END}\n");
    let Some(end) = text[start..]
        .find(&end_line)
        .map(|at| start + at + end_line.len())
    else {
        return Ok(Found::Foreign);
    };
    let (before, after) = (&text[..start], &text[end..]);
    let shebang_only = before
        .lines()
        .all(|line| line.starts_with(b"#!") || line.trim().is_empty());
    match shebang_only && after.trim().is_empty() {
        true => Ok(Found::Ours(text)),
        false => Ok(Found::Shared(before.into(), after.into())),
    }
}

/// Whether a hook file does nothing but call us: neither an older hook nor an addition of the
/// user's runs with it.
pub fn is_ours_alone(file: &Path) -> bool {
    matches!(read(file), Ok(Found::Ours(_))) && !exists(&kept(file))
}

/// Where the hook that was there before is kept.
pub fn kept(file: &Path) -> PathBuf {
    let directory = beside(file.parent().unwrap_or(Path::new(".")));
    directory.join(file.file_name().unwrap_or_default())
}

/// The directory beside `directory` in which its older hooks are kept.
pub fn beside(directory: &Path) -> PathBuf {
    with_end(directory, ".pre-git-lane")
}
