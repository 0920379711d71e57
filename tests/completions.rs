//! Completion: the candidates, and that bash, zsh and fish really offer them for `git lane <Tab>`.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use git_lane::cli::Cli;

use crate::support::{Sandbox, installed, skipped, write};

/// Writes the record of a lane as start would.
fn record(sandbox: &Sandbox, name: &str, owner: &str, task: &str) {
    let worktree = sandbox
        .root()
        .join("shop.lanes")
        .join(name.replace('/', "-"));
    let fork = sandbox.git(["rev-parse", "HEAD"]);
    let settings = [
        ("id", "0123456789abcdef"),
        ("branch", name),
        ("worktree", worktree.to_str().unwrap()),
        ("base", "refs/heads/main"),
        ("forkPoint", &fork),
        ("owner", owner),
        ("task", task),
        ("created", "2026-01-02T03:04:05Z"),
    ];
    sandbox.record_of(name, &settings);
}

fn candidates(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let told = sandbox.lane(["complete", "--"].iter().chain(words)).ok();
    told.lines()
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect()
}

fn verbs() -> Vec<String> {
    let command = Cli::command();
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    visible.map(|verb| verb.get_name().to_owned()).collect()
}

#[test]
fn the_candidates_are_verbs_options_words_and_names() {
    let sandbox = Sandbox::new();
    record(&sandbox, "login", "ann", "FIX-1");
    record(&sandbox, "feature/x", "bob", "two \u{1b}[2J\nlines");
    assert_eq!(candidates(&sandbox, &["git-lane", ""]), verbs());
    assert_eq!(candidates(&sandbox, &["git-lane", "conf"]), ["config"]);
    assert_eq!(
        candidates(&sandbox, &["git-lane", "config", "trash."]),
        ["trash.days", "trash.size"]
    );
    assert_eq!(
        candidates(&sandbox, &["git-lane", "completions", ""]),
        ["bash", "zsh", "fish"]
    );
    assert!(candidates(&sandbox, &["git-lane", "config", "--"]).contains(&"--json".to_owned()));
    assert!(candidates(&sandbox, &["git-lane", "nonsense", ""]).is_empty());
    assert!(candidates(&sandbox, &[]).is_empty());

    // The shell function goes into lanes too.
    assert_eq!(candidates(&sandbox, &["lane", "logi"]), ["login"]);
    assert_eq!(candidates(&sandbox, &["lane", "feat"]), ["feature/x"]);
    let told = sandbox.lane(["complete", "--", "lane", "feature"]).ok();
    assert_eq!(told, "feature/x\ttwo \\u{1b}[2J\n");

    // Outside a repository there are no names, and no error; -C leads into one.
    let root = sandbox.root();
    assert_eq!(
        sandbox
            .lane_in(&root, ["complete", "--", "lane", "logi"])
            .ok(),
        ""
    );
    let led = sandbox
        .lane_in(&root, ["complete", "--", "git-lane", "-C", "shop", "conf"])
        .ok();
    assert!(led.starts_with("config\t"), "{led}");
}

