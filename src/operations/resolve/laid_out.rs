//! A conflict as git has laid it out in a worktree: which paths, and what their files looked like.

use bstr::BString;

use super::attempt_commit::{entries, snapshot};
use crate::domain::conflict_markers::{MarkerLines, USUAL_SIZE};
use crate::domain::lane::{ObjectId, Worktree};
use crate::error::Result;
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::{Stage, TreeEntry};

/// A path in conflict.
pub(super) struct ConflictedFile {
    pub(super) path: BString,
    /// How long the markers in it are.
    size: usize,
    /// The lines like markers that the file has of its own, on one side or the other.
    own: MarkerLines,
    /// What git has put there.
    pub(super) was: Option<TreeEntry>,
    /// Whether that has markers.
    pub(super) was_marked: bool,
}

impl ConflictedFile {
    /// Whether there are markers in what is there now.
    pub(super) fn is_marked(
        &self,
        repository: &Repository,
        now: Option<&TreeEntry>,
    ) -> Result<bool> {
        let Some(entry) = now.filter(|entry| entry.mode.starts_with(b"100")) else {
            return Ok(false);
        };
        let text = repository.git_here().blob(entry.id)?;
        Ok(MarkerLines::of(&text, self.size).goes_beyond(self.own))
    }
}

/// All of it.
pub(super) struct LaidOut {
    /// The tree of the worktree.
    pub(super) tree: ObjectId,
    pub(super) files: Vec<ConflictedFile>,
}

impl LaidOut {
    /// Looks at the worktree in which a merge has just stopped, or was done.
    pub(super) fn look(
        repository: &Repository,
        site: &Worktree,
        scratch: &Scratch,
    ) -> Result<Self> {
        let stages = repository.git_in(site).unmerged()?;
        let mut paths: Vec<BString> = stages.iter().map(|stage| stage.path.clone()).collect();
        paths.dedup();
        let tree = snapshot(repository, site, scratch)?;
        let sizes = match paths.is_empty() {
            true => Vec::new(),
            false => repository.git_in(site).marker_sizes(&paths)?,
        };
        let there = entries(repository, tree, &paths)?;
        let file = |path: BString| {
            let size = sizes.iter().find(|(of, _)| *of == path);
            let size = size.and_then(|(_, size)| std::str::from_utf8(size).ok()?.parse().ok());
            let size = size.filter(|size| *size > 0).unwrap_or(USUAL_SIZE);
            let mut file = ConflictedFile {
                own: own_lines(repository, &stages, &path, size)?,
                was: there.iter().find(|entry| entry.path == path).cloned(),
                path,
                size,
                was_marked: false,
            };
            file.was_marked = file.is_marked(repository, file.was.as_ref())?;
            Ok(file)
        };
        let files = paths.into_iter().map(file).collect::<Result<_>>()?;
        Ok(LaidOut { tree, files })
    }

    /// The paths.
    pub(super) fn paths(&self) -> Vec<BString> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// The lines like markers of the two sides.
fn own_lines(
    repository: &Repository,
    stages: &[Stage],
    path: &BString,
    size: usize,
) -> Result<MarkerLines> {
    let sides = stages
        .iter()
        .filter(|stage| stage.path == *path && stage.number != 1 && stage.mode.starts_with(b"100"));
    sides
        .into_iter()
        .try_fold(MarkerLines::default(), |own, side| {
            let text = repository.git_here().blob(side.id)?;
            Ok(own.most(MarkerLines::of(&text, size)))
        })
}
