//! See `git_lane_fuzz::events`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane_fuzz::events(bytes));
