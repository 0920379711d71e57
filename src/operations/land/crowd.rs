//! Landings that a lane comes after, and the search for the one of them that it does not get along
//! with.

use serde::{Deserialize, Serialize};

use crate::domain::lane::{ObjectId, hex};
use crate::domain::name::LaneName;
use crate::error::Result;

/// The landings before a lane, in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Crowd {
    /// The tip of the base before all of them.
    #[serde(with = "hex")]
    pub(super) from: ObjectId,
    pub(super) before: Vec<Member>,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) lane: LaneName,
    /// What it has made of the base.
    #[serde(with = "hex")]
    pub(super) commit: ObjectId,
}

/// Who is to blame where a lane fails after a crowd.
#[derive(Debug)]
pub(super) enum Blame<'a, F> {
    /// The lane fails before any of them has landed, in this way.
    Itself(F),
    /// It fails from that one on.
    Member(&'a Member),
    /// The lane comes first.
    First,
}

impl Crowd {
    /// Finds out, where it is known to fail after all of them; `fails` says how it does on a commit.
    pub(super) fn blame<F>(
        &self,
        mut fails: impl FnMut(ObjectId) -> Result<Option<F>>,
    ) -> Result<Blame<'_, F>> {
        let Some(last) = self.before.len().checked_sub(1) else {
            return Ok(Blame::First);
        };
        if let Some(failure) = fails(self.from)? {
            return Ok(Blame::Itself(failure));
        }
        let (mut without, mut with) = (0, last);
        while without < with {
            let half = without.midpoint(with);
            match fails(self.before[half].commit)? {
                None => without = half + 1,
                Some(_) => with = half,
            }
        }
        Ok(Blame::Member(&self.before[with]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_after_which_it_fails_is_found_in_few_looks() {
        let id = |number: u8| ObjectId::from_bytes_or_panic(&[number; 20]);
        let member = |number: u8| Member {
            lane: LaneName::parse(&format!("l{number}")).unwrap(),
            commit: id(number),
        };
        for (size, first) in [(1, 1), (2, 1), (2, 2), (49, 1), (49, 30), (49, 49)] {
            let crowd = Crowd {
                from: id(0),
                before: (1..=size).map(member).collect(),
            };
            let mut looks = 0;
            let blame = crowd.blame(|commit| {
                looks += 1;
                Ok((commit.as_slice()[0] >= first).then_some(()))
            });
            let Blame::Member(found) = blame.unwrap() else {
                panic!("none among {size}");
            };
            assert_eq!(found.commit, id(first), "{size}");
            assert!(looks <= 7, "{looks} looks among {size}");
        }
        let alone = Crowd {
            from: id(0),
            before: vec![member(1)],
        };
        assert!(matches!(alone.blame(|_| Ok(Some(7))), Ok(Blame::Itself(7))));
    }
}
