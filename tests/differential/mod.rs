//! git-lane beside git on random repositories: what the one says or makes, the other must say or
//! make.
//!
//! Every round has its number as seed, so a failure names all that is needed to see it again. A few
//! rounds are part of every run; for more:
//!
//! ```sh
//! GIT_LANE_TEST_ROUNDS=500 cargo test --test suite differential -- --nocapture
//! ```
//!
//! `GIT_LANE_TEST_LONG=1` stands for 200 rounds, and `GIT_LANE_TEST_SEED` for the first of them.

mod start;
mod status;

use std::path::Path;

use crate::support::{Dice, Sandbox, rounds, write};

/// The seeds of this run: `usual` many, unless the environment asks for more.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let first = std::env::var("GIT_LANE_TEST_SEED").ok();
    let first = first.and_then(|seed| seed.parse().ok()).unwrap_or(0);
    first..first + rounds(usual, 200)
}

const NAMES: [&str; 16] = [
    "a",
    "b.txt",
    "c.c",
    "Read Me",
    "ünï",
    "-dash",
    "x.txt",
    "deep",
    "deep.txt",
    "deep-er",
    "o'quote",
    "[b]",
    "#hash",
    "long name with.many parts.txt",
    "run.sh",
    "~tilde",
];

const CONTENTS: [&str; 9] = [
    "",
    "one\n",
    "one\ntwo\n",
    "one\r\ntwo\r\n",
    "mixed\r\nlines\n",
    "no end",
    "$Id$\n",
    "b\0nary\r\n",
    "tr\u{e4}nen\n",
];

/// A path of up to three names, below the directories of which nothing else lies.
fn path(dice: &mut Dice) -> String {
    let depth = dice.roll(3);
    let directories: Vec<&str> = (0..depth)
        .map(|_| *dice.pick(&["d", "src", "src.d", "d e"]))
        .collect();
    directories
        .into_iter()
        .chain([*dice.pick(&NAMES)])
        .collect::<Vec<_>>()
        .join("/")
}

fn content(dice: &mut Dice) -> Vec<u8> {
    let one = dice.pick(&CONTENTS).as_bytes();
    one.repeat(1 + dice.roll(3))
}

/// Writes some files, of all kinds git knows, some with attributes and ignore patterns.
fn fill(dice: &mut Dice, directory: &Path) {
    for _ in 0..6 + dice.roll(14) {
        let path = directory.join(path(dice));
        if path.symlink_metadata().is_ok()
            || path
                .ancestors()
                .skip(1)
                .any(|above| above.is_file() || above.is_symlink())
        {
            continue;
        }
        match dice.roll(10) {
            0 => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::os::unix::fs::symlink(*dice.pick(&["b.txt", "nowhere", "src"]), path).unwrap();
            }
            1 | 2 => {
                write(&path, content(dice));
                chmod(&path, 0o755);
            }
            _ => write(&path, content(dice)),
        }
    }
}

const ATTRIBUTES: [&str; 12] = [
    "* text=auto",
    "*.txt text",
    "*.txt eol=crlf",
    "*.txt eol=lf",
    "*.c ident",
    "*.txt -text",
    "*.sh text eol=lf",
    "*.txt filter=up",
    "*.c filter=up",
    "[attr]dos eol=crlf",
    "*.txt !text",
    "b.txt working-tree-encoding=UTF-8",
];

fn attributes(dice: &mut Dice, directory: &Path) {
    if dice.roll(2) == 0 {
        let lines: Vec<&str> = (0..1 + dice.roll(3))
            .map(|_| *dice.pick(&ATTRIBUTES))
            .collect();
        let place = *dice.pick(&["", "", "src/", "d/"]);
        if place.is_empty() || !directory.join(place.trim_end_matches('/')).is_file() {
            write(
                &directory.join(format!("{place}.gitattributes")),
                lines.join("\n") + "\n",
            );
        }
    }
}

/// Settings that decide what files look like, and what an index does.
fn settings(dice: &mut Dice, sandbox: &Sandbox) {
    for (key, values) in [
        ("core.autocrlf", &["", "", "", "true", "input", "false"][..]),
        ("core.eol", &["", "", "", "crlf", "lf", "native"]),
        ("core.safecrlf", &["", "false"]),
        ("index.version", &["", "", "4"]),
        ("feature.manyFiles", &["", "", "", "true"]),
        ("core.untrackedCache", &["", "", "true"]),
        ("core.checkStat", &["", "", "minimal"]),
    ] {
        let value = *dice.pick(values);
        if !value.is_empty() {
            sandbox.git(["config", key, value]);
        }
    }
    // A filter that gives back what it took.
    for way in ["smudge", "clean"] {
        sandbox.git([
            "config",
            &format!("filter.up.{way}"),
            "tr a-zA-Z n-za-mN-ZA-M",
        ]);
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}
