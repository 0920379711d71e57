//! What takes long and is measured: filling a worktree, looking at its files, walking history,
//! proving that work has arrived, finding processes, hearing of changes.
//!
//! They take a gix repository or a path, know no lane, and are called by everything above.

pub mod directory_readers;
pub mod evidence;
pub mod history;
mod platform;
pub mod populate;
pub mod processes;
pub mod status;
pub mod watch;
