//! The policy's templates of a new lane: what its branch is called, and where its worktree goes.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bstr::{BStr, ByteSlice};

use crate::domain::name::LaneName;

/// The branch of a new lane by the policy's template. An owner is free text: what cannot stand in a
/// branch's name becomes `-`.
pub fn branch_name(template: &str, name: &LaneName, owner: Option<&str>) -> String {
    let owner: String = owner
        .unwrap_or("nobody")
        .split('/')
        .map(branch_part)
        .collect::<Vec<_>>()
        .join("/");
    // The owner's own text is no template.
    let pieces: Vec<String> = template
        .split("{owner}")
        .map(|piece| piece.replace("{name}", name.as_str()))
        .collect();
    pieces.join(&owner)
}

/// A text as one part of a branch's name, by the rules of git-check-ref-format(1).
fn branch_part(text: &str) -> String {
    let plain = |c: char| !(c.is_control() || c.is_whitespace() || "~^:?*[\\\"'@{}".contains(c));
    let mapped: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let mapped = mapped.split("..").collect::<Vec<_>>().join("-");
    let trimmed = mapped.trim_matches(['-', '.']);
    let trimmed = trimmed.strip_suffix(".lock").unwrap_or(trimmed);
    if trimmed.is_empty() {
        "nobody".into()
    } else {
        trimmed.into()
    }
}

/// The worktree's place by the policy's template, relative to the main worktree; `attempt` 2 and up
/// picks another directory for a name whose directory belongs to another lane.
pub fn worktree_path(template: &str, repo: &BStr, name: &LaneName, attempt: u32) -> PathBuf {
    let directory = match attempt {
        0 | 1 => name.directory_name(),
        n => format!("{}-{n}", name.directory_name()),
    };
    let path = template
        .as_bytes()
        .replace("{repo}", repo)
        .replace("{name}", &directory);
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::name::BranchName;

    #[test]
    fn templates_name_branches_and_places() {
        for (owner, expected) in [
            (Some("ann"), "ann/login"),
            (Some("claude:7f3a"), "claude-7f3a/login"),
            (Some("Ann B. <ann@x.org>"), "Ann-B.-<ann-x.org>/login"),
            (Some("team/ann"), "team/ann/login"),
            (Some("{name}"), "name/login"),
            (Some("..a..b.lock"), "a-b/login"),
            (Some("größe"), "größe/login"),
            (Some("a\nb\u{7}"), "a-b/login"),
            (Some("://"), "nobody/nobody/nobody/login"),
            (Some(""), "nobody/login"),
            (None, "nobody/login"),
        ] {
            let branch = branch_name("{owner}/{name}", &LaneName::parse("login").unwrap(), owner);
            assert_eq!(branch, expected);
            assert!(
                BranchName::parse(branch.as_str().into()).is_ok(),
                "{branch}"
            );
        }
        let place = |attempt| {
            worktree_path(
                "../{repo}.lanes/{name}",
                "shop".into(),
                &LaneName::parse("a/b").unwrap(),
                attempt,
            )
        };
        assert_eq!(place(1), Path::new("../shop.lanes/a-b"));
        assert_eq!(place(2), Path::new("../shop.lanes/a-b-2"));
    }
}
