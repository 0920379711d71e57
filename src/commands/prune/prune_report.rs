//! What `git lane prune` says, for a person and for scripts.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};

use crate::commands::prune::candidates::Candidate;
use crate::commands::trash::Gone;
use crate::domain::event;
use crate::domain::finish::some;
use crate::domain::lane::lossless;
use crate::domain::name::{BranchName, LaneName};
use crate::domain::prune_verdict::{Done, Kept};
use crate::domain::shell_word::quote;
use crate::error::Error;
use crate::ui::{Page, Report};

/// The lanes that went, those that stayed, and what left the trash for good.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pruned {
    pub(super) dry_run: bool,
    pub(super) pruned: Vec<Taken>,
    pub(super) kept: Vec<Stays>,
    pub(super) expired: Vec<Gone>,
    #[serde(skip)]
    pub(super) shown: ShownKept,
}

/// How a person is told of the lanes that stay.
#[derive(Debug, Clone, Copy)]
pub enum ShownKept {
    /// Each with its reason.
    All,
    /// How many they are, and those that were to go.
    Count {
        /// The age that was asked for, in seconds.
        older_than: Option<i64>,
    },
}

/// A lane that went.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    pub(super) lane: LaneName,
    code: &'static str,
    message: String,
    branch_removed: bool,
    #[serde(skip)]
    branch: Option<BranchName>,
    pub(super) trash: Option<String>,
    /// The lanes that were based on its branch, and their base now.
    pub(super) above: Vec<LaneName>,
    pub(super) heir: Option<BranchName>,
    /// Its branch and its base.
    #[serde(skip)]
    pub(super) branches: (Option<BranchName>, Option<BranchName>),
    ignored: Vec<serde_json::Value>,
    /// What stays of a lane that was adopted.
    stays: Option<event::Stays>,
    #[serde(skip)]
    left: String,
}

impl Taken {
    /// A lane that is done for the reason `why`, with the ignored files in it. What became of it
    /// is not known yet.
    pub(super) fn new(candidate: &Candidate<'_>, why: &Done, ignored: &[BString]) -> Self {
        let lane = candidate.lane;
        let branch_removed = why.delete_branch();
        Taken {
            lane: lane.name.clone(),
            code: why.code(),
            message: why.to_string(),
            branch_removed,
            branch: lane.branch.clone().filter(|_| !branch_removed),
            trash: None,
            above: Vec::new(),
            heir: candidate.heir().filter(|_| branch_removed),
            branches: (lane.branch.clone(), lane.base_branch()),
            ignored: ignored
                .iter()
                .map(|path| lossless(path.as_bstr()))
                .collect(),
            stays: None,
            left: some(ignored),
        }
    }

    /// The same of a lane that was adopted.
    pub(super) fn forgotten(self, stays: event::Stays) -> Self {
        Taken {
            stays: Some(stays),
            ..self
        }
    }
}

/// A lane that stayed.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stays {
    lane: LaneName,
    code: &'static str,
    message: String,
    /// Whether it was to go.
    #[serde(skip)]
    was_done: bool,
}

impl Stays {
    /// A lane that is not done.
    pub(super) fn kept(name: &LaneName, kept: &Kept) -> Self {
        Stays {
            lane: name.clone(),
            code: kept.code(),
            message: kept.to_string(),
            was_done: false,
        }
    }

    /// A lane that was done when we looked and could not be taken when we came.
    pub(super) fn refused(name: &LaneName, error: &Error) -> Self {
        Stays {
            lane: name.clone(),
            code: error.code().as_str(),
            message: error.to_string(),
            was_done: true,
        }
    }
}

impl Pruned {
    /// A lane that is to have another base is not named where it went itself.
    pub(super) fn leave_out_those_gone(&mut self) {
        let gone: BTreeSet<LaneName> = self.pruned.iter().map(|taken| taken.lane.clone()).collect();
        for taken in &mut self.pruned {
            taken.above.retain(|above| !gone.contains(above));
        }
    }
}

impl Pruned {
    fn tell_of_kept(&self, page: &mut Page) {
        let is_named = |stays: &&Stays| matches!(self.shown, ShownKept::All) || stays.was_done;
        for stays in self.kept.iter().filter(is_named) {
            page.line(format!("kept lane '{}': {}", stays.lane, stays.message));
        }
        let ShownKept::Count { older_than } = self.shown else {
            return;
        };
        let count = self.kept.iter().filter(|stays| !stays.was_done).count();
        if count > 0 {
            let age = older_than.map(|seconds| format!(" --older-than {seconds}s"));
            let command = format!("git lane prune --dry-run{}", age.unwrap_or_default());
            page.line(format!("{count} kept; see why with: {command}"));
        }
    }
}

impl Report for Pruned {
    fn text(&self, page: &mut Page) {
        let verb = if self.dry_run {
            "would prune"
        } else {
            "pruned"
        };
        for taken in &self.pruned {
            page.line(format!("{verb} lane '{}': {}", taken.lane, taken.message));
            if !taken.left.is_empty() {
                let left = if self.dry_run { "would leave" } else { "left" };
                page.line(format!(
                    "  ignored files that {left} with it: {}",
                    taken.left
                ));
            }
            if let Some(heir) = &taken.heir {
                let is = if self.dry_run { "would be" } else { "is now" };
                for above in &taken.above {
                    page.line(format!("  the base of lane '{above}' {is} '{heir}'"));
                }
            }
            if let Some(branch) = &taken.branch {
                let (name, branch) = (quote(&taken.lane), quote(branch));
                page.line(format!(
                    "  go on with its branch in a new lane: git lane start {name} --branch {branch}"
                ));
            }
        }
        self.tell_of_kept(page);
        for gone in &self.expired {
            page.line(gone.line(self.dry_run));
        }
        if self.pruned.is_empty() && self.kept.is_empty() {
            page.line("there are no lanes");
        }
    }
}
