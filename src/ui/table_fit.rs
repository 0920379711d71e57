//! How wide the columns of a table are, which of them are brief and which are left out, so that it
//! fits the screen.
//!
//! `ui/page` alone calls it.

use unicode_width::UnicodeWidthStr;

use super::page::{Cell, Form, GAP, Give, INDENT};

/// How a table is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The columns; `None` where one is left out or has lines of its own.
    pub columns: Vec<Option<Column>>,
    /// The column whose cells have lines of their own.
    pub own_line: Option<usize>,
}

/// How a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its width.
    pub width: usize,
    /// Which form of its cells it has.
    pub form: Form,
    /// Where its cells are cut that are wider.
    pub cut_at: CutAt,
}

/// Where a cell is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CutAt {
    /// At its end.
    #[default]
    End,
    /// In the middle.
    Middle,
}

/// Does what `gives` says in its order until the table fits `limit`. Room that is left in the end
/// goes back, last things first.
pub fn fitted(header: &[Cell], rows: &[Vec<Cell>], gives: &[Give], limit: Option<usize>) -> Fitted {
    let table = Table { header, rows };
    let mut fitted = Fitted {
        columns: (0..header.len())
            .map(|column| Some(table.full(column, Form::Full)))
            .collect(),
        own_line: None,
    };
    let Some(limit) = limit else { return fitted };
    for give in gives {
        let excess = fitted.total().saturating_sub(limit);
        if excess == 0 {
            break;
        }
        table.give(*give, excess, &mut fitted);
    }
    for give in gives.iter().rev() {
        let spare = limit.saturating_sub(fitted.total());
        table.give_back(*give, (spare, gives), &mut fitted);
    }
    fitted
}

impl Fitted {
    fn total(&self) -> usize {
        let shown = || self.columns.iter().flatten();
        let gaps = GAP * shown().count().saturating_sub(1);
        let indent = if self.own_line.is_some() { INDENT } else { 0 };
        shown().map(|column| column.width).sum::<usize>() + gaps + indent
    }
}

struct Table<'a> {
    header: &'a [Cell],
    rows: &'a [Vec<Cell>],
}

impl Table<'_> {
    /// The column at the width that its widest cell needs.
    fn full(&self, column: usize, form: Form) -> Column {
        let title = self.header[column].said(form).width();
        Column {
            width: title.max(self.widest(column, form, |_| true)),
            form,
            cut_at: CutAt::default(),
        }
    }

    fn widest(&self, column: usize, form: Form, counts: impl Fn(&Cell) -> bool) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let cells = cells.filter(|cell| counts(cell));
        cells.map(|cell| cell.said(form).width()).max().unwrap_or(0)
    }

    /// Whether no cell keeps the column on the screen.
    fn may_go(&self, column: usize) -> bool {
        self.widest(column, Form::Full, Cell::is_whole) == 0
    }

    fn give(&self, give: Give, excess: usize, fitted: &mut Fitted) {
        let cut = |column: usize, least: usize, cut_at| {
            let shown = fitted.columns[column]?;
            let least = least.max(self.widest(column, shown.form, Cell::is_whole));
            Some(Column {
                width: shown.width - excess.min(shown.width.saturating_sub(least)),
                cut_at,
                ..shown
            })
        };
        match give {
            Give::Cut(column, least) => fitted.columns[column] = cut(column, least, CutAt::End),
            Give::CutMiddle(column, least) => {
                fitted.columns[column] = cut(column, least, CutAt::Middle);
            }
            Give::Brief(column) if self.widest(column, Form::Brief, |_| true) == 0 => {
                fitted.columns[column] = None;
            }
            Give::Brief(column) => {
                if let Some(shown) = &mut fitted.columns[column] {
                    let brief = self.full(column, Form::Brief);
                    shown.form = Form::Brief;
                    shown.width = shown.width.min(brief.width);
                }
            }
            Give::LeaveOut(column) if self.may_go(column) => fitted.columns[column] = None,
            Give::LeaveOut(_) => {}
            Give::OwnLine(column) => {
                fitted.columns[column] = None;
                fitted.own_line = Some(column);
            }
        }
    }

    /// Takes back what was given, as far as there is room.
    fn give_back(&self, give: Give, (spare, gives): (usize, &[Give]), fitted: &mut Fitted) {
        match give {
            Give::Cut(column, _) | Give::CutMiddle(column, _) => {
                if let Some(shown) = &mut fitted.columns[column] {
                    let full = self.full(column, shown.form);
                    shown.width += spare.min(full.width - shown.width);
                }
            }
            Give::Brief(column) => {
                if let Some(shown) = &mut fitted.columns[column] {
                    let full = self.full(column, Form::Full);
                    if full.width <= shown.width + spare {
                        *shown = full;
                    }
                }
            }
            Give::LeaveOut(column) if fitted.columns[column].is_none() => {
                let mut back = self.full(column, Form::Full);
                let others = fitted.columns.iter().any(Option::is_some);
                let room = spare.saturating_sub(if others { GAP } else { 0 });
                for give in gives.iter().filter(|give| give.column() == column) {
                    self.narrow(*give, room, &mut back);
                }
                if back.width <= room && fitted.own_line != Some(column) {
                    fitted.columns[column] = Some(back);
                }
            }
            Give::LeaveOut(_) | Give::OwnLine(_) => {}
        }
    }

    /// The column as it fits into so much room, where that give allows it.
    fn narrow(&self, give: Give, room: usize, column: &mut Column) {
        match give {
            _ if column.width <= room => {}
            Give::Cut(_, least) if least <= room => column.width = room,
            Give::CutMiddle(_, least) if least <= room => {
                column.width = room;
                column.cut_at = CutAt::Middle;
            }
            Give::Brief(at) if self.widest(at, Form::Brief, |_| true) > 0 => {
                *column = self.full(at, Form::Brief);
            }
            _ => {}
        }
    }
}

