//! The word a script knows a failure by.
//!
//! The table is the only place a word is written; `git-lane-json(7)` is tested against it.

use std::fmt;

macro_rules! codes {
    ($($code:ident $word:literal $meaning:literal,)+) => {
        /// What failed, as the `code` of a JSON document says it; each word stays as it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $code,)+
        }

        impl Code {
            /// Every code, in the order of the words.
            pub const ALL: &[Code] = &[$(Code::$code),+];

            /// The word in documents and the event log: kebab-case, never renamed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => $word,)+
                }
            }

            /// The code of that word.
            pub fn parse(word: &str) -> Option<Code> {
                Code::ALL.iter().find(|code| code.as_str() == word).copied()
            }

            /// What has happened, for the manual.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$code => $meaning,)+
                }
            }
        }
    };
}

codes! {
    AdminTaken "admin-taken" "Another worktree has the name among git's files that the lane would come back to.",
    Adopted "adopted" "The lane was adopted: git-lane never takes away what another program has made.",
    BadName "bad-name" "A name cannot be that of a lane or of a branch.",
    BadTaskFile "bad-task-file" "A line of the task file is wrong; nothing was made.",
    BadTemplate "bad-template" "The template of a message names what there is not.",
    BaseBusy "base-busy" "An operation is in progress where the base is checked out.",
    BaseCheckedOutTwice "base-checked-out-twice" "Several worktrees have the base checked out.",
    BaseCycle "base-cycle" "The base of the lane would be based on the lane itself.",
    BaseMissing "base-missing" "The base of the lane is gone.",
    BaseWorktreeBroken "base-worktree-broken" "The worktree that has the base checked out is damaged or missing.",
    BranchAlias "branch-alias" "The branch is a symbolic ref that leads elsewhere.",
    BranchConflict "branch-conflict" "Another branch makes a branch of this name impossible.",
    BranchElsewhere "branch-elsewhere" "The branch of the lane is checked out or in use in another worktree.",
    BranchExists "branch-exists" "There is another branch of the name that the lane would come back to.",
    BranchGone "branch-gone" "The branch of the lane is gone.",
    BranchInUse "branch-in-use" "Another worktree has the branch checked out.",
    BranchMoved "branch-moved" "The branch was moved behind a worktree that has it checked out.",
    BranchOwned "branch-owned" "The branch belongs to another lane.",
    BranchPattern "branch-pattern" "The name of the branch does not follow the policy.",
    BranchTaken "branch-taken" "The branch belongs to a lane and was checked out elsewhere.",
    Busy "busy" "Another git-lane command or a running program uses what this one needs.",
    CameAfter "came-after" "Something came after what was to be taken back.",
    CheckedOut "checked-out" "The branch that would come back is checked out in another worktree.",
    Claimed "claimed" "Another holder has claimed the lane, or it was handed over to another owner.",
    CommandEnded "command-ended" "A command was ended because another had failed.",
    CommandFailed "command-failed" "A command that was run in a lane failed.",
    CommandTimeout "command-timeout" "A command that was run in a lane took too long.",
    CommitFailed "commit-failed" "git commit failed; nothing has landed.",
    Conflict "conflict" "A landing or a sync would conflict, or check has found what it was asked about; nothing has changed.",
    CoreWorktree "core-worktree" "core.worktree leads to a directory that is not there.",
    Damaged "damaged" "The worktree of the lane is damaged.",
    DamagedConfig "damaged-config" "A configuration file cannot be read.",
    DamagedRecord "damaged-record" "The record of the lane cannot be used.",
    Detached "detached" "The worktree of a lane has no branch checked out.",
    DiskError "disk-error" "The disk reported an error.",
    DiskFull "disk-full" "There is no room on the disk, or a quota is used up.",
    Editor "editor" "The editor of a message failed; nothing has landed.",
    EmptyMessage "empty-message" "The message of a commit is empty.",
    Environment "environment" "The surroundings do not allow it; the message says what.",
    ExcludeIsALink "exclude-is-a-link" "The file of ignored patterns is a symbolic link and is not written through.",
    Findings "findings" "The doctor found what is not as it should be.",
    ForeignCache "foreign-cache" "A directory of git-lane's in the user's caches is a link or belongs to another user.",
    ForeignTrash "foreign-trash" "The place where the lane would wait belongs to another user.",
    ForeignWorktree "foreign-worktree" "The worktree belongs to another repository.",
    GateFailed "gate-failed" "The gate failed; nothing has landed.",
    GateRequired "gate-required" "The policy does not let a landing leave the gate out.",
    GateTimeout "gate-timeout" "The gate took longer than the policy lets it; nothing has landed.",
    GateUnjudged "gate-unjudged" "The gate ended in a way that is no verdict; nothing has landed.",
    GateWorktree "gate-worktree" "What ran in git-lane's own worktree has removed it, moved its HEAD or keeps changing it.",
    Git "git" "A git command failed.",
    GitTooOld "git-too-old" "The git there is has not what this needs.",
    GitUnusable "git-unusable" "The program called git does not answer as a git does.",
    HasSubmodules "has-submodules" "The worktree has submodules, which are bound to its place.",
    Held "held" "The gate fails for the lane only together with another one that lands before it.",
    Hook "hook" "A hook of git's ended with a failure; nothing has landed.",
    HookFailed "hook-failed" "The lane was started, and its post-checkout hook failed.",
    HookReplaced "hook-replaced" "A hook file was replaced by another program meanwhile.",
    HooksElsewhere "hooks-elsewhere" "Hook files belong in a directory that git-lane does not write to.",
    InLanding "in-landing" "A hook of a landing or a sync tried to land or to sync a lane.",
    InTheWay "in-the-way" "Files in a worktree would be overwritten.",
    Incomplete "incomplete" "The entry in the trash has not all of the lane.",
    Interrupted "interrupted" "The user or a signal stopped the command.",
    LaidOut "laid-out" "The conflict of a lane with its base is laid out in the lane's worktree.",
    LaneChanged "lane-changed" "The lane has changed in the files that were to be taken into it.",
    LaneDiffers "lane-differs" "There is such a lane, with another branch, base or place.",
    LaneExists "lane-exists" "There is another lane of the name.",
    LaneGone "lane-gone" "A lane that was waited for is gone.",
    LaneIntoLane "lane-into-lane" "A lane would be merged into another lane.",
    LaneOwned "lane-owned" "There is such a lane, and it has another owner.",
    LeftHome "left-home" "The main worktree left its branch.",
    LeftLane "left-lane" "The worktree of a lane left its branch.",
    LeftOut "left-out" "The landing, or the rebase of a sync, would leave out commits or changes of the lane.",
    Lender "lender" "Another repository borrows objects from the worktree.",
    Locked "locked" "Another process holds a lock.",
    LowerLayer "lower-layer" "The worktree is on the lower layer of an overlay and cannot be moved.",
    MainWorktree "main-worktree" "The record names the main worktree, which is no lane's.",
    MainWorktreeUnknown "main-worktree-unknown" "Nothing says where the files of the base are checked out.",
    MergePolicy "merge-policy" "The configuration asks for a merge that git-lane does not make.",
    Moved "moved" "The worktree is not where the record and git say.",
    Nested "nested" "Another worktree or repository is inside of the worktree.",
    NoBase "no-base" "The lane has no base.",
    NoCommit "no-commit" "The lane has no commit.",
    NoEntry "no-entry" "Nothing in the trash has that name.",
    NoIdentity "no-identity" "git does not know whom to name in a commit.",
    NoMainWorktree "no-main-worktree" "There is no main worktree that could show a lane.",
    NoRemoteBranch "no-remote-branch" "The remote has no such branch.",
    NoRepository "no-repository" "There is no git repository.",
    NoSuchApproval "no-such-approval" "No approval has that digest, or several have.",
    NoSuchBase "no-such-base" "The base is no branch and no commit.",
    NoSuchLane "no-such-lane" "There is no lane of that name.",
    NoSuchProcess "no-such-process" "No process of that number lives.",
    NoSuchVerb "no-such-verb" "git-lane has no verb of that name.",
    NoUpstream "no-upstream" "The base follows no branch of a remote that it could be pushed to.",
    NoneFree "none-free" "No lane is free to be claimed.",
    NotAWorktree "not-a-worktree" "git does not list the worktree.",
    NotApproved "not-approved" "Commands that came with the repository are not approved.",
    NotCarried "not-carried" "What is not committed cannot be carried into another worktree exactly.",
    NotFastForward "not-fast-forward" "The base has commits that the lane has not.",
    NotHealed "not-healed" "A command was interrupted, and what it did cannot be made good yet.",
    NotInForce "not-in-force" "The hooks are installed and do not run.",
    NotIntegrated "not-integrated" "The lane has commits that are not shown to be in its base.",
    NotLanded "not-landed" "The base does not have the landing, or not any more.",
    NotRun "not-run" "A command was not run because another had failed.",
    NotTried "not-tried" "The main worktree shows no lane.",
    NotUtf8 "not-utf-8" "A word of the command line is not valid UTF-8.",
    NothingToUndo "nothing-to-undo" "Nothing is there that can be taken back.",
    OntoItself "onto-itself" "The lane would land on its own branch.",
    OperationInProgress "operation-in-progress" "A merge, rebase or other operation is in progress in the worktree.",
    OtherFileSystem "other-file-system" "The worktree would have to go to another file system.",
    OtherLane "other-lane" "The worktree is that of another lane.",
    OtherRepository "other-repository" "The entry in the trash is that of another repository.",
    Overtaken "overtaken" "The branch of a worktree moved without its files.",
    PathOccupied "path-occupied" "Something is where the worktree would be.",
    PathTaken "path-taken" "Something is where the worktree would come back to.",
    Policy "policy" "A policy file cannot be used.",
    PolicyUnknown "policy-unknown" "The policy cannot be read, so that the rule stays as it is.",
    Probe "probe" "The probe of a hook is not answered here.",
    ProtectedBranch "protected-branch" "The branch is protected by the policy.",
    Published "published" "A remote-tracking branch has the commits that were to be taken back or replaced.",
    PushRefused "push-refused" "The remote has refused the push, or would refuse it; nothing has landed.",
    PushUnknown "push-unknown" "Whether the remote has the landing is not known; the base has not moved.",
    PushedOnly "pushed-only" "The remote has the landing, and the base could not follow here yet.",
    Raced "raced" "Another process was faster; the same command may work when it is run again.",
    ReadOnly "read-only" "The file system is mounted read-only.",
    ReadOnlyLane "read-only-lane" "The lane is read-only: nothing is committed in it, and nothing lands from it.",
    RebaseElsewhere "rebase-elsewhere" "A rebase would end on the branch of another worktree.",
    Redirected "redirected" "The worktree was led to another place.",
    Refused "refused" "A rule or a check said no; the message says which.",
    RemoteBase "remote-base" "The base is a branch of a remote, which a landing cannot move.",
    RemoteBranch "remote-branch" "The name means a branch of a remote.",
    SeveralLanes "several-lanes" "A part of a name stands in the names of several lanes.",
    SeveralRemotes "several-remotes" "Several remotes have the branch.",
    StateHome "state-home" "The directory of the user's own state cannot be used.",
    StrangeFile "strange-file" "A file of git-lane's is no regular file.",
    StrangePlace "strange-place" "The worktree git lists there is another one.",
    Stray "stray" "The worktree of the lane is not on the lane's branch.",
    SubmoduleUnpublished "submodule-unpublished" "A commit of a submodule is nowhere but in the lane.",
    Synced "synced" "What was done last is a sync, which undo does not take back.",
    TakenBack "taken-back" "The lane was taken back, because another one of the same command failed.",
    TaskTaken "task-taken" "Another living lane has the task that was to be one lane's alone.",
    TimedOut "timed-out" "What was waited for has not come about in that time.",
    Tried "tried" "The main worktree shows a lane: nothing is committed there.",
    TwoRepositories "two-repositories" "GIT_DIR and the directory name two repositories.",
    Unborn "unborn" "The branch has no commit yet.",
    Unintegrated "unintegrated" "The landing is not shown to hold all of the lane.",
    UnknownKey "unknown-key" "The policy has no such key.",
    Unreadable "unreadable" "What would be removed, or what proves it safe, cannot be read.",
    Unrelated "unrelated" "Lane and base have no history in common.",
    Unresolved "unresolved" "What was to resolve a conflict has not done it; the lane is as before, unless the message says more.",
    UnsafeRepository "unsafe-repository" "git does not trust the repository.",
    Unsettled "unsettled" "The worktree has changes that are not committed, or has changed meanwhile.",
    Unsigned "unsigned" "The configuration asks for a signature that the commit has not.",
    UnsupportedRepository "unsupported-repository" "The repository has a format that git-lane does not know.",
    UpstreamCommits "upstream-commits" "The lane has commits of what its base follows that the base lacks, and the landing would rewrite them.",
    Usage "usage" "The command line cannot be understood.",
    WholeGroup "whole-group" "The landing can only be taken back together with those of other lanes.",
    WorktreeGone "worktree-gone" "The worktree of the lane is gone.",
    WorktreeLocked "worktree-locked" "The worktree is locked.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_word_of_its_own() {
        assert!(Code::ALL.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        assert!(Code::ALL.iter().all(|code| {
            let word = code.as_str();
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !code.meaning().is_empty()
        }));
    }
}
