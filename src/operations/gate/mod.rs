//! The gate: commands that must succeed on exactly the tree that is about to land.
//!
//! `own_worktree` is where they run, and where the repository's hooks see a landing.

mod ignored_links;
pub mod own_worktree;
mod preparation;
mod slot_layout;
