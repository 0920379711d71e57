//! The remote of a base: where the base is pushed to, what the remote has, and what to do where it has
//! more.
//!
//! `push_first` and `recover_push` ask it, and `upstream_commits` for the way to catch up.

use std::time::Duration;

use bstr::{BStr, ByteSlice};

use super::landing_facts;
use super::verdict::site_of;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::repository::push_destination::{Destination, destination};
use crate::repository::{gate_rules, upstream};
use crate::store::git::Invocation;

/// The other way to land.
pub(super) const HERE_ALONE: &str = "or land here alone with: --no-push";

/// How long a remote may take to answer the healing of what a dead process left, which any command may
/// meet.
const HEALING_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before a remote is asked again that was lost before it had answered: it may be at
/// work still.
const PAUSES: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Where a base is pushed to. The base of a stacked lane is another lane's branch: that goes nowhere
/// before the other lane has landed.
///
/// # Errors
/// `no-upstream`, where it follows no branch, or a remote of several addresses: no push to these is
/// wholly done or not at all.
pub fn goes_to(repository: &Repository, base: &BranchName) -> Result<Option<Destination>> {
    let records = repository.records()?;
    let mut lanes = records.lanes.iter();
    if lanes.any(|lane| lane.branch.as_ref() == Some(base)) {
        return Ok(None);
    }
    let refused = |sentence: String, hint: String| {
        Err(Error::refused(sentence)
            .with_code(Code::NoUpstream)
            .hint(hint)
            .hint(HERE_ALONE))
    };
    match destination(repository, base) {
        None => refused(
            format!("'{base}' follows no branch of a remote that it could be pushed to"),
            format!("publish it once with: git push -u origin {}", quote(base)),
        ),
        Some(destination) if destination.addresses > 1 => {
            let remote = &destination.remote;
            let key = format!("remote.{remote}.pushUrl");
            refused(
                format!("'{remote}' has several addresses that are pushed to"),
                format!("see them with: git config --get-all {}", quote(key)),
            )
        }
        Some(destination) => Ok(Some(destination)),
    }
}

/// How a base, at `tip`, gets what it lacks of the branch that it is pushed to, as a hint.
pub(super) fn way_to_catch_up(
    repository: &Repository,
    base: &BranchName,
    tip: ObjectId,
    lane: &LaneName,
) -> String {
    match destination(repository, base) {
        None => sync_first(lane),
        Some(destination) => {
            Server::of(repository, destination, None, Asks::TheUser).catch_up(base, tip, lane)
        }
    }
}

fn sync_first(lane: &LaneName) -> String {
    format!(
        "bring base and lane up to date first with: git lane sync --fetch {}",
        quote(lane)
    )
}

/// Who is asked for a password, and for how long the answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    TheUser,
    NoOne,
}

/// The remote of a base.
pub(super) struct Server<'a> {
    pub(super) repository: &'a Repository,
    pub(super) destination: Destination,
    /// The worktree that has the base checked out.
    site: Option<&'a Worktree>,
    asks: Asks,
}

impl<'a> Server<'a> {
    pub(super) fn of(
        repository: &'a Repository,
        destination: Destination,
        site: Option<&'a Worktree>,
        asks: Asks,
    ) -> Self {
        Server {
            repository,
            destination,
            site,
            asks,
        }
    }

    pub(super) fn name(&self) -> &BStr {
        self.destination.remote.as_bstr()
    }

    /// A git where the base is checked out, else where remotes are at home.
    pub(super) fn git(&self) -> Invocation {
        match self.site {
            Some(site) => self.repository.git_as_user_at(&site.path),
            None => upstream::git_of_remotes(self.repository),
        }
    }

    fn limit(&self) -> Option<Duration> {
        (self.asks == Asks::NoOne).then_some(HEALING_PATIENCE)
    }

    /// Where its branch is.
    pub(super) fn tip(&self) -> Result<Option<ObjectId>> {
        let Destination { address, name, .. } = &self.destination;
        self.git().remote_ref(address, name, self.limit())
    }

