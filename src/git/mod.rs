//! The only folder that knows git exists.
