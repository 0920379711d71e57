//! git-lane and git, side by side: both in one run, in turn, on fresh paths; what counts is the
//! ratio of the medians.
//!
//! `cargo bench` runs everything, `cargo bench -- start list` only the races whose name contains
//! one of the words. `GIT_LANE_BENCH_DIR` says where the fixtures go (default: `target/bench`),
//! `GIT_LANE_BENCH_ROUNDS` how many rounds are counted (default 7), `GIT_LANE_BENCH_LARGE=0` leaves
//! out the repository of 50,000 files.

mod commits;
mod exec;
mod fixture;
mod forecast;
mod gate;
mod hooks;
mod lanes;
mod race;
mod small;
mod start;
mod wait;

use race::Race;

type Run = fn(&mut Race);

fn main() {
    if gate::is_side() {
        return;
    }
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wanted =
        |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let races: [(&str, Run); 30] = [
        ("version", start::version),
        ("start-copy", start::from_a_worktree),
        ("start-objects", start::from_the_object_database),
        ("start-text", small::text),
        ("start-among-lanes", small::among_lanes),
        ("start-from", start::from_a_task_file),
        ("first-status", start::first_status),
        ("list-status", lanes::list_with_status),
        ("list-names", lanes::list_without_status),
        ("list-growth", lanes::growth),
        ("gate-worktree", gate::worktree),
        ("gate-finish", gate::finish),
        ("gate-batch", gate::batch),
        ("check-committed", forecast::committed),
        ("check-uncommitted", forecast::uncommitted),
        ("check-path", forecast::path),
        ("exec", exec::in_many_lanes),
        ("finish", lanes::finish),
        ("undo", lanes::undo),
        ("sync", lanes::sync),
        ("drop", lanes::drop_large),
        ("wait-reaction", wait::reaction),
        ("wait-processor", wait::processor),
        ("compare", commits::compare_with_graph),
        ("compare-refs", commits::compare_among_many_refs),
        ("memory", lanes::memory),
        ("hooks-switch", hooks::switch),
        ("hooks-switch-no-lanes", hooks::switch_without_lanes),
        ("hooks-commit", hooks::commit),
        ("hooks-refuse", hooks::refuse),
    ];
    println!(
        "{:<44} {:>10} {:>10} {:>7} {:>7}",
        "", "git-lane", "other", "ratio", "aim"
    );
    let mut race = Race::new();
    for (name, run) in races {
        if wanted(name) {
            run(&mut race);
        }
    }
    race.fixtures.clean_up();
    if race.missed > 0 {
        println!("{} of the aims were missed", race.missed);
    }
}
