//! A stable word and the sentence that says the same to a person, as every document has the two.
//!
//! The files of `.git/lane` have other fields for them and keep those; the reports of `trash`, `prune`,
//! `finish`, `check` and `list` translate.

use crate::domain::forecast::Unclear;
use crate::domain::integration::Integration;
use crate::domain::trash_entry::{Holding, Proof};

/// The word and the sentence.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Coded {
    /// The word, for scripts.
    pub code: String,
    /// The sentence, for a person.
    pub message: String,
}

impl Coded {
    fn new(code: &str, message: impl std::fmt::Display) -> Self {
        Coded {
            code: code.to_owned(),
            message: message.to_string(),
        }
    }
}

impl From<&Proof> for Coded {
    fn from(proof: &Proof) -> Self {
        Coded::new(&proof.code, &proof.text)
    }
}

impl From<&Holding> for Coded {
    fn from(holding: &Holding) -> Self {
        Coded::new(&holding.code, &holding.text)
    }
}

impl From<&Integration> for Coded {
    fn from(integration: &Integration) -> Self {
        Coded::new(integration.code(), integration)
    }
}

impl From<&Unclear> for Coded {
    fn from(unclear: &Unclear) -> Self {
        Coded::new(unclear.code(), unclear)
    }
}

/// Each of several.
pub fn coded(holdings: &[Holding]) -> Vec<Coded> {
    holdings.iter().map(Coded::from).collect()
}
