//! What is taken back is what git wrote, and nothing else: what the user had staged before stays as
//! it is.

use super::levels;
use super::shop::{In, Refs, Shop, possible};

/// What is staged equals what the other branch has; a person takes longer than a clock's tick to
/// switch then.
#[test]
fn a_switch_that_is_taken_back_keeps_what_was_staged_from_the_other_branch() {
    for level in levels() {
        for switch in [
            "git switch -q other",
            "git checkout -q other",
            "git checkout -q -B other other",
        ] {
            let shop = Shop::new(level, Refs::Files);
            let directory = shop.at(In::Lane);
            shop.sh(
                &directory,
                "git checkout -q other -- d/x new && git add d/x new && sleep 0.05",
            )
            .ok();
            assert_eq!(shop.sh(&directory, "git show :new").ok(), "new\n");
            let before = shop.snapshots();
            let run = shop.sh(&directory, switch);
            assert!(run.code != 0 && run.stderr.contains("hint: "), "{run}");
            assert_eq!(shop.snapshots(), before, "{run}");
        }
    }
}

#[test]
fn a_head_that_only_plumbing_moves_leaves_index_and_files_alone() {
    if !possible("refuse", Refs::Files) {
        return;
    }
    for (place, script) in [
        (In::Lane, "git symbolic-ref HEAD refs/heads/other"),
        (In::Main, "git symbolic-ref HEAD refs/heads/one"),
        (
            In::Main,
            "git update-ref refs/heads/two $(git commit-tree $(git write-tree) -p two -m x)",
        ),
        (
            In::Main,
            "git config receive.denyCurrentBranch ignore; git push -q -f . $(git commit-tree $(git \
             write-tree) -p main -m x):two",
        ),
        (
            In::Main,
            "git update-ref refs/heads/fetched $(git commit-tree $(git write-tree) -p two -m x); \
             git fetch -q -u -f . fetched:two",
        ),
    ] {
        let shop = Shop::new("refuse", Refs::Files);
        let directory = shop.at(place);
        shop.sh(
            &directory,
            "git checkout -q other -- d/x new; echo precious >p; git add p",
        )
        .ok();
        let before = shop.snapshots();
        let run = shop.sh(&directory, script);
        assert!(run.code != 0 && run.stderr.contains("hint: "), "{run}");
        assert_eq!(shop.snapshots(), before, "{run}");
    }
}

/// A switch to a lane's branch moves it back only where this very command has moved it.
#[test]
fn an_old_reset_is_not_undone_again() {
    for level in levels() {
        for refs in [Refs::Files, Refs::Reftable]
            .into_iter()
            .filter(|refs| possible(level, *refs))
        {
            let shop = Shop::new(level, refs);
            shop.sh(&shop.two, "git checkout -q -B two main").ok();
            for script in [
                "git switch --ignore-other-worktrees two",
                "git checkout --ignore-other-worktrees -B two two",
                "git checkout --ignore-other-worktrees two",
            ] {
                let before = (shop.snapshots(), shop.refs());
                assert_ne!(shop.sh(&shop.sandbox.repo, script).code, 0);
                assert_eq!((shop.snapshots(), shop.refs()), before, "{script}");
            }
        }
    }
}

#[test]
fn another_index_is_taken_back_too() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let copy = "cp \"$(git rev-parse --git-dir)/index\" ../../other-index";
        shop.sh(&shop.one, copy).ok();
        let before = shop.snapshots();
        let run = shop.sh(
            &shop.one,
            "GIT_INDEX_FILE=\"$PWD/../../other-index\" git switch other",
        );
        assert_ne!(run.code, 0, "{run}");
        assert_eq!(shop.snapshots(), before, "{run}");
        shop.sh(
            &shop.one,
            "GIT_INDEX_FILE=\"$PWD/../../other-index\" git diff --cached --exit-code",
        )
        .ok();
    }
}

/// `git am` keeps HEAD on its branch, and a switch in the middle of it is taken back to that.
#[test]
fn a_switch_in_the_middle_of_am_is_taken_back_to_the_branch() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let run = shop.sh(
            &shop.one,
            "git format-patch -q --stdout conf~1..conf >../../p; git am \
             -q ../../p; git am --show-current-patch >/dev/null && git \
             checkout other",
        );
        assert!(run.code != 0 && run.stderr.contains("lane 'one'"), "{run}");
        assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n", "{run}");
        shop.sh(
            &shop.one,
            "echo both >f && git add f && git am --continue -q",
        )
        .ok();
        assert_eq!(shop.snapshot(&shop.one).head, "refs/heads/one\n");
    }
}

#[test]
fn a_detached_head_is_given_back() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sh(
            &shop.one,
            "git checkout -q --detach && git commit -q --allow-empty -m experiment",
        )
        .ok();
        let before = shop.snapshots();
        assert_ne!(shop.sh(&shop.one, "git switch other").code, 0);
        assert_eq!(shop.snapshots(), before, "level {level}");
        shop.sh(&shop.one, "git switch -q one").ok();
    }
}

