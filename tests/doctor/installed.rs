//! `git lane doctor --install`: what a new shell needs, and hints that bring it about.

use std::path::Path;
use std::process::Command;

use crate::support::{Run, Sandbox, installed, script};

/// The directory of the program under test.
fn directory() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_git-lane")).parent().unwrap()
}

/// A user of a shell with a home directory, who reads the manual beside it.
fn as_user(sandbox: &Sandbox, shell: &str, command: &mut Command) -> Run {
    let manual = sandbox.root().join("home/.local/share/man");
    command.current_dir(sandbox.root());
    command.env("SHELL", format!("/bin/{shell}"));
    sandbox.run(command.env("MANPATH", manual))
}

fn asked(sandbox: &Sandbox, shell: &str) -> Run {
    let mut command = sandbox.command("git-lane");
    as_user(sandbox, shell, command.args(["doctor", "--install"]))
}

/// The codes of what is missing, and the hints.
fn missing(sandbox: &Sandbox, shell: &str) -> Vec<(String, String)> {
    let mut command = sandbox.command("git-lane");
    let command = command.args(["doctor", "--install", "--json"]);
    let run = as_user(sandbox, shell, command);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let found = match run.code {
        0 => &json["findings"],
        _ => &json["findings"],
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let pair = |one: &serde_json::Value| (text(&one["code"]), text(&one["hints"][0]));
    found.as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn what_it_hints_at_makes_the_installation_whole() {
    for shell in ["bash", "zsh", "fish"] {
        let sandbox = Sandbox::new();
        std::fs::create_dir_all(sandbox.root().join("home/.config/fish")).unwrap();
        let found = missing(&sandbox, shell);
        let codes: Vec<&str> = found.iter().map(|(code, _)| &**code).collect();
        let mut wanted = vec!["not-in-a-new-shell", "no-manual", "no-completion"];
        wanted.retain(|code| installed("man") || *code != "no-manual");
        assert_eq!(codes, wanted, "{shell}");
        assert!(asked(&sandbox, shell).code == 1);
        for (_, hint) in found {
            let mut command = sandbox.command("sh");
            as_user(&sandbox, shell, command.args(["-c", &hint])).ok();
        }
        let said = asked(&sandbox, shell).ok();
        assert!(said.contains("everything is as it should be"), "{said}");
        // And a new shell does find it: the line that was added puts the program on PATH.
        if shell == "bash" {
            let mut command = sandbox.command("bash");
            command.args([
                "--norc",
                "-c",
                ". ~/.bashrc; type -t lane; command -v git-lane",
            ]);
            let told = as_user(&sandbox, shell, command.env("PATH", "/usr/bin:/bin")).stdout;
            let place = directory().join("git-lane");
            assert_eq!(told, format!("function\n{}\n", place.display()));
        }
    }
}

#[test]
fn another_program_on_path_or_none_is_named() {
    let sandbox = Sandbox::new();
    let program = directory().join("git-lane");
    let run = |path: &str| {
        let mut command = Command::new(&program);
        command.args(["doctor", "--install", "--json"]).env_clear();
        command
            .env("PATH", path)
            .env("HOME", sandbox.root().join("home"));
        let run = as_user(&sandbox, "tcsh", &mut command);
        assert_eq!(run.code, 1, "{run}");
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        json["findings"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(run("/usr/bin:/bin"), "not-on-path");
    let other = sandbox.root().join("other");
    std::fs::create_dir(&other).unwrap();
    script(&other.join("git-lane"), "echo git-lane 0.0.1");
    let before = format!(
        "{}:{}:/usr/bin:/bin",
        other.display(),
        directory().display()
    );
    assert_eq!(run(&before), "another-on-path");
}

#[test]
fn the_help_of_a_verb_is_its_page_on_a_terminal_where_man_has_it() {
    if !installed("man") || !installed("tmux") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("git-lane");
    as_user(&sandbox, "sh", command.args(["man", "--install"])).ok();
    let manual = sandbox.root().join("home/.local/share/man");
    let line = |manual: &Path, rest: &str| {
        let manual = manual.display();
        format!("export MANPATH={manual} MANPAGER=cat; git lane drop {rest}")
    };
    let shown = |line: &str| sandbox.shown_at(100, line).unwrap().text;
    let page = shown(&line(&manual, "--help"));
    assert!(
        page.contains("GIT-LANE-DROP(1)") && page.contains("SYNOPSIS"),
        "{page}"
    );
    // Where man has no page, in a pipe and for the short help there is what clap has.
    for other in [
        line(&sandbox.root(), "--help"),
        line(&manual, "-h"),
        line(&manual, "--help | cat"),
    ] {
        let text = shown(&other);
        assert!(text.contains("Usage: git lane drop"), "{other}: {text}");
    }
    let short = shown(&line(&manual, "-h"));
    assert!(
        short.contains("git lane drop --help opens git-lane-drop(1)"),
        "{short}"
    );
}
