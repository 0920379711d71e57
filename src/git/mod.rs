//! The only folder that knows git exists.

mod child;
pub mod evidence;
pub mod history;
pub mod status;
