//! How long a random test runs: shortly in every run, long where the user asks for it.

/// Whether the long versions run: `GIT_LANE_TEST_LONG`.
pub fn long() -> bool {
    std::env::var_os("GIT_LANE_TEST_LONG").is_some()
}

/// `usual`, or `many` in the long version; `GIT_LANE_TEST_ROUNDS` is the user's own number.
pub fn rounds(usual: u64, many: u64) -> u64 {
    let own = std::env::var("GIT_LANE_TEST_ROUNDS").ok();
    own.and_then(|rounds| rounds.parse().ok())
        .unwrap_or(if long() { many } else { usual })
}
