//! Where the repositories of the tests are.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A filesystem in memory, as most machines have one.
const MEMORY: &str = "/dev/shm";

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
        asked.or_else(memory).unwrap_or_else(std::env::temp_dir)
    })
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
