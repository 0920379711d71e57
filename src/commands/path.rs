//! `git lane path`

use clap::Args as ClapArgs;

use crate::domain::retire::place;
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
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
    // A worktree that was moved is found where git knows it to be.
    let worktree = place(&lane, &worktrees).present().ok_or_else(|| {
        Error::refused(format!(
            "the worktree of lane '{}' is gone from '{}'",
            lane.name,
            lane.worktree.display()
        ))
        .with_code(Code::WorktreeGone)
        .hint(
            "if it was moved: git worktree repair NEW-PLACE; otherwise clear the record with: git \
             lane prune",
        )
    })?;
    let path = worktree.path.clone();
    if ui.json {
        ui.report(&PathReport {
            name: lane.name,
            path,
        });
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
