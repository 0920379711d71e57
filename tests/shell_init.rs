//! The function `lane`, run in every shell it is written for, against a git-lane that only plays
//! its part.

use std::path::Path;

use crate::support::{Run, Sandbox, executable, installed};

/// The shells, with what `shell-init` calls them and their word for the last exit code.
const SHELLS: [(&str, &str, &str); 4] = [
    ("bash", "bash", "$?"),
    ("dash", "sh", "$?"),
    ("zsh", "zsh", "$?"),
    ("fish", "fish", "$status"),
];

/// A stand-in for the verbs: lanes are directories, and finishing renames the one we are in.
const STAND_IN: &str = r#"#!/bin/sh
verb=$1; [ $# -gt 0 ] && shift
case "$verb" in
start) for name; do :; done; [ "$name" = refused ] && exit 3; mkdir -p "$LANES/$name"; printf 'started %s\n' "$name" ;;
path)
    [ "$1" = -- ] && shift
    [ -d "$LANES/$1" ] || { echo "error: there is no lane '$1'" >&2; exit 1; }
    printf '%s\n' "$LANES/$1" ;;
finish | drop) [ "$1" = refused ] && exit 3; mv "$(pwd)" "$LANES/.trash.$$"; echo "done" ;;
shell-init)
    case "$1" in
    --home) printf '%s\n' "$LANES/../shop" ;;
    --enter) for name; do :; done; printf '%s\n' "$LANES/$name" ;;
    esac ;;
*) echo "passed [$verb] [$*]"; exit 7 ;;
esac
"#;

