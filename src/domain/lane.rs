//! The lane and the worktrees around it, as plain data.

use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice};
pub use gix::ObjectId;

use super::claim::Claim;
use super::lane_status::Mark;
use super::name::{BranchName, LaneName};
use super::parameter::Parameter;

/// What `.git/config` records about a lane, in section `[lane "<name>"]`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// Its name, unique in the repository.
    pub name: LaneName,
    /// An id that no later lane of the same name shares.
    pub id: LaneId,
    /// Its branch; `None` for a lane started with `--detach`.
    pub branch: Option<BranchName>,
    /// Its worktree's directory, absolute.
    #[serde(with = "lossless_path")]
    pub worktree: PathBuf,
    /// The full name of the ref it started from (`refs/heads/main`), or `None` when that was a bare
    /// commit.
    pub base: Option<RefName>,
    /// The base's commit at that moment.
    #[serde(with = "hex")]
    pub fork_point: ObjectId,
    /// Who works in it: a login name, `claude:<session>`.
    pub owner: Option<String>,
    /// What it is for: text or a tracker's id.
    pub task: Option<String>,
    /// When it was started, in seconds since 1970 UTC.
    pub created: i64,
    /// How far its owner says it is.
    #[serde(default)]
    pub mark: Option<Mark>,
    /// Who holds it.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// What it was started with (`--set`), each key once.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Whether it is for looking and running alone: no commits, no landing.
    #[serde(default)]
    pub read_only: bool,
    /// Whether its worktree was made by another program: git-lane never moves it.
    #[serde(default)]
    pub adopted: bool,
}

impl Lane {
    /// The base as a local branch, where it is one.
    pub fn base_branch(&self) -> Option<BranchName> {
        self.base
            .as_ref()
            .and_then(|base| BranchName::from_ref(base.as_bstr()))
    }
}

#[cfg(test)]
impl Lane {
    /// One that was started from `main` and of which nothing more is said.
    pub fn sample(name: &str) -> Self {
        Lane {
            name: LaneName::parse(name).unwrap(),
            id: LaneId::parse("1").unwrap(),
            branch: BranchName::parse(name.into()).ok(),
            worktree: format!("/lanes/{name}").into(),
            base: RefName::parse("refs/heads/main".into()),
            fork_point: ObjectId::null(gix::hash::Kind::Sha1),
            owner: None,
            task: None,
            created: 0,
            mark: None,
            claim: None,
            parameters: Vec::new(),
            read_only: false,
            adopted: false,
        }
    }
}

/// Identifies one lane for ever, while names are reused.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct LaneId(pub String);

impl LaneId {
    /// Accepts only what git-lane itself writes: lower-case letters, digits and `-`, so an id is
    /// always safe in a path.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = !text.is_empty() && text.len() <= 64;
        (plain
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        .then(|| LaneId(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A full ref name (`refs/…`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(BString);

impl RefName {
    /// Accepts a full, valid ref name only.
    pub fn parse(full: &BStr) -> Option<Self> {
        (full.starts_with(b"refs/") && gix::validate::reference::name(full).is_ok())
            .then(|| RefName(full.to_owned()))
    }

    /// The full name.
    pub fn as_bstr(&self) -> &BStr {
        self.0.as_bstr()
    }

    /// The name as people say it: `main`, `origin/main`.
    pub fn shorten(&self) -> &BStr {
        for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/", "refs/"] {
            if let Some(short) = self.0.strip_prefix(prefix.as_bytes()) {
                return short.as_bstr();
            }
        }
        self.0.as_bstr()
    }
}

impl From<&BranchName> for RefName {
    fn from(branch: &BranchName) -> Self {
        RefName(branch.to_ref())
    }
}

impl std::fmt::Display for RefName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.shorten(), f)
    }
}

impl serde::Serialize for RefName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        lossless_bytes::serialize(&self.0, serializer)
    }
}

/// The name of an admin directory below `.git/worktrees/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorktreeId(pub BString);

/// What `HEAD` of a worktree says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, which may still be without a commit.
    Branch(BranchName),
    /// A commit.
    Detached(ObjectId),
    /// A ref outside `refs/heads/`, or something unreadable.
    Other(BString),
}

impl Head {
    /// The branch, if it is one.
    pub fn branch(&self) -> Option<&BranchName> {
        match self {
            Head::Branch(branch) => Some(branch),
            _ => None,
        }
    }
}

