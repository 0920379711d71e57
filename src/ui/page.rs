//! Text on its way to a person: lines and tables, escaped and fitted to the width in one place.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape;

/// How a cell stands out; always said in words too, so that nothing depends on colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Ordinary text.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// Of little interest.
    Faint,
    /// Fine.
    Good,
    /// Worth a look.
    Attention,
    /// Wrong.
    Bad,
}

impl Style {
    fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Style::Plain => style,
            Style::Strong => style.bold(),
            Style::Faint => style.dimmed(),
            Style::Good => style.fg_color(Some(anstyle::AnsiColor::Green.into())),
            Style::Attention => style.fg_color(Some(anstyle::AnsiColor::Yellow.into())),
            Style::Bad => style.fg_color(Some(anstyle::AnsiColor::Red.into())),
        }
    }
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Our own text, whose tabs are meant.
    pub fn raw(text: impl Into<String>) -> Self {
        Cell {
            text: escape::tabbed(&text.into()),
            style: Style::Plain,
        }
    }

    /// A cell with a style.
    pub fn new(text: impl std::fmt::Display, style: Style) -> Self {
        Cell {
            text: escape::line(&text.to_string()),
            style,
        }
    }
}

impl<T: std::fmt::Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text, Style::Plain)
    }
}

#[derive(Debug)]
enum Block {
    Line(Cell),
    Table {
        header: Vec<Cell>,
        rows: Vec<Vec<Cell>>,
        shrink: Vec<usize>,
    },
}

/// Lines and tables in the order they were added.
#[derive(Debug, Default)]
pub struct Page {
    blocks: Vec<Block>,
}

impl Page {
    /// Adds a line.
    pub fn line(&mut self, text: impl Into<Cell>) -> &mut Self {
        self.blocks.push(Block::Line(text.into()));
        self
    }

    /// Adds a table; when it is wider than the terminal the columns `shrink` are cut, the first of
    /// them first.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<Cell>>, shrink: &[usize]) -> &mut Self {
        let header = header
            .iter()
            .map(|title| Cell::new(title, Style::Strong))
            .collect();
        self.blocks.push(Block::Table {
            header,
            rows,
            shrink: shrink.to_vec(),
        });
        self
    }

    /// The text, lines at most `width` columns wide where that is given.
    pub fn render(&self, width: Option<usize>) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            match block {
                Block::Line(cell) => {
                    paint(&mut text, &cell.text, cell.style);
                    text.push('\n');
                }
                Block::Table {
                    header,
                    rows,
                    shrink,
                } => table(&mut text, header, rows, shrink, width),
            }
        }
        text
    }
}

const GAP: usize = 2;
const LEAST: usize = 8;

fn table(
    text: &mut String,
    header: &[Cell],
    rows: &[Vec<Cell>],
    shrink: &[usize],
    limit: Option<usize>,
) {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.text.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    if let Some(limit) = limit {
        let total: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut excess = total.saturating_sub(limit);
        // First what is comfortable, then what is still readable.
        for least in [LEAST, LEAST / 2] {
            for &column in shrink {
                let cut = excess.min(widths[column].saturating_sub(least));
                widths[column] -= cut;
                excess -= cut;
            }
        }
    }
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        let last = row
            .iter()
            .rposition(|cell| !cell.text.is_empty())
            .unwrap_or(0);
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate().take(last + 1) {
            let shown = fit(&cell.text, width);
            paint(text, &shown, cell.style);
            if column < last {
                text.extend(std::iter::repeat_n(' ', width - shown.width() + GAP));
            }
        }
        text.push('\n');
    }
}

/// `text`, cut in the middle to `width` columns: both ends of a path or a name tell the most.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        chars
            .take_while(|c| {
                used += c.width().unwrap_or(0);
                used <= room
            })
            .collect::<String>()
    };
    let head = take(&mut text.chars(), room.div_ceil(2));
    let tail: String = take(&mut text.chars().rev(), room / 2)
        .chars()
        .rev()
        .collect();
    format!("{head}…{tail}")
}

fn paint(out: &mut String, text: &str, style: Style) {
    if style == Style::Plain {
        out.push_str(text);
    } else {
        let ansi = style.ansi();
        out.push_str(&format!("{ansi}{text}{ansi:#}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_width_and_keeps_both_ends() {
        let mut page = Page::default();
        let row =
            |name: &str, path: &str| vec![Cell::from(name), Cell::from("clean"), Cell::from(path)];
        page.table(
            &["NAME", "STATE", "PATH"],
            vec![
                row("login", "/home/margaret/projects/shop.lanes/login"),
                row("größe", "/x"),
            ],
            &[2],
        );
        let text = anstream::adapter::strip_str(&page.render(Some(40))).to_string();
        assert_eq!(
            text,
            "NAME   STATE  PATH\nlogin  clean  /home/margare….lanes/login\ngröße  clean  /x\n"
        );
        assert!(text.lines().all(|line| line.width() <= 40));
    }

    #[test]
    fn names_cannot_break_a_table() {
        let mut page = Page::default();
        page.table(&["NAME"], vec![vec![Cell::from("a\nb\u{1b}[31m")]], &[]);
        let text = anstream::adapter::strip_str(&page.render(None)).to_string();
        assert_eq!(text, "NAME\na\\nb\\u{1b}[31m\n");
    }
}
