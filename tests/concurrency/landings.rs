//! Many lanes end at once: landed on one checked-out base, fought over, worked in meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Ended, all_ok, failures, names, processes, quietly, tell, timed, times};
use crate::support::{Sandbox, long};

/// Lanes that each hold one commit of their own, and two that change the same line.
fn with_lanes(names: &[String]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.git(["config", "gc.auto", "0"]);
    sandbox
        .lane(
            ["start"]
                .into_iter()
                .chain(names.iter().map(String::as_str)),
        )
        .ok();
    for name in names {
        let (path, text) = if name.starts_with("twin") {
            ("src/app.txt".to_owned(), format!("one\n{name}\nthree\n"))
        } else {
            (format!("src/{name}.txt"), format!("{name}\n"))
        };
        sandbox.work(name, &path, &text);
    }
    sandbox
}

fn finish(name: &str) -> Vec<&str> {
    vec!["git-lane", "finish", name]
}

/// What a process sees that looks at the main worktree again and again.
#[derive(Default)]
struct Looks {
    all: usize,
    /// Changes while a landing was writing files.
    during: usize,
    /// Changes that no process at work had made.
    dirty: usize,
}

impl std::ops::AddAssign for Looks {
    fn add_assign(&mut self, more: Looks) {
        self.all += more.all;
        self.during += more.during;
        self.dirty += more.dirty;
    }
}

impl Looks {
    /// How many of the looks saw changes, while so many branches arrived.
    fn told(&self, arrived: usize) -> String {
        let wrong = self.during + self.dirty;
        let per = |all: usize| wrong as f64 / all as f64;
        format!(
            "{wrong} of {} ({:.0} in 1000, {:.2} per branch)",
            self.all,
            1000.0 * per(self.all),
            per(arrived)
        )
    }
}

impl Sandbox {
    /// Does `work` while another process looks at the main worktree. No file system replaces many
    /// files at one instant: a look counts when no lock is on the index before and after it, and
    /// main is where it was.
    fn watched<T>(&self, work: impl FnOnce() -> T) -> (T, Looks) {
        let stop = AtomicBool::new(false);
        let settled = || {
            let held = self.repo.join(".git/index.lock").exists();
            (!held).then(|| self.git(["rev-parse", "main"]))
        };
        let watch = || {
            let mut looks = Looks::default();
            while !stop.load(Ordering::Relaxed) {
                let before = settled();
                let status = self.git(["--no-optional-locks", "status", "--porcelain"]);
                let quiet = before.is_some() && settled() == before;
                looks.all += 1;
                if !status.is_empty() {
                    *if quiet {
                        &mut looks.dirty
                    } else {
                        &mut looks.during
                    } += 1;
                }
            }
            looks
        };
        std::thread::scope(|scope| {
            let watching = scope.spawn(watch);
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            stop.store(true, Ordering::Relaxed);
            let looks = watching.join().unwrap();
            (
                worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                looks,
            )
        })
    }
}

#[test]
fn all_landings_that_do_not_conflict_arrive() {
    let (mut together, mut one_by_one) = (0.0, 0.0);
    let (mut all_looks, mut looks_by_git, mut by_git, mut dirty_by_git) =
        (Looks::default(), Looks::default(), 0, 0);
    for _ in 0..times() {
        let lanes = names(processes());
        let all = [lanes.clone(), vec!["twin-a".into(), "twin-b".into()]].concat();
        let sandbox = with_lanes(&all);
        let finishes: Vec<Vec<&str>> = all.iter().map(|name| finish(name)).collect();
        let ((ended, time), looks) = sandbox.watched(|| timed(|| sandbox.together(&finishes)));
        together += time.as_secs_f64();
        assert!(looks.all > 0);
        assert_eq!(
            looks.dirty, 0,
            "main was dirty in {} of {} looks",
            looks.dirty, looks.all
        );
        all_looks += looks;
        let (twins, others): (Vec<Ended>, Vec<Ended>) = ended
            .into_iter()
            .partition(|ended| ended.args[2].starts_with("twin"));
        all_ok(&others);
        let mut codes: Vec<_> = twins.iter().map(|twin| twin.code).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(3)], "{twins:#?}");
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        assert_eq!(
            sandbox.git(["rev-list", "--count", "--merges", "main"]),
            (lanes.len() + 1).to_string()
        );
        for name in &lanes {
            assert!(
                sandbox.repo.join(format!("src/{name}.txt")).is_file(),
                "{name}"
            );
        }
        sandbox.at_rest(lanes.len() + 1);

        if long() {
            let sandbox = with_lanes(&all);
            let serially = || {
                all.iter()
                    .for_each(|name| drop(sandbox.lane(["finish", name]).to_string()))
            };
            one_by_one += timed(serially).1.as_secs_f64();
            let (failed, dirty) = merged_by_git();
            (by_git, dirty_by_git) = (by_git + failed, dirty_by_git + usize::from(dirty));
            looks_by_git += merged_by_git_in_turn();
        }
    }
    assert!(
        !long() || together < 3.0 * one_by_one,
        "{together:.1} s at once, {one_by_one:.1} s one by one"
    );
    let more = format!(
        "{together:.1} s, one by one {one_by_one:.1} s; main clean in all looks between landings, \
         not in {}; beside git merge \
         one by one not in {}; git at once left it dirty in {dirty_by_git} rounds",
        all_looks.told(times() * (processes() + 1)),
        looks_by_git.told(times() * processes()),
    );
    tell(
        "finish into one main, one of them conflicting",
        processes() + 2,
        0,
        by_git,
        &more,
    );
}

