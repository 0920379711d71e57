//! What a removed lane leaves behind, and which one a name means; pure.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::event::{End, What};
use super::lane::{Lane, ObjectId, hex, lossless_path, optional_hex};
use super::name::{BranchName, LaneName};
use super::submodule::Inner;
use crate::domain::name_rule::NameRule;

/// What the name of an entry's directory begins with that is on its way out.
pub const DELETING: &str = ".deleting-";

/// Why a lane was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// `git lane finish`
    Finished,
    /// `git lane drop`
    Dropped,
    /// `git lane prune`
    Pruned,
}

impl Reason {
    /// The operation that removed it, as the event log has that.
    pub fn what(self) -> What {
        match self {
            Reason::Finished => What::Finish,
            Reason::Dropped => What::Drop,
            Reason::Pruned => What::Prune,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Reason::Finished => "finished",
            Reason::Dropped => "dropped",
            Reason::Pruned => "pruned",
        })
    }
}

/// How we knew, at the removal, that the work was in its base.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proof {
    /// A stable word for scripts.
    pub code: String,
    /// The same for a person.
    pub text: String,
}

impl From<&super::integration::Integration> for Proof {
    fn from(integration: &super::integration::Integration) -> Self {
        Proof {
            code: integration.code().into(),
            text: integration.to_string(),
        }
    }
}

/// Something a removed lane holds beyond the commits of its branch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holding {
    /// A stable word for scripts.
    pub code: String,
    /// The same for a person.
    pub text: String,
}

impl Holding {
    /// One of them.
    pub fn new(code: &str, text: String) -> Self {
        Holding {
            code: code.to_owned(),
            text,
        }
    }
}

/// A removed lane: what `entry.json` says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The name of its directory in the trash; sorts by time.
    pub id: String,
    /// The lane's record.
    pub lane: Lane,
    /// Why it was removed.
    pub reason: Reason,
    /// How its work was known to be in its base, if it was. It stands only where the lane held
    /// nothing else.
    pub proof: Option<Proof>,
    /// What the lane held that no proof about its commits covers; `None` in an entry of a version
    /// that did not look.
    #[serde(default)]
    pub holds: Option<Vec<Holding>>,
    /// When it was removed, in seconds since 1970 UTC.
    pub removed: i64,
    /// The lane's branch and its commit, where it had one.
    pub branch: Option<KeptBranch>,
    /// What `refs/lane/trash/<id>` points at; `None` when the lane held no commit.
    #[serde(with = "optional_hex")]
    pub keep: Option<ObjectId>,
    /// The worktree, where git had one registered.
    pub worktree: Option<KeptWorktree>,
    /// What its submodules, and other repositories in it, hold that exists nowhere else.
    #[serde(flatten)]
    pub inner: Inner,
    /// What the policy said at the removal, where that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
    /// The branch that has its work, which becomes the base of the lanes that were based on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heir: Option<BranchName>,
    /// Those lanes; without an heir they have no base any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<LaneName>,
}

/// How long, and beside how much, a policy keeps a removed lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Promise {
    /// `trash.days`
    pub days: u32,
    /// `trash.size`, in bytes.
    pub bytes: u64,
}

impl Entry {
    /// Whether the entry may leave the trash although no user asked for its room: nothing in it is
    /// beyond the proof of its commits. This is the only place that decides it; an entry that does
    /// not say what it holds stays.
    pub fn is_expendable(&self) -> bool {
        let never_used = self.reason == Reason::Pruned && self.keep == Some(self.lane.fork_point);
        let has_files = self
            .worktree
            .as_ref()
            .is_some_and(|worktree| worktree.directory.is_some());
        let is_empty = self.keep.is_none() && !has_files;
        self.holds.as_ref().is_some_and(Vec::is_empty)
            && (self.proof.is_some() || never_used || is_empty)
    }

    /// Whether its branch is where it began, and it held nothing else: what the list calls unused.
    pub fn is_unused(&self) -> bool {
        let tip = self.branch.as_ref().map(|branch| branch.tip);
        tip == Some(self.lane.fork_point) && self.holds.as_ref().is_some_and(Vec::is_empty)
    }

    /// The worktree is to come back to `place` instead of where it was.
    pub fn come_to(&mut self, place: PathBuf) {
        if let Some(worktree) = &mut self.worktree {
            self.lane.worktree.clone_from(&place);
            worktree.path = place;
            worktree.was_at = None;
        }
    }

    /// How an operation that moved the lane in or out of the trash ended.
    pub fn end(&self) -> End {
        let tip = self.branch.as_ref().map(|branch| branch.tip);
        End {
            result: tip.or(self.keep),
            trash: Some(self.id.clone()),
            ..End::default()
        }
    }

