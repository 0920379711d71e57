//! Which lanes may be started, as tables of facts.

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
        unique: false,
    }
}

fn facts() -> Facts {
    Facts {
        existing: None,
        existing_broken: None,
        standing: Standing::Free,
        alike: None,
        task_taken_by: None,
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
        worktree: "/x/shop.lanes/login".into(),
        fork_point: id(b'a'),
        owner: Some("ann".into()),
        ..Lane::sample("login")
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
                alike: Some(name("Login")),
                ..facts()
            },
            "lane-exists",
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

/// Who may start a lane that is there: owner by its record, holder by its claim, the one who asks, and how the
/// claim stands to them.
#[test]
fn a_lane_is_its_holders_first_and_its_owners_second() {
    use crate::domain::claim::ClaimEnd;
    let claim = |holder: &str| Claim {
        holder: holder.into(),
        key: Some("k".into()),
        since: 0,
        end: ClaimEnd::Release,
        message: None,
    };
    for (owner, holder, standing, asker, claims, code) in [
        ("ann", None, Standing::Free, "ann", false, ""),
        ("ann", None, Standing::Free, "ann", true, ""),
        ("ann", None, Standing::Free, "bob", true, "lane-owned"),
        // What is over says nothing.
        ("ann", Some("bob"), Standing::Free, "ann", false, ""),
        ("ann", Some("ann"), Standing::Others, "ann", false, ""),
        ("ann", Some("ann"), Standing::Others, "ann", true, "claimed"),
        (
            "ann",
            Some("ann"),
            Standing::Others,
            "bob",
            false,
            "claimed",
        ),
        (
            "ann",
            Some("bob"),
            Standing::Others,
            "ann",
            false,
            "claimed",
        ),
        (
            "ann",
            Some("bob"),
            Standing::Others,
            "bob",
            false,
            "claimed",
        ),
        ("ann", Some("bob"), Standing::Own, "bob", false, ""),
        ("ann", Some("ann"), Standing::Own, "bob", true, ""),
    ] {
        let lane = Lane {
            owner: Some(owner.into()),
            claim: holder.map(claim),
            ..lane()
        };
        let asked = Request {
            owner: Some(asker.into()),
            claim: claims.then(|| claim(asker)),
            ..request()
        };
        let facts = Facts {
            existing: Some(lane),
            standing: standing.clone(),
            ..facts()
        };
        let found = plan(asked, facts).map_or_else(|refusal| refusal.code().as_str(), |_| "");
        assert_eq!(
            found, code,
            "{owner} {holder:?} {standing:?} {asker} {claims}"
        );
    }
}

#[test]
fn a_task_is_taken_only_where_it_is_to_be_one_lanes_alone() {
    for (task, unique, code) in [
        (Some("T"), true, "task-taken"),
        (Some("T"), false, ""),
        (None, true, ""),
    ] {
        let asked = Request {
            task: task.map(Into::into),
            unique,
            ..request()
        };
        let facts = Facts {
            task_taken_by: Some(name("other")),
            ..facts()
        };
        let found = plan(asked, facts).map_or_else(|refusal| refusal.code().as_str(), |_| "");
        assert_eq!(found, code, "{task:?} {unique}");
    }
}

#[test]
fn parameters_and_what_a_lane_is_for_are_part_of_what_is_asked_for() {
    let set = |texts: &[&str]| {
        let all = texts.iter().map(|text| Parameter::parse(text).unwrap());
        all.collect::<Vec<_>>()
    };
    for (has, asked, differs) in [
        (&["a=1", "b=2"][..], Some(&["b=2", "a=1"][..]), false),
        (&["a=1"], None, false),
        (&["a=1"], Some(&["a=2"]), true),
        (&["a=1"], Some(&["a=1", "b=2"]), true),
        (&[], Some(&["a=1"]), true),
    ] {
        let lane = Lane {
            parameters: set(has),
            ..lane()
        };
        let explicit = Explicit {
            parameters: asked.map(set),
            ..Explicit::default()
        };
        let asked = Request {
            explicit,
            ..request()
        };
        let facts = Facts {
            existing: Some(lane),
            ..facts()
        };
        assert_eq!(plan(asked, facts).is_err(), differs, "{has:?}");
    }
}
