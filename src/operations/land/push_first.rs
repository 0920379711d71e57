//! A landing that the remote has first: the commit is pushed to the branch that the base follows, and
//! the base moves once the remote has taken it. A push that is refused is a landing that is refused.
//!
//! What would stop the base here is looked for before anything is sent, and the intent is journalled
//! until the base has moved. *Dead, or no answer, before that: the remote is asked. Where it has the
//! commit, the base goes forward; where it has not, nothing has landed. Where it cannot be asked, or
//! something is in the way here, the intent stays, and nothing else moves the base until it is healed.*
//!
//! `settle`, the leader of a batch and a revert move bases by this; [`super::recover_push`] heals what is
//! left.

use bstr::BString;
use serde::{Deserialize, Serialize};

use super::ATTEMPTS;
use super::apply::{Moved, apply};
use super::base_remote::{Asks, HERE_ALONE, Server, goes_to};
use super::landing_facts;
use super::obstacles_ahead::foretell_obstacles;
use crate::domain::lane::{ObjectId, RefName, hex, lossless_bytes};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::push_verdict::{PushVerdict, push_verdict};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::operations::checkout::Move;
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::push_destination::Destination;
use crate::store::activity::Activity;
use crate::store::git::PrePush;
use crate::store::journal::{About, Announce, Journal, Running, step, unique_id};

/// A landing that is being pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "push")]
pub struct Intent {
    /// The full name of the base.
    pub(super) base: RefName,
    #[serde(with = "hex")]
    pub(super) old: ObjectId,
    #[serde(with = "hex")]
    pub(super) new: ObjectId,
    /// Where it is pushed to.
    #[serde(with = "lossless_bytes")]
    pub(super) remote: BString,
    pub(super) name: RefName,
}

impl Intent {
    pub(super) fn what(&self) -> String {
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
pub(super) fn follow(repository: &Repository, planned: &Move<'_>) -> Result<()> {
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
pub(super) fn pull(planned: &Move<'_>) -> String {
    match planned.site {
        Some(site) => format!("git -C {} pull --no-rebase", quote(site.path.display())),
        None => format!("git switch {} && git pull --no-rebase", quote(planned.base)),
    }
}
