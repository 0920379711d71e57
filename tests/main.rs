//! The end-to-end suite: one crate, one file per verb, real git.

mod facts;
mod list;
mod sandbox;
mod start;
