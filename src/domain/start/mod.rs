//! Whether a lane may be started, and what that takes.
//!
//! Called by `commands/start` with what `operations/start` and `repository/revision` have
//! gathered.

mod start_refusal;

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bstr::{BStr, ByteSlice};

pub use crate::domain::start::start_refusal::Refusal;

use super::claim::Claim;
use super::lane::{Lane, ObjectId, RefName};
use super::name::{BranchName, LaneName};
use super::parameter::Parameter;
use crate::domain::trash_entry::Setting;

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The lane's name.
    pub name: LaneName,
    /// The branch; `None`: started with `--detach`.
    pub branch: Option<BranchName>,
    /// Whether branch, base or path were asked for by name, so that an existing lane must agree
    /// with them.
    pub explicit: Explicit,
    /// Who will work there.
    pub owner: Option<String>,
    /// What for.
    pub task: Option<String>,
    /// The parameters it is started with.
    pub parameters: Vec<Parameter>,
    /// Whether it is for looking and running alone.
    pub read_only: bool,
    /// The claim that it begins with.
    pub claim: Option<Claim>,
}

/// Which of the request's parts were asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Explicit {
    /// `--branch`, or `--detach` as `Some(None)`.
    pub branch: Option<Option<BranchName>>,
    /// `--base`, resolved.
    pub base: Option<Base>,
    /// `--path`, absolute.
    pub path: Option<PathBuf>,
    /// `--owner`
    pub owner: Option<String>,
    /// `--task`
    pub task: Option<String>,
}

/// Where a lane starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The ref, unless a bare commit was named.
    pub name: Option<RefName>,
    /// Its commit.
    pub commit: ObjectId,
}

/// What the repository says about the request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The lane of that name.
    pub existing: Option<Lane>,
    /// What is wrong with the existing lane's worktree.
    pub existing_broken: Option<Broken>,
    /// The base to start from.
    pub base: Base,
    /// The branch's tip, where it exists.
    pub branch_tip: Option<ObjectId>,
    /// The worktree that has the branch checked out, or is rebasing or bisecting it.
    pub branch_used_by: Option<PathBuf>,
    /// Another lane that owns the branch.
    pub branch_owned_by: Option<LaneName>,
    /// A branch whose name makes this one impossible.
    pub conflicting_branch: Option<BranchName>,
    /// What the remotes have of a branch that does not exist here.
    pub of_remote: OfRemote,
    /// Where the worktree would go.
    pub target: Target,
}

/// What the remotes have of a branch that does not exist here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfRemote {
    /// Nothing, or it is not asked for.
    Nothing,
    /// One of them has it, or is meant.
    One(Box<Upstream>),
    /// Each of these mirrors one.
    Several(Vec<RefName>),
    /// The name is that of a remote-tracking branch; the branch itself is called so.
    Named(RefName, BranchName),
    /// The name is that of a remote-tracking branch of this remote, which has no such branch as far
    /// as was fetched; the branch itself would be called so.
    Missing(String, BranchName),
}

/// A remote's branch that a new one is made from, and follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The ref that mirrors it.
    pub tracking: RefName,
    /// Its commit.
    pub commit: ObjectId,
    /// What git records about the new branch.
    pub settings: Vec<Setting>,
}

/// Why an existing lane's worktree cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// There is nothing at its place.
    Gone,
    /// It is there, and git does not know it, or something between it and git is damaged.
    Damaged(PathBuf, String),
    /// The user moved it there without telling git.
    Moved(PathBuf),
}

/// A place for a worktree.
#[derive(Debug, Clone)]
pub struct Target {
    /// The absolute path.
    pub path: PathBuf,
    /// What is there.
    pub state: TargetState,
}

/// What is at a path a worktree should go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// Nothing, or an empty directory.
    Free,
    /// Nothing at all may be there where a tracked policy names the place, and this is.
    NotNew,
    /// Tracked files, or a symbolic link on the way, where a tracked policy wants worktrees.
    InTheRepository(PathBuf),
    /// Something else.
    Occupied,
    /// A symbolic link.
    Symlink,
    /// Inside a git directory.
    InsideGitDirectory,
    /// Inside another linked worktree.
    InsideWorktree(PathBuf),
    /// It cannot be created: too long, or a parent is no directory.
    Impossible(String),
}

/// What a start will do.
#[derive(Debug, Clone)]
pub enum Plan {
    /// The lane is there already.
    Exists(Box<Lane>),
    /// It has to be made.
    Create(Box<Creation>),
}

/// A lane to be made.
#[derive(Debug, Clone)]
pub struct Creation {
    /// What is not recorded yet: everything but id and time.
    pub request: Request,
    /// Where it starts.
    pub base: Base,
    /// The commit its worktree shows: the base's, or that of an adopted branch or a remote's.
    pub commit: ObjectId,
    /// Whether the branch is new.
    pub new_branch: bool,
    /// What the new branch is made from and follows, where that is not the base.
    pub upstream: Option<Upstream>,
    /// Where the worktree goes.
    pub path: PathBuf,
}

