//! The words in which a finding is told, and what to do about it.

use super::{
    AdminAge, Finding, Interrupted, LockOwner, Orphan, Poisoned, Prospect, Repair, StrayRemedy,
    TreeElsewhere, TryTrouble,
};
use crate::domain::duration;
use crate::domain::lane::Head;
use crate::domain::name::LaneName;
use crate::domain::shell_word::{quote, quote_bytes};

impl TryTrouble {
    fn words(&self) -> String {
        match self {
            TryTrouble::Ended(lane) => format!(
                "the main worktree is on a branch, and its record says that it shows lane '{lane}'"
            ),
            TryTrouble::Damaged(_) => {
                "the record of the lane that the main worktree shows is damaged".into()
            }
            TryTrouble::RefAlone => {
                "ref 'refs/lane/try' keeps what the main worktree does not show".into()
            }
            TryTrouble::NoRef(lane) => {
                format!("no ref keeps what the main worktree shows of lane '{lane}'")
            }
        }
    }
}

impl Finding {
    /// What the user can do about what `--fix` leaves alone.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Finding::DamagedRecord(section, _) => {
                format!("mend or remove it: git config --edit, section [lane \"{section}\"]")
            }
            Finding::MissingBase(lane, _) => another_base(lane),
            Finding::BaseCycle(lanes) => another_base(lanes.first()?),
            Finding::Stray(lane, _, StrayRemedy::Leave) => {
                format!(
                    "commit or stash there, then run git lane doctor --fix again, or see: git \
                     lane show {}",
                    quote(lane)
                )
            }
            Finding::Stray(lane, _, StrayRemedy::HeadAlone(own)) => format!(
                "only HEAD was moved; bring it back, with your changes: {} symbolic-ref HEAD {}",
                git_in(lane),
                quote_bytes(&own.to_ref())
            ),
            Finding::Stray(lane, _, StrayRemedy::MakeBranch(own)) => format!(
                "its branch is gone; make it again where the worktree stands: {1} switch -c {0}; or at \
                 another commit: git branch {0} COMMIT, then run git lane doctor --fix again",
                quote(own),
                git_in(lane)
            ),
            Finding::Stray(lane, _, StrayRemedy::GoBack(own)) => format!(
                "keep commits that are on no branch: {1} branch NAME; then go back, with your \
                 changes: {1} switch {0}",
                quote(own),
                git_in(lane)
            ),
            Finding::Stray(lane, _, StrayRemedy::Detach) => format!(
                "it was started on no branch; go back: {} switch --detach",
                git_in(lane)
            ),
            Finding::CheckedOutTwice(_, _, path, false) => {
                format!(
                    "end what is in progress there, or switch it to another branch; go to: cd {}",
                    quote(path.display())
                )
            }
            Finding::Overtaken(_, branch, overtaken) => {
                format!("in its worktree, {}", overtaken.remedy(branch))
            }
            Finding::DamagedBranch(_, branch, _) => format!(
                "fetch what is lost from another clone, or put the branch back where its log says \
                 it was: remove .git/refs/heads/{branch}, and make it at a commit of \
                 .git/logs/refs/heads/{branch} that is still there: git branch {} COMMIT; the \
                 files in the worktree stay as they are",
                quote(branch)
            ),
            Finding::Try(TryTrouble::Damaged(false)) => {
                "bring the main worktree to a branch with git switch; then: git lane doctor --fix"
                    .into()
            }
            Finding::MissingWorktree(lane, _) => {
                format!(
                    "if it was moved, tell git where it is now: git worktree repair DIRECTORY; if \
                     it was removed, clear the record with git lane prune: its branch stays, and \
                     git lane restore {} may have more",
                    quote(lane)
                )
            }
            Finding::UnlistedWorktree(lane, path, other) => {
                let (lane, path) = (quote(lane), quote(path.display()));
                let first = match other {
                    None => {
                        format!("try: git worktree repair {path}; if git cannot, move it aside")
                    }
                    Some(_) => format!("move {path} aside"),
                };
                format!(
                    "{first}, run git lane prune and git lane start {lane}, and copy back what \
                     was not committed"
                )
            }
            Finding::DamagedWorktree(_, path, _, Repair::Told) => {
                format!("try: git worktree repair {}", quote(path.display()))
            }
            Finding::DamagedWorktree(_, _, _, Repair::Untold(other)) => {
                format!("try: git -C {} worktree repair", quote(other.display()))
            }
            Finding::OfAnotherRepository(lane, _, admin, _) => {
                let record = lane.as_ref().map(|lane| {
                    format!(
                        "git config --remove-section {} && ",
                        quote(format!("lane.{lane}"))
                    )
                });
                let record = record.unwrap_or_default();
                format!(
                    "leave that directory alone; to forget it here: {record}rm -r {}",
                    quote(admin.display())
                )
            }
            Finding::StrangeWorktree(_, TreeElsewhere::Perhaps) => {
                "if that is not meant: git config --unset core.worktree".into()
            }
            Finding::Poisoned(Poisoned {
                age: AdminAge::Old,
                head: false,
                admin,
                ..
            }) => {
                format!(
                    "say which branch it is on: echo 'ref: refs/heads/BRANCH' > {}",
                    quote(admin.join("HEAD").display())
                )
            }
            Finding::Poisoned(Poisoned {
                age: AdminAge::Fresh,
                ..
            })
            | Finding::UnfinishedAdmin(_, AdminAge::Fresh) => {
                "a command may be making it; look again in a minute".into()
            }
            Finding::Lock(path, LockOwner::Unknown(_)) => {
                format!(
                    "if no git is running, remove it: rm {}",
                    quote(path.display())
                )
            }
            Finding::KeptPack(keep, Some(object)) => format!(
                "look at what nothing else leads to: git show {object}; a branch keeps a commit, \
                 git branch NAME {object}; if nothing there is needed: rm {}",
                quote(keep.display())
            ),
            Finding::DamagedIndex(_, worktree, index) => {
                let aside = quote(format!("{}.damaged", index.display()));
                format!(
                    "no file is touched, and what was staged has to be staged again: mv {} \
                     {aside} && git -C {} read-tree HEAD",
                    quote(index.display()),
                    quote(worktree.display())
                )
            }
            Finding::DeadHooksPath(_) => "unset it: git config --unset core.hooksPath".into(),
            Finding::OrphanBranch(_, Orphan::Fresh) => {
                "a command may be making its worktree; look again in a minute".into()
            }
            Finding::OrphanBranch(_, Orphan::TakeUp(way)) => {
                format!("{}: {}", way.what(), way.command())
            }
            Finding::OrphanBranch(branch, Orphan::TakeUpOrDelete(way)) => {
                let branch = quote_bytes(branch.as_bstr());
                format!(
                    "delete it, its commit is on another branch too: git branch -D -- {branch}; \
                     or {}: {}",
                    way.what(),
                    way.command()
                )
            }
            Finding::Interrupted(Interrupted {
                prospect: Prospect::Failed(_),
                intent,
                ..
            }) => format!(
                "every git-lane command that changes something tries again, and until one can, \
                 nothing else is done there; what was under way is in {}",
                quote(intent.display())
            ),
            Finding::Interrupted(Interrupted {
                prospect: Prospect::Newer,
                intent,
                ..
            }) => format!(
                "run git lane doctor --fix with that one; until then nothing else is done there \
                 and nothing in the trash expires; what was under way is in {}",
                quote(intent.display())
            ),
            Finding::Interrupted(Interrupted {
                prospect: Prospect::Unknown,
                intent,
                ..
            }) => format!(
                "run git lane doctor --fix with that one; until then this one changes nothing in \
                 the repository; what was under way is in {}",
                quote(intent.display())
            ),
            Finding::DamagedIntent(path) => format!(
                "see that no lane is missing with git lane list and git lane trash, then: rm {}; \
                 until then nothing in the trash expires",
                quote(path.display())
            ),
            Finding::Stranger(path) => format!(
                "look where it came from, then: rm -r {}",
                quote(path.display())
            ),
            Finding::UnreadablePolicy(_) => {
                "mend that file; git-lane-config(1) lists the keys".into()
            }
            _ => return None,
        })
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::DamagedRecord(section, why) => {
                write!(f, "the record [lane \"{section}\"] cannot be used: {why}")
            }
            Finding::LostRecord(lane) => {
                write!(
                    f,
                    "lane '{}' has lost its record; its worktree is '{}'",
                    lane.name,
                    lane.worktree.display()
                )
            }
            Finding::DamagedIndex(Some(lane), _, index) => {
                write!(
                    f,
                    "the index of lane '{lane}', '{}', cannot be read",
                    index.display()
                )
            }
            Finding::DamagedIndex(None, _, index) => {
                write!(f, "the index '{}' cannot be read", index.display())
            }
            Finding::Stray(lane, Head::Branch(branch), _) => {
                write!(
                    f,
                    "lane '{lane}' is a stray: its worktree is on branch '{branch}'"
                )
            }
            Finding::Stray(lane, _, _) => {
                write!(f, "lane '{lane}' is a stray: its worktree is on no branch")
            }
            Finding::CheckedOutTwice(lane, branch, path, _) => {
                write!(
                    f,
                    "branch '{branch}' of lane '{lane}' is checked out in '{}' too",
                    path.display()
                )
            }
            Finding::Overtaken(lane, branch, overtaken) => {
                write!(
                    f,
                    "branch '{branch}' of lane '{lane}' {}",
                    overtaken.danger()
                )
            }
            Finding::DamagedBranch(lane, branch, why) => {
                write!(f, "branch '{branch}' of lane '{lane}' is damaged: {why}")
            }
            Finding::RenamedBranch(lane, from, to) => {
                write!(
                    f,
                    "the branch of lane '{lane}' was renamed from '{from}' to '{to}'"
                )
            }
            Finding::RenamedBase(lane, from, to) => {
                write!(
                    f,
                    "the base of lane '{lane}' was renamed from '{from}' to '{to}'"
                )
            }
            Finding::MissingBase(lane, base) => {
                write!(f, "the base '{base}' of lane '{lane}' is gone")
            }
            Finding::BaseCycle(lanes) => {
                let lanes: Vec<String> = lanes.iter().map(|lane| format!("'{lane}'")).collect();
                write!(
                    f,
                    "lanes {} are based on each other in a circle",
                    lanes.join(", ")
                )
            }
            Finding::MovedWorktree(lane, _, to) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' was moved to '{}'",
                    to.display()
                )
            }
            Finding::FoundWorktree(lane, _, to) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' was moved by hand to '{}'",
                    to.display()
                )
            }
            Finding::MissingWorktree(lane, path) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' is gone from '{}'",
                    path.display()
                )
            }
            Finding::UnlistedWorktree(lane, path, other) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' is at '{}', but git does not list it",
                    path.display()
                )?;
                match other {
                    None => Ok(()),
                    Some(other) => {
                        write!(f, ", and its .git file is that of '{}'", other.display())
                    }
                }
            }
            Finding::LostAdmin(lane, path, admin) => {
                let (path, admin) = (path.display(), admin.display());
                write!(
                    f,
                    "the worktree of lane '{lane}' at '{path}' is cut off: git has lost '{admin}'"
                )
            }
            Finding::DamagedWorktree(Some(lane), path, why, _) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' at '{}' is damaged: {why}",
                    path.display()
                )
            }
            Finding::DamagedWorktree(None, path, why, _) => {
                write!(f, "the worktree '{}' is damaged: {why}", path.display())
            }
            Finding::Poisoned(Poisoned {
                lane,
                worktree,
                admin,
                ..
            }) => {
                match lane {
                    Some(lane) => write!(f, "the worktree of lane '{lane}'")?,
                    None => write!(f, "the worktree '{}'", worktree.display())?,
                }
                write!(
                    f,
                    " is cut off: git cannot use '{}', and may die of it",
                    admin.display()
                )
            }
            Finding::PutAside(lane, path, _) => {
                write!(
                    f,
                    "the worktree of lane '{lane}' at '{}' is cut off: what git keeps of it was \
                     put aside",
                    path.display()
                )
            }
            Finding::OfAnotherRepository(lane, path, _, other) => {
                match lane {
                    Some(lane) => write!(f, "the worktree of lane '{lane}' at ")?,
                    None => f.write_str("the worktree ")?,
                }
                write!(
                    f,
                    "'{}' belongs to the repository '{}', of which this one is a copy",
                    path.display(),
                    other.display()
                )
            }
            Finding::UnfinishedAdmin(path, _) => {
                write!(
                    f,
                    "'{}' is a half-made worktree, of which plain git may die",
                    path.display()
                )
            }
            Finding::Lock(path, LockOwner::Dead) => {
                write!(
                    f,
                    "'{}' was left by a git-lane that is dead",
                    path.display()
                )
            }
            Finding::Lock(path, LockOwner::Unknown(age)) => {
                write!(
                    f,
                    "'{}' has blocked writers for {}",
                    path.display(),
                    duration::in_two_units(*age)
                )
            }
            Finding::KeptPack(keep, _) => {
                write!(
                    f,
                    "'{}' was left by a git-lane that is dead; no gc takes its pack",
                    keep.display()
                )
            }
            Finding::GateRef(name) => {
                write!(
                    f,
                    "ref '{}' keeps what a gate has tested, and the worktree of that is gone",
                    name.as_bstr()
                )
            }
            Finding::Try(trouble) => f.write_str(&trouble.words()),
            Finding::BareWithWorktree => {
                f.write_str("core.bare is true although there is a working tree")
            }
            Finding::StrangeWorktree(path, _) => {
                write!(f, "core.worktree leads to '{}'", path.display())
            }
            Finding::DeadHooksPath(path) => {
                write!(
                    f,
                    "core.hooksPath names '{}', which is not there: no hook file runs",
                    path.display()
                )
            }
            Finding::OrphanBranch(branch, _) => {
                write!(
                    f,
                    "branch '{branch}' was made and never used, and no worktree has it"
                )
            }
            Finding::Interrupted(Interrupted {
                what,
                age,
                prospect,
                ..
            }) => {
                write!(
                    f,
                    "{what} was interrupted {} ago",
                    duration::in_two_units(*age)
                )?;
                match prospect {
                    Prospect::Healing => f.write_str(
                        "; the next command that changes something completes or undoes it",
                    ),
                    Prospect::Failed(why) => {
                        write!(f, " and could be neither completed nor undone: {why}")
                    }
                    Prospect::Newer | Prospect::Unknown => f.write_str(
                        ", and only the newer git-lane that began it can complete or undo it",
                    ),
                }
            }
            Finding::DamagedIntent(path) => {
                write!(
                    f,
                    "a command was interrupted, and no command can complete or undo it from '{}'",
                    path.display()
                )
            }
            Finding::Stranger(path) => {
                write!(
                    f,
                    "'{}' is nothing that git-lane would have written there; nothing acts on it",
                    path.display()
                )
            }
            Finding::UnknownRules(keys) => {
                write!(f, "the hooks do not know what the policy says of {keys}")
            }
            Finding::UnreadablePolicy(why) => write!(f, "the policy cannot be read: {why}"),
            Finding::NotInForce(why) => write!(f, "the rule is not in force: {why}"),
        }
    }
}

