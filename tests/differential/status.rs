//! `git lane list --json` against `git status --porcelain=v2`.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{Dice, attributes, content, fill, path, seeds, settings};
use crate::support::{Sandbox, write};

const LANES: [&str; 4] = ["one", "two", "three", "four"];

const PATTERNS: [&str; 22] = [
    "*.txt",
    "!b.txt",
    "/src/",
    "src",
    "d/*",
    "!d/a",
    "**/deep",
    "*/",
    "/*",
    "!/src/",
    "*",
    "!*.c",
    "deep*",
    "/d/**",
    "Read\\ Me",
    "[a-c]*",
    "?",
    "\\#hash",
    "src/**/b.txt",
    "*.T?T",
    "**",
    "/",
];

#[test]
fn list_counts_what_git_status_counts() {
    for seed in seeds(5) {
        let mut dice = Dice::new(seed);
        let sandbox = Sandbox::new();
        settings(&mut dice, &sandbox);
        fill(&mut dice, &sandbox.repo);
        attributes(&mut dice, &sandbox.repo);
        if dice.roll(3) == 0 {
            submodule(&sandbox);
        }
        sandbox.commit("random");
        sandbox.lane(["start"].into_iter().chain(LANES)).ok();
        for lane in LANES {
            for _ in 0..dice.roll(9) {
                change(&mut dice, &sandbox, &sandbox.lane_path(lane));
            }
        }
        patterns(&mut dice, &sandbox.repo.join(".git/info/exclude"));
        patterns(&mut dice, &sandbox.root().join("home/.config/git/ignore"));
        let listed = sandbox.lane(["list", "--json"]).json();
        for lane in LANES {
            let found = listed["lanes"]
                .as_array()
                .unwrap()
                .iter()
                .find(|found| found["lane"] == lane)
                .cloned()
                .unwrap();
            let mut ours = ["staged", "modified", "untracked", "conflicted"]
                .map(|key| found[key].as_u64().unwrap());
            let (gits, flagged, said) = by_git(&sandbox, &sandbox.lane_path(lane));
            // A converted file that git was told not to look at counts as changed, because only git
            // could tell.
            if (gits[1]..=gits[1] + flagged).contains(&ours[1]) {
                ours[1] = gits[1];
            }
            assert_eq!(ours, gits, "seed {seed}, lane {lane}: {found}\n{said}");
        }
    }
}

fn patterns(dice: &mut Dice, file: &Path) {
    if dice.roll(3) == 0 {
        let lines: Vec<&str> = (0..1 + dice.roll(4))
            .map(|_| *dice.pick(&PATTERNS))
            .collect();
        write(file, lines.join("\n") + *dice.pick(&["\n", "", "\r\n"]));
    }
}

/// What git counts once nothing in the index tells it to look away, and in how many places that was
/// so.
fn by_git(sandbox: &Sandbox, lane: &Path) -> ([u64; 4], u64, String) {
    let mut flagged = 0;
    let copy = sandbox.root().join("index");
    let index = sandbox.admin(lane).join("index");
    std::fs::copy(&index, &copy).unwrap();
    // What is as young as its index is looked at again: the copy must not be younger.
    let written = std::fs::metadata(&index).unwrap().modified().unwrap();
    std::fs::File::options()
        .write(true)
        .open(&copy)
        .unwrap()
        .set_modified(written)
        .unwrap();
    let git = |args: &[&str]| {
        let mut command = sandbox.command("git");
        command
            .current_dir(lane)
            .env("GIT_INDEX_FILE", &copy)
            .args(args);
        sandbox.run(&mut command).ok()
    };
    for line in git(&["-c", "core.quotePath=false", "ls-files", "-v", "-z"])
        .split('\0')
        .filter(|line| !line.is_empty())
    {
        let (tag, path) = line.split_at(2);
        flagged += u64::from(!tag.starts_with('H') && !tag.starts_with('M'));
        if tag.starts_with(|c: char| c.is_lowercase()) {
            git(&["update-index", "--no-assume-unchanged", "--", path]);
        }
        if tag.to_lowercase().starts_with('s') && lane.join(path).symlink_metadata().is_ok() {
            git(&["update-index", "--no-skip-worktree", "--", path]);
        }
    }
    let status = [
        "status",
        "--porcelain=v2",
        "--ignore-submodules=none",
        "--no-renames",
        "--untracked-files=normal",
    ];
    let said = git(&[
        &["-c", "core.fsmonitor=false", "-c", "core.checkStat=default"][..],
        &status,
    ]
    .concat());
    let mut counts = [0; 4];
    for line in said.lines() {
        let codes = line.as_bytes();
        match codes[0] {
            b'1' => {
                counts[0] += u64::from(codes[2] != b'.');
                counts[1] += u64::from(codes[3] != b'.');
            }
            b'?' => counts[2] += 1,
            b'u' => counts[3] += 1,
            other => panic!("{}", other as char),
        }
    }
    (counts, flagged, said)
}

