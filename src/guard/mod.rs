//! The guard's hot path: what `git lane hook <event>` does when git calls it.
//!
//! `site` and `guard_config` read HEAD and one file; where those say that all is well, and they
//! nearly always do, nothing else happens. `queries` asks git for what a judgement needs beyond
//! that, `reference_transaction` reads what is about to happen to refs, `remedy` takes a switch
//! back.
//!
//! Called by `commands/hook` alone.

mod autostash;
mod caller;
mod fetched;
#[doc(hidden)]
pub mod guard_config;
mod queries;
#[doc(hidden)]
pub mod reference_transaction;
mod remedy;
mod site;
mod suggest;
mod times;
mod undo_checkout_merge;
mod written;

pub use crate::guard::suggest::way_to;
pub use remedy::SCRATCH;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use bstr::ByteSlice;

use crate::domain::guard::git_hook::Hook;
use crate::domain::guard::{self, Event, Facts, Finding, Lane, Level, Remedy, Verdict, Way};
use crate::domain::lane::Head;
use crate::domain::name::BranchName;
use crate::domain::shell_word::quote_bytes;
use crate::error::{Error, Result};
use crate::repository::branch_moved_behind::overtaken;

use crate::guard::guard_config::Settings;
use crate::guard::site::Place;
#[doc(hidden)]
pub use crate::guard::site::checkout_message;
use caller::Caller;
use written::Saved;

/// What the hook has to say, and whether git may go on.
#[derive(Debug)]
pub enum Reply {
    /// Nothing is wrong.
    Silent,
    /// Something is worth a word; what to do about it.
    Say(Finding, String),
    /// git must fail. The text says what was done about it.
    Stop(Error),
}

/// Answers one hook. Any error lets git go on.
pub fn answer(hook: Hook, args: &[OsString]) -> Result<Reply> {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let paths_only = hook == Hook::PostCheckout && args.get(2).is_some_and(|flag| flag != "1");
    let unprepared =
        hook == Hook::ReferenceTransaction && args.first().is_some_and(|state| state != "prepared");
    if paths_only || unprepared || set("GIT_LANE_BYPASS") {
        return Ok(Reply::Silent);
    }
    let Some(place) = Place::find()? else {
        return Ok(Reply::Silent);
    };
    let Some(settings) = Settings::read(&place.common_dir)? else {
        return Ok(Reply::Silent);
    };
    let level = guard_config::level_of_command_line()
        .or(settings.level)
        .unwrap_or_default();
    if level == Level::Off || (hook == Hook::ReferenceTransaction && level != Level::Refuse) {
        return Ok(Reply::Silent);
    }
    let guarded = Guarded {
        place,
        settings,
        level,
    };
    let reply = match hook {
        Hook::ReferenceTransaction => guarded.refs(args),
        hook => guarded.head(hook, args),
    };
    match reply {
        // A question that has no answer is none of the user's where git-lane runs that git.
        Err(_) if caller::is_git_lanes() => Ok(Reply::Silent),
        reply => reply,
    }
}

/// A repository in which there is something to guard.
struct Guarded {
    place: Place,
    settings: Settings,
    level: Level,
}

impl Guarded {
    fn facts(&self) -> Result<Facts> {
        let lane = self.place.lane(&self.settings.lanes);
        let head = self.place.head_of(lane)?;
        let at_home =
            lane.is_some_and(|lane| lane.branch.is_some() && lane.branch.as_ref() == head.branch());
        let bisecting = !at_home && self.place.bisecting();
        let owner = match &head {
            Head::Branch(branch) if !at_home => self.owner(branch, lane),
            _ => None,
        };
        Ok(Facts {
            level: self.level,
            owner: owner.cloned(),
            head,
            rebasing: !at_home && self.place.rebasing(),
            bisecting,
            ending_bisection: bisecting && self.place.caller().is_some_and(Caller::ends_bisection),
            home: self.settings.home.clone(),
            protected: self.settings.protected.clone(),
            tried: self.settings.tried.clone(),
            place: match lane {
                Some(lane) => guard::Place::Lane(lane.clone()),
                None if !self.place.linked => guard::Place::Main,
                None => guard::Place::Elsewhere,
            },
        })
    }

    /// The living lane, other than the one we are in, that has `branch` for its own.
    fn owner(&self, branch: &BranchName, here: Option<&Lane>) -> Option<&Lane> {
        let other = |lane: &&Lane| {
            lane.branch.as_ref() == Some(branch) && here.is_none_or(|here| here.name != lane.name)
        };
        self.settings
            .lanes
            .iter()
            .find(other)
            .filter(|lane| site::git_dir_of(lane, &self.place.common_dir).is_some())
    }

