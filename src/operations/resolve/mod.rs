//! Hands a conflict to a resolver: the base is merged into the lane's worktree by git itself, a
//! command line of the user's runs there in the foreground, and what it has resolved is committed.
//!
//! From before the merge until it is committed or taken back, an intent says what the lane was.
//! *Killed meanwhile: once the command has ended too, the next git-lane command puts the lane back,
//! with what was made of the conflict kept in a commit; a merge that was committed stays.*
//!
//! Called by `land`, which then lands the lane as if it had been asked anew, and by `recover`.

mod attempt_commit;
mod dead_locks;
mod laid_out;
mod resolution_check;
mod resolutions;
mod take_merge_back;

use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;
use serde::{Deserialize, Serialize};

use self::laid_out::LaidOut;
use self::take_merge_back::put_back;
pub use self::take_merge_back::recover;
use crate::domain::lane::{
    Lane, ObjectId, RefName, Worktree, hex, lossless_bytes, lossless_path, optional_hex,
};
use crate::domain::name::BranchName;
use crate::domain::resolution::Unresolved;
use crate::domain::retire::{moved_on, place};
use crate::domain::shell_word::quote;
use crate::error::{Code, Error, IoContext, Result};
use crate::operations::in_flight;
use crate::repository::Repository;
use crate::repository::provenance::{Assertions, Asserts};
use crate::repository::quarantine::Scratch;
use crate::repository::resolver_lock;
use crate::store::clock::now;
use crate::store::command_run::{ForegroundRun, run_in_foreground};
use crate::store::disk;
use crate::store::git::NONE;
use crate::store::journal::{About, Announce, Exclusive, Journal, Running, step};

/// How long what the command has started may take to end after it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hears of a conflict that is handed over.
pub trait Watch {
    /// It is laid out in the lane, and the command begins.
    fn begins(&self, lane: &Lane, base: &BranchName, files: &[BString]);
    /// git itself remembers how these were resolved before, or the merge did not conflict here: the
    /// command does not run.
    fn needs_no_command(&self, lane: &Lane, base: &BranchName);
}

/// What resolves conflicts.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    /// The command line.
    pub line: &'a str,
    /// Whether the hooks of git-merge(1) and git-commit(1) are skipped.
    pub no_verify: bool,
    /// Whether standard output is for a document alone.
    pub output_is_taken: bool,
    /// Hears of it.
    pub watch: &'a dyn Watch,
}

/// Refuses the merge of a commit into a branch at another one, in the worktree that has it checked
/// out, before anything begins.
pub type Before<'a> = &'a dyn Fn(&Worktree, (&BranchName, ObjectId, ObjectId)) -> Result<()>;

/// A conflict that is handed over, complete enough for another process to take it back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "resolve")]
pub struct Intent {
    lane: Lane,
    /// The branch that the worktree has checked out.
    branch: RefName,
    base: RefName,
    #[serde(with = "lossless_path")]
    worktree: PathBuf,
    #[serde(with = "lossless_path")]
    git_dir: PathBuf,
    /// When it began, in seconds since 1970 UTC.
    began: u64,
    /// The lane's commit before.
    #[serde(with = "hex")]
    tip: ObjectId,
    /// The base's commit that is merged.
    #[serde(with = "hex")]
    onto: ObjectId,
    /// The tree of the worktree as git has laid the conflict out.
    #[serde(with = "optional_hex")]
    laid_out: Option<ObjectId>,
    /// The untracked paths before, all of them ignored, whole directories as one.
    #[serde(default)]
    untracked: Vec<Listed>,
    /// Where git-rerere(1) would remember what is made of it, and has nothing yet.
    #[serde(default)]
    resolutions: Vec<String>,
    /// Whether the command has succeeded, and git-lane has found the conflict resolved.
    #[serde(default)]
    judged: bool,
    /// The commit that has what was made of it.
    #[serde(with = "optional_hex")]
    attempt: Option<ObjectId>,
}

/// A path in an intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed(#[serde(with = "lossless_bytes")] BString);

impl Intent {
    /// The lane's record.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }

    fn what(&self) -> String {
        format!("the resolving of a conflict in lane '{}'", self.lane.name)
    }

    /// The lane's worktree as git has it now, where the lane is still there.
    fn site(&self, repository: &Repository) -> Result<Option<Worktree>> {
        let records = repository.records()?;
        let own = |lane: &&Lane| lane.id == self.lane.id;
        let Some(lane) = records.find(&self.lane.name).filter(own) else {
            return Ok(None);
        };
        let worktrees = repository.worktrees()?;
        // The command may have moved it.
        let site = place(lane, &worktrees).present();
        Ok(site.filter(|site| site.git_dir == self.git_dir).cloned())
    }

