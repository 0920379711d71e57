//! What branches are called now, by the renames of lanes that the event log tells of; pure.
//!
//! Called by `operations/restore` and `undo`: what they bring back was said of the names of then.

use super::event::{Event, Phase};
use super::lane::RefName;

/// The renames, oldest first: the number of the event, the old name, the new one.
#[derive(Debug, Clone, Default)]
pub struct BranchRenames(Vec<(u64, RefName, RefName)>);

impl BranchRenames {
    /// Those that have happened, undone ones and the undos of them among them.
    pub fn of(events: &[Event]) -> Self {
        let done = events.iter().filter(|event| event.phase == Phase::After);
        let renames = done.filter_map(|event| {
            let change = event.end.changed.as_ref()?;
            let (from, to) = change.from.branch.as_ref().zip(change.to.branch.as_ref())?;
            (from != to).then(|| (event.sequence, from.into(), to.into()))
        });
        BranchRenames(renames.collect())
    }

    /// What the branch is called now that was called so at the event of that number.
    pub fn since(&self, sequence: u64, name: &RefName) -> RefName {
        let later = self.0.iter().filter(|(then, ..)| *then > sequence);
        later.fold(name.clone(), |name, (_, from, to)| match name == *from {
            true => to.clone(),
            false => name,
        })
    }

    /// The same of a lane that went into the trash, by the id of its entry; as it is where the log does
    /// not tell when that was.
    pub fn since_entry(&self, events: &[Event], entry: &str, name: &RefName) -> RefName {
        let went = events
            .iter()
            .rev()
            .find(|event| event.phase == Phase::After && event.end.trash.as_deref() == Some(entry));
        went.map_or_else(|| name.clone(), |event| self.since(event.sequence, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lane::Lane;
    use crate::domain::name::BranchName;
    use crate::domain::record_change::RecordChange;

    #[test]
    fn renames_are_followed_from_a_moment_on() {
        let event = |sequence: u64, from: &str, to: &str| {
            let lane = |branch: &str| Lane {
                branch: BranchName::parse(branch.into()).ok(),
                ..Lane::sample("login")
            };
            let line = format!(
                r#"{{"sequence":{sequence},"time":"","operation":"x","phase":"after","actor":
                {{"owner":"ann","pid":1}},"what":"rename","lane":null,"laneId":null,"base":null,
                "baseCommit":null,"result":null,"trash":"{sequence}","note":null,"problem":null}}"#
            );
            let mut event: Event = serde_json::from_str(&line).unwrap();
            event.end.changed = Some(RecordChange::between(&lane(from), &lane(to)));
            event
        };
        // The name is free after the first, and another lane gets and leaves it.
        let events = [event(2, "a", "b"), event(4, "a", "c"), event(6, "b", "d")];
        let renames = BranchRenames::of(&events);
        let name =
            |name: &str| RefName::parse(format!("refs/heads/{name}").as_str().into()).unwrap();
        for (sequence, then, now) in [
            (1, "a", "d"),
            (2, "a", "c"),
            (3, "b", "d"),
            (6, "a", "a"),
            (1, "x", "x"),
        ] {
            assert_eq!(
                renames.since(sequence, &name(then)),
                name(now),
                "{sequence} {then}"
            );
        }
        assert_eq!(renames.since_entry(&events, "2", &name("b")), name("d"));
        assert_eq!(renames.since_entry(&events, "none", &name("b")), name("b"));
    }
}
