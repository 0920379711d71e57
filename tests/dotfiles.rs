//! The rule for every repository of a user: `git lane init --global`, and the same through
//! dotfiles.

use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, git_version, skipped, write};

/// Every file below a home, with its content.
fn listing(home: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pending = vec![home.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            found.push((
                path.strip_prefix(home).unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            ));
        }
    }
    found.sort();
    found
}

/// A command with another home.
fn with_home(
    sandbox: &Sandbox,
    home: &Path,
    directory: &Path,
    program: &str,
    args: &[&str],
) -> Run {
    let mut command = sandbox.command(program);
    command
        .current_dir(directory)
        .args(args)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join(".config"));
    sandbox.run(&mut command)
}

#[test]
fn installing_twice_is_installing_once_and_uninstalling_leaves_nothing() {
    let sandbox = Sandbox::new();
    let home = sandbox.root().join("home");
    write(&home.join(".gitconfig"), "# mine\n[user]\n\tname = A\n");
    let before = listing(&home);
    sandbox.lane(["init", "--global"]).ok();
    let after = listing(&home);
    assert!(
        sandbox
            .lane(["init", "--global"])
            .ok()
            .contains("nothing had to change")
    );
    assert_eq!(listing(&home), after);
    let include = sandbox.git(["config", "--global", "--get-all", "include.path"]);
    assert_eq!(include, "~/.config/git-lane/hooks.gitconfig");
    // Every git reads it, the ones too that know no such hooks.
    sandbox.git(["status"]);
    sandbox.lane(["init", "--global", "--uninstall"]).ok();
    assert_eq!(listing(&home).len(), before.len());
    let text = std::fs::read_to_string(home.join(".gitconfig")).unwrap();
    assert!(
        text.starts_with("# mine\n[user]\n\tname = A\n") && !text.contains("git-lane"),
        "{text}"
    );
}

#[test]
fn files_of_others_are_left_alone_and_said() {
    let sandbox = Sandbox::new();
    let policy = sandbox.root().join("home/.config/git-lane/lane.toml");
    write(&policy, "[start]\nowner = \"me\"\n");
    for args in [
        &["init", "--global"][..],
        &["init", "--global", "--uninstall"],
    ] {
        let run = sandbox.lane(args);
        assert!(run.stderr.contains("lane.toml' is not git-lane's"), "{run}");
        run.ok();
        assert_eq!(
            std::fs::read(&policy).unwrap(),
            b"[start]\nowner = \"me\"\n"
        );
    }
}

/// What git-lane wrote and a person has edited is that person's.
#[test]
fn a_file_that_was_edited_is_neither_overwritten_nor_removed() {
    let sandbox = Sandbox::new();
    let policy = sandbox.root().join("home/.config/git-lane/lane.toml");
    let fish = sandbox
        .root()
        .join("home/.config/fish/conf.d/git-lane.fish");
    sandbox.lane(["init", "--global"]).ok();
    let written = std::fs::read_to_string(&policy).unwrap();
    let edited = [
        format!("{written}owner = \"me\"\n").into_bytes(),
        written.replace("true", "false").into_bytes(),
        [written.as_bytes(), b"# \xff\n"].concat(),
        written.lines().next().unwrap().into(),
    ];
    write(
        &fish,
        "# mine, in latin 1: \u{e9}\n"
            .chars()
            .map(|c| c as u8)
            .collect::<Vec<u8>>(),
    );
    let foreign = std::fs::read(&fish).unwrap();
    for text in edited {
        write(&policy, &text);
        for args in [
            &["init", "--global"][..],
            &["init", "--global", "--uninstall"],
        ] {
            let run = sandbox.lane(args);
            assert!(
                run.stderr
                    .contains("lane.toml' was changed after git-lane wrote it"),
                "{run}"
            );
            assert!(
                run.stderr.contains("git-lane.fish' is not git-lane's"),
                "{run}"
            );
            run.ok();
            assert_eq!(std::fs::read(&policy).unwrap(), text);
            assert_eq!(std::fs::read(&fish).unwrap(), foreign);
        }
    }
}

