//! The rule as tables of facts.

use super::*;
use crate::domain::lane::{ObjectId, RefName};

fn branch(name: &str) -> BranchName {
    BranchName::parse(name.into()).unwrap()
}

fn lane(name: &str) -> Lane {
    Lane {
        name: name.into(),
        branch: Some(branch(name)),
        base: RefName::parse("refs/heads/main".into()),
        worktree: "/w".into(),
        read_only: false,
    }
}

fn on(name: &str) -> Head {
    Head::Branch(branch(name))
}

fn detached() -> Head {
    Head::Detached(ObjectId::null(gix::hash::Kind::Sha1))
}

fn in_lane(head: Head) -> Facts {
    Facts {
        level: Level::Restore,
        place: Place::Lane(lane("one")),
        head,
        owner: None,
        rebasing: false,
        bisecting: false,
        ending_bisection: false,
        home: None,
        protected: Vec::new(),
        tried: None,
    }
}

fn in_main(head: Head) -> Facts {
    Facts {
        place: Place::Main,
        ..in_lane(head)
    }
}

fn switched_from(previous: &str) -> Event {
    Event::Switched {
        previous: Previous::Branch(branch(previous)),
        added: false,
        made: Made::Before,
        checkout: true,
        own: OwnBranch::There,
    }
}

fn commit(merged: Vec<Merged>) -> Event {
    Event::Commit {
        merged,
        own: OwnBranch::There,
        overtaken: None,
    }
}

fn merged(name: &str, in_own_base: bool, unsettled: Option<&str>) -> Merged {
    Merged {
        lane: lane(name),
        in_own_base,
        in_upstream: false,
        unsettled: unsettled.map(str::to_owned),
    }
}

/// A verdict in two words: what was found, and what is done.
fn short(verdict: Verdict) -> String {
    match verdict {
        Verdict::Allow => "allow".into(),
        Verdict::Follow(branch) => format!("follow {branch}"),
        Verdict::Say(finding) => format!("say {}", finding.code()),
        Verdict::Stop(finding, remedy) => {
            let remedy = match remedy {
                Remedy::None => "refuse".into(),
                Remedy::Switch(branch) => format!("back to {branch}"),
                Remedy::DetachAtOld => "back to the commit".into(),
                Remedy::EndBisection(branch) => {
                    format!(
                        "end the bisection on {}",
                        branch.map_or("its start".into(), |branch| branch.to_string())
                    )
                }
                Remedy::DetachHere => "detach".into(),
                Remedy::ReadTree(tree) => format!("undo {tree}"),
            };
            format!("{}: {remedy}", finding.code())
        }
    }
}

#[test]
fn a_switch_out_of_a_lane_is_taken_back() {
    let with = |own| match switched_from("one") {
        Event::Switched {
            previous,
            added,
            made,
            checkout,
            ..
        } => Event::Switched {
            previous,
            added,
            made,
            checkout,
            own,
        },
        other => other,
    };
    for (facts, event, expected) in [
        (in_lane(on("one")), switched_from("other"), "allow"),
        (
            in_lane(on("other")),
            switched_from("one"),
            "left-lane: back to one",
        ),
        (
            Facts {
                owner: Some(lane("two")),
                ..in_lane(on("two"))
            },
            switched_from("one"),
            "left-lane: back to one",
        ),
        (
            Facts {
                rebasing: true,
                ..in_lane(on("other"))
            },
            switched_from("one"),
            "left-lane: back to the commit",
        ),
        (
            in_lane(on("renamed")),
            with(OwnBranch::Renamed(branch("renamed"))),
            "follow renamed",
        ),
        (
            in_lane(on("other")),
            with(OwnBranch::Renamed(branch("renamed"))),
            "follow renamed",
        ),
        (
            in_lane(on("other")),
            with(OwnBranch::Gone),
            "say branch-gone",
        ),
        (in_lane(detached()), switched_from("one"), "say detached"),
        (
            Facts {
                rebasing: true,
                ..in_lane(detached())
            },
            switched_from("one"),
            "allow",
        ),
        (
            Facts {
                bisecting: true,
                ..in_lane(detached())
            },
            switched_from("one"),
            "allow",
        ),
        (
            Facts {
                ending_bisection: true,
                ..in_lane(on("other"))
            },
            switched_from("x"),
            "left-lane: end the bisection on one",
        ),
        (
            Facts {
                rebasing: true,
                ending_bisection: true,
                ..in_lane(on("x"))
            },
            switched_from("x"),
            "left-lane: back to the commit",
        ),
        (
            Facts {
                level: Level::Warn,
                ..in_lane(on("other"))
            },
            switched_from("one"),
            "say left-lane",
        ),
        (
            Facts {
                level: Level::Off,
                ..in_lane(on("other"))
            },
            switched_from("one"),
            "allow",
        ),
    ] {
        assert_eq!(short(judge(&facts, &event)), expected, "{facts:?}");
    }
    // `rebase --apply` detaches HEAD before there is any sign of the rebase but the log.
    let Event::Switched {
        previous,
        added,
        made,
        own,
        ..
    } = switched_from("one")
    else {
        panic!()
    };
    let event = Event::Switched {
        previous,
        added,
        made,
        own,
        checkout: false,
    };
    assert_eq!(judge(&in_lane(detached()), &event), Verdict::Allow);
    let free = Facts {
        place: Place::Lane(Lane {
            branch: None,
            ..lane("look")
        }),
        ..in_lane(on("other"))
    };
    assert_eq!(
        judge(&free, &switched_from("one")),
        Verdict::Allow,
        "a lane started with --detach has no branch"
    );
}

