//! How far the task of a lane is: a word that its owner says, never a guess of git-lane's.

/// The word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum LaneStatus {
    /// Its owner is at work.
    Working,
    /// Its owner needs an answer, or the work of another, first.
    Blocked,
    /// It may land.
    Ready,
    /// Nothing is left to do, and nothing is to land.
    Done,
}

impl LaneStatus {
    /// Every word.
    pub const ALL: [LaneStatus; 4] = [
        LaneStatus::Working,
        LaneStatus::Blocked,
        LaneStatus::Ready,
        LaneStatus::Done,
    ];

    /// The word in records, on the command line and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            LaneStatus::Working => "working",
            LaneStatus::Blocked => "blocked",
            LaneStatus::Ready => "ready",
            LaneStatus::Done => "done",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether `claim --next` passes the lane by.
    pub fn is_over(self) -> bool {
        matches!(self, LaneStatus::Ready | LaneStatus::Done)
    }
}

impl std::fmt::Display for LaneStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `git lane mark` has recorded last.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// The word.
    pub status: LaneStatus,
    /// Since when, in seconds since 1970 UTC.
    pub since: i64,
    /// What its owner adds.
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_means_one_status() {
        for status in LaneStatus::ALL {
            assert_eq!(LaneStatus::parse(status.as_str()), Some(status));
            assert_eq!(
                serde_json::to_value(status).unwrap(),
                status.as_str(),
                "{status}"
            );
        }
        assert_eq!(LaneStatus::parse("Ready"), None);
    }
}
