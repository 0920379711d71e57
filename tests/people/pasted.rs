//! A command that the program tells a user to run can be pasted as it stands: nothing in it is to be
//! filled in that git-lane could know, and it says where it runs where that matters.

use std::path::Path;

use crate::support::files;

/// Words in commands that only the user can choose, with the file that has them.
const CHOICES: [(&str, &str); 26] = [
    // The name, the text or the branch of something new.
    ("commands/check/forecast_report", "NAME"),
    ("commands/list/mod", "NAME"),
    ("commands/sync/mod", "NAME"),
    ("commands/wait", "NAME"),
    ("domain/adopt/adopt_refusal", "NAME"),
    ("domain/finish/landing_words", "NAME"),
    ("domain/guard/guard_words", "NAME"),
    ("domain/start/start_refusal", "NAME"),
    ("domain/try_lane/end_refusal", "NAME"),
    ("domain/finish/landing_words", "MESSAGE"),
    // Which one of several is meant.
    ("domain/base_fit", "BRANCH"),
    ("domain/doctor/words", "BRANCH"),
    ("domain/finish/landing_words", "BRANCH"),
    ("domain/doctor/words", "COMMIT"),
    // Where the user has put, or wants, something.
    ("commands/man", "DIR"),
    ("commands/path", "NEW-PLACE"),
    ("commands/restore", "DIRECTORY"),
    ("domain/doctor/words", "DIRECTORY"),
    ("domain/finish/landing_words", "DIRECTORY"),
    // The command that the user has run.
    ("domain/guard/guard_words", "…"),
    // Usage lines, which describe.
    ("commands/base/mod", "[OPTIONS]"),
    ("commands/check/mod", "[OPTIONS]"),
    ("commands/exec", "[OPTIONS]"),
    ("commands/mark", "[OPTIONS]"),
    ("commands/move", "[OPTIONS]"),
    ("commands/rename", "[OPTIONS]"),
];

/// What means another thing in each worktree.
const OF_A_WORKTREE: [&str; 17] = [
    "add",
    "am",
    "apply",
    "bisect",
    "checkout",
    "cherry-pick",
    "clean",
    "commit",
    "ls-files",
    "merge",
    "rebase",
    "reset",
    "restore",
    "revert",
    "rm",
    "stash",
    "switch",
];

/// Where such commands are said of the worktree in which the user has just run a git, or of none.
const WHERE_ONE_IS: [&str; 7] = [
    "domain/guard/",
    "guard/",
    "commands/familiar",
    "store/git/",
    // Where the base is checked out nowhere, and any worktree will do.
    "operations/land/base_remote",
    "operations/land/push_first",
    // It names them beside the branch on which they are to be run.
    "operations/land/revert",
];

/// The texts of the source, as the program has them, up to the tests of a file.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files(&root).into_iter().filter(|path| path.is_file()) {
        let name = path.strip_prefix(&root).unwrap().with_extension("");
        let name = name.display().to_string();
        if name.contains("/tests") || name.ends_with("_table") || name.starts_with("shell/") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: Vec<&str> = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let literals = literals(&code.join("\n"));
        found.extend(literals.into_iter().map(|literal| (name.clone(), literal)));
    }
    found
}

/// The string literals of a piece of Rust, with lines put together that a backslash has parted.
fn literals(code: &str) -> Vec<String> {
    let (mut found, mut chars) = (Vec::new(), code.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            // A character, not a lifetime.
            '\'' => {
                let mut ahead = chars.clone();
                let escaped = ahead.next() == Some('\\');
                if escaped {
                    ahead.next();
                }
                if ahead.next() == Some('\'') {
                    chars = ahead;
                }
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' if chars.peek() == Some(&'\n') => {
                            while chars.peek().is_some_and(|c| c.is_whitespace()) {
                                chars.next();
                            }
                        }
                        '\\' => literal.extend(chars.next()),
                        c => literal.push(c),
                    }
                }
                found.push(literal);
            }
            _ => {}
        }
    }
    found
}

/// The commands of git in a text: from where one begins that is to be pasted to the end of its part.
fn commands(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("git ") {
        let begins = [": ", "&& ", "with ", "by ", "try: "];
        let before = &text[..at];
        if before.is_empty() || begins.iter().any(|begins| before.ends_with(begins)) {
            let rest = &text[at..];
            found.push(rest.split(';').next().unwrap_or(rest));
        }
    }
    found
}

/// A word in a command that is to be filled in.
fn to_fill_in(command: &str) -> Option<&str> {
    let is_optional = |word: &str| {
        let inside = word.strip_prefix('[').and_then(|rest| rest.chars().next());
        inside.is_some_and(|c| c.is_ascii_uppercase())
    };
    let is_one = |word: &&str| {
        let bare = word.trim_matches(['.', ',', '\'', '"', ')']);
        let is_name = bare.len() > 2
            && bare.chars().all(|c| c.is_ascii_uppercase() || c == '-')
            && !["HEAD", "EOF"].contains(&bare)
            && !bare.starts_with('-');
        is_name || word.starts_with('<') || word.contains('…') || is_optional(word)
    };
    let word = command.split([' ', '=', '/']).find(is_one)?;
    Some(word.trim_matches(['.', ',', '\'', '"', ')']))
}

#[test]
fn a_command_is_complete() {
    let (mut used, mut unknown) = (Vec::new(), Vec::new());
    for (file, text) in texts() {
        for command in commands(&text) {
            let Some(word) = to_fill_in(command) else {
                continue;
            };
            let choice = (file.as_str(), word);
            match CHOICES.iter().position(|known| *known == choice) {
                Some(known) => used.push(known),
                None => unknown.push(format!("{file}: '{word}' in: {command}")),
            }
        }
    }
    let unused = (0..CHOICES.len()).filter(|at| !used.contains(at));
    let unused: Vec<_> = unused.map(|at| CHOICES[at]).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_command_of_a_worktree_says_of_which() {
    let mut found = Vec::new();
    for (file, text) in texts() {
        if WHERE_ONE_IS.iter().any(|known| file.starts_with(known)) {
            continue;
        }
        for command in commands(&text) {
            let mut words = command.split(' ').skip(1);
            let verb = words.next().unwrap_or_default();
            // What is said of a git in a sentence, not to be pasted.
            let next = words.next();
            let is_prose =
                next.is_none_or(|word| ["ended", "says", "failed", "or"].contains(&word));
            if OF_A_WORKTREE.contains(&verb) && !is_prose {
                found.push(format!("{file}: no -C in: {command}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The rules find what they are for.
#[test]
fn the_rules_bite() {
    let code = "hint(\"make one: git \\\n     switch -c NAME; or not\"); let c = '\"'; f(\"git -C {} add {}\")";
    let found = literals(code);
    assert_eq!(
        found,
        ["make one: git switch -c NAME; or not", "git -C {} add {}"]
    );
    assert_eq!(commands(&found[0]), ["git switch -c NAME"]);
    for (command, word) in [
        ("git switch -c NAME", Some("NAME")),
        ("git branch -m {} <other name>", Some("<other")),
        ("git rebase … {}", Some("…")),
        ("git lane finish {} --into BRANCH", Some("BRANCH")),
        ("git config {} refs/heads/BRANCH", Some("BRANCH")),
        ("git symbolic-ref HEAD {}", None),
        ("git -C {} branch -D -- {}", None),
    ] {
        assert_eq!(to_fill_in(command), word, "{command}");
    }
}
