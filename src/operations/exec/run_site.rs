//! What is true of a lane at the moment when a command is to begin in it: where, with which
//! variables, and whether it may.
//!
//! The thread that has the repository answers; `run` alone calls it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::domain::lane::{Lane, Worktree};
use crate::domain::retire::{Places, raced};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::repository::metadata::Records;
use crate::repository::{Repository, claims, resolver_lock};
use crate::store::file_id::Stamp;

/// What the variables of every lane's own begin with.
const PREFIX: &str = "GIT_LANE_";

/// A parameter's.
const SET: &str = "GIT_LANE_SET_";

/// Where a command runs.
#[derive(Debug)]
pub(super) struct Site {
    /// The lane as it is recorded now.
    pub(super) lane: Lane,
    /// Its worktree.
    pub(super) directory: PathBuf,
    /// What the lane is, in variables.
    pub(super) variables: Vec<(String, OsString)>,
    /// Those of this process that tell of another lane.
    pub(super) without: Vec<OsString>,
}

/// What all lanes are, looked at again where it may have changed.
pub(super) struct Look<'a> {
    repository: &'a Repository,
    worktrees: Vec<Worktree>,
    records: Records,
    /// The state of the file that the records are from.
    stamp: Option<Stamp>,
}

impl<'a> Look<'a> {
    pub(super) fn new(repository: &'a Repository) -> Result<Self> {
        let stamp = stamp(repository);
        Ok(Look {
            repository,
            worktrees: repository.worktrees()?,
            records: repository.records()?,
            stamp,
        })
    }

    /// Every lane, as it was looked at last.
    pub(super) fn lanes(&self) -> &[Lane] {
        &self.records.lanes
    }

    /// Where a command of that lane may begin now.
    ///
    /// # Errors
    /// A refusal where another holder has the lane, where another command has left it half done or
    /// is at work in it, and where it or its worktree is gone.
    pub(super) fn site(&mut self, lane: &Lane) -> Result<Site> {
        self.repository
            .unrecovered
            .ensure_lane_is_whole(&lane.name)?;
        let now = stamp(self.repository);
        if now != self.stamp || now.and_then(Stamp::settled).is_none() {
            *self = Look::new(self.repository)?;
        }
        let known = self.records.find(&lane.name);
        let known = known.filter(|known| known.id == lane.id);
        let lane = known.ok_or_else(|| raced(&lane.name))?;
        claims::ensure_not_anothers(self.repository, lane)?;
        resolver_lock::ensure_free(self.repository, lane)?;
        let worktree = Places::of(&self.worktrees).place(lane).present();
        // It may have gone since.
        let there = worktree.filter(|worktree| worktree.path.join(".git").exists());
        let worktree = there.ok_or_else(|| no_worktree(lane))?;
        let variables = variables(lane, worktree);
        Ok(Site {
            directory: worktree.path.clone(),
            without: others(&variables),
            variables,
            lane: lane.clone(),
        })
    }
}

fn stamp(repository: &Repository) -> Option<Stamp> {
    Stamp::of(&repository.common_dir().join("config"))
}

fn no_worktree(lane: &Lane) -> Error {
    Error::refused(format!(
        "the worktree of lane '{}' is gone from '{}' or damaged",
        lane.name,
        lane.worktree.display()
    ))
    .with_code(Code::WorktreeGone)
    .hint("see what can be done about it with: git lane doctor")
    .details(serde_json::json!({ "lane": lane.name }))
}

/// What the lane is, in variables; a fact that there is none of has no variable.
fn variables(lane: &Lane, worktree: &Worktree) -> Vec<(String, OsString)> {
    let bytes = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let branch = lane.branch.as_ref();
    let base = lane.base.as_ref();
    let facts = [
        ("NAME", Some(lane.name.as_str().into())),
        ("PATH", Some(worktree.path.clone().into_os_string())),
        ("BRANCH", branch.map(|branch| bytes(branch.as_bstr()))),
        ("BASE", base.map(|base| bytes(base.shorten()))),
        ("TASK", lane.task.as_ref().map(OsString::from)),
        ("OWNER", lane.owner.as_ref().map(OsString::from)),
    ];
    let facts = facts
        .into_iter()
        .filter_map(|(name, value)| Some((format!("{PREFIX}{name}"), value?)));
    let parameters = lane.parameters.iter();
    let parameters = parameters.map(|one| (one.variable(), OsString::from(&one.value)));
    facts.chain(parameters).collect()
}

/// The variables of this process that tell what another lane is, where `own` do not.
fn others(own: &[(String, OsString)]) -> Vec<OsString> {
    let facts = ["BRANCH", "BASE", "TASK", "OWNER"].map(|name| format!("{PREFIX}{name}"));
    let is_fact = |name: &OsStr| {
        facts.iter().any(|fact| name == fact.as_str())
            || name.as_bytes().starts_with(SET.as_bytes())
    };
    let is_own = |name: &OsStr| own.iter().any(|(own, _)| name == own.as_str());
    let all = std::env::vars_os().map(|(name, _)| name);
    all.filter(|name| is_fact(name) && !is_own(name)).collect()
}

/// The hint that leads to all that a command has said.
pub(super) fn see_all_of(log: &std::path::Path) -> String {
    format!("see all that it said with: less {}", quote(log.display()))
}