    /// What has become of a lane whose worktree is not there any more.
    fn gone(&self, repository: &Repository) -> Result<Option<Unresolved>> {
        if self.site(repository)?.is_some() {
            return Ok(None);
        }
        let records = repository.records()?;
        let recorded = records.find(&self.lane.name);
        let is_there = std::fs::symlink_metadata(&self.worktree).is_ok();
        Ok(Some(
            match recorded.filter(|lane| lane.id == self.lane.id) {
                Some(_) => Unresolved::WorktreeGone(self.worktree.clone(), is_there),
                None => Unresolved::LaneGone,
            },
        ))
    }

    /// A tree that has the paths that are tracked.
    fn known(&self) -> ObjectId {
        self.laid_out.unwrap_or(self.tip)
    }

    /// Whether something untracked was there before.
    fn had_untracked(&self, path: &[u8]) -> bool {
        self.untracked
            .iter()
            .any(|Listed(had)| match had.ends_with(b"/") {
                true => path.starts_with(had),
                false => had == path,
            })
    }

    /// Whether a worktree has the lane's branch checked out.
    fn is_at_home(&self, site: &Worktree) -> bool {
        site.head.branch().map(RefName::from).as_ref() == Some(&self.branch)
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        About::lane(self.what(), &self.lane.name)
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        assertions.id("lane id", self.lane.id.as_str());
        assertions.branch("branch", &self.branch);
        assertions.branch("base", &self.base);
        assertions.admin("git directory", &self.git_dir);
        assertions.place("worktree", &self.worktree);
    }
}

/// Brings `base` into the lane, whose commit is `tip`, with the conflict resolved by the resolver;
/// else the lane is as before, and the error says why.
pub fn resolve(
    repository: &Repository,
    lane: &Lane,
    tip: ObjectId,
    base: &BranchName,
    resolver: Resolver<'_>,
    before: Before<'_>,
) -> Result<()> {
    let name = resolver_lock::name(&lane.id);
    let lock = Exclusive::acquire(repository.lane_dir(), &name, Duration::ZERO);
    let _lock = lock.map_err(|error| match error.code() {
        Code::Busy => resolver_lock::taken(lane),
        _ => error,
    })?;
    let mut session = Session::begin(repository, lane, (tip, base), resolver, before)?;
    let done = session.run();
    let ended = session.end(done);
    // The next process may have opened it by now, and finds out.
    drop(std::fs::remove_file(repository.lane_dir().join(&name)));
    ended
}

/// One conflict on its way.
struct Session<'a> {
    repository: &'a Repository,
    resolver: Resolver<'a>,
    base: &'a BranchName,
    site: Worktree,
    scratch: Scratch,
    intent: Intent,
    running: Running,
    /// The paths in conflict, once they are known.
    paths: Vec<BString>,
}

