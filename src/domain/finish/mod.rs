//! May this lane land, and how: facts about lane and base in, a plan or a [`Refusal`] out.
//!
//! Called by `commands/finish` with what `operations/land` has gathered.

pub mod landing_order;
mod landing_refusal;
mod landing_words;
pub mod left_out;

use std::path::PathBuf;

pub use crate::domain::finish::landing_refusal::{HiddenBy, Refusal, some};

use crate::domain::integration::Integration;
use crate::domain::lane::{Head, Lane, ObjectId, RefName, WorktreeState};
use crate::domain::name::{BranchName, LaneName};
use crate::domain::status::{Operation, WorktreeStatus};

/// How a lane's commits get onto its base.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
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

/// What the caller wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How to land.
    pub strategy: Strategy,
    /// Put the commits on the base at all; `false` retires only.
    pub landing: bool,
    /// Retire although the work is not settled or not integrated; only without a landing.
    pub force: bool,
    /// Leave the lane in place afterwards.
    pub keep: bool,
    /// Uncommitted changes are committed first.
    pub commit: bool,
}

/// How a lane's tip and its base are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The base holds the tip already: the same commit.
    Same,
    /// The base holds the tip already, and more.
    Contained,
    /// The tip is the base and more: a fast-forward is possible.
    Ahead,
    /// Both have commits of their own.
    Diverged,
    /// They share no commit.
    Unrelated,
}

/// A worktree that has the base checked out, or is busy with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its directory.
    pub path: PathBuf,
    /// Whether the directory is in order.
    pub state: WorktreeState,
    /// What git is in the middle of there.
    pub operation: Option<Operation>,
}

/// What is known about the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFacts {
    /// The branch to land on.
    pub branch: BranchName,
    /// Its commit; `None`: there is no such branch.
    pub tip: Option<ObjectId>,
    /// What it is called now, where it was renamed.
    pub renamed: Option<BranchName>,
    /// How the lane's tip relates to it.
    pub relation: Option<Relation>,
    /// The worktrees that have it checked out.
    pub sites: Vec<Site>,
    /// Worktrees that rebase or bisect it, which have something else checked out meanwhile.
    pub busy: Vec<Site>,
}

/// What is known about the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The lane's record.
    pub lane: Lane,
    /// The branch that its own is another name of.
    pub leads_to: Option<BranchName>,
    /// What its worktree has checked out; `None` when the worktree is gone.
    pub head: Option<Head>,
    /// What its branch does not hold; `None` when the worktree is gone.
    pub status: Option<WorktreeStatus>,
    /// The commit to land: the branch's, or HEAD's in a detached lane.
    pub tip: Option<ObjectId>,
    /// The base; `None` when the lane has none and nothing is to be landed.
    pub base: Option<BaseFacts>,
    /// The proof that the base has the work in other commits; looked for only when nothing is to be
    /// landed.
    pub proof: Option<Integration>,
}

impl Facts {
    /// Whether `branch` is the lane's, by one name or the other.
    fn owns(&self, branch: &BranchName) -> bool {
        self.lane.branch.as_ref() == Some(branch) || self.leads_to.as_ref() == Some(branch)
    }
}

/// What finish will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Commit the worktree's changes first.
    pub commit: bool,
    /// Land, in this way.
    pub landing: Option<Landing>,
    /// Why there is nothing to land.
    pub integrated: Option<Integration>,
    /// Move the lane into the trash.
    pub retire: bool,
}

impl Plan {
    /// Whether git has to make a commit, and must know whom to name in it.
    pub fn makes_commits(&self, facts: &Facts) -> bool {
        let ahead = facts
            .base
            .as_ref()
            .is_some_and(|base| base.relation == Some(Relation::Ahead));
        self.commit
            || self
                .landing
                .as_ref()
                .is_some_and(|landing| match landing.strategy {
                    Strategy::Merge | Strategy::Squash => true,
                    Strategy::Rebase => !ahead,
                    Strategy::Ff => false,
                })
    }
}

