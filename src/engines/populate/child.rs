//! Starts git for what git does better: a whole checkout, or the files whose content is converted.
//!
//! The child sees the staged administrative directory as its git directory and nothing of the
//! caller's `GIT_*`. `git read-tree` and `git checkout-index` touch the worktree and its index
//! only; `git reset --hard`, which `git worktree add` runs, would take `packed-refs.lock` of the
//! whole repository.

use std::{
    ffi::OsString,
    io::{Read as _, Write as _},
    path::{Path, absolute},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    Filled, How, Place, Request, Where, stop_if_interrupted,
    tree::{Origin, Plan},
};
use crate::error::{Error, IoContext as _, Result};
use crate::store::git::without_hooks::no_hooks_of;
use crate::store::permissions;

/// No daemon for a directory that is about to be renamed. Filters would inherit such settings; they
/// run in the worktree's place only.
const ASIDE: [&str; 4] = ["-c", "core.fsmonitor=false", "-c", "checkout.workers=0"];

/// Lets git fill the directory and write the index, as sparse as the request and the configuration
/// say; or prepares that for [`complete`](crate::engines::populate::deferred).
pub(super) fn check_out(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    place: Where,
) -> Result<Filled> {
    let config = request.repo.config_snapshot();
    let mut options: Vec<OsString> = Vec::new();
    if let Some(sparse) = request.sparse {
        sparse.write(
            request.admin_dir,
            config.boolean("extensions.worktreeConfig").unwrap_or(false),
        )?;
        options.extend(
            [
                "-c",
                "core.sparseCheckout=true",
                "-c",
                "core.sparseCheckoutCone=true",
            ]
            .map(OsString::from),
        );
    } else {
        inherit_sparse_patterns(request)?;
    }
    if place == Where::InPlace {
        return Ok(Filled {
            how: How::Git,
            unfinished: true,
        });
    }
    options.extend(["read-tree", "--no-recurse-submodules", "-m", "-u"].map(OsString::from));
    options.push(request.commit.to_string().into());
    run_aside(request, &options, &[], interrupt)?;
    Ok(How::Git.into())
}

fn run_aside(
    request: &Request<'_>,
    arguments: &[OsString],
    input: &[u8],
    interrupt: &AtomicBool,
) -> Result<()> {
    let mut settings = ASIDE.map(OsString::from).to_vec();
    settings.extend(no_hooks_of(request.repo));
    let place = Place {
        git: request.git,
        settings: &settings,
        directory: request.directory,
        admin_dir: request.admin_dir,
        hash: request.repo.object_hash(),
    };
    run(&place, arguments, input, interrupt)
}

/// `git worktree add` copies the patterns of the worktree it is run in, since git 2.36.
fn inherit_sparse_patterns(request: &Request<'_>) -> Result<()> {
    let from = request.repo.git_dir().join("info/sparse-checkout");
    let to = request.admin_dir.join("info/sparse-checkout");
    let sparse = request
        .repo
        .config_snapshot()
        .boolean("core.sparseCheckout")
        .unwrap_or(false);
    if !sparse || !from.exists() || to.exists() {
        return Ok(());
    }
    let info = request.admin_dir.join("info");
    permissions::create_dir_all(&info).context("create", &info)?;
    permissions::copy(&from, &to).context("copy", &from)?;
    Ok(())
}

/// Lets git write the files whose origin is [`Origin::Git`]; the index must exist.
pub(super) fn check_out_converted(
    request: &Request<'_>,
    plan: &Plan,
    interrupt: &AtomicBool,
) -> Result<()> {
    let mut list = Vec::new();
    for entry in plan
        .entries
        .iter()
        .filter(|entry| entry.origin == Origin::Git)
    {
        list.extend_from_slice(entry.path(&plan.paths));
        list.push(0);
    }
    run_aside(
        request,
        &["checkout-index", "-z", "--stdin"].map(OsString::from),
        &list,
        interrupt,
    )
}

/// Runs git in a worktree, in its place or aside, and stops it when `interrupt` becomes true.
pub(super) fn run(
    place: &Place<'_>,
    arguments: &[OsString],
    input: &[u8],
    interrupt: &AtomicBool,
) -> Result<()> {
    // A git that is ended right as it makes a lock leaves it.
    stop_if_interrupted(interrupt)?;
    let mut command = Command::new(place.git);
    crate::store::git::scrub(&mut command);
    let full = |path: &Path| absolute(path).context("resolve", path);
    command
        .env("GIT_DIR", full(place.admin_dir)?)
        .env("GIT_WORK_TREE", full(place.directory)?)
        .current_dir(place.directory)
        .args(place.settings)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("start", Path::new(place.git))?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (status, said) = std::thread::scope(|scope| {
        // A child that stops reading has failed, and says so by its status.
        let feeder = scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let listener = scope.spawn(move || {
            let mut said = Vec::new();
            stderr.map(|mut stderr| stderr.read_to_end(&mut said));
            said
        });
        let status = wait(&mut child, interrupt);
        drop(feeder.join());
        (status, listener.join().unwrap_or_default())
    });
    stop_if_interrupted(interrupt)?;
    let status = status.context("wait for", Path::new(place.git))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let reason = said
        .lines()
        .rfind(|line| line.starts_with("fatal:"))
        .or_else(|| said.lines().last());
    let reason = reason
        .unwrap_or("it did not say why")
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ");
    Err(
        Error::git(format!("git could not check out the files: {reason}"))
            .details(serde_json::json!({ "stderr": said, "status": status.code() })),
    )
}

/// Waits for the child, and asks it to stop when `interrupt` becomes true.
fn wait(child: &mut Child, interrupt: &AtomicBool) -> std::io::Result<std::process::ExitStatus> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupt.load(Ordering::Relaxed) {
            // SIGTERM, not SIGKILL: git removes its lock files and stops its filter processes.
            let process = i32::try_from(child.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(process) = process {
                rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
            }
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}
