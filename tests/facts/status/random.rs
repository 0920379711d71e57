//! Counts are those of git on random worktrees.

use super::*;
use crate::support::rounds;

#[test]
fn counts_are_those_of_git_on_random_worktrees() {
    for seed in 0..rounds(60, 300) {
        let mut dice = Dice::new(seed);
        let sandbox = random_repository(&mut dice);
        let mut worktree = sandbox.repo.to_owned();
        if dice.roll(2) == 0 {
            worktree = sandbox.root().join("linked");
            sandbox.add_worktree("lane", &worktree);
        }
        for step in 0..8 {
            for _ in 0..dice.roll(4) {
                disturb(&sandbox, &worktree, &mut dice);
            }
            let ours = status(&sandbox, &worktree).expect("a status");
            let git = counted_by_git(&sandbox, &worktree);
            let shown = sandbox.git_in(&worktree, ["status", "--short"]);
            assert_eq!(
                counts(&ours),
                git,
                "seed {seed}, step {step}: {:?}\n{shown}",
                ours.samples
            );
        }
    }
}

#[test]
fn many_worktrees_keep_their_order_and_samples_are_sorted() {
    let sandbox = repository();
    for at in 0..700 {
        sandbox.write(&format!("d{}/f{at}", at % 7), "x");
    }
    sandbox.commit("start");
    let mut worktrees = Vec::new();
    for at in 0..5 {
        let worktree = sandbox.root().join(format!("w{at}"));
        sandbox.add_worktree(&format!("b{at}"), &worktree);
        for extra in 0..at {
            write(&worktree.join(format!("d1/new{extra}")), "x");
            write(&worktree.join(format!("d0/f{}", extra * 7)), "changed");
        }
        worktrees.push((worktree.clone(), sandbox.admin(&worktree)));
    }
    let pairs: Vec<_> = worktrees
        .iter()
        .map(|(worktree, admin)| (worktree.as_path(), admin.as_path()))
        .collect();
    let all = statuses(&sandbox.open(), &pairs, &git(), Depth::Full);
    for (at, status) in all.into_iter().enumerate() {
        assert_eq!(counts(&status.expect("a status")), (0, at, at, 0));
    }
    let alone = statuses(&sandbox.open(), &pairs[2..3], &git(), Depth::Full)
        .remove(0)
        .expect("a status");
    assert_eq!(
        alone.samples,
        [" M d0/f0", " M d0/f7", "?? d1/new0", "?? d1/new1"]
    );
    let tracked = statuses(&sandbox.open(), &pairs[2..3], &git(), Depth::Tracked)
        .remove(0)
        .expect("a status");
    assert_eq!(counts(&tracked), (0, 2, 0, 0));
}
