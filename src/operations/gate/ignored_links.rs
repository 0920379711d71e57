//! Links for what a worktree of the user's has in ignored files and directories, so that hooks find
//! in git-lane's own what they find there: `node_modules`, `.env`, a build.
//!
//! A file of the slot names them before they are made, so that none stays after a crash. What stands
//! in the place of one by then is left alone. Called by `own_worktree`.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};
use rustix::fs::{AtFlags, Mode, mkdirat, readlinkat, statat, symlinkat, unlinkat};
use rustix::io::Errno;

use super::slot_layout::Layout;
use crate::domain::lane::Worktree;
use crate::engines::status;
use crate::error::{IoContext, Result};
use crate::repository::Repository;
use crate::store::{careful_removal, lane_files};

/// The file in a slot's directory that names the links: path and target of each, a NUL after both.
const RECORD: &str = "links";

/// A link: its path in the worktree, and where it leads; nowhere, for a directory of links.
type Link = (BString, BString);

/// Links what is ignored in `site` and not there in the slot.
pub fn make(repository: &Repository, layout: &Layout, site: &Worktree) -> Result<()> {
    remove(layout)?;
    let ignored = status::ignored(&repository.git, &site.path, &site.git_dir)?;
    let tree = open_tree(layout)?;
    let mut links: Vec<Link> = Vec::new();
    for path in ignored {
        let path = path.strip_suffix(b"/").unwrap_or(&path);
        if let Some((at, name)) =
            careful_removal::parent(&tree, path).context("read", &layout.tree)?
            && matches!(
                statat(&at, name, AtFlags::SYMLINK_NOFOLLOW),
                Err(Errno::NOENT)
            )
        {
            let target = site.path.join(crate::store::path(path));
            let bytes = |path: &std::path::Path| BString::from(path.as_os_str().as_bytes());
            if !lane_files::is_directory(&target) {
                links.push((path.into(), bytes(&target)));
                continue;
            }
            // A pattern that ends in a slash is for directories, so what is linked is in one.
            links.push((path.into(), BString::default()));
            for entry in crate::store::entries(&target) {
                let name = entry.file_name();
                let own = bstr::concat([path, b"/", name.as_bytes()]);
                links.push((own.into(), bytes(&entry.path())));
            }
        }
    }
    if links.is_empty() {
        return Ok(());
    }
    let mut record = Vec::new();
    for (path, target) in &links {
        record.extend_from_slice(&[path, b"\0".as_slice(), target, b"\0"].concat());
    }
    layout.write(&layout.root()?, RECORD, &record)?;
    for (path, target) in &links {
        if let Some((at, name)) =
            careful_removal::parent(&tree, path).context("read", &layout.tree)?
        {
            let made = match target.is_empty() {
                true => mkdirat(&at, name, Mode::RWXU),
                false => symlinkat(target.as_slice(), &at, name),
            };
            match made {
                Ok(()) | Err(Errno::EXIST) => {}
                failed => failed.context("link", &layout.tree.join(crate::store::path(path)))?,
            }
        }
    }
    Ok(())
}

/// Removes those that lead where git-lane had them lead.
pub fn remove(layout: &Layout) -> Result<()> {
    let links = recorded(layout);
    if links.is_empty() {
        return Ok(());
    }
    if lane_files::is_directory(&layout.tree) {
        let tree = open_tree(layout)?;
        for (path, target) in links.iter().rev() {
            let Ok(Some((at, name))) = careful_removal::parent(&tree, path) else {
                continue;
            };
            if target.is_empty() {
                // A hook may have put something of its own there; then it stays.
                let _ = unlinkat(&at, name, AtFlags::REMOVEDIR);
            } else if leads_to(&at, name, target) {
                unlinkat(&at, name, AtFlags::empty()).context("remove", &layout.tree)?;
            }
        }
    }
    layout.clear(RECORD)
}

/// The paths of those that were made.
pub fn made(layout: &Layout) -> Vec<BString> {
    recorded(layout).into_iter().map(|(path, _)| path).collect()
}

fn recorded(layout: &Layout) -> Vec<Link> {
    let record = lane_files::read(&layout.directory.join(RECORD)).unwrap_or_default();
    let fields: Vec<&[u8]> = record.split_str("\0").collect();
    let (pairs, _) = fields.as_chunks::<2>();
    let link = |[path, target]: &[&[u8]; 2]| ((*path).into(), (*target).into());
    pairs.iter().map(link).collect()
}

fn leads_to(at: &OwnedFd, name: &[u8], target: &[u8]) -> bool {
    readlinkat(at, name, Vec::new()).is_ok_and(|found| found.as_bytes() == target)
}

fn open_tree(layout: &Layout) -> Result<OwnedFd> {
    careful_removal::open(&layout.tree).context("open", &layout.tree)
}
