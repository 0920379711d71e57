//! The way back: a lane in which a conflict was laid out is what it was before, and what was made of
//! the conflict is kept in a commit.
//!
//! The branch passes through that commit, so that its reflog and HEAD's name it for as long as they
//! keep what no branch leads to.

use bstr::BString;

use super::attempt_commit::{commit, entries, snapshot};
use super::resolution_check::why_not_resolved;
use super::{Intent, dead_locks};
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

/// How many layers of rules that a command has made about ignored files are taken off.
const ROUNDS: usize = 10;

/// Puts the lane back, whose worktree is there.
pub(super) fn put_back(
    repository: &Repository,
    scratch: &Scratch,
    intent: &mut Intent,
    running: &mut Running,
) -> Result<PutBack> {
    let Some(site) = intent.site(repository)? else {
        return Ok(PutBack {
            attempt: intent.attempt,
            is_whole: false,
        });
    };
    dead_locks::clear(repository, intent, &site)?;
    let git = || repository.git_as_user_at(&site.path);
    let (head, merged) = (git().rev_parse("HEAD")?, git().rev_parse("MERGE_HEAD")?);
    let branch = repository.ref_target(&intent.branch)?;
    let tree = snapshot(repository, &site, scratch)?;
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
    git().reset_hard(intent.tip)?;
    if status::operation(&site.git_dir) == Some(Operation::Bisect) {
        git().bisect_reset(Some(intent.branch.shorten()))?;
    }
    Ok(())
}

/// Removes the untracked files, all of which came after the merge had begun, once a commit has
/// them; says whether there were any. A repository among them no commit can have, and it stays.
fn remove_leftovers(
    repository: &Repository,
    scratch: &Scratch,
    intent: &mut Intent,
    running: &mut Running,
    (site, tree): (&Worktree, ObjectId),
) -> Result<bool> {
    let mut left: Vec<BString> = repository.git_in(site).list_untracked()?;
    left.retain(|path| !path.ends_with(b"/"));
    if left.is_empty() {
        return Ok(false);
    }
    // What the command's own rules had called ignored.
    if entries(repository, tree, &left)?.len() < left.len() {
        let tree = snapshot(repository, site, scratch)?;
        let made = commit(repository, intent, (site, tree), [])?;
        keep(intent, running, made)?;
        pass_through(repository, intent, site)?;
    }
    let root = careful_removal::open(&site.path).context("open", &site.path)?;
    for path in &left {
        careful_removal::remove(&root, path)
            .context("remove", &site.path.join(crate::store::path(path)))?;
        careful_removal::remove_empty_above(&root, path);
    }
    Ok(true)
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
    if at_home && why_not_resolved(repository, &intent, &site)?.is_none() {
        return Ok(Healing::Whole(Healed::new(what, true)));
    }
    let is_known = tip.is_some() && (tip == Some(intent.tip) || tip == intent.attempt);
    if !at_home || !is_known {
        return Ok(Healing::Part(Unclear {
            what,
            counts: false,
            worktree: site.path,
            meanwhile: Meanwhile::HeadMoved,
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
