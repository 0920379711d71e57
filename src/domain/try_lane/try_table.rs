//! Each refusal of a try with its code and its hints.

use std::path::PathBuf;

use bstr::BString;

use super::{BeginRefusal, Difference, EndRefusal, Ways};
use crate::domain::lane::ObjectId;
use crate::domain::name::LaneName;
use crate::domain::status::{Operation, WorktreeStatus};
use crate::error::{Code, Error};

/// Each way in which the main worktree can differ has its own way on.
#[test]
fn every_difference_is_named_with_a_hint() {
    let id = |digit: u8| ObjectId::from_hex(&[digit; 40]).unwrap();
    let files = || vec![BString::from("a b")];
    for (difference, said, hint) in [
        (
            Difference::Operation(Operation::Merge),
            "a merge is in progress",
            "git -C '/x y' status",
        ),
        (
            Difference::Commits(id(b'3')),
            "commits were made, up to 3333333333",
            "git -C '/x y' reset --soft 2222",
        ),
        (
            Difference::Elsewhere(id(b'3')),
            "HEAD is at another commit, 3333333333",
            "git -C '/x y' checkout --detach 2222",
        ),
        (
            Difference::Changed(files()),
            "changed: 'a b'",
            "git lane try --back --to-lane",
        ),
        (
            Difference::New(files()),
            "new: 'a b'",
            "git lane try --back --to-lane",
        ),
    ] {
        let refusal = EndRefusal::Differs {
            path: "/x y".into(),
            commit: id(b'2'),
            differences: vec![difference],
            ways: Ways::All,
        };
        let error = Error::from(refusal);
        assert!(error.to_string().ends_with(said), "{error}");
        assert!(
            error.hints().iter().any(|line| line.contains(hint)),
            "{:?}",
            error.hints()
        );
    }
}

#[test]
fn what_speaks_against_showing_a_lane_has_a_word() {
    let lane = LaneName::parse("login").unwrap();
    let path = || PathBuf::from("/shop");
    let merging = WorktreeStatus {
        operation: Some(Operation::Merge),
        ..WorktreeStatus::default()
    };
    for (refusal, code) in [
        (BeginRefusal::Bare, Code::NoMainWorktree),
        (BeginRefusal::NoBranch(path()), Code::Detached),
        (
            BeginRefusal::Unsettled(path(), WorktreeStatus::default()),
            Code::Unsettled,
        ),
        (
            BeginRefusal::Unsettled(path(), merging),
            Code::OperationInProgress,
        ),
        (
            BeginRefusal::InTheWay(path(), vec!["x".into()]),
            Code::InTheWay,
        ),
        (
            BeginRefusal::WrittenOtherwise(path(), vec!["x".into()]),
            Code::InTheWay,
        ),
    ] {
        let error = refusal.refuse(&lane);
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.hints().is_empty(), "{error}");
    }
}
