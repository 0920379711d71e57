//! The way back: a lane in which a conflict was laid out is what it was before, and what was made of
//! the conflict is kept in a commit.
//!
//! The branch passes through that commit, so that its reflog and HEAD's name it for as long as they
//! keep what no branch leads to.

use bstr::BString;

use super::attempt_commit::{commit, entries, salvage};
use super::resolution_check::{lacks, why_not_resolved};
use super::{Intent, dead_locks, resolutions};
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::resolution::PutBack;
use crate::domain::status::Operation;
use crate::engines::history::tree_of;
use crate::engines::status;
use crate::error::{IoContext, Result};
use crate::operations::in_flight;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::repository::recovered::{Healed, Healing, Meanwhile, Unclear};
use crate::store::careful_removal;
use crate::store::journal::{Running, step};
use crate::store::lane_files::remove_if_there;

/// How many layers of rules that a command has made about ignored files are taken off.
const ROUNDS: usize = 10;

/// Puts the lane back, whose worktree is there.
pub(super) fn put_back(
    repository: &Repository,
    scratch: &Scratch,
    intent: &mut Intent,
    running: &mut Running,
) -> Result<PutBack> {
    // Whatever the branch has on the way is no resolution.
    intent.judged = false;
    let Some(site) = intent.site(repository)? else {
        return Ok(PutBack {
            attempt: intent.attempt,
            is_whole: false,
        });
    };
    dead_locks::clear(repository, intent, &site)?;
    if repository.git_in(&site).unmerged().is_err() {
        // No git reads it.
        remove_if_there(&site.git_dir.join("index"))?;
    }
    let git = || repository.git_as_user_at(&site.path);
    let (head, merged) = (git().rev_parse("HEAD")?, git().rev_parse("MERGE_HEAD")?);
    let branch = repository.ref_target(&intent.branch)?;
    let tree = salvage(repository, &site, scratch, intent.known())?;
    // A process that died here has kept it already, unless a gc was faster.
    let known = |commit: &ObjectId| tree_of(&repository.gix, *commit).ok();
    intent.attempt = intent.attempt.filter(|commit| known(commit).is_some());
    let is_kept = intent
        .attempt
        .is_some_and(|commit| branch == Some(commit) || known(&commit) == Some(tree));
    let is_before = Some(tree) == intent.laid_out || tree == tree_of(&repository.gix, intent.tip)?;
    let is_moved = head != Some(intent.tip) || branch != Some(intent.tip);
    if !is_kept && (is_moved || !is_before) {
        let others = [head, branch, merged].into_iter().flatten();
        let made = commit(repository, intent, (&site, tree), others)?;
        keep(intent, running, made)?;
    }
    quit(repository, &site)?;
    let reason = "lane: what was made of a conflict";
    if !intent.is_at_home(&site) {
        git().attach_head(intent.branch.as_bstr(), reason)?;
    }
    pass_through(repository, intent, &site)?;
    step("resolve.reset");
    // A file that goes may be the one that had others ignored.
    for _ in 0..ROUNDS {
        if !remove_leftovers(repository, scratch, intent, running, (&site, tree))? {
            break;
        }
    }
    resolutions::forget(repository, &intent.resolutions)?;
    dead_locks::clear(repository, intent, &site)?;
    let is_whole = match intent.site(repository)? {
        Some(site) => is_as_before(repository, intent, &site)?,
        None => false,
    };
    Ok(PutBack {
        attempt: intent.attempt,
        is_whole,
    })
}

/// Announces the commit before anything goes that it has.
fn keep(intent: &mut Intent, running: &mut Running, made: ObjectId) -> Result<()> {
    intent.attempt = Some(made);
    running.advance(intent)?;
    step("resolve.kept");
    Ok(())
}

/// Has git forget any operation that the command has begun, a merge aside.
fn quit(repository: &Repository, site: &Worktree) -> Result<()> {
    let command = match status::operation(&site.git_dir) {
        Some(Operation::Rebase) => "rebase",
        Some(Operation::Am) => "am",
        Some(Operation::CherryPick | Operation::Sequence) => "cherry-pick",
        Some(Operation::Revert) => "revert",
        Some(Operation::Merge | Operation::Bisect) | None => return Ok(()),
    };
    repository.git_as_user_at(&site.path).quit(command)
}

/// Moves the branch to what is kept, and back to the lane's commit together with index and files.
fn pass_through(repository: &Repository, intent: &Intent, site: &Worktree) -> Result<()> {
    let git = || repository.git_as_user_at(&site.path);
    let now = repository.ref_target(&intent.branch)?;
    if let Some(attempt) = intent.attempt.filter(|attempt| now != Some(*attempt)) {
        let now = now.unwrap_or(ObjectId::null(attempt.kind()));
        let reason = format!(
            "lane: what was made of the conflict with '{}'",
            intent.base.shorten()
        );
        let (to, from) = (attempt.to_string(), now.to_string());
        git().update_ref(intent.branch.as_bstr(), to, from, Some(&reason))?;
        step("resolve.named");
    }
    reset(repository, intent, site)?;
    if repository.config_bool_at(&site.path, "core.sparseCheckout")? {
        // A merge writes what conflicts outside of it too.
        git().reapply_sparse()?;
    }
    if status::operation(&site.git_dir) == Some(Operation::Bisect) {
        git().bisect_reset(Some(intent.branch.shorten()))?;
    }
    Ok(())
}

