//! Where the repositories of the tests are.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A filesystem in memory, as most machines have one.
const MEMORY: &str = "/dev/shm";

const PREFIX: &str = "git-lane-test-";

/// Room for what all tests that run at a time need.
const ROOM: u64 = 2 << 30;

/// Where sandboxes are made: `GIT_LANE_TEST_DIR`, else in memory where programs run there, else
/// where temporary files are. ext4 gives no inode away again for some seconds, and looks through
/// all that were given back: that is most of the time of tests that make and remove thousands.
pub fn place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let asked = std::env::var_os("GIT_LANE_TEST_DIR").map(PathBuf::from);
        let memory = || serves(Path::new(MEMORY)).then(|| MEMORY.into());
        let place = asked.or_else(memory).unwrap_or_else(std::env::temp_dir);
        remove_leftovers(&place);
        place
    })
}

/// A new directory of this process.
pub fn directory_in(place: &Path) -> std::io::Result<TempDir> {
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(place)
}

/// What is shared by many tests is there until their process ends, and nothing runs then.
fn remove_leftovers(place: &Path) {
    let is_alive = |process: &str| Path::new("/proc").join(process).exists();
    let is_dead = |process: &str| is_alive("self") && !is_alive(process);
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let owner = rest.and_then(|rest| rest.split_once('-'));
        if owner.is_some_and(|(process, _)| is_dead(process)) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// A directory on another filesystem than the sandboxes, where there is one.
pub fn elsewhere() -> Option<PathBuf> {
    let device = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    let mut others = [MEMORY.into(), std::env::temp_dir()].into_iter();
    others.find(|other| device(other).is_some() && device(other) != device(place()))
}

/// Whether a directory can be written to, has room, and programs in it can be run.
fn serves(directory: &Path) -> bool {
    let Ok(system) = rustix::fs::statvfs(directory) else {
        return false;
    };
    let unfit = rustix::fs::StatVfsMountFlags::NOEXEC | rustix::fs::StatVfsMountFlags::RDONLY;
    !system.f_flag.intersects(unfit)
        && system.f_bavail * system.f_frsize >= ROOM
        && rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()
}
