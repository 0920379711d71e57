//! The base's new commits in a lane: computed in memory, asked about by the user's hooks, and put in
//! place together with the files of the lane's worktree, or not at all.
//!
//! It is a landing of the base on the lane's branch, made of the parts of `operations/land`.

use bstr::ByteSlice;

use super::sync_facts;
use super::{Bringing, Brought, How};
use crate::domain::finish::Relation;
use crate::domain::lane::{Lane, ObjectId, RefName, Worktree};
use crate::domain::merge_policy::FastForward;
use crate::domain::retire;
use crate::domain::shell_word::quote;
use crate::domain::sync::{self, Moving, Plan, Refusal, Strategy};
use crate::domain::{finish, name::LaneName};
use crate::engines::evidence::{Arrival, Pair};
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Synced, Why};
use crate::operations::in_flight;
use crate::operations::land::apply::{Moved, apply, is_half_landed};
use crate::operations::land::keepalive_ref::{self, Kept};
use crate::operations::land::landing_facts::ensure_still_meant;
use crate::operations::land::landing_hooks::{self, Making};
use crate::operations::land::landing_lock::Turn;
use crate::operations::land::merge::{Bench, conflict};
use crate::operations::land::obstacles_ahead::{foretell_laid_out, foretell_obstacles};
use crate::operations::land::outcome::Wording;
use crate::operations::land::replay::{Replay, Replayed};
use crate::operations::land::verdict::{Place, site_of};
use crate::operations::land::{ATTEMPTS, commit, merge_settings};
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;
use crate::repository::revision::merge_base;
use crate::repository::{Repository, identity};
use crate::store::git::{Merged, NONE};

/// What the lane's branch is to become.
struct Made {
    new: ObjectId,
    /// What the new commits were made on; `None` where none was made.
    made_on: Option<ObjectId>,
    how: How,
    /// The lane's commits that were made anew, and what was made of each.
    rewritten: Vec<(ObjectId, ObjectId)>,
}

/// Brings what is new on the base into the lane; `None` where nothing is new by then.
///
/// # Errors
/// A conflict or a refusal, with nothing changed.
pub(super) fn carry_out(
    repository: &mut Repository,
    lane: &Lane,
    asked: &Bringing<'_>,
) -> Result<Option<Brought>> {
    let turn = Turn::take_to(repository, "sync a lane")?;
    let scratch = Scratch::new(repository)?;
    for _ in 0..ATTEMPTS {
        // The process that had the turn before us may have died in the middle of it.
        (asked.heal)(repository)?;
        let repository = &*repository;
        let worktrees = repository.worktrees()?;
        let facts = sync_facts::gather(repository, &worktrees, lane, &asked.request)?;
        let Plan::Move(moving) = sync::plan(&facts, &asked.request)? else {
            return Ok(None);
        };
        let place = place(repository, &scratch, &worktrees, &lane.name, &moving)?;
        let made = make(&place, &moving, asked.wording)?;
        // Whatever is made is kept from any gc until the branch has it.
        let (young, kept) = match made.made_on {
            Some(made_on) => {
                let view = scratch.view(repository)?;
                let ids = keepalive_ref::made(repository, &view, made_on, made.new)?;
                let young = KeptPack::of_objects(repository, &scratch, &ids)?;
                (young, Some(Kept::new(repository, &scratch, made.new)?))
            }
            None => (None, None),
        };
        let synced = Synced {
            lane: lane.name.clone(),
            id: lane.id.clone(),
            fork_point: moving.onto,
        };
        let reason = format!("lane: sync '{}' ({})", lane.name, made.how.word());
        let planned = Move {
            base: &moving.branch,
            old: moving.tip,
            new: made.new,
            made_on: made.made_on,
            why: Why::Sync(&synced),
            site: place.site,
            reason: &reason,
            scratch: Some(&scratch),
            under: None,
        };
        // A hook may have run for long.
        let moved =
            ensure_still_meant(repository, &facts.lane).and_then(|()| apply(repository, &planned));
        if let Some(kept) = kept {
            kept.release();
        }
        drop(young);
        if moved? == Moved::Done {
            drop(turn);
            tell(&place, asked.wording, &made);
            return brought(&place, &moving, made.how, Some(made.new)).map(Some);
        }
    }
    Err(Error::refused(format!(
        "lane '{}' kept moving while it was synced",
        lane.name
    ))
    .with_code(Code::Raced)
    .hint("run the command again"))
}