/// One landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// How.
    pub strategy: Strategy,
    /// The branch that moves.
    pub base: BranchName,
    /// What lands.
    pub tip: ObjectId,
    /// Whether all of it has to, because the lane goes.
    pub whole: bool,
}

/// The branch the lane lands on: the one asked for, its base, or the local branch that follows its
/// remote base. `upstreams` are the local branches with the remote-tracking ref each of them
/// follows.
pub fn target(
    lane: &Lane,
    into: Option<&BranchName>,
    upstreams: &[(BranchName, RefName)],
) -> Result<BranchName, Refusal> {
    if let Some(into) = into {
        return Ok(into.clone());
    }
    let Some(base) = &lane.base else {
        return Err(Refusal::NoBase {
            lane: lane.name.clone(),
        });
    };
    if let Some(branch) = lane.base_branch() {
        return Ok(branch);
    }
    let follows = upstreams
        .iter()
        .filter(|(branch, upstream)| upstream == base && lane.branch.as_ref() != Some(branch));
    let candidates: Vec<BranchName> = follows.map(|(branch, _)| branch.clone()).collect();
    match candidates.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Refusal::RemoteBase {
            lane: lane.name.clone(),
            base: base.clone(),
        }),
        _ => {
            let same_name =
                |branch: &&BranchName| base.as_bstr().ends_with(format!("/{branch}").as_bytes());
            match candidates.iter().find(same_name) {
                Some(same) => Ok(same.clone()),
                None => Err(Refusal::SeveralLocal {
                    base: base.clone(),
                    candidates,
                }),
            }
        }
    }
}

/// Whether the lane is one that ever lands, or takes anything from its base.
pub fn ensure_not_read_only(lane: &Lane) -> Result<(), Refusal> {
    match lane.read_only {
        false => Ok(()),
        true => Err(Refusal::ReadOnly {
            lane: lane.name.clone(),
        }),
    }
}

/// What to do, or why not.
pub fn plan(facts: &Facts, request: &Request) -> Result<Plan, Refusal> {
    if request.landing {
        ensure_not_read_only(&facts.lane)?;
    }
    let forced = request.force && !request.landing;
    let commit = ensure_settled(facts, request, forced)?;
    let integrated = match facts.base.as_ref().and_then(|base| base.relation) {
        Some(Relation::Same) => Some(Integration::SameCommit),
        Some(Relation::Contained) => Some(Integration::Ancestor),
        _ => facts.proof.clone(),
    };
    let retire = !request.keep;
    if !request.landing {
        if integrated.is_none() && !forced {
            let base = facts.base.as_ref().map(|base| base.branch.clone());
            return Err(Refusal::Unintegrated {
                lane: facts.lane.name.clone(),
                base,
            });
        }
        return Ok(Plan {
            commit,
            landing: None,
            integrated,
            retire,
        });
    }
    let lane = || facts.lane.name.clone();
    let base = facts
        .base
        .as_ref()
        .ok_or_else(|| Refusal::NoBase { lane: lane() })?;
    if facts.owns(&base.branch) {
        return Err(Refusal::OntoItself {
            lane: lane(),
            branch: base.branch.clone(),
        });
    }
    let tip = facts.tip.ok_or_else(|| Refusal::NoTip { lane: lane() })?;
    if base.tip.is_none() {
        let (base, renamed) = (base.branch.clone(), base.renamed.clone());
        return Err(Refusal::BaseMissing {
            lane: lane(),
            base,
            renamed,
        });
    }
    if integrated.is_some() && !commit {
        return Ok(Plan {
            commit,
            landing: None,
            integrated,
            retire,
        });
    }
    match base.relation {
        Some(Relation::Unrelated) => {
            return Err(Refusal::Unrelated {
                lane: lane(),
                base: base.branch.clone(),
                path: facts.lane.worktree.clone(),
            });
        }
        Some(Relation::Diverged | Relation::Contained) if request.strategy == Strategy::Ff => {
            return Err(Refusal::NotFastForward {
                lane: lane(),
                base: base.branch.clone(),
            });
        }
        _ => {}
    }
    ensure_base_free(&facts.lane.name, base)?;
    let landing = Landing {
        strategy: request.strategy,
        base: base.branch.clone(),
        tip,
        whole: retire,
    };
    Ok(Plan {
        commit,
        landing: Some(landing),
        integrated: None,
        retire,
    })
}

