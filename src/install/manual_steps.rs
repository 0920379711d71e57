//! What is left to people where git takes hook files from a directory that git-lane does not write.

use std::path::{Path, PathBuf};

use super::probe;
use super::state::Directory;
use crate::domain::guard::git_hook::Hook;
use crate::domain::lane::WorktreeState;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, Result};
use crate::install::third_party;
use crate::install::third_party::Onward;
use crate::repository::Repository;

/// What keeps git from calling us, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ByHand {
    /// The call is there, behind the end of this file.
    MoveUp(PathBuf),
    /// This file needs the call.
    Add(PathBuf, Hook),
    /// This worktree has no such file, though the main one has it: the path below its root.
    Bring(PathBuf, PathBuf),
    /// The script is fine, but husky has not made its own files in this worktree.
    RunHusky(PathBuf),
    /// husky does not know that hook.
    Unknown(Hook),
}

/// Where git would not come to us: the directory of its hook files, and what to do there.
pub(super) fn lacking(
    repository: &Repository,
    place: &Directory,
    hook: Hook,
) -> Result<Option<(PathBuf, ByHand)>> {
    let name = hook.name();
    let lacks = |directory: &PathBuf| !probe::runs_us(repository, &directory.join(name), hook);
    let (below, roots) = match place {
        Directory::Own(directory) | Directory::Chosen(directory, _) => {
            return Ok(Some(directory)
                .filter(|directory| lacks(directory))
                .map(|directory| {
                    let file = directory.join(name);
                    (
                        directory.clone(),
                        unreached(&file, hook).unwrap_or_else(|| to_add(directory, hook)),
                    )
                }));
        }
        Directory::InEach(below, _) => {
            let all = repository.worktrees()?.into_iter();
            let present = all.filter(|worktree| worktree.state == WorktreeState::Present);
            (
                below,
                present.map(|worktree| worktree.path).collect::<Vec<_>>(),
            )
        }
    };
    let Some(root) = roots.iter().find(|root| lacks(&root.join(below))) else {
        return Ok(None);
    };
    let directory = root.join(below);
    let husky = third_party::is_husky(&directory);
    let to_edit = if husky {
        below.with_file_name(name)
    } else {
        below.join(name)
    };
    let main = repository.main_site().0;
    let is_in_main = *root != main && !lacks(&main.join(below));
    let remedy = match unreached(&directory.join(name), hook) {
        Some(remedy) => remedy,
        None if husky && !third_party::husky_has(hook) => ByHand::Unknown(hook),
        None if husky && probe::script_reaches_us(repository, &root.join(&to_edit), hook) => {
            ByHand::RunHusky(root.clone())
        }
        None if is_in_main && !root.join(&to_edit).exists() => ByHand::Bring(root.clone(), to_edit),
        None => ByHand::Add(to_edit, hook),
    };
    Ok(Some((directory, remedy)))
}

fn unreached(file: &Path, hook: Hook) -> Option<ByHand> {
    let named = probe::executable(file).then(|| Onward::from(file))?;
    probe::names_us(named.file(), hook).then(|| ByHand::MoveUp(named.file().to_owned()))
}

fn to_add(directory: &Path, hook: Hook) -> ByHand {
    let name = hook.name();
    match third_party::is_husky(directory) {
        true if !third_party::husky_has(hook) => ByHand::Unknown(hook),
        true => ByHand::Add(directory.with_file_name(name), hook),
        false => ByHand::Add(directory.join(name), hook),
    }
}

/// What to say of all of them, a line each.
pub(super) fn hints(place: &Directory, missing: &[ByHand]) -> Vec<String> {
    if let Some(ByHand::MoveUp(file)) = missing.iter().find(|one| matches!(one, ByHand::MoveUp(_)))
    {
        return vec![format!(
            "{} ends before it reaches git-lane: move git-lane's lines to its start",
            quote(file.display())
        )];
    }
    let mut hints: Vec<String> = Vec::new();
    for hint in missing.iter().map(ByHand::to_string) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    if missing.iter().any(|one| matches!(one, ByHand::Add(..))) {
        hints.push(match place {
            Directory::InEach(below, _) if third_party::is_husky(below) => {
                "put each before anything that ends its script, commit them, and let husky run in \
                 every worktree: npm install"
            }
            Directory::InEach(..) => {
                "put each before anything that ends its file, make that executable (chmod +x), \
                 and commit it: every worktree has its own"
            }
            _ => "put each before anything that ends its file, and make that executable (chmod +x)",
        }
        .into());
    }
    hints.push("or use git 2.54 or later, where no hook files are needed".into());
    hints
}

impl std::fmt::Display for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ByHand::MoveUp(file) => write!(
                f,
                "move git-lane's lines to the start of {}",
                quote(file.display())
            ),
            ByHand::Add(file, hook) => {
                write!(f, "add to {}: {}", quote(file.display()), call(*hook))
            }
            ByHand::Bring(root, file) => {
                let (root, file) = (quote(root.display()), quote(file.display()));
                write!(
                    f,
                    "{root} has no {file}, another worktree has: commit it there, and take it \
                     over by a merge or rebase"
                )
            }
            ByHand::RunHusky(root) => {
                write!(
                    f,
                    "let husky run in {}, which has none of its hook files: npm install",
                    quote(root.display())
                )
            }
            ByHand::Unknown(hook) => {
                let name = hook.name();
                write!(
                    f,
                    "husky runs no {name}, so take the level that does without: git lane init \
                     --level restore"
                )
            }
        }
    }
}

/// The line. It goes into files that others run too: where there is no git-lane it does nothing,
/// and a git-lane that crashes stops nothing.
fn call(hook: Hook) -> String {
    let name = hook.name();
    format!(
        "! command -v git-lane >/dev/null || git-lane hook {name} \"$@\" || [ $? != 1 ] || exit 1"
    )
}

/// Refuses where git does not come to us from files that git-lane does not write; says what to add
/// to them.
pub(super) fn ensure_called(
    repository: &Repository,
    place: &Directory,
    hooks: &[Hook],
) -> Result<()> {
    let (Directory::Chosen(directory, why) | Directory::InEach(directory, why)) = place else {
        return Ok(());
    };
    let mut missing = Vec::new();
    for hook in hooks {
        missing.extend(lacking(repository, place, *hook)?.map(|(_, remedy)| remedy));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "hook files belong in '{}' here ({why}), where git-lane does not write",
        directory.display()
    );
    Err(hints(place, &missing).into_iter().fold(
        Error::refused(text).with_code(Code::HooksElsewhere),
        Error::hint,
    ))
}
