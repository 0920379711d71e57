//! Ahead, behind and merge bases equal git's on random histories with skewed dates, with and
//! without a commit-graph.

use std::collections::HashSet;
use std::io::Write;
use std::process::Stdio;

use git_lane::internals::{Divergence, commits_beyond, divergences, is_ancestor};
use gix::ObjectId;

use super::repository;
use crate::support::{Dice, Sandbox, rounds};

/// A random history: ids in creation order, and the parents of each.
struct History {
    sandbox: Sandbox,
    ids: Vec<ObjectId>,
    parents: Vec<Vec<usize>>,
}

impl History {
    /// `skew` is how many seconds a date may be off.
    fn random(dice: &mut Dice, commits: usize, skew: usize) -> Self {
        let parents: Vec<Vec<usize>> = (0..commits)
            .map(|at| {
                let near = |dice: &mut Dice| at - 1 - dice.roll(at.min(6));
                let mut parents: Vec<usize> = match (at, dice.roll(10)) {
                    (0, _) => vec![],
                    (_, 0) if at > 3 => (0..3).map(|_| near(dice)).collect(),
                    (_, 1..=3) => vec![near(dice), near(dice)],
                    (_, 9) if dice.roll(8) == 0 => vec![],
                    _ => vec![near(dice)],
                };
                let mut seen = HashSet::new();
                parents.retain(|parent| seen.insert(*parent));
                parents
            })
            .collect();
        let dates: Vec<usize> = (0..commits)
            .map(|at| 1_700_000_000 + at * 100 + dice.roll(skew + 1) - skew / 2)
            .collect();
        Self::with(repository(), parents, &dates)
    }

