//! A landing that the remote has first: the commit is pushed to the branch that the base follows, and
//! the base moves once the remote has taken it. A push that is refused is a landing that is refused.
//!
//! What would stop the base here is looked for before anything is sent, and the intent is journalled
//! until the base has moved. *Dead, or no answer, before that: the remote is asked. Where it has the
//! commit, the base goes forward; where it has not, nothing has landed. Where it cannot be asked, or
//! something is in the way here, the intent stays, and nothing else moves the base until it is healed.*
//!
//! `settle`, the leader of a batch and a revert move bases by this; `recover` knows what is left.

use std::path::PathBuf;
use std::time::Duration;

use bstr::{BStr, ByteSlice};
use serde::{Deserialize, Serialize};

use super::ATTEMPTS;
use super::apply::{Moved, apply};
use super::landing_facts;
use super::obstacles_ahead::foretell_obstacles;
use super::verdict::site_of;
use crate::domain::lane::{ObjectId, RefName, Worktree, hex};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::push_verdict::{PushVerdict, push_verdict};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::push_destination::{Destination, destination};
use crate::repository::recovered::{Healed, Healing};
use crate::repository::upstream;
use crate::store::activity::Activity;
use crate::store::git::{Invocation, PrePush};
use crate::store::journal::{About, Announce, Journal, Running, step, unique_id};

/// The other way to land.
const HERE_ALONE: &str = "or land here alone with: --no-push";

/// How long a remote may take to say where its branch is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same for the healing of what a dead process left, which any command may meet.
const HEALING_PATIENCE: Duration = Duration::from_secs(10);

/// A landing that is being pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "push")]
pub struct Intent {
    /// The full name of the base.
    base: RefName,
    #[serde(with = "hex")]
    old: ObjectId,
    #[serde(with = "hex")]
    new: ObjectId,
}

impl Intent {
    fn what(&self) -> String {
        format!("the push of a landing on '{}'", self.base)
    }

    /// The base, where it was, and where it goes.
    pub fn moves(&self) -> (&RefName, ObjectId, ObjectId) {
        (&self.base, self.old, self.new)
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About {
            what: self.what(),
            bases: vec![self.base.clone()],
            ..About::default()
        }
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.branch("base", &self.base);
    }
}

/// Refuses a landing on `base` whose push could not succeed as far as is known here: the base follows
/// no branch of a remote, or the one that it follows had more when it was last heard of.
///
/// # Errors
/// `no-upstream` and `push-refused`.
pub fn ensure_may_push(
    repository: &Repository,
    base: &BranchName,
    tip: ObjectId,
    lane: &LaneName,
) -> Result<()> {
    let Some(destination) = goes_to(repository, base)? else {
        return Ok(());
    };
    match destination.known(repository)? {
        Some(known) if !landing_facts::has(repository, tip, known)? => {
            Err(behind(&destination, base, lane))
        }
        _ => Ok(()),
    }
}

/// Moves a base; where `push` says so, its remote gets the commit first. `lane` is one that lands.
///
/// # Errors
/// Nothing has moved where the remote has refused it (`push-refused`), or is not known to have it
/// (`push-unknown`). Where the remote has it and the base could not follow, that is `pushed-only`.
pub(super) fn push_and_apply(
    repository: &Repository,
    planned: &Move<'_>,
    lane: &LaneName,
    push: Option<PrePush>,
) -> Result<Moved> {
    let goes_to = match push {
        Some(_) => goes_to(repository, planned.base)?,
        None => None,
    };
    match push.zip(goes_to) {
        None => apply(repository, planned),
        Some((hook, destination)) => {
            let server = Server::of(repository, destination, planned.site);
            carry_out(&server, planned, lane, hook)
        }
    }
}

/// Where a base is pushed to. The base of a stacked lane is another lane's branch: that goes nowhere
/// before the other lane has landed.
fn goes_to(repository: &Repository, base: &BranchName) -> Result<Option<Destination>> {
    if let Some(destination) = destination(repository, base) {
        return Ok(Some(destination));
    }
    let records = repository.records()?;
    let mut lanes = records.lanes.iter();
    if lanes.any(|lane| lane.branch.as_ref() == Some(base)) {
        return Ok(None);
    }
    let sentence = format!("'{base}' follows no branch of a remote that it could be pushed to");
    Err(Error::refused(sentence)
        .with_code(Code::NoUpstream)
        .hint(format!(
            "publish it once with: git push -u origin {}",
            quote(base)
        ))
        .hint(HERE_ALONE))
}

