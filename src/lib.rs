//! git-lane gives every task its own lane: one name, one branch, one worktree, one owner.
//!
//! Data flows one way: `cli` parses, `commands` read facts through `repository` and `engines`,
//! `domain` decides without touching anything, `operations` look again and act, `ui` tells the
//! result. ARCHITECTURE.md has the floors.
//!
//! This library serves the program, its tests, benchmarks and fuzz targets; it promises nothing to
//! others.

pub mod cli;
mod commands;
mod domain;
mod engines;
mod error;
mod guard;
mod install;
mod manual;
mod operations;
mod policy;
mod repository;
mod store;
mod ui;

pub use cli::run;
pub use commands::hook::at_once;
pub use ui::Ui;

/// The `version` field of every JSON document; it grows when a field changes its meaning or goes
/// away.
pub const JSON_VERSION: u32 = 2;

/// What tests, benchmarks and fuzz targets look at, and nothing else does.
#[doc(hidden)]
pub mod internals {
    pub use crate::commands::man::{Page, SCHEMA};
    pub use crate::domain::event::Event;
    pub use crate::domain::integration::Integration;
    pub use crate::domain::lane::{Lane, LaneId, ObjectId, RefName};
    pub use crate::domain::message::expand;
    pub use crate::domain::name::{BranchName, LaneName};
    pub use crate::domain::operation_log::join;
    pub use crate::domain::start::worktree_path;
    pub use crate::domain::task_file::{Task, parse as parse_tasks};
    pub use crate::domain::trash_entry::Entry;
    pub use crate::engines::evidence::{Bound, integrations};
    pub use crate::engines::history::{Divergence, commits_beyond, divergences, is_ancestor};
    pub use crate::engines::status::{
        Depth, Operation, WorktreeStatus, ignored, operation, statuses, understands,
    };
    pub use crate::error::{Code, Error, Kind, Result};
    pub use crate::guard::guard_config;
    pub use crate::guard::{checkout_message, reference_transaction};
    pub use crate::manual::{WORKFLOWS, pages, written};
    pub use crate::operations::gate::own_worktree::{Moment, OwnWorktree, Shown, Slot};
    pub use crate::operations::land::stamp::{Entries, STAT};
    pub use crate::operations::recover::Intent;
    pub use crate::operations::trash::{Expiration, expire};
    pub use crate::policy::{KEYS, Origin, Policy, Values};
    pub use crate::repository::Repository;
    pub use crate::repository::metadata::{Content, Records, content, parse, put, text};
    pub use crate::repository::worktree::parse_head;
    pub use crate::store::command_run::{
        CappedLog, CommandRun, Ended, LeftGroup, Outcome, Program, RUN_ID, Stdin, end_left_group,
        run as run_command,
    };
    pub use crate::store::events::event;
    pub use crate::store::git::Git;
    pub use crate::store::journal::About;
    pub use crate::store::platform::mount_points;
    pub use crate::store::signals::Waiting;
    pub use crate::ui::escape;
}
