//! What clap says of a command line: the words of it that clap repeats are data.

use clap::builder::StyledStr;
use clap::error::ContextValue;

use super::escape::line;

/// Writes every dangerous character out that the command line brought along.
pub fn escape(error: &mut clap::Error) {
    let styled = |text: &StyledStr| {
        let plain = text.to_string();
        // Escaped as a whole: a tip is one line, and only one that needs it loses its colours.
        if line(&plain) == plain {
            text.clone()
        } else {
            StyledStr::from(line(&plain))
        }
    };
    let escaped: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(line(text)),
                ContextValue::Strings(texts) => {
                    ContextValue::Strings(texts.iter().map(|text| line(text)).collect())
                }
                ContextValue::StyledStrs(texts) => {
                    ContextValue::StyledStrs(texts.iter().map(styled).collect())
                }
                // Numbers and flags, and the usage line, which has nothing from outside in it.
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in escaped {
        error.insert(kind, value);
    }
}
