//! Every key of `lane.toml`: its shape, its default, its meaning. The loader, `git lane config`,
//! the manual and the tests read this table and nothing else.

use super::value::Shape;

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Section and name: `start.branch`.
    pub name: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// The default, written as in the file; empty: there is none.
    pub default: &'static str,
    /// What it does, in one or two sentences.
    pub meaning: &'static str,
}

impl Key {
    /// Whether the key may be without a value.
    pub fn optional(&self) -> bool {
        self.default.is_empty()
    }
}

/// Every key, in the order the manual shows them.
pub const KEYS: &[Key] = &[
    Key {
        name: "start.branch",
        shape: Shape::Template(&["name", "owner"]),
        default: r#""{name}""#,
        meaning: "The branch of a new lane. {name} and {owner} are replaced, in the owner's name \
                  by - whatever cannot stand in a branch's. The team's file has {name} in it.",
    },
    Key {
        name: "start.path",
        shape: Shape::Path(&["repo", "name"]),
        default: r#""../{repo}.lanes/{name}""#,
        meaning: "Where the worktree of a new lane goes, relative to the main worktree. {repo} \
                  and {name} are replaced. The team's file may name what is below ../{repo}.lanes, \
                  .worktrees or .claude/worktrees, without hidden directories; there, and in the \
                  file of the clone, the last part has {name} in it.",
    },
    Key {
        name: "start.base",
        shape: Shape::Revision,
        default: "",
        meaning: "The base of a new lane. Unset: the branch the HEAD of the remote points to, \
                  else the branch of the main worktree.",
    },
    Key {
        name: "start.fetch",
        shape: Shape::Flag,
        default: "false",
        meaning: "Whether start brings the base up to date first, as --fetch does.",
    },
    Key {
        name: "start.owner",
        shape: Shape::Text,
        default: "",
        meaning: "The owner of a new lane. Unset: the login name. GIT_LANE_OWNER comes before it.",
    },
    Key {
        name: "start.install-hooks",
        shape: Shape::Flag,
        default: "false",
        meaning: "Whether the first lane of a repository installs hooks. A tracked file cannot \
                  say no where your own says yes.",
    },
    Key {
        name: "finish.strategy",
        shape: Shape::Word(&["merge", "squash", "rebase", "ff"]),
        default: r#""merge""#,
        meaning: "How a lane lands: merge makes a merge commit, squash one commit of everything, \
                  rebase replays the commits, ff only moves the base forward.",
    },
    Key {
        name: "finish.message",
        shape: Shape::Message(&["name", "branch", "base", "task", "owner"]),
        default: r#""Merge lane '{name}' into {base}""#,
        meaning: "The message of the merge commit or the squashed commit. {name}, {branch}, \
                  {base}, {task} and {owner} are \
                  replaced; {{ is a brace. Below it a squash lists the subjects of its commits. Unset, a \
                  squash of one commit has that one's message, and of several the task or the \
                  lane's name above the list.",
    },
    Key {
        name: "finish.trailers",
        shape: Shape::Words(&["lane", "task", "owner"]),
        default: "[]",
        meaning: "The trailers that message carries: lane, task, owner.",
    },
    Key {
        name: "finish.gate",
        shape: Shape::Commands,
        default: "[]",
        meaning: "The commands that must succeed on the tree that is about to land before its \
                  base moves, each for sh(1): a text, or an array of texts that run in that \
                  order. Those of all files run, each once; finish reads the tracked file in the \
                  tip of the base and in what lands, not in a worktree. Commands that are not in \
                  your own file run only after git lane approve. GATE in git-lane-finish(1) says \
                  where and how they run.",
    },
    Key {
        name: "finish.gate-required",
        shape: Shape::Flag,
        default: "false",
        meaning: "Whether finish --no-gate is refused. One file that says true is enough; the \
                  tracked one is read where its finish.gate is.",
    },
    Key {
        name: "finish.gate-time-limit",
        shape: Shape::Duration,
        default: r#""1h""#,
        meaning: "How long each command of the gate may run before it is ended, which is no \
                  verdict: a number and a unit (s, m, h, d or w).",
    },
    Key {
        name: "finish.receipt-days",
        shape: Shape::Days,
        default: "30",
        meaning: "For how many days a gate that has succeeded or failed on a tree is not run on \
                  it again. A tracked file can only shorten it.",
    },
    Key {
        name: "finish.push",
        shape: Shape::Flag,
        default: "false",
        meaning: "Whether what lands is pushed to the branch that the base follows before the base \
                  moves, as --push does. A push that is refused is a landing that is refused.",
    },
    Key {
        name: "sync.strategy",
        shape: Shape::Word(&["merge", "rebase"]),
        default: r#""merge""#,
        meaning: "How what is new on its base comes into a lane: merge merges the base into it, \
                  rebase replays the lane's own commits onto the base.",
    },
    Key {
        name: "trash.days",
        shape: Shape::Days,
        default: "14",
        meaning: "How many days a removed lane waits in the trash. A tracked file can only \
                  lengthen it; what a lane was promised at its removal holds, unless your own file \
                  says less.",
    },
    Key {
        name: "trash.size",
        shape: Shape::Size,
        default: r#""10 GiB""#,
        meaning: "How much room removed lanes may take before the oldest goes, an hour after its \
                  removal at the soonest: bytes, or a text such as \"500 MiB\". A tracked file can \
                  only enlarge it, as with trash.days.",
    },
    Key {
        name: "rule.home",
        shape: Shape::Revision,
        default: "",
        meaning: "The branch the main worktree stays on. Unset: any. Where your own file names \
                  one, a tracked file does not.",
    },
    Key {
        name: "rule.protected",
        shape: Shape::Patterns,
        default: "[]",
        meaning: "Branches that plain commits, merge commits and rebases leave alone. Patterns as \
                  in gitignore(5): * stops at a slash, ** does not. A tracked file only adds to \
                  those of your own file.",
    },
    Key {
        name: "rule.branch-pattern",
        shape: Shape::Patterns,
        default: "[]",
        meaning: "Patterns the branch of a new lane has to fit, one of them at least. None: every \
                  branch fits. Where your own file has some, a tracked file does not count.",
    },
    Key {
        name: "rule.branch-example",
        shape: Shape::Text,
        default: "",
        meaning: "A branch that fits, shown when one does not.",
    },
];

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_does() {
        for key in KEYS {
            assert!(
                key.meaning.ends_with('.') && key.meaning.len() > 20,
                "{}",
                key.name
            );
            assert!(key.name.split_once('.').is_some(), "{}", key.name);
        }
    }
}