    fn with(sandbox: Sandbox, parents: Vec<Vec<usize>>, dates: &[usize]) -> Self {
        let mut stream = String::new();
        for (at, parents) in parents.iter().enumerate() {
            let date = dates[at];
            stream += &format!(
                "commit refs/heads/c{at}\nmark :{}\ncommitter L <l@x> {date} +0000\n",
                at + 1
            );
            stream += &format!("data {}\nc{at}\n", format!("c{at}").len());
            for (place, parent) in parents.iter().enumerate() {
                stream += &format!(
                    "{} :{}\n",
                    if place == 0 { "from" } else { "merge" },
                    parent + 1
                );
            }
            stream += "\n";
        }
        let mut command = sandbox.command("git");
        let mut child = command
            .args(["fast-import", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("git starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(stream.as_bytes())
            .expect("written");
        assert!(child.wait().expect("git ends").success());
        let listed = sandbox.git([
            "for-each-ref",
            "--format=%(refname:lstrip=2) %(objectname)",
            "refs/heads",
        ]);
        let mut ids = vec![ObjectId::null(gix::hash::Kind::Sha1); parents.len()];
        for line in listed.lines() {
            let (name, id) = line.split_once(' ').expect("two words");
            ids[name[1..].parse::<usize>().expect("a number")] =
                ObjectId::from_hex(id.as_bytes()).expect("an id");
        }
        History {
            sandbox,
            ids,
            parents,
        }
    }

    fn ancestors(&self, of: usize) -> HashSet<usize> {
        let (mut seen, mut stack) = (HashSet::new(), vec![of]);
        while let Some(at) = stack.pop() {
            if seen.insert(at) {
                stack.extend(&self.parents[at]);
            }
        }
        seen
    }

    fn check(&self, pairs: &[(usize, usize)], what: &str) {
        let repo = self.sandbox.open();
        let ids: Vec<_> = pairs
            .iter()
            .map(|(tip, base)| (self.ids[*tip], self.ids[*base]))
            .collect();
        for ((tip, base), found) in pairs
            .iter()
            .zip(divergences(&repo, &ids).expect("divergences"))
        {
            let (of_tip, of_base) = (self.ancestors(*tip), self.ancestors(*base));
            let common: HashSet<usize> = of_tip.intersection(&of_base).copied().collect();
            let counts = (of_tip.len() - common.len(), of_base.len() - common.len());
            assert_eq!(
                (found.ahead, found.behind),
                counts,
                "{what}: {tip} against {base}"
            );
            let best: HashSet<ObjectId> = common
                .iter()
                .filter(|at| {
                    !common
                        .iter()
                        .any(|other| other != *at && self.ancestors(*other).contains(at))
                })
                .map(|at| self.ids[*at])
                .collect();
            assert!(
                found
                    .merge_base
                    .map_or(best.is_empty(), |id| best.contains(&id)),
                "{what}: {tip} against {base}"
            );
        }
    }
}

fn by_git(sandbox: &Sandbox, tip: ObjectId, base: ObjectId) -> (usize, usize) {
    let counted = sandbox.git([
        "rev-list",
        "--left-right",
        "--count",
        &format!("{tip}...{base}"),
    ]);
    let (ahead, behind) = counted.split_once('\t').expect("two numbers");
    (
        ahead.parse().expect("a number"),
        behind.parse().expect("a number"),
    )
}

fn random_pairs(dice: &mut Dice, commits: usize) -> Vec<(usize, usize)> {
    let bases = [commits - 1, dice.roll(commits)];
    (0..80)
        .map(|_| (dice.roll(commits), *dice.pick(&bases)))
        .collect()
}

#[test]
fn random_histories_with_skewed_dates() {
    for seed in 0..rounds(24, 200) {
        let mut dice = Dice::new(seed);
        let commits = 20 + dice.roll(180);
        let skew = *dice.pick(&[0, 300, 5_000, 1_000_000]);
        let history = History::random(&mut dice, commits, skew);
        let pairs = random_pairs(&mut dice, commits);
        history.check(&pairs, &format!("seed {seed} without graph"));
        for (tip, base) in &pairs[..4] {
            let (tip, base) = (history.ids[*tip], history.ids[*base]);
            let found =
                divergences(&history.sandbox.open(), &[(tip, base)]).expect("divergences")[0];
            assert_eq!(
                (found.ahead, found.behind),
                by_git(&history.sandbox, tip, base),
                "seed {seed}"
            );
        }
        // A graph of the older half, then of everything.
        let half = format!("{}\n", history.ids[commits / 2]);
        let mut command = history.sandbox.command("git");
        let mut child = command
            .args(["commit-graph", "write", "--stdin-commits"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("git starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(half.as_bytes())
            .expect("written");
        assert!(child.wait().expect("git ends").success());
        history.check(&pairs, &format!("seed {seed} with half a graph"));
        history
            .sandbox
            .git(["commit-graph", "write", "--reachable"]);
        history.check(&pairs, &format!("seed {seed} with a graph"));
    }
}

#[test]
fn shallow_clones_replace_refs_and_grafts_are_seen_as_git_sees_them() {
    let mut dice = Dice::new(7);
    let history = History::random(&mut dice, 120, 300);
    let sandbox = &history.sandbox;
    sandbox.git(["commit-graph", "write", "--reachable"]);
    let pairs: Vec<_> = random_pairs(&mut dice, 120)
        .iter()
        .map(|(a, b)| (history.ids[*a], history.ids[*b]))
        .collect();
    let same_as_git = |repository: &Sandbox,
                       path: &std::path::Path,
                       pairs: &[(ObjectId, ObjectId)],
                       what: &str| {
        let found = divergences(&repository.open_at(path), pairs).expect("divergences");
        for ((tip, base), found) in pairs.iter().zip(found) {
            let range = format!("{tip}...{base}");
            let git = repository.git_in(path, ["rev-list", "--left-right", "--count", &range]);
            assert_eq!(
                format!("{}\t{}", found.ahead, found.behind),
                git,
                "{what}: {range}"
            );
        }
    };
    let clone = sandbox.root().join("clone");
    let url = format!("file://{}", sandbox.repo.display());
    sandbox.git([
        "clone",
        "-q",
        "--depth",
        "8",
        "--no-single-branch",
        &url,
        &clone.to_string_lossy(),
    ]);
    same_as_git(sandbox, &clone, &pairs[..12], "shallow");

    let target = history.ids[60].to_string();
    sandbox.git(["replace", "--graft", &target, &history.ids[3].to_string()]);
    same_as_git(sandbox, &sandbox.repo, &pairs[..12], "replaced");
    sandbox.git(["replace", "-d", &target]);

    let graft = format!("{target} {} {}\n", history.ids[2], history.ids[4]);
    std::fs::write(sandbox.repo.join(".git/info/grafts"), graft).expect("written");
    same_as_git(sandbox, &sandbox.repo, &pairs[..12], "grafted");
}

#[test]
fn ancestors_unrelated_histories_and_lists() {
    let parents = vec![vec![], vec![0], vec![1], vec![1], vec![2, 3], vec![]];
    let history = History::with(repository(), parents, &[1_700_000_000; 6]);
    let repo = history.sandbox.open();
    let id = |at: usize| history.ids[at];
    assert!(is_ancestor(&repo, id(1), id(4)).expect("an answer"));
    assert!(is_ancestor(&repo, id(4), id(4)).expect("an answer"));
    assert!(!is_ancestor(&repo, id(4), id(1)).expect("an answer"));
    let unrelated = divergences(&repo, &[(id(5), id(4))]).expect("divergences")[0];
    assert_eq!(
        unrelated,
        Divergence {
            ahead: 1,
            behind: 5,
            merge_base: None
        }
    );
    let beyond = commits_beyond(&repo, id(4), id(1), 10).expect("commits");
    let at = |commit: usize| {
        beyond
            .iter()
            .position(|(id, _)| *id == history.ids[commit])
            .expect("listed")
    };
    assert_eq!(beyond.len(), 3);
    assert!(at(2) < at(4) && at(3) < at(4));
    assert_eq!(beyond[at(4)].1, [id(2), id(3)]);
    assert!(divergences(&repo, &[(ObjectId::null(gix::hash::Kind::Sha1), id(0))]).is_err());
}
