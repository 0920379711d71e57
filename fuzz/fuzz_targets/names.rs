//! See `git_lane::fuzz::names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane::fuzz::names(bytes));