/// Decides.
pub fn plan(request: Request, facts: Facts) -> Result<Plan, Refusal> {
    if let Some(lane) = facts.existing {
        agree(&request, &lane)?;
        if let Some(broken) = facts.existing_broken {
            return Err(Refusal::Broken(lane.name, broken));
        }
        return Ok(Plan::Exists(Box::new(lane)));
    }
    if let Some(branch) = &request.branch {
        if let Some(owner) = facts.branch_owned_by {
            return Err(Refusal::BranchOwned(branch.clone(), owner));
        }
        if let Some(path) = facts.branch_used_by {
            return Err(Refusal::BranchInUse(branch.clone(), path));
        }
        if let Some(other) = facts.conflicting_branch {
            return Err(Refusal::BranchConflict(branch.clone(), other));
        }
    }
    let upstream = match (facts.of_remote, &request.branch) {
        (OfRemote::Named(tracking, branch), _) => {
            return Err(Refusal::RemoteBranch(tracking, branch));
        }
        (OfRemote::Missing(remote, named), Some(branch)) => {
            return Err(Refusal::NoRemoteBranch {
                remote,
                named,
                branch: branch.clone(),
            });
        }
        (OfRemote::Several(all), Some(branch)) => {
            return Err(Refusal::SeveralRemotes(request.name, branch.clone(), all));
        }
        (OfRemote::One(upstream), Some(_)) => Some(*upstream),
        _ => None,
    };
    if facts.target.state != TargetState::Free {
        return Err(Refusal::Path(facts.target.path, facts.target.state));
    }
    let adopted = request.branch.as_ref().and(facts.branch_tip);
    Ok(Plan::Create(Box::new(Creation {
        commit: adopted
            .or(upstream.as_ref().map(|upstream| upstream.commit))
            .unwrap_or(facts.base.commit),
        upstream,
        new_branch: request.branch.is_some() && adopted.is_none(),
        base: facts.base,
        path: facts.target.path,
        request,
    })))
}

/// An existing lane must be what was asked for, as far as anything was.
fn agree(request: &Request, lane: &Lane) -> Result<(), Refusal> {
    let differs = |what, has: String| {
        Err(Refusal::Differs {
            name: lane.name.clone(),
            what,
            has,
        })
    };
    let explicit = &request.explicit;
    if let Some(branch) = &explicit.branch
        && *branch != lane.branch
    {
        return differs(
            "--branch",
            lane.branch
                .as_ref()
                .map_or("a detached HEAD".into(), |b| format!("branch '{b}'")),
        );
    }
    if let Some(base) = &explicit.base
        && (base.name != lane.base || (base.name.is_none() && base.commit != lane.fork_point))
    {
        return differs(
            "--base",
            lane.base
                .as_ref()
                .map_or("no base branch".into(), |base| format!("base '{base}'")),
        );
    }
    if let Some(path) = &explicit.path
        && *path != lane.worktree
    {
        return differs("--path", format!("path '{}'", lane.worktree.display()));
    }
    if explicit.owner.is_some() && explicit.owner != lane.owner {
        return differs(
            "--owner",
            lane.owner
                .as_ref()
                .map_or("no owner".into(), |owner| format!("owner '{owner}'")),
        );
    }
    if let Some(owner) = lane
        .owner
        .as_ref()
        .filter(|owner| Some(*owner) != request.owner.as_ref())
    {
        return Err(Refusal::Owned {
            name: lane.name.clone(),
            owner: owner.clone(),
        });
    }
    if explicit.task.is_some() && explicit.task != lane.task {
        return differs(
            "--task",
            lane.task
                .as_ref()
                .map_or("no task".into(), |task| format!("task '{task}'")),
        );
    }
    Ok(())
}

/// The branch of a new lane by the policy's template. An owner is free text: what cannot stand in a
/// branch's name becomes `-`.
pub fn branch_name(template: &str, name: &LaneName, owner: Option<&str>) -> String {
    let owner: String = owner
        .unwrap_or("nobody")
        .split('/')
        .map(branch_part)
        .collect::<Vec<_>>()
        .join("/");
    // The owner's own text is no template.
    let pieces: Vec<String> = template
        .split("{owner}")
        .map(|piece| piece.replace("{name}", name.as_str()))
        .collect();
    pieces.join(&owner)
}

