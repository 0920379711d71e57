//! A landing that the remote has first: the commit is pushed to the branch that the base follows, and
//! the base moves once the remote has taken it. A push that is refused is a landing that is refused.
//!
//! What would stop the base here is looked for before anything is sent, and the intent is journalled
//! until the base has moved. *Dead, or no answer, before that: the remote is asked. Where it has the
//! commit, the base goes forward; where it has not, nothing has landed. Where it cannot be asked, or
//! something is in the way here, the intent stays, and nothing else moves the base until it is healed.*
//!
//! `settle`, the leader of a batch and a revert move bases by this; `recover` knows what is left.

use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};
use serde::{Deserialize, Serialize};

use super::ATTEMPTS;
use super::apply::{Moved, apply};
use super::landing_facts;
use super::obstacles_ahead::foretell_obstacles;
use super::verdict::site_of;
use crate::domain::lane::{ObjectId, RefName, Worktree, hex, lossless_bytes};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::push_verdict::{PushVerdict, push_verdict};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::{Move, Why};
use crate::operations::gate::has_passed;
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::push_destination::{Destination, destination};
use crate::repository::recovered::{Healed, Healing};
use crate::repository::{gate_rules, upstream};
use crate::store::activity::Activity;
use crate::store::git::{Invocation, PrePush};
use crate::store::journal::{About, Announce, Journal, Running, step, unique_id};

/// The other way to land.
const HERE_ALONE: &str = "or land here alone with: --no-push";

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
    /// Where it is pushed to.
    #[serde(with = "lossless_bytes")]
    remote: BString,
    name: RefName,
}

impl Intent {
    fn what(&self) -> String {
        format!("the push of a landing on '{}'", self.base)
    }

    /// The base, where it was, and where it goes.
    pub fn moves(&self) -> (&RefName, ObjectId, ObjectId) {
        (&self.base, self.old, self.new)
    }

    /// The remote, for the event log.
    pub fn remote(&self) -> String {
        self.remote.to_string()
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
    let known = destination.known(repository)?;
    match known {
        Some(known) if !landing_facts::has(repository, tip, known)? => {
            let server = Server::of(repository, destination, None, Asks::TheUser);
            Err(server.has_more(base, tip, lane))
        }
        _ => Ok(()),
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
            let server = Server::of(repository, destination, planned.site, Asks::TheUser);
            carry_out(&server, planned, lane, hook)
        }
    }
}

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