fn another_base(lane: &LaneName) -> String {
    format!("give it another one: git lane base {} BRANCH", quote(lane))
}

/// A git that stands in the lane, wherever the user does.
fn git_in(lane: &LaneName) -> String {
    format!("git -C \"$(git lane path {})\"", quote(lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guard::{Overtaken, Way};
    use crate::domain::name::BranchName;

    #[test]
    fn what_is_not_fixed_says_what_to_do() {
        let lane = || LaneName::parse("login").unwrap();
        let branch = |name: &str| BranchName::parse(name.into()).unwrap();
        let other = || Head::Branch(branch("other"));
        let poisoned = |age, head| Poisoned {
            lane: Some(lane()),
            worktree: "/x".into(),
            admin: "/a".into(),
            age,
            head,
        };
        let interrupted = |prospect| {
            let (what, intent) = ("the start of lane 'x'".into(), "/j".into());
            Finding::Interrupted(Interrupted {
                what,
                age: 61,
                intent,
                prospect,
            })
        };
        for finding in [
            interrupted(Prospect::Failed("a lock is held".into())),
            interrupted(Prospect::Newer),
            interrupted(Prospect::Unknown),
            Finding::DamagedRecord("x".into(), "'worktree' is missing".into()),
            Finding::Stray(lane(), other(), StrayRemedy::Leave),
            Finding::Stray(lane(), other(), StrayRemedy::HeadAlone(branch("login"))),
            Finding::Stray(lane(), other(), StrayRemedy::MakeBranch(branch("login"))),
            Finding::Stray(lane(), other(), StrayRemedy::GoBack(branch("login"))),
            Finding::Stray(lane(), other(), StrayRemedy::Detach),
            Finding::MissingWorktree(lane(), "/x".into()),
            Finding::MissingBase(lane(), (&branch("x")).into()),
            Finding::BaseCycle(vec![lane()]),
            Finding::UnlistedWorktree(lane(), "/x".into(), None),
            Finding::UnlistedWorktree(lane(), "/x".into(), Some("/y".into())),
            Finding::DamagedWorktree(
                None,
                "/x".into(),
                "its .git is not a file".into(),
                Repair::Told,
            ),
            Finding::DamagedWorktree(
                None,
                "/x".into(),
                "its .git is not a file".into(),
                Repair::Untold("/y".into()),
            ),
            Finding::UnfinishedAdmin("/x".into(), AdminAge::Fresh),
            Finding::Lock("/x".into(), LockOwner::Unknown(5)),
            Finding::KeptPack("/x".into(), Some("abc".into())),
            Finding::DeadHooksPath("/x".into()),
            Finding::DamagedIndex(None, "/x".into(), "/x/.git/index".into()),
            Finding::DamagedBranch(lane(), branch("x"), "its commit is lost".into()),
            Finding::OfAnotherRepository(Some(lane()), "/x".into(), "/a".into(), "/o".into()),
            Finding::StrangeWorktree("/x".into(), TreeElsewhere::Perhaps),
            Finding::Poisoned(poisoned(AdminAge::Fresh, true)),
            Finding::Poisoned(poisoned(AdminAge::Old, false)),
            Finding::OrphanBranch(branch("x"), Orphan::Fresh),
            Finding::OrphanBranch(branch("x"), Orphan::TakeUp(Way::Start(lane()))),
            Finding::OrphanBranch(branch("x"), Orphan::TakeUpOrDelete(Way::Start(lane()))),
            Finding::DamagedIntent("/x".into()),
            Finding::Stranger("/x".into()),
            Finding::CheckedOutTwice(lane(), branch("x"), "/x".into(), false),
            Finding::Overtaken(
                lane(),
                branch("x"),
                Overtaken {
                    was: "a".into(),
                    now: None,
                },
            ),
        ] {
            assert!(!finding.fixable() && finding.hint().is_some(), "{finding}");
        }
        for finding in [
            Finding::Stray(lane(), other(), StrayRemedy::SwitchBack),
            Finding::RenamedBranch(lane(), branch("a"), branch("b")),
            Finding::RenamedBase(lane(), branch("a"), branch("b")),
            Finding::UnfinishedAdmin("/x".into(), AdminAge::Old),
            Finding::Lock("/x".into(), LockOwner::Dead),
            Finding::KeptPack("/x".into(), None),
            Finding::BareWithWorktree,
            Finding::StrangeWorktree("/x".into(), TreeElsewhere::ByAccident),
            Finding::PutAside(lane(), "/x".into(), "/y".into()),
            Finding::LostAdmin(lane(), "/x".into(), "/y".into()),
            Finding::Poisoned(poisoned(AdminAge::Old, true)),
            interrupted(Prospect::Healing),
        ] {
            assert!(finding.fixable() && finding.hint().is_none(), "{finding}");
        }
    }
}