/// What an older git-lane wrote is brought up to date, and removed, as long as no user has changed
/// it.
#[test]
fn a_file_of_an_older_version_is_known_by_its_own_word() {
    let sandbox = Sandbox::new();
    let policy = sandbox.root().join("home/.config/git-lane/lane.toml");
    sandbox.lane(["init", "--global"]).ok();
    let written = std::fs::read_to_string(&policy).unwrap();
    let old = "[start]\n";
    write(&sandbox.root().join("old"), old);
    let id = sandbox.git(["hash-object", sandbox.root().join("old").to_str().unwrap()]);
    let first = written
        .lines()
        .next()
        .unwrap()
        .rsplit_once(' ')
        .unwrap()
        .0
        .to_owned();
    let older = format!("{first} {id}\n{old}");
    write(&policy, &older);
    sandbox.lane(["init", "--global"]).ok();
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), written);
    write(&policy, &older);
    sandbox.lane(["init", "--global", "--uninstall"]).ok();
    assert!(!policy.exists());
}

#[test]
fn printing_changes_nothing_and_is_what_installing_writes() {
    let sandbox = Sandbox::new();
    let home = sandbox.root().join("home");
    let before = listing(&home);
    let printed = sandbox
        .lane(["init", "--global", "--print", "--json"])
        .json();
    assert_eq!(listing(&home), before);
    sandbox.lane(["init", "--global"]).ok();
    for file in printed["files"].as_array().unwrap() {
        let written = std::fs::read_to_string(file["path"].as_str().unwrap()).unwrap();
        assert_eq!(written, file["text"].as_str().unwrap());
    }
    let text = sandbox.lane(["init", "--global", "--print"]).ok();
    assert!(
        text.contains("[include]\n\tpath = ~/.config/git-lane/hooks.gitconfig\n"),
        "{text}"
    );
}

/// Hooks of the user's configuration are in force without `git lane init`; the repository's policy
/// holds all the same.
#[test]
fn the_policy_of_a_repository_holds_where_only_global_hooks_are_in_force() {
    if git_version() < (2, 54) {
        skipped("this git has no hooks in its configuration");
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["init", "--global"]).ok();
    std::fs::remove_file(sandbox.root().join("home/.config/git-lane/lane.toml")).unwrap();
    sandbox.write("lane.toml", "[rule]\nprotected = [\"main\"]\n");
    sandbox.commit("policy");
    let commit = || {
        sandbox.run(
            sandbox
                .command("git")
                .args(["commit", "-q", "--allow-empty", "-m", "x"]),
        )
    };
    sandbox.lane(["start", "one"]).ok();
    let refused = commit();
    assert!(
        refused.code != 0 && refused.stderr.contains("branch 'main' is protected"),
        "{refused}"
    );
    // A rule that came later is copied with the next lane, and one that was taken out goes.
    sandbox.write("lane.toml", "[rule]\nhome = \"main\"\n");
    sandbox.lane(["start", "two"]).ok();
    commit().ok();
    let away = sandbox.run(sandbox.command("git").args(["switch", "-q", "-c", "away"]));
    assert!(
        away.code != 0 && away.stderr.contains("stays on 'main'"),
        "{away}"
    );
    let copied = sandbox.git([
        "config",
        "--local",
        "--get-regexp",
        "^(hook\\.|lane\\.(home|protected))",
    ]);
    assert_eq!(copied, "lane.home main");
}

