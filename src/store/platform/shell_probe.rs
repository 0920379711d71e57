//! Which signals this process was started with as ignored ones, found out by children: they inherit
//! what is ignored, and one that ignores a signal outlives it.
//!
//! For systems that do not tell; `store/platform` asks. nohup(1) and a shell that starts a job in the
//! background have some ignored.

use std::process::{Child, Command, Stdio};

/// Those of the `asked`.
pub fn ignored_signals(asked: &[i32]) -> Vec<i32> {
    probe(asked, &[])
}

/// Asks; what is `before` runs the shell that asks.
fn probe(asked: &[i32], before: &[&str]) -> Vec<i32> {
    let start = |signal: i32| -> Option<Child> {
        let line = format!("ulimit -c 0; kill -{signal} $$");
        let words = [before, &["/bin/sh", "-c", &line]].concat();
        let (program, rest) = words.split_first()?;
        let mut shell = Command::new(program);
        shell.args(rest).current_dir("/").stdin(Stdio::null());
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        shell.spawn().ok()
    };
    // All at once: a program's start is what takes time.
    let started: Vec<(i32, Option<Child>)> = asked.iter().map(|one| (*one, start(*one))).collect();
    let outlived = |(signal, child): (i32, Option<Child>)| {
        let ended = child?.wait().ok()?;
        ended.success().then_some(signal)
    };
    started.into_iter().filter_map(outlived).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_outlives_what_is_ignored() {
        let (hup, int, term) = (1, 2, 15);
        for (before, expected) in [
            ("exec \"$@\"", vec![]),
            ("trap '' HUP; exec \"$@\"", vec![hup]),
            ("trap '' INT TERM; exec \"$@\"", vec![int, term]),
        ] {
            let shell = ["/bin/sh", "-c", before, "sh"];
            assert_eq!(probe(&[hup, int, term], &shell), expected, "{before}");
        }
    }
}