/// The lock of a git that died does not make another worktree's HEAD look like ours.
#[test]
fn a_stale_lock_of_head_stops_no_new_worktree() {
    if !possible("refuse", Refs::Files) {
        return;
    }
    let shop = Shop::new("refuse", Refs::Files);
    shop.sh(
        &shop.one,
        ": >\"$(git rev-parse --git-dir)/HEAD.lock\" && sleep 0.05 && git worktree add -q -b fresh \
         ../fresh",
    )
    .ok();
}

/// Where there is nothing to rebase git asks no pre-rebase hook: it only switches.
#[test]
fn a_rebase_that_only_switches_is_taken_back() {
    for level in levels() {
        for rebase in [
            "git rebase -q other^ other",
            "git rebase -q --apply other^ other",
        ] {
            let shop = Shop::new(level, Refs::Files);
            let before = shop.snapshots();
            let run = shop.sh(&shop.at(In::CleanLane), rebase);
            assert!(run.stderr.contains("hint: "), "{level} {run}");
            assert_eq!(shop.snapshots(), before, "{level} {run}");
        }
    }
}

/// A switch that takes submodules along is taken back with them, and one that leaves them alone is
/// taken back without.
#[test]
fn submodules_come_back_as_they_went() {
    for level in levels() {
        for (recurse, script) in [
            ("", "git switch --recurse-submodules moved"),
            ("", "git checkout -q --recurse moved"),
            ("", "git -c submodule.recurse=true switch moved"),
            ("true", "git switch moved"),
            ("true", "git switch --no-recurse-submodules moved"),
            ("", "git switch moved"),
            ("", "git switch --recurse-submodules without"),
            (
                "",
                "git checkout -q moved -- f && sleep 0.05 && git switch --recurse-submodules moved",
            ),
        ] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=protocol.file.allow \
                 GIT_CONFIG_VALUE_0=always
                git branch without
                git init -q ../../sub && cd ../../sub && echo old >s && git add s && git commit -q \
                -m old && cd - &&
                git submodule --quiet add ../../sub sub && git commit -q -m sub && git switch -q \
                -c moved &&
                echo new >sub/s && echo new >f && git -C sub commit -q -a -m new && git commit -q \
                -a -m moved &&
                git switch -q --recurse-submodules one",
            );
            if !recurse.is_empty() {
                shop.sandbox.git(["config", "submodule.recurse", recurse]);
            }
            let sub = shop.one.join("sub");
            let state = || {
                (
                    shop.snapshots(),
                    shop.sandbox.git_in(&sub, ["rev-parse", "HEAD"]),
                    shop.snapshot(&sub),
                )
            };
            let before = state();
            assert_eq!(
                (before.0[1].status.as_str(), before.2.status.as_str()),
                ("", "")
            );
            let run = shop.sh(&shop.one, script);
            assert!(run.code != 0 && run.stderr.contains("hint: "), "{run}");
            if script.contains("-- f") {
                assert_eq!(
                    shop.sandbox
                        .git_in(&shop.one, ["diff", "--cached", "--name-only"]),
                    "f",
                    "{run}"
                );
                shop.sh(&shop.one, "git checkout -q one -- f").ok();
            }
            assert_eq!(state(), before, "{level} {run}");
        }
    }
}

/// `--merge` mixes uncommitted edits into the other branch's files; they come out of it as they
/// were, conflicts or not.
#[test]
fn a_switch_that_merged_is_taken_back_edit_by_edit() {
    for level in levels() {
        let switches = [
            "git checkout -m wide",
            "git switch -q --merge wide",
            "git checkout --conflict=diff3 wide",
        ];
        let rows = [
            ("sed -i 's/^9$/mine/' w", false),
            (
                "sed -i 's/^9$/mine/' w; echo mine >>g; echo x >untracked",
                false,
            ),
            // The same as the other branch has.
            ("cp ../wide w; echo mine >>g", false),
            ("cp ../wide w; sed -i 's/^9$/mine/' w", false),
            ("sed -i 's/^1$/mine/' w", true),
            (
                "sed -i 's/^1$/mine/' w; sed -i 's/^9$/mine/' v; rm f; echo mine >>one",
                true,
            ),
            // Gone on one side, changed on the other.
            ("echo mine >>h; sed -i 's/^9$/mine/' v", true),
            ("rm d/x; sed -i 's/^9$/mine/' v", true),
            ("chmod +x w; sed -i 's/^1$/mine/' w", true),
            // Only the user who wrote it knows of that edit.
            (
                "git update-index --assume-unchanged g; echo mine >>g; sed -i 's/^9$/mine/' w",
                false,
            ),
        ];
        for ((edits, conflicts), switch) in rows.into_iter().zip(switches.into_iter().cycle()) {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                "seq 9 >w && cp w v && git add w v && git commit -q -m lines && git switch -q -c \
                 wide &&
                     sed -i 's/^1$/wide/' w && sed -i 's/^1$/wide/' v && cp w ../wide && git rm -q \
                     h &&
                     echo wide >d/x && echo new >only-here && git add . && git commit -q -m wide \
                     && git switch -q one",
            );
            shop.sh(&shop.one, edits).ok();
            shop.sh(&shop.one, "git update-index -q --refresh; true")
                .ok();
            let before = (shop.snapshots(), shop.refs());
            let run = shop.sh(&shop.one, switch);
            assert!(
                run.code != 0 && run.stderr.contains("hint: to work on 'wide'"),
                "{run}"
            );
            assert_eq!(
                (shop.snapshots(), shop.refs()),
                before,
                "{level} {edits} {switch} {run}"
            );
            // That it was about conflicts, or not, shows where no guard takes it back.
            shop.setup(&shop.one, &format!("{switch} || true"));
            let unmerged = shop.sh(&shop.one, "git ls-files -u").ok();
            assert_eq!(!unmerged.is_empty(), conflicts, "{edits} {switch}");
        }
    }
}

