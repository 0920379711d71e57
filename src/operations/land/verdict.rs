//! What a base would be once a lane has landed on it, computed in memory; and what all steps of one
//! landing share.

use std::path::PathBuf;

use bstr::BString;

use super::hook_room::HookRoom;
use super::merge::{self, Bench};
use super::outcome::{Landed, Wording};
use super::replay;
use crate::domain::finish::Strategy;
use crate::domain::finish::{Facts, Landing, Refusal, Relation};
use crate::domain::integration::Integration;
use crate::domain::lane::{ObjectId, RefName, Worktree, WorktreeState};
use crate::domain::merge_policy::{FastForward, MergePolicy};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::retire;
use crate::domain::shell_word::quote;
use crate::engines::evidence::{Arrival, Pair};
use crate::engines::history::tree_of;
use crate::error::{Code, Error, Result};
use crate::operations::in_flight;
use crate::operations::land::landing_hooks;
use crate::operations::land::landing_hooks::{Hooks, Making};
use crate::operations::land::{keepalive_ref, merge_settings};
use crate::repository::Repository;
use crate::repository::kept_pack::KeptPack;
use crate::repository::quarantine::Scratch;
use crate::repository::submodules;
use crate::repository::tree_diff;
use crate::store::git::Merged;
use crate::store::retry;

/// A verdict: what the base will be, before hooks and message.
pub(super) enum Verdict {
    /// A commit that exists; how many of the lane's commits it brings.
    Commit(ObjectId, usize),
    /// A tree that needs a commit.
    Tree(ObjectId, Making),
    /// Nothing would change.
    Nothing(Integration),
}

/// The worktree that has `base` checked out, where its files are there.
pub(in crate::operations) fn site_of<'a>(
    worktrees: &'a [Worktree],
    base: &BranchName,
) -> Option<&'a Worktree> {
    let mut at_base = worktrees.iter().filter(|worktree| worktree.is_on(base));
    at_base.find(|worktree| worktree.state == WorktreeState::Present)
}

/// The place of one landing: all that its steps share.
pub(in crate::operations) struct Place<'a> {
    pub(in crate::operations) repository: &'a Repository,
    pub(in crate::operations) scratch: &'a Scratch,
    pub(in crate::operations) site: Option<&'a Worktree>,
    /// The lane, and its worktree.
    pub(in crate::operations) lane: (&'a LaneName, Option<&'a Worktree>),
    /// Where hooks, drivers and signing run.
    pub(in crate::operations) directory: PathBuf,
    pub(in crate::operations) base: &'a BranchName,
    pub(in crate::operations) old: ObjectId,
    pub(in crate::operations) tip: ObjectId,
    /// What `git merge` would be given for the tip.
    pub(in crate::operations) name: BString,
    pub(in crate::operations) relation: Relation,
    /// Whether all of the lane has to land, because the lane goes.
    pub(in crate::operations) whole: bool,
    pub(in crate::operations) strategy: Strategy,
    /// What the configuration asks of merges into the base.
    pub(in crate::operations) policy: MergePolicy,
    /// Whether the base is a lane's branch that takes what is new on the lane's own base.
    pub(in crate::operations) sync: bool,
    /// Whether a sync of the lane, which has a branch, would meet the same conflict.
    pub(in crate::operations) is_of_own_base: bool,
}

