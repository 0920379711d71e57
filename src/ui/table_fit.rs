//! How wide the columns of a table are, and which are left out, so that it fits the screen.
//!
//! `ui/page` alone calls it.

use unicode_width::UnicodeWidthStr;

use super::page::{Cell, GAP, Give};

/// The width of each column; `None` where it is left out. What `gives` says is done in its order
/// until the table fits `limit`; room that is left in the end goes back to what was cut last.
pub fn widths(
    header: &[Cell],
    rows: &[Vec<Cell>],
    gives: &[Give],
    limit: Option<usize>,
) -> Vec<Option<usize>> {
    let widest = |column: usize, counts: &dyn Fn(&Cell) -> bool| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells = cells.filter(|cell| counts(cell));
        cells.map(|cell| cell.text().width()).max().unwrap_or(0)
    };
    let full: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, title)| title.text().width().max(widest(column, &|_| true)))
        .collect();
    let mut widths: Vec<Option<usize>> = full.iter().copied().map(Some).collect();
    let Some(limit) = limit else { return widths };
    for give in gives {
        let excess = total(&widths).saturating_sub(limit);
        if excess == 0 {
            break;
        }
        match *give {
            Give::Cut(column, least) => {
                let least = least.max(widest(column, &Cell::is_whole));
                if let Some(width) = &mut widths[column] {
                    *width -= excess.min(width.saturating_sub(least));
                }
            }
            Give::LeaveOut(column) if widest(column, &Cell::is_whole) == 0 => widths[column] = None,
            Give::LeaveOut(_) => {}
        }
    }
    for give in gives.iter().rev() {
        if let Give::Cut(column, _) = *give {
            let spare = limit.saturating_sub(total(&widths));
            if let Some(width) = &mut widths[column] {
                *width += spare.min(full[column] - *width);
            }
        }
    }
    widths
}

fn total(widths: &[Option<usize>]) -> usize {
    let shown = || widths.iter().flatten();
    shown().sum::<usize>() + GAP * shown().count().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(rows: &[[Cell; 3]], gives: &[Give], limit: usize) -> Vec<Option<usize>> {
        let header = ["A", "B", "C"].map(Cell::from);
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.to_vec()).collect();
        widths(&header, &rows, gives, Some(limit))
    }

    #[test]
    fn columns_give_way_in_their_order_until_the_table_fits() {
        let row = || ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"].map(Cell::from);
        let gives = [
            Give::Cut(2, 6),
            Give::LeaveOut(2),
            Give::Cut(1, 4),
            Give::Cut(0, 2),
        ];
        for (limit, wanted) in [
            (34, [Some(10), Some(10), Some(10)]),
            (31, [Some(10), Some(10), Some(7)]),
            (30, [Some(10), Some(10), Some(6)]),
            (29, [Some(10), Some(10), None]),
            (18, [Some(10), Some(6), None]),
            (10, [Some(4), Some(4), None]),
            // More is not given.
            (3, [Some(2), Some(4), None]),
        ] {
            assert_eq!(fitted(&[row()], &gives, limit), wanted, "{limit}");
        }
    }

    #[test]
    fn what_a_column_left_out_makes_free_goes_back() {
        let row = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"].map(Cell::from);
        let gives = [Give::Cut(0, 4), Give::LeaveOut(2)];
        assert_eq!(fitted(&[row], &gives, 25), [Some(10), Some(10), None]);
    }

    #[test]
    fn what_tells_a_row_from_the_others_stays_whole() {
        let rows = [
            ["aaaaaaaaaa", "b", "cccc"].map(Cell::from),
            [
                Cell::from("aaa"),
                Cell::from("b"),
                Cell::from("ccc").whole(),
            ],
            [
                Cell::from("aaaaaa").whole(),
                Cell::from("b"),
                Cell::from("c"),
            ],
        ];
        let gives = [Give::Cut(0, 2), Give::LeaveOut(2), Give::Cut(2, 2)];
        assert_eq!(fitted(&rows, &gives, 5), [Some(6), Some(1), Some(3)]);
    }
}