/// What [`carry_out`] would do, and would refuse before it asks the hooks; changes nothing.
pub(super) fn foretell(repository: &Repository, lane: &Lane, moving: &Moving) -> Result<Brought> {
    let scratch = Scratch::outside(repository)?;
    let worktrees = repository.worktrees()?;
    let place = place(repository, &scratch, &worktrees, &lane.name, moving)?;
    let (new, how) = match way(&place, moving)? {
        How::Forward => (moving.onto, How::Forward),
        How::Merge => (merge(&place, moving)?, How::Merge),
        How::Rebase => (replay(&place, moving)?.new, How::Rebase),
    };
    // What a dead process has left there is healed before anything is synced.
    let is_whole =
        |site: &&Worktree| !is_half_landed(repository, place.base, Some(&site.git_dir), None);
    if let Some(site) = place.site.filter(is_whole) {
        foretell_obstacles(repository, &scratch, site, (place.base, place.old, new))?;
    }
    brought(&place, moving, how, None)
}

/// The message with which git is to merge the base in the lane, where it leaves a conflict.
///
/// # Errors
/// A refusal where local changes are in the way of what git would write: it would put them away and
/// bring them back.
pub(super) fn before_laid_out(
    repository: &Repository,
    lane: &Lane,
    moving: &Moving,
) -> Result<String> {
    let scratch = Scratch::outside(repository)?;
    let worktrees = repository.worktrees()?;
    let place = place(repository, &scratch, &worktrees, &lane.name, moving)?;
    let bench = place.bench()?.with_options(&place.policy.options);
    if let Some(site) = place.site {
        let merge = (place.base, place.old, place.tip);
        foretell_laid_out(repository, &scratch, site, &bench, merge)?;
    }
    words(&place, &moving.base, 0)
}

/// Refuses a rebase by git that would put local changes away, write over ignored files, or leave out
/// what the lane's merge commits hold.
pub(super) fn before_rebased(
    repository: &Repository,
    lane: &Lane,
    worktree: &Worktree,
    moving: &Moving,
) -> Result<()> {
    let status = in_flight::worktree_status(repository, worktree)?;
    if status.staged + status.modified > 0 {
        return Err(Refusal::Uncommitted {
            lane: lane.name.clone(),
            path: worktree.path.clone(),
        }
        .into());
    }
    let range = format!("{}..{}", moving.onto, moving.tip);
    let merges = repository.git_here().rev_list(["--merges", &range], NONE)?;
    if !merges.is_empty() {
        return Err(Refusal::LeftOut {
            lane: lane.name.clone(),
            commits: merges,
            files: Vec::new(),
        }
        .into());
    }
    let scratch = Scratch::outside(repository)?;
    let worktrees = repository.worktrees()?;
    let place = place(repository, &scratch, &worktrees, &lane.name, moving)?;
    let Some(site) = place.site else {
        return Ok(());
    };
    foretell_obstacles(
        repository,
        &scratch,
        site,
        (place.base, place.old, moving.onto),
    )
}

