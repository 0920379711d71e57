//! Words of git-lane-json(7) that its test has to know beforehand: fields with a fixed choice of them,
//! and those that no situation of that test brings about.

/// Fields whose values are words of the manual's.
pub const CHOICES: [&str; 10] = [
    "status",
    "state",
    "populated",
    "phase",
    "what",
    "origin",
    "kind",
    "verdict",
    "how",
    "change",
];

/// Fields of objects whose `code` is such a word.
pub const CODED: [&str; 8] = [
    "holds",
    "unclear",
    "skipped",
    "leftOut",
    "bases",
    "baseBehind",
    "expired",
    "overdue",
];

/// What is in bold and no word of a document: programs and their pages, and words that are told as
/// another value.
pub const NO_WORDS: [&str; 6] = [
    "git-lane",
    "git-status",
    "git-lane-trash",
    "error",
    "no-repository",
    "raced",
];

/// Words that no situation below brings about; what does is in the tests of their own topic.
pub const ELSEWHERE: [(&str, &[&str]); 10] = [
    (
        "check",
        &[
            "gone",
            "missing",
            "no-base",
            "no-commit",
            "operation",
            "unknown",
            "unmerged",
            "unreadable",
        ],
    ),
    (
        "exec",
        &[
            "claimed",
            "command-ended",
            "command-timeout",
            "interrupted",
            "not-run",
        ],
    ),
    (
        "finish",
        &[
            "damaged",
            "detached",
            "no-base",
            "operation-in-progress",
            "read-only-lane",
            "stray",
            "worktree-gone",
        ],
    ),
    (
        "errors",
        &[
            "commitIds",
            "instead",
            "interrupted",
            "pid",
            "stderr",
            "verb",
        ],
    ),
    ("sync", &["detached", "worktree-gone"]),
    ("diff", &["copied", "modified", "type-changed"]),
    ("start", &["git", "object-database"]),
    ("list and show", &["bare", "operation", "other"]),
    (
        "trash",
        &[
            "age",
            "apart",
            "changed",
            "commits",
            "conflicted",
            "count",
            "detached",
            "held",
            "kind",
            "left",
            "lent",
            "modified",
            "operation",
            "ref",
            "repository",
            "size",
            "stash",
            "stray",
            "submodule",
            "tag",
            "unread",
            "unreadable",
            "why",
            "worktree",
        ],
    ),
    ("log", &["expire", "heal"]),
];
