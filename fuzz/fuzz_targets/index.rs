//! See `git_lane_fuzz::index`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane_fuzz::index(bytes));
