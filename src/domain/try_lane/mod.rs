//! A lane that the main worktree shows: what is remembered of it, and why it is not shown, or not
//! taken back.
//!
//! `repository/tried` keeps the record, `operations/try_lane` acts by it, and the doctor and the list
//! look at it.

mod begin_refusal;
mod end_refusal;
mod refused_files;
#[cfg(test)]
mod try_table;

pub use begin_refusal::BeginRefusal;
pub use end_refusal::{Difference, EndRefusal, Ways};

use super::lane::{Head, LaneId, ObjectId, RefName};
use super::name::LaneName;

/// What is remembered of a lane that the main worktree shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The lane's name at that moment.
    pub lane: LaneName,
    /// Its id, which it keeps.
    pub lane_id: LaneId,
    /// What HEAD of the main worktree named before.
    pub branch: RefName,
    /// The commit of that branch at that moment.
    pub from: ObjectId,
    /// The commit that is shown: the lane's own, or one on top of it with what was not committed.
    pub commit: ObjectId,
}

/// How the main worktree stands to the record of a lane that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// HEAD is at the commit that was shown.
    It,
    /// HEAD is on no branch, and at another commit.
    Another(ObjectId),
    /// HEAD is on a branch: the user has ended it by git's own means.
    ABranch,
    /// HEAD says nothing that can be read.
    Unknown,
}

impl Tried {
    /// What `head`, that of the main worktree, says of it.
    pub fn shown_by(&self, head: &Head) -> Shows {
        match head {
            Head::Detached(id) if *id == self.commit => Shows::It,
            Head::Detached(id) => Shows::Another(*id),
            Head::Branch(_) => Shows::ABranch,
            Head::Other(_) => Shows::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::name::BranchName;

    #[test]
    fn what_head_says_of_a_lane_that_is_shown() {
        let id = |digit: u8| ObjectId::from_hex(&[digit; 40]).unwrap();
        let tried = Tried {
            lane: LaneName::parse("login").unwrap(),
            lane_id: LaneId::parse("1").unwrap(),
            branch: RefName::parse("refs/heads/main".into()).unwrap(),
            from: id(b'1'),
            commit: id(b'2'),
        };
        let main = BranchName::parse("main".into()).unwrap();
        for (head, shows) in [
            (Head::Detached(id(b'2')), Shows::It),
            (Head::Detached(id(b'3')), Shows::Another(id(b'3'))),
            (Head::Branch(main), Shows::ABranch),
            (Head::Other("".into()), Shows::Unknown),
        ] {
            assert_eq!(tried.shown_by(&head), shows, "{head:?}");
        }
    }
}