    /// The hooks that ask whether HEAD is where it belongs.
    fn head(mut self, hook: Hook, args: &[OsString]) -> Result<Reply> {
        let mut facts = self.facts()?;
        let commits = matches!(
            hook,
            Hook::PreCommit | Hook::PreMergeCommit | Hook::PreRebase
        );
        if let guard::Place::Lane(lane) = &facts.place
            && commits
            && self.place.is_redirected()
        {
            facts.place = guard::Place::Redirected(lane.clone());
        }
        // A renamed branch takes its record with it; then the question is asked again.
        for _ in 0..2 {
            let Some(event) = self.event(hook, args, &facts)? else {
                return Ok(Reply::Silent);
            };
            match guard::judge(&facts, &event) {
                Verdict::Allow => return Ok(Reply::Silent),
                // Looked at only now: nearly always all is well, and git-lane does not ask who is
                // there.
                _ if caller::is_git_lanes() => return Ok(Reply::Silent),
                Verdict::Say(finding) => return Ok(self.say(finding)),
                Verdict::Stop(finding, remedy) => {
                    let commit = |n: usize| {
                        args.get(n)
                            .map_or(b"".as_bstr(), |commit| commit.as_bytes().as_bstr())
                    };
                    let after = remedy::apply(&self.place, &finding, &remedy, commit(0), commit(1));
                    let error =
                        self.refusal(&finding, &remedy, after, hook == Hook::PreMergeCommit);
                    let hidden = (hook == Hook::PreRebase)
                        .then(|| autostash::bring_back(&self.place).err())
                        .flatten();
                    let hints = hidden.iter().flat_map(Error::hints).cloned();
                    return Ok(Reply::Stop(hints.fold(error, Error::hint)));
                }
                Verdict::Follow(branch) => facts = self.follow(&facts, &branch)?,
            }
        }
        Ok(Reply::Silent)
    }

    /// Gives the lane we are in its branch's new name; the facts as they are then.
    fn follow(&mut self, facts: &Facts, branch: &BranchName) -> Result<Facts> {
        if let guard::Place::Lane(lane) = &facts.place {
            remedy::follow(&self.place.common_dir, &lane.name, branch)?;
        }
        self.settings = Settings::read(&self.place.common_dir)?.unwrap_or_default();
        self.facts()
    }

    /// What git is doing, with details; `None` when it cannot matter.
    fn event(&self, hook: Hook, args: &[OsString], facts: &Facts) -> Result<Option<Event>> {
        let order = facts.in_order();
        let own = || queries::own_branch(&self.place, facts);
        if matches!(facts.place, guard::Place::Redirected(_)) {
            // There is nothing more to know.
            return Ok(Some(Event::Merge {
                merged: Vec::new(),
                own: own()?,
            }));
        }
        Ok(match hook {
            Hook::PostCheckout if order => None,
            Hook::PostCheckout => Some(queries::switched(&self.place, facts, args)?),
            Hook::PreCommit | Hook::PreMergeCommit => {
                let merged = queries::merged(
                    &self.place,
                    facts,
                    &self.settings.lanes,
                    hook == Hook::PreMergeCommit,
                )?;
                let overtaken = match (&facts.place, hook) {
                    (
                        guard::Place::Lane(Lane {
                            branch: Some(branch),
                            ..
                        }),
                        Hook::PreCommit,
                    ) if facts.head.branch() == Some(branch) => {
                        let Place {
                            git_dir,
                            common_dir,
                            ..
                        } = &self.place;
                        overtaken(git_dir, common_dir, branch, || self.place.git())
                    }
                    _ => None,
                };
                let free = facts.protected.is_empty() && !facts.takes_no_commit();
                if order && merged.is_empty() && free && overtaken.is_none() {
                    None
                } else if hook == Hook::PreCommit {
                    Some(Event::Commit {
                        merged,
                        own: own()?,
                        overtaken,
                    })
                } else {
                    Some(Event::Merge {
                        merged,
                        own: own()?,
                    })
                }
            }
            Hook::PreRebase => {
                let is_read_only = facts.takes_no_commit();
                let branch = match args.get(1) {
                    Some(named) => {
                        match queries::branch_named(&self.place, named.as_bytes().as_bstr())? {
                            Some(branch) => Some(branch),
                            // A commit: HEAD will be detached, which is no lane's loss.
                            None if !is_read_only => return Ok(None),
                            None => None,
                        }
                    }
                    None if order && facts.protected.is_empty() && !is_read_only => {
                        return Ok(None);
                    }
                    None => None,
                };
                Some(Event::Rebase {
                    branch,
                    own: own()?,
                })
            }
            Hook::ReferenceTransaction => None,
        })
    }

