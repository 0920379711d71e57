//! What changes a repository, one room for each operation, each with its own intent and its own recovery.
pub mod doctor;
pub mod in_flight;
pub mod interrupted;
pub mod land;
pub mod reconcile;
pub mod recover;
pub mod restore;
pub mod retire;
pub mod start;
pub mod switch;
pub mod trash;
