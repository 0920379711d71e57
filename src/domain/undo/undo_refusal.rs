//! Why something is not taken back: the facts, the sentence, the remedy, the word for scripts.

use std::path::PathBuf;

use crate::domain::adopt::adopt_again;
use crate::domain::event::What;
use crate::domain::lane::{ObjectId, RefName};
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

/// Why an undo does not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing of that lane stands; `ever`: something has.
    NothingOf {
        /// As the user typed it.
        lane: String,
        /// Whether the log knows the lane at all.
        ever: bool,
    },
    /// The caller has done nothing that stands.
    NothingOfYours {
        /// The caller.
        owner: String,
    },
    /// Somebody else has done something with the lane since.
    Overtaken {
        /// The lane.
        lane: LaneName,
        /// What was done.
        by: What,
        /// Who did it.
        owner: String,
    },
    /// The step was taken back already, or is an undo.
    Undone(bool),
    /// It is over by itself: a lane that is no longer shown.
    Over,
    /// Something later of the same lane has to be taken back before.
    Later(What),
    /// The base is gone.
    BaseGone {
        /// The base.
        base: RefName,
    },
    /// The base has neither the landing nor is it where it was before.
    NotLanded {
        /// The lane.
        lane: LaneName,
        /// The base.
        base: RefName,
    },
    /// Something came onto the base after the landing.
    MovedOn {
        /// The lane.
        lane: LaneName,
        /// The base.
        base: RefName,
        /// How many commits.
        commits: usize,
        /// The lanes among them.
        lanes: Vec<LaneName>,
    },
    /// A remote-tracking branch has the landing.
    Published {
        /// The lane.
        lane: LaneName,
        /// The base.
        base: RefName,
        /// The branch that has it.
        branch: String,
    },
    /// Other lanes landed by the same move of the base.
    Group {
        /// The lane.
        lane: LaneName,
        /// All of them.
        members: Vec<LaneName>,
    },
    /// The entry in the trash is gone.
    NoEntry {
        /// The lane.
        lane: LaneName,
        /// Whether it has landed, so that a revert is possible.
        landed: bool,
    },
    /// The lane had been adopted and was forgotten: its worktree never left.
    Forgotten {
        /// The lane.
        lane: LaneName,
        /// Its worktree.
        path: PathBuf,
    },
    /// The lane has come back already.
    IsBack {
        /// The lane.
        lane: LaneName,
    },
    /// The lane is gone.
    NoLane {
        /// The lane.
        lane: LaneName,
        /// Whether it waits in the trash.
        in_trash: bool,
    },
    /// The worktree of the lane is gone.
    NoWorktree {
        /// The lane.
        lane: LaneName,
        /// Where it was.
        path: PathBuf,
    },
    /// The lane is at another commit than the step has left it.
    Worked {
        /// The lane.
        lane: LaneName,
        /// What the step was.
        since: What,
    },
    /// The step is a sync.
    Synced {
        /// The lane.
        lane: LaneName,
        /// Its worktree.
        path: PathBuf,
        /// Where its branch was before.
        from: ObjectId,
        /// Where the sync took it, where it has moved on since.
        since: Option<ObjectId>,
    },
    /// The lane has another name, place or base than the step has left it with.
    Elsewhere {
        /// The lane.
        lane: LaneName,
        /// What the step was.
        since: What,
    },
    /// The step is no landing, which alone can be reverted.
    NoLanding {
        /// The lane.
        lane: LaneName,
        /// What it was.
        what: What,
    },
}