/// The place of a landing of the base on the lane's branch.
fn place<'p>(
    repository: &'p Repository,
    scratch: &'p Scratch,
    worktrees: &'p [Worktree],
    lane: &'p LaneName,
    moving: &'p Moving,
) -> Result<Place<'p>> {
    let site = site_of(worktrees, &moving.branch).ok_or_else(|| retire::raced(lane))?;
    let directory = site.path.clone();
    let policy = merge_settings::read(repository, &directory, &moving.branch)?;
    Ok(Place {
        repository,
        scratch,
        site: Some(site),
        lane: (lane, Some(site)),
        directory,
        base: &moving.branch,
        old: moving.tip,
        tip: moving.onto,
        name: moving.base.shorten().to_owned(),
        relation: moving.relation,
        whole: false,
        strategy: match moving.strategy {
            Strategy::Merge => finish::Strategy::Merge,
            Strategy::Rebase => finish::Strategy::Rebase,
        },
        policy,
        sync: true,
        is_of_own_base: true,
    })
}

/// How the branch moves, by the user's own settings for merges into it.
fn way(place: &Place<'_>, moving: &Moving) -> Result<How> {
    let never = place.policy.fast_forward.0 == FastForward::Never;
    match moving.strategy {
        Strategy::Rebase if moving.is_forward() => Ok(How::Forward),
        Strategy::Rebase => Ok(How::Rebase),
        Strategy::Merge => {
            merge_settings::verify(place, moving.onto)?;
            if moving.is_forward() && !never {
                return Ok(How::Forward);
            }
            let allowed = place
                .policy
                .ensure_allows(place.base, place.strategy, place.relation);
            allowed.map(|()| How::Merge).map_err(|conflict| {
                conflict.of_sync(format!(
                    "replay the lane's commits: git lane sync {} --strategy rebase",
                    quote(place.lane.0)
                ))
            })
        }
    }
}

fn make(place: &Place<'_>, moving: &Moving, wording: &Wording<'_>) -> Result<Made> {
    let how = way(place, moving)?;
    let git = || place.repository.git_as_user_at(&place.directory);
    Ok(match how {
        How::Forward => Made {
            new: moving.onto,
            made_on: None,
            how,
            rewritten: Vec::new(),
        },
        How::Merge => {
            identity::ensure_known(place.repository, git)?;
            let tree = merge(place, moving)?;
            Made {
                new: seal(place, moving, tree, wording)?,
                made_on: Some(moving.tip),
                how,
                rewritten: Vec::new(),
            }
        }
        How::Rebase => {
            identity::ensure_known(place.repository, git)?;
            let done = replay(place, moving)?;
            Made {
                new: done.new,
                made_on: (done.new != moving.onto).then_some(moving.onto),
                how,
                rewritten: done.rewritten,
            }
        }
    })
}

/// The tree of the merge.
fn merge(place: &Place<'_>, moving: &Moving) -> Result<ObjectId> {
    if moving.is_forward() {
        return place.tree(moving.onto);
    }
    let told = landing_hooks::told(place.tip, &place.name);
    let bench = place
        .bench()?
        .telling(told)
        .with_options(&place.policy.options);
    match bench.merge(place.old, place.tip)? {
        Merged::Clean(tree) => Ok(tree),
        Merged::Conflict {
            paths, messages, ..
        } => {
            let what = format!("lane '{}'", place.lane.0);
            let remedy = place.remedy();
            Err(conflict(what, &moving.base, &paths, &messages, remedy))
        }
    }
}

/// The merge commit, with git's own words, and what the user's hooks make of it.
fn seal(
    place: &Place<'_>,
    moving: &Moving,
    tree: ObjectId,
    wording: &Wording<'_>,
) -> Result<ObjectId> {
    let hooks = place.hooks(wording);
    let _seen = place.show(&hooks, Making::Merge, tree)?;
    let text = words(place, &moving.base, place.policy.log)? + "\n";
    let message = merge_settings::with_signoff(place, text.into())?;
    let tree = hooks.first(Making::Merge, tree, &message)?;
    let draft = hooks.draft(Making::Merge, tree, &message)?;
    let message = hooks.seal(Making::Merge, tree, &draft)?;
    commit::create(place, Making::Merge, tree, &message)
}

