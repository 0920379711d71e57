//! The name of a lane of a worktree that another program made: from its branch, else from its directory; pure.

use std::path::Path;

use crate::domain::name::{BranchName, LaneName};
use crate::domain::start::branch_name;

/// What a lane is named after.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// Its branch.
    pub branch: Option<&'a BranchName>,
    /// Its worktree's directory.
    pub path: &'a Path,
    /// The repository's name: a directory of that name says nothing.
    pub repository: &'a str,
    /// How the policy names branches.
    pub template: &'a str,
    /// Who works in it.
    pub owner: Option<&'a str>,
}

/// The first name that fits and is not taken, if any does.
///
/// Where the policy would name the branch so for a lane, it is that lane's name; else the branch's
/// own, or as much of its end as fits. A detached worktree is named after its directory, or the one
/// above where that is named like the repository (`worktrees/3f9a/shop`).
pub fn name(naming: Naming<'_>, is_taken: impl Fn(&LaneName) -> bool) -> Option<LaneName> {
    let first = of_branch(naming).or_else(|| of_directory(naming))?;
    let numbered = (2..1000).filter_map(|count| numbered(&first, count));
    let mut all = std::iter::once(first.clone()).chain(numbered);
    all.find(|name| !is_taken(name))
}

fn of_branch(naming: Naming<'_>) -> Option<LaneName> {
    let branch = naming.branch?.to_string();
    let ends = || {
        let starts = branch.match_indices('/').map(|(at, _)| at + 1);
        let ends = std::iter::once(0).chain(starts).map(|at| &branch[at..]);
        ends.filter_map(|end| LaneName::parse(end).ok())
    };
    // Bytes that are no text are shown as others, which no branch has.
    let is_text = naming.branch.is_some_and(|own| own.as_bstr() == &*branch);
    let by_policy = |name: &LaneName| branch_name(naming.template, name, naming.owner) == branch;
    ends()
        .find(by_policy)
        .or_else(|| ends().next())
        .filter(|_| is_text)
}

fn of_directory(naming: Naming<'_>) -> Option<LaneName> {
    let named = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    let own = named(naming.path)?;
    let above = || naming.path.parent().and_then(named);
    let telling = above().filter(|_| own == naming.repository);
    sanitized(&telling.unwrap_or(own))
}

/// A name that fits, as near to `text` as can be.
fn sanitized(text: &str) -> Option<LaneName> {
    let plain = |sign: char| match sign {
        '.' | '_' | '-' => sign,
        sign if sign.is_alphanumeric() => sign,
        _ => '-',
    };
    let mapped: String = text.chars().map(plain).take(LONGEST).collect();
    let mapped = mapped.split("..").collect::<Vec<_>>().join("-");
    let trimmed = mapped.trim_matches(['-', '.']).trim_end_matches(".lock");
    // An object id, for one, is no name of a lane.
    let with_word = || format!("lane-{trimmed}");
    match trimmed {
        "" => LaneName::parse("lane").ok(),
        _ => LaneName::parse(trimmed)
            .or_else(|_| LaneName::parse(&with_word()))
            .ok(),
    }
}

/// `name-2`, of a long name only its beginning.
fn numbered(name: &LaneName, count: usize) -> Option<LaneName> {
    let kept: String = name.as_str().chars().take(LONGEST).collect();
    LaneName::parse(&format!("{kept}-{count}")).ok()
}

/// As many signs of a name are kept where it has to be changed: no more than 240 bytes.
const LONGEST: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn named(branch: Option<&str>, path: &str, template: &str, taken: &[&str]) -> String {
        let branch = branch.map(|branch| BranchName::parse(branch.into()).unwrap());
        let naming = Naming {
            branch: branch.as_ref(),
            path: Path::new(path),
            repository: "shop",
            template,
            owner: Some("ann"),
        };
        let is_taken = |name: &LaneName| taken.contains(&name.as_str());
        name(naming, is_taken).unwrap().to_string()
    }

    #[test]
    fn a_lane_is_named_after_its_branch_else_after_its_directory() {
        let long = "x".repeat(251);
        let (longer, tail) = (format!("{long}/login"), "y".repeat(100));
        for (branch, path, template, taken, expected) in [
            (Some("login"), "/w/x", "{name}", &[][..], "login"),
            (
                Some("feature/login"),
                "/w/x",
                "{name}",
                &[],
                "feature/login",
            ),
            (Some("ann/login"), "/w/x", "{owner}/{name}", &[], "login"),
            (
                Some("bob/login"),
                "/w/x",
                "{owner}/{name}",
                &[],
                "bob/login",
            ),
            (Some("wt/a/b"), "/w/x", "wt/{name}", &[], "a/b"),
            (Some(&longer), "/w/x", "{name}", &[], "login"),
            (Some(&long), "/w/x", "{name}", &[], "x"),
            (Some("login"), "/w/x", "{name}", &["login"], "login-2"),
            (
                Some("login"),
                "/w/x",
                "{name}",
                &["login", "login-2"],
                "login-3",
            ),
            (
                Some(&tail),
                "/w/x",
                "{name}",
                &[&tail],
                &format!("{}-2", "y".repeat(60)),
            ),
            (None, "/codex/worktrees/3f9a/shop", "{name}", &[], "3f9a"),
            (None, "/cursor/worktrees/shop/Xk2", "{name}", &[], "Xk2"),
            (None, "/w/a b$(c)", "{name}", &[], "a-b--c"),
            (None, "/w/...", "{name}", &[], "lane"),
            (None, "/w/a..b.lock", "{name}", &[], "a-b"),
            (None, "/w/HEAD", "{name}", &[], "lane-HEAD"),
            (
                None,
                "/w/0123456789012345678901234567890123456789",
                "{name}",
                &[],
                "lane-0123456789012345678901234567890123456789",
            ),
        ] {
            assert_eq!(named(branch, path, template, taken), expected, "{path}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_name_no_lane() {
        let branch = BranchName::parse(bstr::BStr::new(b"x\xff")).unwrap();
        let naming = Naming {
            branch: Some(&branch),
            path: Path::new("/w/place"),
            repository: "shop",
            template: "{name}",
            owner: None,
        };
        assert_eq!(name(naming, |_| false).unwrap().as_str(), "place");
    }
}
