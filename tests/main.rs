//! The end-to-end suite: one crate, one file per verb, real git.

mod finish;
mod sandbox;
