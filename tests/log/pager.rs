//! The log has the pager that git would take.

use crate::support::{Sandbox, installed, skipped};

/// What a terminal shows of a command line, without what styles it. `None` where there is no
/// script(1).
fn on_a_terminal(sandbox: &Sandbox, line: &str, pager: Option<(&str, &str)>) -> Option<String> {
    let mut command = sandbox.command("script");
    command
        .args(["-qec", line, "/dev/null"])
        .env("TERM", "xterm");
    command.envs(pager);
    let Ok(output) = command.output() else {
        skipped("there is no script(1)");
        return None;
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    Some(shown)
}

#[test]
fn the_pager_is_the_one_that_git_takes() {
    let marks = |text: &str| format!("sed 's/^/{text}: /'");
    let (core, variable, user, own) = (marks("core"), marks("git"), marks("user"), marks("own"));
    let git = Some(("GIT_PAGER", variable.as_str()));
    let users = Some(("PAGER", user.as_str()));
    for (settings, environment, line, wanted) in [
        (
            &[("core.pager", core.as_str())][..],
            None,
            "git-lane log",
            Some("core"),
        ),
        (&[("core.pager", &core)], git, "git-lane log", Some("git")),
        (
            &[("core.pager", &core)],
            users,
            "git lane log",
            Some("core"),
        ),
        (&[], users, "git lane log", Some("user")),
        (&[("core.pager", "cat")], users, "git lane log", None),
        (&[("core.pager", "")], users, "git lane log", None),
        (
            &[("core.pager", "no-such-pager")],
            users,
            "git lane log",
            None,
        ),
        (&[("pager.lane.log", "false")], users, "git lane log", None),
        (
            &[("pager.lane.log", "true")],
            users,
            "git lane log",
            Some("user"),
        ),
        (
            &[("pager.lane.log", &own)],
            git,
            "git lane log",
            Some("own"),
        ),
        (&[], users, "git --no-pager lane log", None),
        (&[], users, "git lane log --no-pager", None),
        (&[], users, "git lane log --json", None),
        (&[], users, "git lane log | cat", None),
        (&[], users, "timeout 1 git lane log --follow || true", None),
    ] {
        let sandbox = Sandbox::new();
        sandbox.lane(["start", "login"]).ok();
        for (key, value) in settings {
            sandbox.git(["config", key, value]);
        }
        let Some(shown) = on_a_terminal(&sandbox, line, environment) else {
            return;
        };
        let begins = wanted.map(|wanted| format!("{wanted}: "));
        let is_paged = shown.lines().all(|line| match &begins {
            Some(begins) => line.starts_with(begins),
            None => !line.contains(": ") || line.contains("\": "),
        });
        assert!(
            is_paged && shown.contains("login"),
            "{settings:?} {line}: {shown}"
        );
    }
}

/// The pager is told what git tells it, and may be left before the end.
#[test]
fn a_pager_that_is_left_early_is_no_error() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for (pager, wanted) in [
        ("true", ""),
        ("exit 3;", ""),
        ("echo \"$LESS $LV\"; cat >/dev/null", "FRX+G -c"),
    ] {
        sandbox.git(["config", "core.pager", pager]);
        let Some(shown) = on_a_terminal(&sandbox, "git lane log", None) else {
            return;
        };
        assert_eq!(shown.trim(), wanted, "{pager}");
    }
    sandbox.git(["config", "core.pager", "echo $LESS; cat >/dev/null"]);
    let shown = on_a_terminal(&sandbox, "git lane log", Some(("LESS", "-S")));
    assert!(shown.is_none_or(|shown| shown.trim() == "-S"));
}

#[test]
fn the_newest_is_what_one_sees() {
    if !installed("less") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "login"]).ok();
    for number in 0..20 {
        let text = format!("note {number} of twenty");
        sandbox.lane(["mark", "login", "working", "-m", &text]).ok();
    }
    let Some(terminal) = sandbox.terminal((80, 10), "git-lane log") else {
        return;
    };
    let screen = terminal.wait_for(|screen| screen.contains("(END)"));
    assert!(screen.contains("note 19 of twenty"), "{screen}");
    terminal.press(&["q"]);
    assert_eq!(terminal.ended().code, 0);
}
