//! Files in a refusal: as a document has them, and as words of a command.

use bstr::{BString, ByteSlice};

use crate::domain::lane::lossless;
use crate::domain::shell_word::quote;

/// The details of an error.
pub(super) fn files_of(files: &[BString]) -> serde_json::Value {
    let files: Vec<_> = files.iter().map(|file| lossless(file.as_bstr())).collect();
    serde_json::json!({ "paths": files })
}

/// The first few of them as words of a command.
pub(super) fn named(files: &[BString]) -> String {
    files
        .iter()
        .take(3)
        .map(|file| format!(" {}", quote(file)))
        .collect()
}
