//! The end-to-end suite: one crate, one file per verb, real git.

mod completions;
mod config;
mod crash;
mod doctor;
mod dotfiles;
mod drop;
mod facts;
mod finish;
mod fuzz;
mod hooks;
mod house;
mod json;
mod lanes;
mod list;
mod log;
mod man;
mod nasty;
mod prune;
mod replay;
mod restore;
mod rule;
mod sandbox;
mod shell_init;
mod shells;
mod start;
mod trash;