    /// The same of a removal, which may leave the lanes above with another base.
    pub fn removed(&self) -> End {
        let went = self.branch.as_ref().is_some_and(|branch| branch.deleted);
        End {
            heir: self.heir.clone().filter(|_| went),
            above: self.above.clone(),
            ..self.end()
        }
    }
}

/// The branch of a removed lane.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptBranch {
    /// Its name.
    pub name: BranchName,
    /// Its commit.
    #[serde(with = "hex")]
    pub tip: ObjectId,
    /// Whether it was removed with the lane.
    pub deleted: bool,
    /// git's own settings of it.
    pub settings: Vec<Setting>,
}

/// One line of a `[branch "<name>"]` section.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Setting {
    /// `remote`, `merge`, …
    pub key: String,
    /// Its value, unquoted.
    #[serde(with = "super::lane::lossless_bytes")]
    pub value: bstr::BString,
}

/// The worktree of a removed lane.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptWorktree {
    /// Where the directory was.
    #[serde(with = "lossless_path")]
    pub path: PathBuf,
    /// The name of its admin directory below `.git/worktrees`.
    #[serde(with = "lossless_path")]
    pub admin: PathBuf,
    /// Mode and modification time of the directory itself; `None` when it had been removed.
    pub directory: Option<Stamp>,
    /// The repository's common directory at that time; empty when it is not known.
    #[serde(default, with = "lossless_path")]
    pub common_dir: PathBuf,
    /// Where the directory was, when the repository has moved since and `path` is where it would be
    /// today.
    #[serde(skip)]
    pub was_at: Option<PathBuf>,
}

/// What moving a directory may change about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Permission bits.
    pub mode: u32,
    /// Seconds of the modification time.
    pub seconds: i64,
    /// Nanoseconds of it.
    pub nanoseconds: i64,
}

/// Where `path`, a place near the repository whose common directory was `old`, would be today, with
/// that at `new`. `None` for a place that has nothing to do with where the repository is.
pub fn relocated(path: &Path, old: &Path, new: &Path) -> Option<PathBuf> {
    fn anchor(common_dir: &Path) -> Option<(&Path, &[u8])> {
        let bare = !common_dir.ends_with(".git");
        let anchor = if bare {
            common_dir
        } else {
            common_dir.parent()?
        };
        let name = anchor.file_name()?.as_encoded_bytes();
        Some((
            anchor,
            if bare {
                name.strip_suffix(b".git").unwrap_or(name)
            } else {
                name
            },
        ))
    }
    let ((old, old_name), (new, new_name)) = (anchor(old)?, anchor(new)?);
    let common = old
        .components()
        .zip(path.components())
        .take_while(|(a, b)| a == b)
        .count();
    // That both are below the root says nothing.
    if common < 2 {
        return None;
    }
    let mut today = new
        .ancestors()
        .nth(old.components().count() - common)?
        .to_owned();
    let mut rest = path
        .components()
        .skip(common)
        .map(|part| part.as_os_str().to_owned());
    let first = rest.next()?;
    let lanes = |name: &[u8]| std::ffi::OsString::from_vec([name, b".lanes"].concat());
    today.push(if first == lanes(old_name) {
        lanes(new_name)
    } else {
        first
    });
    today.extend(rest);
    Some(today)
}

