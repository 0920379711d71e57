//! git-lane gives every task its own lane: one name, one branch, one worktree, one owner.
//!
//! Data flows one way: `cli` parses, `commands` read facts through `repository` and `engines`,
//! `domain` decides without touching anything, `operations` look again and act, `ui` tells the
//! result. ARCHITECTURE.md has the floors.

pub mod cli;
pub mod commands;
pub mod domain;
pub mod engines;
pub mod error;
pub mod guard;
pub mod install;
pub mod manual;
pub mod operations;
pub mod policy;
pub mod repository;
pub mod store;
pub mod ui;

/// The `version` field of every JSON document; it grows when a field changes its meaning or goes
/// away.
pub const JSON_VERSION: u32 = 1;
