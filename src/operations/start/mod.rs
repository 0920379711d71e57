//! Makes a lane: everything is prepared aside, then published by renames.
//!
//! The worktree is filled in a hidden directory beside its final place, its admin directory below
//! `.git/lane/staging`. Until then no other process can see anything of the lane. Publishing is one
//! short critical section: the branch (created, never overwritten), the directory, the admin
//! directory, the record. Once the directory is in its place a user may work there: from then on a
//! start is only ever completed, by the next git-lane command if it must be. Before, it can be
//! undone, by its own proofs of what it made. Files that git has to write in that place come last
//! (`checkout`).
//!
//! Called by `commands/start`, and by `recover`.

pub mod base;
mod by_git;
mod carrying;
mod checkout;
pub(crate) mod publish;
mod recover_start;
pub mod start_all;
mod unmake;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::ByteSlice;
use serde::{Deserialize, Serialize};

use crate::domain::carried::Moved;
use crate::domain::event::{End, Subject, What};
use crate::domain::lane::{Lane, LaneId, ObjectId, hex, lossless_path};
use crate::domain::start::Creation;
use crate::domain::trash_entry::Setting;
use crate::engines::populate;
use crate::engines::populate::{Filled, How, Source, Sparse};
use crate::error::{Error, IoContext, Kind, Result};
use crate::operations::carry::{Carry, Left, Load};
pub use crate::operations::start::recover_start::{recover, recover_all, what};
use crate::repository::admin_dir::{self, begin_reflog, copy_worktree_config, line};
use crate::repository::exclude;
use crate::repository::provenance::{Assertions, Asserts, remember};
use crate::repository::{RefFormat, Repository};
use crate::store::journal::{About, Announce, Exclusive, GitDir, Journal, step, unique_id};
use unmake::{Identity, is_own, undo, visible_at};

/// What a start is about to do; enough to complete or undo it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename = "start")]
pub struct Intent {
    lane: Lane,
    #[serde(with = "hex")]
    commit: ObjectId,
    new_branch: bool,
    /// The worktree while it is being filled.
    #[serde(with = "lossless_path")]
    staged_worktree: PathBuf,
    /// Its admin directory until it is published.
    #[serde(with = "lossless_path")]
    staged_admin: PathBuf,
    /// Its name below `.git/worktrees` afterwards.
    #[serde(with = "lossless_path")]
    admin_name: PathBuf,
    /// Directories made for it, outermost first.
    made: Vec<Made>,
    /// Its settings for a sparse checkout need an include in the shared configuration.
    sparse: bool,
    /// What git records about a branch that follows a remote's.
    #[serde(default)]
    upstream: Vec<Setting>,
    /// git makes the worktree: the refs are a reftable, whose per-worktree part only git can write.
    by_git: bool,
    /// Worktree and admin directory name each other by relative paths.
    #[serde(default)]
    relative: bool,
    /// No other living lane may have its task.
    #[serde(default)]
    unique: bool,
    /// Files wait for the worktree to be in its place.
    #[serde(default)]
    unfinished: bool,
    /// The uncommitted work that comes into it from another worktree.
    #[serde(default)]
    carry: Option<Carry>,
    /// Everything is prepared: a start that dies from here on is completed if that is possible.
    publishing: bool,
    /// The worktree it made, known from `publishing` on.
    #[serde(default)]
    made_worktree: Option<Identity>,
    /// Its admin directory, likewise.
    #[serde(default)]
    made_admin: Option<Identity>,
    /// This process has seen itself create the branch.
    #[serde(skip)]
    created_branch: bool,
}

impl Intent {
    /// The lane's record.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }

    /// The name, unlike any other, of the directory in which the worktree is filled.
    fn hidden(&self) -> String {
        hidden_name(self.lane.id.as_str())
    }

    /// The directory itself.
    fn hidden_directory(&self) -> PathBuf {
        self.lane.worktree.with_file_name(self.hidden())
    }
}

impl Announce for Intent {
    fn about(&self) -> About {
        let mut about = About::lane(what(&self.lane.name), &self.lane.name);
        if let Some(carry) = self.carry.as_ref().filter(|carry| !carry.keep)
            && self.publishing
        {
            about.git_dirs.push(GitDir(carry.git_dir.clone()));
        }
        about
    }
}

