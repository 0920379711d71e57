//! Why a directory has no repository that can be worked in, and what to do about it.

use std::path::Path;

use super::find_worktree::named_by;
use super::metadata;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// The refusal to work in no repository; a worktree whose repository was moved names the place
/// where that was.
pub(super) fn in_none(directory: &Path) -> Error {
    let gone = directory
        .ancestors()
        .find_map(named_by)
        .filter(|git_dir| !git_dir.exists());
    let Some(gone) = gone else {
        return Error::environment("this directory is in no git repository")
            .with_code(Code::NoRepository)
            .hint("cd into a repository, or create one with: git init");
    };
    Error::environment(format!(
        "this directory belongs to a repository that is gone: '{}'",
        gone.display()
    ))
    .with_code(Code::NoRepository)
    .hint("if it was moved, in its new place: git lane doctor --fix")
}

/// The refusal to keep anything behind a link, which may lead anywhere, or in what is no directory.
pub(super) fn led_away(lane_dir: &Path, is_link: bool) -> Error {
    let (place, rm) = (lane_dir.display(), quote(lane_dir.display()));
    let (what, first) = match is_link {
        true => (
            "is a symbolic link, which git-lane does not follow",
            "see where it leads, then: rm",
        ),
        false => (
            "is no directory; git-lane never makes it anything else",
            "see what it is, then: rm",
        ),
    };
    Error::environment(format!("'{place}' {what}"))
        .with_code(Code::StrangeFile)
        .hint(format!("{first} {rm}"))
}

/// The refusal of a repository that gix cannot open.
pub(super) fn cannot_open(git_dir: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    let owned_by_us = gix::sec::Trust::from_path_ownership(git_dir)
        .is_ok_and(|trust| trust == gix::sec::Trust::Full);
    if !owned_by_us {
        return Error::environment(format!(
            "the repository at '{}' belongs to another user",
            git_dir.display()
        ))
        .with_code(Code::UnsafeRepository)
        .hint(format!(
            "if you trust it: git config --global --add safe.directory {}",
            quote(git_dir.parent().unwrap_or(git_dir).display())
        ));
    }
    // gix calls a working tree that does not exist another user's; git wants to go there before it
    // does anything.
    let tree = metadata::load(&git_dir.join("config"))
        .ok()
        .and_then(|config| {
            let path = config.string("core.worktree")?;
            Some(git_dir.join(crate::store::path(&path)))
        });
    match tree.filter(|tree| !tree.exists()) {
        Some(tree) => Error::environment(format!(
            "core.worktree leads to '{}', which is not there",
            tree.display()
        ))
        .with_code(Code::CoreWorktree)
        .hint("if that is not meant: git --work-tree=. config --unset core.worktree"),
        None => Error::environment(format!(
            "cannot open the repository at '{}': {text}",
            git_dir.display()
        )),
    }
}
