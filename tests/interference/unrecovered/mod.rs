//! What cannot be recovered stops what it is about and nothing else.

mod holds_up;
mod newer;

use super::*;
use crate::support::Run;

/// The command did what it was asked for, and said these words on the way.
#[track_caller]
fn warns(run: &Run, words: &[&str]) {
    assert_eq!(run.code, 0, "{run}");
    for word in words {
        assert!(run.stderr.contains(word), "{word}: {run}");
    }
}