#[test]
fn dotfiles_bring_the_rule_to_a_new_machine_and_take_it_away_again() {
    // One machine, whose owner puts the files into a dotfiles repository …
    let sandbox = Sandbox::new();
    sandbox.lane(["init", "--global"]).ok();
    let dotfiles = sandbox.root().join("dotfiles");
    std::fs::rename(sandbox.root().join("home/.config/git-lane"), &dotfiles).unwrap();
    let shared = listing(&dotfiles);
    // … and another, where they are put in place by a symbolic link.
    let home = sandbox.root().join("home2");
    std::fs::create_dir_all(home.join(".config")).unwrap();
    std::os::unix::fs::symlink(&dotfiles, home.join(".config/git-lane")).unwrap();
    write(
        &home.join(".gitconfig"),
        "[include]\n\tpath = ~/.config/git-lane/hooks.gitconfig\n",
    );
    let clone = home.join("clone");
    let run = |directory: &Path, program: &str, args: &[&str]| {
        with_home(&sandbox, &home, directory, program, args)
    };
    run(
        &home,
        "git",
        &["clone", "-q", sandbox.repo.to_str().unwrap(), "clone"],
    )
    .ok();

    // Silent where there are no lanes.
    let silent = run(&clone, "git", &["switch", "-q", "-c", "free"]);
    assert_eq!(silent.stderr, "");
    silent.ok();
    run(&clone, "git", &["switch", "-q", "main"]).ok();

    let started = run(&clone, "git-lane", &["start", "login"]);
    assert_eq!(started.stderr, "", "{started}");
    started.ok();
    let lane = home.join("clone.lanes/login");
    run(&lane, "git", &["branch", "other"]).ok();
    let refused = run(&lane, "git", &["switch", "other"]);
    assert!(
        refused.code != 0 && refused.stderr.contains("lane 'login'"),
        "{refused}"
    );
    assert_eq!(
        run(&lane, "git", &["branch", "--show-current"]).ok(),
        "login\n"
    );

    // Everything is removed again.
    run(&clone, "git-lane", &["init", "--uninstall"]).ok();
    let removed = run(&clone, "git-lane", &["init", "--global", "--uninstall"]);
    assert!(
        removed.stderr.contains("the symbolic link")
            && removed.stderr.contains(".config/git-lane' leads"),
        "{removed}"
    );
    removed.ok();
    run(&lane, "git", &["switch", "-q", "other"]).ok();
    assert!(
        !std::fs::read_to_string(home.join(".gitconfig"))
            .unwrap()
            .contains("git-lane")
    );
    // The dotfiles themselves are their repository's: other machines use them.
    assert_eq!(listing(&dotfiles), shared);
    if git_version() < (2, 54) {
        eprintln!("this git has no hooks in its configuration: the rule came with the first lane");
    }
}

#[test]
fn zsh_is_told_where_its_completion_is_and_finds_it_there() {
    let sandbox = Sandbox::new();
    let home = sandbox.root().join("home");
    if sandbox.sh("command -v zsh").code != 0 {
        skipped("there is no zsh");
        return;
    }
    let run = sandbox.lane(["init", "--global"]);
    let line = run
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("hint: in ~/.zshrc, before compinit: "));
    let line = line.unwrap_or_else(|| panic!("{run}")).to_owned();
    // Without it nothing is found; said again until it is there.
    let zsh = |rc: &str| {
        write(
            &home.join(".zshrc"),
            format!("{rc}\nautoload -Uz compinit && compinit -u -D\n"),
        );
        let mut shell = sandbox.command("zsh");
        sandbox
            .run(shell.args(["-i", "-c", "print -r -- $_comps[git-lane]"]))
            .stdout
    };
    assert_eq!(zsh("").trim(), "");
    assert!(sandbox.lane(["init", "--global"]).stderr.contains(&line));
    assert_eq!(zsh(&line).trim(), "_git-lane");
    assert!(!sandbox.lane(["init", "--global"]).stderr.contains("zsh"));
    assert!(
        !sandbox
            .lane(["init", "--global", "--uninstall"])
            .stderr
            .contains("zsh")
    );
}