/// How many of as many `git merge` in the main worktree fail, and whether it is dirty afterwards.
fn merged_by_git() -> (usize, bool) {
    let lanes = names(processes());
    let sandbox = with_lanes(&lanes);
    let merges: Vec<Vec<&str>> = lanes
        .iter()
        .map(|name| vec!["git", "merge", "-q", "--no-edit", "--no-ff", name])
        .collect();
    let failed = failures(&sandbox.together(&merges));
    (failed, !sandbox.git(["status", "--porcelain"]).is_empty())
}

/// What a process sees that looks while git merges one branch after the other, as it is meant to be
/// used.
fn merged_by_git_in_turn() -> Looks {
    let lanes = names(processes());
    let sandbox = with_lanes(&lanes);
    let merge = |name: &String| drop(sandbox.git(["merge", "-q", "--no-edit", "--no-ff", name]));
    sandbox.watched(|| lanes.iter().for_each(merge)).1
}

#[test]
fn one_of_those_who_want_a_lane_away_gets_it() {
    for round in 0..times().max(2) {
        let sandbox = with_lanes(&["wanted".into()]);
        let tip = sandbox.git(["rev-parse", "wanted"]);
        if round % 2 == 0 {
            // Integrated already, so that prune wants it too.
            sandbox.lane(["finish", "wanted", "--keep"]).ok();
        }
        let ways: [&[&str]; 3] = [
            &["git-lane", "finish", "wanted", "--json"],
            &["git-lane", "drop", "wanted", "--yes", "--json"],
            &["git-lane", "prune", "--yes", "--json"],
        ];
        let commands: Vec<Vec<&str>> = (0..processes())
            .map(|number| ways[number % 3].to_vec())
            .collect();
        let ended = sandbox.together(&commands);
        let took = ended.iter().filter(|ended| {
            let document = ended.json();
            let retired = document["retired"]["trash"].is_string()
                || document["dropped"][0]["trash"].is_string();
            ended.ok() && (retired || document["pruned"][0]["trash"].is_string())
        });
        assert_eq!(took.count(), 1, "{ended:#?}");
        for loser in ended.iter().filter(|ended| !ended.ok()) {
            let code = &loser.json()["error"]["code"];
            let told = ["raced", "no-such-lane", "busy"]
                .iter()
                .any(|known| code == known);
            assert!(loser.code == Some(1) && told, "{loser:#?}");
        }
        sandbox.at_rest(1);
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.lane(["restore", "wanted"]).ok();
        assert_eq!(sandbox.git(["rev-parse", "wanted"]), tip);
        sandbox.whole("wanted");
        sandbox.at_rest(0);
    }
    tell(
        "finish, drop and prune of one lane",
        processes(),
        0,
        "-",
        "one gets it, the others are told",
    );
}

/// Each process resolves what it conflicts with, again where another one lands first; what it cannot
/// within its tries it is told.
#[test]
fn lanes_that_conflict_are_resolved_beside_each_other() {
    const BOTH: &str = "sed -i '/^[<=>]\\{7\\}/d' src/app.txt";
    let lanes: Vec<String> = (0..processes() / 2)
        .map(|number| format!("twin-{number}"))
        .collect();
    let sandbox = with_lanes(&lanes);
    let finishes: Vec<Vec<&str>> = lanes
        .iter()
        .map(|name| vec!["git-lane", "finish", name, "--json", "--on-conflict", BOTH])
        .collect();
    let ended = sandbox.together(&finishes);
    let mut landed = 0;
    for ended in &ended {
        match ended.code {
            Some(0) => landed += 1,
            _ => assert_eq!(ended.json()["error"]["code"], "conflict", "{ended:?}"),
        }
    }
    assert!(landed > 0, "{ended:?}");
    let text = sandbox.git(["show", "main:src/app.txt"]);
    for (name, ended) in lanes.iter().zip(&ended) {
        let line = text.lines().any(|line| line == name);
        assert_eq!(line, ended.ok(), "{text}\n{ended:?}");
        if !ended.ok() {
            let path = sandbox.lane_path(name);
            assert_eq!(sandbox.git_in(&path, ["status", "--porcelain"]), "");
        }
    }
    assert_eq!(sandbox.git(["status", "--porcelain"]), "");
    sandbox.at_rest(landed);
    tell(
        "resolved landings",
        lanes.len(),
        0,
        "-",
        &format!("{landed} landed, the others were told"),
    );
}