struct Stage {
    sandbox: Sandbox,
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for (_, name, _) in SHELLS {
            let init = sandbox.lane(["shell-init", name]).ok();
            std::fs::write(sandbox.root().join(format!("init.{name}")), init).unwrap();
        }
        let program = sandbox.root().join("bin/git-lane");
        std::fs::remove_file(&program).unwrap();
        executable(&program, STAND_IN);
        std::fs::create_dir(sandbox.root().join("shop.lanes")).unwrap();
        Stage { sandbox }
    }

    fn lane(&self, name: &str) -> std::path::PathBuf {
        let path = self.sandbox.lane_path(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Runs `script` in a shell that has the function; `%?` is the shell's last exit code, `%1` the
    /// first argument.
    fn run(&self, shell: &str, script: &str, argument: &str) -> Run {
        let (program, name, code) = SHELLS
            .into_iter()
            .find(|(program, ..)| *program == shell)
            .unwrap();
        let first = if shell == "fish" { "$argv[1]" } else { "$1" };
        let script = script
            .replace("%?", code)
            .replace("%1", &format!("\"{first}\""));
        let init = self.sandbox.root().join(format!("init.{name}"));
        let mut command = self.sandbox.command(program);
        match shell {
            "bash" => command.args(["--norc", "--noprofile"]),
            "zsh" => command.arg("-f"),
            _ => &mut command,
        };
        command
            .arg("-c")
            .arg(format!(". '{}'\n{script}", init.display()));
        if shell != "fish" {
            command.arg("test");
        }
        command
            .arg(argument)
            .env("LANES", self.sandbox.root().join("shop.lanes"));
        self.sandbox.run(&mut command)
    }

    fn everywhere(&self, check: impl Fn(&str)) {
        SHELLS
            .iter()
            .filter(|(program, ..)| installed(program))
            .for_each(|(program, ..)| check(program));
    }
}

fn shown(path: &Path) -> String {
    format!("{}\n", path.display())
}

#[test]
fn a_familiar_word_is_git_lanes_to_answer_unless_a_lane_is_called_so() {
    let stage = Stage::new();
    let land = stage.lane("land");
    stage.everywhere(|shell| {
        for line in [
            "new login",
            "done",
            "end login",
            "status",
            "help start",
            "land x",
        ] {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let run = stage.run(shell, &format!("lane {line}; echo %?"), "");
            assert_eq!(
                run.ok(),
                format!("passed [{word}] [{rest}]\n7\n"),
                "{shell}: {line}"
            );
        }
        assert_eq!(
            stage.run(shell, "lane land; pwd", "").ok(),
            shown(&land),
            "{shell}"
        );
    });
}

#[test]
fn a_name_leads_into_the_lane_and_a_wrong_one_nowhere() {
    let stage = Stage::new();
    let login = stage.lane("login");
    let list = stage.lane("config");
    stage.everywhere(|shell| {
        assert_eq!(
            stage.run(shell, "lane login; pwd", "").ok(),
            shown(&login),
            "{shell}"
        );
        assert_eq!(
            stage.run(shell, "lane -- config; pwd", "").ok(),
            shown(&list),
            "{shell}"
        );
        let run = stage.run(shell, "lane nothing; echo %?; pwd", "");
        assert_eq!(run.stderr, "error: there is no lane 'nothing'\n", "{shell}");
        assert_eq!(
            run.ok(),
            format!("1\n{}", shown(&stage.sandbox.repo)),
            "{shell}"
        );
    });
}

#[test]
fn start_goes_into_the_new_lane_unless_it_was_refused() {
    let stage = Stage::new();
    stage.everywhere(|shell| {
        let name = format!("new-{shell}");
        let told = stage
            .run(shell, "lane start --base main %1; echo %?; pwd", &name)
            .ok();
        assert_eq!(
            told,
            format!(
                "started {name}\n0\n{}",
                shown(&stage.sandbox.lane_path(&name))
            ),
            "{shell}"
        );
        let told = stage
            .run(shell, "lane start refused; echo %?; pwd", "")
            .ok();
        assert_eq!(
            told,
            format!("3\n{}", shown(&stage.sandbox.repo)),
            "{shell}"
        );
    });
}

#[test]
fn after_a_finish_inside_the_lane_the_shell_is_back_home() {
    let stage = Stage::new();
    stage.everywhere(|shell| {
        for verb in ["finish", "drop"] {
            let login = stage.lane("login");
            let told = stage
                .run(
                    shell,
                    &format!("cd %1; lane {verb}; echo %?; pwd -P"),
                    login.to_str().unwrap(),
                )
                .ok();
            assert_eq!(
                told,
                format!("done\n0\n{}", shown(&stage.sandbox.repo)),
                "{shell} {verb}"
            );
            let login = stage.lane("login");
            let script = format!("cd %1; lane {verb} refused; echo %?; pwd");
            let told = stage.run(shell, &script, login.to_str().unwrap()).ok();
            assert_eq!(told, format!("3\n{}", shown(&login)), "{shell} {verb}");
        }
    });
}

#[test]
fn everything_else_is_git_lane_with_its_exit_code() {
    let stage = Stage::new();
    stage.everywhere(|shell| {
        for (line, told) in [
            ("lane", "passed [] []\n7\n"),
            ("lane --json", "passed [--json] []\n7\n"),
            ("lane config 'a  b' \"\"", "passed [config] [a  b ]\n7\n"),
        ] {
            assert_eq!(
                stage.run(shell, &format!("{line}; echo %?"), "").ok(),
                told,
                "{shell}: {line}"
            );
        }
    });
}

#[test]
fn names_are_never_looked_at_by_the_shell() {
    let stage = Stage::new();
    stage.everywhere(|shell| {
        for name in [
            "$(touch pwned)",
            "`touch pwned`",
            "x;touch pwned",
            "a'b\"c",
            "a b",
            "*",
            "~",
            "x|y&z",
            "\\n",
        ] {
            let path = stage.lane(name);
            assert_eq!(
                stage.run(shell, "lane %1; pwd", name).ok(),
                shown(&path),
                "{shell}: {name}"
            );
            let told = stage.run(shell, "lane start %1; pwd", name).ok();
            assert_eq!(
                told,
                format!("started {name}\n{}", shown(&path)),
                "{shell}: {name}"
            );
            assert!(
                !path.join("pwned").exists() && !stage.sandbox.repo.join("pwned").exists(),
                "{shell}: {name}"
            );
        }
    });
}

/// Runs a script in every shell there is, with the function and the real verbs.
fn with_the_real_verbs(sandbox: &Sandbox, check: impl Fn(&str, &dyn Fn(&str) -> String)) {
    let there = SHELLS
        .into_iter()
        .filter(|(program, ..)| installed(program));
    for (program, name, code) in there {
        let init = sandbox.root().join(format!("real.{name}"));
        std::fs::write(&init, sandbox.lane(["shell-init", name]).ok()).unwrap();
        let run = |script: &str| {
            let mut command = sandbox.command(program);
            // fish gives its user's login name as USER, whatever it is told.
            command.env("GIT_LANE_OWNER", "tester");
            if program == "bash" {
                command.args(["--norc", "--noprofile"]);
            }
            let script = script.replace("%?", code);
            command
                .arg("-c")
                .arg(format!(". '{}'\n{script}", init.display()));
            sandbox.run(&mut command).ok()
        };
        check(program, &run);
    }
}

#[test]
fn with_the_real_verbs_start_leads_into_the_lane_and_a_dry_run_nowhere() {
    let sandbox = Sandbox::new();
    let lane = sandbox.lane_path("login");
    with_the_real_verbs(&sandbox, |program, run| {
        let here = shown(&sandbox.repo);
        let told = run(
            "lane start --dry-run unborn >/dev/null; pwd; lane start bad..name 2>/dev/null; echo \
             %?; pwd",
        );
        assert_eq!(told, format!("{here}1\n{here}"), "{program}");
        assert_eq!(
            run("lane start --base main login other >/dev/null; pwd"),
            shown(&lane),
            "{program}"
        );
        let told = run("lane other; lane login; pwd; lane nothing 2>/dev/null; echo %?");
        assert_eq!(told, format!("{}1\n", shown(&lane)), "{program}");
    });
}

#[test]
fn there_and_back_by_branch_by_part_and_by_what_was_before() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "fix-login", "search"]).ok();
    sandbox.git(["branch", "-m", "search", "topic/index"]);
    let lanes = ["fix-login", "search"].map(|name| shown(&sandbox.lane_path(name)));
    let [login, search] = &lanes;
    let main = shown(&sandbox.repo);
    with_the_real_verbs(&sandbox, |program, run| {
        for (script, places) in [
            ("lane login; pwd; lane main; pwd", [login, &main]),
            ("lane topic/index; pwd; lane -; pwd", [search, &main]),
            (
                "lane search; lane fix-login; lane -; pwd; lane -; pwd",
                [search, login],
            ),
            // Without the function's memory, what the shell itself was in before.
            (
                &format!("cd {login}; cd {search}; lane -; pwd; lane -; pwd").replace('\n', ""),
                [login, search],
            ),
        ] {
            assert_eq!(
                run(script),
                places.map(|place| &**place).concat(),
                "{program}: {script}"
            );
        }
    });
}

