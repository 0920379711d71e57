//! The thorough version: [`strike.c`](strike.c) stops the command at every file-changing system
//! call.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;

use super::{Stage, scenarios, text};

const FAULTS: [&str; 8] = [
    "kill-all",
    "kill-one",
    "SIGTERM-all",
    "SIGTERM-one",
    "SIGINT-all",
    "SIGINT-one",
    "ENOSPC",
    "EIO",
];

/// One line of the table.
#[derive(Default)]
struct Row {
    points: usize,
    before: usize,
    after: usize,
    failures: Vec<String>,
}

#[test]
#[ignore = "takes half an hour; say what to run with GIT_LANE_TEST_CRASH=all"]
fn at_every_system_call() {
    let wanted = std::env::var("GIT_LANE_TEST_CRASH").unwrap_or_else(|_| "all".into());
    let all = scenarios::all().flat_map(|scenario| FAULTS.map(|fault| (scenario, fault)));
    let picked = all.filter(|(scenario, fault)| {
        let is = |part: &str| scenario.name.contains(part) || fault.contains(part);
        let named = || {
            wanted.split(',').all(|part| {
                part.strip_prefix('!')
                    .map_or_else(|| is(part), |part| !is(part))
            })
        };
        wanted == "all" || named()
    });
    let pending: Mutex<Vec<_>> = Mutex::new(picked.collect());
    let failures = Mutex::new(Vec::new());
    // Failed assertions are collected, not shown as they come.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = pending.lock().unwrap().pop();
                    let Some((scenario, fault)) = next else {
                        return;
                    };
                    let row = catch_unwind(|| strike(Stage::new(scenario), fault)).unwrap_or_else(
                        |reason| Row {
                            failures: vec![format!("not run to its end: {}", text(&*reason))],
                            ..Row::default()
                        },
                    );
                    let Row {
                        points,
                        before,
                        after,
                        ..
                    } = &row;
                    let name = scenario.name;
                    eprintln!(
                        "{name:<28} {fault:<11} {points:>4} points {before:>4} broken before \
                               {after:>4} after"
                    );
                    let mut failures = failures.lock().unwrap();
                    failures.extend(row.failures.into_iter().map(|failure| {
                        format!(
                            "{name}, \
                         {failure}"
                        )
                    }));
                }
            });
        }
    });
    std::panic::set_hook(hook);
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn strike(stage: Stage, fault: &str) -> Row {
    let root = stage.sandbox.root();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/strike.c");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O1", "-o"])
        .arg(root.join("bin/strike"))
        .arg(source);
    stage.sandbox.run(&mut compiler).ok();
    let report = root.join("report");
    let mut row = Row::default();
    let stride = std::env::var("GIT_LANE_TEST_STRIDE").ok();
    let stride = stride.and_then(|stride| stride.parse().ok()).unwrap_or(1);
    for point in (1..).step_by(stride) {
        stage.reset();
        let mut command = stage.sandbox.command("strike");
        command
            .args([fault, &point.to_string()])
            .arg(&report)
            .arg(root.join("bin/git-lane"));
        let run = stage.sandbox.run(command.args(stage.scenario.args));
        let struck = std::fs::read_to_string(&report).unwrap();
        if struck.starts_with("survived") {
            assert!(point > 10 && run.code == stage.scenario.ends, "{run}");
            break;
        }
        row.points += 1;
        let before = catch_unwind(AssertUnwindSafe(|| {
            assert!(!run.stderr.contains("panicked"));
            if fault.starts_with("SIG") {
                let locks = stage.sandbox.locks_of_git();
                assert!(locks.is_empty(), "locks of git's are left: {locks:?}");
                stage.sandbox.nothing_under_way();
            }
            stage.check_before();
        }));
        let after = catch_unwind(AssertUnwindSafe(|| stage.check_after(&run)));
        row.before += usize::from(before.is_err());
        row.after += usize::from(after.is_err());
        for (when, held) in [("before", before), ("after", after)] {
            if let Err(reason) = held {
                let mut failure = String::new();
                let _ = write!(failure, "{when}: {struck}{run}{}", text(&*reason));
                row.failures.push(failure);
            }
        }
    }
    row
}