impl Give {
    fn column(self) -> usize {
        match self {
            Give::Cut(column, _)
            | Give::CutMiddle(column, _)
            | Give::Brief(column)
            | Give::LeaveOut(column)
            | Give::OwnLine(column) => column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[[Cell; 3]], gives: &[Give], limit: usize) -> Fitted {
        let header = ["A", "B", "C"].map(Cell::from);
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.to_vec()).collect();
        fitted(&header, &rows, gives, Some(limit))
    }

    fn widths(rows: &[[Cell; 3]], gives: &[Give], limit: usize) -> Vec<Option<usize>> {
        let columns = shown(rows, gives, limit).columns;
        let width = |column: Option<Column>| column.map(|column| column.width);
        columns.into_iter().map(width).collect()
    }

    fn tens() -> [Cell; 3] {
        ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"].map(Cell::from)
    }

    #[test]
    fn columns_give_way_in_their_order_until_the_table_fits() {
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
            assert_eq!(widths(&[tens()], &gives, limit), wanted, "{limit}");
        }
    }

    #[test]
    fn what_a_column_left_out_makes_free_goes_back() {
        let gives = [Give::Cut(0, 4), Give::LeaveOut(2)];
        assert_eq!(widths(&[tens()], &gives, 25), [Some(10), Some(10), None]);
        // A narrow column that went before a wide one comes back.
        let row = ["aaaaaaaaaa", "bbb", "cccccccccc"].map(Cell::from);
        let gives = [Give::LeaveOut(1), Give::LeaveOut(2)];
        assert_eq!(widths(&[row], &gives, 16), [Some(10), Some(3), None]);
        // One that can be cut comes back as wide as there is room for.
        let gives = [Give::Cut(1, 4), Give::LeaveOut(1), Give::LeaveOut(2)];
        for (limit, back) in [(18, Some(6)), (16, Some(4)), (15, None)] {
            let wanted = [Some(10), back, None];
            assert_eq!(widths(&[tens()], &gives, limit), wanted, "{limit}");
        }
    }

    #[test]
    fn brief_forms_go_and_come_back() {
        let row = || {
            let [a, b, c] = tens();
            [a, b.or_brief("bb"), c]
        };
        let gives = [Give::Brief(1), Give::LeaveOut(2)];
        for (limit, wanted) in [
            (34, ([Some(10), Some(10), Some(10)], Form::Full)),
            (33, ([Some(10), Some(2), Some(10)], Form::Brief)),
            (26, ([Some(10), Some(2), Some(10)], Form::Brief)),
            (25, ([Some(10), Some(10), None], Form::Full)),
            (21, ([Some(10), Some(2), None], Form::Brief)),
        ] {
            let fitted = shown(&[row()], &gives, limit);
            let form = fitted.columns[1].unwrap().form;
            let found = widths(&[row()], &gives, limit);
            assert_eq!((found, form), (wanted.0.to_vec(), wanted.1), "{limit}");
        }
    }

    #[test]
    fn a_line_of_its_own_makes_room_for_the_others() {
        let gives = [Give::LeaveOut(1), Give::OwnLine(0)];
        for (limit, wanted, own_line) in [
            (34, [Some(10), Some(10), Some(10)], None),
            (33, [Some(10), None, Some(10)], None),
            // Below it there is room for both again.
            (21, [None, None, Some(10)], Some(0)),
            (26, [Some(10), None, Some(10)], None),
        ] {
            let fitted = shown(&[tens()], &gives, limit);
            assert_eq!(fitted.own_line, own_line, "{limit}");
            assert_eq!(widths(&[tens()], &gives, limit), wanted, "{limit}");
        }
        let wide = ["a".repeat(30), "b".into(), "c".into()].map(Cell::from);
        let fitted = shown(std::slice::from_ref(&wide), &gives, 12);
        assert_eq!(fitted.own_line, Some(0));
        assert_eq!(widths(&[wide], &gives, 12), [None, Some(1), Some(1)]);
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
        assert_eq!(widths(&rows, &gives, 5), [Some(6), Some(1), Some(3)]);
    }
}
