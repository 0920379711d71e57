//! Whether a conflict is resolved, and the commit that makes it so.

use bstr::{BString, ByteSlice};

use super::attempt_commit::{entries, snapshot};
use super::laid_out::LaidOut;
use super::{Intent, Session};
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::resolution::Unresolved;
use crate::domain::status::Operation;
use crate::engines::status;
use crate::error::{IoContext, Result};
use crate::operations::in_flight;
use crate::repository::Repository;
use crate::repository::revision::merge_base;
use crate::store::careful_removal;
use crate::store::command_run::Ended;
use crate::store::disk;
use crate::store::git;
use crate::store::git::Invocation;
use crate::store::journal::step;

/// What git-mergetool(1) calls the copy that it makes of a file before it is resolved.
const BACKUP: &str = ".orig";

impl Session<'_> {
    /// What the command's end says already.
    pub(super) fn ended_badly(&self, ended: Ended) -> Result<Option<Unresolved>> {
        if let Some(gone) = self.intent.gone(self.repository)? {
            return Ok(Some(gone));
        }
        Ok(match ended {
            Ended::Exit(0) => None,
            Ended::Exit(code) => Some(Unresolved::Ended(code)),
            Ended::Signal(signal) => Some(Unresolved::Signalled(signal)),
            Ended::TimedOut | Ended::Stopped | Ended::Interrupted => Some(Unresolved::Interrupted),
        })
    }

    /// Judges what is in the worktree now, and commits it unless the command has.
    pub(super) fn check(&mut self, laid_out: &LaidOut) -> Result<Result<(), Unresolved>> {
        let Some(site) = self.intent.site(self.repository)? else {
            return Ok(Err(Unresolved::LaneGone));
        };
        if !self.intent.is_at_home(&site) {
            return Ok(Err(Unresolved::LeftBranch(site.head)));
        }
        let tree = snapshot(self.repository, &site, &self.scratch)?;
        let merging = match status::operation(&site.git_dir) {
            Some(Operation::Merge) => true,
            None => false,
            Some(other) => return Ok(Err(Unresolved::InProgress(other))),
        };
        if !merging && self.repository.ref_target(&self.intent.branch)? == Some(self.intent.tip) {
            return Ok(Err(Unresolved::TakenBack));
        }
        if let Some(why) = self.unresolved_files(&site, laid_out, tree)? {
            return Ok(Err(why));
        }
        self.intent.judged = true;
        self.running.advance(&self.intent)?;
        if merging && let Some(why) = self.conclude(&site, laid_out, tree)? {
            return Ok(Err(why));
        }
        why_not_resolved(self.repository, &self.intent, &site).map(|why| why.map_or(Ok(()), Err))
    }

    /// The files that are not resolved. What is still unmerged in the index counts as resolved where
    /// its file has changed since git laid it out.
    fn unresolved_files(
        &self,
        site: &Worktree,
        laid_out: &LaidOut,
        tree: ObjectId,
    ) -> Result<Option<Unresolved>> {
        let now = entries(self.repository, tree, &laid_out.paths())?;
        let unmerged = self.repository.git_in(site).unmerged()?;
        let (mut marked, mut untouched) = (Vec::new(), Vec::new());
        for file in &laid_out.files {
            let entry = now.iter().find(|entry| entry.path == file.path);
            if file.is_marked(self.repository, entry)? {
                marked.push(file.path.clone());
            } else if !file.was_marked
                && entry == file.was.as_ref()
                && unmerged.iter().any(|stage| stage.path == file.path)
            {
                untouched.push(file.path.clone());
            }
        }
        let known = |path: &BString| laid_out.files.iter().any(|file| file.path == *path);
        let others = unmerged.into_iter().map(|stage| stage.path);
        untouched.extend(others.filter(|path| !known(path)));
        untouched.dedup();
        Ok(if !marked.is_empty() {
            Some(Unresolved::Markers(marked))
        } else if !untouched.is_empty() {
            Some(Unresolved::Unmerged(untouched))
        } else {
            None
        })
    }

    /// Commits the merge with all that tracked files have now.
    fn conclude(
        &self,
        site: &Worktree,
        laid_out: &LaidOut,
        tree: ObjectId,
    ) -> Result<Option<Unresolved>> {
        let mut untracked = self.repository.git_in(site).list_untracked()?;
        let backups = self.backups(laid_out, tree, &untracked)?;
        untracked.retain(|path| !backups.contains(path));
        if !untracked.is_empty() {
            return Ok(Some(Unresolved::Untracked(untracked)));
        }
        let root = careful_removal::open(&site.path).context("open", &site.path)?;
        for path in &backups {
            careful_removal::remove(&root, path)
                .context("remove", &site.path.join(crate::store::path(path)))?;
        }
        let git = || self.repository.git_as_user_at(&site.path);
        let add = || git().adding(&["--update", "--sparse", "--", "."]);
        git::writing_objects(add, Invocation::run)?;
        step("resolve.staged");
        let code = git().conclude_merge(self.resolver.no_verify)?;
        step("resolve.committed");
        if code == 0 {
            return Ok(None);
        }
        disk::ensure_room(&site.git_dir)?;
        Ok(Some(Unresolved::CommitFailed(code)))
    }

    /// The untracked files that are what git has laid out, byte for byte, under the name of a copy.
    fn backups(
        &self,
        laid_out: &LaidOut,
        tree: ObjectId,
        untracked: &[BString],
    ) -> Result<Vec<BString>> {
        let copies: Vec<BString> = untracked
            .iter()
            .filter(|path| path.ends_with(BACKUP.as_bytes()))
            .cloned()
            .collect();
        let now = entries(self.repository, tree, &copies)?;
        let is_backup = |path: &BString| {
            let copy = now.iter().find(|entry| entry.path == *path);
            let file = path.strip_suffix(BACKUP.as_bytes()).map(ByteSlice::as_bstr);
            let mut files = laid_out.files.iter();
            let file = files.find(|known| Some(known.path.as_bstr()) == file);
            let was = file.and_then(|file| file.was.as_ref());
            copy.zip(was).is_some_and(|(copy, was)| copy.id == was.id)
        };
        Ok(copies.into_iter().filter(is_backup).collect())
    }
}

/// What keeps the lane from being one that has taken its base in; `None` where it has.
pub(super) fn why_not_resolved(
    repository: &Repository,
    intent: &Intent,
    site: &Worktree,
) -> Result<Option<Unresolved>> {
    let Some(tip) = repository.ref_target(&intent.branch)? else {
        return Ok(Some(Unresolved::LeftBranch(site.head.clone())));
    };
    if let Some(why) = lacks(repository, intent, tip)? {
        return Ok(Some(why));
    }
    let found = in_flight::worktree_status(repository, site)?;
    Ok(match found.operation {
        Some(operation) => Some(Unresolved::InProgress(operation)),
        None if !found.is_clean() => Some(Unresolved::Uncommitted),
        None => None,
    })
}

/// What a commit lacks of the two that were to be merged.
pub(super) fn lacks(
    repository: &Repository,
    intent: &Intent,
    tip: ObjectId,
) -> Result<Option<Unresolved>> {
    let has = |commit| merge_base(repository, tip, commit).map(|found| found == Some(commit));
    Ok(match (has(intent.onto)?, has(intent.tip)?) {
        (false, _) => Some(Unresolved::WithoutBase),
        (true, false) => Some(Unresolved::WithoutLane),
        (true, true) => None,
    })
}
