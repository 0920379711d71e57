//! See `git_lane::fuzz::git_output`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane::fuzz::git_output(bytes));
