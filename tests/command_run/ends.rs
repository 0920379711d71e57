//! How a command ends, and what it said until then.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use git_lane::internals::{CappedLog, Code, CommandRun, Ended, Program, Stdin, run_command};

use super::{Site, exit, has_proc, lives, most_memory};
use crate::support::{executable, installed, skipped, write};

#[test]
fn a_command_ends_as_a_shell_says() {
    let site = Site::new();
    write(&site.path("data"), "no program");
    executable(&site.path("damaged"), "\u{7f}ELF");
    for (line, ended, said) in [
        ("true", exit(0), ""),
        ("exit 3", exit(3), ""),
        ("./data", exit(126), "denied"),
        ("./damaged", exit(126), "damaged"),
        ("no-such-program", exit(127), "not found"),
        ("(", exit(2), "yntax"),
        ("", exit(0), ""),
        ("echo a; echo b >&2; echo c", exit(0), "a\nb\nc\n"),
        (
            "echo \"$0 $#\"; printf %s '$HOME'",
            exit(0),
            "/bin/sh 0\n$HOME",
        ),
        ("cat; echo end", exit(0), "end\n"),
        ("printf '\\377\\0'", exit(0), "\u{fffd}\0"),
        ("kill -KILL $$", Ended::Signal(9), ""),
        ("kill -TERM $$", Ended::Signal(15), ""),
        ("sh -c 'kill -KILL $$'; exit $?", exit(137), ""),
        ("exec >&- 2>&-; sleep 0.3; exit 4", exit(4), ""),
        ("rm -f missing; cd /; exit 5", exit(5), ""),
    ] {
        let outcome = site.run(line);
        let log = site.text("log");
        assert_eq!(outcome.ended, ended, "{line}: {log}");
        assert!(log.contains(said), "{line}: {log}");
        assert!(outcome.is_logged && outcome.left_behind == 0, "{line}");
        assert!(outcome.elapsed < Duration::from_secs(10), "{line}");
    }
    let outcome = site.try_run("cat; exit 6", |run| run.stdin = Stdin::Null);
    assert_eq!(outcome.unwrap().ended, exit(6));
}

#[test]
fn a_command_that_cannot_begin_is_an_error() {
    let site = Site::new();
    let error = site.try_run("touch begun", |run| run.directory = Path::new("/nowhere"));
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::Environment);
    assert!(error.to_string().contains("nowhere"), "{error}");
    let error = site.try_run("echo \0", |_| {}).unwrap_err();
    assert_eq!(error.code(), Code::Environment);
}

/// Nobody could end it if git-lane were killed.
#[test]
fn a_command_without_a_record_never_begins() {
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let site = Site::new();
    let record = |run: &mut CommandRun<'_>| run.group_record = Some(Path::new("/nowhere/record"));
    let ran = site.try_run("touch begun", record);
    assert!(ran.unwrap_err().to_string().contains("/nowhere/record"));
    std::thread::sleep(Duration::from_millis(200));
    assert!(!site.path("begun").exists());
}

#[test]
fn a_command_is_on_record_before_it_begins_and_not_after_it_ended() {
    let site = Site::new();
    site.run("cat record; echo; echo $$ $GIT_LANE_RUN");
    let log = site.text("log");
    if !has_proc() {
        return skipped("there is no /proc");
    }
    let (record, own) = log.trim_end().split_once('\n').unwrap();
    let (group, id) = own.split_once(' ').unwrap();
    assert!(record.contains(&format!("\"group\":{group},")), "{log}");
    assert!(record.contains(&format!("\"run\":\"{id}\"")), "{log}");
}

#[test]
fn the_time_limit_ends_the_whole_group() {
    let site = Site::new();
    let limit = Duration::from_millis(400);
    let outcome = site.run_within(
        limit,
        "sleep 60 & echo $! >pid; trap 'echo tidied up; exit 0' TERM; sleep 60 & wait",
    );
    assert_eq!(outcome.ended, Ended::TimedOut);
    assert!(outcome.elapsed >= limit && outcome.elapsed < Duration::from_secs(2));
    assert!(site.text("log").ends_with("tidied up\n"));
    assert!(!lives(site.number("pid")));
}

#[test]
fn what_does_not_listen_is_killed() {
    let site = Site::new();
    let limit = Duration::from_millis(100);
    let started = Instant::now();
    let outcome = site.run_within(
        limit,
        "trap '' TERM; echo $$ >pid; while :; do sleep 0.1; done",
    );
    assert_eq!(outcome.ended, Ended::TimedOut);
    assert!(!lives(site.number("pid")));
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(5) && took < Duration::from_secs(9),
        "{took:?}"
    );
}

#[test]
fn a_stopped_command_is_ended_too() {
    let site = Site::new();
    let outcome = site.run_within(Duration::from_millis(300), "echo $$ >pid; kill -STOP $$");
    assert_eq!(outcome.ended, Ended::TimedOut);
    assert!(!lives(site.number("pid")));
}