/// What `git merge` would say: `Merge branch 'main' into login`, with a log of so many commits.
fn words(place: &Place<'_>, base: &RefName, log: usize) -> Result<String> {
    let what = match base.as_bstr().strip_prefix(b"refs/heads/") {
        Some(branch) => format!("branch '{}'", branch.as_bstr()),
        None => match base.as_bstr().strip_prefix(b"refs/remotes/") {
            Some(branch) => format!("remote-tracking branch '{}'", branch.as_bstr()),
            None => format!("commit '{}'", base.as_bstr()),
        },
    };
    // One git less to wait for. It names every branch that is merged into but master, unless it is
    // told otherwise (fmt_merge_msg_title in its fmt-merge-msg.c).
    let own = place.repository.as_at(&place.directory)?;
    let is_plain = log == 0
        && own.config_snapshot().string("merge.suppressDest").is_none()
        && place.base.as_bstr() != "master"
        && base.as_bstr().is_utf8()
        && place.base.as_bstr().is_utf8();
    if is_plain {
        return Ok(format!("Merge {what} into {}", place.base));
    }
    let git = place.repository.git_as_user_at(&place.directory);
    let merged = format!("{}\t\t{what} of .\n", place.tip);
    git.merge_message(log, merged)
}

/// The lane's own commits on top of its base.
fn replay(place: &Place<'_>, moving: &Moving) -> Result<Replayed> {
    let repository = place.repository;
    // `git rebase` has checked out the base when it picks, with the base's attributes.
    let bench = Bench::new(
        repository,
        place.scratch,
        None,
        place.directory.clone(),
        moving.onto,
    )?;
    let (base, remedy) = (moving.base.to_string(), place.remedy());
    let replay = Replay {
        repository,
        scratch: place.scratch,
        bench: &bench,
        base: &base,
        remedy: &remedy,
        git: &|| repository.git_as_user_at(&place.directory),
        sign: repository.config_bool_at(&place.directory, "commit.gpgSign")?,
    };
    let arrival = || Ok(Arrival::new(place.scratch.view(repository)?));
    let done = replay.run(moving.onto, moving.tip, arrival)?;
    let files = match merge_base(repository, moving.onto, moving.tip)? {
        Some(fork) => {
            let pair = Pair {
                ours: moving.onto,
                theirs: moving.tip,
                fork: place.tree(fork)?,
            };
            arrival()?.left_out(pair, done.tree)?
        }
        None => Vec::new(),
    };
    // What a merge commit of the lane holds beyond its parents is not replayed.
    if done.has_merges() || !files.is_empty() {
        let commits = replay.left_out(&done, &arrival()?)?;
        if !commits.is_empty() {
            let lane = place.lane.0.clone();
            return Err(Refusal::LeftOut {
                lane,
                commits,
                files,
            }
            .into());
        }
    }
    Ok(done)
}

/// Tells the hooks that hear of it once it has happened.
fn tell(place: &Place<'_>, wording: &Wording<'_>, made: &Made) {
    let hooks = place.hooks(wording);
    hooks.index_changed();
    if place.strategy == finish::Strategy::Merge {
        hooks.after(Making::Merge, "post-merge", &["0"]);
    }
    if !made.rewritten.is_empty() && place.repository.has_hook("post-rewrite") {
        let lines = made
            .rewritten
            .iter()
            .map(|(old, new)| format!("{old} {new}\n"));
        let lines: String = lines.collect();
        let git = || place.repository.git_as_user_at(&place.directory);
        // git ignores how it ends.
        let _ = place
            .repository
            .feed_hook(git, "post-rewrite", "rebase", lines.as_bytes());
    }
}

fn brought(place: &Place<'_>, moving: &Moving, how: How, new: Option<ObjectId>) -> Result<Brought> {
    debug_assert!(moving.relation != Relation::Contained);
    Ok(Brought {
        branch: moving.branch.clone(),
        base: moving.base.clone(),
        onto: moving.onto,
        how,
        old: moving.tip,
        new,
        commits: place.ahead()?,
    })
}
