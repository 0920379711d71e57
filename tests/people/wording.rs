//! What the program says is said in one way everywhere.

use std::path::Path;

use crate::support::files;

/// The lines of the source that are no comments, up to the tests of a file, with where they are.
fn lines() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files(&root).into_iter().filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for (at, line) in code.lines().enumerate() {
            if !line.trim_start().starts_with("//") {
                found.push((format!("{name}:{}", at + 1), line.to_owned()));
            }
        }
    }
    found
}

/// Where `text` stands, what is said just before it, and what just after.
fn said<'a>(lines: &'a [(String, String)], text: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut found = Vec::new();
    for (place, line) in lines {
        for (at, _) in line.match_indices(text) {
            found.push((place.as_str(), &line[..at], &line[at + text.len()..]));
        }
    }
    found
}

#[test]
fn the_way_to_another_directory_is_told_in_one_form() {
    let lines = lines();
    for target in ["cd {}", "cd \\\"$(git lane path"] {
        for (place, before, _) in said(&lines, target) {
            // A command that others put into their sentences, and what words of other programs mean.
            let is_part = before.ends_with("format!(\"") || place.starts_with("commands/familiar");
            assert!(
                before.ends_with("go to: ") || is_part,
                "{place}: {before}{target}"
            );
        }
    }
}

#[test]
fn a_lane_is_quoted_in_a_sentence() {
    let lines = lines();
    let places = said(&lines, "lane {");
    for (place, before, after) in places.into_iter().filter(|(.., after)| after.contains('}')) {
        let is_command = before.ends_with("git ");
        // What git-lane writes into reflogs, and lists whose members are quoted.
        let is_id = before.ends_with('(');
        let is_list = after.starts_with("only")
            || after.starts_with("} of ")
            || place.starts_with("domain/undo/undo_refusal");
        assert!(
            is_command || is_id || is_list,
            "{place}: {before}lane {{{after}"
        );
    }
}

#[test]
fn an_age_has_one_form() {
    let lines = lines();
    for unit in [
        " days ago",
        " weeks ago",
        " hours ago",
        "{} days",
        "\"weeks\"",
        "\"days\"",
        " seconds old",
    ] {
        let found = said(&lines, unit);
        assert!(found.is_empty(), "{found:?}");
    }
}
