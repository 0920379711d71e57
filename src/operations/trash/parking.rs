//! Whose a parking place is: a lane on another filesystem than its repository waits beside where it
//! was.
//!
//! The entry in the trash is copied with the repository, the parking place is not. It says which
//! repository it belongs to, so that a copy neither brings the lane back nor lets it expire.

use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use bstr::ByteSlice;

use crate::domain::obstacle::Obstacle;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::store::exists;
use crate::store::lane_files;
use crate::store::lane_files::LaneDir;

/// The file that says it: device and inode of the common directory, then its path.
pub(super) const OWNER: &str = "repository";

/// The same before it has all its text.
const UNFINISHED: &str = ".repository";

/// Makes the parking place beside a lane; in a directory others can write to it might be theirs
/// already. It is its user's alone, or that of all who share the repository
/// (`core.sharedRepository`) and so have its group.
pub fn ensure_own(place: &Path, lane_dir: &LaneDir) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    match std::fs::DirBuilder::new().mode(0o700).create(place) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        other => other.context("create", place)?,
    }
    let (common_dir, shared) = (lane_dir.common_dir(), lane_dir.shared());
    let group = std::fs::metadata(common_dir)
        .context("read", common_dir)?
        .gid();
    let look = || std::fs::symlink_metadata(place).context("read", place);
    let found = look()?;
    if found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() {
        if shared.is_set() {
            // Who is not in the group shares nothing with it.
            let _ = std::os::unix::fs::lchown(place, None, Some(group));
        }
        return if look()?.gid() == group {
            shared.adjust(place).context("share", place)
        } else {
            Ok(())
        };
    }
    if found.is_dir() && shared.is_set() && found.gid() == group && found.mode() & 0o070 == 0o070 {
        return Ok(());
    }
    Err(Error::refused(format!(
        "'{}' is not a directory of yours, and the lane would have to wait there",
        place.display()
    ))
    .with_code(Code::ForeignTrash)
    .hint("move it away, or the lane to the repository's filesystem"))
}

/// Says that `parking` belongs to the repository, before anything is put there.
pub fn claim(parking: &Path, lane_dir: &LaneDir) -> Result<()> {
    lane_dir.replace(&parking.join(OWNER), &text(lane_dir.common_dir())?)
}

fn text(common_dir: &Path) -> Result<Vec<u8>> {
    let found = std::fs::metadata(common_dir).context("read", common_dir)?;
    let mut text = format!("{} {} ", found.dev(), found.ino()).into_bytes();
    text.extend_from_slice(common_dir.as_os_str().as_bytes());
    Ok(text)
}

/// What to tell a user whose lane waits in `parking`, which belongs to another repository than that
/// at `common_dir`. It may be what became of the other: moved to another disk, or brought back from
/// a backup. Only people can know.
pub fn foreign(parking: &Path, common_dir: &Path) -> Result<Obstacle> {
    let file = parking.join(OWNER);
    let said = lane_files::read(&file).unwrap_or_default();
    let owner = crate::store::path(
        said.splitn(3, |byte| *byte == b' ')
            .nth(2)
            .unwrap_or_default(),
    );
    let claim = format!(
        "echo {} > {}",
        quote(text(common_dir)?.to_str_lossy()),
        quote(file.display())
    );
    Ok(Obstacle::OfAnotherRepository {
        place: parking.to_owned(),
        owner,
        claim,
    })
}

/// Takes the claim back; the place is about to go.
pub fn release(parking: &Path) {
    for file in [UNFINISHED, OWNER] {
        drop(std::fs::remove_file(parking.join(file)));
    }
}

/// Whether `parking` belongs to the repository at `common_dir`. One that moved keeps its inode, and
/// one whose filesystem was mounted anew its path. A place that does not say holds nothing yet, or
/// nothing that is known to be ours.
pub fn may_touch(parking: &Path, common_dir: &Path) -> bool {
    let Ok(text) = lane_files::read(&parking.join(OWNER)) else {
        return !exists(&parking.join("worktree"));
    };
    let mut fields = text.splitn(3, |byte| *byte == b' ');
    let mut number = || {
        std::str::from_utf8(fields.next()?)
            .ok()?
            .parse::<u64>()
            .ok()
    };
    let (device, inode) = (number(), number());
    let path = fields.next().unwrap_or_default();
    let Ok(now) = std::fs::metadata(common_dir) else {
        return false;
    };
    inode == Some(now.ino())
        && (device == Some(now.dev()) || path == common_dir.as_os_str().as_bytes())
}
