//! What a rename, a move or another base changes in a lane's record: for the event log, for those who
//! run such a command, and for the undo.

use std::path::PathBuf;

use super::lane::{Lane, ObjectId, RefName, hex, lossless_path};
use super::name::{BranchName, LaneName};

/// What a record says of a lane that those commands can change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Its name.
    pub lane: LaneName,
    /// Its branch; `None` for a lane started with `--detach`.
    pub branch: Option<BranchName>,
    /// Its worktree's directory, absolute.
    #[serde(with = "lossless_path")]
    pub path: PathBuf,
    /// The full name of its base.
    pub base: Option<RefName>,
    /// Its fork point.
    #[serde(with = "hex")]
    pub fork_point: ObjectId,
}

impl Said {
    /// What the record says.
    pub fn of(lane: &Lane) -> Self {
        Said {
            lane: lane.name.clone(),
            branch: lane.branch.clone(),
            path: lane.worktree.clone(),
            base: lane.base.clone(),
            fork_point: lane.fork_point,
        }
    }

    /// Writes it into the record of a lane.
    pub fn put_into(&self, lane: &mut Lane) {
        let Said {
            lane: name,
            branch,
            path,
            base,
            fork_point,
        } = self.clone();
        (lane.name, lane.branch, lane.worktree) = (name, branch, path);
        (lane.base, lane.fork_point) = (base, fork_point);
    }
}

/// What a record has said, and says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordChange {
    /// Before.
    pub from: Said,
    /// After.
    pub to: Said,
}

impl RecordChange {
    /// From one record to the other.
    pub fn between(before: &Lane, after: &Lane) -> Self {
        RecordChange {
            from: Said::of(before),
            to: Said::of(after),
        }
    }

    /// Whether the lane was or is called so.
    pub fn names(&self, name: &str) -> bool {
        [&self.from, &self.to]
            .iter()
            .any(|said| said.lane.as_str() == name)
    }
}

impl std::fmt::Display for RecordChange {
    /// `now 'signin', branch 'signin', in '/shop.lanes/signin'`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (&self.from, &self.to);
        let mut parts = Vec::new();
        if from.lane != to.lane {
            parts.push(format!("now '{}'", to.lane));
        }
        if let Some(branch) = to.branch.as_ref().filter(|_| from.branch != to.branch) {
            parts.push(format!("branch '{branch}'"));
        }
        if from.path != to.path {
            parts.push(format!("in '{}'", to.path.display()));
        }
        match &to.base {
            Some(base) if from.base != to.base => parts.push(format!("base '{base}'")),
            _ => {}
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_said() {
        let lane = Lane::sample("login");
        let changed = |change: &dyn Fn(&mut Lane)| {
            let mut after = lane.clone();
            change(&mut after);
            RecordChange::between(&lane, &after)
        };
        let renamed = changed(&|lane| {
            lane.name = LaneName::parse("signin").unwrap();
            lane.branch = BranchName::parse("signin".into()).ok();
            lane.worktree = "/lanes/signin".into();
        });
        assert_eq!(
            renamed.to_string(),
            "now 'signin', branch 'signin', in '/lanes/signin'"
        );
        assert!(renamed.names("login") && renamed.names("signin") && !renamed.names("sign"));
        let based = changed(&|lane| lane.base = RefName::parse("refs/heads/next".into()));
        assert_eq!(based.to_string(), "base 'next'");
        let mut back = lane.clone();
        renamed.to.put_into(&mut back);
        assert_eq!(Said::of(&back), renamed.to);
        renamed.from.put_into(&mut back);
        assert_eq!(back, lane);
        let json = serde_json::to_string(&renamed).unwrap();
        assert_eq!(
            serde_json::from_str::<RecordChange>(&json).unwrap(),
            renamed
        );
    }
}