impl Refusal {
    /// A stable word for scripts.
    pub fn code(&self) -> Code {
        match self {
            Refusal::NothingOf { .. }
            | Refusal::NothingOfYours { .. }
            | Refusal::Undone(_)
            | Refusal::Over => Code::NothingToUndo,
            Refusal::Overtaken { .. } | Refusal::Later(_) | Refusal::MovedOn { .. } => {
                Code::CameAfter
            }
            Refusal::BaseGone { .. } => Code::BaseMissing,
            Refusal::NotLanded { .. } | Refusal::NoLanding { .. } => Code::NotLanded,
            Refusal::Published { .. } => Code::Published,
            Refusal::Group { .. } => Code::WholeGroup,
            Refusal::NoEntry { .. } | Refusal::Forgotten { .. } => Code::NoEntry,
            Refusal::IsBack { .. } => Code::LaneExists,
            Refusal::NoLane { .. } => Code::NoSuchLane,
            Refusal::NoWorktree { .. } => Code::WorktreeGone,
            Refusal::Worked { .. } => Code::Unsettled,
            Refusal::Elsewhere { .. } => Code::CameAfter,
            Refusal::Synced { .. } => Code::Synced,
        }
    }

    fn hint(&self) -> Option<String> {
        let revert = |lane: &LaneName| {
            format!(
                "land a revert on top instead: git lane undo {} --revert",
                quote(lane)
            )
        };
        let drop = |lane: &LaneName| format!("put it away as it is: git lane drop {}", quote(lane));
        Some(match self {
            Refusal::NothingOf { ever: false, .. } => "see the lanes with: git lane list".into(),
            Refusal::NothingOf { lane, .. } => {
                format!(
                    "see what was done, and why not with: git lane undo --list {}",
                    quote(lane)
                )
            }
            Refusal::NothingOfYours { .. } => {
                "see what others have done with: git lane undo --list; name the lane to take that \
                 back"
                    .into()
            }
            Refusal::Overtaken { lane, .. } => {
                format!("if that is to go: git lane undo {}", quote(lane))
            }
            Refusal::Undone(_) | Refusal::Over | Refusal::Later(_) => return None,
            Refusal::BaseGone { .. } => "see what there is with: git branch".into(),
            Refusal::NotLanded { lane, .. } => format!(
                "if the lane is in the trash, bring it back with: git lane restore {}",
                quote(lane)
            ),
            Refusal::MovedOn { lane, .. } | Refusal::Published { lane, .. } => revert(lane),
            Refusal::Group { lane, .. } => {
                format!("take all of them back: git lane undo --yes {}", quote(lane))
            }
            Refusal::NoEntry { lane, landed: true } => revert(lane),
            Refusal::NoEntry { .. } => "see what is there with: git lane trash".into(),
            Refusal::Forgotten { lane, path } => {
                format!("take it as a lane again with: {}", adopt_again(lane, path))
            }
            Refusal::IsBack { lane } | Refusal::Worked { lane, .. } => drop(lane),
            Refusal::NoLane {
                lane,
                in_trash: true,
            } => {
                format!("bring it back first with: git lane restore {}", quote(lane))
            }
            Refusal::NoLane { .. } => "see the lanes with: git lane list".into(),
            Refusal::NoWorktree { .. } => {
                "see what can be done about it with: git lane doctor".into()
            }
            Refusal::Elsewhere { lane, .. } => {
                format!("see how it is with: git lane show {}", quote(lane))
            }
            Refusal::Synced {
                path,
                since: Some(since),
                ..
            } => format!(
                "commits came after it; see them with: git -C {} log --oneline {}..",
                quote(path.display()),
                since.to_hex_with_len(10)
            ),
            Refusal::Synced { path, from, .. } => format!(
                "take it back in the lane: git -C {} reset --keep {}",
                quote(path.display()),
                from.to_hex_with_len(10)
            ),
            Refusal::NoLanding { lane, .. } => {
                format!("take it back with: git lane undo {}", quote(lane))
            }
        })
    }
}

/// What was done, as a noun with its article.
pub fn noun(what: What) -> &'static str {
    match what {
        What::Start => "the start",
        What::Land => "the landing",
        What::Finish => "the removal by finish",
        What::Drop => "the drop",
        What::Prune => "the prune",
        What::Restore => "the restore",
        What::Expire => "the expiry",
        What::Heal => "the healing",
        What::Undo => "the undo",
        What::Sync => "the sync",
        What::Claim => "the claim",
        What::Release => "the release",
        What::Mark => "the mark",
        What::Adopt => "the adoption",
        What::Rename => "the rename",
        What::Move => "the move",
        What::Base => "the change of the base",
        What::Try => "the try",
        What::TryBack => "the end of the try",
    }
}

