//! What the submodules of a lane, and other repositories in its worktree, hold that exists nowhere
//! else; pure.
//!
//! They lie in the lane's admin directory, or in its worktree, and leave with it: no base of the
//! lane says anything about them.

use std::path::{Path, PathBuf};

use super::lane::lossless_path;

/// One kind of thing that only such a repository has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The repository, or a part of it, cannot be read: whatever is in there counts.
    Unread,
    /// A branch at a commit that none of its remotes has.
    Branch,
    /// A detached HEAD at such a commit.
    Detached,
    /// An entry of `git stash`.
    Stash,
    /// A tag that did not come with the clone.
    Tag,
    /// Another ref: a note, a bisection's, a replaced object's.
    Ref,
    /// A commit that HEAD was at, that no remote has and no ref leads to.
    Left,
    /// A merge, rebase, bisection and so on in progress.
    Operation,
    /// A path that is staged.
    Staged,
    /// A path that is changed, in conflict or untracked.
    Changed,
    /// A linked worktree of the submodule's own.
    Worktree,
    /// The submodule's files are outside the lane, or its repository is, while the other half
    /// leaves.
    Apart,
    /// Another repository borrows its objects (gitrepository-layout(5), `objects/info/alternates`).
    Lent,
}

/// The words of every kind: for one, and for several.
const WORDS: [(Kind, &str, &str); 13] = [
    (
        Kind::Unread,
        "part that cannot be read",
        "parts that cannot be read",
    ),
    (Kind::Branch, "unpublished branch", "unpublished branches"),
    (
        Kind::Detached,
        "unpublished detached commit",
        "unpublished detached commits",
    ),
    (Kind::Stash, "stash entry", "stash entries"),
    (Kind::Tag, "tag of its own", "tags of its own"),
    (Kind::Ref, "ref of its own", "refs of its own"),
    (
        Kind::Left,
        "commit that only its reflog names",
        "commits that only its reflog names",
    ),
    (
        Kind::Operation,
        "operation in progress",
        "operations in progress",
    ),
    (Kind::Staged, "staged path", "staged paths"),
    (Kind::Changed, "changed path", "changed paths"),
    (Kind::Worktree, "linked worktree", "linked worktrees"),
    (
        Kind::Apart,
        "half of it outside the lane",
        "halves of it outside the lane",
    ),
    (
        Kind::Lent,
        "repository that borrows its objects",
        "repositories that borrow its objects",
    ),
];

/// So many of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Held {
    /// What.
    pub kind: Kind,
    /// How many.
    pub count: usize,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = WORDS.iter().find(|(kind, ..)| *kind == self.kind);
        let word = words.map_or(
            "thing",
            |(_, one, several)| if self.count == 1 { one } else { several },
        );
        write!(f, "{} {word}", self.count)
    }
}

/// Which repository.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// A submodule's: its name, those of the submodules it is in before it; its path where it has
    /// no name.
    Submodule(#[serde(with = "lossless_path")] PathBuf),
    /// Any other: its path in the lane.
    Repository(#[serde(with = "lossless_path")] PathBuf),
}

impl Inside {
    /// Its name or path.
    pub fn name(&self) -> &Path {
        match self {
            Inside::Submodule(name) | Inside::Repository(name) => name,
        }
    }
}

/// What one repository holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holding {
    /// The repository.
    #[serde(flatten)]
    pub of: Inside,
    /// Every kind once, with its count.
    pub held: Vec<Held>,
}

/// What several repositories hold, those left out that hold nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Holdings(pub Vec<Holding>);

impl Holdings {
    /// Whether nothing would go with them.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes `count` more of `kind` in a repository.
    pub fn note(&mut self, of: &Inside, kind: Kind, count: usize) {
        if count == 0 {
            return;
        }
        let at = self
            .0
            .iter()
            .position(|holding| holding.of == *of)
            .unwrap_or_else(|| {
                self.0.push(Holding {
                    of: of.clone(),
                    held: Vec::new(),
                });
                self.0.len() - 1
            });
        let held = &mut self.0[at].held;
        match held.iter_mut().find(|held| held.kind == kind) {
            Some(held) => held.count += count,
            None => held.push(Held { kind, count }),
        }
    }