fn carry_out(
    server: &Server<'_>,
    planned: &Move<'_>,
    lane: &LaneName,
    hook: PrePush,
) -> Result<Moved> {
    let Move { base, old, new, .. } = *planned;
    let repository = server.repository;
    let _doing = Activity::begin(format!("pushing '{base}' to '{}'", server.name()));
    // What is certain now need not be guessed after a push of which nothing is heard.
    let before = server
        .tip(PATIENCE)
        .map_err(|error| error.hint(HERE_ALONE))?;
    if let Some(before) = before
        && !server.is_part_of(before, new)?
    {
        return Err(behind(&server.destination, base, lane));
    }
    if repository.branch_tip(base)? != Some(old) {
        return Ok(Moved::Raced);
    }
    let git_dir = planned.site.map(|site| site.git_dir.as_path());
    let unrecovered = &repository.unrecovered;
    unrecovered.ensure_base_is_whole(base, git_dir)?;
    if let (Some(site), Some(scratch)) = (planned.site, planned.scratch) {
        foretell_obstacles(repository, scratch, site, (base, old, new))?;
    }
    let intent = Intent {
        base: base.into(),
        old,
        new,
    };
    let id = unique_id();
    let mut running = Journal::new(repository.lane_dir()).begin_as(&id, &intent)?;
    step("push.announced");
    if before != Some(new) {
        running = send(server, (base, new), lane, hook, running)?;
    }
    step("push.taken");
    let under = Some(id.as_str());
    follow(repository, &Move { under, ..*planned }).map_err(|error| server.ahead(base, error))?;
    running.done()?;
    Ok(Moved::Done)
}

/// Sends it, and finds out what became of it. The intent stays where that is not known.
fn send(
    server: &Server<'_>,
    (base, new): (&BranchName, ObjectId),
    lane: &LaneName,
    hook: PrePush,
    running: Running,
) -> Result<Running> {
    let Destination { remote, name, .. } = &server.destination;
    let sent = server.git().push(remote, new, name, hook);
    step("push.sent");
    let refused = |running: Running, sentence: String| {
        running.done()?;
        Err(Error::refused(sentence)
            .with_code(Code::PushRefused)
            .hint(sync_first(lane))
            .hint(HERE_ALONE))
    };
    let remote = server.name();
    let verdict = match sent {
        Ok((success, said)) => push_verdict(success, &said, name.as_bstr()),
        Err(error) => {
            running.done()?;
            return Err(error);
        }
    };
    match verdict {
        PushVerdict::Taken => Ok(running),
        PushVerdict::Refused(why) => refused(
            running,
            format!("'{remote}' has refused the push of '{base}': {why}; nothing has landed"),
        ),
        PushVerdict::Unknown => match server.has(new, PATIENCE) {
            Ok(true) => Ok(running),
            Ok(false) => refused(
                running,
                format!("the push of '{base}' to '{remote}' has failed; nothing has landed"),
            ),
            Err(error) => Err(server.unknown(base, &error)),
        },
    }
}

/// Has the base follow its remote, which has the commit by now. Its files may be raced by others.
fn follow(repository: &Repository, planned: &Move<'_>) -> Result<()> {
    for _ in 0..ATTEMPTS {
        if apply(repository, planned)? == Moved::Done {
            return Ok(());
        }
        let now = repository.branch_tip(planned.base)?;
        match now {
            Some(now) if landing_facts::has(repository, now, planned.new)? => return Ok(()),
            Some(now) if now == planned.old => {}
            _ => return Err(diverged(planned)),
        }
    }
    Err(Error::refused("another command keeps moving it")
        .with_code(Code::Raced)
        .hint("run the command again"))
}

/// The refusal to move a base that has got commits of its own meanwhile.
fn diverged(planned: &Move<'_>) -> Error {
    let pull = match planned.site {
        Some(site) => format!("git -C {} pull --no-rebase", quote(site.path.display())),
        None => format!("git switch {} && git pull --no-rebase", quote(planned.base)),
    };
    let moved = format!("'{}' was moved here meanwhile", planned.base);
    Error::refused(moved)
        .with_code(Code::Raced)
        .hint(format!("bring both together with: {pull}"))
}

