//! Uncommitted work that goes from one worktree into another: what of it there is, as git's status tells
//! it, and what of it cannot be carried.
//!
//! Called by `operations/carry` with the records it has read.

use std::path::PathBuf;

use bstr::{BString, ByteSlice};

use super::lane::{ObjectId, lossless_path};
use crate::error::{Code, Error};

/// The uncommitted work of a worktree, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// What differs from the commit.
    pub pieces: Vec<Piece>,
}

/// One path of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Relative to the top.
    pub path: BString,
    /// What the index has of it.
    pub index: Staged,
    /// Whether the index differs from the commit there.
    pub is_staged: bool,
    /// Whether the file differs from the index.
    pub is_modified: bool,
    /// Whether a file is there that the index does not know.
    pub is_untracked: bool,
    /// Whether the commit has a file there.
    pub is_committed: bool,
}

/// What an index has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staged {
    /// Nothing: the file is untracked, or its removal is staged.
    Nothing,
    /// Mode and object.
    Entry(BString, ObjectId),
    /// The path and a mode alone, by `git add --intent-to-add`.
    Intent(BString),
    /// The sides of a conflict: stage, mode and object of each.
    Conflict(Vec<(u8, BString, ObjectId)>),
}

/// How much of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Paths that the index has differently from the commit.
    pub staged: usize,
    /// Files that differ from the index.
    pub modified: usize,
    /// Files the index does not know.
    pub untracked: usize,
    /// Paths with a conflict.
    pub conflicted: usize,
}

/// Work that a new lane has taken along.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Moved {
    /// The worktree that it comes from.
    #[serde(with = "lossless_path")]
    pub from: PathBuf,
    /// Whether it has stayed there too.
    pub kept: bool,
    /// How much.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Why work cannot be carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A submodule is not at the commit that the worktree's commit has, or something is changed in it.
    Submodule(BString),
    /// A repository of its own that is no submodule.
    Repository(BString),
    /// git says something that is not understood.
    Unknown(BString),
    /// Names cannot be taken out of the directory.
    Unwritable(PathBuf),
    /// The commit that the new lane starts from has something else there.
    OtherBase(BString),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Submodule(path) => {
                write!(f, "submodule '{path}' has changes, which cannot be carried")
            }
            Refusal::Repository(path) => write!(
                f,
                "'{path}' is a repository of its own, which cannot be carried"
            ),
            Refusal::Unknown(record) => {
                write!(f, "cannot understand what git status says: '{record}'")
            }
            Refusal::Unwritable(directory) => write!(
                f,
                "nothing can be taken out of '{}', which is not writable",
                directory.display()
            ),
            Refusal::OtherBase(path) => write!(
                f,
                "the commit that the lane starts from has another '{path}' than the one that was \
                 worked on"
            ),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let hint = match &refusal {
            Refusal::Submodule(_) => "commit or undo them in the submodule first",
            Refusal::Repository(_) => "move it away, or add it to .git/info/exclude",
            Refusal::Unknown(_) => "commit the work first, or move it by hand",
            Refusal::Unwritable(_) => "to copy the work and leave it there: --keep",
            Refusal::OtherBase(_) => "leave --base out: the lane starts from where the work is",
        };
        Error::refused(refusal.to_string())
            .with_code(Code::NotCarried)
            .hint(hint)
    }
}

impl Work {
    /// Understands the records of `git status --porcelain=v2 --no-renames --untracked-files=all`.
    pub fn of(records: &[BString]) -> Result<Self, Refusal> {
        let mut pieces = Vec::new();
        for record in records.iter().filter(|record| !record.starts_with(b"# ")) {
            pieces.push(piece(record)?);
        }
        // git tells twice of a file that is there although its removal is staged.
        pieces.sort_by(|a: &Piece, b| a.path.cmp(&b.path));
        pieces.dedup_by(|later, first| {
            let is_same = later.path == first.path;
            if is_same {
                first.is_committed |= later.is_committed;
                first.is_staged |= later.is_staged;
                first.is_untracked |= later.is_untracked;
            }
            is_same
        });
        Ok(Work { pieces })
    }

    /// How much of each kind.
    pub fn counts(&self) -> Counts {
        let count = |is: fn(&Piece) -> bool| self.pieces.iter().filter(|piece| is(piece)).count();
        Counts {
            staged: count(|piece| piece.is_staged),
            modified: count(|piece| piece.is_modified),
            untracked: count(|piece| piece.is_untracked),
            conflicted: count(|piece| matches!(piece.index, Staged::Conflict(_))),
        }
    }

