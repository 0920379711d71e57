//! Forty kinds of nasty input, a test for each: `row_07_…` is row 7. The comment of a test says
//! what goes in and what is expected of it; "refused" means: exit code not 0, one line why, nothing
//! changed on disk.
//!
//! Rows 1 to 15 are names, 16 to 23 places and worktrees, 24 to 26 records, 27 to 32 hooks and
//! policies, 33 to 40 what surrounds us. Some rows have more to them elsewhere; their comments say
//! where.

mod hooks;
mod names;
mod places;
mod records;
mod surroundings;

use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, executable, files};

#[test]
fn every_row_has_a_test() {
    let rows = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nasty"));
    let sources = rows
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let text: String = sources
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for row in 1..=40 {
        assert!(
            text.contains(&format!("#[test]\nfn row_{row:02}_")),
            "row {row}"
        );
    }
}

impl Sandbox {
    /// Refused with `words` in one line and a hint or usage, and nothing changed.
    #[track_caller]
    fn refuses(&self, args: &[&str], words: &str) -> String {
        let before = self.fingerprint();
        let run = self.lane(args);
        assert!(matches!(run.code, 1 | 2 | 4), "{run}");
        assert_eq!(
            run.stderr
                .lines()
                .filter(|line| line.starts_with("error: "))
                .count(),
            1,
            "{run}"
        );
        assert!(run.stderr.contains(words), "{words}: {run}");
        assert_calm(&run);
        assert!(self.fingerprint() == before, "{args:?} changed something");
        run.stderr
    }

    /// The directory git-lane names for a lane.
    #[track_caller]
    fn place_of(&self, lane: &str) -> PathBuf {
        self.lane(["path", "--", lane])
            .ok()
            .strip_suffix('\n')
            .unwrap()
            .into()
    }

    /// A program on PATH that leaves the file `started` in the home directory.
    fn trap(&self, name: &str) {
        let path = self.root().join("bin").join(name);
        executable(&path, "#!/bin/sh\n: >\"$HOME/started\"\nexit 1\n");
    }

    /// Nothing of what a name, a file or a setting could have started was started.
    #[track_caller]
    fn nothing_was_started(&self) {
        assert!(!self.root().join("home/started").exists());
        for place in [
            self.repo.clone(),
            self.root(),
            self.root().join("home"),
            self.root().join("shop.lanes"),
        ] {
            assert!(!place.join("pwned").exists(), "{}", place.display());
        }
    }
}

/// Nothing that steers a terminal, and no panic.
#[track_caller]
fn assert_calm(run: &Run) {
    let steers = |c: char| {
        let seen = c.is_control() && c != '\n';
        seen || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(
        !run.stdout.chars().any(steers) && !run.stderr.chars().any(steers),
        "{:?} {:?}",
        run.stdout,
        run.stderr
    );
    assert!(!run.stderr.contains("panicked"), "{run}");
}

/// Names that are whole shell programs, and valid names of branches.
const SHELL: [&str; 12] = [
    "x;touch${IFS}pwned",
    "$(touch${IFS}pwned)",
    "`id`",
    "a'b\"c",
    "a|id&id",
    "!id",
    "#x",
    "'$(id)'",
    "x>pwned",
    "$HOME",
    "%s%n",
    "a;id;#/b",
];
