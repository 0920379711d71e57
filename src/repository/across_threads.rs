//! The same repository for another thread, without reading anything of it anew.
//!
//! `operations/start` fills several worktrees at once by it.

use std::path::PathBuf;
use std::rc::Rc;

use super::main_worktree::Known;
use super::{RefFormat, Repository};
use crate::repository::unrecovered::Unrecovered;
use crate::store::events::Trouble;
use crate::store::git::Git;
use crate::store::lane_files::LaneDir;

/// What a thread opens the repository with.
pub struct ForThreads {
    gix: gix::ThreadSafeRepository,
    git: Git,
    git_dir: PathBuf,
    common_dir: PathBuf,
    lane_dir: LaneDir,
    ref_format: RefFormat,
    main: Known,
    unrecovered: Unrecovered,
    log_trouble: Trouble,
}

impl Repository {
    /// What other threads can have of it. What this one remembers of records and worktrees they find out
    /// for themselves.
    pub(crate) fn for_threads(&self) -> ForThreads {
        ForThreads {
            gix: self.gix.clone().into_sync(),
            git: self.git.clone(),
            git_dir: self.git_dir.clone(),
            common_dir: self.common_dir.clone(),
            lane_dir: self.lane_dir.clone(),
            ref_format: self.ref_format,
            main: self.main.clone(),
            unrecovered: self.unrecovered.clone(),
            log_trouble: self.log_trouble.clone(),
        }
    }
}

impl ForThreads {
    /// The repository, for the thread that calls.
    pub(crate) fn open(&self) -> Repository {
        Repository {
            gix: self.gix.to_thread_local(),
            git: self.git.clone(),
            git_dir: self.git_dir.clone(),
            common_dir: self.common_dir.clone(),
            lane_dir: self.lane_dir.clone(),
            ref_format: self.ref_format,
            main: self.main.clone(),
            records: Rc::default(),
            walks: Rc::default(),
            unrecovered: self.unrecovered.clone(),
            log_trouble: self.log_trouble.clone(),
        }
    }
}
