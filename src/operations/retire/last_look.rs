//! The look at the last moment, under the locks: what it finds against what the caller has seen.

use std::time::SystemTime;

use super::Retirement;
use super::look::{self, Proof};
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::losses::Losses;
use crate::domain::retire::Refusal;
use crate::domain::submodule::Inner;
use crate::domain::trash_entry::Holding;
use crate::error::{Code, Error, IoContext, Result};
use crate::repository::Repository;

/// What leaves with the lane and is on no commit of its branch; a refusal where the caller has not
/// seen it.
pub(super) fn held(
    repository: &Repository,
    retirement: &Retirement<'_>,
    worktree: Option<&Worktree>,
) -> Result<(Vec<Holding>, Inner)> {
    let lane = retirement.lane;
    match (
        look::losses_now(repository, lane, worktree),
        retirement.accepted,
    ) {
        (Ok(losses), Some(seen)) if losses.goes_beyond(seen) => {
            Err(Refusal::Changed(Box::new(losses)).refuse(&lane.name))
        }
        (Ok(losses), _) => Ok((losses.holdings(), losses.inner)),
        // What cannot be read is not known to be safe, and is to go all the same.
        (Err(error), None) => {
            let unread = Holding::new("unreadable", format!("what cannot be read: {error}"));
            Ok((
                vec![unread],
                look::with_inner(repository, lane, worktree, Losses::default()).inner,
            ))
        }
        (Err(error), Some(_)) => Err(error),
    }
}

/// The caller's proof, where it still stands; a refusal where it does not and the decision rests on
/// it.
pub(super) fn standing_proof<'a>(
    repository: &Repository,
    retirement: &'a Retirement<'_>,
    tip: Option<ObjectId>,
) -> Result<Option<&'a Proof>> {
    let Some(proof) = &retirement.proof else {
        return Ok(None);
    };
    let name = &retirement.lane.name;
    match (
        Some(proof.tip) == tip && proof.stands(repository)?,
        retirement.accepted,
    ) {
        (true, _) => Ok(Some(proof)),
        (false, None) => Ok(None),
        (false, Some(_)) => {
            let stays = format!(
                "lane '{name}' stays: '{}' no longer has its work",
                proof.base
            );
            Err(Error::refused(stays)
                .with_code(Code::Raced)
                .hint("run the command again"))
        }
    }
}

/// What tells that nothing was staged or checked out since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment(Vec<Option<(u64, u64, Option<SystemTime>)>>);

impl Moment {
    /// This one.
    pub(super) fn of(worktree: &Worktree) -> Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let stamp = |name: &str| {
            let path = worktree.git_dir.join(name);
            match std::fs::symlink_metadata(&path) {
                Ok(found) => Ok(Some((found.ino(), found.len(), found.modified().ok()))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).context("read", &path),
            }
        };
        ["index", "index.lock", "HEAD", "HEAD.lock", "logs/HEAD"]
            .into_iter()
            .map(stamp)
            .collect::<Result<_>>()
            .map(Moment)
    }
}
