//! Eight processes do whatever comes to a seeded mind: afterwards nothing that was ever committed
//! is lost.
//!
//! `GIT_LANE_TEST_SEED` repeats a run's choices, though never the moments they meet in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::{quietly, tell, times};
use crate::support::{Sandbox, die_at, long};

const WORKERS: u64 = 8;

/// One with a directory above its branch, which comes and goes.
const LANES: [&str; 6] = [
    "lane-0",
    "lane-1",
    "lane-2",
    "lane-3",
    "team/lane-4",
    "team/lane-5",
];

/// A small generator of numbers: splitmix64.
struct Choice(u64);

impl Choice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What all workers share.
struct World {
    sandbox: Sandbox,
    /// Every commit git said it made in a lane.
    commits: Mutex<BTreeSet<String>>,
    /// What was said that no user should hear.
    complaints: Mutex<Vec<String>>,
    /// What each did, for the developer who has to find out why the test failed.
    story: Mutex<Vec<String>>,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.git(["config", "core.abbrev", "40"]);
        sandbox.git(["config", "gc.auto", "0"]);
        // The sandbox's clock stands still, years ago.
        sandbox.git(["config", "gc.reflogExpire", "never"]);
        sandbox.git(["config", "gc.reflogExpireUnreachable", "never"]);
        World {
            sandbox,
            commits: Mutex::default(),
            complaints: Mutex::default(),
            story: Mutex::default(),
        }
    }

    /// The lane's worktree, while there is a lane: never a relative path, which would lead to
    /// wherever the tests run.
    fn place(&self, lane: &str) -> Option<PathBuf> {
        let output = self
            .sandbox
            .command("git-lane")
            .args(["path", lane])
            .output()
            .unwrap();
        let place = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
        let ours = place.starts_with(self.sandbox.root()) && place != self.sandbox.repo;
        (output.status.success() && ours).then_some(place)
    }

    /// Runs `act`; the story says when and with what result.
    fn told<T>(&self, what: &str, act: impl FnOnce() -> (T, String)) -> T {
        let clock = || {
            std::time::UNIX_EPOCH
                .elapsed()
                .map_or(0, |now| now.as_millis() % 60_000)
        };
        let began = clock();
        let (done, said) = act();
        let line = format!(
            "{began:05} to {:05}  {what}  {}",
            clock(),
            said.trim_end().replace('\n', "\n        ")
        );
        self.story.lock().unwrap().push(line);
        done
    }

    /// git-lane, which may refuse but neither panic nor fall over.
    fn lane(&self, args: &[&str]) {
        let output = self.told(&args.join(" "), || {
            let output = self
                .sandbox
                .command("git-lane")
                .args(args)
                .output()
                .unwrap();
            let said = format!(
                "{:?} {}",
                output.status.code(),
                String::from_utf8_lossy(&output.stderr)
            );
            (output, said)
        });
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Two that commit in one worktree meet at git's own lock, and a git may find the lane just
        // gone.
        let gits = [
            "index.lock': File exists",
            "not a git repository",
            "unable to write new index file",
        ];
        let met = output.status.code() == Some(5) && gits.iter().any(|own| said.contains(own));
        if !met && !matches!(output.status.code(), Some(0 | 1 | 3)) || said.contains("panicked") {
            self.complaints
                .lock()
                .unwrap()
                .push(format!("{args:?}: {:?}: {said}", output.status));
        }
    }

    /// git-lane, killed: at one of its named steps, or after a moment.
    fn killed(&self, args: &[&str], moment: u64) {
        let mut command = self.sandbox.command("git-lane");
        command
            .args(args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        let named = !long() || moment.is_multiple_of(2);
        if named {
            die_at(&mut command, 1 + moment % 30);
        }
        self.told(&format!("killed at {moment}: {}", args.join(" ")), || {
            let mut child = command.spawn().unwrap();
            if !named {
                std::thread::sleep(Duration::from_millis(moment));
                let _ = child.kill();
            }
            ((), format!("{:?}", child.wait()))
        });
    }

    fn commit(&self, lane: &str, number: u64) {
        let Some(place) = self.place(lane) else {
            return;
        };
        // Fails where the lane has just gone.
        let _ = std::fs::write(place.join(format!("{number}.txt")), number.to_string());
        let git = |args: &[&str]| {
            self.sandbox
                .command("git")
                .current_dir(&place)
                .args(args)
                .output()
        };
        let Ok(_) = git(&["add", "-A"]) else { return };
        let committed = self.told(&format!("commit in {}", place.display()), || {
            let output = git(&["commit", "-m", "work"]);
            let said = output
                .as_ref()
                .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            let said = said.unwrap_or_default();
            (output, said)
        });
        let Ok(output) = committed else { return };
        // `[lane-1 <id>] work`
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let id = said
            .split([' ', ']'])
            .find(|word| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit()));
        if let (true, Some(id)) = (output.status.success(), id) {
            self.commits.lock().unwrap().insert(id.to_owned());
        }
    }

    /// One operation; what git refuses is no failure.
    fn step(&self, choice: &mut Choice) {
        let lane = LANES[choice.below(LANES.len() as u64) as usize];
        let number = choice.below(1_000_000);
        let moment = choice.below(120);
        let git = |args: &[&str]| {
            self.told(&args.join(" "), || {
                (
                    (),
                    format!("{}", quietly(self.sandbox.command("git").args(args))),
                )
            });
        };
        match choice.below(100) {
            0..18 => self.lane(&["start", lane]),
            18..46 => self.commit(lane, number),
            46..54 => self.lane(&["finish", lane]),
            54..58 => self.lane(&["finish", lane, "--force", "--commit", "all"]),
            58..63 => self.lane(&["drop", lane, "--yes"]),
            63..66 => self.lane(&["drop", lane, "--force"]),
            66..74 => self.lane(&["restore", lane]),
            74..77 => self.lane(&["prune", "--yes"]),
            77..80 => self.killed(&["start", lane], moment),
            80..83 => self.killed(&["finish", lane], moment),
            83..86 => self.killed(&["drop", lane, "--force"], moment),
            86..88 => self.killed(&["restore", lane], moment),
            88..90 => {
                git(&["branch", "-m", lane, &format!("renamed-{number}")]);
            }
            90..92 => {
                let to = self.sandbox.root().join(format!("moved-{number}"));
                if let Some(place) = self.place(lane) {
                    git(&[
                        "worktree",
                        "move",
                        place.to_str().unwrap(),
                        to.to_str().unwrap(),
                    ]);
                }
            }
            92..95 => {
                if let Some(place) = self.place(lane) {
                    // In one step: removing file by file would go on in whatever place it is moved
                    // to meanwhile.
                    let gone = self.sandbox.root().join(format!("gone-{number}"));
                    let what = format!("rm -rf {}", place.display());
                    let remove = || {
                        std::fs::rename(place, &gone).and_then(|()| std::fs::remove_dir_all(gone))
                    };
                    self.told(&what, || ((), format!("{:?}", remove())));
                }
            }
            _ => {
                git(&["gc", "--quiet"]);
            }
        }
    }

    /// What must hold in the end, after one more command.
    fn check(&self) {
        let sandbox = &self.sandbox;
        let complaints = self.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{complaints:#?}");
        sandbox.plain_git_works();
        sandbox.lane(["trash", "--expire"]).ok();
        sandbox.plain_git_works();
        sandbox.nothing_under_way();
        // A lane whose branch was renamed and that has no commit of its own has nothing to keep.
        let trash = std::fs::read_dir(sandbox.repo.join(".git/lane/trash"))
            .into_iter()
            .flatten()
            .flatten();
        let keeps = |entry: &std::fs::DirEntry| {
            let text = std::fs::read(entry.path().join("entry.json")).unwrap();
            !serde_json::from_slice::<serde_json::Value>(&text).unwrap()["keep"].is_null()
        };
        let name = |entry: std::fs::DirEntry| {
            format!("refs/lane/trash/{}", entry.file_name().to_str().unwrap())
        };
        let mut kept: Vec<String> = trash.filter(keeps).map(name).collect();
        kept.sort();
        let refs = sandbox.git(["for-each-ref", "--format=%(refname)", "refs/lane"]);
        assert_eq!(
            refs.lines().collect::<Vec<_>>(),
            kept,
            "{}",
            sandbox.lane(["log"]).ok()
        );
        self.nothing_is_lost();
        self.lanes_are_whole();
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");

        // A user's `rm -rf` leaves a record that only prune clears; then all is as it should be.
        sandbox.lane(["prune", "--yes"]).ok();
        let mended = sandbox.lane(["doctor", "--fix"]).to_string();
        let doctor = sandbox.lane(["doctor", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
        let findings = report["findings"].as_array().into_iter().flatten();
        let gits = |found: &serde_json::Value| match found["code"].as_str() {
            // Two `git branch -m` at once lose a reflog, and with it what tells a rename from a
            // switch.
            Some("stray") => found["message"].to_string().contains("renamed-"),
            // A `git commit` makes the directory of its log again when the lane has just left;
            // doctor waits a minute.
            Some("unfinished-worktree") => true,
            // A gc prunes what 'git worktree move' is just writing: plain git loses one in four so.
            Some("unlisted-worktree") => found["message"].to_string().contains("/moved-"),
            _ => false,
        };
        let left = findings.filter(|found| !gits(found));
        assert_eq!(
            left.count(),
            0,
            "{mended}{doctor}\n{}",
            sandbox.lane(["log"]).ok()
        );
        self.nothing_is_lost();
    }

    fn nothing_is_lost(&self) {
        let sandbox = &self.sandbox;
        // A `git branch -m` that fails puts the branch back to where it was before another git's
        // commit: git's own race, after which the commit is in the reflogs only.
        let refused = |line: &String| line.contains("branch -m") && line.ends_with("false");
        let reflog = self.story.lock().unwrap().iter().any(refused);
        let reachable = sandbox.git(
            ["rev-list", "--all"]
                .into_iter()
                .chain(reflog.then_some("--reflog")),
        );
        let reachable: BTreeSet<String> = reachable.lines().map(str::to_owned).collect();
        let commits = self.commits.lock().unwrap();
        let lost: Vec<&String> = commits.difference(&reachable).collect();
        let told = || {
            let show = lost
                .iter()
                .map(|id| sandbox.git(["show", "--stat", id]))
                .collect::<Vec<_>>()
                .join("\n");
            let refs = sandbox.git(["for-each-ref"]);
            format!("{show}\n{refs}\n{}", sandbox.lane(["log"]).ok())
        };
        assert!(
            lost.is_empty(),
            "{} of {} commits are lost: {lost:?}\n{}",
            lost.len(),
            commits.len(),
            told()
        );
        assert!(!commits.is_empty());
    }

    /// Every worktree git knows is a lane's own, with its branch.
    fn lanes_are_whole(&self) {
        let sandbox = &self.sandbox;
        let lanes = sandbox.lane(["list", "--json"]).json();
        assert_eq!(lanes["damagedRecords"], serde_json::json!([]));
        let mut paths = BTreeSet::new();
        for lane in lanes["lanes"].as_array().unwrap() {
            // One that was moved and whose branch was renamed is git's alone.
            let renamed = lane["branch"]
                .as_str()
                .is_some_and(|branch| branch.starts_with("renamed-"));
            let known = lane["lane"].is_string() || lane["main"] == true || renamed;
            assert!(
                known,
                "a worktree without a lane: {lane:#}\n{}",
                sandbox.lane(["log"]).ok()
            );
            assert!(
                lane["state"] != "damaged" || renamed,
                "{lane:#}\n{}",
                sandbox.lane(["log"]).ok()
            );
            let unborn = lane["state"] == "clean" && lane["tip"].is_null();
            assert!(
                !unborn,
                "a lane without its branch: {lane:#}\n{}",
                sandbox.lane(["log"]).ok()
            );
            assert!(
                paths.insert(lane["path"].as_str().unwrap().to_owned()),
                "{lane:#}"
            );
        }
    }
}

fn names_in(directory: &Path) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

#[test]
fn nothing_committed_in_a_lane_is_ever_lost() {
    let here = std::env::current_dir().unwrap();
    let before = names_in(&here);
    let given = std::env::var("GIT_LANE_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let clock = || {
        std::time::UNIX_EPOCH
            .elapsed()
            .map_or(1, |now| now.as_millis() as u64)
    };
    let steps = if long() { 60 } else { 30 };
    let (first, mut commits) = (given.unwrap_or_else(clock), 0);
    for round in 0..times() {
        let seed: u64 = first.wrapping_add(round as u64);
        // Shown when the test fails.
        println!("GIT_LANE_TEST_SEED={seed}");
        let world = World::new();
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let world = &world;
                scope.spawn(move || {
                    let mut choice = Choice(seed ^ (worker << 32));
                    (0..steps).for_each(|_| world.step(&mut choice));
                });
            }
        });
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.check()));
        if let Err(panic) = checked {
            println!("{}", world.story.lock().unwrap().join("\n"));
            std::panic::resume_unwind(panic);
        }
        commits += world.commits.lock().unwrap().len();
    }
    assert_eq!(
        names_in(&here),
        before,
        "something was written to where the tests run"
    );
    let more = format!(
        "{} operations a round, {commits} commits, seeds {first} and on",
        WORKERS * steps
    );
    tell("random operations", WORKERS as usize, 0, "-", &more);
}
