//! See `git_lane::fuzz::guard_config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane::fuzz::guard_config(bytes));
