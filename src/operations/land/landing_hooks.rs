//! The repository's own hooks, run for a landing as `git merge` and `git commit` would run them.
//!
//! `git hook run` finds them (core.hooksPath and, from git 2.54 on, the configuration included).
//! They run in the worktree that has the base checked out, else in the lane's. One thing differs
//! from `git merge`: the merged files are in the index the hook is given (`GIT_INDEX_FILE`), not
//! yet in the worktree. post-merge runs once the base has moved, after a squash too.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use crate::domain::lane::{ObjectId, Worktree};
use crate::domain::message::Cleanup;
use crate::error::{Code, Error, IoContext, Kind, Result};
use crate::repository::Repository;
use crate::repository::quarantine::Scratch;
use crate::store::ancestors;
use crate::store::git::Invocation;
use crate::store::journal::Exclusive;

/// Refuses to land from within a hook of a landing of the same repository, which would wait for
/// itself: `lock` is the lock of landings. What a hook leaves behind may land once the hook has
/// ended.
pub fn ensure_outside(repository: &Repository, lock: &str) -> Result<()> {
    let Some(holder) = Exclusive::holder(repository.lane_dir(), lock) else {
        return Ok(());
    };
    if ancestors::above().all(|process| process.id != holder) {
        return Ok(());
    }
    Err(
        Error::refused("a hook of a landing cannot land another lane")
            .with_code(Code::InLanding)
            .hint("let the hook end first; post-merge and post-commit may land"),
    )
}

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

    /// pre-merge-commit or pre-commit; the tree afterwards, which the hook may have changed through
    /// its index.
    pub fn first(&self, making: Making, tree: ObjectId) -> Result<ObjectId> {
        if self.no_verify || !self.repository.has_hook(making.first()) {
            return Ok(tree);
        }
        self.index(tree)?;
        self.run(making, making.first(), &[])?;
        self.indexed().write_tree()
    }

    /// prepare-commit-msg and the editor; the message afterwards.
    pub fn draft(&self, making: Making, tree: ObjectId, message: &[u8]) -> Result<BString> {
        let prepares = self.repository.has_hook("prepare-commit-msg");
        if !prepares && !self.edit {
            return Ok(message.into());
        }
        let file = self.scratch.path(making.file());
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
        self.repository
            .shared()
            .write(&file, text)
            .context("write", &file)?;
        if prepares {
            self.index(tree)?;
            self.run(
                making,
                "prepare-commit-msg",
                &[file.as_ref(), Path::new(making.source())],
            )?;
        }
        if self.edit {
            self.editor(making, &file)?;
        }
        Ok(std::fs::read(&file).context("read", &file)?.into())
    }

    /// commit-msg and git's clean-up; what is committed.
    pub fn seal(&self, making: Making, tree: ObjectId, message: &[u8]) -> Result<BString> {
        let mut message = BString::from(message);
        if !self.no_verify && self.repository.has_hook("commit-msg") {
            let file = self.scratch.path(making.file());
            self.repository
                .shared()
                .write(&file, &message)
                .context("write", &file)?;
            self.index(tree)?;
            self.run(making, "commit-msg", &[file.as_ref()])?;
            message = std::fs::read(&file).context("read", &file)?.into();
        }
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

    /// Makes sure that the index holds `tree`.
    fn index(&self, tree: ObjectId) -> Result<()> {
        self.indexed().fill_index(tree)
    }

    fn run(&self, making: Making, hook: &str, args: &[&Path]) -> Result<()> {
        let git = self
            .as_unedited(self.git(making))
            .env("GIT_INDEX_FILE", self.scratch.path("index"));
        match git.run_hook(hook, args)? {
            0 => Ok(()),
            code => Err(Error::refused(format!(
                "hook '{hook}' ended with exit code {code}; nothing has landed"
            ))
            .with_code(Code::Hook)
            .details(serde_json::json!({ "hook": hook, "exit": code }))
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

    /// git with the index the hooks are given.
    fn indexed(&self) -> Invocation {
        self.repository
            .git_as_user_at(&self.directory)
            .on_own_index(&self.repository.gix, &self.scratch.path("index"))
    }

    /// git as `git merge` would start it, or `git commit`, which knows of no merge.
    fn git(&self, making: Making) -> Invocation {
        let git = self.repository.git_as_user_at(&self.directory);
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
pub(super) fn told(commit: ObjectId, name: &BString) -> Vec<(String, OsString)> {
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
