//! How to come to work on a branch that is not to be switched to: the command a hint names has to
//! work as it stands, whatever the policy makes of names and whatever the branch is called.

use std::path::PathBuf;

use bstr::ByteSlice;

use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::{quote, quote_bytes};
use crate::domain::start::branch_name;

/// What leads to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is checked out in this worktree already.
    There(PathBuf),
    /// A lane of this name takes it up, because that is how the policy names that lane's branch.
    Start(LaneName),
    /// A lane takes it up when it is told to.
    StartWith(LaneName, BranchName),
    /// No lane can have a branch of this name, but it can have the other one.
    Rename(BranchName, LaneName, Box<Way>),
    /// The same, once this one is checked out again.
    After(BranchName, Box<Way>),
    /// The same where HEAD alone has left that one.
    AfterHead(BranchName, Box<Way>),
}

/// The longest name that is made up.
const LONG: usize = 60;

impl Way {
    /// Finds it, where the branch is checked out nowhere. `taken` knows the names that a new lane
    /// cannot have; `exists` those that a renamed branch cannot have.
    pub fn to(
        branch: &BranchName,
        template: &str,
        owner: Option<&str>,
        taken: &dyn Fn(&LaneName) -> bool,
        exists: &dyn Fn(&LaneName) -> bool,
    ) -> Self {
        let parsed = branch
            .as_bstr()
            .to_str()
            .ok()
            .filter(|_| BranchName::parse(branch.as_bstr()).is_ok());
        let Some(text) = parsed.filter(|_| branch.ensure_fits_a_file().is_ok()) else {
            let made_up = free(&simplified(&branch.to_string()), exists);
            return match BranchName::parse(made_up.as_str().into()) {
                Ok(renamed) => {
                    let way = Way::to(&renamed, template, owner, taken, exists);
                    Way::Rename(branch.clone(), made_up, Box::new(way))
                }
                // Every name of a lane is one of a branch.
                Err(_) => Way::StartWith(made_up, branch.clone()),
            };
        };
        // `ann/login` is that of lane `login` where the policy says `{owner}/{name}`.
        let ends = std::iter::once(0)
            .chain(text.match_indices('/').map(|(at, _)| at + 1))
            .map(|at| &text[at..]);
        let mut names = ends.filter_map(|end| LaneName::parse(end).ok());
        let named = names.find(|name| branch_name(template, name, owner) == text);
        match named.filter(|name| !taken(name)) {
            Some(name) => Way::Start(name),
            None => {
                let name = LaneName::parse(text).ok().filter(|name| !taken(name));
                let name = name.unwrap_or_else(|| free(&simplified(text), taken));
                Way::StartWith(name, branch.clone())
            }
        }
    }

    /// The command, for a shell.
    pub fn command(&self) -> String {
        match self {
            Way::There(path) => format!("cd {}", quote(path.display())),
            Way::Start(name) => format!("git lane start {}", quote(name)),
            Way::StartWith(name, branch) => {
                format!(
                    "git lane start {} --branch {}",
                    quote(name),
                    quote_bytes(branch.as_bstr())
                )
            }
            Way::After(branch, way) => {
                format!(
                    "git switch {} && {}",
                    quote_bytes(branch.as_bstr()),
                    way.command()
                )
            }
            Way::AfterHead(branch, way) => {
                format!(
                    "git symbolic-ref HEAD {} && {}",
                    quote_bytes(&branch.to_ref()),
                    way.command()
                )
            }
            Way::Rename(from, to, way) => {
                let from = quote_bytes(from.as_bstr());
                format!("git branch -m -- {from} {} && {}", quote(to), way.command())
            }
        }
    }

    /// What the command does.
    pub fn what(&self) -> &'static str {
        match self {
            Way::There(_) => "go where it is checked out with",
            Way::Start(_) | Way::StartWith(..) => "give it a lane of its own with",
            Way::After(_, way) | Way::AfterHead(_, way) => way.what(),
            Way::Rename(..) => "give it a name a lane can have, and a lane, with",
        }
    }
}

/// Letters, digits and what else needs no care of `text`.
fn simplified(text: &str) -> String {
    let mapped: String = text
        .chars()
        .take(LONG)
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .collect();
    mapped.trim_matches(['-', '.']).to_owned()
}

/// The first name like `text` that is not taken.
fn free(text: &str, taken: &dyn Fn(&LaneName) -> bool) -> LaneName {
    let stems = [
        text.to_owned(),
        format!("lane-{text}").trim_end_matches('-').to_owned(),
    ];
    let stem = stems
        .into_iter()
        .find(|stem| LaneName::parse(stem).is_ok())
        .unwrap_or_else(|| "lane".into());
    let mut number = 1_u64;
    loop {
        let wanted = if number == 1 {
            stem.clone()
        } else {
            format!("{stem}-{number}")
        };
        match LaneName::parse(&wanted) {
            Ok(name) if !taken(&name) => return name,
            _ => number += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(branch: &[u8], template: &str, taken: &[&str]) -> String {
        let branch = BranchName::from_ref([b"refs/heads/", branch].concat().as_bstr()).unwrap();
        let taken = |name: &LaneName| taken.contains(&name.as_str());
        Way::to(&branch, template, Some("ann"), &taken, &taken).command()
    }

    #[test]
    fn the_command_makes_a_lane_with_that_very_branch() {
        for (branch, template, taken, command) in [
            (&b"login"[..], "{name}", &[][..], "git lane start login"),
            (b"a/b", "{name}", &[], "git lane start a/b"),
            (b"ann/login", "{owner}/{name}", &[], "git lane start login"),
            (b"ann/a/b", "{owner}/{name}", &[], "git lane start a/b"),
            (b"ann/login", "{name}", &[], "git lane start ann/login"),
            (
                b"login",
                "{owner}/{name}",
                &[],
                "git lane start login --branch login",
            ),
            (
                b"bob/login",
                "{owner}/{name}",
                &[],
                "git lane start bob/login --branch bob/login",
            ),
            (
                b"login",
                "{name}",
                &["login"],
                "git lane start login-2 --branch login",
            ),
            (
                b"login",
                "{name}",
                &["login", "login-2"],
                "git lane start login-3 --branch login",
            ),
            (
                b"ann/login",
                "{owner}/{name}",
                &["login"],
                "git lane start ann/login --branch ann/login",
            ),
            (b"x;id", "{name}", &[], "git lane start 'x;id'"),
            (
                b"-x",
                "{name}",
                &[],
                "git branch -m -- -x x && git lane start x",
            ),
            (
                b"-x",
                "{owner}/{name}",
                &["x"],
                "git branch -m -- -x x-2 && git lane start x-2 --branch x-2",
            ),
            (
                b"HEAD",
                "{name}",
                &[],
                "git branch -m -- HEAD lane-HEAD && git lane start lane-HEAD",
            ),
            (
                b"--",
                "{name}",
                &[],
                "git branch -m -- -- lane && git lane start lane",
            ),
            (
                b"--",
                "{name}",
                &["lane"],
                "git branch -m -- -- lane-2 && git lane start lane-2",
            ),
            (
                b"caf\xe9",
                "{name}",
                &[],
                "git branch -m -- \"$(printf -- 'caf\\351')\" caf && git lane start caf",
            ),
        ] {
            assert_eq!(way(branch, template, taken), command);
        }
        let long = ["x"; 130].join("/");
        let short = long.replace('/', "-")[..59].to_owned();
        assert_eq!(
            way(long.as_bytes(), "{name}", &[]),
            format!("git lane start {short} --branch {long}")
        );
    }
}