    /// Whether they hold what was not there when `seen` was seen.
    fn goes_beyond(&self, seen: &Holdings) -> bool {
        self.0.iter().any(|now| {
            let then = seen.0.iter().find(|then| then.of == now.of);
            let counted = |kind| {
                then?
                    .held
                    .iter()
                    .find(|held| held.kind == kind)
                    .map(|held| held.count)
            };
            now.held
                .iter()
                .any(|held| held.count > counted(held.kind).unwrap_or(0))
        })
    }
}

impl std::fmt::Display for Holdings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, holding) in self.0.iter().enumerate() {
            let held: Vec<String> = holding.held.iter().map(ToString::to_string).collect();
            let separator = if at == 0 { "" } else { "; " };
            let what = match &holding.of {
                Inside::Submodule(name) => format!("its submodule '{}'", name.display()),
                Inside::Repository(path) => format!("the repository '{}' in it", path.display()),
            };
            write!(f, "{separator}what only {what} has ({})", held.join(", "))?;
        }
        Ok(())
    }
}

/// What all repositories in a lane hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Inner {
    /// Those of its submodules.
    #[serde(default, skip_serializing_if = "Holdings::is_empty")]
    pub submodules: Holdings,
    /// All others in its worktree.
    #[serde(default, skip_serializing_if = "Holdings::is_empty")]
    pub repositories: Holdings,
}

impl Inner {
    /// Whether nothing would go with them.
    pub fn is_empty(&self) -> bool {
        self.submodules.is_empty() && self.repositories.is_empty()
    }

    /// Notes `count` more of `kind` in a repository.
    pub fn note(&mut self, of: &Inside, kind: Kind, count: usize) {
        match of {
            Inside::Submodule(_) => self.submodules.note(of, kind, count),
            Inside::Repository(_) => self.repositories.note(of, kind, count),
        }
    }

    /// Whether they hold what was not there when `seen` was seen.
    pub fn goes_beyond(&self, seen: &Inner) -> bool {
        self.submodules.goes_beyond(&seen.submodules)
            || self.repositories.goes_beyond(&seen.repositories)
    }

    /// The first submodule another repository borrows objects from: what borrows breaks as soon as
    /// that moves.
    pub fn lender(&self) -> Option<&Path> {
        let lends = |holding: &&Holding| holding.held.iter().any(|held| held.kind == Kind::Lent);
        self.submodules
            .0
            .iter()
            .find(lends)
            .map(|holding| holding.of.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_words_and_its_place_in_the_sentence() {
        let (lib, clone) = (
            Inside::Submodule("lib".into()),
            Inside::Repository("vendor/clone".into()),
        );
        let mut inner = Inner::default();
        inner.note(&lib, Kind::Stash, 0);
        assert!(inner.is_empty());
        for (kind, ..) in WORDS {
            inner.note(&lib, kind, 1);
        }
        inner.note(&lib, Kind::Stash, 1);
        inner.note(&clone, Kind::Branch, 1);
        assert_eq!(inner.submodules.0[0].held.len(), WORDS.len());
        assert!(
            inner
                .submodules
                .to_string()
                .contains("2 stash entries, 1 tag of its own"),
            "{inner:?}"
        );
        let said = "what only the repository 'vendor/clone' in it has (1 unpublished branch)";
        assert_eq!(inner.repositories.to_string(), said);
        assert_eq!(inner.lender(), Some("lib".as_ref()));
        let json = serde_json::to_value(&inner).unwrap();
        assert_eq!(json["repositories"][0]["repository"], "vendor/clone");
        assert_eq!(serde_json::from_value::<Inner>(json).unwrap(), inner);
    }
}