    /// Its paths.
    pub fn paths(&self) -> Vec<BString> {
        self.pieces.iter().map(|piece| piece.path.clone()).collect()
    }

    /// Refuses a commit that differs from the one of the work where that is, above or below it;
    /// `changed` are the paths that differ.
    pub fn ensure_fits(&self, changed: &[BString]) -> Result<(), Refusal> {
        let meets = |path: &BString| {
            let mut pieces = self.pieces.iter();
            pieces
                .any(|piece| is_at_or_below(&piece.path, path) || is_at_or_below(path, &piece.path))
        };
        match changed.iter().find(|path| meets(path)) {
            Some(path) => Err(Refusal::OtherBase(path.clone())),
            None => Ok(()),
        }
    }
}

impl Counts {
    /// Whether there is nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Counts::default()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.staged, "staged"),
            (self.modified, "modified"),
            (self.untracked, "untracked"),
            (self.conflicted, "conflicted"),
        ];
        let said = all.iter().filter(|(count, _)| *count > 0);
        let said: Vec<String> = said
            .map(|(count, kind)| format!("{count} {kind}"))
            .collect();
        f.write_str(&said.join(", "))
    }
}

fn is_at_or_below(path: &BString, above: &BString) -> bool {
    let rest = path.strip_prefix(above.as_slice());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn piece(record: &BString) -> Result<Piece, Refusal> {
    let unknown = || Refusal::Unknown(record.clone());
    match record.split_at_checked(2) {
        Some((b"? ", path)) => match path.strip_suffix(b"/") {
            Some(path) => Err(Refusal::Repository(path.into())),
            None => Ok(Piece {
                path: path.into(),
                index: Staged::Nothing,
                is_staged: false,
                is_modified: false,
                is_untracked: true,
                is_committed: false,
            }),
        },
        Some((b"1 ", rest)) => changed(rest).ok_or_else(unknown)?,
        Some((b"u ", rest)) => unmerged(rest).ok_or_else(unknown)?,
        _ => Err(unknown()),
    }
}

/// `XY sub mH mI mW hH hI path`
fn changed(rest: &[u8]) -> Option<Result<Piece, Refusal>> {
    let fields: Vec<&[u8]> = rest.splitn_str(8, " ").collect();
    let [code, sub, head_mode, mode, file_mode, _, id, path] = fields[..] else {
        return None;
    };
    let path = BString::from(path);
    let modes = [head_mode, mode, file_mode];
    if sub.starts_with(b"S") || modes.contains(&b"160000".as_slice()) {
        return Some(Err(Refusal::Submodule(path)));
    }
    let index = match (code, mode) {
        ([_, b'A'], _) => Staged::Intent(file_mode.into()),
        (_, b"000000") => Staged::Nothing,
        _ => Staged::Entry(mode.into(), ObjectId::from_hex(id).ok()?),
    };
    Some(Ok(Piece {
        path,
        index,
        is_staged: code.first() != Some(&b'.'),
        is_modified: code.get(1) != Some(&b'.'),
        is_untracked: false,
        is_committed: head_mode != b"000000",
    }))
}

/// `XY sub m1 m2 m3 mW h1 h2 h3 path`
fn unmerged(rest: &[u8]) -> Option<Result<Piece, Refusal>> {
    let fields: Vec<&[u8]> = rest.splitn_str(10, " ").collect();
    let [_, sub, m1, m2, m3, _, h1, h2, h3, path] = fields[..] else {
        return None;
    };
    let path = BString::from(path);
    let modes = [m1, m2, m3];
    if sub.starts_with(b"S") || modes.contains(&b"160000".as_slice()) {
        return Some(Err(Refusal::Submodule(path)));
    }
    let mut sides = Vec::new();
    for (stage, mode, id) in [(1, m1, h1), (2, m2, h2), (3, m3, h3)] {
        if mode != b"000000" {
            sides.push((stage, mode.into(), ObjectId::from_hex(id).ok()?));
        }
    }
    Some(Ok(Piece {
        path,
        // The second side is that of HEAD.
        is_committed: m2 != b"000000",
        index: Staged::Conflict(sides),
        is_staged: false,
        is_modified: false,
        is_untracked: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1111111111111111111111111111111111111111";
    const NO: &str = "0000000000000000000000000000000000000000";

    fn work(records: &[&str]) -> Result<Work, Refusal> {
        let filled = records.iter().map(|record| {
            let filled = record.replace("ID", ID).replace("NO", NO);
            BString::from(filled)
        });
        Work::of(&filled.collect::<Vec<_>>())
    }

    /// Staged, modified, untracked, conflicted.
    #[test]
    fn each_record_is_a_piece_of_its_kind() {
        for (record, kind) in [
            ("1 M. N... 100644 100644 100644 ID ID a b", [1, 0, 0, 0]),
            ("1 .M N... 100644 100644 100755 ID ID a b", [0, 1, 0, 0]),
            ("1 MD N... 100644 100644 000000 ID ID a b", [1, 1, 0, 0]),
            ("1 .A N... 000000 000000 100644 NO NO a b", [0, 1, 0, 0]),
            ("1 A. N... 000000 100644 100644 NO ID a b", [1, 0, 0, 0]),
            ("1 D. N... 100644 000000 000000 ID NO a b", [1, 0, 0, 0]),
            ("? a b", [0, 0, 1, 0]),
            (
                "u UU N... 100644 100644 100644 100644 ID ID ID a b",
                [0, 0, 0, 1],
            ),
        ] {
            let work = work(&["# branch.oid x", record]).unwrap();
            assert_eq!(work.paths(), ["a b"], "{record}");
            let Counts {
                staged,
                modified,
                untracked,
                conflicted,
            } = work.counts();
            assert_eq!([staged, modified, untracked, conflicted], kind, "{record}");
        }
    }

    #[test]
    fn a_file_whose_removal_is_staged_may_be_there() {
        let gone = "1 D. N... 100644 000000 000000 ID NO x";
        for records in [[gone, "? x"], ["? x", gone]] {
            let work = work(&records).unwrap();
            assert_eq!(work.paths(), ["x"]);
            let counts = work.counts();
            assert_eq!((counts.staged, counts.untracked), (1, 1));
            assert_eq!(work.pieces[0].index, Staged::Nothing);
        }
    }

    #[test]
    fn what_an_index_has_is_told_apart() {
        let id = ObjectId::from_hex(ID.as_bytes()).unwrap();
        let entry = || ("100644".into(), id);
        let of = |record: &str| work(&[record]).unwrap().pieces.remove(0).index;
        let (mode, id) = entry();
        assert_eq!(
            of("1 AM N... 000000 100644 100644 NO ID x"),
            Staged::Entry(mode, id)
        );
        assert_eq!(
            of("1 .A N... 000000 000000 100644 NO NO x"),
            Staged::Intent("100644".into())
        );
        assert_eq!(of("? x"), Staged::Nothing);
        let (mode, id) = entry();
        assert_eq!(
            of("u UD N... 100644 000000 000000 100644 ID NO NO x"),
            Staged::Conflict(vec![(1, mode, id)])
        );
    }

    #[test]
    fn what_is_not_files_of_this_repository_is_refused() {
        let path = || BString::from("sub");
        for (record, refusal) in [
            (
                "1 .M SC.. 160000 160000 160000 ID ID sub",
                Refusal::Submodule(path()),
            ),
            (
                "1 M. N... 100644 160000 160000 ID ID sub",
                Refusal::Submodule(path()),
            ),
            (
                "u UU S... 160000 160000 160000 160000 ID ID ID sub",
                Refusal::Submodule(path()),
            ),
            ("? sub/", Refusal::Repository(path())),
            ("2 R. x", Refusal::Unknown("2 R. x".into())),
            ("", Refusal::Unknown("".into())),
        ] {
            assert_eq!(work(&[record]), Err(refusal), "{record}");
        }
    }

    #[test]
    fn another_base_must_be_the_same_at_above_and_below_the_work() {
        let work = work(&["? dir/new", "? top"]).unwrap();
        for (changed, fits) in [
            ("other", true),
            ("dir/other", true),
            ("topmost", true),
            ("top", false),
            ("dir", false),
            ("top/below", false),
        ] {
            assert_eq!(
                work.ensure_fits(&[changed.into()]).is_ok(),
                fits,
                "{changed}"
            );
        }
    }
}
