//! The completion scripts of `../shell`, which ask git-lane itself what can stand at a place.

/// The script for bash.
pub const BASH: &str = include_str!("../shell/completion.bash");
/// The script for zsh.
pub const ZSH: &str = include_str!("../shell/completion.zsh");
/// The script for fish.
pub const FISH: &str = include_str!("../shell/completion.fish");