fn named(lanes: &[LaneName]) -> String {
    let some = lanes.iter().take(5).map(|lane| format!("'{lane}'"));
    let some = some.collect::<Vec<_>>().join(", ");
    match lanes.len() {
        0..=5 => some,
        more => format!("{some} and {} more", more - 5),
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::NothingOf { lane, ever: true } => {
                write!(f, "nothing of lane '{lane}' is left to take back")
            }
            Refusal::NothingOf { lane, .. } => {
                write!(
                    f,
                    "the event log knows of nothing that was done with a lane '{lane}'"
                )
            }
            Refusal::NothingOfYours { owner } => {
                write!(
                    f,
                    "the event log knows of nothing that '{owner}' has done and that stands"
                )
            }
            Refusal::Overtaken { lane, by, owner } => write!(
                f,
                "what you did last was with lane '{lane}', where {} by '{owner}' came after",
                noun(*by)
            ),
            Refusal::Undone(true) => f.write_str("an undo is not taken back"),
            Refusal::Over => f.write_str("it is over, and nothing of it is left"),
            Refusal::Undone(false) => f.write_str("it was taken back"),
            Refusal::Later(what) => write!(f, "{} of the same lane came after", noun(*what)),
            Refusal::BaseGone { base } => write!(f, "there is no branch '{base}' any more"),
            Refusal::NotLanded { lane, base } => {
                write!(
                    f,
                    "'{base}' does not have the landing of lane '{lane}' any more"
                )
            }
            Refusal::MovedOn {
                lane,
                base,
                commits,
                lanes,
            } => {
                let plural = if *commits == 1 { "commit" } else { "commits" };
                write!(
                    f,
                    "{commits} {plural} came onto '{base}' after the landing of lane '{lane}'"
                )?;
                match lanes.len() {
                    0 => Ok(()),
                    1 => write!(f, ", the landing of lane {} among them", named(lanes)),
                    _ => write!(f, ", the landings of lanes {} among them", named(lanes)),
                }
            }
            Refusal::Published { lane, base, branch } => write!(
                f,
                "the landing of lane '{lane}' on '{base}' is public: '{branch}' has it"
            ),
            Refusal::Group { members, .. } => write!(
                f,
                "lanes {} landed by one move of the base, and can only be taken back together",
                named(members)
            ),
            Refusal::NoEntry { lane, .. } => {
                write!(f, "lane '{lane}' is not in the trash any more")
            }
            Refusal::Forgotten { lane, path } => write!(
                f,
                "lane '{lane}' was adopted, so its worktree has never left '{}'",
                path.display()
            ),
            Refusal::IsBack { lane } => write!(f, "lane '{lane}' is back already"),
            Refusal::NoLane { lane, .. } => write!(f, "lane '{lane}' is gone"),
            Refusal::NoWorktree { lane, path } => write!(
                f,
                "the worktree of lane '{lane}' is gone from '{}'",
                path.display()
            ),
            Refusal::Worked { lane, since } => write!(
                f,
                "lane '{lane}' is at another commit than {} has left it",
                noun(*since)
            ),
            Refusal::Elsewhere { lane, since } => write!(
                f,
                "lane '{lane}' has another name, place or base than {} has left it with",
                noun(*since)
            ),
            Refusal::Synced { lane, .. } => write!(
                f,
                "what was done last with lane '{lane}' is a sync, which undo does not take back"
            ),
            Refusal::NoLanding { lane, what } => write!(
                f,
                "only a landing can be reverted, and the last that was done with lane '{lane}' is {}",
                noun(*what)
            ),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Error::refused(refusal.to_string()).with_code(refusal.code());
        match refusal.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
