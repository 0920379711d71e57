//! The end-to-end suite: one crate, one file per verb, real git.

mod drop;
mod lanes;
mod prune;
mod restore;
mod sandbox;
mod trash;
