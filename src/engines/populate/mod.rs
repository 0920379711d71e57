//! Fills the working tree and index of a new worktree, several times faster than `git worktree add`
//! does.
//!
//! A file that an existing clean worktree already holds is copied from there, every other one comes
//! from the object database; the index is written with stat data that is not racy and with its
//! cache tree, so the first `git status` has nothing to repair. Whatever takes more than writing a
//! blob's bytes (line endings, encodings) is left to git file by file, and repositories this code
//! cannot be sure of are left to git as a whole.
//!
//! All this happens aside. What may look where it runs, a filter, or what depends on the place, a
//! conditional include, is left until the worktree is in its place: [`complete`] has git write it
//! there.
//!
//! Called by `operations/start`.

mod attributes;
mod child;
mod copy;
mod copy_source;
mod deferred;
mod directories;
mod fill;
mod new_index;
mod objects;
mod sparse;
#[cfg(test)]
mod tests;
mod tree;
mod unsupported;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::error::{Error, Kind, Result};
use crate::store::git::Git;
use crate::store::git::settings;

pub use crate::engines::populate::copy_source::MOST_SOURCES;
pub use crate::engines::populate::deferred::{Place, complete, unwritten};
pub use sparse::Sparse;

/// An existing worktree whose files may be copied.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its top directory.
    pub directory: PathBuf,
    /// Its index file.
    pub index: PathBuf,
}

/// What to fill and from where.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Any handle on the repository: it gives the objects and the options to open the new
    /// worktree's configuration.
    pub repo: &'a gix::Repository,
    /// The commit whose tree is checked out.
    pub commit: gix::ObjectId,
    /// An existing, empty directory; the caller may rename it into place afterwards.
    pub directory: &'a Path,
    /// The new worktree's administrative directory, with `HEAD`, `commondir` (absolute) and
    /// `gitdir`, and with `config.worktree` where the repository uses one. The index is written
    /// here.
    pub admin_dir: &'a Path,
    /// Worktrees that files may be copied from, the most likely one first.
    pub sources: &'a [Source],
    /// Check out these directories only.
    pub sparse: Option<&'a Sparse>,
    /// The git program, for what git does better.
    pub git: &'a Git,
}

/// What was done aside, and whether [`complete`] has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// How the files came about, or will.
    pub how: How,
    /// Whether files wait for the worktree to be in its place.
    pub unfinished: bool,
}

impl From<How> for Filled {
    fn from(how: How) -> Self {
        Filled {
            how,
            unfinished: false,
        }
    }
}

/// How the files came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// This many files were copied from other worktrees, the rest came from the object database.
    Copied {
        /// Never zero.
        files: usize,
    },
    /// Every file came from the object database.
    ObjectDatabase,
    /// Git checked out everything.
    Git,
}

/// Fills `request.directory` with the files of `request.commit` and writes the index to
/// `request.admin_dir`.
///
/// `progress` is called with (files done, files in total), from several threads and not for every
/// file. When `interrupt` becomes true this returns an error of [`Kind::Interrupted`] soon. After
/// any error the directory holds some of the files and has to be removed by the caller.
pub fn populate(
    request: &Request<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
    interrupt: &AtomicBool,
) -> Result<Filled> {
    // The configuration of the new worktree, not of the one the caller happens to stand in. The
    // caller opened the repository and found its owner to be trusted; `gitdir` names a place that
    // does not exist yet and cannot be asked.
    let options = request
        .repo
        .open_options()
        .clone()
        .bail_if_untrusted(false)
        .with(gix::sec::Trust::Full);
    if settings::differ_by_worktree(request.repo) {
        return child::check_out(request, interrupt, Where::InPlace);
    }
    // Without settings of its own the worktree has those that were read when the repository was
    // opened.
    let own = match request
        .repo
        .config_snapshot()
        .boolean("extensions.worktreeConfig")
    {
        None | Some(false) => request.repo.clone(),
        Some(true) => match gix::open_opts(request.admin_dir, options) {
            Ok(own) => own,
            Err(_) => return child::check_out(request, interrupt, Where::InPlace),
        },
    };
    let own = match settings::command_line_counts() {
        true => settings::asked(&own, Some(request.directory), request.admin_dir)?,
        false => own,
    };
    let place = if unsupported::has_filters(&own) {
        Where::InPlace
    } else {
        Where::Aside
    };
    if request.sparse.is_some() || unsupported::about_repository(request, &own) {
        return child::check_out(request, interrupt, place);
    }
    let objects = objects::Objects::of(request.repo);
    let Some(mut plan) = tree::plan(&objects, &own, request.commit)? else {
        return child::check_out(request, interrupt, place);
    };
    let Some(attributes) = attributes::mark_conversions(&own, &mut plan)? else {
        return child::check_out(request, interrupt, place);
    };
    copy_source::assign(request, &mut plan, &attributes);
    stop_if_interrupted(interrupt)?;

    let backdated = fill::Backdated::two_seconds_ago();
    let proof = unsupported::proof(&own);
    let copied = fill::fill(
        request,
        &objects,
        &mut plan,
        fill::Care { backdated, proof },
        progress,
        interrupt,
    )?;
    let settings = new_index::Settings::from_config(&own);
    if plan
        .entries
        .iter()
        .any(|entry| entry.origin == tree::Origin::Git)
    {
        new_index::write(&plan, request.admin_dir, settings)?;
        child::check_out_converted(request, &plan, interrupt)?;
        fill::record_converted(request, &mut plan, backdated)?;
    }
    new_index::write(&plan, request.admin_dir, settings)?;
    progress(plan.entries.len(), plan.entries.len());
    let how = if copied > 0 {
        How::Copied { files: copied }
    } else {
        How::ObjectDatabase
    };
    let unfinished = plan
        .entries
        .iter()
        .any(|entry| entry.origin == tree::Origin::InPlace);
    Ok(Filled { how, unfinished })
}

/// Where git checks out: aside, where a failure leaves nothing to see, or in the worktree's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Aside,
    InPlace,
}

/// Whether what git writes into a worktree can depend on where it is.
pub fn depends_on_place(repo: &gix::Repository) -> bool {
    settings::differ_by_worktree(repo) || unsupported::has_filters(repo)
}

fn stop_if_interrupted(interrupt: &AtomicBool) -> Result<()> {
    if interrupt.load(Ordering::Relaxed) {
        return Err(Error::new(
            Kind::Interrupted,
            "interrupted while checking out files; the lane was not started",
        ));
    }
    Ok(())
}