/// The entry `wanted` means: the newest of a lane of that name, else the one with that id, else the newest
/// of a lane whose name is one with it.
pub fn find<'a>(entries: &'a [Entry], wanted: &str, rule: NameRule) -> Option<&'a Entry> {
    let newest = |rule: NameRule| {
        let named = entries
            .iter()
            .filter(|entry| rule.is_same(entry.lane.name.as_str(), wanted));
        named.max_by(|a, b| a.id.cmp(&b.id))
    };
    newest(NameRule::default())
        .or_else(|| entries.iter().find(|entry| entry.id == wanted))
        .or_else(|| newest(rule))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::lane::LaneId;

    pub(crate) fn entry(id: &str, name: &str, removed: i64) -> Entry {
        let lane = Lane {
            id: LaneId("a".into()),
            worktree: "/lanes/x".into(),
            ..Lane::sample(name)
        };
        let id = id.to_owned();
        Entry {
            id,
            lane,
            reason: Reason::Dropped,
            proof: None,
            holds: Some(Vec::new()),
            removed,
            branch: None,
            keep: None,
            worktree: None,
            inner: Inner::default(),
            promise: None,
            heir: None,
            above: Vec::new(),
        }
    }

    #[test]
    fn a_name_means_the_newest_and_an_id_means_itself() {
        let entries = [
            entry("1", "x", 1),
            entry("3", "x", 3),
            entry("2", "x", 2),
            entry("4", "y", 4),
        ];
        for (wanted, found) in [
            ("x", Some("3")),
            ("y", Some("4")),
            ("2", Some("2")),
            ("z", None),
            ("X", None),
        ] {
            let plain = find(&entries, wanted, NameRule::default());
            assert_eq!(plain.map(|entry| entry.id.as_str()), found);
        }
        let folding = NameRule {
            folds_case: true,
            folds_forms: false,
        };
        let folded = find(&entries, "X", folding);
        assert_eq!(folded.map(|entry| entry.id.as_str()), Some("3"));
        // A lane whose name looks like an id is still found by name.
        assert_eq!(
            find(
                &[entry("1", "2", 1), entry("2", "x", 2)],
                "2",
                NameRule::default()
            )
            .unwrap()
            .id,
            "1"
        );
    }

    #[test]
    fn only_what_a_proof_covers_leaves_in_passing() {
        let proof = || {
            Some(Proof::from(
                &crate::domain::integration::Integration::Ancestor,
            ))
        };
        let commit = |digit: &[u8; 1]| Some(ObjectId::from_hex(&digit.repeat(40)).unwrap());
        let held = |code: &str| Some(vec![Holding::new(code, code.into())]);
        let (dropped, pruned) = (Reason::Dropped, Reason::Pruned);
        for (reason, proof, holds, keep, expendable) in [
            (dropped, proof(), Some(vec![]), commit(b"1"), true),
            (dropped, None, Some(vec![]), commit(b"1"), false),
            (dropped, proof(), held("staged"), commit(b"1"), false),
            (dropped, proof(), None, commit(b"1"), false),
            (dropped, None, Some(vec![]), None, true),
            (dropped, None, held("untracked"), None, false),
            (pruned, None, Some(vec![]), commit(b"0"), true),
            (pruned, None, held("submodule"), commit(b"0"), false),
            (pruned, None, None, commit(b"0"), false),
            (pruned, None, Some(vec![]), commit(b"1"), false),
        ] {
            let entry = Entry {
                reason,
                proof,
                holds,
                keep,
                ..entry("1", "x", 0)
            };
            assert_eq!(entry.is_expendable(), expendable, "{entry:?}");
        }
    }

    #[test]
    fn an_entry_of_a_version_that_did_not_look_says_so() {
        let mut json = serde_json::to_value(entry("1", "x", 7)).unwrap();
        json.as_object_mut().unwrap().remove("holds");
        assert_eq!(serde_json::from_value::<Entry>(json).unwrap().holds, None);
    }

    #[test]
    fn a_lane_is_where_it_would_be_had_the_repository_always_been_there() {
        for (path, old, new, today) in [
            (
                "/w/shop.lanes/x",
                "/w/shop/.git",
                "/v/shop/.git",
                Some("/v/shop.lanes/x"),
            ),
            (
                "/w/shop.lanes/a/x",
                "/w/shop/.git",
                "/w/store/.git",
                Some("/w/store.lanes/a/x"),
            ),
            (
                "/w/shop.lanes/x",
                "/w/shop.git",
                "/v/u/store.git",
                Some("/v/u/store.lanes/x"),
            ),
            (
                "/w/shop/lanes/x",
                "/w/shop/.git",
                "/v/shop/.git",
                Some("/v/shop/lanes/x"),
            ),
            (
                "/w/elsewhere/x",
                "/w/u/shop/.git",
                "/v/u/shop/.git",
                Some("/v/elsewhere/x"),
            ),
            ("/w/elsewhere/x", "/w/u/shop/.git", "/shop/.git", None),
            ("/fast/lanes/x", "/w/shop/.git", "/v/shop/.git", None),
        ] {
            assert_eq!(
                relocated(path.as_ref(), old.as_ref(), new.as_ref()),
                today.map(PathBuf::from),
                "{path}"
            );
        }
    }

    #[test]
    fn an_entry_comes_back_from_json_as_it_was() {
        let mut entry = entry("1", "x", 7);
        entry.branch = Some(KeptBranch {
            name: BranchName::parse(bstr::BStr::new(b"x\xff")).unwrap(),
            tip: ObjectId::null(gix::hash::Kind::Sha256),
            deleted: true,
            settings: vec![Setting {
                key: "merge".into(),
                value: b"refs/heads/\xfe".as_slice().into(),
            }],
        });
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }
}