#[test]
fn a_verb_that_takes_a_lane_a_branch_or_an_owner_completes_it() {
    let sandbox = Sandbox::new();
    record(&sandbox, "login", "ann", "FIX-1");
    sandbox.git(["branch", "develop"]);
    write(
        &sandbox.repo.join(".git/lane/trash/1/entry.json"),
        r#"{"id":"1","lane":{"name":"gone"},"reason":"dropped"}"#,
    );
    write(
        &sandbox.repo.join(".git/lane/trash/2/entry.json"),
        "damaged",
    );
    let verbs = verbs();
    let has = |verb: &str| verbs.iter().any(|other| other == verb);
    for verb in [
        "path", "show", "try", "check", "sync", "exec", "finish", "drop", "claim", "release",
        "rename", "move", "base",
    ]
    .into_iter()
    .filter(|verb| has(verb))
    {
        assert_eq!(
            candidates(&sandbox, &["git-lane", verb, ""]),
            ["login"],
            "{verb}"
        );
    }
    let bases = candidates(&sandbox, &["git-lane", "base", "login", "dev"]);
    assert_eq!(bases, ["develop"]);
    if has("restore") {
        assert_eq!(candidates(&sandbox, &["git-lane", "restore", ""]), ["gone"]);
        let meant = candidates(&sandbox, &["git-lane", "undo", ""]);
        assert!(meant.contains(&"gone".to_owned()), "{meant:?}");
    }
    if has("start") {
        assert_eq!(
            candidates(&sandbox, &["git-lane", "start", "--base", "dev"]),
            ["develop"]
        );
        assert_eq!(
            candidates(&sandbox, &["git-lane", "start", "--base=dev"]),
            ["--base=develop"]
        );
        assert_eq!(
            candidates(&sandbox, &["git-lane", "start", "--owner", ""]),
            ["ann"]
        );
    }
    record(&sandbox, "search", "ann", "FIX-2");
    for words in [
        &["finish", "login", "sea"][..],
        &["finish", "--keep", "login", "sea"],
        &["finish", "login", "--gate", "make", "sea"],
        &["check", "--gate", "sea"],
        &["check", "--again", "--gate", "sea"],
    ] {
        let line: Vec<&str> = ["git-lane"].iter().chain(words).copied().collect();
        assert_eq!(candidates(&sandbox, &line), ["search"], "{words:?}");
    }
    if has("finish") {
        assert_eq!(
            candidates(&sandbox, &["git-lane", "finish", "--into", "ma"]),
            ["main"]
        );
    }
}

/// A new lane may take up a branch that has no worktree yet; any other name is the user's own.
#[test]
fn start_offers_the_branches_it_can_take_up_and_no_files() {
    let sandbox = Sandbox::new();
    sandbox.lane(["start", "used"]).ok();
    for branch in ["topic", "heads/odd"] {
        sandbox.git(["branch", branch]);
    }
    for branch in ["HEAD", "main", "used", "colleague", "pr/7"] {
        let name = format!("refs/remotes/origin/{branch}");
        sandbox.git(["update-ref", &name, "HEAD"]);
    }
    let start = ["git-lane", "start", ""];
    let offered = ["colleague", "heads/odd", "pr/7", "topic"];
    assert_eq!(candidates(&sandbox, &start), offered);
    assert_eq!(
        candidates(&sandbox, &["git-lane", "start", "new", "pr"]),
        ["pr/7"]
    );
    let policy = sandbox.repo.join(".git/lane/lane.toml");
    write(&policy, "[start]\nbranch = \"heads/{name}\"\n");
    assert_eq!(candidates(&sandbox, &start), ["odd"]);
    // What bash must not offer files for.
    write(&policy, "");
    for (words, kind) in [
        (&["git-lane", "start", "no"][..], "names"),
        (&["git-lane", "finish", ""], "names"),
        (&["git-lane", "start", "--base", "x"], "names"),
        (&["git-lane", "start", "--from", ""], "files"),
        (&["git-lane", "exec", "--all", "--", ""], "files"),
        (&["git-lane", "start", "-"], "files"),
    ] {
        let line = [&["complete", "--kind", "--"], words].concat();
        let told = sandbox.lane(line).ok();
        assert_eq!(told.lines().next(), Some(kind), "{words:?}");
    }
}

#[test]
fn it_reads_and_never_writes() {
    let sandbox = Sandbox::new();
    record(&sandbox, "login", "ann", "FIX-1");
    let before = sandbox.fingerprint();
    assert_eq!(candidates(&sandbox, &["lane", "logi"]), ["login"]);
    assert_eq!(sandbox.fingerprint(), before);
    assert!(!sandbox.repo.join(".git/lane").exists());
}