/// The remote that had what has landed on `base`, for the event log.
pub(super) fn pushed_to(
    repository: &Repository,
    base: &BranchName,
    push: Option<PrePush>,
) -> Option<String> {
    push?;
    let destination = goes_to(repository, base).ok().flatten()?;
    Some(destination.remote.to_string())
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
    let before = server.tip().map_err(|error| server.silent(error))?;
    if let Some(before) = before
        && !server.is_part_of(before, new)?
    {
        return Err(server.has_more(base, old, lane));
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
        remote: server.destination.remote.clone(),
        name: server.destination.name.clone(),
    };
    let id = unique_id();
    let mut running = Journal::new(repository.lane_dir()).begin_as(&id, &intent)?;
    step("push.announced");
    if before != Some(new) {
        running = send(server, planned, lane, hook, running)?;
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
    planned: &Move<'_>,
    lane: &LaneName,
    hook: PrePush,
    running: Running,
) -> Result<Running> {
    let Move { base, old, new, .. } = *planned;
    let Destination { remote, name, .. } = &server.destination;
    let sent = server.git().push(remote, new, name, hook);
    step("push.sent");
    let remote = server.name();
    let refused = |running: Running, sentence: String, hint: String| {
        running.done()?;
        Err(Error::refused(format!("{sentence}; nothing has landed"))
            .with_code(Code::PushRefused)
            .hint(hint)
            .hint(HERE_ALONE))
    };
    let (code, said) = match sent {
        Ok(sent) => sent,
        Err(error) => {
            running.done()?;
            return Err(error);
        }
    };
    match push_verdict(code, &said, name.as_bstr()) {
        PushVerdict::Taken => Ok(running),
        PushVerdict::Outdated(why) => refused(
            running,
            format!("'{remote}' has refused the push of '{base}': {why}"),
            server.catch_up(base, old, lane),
        ),
        PushVerdict::Refused(why) => refused(
            running,
            format!("'{remote}' has refused the push of '{base}': {why}"),
            format!("ask who looks after '{remote}'; what it says itself stands above"),
        ),
        PushVerdict::NotSent => refused(
            running,
            format!("git has not pushed '{base}' to '{remote}', for the reason above"),
            "where it is the hook pre-push that objects, --no-verify skips it".into(),
        ),
        PushVerdict::Unknown => match server.has_it_by_and_by(new) {
            Ok(true) => Ok(running),
            Ok(false) => {
                let sentence = "it has not answered, and does not have it so far";
                Err(server.unknown(base, sentence))
            }
            Err(error) => Err(server.unknown(base, &error.to_string())),
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
    let moved = format!("'{}' was moved here meanwhile", planned.base);
    Error::refused(moved)
        .with_code(Code::Raced)
        .hint(format!("bring both together with: {}", pull(planned)))
}

/// What has git bring a base and its remote together.
fn pull(planned: &Move<'_>) -> String {
    match planned.site {
        Some(site) => format!("git -C {} pull --no-rebase", quote(site.path.display())),
        None => format!("git switch {} && git pull --no-rebase", quote(planned.base)),
    }
}

/// Completes or undoes what a dead process was pushing.
pub fn recover(repository: &Repository, running: &Running, intent: &Intent) -> Result<Healing> {
    let healed = |counts| Ok(Healing::Whole(Healed::new(intent.what(), counts)));
    let Intent { base, old, new, .. } = intent;
    if let Some(now) = repository.ref_target(base)?
        && is_landing(repository, *new, now)
    {
        return healed(true);
    }
    // A journal may have come from anywhere: a base goes only forward by it.
    let branch = BranchName::from_ref(base.as_bstr());
    let Some(branch) = branch.filter(|_| is_landing(repository, *old, *new)) else {
        return healed(false);
    };
    let destination = Destination::known_as(repository, &intent.remote, &intent.name);
    let Some(destination) = destination else {
        return healed(false);
    };
    let worktrees = repository.worktrees()?;
    let site = site_of(&worktrees, &branch);
    let server = Server::of(repository, destination, site, Asks::NoOne);
    let has_it = server.has(*new);
    if !has_it.map_err(|error| server.unknown(&branch, &error.to_string()))? {
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
    ensure_passed(repository, &planned)
        .and_then(|()| follow(repository, &planned))
        .map_err(|error| server.ahead(&branch, error))?;
    healed(true)
}

/// Whether `older` is a commit that `newer`, a commit too, has in its history.
fn is_landing(repository: &Repository, older: ObjectId, newer: ObjectId) -> bool {
    let is_commit = |id| {
        let kind = repository.gix.find_header(id).map(|header| header.kind());
        kind.is_ok_and(|kind| kind == gix::objs::Kind::Commit)
    };
    is_commit(older)
        && is_commit(newer)
        && landing_facts::has(repository, newer, older).unwrap_or(false)
}

/// Refuses a commit that the gate of the base is not known to let pass: the file that names it is no
/// proof.
fn ensure_passed(repository: &Repository, planned: &Move<'_>) -> Result<()> {
    let gate = gate_rules::gate(
        repository,
        &repository.gix,
        planned.old,
        Some(planned.new),
        &[],
    )?;
    if gate.is_empty() || has_passed(repository, &gate, planned.new)? {
        return Ok(());
    }
    let sentence = format!(
        "'{}' has a gate, and nothing shows that this landing has passed it",
        planned.base
    );
    Err(Error::refused(sentence)
        .with_code(Code::GateRequired)
        .hint(format!(
            "take it from there by hand with: {}",
            pull(planned)
        )))
}

/// Who is asked for a password, and for how long the answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    TheUser,
    NoOne,
}

/// The remote of a base.
struct Server<'a> {
    repository: &'a Repository,
    destination: Destination,
    /// The worktree that has the base checked out.
    site: Option<&'a Worktree>,
    asks: Asks,
}

impl<'a> Server<'a> {
    fn of(
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

    fn name(&self) -> &BStr {
        self.destination.remote.as_bstr()
    }

    /// A git where the base is checked out, else where remotes are at home.
    fn git(&self) -> Invocation {
        match self.site {
            Some(site) => self.repository.git_as_user_at(&site.path),
            None => upstream::git_of_remotes(self.repository),
        }
    }

    fn limit(&self) -> Option<Duration> {
        (self.asks == Asks::NoOne).then_some(HEALING_PATIENCE)
    }

    /// Where its branch is.
    fn tip(&self) -> Result<Option<ObjectId>> {
        let Destination { address, name, .. } = &self.destination;
        self.git().remote_ref(address, name, self.limit())
    }

    /// Whether it has that commit of ours: the remote-tracking branch may know, else it is asked. Where
    /// others have pushed since, git fetches to know.
    fn has(&self, commit: ObjectId) -> Result<bool> {
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
    fn has_it_by_and_by(&self, commit: ObjectId) -> Result<bool> {
        for pause in PAUSES {
            std::thread::sleep(pause);
            if self.has(commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether `commit`, where it is known here at all, is `tip` or one of its ancestors.
    fn is_part_of(&self, commit: ObjectId, tip: ObjectId) -> Result<bool> {
        let is_here = |id| self.repository.gix.has_object(id);
        Ok(is_here(commit) && landing_facts::has(self.repository, tip, commit)?)
    }

    /// The failure to ask it before anything was sent.
    fn silent(&self, error: Error) -> Error {
        let sentence = format!(
            "'{}' cannot be asked where it is; nothing has landed",
            self.name()
        );
        Error::git(sentence).caused_by(error).hint(HERE_ALONE)
    }

    /// The failure to learn whether it has the landing.
    fn unknown(&self, base: &BranchName, why: &str) -> Error {
        let remote = self.name();
        let sentence =
            format!("whether '{remote}' has the landing on '{base}' is not known: {why}");
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

    /// The refusal to push what it could only take by force; the base is at `tip`.
    fn has_more(&self, base: &BranchName, tip: ObjectId, lane: &LaneName) -> Error {
        let sentence = format!("'{}' has commits that '{base}' does not have", self.name());
        Error::refused(sentence)
            .with_code(Code::PushRefused)
            .hint(self.catch_up(base, tip, lane))
            .hint(HERE_ALONE)
    }

    /// How the base gets what the remote has more: by a sync where it only lacks that, else by a merge
    /// of git's. What cannot be read here is for these to find.
    fn catch_up(&self, base: &BranchName, tip: ObjectId, lane: &LaneName) -> String {
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
