//! Names in commands that people paste into a shell.

/// A name or a path as one word: as it is where every shell would take it so, else quoted.
pub fn word(text: &impl ToString) -> String {
    let text = text.to_string();
    // Only a zero byte cannot be quoted, and no name has one.
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_run_is_quoted() {
        for (name, expected) in [
            ("feature/x-1.2", "feature/x-1.2"),
            ("x;touch${IFS}PWN", "'x;touch${IFS}PWN'"),
            ("it's", r#""it's""#),
            ("a!b", "'a!b'"),
            ("x{a,b}", "'x{a,b}'"),
            ("other@{1}", "'other@{1}'"),
        ] {
            assert_eq!(word(&name), expected);
        }
    }
}
