//! What `git lane start` says of each lane.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::commands::lane_words::moment;
use crate::domain::carried::Moved;
use crate::domain::lane::{Lane, RefName, lossless_path};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::parameter::Parameter;
use crate::domain::start::{Behind, Creation};
use crate::error::Error;
use crate::operations::claim::Wish;
use crate::repository::Repository;
use crate::repository::claims::{self, TOKENS};
use crate::ui::{Page, Report, Ui};

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartReport {
    pub(super) dry_run: bool,
    pub(super) lanes: Vec<Told>,
    /// Whether a person has heard it already.
    #[serde(skip)]
    pub(super) is_told: bool,
}

impl StartReport {
    /// Says it, unless a person has heard it already.
    pub(super) fn tell_once(&self, ui: &Ui) {
        if ui.json || !self.is_told {
            ui.report(self);
        }
    }
}

impl StartReport {
    /// Adds which work the only lane has taken along, or would.
    pub(super) fn note_moved(&mut self, moved: Option<Moved>) {
        if let [Told::There(outcome)] = &mut self.lanes[..] {
            outcome.moved = moved;
        }
    }
}

/// What is told of one lane.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    /// It is there, or would be.
    There(Box<Outcome>),
    /// It could not be made.
    Failed(Failed),
}

/// A lane that could not be made.
#[derive(Debug, serde::Serialize)]
pub(super) struct Failed {
    created: bool,
    lane: LaneName,
    error: serde_json::Value,
}

impl Told {
    /// A lane that is there, with what went wrong in it.
    pub(super) fn there(outcome: Outcome, problem: Option<&Error>) -> Self {
        Told::There(Box::new(Outcome {
            error: problem.map(described),
            ..outcome
        }))
    }

    /// A lane that is not there.
    pub(super) fn failed(name: &LaneName, error: &Error) -> Self {
        Told::Failed(Failed {
            created: false,
            lane: name.clone(),
            error: described(error),
        })
    }

    /// Adds how the command ended that has run in it.
    pub(super) fn note_run(&mut self, ran: serde_json::Value) {
        if let Told::There(outcome) = self {
            outcome.ran = Some(ran);
        }
    }

    /// Adds under which id it is in the trash again.
    pub(super) fn note_retired(&mut self, trash: String) {
        if let Told::There(outcome) = self {
            outcome.trash = Some(trash);
        }
    }

    /// The token of a new claim on it that the command has told, while it is a lane.
    pub(super) fn new_token(&self) -> Option<&str> {
        let Told::There(outcome) = self else {
            return None;
        };
        let claim = outcome.claim.as_ref().filter(|_| outcome.trash.is_none());
        claim?.token.as_deref()
    }

    /// Its name.
    pub(super) fn name(&self) -> &LaneName {
        match self {
            Told::There(outcome) => &outcome.lane,
            Told::Failed(failed) => &failed.lane,
        }
    }

    /// Whether it is new.
    pub(super) fn is_created(&self) -> bool {
        matches!(self, Told::There(outcome) if outcome.created)
    }

    /// Whether it is there, or would be.
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Told::There(_))
    }
}

/// A failure as the document of a failed command has it.
fn described(error: &Error) -> serde_json::Value {
    error.to_json()["error"].take()
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) created: bool,
    lane: LaneName,
    branch: Option<BranchName>,
    #[serde(with = "lossless_path")]
    path: PathBuf,
    base: Option<RefName>,
    fork_point: String,
    owner: Option<String>,
    task: Option<String>,
    /// The parameters by their keys.
    set: BTreeMap<String, String>,
    read_only: bool,
    /// Whether the branch is new; `None` for a lane that existed.
    pub(super) new_branch: Option<bool>,
    /// The remote-tracking branch that a new branch is made from and follows.
    pub(super) upstream: Option<RefName>,
    /// How the files came about; `None` where nothing was checked out.
    pub(super) populated: Option<&'static str>,
    /// What its base lacks of the branch that it follows; `None` for a lane that existed.
    pub(super) base_behind: Option<Behind>,
    /// The uncommitted work that it has taken along.
    moved: Option<Moved>,
    /// The claim that the command has taken or renewed.
    pub(super) claim: Option<Claimed>,
    /// How the command ended that has run in it.
    ran: Option<serde_json::Value>,
    /// Its id in the trash, where it went there because nothing was done in it.
    trash: Option<String>,
    /// What went wrong in a lane that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<serde_json::Value>,
}

/// A claim, for the one who has it.
#[derive(Debug, serde::Serialize)]
pub(super) struct Claimed {
    /// `None` where the claim was held before.
    pub(super) token: Option<String>,
    holder: String,
    until: Option<String>,
    pid: Option<i32>,
}