impl Asserts for Intent {
    fn asserts(&self, assertions: &mut Assertions<'_>) {
        let (lane, hidden) = (&self.lane, std::ffi::OsString::from(self.hidden()));
        assertions.id("lane id", lane.id.as_str());
        assertions.settings("upstream", &self.upstream);
        assertions.admin_name("admin directory", &self.admin_name);
        assertions.staging("staged admin directory", &self.staged_admin);
        assertions.that(
            "staged admin directory",
            self.staged_admin.display(),
            self.staged_admin.ends_with(lane.id.as_str()),
        );
        // The directory it is filled in, beside the lane's; below it where git makes the worktree.
        let filled = if self.by_git {
            self.staged_worktree.parent()
        } else {
            Some(self.staged_worktree.as_path())
        };
        let beside = filled
            .and_then(Path::parent)
            .filter(|_| filled.and_then(Path::file_name) == Some(&*hidden));
        let real = |directory: &Path| {
            std::fs::canonicalize(directory).map_or(true, |found| found == directory)
        };
        assertions.that(
            "staged worktree",
            self.staged_worktree.display(),
            beside.is_some_and(real),
        );
        // Once the worktree can be seen the user may have moved it; that it is the one that was
        // made is proof enough.
        if !is_own(assertions.repository(), self) {
            assertions.place("worktree", &lane.worktree);
            assertions.that(
                "staged worktree",
                self.staged_worktree.display(),
                beside == lane.worktree.parent(),
            );
        }
        for setting in &self.upstream {
            let known = ["remote", "merge", "rebase"].contains(&&*setting.key);
            let plain = !setting.value.contains_str("::") && !setting.value.starts_with(b"-");
            assertions.that("setting of the branch", &setting.key, known && plain);
        }
        if let Some(carry) = &self.carry {
            carry.asserts(assertions);
        }
        for Made(made) in &self.made {
            let above = |path: &Path| path != made && path.starts_with(made);
            let fits = above(&self.staged_worktree) || above(&lane.worktree);
            assertions.that("directory that was made", made.display(), fits);
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Made(#[serde(with = "lossless_path")] PathBuf);

/// A lane that was made.
#[derive(Debug)]
pub struct Started {
    /// Its record.
    pub lane: Lane,
    /// How its files came about.
    pub how: How,
    /// The work that it has taken along.
    pub moved: Option<Moved>,
    /// Where that was changed meanwhile, and so has stayed too.
    pub left: Left,
}

/// How to fill the worktree.
pub struct Filling<'a> {
    /// Worktrees whose files may be copied.
    pub sources: &'a [Source],
    /// Check out these directories only.
    pub sparse: Option<&'a Sparse>,
    /// Uncommitted work that comes along.
    pub load: Option<&'a Load>,
    /// Called with files done and files in total.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// Makes the lane that was planned. A failure leaves nothing of it, or a lane in its place that the
/// next git-lane command completes, and says which.
pub fn start(
    repository: &Repository,
    creation: &Creation,
    filling: &Filling<'_>,
) -> Result<Started> {
    let lane = record_of(creation);
    let operation = repository.log().begin(Subject::of(What::Start, &lane));
    let made = make(repository, creation, filling, lane);
    operation.ended(made, |started| End {
        moved: started.moved.clone().map(Box::new),
        ..End::of_start(&started.lane, creation.commit)
    })
}

/// The record of a new lane.
fn record_of(creation: &Creation) -> Lane {
    let request = &creation.request;
    Lane {
        name: request.name.clone(),
        id: LaneId(unique_id()),
        branch: request.branch.clone(),
        worktree: creation.path.clone(),
        base: creation.base.name.clone(),
        fork_point: creation.base.commit,
        owner: request.owner.clone(),
        task: request.task.clone(),
        created: jiff::Timestamp::now().as_second(),
        mark: None,
        claim: request.claim.clone(),
        parameters: request.parameters.clone(),
        read_only: request.read_only,
        adopted: false,
    }
}

/// What making the lane comes to; nothing is changed yet.
fn intend(
    repository: &Repository,
    creation: &Creation,
    is_sparse: bool,
    lane: Lane,
) -> Result<Intent> {
    let id = lane.id.as_str();
    let parent = creation.path.parent().unwrap_or(Path::new("/"));
    let by_git = repository.ref_format() == RefFormat::Reftable;
    let hidden = parent.join(hidden_name(id));
    let mut made: Vec<Made> = missing_ancestors(parent).into_iter().map(Made).collect();
    let staged_worktree = match creation.path.file_name().filter(|_| by_git) {
        // git names the admin directory after the worktree it makes.
        Some(name) => {
            made.push(Made(hidden.clone()));
            hidden.join(name)
        }
        None => hidden,
    };
    let intent = Intent {
        commit: creation.commit,
        new_branch: creation.new_branch,
        staged_worktree,
        staged_admin: repository.lane_dir().join("staging").join(id),
        admin_name: admin_dir::name(&creation.path).into(),
        made,
        sparse: is_sparse && !repository.config_bool("extensions.worktreeConfig"),
        upstream: creation
            .upstream
            .as_ref()
            .map(|upstream| upstream.settings.clone())
            .unwrap_or_default(),
        by_git,
        relative: admin_dir::wants_relative_links(repository)?,
        unique: creation.request.unique,
        unfinished: false,
        carry: None,
        publishing: false,
        made_worktree: None,
        made_admin: None,
        created_branch: false,
        lane,
    };
    exclude::ensure_writable(repository, &intent.hidden_directory())?;
    Ok(intent)
}

fn make(
    repository: &Repository,
    creation: &Creation,
    filling: &Filling<'_>,
    lane: Lane,
) -> Result<Started> {
    let mut intent = intend(repository, creation, filling.sparse.is_some(), lane)?;
    intent.carry = filling.load.map(|load| load.carry.clone());
    remember(repository, &creation.path);
    let mut running = Journal::new(repository.lane_dir()).begin(&intent)?;
    exclude::add(repository, &intent.hidden_directory())?;
    let id = running.id().into_owned();
    let mut save = |intent: &Intent| running.advance(intent);
    let made = if intent.by_git {
        registry_lock(repository).and_then(|_guard| {
            let filled = by_git::prepare(repository, &mut intent, filling)?;
            intent.unfinished = filled.unfinished;
            let admin = publish::admin_dir(repository, &intent);
            carrying::bring_in(repository, &intent, filling, &admin)?;
            let hold = carrying::hold(repository, filling, &id)?;
            publish::publish(repository, &mut intent, &mut save)?;
            Ok((filled.how, hold))
        })
    } else {
        prepare(repository, &intent, filling).and_then(|filled| {
            intent.unfinished = filled.unfinished;
            let _guard = registry_lock(repository)?;
            let hold = carrying::hold(repository, filling, &id)?;
            publish::publish(repository, &mut intent, &mut save)?;
            Ok((filled.how, hold))
        })
    };
    let made = made.and_then(|made| checkout::finish(repository, &intent).map(|()| made));
    match made {
        Ok((how, hold)) => {
            let left = carrying::clear(repository, &mut intent, (filling.load, hold), running)?;
            Ok(Started {
                lane: intent.lane,
                how,
                moved: filling.load.map(Load::moved),
                left,
            })
        }
        Err(error) => {
            let guard = registry_lock(repository)?;
            let taken = match intent.unfinished {
                true => checkout::take_back(repository, &intent).map(drop),
                false => Ok(()),
            };
            if let Some(at) = visible_at(repository, &intent) {
                // The intent stays for the next git-lane command.
                return Err(in_place(error, &intent, &at));
            }
            taken?;
            undo(repository, &intent)?;
            running.done()?;
            drop(guard);
            Err(error)
        }
    }
}

fn hidden_name(id: &str) -> String {
    format!(".lane-{id}")
}

/// `error`, which has stopped a start whose worktree a user may work in by now.
fn in_place(error: Error, intent: &Intent, at: &Path) -> Error {
    error.hint(format!(
        "the worktree of lane '{}' is at '{}' and stays there; the next git-lane command \
         completes its start",
        intent.lane.name,
        at.display()
    ))
}

/// The lock around everything that looks at lanes and branches and then changes them; held for
/// milliseconds.
pub fn registry_lock(repository: &Repository) -> Result<Exclusive> {
    Exclusive::acquire(repository.lane_dir(), "lock", Duration::from_secs(60))
}

/// Fills the staged worktree and writes its admin directory.
fn prepare(repository: &Repository, intent: &Intent, filling: &Filling<'_>) -> Result<Filled> {
    let (worktree, admin) = (&intent.staged_worktree, &intent.staged_admin);
    repository
        .shared()
        .create_dir_all(worktree)
        .map_err(|error| cannot_make(worktree, error))?;
    repository
        .shared()
        .create_dir_all(admin)
        .context("create", admin)?;
    step("start.directories");
    let write = |name: &str, content: &[u8]| {
        let path = admin.join(name);
        repository
            .shared()
            .write(&path, content)
            .context("write", &path)
    };
    write("HEAD", format!("{}\n", intent.commit).as_bytes())?;
    write("commondir", &line(repository.common_dir()))?;
    write("gitdir", &line(&intent.lane.worktree.join(".git")))?;
    copy_worktree_config(repository, admin)?;
    step("start.admin");
    let filled = populate::populate(
        &populate::Request {
            repo: &repository.gix,
            commit: intent.commit,
            directory: worktree,
            admin_dir: admin,
            sources: filling.sources,
            sparse: filling.sparse,
            git: &repository.git,
        },
        filling.progress,
        &crate::store::signals::PENDING,
    )?;
    step("start.populated");
    carrying::bring_in(repository, intent, filling, admin)?;
    // From git's own `worktree add`: the common directory is named relative to the admin directory.
    write("commondir", b"../..\n")?;
    if let Some(branch) = &intent.lane.branch {
        let mut head = b"ref: ".to_vec();
        head.extend_from_slice(&branch.to_ref());
        head.push(b'\n');
        write("HEAD", &head)?;
    }
    begin_reflog(repository, admin, intent.commit, &intent.lane.id)?;
    step("start.prepared");
    Ok(filled)
}

fn missing_ancestors(directory: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = directory
        .ancestors()
        .take_while(|ancestor| !ancestor.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

fn cannot_make(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Kind::Environment,
        format!("cannot create '{}'", path.display()),
    )
    .caused_by(error)
    .hint("choose another place with --path or the policy's start.path")
}