/// A text as one part of a branch's name, by the rules of git-check-ref-format(1).
fn branch_part(text: &str) -> String {
    let plain = |c: char| !(c.is_control() || c.is_whitespace() || "~^:?*[\\\"'@{}".contains(c));
    let mapped: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let mapped = mapped.split("..").collect::<Vec<_>>().join("-");
    let trimmed = mapped.trim_matches(['-', '.']);
    let trimmed = trimmed.strip_suffix(".lock").unwrap_or(trimmed);
    if trimmed.is_empty() {
        "nobody".into()
    } else {
        trimmed.into()
    }
}

/// The worktree's place by the policy's template, relative to the main worktree; `attempt` 2 and up
/// picks another directory for a name whose directory belongs to another lane.
pub fn worktree_path(template: &str, repo: &BStr, name: &LaneName, attempt: u32) -> PathBuf {
    let directory = match attempt {
        0 | 1 => name.directory_name(),
        n => format!("{}-{n}", name.directory_name()),
    };
    let path = template
        .as_bytes()
        .replace("{repo}", repo)
        .replace("{name}", &directory);
    std::ffi::OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn name(text: &str) -> LaneName {
        LaneName::parse(text).unwrap()
    }

    fn branch(text: &str) -> BranchName {
        BranchName::parse(text.into()).unwrap()
    }

    fn id(digit: u8) -> ObjectId {
        ObjectId::from_hex(&[digit; 40]).unwrap()
    }

    fn request() -> Request {
        Request {
            name: name("login"),
            branch: Some(branch("login")),
            explicit: Explicit::default(),
            owner: Some("ann".into()),
            task: None,
            parameters: Vec::new(),
            read_only: false,
            claim: None,
        }
    }

    fn facts() -> Facts {
        Facts {
            existing: None,
            existing_broken: None,
            base: Base {
                name: RefName::parse("refs/heads/main".into()),
                commit: id(b'a'),
            },
            branch_tip: None,
            branch_used_by: None,
            branch_owned_by: None,
            conflicting_branch: None,
            of_remote: OfRemote::Nothing,
            target: Target {
                path: "/x/shop.lanes/login".into(),
                state: TargetState::Free,
            },
        }
    }

    fn lane() -> Lane {
        Lane {
            name: name("login"),
            id: super::super::lane::LaneId::parse("1").unwrap(),
            branch: Some(branch("login")),
            worktree: "/x/shop.lanes/login".into(),
            base: RefName::parse("refs/heads/main".into()),
            fork_point: id(b'a'),
            owner: Some("ann".into()),
            task: None,
            created: 0,
            mark: None,
            claim: None,
            parameters: Vec::new(),
            read_only: false,
            adopted: false,
        }
    }

    #[test]
    fn a_new_lane_starts_at_its_base_and_an_adopted_branch_keeps_its_tip() {
        let Ok(Plan::Create(creation)) = plan(request(), facts()) else {
            panic!()
        };
        assert!(creation.new_branch);
        assert_eq!(creation.commit, id(b'a'));
        let Ok(Plan::Create(creation)) = plan(
            request(),
            Facts {
                branch_tip: Some(id(b'b')),
                ..facts()
            },
        ) else {
            panic!()
        };
        assert!(!creation.new_branch);
        assert_eq!(creation.commit, id(b'b'));
        let tracking = RefName::parse("refs/remotes/origin/login".into()).unwrap();
        let theirs = OfRemote::One(Box::new(Upstream {
            tracking,
            commit: id(b'c'),
            settings: Vec::new(),
        }));
        let Ok(Plan::Create(creation)) = plan(
            request(),
            Facts {
                of_remote: theirs,
                ..facts()
            },
        ) else {
            panic!()
        };
        assert_eq!(
            (creation.new_branch, creation.commit, creation.base.commit),
            (true, id(b'c'), id(b'a'))
        );
        let detached = Request {
            branch: None,
            ..request()
        };
        let Ok(Plan::Create(creation)) = plan(
            detached,
            Facts {
                branch_tip: Some(id(b'b')),
                ..facts()
            },
        ) else {
            panic!()
        };
        assert_eq!((creation.new_branch, creation.commit), (false, id(b'a')));
    }

    #[test]
    fn an_existing_lane_is_no_error_unless_it_differs() {
        let existing = Facts {
            existing: Some(lane()),
            ..facts()
        };
        assert!(matches!(
            plan(request(), existing.clone()),
            Ok(Plan::Exists(_))
        ));
        let base = Base {
            name: RefName::parse("refs/heads/next".into()),
            commit: id(b'a'),
        };
        for (explicit, what) in [
            (
                Explicit {
                    branch: Some(Some(branch("other"))),
                    ..Explicit::default()
                },
                "--branch",
            ),
            (
                Explicit {
                    branch: Some(None),
                    ..Explicit::default()
                },
                "--branch",
            ),
            (
                Explicit {
                    base: Some(base),
                    ..Explicit::default()
                },
                "--base",
            ),
            (
                Explicit {
                    path: Some("/y".into()),
                    ..Explicit::default()
                },
                "--path",
            ),
            (
                Explicit {
                    owner: Some("bob".into()),
                    ..Explicit::default()
                },
                "--owner",
            ),
            (
                Explicit {
                    task: Some("t".into()),
                    ..Explicit::default()
                },
                "--task",
            ),
        ] {
            let Err(Refusal::Differs { what: found, .. }) = plan(
                Request {
                    explicit,
                    ..request()
                },
                existing.clone(),
            ) else {
                panic!("{what}")
            };
            assert_eq!(found, what);
        }
        for (owner, holder, code) in [
            (Some("ann"), Some("ann"), ""),
            (Some("bob"), Some("ann"), "lane-owned"),
            (None, Some("ann"), "lane-owned"),
            (Some("bob"), None, ""),
            (None, None, ""),
        ] {
            let lane = Lane {
                owner: holder.map(Into::into),
                ..lane()
            };
            let asked = Request {
                owner: owner.map(Into::into),
                ..request()
            };
            let found = plan(
                asked,
                Facts {
                    existing: Some(lane),
                    ..facts()
                },
            );
            assert_eq!(
                found.map_or_else(|refusal| refusal.code().as_str(), |_| ""),
                code,
                "{owner:?} {holder:?}"
            );
        }
        let gone = plan(
            request(),
            Facts {
                existing_broken: Some(Broken::Gone),
                ..existing
            },
        );
        assert_eq!(gone.unwrap_err().code().as_str(), "worktree-gone");
    }

    #[test]
    fn what_is_in_the_way_is_refused() {
        let path = PathBuf::from("/y");
        let target = |state| Target {
            path: "/t".into(),
            state,
        };
        let tracking = RefName::parse("refs/remotes/origin/login".into()).unwrap();
        for (facts, code) in [
            (
                Facts {
                    branch_used_by: Some(path.clone()),
                    ..facts()
                },
                "branch-in-use",
            ),
            (
                Facts {
                    branch_owned_by: Some(name("other")),
                    ..facts()
                },
                "branch-owned",
            ),
            (
                Facts {
                    conflicting_branch: Some(branch("login/x")),
                    ..facts()
                },
                "branch-conflict",
            ),
            (
                Facts {
                    of_remote: OfRemote::Several(Vec::new()),
                    ..facts()
                },
                "several-remotes",
            ),
            (
                Facts {
                    of_remote: OfRemote::Named(tracking, branch("login")),
                    ..facts()
                },
                "remote-branch",
            ),
            (
                Facts {
                    of_remote: OfRemote::Missing("up".into(), branch("login")),
                    ..facts()
                },
                "no-remote-branch",
            ),
            (
                Facts {
                    target: target(TargetState::Occupied),
                    ..facts()
                },
                "path-occupied",
            ),
            (
                Facts {
                    target: target(TargetState::Symlink),
                    ..facts()
                },
                "path-occupied",
            ),
            (
                Facts {
                    target: target(TargetState::NotNew),
                    ..facts()
                },
                "path-occupied",
            ),
            (
                Facts {
                    target: target(TargetState::InTheRepository(path.clone())),
                    ..facts()
                },
                "path-occupied",
            ),
            (
                Facts {
                    target: target(TargetState::InsideWorktree(path)),
                    ..facts()
                },
                "path-occupied",
            ),
        ] {
            assert_eq!(plan(request(), facts).unwrap_err().code().as_str(), code);
        }
    }

    #[test]
    fn templates_name_branches_and_places() {
        for (owner, expected) in [
            (Some("ann"), "ann/login"),
            (Some("claude:7f3a"), "claude-7f3a/login"),
            (Some("Ann B. <ann@x.org>"), "Ann-B.-<ann-x.org>/login"),
            (Some("team/ann"), "team/ann/login"),
            (Some("{name}"), "name/login"),
            (Some("..a..b.lock"), "a-b/login"),
            (Some("größe"), "größe/login"),
            (Some("a\nb\u{7}"), "a-b/login"),
            (Some("://"), "nobody/nobody/nobody/login"),
            (Some(""), "nobody/login"),
            (None, "nobody/login"),
        ] {
            let branch = branch_name("{owner}/{name}", &name("login"), owner);
            assert_eq!(branch, expected);
            assert!(
                BranchName::parse(branch.as_str().into()).is_ok(),
                "{branch}"
            );
        }
        let place = |attempt| {
            worktree_path(
                "../{repo}.lanes/{name}",
                "shop".into(),
                &name("a/b"),
                attempt,
            )
        };
        assert_eq!(place(1), Path::new("../shop.lanes/a-b"));
        assert_eq!(place(2), Path::new("../shop.lanes/a-b-2"));
    }
}