#[test]
fn a_lanes_branch_is_checked_out_in_its_lane_alone() {
    let taken = Facts {
        owner: Some(lane("one")),
        ..in_main(on("one"))
    };
    assert_eq!(
        short(judge(&taken, &switched_from("main"))),
        "branch-taken: back to main"
    );
    assert_eq!(
        short(judge(&taken, &switched_from("one"))),
        "say branch-taken"
    );
    assert_eq!(
        short(judge(&taken, &commit(vec![]))),
        "branch-taken: refuse"
    );
    let Event::Switched {
        made,
        checkout,
        own,
        ..
    } = switched_from("main")
    else {
        panic!()
    };
    let event = |previous, added| Event::Switched {
        previous,
        added,
        made,
        checkout,
        own: own.clone(),
    };
    assert_eq!(
        short(judge(&taken, &event(Previous::Commit, false))),
        "branch-taken: back to the commit"
    );
    let ending = Facts {
        ending_bisection: true,
        ..taken.clone()
    };
    let ended = "branch-taken: end the bisection on its start";
    assert_eq!(
        short(judge(&ending, &event(Previous::Commit, false))),
        ended
    );
    assert_eq!(
        short(judge(&taken, &event(Previous::Unknown, false))),
        "say branch-taken"
    );
    let elsewhere = Facts {
        place: Place::Elsewhere,
        ..taken
    };
    assert_eq!(
        short(judge(&elsewhere, &event(Previous::Unknown, true))),
        "branch-taken: detach"
    );
    assert_eq!(
        judge(&in_main(on("other")), &switched_from("main")),
        Verdict::Allow
    );
}

#[test]
fn commits_happen_on_the_branch_that_belongs_here() {
    for (facts, expected) in [
        (in_lane(on("one")), "allow"),
        (in_lane(on("other")), "stray: refuse"),
        (in_lane(detached()), "allow"),
        (
            Facts {
                rebasing: true,
                ..in_lane(detached())
            },
            "allow",
        ),
        (
            Facts {
                bisecting: true,
                ..in_lane(detached())
            },
            "allow",
        ),
        (in_main(on("main")), "allow"),
        (in_main(detached()), "allow"),
        (
            Facts {
                protected: vec!["main".into()],
                ..in_main(on("main"))
            },
            "protected-branch: refuse",
        ),
        (
            Facts {
                protected: vec!["rel/*".into()],
                ..in_main(on("rel/1"))
            },
            "protected-branch: refuse",
        ),
        (
            Facts {
                protected: vec!["rel/*".into()],
                ..in_main(on("rel/1/x"))
            },
            "allow",
        ),
        (
            Facts {
                protected: vec!["rel/*".into()],
                ..in_main(on("main"))
            },
            "allow",
        ),
        (
            Facts {
                home: Some(branch("main")),
                ..in_main(on("other"))
            },
            "left-home: refuse",
        ),
        (
            Facts {
                home: Some(branch("main")),
                ..in_main(detached())
            },
            "allow",
        ),
        (
            Facts {
                home: Some(branch("main")),
                ..in_lane(on("one"))
            },
            "allow",
        ),
        (
            Facts {
                place: Place::Redirected(lane("one")),
                ..in_lane(on("one"))
            },
            "redirected: refuse",
        ),
        (
            Facts {
                place: Place::Redirected(lane("one")),
                ..in_lane(detached())
            },
            "redirected: refuse",
        ),
        (
            Facts {
                place: Place::Redirected(lane("one")),
                level: Level::Warn,
                ..in_lane(on("one"))
            },
            "say redirected",
        ),
    ] {
        assert_eq!(short(judge(&facts, &commit(vec![]))), expected, "{facts:?}");
    }
}