    /// Whether it has that commit of ours: the remote-tracking branch may know, else it is asked. Where
    /// others have pushed since, git fetches to know.
    pub(super) fn has(&self, commit: ObjectId) -> Result<bool> {
        let known = self.destination.known(self.repository)?;
        if let Some(known) = known
            && self.is_part_of(commit, known)?
        {
            return Ok(true);
        }
        let Some(tip) = self.tip()? else {
            return Ok(false);
        };
        if !self.repository.gix.has_object(tip) {
            let Destination { address, name, .. } = &self.destination;
            self.git().fetch_ref(address, name, self.limit())?;
        }
        self.is_part_of(commit, tip)
    }

    /// The same, asked again for a while.
    pub(super) fn has_it_by_and_by(&self, commit: ObjectId) -> Result<bool> {
        for pause in PAUSES {
            std::thread::sleep(pause);
            if self.has(commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether `commit`, where it is known here at all, is `tip` or one of its ancestors.
    pub(super) fn is_part_of(&self, commit: ObjectId, tip: ObjectId) -> Result<bool> {
        let is_here = |id| self.repository.gix.has_object(id);
        Ok(is_here(commit) && landing_facts::has(self.repository, tip, commit)?)
    }

    /// The failure to ask it before anything was sent.
    pub(super) fn silent(&self, error: Error) -> Error {
        let sentence = format!(
            "'{}' cannot be asked where it is; nothing has landed",
            self.name()
        );
        Error::git(sentence).caused_by(error).hint(HERE_ALONE)
    }

    /// The failure to learn whether it has the landing.
    pub(super) fn unknown(&self, base: &BranchName, why: &str) -> Error {
        let remote = self.name();
        let sentence =
            format!("whether '{remote}' has the landing on '{base}' is not known: {why}");
        Error::git(sentence)
            .with_code(Code::PushUnknown)
            .hint(format!("the next git-lane command asks '{remote}' again"))
    }

    /// What went wrong here after it has taken the commit.
    pub(super) fn ahead(&self, base: &BranchName, error: Error) -> Error {
        let remote = self.name();
        let sentence =
            format!("'{remote}' has the landing, but '{base}' could not follow here: {error}");
        let told = Error::git(sentence).with_code(Code::PushedOnly);
        let told = error.hints().iter().cloned().fold(told, Error::hint);
        told.hint(format!(
            "the next git-lane command moves '{base}' once nothing is in the way"
        ))
    }

    /// The refusal to push what it could only take by force; the base is at `tip`.
    pub(super) fn has_more(&self, base: &BranchName, tip: ObjectId, lane: &LaneName) -> Error {
        let sentence = format!("'{}' has commits that '{base}' does not have", self.name());
        Error::refused(sentence)
            .with_code(Code::PushRefused)
            .hint(self.catch_up(base, tip, lane))
            .hint(HERE_ALONE)
    }

    /// How the base gets what the remote has more: by a sync where it only lacks that, else by a merge
    /// of git's. What cannot be read here is for these to find.
    pub(super) fn catch_up(&self, base: &BranchName, tip: ObjectId, lane: &LaneName) -> String {
        let repository = self.repository;
        let Destination { remote, name, .. } = &self.destination;
        let followed = upstream::upstream(repository, &base.into());
        let follows = followed
            .is_some_and(|followed| Some(&followed.tracking) == self.destination.tracking.as_ref());
        let known = self.destination.known(repository).ok().flatten();
        let only_lacks =
            known.is_some_and(|known| landing_facts::has(repository, known, tip).unwrap_or(false));
        let gate = gate_rules::gate(repository, &repository.gix, tip, None, &[]);
        if follows && only_lacks && gate.is_ok_and(|gate| gate.is_empty()) {
            return sync_first(lane);
        }
        let short = name.as_bstr();
        let short = short
            .strip_prefix(b"refs/heads/")
            .unwrap_or(short)
            .as_bstr();
        let from = format!("--no-rebase {} {}", quote(remote), quote(short));
        let site = self.site.map(|site| site.path.clone());
        let checked_out = || {
            let worktrees = repository.worktrees().ok()?;
            site_of(&worktrees, base).map(|site| site.path.clone())
        };
        match site.or_else(checked_out) {
            Some(path) => format!(
                "bring '{base}' up to date first with: git -C {} pull {from}",
                quote(path.display())
            ),
            None => format!(
                "bring '{base}' up to date first with: git switch {} && git pull {from}",
                quote(base)
            ),
        }
    }
}
