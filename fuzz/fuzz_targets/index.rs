//! See `git_lane::fuzz::index`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane::fuzz::index(bytes));