#[test]
fn merges_come_from_the_base_and_go_to_it_settled() {
    for (facts, merged, expected) in [
        (
            in_lane(on("one")),
            merged("two", false, None),
            "lane-into-lane: refuse",
        ),
        (
            in_lane(on("one")),
            merged("two", true, Some("dirty")),
            "allow",
        ),
        (
            in_lane(on("one")),
            merged("one", false, Some("dirty")),
            "allow",
        ),
        (in_main(on("main")), merged("one", false, None), "allow"),
        (
            in_main(on("main")),
            merged("one", false, Some("dirty")),
            "unsettled: refuse",
        ),
        (
            in_main(on("release")),
            merged("one", false, Some("dirty")),
            "allow",
        ),
    ] {
        assert_eq!(
            short(judge(&facts, &commit(vec![merged.clone()]))),
            expected,
            "{merged:?}"
        );
        let merge = Event::Merge {
            merged: vec![merged.clone()],
            own: OwnBranch::There,
        };
        assert_eq!(short(judge(&facts, &merge)), expected, "{merged:?}");
    }
    let pulled = Merged {
        in_upstream: true,
        ..merged("one", false, Some("dirty"))
    };
    assert_eq!(
        judge(&in_main(on("main")), &commit(vec![pulled])),
        Verdict::Allow
    );
    // A lane that is the base of another takes it like any base.
    let stacked = Merged {
        lane: Lane {
            base: RefName::parse("refs/heads/one".into()),
            ..lane("two")
        },
        in_own_base: false,
        in_upstream: false,
        unsettled: None,
    };
    assert_eq!(
        judge(&in_lane(on("one")), &commit(vec![stacked.clone()])),
        Verdict::Allow
    );
    let stacked = Merged {
        unsettled: Some("dirty".into()),
        ..stacked
    };
    assert_eq!(
        short(judge(&in_lane(on("one")), &commit(vec![stacked]))),
        "unsettled: refuse"
    );
}

#[test]
fn a_rebase_ends_where_it_belongs() {
    let rebase = |name: Option<&str>| Event::Rebase {
        branch: name.map(branch),
        own: OwnBranch::There,
    };
    let home = Facts {
        home: Some(branch("main")),
        ..in_main(on("main"))
    };
    for (facts, named, expected) in [
        (in_lane(on("one")), None, "allow"),
        (in_lane(on("one")), Some("one"), "allow"),
        (
            in_lane(on("one")),
            Some("other"),
            "rebase-elsewhere: refuse",
        ),
        (in_lane(on("other")), None, "stray: refuse"),
        (in_lane(on("other")), Some("one"), "allow"),
        (in_main(on("main")), Some("other"), "allow"),
        (
            Facts {
                protected: vec!["main".into()],
                ..in_main(on("main"))
            },
            None,
            "protected-branch: refuse",
        ),
        (
            Facts {
                protected: vec!["main".into()],
                ..in_main(on("other"))
            },
            Some("main"),
            "protected-branch: refuse",
        ),
        (
            Facts {
                protected: vec!["main".into()],
                ..in_main(on("main"))
            },
            Some("other"),
            "allow",
        ),
        (home.clone(), Some("other"), "left-home: refuse"),
        (home, Some("main"), "allow"),
    ] {
        assert_eq!(
            short(judge(&facts, &rebase(named))),
            expected,
            "{facts:?} {named:?}"
        );
    }
}

#[test]
fn a_transaction_is_refused_while_it_can_be() {
    let head = |to: &str, here, owner: Option<&str>, own| RefMove::Head {
        to: branch(to),
        here,
        owner: owner.map(lane),
        made: Made::Before,
        own,
    };
    let there = || OwnBranch::There;
    let home = Facts {
        home: Some(branch("main")),
        ..in_main(on("main"))
    };
    for (facts, change, expected) in [
        (
            in_lane(on("one")),
            head("one", true, None, there()),
            "allow",
        ),
        (
            in_lane(on("other")),
            head("one", true, None, there()),
            "allow",
        ),
        (
            in_lane(on("one")),
            head("x", true, None, there()),
            "left-lane: undo refs/heads/x",
        ),
        (
            in_lane(on("one")),
            head("x", true, None, OwnBranch::Gone),
            "left-lane: undo refs/heads/x",
        ),
        (
            in_lane(on("one")),
            head("x", true, None, OwnBranch::Renamed(branch("x"))),
            "allow",
        ),
        (
            in_lane(on("x")),
            head("y", true, None, OwnBranch::Renamed(branch("x"))),
            "follow x",
        ),
        (
            Facts {
                rebasing: true,
                ..in_lane(detached())
            },
            head("x", true, None, there()),
            "allow",
        ),
        (
            Facts {
                ending_bisection: true,
                ..in_lane(detached())
            },
            head("x", true, None, there()),
            "allow",
        ),
        (
            in_lane(on("one")),
            head("two", false, Some("two"), there()),
            "branch-taken: refuse",
        ),
        (in_lane(on("one")), head("x", false, None, there()), "allow"),
        (in_main(on("main")), head("x", true, None, there()), "allow"),
        (
            in_main(on("main")),
            head("one", true, Some("one"), there()),
            "branch-taken: undo refs/heads/one",
        ),
        (
            home.clone(),
            head("x", true, None, there()),
            "left-home: undo refs/heads/x",
        ),
        (home.clone(), head("main", true, None, there()), "allow"),
        (home, head("x", false, None, there()), "allow"),
        (
            in_main(on("main")),
            RefMove::Deleted(lane("one")),
            "branch-moved: refuse",
        ),
        (
            in_main(on("main")),
            RefMove::Moved(lane("one"), "abc".into()),
            "branch-moved: undo abc",
        ),
    ] {
        let facts = Facts {
            level: Level::Refuse,
            ..facts
        };
        assert_eq!(
            short(judge(&facts, &Event::Refs(vec![change.clone()]))),
            expected,
            "{change:?}"
        );
    }
}

