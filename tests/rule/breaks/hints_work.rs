//! The hints lead where they say.

use super::*;
use crate::support::write;

/// A branch that was there a moment earlier was not created by the switch, and the hint does not
/// say so.
#[test]
fn the_hint_is_true_of_a_branch_made_just_before() {
    let shop = Shop::new("restore", Refs::Files);
    let run = shop.sh(&shop.one, "git branch earlier && git switch earlier");
    assert!(
        run.stderr
            .contains("hint: branch 'earlier' stays; give it a lane of its own with: "),
        "{run}"
    );
    assert!(
        !run.stderr.contains("created") && !run.stderr.contains("stash"),
        "{run}"
    );
}

/// A hint can be pasted, whatever a branch is called and whatever the policy makes of names: the
/// command it ends with leads to a lane with that very branch.
#[test]
fn a_hint_is_a_command_that_works() {
    const NAMES: &[&str] = &[
        "plain",
        "a/b",
        "x;touch${IFS}PWN",
        "it's",
        "$(id)",
        "#x",
        "é",
        "a\u{202e}b",
        "tester/fits",
        "two-2",
    ];
    for level in ["warn", "restore", "refuse"]
        .into_iter()
        .filter(|level| possible(level, Refs::Files))
    {
        for (policy, names) in [
            ("", NAMES),
            ("[start]\nbranch = '{owner}/{name}'\n", NAMES),
            (
                "[start]\nbranch = 'lanes/{name}-x'\n[rule]\nbranch-pattern = ['lanes/*']\n",
                &NAMES[..3],
            ),
            ("[start]\nbranch = ", &NAMES[..1]),
        ] {
            let shop = Shop::new(level, Refs::Files);
            let file = shop.sandbox.repo.join(".git/lane/lane.toml");
            write(&file, policy);
            for name in names {
                shop.sandbox.git(["branch", name]);
                let run = shop.sh(
                    &shop.one,
                    &format!("git switch {}", shlex::try_quote(name).unwrap()),
                );
                if policy.ends_with("= ") {
                    assert!(run.stderr.contains("git lane start plain"), "{run}");
                    continue;
                }
                follow(&shop, &run.stderr, name);
                shop.setup(&shop.one, "git switch -q one");
            }
        }
    }
}

/// Runs the command a hint ends with, as a user would; a lane has the branch then.
#[track_caller]
fn follow(shop: &Shop, said: &str, branch: &str) {
    let run = shop.sh(&shop.one, hinted(said));
    assert_eq!(run.code, 0, "{said}{run}");
    let lanes = shop.sandbox.lane(["--json", "list"]).json();
    let lanes = lanes["lanes"].as_array().unwrap().clone();
    let lane = lanes
        .iter()
        .find(|lane| lane["branch"] == branch)
        .unwrap_or_else(|| panic!("{said}{run}{lanes:?}"));
    assert_eq!(
        shop.sandbox.git_in(
            lane["path"].as_str().unwrap().as_ref(),
            ["branch", "--show-current"]
        ),
        branch
    );
    assert!(!shop.one.join("PWN").exists());
}

/// git lets plumbing make branches that no porcelain and no lane can have; the hint gives them
/// another name first.
#[test]
fn a_hint_leads_on_from_a_branch_that_no_lane_can_have() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        shop.sandbox.git(["branch", "f"]);
        for (name, renamed) in [("-x", "x"), ("-f", "f-2"), ("caf\\351", "caf")] {
            let run = shop.sh(
                &shop.one,
                &format!(
                    "name=$(printf -- '{name}') && git update-ref \"refs/heads/$name\" other && \
                     git switch -q -- \"$name\""
                ),
            );
            follow(&shop, &run.stderr, renamed);
            let tip = |branch: &str| shop.sandbox.git(["rev-parse", branch]);
            assert_eq!(
                tip(&format!("refs/heads/{renamed}")),
                tip("refs/heads/other"),
                "{run}"
            );
        }
    }
}

/// Taken or in use: the hint says where to go, or another name for the lane.
#[test]
fn a_hint_knows_what_is_there_already() {
    for level in levels() {
        let shop = Shop::new(level, Refs::Files);
        let run = shop.sh(&shop.one, "git switch --ignore-other-worktrees main");
        assert!(
            run.stderr.contains(&format!(
                "go where it is checked out with: cd {}",
                shop.sandbox.repo.display()
            )),
            "{run}"
        );
        // The lane's branch is called otherwise by now, and its old name is another branch's.
        shop.sh(
            &shop.two,
            "git branch -m two second && git commit -q --allow-empty -m x && git branch two main",
        )
        .ok();
        let run = shop.sh(&shop.one, "git switch two");
        follow(&shop, &run.stderr, "two");
    }
}

/// A branch that a refused switch has reset is put back by what the hint says.
#[test]
fn a_hint_puts_a_reset_branch_back() {
    for level in levels() {
        for name in ["other", "x;touch${IFS}PWN"] {
            let shop = Shop::new(level, Refs::Files);
            let quoted = shlex::try_quote(name).unwrap();
            drop(shop.sh(&shop.one, &format!("git branch {quoted} other")));
            let before = shop.refs();
            let run = shop.sh(&shop.one, &format!("git checkout -q -B {quoted} main"));
            assert_ne!(shop.refs(), before, "{run}");
            shop.sh(&shop.one, hinted(&run.stderr)).ok();
            assert_eq!(shop.refs(), before, "{run}");
        }
    }
}
