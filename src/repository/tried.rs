//! The record of the lane that the main worktree shows: `lane.tried` and its companions in
//! `.git/config`, and the ref that keeps the commit.
//!
//! It is written before the first file of the main worktree changes and goes after the last, both
//! with the index of the main worktree locked: for as long as it is there, no file of the main
//! worktree counts as the team's word.
//!
//! `operations/try_lane` writes it; the policy, the base of a new lane, the list and the doctor read
//! it. The guard reads the same keys by itself.

use bstr::{BStr, BString, ByteSlice};

use crate::domain::lane::{LaneId, ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::shell_word::quote;
use crate::domain::try_lane::Tried;
use crate::error::{Code, Error, Result};
use crate::repository::alias::Leads;
use crate::repository::metadata::Edit;
use crate::repository::refs::RefChange;
use crate::repository::{Repository, renames};

/// The ref that keeps what is shown from any gc.
pub const REF: &str = "refs/lane/try";

const LANE: &str = "tried";
const LANE_ID: &str = "triedId";
const BRANCH: &str = "triedBranch";
const FROM: &str = "triedFrom";
const COMMIT: &str = "triedCommit";
const KEYS: [&str; 5] = [LANE, LANE_ID, BRANCH, FROM, COMMIT];

impl Repository {
    /// The lane that the main worktree shows, as the record says.
    ///
    /// # Errors
    /// A record of which a part is missing or makes no sense: what it stands for is not known.
    pub fn tried(&self) -> Result<Option<Tried>> {
        let values = self.lane_settings(KEYS)?;
        if values.iter().all(Option::is_none) {
            return Ok(None);
        }
        parsed(&values).map(Some).ok_or_else(|| {
            let file = quote(self.common_dir().join("config").display());
            Error::environment("the record of the lane that the main worktree shows is damaged")
                .with_code(Code::DamagedRecord)
                .hint(format!(
                    "look at it with: git config --file {file} --get-regexp '^lane\\.tried'; once \
                     the main worktree is on its branch: git lane doctor --fix"
                ))
        })
    }
}

fn parsed(values: &[Option<BString>; 5]) -> Option<Tried> {
    let [lane, id, branch, from, commit] = values.each_ref().map(Option::as_ref);
    let text = |value: Option<&BString>| value?.to_str().ok().map(str::to_owned);
    let commit_of = |value: Option<&BString>| ObjectId::from_hex(value?).ok();
    Some(Tried {
        lane: LaneName::parse(&text(lane)?).ok()?,
        lane_id: LaneId::parse(&text(id)?)?,
        branch: RefName::parse(branch?.as_bstr())
            .filter(|branch| branch.as_bstr().starts_with(b"refs/heads/"))?,
        from: commit_of(from)?,
        commit: commit_of(commit)?,
    })
}

/// Records it, in place of any other.
pub fn record(repository: &Repository, tried: &Tried) -> Result<()> {
    let mut edit = Edit::begin(repository.lane_dir())?;
    edit.set(LANE, tried.lane.as_str())?;
    edit.set(LANE_ID, tried.lane_id.as_str())?;
    edit.set_bytes(BRANCH, tried.branch.as_bstr())?;
    edit.set(FROM, &tried.from.to_string())?;
    edit.set(COMMIT, &tried.commit.to_string())?;
    edit.commit()
}

/// Has the record call the lane by its new name, where it is this one that is shown.
pub fn rename(
    repository: &Repository,
    edit: &mut Edit,
    lane: &LaneId,
    name: &LaneName,
) -> Result<()> {
    match repository.tried() {
        Ok(Some(tried)) if tried.lane_id == *lane => edit.set(LANE, name.as_str()),
        // One that is damaged is the doctor's.
        _ => Ok(()),
    }
}

/// Whether the main worktree, which shows a lane, comes back to that branch.
pub fn is_home(repository: &Repository, branch: &BranchName) -> Result<bool> {
    let tried = repository.tried()?;
    let home = tried.and_then(|tried| BranchName::from_ref(tried.branch.as_bstr()));
    home.map_or(Ok(false), |home| {
        Ok(home == *branch || repository.leads(&home)? == Leads::ToBranch(branch.clone()))
    })
}

/// The branch that this one is called by now, where it was renamed by git's own means.
pub fn renamed_home(repository: &Repository, tried: &Tried) -> Result<Option<RefName>> {
    let Some(branch) = BranchName::from_ref(tried.branch.as_bstr()) else {
        return Ok(None);
    };
    let heir = renames::successor(repository, &branch)?;
    Ok(heir.as_ref().map(RefName::from))
}

/// Removes the record, whatever it says.
pub fn forget(repository: &Repository) -> Result<()> {
    if repository.lane_settings(KEYS)?.iter().all(Option::is_none) {
        return Ok(());
    }
    let mut edit = Edit::begin(repository.lane_dir())?;
    for key in KEYS {
        edit.unset(key);
    }
    edit.commit()
}

/// The commit that the ref keeps; a symbolic ref of that name is not git-lane's.
pub fn kept(repository: &Repository) -> Result<Option<ObjectId>> {
    let name = name()?;
    match repository.symbolic_target(&name)? {
        Some(_) => Ok(None),
        None => repository.ref_target(&name),
    }
}

/// Refuses where the ref could not be made: before anything begins, as nothing could be kept then.
pub fn ensure_can_keep(repository: &Repository) -> Result<()> {
    let name = name()?;
    let below = format!("{REF}/");
    let git = format!("git -C {}", quote(repository.common_dir().display()));
    let in_the_way = match repository.symbolic_target(&name)? {
        Some(_) => Some((name, "symbolic-ref --delete")),
        None => {
            let mut below = repository.refs_below(&below)?.into_iter();
            below.next().map(|(name, _)| (name, "update-ref -d"))
        }
    };
    let Some((name, remove)) = in_the_way else {
        return Ok(());
    };
    let (sentence, code) = match remove {
        "update-ref -d" => {
            let sentence = format!("'{REF}' cannot be made beside '{}'", name.as_bstr());
            (sentence, Code::BranchConflict)
        }
        _ => {
            let sentence = format!("'{REF}' is a symbolic ref, and not git-lane's");
            (sentence, Code::BranchAlias)
        }
    };
    let hint = format!(
        "remove it, if nothing needs it: {git} {remove} {}",
        quote(name.as_bstr())
    );
    Err(Error::refused(sentence).with_code(code).hint(hint))
}

/// Has the ref keep `commit`.
pub fn keep(repository: &Repository, commit: ObjectId) -> Result<()> {
    let from = kept(repository)?;
    let change = RefChange {
        name: name()?,
        from,
        to: Some(commit),
    };
    match from == Some(commit) {
        true => Ok(()),
        false => repository.change_refs(&[change], "lane: keep what the main worktree shows"),
    }
}

/// Lets it go.
pub fn release(repository: &Repository) -> Result<()> {
    let Some(commit) = kept(repository)? else {
        return Ok(());
    };
    let reason = "lane: the main worktree is back";
    repository.change_refs(&[RefChange::removal(name()?, commit)], reason)?;
    drop(std::fs::remove_dir(
        repository.common_dir().join("refs/lane"),
    ));
    Ok(())
}

fn name() -> Result<RefName> {
    RefName::parse(BStr::new(REF)).ok_or_else(|| Error::environment("cannot name a ref"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a record is no record, and none of it is taken for granted.
    #[test]
    fn a_record_is_whole_or_damaged() {
        let whole = [
            "login",
            "1",
            "refs/heads/main",
            "1111111111111111111111111111111111111111",
            "2222222222222222222222222222222222222222",
        ];
        let values = |values: [&str; 5]| {
            values.map(|value| (!value.is_empty()).then(|| BString::from(value)))
        };
        assert!(parsed(&values(whole)).is_some());
        for (at, value) in [
            (0, ""),
            (0, "a b"),
            (1, "../x"),
            (2, ""),
            (2, "refs/tags/v1"),
            (2, "main"),
            (3, "1"),
            (4, ""),
        ] {
            let mut damaged = whole;
            damaged[at] = value;
            assert_eq!(parsed(&values(damaged)), None, "{at} {value}");
        }
    }
}
