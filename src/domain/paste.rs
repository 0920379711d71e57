//! Commands people and agents are told to run. Names and paths are data: whatever they hold, the shell that is given the
//! line sees one word.

/// `text` as one word of a shell command: as it is where that is safe, else quoted.
pub fn word(text: impl std::fmt::Display) -> String {
    // A NUL is in no name and no path; nothing that could be run is left of a text that has one.
    shlex::try_quote(&text.to_string()).map_or_else(|_| "''".into(), |word| word.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_one_word() {
        for plain in ["login", "feature/login", "a.b-c_1", "/x/y", "T+1@x"] {
            assert_eq!(word(plain), plain);
        }
        for text in ["$(id)", "`id`", "a'b\"c", "x;id", "!id", "#x", "a b", "~x", "", "é", "a\nb", "{a,b}", "*", "x>y"]
        {
            let quoted = word(text);
            let output =
                std::process::Command::new("sh").args(["-c", &format!("printf %s {quoted}")]).output().unwrap();
            assert_eq!(output.stdout, text.as_bytes(), "{quoted}");
        }
    }
}
