//! The end-to-end suite: one crate, one file per verb, real git.

mod hooks;
mod list;
mod rule;
mod sandbox;
mod start;
