//! See `git_lane_fuzz::guard_config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane_fuzz::guard_config(bytes));
