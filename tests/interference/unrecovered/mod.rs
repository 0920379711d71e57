//! What cannot be recovered stops what it is about and nothing else.

mod holds_up;
mod newer;

use super::*;
