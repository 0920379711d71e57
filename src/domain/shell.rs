//! Names in commands that people paste into a shell.

/// A name or a path as one word: as it is where a shell would take it so, else quoted.
pub fn word(text: &impl ToString) -> String {
    shell_words::quote(&text.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_run_is_quoted() {
        for (name, expected) in [
            ("feature/x-1.2", "feature/x-1.2"),
            ("x;touch${IFS}PWN", "'x;touch${IFS}PWN'"),
            ("it's", "'it'\\''s'"),
            ("other@{1}", "'other@{1}'"),
        ] {
            assert_eq!(word(&name), expected);
        }
    }
}
