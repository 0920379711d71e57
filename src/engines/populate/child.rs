//! Starts git for what git does better: a whole checkout, or the files whose content is converted.
//!
//! The child sees the staged administrative directory as its git directory and nothing of the
//! caller's `GIT_*`. `git read-tree` and `git checkout-index` touch the worktree and its index
//! only; `git reset --hard`, which `git worktree add` runs, would take `packed-refs.lock` of the
//! whole repository.

use std::{
    ffi::OsString,
    path::{Path, absolute},
    sync::atomic::AtomicBool,
};

use super::{
    Filled, How, Place, Request, Where, stop_if_interrupted,
    tree::{Origin, Plan},
};
use crate::error::{Error, IoContext as _, Result};
use crate::store::git::without_hooks::no_hooks_of;
use crate::store::git::{Invocation, NONE};
use crate::store::permissions::Shared;

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
            Shared::of(request.repo),
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
    let how = ["--no-recurse-submodules", "-m", "-u"];
    let git = aside(request, options)?.reading_tree(how, [request.commit]);
    run(git, interrupt)?;
    Ok(How::Git.into())
}

fn aside(request: &Request<'_>, sparse: Vec<OsString>) -> Result<Invocation> {
    let mut settings = ASIDE.map(OsString::from).to_vec();
    settings.extend(no_hooks_of(request.repo));
    settings.extend(sparse);
    git(&Place {
        git: request.git,
        settings: &settings,
        directory: request.directory,
        admin_dir: request.admin_dir,
        hash: request.repo.object_hash(),
    })
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
    let shared = Shared::of(request.repo);
    shared.create_dir_all(&info).context("create", &info)?;
    shared.copy(&from, &to).context("copy", &from)?;
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
    let git = aside(request, Vec::new())?;
    run(git.checking_out(NONE, list), interrupt)
}

/// A git for a worktree, in its place or aside.
pub(super) fn git(place: &Place<'_>) -> Result<Invocation> {
    let full = |path: &Path| absolute(path).context("resolve", path);
    let git = place.git.at(place.directory);
    Ok(git
        .env("GIT_DIR", full(place.admin_dir)?)
        .env("GIT_WORK_TREE", full(place.directory)?)
        .options(place.settings))
}

/// Runs it, and stops it when `interrupt` becomes true.
pub(super) fn run(git: Invocation, interrupt: &AtomicBool) -> Result<()> {
    // A git that is ended right as it makes a lock leaves it.
    stop_if_interrupted(interrupt)?;
    let ended = git.output_unless(interrupt)?;
    stop_if_interrupted(interrupt)?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
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
            .details(serde_json::json!({ "stderr": said, "exitCode": ended.status.code() })),
    )
}
