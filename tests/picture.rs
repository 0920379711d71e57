//! The picture in the README: a session on a real terminal, drawn from what the program shows.
//!
//! `GIT_LANE_BLESS=1` writes `tests/snapshots/session.svg` anew.

use std::path::Path;

use crate::support::{Sandbox, installed};

/// What is typed, in the main worktree, and what happens unseen before it.
const SESSION: [(&str, &str); 5] = [
    ("", "git lane start fix-login search"),
    (
        "cd ../shop.lanes/fix-login && echo 'fn login() {}' > login.rs && git add . && git commit \
         -qm 'Log in' && cd ../search && echo x > index.rs && git -C ../fix-login lane mark ready",
        "git lane",
    ),
    ("", "git -C ../shop.lanes/search switch topic"),
    ("", "git lane finish fix-login"),
    ("", "git lane undo fix-login"),
];

/// Ages are not the same in every run: `4s`, `3y` and the like are `2m`.
fn without_ages(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let end = rest[start..]
            .find(|c| !is_word(c))
            .map_or(rest.len(), |end| start + end);
        let (before, word) = (&rest[..start], &rest[start..end]);
        let number = word
            .strip_suffix(['s', 'm', 'h', 'd', 'w', 'y'])
            .unwrap_or_default();
        // A colour is `[2m`.
        let is_age = number.parse::<u32>().is_ok() && !before.ends_with(['[', ';']);
        kept += before;
        kept += if is_age { "2m" } else { word };
        rest = &rest[end..];
    }
    kept + rest
}

#[test]
fn the_picture_shows_what_the_program_shows() {
    if !installed("tmux") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.lane(["init"]).ok();
    sandbox.git(["branch", "topic"]);
    let mut script = String::from("exec 2>&1\n");
    for (before, line) in SESSION {
        if !before.is_empty() {
            script += &format!("({before}) >/dev/null\n");
        }
        let shown = line.replace('\'', "'\\''");
        script += &format!("printf '\\033[1m$ %s\\033[0m\\n' '{shown}'\n{line}\necho\n");
    }
    let file = sandbox.root().join("session.sh");
    std::fs::write(&file, script).unwrap();
    let shown = sandbox.shown_at(88, &format!("sh '{}'", file.display()));
    let shown = shown.unwrap().coloured;
    let root = sandbox.root().display().to_string();
    let shown = without_ages(&shown.replace(&root, "/home/ann"));
    let picture = anstyle_svg::Term::new().render_svg(shown.trim_end());
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/session.svg");
    if std::env::var_os("GIT_LANE_BLESS").is_some() {
        std::fs::write(&kept, &picture).unwrap();
    }
    let known = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(known == picture, "GIT_LANE_BLESS=1 draws it anew:\n{shown}");
}
