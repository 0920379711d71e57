//! `git lane path`

use clap::Args as ClapArgs;

use crate::error::{Error, Result};
use crate::git::facts::worktree_of;
use crate::git::repository::Repository;
use crate::ui::{Page, Report, Ui};

/// Print the directory of a lane's worktree, for cd and scripts
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The lane; the one you are in when left out
    name: Option<String>,
}

#[derive(Debug, serde::Serialize)]
struct PathReport {
    name: crate::domain::name::LaneName,
    #[serde(with = "crate::domain::lane::lossless_path")]
    path: std::path::PathBuf,
}

/// Runs it.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let repository = Repository::discover()?;
    let lane = super::find_lane(&repository, args.name.as_deref())?;
    let worktrees = repository.worktrees()?;
    let path = worktree_of(&lane, &worktrees).map(|worktree| worktree.path.clone()).ok_or_else(|| {
        let gone = format!("the worktree of lane '{}' is gone from '{}'", lane.name, lane.worktree.display());
        Error::refused(gone)
            .code("worktree-gone")
            .hint("if it was moved: git worktree repair NEW-PLACE; otherwise clear the record with: git lane prune")
    })?;
    if ui.json {
        ui.report(&PathReport { name: lane.name, path });
    } else {
        use std::os::unix::ffi::OsStrExt;
        // Not escaped: this is what cd gets.
        ui.raw(&[path.as_os_str().as_bytes(), b"\n"].concat());
    }
    Ok(())
}

impl Report for PathReport {
    fn text(&self, page: &mut Page) {
        page.line(self.path.display());
    }
}
