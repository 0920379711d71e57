//! The decision as a table of facts.

use super::*;
use crate::domain::retire;

fn branch(name: &str) -> BranchName {
    BranchName::parse(name.into()).unwrap()
}

fn name(name: &str) -> LaneName {
    LaneName::parse(name).unwrap()
}

#[test]
fn what_the_branch_is_called_then() {
    let ann = |lane: Lane| Lane {
        owner: Some("ann".into()),
        ..lane
    };
    let on = |of: &str, called: &str| Lane {
        branch: Some(branch(called)),
        ..ann(Lane::sample(of))
    };
    let (login, adopted, detached) = (
        ann(Lane::sample("login")),
        Lane {
            adopted: true,
            ..Lane::sample("login")
        },
        Lane {
            branch: None,
            ..Lane::sample("login")
        },
    );
    for (lane, to, asked, template, expected) in [
        (&login, "signin", None, Some("{name}"), Some("signin")),
        (&login, "signin", None, None, Some("signin")),
        (&login, "a/b", None, Some("{name}"), Some("a/b")),
        // A template that came since.
        (
            &login,
            "signin",
            None,
            Some("{owner}/{name}"),
            Some("signin"),
        ),
        (
            &on("login", "ann/login"),
            "signin",
            None,
            Some("{owner}/{name}"),
            Some("ann/signin"),
        ),
        // Of another owner, it does not follow.
        (
            &on("login", "bob/login"),
            "signin",
            None,
            Some("{owner}/{name}"),
            Some("bob/login"),
        ),
        (&on("login", "topic"), "signin", None, None, Some("topic")),
        (&on("login", "topic"), "signin", Some("x"), None, Some("x")),
        (&login, "signin", Some("login"), None, Some("login")),
        (&login, "login", None, None, Some("login")),
        (&login, "login", Some("x"), None, Some("x")),
        (&adopted, "signin", None, None, Some("login")),
        (&adopted, "signin", Some("x"), None, Some("x")),
        (&detached, "signin", Some("x"), None, None),
    ] {
        let (to, wanted) = (name(to), asked.map(branch));
        let naming = Naming {
            lane,
            name: &to,
            branch: wanted.as_ref(),
            template,
        };
        assert_eq!(
            naming.branch_after(),
            expected.map(branch),
            "{:?} {to} {asked:?} {template:?}",
            lane.branch
        );
    }
}

#[test]
fn what_keeps_a_lane_where_it_is() {
    type Change = fn(&mut Facts<'_>);
    fn of_branch<'a>(facts: &'a mut Facts<'_>) -> &'a mut BranchFacts {
        facts.branch.as_mut().unwrap()
    }
    let table: [(&str, Change); 25] = [
        ("", |_| {}),
        ("", |facts| facts.target = None),
        ("lane-exists", |facts| facts.name_taken = true),
        ("branch-owned", |facts| {
            of_branch(facts).owned_by = Some(name("x"))
        }),
        ("branch-exists", |facts| of_branch(facts).exists = true),
        ("base-cycle", |facts| facts.base = Some(branch("signin"))),
        ("", |facts| facts.base = Some(branch("main"))),
        ("branch-in-use", |facts| facts.home = Some(branch("signin"))),
        ("", |facts| facts.home = Some(branch("main"))),
        ("branch-conflict", |facts| {
            of_branch(facts).conflicting = Some(branch("x"))
        }),
        ("branch-alias", |facts| of_branch(facts).is_alias = true),
        ("branch-alias", |facts| {
            of_branch(facts).alias = Some(RefName::from(&branch("x")))
        }),
        ("branch-gone", |facts| of_branch(facts).tip = None),
        ("branch-elsewhere", |facts| {
            of_branch(facts).used_by = Some("/x".into())
        }),
        ("operation-in-progress", |facts| {
            of_branch(facts).operation = Some(Operation::Rebase)
        }),
        // What concerns the branch alone is nothing to one that keeps it.
        ("", |facts| {
            facts.naming.name = &facts.naming.lane.name;
            facts.branch = None;
        }),
        ("worktree-locked", |facts| {
            facts.stays = Some(retire::Refusal::Locked("/x".into(), "why".into()))
        }),
        ("", |facts| {
            facts.stays = Some(retire::Refusal::Locked("/x".into(), "why".into()));
            facts.target = None;
        }),
        ("worktree-gone", |facts| facts.is_there = false),
        ("", |facts| {
            facts.is_there = false;
            facts.target = None;
        }),
        ("has-submodules", |facts| {
            facts.submodule = Some("lib".into())
        }),
        ("", |facts| {
            facts.submodule = Some("lib".into());
            facts.target = None;
        }),
        ("path-occupied", |facts| {
            facts.target.as_mut().unwrap().state = TargetState::Occupied
        }),
        ("path-occupied", |facts| {
            facts.target.as_mut().unwrap().state = TargetState::InsideWorktree("/x".into())
        }),
        ("busy", |facts| facts.is_queued = true),
    ];
    let (lane, to) = (Lane::sample("login"), name("signin"));
    for (at, (expected, change)) in table.into_iter().enumerate() {
        let tip = ObjectId::null(gix::hash::Kind::Sha1);
        let mut facts = Facts {
            naming: Naming {
                lane: &lane,
                name: &to,
                branch: None,
                template: None,
            },
            name_taken: false,
            branch: Some(BranchFacts {
                tip: Some(tip),
                ..BranchFacts::default()
            }),
            target: Some(Target {
                path: "/lanes/signin".into(),
                state: TargetState::Free,
            }),
            stays: None,
            is_there: true,
            submodule: None,
            bound: None,
            is_queued: false,
            base: None,
            home: None,
        };
        change(&mut facts);
        let moves = facts.target.is_some();
        let planned = plan(facts);
        let code = planned
            .as_ref()
            .map_or_else(|refusal| refusal.code().as_str(), |_| "");
        assert_eq!(code, expected, "{at}");
        match planned {
            Ok(plan) => {
                assert_eq!(plan.moves_directory(), moves, "{at}");
                assert_eq!(plan.after.id, lane.id);
            }
            Err(refusal) => {
                let error = refusal.refuse(&lane);
                assert_eq!(error.code().as_str(), expected, "{at}");
            }
        }
    }
}

#[test]
fn a_lane_that_would_stay_as_it_is_has_nothing_to_wait_for() {
    let lane = Lane::sample("login");
    let facts = Facts {
        naming: Naming {
            lane: &lane,
            name: &lane.name,
            branch: None,
            template: None,
        },
        name_taken: false,
        branch: None,
        target: None,
        stays: None,
        is_there: true,
        submodule: None,
        bound: None,
        is_queued: true,
        base: None,
        home: None,
    };
    let planned = plan(facts).unwrap();
    assert!(planned.is_nothing() && !planned.moves_directory());
}