impl<'a> Place<'a> {
    /// The place of the landing that `facts` allow.
    pub(in crate::operations) fn of(
        repository: &'a Repository,
        scratch: &'a Scratch,
        worktrees: &'a [Worktree],
        facts: &'a Facts,
        landing: &'a Landing,
    ) -> Result<Self> {
        let moved = || {
            Error::refused("the base changed at the same moment")
                .with_code(Code::Raced)
                .hint("run the command again")
        };
        let base = facts.base.as_ref().ok_or_else(moved)?;
        let site = site_of(worktrees, &landing.base);
        let lane = retire::place(&facts.lane, worktrees).present();
        let directory = site
            .or(lane)
            .map_or(repository.common_dir(), |worktree| worktree.path.as_path())
            .to_owned();
        let branch = facts.lane.branch.as_ref();
        let policy = merge_settings::read(repository, &directory, &landing.base)?;
        Ok(Place {
            repository,
            scratch,
            site,
            lane: (&facts.lane.name, lane),
            directory,
            base: &landing.base,
            old: base.tip.ok_or_else(moved)?,
            tip: landing.tip,
            name: branch.map_or_else(
                || landing.tip.to_string().into(),
                |branch| branch.as_bstr().to_owned(),
            ),
            relation: base.relation.ok_or_else(moved)?,
            whole: landing.whole,
            strategy: landing.strategy,
            policy,
            sync: false,
            is_of_own_base: branch.is_some()
                && facts.lane.base == Some(RefName::from(&landing.base)),
        })
    }
}

impl<'a> Place<'a> {
    /// The place of a move of `base`, now at `old`, that no lane brings: a revert, or the way back of
    /// the landing of `lane`.
    pub(in crate::operations) fn of_base(
        repository: &'a Repository,
        scratch: &'a Scratch,
        worktrees: &'a [Worktree],
        (base, old): (&'a BranchName, ObjectId),
        lane: &'a LaneName,
    ) -> Self {
        let site = site_of(worktrees, base);
        Place {
            repository,
            scratch,
            site,
            lane: (lane, None),
            directory: site
                .map_or(repository.common_dir(), |site| &site.path)
                .to_owned(),
            base,
            old,
            tip: old,
            name: base.as_bstr().to_owned(),
            relation: Relation::Same,
            whole: false,
            strategy: Strategy::Squash,
            policy: MergePolicy::default(),
            sync: false,
            is_of_own_base: false,
        }
    }
}

impl Place<'_> {
    /// Merges, squashes or replays in memory. A conflict is an error that names its paths.
    pub(super) fn compute(&self, own_message: bool) -> Result<Verdict> {
        self.ensure_submodules_published()?;
        self.policy
            .ensure_allows(self.base, self.strategy, self.relation)?;
        if self.strategy != Strategy::Rebase {
            merge_settings::verify(self, self.tip)?;
        }
        let making = match self.strategy {
            Strategy::Ff => return Ok(Verdict::Commit(self.tip, self.ahead()?)),
            Strategy::Rebase => return self.replay(),
            Strategy::Merge => Making::Merge,
            Strategy::Squash => Making::Squash { own_message },
        };
        // Merging what only adds to the base gives the tip's tree, whatever the attributes.
        let tree = if self.relation == Relation::Ahead {
            self.tree(self.tip)?
        } else {
            let told = landing_hooks::told(self.tip, &self.name);
            let bench = self
                .bench()?
                .telling(told)
                .with_options(&self.policy.options);
            match bench.merge(self.old, self.tip)? {
                Merged::Clean(tree) => tree,
                Merged::Conflict {
                    paths, messages, ..
                } => {
                    let what = format!("lane '{}'", self.lane.0);
                    let remedy = self.remedy();
                    return Err(merge::conflict(what, self.base, &paths, &messages, remedy));
                }
            }
        };
        if tree == self.tree(self.old)?
            && let Some(proof) = self.proof()?
        {
            return Ok(Verdict::Nothing(proof));
        }
        // A merge commit has the lane in its history, and git makes one although it changes
        // nothing.
        if making != Making::Merge {
            let missing = self.left_out(tree)?;
            if tree == self.tree(self.old)? || self.whole && !missing.is_empty() {
                return Err(self.refuse(Vec::new(), missing));
            }
        }
        Ok(Verdict::Tree(tree, making))
    }

