//! What must never be in the way: with the rule in force each of these ends exactly as without.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::shop::{In, LEVELS, Refs, Shop, Snapshot};

#[rustfmt::skip]
const ROWS: &[(In, &str)] = &[
    (In::Lane, "git switch one"),
    (In::Lane, "git checkout"),
    (In::Lane, "git checkout one"),
    (In::Lane, "git checkout -- g"),
    (In::Lane, "git checkout other -- d/x"),
    (In::Lane, "git restore g"),
    (In::Lane, "git restore --source other --staged --worktree d"),
    (In::Lane, "git checkout --detach"),
    (In::Lane, "git checkout -q main~0"),
    (In::Lane, "git checkout -q --detach && git switch -q one"),
    (In::Lane, "git commit -qm done"),
    (In::Lane, "git commit -qam done"),
    (In::Lane, "git commit -qm done h"),
    (In::Lane, "git commit -q --amend --no-edit"),
    (In::Lane, "git commit -q --no-verify -m done"),
    (In::Lane, "git stash -q && git stash pop -q --index"),
    (In::Lane, "git stash -q -u && git stash apply -q"),
    (In::Lane, "git reset -q --hard"),
    (In::Lane, "git reset -q --hard HEAD~1"),
    (In::Lane, "git reset -q --soft HEAD~1"),
    (In::Lane, "git reset -q --hard other"),
    (In::Lane, "git branch fresh && git branch -f fresh other && git branch -D fresh"),
    (In::Lane, "git branch -c one copy"),
    (In::Lane, "git update-ref HEAD other"),
    (In::Lane, "git update-ref --no-deref HEAD main"),
    (In::Lane, "git checkout-index -q -f --all"),
    (In::Lane, "git add -A && git status -s"),
    (In::Lane, "git worktree add -q --no-checkout ../fresh other"),
    (In::Lane, "git worktree add -q --orphan -b unborn ../fresh; true"),
    (In::Lane, "git worktree add -q -f -B two ../fresh; git checkout -q two; git rebase -q main \
                two; git branch -D two; git branch -f two; true"),
    (In::Lane, "git worktree lock . && git worktree unlock . && git worktree repair"),
    (In::Lane, "git remote add o . && git fetch -q o && git remote set-head o main"),
    (In::Lane, "git replay --onto main main~1..other | git update-ref --stdin; true"),
    (In::Lane, "git clone -q --no-checkout . ../../clone && git clone -q --bare . ../../bare"),
    (In::Lane, "git -c core.hooksPath=\"$(git rev-parse --path-format=absolute --git-path hooks)\" \
                clone -q . ../../clone"),
    (In::Lane, "mkdir ../../template && cp -r \"$(git rev-parse --path-format=absolute --git-path \
                hooks)\" ../../template/hooks && git clone -q --template=../../template . \
                ../../clone && cd ../../clone && git commit -q --allow-empty -m x && git switch -q \
                -c y"),
    (In::CleanLane, "GIT_EDITOR='f() { echo reworded >\"$1\"; }; f' git history reword HEAD; true"),
    // Other lanes' branches get new commits with the very files that are checked out.
    (In::CleanLane, "GIT_EDITOR='f() { echo reworded >\"$1\"; }; f' git history reword main~1; \
                     true"),
    (In::Lane, "mkdir ../../template && cp -r \"$(git rev-parse --path-format=absolute --git-path \
                hooks)\" ../../template/hooks && git clone -q --no-checkout \
                --template=../../template . ../../clone && git clone -q --bare \
                --template=../../template . ../../bare"),
    (In::Lane, "mkdir ../../template && cp -r \"$(git rev-parse --path-format=absolute --git-path \
                hooks)\" ../../template/hooks && git -c init.templateDir=../../template init -q \
                ../../fresh && cd ../../fresh && git commit -q --allow-empty -m x && git switch -q \
                -c y"),
    (In::Lane, "git branch -m one renamed && git commit -qm done && git status -s"),
    (In::Lane, "git branch -M one conf && git commit -qm done"),
    (In::Lane, "git tag t"),
    (In::Lane, "git worktree add -q -b fresh ../fresh && git worktree remove ../fresh"),
    (In::Lane, "git worktree add -q --detach ../fresh"),
    (In::Lane, "git worktree add -q ../fresh other && git -C ../fresh commit -q --allow-empty -m \
                x"),
    (In::Lane, "git gc -q"),
    (In::Lane, "git pack-refs --all"),
    (In::Lane, "git sparse-checkout set d && git sparse-checkout disable"),
    (In::CleanLane, "git rebase -q main"),
    (In::CleanLane, "git rebase -q main one"),
    (In::CleanLane, "git rebase -q --apply main"),
    (In::CleanLane, "git rebase -q -i --exec 'test -e main' main"),
    (In::CleanLane, "git branch mid HEAD~1 && git rebase -q --update-refs main"),
    (In::CleanLane, "git rebase -q --onto other main"),
    (In::CleanLane, "git rebase -q --root"),
    (In::CleanLane, "git rebase -q -f HEAD~2"),
    (In::CleanLane, "git rebase -q one~1"),
    (In::CleanLane, "echo x >>h && git rebase -q --autostash main"),
    (In::CleanLane, "git rebase -q conf; git rebase --abort"),
    (In::CleanLane, "git reset -q --hard main~1 && git rebase -q main"),
    (In::CleanLane, "git worktree add -q -b mid ../mid HEAD~1 && git rebase -q --update-refs main"),
    (In::CleanLane, "GIT_SEQUENCE_EDITOR='f() { echo update-ref refs/heads/updated >>\"$1\"; }; f' \
                     git rebase -q -i main"),
    (In::CleanLane, "git rebase -q -i --exec 'git checkout -q --detach HEAD~0' main"),
    (In::CleanLane, "git reset -q --hard main~1 && git merge -q main"),
    (In::CleanLane, "git reset -q --hard main~1 && git merge -q --ff-only main"),
    (In::CleanLane, "git reset -q --hard main~1 && echo x >>h && git merge -q --autostash main"),
    (In::CleanLane, "git reset -q --hard main~1 && git pull -q . main"),
    (In::CleanLane, "git reset -q --hard main~1 && git cherry-pick --ff main"),
    (In::CleanLane, "git merge -q main~1"),
    (In::CleanLane, "git merge -q --no-verify --no-edit main"),
    (In::CleanLane, "git merge -q conf; echo both >f && git add f && git commit -qm merged"),
    (In::CleanLane, "git merge -q --no-commit --no-ff main && git merge --abort"),
    (In::CleanLane, "git rebase -q --apply conf; git rebase --abort"),
    (In::CleanLane, "git rebase -q conf; echo both >f && git add f && git rebase --continue"),
    (In::CleanLane, "git rebase -q conf; git rebase --skip"),
    (In::CleanLane, "git rebase -q conf; git rebase --quit; git switch -q -f one"),
    (In::CleanLane, "git rebase -q -i --exec 'git commit -q --allow-empty -m more' main"),
    (In::CleanLane, "git rebase -q main other~0"),
    (In::CleanLane, "git rebase -q main refs/heads/other"),
    (In::Lane, "git checkout -q --detach && git commit -qm done"),
    (In::CleanLane, "git checkout -q --detach && git merge -q --no-edit other && git switch -q \
                     one"),
    (In::CleanLane, "git merge -q --no-edit main"),
    (In::CleanLane, "git merge -q --no-ff --no-edit main"),
    (In::CleanLane, "git merge -q --no-commit main && git commit -qm merged"),
    (In::CleanLane, "git merge -q --squash main && git commit -qm merged"),
    (In::CleanLane, "git merge -q --no-edit other"),
    (In::CleanLane, "git merge -q conf; git merge --abort"),
    (In::CleanLane, "git merge -q conf; echo both >f && git add f && git merge --continue"),
    (In::CleanLane, "git merge -q -s ours -m x main other"),
    (In::CleanLane, "git merge -q --no-edit main other"),
    (In::CleanLane, "git merge -q --squash main && git reset -q --hard"),
    (In::CleanLane, "git merge -q --no-verify --no-edit two"),
    (In::CleanLane, "git pull -q --no-rebase --no-edit . main"),
    (In::CleanLane, "git clone -q --bare . ../../up && git remote add up ../../up && git fetch -q \
                     up && git branch -q -u up/main && git reset -q --hard main~1 && git pull -q \
                     --ff-only && git commit -q --allow-empty -m x"),
    (In::CleanLane, "git clone -q --bare . ../../up && git remote add up ../../up && git fetch -q \
                     up && git branch -q -u up/main && git pull -q --no-rebase --no-edit"),
    (In::CleanLane, "git clone -q --bare . ../../up && git remote add up ../../up && git fetch -q \
                     up && git branch -q -u up/main && git pull -q --rebase && git push -q up \
                     HEAD:main"),
    (In::CleanLane, "git pull -q --rebase . main"),
    (In::CleanLane, "git cherry-pick other"),
    (In::CleanLane, "git cherry-pick two"),
    (In::CleanLane, "git cherry-pick -n other && git commit -qm picked"),
    (In::CleanLane, "git cherry-pick main other"),
    (In::CleanLane, "git cherry-pick conf; echo both >f && git add f && git cherry-pick \
                     --continue"),
    (In::CleanLane, "git cherry-pick conf; git cherry-pick --abort"),
    (In::CleanLane, "git revert --no-edit HEAD"),
    (In::CleanLane, "git format-patch -q --stdout other~1..other | git am -q"),
    (In::CleanLane, "git format-patch -q --stdout conf~1..conf | git am -q; git am --abort"),
    (In::CleanLane, "git bisect start HEAD HEAD~2 && git bisect good && git bisect reset"),
    (In::CleanLane, "git bisect start HEAD HEAD~2 && git bisect run test ! -e one && git bisect \
                     reset"),
    (In::CleanLane, "git bisect start && git bisect bad && git bisect good HEAD~2 && git bisect \
                     reset"),
    (In::CleanLane, "git bisect start --no-checkout HEAD HEAD~2 && git bisect reset"),
    (In::CleanLane, "git clone -q . ../../clone && git -C ../../clone switch -q -c x"),
    (In::CleanLane, "git init -q sub && cd sub && git commit -q --allow-empty -m x && git switch \
                     -q -c y"),
    (In::CleanLane, "git -c protocol.file.allow=always submodule --quiet add ../../shop sub && git \
                     -C sub switch -q other && git commit -qm sub"),
    (In::CleanLane, "git -c protocol.file.allow=always submodule --quiet add ../../shop sub && git \
                     commit -qm sub && git submodule --quiet deinit -f sub && git -c \
                     protocol.file.allow=always submodule --quiet update --init sub"),
    (In::CleanLane, "git push -q . HEAD:refs/heads/pushed"),
    (In::CleanLane, "git push -q --no-verify . HEAD:refs/heads/pushed"),
    (In::CleanLane, "git fetch -q . other:fetched"),
    (In::CleanLane, "git worktree move . ../moved && cd ../moved && git commit -q --allow-empty -m \
                     x"),
    (In::Main, "git switch -q other"),
    (In::Main, "git switch -q -c fresh"),
    (In::Main, "git switch -q main && git checkout -q other"),
    (In::Main, "git checkout -q -b fresh && git switch -q -c more other"),
    (In::CleanMain, "git checkout -q other && git checkout -q main && git checkout -q main~1 && \
                     git checkout -q main"),
    (In::CleanMain, "git switch -q --recurse-submodules other"),
    (In::Main, "printf 'option no-deref\\nsymref-update HEAD refs/heads/other\\n' | git update-ref \
                --stdin; true"),
    (In::CleanMain, "git worktree add -q ../fresh other && git worktree add -q -b new ../new && \
                     git worktree remove ../new"),
    (In::CleanMain, "git rebase -q other && git branch -m trunk && git reset -q --hard HEAD~1"),
    (In::CleanMain, "git branch -f other main && git fetch -q . main:fetched && git update-ref -d \
                     refs/heads/conf"),
    (In::Main, "git checkout -q -B other"),
    (In::CleanMain, "git switch -q --orphan fresh"),
    (In::CleanMain, "git symbolic-ref HEAD refs/heads/other"),
    (In::Main, "git commit -qm done"),
    (In::Main, "git checkout -q --detach && git commit -qm done"),
    (In::Main, "git branch -m main trunk && git commit -qm done"),
    (In::Main, "git update-ref HEAD other && git update-ref --no-deref HEAD main~1"),
    (In::CleanMain, "git reset -q --hard main~1 && git merge -q --ff-only one"),
    (In::CleanMain, "git worktree remove -f ../shop.lanes/one && git worktree prune"),
    (In::CleanMain, "git worktree lock ../shop.lanes/one && git worktree repair ../shop.lanes/one"),
    (In::Main, "git stash -q && git stash branch fresh"),
    (In::CleanMain, "git rebase -q main other"),
    (In::CleanMain, "git merge -q --no-edit one"),
    (In::CleanMain, "git merge -q --no-edit one two"),
    (In::CleanMain, "git merge -q --squash one && git commit -qm squashed"),
    (In::CleanMain, "git merge -q conf && git merge -q one; echo both >f && git add f && git \
                     commit -qm merged"),
    (In::CleanMain, "git branch -m one renamed && git -C ../shop.lanes/one commit -q --allow-empty \
                     -m x"),
    (In::CleanMain, "git branch -D one; git branch -f one other; git fetch -q . other:one"),
    (In::CleanMain, "git worktree add -q ../again one"),
    (In::CleanMain, "rm -rf ../shop.lanes/one && git worktree prune && git worktree add -q \
                     ../shop.lanes/one one"),
    (In::CleanMain, "rm -rf ../shop.lanes/one && git worktree prune && git switch -q one"),
    (In::CleanMain, "git worktree remove ../shop.lanes/one && git branch -D one"),
    (In::CleanMain, "git bisect start one one~2 && git bisect reset"),
    (In::CleanMain, "git checkout -q --detach one && git switch -q main"),
    (In::CleanMain, "git gc -q --prune=now && git pack-refs --all --prune"),
    (In::CleanMain, "git clone -q --bare . ../bare.git && git push -q ../bare.git one two main:x"),
];

