//! What changes a repository: one room for each operation, with its own intent and its own
//! recovery.
//!
//! The commands call them; they call `repository`, `engines` and `store`. `recover` on top is the
//! one table of all intents: no operation imports it, each is handed the function that heals
//! (`repository::recovered::Heal`). `in_flight`, `awaited` and `interrupted` only look.

pub mod adopt;
pub mod awaited;
pub mod base_change;
pub mod carry;
pub mod checkout;
pub mod claim;
pub mod comparison;
pub mod doctor;
pub mod ephemeral;
pub mod exec;
pub mod forecast;
pub mod forget;
pub mod gate;
pub mod in_flight;
pub mod interrupted;
pub mod land;
pub mod reconcile;
pub mod recover;
pub mod relocate;
pub mod resolve;
pub mod restore;
pub mod retire;
pub mod start;
pub mod switch;
pub mod sync;
pub mod trash;
pub mod try_lane;
pub mod undo;