    /// How the lane is known to be in its base although its commits are not.
    fn proof(&self) -> Result<Option<Integration>> {
        let found = in_flight::standings(self.repository, &[(self.tip, self.old)]).pop();
        Ok(found.transpose()?.and_then(|versus| versus.integrated))
    }

    /// The paths of the lane whose changes are not in `tree`, which is what would land.
    fn left_out(&self, tree: ObjectId) -> Result<Vec<BString>> {
        let Some(fork) =
            crate::repository::revision::merge_base(self.repository, self.old, self.tip)?
        else {
            return Ok(Vec::new());
        };
        let pair = Pair {
            ours: self.old,
            theirs: self.tip,
            fork: self.tree(fork)?,
        };
        let arrival = self.arrival()?;
        retry::objects(&self.repository.gix, || arrival.left_out(pair, tree))
    }

    /// What to do about a conflict.
    pub(in crate::operations) fn remedy(&self) -> String {
        let (lane, worktree) = self.lane;
        let rebases = self.strategy == Strategy::Rebase;
        let Some(worktree) = worktree else {
            return "see what can be done about its worktree with: git lane doctor".into();
        };
        if self.is_of_own_base {
            let strategy = if rebases { " --strategy rebase" } else { "" };
            return format!(
                "lay the conflict out in the lane with: git lane sync {}{strategy} --here",
                quote(lane)
            );
        }
        format!(
            "lay the conflict out in the lane with: git -C {} {} {}",
            quote(worktree.path.display()),
            if rebases { "rebase" } else { "merge" },
            quote(self.base)
        )
    }

    fn arrival(&self) -> Result<Arrival> {
        Ok(Arrival::new(self.scratch.view(self.repository)?))
    }

    fn refuse(&self, commits: Vec<ObjectId>, files: Vec<BString>) -> Error {
        let (lane, base, strategy) = (self.lane.0.clone(), self.base.clone(), self.strategy);
        Refusal::LeftOut {
            lane,
            base,
            strategy,
            commits,
            files,
        }
        .into()
    }

    /// Refuses a lane that moves a submodule to a commit which leaves with the lane.
    fn ensure_submodules_published(&self) -> Result<()> {
        let (lane, Some(worktree)) = self.lane else {
            return Ok(());
        };
        let Some(fork) =
            crate::repository::revision::merge_base(self.repository, self.old, self.tip)?
        else {
            return Ok(());
        };
        let moved = tree_diff::moved_submodules(self.repository, fork, self.tip)?;
        if moved.is_empty() {
            return Ok(());
        }
        match submodules::only_in_lane(self.repository, worktree, &moved) {
            None => Ok(()),
            Some((submodule, commit)) => Err(Refusal::SubmoduleOnlyHere {
                lane: lane.clone(),
                base: self.base.clone(),
                path: worktree.path.join(crate::store::path(submodule)).into(),
                submodule: submodule.clone(),
                commit: *commit,
            }
            .into()),
        }
    }

    fn replay(&self) -> Result<Verdict> {
        let bench = self.bench()?;
        let (base, remedy) = (self.base.to_string(), self.remedy());
        let replay = replay::Replay {
            repository: self.repository,
            scratch: self.scratch,
            bench: &bench,
            base: &base,
            remedy: &remedy,
            git: &|| self.repository.git_as_user_at(&self.directory),
            sign: self
                .repository
                .config_bool_at(&self.directory, "commit.gpgSign")?,
        };
        let done = replay.run(self.old, self.tip, || self.arrival())?;
        let nothing = done.new == self.old;
        if nothing && let Some(proof) = self.proof()? {
            return Ok(Verdict::Nothing(proof));
        }
        if nothing || self.whole {
            let (missing, arrival) = (self.left_out(done.tree)?, self.arrival()?);
            // What a merge commit of the lane took back is not taken back by a replay either.
            let merges =
                done.has_merges() && !arrival.is_plain_merge(self.old, self.tip, done.tree)?;
            let doubt = merges || !missing.is_empty();
            let commits = if doubt {
                replay.left_out(&done, &arrival)?
            } else {
                Vec::new()
            };
            if !commits.is_empty() {
                return Err(self.refuse(commits, missing));
            }
        }
        if nothing {
            return Ok(Verdict::Nothing(Integration::SamePatches));
        }
        merge_settings::verify(self, done.new)?;
        Ok(Verdict::Commit(done.new, done.commits))
    }

