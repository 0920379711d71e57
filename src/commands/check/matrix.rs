//! The lanes against each other as a matrix: a row for each, with a mark for its base and for each
//! lane above. A name is never cut: where there is no room for it, it has a line of its own.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use crate::domain::forecast::{Forecast, Outlook, Verdict};
use crate::domain::name::LaneName;
use crate::ui::{Cell, Page, Style};

/// More lanes than this are listed by their pairs alone.
const MOST: usize = 50;

/// Fewer are no matrix.
const FEWEST: usize = 3;

/// Blanks before the marks below a name that has a line of its own.
const INDENT: usize = 4;

/// Draws it where that is readable on so many columns.
pub(super) fn draw(page: &mut Page, found: &Forecast, columns: usize) {
    let lanes = &found.lanes;
    if !(FEWEST..=MOST).contains(&lanes.len()) {
        return;
    }
    let longest = lanes.iter().map(|lane| lane.lane.as_str().width());
    let longest = longest.max().unwrap_or_default();
    let number = lanes.len().to_string().len();
    // Number, name and base, each with a gap behind it, then the lanes.
    let beside = number + 1 + longest + 2 + 1 + 2;
    let has_room = |before: usize| before + lanes.len() - 1 <= columns;
    let (before, name) = match has_room(beside) {
        true => (beside, Some(longest)),
        false => (INDENT + 1 + 2, None),
    };
    if !has_room(before) {
        return;
    }
    let cell = match before + (lanes.len() - 1) * (number + 1) <= columns {
        true => number + 1,
        false => 1,
    };
    for line in heading(lanes.len(), number, cell) {
        page.line(Cell::new(format!("{:before$}{line}", ""), Style::Faint));
    }
    let verdicts: HashMap<(&LaneName, &LaneName), char> = found
        .pairs
        .iter()
        .map(|pair| ((&pair.first, &pair.second), mark(Some(&pair.verdict))))
        .collect();
    for (row, lane) in lanes.iter().enumerate() {
        let between = |other: &Outlook| {
            let (one, two) = (&lane.lane, &other.lane);
            let known = verdicts.get(&(one, two)).or(verdicts.get(&(two, one)));
            let compared = lane.base == other.base && lane.onto.is_some() && other.onto.is_some();
            match known {
                Some(mark) => *mark,
                None if compared => CLEAR,
                None => ' ',
            }
        };
        let marks = lanes[..row].iter().map(between);
        let marks: String = marks.map(|mark| format!("{mark:>cell$}")).collect();
        let base = mark(lane.onto.as_ref());
        let title = format!("{:>number$} {}", row + 1, lane.lane);
        let marks = match name {
            Some(longest) => {
                let gap = longest - lane.lane.as_str().width() + 2;
                format!("{title}{:gap$}{base}  {marks}", "")
            }
            None => {
                page.line(Cell::raw(title));
                format!("{:INDENT$}{base}  {marks}", "")
            }
        };
        page.line(Cell::raw(marks.trim_end()));
    }
    page.line(Cell::new(
        "first mark: its base; x conflict, . none",
        Style::Faint,
    ));
    let marks = lanes.iter().map(|lane| mark(lane.onto.as_ref()));
    let (nothing, unknown) = marks.fold((false, false), |(nothing, unknown), mark| {
        (nothing || mark == '=', unknown || mark == '?')
    });
    if nothing {
        page.line(Cell::new("= nothing to land", Style::Faint));
    }
    if unknown {
        page.line(Cell::new("? not known", Style::Faint));
    }
}

const CLEAR: char = '.';

fn mark(verdict: Option<&Verdict>) -> char {
    match verdict {
        Some(Verdict::Conflict(_)) => 'x',
        Some(Verdict::Clear) => CLEAR,
        Some(Verdict::Nothing) => '=',
        Some(Verdict::Unknown(_)) | None => '?',
    }
}

/// The numbers of the columns, upright where a column has room for one digit only.
fn heading(lanes: usize, digits: usize, cell: usize) -> Vec<String> {
    // The last lane has no column.
    let numbers: Vec<String> = (1..lanes).map(|at| format!("{at:>digits$}")).collect();
    if cell > 1 {
        let one = |number: &String| format!("{number:>cell$}");
        return vec![numbers.iter().map(one).collect()];
    }
    let digit = |at: usize| {
        let digits = numbers.iter().filter_map(move |text| text.chars().nth(at));
        digits.collect::<String>()
    };
    (0..digits).map(digit).collect()
}
