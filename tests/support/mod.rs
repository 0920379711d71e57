//! What tests of many topics share and what is no test: the sandbox, lanes put together by plain
//! git, entries of the trash, listings, snapshots, programs, other users, deaths, clocks and dice.
//!
//! What one topic alone needs lives in that topic's `mod.rs`.

mod dice;
mod documents;
mod git;
mod lanes;
mod listing;
mod place;
mod programs;
mod remotes;
mod rounds;
mod sandbox;
mod snapshot;
mod steps;
mod template;
mod terminal;
mod tested_trees;
mod thirty;
mod time;
mod trash;
mod users;

pub use dice::Dice;
pub use documents::{checked_document, checked_event, fits, unmet_forms, verbs_with_documents};
pub use git::{git_program, git_version};
pub use listing::{digest, files, listing};
pub use place::{directory_in, elsewhere, place};
pub use programs::{executable, installed, script, skipped};
pub use rounds::{long, rounds};
pub use sandbox::{Run, Sandbox, write};
pub use snapshot::{assert_screen, lasting};
pub use steps::die_at;
pub use terminal::{Terminal, WIDTHS};
pub use thirty::Thirty;
pub use time::{LONG_AGO, age, age_all, wait_until};
pub use trash::{change_entry, entry_of, outdate};
