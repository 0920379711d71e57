//! The end-to-end suite: one crate, one file per verb, real git.

mod completions;
mod config;
mod facts;
mod house;
mod list;
mod man;
mod sandbox;
mod shell_init;
mod shells;
mod start;
