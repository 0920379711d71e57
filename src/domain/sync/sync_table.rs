//! Tables: what keeps a lane from being synced, and in which order lanes are.

use bstr::ByteSlice;

use super::*;
use crate::domain::finish::Site;
use crate::domain::lane::{LaneId, WorktreeState};

fn branch(name: &str) -> BranchName {
    BranchName::parse(name.into()).unwrap()
}

fn id(digit: char) -> ObjectId {
    ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
}

fn lane(name: &str, base: Option<&str>) -> Lane {
    Lane {
        id: LaneId::parse(name).unwrap(),
        base: base.map(|base| RefName::parse(base.as_bytes().as_bstr()).unwrap()),
        fork_point: id('1'),
        ..Lane::sample(name)
    }
}

fn site(path: &str, operation: Option<Operation>) -> Site {
    Site {
        path: path.into(),
        state: WorktreeState::Present,
        operation,
    }
}

fn facts(relation: Relation) -> Facts {
    Facts {
        lane: lane("login", Some("refs/heads/main")),
        head: Some(Head::Branch(branch("login"))),
        operation: None,
        unmerged: false,
        branch: Some(BaseFacts {
            branch: branch("login"),
            tip: Some(id('2')),
            renamed: None,
            relation: Some(relation),
            sites: vec![site("/lanes/login", None)],
            busy: Vec::new(),
        }),
        base: Some(id('3')),
        renamed: None,
        published: None,
    }
}

const MERGE: Request = Request {
    strategy: Strategy::Merge,
    force: false,
};

const REBASE: Request = Request {
    strategy: Strategy::Rebase,
    force: false,
};

fn verdict(relation: Relation, request: &Request, change: impl FnOnce(&mut Facts)) -> &'static str {
    let mut facts = facts(relation);
    change(&mut facts);
    match plan(&facts, request) {
        Ok(Plan::UpToDate) => "up to date",
        Ok(Plan::Move(moving)) if moving.is_forward() => "forward",
        Ok(Plan::Move(_)) => "move",
        Err(refusal) => {
            let error = crate::error::Error::from(refusal);
            assert!(!error.hints().is_empty(), "{error}");
            error.code().as_str()
        }
    }
}

#[test]
fn what_keeps_a_lane_from_being_synced() {
    type Change = fn(&mut Facts);
    let table: &[(&str, Relation, Change)] = &[
        ("move", Relation::Diverged, |_| {}),
        ("forward", Relation::Ahead, |_| {}),
        ("up to date", Relation::Same, |_| {}),
        ("up to date", Relation::Contained, |_| {}),
        ("unrelated", Relation::Unrelated, |_| {}),
        ("no-base", Relation::Diverged, |f| f.lane.base = None),
        ("detached", Relation::Diverged, |f| f.branch = None),
        ("worktree-gone", Relation::Diverged, |f| f.head = None),
        ("operation-in-progress", Relation::Diverged, |f| {
            f.operation = Some(Operation::Rebase);
        }),
        ("stray", Relation::Diverged, |f| {
            f.head = Some(Head::Branch(branch("other")));
        }),
        ("stray", Relation::Diverged, |f| {
            f.head = Some(Head::Detached(id('4')));
        }),
        ("unsettled", Relation::Diverged, |f| f.unmerged = true),
        ("onto-itself", Relation::Same, |f| {
            f.lane.base = RefName::parse("refs/heads/login".into());
        }),
        ("base-missing", Relation::Diverged, |f| f.base = None),
        ("base-missing", Relation::Diverged, |f| {
            (f.base, f.renamed) = (None, Some(branch("trunk")));
        }),
        ("no-commit", Relation::Diverged, |f| {
            f.branch.as_mut().unwrap().tip = None;
        }),
        ("base-checked-out-twice", Relation::Diverged, |f| {
            let sites = &mut f.branch.as_mut().unwrap().sites;
            sites.push(site("/elsewhere", None));
        }),
        ("base-busy", Relation::Diverged, |f| {
            let busy = &mut f.branch.as_mut().unwrap().busy;
            busy.push(site("/elsewhere", Some(Operation::Bisect)));
        }),
        ("move", Relation::Diverged, |f| {
            f.published = RefName::parse("refs/remotes/origin/login".into());
        }),
    ];
    for (number, (expected, relation, change)) in table.iter().enumerate() {
        let said = verdict(*relation, &MERGE, change);
        assert_eq!(said, *expected, "row {number}");
    }
}

#[test]
fn what_is_published_is_replayed_by_force_alone() {
    let published =
        |f: &mut Facts| f.published = RefName::parse("refs/remotes/origin/login".into());
    let forced = Request {
        force: true,
        ..REBASE
    };
    assert_eq!(verdict(Relation::Diverged, &REBASE, published), "published");
    assert_eq!(verdict(Relation::Diverged, &forced, published), "move");
    assert_eq!(verdict(Relation::Diverged, &REBASE, |_| {}), "move");
    assert_eq!(verdict(Relation::Ahead, &REBASE, published), "forward");
}

#[test]
fn a_lane_comes_after_the_one_it_stands_on() {
    let stacked = |pairs: &[(&str, &str)]| {
        let lanes = pairs.iter().map(|(name, base)| lane(name, Some(base)));
        let ordered = in_order(lanes.collect());
        let names = ordered.iter().map(|lane| lane.name.to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    let main = "refs/heads/main";
    assert_eq!(stacked(&[("b", main), ("a", main)]), "b a");
    let three = [("c", "refs/heads/b"), ("b", "refs/heads/a"), ("a", main)];
    assert_eq!(stacked(&three), "a b c");
    // A circle, and a lane on itself, are each told of by their own refusal.
    let circle = [("x", "refs/heads/y"), ("y", "refs/heads/x"), ("a", main)];
    assert_eq!(stacked(&circle), "a x y");
    assert_eq!(
        stacked(&[("self", "refs/heads/self"), ("a", main)]),
        "self a"
    );
}
