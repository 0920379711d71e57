//! What a reference transaction is about to do, told apart from what merely looks like it.
//!
//! In the hook's input "HEAD" may be another worktree's, a deletion may be `git pack-refs`, and a
//! renaming is a deletion first. Locks and logs that exist at that very moment tell them apart;
//! they were found by experiment (files backend and reftable, git 2.46 to 2.55).

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bstr::{BStr, BString, ByteSlice};

use super::Guarded;
use crate::domain::guard::{self, Facts, Lane, Made, RefMove};
use crate::domain::name::BranchName;
use crate::error::{Error, Result};
use crate::guard::queries;

/// The lines of the transaction: the one the stub has read already, then the rest of standard
/// input.
pub(super) fn lines(first: Option<&OsStr>) -> Result<BString> {
    let mut text = BString::default();
    if let Some(first) = first {
        text.extend_from_slice(first.as_bytes());
        text.push(b'\n');
    }
    let mut rest = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut rest)
        .map_err(|error| Error::environment("cannot read the transaction").caused_by(error))?;
    text.extend_from_slice(&rest);
    Ok(text)
}

/// One line of the transaction: `<old> <new> <name>`, where the old value is not to be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    pub new: &'a BStr,
    pub name: &'a BStr,
}

/// The lines that are changes.
pub fn changes(lines: &[u8]) -> impl Iterator<Item = Change<'_>> {
    lines.lines().filter_map(|line| {
        let mut fields = line.splitn(3, |byte| *byte == b' ').skip(1);
        Some(Change {
            new: fields.next()?.as_bstr(),
            name: fields.next()?.as_bstr(),
        })
    })
}

/// The changes among `lines` that may break the rule.
pub(super) fn moves(guarded: &Guarded, facts: &Facts, lines: &BString) -> Result<Vec<RefMove>> {
    let mut moves = Vec::new();
    for Change { new, name } in changes(lines) {
        if name == b"HEAD" {
            let Some(to) = new
                .strip_prefix(b"ref:")
                .and_then(|to| BranchName::from_ref(to.as_bstr()))
            else {
                continue;
            };
            moves.push(guarded.head_move(facts, to)?);
        } else if let Some(branch) = BranchName::from_ref(name.as_bstr())
            && let Some(lane) = guarded.owner(&branch, None)
        {
            let deleted = !new.is_empty() && new.iter().all(|digit| *digit == b'0');
            if deleted && guarded.is_deletion() {
                moves.push(RefMove::Deleted(lane.clone()));
            } else if !deleted
                && !is_in(facts, lane)
                && guarded.is_update(&branch, new)
                && !brought_along(lane, new)
            {
                moves.push(RefMove::Moved(
                    lane.clone(),
                    new.to_str_lossy().into_owned(),
                ));
            }
        }
    }
    Ok(moves)
}

/// The lane's worktree has that very commit's files already: a push that `receive.denyCurrentBranch
/// = updateInstead` lets in takes the worktree along first, and refusing it now would leave the
/// branch behind.
fn brought_along(lane: &Lane, new: &[u8]) -> bool {
    let git = crate::store::git::Git::default().at(&lane.worktree);
    git.index_equals(new).unwrap_or(false)
}

fn is_in(facts: &Facts, lane: &Lane) -> bool {
    matches!(&facts.place, guard::Place::Lane(here) if here.name == lane.name)
}

impl Guarded {
    fn head_move(&self, facts: &Facts, to: BranchName) -> Result<RefMove> {
        let git_dir = &self.place.git_dir;
        // For `git worktree add` and `git branch -m` the hook runs where the caller stands, but
        // HEAD is another's. The lock of a git that died long ago says nothing about this one.
        let fresh = |lock: &str| {
            let lock = git_dir.join(lock);
            lock.exists() && self.place.caller().is_none_or(|caller| caller.wrote(&lock))
        };
        let here = fresh("HEAD.lock") || fresh("reftable/tables.list.lock");
        let lane = match &facts.place {
            guard::Place::Lane(lane) if here => Some(lane),
            _ => None,
        };
        let owner = self.owner(&to, lane).cloned();
        let own = queries::own_branch_now(&self.place, facts, &to)?;
        let leaves = here && facts.head.branch() != Some(&to);
        let made = if leaves {
            queries::made(&self.place, &to)?
        } else {
            Made::Before
        };
        Ok(RefMove::Head {
            to,
            here,
            owner,
            made,
            own,
        })
    }

    fn reftable(&self) -> bool {
        self.place.common_dir.join("reftable").is_dir()
    }

    /// A ref is going away for good: git locks `packed-refs` for that, while `git pack-refs` only
    /// prunes loose files, and a renaming has moved the branch's log aside already.
    fn is_deletion(&self) -> bool {
        let common = &self.place.common_dir;
        self.reftable()
            || (common.join("packed-refs.lock").exists()
                && !common.join("logs/refs/.tmp-renamed-log").exists())
    }

    /// A branch is changing its value: it is locked and does not have that value yet.
    fn is_update(&self, branch: &BranchName, new: &[u8]) -> bool {
        let name = branch.to_ref();
        if self.reftable() {
            let now = self.place.git().rev_parse(&name);
            return now.is_ok_and(|now| now.is_none_or(|now| now.to_string().as_bytes() != new));
        }
        let loose = self.place.common_dir.join(crate::store::path(&name));
        let mut lock = loose.clone().into_os_string();
        lock.push(".lock");
        std::path::Path::new(&lock).exists()
            && std::fs::read(&loose).map_or(true, |now| now.trim_end() != new)
    }
}
