//! Who commits: asked before anything is changed, because git itself only asks when it writes the
//! commit.

use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::store::git::Invocation;

/// Refuses where git would not know whom to name in a commit; `git` runs where the commit would be
/// made.
pub fn ensure_known(repository: &Repository, git: impl Fn() -> Invocation) -> Result<()> {
    let known = [repository.gix.author(), repository.gix.committer()]
        .into_iter()
        .all(|who| {
            who.is_some_and(|who| {
                who.is_ok_and(|who| {
                    !who.name.trim_ascii().is_empty() && !who.email.trim_ascii().is_empty()
                })
            })
        });
    if known {
        return Ok(());
    }
    // Without a setting git makes a name of the login and the host's, where it can.
    for ident in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        git().var(ident)?.ok_or_else(|| unknown(repository))?;
    }
    Ok(())
}

fn unknown(repository: &Repository) -> Error {
    let keys = [
        ("user.name", "'Your Name'"),
        ("user.email", "you@example.com"),
    ];
    let unset =
        |(key, _): &(&str, &str)| repository.config(key).is_none_or(|value| value.is_empty());
    let missing: Vec<_> = keys.iter().copied().filter(unset).collect();
    let named = missing
        .iter()
        .map(|(key, _)| *key)
        .collect::<Vec<_>>()
        .join(" and ");
    let what = if named.is_empty() {
        String::new()
    } else {
        format!(": set {named}")
    };
    let error = Error::refused(format!(
        "git does not know whom to name in the commit{what}"
    ))
    .with_code(Code::NoIdentity);
    let wanted = if missing.is_empty() {
        keys.to_vec()
    } else {
        missing
    };
    wanted.into_iter().fold(error, |error, (key, value)| {
        error.hint(format!("git config --global {key} {value}"))
    })
}
