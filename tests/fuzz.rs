//! The checks of the fuzz targets on their seeds and on seeded mutations of them: the short version
//! of `fuzz/run`.

use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod checks;

/// How many mutations of every seed.
const ROUNDS: usize = 4000;

/// Bytes that mean something to one of the parsers.
const TOKENS: [&str; 28] = [
    "\"",
    "\\",
    "\n",
    "\r",
    "\0",
    "[",
    "]",
    "=",
    "#",
    ";",
    "/",
    "..",
    ".lock",
    "@{",
    "{",
    "}",
    "{name}",
    "lane",
    "[lane \"",
    "refs/heads/",
    " ",
    "\t",
    "\u{202e}",
    "null",
    "-1",
    ":",
    "'",
    "\u{7f}",
];

/// xorshift: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let to = at + self.below(bytes.len() - at + 1).min(24);
            match self.below(5) {
                0 => drop(bytes.drain(at..to)),
                1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                2 => {
                    let copy = bytes[at..to].to_vec();
                    let into = self.below(bytes.len() + 1);
                    bytes.splice(into..into, copy);
                }
                3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => drop(bytes.splice(at..at, TOKENS[self.below(TOKENS.len())].bytes())),
            }
        }
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(directory().join("seeds").join(target))
        .unwrap()
        .flatten();
    let named = |file: std::fs::DirEntry| {
        (
            file.path().display().to_string(),
            std::fs::read(file.path()).unwrap(),
        )
    };
    let mut seeds: Vec<_> = files.map(named).collect();
    seeds.sort();
    seeds
}

#[test]
fn every_parser_keeps_its_promises_on_seeds_and_mutations() {
    for (name, target) in checks::TARGETS {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        for (file, seed) in seeds {
            let mut bytes = seed.clone();
            for round in 0..=ROUNDS {
                let outcome = std::panic::catch_unwind(|| target(&bytes));
                assert!(
                    outcome.is_ok(),
                    "{name}, {file}, round {round}: {}",
                    bytes.escape_ascii()
                );
                if round % 20 == 0 {
                    bytes.clone_from(&seed);
                }
                dice.mutate(&mut bytes);
            }
        }
    }
}

#[test]
fn every_target_is_built_and_every_seed_has_a_target() {
    let targets = checks::TARGETS;
    let manifest = std::fs::read_to_string(directory().join("Cargo.toml")).unwrap();
    assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    for (name, _) in targets {
        assert!(
            manifest.contains(&format!(
                "name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\""
            )),
            "{name}"
        );
        assert!(
            directory()
                .join("fuzz_targets")
                .join(format!("{name}.rs"))
                .exists(),
            "{name}"
        );
    }
    assert_eq!(
        std::fs::read_dir(directory().join("seeds"))
            .unwrap()
            .count(),
        targets.len()
    );
}