impl Claimed {
    /// The claim of the lane, where it has one, as it is to be where it was just taken.
    pub(super) fn of(
        repository: &Repository,
        lane: &Lane,
        token: Option<String>,
        wish: Option<&Wish>,
    ) -> Option<Self> {
        let mut claim = lane.claim.clone()?;
        // A new claim is still to be confirmed.
        if let (Some(wish), Some(_)) = (wish, &token) {
            claim.end = wish.end.clone();
        }
        let until = claim.until(claims::renewed(repository, &lane.id, &claim));
        Some(Claimed {
            token,
            holder: claim.holder.clone(),
            until: until.and_then(moment),
            pid: claim.pid(),
        })
    }
}

fn by_key(parameters: Vec<Parameter>) -> BTreeMap<String, String> {
    let pair = |parameter: Parameter| (parameter.key, parameter.value);
    parameters.into_iter().map(pair).collect()
}

impl Outcome {
    pub(super) fn of(lane: Lane, created: bool) -> Self {
        Outcome {
            created,
            base: lane.base,
            fork_point: lane.fork_point.to_string(),
            lane: lane.name,
            branch: lane.branch,
            path: lane.worktree,
            owner: lane.owner,
            task: lane.task,
            set: by_key(lane.parameters),
            read_only: lane.read_only,
            new_branch: None,
            upstream: None,
            populated: None,
            base_behind: None,
            moved: None,
            claim: None,
            ran: None,
            trash: None,
            error: None,
        }
    }

    pub(super) fn existing(lane: Lane) -> Self {
        Self::of(lane, false)
    }

    pub(super) fn planned(creation: &Creation) -> Self {
        let request = &creation.request;
        Outcome {
            created: false,
            lane: request.name.clone(),
            branch: request.branch.clone(),
            path: creation.path.clone(),
            base: creation.base.name.clone(),
            fork_point: creation.base.commit.to_string(),
            owner: request.owner.clone(),
            task: request.task.clone(),
            set: by_key(request.parameters.clone()),
            read_only: request.read_only,
            new_branch: Some(creation.new_branch),
            upstream: creation
                .upstream
                .as_ref()
                .map(|upstream| upstream.tracking.clone()),
            populated: None,
            base_behind: None,
            moved: None,
            claim: None,
            ran: None,
            trash: None,
            error: None,
        }
    }

    fn line(&self, dry_run: bool) -> String {
        let branch = match (&self.branch, self.new_branch) {
            (None, _) if self.read_only => "read-only".to_owned(),
            (None, _) => "detached".to_owned(),
            (Some(branch), Some(false)) => format!("existing branch '{branch}'"),
            (Some(branch), _) => format!("branch '{branch}'"),
        };
        let short = || self.fork_point.chars().take(10).collect();
        let base = self.base.as_ref();
        let base = base.map_or_else(short, |base| format!("'{base}'"));
        let name = &self.lane;
        let did = match (self.created, dry_run, self.new_branch) {
            (true, ..) => "started",
            (false, true, Some(_)) => "would start",
            _ => return format!("lane '{name}' is there already: {branch}, base {base}"),
        };
        let from = self.upstream.as_ref().map_or(base.clone(), |upstream| {
            format!("'{upstream}', base {base}")
        });
        format!("{did} lane '{name}': {branch}, from {from}")
    }
}

fn moved_line(moved: &Moved) -> String {
    let from = moved.from.display();
    match (moved.counts.is_nothing(), moved.kept) {
        (true, _) => format!("  moved: nothing, for all is committed in {from}"),
        (false, false) => format!("  moved: {} from {from}", moved.counts),
        (false, true) => format!("  copied: {} from {from}", moved.counts),
    }
}

impl Report for StartReport {
    fn text(&self, page: &mut Page) {
        for told in &self.lanes {
            let Told::There(lane) = told else { continue };
            page.line(lane.line(self.dry_run));
            page.line(format!("  {}", lane.path.display()));
            if !lane.set.is_empty() {
                let set = lane.set.iter().map(|(key, value)| format!("{key}={value}"));
                page.line(format!("  set: {}", set.collect::<Vec<_>>().join(" ")));
            }
            if let Some(moved) = &lane.moved {
                page.line(moved_line(moved));
            }
            if let Some(claim) = &lane.claim {
                page.line(match &claim.token {
                    Some(token) => format!("  claimed: {TOKENS}={token}"),
                    None => format!("  claimed by '{}', as before", claim.holder),
                });
            }
        }
    }
}
