//! The end-to-end suite: one crate, one file per verb, real git.

mod completions;
mod concurrency;
mod config;
mod crash;
mod doctor;
mod dotfiles;
mod drop;
mod facts;
mod finish;
mod hooks;
mod house;
mod interference;
mod json;
mod lanes;
mod list;
mod log;
mod man;
mod prune;
mod replay;
mod restore;
mod rule;
mod sandbox;
mod shell_init;
mod shells;
mod start;
mod trash;
