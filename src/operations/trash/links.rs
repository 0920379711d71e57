//! The two files by which a worktree and its admin directory name each other
//! (gitrepository-layout(5)).

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{IoContext, Result};
use crate::repository::admin_dir::link;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;
use crate::store::without_dots;

/// Makes the `.git` file of a worktree that is to be at `directory` name its admin directory, for
/// an id or a repository that has moved.
pub(in crate::operations) fn point_at_admin(
    dot_git: &Path,
    directory: &Path,
    admin: &Path,
) -> Result<()> {
    match names(dot_git, directory, admin) {
        true => Ok(()),
        false => write_dot_git(dot_git, directory, admin, Style::Absolute),
    }
}

/// How one of the two names the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::operations) enum Style {
    /// By a path from the root.
    Absolute,
    /// By the way from the directory of the file (`worktree.useRelativePaths`).
    Relative,
}

impl Style {
    /// That of the `.git` file and of the file `gitdir`.
    pub(in crate::operations) fn of_both(directory: &Path, admin: &Path) -> [Self; 2] {
        let of = |file: &Path, before: &[u8]| {
            let text = lane_files::read(file).unwrap_or_default();
            match text
                .strip_prefix(before)
                .is_some_and(|path| path.starts_with(b"/"))
            {
                true => Style::Absolute,
                false => Style::Relative,
            }
        };
        [
            of(&directory.join(".git"), b"gitdir: "),
            of(&admin.join("gitdir"), b""),
        ]
    }

    fn line(self, from: &Path, to: &Path) -> Vec<u8> {
        link(from, to, self == Style::Relative)
    }
}

/// Writes the `.git` file at `dot_git` of a worktree that is, or is to be, at `directory`.
pub(in crate::operations) fn write_dot_git(
    dot_git: &Path,
    directory: &Path,
    admin: &Path,
    style: Style,
) -> Result<()> {
    let line = [b"gitdir: ", style.line(directory, admin).as_slice()].concat();
    // Not shared: a worktree has the modes of the user's umask.
    let temporary = dot_git.with_file_name(".git.lane-new");
    crate::store::lane_files::remove_if_there(&temporary)?;
    let mut file = std::fs::File::create_new(&temporary).context("create", &temporary)?;
    file.write_all(&line).context("write", &temporary)?;
    std::fs::rename(&temporary, dot_git).context("write", dot_git)
}

/// Makes the admin directory in `kept`, which is to be at `admin`, name the place its worktree
/// comes back to: that may be another one when the repository has moved.
pub(in crate::operations) fn point_at_worktree(
    lane_dir: &LaneDir,
    kept: &Path,
    admin: &Path,
    directory: &Path,
) -> Result<()> {
    let gitdir = kept.join("gitdir");
    let text = lane_files::read(&gitdir).unwrap_or_default();
    let named = without_dots(&admin.join(crate::store::path(crate::store::line(&text))));
    if named
        .parent()
        .is_some_and(|named| is_same(named, directory))
    {
        return Ok(());
    }
    let line = [directory.join(".git").as_os_str().as_bytes(), b"\n"].concat();
    lane_dir.replace(&gitdir, &line)
}

/// Writes the file `gitdir` of an admin directory whose worktree is at `directory`.
pub(in crate::operations) fn write_gitdir(
    lane_dir: &LaneDir,
    admin: &Path,
    directory: &Path,
    style: Style,
) -> Result<()> {
    let line = style.line(admin, &directory.join(".git"));
    lane_dir.replace(&admin.join("gitdir"), &line)
}

/// Whether the `.git` file of a worktree that is, or is to be, at `directory` names `admin`.
pub(in crate::operations) fn names(dot_git: &Path, directory: &Path, admin: &Path) -> bool {
    let text = lane_files::read(dot_git).unwrap_or_default();
    let target = crate::store::line(&text)
        .strip_prefix(b"gitdir:")
        .map(|rest| rest.trim_ascii_start());
    target.is_some_and(|target| {
        let target = without_dots(&directory.join(crate::store::path(target)));
        target == admin || std::fs::canonicalize(target).is_ok_and(|target| target == admin)
    })
}

/// Whether two paths, of which nothing need be there, lead to the same place.
fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| {
        path.parent()
            .and_then(|parent| std::fs::canonicalize(parent).ok())
    };
    a == b || a.file_name() == b.file_name() && real(a).is_some_and(|above| real(b) == Some(above))
}
