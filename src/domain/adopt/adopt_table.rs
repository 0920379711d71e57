//! Which worktrees can become lanes: a table of facts.

use super::*;
use crate::domain::lane::WorktreeId;
use crate::domain::trash_entry::tests::entry;

fn branch(name: &str) -> BranchName {
    BranchName::parse(name.into()).unwrap()
}

fn worktree(id: Option<&str>, path: &str, on: &str) -> Worktree {
    Worktree {
        id: id.map(|id| WorktreeId(id.into())),
        path: path.into(),
        git_dir: format!("/repo/.git/{}", id.unwrap_or_default()).into(),
        head: Head::Branch(branch(on)),
        alias: None,
        held: Vec::new(),
        locked: None,
        state: WorktreeState::Present,
    }
}

fn detached() -> Head {
    Head::Detached(gix::ObjectId::null(gix::hash::Kind::Sha1))
}

/// Changes the worktree at `/w`, the others, or the lanes.
type Change = fn(&mut Worktree, &mut Vec<Worktree>, &mut Vec<Lane>);

#[test]
fn what_is_nobodys_becomes_a_lane_and_nothing_else() {
    let table: [(&str, Change); 15] = [
        ("", |_, _, _| {}),
        ("", |own, _, _| own.locked = Some("in use".into())),
        ("", |own, _, _| own.head = detached()),
        ("", |own, _, _| {
            (own.head, own.held) = (detached(), vec![branch("own")]);
        }),
        ("main-worktree", |own, _, _| own.id = None),
        ("damaged", |own, _, _| {
            own.state = WorktreeState::Damaged("why".into())
        }),
        ("worktree-gone", |own, _, _| {
            own.state = WorktreeState::Missing
        }),
        ("damaged", |own, _, _| own.head = Head::Other("x".into())),
        ("other-lane", |own, _, lanes| {
            own.path = lanes[0].worktree.clone()
        }),
        ("branch-owned", |own, all, lanes| {
            // The lane is where it belongs, and a second worktree was forced onto its branch.
            all.push(worktree(Some("l"), "/lanes/x", "elsewhere"));
            own.head = Head::Branch(lanes[0].branch.clone().unwrap());
        }),
        ("branch-elsewhere", |_, all, _| {
            all.push(worktree(Some("z"), "/z", "own"))
        }),
        ("branch-elsewhere", |_, all, _| {
            all.push(Worktree {
                held: vec![branch("own")],
                ..worktree(Some("z"), "/z", "z")
            });
        }),
        ("branch-elsewhere", |own, all, _| {
            (own.head, own.held) = (detached(), vec![branch("own")]);
            all.push(worktree(Some("z"), "/z", "own"));
        }),
        ("", |_, all, _| all.push(worktree(Some("z"), "/z", "z"))),
        ("", |_, all, _| {
            all[0].state = WorktreeState::Bare;
            all[0].head = Head::Branch(branch("own"));
        }),
    ];
    for (row, (expected, change)) in table.into_iter().enumerate() {
        let mut own = worktree(Some("w"), "/w", "own");
        let mut all = vec![worktree(None, "/repo", "main")];
        let mut lanes = vec![entry("1", "x", 0).lane];
        change(&mut own, &mut all, &mut lanes);
        all.push(own.clone());
        let facts = Facts {
            worktree: &own,
            all: &all,
            lanes: &lanes,
            damaged_record: None,
            found_at: None,
        };
        let found = ensure_adoptable(&facts);
        let code = found.map_or_else(|refusal| refusal.code().as_str(), |()| "");
        assert_eq!(code, expected, "row {row}");
    }
}

#[test]
fn a_rebase_works_on_the_branch_it_comes_back_to() {
    let mut own = worktree(Some("w"), "/w", "own");
    assert_eq!(branch_of(&own), Some(&branch("own")));
    (own.head, own.held) = (detached(), vec![branch("own"), branch("stacked")]);
    assert_eq!(branch_of(&own), Some(&branch("own")));
    own.held.clear();
    assert_eq!(branch_of(&own), None);
}

#[test]
fn no_lane_lands_on_its_own_branch() {
    let base = RefName::from(&branch("main"));
    assert!(ensure_other_than(&branch("main"), Some(&base)).is_err());
    assert!(ensure_other_than(&branch("x"), Some(&base)).is_ok());
    assert!(ensure_other_than(&branch("x"), None).is_ok());
}