    /// Puts a result where hooks and editors find it, which know of no quarantine.
    pub(in crate::operations) fn show(
        &self,
        hooks: &Hooks<'_>,
        making: Making,
        tree: ObjectId,
    ) -> Result<Option<KeptPack>> {
        if !hooks.any_before(making) {
            return Ok(None);
        }
        let ids = keepalive_ref::new_in_tree(&self.scratch.view(self.repository)?, self.old, tree)?;
        KeptPack::of_objects(self.repository, self.scratch, &ids)
    }

    /// Puts everything that is young about the landing where no gc takes it away. `None` where one
    /// was faster: then the landing has to be computed again.
    pub(in crate::operations) fn keep_young(
        &self,
        new: ObjectId,
    ) -> Result<Option<Option<KeptPack>>> {
        let view = self.scratch.view(self.repository)?;
        let young = || {
            retry::objects(&self.repository.gix, || {
                keepalive_ref::young(&view, self.old, self.tip, new)
            })
        };
        let kept =
            young().and_then(|ids| KeptPack::of_objects(self.repository, self.scratch, &ids));
        kept.map(Some).or_else(|error| match young() {
            Ok(ids) if ids.iter().all(|id| retry::has_object(&view, *id)) => Err(error),
            _ => Ok(None),
        })
    }

    pub(in crate::operations) fn bench(&self) -> Result<Bench<'_>> {
        Bench::new(
            self.repository,
            self.scratch,
            self.site,
            self.directory.clone(),
            self.old,
        )
    }

    /// Who may object to the commit, or hear of it.
    pub(in crate::operations) fn hooks<'b>(&'b self, wording: &Wording<'_>) -> Hooks<'b> {
        let merges = self.strategy == Strategy::Merge;
        Hooks {
            repository: self.repository,
            scratch: self.scratch,
            directory: self.directory.clone(),
            no_verify: wording.no_verify || merges && self.policy.no_verify,
            cleanup: self.policy.cleanup.clone().filter(|_| merges),
            edit: wording.edit,
            landing: (self.tip, self.name.clone()),
            site: self.site,
            room: HookRoom::new(self.repository, self.site, (self.base, self.old)),
            otherwise: match self.sync {
                true => "the lane is as it was",
                false => "nothing has landed",
            },
            // A landing by merge is never a fast-forward.
            no_ff: !self.sync || self.policy.fast_forward.0 == FastForward::Never,
        }
    }

    pub(in crate::operations) fn tree(&self, commit: ObjectId) -> Result<ObjectId> {
        tree_of(&self.repository.gix, commit)
    }

    /// How many commits the lane has that its base lacks.
    pub(in crate::operations) fn ahead(&self) -> Result<usize> {
        let failed =
            |error: String| Error::git(format!("cannot count the lane's commits: {error}"));
        let gix = &self.repository.gix;
        let count = || {
            let walk = gix.rev_walk([self.tip]).with_hidden([self.old]).all()?;
            walk.map(|step| step.map(|_| 1))
                .sum::<std::result::Result<usize, _>>()
        };
        retry::objects(gix, count).map_err(|error| failed(error.to_string()))
    }

    /// The base as it has moved, or would.
    pub(in crate::operations) fn landed(&self, new: Option<ObjectId>, commits: usize) -> Landed {
        Landed {
            base: self.base.clone(),
            strategy: self.strategy,
            old: self.old,
            new,
            commits,
            together: None,
            resolved: false,
        }
    }
}
