//! What git-lane believes about a repository, checked against what git says about it.

mod evidence;
mod history;
pub mod sandbox;
mod status;