const LOOKING: [&[&str]; 4] = [
    &["git", "branch", "--list"],
    &["git", "log", "--all", "--oneline"],
    &["git", "status", "--short"],
    &["git-lane", "list", "--json"],
];

/// A git that has read the list of worktrees or branches dies when one of them goes before it has
/// looked at it, next to `git worktree remove` and `git branch -d` as well.
fn is_gits_own(failed: &Ended) -> bool {
    [".git/worktrees/", "bad object refs/heads/"]
        .iter()
        .any(|own| failed.stderr.contains(own))
}

/// Five commits in a worktree; how many of them failed.
fn commits(sandbox: &Sandbox, name: &str) -> usize {
    let path = sandbox.lane_path(name);
    let commit = |_: &i32| {
        let mut command = sandbox.command("git");
        command
            .current_dir(&path)
            .args(["commit", "-q", "--allow-empty", "-m", "work"]);
        !quietly(&mut command)
    };
    (0..5).filter(commit).count()
}

/// Runs all `commands` at once while a git commits in each of `working`, beside those who look;
/// returns how the commands ended, how many commits failed, and how many looked, and which of these
/// failed.
fn meanwhile(
    sandbox: &Sandbox,
    working: &[String],
    commands: &[Vec<&str>],
    loops: &[&[&str]],
) -> (Vec<Ended>, usize, usize, Vec<Ended>) {
    let ((ended, failed_commits), ran, failed) = sandbox.beside(loops, || {
        std::thread::scope(|scope| {
            let mut committing = Vec::new();
            let ended = sandbox.together_after(commands, || {
                committing = working
                    .iter()
                    .map(|name| scope.spawn(move || commits(sandbox, name)))
                    .collect();
            });
            (
                ended,
                committing
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum(),
            )
        })
    });
    (ended, failed_commits, ran, failed)
}

#[test]
fn work_goes_on_in_lanes_while_others_come_and_go() {
    let (mut looked, mut met, mut by_git, mut git_met) = (0, 0, 0, 0);
    for _ in 0..times() {
        let lanes = names(processes());
        let sandbox = with_lanes(&lanes);
        let (working, going) = lanes.split_at(lanes.len() / 2);
        let coming: Vec<String> = (0..working.len())
            .map(|number| format!("new-{number}"))
            .collect();
        let mut commands: Vec<Vec<&str>> = going.iter().map(|name| finish(name)).collect();
        commands.extend(coming.iter().map(|name| vec!["git-lane", "start", name]));
        commands.extend(
            going
                .iter()
                .map(|name| vec!["git-lane", "drop", name, "--yes"]),
        );
        let (ended, failed_commits, ran, failed) =
            meanwhile(&sandbox, working, &commands, &LOOKING);
        all_ok(&ended[going.len()..going.len() + coming.len()]);
        let (known, failed): (Vec<Ended>, Vec<Ended>) = failed.into_iter().partition(is_gits_own);
        assert!(failed.is_empty(), "{failed:#?}");
        (looked, met) = (looked + ran, met + known.len());
        assert_eq!(failed_commits, 0);
        for name in working {
            assert_eq!(
                sandbox.git(["rev-list", "--count", &format!("main..{name}")]),
                "6",
                "{name}"
            );
            sandbox.whole(name);
        }
        coming.iter().for_each(|name| sandbox.whole(name));
        assert_eq!(sandbox.git(["status", "--porcelain"]), "");
        sandbox.at_rest(going.len());

        if long() {
            let sandbox = with_lanes(&lanes);
            let script = "git merge -q --no-edit \"$1\" && git worktree \
                          remove \"../shop.lanes/$1\" && git branch -q -d \"$1\"";
            let going = going
                .iter()
                .map(|name| vec!["sh", "-c", script, "sh", name]);
            let paths: Vec<String> = coming
                .iter()
                .map(|name| format!("../shop.lanes/{name}"))
                .collect();
            let coming = coming
                .iter()
                .zip(&paths)
                .map(|(name, path)| vec!["git", "worktree", "add", "-q", "-b", name, path]);
            let commands: Vec<Vec<&str>> = going.chain(coming).collect();
            let (ended, failed_commits, _, failed) =
                meanwhile(&sandbox, working, &commands, &LOOKING[..3]);
            by_git += failures(&ended) + failed_commits;
            git_met += failed.len();
        }
    }
    let more = format!(
        "{looked} bystanders, {met} died in git's own race with a worktree or branch that goes; \
         beside git {git_met} died"
    );
    tell(
        "commits in lanes, others start, finish and drop",
        processes(),
        0,
        by_git,
        &more,
    );
}
