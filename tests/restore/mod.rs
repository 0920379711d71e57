//! `git lane restore`: everything comes back, byte for byte, and goes on working.

mod complete;
mod interrupted;
mod places;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Sandbox, git_version, write};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Files of every kind a worktree can hold, in every state git knows.
fn fill(sandbox: &Sandbox, path: &Path) {
    write(&path.join(".gitignore"), "ignored\nnode_modules/\n");
    write(&path.join("staged"), "only in the index");
    sandbox.git_in(path, ["add", "staged", ".gitignore"]);
    write(&path.join("staged"), "staged, then changed again");
    write(&path.join("src/app.txt"), "changed");
    write(&path.join("untracked"), "x");
    write(&path.join("ignored"), "secret");
    write(&path.join("node_modules/a/b"), "x");
    std::fs::create_dir_all(path.join("empty/er")).unwrap();
    symlink("/nowhere", path.join("dangling")).unwrap();
    symlink(sandbox.root().join("home"), path.join("home-link")).unwrap();
    write(&path.join("script"), "#!/bin/sh\n");
    mode(&path.join("script"), 0o755);
    write(&path.join("private"), "x");
    mode(&path.join("private"), 0o600);
    write(&path.join("sealed/inside"), "x");
    mode(&path.join("sealed/inside"), 0o444);
    mode(&path.join("sealed"), 0o555);
    write(&path.join(OsStr::from_bytes(b"latin-\xe9-\xff")), "x");
    // Bits that only chmod sets, a directory that hands its group down, one name of several for a
    // file.
    for (name, bits) in [
        ("setuid", 0o4755),
        ("setgid", 0o2755),
        ("unreadable", 0o000),
    ] {
        write(&path.join(name), "x");
        mode(&path.join(name), bits);
    }
    std::fs::create_dir(path.join("shared")).unwrap();
    mode(&path.join("shared"), 0o3777);
    std::fs::hard_link(path.join("untracked"), path.join("second-name")).unwrap();
    std::fs::hard_link(sandbox.repo.join("README"), path.join("name-elsewhere")).unwrap();
    let noted = rustix::fs::setxattr(
        path.join("private"),
        "user.note",
        b"x\0y",
        rustix::fs::XattrFlags::empty(),
    );
    assert!(
        noted.is_ok() || noted == Err(rustix::io::Errno::NOTSUP),
        "{noted:?}"
    );
    let old = std::fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    std::fs::File::open(path.join("script"))
        .unwrap()
        .set_times(old)
        .unwrap();
    std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
    let fifo = std::process::Command::new("mkfifo")
        .arg(path.join("fifo"))
        .status()
        .unwrap();
    assert!(fifo.success());
    sandbox.git_in(path, ["init", "-q", "nested"]);
    write(&path.join("nested/file"), "x");
    sandbox.git_in(&path.join("nested"), ["add", "."]);
    sandbox.git_in(&path.join("nested"), ["commit", "-q", "-m", "nested"]);
    sandbox.git_in(path, ["--no-optional-locks", "status"]);
}