    /// The hook that is asked before refs change.
    fn refs(mut self, args: &[OsString]) -> Result<Reply> {
        let lines = reference_transaction::lines(args.get(1).map(OsString::as_os_str))?;
        let mut facts = self.facts()?;
        for _ in 0..2 {
            facts.rebasing = self.place.rebasing() || autostash::is_waiting(&self.place);
            let moves = reference_transaction::moves(&self, &facts, &lines)?;
            match guard::judge(&facts, &Event::Refs(moves)) {
                Verdict::Allow => return Ok(Reply::Silent),
                _ if caller::is_git_lanes() => return Ok(Reply::Silent),
                Verdict::Say(finding) => return Ok(self.say(finding)),
                Verdict::Follow(branch) => facts = self.follow(&facts, &branch)?,
                Verdict::Stop(finding, remedy) => {
                    let after =
                        remedy::apply(&self.place, &finding, &remedy, b"".into(), b"".into());
                    return Ok(Reply::Stop(self.refusal(&finding, &remedy, after, false)));
                }
            }
        }
        Ok(Reply::Silent)
    }

    fn say(&self, finding: Finding) -> Reply {
        // What is not taken back keeps the branch checked out here, where no other worktree can
        // have it.
        let hint = finding.hint(false, |branch| match finding.left() {
            Some(left) if remedy::only_head_moved(&self.place, left) => {
                Way::AfterHead(left.clone(), suggest::to(&self.place, branch).into())
            }
            Some(left) => Way::After(left.clone(), suggest::to(&self.place, branch).into()),
            None => suggest::to(&self.place, branch),
        });
        Reply::Say(finding, hint)
    }

    fn hint(&self, finding: &Finding, merge: bool) -> String {
        if let Finding::Stray {
            lane: Lane {
                branch: Some(own), ..
            },
            ..
        } = finding
            && remedy::only_head_moved(&self.place, own)
        {
            return format!(
                "go back, with your changes, by: git symbolic-ref HEAD {}",
                quote_bytes(&own.to_ref())
            );
        }
        finding.hint(merge, |branch| suggest::to(&self.place, branch))
    }

    /// What the user reads: what was stopped and what became of it, and what to do instead.
    fn refusal(
        &self,
        finding: &Finding,
        remedy: &Remedy,
        after: Result<Option<Saved>>,
        merge: bool,
    ) -> Error {
        let failed = after.is_err();
        let saved = after
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(ToString::to_string);
        let error = match (remedy, after) {
            (Remedy::None | Remedy::ReadTree(_), Ok(_)) => Error::refused(finding.to_string()),
            // Nothing had been written, and what is there is something else.
            (Remedy::ReadTree(_), Err(_)) if matches!(finding, Finding::BranchMoved { .. }) => {
                Error::refused(finding.to_string())
            }
            (Remedy::DetachHere, Ok(_)) => Error::refused(format!(
                "{finding}; the new worktree has a detached HEAD now"
            )),
            (Remedy::EndBisection(_), Ok(_)) => Error::refused(format!(
                "{finding}; the bisection has ended on the branch that does"
            )),
            (_, Ok(_)) => Error::refused(format!("{finding}; it was taken back")),
            (_, Err(error)) => Error::refused(format!("{finding}, and could not be taken back"))
                .caused_by(error.to_string()),
        };
        let hint = match remedy {
            Remedy::Switch(branch) if failed && self.place.caller().is_some_and(Caller::merges) => {
                format!("go back, with your changes, by: {}", merge_back(branch))
            }
            Remedy::ReadTree(target)
                if failed && self.place.caller().is_some_and(Caller::merges) =>
            {
                let target = quote_bytes(target.as_bytes());
                let back = self
                    .place
                    .head()
                    .ok()
                    .and_then(|head| head.branch().map(merge_back))
                    .unwrap_or_default();
                format!(
                    "go back, with your changes, by: GIT_LANE_BYPASS=1 git symbolic-ref HEAD \
                     {target} && {back}"
                )
            }
            Remedy::Switch(branch) if failed => {
                format!(
                    "go back yourself with: git checkout --ignore-other-worktrees {}; {}",
                    quote_bytes(branch.as_bstr()),
                    self.hint(finding, merge)
                )
            }
            Remedy::EndBisection(branch) if failed => {
                let branch = branch
                    .as_ref()
                    .map(|branch| format!(" {}", quote_bytes(branch.as_bstr())));
                format!(
                    "end the bisection yourself with: git bisect reset{}",
                    branch.unwrap_or_default()
                )
            }
            _ => self.hint(finding, merge),
        };
        saved
            .into_iter()
            .fold(error.with_code(finding.code()).hint(hint), Error::hint)
    }
}

/// Goes to a branch from another one with conflicts in the index, and loses nothing that is in a
/// file.
fn merge_back(branch: &BranchName) -> String {
    format!(
        "git reset -q && git checkout --merge --ignore-other-worktrees {}",
        quote_bytes(branch.as_bstr())
    )
}
