//! The lines that git writes into a file where two versions of it conflict (gitattributes(5),
//! `conflict-marker-size`).
//!
//! Called by `operations/resolve`.

/// How long a marker is where no attribute says so.
pub const USUAL_SIZE: usize = 7;

/// The characters of the four kinds.
const KINDS: [u8; 4] = *b"<|=>";

/// How many lines of each kind a text has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarkerLines([usize; KINDS.len()]);

impl MarkerLines {
    /// Those of a text, where a marker has `size` characters.
    pub fn of(text: &[u8], size: usize) -> Self {
        let mut found = MarkerLines::default();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(kind) = kind(line.strip_suffix(b"\r").unwrap_or(line), size) {
                found.0[kind] += 1;
            }
        }
        found
    }

    /// Of each kind as many as the one or the other has: a text about conflicts has such lines of
    /// its own.
    pub fn most(self, other: Self) -> Self {
        MarkerLines(std::array::from_fn(|kind| self.0[kind].max(other.0[kind])))
    }

    /// Whether more conflicts begin or end than `allowed`. A line of `=======` alone is a heading's.
    pub fn goes_beyond(self, allowed: Self) -> bool {
        let more = |kind: usize| self.0[kind] > allowed.0[kind];
        (0..KINDS.len()).any(|kind| KINDS[kind] != b'=' && more(kind))
    }
}

/// Which kind of marker a line is; all but `=======` may have a label.
fn kind(line: &[u8], size: usize) -> Option<usize> {
    let first = *line.first()?;
    let kind = KINDS.iter().position(|known| *known == first)?;
    let run = line.iter().take_while(|byte| **byte == first).count();
    let labelled = first != b'=' && line.get(size) == Some(&b' ');
    (run == size && (labelled || line.len() == size)).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_git_are_found_and_others_are_not() {
        for (text, size, expected) in [
            (
                "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n",
                7,
                [1, 0, 1, 1],
            ),
            ("<<<<<<< HEAD\r\na\r\n=======\r\n", 7, [1, 0, 1, 0]),
            ("||||||| 1a2b\n|||||||\n", 7, [0, 2, 0, 0]),
            (">>>>>>>", 7, [0, 0, 0, 1]),
            ("<<<<<<<<< HEAD\n=========\n", 9, [1, 0, 1, 0]),
            ("<<<<<<<<< HEAD\n=========\n", 7, [0; 4]),
            ("======= x\n========\n ======\n", 7, [0; 4]),
            ("a <<<<<<< HEAD\n<<<<<<<HEAD\n>>>>>> x\n", 7, [0; 4]),
            ("", 7, [0; 4]),
        ] {
            assert_eq!(MarkerLines::of(text.as_bytes(), size).0, expected, "{text}");
        }
    }

    #[test]
    fn what_a_side_has_of_its_own_is_allowed() {
        let heading = MarkerLines::of(b"=======\n", 7);
        let allowed = heading.most(MarkerLines::default());
        assert!(!heading.goes_beyond(allowed));
        assert!(!MarkerLines::of(b"=======\n=======\n", 7).goes_beyond(allowed));
        assert!(MarkerLines::of(b"<<<<<<< x\n", 7).goes_beyond(allowed));
    }
}