/// Refuses a lane that is stray, operating or holds uncommitted work; says whether that work is to
/// be committed.
fn ensure_settled(facts: &Facts, request: &Request, forced: bool) -> Result<bool, Refusal> {
    let lane = &facts.lane;
    let (Some(head), Some(status)) = (&facts.head, &facts.status) else {
        return Ok(false);
    };
    if forced {
        return Ok(false);
    }
    if let Some(operation) = status.operation {
        return Err(Refusal::Operating {
            lane: lane.name.clone(),
            path: lane.worktree.clone(),
            operation,
        });
    }
    let at_home = match (&lane.branch, head) {
        (Some(_), Head::Branch(current)) => facts.owns(current),
        (None, Head::Detached(_)) => true,
        _ => false,
    };
    if !at_home {
        return Err(Refusal::Stray {
            lane: lane.name.clone(),
            expected: lane.branch.clone(),
            head: head.clone(),
            path: lane.worktree.clone(),
            renamed: lane.branch.is_some() && facts.tip.is_none(),
        });
    }
    if status.is_clean() {
        return Ok(false);
    }
    if request.commit && status.conflicted == 0 {
        return Ok(true);
    }
    Err(Refusal::Unsettled {
        lane: lane.name.clone(),
        status: status.clone(),
        landing: request.landing,
    })
}

