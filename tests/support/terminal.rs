//! A real terminal: tmux with a socket and a home of its own, of any size.
//!
//! `assert_terminals` compares what a command shows at every width with snapshots;
//! `Sandbox::terminal` gives a terminal in which keys are pressed and screens waited for.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::snapshot::lasting;
use super::{Sandbox, assert_screen, installed};

/// The widths of the screens: a narrow split, the usual one, a wide one.
pub const WIDTHS: [usize; 3] = [40, 80, 120];

/// Lines of a terminal, where a test does not ask for others.
const LINES: usize = 50;

/// What the shell writes after the command line has ended, before its exit code.
const ENDED: &str = "[ended with ";

/// How long a terminal may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal in which a command line runs, or has run.
pub struct Terminal<'a> {
    sandbox: &'a Sandbox,
    socket: PathBuf,
}

/// What a command line has shown, and its exit code.
#[derive(Debug)]
pub struct Shown {
    /// The exit code.
    pub code: i32,
    /// The lines, those that have left the screen at its top among them; without blanks at their
    /// ends.
    pub text: String,
    /// The same with its colours.
    pub coloured: String,
}

impl Sandbox {
    /// Starts a command line of the shell on a terminal of that many columns and lines, in the main
    /// worktree. `None` where there is no tmux, which is said.
    pub fn terminal(&self, (columns, lines): (usize, usize), line: &str) -> Option<Terminal<'_>> {
        if !installed("tmux") {
            return None;
        }
        let home = self.root().join("home");
        let directory = tempfile::TempDir::with_prefix_in("tmux-", home).unwrap();
        let terminal = Terminal {
            sandbox: self,
            socket: directory.keep().join("socket"),
        };
        // The shell stays, so that the screen does; it says by itself that the line has ended.
        let script = format!("{line}\nprintf '\\n{ENDED}%s]' $?\nexec sleep 3600");
        let size = [columns, lines].map(|number| number.to_string());
        let mut start = terminal.tmux();
        start
            .args(["new-session", "-d", "-x", &size[0], "-y", &size[1]])
            .args(["sh", "-c", &script]);
        self.run(&mut start).ok();
        Some(terminal)
    }

    /// What a command line shows on a terminal of that many columns.
    pub fn shown_at(&self, columns: usize, line: &str) -> Option<Shown> {
        Some(self.terminal((columns, LINES), line)?.ended())
    }

    /// What a command shows on terminals of every width, compared with the snapshots `NAME-40`,
    /// `NAME-80` and `NAME-120`. No row may be cut by the terminal: a line that is longer than the
    /// screen stands there as the terminal wraps it.
    #[track_caller]
    pub fn assert_terminals(&self, name: &str, args: &[&str]) {
        for columns in WIDTHS {
            let line = format!("git-lane {}", args.join(" "));
            let Some(shown) = self.shown_at(columns, &line) else {
                return;
            };
            let mut text = format!("$ git lane {}\n{}", args.join(" "), shown.text);
            if shown.code != 0 {
                text += &format!("--- exit code {}\n", shown.code);
            }
            assert_screen(&format!("{name}-{columns}"), &lasting(self, &text));
        }
    }
}

impl Terminal<'_> {
    /// Presses keys, as tmux calls them: `q`, `Down`, `Enter`, `Escape`, `C-c`.
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        self.ask(&[&["send-keys"], keys].concat());
    }

    /// Types text.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.ask(&["send-keys", "-l", text]);
    }

    /// Makes it another size.
    #[track_caller]
    pub fn resize(&self, columns: usize, lines: usize) {
        let size = [columns, lines].map(|number| number.to_string());
        self.ask(&["resize-window", "-x", &size[0], "-y", &size[1]]);
    }

    /// The lines of the screen as they are now.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.capture(&[])
    }

    /// Waits until the screen is as is asked for, and returns it.
    #[track_caller]
    pub fn wait_for(&self, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "never shown; it is:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the command line has ended.
    #[track_caller]
    pub fn ended(&self) -> Shown {
        self.wait_for(|screen| screen.contains(ENDED));
        let whole = |options: &[&str]| {
            let all = self.capture(&[&["-S", "-"], options].concat());
            let (text, end) = all.rsplit_once(ENDED).expect("the end was shown");
            let code = end.split(']').next().and_then(|code| code.parse().ok());
            // The end begins a line of its own, whatever the command line has left.
            let text = format!("{}\n", text.trim_end_matches('\n'));
            (code.expect("an exit code"), text)
        };
        let ((code, text), (_, coloured)) = (whole(&[]), whole(&["-e"]));
        Shown {
            code,
            text,
            coloured,
        }
    }

    /// Whether a program has the whole screen for itself, and what was there comes back.
    #[track_caller]
    pub fn is_borrowed(&self) -> bool {
        self.ask(&["display-message", "-p", "#{alternate_on}"]) == "1\n"
    }

    /// Whether the cursor is shown.
    #[track_caller]
    pub fn has_cursor(&self) -> bool {
        self.ask(&["display-message", "-p", "#{cursor_flag}"]) == "1\n"
    }

    #[track_caller]
    fn capture(&self, options: &[&str]) -> String {
        let text = self.ask(&[&["capture-pane", "-p"], options].concat());
        let lines = text.lines().map(str::trim_end);
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[track_caller]
    fn ask(&self, words: &[&str]) -> String {
        self.sandbox.run(self.tmux().args(words)).ok()
    }

    /// tmux with no configuration but its own, in the sandbox's environment.
    fn tmux(&self) -> Command {
        let mut command = self.sandbox.command("tmux");
        command
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(&self.socket)
            .env("TERM", "xterm-256color");
        command
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        drop(self.tmux().arg("kill-server").output());
    }
}
