//! Gives a text to the user's pager, as git does.
//!
//! `ui` alone calls it.

use std::io::{ErrorKind, Result, Write};
use std::process::{Command, Stdio};

use crate::store::activity::TerminalTaken;
use crate::store::{git, signals};

/// What git tells the usual pagers unless the user has told them something else: to end at once where
/// all fits on the screen, to pass colours on, and to leave the screen as it is. What is shown here has
/// the newest last, so that less begins at the end.
const USUAL: [(&str, &str); 2] = [("LESS", "FRX+G"), ("LV", "-c")];

/// Characters for which git has a shell read the line.
const FOR_A_SHELL: &str = "|&;<>()$`\\\"' \t\n*?[#~=%";

/// Shows `text` until the user leaves; whether there is such a pager. One that is left before the end
/// has shown what was wanted.
pub fn show(line: &str, text: &[u8]) -> Result<bool> {
    let mut command = match line.contains(|c| FOR_A_SHELL.contains(c)) {
        true => Command::new("/bin/sh"),
        false => Command::new(line),
    };
    if line.contains(|c| FOR_A_SHELL.contains(c)) {
        command.args(["-c", line]);
    }
    git::scrub(&mut command);
    for (name, value) in USUAL {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    // What is typed is for the pager alone, and git-lane ends after it.
    let _waiting = signals::Waiting::begin();
    let _editing = signals::Editing::begin();
    let _taken = TerminalTaken::begin();
    let mut child = match command.stdin(Stdio::piped()).spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        spawned => spawned?,
    };
    if let Some(mut stdin) = child.stdin.take() {
        let written = stdin.write_all(text);
        drop(stdin);
        child.wait()?;
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            return Err(error);
        }
    }
    Ok(true)
}
