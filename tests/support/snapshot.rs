//! Screens and documents as the files in `tests/snapshots` have them, without what differs from
//! run to run.

use super::{Run, Sandbox};

/// Compares a text with `tests/snapshots/NAME.snap`.
#[track_caller]
pub fn assert_screen(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

impl Sandbox {
    /// What a command says on both streams, on a terminal of 80 columns, compared with a snapshot.
    #[track_caller]
    pub fn assert_screen(&self, name: &str, args: &[&str]) {
        let mut command = self.command("git-lane");
        let run = self.run(command.args(args).env("COLUMNS", "80"));
        assert_screen(name, &lasting(self, &screen(args, &run)));
    }
}

fn screen(args: &[&str], run: &Run) -> String {
    let mut text = format!("$ git lane {}\n{}", args.join(" "), run.stdout);
    if !run.stderr.is_empty() {
        text += &format!("--- stderr\n{}", run.stderr);
    }
    if run.code != 0 {
        text += &format!("--- exit code {}\n", run.code);
    }
    text
}

/// Text without the sandbox's place, ids of lanes, times, ages and process numbers. A commit is
/// the same in every run.
pub fn lasting(sandbox: &Sandbox, text: &str) -> String {
    let text = text.replace(sandbox.root().to_str().unwrap(), "ROOT");
    let word = |word: &str| match is_lasting(word) {
        true => word.to_owned(),
        false => word.replace(|c: char| c.is_ascii_hexdigit(), "0"),
    };
    let line = |line: &str| match line.split_once("\"pid\": ") {
        Some((before, _)) => format!("{before}\"pid\": 0"),
        None => line.split(' ').map(word).collect::<Vec<_>>().join(" "),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_lasting(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_id = word.len() == 19 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time = word.len() >= 20 && word.ends_with('Z') && word.contains('T');
    let is_clock = word.len() == 5 && word.split(':').all(|part| part.parse::<u8>().is_ok());
    let years = word.strip_suffix('y').unwrap_or_default();
    !is_id && !is_time && !is_clock && years.parse::<u8>().is_err()
}
