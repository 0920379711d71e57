//! The hooks as they are written: the files of `../../hooks`, alone, around an older hook, or as a
//! configured command.

use bstr::{BStr, ByteSlice};

use crate::domain::guard::git_hook::Hook;
use crate::repository::hook_file::{BEGIN, END};

/// Grows when the text of a stub changes in a way an old installation has to follow.
pub const VERSION: &str = "3";

const SHEBANG: &str = "#!/bin/sh\n";

/// The stub as a file of its own.
pub fn file(hook: Hook) -> &'static str {
    match hook {
        Hook::PostCheckout => include_str!("../../hooks/post-checkout"),
        Hook::PreCommit => include_str!("../../hooks/pre-commit"),
        Hook::PreMergeCommit => include_str!("../../hooks/pre-merge-commit"),
        Hook::PreRebase => include_str!("../../hooks/pre-rebase"),
        Hook::ReferenceTransaction => include_str!("../../hooks/reference-transaction"),
    }
}

/// The frame that runs an older hook too; `: git-lane` stands for the stub.
fn frame(hook: Hook) -> &'static str {
    match hook {
        Hook::PostCheckout => include_str!("../../hooks/chained/post-checkout"),
        Hook::PreCommit | Hook::PreMergeCommit | Hook::PreRebase => {
            include_str!("../../hooks/chained/pre")
        }
        Hook::ReferenceTransaction => include_str!("../../hooks/chained/reference-transaction"),
    }
}

/// Our marked block of a hook file.
pub fn block(hook: Hook, chained: bool) -> String {
    let body = file(hook).trim_start_matches(SHEBANG);
    let text = match chained {
        true => frame(hook)
            .trim_start_matches(SHEBANG)
            .replace(": git-lane\n", body),
        false => body.to_owned(),
    };
    format!("{BEGIN}{VERSION} >>>\n{text}{END}\n")
}

/// Whether a hook file of ours runs the hook that was there before first: those of older versions
/// do, after a switch.
pub fn runs_older_first(text: &BStr, hook: Hook) -> bool {
    hook == Hook::PostCheckout && !text.contains_str(format!("{BEGIN}{VERSION} >>>"))
}

/// A whole hook file of ours. git-lane does not take the shell's place, which would save a process:
/// a process has to be left who tells a refusal from a crash.
pub fn whole(hook: Hook, chained: bool) -> String {
    format!("{SHEBANG}{}", block(hook, chained))
}

/// What follows our block in a hook file: in version 1, git-lane did take the shell's place.
pub fn rest(text: &BStr) -> Option<&BStr> {
    let end = format!("\n{END}\n");
    let at = text.find(&end)? + end.len();
    Some(text[at..].as_bstr()).filter(|rest| !rest.trim().is_empty())
}

/// The stub as a command for `hook.<name>.command`. git hands it to a shell with `"$@"` appended.
/// Where git runs our hook file as well, that one says what both have to say.
pub fn command(hook: Hook) -> String {
    let name = hook.name();
    let unless_file = format!(
        "lane_file=$(git rev-parse --git-path hooks/{name}); \
         {{ [ -x \"$lane_file\" ] && grep -qs 'git-lane hook {name}' \"$lane_file\"; }} || (echo \
         'git-lane is not on PATH"
    );
    let lines = file(hook)
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let text: String = lines.flat_map(|line| [line, "\n"]).chain([":"]).collect();
    text.replace("(echo 'git-lane is not on PATH", &unless_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_accepted_by_the_shell() {
        for hook in Hook::ALL {
            for text in [
                whole(hook, false),
                whole(hook, true),
                format!("{} \"$@\"", command(hook)),
            ] {
                assert!(
                    !text.contains(": git-lane\n")
                        && text.contains(&format!(" {} \"$", hook.name()))
                );
                let parsed = std::process::Command::new("sh")
                    .args(["-n", "-c", &text])
                    .status()
                    .unwrap();
                assert!(parsed.success(), "{text}");
            }
        }
    }
}
