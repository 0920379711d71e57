//! See `git_lane_fuzz::task_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_lane_fuzz::task_file(bytes));
