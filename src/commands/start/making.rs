//! Makes one lane, and runs what is to run in it.

use bstr::BString;

use crate::commands::start::Args;
use crate::commands::start::start_report::Outcome;
use crate::domain::lane::{Lane, ObjectId, Worktree, WorktreeState};
use crate::domain::start::Creation;
use crate::engines::populate::{How, MOST_SOURCES, Source, Sparse};
use crate::error::{Code, Error, Result};
use crate::operations::start::{Filling, start};
use crate::repository::Repository;
use crate::ui::Ui;

/// Makes one lane; a failing hook does not undo it and comes back beside the outcome.
pub(super) fn create(
    repository: &Repository,
    worktrees: &[Worktree],
    creation: &Creation,
    args: &Args,
    ui: &Ui,
) -> Result<(Outcome, Option<Error>)> {
    let present = worktrees
        .iter()
        .filter(|worktree| worktree.state == WorktreeState::Present)
        .take(MOST_SOURCES);
    let source = |worktree: &Worktree| Source {
        index: worktree.git_dir.join("index"),
        directory: worktree.path.clone(),
    };
    let sources: Vec<Source> = present.map(source).collect();
    let sparse = (!args.sparse.is_empty()).then(|| Sparse {
        directories: args
            .sparse
            .iter()
            .map(|directory| BString::from(directory.as_str()))
            .collect(),
    });
    let progress = ui.progress(format!("lane '{}'", creation.request.name));
    let started = start(
        repository,
        creation,
        &Filling {
            sources: &sources,
            sparse: sparse.as_ref(),
            progress: &|done, total| progress.set(done, total),
        },
    )?;
    drop(progress);
    repository.tell_of_new_index(&started.lane.worktree);
    let mut failure = None;
    if args.recurse_submodules {
        let git = repository.git.at(&started.lane.worktree);
        if git.update_submodules()? != 0 {
            failure = Some(Error::git(format!(
                "lane '{}' was started, but its submodules were not",
                started.lane.name
            )));
        }
    }
    if repository.has_hook("post-checkout") {
        let code = post_checkout(repository, &started.lane, creation)?;
        if code != 0 {
            let text = format!(
                "lane '{}' was started, but the post-checkout hook ended with {code}",
                started.lane.name
            );
            failure = Some(Error::git(text).with_code(Code::HookFailed));
        }
    }
    let mut outcome = Outcome::of(started.lane, true);
    outcome.new_branch = Some(creation.new_branch);
    outcome.upstream = creation
        .upstream
        .as_ref()
        .map(|upstream| upstream.tracking.clone());
    outcome.files = Some(match started.how {
        How::Copied { .. } => "copied",
        How::ObjectDatabase => "object-database",
        How::Git => "git",
    });
    Ok((outcome, failure))
}

/// Runs the repository's own post-checkout hook as `git worktree add` does: in the new worktree,
/// from no commit.
fn post_checkout(repository: &Repository, lane: &Lane, creation: &Creation) -> Result<i32> {
    let null = ObjectId::null(creation.commit.kind()).to_string();
    let commit = creation.commit.to_string();
    repository.run_post_checkout_of_new(&lane.worktree, [&null, &commit, "1"])
}
