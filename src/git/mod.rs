//! The only folder that knows git exists.

pub mod populate;