/// A worktree, as git's own files name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// The admin directory's name; `None` for the main worktree.
    pub id: Option<WorktreeId>,
    /// The checked-out directory. For a bare repository's entry, the repository itself.
    pub path: PathBuf,
    /// Its git directory: `.git` or `.git/worktrees/<id>`.
    pub git_dir: PathBuf,
    /// What is checked out; a branch is the ref its name leads to.
    pub head: Head,
    /// The name that HEAD gives that ref, where it is another.
    pub alias: Option<BranchName>,
    /// Branches that a rebase or bisection there writes to when it ends.
    pub held: Vec<BranchName>,
    /// The reason of `git worktree lock`, empty when none was given.
    pub locked: Option<String>,
    /// Whether directory and admin directory belong together.
    pub state: WorktreeState,
}

impl Worktree {
    /// Whether it has `branch` checked out, whatever name leads to it.
    pub fn is_on(&self, branch: &BranchName) -> bool {
        self.state != WorktreeState::Bare
            && (self.head.branch() == Some(branch) || self.alias.as_ref() == Some(branch))
    }

    /// Whether `branch` is in use there: checked out, or being rebased or bisected (git's own
    /// `branch_checked_out`). A bare repository's HEAD checks nothing out.
    pub fn uses(&self, branch: &BranchName) -> bool {
        self.is_on(branch) || self.held.contains(branch)
    }
}

/// The first worktree that uses `branch`.
pub fn user_of<'a>(branch: &BranchName, worktrees: &'a [Worktree]) -> Option<&'a Worktree> {
    worktrees.iter().find(|worktree| worktree.uses(branch))
}

/// Whether a worktree's directory and its admin directory belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorktreeState {
    /// Both are there and point at each other.
    Present,
    /// The repository is bare: there are no files to speak of.
    Bare,
    /// The repository is bare and has an index all the same: its files are where each command is
    /// told (`git --work-tree`).
    BareWithIndex,
    /// It is the main worktree, and nothing says where that is.
    Unknown,
    /// The directory is gone.
    Missing,
    /// They do not belong together; the text says why.
    Damaged(String),
}

impl WorktreeState {
    /// Whether the repository is bare: no command stands in a main worktree.
    pub fn is_bare(&self) -> bool {
        matches!(self, WorktreeState::Bare | WorktreeState::BareWithIndex)
    }
}

impl<'de> serde::Deserialize<'de> for RefName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = lossless_bytes::deserialize(deserializer)?;
        RefName::parse(name.as_bstr())
            .ok_or_else(|| serde::de::Error::custom("not a full ref name"))
    }
}

/// Object ids in JSON: hex digits.
pub mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ObjectId;

    /// Writes an id.
    pub fn serialize<S: Serializer>(id: &ObjectId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    /// Reads an id.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectId, D::Error> {
        let text = String::deserialize(deserializer)?;
        ObjectId::from_hex(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

/// Object ids in JSON where there may be none: hex digits or null.
pub mod optional_hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ObjectId;

    /// Writes an id, or null.
    pub fn serialize<S: Serializer>(
        id: &Option<ObjectId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(id),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an id, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ObjectId>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| ObjectId::from_hex(text.as_bytes()).map_err(serde::de::Error::custom))
            .transpose()
    }
}

/// Bytes in JSON: text where they are text, an array of numbers where they are not.
pub fn lossless(bytes: &BStr) -> serde_json::Value {
    match bytes.to_str() {
        Ok(text) => text.into(),
        Err(_) => bytes.as_bytes().into(),
    }
}

/// A path that stands in JSON as [`lossless`] has bytes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct LosslessPath(#[serde(with = "lossless_path")] pub PathBuf);

impl std::fmt::Display for LosslessPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

/// Bytes in JSON: text where they are text, an array of numbers where they are not, never a lossy
/// rendering.
pub mod lossless_bytes {
    use bstr::{BString, ByteSlice};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    /// Writes bytes.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match bytes.to_str() {
            Ok(text) => text.serialize(serializer),
            Err(_) => bytes.serialize(serializer),
        }
    }

    /// Reads bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BString, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(text) => text.into(),
            Written::Bytes(bytes) => bytes.into(),
        })
    }
}

/// Paths in JSON, like [`lossless_bytes`].
pub mod lossless_path {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use serde::{Deserializer, Serializer};

    use super::lossless_bytes;

    /// Writes a path.
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        lossless_bytes::serialize(path.as_os_str().as_bytes(), serializer)
    }

    /// Reads a path.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(std::ffi::OsString::from_vec(lossless_bytes::deserialize(deserializer)?.into()).into())
    }
}
