//! Which worktree a user means who wants to go there and does not give a lane's whole name: pure.
//!
//! `commands/path` asks, once no lane has exactly that name.

use std::path::Path;

use super::lane::{Lane, Worktree, WorktreeState};
use super::name::LaneName;

/// What `git lane list` calls the main worktree.
const MAIN: &str = "main";

/// Where a part of a name leads.
#[derive(Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// To the one lane in whose name it stands.
    One(&'a Lane),
    /// It stands in the names of these.
    Several(Vec<&'a LaneName>),
    /// Nowhere.
    None,
}

/// The worktree that has that branch checked out, given with or without `refs/heads/`; where none
/// has a branch `main`, that is the main worktree.
pub fn by_branch<'a>(word: &str, worktrees: &'a [Worktree]) -> Option<&'a Worktree> {
    let name = word.strip_prefix("refs/heads/").unwrap_or(word);
    let is_present = |worktree: &&Worktree| worktree.state == WorktreeState::Present;
    let has_it = |worktree: &&Worktree| {
        let names = worktree.head.branch().into_iter().chain(&worktree.alias);
        names.into_iter().any(|branch| branch.as_bstr() == name)
    };
    let present = || worktrees.iter().filter(is_present);
    let main = || present().find(|worktree| worktree.id.is_none());
    let called_main = || main().filter(|_| word == MAIN);
    present().find(has_it).or_else(called_main)
}

/// The worktree in which a directory lies: of several, the innermost.
pub fn holding<'a>(directory: &Path, worktrees: &'a [Worktree]) -> Option<&'a Worktree> {
    let around = |worktree: &&Worktree| {
        worktree.state == WorktreeState::Present && directory.starts_with(&worktree.path)
    };
    let depth = |worktree: &&Worktree| worktree.path.components().count();
    worktrees.iter().filter(around).max_by_key(depth)
}

/// The lane in whose name the word stands, in small or in capital letters.
pub fn by_part<'a>(word: &str, lanes: &'a [Lane]) -> Named<'a> {
    if word.is_empty() {
        return Named::None;
    }
    let word = word.to_lowercase();
    let has_it = |lane: &&Lane| lane.name.as_str().to_lowercase().contains(&word);
    let found: Vec<&Lane> = lanes.iter().filter(has_it).collect();
    match found.as_slice() {
        [] => Named::None,
        [only] => Named::One(only),
        several => Named::Several(several.iter().map(|lane| &lane.name).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::{Head, WorktreeId};
    use crate::domain::name::BranchName;

    fn worktree(id: Option<&str>, path: &str, branch: &str) -> Worktree {
        Worktree {
            id: id.map(|id| WorktreeId(id.into())),
            path: path.into(),
            git_dir: "/r/.git".into(),
            head: Head::Branch(BranchName::parse(branch.into()).unwrap()),
            alias: None,
            held: Vec::new(),
            locked: None,
            state: WorktreeState::Present,
        }
    }

    #[test]
    fn a_branch_leads_to_its_worktree_and_main_to_the_main_one() {
        let mut all = [
            worktree(None, "/r", "trunk"),
            worktree(Some("a"), "/l/a", "fix/a"),
            worktree(Some("gone"), "/l/gone", "gone"),
        ];
        all[2].state = WorktreeState::Missing;
        for (word, path) in [
            ("trunk", Some("/r")),
            ("main", Some("/r")),
            ("fix/a", Some("/l/a")),
            ("refs/heads/fix/a", Some("/l/a")),
            ("refs/heads/main", None),
            ("gone", None),
            ("fix", None),
            ("", None),
        ] {
            let found = by_branch(word, &all).map(|worktree| worktree.path.to_str().unwrap());
            assert_eq!(found, path, "{word}");
        }
        // A branch of that name comes first.
        all[1] = worktree(Some("a"), "/l/a", "main");
        assert_eq!(by_branch("main", &all).unwrap().path.to_str(), Some("/l/a"));
    }

    #[test]
    fn a_directory_is_in_the_innermost_worktree() {
        let all = [
            worktree(None, "/r", "main"),
            worktree(Some("a"), "/r/lanes/a", "a"),
        ];
        for (directory, path) in [
            ("/r", Some("/r")),
            ("/r/src", Some("/r")),
            ("/r/lanes/a/src", Some("/r/lanes/a")),
            ("/r/lanes/ab", Some("/r")),
            ("/rr", None),
        ] {
            let found = holding(Path::new(directory), &all);
            let found = found.map(|worktree| worktree.path.to_str().unwrap());
            assert_eq!(found, path, "{directory}");
        }
    }

    #[test]
    fn a_part_leads_to_the_only_lane_it_fits() {
        let lanes = [
            "agent-7/fix-login",
            "agent-7/Search",
            "agent-8/search-index",
        ];
        let lanes = lanes.map(Lane::sample);
        let name = |word| match by_part(word, &lanes) {
            Named::One(lane) => lane.name.to_string(),
            Named::Several(names) => format!("{} of them", names.len()),
            Named::None => "none".into(),
        };
        for (word, found) in [
            ("login", "agent-7/fix-login"),
            ("LOGIN", "agent-7/fix-login"),
            ("index", "agent-8/search-index"),
            ("search", "2 of them"),
            ("agent", "3 of them"),
            ("lögin", "none"),
            ("", "none"),
        ] {
            assert_eq!(name(word), found, "{word}");
        }
    }
}
