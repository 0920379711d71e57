//! The repository's own hooks, run for a landing as `git merge` and `git commit` would run them.
//!
//! `git hook run` finds them (core.hooksPath and, from git 2.54 on, the configuration included).
//! Those that may object run in a worktree of git-lane's own, where HEAD, MERGE_HEAD, index and files
//! are as `git merge` has them at that moment, and what the base's worktree has in ignored files is
//! linked. post-merge runs where the base is checked out once it has moved, after a squash too.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::hook_room::HookRoom;
use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::message::Cleanup;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::operations::gate::own_worktree::{Moment, OwnWorktree};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::git::Invocation;
use crate::store::retry;

/// What has git run an editor through a shell: `prepare_shell_cmd` in its run-command.c.
const NEEDS_SHELL: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', ' ', '\t', '\n', '*', '?', '[',
    '#', '~', '=', '%',
];

/// How a shell says that SIGINT or SIGQUIT has ended a program.
const INTERRUPTED: [i32; 2] = [128 + 2, 128 + 3];

/// What decides which hooks run and what they are told.
#[derive(Debug)]
pub struct Hooks<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// Where the message file and the index are.
    pub scratch: &'a Scratch,
    /// The directory they run in.
    pub directory: PathBuf,
    /// Skip what `--no-verify` skips.
    pub no_verify: bool,
    /// How the message is cleaned up, where merges into the base have a way of their own.
    pub cleanup: Option<String>,
    /// The user edits the message.
    pub edit: bool,
    /// What is landing, as `git merge` would tell: the commit and its name.
    pub landing: (ObjectId, BString),
    /// The worktree that has the base checked out.
    pub site: Option<&'a Worktree>,
    /// Where those run that may object.
    pub room: HookRoom<'a>,
    /// What is true where one of them objects.
    pub otherwise: &'static str,
    /// Whether `git merge` would be told to make a commit whatever it merges.
    pub no_ff: bool,
}

/// A commit that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// By `git merge`.
    Merge,
    /// By `git commit` after `git merge --squash`; whether `-m` gave the message.
    Squash {
        /// `-m` gave the message.
        own_message: bool,
    },
}

impl Making {
    /// The hook that sees the result first.
    fn first(self) -> &'static str {
        match self {
            Making::Merge => "pre-merge-commit",
            Making::Squash { .. } => "pre-commit",
        }
    }

    /// The second argument of prepare-commit-msg.
    fn source(self) -> &'static str {
        match self {
            Making::Merge => "merge",
            Making::Squash { own_message: false } => "squash",
            Making::Squash { own_message: true } => "message",
        }
    }

    /// What git calls the message file.
    fn file(self) -> &'static str {
        match self {
            Making::Merge => "MERGE_MSG",
            Making::Squash { .. } => "COMMIT_EDITMSG",
        }
    }
}