#[test]
fn bash_completes_through_gits_own_completion() {
    if !installed("bash") {
        return;
    }
    let sandbox = Sandbox::new();
    for name in [
        "login",
        "x;touch pwned".replace(' ', "${IFS}").as_str(),
        "z'b",
    ] {
        record(&sandbox, name, "ann", "FIX-1");
    }
    let script = sandbox.root().join("completion.bash");
    std::fs::write(&script, sandbox.lane(["completions", "bash"]).ok()).unwrap();
    let gits = [
        "/usr/share/bash-completion/completions/git",
        "/usr/share/git-core/contrib/completion/git-completion.bash",
    ];
    let gits = gits.iter().find(|file| Path::new(file).is_file());
    let complete = |function: &str, words: &[&str]| {
        let program = r#"
            [ -z "$1" ] || . "$1"
            . "$2"
            function=$3; shift 3
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
            COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' COMPREPLY=()
            "$function"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let mut command = sandbox.command("bash");
        command
            .args([
                "--norc",
                "--noprofile",
                "-c",
                program,
                "bash",
                gits.unwrap_or(&""),
            ])
            .arg(&script);
        command.arg(function).args(words);
        let told = sandbox.run(&mut command).ok();
        told.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    if gits.is_some() {
        assert_eq!(
            complete("__git_wrap__git_main", &["git", "lane", "conf"]),
            ["config "]
        );
        assert_eq!(
            complete("__git_wrap__git_main", &["git", "-C", ".", "lane", "conf"]),
            ["config "]
        );
        let keys = complete("__git_wrap__git_main", &["git", "lane", "config", "trash"]);
        assert_eq!(keys, ["trash.days ", "trash.size "]);
    } else {
        skipped("git's own completion for bash is not installed");
    }
    assert_eq!(
        complete("__git_lane_alone", &["/usr/bin/git-lane", "conf"]),
        ["config "]
    );
    assert_eq!(complete("__git_lane_alone", &["lane", "logi"]), ["login "]);
    // A list with commas goes on as it was typed.
    assert_eq!(
        complete(
            "__git_lane_alone",
            &["git-lane", "list", "--columns", "name,stat"]
        ),
        ["name,state ", "name,status "]
    );
    // What is put on the line is one word to the shell.
    assert_eq!(
        complete("__git_lane_alone", &["lane", "x"]),
        ["x\\;touch\\$\\{IFS\\}pwned "]
    );
    assert_eq!(complete("__git_lane_alone", &["lane", "z"]), ["z\\'b "]);
    // `=` is a word break: only what follows it is replaced.
    std::fs::create_dir(sandbox.repo.join("pages")).unwrap();
    assert_eq!(
        complete(
            "__git_lane_alone",
            &["git-lane", "man", "--output", "=", "pag"]
        ),
        ["pages/"]
    );
}

#[test]
fn bash_offers_no_files_where_none_can_be_meant() {
    let sandbox = Sandbox::new();
    let script = sandbox.root().join("completion.bash");
    std::fs::write(&script, sandbox.lane(["completions", "bash"]).ok()).unwrap();
    let rc = sandbox.root().join("bashrc");
    let lines = format!("PS1='> '\n. '{}'\necho ready\n", script.display());
    std::fs::write(&rc, lines).unwrap();
    write(&sandbox.repo.join("readable/file"), "x");
    let line = format!("bash --noprofile --rcfile '{}' -i", rc.display());
    let Some(terminal) = sandbox.terminal((80, 30), &line) else {
        return;
    };
    terminal.wait_for(|screen| screen.contains("ready\n>"));
    for (typed, seen) in [
        ("git-lane start reada", "start reada end"),
        ("git-lane exec --all -- cat reada", "cat readable/ end"),
    ] {
        terminal.type_text(typed);
        terminal.press(&["Tab"]);
        terminal.type_text(" end");
        let screen = terminal.wait_for(|screen| screen.contains(" end"));
        assert!(screen.contains(seen), "{screen}");
        // A Ctrl-C would have the terminal forget what is typed right after it.
        terminal.press(&["C-u"]);
        terminal.type_text("clear");
        terminal.press(&["Enter"]);
        // What is typed while the command runs is another matter.
        terminal.wait_for(|screen| screen.trim() == ">");
    }
}

#[test]
fn fish_completes_git_lane() {
    if !installed("fish") {
        return;
    }
    let sandbox = Sandbox::new();
    record(&sandbox, "login", "ann", "FIX-1");
    let file = sandbox
        .root()
        .join("home/.config/fish/conf.d/git-lane.fish");
    write(&file, sandbox.lane(["completions", "fish"]).ok());
    let complete = |line: &str| {
        let mut command = sandbox.command("fish");
        command.args(["-c", "complete -C $argv[1]", line]);
        let told = sandbox.run(&mut command).ok();
        told.lines()
            .map(|line| line.split('\t').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(complete("git-lane conf"), ["config"]);
    assert_eq!(complete("git lane conf"), ["config"]);
    assert_eq!(complete("git -C . lane conf"), ["config"]);
    assert_eq!(
        complete("git lane config trash."),
        ["trash.days", "trash.size"]
    );
    assert_eq!(complete("git lane completions "), ["bash", "zsh", "fish"]);
    let mut command = sandbox.command("fish");
    command.args([
        "-c",
        "git-lane shell-init fish | source; complete -C 'lane logi'",
    ]);
    assert_eq!(sandbox.run(&mut command).ok(), "login\tFIX-1\n");
}

#[test]
fn zsh_completes_git_lane_on_a_terminal() {
    if !installed("zsh") {
        return;
    }
    let sandbox = Sandbox::new();
    record(&sandbox, "login", "ann", "FIX-1");
    record(&sandbox, "z'b;c", "ann", "FIX-1");
    let functions: PathBuf = sandbox.root().join("functions");
    write(
        &functions.join("_git-lane"),
        sandbox.lane(["completions", "zsh"]).ok(),
    );
    let told = sandbox.root().join("told");
    // A zsh on a pseudo terminal; after each Tab, a key writes what stands on the line into a file.
    let driver = r#"
        zmodload zsh/zpty
        told=$1 place=$2; shift 2
        zpty -b shell zsh -f -i
        drain() { local x; while zpty -rt shell x 2>/dev/null; do :; done }
        zpty -w shell "fpath=(${(q)place} \$fpath); autoload -Uz compinit; compinit -u -D"
        zpty -w shell "tell() { print -r -- \"<\$BUFFER>\" >> ${(q)told}; BUFFER= }; zle -N tell; bindkey '^X' tell"
        zpty -w shell "bindkey '^I' complete-word; lane() { : }; : > ${(q)told}"
        for i in {1..200}; do [[ -e $told ]] && break; drain; sleep 0.05; done
        sleep 0.3
        for line in "$@"; do
            before=$(wc -l < $told)
            zpty -w -n shell "$line"$'\t'$'\x18'
            for i in {1..200}; do (( $(wc -l < $told) > before )) && break; drain; sleep 0.05; done
        done
        zpty -d shell
        cat $told"#;
    let mut command = sandbox.command("zsh");
    command
        .args(["-f", "-c", driver, "zsh"])
        .arg(&told)
        .arg(&functions);
    command.args([
        "git-lane confi",
        "git lane confi",
        "git lane config trash.d",
        "lane logi",
        "lane z",
    ]);
    command
        .env("TERM", "xterm")
        .env("ZDOTDIR", sandbox.root().join("home"));
    let told = sandbox.run(&mut command).ok();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        [
            "<git-lane config >",
            "<git lane config >",
            "<git lane config trash.days >",
            "<lane login >",
            "<lane z\\'b\\;c >"
        ],
        "{told}"
    );
}

#[test]
fn the_scripts_are_sound_to_their_shells_and_to_shellcheck() {
    let sandbox = Sandbox::empty();
    for (shell, args) in [
        ("bash", &["--norc", "-n"][..]),
        ("zsh", &["-f", "-n"]),
        ("fish", &["-n"]),
        ("dash", &["-n"]),
    ] {
        let name = if shell == "dash" { "sh" } else { shell };
        let verbs: &[&str] = if shell == "dash" {
            &["shell-init"]
        } else {
            &["shell-init", "completions"]
        };
        for verb in verbs {
            let file = sandbox.root().join(format!("{verb}.{name}"));
            std::fs::write(&file, sandbox.lane([verb, name]).ok()).unwrap();
            if installed(shell) {
                let run = sandbox.run(sandbox.command(shell).args(args).arg(&file));
                assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell} {verb}");
            }
        }
    }
    if installed("shellcheck") {
        for (dialect, file) in [
            ("bash", "completions.bash"),
            ("bash", "shell-init.bash"),
            ("sh", "shell-init.sh"),
        ] {
            let mut command = sandbox.command("shellcheck");
            let run = sandbox.run(command.args(["-s", dialect]).arg(sandbox.root().join(file)));
            assert_eq!(run.code, 0, "{run}");
        }
    }
}
