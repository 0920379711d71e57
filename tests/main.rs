//! The end-to-end suite: one crate, one file per verb, real git.

mod completions;
mod config;
mod drop;
mod facts;
mod finish;
mod house;
mod lanes;
mod list;
mod log;
mod man;
mod prune;
mod restore;
mod sandbox;
mod shell_init;
mod shells;
mod start;
mod trash;