/// The commit that is checked out in a submodule is no edit a merge has mixed into anything.
#[test]
fn a_switch_that_merged_beside_a_submodule_is_taken_back() {
    for level in levels() {
        for edit in ["sed -i 's/^9$/mine/' w", "sed -i 's/^1$/mine/' w"] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                "git init -q sub && git -C sub commit -q --allow-empty -m a && seq 9 >w && git add \
                 -f w sub &&
                     git commit -q -m sub && git switch -q -c wide && git -C sub commit -q \
                     --allow-empty -m b &&
                     sed -i 's/^1$/wide/' w && git commit -q -a -m wide && git switch -q one &&
                     git -C sub reset -q --hard HEAD~",
            );
            shop.sh(&shop.one, edit).ok();
            let before = (shop.snapshots(), shop.refs());
            let run = shop.sh(&shop.one, "git checkout -m wide");
            assert!(
                run.code != 0 && run.stderr.contains("hint: to work on 'wide'"),
                "{run}"
            );
            assert_eq!(
                (shop.snapshots(), shop.refs()),
                before,
                "{level} {edit} {run}"
            );
        }
    }
}

/// A git that stashes everything for `--merge` goes on where something is staged, and where nothing
/// is left to merge.
#[test]
fn a_switch_that_merged_is_taken_back_with_what_was_staged() {
    for level in levels() {
        for edits in [
            "echo mine >>w; git add w; echo more >>w; echo mine >>g; echo new >n; git add n",
            "sed -i 's/^1$/wide/' w; git add w; echo mine >>g",
            // Exactly what the other branch has.
            "sed -i 's/^1$/wide/' w",
        ] {
            let shop = Shop::new(level, Refs::Files);
            shop.setup(
                &shop.one,
                "seq 9 >w && git add w && git commit -q -m lines && git switch -q -c wide &&
                     sed -i 's/^1$/wide/' w && git commit -q -a -m wide && git switch -q one",
            );
            shop.sh(&shop.one, &format!("{edits}; sleep 0.05")).ok();
            let before = (shop.snapshots(), shop.refs());
            let run = shop.sh(&shop.one, "git checkout -m wide");
            assert_ne!(run.code, 0, "{run}");
            let after = (shop.snapshots(), shop.refs());
            if edits.contains("git add") || run.stderr.contains("stash") {
                assert_eq!(after, before, "{level} {edits} {run}");
            } else {
                // What equals the other branch is taken for staged.
                assert_eq!(after.0[1].files, before.0[1].files, "{level} {edits} {run}");
            }
        }
    }
}

/// A hook that is killed while it looks for the way back leaves its second index behind. The next
/// command that changes something removes it, or the next hook that needs one; what a living hook
/// has stays.
#[test]
fn what_a_killed_hook_leaves_is_removed() {
    let left = |shop: &Shop| {
        let names = std::fs::read_dir(shop.sandbox.repo.join(".git/lane/scratch"))
            .unwrap()
            .flatten();
        names
            .filter(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("lane-undo-")
            })
            .count()
    };
    let prepare = "seq 9 >w && git add w && git commit -q -m lines && git switch -q -c wide &&
        sed -i 's/^1$/wide/' w && git commit -q -a -m wide && git switch -q one && sed -i \
        's/^9$/mine/' w";
    for next in [
        "git lane prune",
        "git switch -q -f one && sed -i 's/^9$/mine/' w && git checkout -m wide; true",
    ] {
        let shop = Shop::new("restore", Refs::Files);
        shop.setup(&shop.one, prepare);
        let dying = shop.sh(&shop.one, "GIT_LANE_TEST_DIE_AT=1 git checkout -m wide");
        assert!(dying.stderr.contains("died at undo.merged"), "{dying}");
        assert_eq!(left(&shop), 1);
        // Another process is at work in its own.
        let living = shop.sandbox.repo.join(".git/lane/scratch/lane-undo-living");
        std::fs::create_dir(&living).unwrap();
        let held = std::fs::File::open(&living).unwrap();
        held.lock().unwrap();
        shop.sh(&shop.one, next).ok();
        assert!(living.exists() && left(&shop) == 1, "{next}");
        // Not merely closed: a process that another test is just starting may have the file open
        // still.
        held.unlock().unwrap();
        shop.sandbox.lane(["prune"]).ok();
        assert_eq!(left(&shop), 0);
    }
}