impl Hooks<'_> {
    /// Whether a program of the user's looks at the result before it is committed.
    pub fn any_before(&self, making: Making) -> bool {
        let asked = |hook| !self.no_verify && self.repository.has_hook(hook);
        self.edit
            || self.repository.has_hook("prepare-commit-msg")
            || asked("commit-msg")
            || asked(making.first())
    }

    /// Whether git would find a hook of that name once `tree` is checked out.
    fn has(&self, hook: &str, tree: ObjectId) -> Result<bool> {
        if !self.repository.has_hook(hook) {
            return Ok(false);
        }
        let Some(site) = self.site else {
            return Ok(true);
        };
        if self.repository.has_hook_in(&site.path, &site.git_dir, hook) {
            return Ok(true);
        }
        // A hook may come with what lands.
        let Some(directory) = self.relative_hooks_path()? else {
            return Ok(false);
        };
        let view = self.scratch.view(self.repository)?;
        let path = directory.join(hook);
        let found = retry::objects(&view, || {
            let tree = view.find_tree(tree).map_err(|error| error.to_string())?;
            tree.lookup_entry_by_path(&path)
                .map_err(|error| error.to_string())
                .map(|entry| entry.is_some())
        });
        found.map_err(|error: String| Error::git(format!("cannot read tree {tree}: {error}")))
    }

    /// core.hooksPath, where it counts from the top of a worktree.
    fn relative_hooks_path(&self) -> Result<Option<PathBuf>> {
        let config = self.repository.as_at(&self.directory)?;
        let path = config.config_snapshot().trusted_path("core.hooksPath");
        let path = path.ok().flatten();
        Ok(path.filter(|path| path.is_relative()))
    }

    /// pre-merge-commit or pre-commit; the tree afterwards, which the hook may have changed through
    /// its index.
    pub fn first(&self, making: Making, tree: ObjectId, message: &[u8]) -> Result<ObjectId> {
        if self.no_verify || !self.has(making.first(), tree)? {
            return Ok(tree);
        }
        let moment = match making {
            Making::Merge => Moment::Merged,
            Making::Squash { .. } => Moment::Squashed { message },
        };
        self.room.with(tree, moment, |worktree| {
            self.run(worktree, making, making.first(), &[])
        })?;
        self.room.tree()
    }

    /// prepare-commit-msg and the editor; the message afterwards.
    pub fn draft(&self, making: Making, tree: ObjectId, message: &[u8]) -> Result<BString> {
        let prepares = self.has("prepare-commit-msg", tree)?;
        if !prepares && !self.edit {
            return Ok(message.into());
        }
        let mut text = message.to_vec();
        if self.edit {
            let comment = comment_prefix(self.repository, &self.directory)?;
            let help = [
                "Please say what lands, and why.",
                "Lines starting with this sign are left out, and an",
                "empty message ends it.",
            ];
            text.push(b'\n');
            text.extend(
                help.iter()
                    .flat_map(|line| format!("{comment} {line}\n").into_bytes()),
            );
        }
        if prepares {
            let source = Path::new(making.source());
            text = self.on_message(making, tree, &text, "prepare-commit-msg", &[source])?;
        }
        if self.edit {
            // An editor takes its time, and others may want to run their hooks.
            self.room.leave()?;
            let file = self.scratch.path(making.file());
            let shared = self.repository.shared();
            shared.write(&file, &text).context("write", &file)?;
            self.editor(making, &file)?;
            text = std::fs::read(&file).context("read", &file)?;
        }
        Ok(text.into())
    }

    /// Runs a hook that may change the message; the message afterwards.
    fn on_message(
        &self,
        making: Making,
        tree: ObjectId,
        message: &[u8],
        hook: &str,
        args: &[&Path],
    ) -> Result<Vec<u8>> {
        let moment = match making {
            Making::Merge => Moment::Message {
                theirs: self.landing.0,
                no_ff: self.no_ff,
                message,
            },
            Making::Squash { .. } => Moment::Squashed { message },
        };
        self.room.with(tree, moment, |worktree| {
            let file = worktree.put_message(making.file(), message)?;
            let args: Vec<&Path> = std::iter::once(file.as_path())
                .chain(args.iter().copied())
                .collect();
            self.run(worktree, making, hook, &args)?;
            std::fs::read(&file).context("read", &file)
        })
    }

    /// commit-msg and git's clean-up; what is committed.
    pub fn seal(&self, making: Making, tree: ObjectId, message: &[u8]) -> Result<BString> {
        let mut message = BString::from(message);
        if !self.no_verify && self.has("commit-msg", tree)? {
            message = self
                .on_message(making, tree, &message, "commit-msg", &[])?
                .into();
        }
        self.room.leave()?;
        let configured = match &self.cleanup {
            None => self
                .repository
                .config_at(&self.directory, "commit.cleanup")?
                .map(|value| value.to_string()),
            configured => configured.clone(),
        };
        let comment = comment_prefix(self.repository, &self.directory)?;
        let clean = Cleanup::of(configured.as_deref(), self.edit, &comment).apply(&message);
        if clean.is_empty() {
            return Err(Error::refused("the message is empty")
                .with_code(Code::EmptyMessage)
                .hint("give one with -m"));
        }
        Ok(clean.into())
    }

    /// Tells post-index-change of the base's worktree, which has changed with its base. The squash
    /// of `git merge` tells it what its merge does.
    pub fn index_changed(&self) {
        if let Some(site) = self.site {
            self.repository.tell_of_index(site, self.git(Making::Merge));
        }
    }

    /// A hook whose verdict does not count: post-merge, post-commit.
    pub fn after(&self, making: Making, hook: &str, args: &[&str]) {
        if self.repository.has_hook(hook) {
            let mut git = self.git(making);
            if making != Making::Merge {
                // A commit tells its last hook what it told the others; a merge does not.
                git = self.as_unedited(git);
                if let Some(site) = self.site {
                    git = git.env("GIT_INDEX_FILE", index_of(site));
                }
            }
            // git ignores its exit code too.
            let _ = git.run_hook(hook, args);
        }
    }

    fn run(
        &self,
        worktree: &OwnWorktree,
        making: Making,
        hook: &str,
        args: &[&Path],
    ) -> Result<()> {
        let directory = worktree.path();
        let mut git = self.repository.git.at(directory);
        if let Some(path) = self.relative_hooks_path()?
            && let Some(site) = self.site.filter(|_| !directory.join(&path).exists())
        {
            // Neither tracked nor ignored, so that it is where the base is checked out alone.
            let there = site.path.join(path).display().to_string();
            git = git.with("core.hooksPath", &there);
        }
        let index = worktree.git_dir().join("index");
        let git = self.telling(git, making);
        let git = self.as_unedited(git).env("GIT_INDEX_FILE", index);
        let ended = git.run_hook(hook, args)?;
        self.room.ensure_not_moved(worktree, hook, self.otherwise)?;
        match ended {
            0 => Ok(()),
            code => Err(Error::refused(format!(
                "hook '{hook}' ended with exit code {code}; {}",
                self.otherwise
            ))
            .with_code(Code::Hook)
            .details(serde_json::json!({ "hook": hook, "exitCode": code }))
            .hint(match hook {
                "prepare-commit-msg" => "see what it says above".to_owned(),
                _ => "see what it says above; --no-verify skips it".to_owned(),
            })),
        }
    }

    /// What git tells hooks when no editor is opened.
    fn as_unedited(&self, git: Invocation) -> Invocation {
        if self.edit {
            git
        } else {
            git.env("GIT_EDITOR", ":")
        }
    }

    /// git as `git merge` would start it, or `git commit`, which knows of no merge.
    fn git(&self, making: Making) -> Invocation {
        self.telling(self.repository.git_as_user_at(&self.directory), making)
    }

    /// What either of them tells the hooks.
    fn telling(&self, git: Invocation, making: Making) -> Invocation {
        if making != Making::Merge {
            return self
                .author()
                .into_iter()
                .fold(git, |git, (name, value)| git.env(name, value));
        }
        let (commit, name) = &self.landing;
        told(*commit, name)
            .into_iter()
            .fold(git, |git, (name, value)| git.env(&name, value))
    }

    /// The author as `git commit` tells its hooks; nothing where git knows none, and says so when
    /// it commits.
    fn author(&self) -> Vec<(&'static str, OsString)> {
        let git = self.repository.git_as_user_at(&self.directory);
        let ident = git
            .var("GIT_AUTHOR_IDENT")
            .ok()
            .flatten()
            .unwrap_or_default();
        let Some((name, rest)) = ident.split_once_str(" <") else {
            return Vec::new();
        };
        let Some((email, date)) = rest.trim_end().split_once_str("> ") else {
            return Vec::new();
        };
        let text = |bytes: &[u8]| bytes.to_os_str_lossy().into_owned();
        let date = bstr::concat([b"@", date]);
        vec![
            ("GIT_AUTHOR_NAME", text(name)),
            ("GIT_AUTHOR_EMAIL", text(email)),
            ("GIT_AUTHOR_DATE", text(&date)),
        ]
    }

    /// Runs the editor git would run, as git runs it: `GIT_EDITOR` is a command line.
    fn editor(&self, making: Making, file: &Path) -> Result<()> {
        let git = self.repository.git_as_user_at(&self.directory);
        let editor = git.editor()?;
        let mut git = self.git(making);
        if making != Making::Merge {
            git = git.env("GIT_INDEX_FILE", self.scratch.path("index"));
        }
        let mut program: Vec<&OsStr> = vec![OsStr::new(&*editor), file.as_ref()];
        let line = format!("{editor} \"$@\"");
        if editor.contains(NEEDS_SHELL) {
            program.splice(
                0..0,
                [OsStr::new("/bin/sh"), OsStr::new("-c"), line.as_ref()],
            );
        }
        match git.edit(&self.scratch.path("edited"), program)? {
            0 => Ok(()),
            code if INTERRUPTED.contains(&code) => Err(Error::new(
                Kind::Interrupted,
                "interrupted in the editor; nothing has landed",
            )),
            code => {
                let ended = format!(
                    "the editor '{editor}' ended with exit code {code}; nothing has landed"
                );
                Err(Error::refused(ended).with_code(Code::Editor))
            }
        }
    }
}

/// What `git merge` tells everything it runs.
pub(in crate::operations) fn told(commit: ObjectId, name: &BString) -> Vec<(String, OsString)> {
    let name = name.to_os_str_lossy().into_owned();
    let mut action = OsString::from("merge ");
    action.push(&name);
    vec![
        (format!("GITHEAD_{commit}"), name),
        ("GIT_REFLOG_ACTION".into(), action),
    ]
}

/// The index of a worktree, as git names it to hooks.
fn index_of(site: &Worktree) -> PathBuf {
    let own = site.git_dir == site.path.join(".git");
    if own {
        Path::new(".git").join("index")
    } else {
        site.git_dir.join("index")
    }
}

/// What starts a comment in a message; `core.commentString` is git 2.45's name for it.
fn comment_prefix(repository: &Repository, directory: &Path) -> Result<String> {
    let configured = match repository.config_at(directory, "core.commentString")? {
        None => repository.config_at(directory, "core.commentChar")?,
        configured => configured,
    };
    Ok(match configured.map(|value| value.to_string()) {
        Some(text) if !text.is_empty() && text != "auto" => text,
        _ => "#".into(),
    })
}
