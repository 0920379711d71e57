//! Commands people and agents are told to run. Names and paths are data: whatever they hold, the
//! shell that is given the line sees one word.

use bstr::ByteSlice;

/// `text` as one word of a shell command: as it is where that is safe, else quoted.
pub fn quote(text: impl std::fmt::Display) -> String {
    quote_bytes(text.to_string().as_bytes())
}

/// The same for bytes that need not be UTF-8, as branch names are. What is no text, or would not be
/// shown as it is, is spelled out for printf(1): a terminal and a clipboard pass it on unchanged.
pub fn quote_bytes(bytes: &[u8]) -> String {
    // A command substitution loses line feeds at the end.
    let text = bytes.trim_end_with(|c| c == '\n');
    let breaks = "\n".repeat(bytes.len() - text.len());
    match (text.is_empty(), breaks.is_empty()) {
        (_, true) => quote_one_line(text),
        (true, false) => format!("'{breaks}'"),
        (false, false) => format!("{}'{breaks}'", quote_one_line(text)),
    }
}

/// The same for bytes that end in no line feed.
fn quote_one_line(bytes: &[u8]) -> String {
    let shown = std::str::from_utf8(bytes).ok();
    match shown.filter(|text| text.chars().all(is_shown)) {
        // A NUL is in no name and no path; nothing that could be run is left of a text that has
        // one.
        Some(text) => shlex::try_quote(text).map_or_else(|_| "''".into(), |word| word.into_owned()),
        None => {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./+@:= ".contains(byte);
            let spell = |byte: &u8| {
                if plain(byte) {
                    char::from(*byte).into()
                } else {
                    format!("\\{byte:03o}")
                }
            };
            format!(
                "\"$(printf -- '{}')\"",
                bytes.iter().map(spell).collect::<String>()
            )
        }
    }
}

fn is_shown(c: char) -> bool {
    "'\"\\".contains(c) || c.escape_debug().count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_one_word() {
        for plain in ["login", "feature/login", "a.b-c_1", "/x/y", "T+1@x"] {
            assert_eq!(quote(plain), plain);
        }
        for text in [
            "$(id)", "`id`", "a'b\"c", "x;id", "!id", "#x", "a b", "~x", "", "é", "a\nb", "{a,b}",
            "*", "x>y",
        ]
        .into_iter()
        .chain([
            "\u{202e}%s\\n'",
            "-\u{200b}1",
            "a\n",
            "\n",
            "a b\n\n",
            "\u{1b}[2J\n",
        ]) {
            let quoted = quote(text);
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {quoted}")])
                .output()
                .unwrap();
            assert_eq!(output.stdout, text.as_bytes(), "{quoted}");
            assert!(!quoted.contains('\u{1b}'), "{quoted}");
        }
        for bytes in [&b"caf\xe9"[..], b"\xff;id", b"-\xff7'%d\\"] {
            let quoted = quote_bytes(bytes);
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {quoted}")])
                .output()
                .unwrap();
            assert_eq!(output.stdout, bytes, "{quoted}");
            assert!(quoted.is_ascii());
        }
    }
}
