//! The command that makes the shown lane again.

use bstr::{BString, ByteSlice};

use crate::domain::lane::{Lane, Worktree};
use crate::domain::reproduction::{Unrecorded, words};
use crate::domain::start::branch_name;
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::sparse_checkout::{Extent, extent};

/// The command, and what of the lane it cannot say.
#[derive(Debug, Default)]
pub struct Reproduction {
    /// Its words.
    pub words: Vec<BString>,
    /// Sentences about the rest.
    pub untold: Vec<String>,
}

impl Reproduction {
    /// Of a lane and its worktree, where that is there.
    pub fn of(repository: &Repository, lane: &Lane, worktree: Option<&Worktree>) -> Result<Self> {
        let owner = lane.owner.as_deref();
        // A policy that cannot be read decides nothing: the branch is named.
        let template = repository.policy().map(|policy| policy.branch);
        let usual = template.map_or_else(
            |_| String::new(),
            |template| branch_name(&template, &lane.name, owner),
        );
        let extent = worktree.map_or(Ok(Extent::Whole), |there| extent(repository, there))?;
        let mut untold = Vec::new();
        let sparse = match extent {
            Extent::Whole => Vec::new(),
            Extent::Directories(directories) => directories,
            Extent::Patterns => {
                untold.push("the lane's sparse checkout is none of directories".to_owned());
                Vec::new()
            }
        };
        let is_text = |name: &[u8]| name.to_str().is_ok();
        if let Some(branch) = lane.branch.as_ref().filter(|own| !is_text(own.as_bstr())) {
            untold.push(format!("the name of branch '{branch}' is not valid UTF-8"));
        }
        if !sparse.iter().all(|directory| is_text(directory)) {
            untold.push("a directory of the sparse checkout is not valid UTF-8".to_owned());
        }
        let around = Unrecorded {
            usual_branch: &usual,
            sparse: &sparse,
        };
        let words = words(lane, around);
        Ok(Reproduction { words, untold })
    }
}