#[test]
fn after_the_lane_went_away_the_shell_is_somewhere_real() {
    let sandbox = Sandbox::new();
    let main = shown(&sandbox.repo);
    with_the_real_verbs(&sandbox, |program, run| {
        let told = run("lane start login >/dev/null 2>&1; lane undo -y >/dev/null 2>&1; pwd");
        assert_eq!(told, main, "{program}");
        // Another process takes it.
        let drop = format!(
            "command git -C '{}' lane drop --force login >/dev/null 2>&1",
            sandbox.repo.display()
        );
        let told = run(&format!(
            "lane start login >/dev/null 2>&1; {drop}; lane list >/dev/null; pwd"
        ));
        assert_eq!(told, main, "{program}");
    });
}

#[test]
fn after_a_rename_or_a_move_the_shell_is_where_it_was() {
    let sandbox = Sandbox::new();
    with_the_real_verbs(&sandbox, |program, run| {
        let told = run(
            "lane start old >/dev/null 2>&1; lane rename new >/dev/null 2>&1; pwd; lane move new ../third >/dev/null 2>&1; pwd; lane drop >/dev/null 2>&1; pwd",
        );
        let third = sandbox.lane_path("third");
        let places = [&sandbox.lane_path("new"), &third, &sandbox.repo].map(|path| shown(path));
        assert_eq!(told, places.concat(), "{program}");
    });
}