/// Completes or undoes what a dead process was pushing.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let healed = |counts| Ok(Healing::Whole(Healed::new(intent.what(), counts)));
    let Intent { base, old, new } = intent;
    if let Some(now) = repository.ref_target(base)?
        && landing_facts::has(repository, now, *new)?
    {
        return healed(true);
    }
    // A base that is gone, or goes nowhere any more, cannot take what a remote may have.
    let Some(branch) = BranchName::from_ref(base.as_bstr()) else {
        return healed(false);
    };
    let goes_to = destination(repository, &branch);
    let Some(destination) = goes_to.filter(|_| repository.gix.has_object(*new)) else {
        return healed(false);
    };
    let worktrees = repository.worktrees()?;
    let site = site_of(&worktrees, &branch);
    let server = Server::of(repository, destination, site);
    let has_it = server.has(*new, HEALING_PATIENCE);
    if !has_it.map_err(|error| server.unknown(&branch, &error))? {
        return healed(false);
    }
    let id = running.id();
    let planned = Move {
        base: &branch,
        old: *old,
        new: *new,
        made_on: None,
        why: Why::Landing,
        site,
        reason: "lane: finish what was pushed",
        scratch: None,
        under: Some(&id),
    };
    follow(repository, &planned).map_err(|error| server.ahead(&branch, error))?;
    healed(true)
}

/// The remote of a base.
struct Server<'a> {
    repository: &'a Repository,
    destination: Destination,
    /// Where the base is checked out, else the main worktree: hooks and relative addresses are at home
    /// there.
    directory: Option<PathBuf>,
}

impl<'a> Server<'a> {
    fn of(repository: &'a Repository, destination: Destination, site: Option<&Worktree>) -> Self {
        let site = site.map(|site| site.path.clone());
        let directory = site.or_else(|| repository.main_directory());
        Server {
            repository,
            destination,
            directory: directory.filter(|directory| directory.is_dir()),
        }
    }

    fn name(&self) -> &BStr {
        self.destination.remote.as_bstr()
    }

    fn git(&self) -> Invocation {
        match &self.directory {
            Some(directory) => self.repository.git_as_user_at(directory),
            None => self.repository.git_here(),
        }
    }

    /// Where its branch is.
    fn tip(&self, limit: Duration) -> Result<Option<ObjectId>> {
        let Destination { remote, name, .. } = &self.destination;
        let pushed_to = self.repository.config(&format!("remote.{remote}.pushUrl"));
        let address = pushed_to.as_ref().unwrap_or(remote);
        self.git().remote_ref(address, name, limit)
    }

    /// Whether it has that commit of ours: the remote-tracking branch may know, else it is asked. Where
    /// others have pushed since, git fetches to know.
    fn has(&self, commit: ObjectId, limit: Duration) -> Result<bool> {
        let known = self.destination.known(self.repository)?;
        if let Some(known) = known
            && self.is_part_of(commit, known)?
        {
            return Ok(true);
        }
        let Some(tip) = self.tip(limit)? else {
            return Ok(false);
        };
        if !self.repository.gix.has_object(tip) {
            upstream::fetch(self.repository, Some(&self.destination.remote))?;
        }
        self.is_part_of(commit, tip)
    }

    /// Whether `commit`, where it is known here at all, is `tip` or one of its ancestors.
    fn is_part_of(&self, commit: ObjectId, tip: ObjectId) -> Result<bool> {
        let is_here = |id| self.repository.gix.has_object(id);
        Ok(is_here(commit) && landing_facts::has(self.repository, tip, commit)?)
    }

    /// The failure to learn whether it has the landing.
    fn unknown(&self, base: &BranchName, error: &Error) -> Error {
        let remote = self.name();
        let sentence =
            format!("whether '{remote}' has the landing on '{base}' is not known: {error}");
        Error::git(sentence)
            .with_code(Code::PushUnknown)
            .hint(format!("the next git-lane command asks '{remote}' again"))
    }

    /// What went wrong here after it has taken the commit.
    fn ahead(&self, base: &BranchName, error: Error) -> Error {
        let remote = self.name();
        let sentence =
            format!("'{remote}' has the landing, but '{base}' could not follow here: {error}");
        let told = Error::git(sentence).with_code(Code::PushedOnly);
        let told = error.hints().iter().cloned().fold(told, Error::hint);
        told.hint(format!(
            "the next git-lane command moves '{base}' once nothing is in the way"
        ))
    }
}

/// The refusal to push what the remote could only take by force.
fn behind(destination: &Destination, base: &BranchName, lane: &LaneName) -> Error {
    let remote = &destination.remote;
    let sentence = format!("'{remote}' has commits that '{base}' does not have");
    Error::refused(sentence)
        .with_code(Code::PushRefused)
        .hint(sync_first(lane))
        .hint(HERE_ALONE)
}

fn sync_first(lane: &LaneName) -> String {
    format!(
        "bring base and lane up to date first with: git lane sync --fetch {}",
        quote(lane)
    )
}
