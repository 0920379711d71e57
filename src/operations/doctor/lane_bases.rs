//! What lanes are based on, and cannot be: each other in a circle, or a branch that is gone.
//!
//! Called by [`super`].

use crate::domain::base_fit::cycles;
use crate::domain::doctor::Finding;
use crate::domain::lane::Lane;
use crate::error::Result;
use crate::repository::Repository;

/// All of them; `outdated` are the bases that are gone because they have another name.
pub(super) fn unfit(
    repository: &Repository,
    lanes: &[Lane],
    outdated: &[Finding],
) -> Result<Vec<Finding>> {
    let mut found: Vec<Finding> = cycles(lanes).into_iter().map(Finding::BaseCycle).collect();
    let is_renamed = |lane: &Lane| {
        let mut all = outdated.iter();
        all.any(|finding| matches!(finding, Finding::RenamedBase(name, ..) if *name == lane.name))
    };
    for lane in lanes.iter().filter(|lane| !is_renamed(lane)) {
        if let Some(base) = &lane.base
            && repository.ref_target(base)?.is_none()
        {
            found.push(Finding::MissingBase(lane.name.clone(), base.clone()));
        }
    }
    Ok(found)
}