/// Refuses a base that some worktree cannot follow, for a landing of `lane` or its way back.
pub fn ensure_base_free(lane: &LaneName, base: &BaseFacts) -> Result<(), Refusal> {
    let branch = || base.branch.clone();
    let is_unknown = |site: &&Site| {
        matches!(
            site.state,
            WorktreeState::Unknown | WorktreeState::BareWithIndex
        )
    };
    if let Some(site) = base.sites.iter().find(is_unknown) {
        let (git_dir, bare) = (site.path.clone(), site.state.is_bare());
        return Err(Refusal::SiteUnknown {
            lane: lane.clone(),
            base: branch(),
            git_dir,
            bare,
        });
    }
    if base.sites.len() > 1 {
        let paths = base.sites.iter().map(|site| site.path.clone()).collect();
        return Err(Refusal::SeveralSites {
            base: branch(),
            paths,
        });
    }
    for site in base.sites.iter().chain(&base.busy) {
        if let Some(operation) = site.operation {
            return Err(Refusal::SiteBusy {
                base: branch(),
                path: site.path.clone(),
                operation,
            });
        }
    }
    for site in &base.sites {
        let why = match &site.state {
            WorktreeState::Missing => "that directory is gone".to_owned(),
            WorktreeState::Damaged(why) => why.clone(),
            _ => continue,
        };
        return Err(Refusal::SiteBroken {
            base: branch(),
            path: site.path.clone(),
            why,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(name: &str) -> BranchName {
        BranchName::parse(name.into()).unwrap()
    }

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn lane(base: &str) -> Lane {
        Lane {
            base: RefName::parse(base.into()),
            fork_point: id('1'),
            ..Lane::sample("login")
        }
    }

    fn facts(relation: Relation) -> Facts {
        Facts {
            lane: lane("refs/heads/main"),
            leads_to: None,
            head: Some(Head::Branch(branch("login"))),
            status: Some(WorktreeStatus::default()),
            tip: Some(id('2')),
            base: Some(BaseFacts {
                branch: branch("main"),
                tip: Some(id('3')),
                renamed: None,
                relation: Some(relation),
                sites: vec![],
                busy: vec![],
            }),
            proof: None,
        }
    }

    fn request(strategy: Strategy) -> Request {
        Request {
            strategy,
            landing: true,
            force: false,
            keep: false,
            commit: false,
        }
    }

    fn site(path: &str, operation: Option<Operation>) -> Site {
        Site {
            path: path.into(),
            state: WorktreeState::Present,
            operation,
        }
    }

    /// The code of the refusal after `change`, or "plan".
    fn verdict(
        relation: Relation,
        request: &Request,
        change: impl FnOnce(&mut Facts),
    ) -> &'static str {
        let mut facts = facts(relation);
        change(&mut facts);
        plan(&facts, request).map_or_else(|refusal| refusal.code().as_str(), |_| "plan")
    }

    #[test]
    fn what_keeps_a_lane_from_landing() {
        let merge = request(Strategy::Merge);
        let status = |f: &mut Facts, status: WorktreeStatus| f.status = Some(status);
        let base = |f: &mut Facts, change: fn(&mut BaseFacts)| change(f.base.as_mut().unwrap());
        type Change<'a> = Box<dyn FnOnce(&mut Facts) + 'a>;
        let table: Vec<(&str, Change)> = vec![
            ("plan", Box::new(|_| {})),
            ("read-only-lane", Box::new(|f| f.lane.read_only = true)),
            (
                "unsettled",
                Box::new(|f| {
                    status(
                        f,
                        WorktreeStatus {
                            staged: 1,
                            ..Default::default()
                        },
                    )
                }),
            ),
            (
                "unsettled",
                Box::new(|f| {
                    status(
                        f,
                        WorktreeStatus {
                            modified: 1,
                            ..Default::default()
                        },
                    )
                }),
            ),
            (
                "unsettled",
                Box::new(|f| {
                    status(
                        f,
                        WorktreeStatus {
                            untracked: 1,
                            ..Default::default()
                        },
                    )
                }),
            ),
            (
                "operation-in-progress",
                Box::new(|f| {
                    status(
                        f,
                        WorktreeStatus {
                            operation: Some(Operation::Rebase),
                            ..Default::default()
                        },
                    )
                }),
            ),
            (
                "stray",
                Box::new(|f| f.head = Some(Head::Branch(branch("other")))),
            ),
            (
                "stray",
                Box::new(|f| f.head = Some(Head::Detached(id('9')))),
            ),
            ("stray", Box::new(|f| f.lane.branch = None)),
            ("no-base", Box::new(|f| f.base = None)),
            ("no-commit", Box::new(|f| f.tip = None)),
            (
                "onto-itself",
                Box::new(|f| base(f, |b| b.branch = branch("login"))),
            ),
            ("base-missing", Box::new(|f| base(f, |b| b.tip = None))),
            (
                "unrelated",
                Box::new(|f| base(f, |b| b.relation = Some(Relation::Unrelated))),
            ),
            (
                "base-checked-out-twice",
                Box::new(|f| base(f, |b| b.sites = vec![site("/a", None), site("/b", None)])),
            ),
            (
                "base-busy",
                Box::new(|f| base(f, |b| b.sites = vec![site("/a", Some(Operation::Merge))])),
            ),
            (
                "base-busy",
                Box::new(|f| base(f, |b| b.busy = vec![site("/a", Some(Operation::Rebase))])),
            ),
            (
                "base-worktree-broken",
                Box::new(|f| {
                    base(f, |b| {
                        b.sites = vec![Site {
                            state: WorktreeState::Missing,
                            ..site("/a", None)
                        }]
                    })
                }),
            ),
            (
                "plan",
                Box::new(|f| base(f, |b| b.sites = vec![site("/a", None)])),
            ),
            // A lane whose directory is gone lands what its branch holds.
            ("plan", Box::new(|f| (f.head, f.status) = (None, None))),
        ];
        for (index, (expected, change)) in table.into_iter().enumerate() {
            assert_eq!(
                verdict(Relation::Diverged, &merge, change),
                expected,
                "row {index}"
            );
        }
    }

    #[test]
    fn a_detached_lane_lands_its_head() {
        let detached = |f: &mut Facts| {
            f.lane.branch = None;
            f.head = Some(Head::Detached(id('2')));
        };
        assert_eq!(
            verdict(Relation::Ahead, &request(Strategy::Merge), detached),
            "plan"
        );
    }

    #[test]
    fn only_a_base_that_stood_still_is_fast_forwarded() {
        assert_eq!(
            verdict(Relation::Diverged, &request(Strategy::Ff), |_| {}),
            "not-fast-forward"
        );
        assert_eq!(
            verdict(Relation::Ahead, &request(Strategy::Ff), |_| {}),
            "plan"
        );
    }

    #[test]
    fn nothing_to_land_is_no_failure() {
        for (relation, proof) in [
            (Relation::Same, Integration::SameCommit),
            (Relation::Contained, Integration::Ancestor),
        ] {
            let plan = plan(&facts(relation), &request(Strategy::Merge)).unwrap();
            assert_eq!(
                plan,
                Plan {
                    commit: false,
                    landing: None,
                    integrated: Some(proof),
                    retire: true
                }
            );
        }
    }

    #[test]
    fn uncommitted_work_is_committed_when_asked_and_then_landed() {
        let request = Request {
            commit: true,
            ..request(Strategy::Merge)
        };
        let mut facts = facts(Relation::Same);
        facts.status = Some(WorktreeStatus {
            untracked: 2,
            ..Default::default()
        });
        let made = plan(&facts, &request).unwrap();
        assert!(made.commit && made.landing.is_some());
        facts.status = Some(WorktreeStatus {
            conflicted: 1,
            ..Default::default()
        });
        assert_eq!(
            plan(&facts, &request).unwrap_err().code().as_str(),
            "unsettled"
        );
    }

    #[test]
    fn retiring_without_landing_needs_proof_or_force() {
        let retire = Request {
            landing: false,
            ..request(Strategy::Merge)
        };
        let forced = Request {
            force: true,
            ..retire.clone()
        };
        let dirty = |f: &mut Facts| {
            f.status = Some(WorktreeStatus {
                modified: 1,
                ..Default::default()
            })
        };
        assert_eq!(verdict(Relation::Contained, &retire, |_| {}), "plan");
        assert_eq!(verdict(Relation::Diverged, &retire, |_| {}), "unintegrated");
        assert_eq!(
            verdict(Relation::Diverged, &retire, |f| f.base = None),
            "unintegrated"
        );
        assert_eq!(verdict(Relation::Contained, &retire, dirty), "unsettled");
        assert_eq!(verdict(Relation::Diverged, &forced, dirty), "plan");
        assert_eq!(
            verdict(Relation::Diverged, &forced, |f| f.base = None),
            "plan"
        );
        // --force never lands what is not settled.
        assert_eq!(
            verdict(
                Relation::Ahead,
                &Request {
                    force: true,
                    ..request(Strategy::Merge)
                },
                dirty
            ),
            "unsettled"
        );
    }

    #[test]
    fn the_branch_to_land_on() {
        let remote = RefName::parse("refs/remotes/origin/main".into()).unwrap();
        let follow = |names: &[&str]| {
            names
                .iter()
                .map(|name| (branch(name), remote.clone()))
                .collect::<Vec<_>>()
        };
        let table = [
            ("refs/heads/main", None, follow(&[]), Ok("main")),
            ("refs/heads/main", Some("dev"), follow(&[]), Ok("dev")),
            ("", None, follow(&[]), Err("no-base")),
            ("", Some("dev"), follow(&[]), Ok("dev")),
            (
                "refs/remotes/origin/main",
                None,
                follow(&["trunk"]),
                Ok("trunk"),
            ),
            (
                "refs/remotes/origin/main",
                None,
                follow(&["trunk", "login"]),
                Ok("trunk"),
            ),
            (
                "refs/remotes/origin/main",
                None,
                follow(&["trunk", "main"]),
                Ok("main"),
            ),
            (
                "refs/remotes/origin/main",
                None,
                follow(&["a", "b"]),
                Err("remote-base"),
            ),
            (
                "refs/remotes/origin/main",
                None,
                follow(&[]),
                Err("remote-base"),
            ),
        ];
        for (base, into, upstreams, expected) in table {
            let found = target(&lane(base), into.map(branch).as_ref(), &upstreams);
            let found = found
                .as_ref()
                .map(|branch| branch.to_string())
                .map_err(|refusal| refusal.code().as_str());
            assert_eq!(found, expected.map(str::to_owned), "{base} {into:?}");
        }
    }
}
