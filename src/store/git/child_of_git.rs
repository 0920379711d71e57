//! Programs of the user's that run as children of a git: with the variables and the PATH git gives
//! them, and under a git as their parent, so that the guard tells what they do from what git-lane
//! does.
//!
//! An alias is how git starts a program of the user's choice. It finds its arguments, `GIT_PREFIX`
//! and the directories as a hook would; the alias itself came by `-c`, which git passes on, so the
//! first thing it does is to put that back.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Output;

use bstr::{BStr, BString, ByteSlice};

use super::Invocation;
use crate::domain::shell_word::quote_bytes;
use crate::error::Result;
use crate::store::signals;
use crate::store::signals::Editing;

/// What git runs of the user's when it writes files or merges them, and whether `%` means something
/// in it.
const PROGRAMS: [(&str, &str, bool); 4] = [
    ("filter", "smudge", true),
    ("filter", "clean", true),
    ("filter", "process", false),
    ("merge", "driver", true),
];

/// An alias that runs `body`, whose arguments begin after the first one: `GIT_CONFIG_PARAMETERS` as
/// the caller had it. The shell stays: what replaces itself by a git, as a hook of one line may,
/// must not look like a git that git-lane started.
fn alias(body: &str) -> String {
    let own = r#"if [ -n "$1" ]; then GIT_CONFIG_PARAMETERS=$1; else unset GIT_CONFIG_PARAMETERS; fi; shift"#;
    format!("alias.lane--run=!f() {{ {own}; {body}; }}; f")
}

/// Runs the program.
const RUN: &str = r#""$@""#;

/// The same in another directory, the first argument, whose worktree git has to find by itself.
const RUN_AT: &str = r#"unset GIT_DIR GIT_WORK_TREE; CDPATH= cd -- "$1" || exit; shift; "$@""#;

/// The same for a program that has the terminal: git and the shell end by what is typed for it,
/// though not before it does. How it has ended is written to a file, the first argument.
const EDIT: &str = r#"trap : INT QUIT; code=$1; shift; "$@"; echo $? >"$code""#;

impl Invocation {
    /// Has this git run `program`, at the top of the worktree it stands in.
    pub fn child<A: AsRef<OsStr>>(self, program: impl IntoIterator<Item = A>) -> Self {
        self.running(RUN).args(program)
    }

    /// The same of a program that reads `input`; how it has ended.
    pub fn feeding<A: AsRef<OsStr>>(
        self,
        program: impl IntoIterator<Item = A>,
        input: &[u8],
    ) -> Result<Output> {
        self.child(program).running_programs().input(input).output()
    }

    /// Has this git run `program` in `directory`, and nothing tell it of a repository.
    pub fn child_at<A: AsRef<OsStr>>(
        self,
        directory: &Path,
        program: impl IntoIterator<Item = A>,
    ) -> Self {
        self.running(RUN_AT).arg(directory).args(program)
    }

    /// Has this git run an editor, and returns its exit code; it is written to `code` in between.
    pub fn edit<A: AsRef<OsStr>>(
        self,
        code: &Path,
        editor: impl IntoIterator<Item = A>,
    ) -> Result<i32> {
        let editing = Editing::begin();
        let ended = self.running(EDIT).arg(code).args(editor).attached()?;
        drop(editing);
        let written = std::fs::read_to_string(code)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        Ok(written.unwrap_or(ended))
    }

    fn running(self, body: &str) -> Self {
        // git starts hooks and editors while it holds a lock.
        signals::default_in_children();
        self.args(["-c", &alias(body), "lane--run"])
            .arg(parameters())
    }
}

impl Invocation {
    /// Gives a setting to this git and to the programs that it runs, which [`hiding`](Self::hiding)
    /// keeps any `-c` from: behind those that the caller has in the environment.
    pub fn with_for_programs(self, key: &str, value: &str) -> Self {
        let count = std::env::var("GIT_CONFIG_COUNT").ok();
        let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        self.env("GIT_CONFIG_COUNT", (count + 1).to_string())
            .env(&format!("GIT_CONFIG_KEY_{count}"), key)
            .env(&format!("GIT_CONFIG_VALUE_{count}"), value)
    }

    /// Has filters and merge drivers not see `variables`, which are for this git alone: an index of
    /// our own, a quarantine for objects. git has no other way to tell them.
    pub fn hiding(self, repo: &gix::Repository, variables: &str) -> Self {
        self.args(hidden(repo, variables))
    }
}

/// The same, as arguments, for the programs that `repo` knows of: they see nothing of `variables`,
/// nor of any `-c` but the caller's.
pub(crate) fn hidden(repo: &gix::Repository, variables: &str) -> Vec<OsString> {
    let parameters = parameters();
    let mut prefix = BString::from(format!("unset GIT_CONFIG_PARAMETERS {variables}; "));
    if !parameters.is_empty() {
        let parameters = quote_bytes(parameters.as_bytes());
        prefix.extend_from_slice(format!("export GIT_CONFIG_PARAMETERS={parameters}; ").as_bytes());
    }
    let config = repo.config_snapshot();
    let mut options = Vec::new();
    for (section, key, percent) in PROGRAMS {
        let names = config
            .plumbing()
            .sections_by_name(section)
            .into_iter()
            .flatten();
        let mut names: Vec<&BStr> = names
            .filter_map(|found| found.header().subsection_name())
            .collect();
        names.sort();
        names.dedup();
        // `-c` ends the key at the first such sign.
        for name in names.into_iter().filter(|name| !name.contains(&b'=')) {
            let name = bstr::concat([section.as_bytes(), b".", name, b".", key.as_bytes()]);
            let command = name.to_str().ok().and_then(|name| config.string(name));
            let Some(command) = command.filter(|command| !command.is_empty()) else {
                continue;
            };
            let prefix = if percent {
                prefix.replace("%", "%%")
            } else {
                prefix.to_vec()
            };
            // `git merge-tree` says on standard output what has come of a merge.
            let aside: &[u8] = match section {
                "merge" => b"exec 1>&2; ",
                _ => b"",
            };
            let setting = bstr::concat([&name[..], b"=", &prefix, aside, &command]);
            options.extend([OsString::from("-c"), OsString::from_vec(setting)]);
        }
    }
    options
}

/// What the caller said with `git -c`.
fn parameters() -> OsString {
    std::env::var_os("GIT_CONFIG_PARAMETERS").unwrap_or_default()
}
