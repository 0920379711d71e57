//! How often a start looks at the lanes that are there already; where strace can be run.

use std::collections::BTreeMap;

use crate::support::{Sandbox, skipped};

/// How often each path was opened, with the directory of a relative one put before it.
fn opened(trace: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in trace.lines() {
        let Some((_, call)) = line.split_once("open") else {
            continue;
        };
        let Some(name) = call.split('"').nth(1) else {
            continue;
        };
        let directory = call
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'))
            .map_or("", |(path, _)| path);
        let before = call.find('"').unwrap_or(0);
        let relative = !name.starts_with('/') && call.find('<').is_some_and(|at| at < before);
        let path = if relative {
            format!("{directory}/{name}")
        } else {
            name.to_owned()
        };
        *counts.entry(path).or_insert(0) += 1;
    }
    counts
}

/// How many system calls had to do with a path that contains one of `parts`. A debug build asks for
/// each descriptor's flags before it closes it. A call that another thread has interrupted stands on
/// two lines.
fn calls(trace: &str, parts: &[String]) -> usize {
    let about = |line: &&str| parts.iter().any(|part| line.contains(part.as_str()));
    trace
        .lines()
        .filter(|line| !line.contains("fcntl(") && !line.contains(" resumed>"))
        .filter(about)
        .count()
}

#[test]
fn a_start_reads_each_file_of_another_lane_once() {
    let sandbox = Sandbox::new();
    let others: Vec<String> = (10..22).map(|number| format!("other{number}")).collect();
    sandbox
        .lane(
            ["start"]
                .into_iter()
                .chain(others.iter().map(String::as_str)),
        )
        .ok();
    // A file that was written a moment ago is read again, to be sure of it.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let log = sandbox.root().join("home/trace");
    let mut strace = sandbox.command("strace");
    strace
        .args(["-f", "-y", "-o"])
        .arg(&log)
        .arg(sandbox.root().join("bin/git-lane"));
    match strace.args(["start", "new"]).output() {
        Ok(output) if output.status.success() => {}
        _ => return skipped("there is no strace that may trace"),
    }
    let trace = std::fs::read(&log).unwrap();
    let trace = String::from_utf8_lossy(&trace);
    let counts = opened(&trace);
    let admin = sandbox.repo.join(".git/worktrees");
    let (mut copied_from, mut most_calls) = (0, 0);
    for other in &others {
        for (file, least, most) in [
            ("", 1, 1),
            ("/gitdir", 1, 1),
            ("/HEAD", 1, 1),
            ("/commondir", 1, 1),
            ("/locked", 0, 0),
            ("/index", 0, 1),
        ] {
            let path = format!("{}{file}", admin.join(other).display());
            let count = counts.get(&path).copied().unwrap_or(0);
            assert!(
                (least..=most).contains(&count),
                "{path} was opened {count} times"
            );
            copied_from += usize::from(file == "/index" && count > 0);
        }
        let own = ["worktrees", "lanes", "heads"].map(|above| format!("{above}/{other}"));
        if !counts.contains_key(&format!("{}/index", admin.join(other).display())) {
            most_calls = most_calls.max(calls(&trace, &own));
        }
    }
    assert!(
        copied_from <= 8,
        "the files of {copied_from} lanes were looked for"
    );
    assert!(
        most_calls <= 22,
        "{most_calls} system calls for a lane that is only listed"
    );
    let config = counts
        .get(sandbox.repo.join(".git/config").to_str().unwrap())
        .copied()
        .unwrap_or(0);
    assert!(config <= 4, "the configuration was opened {config} times");
}
