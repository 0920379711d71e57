//! The rule: plain git, tried in every way that could break it and in every way that must stay free, at every level.

mod breaks;
mod follows;
mod free;
mod merges;
mod shop;
mod writes;
