//! The base of a lane that was begun without one.

use bstr::ByteSlice;

use super::Wish;
use crate::domain::lane::RefName;
use crate::domain::name::BranchName;
use crate::domain::start::Base;
use crate::error::Result;
use crate::repository::{Repository, revision};

/// The base that the user names; else the branch that the worktree's follows, where that is not its
/// like on a remote; else the usual one.
pub(super) fn base_of(
    repository: &Repository,
    branch: Option<&BranchName>,
    wish: &Wish<'_>,
) -> Result<Base> {
    if let Some(base) = wish.base {
        return revision::named_base(repository, base);
    }
    if let Some(base) = branch.and_then(|branch| followed(repository, branch)) {
        return Ok(base);
    }
    match &wish.policy.base {
        Some(base) => revision::named_base(repository, base),
        None => revision::default_base(repository),
    }
}

/// The branch that another one was made from with `--track`: here, or the like of the remote's.
fn followed(repository: &Repository, branch: &BranchName) -> Option<Base> {
    let remote = repository.config(&format!("branch.{branch}.remote"))?;
    let merge = repository.config(&format!("branch.{branch}.merge"))?;
    let followed = BranchName::from_ref(merge.as_bstr()).filter(|followed| followed != branch)?;
    let here = RefName::from(&followed);
    let there = RefName::parse(
        format!("refs/remotes/{remote}/{followed}")
            .as_bytes()
            .as_bstr(),
    );
    let there = there.filter(|_| remote != ".");
    let full = std::iter::once(here).chain(there).find(|name| {
        let target = repository.ref_target(name);
        target.is_ok_and(|target| target.is_some())
    })?;
    revision::named_base(repository, &full.as_bstr().to_string()).ok()
}