fn submodule(sandbox: &Sandbox) {
    let part = sandbox.root().join("part");
    sandbox.git(["init", "-q", "-b", "main", part.to_str().unwrap()]);
    sandbox.git_in(&part, ["commit", "-q", "--allow-empty", "-m", "part"]);
    sandbox.add_submodule(&part, "part");
}

/// One thing that happens in a worktree.
fn change(dice: &mut Dice, sandbox: &Sandbox, lane: &Path) {
    let tracked = sandbox.git_in(lane, ["-c", "core.quotePath=false", "ls-files", "-z"]);
    let tracked: Vec<&str> = tracked
        .split('\0')
        .filter(|path| !path.is_empty() && *path != "part")
        .collect();
    let new = path(dice);
    let blocked = |path: &Path| {
        path.ancestors()
            .skip(1)
            .take_while(|above| *above != lane)
            .any(|above| !above.is_dir() && above.symlink_metadata().is_ok())
    };
    let Some(one) = (!tracked.is_empty()).then(|| *dice.pick(&tracked)) else {
        return;
    };
    let (file, new_file) = (lane.join(one), lane.join(&new));
    let there = file
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    let git = |args: &[&str]| {
        let mut command = sandbox.command("git");
        drop(sandbox.run(command.current_dir(lane).args(args)));
    };
    let free = new_file.symlink_metadata().is_err() && !blocked(&new_file);
    match dice.roll(24) {
        0 if there => {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes.reverse();
            std::fs::write(&file, bytes).unwrap();
        }
        1 | 2 if there => write(&file, content(dice)),
        3 if there => std::fs::write(&file, std::fs::read(&file).unwrap()).unwrap(),
        4 if there => std::fs::remove_file(&file).unwrap(),
        5 if there => super::chmod(&file, *dice.pick(&[0o644, 0o755, 0o600])),
        6 if there => {
            std::fs::remove_file(&file).unwrap();
            symlink("elsewhere", &file).unwrap();
        }
        7 if there => {
            std::fs::remove_file(&file).unwrap();
            write(&file.join("inside"), "x");
        }
        8 | 9 if free => write(&new_file, content(dice)),
        10 if free => {
            write(&new_file, content(dice));
            git(&["add", "--", &new]);
        }
        11 if there => {
            write(&file, content(dice));
            git(&["add", "--", one]);
        }
        12 if free => git(&["mv", "--", one, &new]),
        13 => git(&["rm", "-q", "--cached", "-f", "--", one]),
        14 if free => {
            write(&new_file, content(dice));
            git(&["add", "-N", "--", &new]);
        }
        15 => git(&[
            "update-index",
            *dice.pick(&["--assume-unchanged", "--skip-worktree"]),
            "--",
            one,
        ]),
        16 if free => git(&["init", "-q", &format!("./{new}")]),
        17 => {
            let place = lane.join(*dice.pick(&["", "d", "src"]));
            if !blocked(&place.join("x")) {
                patterns(dice, &place.join(".gitignore"));
            }
        }
        18 if free => std::fs::create_dir_all(new_file.join("empty")).unwrap(),
        19 if free => {
            std::fs::create_dir_all(new_file.parent().unwrap()).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD,
                &new_file,
                rustix::fs::FileType::Fifo,
                0o644.into(),
                0,
            )
            .unwrap();
        }
        20 => git(&[
            "update-index",
            *dice.pick(&["--refresh", "--split-index", "--untracked-cache"]),
        ]),
        21 => {
            let id = sandbox.git_in(lane, ["rev-parse", "HEAD:README"]);
            let lines: Vec<String> = (1..4)
                .map(|stage| format!("100644 {id} {stage}\t{new}"))
                .collect();
            let script = format!(
                "git update-index --index-info <<'END'\n{}\nEND",
                lines.join("\n")
            );
            drop(
                sandbox.run(
                    sandbox
                        .command("sh")
                        .current_dir(lane)
                        .args(["-c", &script]),
                ),
            );
        }
        22 => attributes(dice, lane),
        23 if lane.join("part").is_dir() => {
            git(&["submodule", "--quiet", "update", "--init"]);
            write(
                &lane.join("part").join(*dice.pick(&["new", ".git-not"])),
                "x",
            );
        }
        _ => {}
    }
}
