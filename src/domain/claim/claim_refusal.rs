//! How a claim is said, and the refusal of what another holder's claim forbids.

use super::Claim;
use crate::domain::lane::Lane;
use crate::domain::name::LaneName;
use crate::domain::shell_word::quote;
use crate::error::{Code, Error};

impl Claim {
    /// What others can do about it.
    pub fn hints(&self, lane: &LaneName) -> Vec<String> {
        let lane = quote(lane);
        let way_in = match self.is_reserved() {
            false => "its holder sets GIT_LANE_CLAIM to the claim's token".to_owned(),
            true => format!(
                "'{}' takes it up with: git lane claim {lane} --owner={}",
                self.holder,
                quote(&self.holder)
            ),
        };
        let take_over = format!("take it over with: git lane claim {lane} --take-over");
        vec![way_in, take_over]
    }
}

impl std::fmt::Display for Claim {
    /// `claimed by 'ann'`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.is_reserved() {
            false => write!(f, "claimed by '{}'", self.holder),
            true => write!(
                f,
                "handed over to '{}', who has not claimed it yet",
                self.holder
            ),
        }
    }
}

/// The refusal of what another holder's claim on `lane` forbids.
pub fn claimed(lane: &Lane, claim: &Claim) -> Error {
    let error = Error::refused(format!("lane '{}' is {claim}", lane.name));
    let error = claim.hints(&lane.name).into_iter().fold(error, Error::hint);
    error
        .with_code(Code::Claimed)
        .details(details(&lane.name, claim))
}

/// What a program is told about the claim that is in its way.
pub fn details(lane: &LaneName, claim: &Claim) -> serde_json::Value {
    serde_json::json!({ "lane": lane, "holder": claim.holder })
}
