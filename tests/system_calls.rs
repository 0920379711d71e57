//! How often a start looks at the lanes that are there already; where strace can be run.

use std::collections::BTreeMap;

use crate::sandbox::Sandbox;

/// How often each path was opened, with the directory of a relative one put before it.
fn opened(trace: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in trace.lines() {
        let Some((_, call)) = line.split_once("open") else { continue };
        let Some(name) = call.split('"').nth(1) else { continue };
        let directory = call.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
        let before = call.find('"').unwrap_or(0);
        let relative = !name.starts_with('/') && call.find('<').is_some_and(|at| at < before);
        let path = if relative { format!("{directory}/{name}") } else { name.to_owned() };
        *counts.entry(path).or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_start_reads_each_file_of_another_lane_once() {
    let sandbox = Sandbox::new();
    let others: Vec<String> = (0..12).map(|number| format!("other{number}")).collect();
    sandbox.lane(["start"].into_iter().chain(others.iter().map(String::as_str))).ok();
    // A file that was written a moment ago is read again, to be sure of it.
    std::thread::sleep(std::time::Duration::from_millis(100));
    let log = sandbox.root().join("home/trace");
    let mut strace = sandbox.command("strace");
    strace.args(["-f", "-y", "-e", "trace=open,openat", "-o"]).arg(&log).arg(sandbox.root().join("bin/git-lane"));
    match strace.args(["start", "new"]).output() {
        Ok(output) if output.status.success() => {}
        _ => return eprintln!("skipped: there is no strace that may trace"),
    }
    let counts = opened(&std::fs::read_to_string(&log).unwrap());
    let admin = sandbox.repo.join(".git/worktrees");
    for other in &others {
        for (file, most) in [("gitdir", 1), ("HEAD", 1), ("commondir", 1), ("locked", 1), ("index", 1)] {
            let path = admin.join(other).join(file);
            let count = counts.get(path.to_str().unwrap()).copied().unwrap_or(0);
            assert!(count <= most, "{} was opened {count} times", path.display());
            assert!(count == 1 || file == "index", "{} was not looked at", path.display());
        }
    }
    let config = counts.get(sandbox.repo.join(".git/config").to_str().unwrap()).copied().unwrap_or(0);
    assert!(config <= 8, "the configuration was opened {config} times");
}
