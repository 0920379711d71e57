//! Taking back what was stopped. Every git started here passes our own hooks and none of the hook's environment on.

use std::path::Path;

use bstr::{BStr, ByteSlice};

use super::details;
use super::place::Place;
use crate::domain::guard::{Finding, Remedy};
use crate::domain::name::{BranchName, LaneName};
use crate::error::{Error, Result};
use crate::git::overtaken::index_has_left;

/// Undoes what happened; `old` is the commit HEAD came from, as post-checkout is told it. A failure leaves things as
/// git made them.
pub(super) fn apply(place: &Place, finding: &Finding, remedy: &Remedy, old: &BStr) -> Result<()> {
    match remedy {
        Remedy::None => Ok(()),
        Remedy::Switch(branch) => {
            let reset = match finding {
                Finding::Taken { owner, .. } | Finding::Left { owner: Some(owner), .. } => {
                    details::reset_from_outside(place, owner)?
                }
                _ => None,
            };
            switch_back(place, branch)?;
            match reset {
                Some((branch, before)) => place
                    .git()
                    .args(["update-ref", "-m", "lane: reset taken back"])
                    .bytes(branch.to_ref())
                    .bytes(&before)
                    .run(),
                None => Ok(()),
            }
        }
        Remedy::DetachAtOld => place.git().args(["checkout", "--quiet", "--detach"]).bytes(old).arg("--").run(),
        // Nothing but HEAD changes, so hooks and filters have nothing to do.
        Remedy::DetachHere => {
            let here = place.git().args(["rev-parse", "--verify", "HEAD"]).text()?;
            place
                .git()
                .args(["update-ref", "--no-deref", "-m", "lane: the branch belongs elsewhere", "HEAD", &here])
                .run()
        }
        // A push is received in the git directory: there is no worktree to take back.
        Remedy::ReadTree(_) if place.git_dir == Path::new(".") => Ok(()),
        Remedy::ReadTree(target) => {
            let found =
                place.git().args(["rev-parse", "--verify", "--quiet"]).arg(format!("{target}^{{tree}}")).output()?;
            let tree = match found.status.success() {
                true => found.stdout.trim_end().to_str_lossy().into_owned(),
                // A branch without a commit: git has emptied index and worktree.
                false => place.git().args(["hash-object", "-t", "tree", "/dev/null"]).text()?,
            };
            // `git symbolic-ref` and `git update-ref` have touched neither index nor files; then what is staged and
            // happens to be as in the other tree is somebody's work.
            match index_has_left("HEAD", &tree, || place.git()) {
                Some(false) => Ok(()),
                _ => place.git().args(["read-tree", "-m", "-u", &tree, "HEAD"]).run(),
            }
        }
    }
}

fn switch_back(place: &Place, branch: &BranchName) -> Result<()> {
    let back = ["switch", "--quiet", "--no-guess", "--ignore-other-worktrees"];
    let output = place.git().args(back).bytes(branch.as_bstr()).output()?;
    // Another tool's post-checkout hook may fail on the way back; where HEAD is decides.
    if output.status.success() || place.head()?.branch() == Some(branch) {
        return Ok(());
    }
    Err(crate::git::command::failure("git switch", &output))
}

/// Gives a lane's record the branch's new name.
pub(super) fn follow(common_dir: &Path, lane: &str, branch: &BranchName) -> Result<()> {
    let name = LaneName::parse(lane).map_err(|problem| Error::refused(format!("'{lane}' {}", problem.because())))?;
    let common_dir = std::fs::canonicalize(common_dir).unwrap_or_else(|_| common_dir.to_owned());
    crate::git::renames::follow(&common_dir, &name, branch)
}