impl<'a> Session<'a> {
    fn begin(
        repository: &'a Repository,
        lane: &Lane,
        (tip, base): (ObjectId, &'a BranchName),
        resolver: Resolver<'a>,
        before: Before<'_>,
    ) -> Result<Self> {
        let worktrees = repository.worktrees()?;
        let changed = || moved_on(&lane.name).hint("nothing has landed");
        let site = place(lane, &worktrees).present().ok_or_else(changed)?;
        let (Some(branch), Some(onto)) = (site.head.branch(), repository.branch_tip(base)?) else {
            return Err(changed());
        };
        let status = in_flight::worktree_status(repository, site)?;
        let settled = status.is_clean() && status.operation.is_none();
        if !settled || repository.branch_tip(branch)? != Some(tip) {
            return Err(changed());
        }
        before(site, (branch, tip, onto)).map_err(|error| error.hint("nothing has landed"))?;
        let untracked = repository
            .git_in(site)
            .ls_files(&["--others", "--directory"], NONE)?;
        let intent = Intent {
            lane: lane.clone(),
            branch: branch.into(),
            base: base.into(),
            worktree: site.path.clone(),
            git_dir: site.git_dir.clone(),
            began: u64::try_from(now()).unwrap_or(0),
            tip,
            onto,
            untracked: untracked.into_iter().map(Listed).collect(),
            laid_out: None,
            resolutions: Vec::new(),
            judged: false,
            attempt: None,
        };
        let scratch = Scratch::new(repository)?;
        let running = Journal::new(repository.lane_dir()).begin(&intent)?;
        Ok(Session {
            repository,
            resolver,
            base,
            site: site.clone(),
            scratch,
            intent,
            running,
            paths: Vec::new(),
        })
    }

    /// Lays the conflict out, has it resolved, and commits.
    fn run(&mut self) -> Result<Result<(), Unresolved>> {
        let git = || self.repository.git_as_user_at(&self.site.path);
        let code = git().merge(self.name()?, self.resolver.no_verify)?;
        step("resolve.merged");
        if !matches!(code, 0 | 1) {
            disk::ensure_room(&self.site.path)?;
            let sentence = format!("git merge ended with exit code {code}");
            return Err(Error::git(sentence).hint("see what it says above"));
        }
        let laid_out = LaidOut::look(self.repository, &self.site, &self.scratch)?;
        self.paths = laid_out.paths();
        if self.paths.is_empty() {
            self.resolver
                .watch
                .needs_no_command(&self.intent.lane, self.base);
        } else {
            self.intent.laid_out = Some(laid_out.tree);
            self.intent.resolutions = resolutions::to_come(self.repository, &self.site);
            self.running.advance(&self.intent)?;
            let ended = self.ask()?;
            step("resolve.asked");
            if let Some(why) = self.ended_badly(ended)? {
                return Ok(Err(why));
            }
            // What it has started may still write.
            self.running.wait_for_own_children(PATIENCE)?;
        }
        self.check(&laid_out)
    }

    /// The base as `git merge` is to be told: by its short name, unless that means something else.
    fn name(&self) -> Result<BString> {
        let git = self.repository.git_in(&self.site);
        let short = git.rev_parse(self.base.as_bstr())?;
        Ok(match short == Some(self.intent.onto) {
            true => self.base.as_bstr().to_owned(),
            false => self.base.to_ref(),
        })
    }

    /// Runs the command.
    fn ask(&mut self) -> Result<crate::store::command_run::Ended> {
        let list = self.scratch.path("conflicts");
        let text: Vec<u8> = self
            .paths
            .iter()
            .flat_map(|path| [path, &b"\0"[..]].concat())
            .collect();
        let written = self.repository.shared().write(&list, text);
        written.context("write", &list)?;
        let lane = &self.intent.lane;
        let text = |bytes: &bstr::BStr| crate::store::path(bytes).into_os_string();
        let branch = self.intent.branch.shorten();
        let environment = [
            ("GIT_LANE_NAME".into(), lane.name.as_str().into()),
            ("GIT_LANE_BRANCH".into(), text(branch)),
            ("GIT_LANE_BASE".into(), text(self.base.as_bstr())),
            ("GIT_LANE_CONFLICTS".into(), list.into_os_string()),
        ];
        self.resolver.watch.begins(lane, self.base, &self.paths);
        run_in_foreground(ForegroundRun {
            line: self.resolver.line,
            directory: &self.site.path,
            environment: &environment,
            output_is_taken: self.resolver.output_is_taken,
        })
    }

    /// Ends the intent where the merge is committed or there is no lane any more; else puts the lane
    /// back first.
    fn end(mut self, done: Result<Result<(), Unresolved>>) -> Result<()> {
        let failure = match done {
            Ok(Ok(())) => return self.running.done(),
            Ok(Err(why)) => Ok(why),
            Err(error) => Err(error),
        };
        let lane = self.intent.lane.name.clone();
        if let Some(gone) = self.intent.gone(self.repository)? {
            self.running.done()?;
            return Err(gone.error(&lane, self.base, &self.paths, None));
        }
        if !self.running.wait_for_own_children(PATIENCE)? {
            return Err(Error::environment(format!(
                "a program that was started to resolve the conflict is still at work in lane \
                 '{lane}'"
            ))
            .with_code(Code::Busy)
            .hint("once it has ended, the next git-lane command puts the lane back"));
        }
        let mut put_back = || {
            let (intent, running) = (&mut self.intent, &mut self.running);
            put_back(self.repository, &self.scratch, intent, running)
        };
        // What is typed in a terminal ends every git that runs just then.
        let back = put_back().or_else(|_| put_back()).map_err(|error| {
            error.hint(format!(
                "the conflict is still laid out in the lane; the next git-lane command tries again \
                 to put it back, and so does: git -C \"$(git lane path {})\" merge --abort",
                quote(&lane)
            ))
        })?;
        self.running.done()?;
        Err(match failure {
            Ok(why) => why.error(&lane, self.base, &self.paths, Some(&back)),
            Err(error) => back.told(&lane, error),
        })
    }
}
