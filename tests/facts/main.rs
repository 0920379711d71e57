//! What git-lane believes about a repository, checked against what git says about it.

mod evidence;
mod history;
mod sandbox;
mod status;
