//! Makes a lane: everything is prepared aside, then published by renames.

use serde::{Deserialize, Serialize};

use super::recover::Healed;
use super::repository::Repository;
use crate::error::Result;

/// What a start is about to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {}

/// Completes or undoes an interrupted start.
pub fn recover(_repository: &Repository, _intent: Intent) -> Result<Healed> {
    Ok(Healed { what: String::new(), completed: false })
}