/// Has index and files be the lane's commit again. Rules that the command has made may name a filter
/// that fails: then it is without filters at first, and once more when those rules are gone.
fn reset(repository: &Repository, intent: &Intent, site: &Worktree) -> Result<()> {
    let git = || repository.git_as_user_at(&site.path);
    let Err(error) = git().reset_hard(intent.tip) else {
        return Ok(());
    };
    let filters = git().filters()?;
    let plain = || git().without_filters(filters.clone());
    plain().reset_hard(intent.tip).map_err(|_| error)?;
    let attributes =
        |path: &BString| path.ends_with(b".gitattributes") && !intent.had_untracked(path);
    let untracked = repository.git_in(site).list_untracked()?;
    let root = careful_removal::open(&site.path).context("open", &site.path)?;
    let kept = match intent.attempt {
        Some(attempt) => entries(repository, attempt, &untracked)?,
        None => Vec::new(),
    };
    for entry in kept.iter().filter(|entry| attributes(&entry.path)) {
        careful_removal::remove(&root, &entry.path)
            .context("remove", &site.path.join(crate::store::path(&entry.path)))?;
    }
    // Without an index git writes every file again.
    remove_if_there(&site.git_dir.join("index"))?;
    git()
        .reset_hard(intent.tip)
        .or_else(|_| plain().reset_hard(intent.tip))
}

/// Removes the untracked files that came after the merge had begun, once a commit has them; says
/// whether there were any. What no commit can have, such as a repository, stays.
fn remove_leftovers(
    repository: &Repository,
    scratch: &Scratch,
    intent: &mut Intent,
    running: &mut Running,
    (site, tree): (&Worktree, ObjectId),
) -> Result<bool> {
    let mut left: Vec<BString> = repository.git_in(site).list_untracked()?;
    left.retain(|path| !path.ends_with(b"/") && !intent.had_untracked(path));
    if left.is_empty() {
        return Ok(false);
    }
    // What the command's own rules had called ignored.
    let mut kept = entries(repository, tree, &left)?;
    if kept.len() < left.len() {
        let tree = salvage(repository, site, scratch, intent.tip)?;
        let made = commit(repository, intent, (site, tree), [])?;
        keep(intent, running, made)?;
        pass_through(repository, intent, site)?;
        kept = entries(repository, tree, &left)?;
    }
    left.retain(|path| kept.iter().any(|entry| entry.path == *path));
    let root = careful_removal::open(&site.path).context("open", &site.path)?;
    for path in &left {
        careful_removal::remove(&root, path)
            .context("remove", &site.path.join(crate::store::path(path)))?;
        careful_removal::remove_empty_above(&root, path);
    }
    Ok(!left.is_empty())
}

fn is_as_before(repository: &Repository, intent: &Intent, site: &Worktree) -> Result<bool> {
    let found = in_flight::worktree_status(repository, site)?;
    Ok(intent.is_at_home(site)
        && repository.ref_target(&intent.branch)? == Some(intent.tip)
        && found.is_clean()
        && found.operation.is_none())
}

/// Puts a lane back whose process died while a conflict was laid out in it; a merge that was
/// committed stays. Where HEAD or its branch is elsewhere, a user has gone on there, and nothing is
/// done.
pub fn recover(
    repository: &Repository,
    mut intent: Intent,
    running: &mut Running,
) -> Result<Healing> {
    let what = intent.what();
    let Some(site) = intent.site(repository)? else {
        return Ok(Healing::Whole(Healed::new(what, false)));
    };
    let at_home = intent.is_at_home(&site);
    let tip = repository.ref_target(&intent.branch)?;
    // Before it was laid out, only git itself can have committed it.
    let is_good = intent.judged || intent.laid_out.is_none();
    if at_home && is_good && why_not_resolved(repository, &intent, &site)?.is_none() {
        return Ok(Healing::Whole(Healed::new(what, true)));
    }
    // What the command has committed itself, before git-lane has looked at it.
    let is_attempt = match tip {
        Some(tip) if !is_good => lacks(repository, &intent, tip)?.is_none(),
        _ => false,
    };
    let is_known = tip.is_some() && (tip == Some(intent.tip) || tip == intent.attempt);
    let is_known = is_known || is_attempt;
    if !at_home || !is_known {
        return Ok(Healing::Part(Unclear {
            what,
            counts: false,
            worktree: site.path,
            meanwhile: Meanwhile::HeadMoved,
        }));
    }
    let is_ended = intent.laid_out.is_some()
        && intent.attempt.is_none()
        && tip == Some(intent.tip)
        && status::operation(&site.git_dir).is_none();
    if is_ended && !in_flight::worktree_status(repository, &site)?.is_clean() {
        return Ok(Healing::Part(Unclear {
            what,
            counts: false,
            worktree: site.path,
            meanwhile: Meanwhile::MergeEnded,
        }));
    }
    let scratch = Scratch::new(repository)?;
    let back = put_back(repository, &scratch, &mut intent, running)?;
    let what = match back.attempt {
        Some(commit) => {
            let commit = commit.to_hex_with_len(10);
            format!("{what} (commit {commit} has what was made of it)")
        }
        None => what,
    };
    Ok(Healing::Whole(Healed::new(what, false)))
}