/// It is in the background of the terminal, where reading stops a process for ever.
#[test]
fn a_command_that_wants_the_terminal_is_ended() {
    if !installed("script") || !has_proc() {
        return;
    }
    let site = Site::new();
    let another = site.start_another(
        "echo $$ >pid; read answer </dev/tty; echo read",
        |command| {
            let own = format!(
                "{} --exact command_run::another_process --ignored",
                command.get_program().display()
            );
            let mut script = std::process::Command::new("script");
            script.args(["-qec", &own, "/dev/null"]);
            script.envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            let quiet = std::process::Stdio::null;
            // Standard input stays open: script ends with it.
            script
                .stdin(std::process::Stdio::piped())
                .stdout(quiet())
                .stderr(quiet());
            *command = script;
        },
    );
    assert_eq!(another.ended().0, 0, "{}", site.text("log"));
    assert!(
        site.text("outcome").starts_with("Signal(21)"),
        "{}",
        site.text("outcome")
    );
    assert!(!lives(site.number("pid")));
}

#[test]
fn a_flood_takes_little_memory_and_little_disk() {
    let site = Site::new();
    let another = site.start_another(
        "echo first; head -c 200000000 /dev/zero; printf '\\nlast\\n'",
        |_| {},
    );
    assert_eq!(another.ended().0, 0);
    let outcome = site.text("outcome");
    let (ended, memory) = outcome.split_once('\n').unwrap();
    assert_eq!(ended, "Exit(0)");
    let more = memory.parse::<u64>().unwrap().saturating_sub(most_memory());
    assert!(more < 32 << 10, "{more} KiB more than this process");
    let log = std::fs::read(site.path("log")).unwrap();
    assert!(log.starts_with(b"first\n\0") && log.ends_with(b"\0\nlast\n"));
    assert!(log.len() > 9 << 20 && log.len() < 10 << 20, "{}", log.len());
    let left_out = 200_000_012 - (9 << 20);
    let told = format!("\n[git-lane leaves out {left_out} bytes here]\n");
    assert!(log.windows(told.len()).any(|part| part == told.as_bytes()));
}

#[test]
fn a_watcher_hears_all_of_it_and_how_long_it_takes() {
    let site = Site::new();
    let (heard, ticks) = (RefCell::new(Vec::new()), Cell::new(0));
    let live = |piece: &[u8]| heard.borrow_mut().extend_from_slice(piece);
    let tick = |_| ticks.set(ticks.get() + 1);
    let path = site.path("watched");
    let mut log = CappedLog::new(File::create(&path).unwrap(), &path);
    let outcome = run_command(CommandRun {
        program: Program::Line("for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done"),
        directory: Path::new("/"),
        environment: &[],
        without: &[],
        stdin: Stdin::Null,
        log: &mut log,
        live: Some(&live),
        tick: Some(&tick),
        time_limit: None,
        stop: None,
        group_record: None,
    });
    assert_eq!(outcome.unwrap().ended, exit(0));
    assert_eq!(log.last_lines(2), ["5", "6"]);
    log.close().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), *heard.borrow());
    assert_eq!(heard.into_inner(), b"1\n2\n3\n4\n5\n6\n");
    assert!((2..=6).contains(&ticks.get()), "{}", ticks.get());
}

#[test]
fn a_log_that_takes_nothing_is_told() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    let site = Site::new();
    let mut full = CappedLog::new(full, Path::new("/dev/full"));
    let mut logged = None;
    let outcome = run_command(CommandRun {
        program: Program::Line("echo said; touch ran"),
        directory: &site.path(""),
        environment: &[],
        without: &[],
        stdin: Stdin::Null,
        log: &mut full,
        live: None,
        tick: None,
        time_limit: None,
        stop: None,
        group_record: None,
    });
    logged.replace(outcome.unwrap().is_logged);
    assert_eq!(logged, Some(false));
    assert!(site.path("ran").exists());
    assert_eq!(full.last_lines(1), ["said"]);
    assert_eq!(full.close().unwrap_err().code(), Code::DiskFull);
}

/// They would lead a git in the command to another repository than the one around it.
#[test]
fn gits_own_variables_are_left_out() {
    let site = Site::new();
    let another = site.start_another("env; printf '%s' \"$GIVEN\" >given", |command| {
        command
            .env("GIT_DIR", "/elsewhere")
            .env("GIT_INDEX_FILE", "/elsewhere/index");
        command
            .env("GIT_WORK_TREE", "/elsewhere")
            .env("GIT_AUTHOR_NAME", "A. Author");
    });
    assert_eq!(another.ended().0, 0);
    let log = site.text("log");
    assert!(
        log.contains("GIT_AUTHOR_NAME=A. Author\n") && !log.contains("/elsewhere"),
        "{log}"
    );
    assert_eq!(site.text("given"), "given");
}
