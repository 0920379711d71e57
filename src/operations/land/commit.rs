//! The commit of a merge or squash, made by git so that identity, dates, encoding and signature are
//! what it would make, and the commit `--commit` makes in the lane first.

use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::outcome::Wording;
use super::verdict::Place;
use crate::domain::finish::Strategy;
use crate::domain::finish::{Facts, Landing};
use crate::domain::lane::{Head, ObjectId, RefName, Worktree};
use crate::domain::message;
use crate::domain::name::LaneName;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::index_lock::{Prepared, remove_copies};
use crate::operations::land::keepalive_ref::is_whole;
use crate::operations::land::landing_hooks::Making;
use crate::operations::land::merge_settings;
use crate::operations::retire::look::{is_locked, wait_for_locks};
use crate::repository::worktree::resolved_head;
use crate::repository::{Repository, upstream};
use crate::store::git;
use crate::store::git::Invocation;
use crate::store::journal::unique_id;
use crate::store::lockfile::LockFile;
use crate::store::signals::Waiting;

/// No git makes a commit for longer.
const DAY: Duration = Duration::from_secs(86_400);

/// The message before hooks and editor: `-m`, or the policy's template; a squash says or lists what
/// it stands for.
pub(super) fn message(
    place: &Place<'_>,
    facts: &Facts,
    landing: &Landing,
    wording: &Wording<'_>,
) -> Result<BString> {
    let lane = &facts.lane;
    let mut text = match wording.message {
        Some(message) => message.to_owned(),
        None => {
            let chosen = || message::expand(&wording.policy.message, lane, &landing.base);
            if landing.strategy == Strategy::Squash {
                // What the base only lacks of its upstream others have said.
                let newer =
                    upstream::newer(place.repository, &RefName::from(&landing.base), place.old)?;
                let beyond = newer.unwrap_or(place.old);
                let range = format!("{beyond}..{}", landing.tip);
                let messages = place.repository.git_here().messages(&range)?;
                match wording.policy.message_is_chosen {
                    true => message::with_subjects(&chosen()?, &messages),
                    false => message::of_squash(lane, &landing.base, &messages),
                }
            } else {
                chosen()?
            }
        }
    };
    if text.trim().is_empty() && !wording.edit {
        return Err(Error::refused("the message is empty")
            .with_code(Code::EmptyMessage)
            .hint("give one with -m"));
    }
    let merges = landing.strategy == Strategy::Merge;
    // `git commit -m` ends the last line, and so does a message of git's own; `git merge -m` keeps
    // what it was given.
    let as_given = merges && wording.message.is_some();
    if !as_given && !text.ends_with('\n') {
        text.push('\n');
    }
    if !merges {
        return Ok(message::with_trailers(&text, lane, &wording.policy.trailers).into());
    }
    let text = merge_settings::with_log(place, text, lane.branch.as_ref())?;
    merge_settings::with_signoff(
        place,
        message::with_trailers(&text, lane, &wording.policy.trailers).into(),
    )
}

/// The commit object.
pub(in crate::operations) fn create(
    place: &Place<'_>,
    making: Making,
    tree: ObjectId,
    message: &BString,
) -> Result<ObjectId> {
    let sign = match making {
        Making::Merge => place.policy.sign.clone(),
        Making::Squash { .. } => place
            .repository
            .config_bool_at(&place.directory, "commit.gpgSign")?
            .then(String::new),
    };
    let key = sign.map(|key| format!("-S{key}"));
    let parents = [place.old, place.tip];
    let parents = match making {
        Making::Merge => &parents[..],
        _ => &parents[..1],
    };
    let git = || {
        let git = place.repository.git_as_user_at(&place.directory);
        let git = place.scratch.contain(git);
        git.commit_tree(key.as_ref(), tree, parents, message.clone())
    };
    git::writing_objects(git, Invocation::object_id)
}

/// Commits everything in a worktree, untracked files included, with git's own hooks; its index is
/// put back when that fails.
pub fn commit_all(
    repository: &Repository,
    lane: &LaneName,
    worktree: &Worktree,
    message: &str,
    no_verify: bool,
) -> Result<()> {
    // git itself does not wait for another git's lock of the index.
    let wait = || wait_for_locks(worktree, false).map_err(|refusal| refusal.refuse(lane));
    wait()?;
    let index = worktree.git_dir.join("index");
    // A signal ends the git that commits, and then the index is still to be put back.
    let _waiting = Waiting::begin();
    remove_copies(&worktree.git_dir, "lane-saved-", DAY);
    let saved = Prepared::copy(
        &index,
        worktree.git_dir.join(format!("lane-saved-{}", unique_id())),
    )?;
    // As a user standing there would run it: without GIT_DIR, which its hooks would inherit.
    let git = || repository.git.at(&worktree.path);
    let add = || git::writing_objects(|| git().adding(&["--all", "--", "."]), Invocation::run);
    let before = head(repository, worktree);
    let added = add().or_else(|error| match is_locked(worktree) {
        true => wait().and_then(|()| add()),
        false => Err(error),
    });
    let committed =
        added
            .and_then(|_| wait())
            .and_then(|()| match git().commit(message, no_verify)? {
                0 => Ok(()),
                code => Err(Error::refused(format!(
                    "git commit ended with exit code {code}; nothing has landed"
                ))
                .with_code(Code::CommitFailed)
                .hint("see what it says above; --no-verify skips the hooks")),
            });
    let committed = match (before, head(repository, worktree)) {
        (Some((_, before)), Some((name, after))) if !is_whole(repository, before, after) => {
            forget(&git, &name, before, after)?;
            Err(Error::environment(format!(
                "a 'git gc' beside it has taken some of the new commit of lane '{lane}' away"
            ))
            .with_code(Code::Raced)
            .hint("the lane is as it was before the commit; run the command again"))
        }
        _ => committed,
    };
    if committed.is_err() && saved.path.exists() {
        LockFile::acquire(&index, repository.lane_dir())?.replace_with(&saved.path)?;
    }
    committed
}

/// The ref that a commit in `worktree` moves, and where it is; `None` where only git can read it.
fn head(repository: &Repository, worktree: &Worktree) -> Option<(String, ObjectId)> {
    match resolved_head(&worktree.git_dir, repository.common_dir()) {
        Head::Branch(branch) => Some((
            branch.to_ref().to_str().ok()?.to_owned(),
            repository.branch_tip(&branch).ok()??,
        )),
        Head::Detached(commit) => Some(("HEAD".into(), commit)),
        Head::Other(_) => None,
    }
}

/// Lets the ref `name` and the logs know nothing of the commit `after` that was made on `before`:
/// what a log names is asked for by git-fsck(1).
fn forget(
    git: &impl Fn() -> Invocation,
    name: &str,
    before: ObjectId,
    after: ObjectId,
) -> Result<()> {
    let entry = |log: &str, at: usize| {
        let named = git().rev_parse(format!("{log}@{{{at}}}"));
        named.ok().flatten()
    };
    let is_last = |log: &str| (entry(log, 0), entry(log, 1)) == (Some(after), Some(before));
    // The first entry is asked of the ref itself.
    let in_head = name != "HEAD" && is_last("HEAD");
    if is_last(name) {
        git().forget_last(name, true)?;
    } else {
        git().update_ref(name, before.to_string(), after.to_string(), None)?;
    }
    if in_head {
        git().forget_last("HEAD", false)?;
    }
    Ok(())
}