/// How a row ended.
#[derive(Debug, Clone)]
struct Outcome {
    code: i32,
    worktrees: [Option<Snapshot>; 3],
    refs: String,
    said: String,
}

fn outcome(level: &'static str, refs: Refs, row: &'static (In, &'static str)) -> Outcome {
    // Every level is compared with the same run without the rule.
    static FREE: Mutex<BTreeMap<(Refs, &str, bool), Outcome>> = Mutex::new(BTreeMap::new());
    let key = (refs, row.1, matches!(row.0, In::Lane | In::CleanLane));
    if level == LEVELS[0]
        && let Some(known) = FREE.lock().unwrap().get(&key)
    {
        return known.clone();
    }
    let shop = Shop::new(level, refs);
    let run = shop.sh(&shop.at(row.0), row.1);
    let outcome = Outcome {
        code: run.code,
        worktrees: [&shop.sandbox.repo, &shop.one, &shop.two]
            .map(|place| place.is_dir().then(|| shop.snapshot(place))),
        refs: shop.refs(),
        said: run.to_string(),
    };
    if level == LEVELS[0] {
        FREE.lock().unwrap().insert(key, outcome.clone());
    }
    outcome
}

fn every_row(level: &'static str, refs: Refs) {
    super::every_row(level, refs, ROWS.iter(), |row| {
        let (free, guarded) = (outcome(LEVELS[0], refs, row), outcome(level, refs, row));
        // A row that fails by itself shows nothing, unless its last step was meant to be skipped.
        if free.code != 0
            && !row.1.contains(';')
            && !row.1.starts_with("git worktree add -q ../again")
        {
            return Some(format!("it fails without the rule\n{}", free.said));
        }
        let same = (free.code, &free.worktrees, &free.refs)
            == (guarded.code, &guarded.worktrees, &guarded.refs);
        (!same).then(|| format!("{}\n{}\n{free:#?}\n{guarded:#?}", free.said, guarded.said))
    });
}

#[test]
fn nothing_git_needs_is_in_the_way_at_level_warn() {
    every_row("warn", Refs::Files);
}

#[test]
fn nothing_git_needs_is_in_the_way_at_level_restore() {
    every_row("restore", Refs::Files);
}

#[test]
fn nothing_git_needs_is_in_the_way_at_level_refuse() {
    every_row("refuse", Refs::Files);
}

#[test]
fn nothing_git_needs_is_in_the_way_with_reftable() {
    every_row("restore", Refs::Reftable);
    every_row("refuse", Refs::Reftable);
}
