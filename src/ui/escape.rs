//! Names are data: nothing a repository holds may steer a terminal or hide what it says.

/// Characters that move the cursor, reorder text or cannot be seen.
fn dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of text with every dangerous character written out.
pub fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if dangerous(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

/// Like [`line()`], where tabs are our own.
pub fn tabbed(text: &str) -> String {
    text.split('\t').map(line).collect::<Vec<_>>().join("\t")
}

/// A JSON document, pretty-printed, in which those characters are `\u` escapes.
pub fn json(document: &serde_json::Value) -> String {
    plain(&format!("{document:#}\n"))
}

/// Like [`json`], on one line.
pub fn json_line(document: &serde_json::Value) -> String {
    plain(&format!("{document}\n"))
}

fn plain(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if c != '\n' && dangerous(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_written_out() {
        assert_eq!(
            line("a\u{1b}[2Jb\nc\u{202e}d\u{200b}é"),
            r"a\u{1b}[2Jb\nc\u{202e}d\u{200b}é"
        );
        assert_eq!(tabbed("\ta\nb"), "\ta\\nb");
    }

    #[test]
    fn json_stays_the_same_document() {
        let document = serde_json::json!({ "name": "a\u{202e}b\u{e0041}c", "n": 1 });
        let text = json(&document);
        assert!(text.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            document
        );
    }
}
