//! The kernel of Linux' list of mounts; `store/platform` reads it, and the fuzz targets feed it.

use std::path::PathBuf;

/// The fifth field of every line of proc_pid_mountinfo(5).
pub fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    let point = |line: &[u8]| {
        let field = line.split(|byte| *byte == b' ').nth(4)?;
        // Blanks and backslashes are written as three octal digits.
        let mut path = Vec::with_capacity(field.len());
        let mut rest = field;
        while let Some((&byte, after)) = rest.split_first() {
            let octal = after
                .get(..3)
                .filter(|_| byte == b'\\')
                .and_then(|digits| std::str::from_utf8(digits).ok());
            match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                Some(decoded) => {
                    path.push(decoded);
                    rest = &after[3..];
                }
                None => {
                    path.push(byte);
                    rest = after;
                }
            }
        }
        Some(crate::store::path(&path))
    };
    table
        .split(|byte| *byte == b'\n')
        .filter_map(point)
        .collect()
}