#[test]
fn a_commit_does_not_undo_what_came_from_outside() {
    for now in [Some("b".repeat(40)), None] {
        let overtaken = Some(Overtaken {
            was: "a".repeat(40),
            now,
        });
        let event = Event::Commit {
            merged: vec![],
            own: OwnBranch::There,
            overtaken,
        };
        assert_eq!(
            short(judge(&in_lane(on("one")), &event)),
            "overtaken: refuse"
        );
        let warned = Facts {
            level: Level::Warn,
            ..in_lane(on("one"))
        };
        assert_eq!(short(judge(&warned, &event)), "say overtaken");
    }
}

#[test]
fn a_refused_merge_says_how_to_give_it_up() {
    let finding = Finding::LaneIntoLane {
        here: lane("one"),
        other: lane("two"),
    };
    let hint = |merge| finding.hint(merge, |_| unreachable!());
    assert!(hint(true).contains("git merge --abort"));
    assert!(!hint(false).contains("abort"));
}

/// The main worktree that shows a lane goes home, or stays with that lane.
#[test]
fn what_shows_a_lane_is_left_for_home_alone() {
    let tried = |facts: Facts| Facts {
        tried: Some("login".into()),
        ..facts
    };
    let from_commit = || Event::Switched {
        previous: Previous::Commit,
        added: false,
        made: Made::Before,
        checkout: true,
        own: OwnBranch::There,
    };
    let home = |at: &str| Facts {
        home: Some(branch("main")),
        ..in_main(on(at))
    };
    for (facts, event, expected) in [
        (
            tried(home("x")),
            from_commit(),
            "left-home: back to the commit",
        ),
        (tried(home("main")), from_commit(), "allow"),
        (home("x"), from_commit(), "say left-home"),
        (tried(in_main(on("x"))), from_commit(), "allow"),
    ] {
        assert_eq!(
            short(judge(&facts, &event)),
            expected,
            "{facts:?} {event:?}"
        );
    }
}

/// What the main worktree shows of a lane takes no commit, and no other place is meant.
#[test]
fn nothing_is_committed_on_what_is_shown_of_a_lane() {
    let tried = |facts: Facts| Facts {
        tried: Some("login".into()),
        ..facts
    };
    let merge = || Event::Merge {
        merged: Vec::new(),
        own: OwnBranch::There,
    };
    let rebase = || Event::Rebase {
        branch: None,
        own: OwnBranch::There,
    };
    for (facts, event, expected) in [
        (
            tried(in_main(detached())),
            commit(Vec::new()),
            "tried: refuse",
        ),
        (tried(in_main(detached())), merge(), "tried: refuse"),
        (tried(in_main(detached())), rebase(), "tried: refuse"),
        (tried(in_main(detached())), switched_from("main"), "allow"),
        (tried(in_main(on("main"))), commit(Vec::new()), "allow"),
        (tried(in_lane(on("one"))), commit(Vec::new()), "allow"),
        (in_main(detached()), commit(Vec::new()), "allow"),
        (
            Facts {
                level: Level::Warn,
                ..tried(in_main(detached()))
            },
            commit(Vec::new()),
            "say tried",
        ),
        (
            Facts {
                level: Level::Off,
                ..tried(in_main(detached()))
            },
            commit(Vec::new()),
            "allow",
        ),
    ] {
        assert_eq!(
            short(judge(&facts, &event)),
            expected,
            "{facts:?} {event:?}"
        );
    }
}
