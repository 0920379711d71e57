//! Commits of others that a lane has from what its base follows and that the base lacks: they are not
//! the lane's, so that a squash may not make one commit of them and a rebase not replay them.
//!
//! `commands/finish` asks before it lands.

use super::base_remote::way_to_catch_up;
use super::landing_facts::has;
use crate::domain::finish::Strategy;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::{BranchName, LaneName};
use crate::engines::history;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::repository::upstream::upstream;

/// Refuses to squash or to replay such commits: the lane is at `tip`, its base at `base_tip`.
///
/// # Errors
/// `upstream-commits`.
pub fn ensure_none_is_rewritten(
    repository: &Repository,
    strategy: Strategy,
    (lane, tip): (&LaneName, ObjectId),
    (base, base_tip): (&BranchName, ObjectId),
) -> Result<()> {
    if !matches!(strategy, Strategy::Squash | Strategy::Rebase) {
        return Ok(());
    }
    let Some(followed) = upstream(repository, &RefName::from(base)) else {
        return Ok(());
    };
    let Some(newest) = repository.ref_target(&followed.tracking)? else {
        return Ok(());
    };
    // The usual case, for which no history is walked.
    if newest == base_tip {
        return Ok(());
    }
    for shared in history::merge_bases(&repository.gix, tip, newest)? {
        if !has(repository, base_tip, shared)? {
            let tracking = &followed.tracking;
            let sentence = format!(
                "lane '{lane}' has commits of '{tracking}' that '{base}' does not have yet; this \
                 landing would rewrite them"
            );
            return Err(Error::refused(sentence)
                .with_code(Code::UpstreamCommits)
                .hint(way_to_catch_up(repository, base, base_tip, lane))
                .hint("or land them as they are with: --strategy merge"));
        }
    }
    Ok(())
}
