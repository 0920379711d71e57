//! Text on its way to a person: lines and tables, escaped and fitted to the width in one place.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape;
use super::table_fit::widths;

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
    whole: bool,
}

impl Cell {
    /// Our own text, whose tabs are meant.
    pub fn raw(text: impl Into<String>) -> Self {
        Cell {
            text: escape::tabbed(&text.into()),
            ..Cell::default()
        }
    }

    /// A cell with a style.
    pub fn new(text: impl std::fmt::Display, style: Style) -> Self {
        Cell {
            text: escape::line(&text.to_string()),
            style,
            whole: false,
        }
    }

    /// What it says, escaped.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is never cut.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The same, which is never cut nor left out: it tells its row from the others.
    pub fn whole(self) -> Self {
        Cell {
            whole: true,
            ..self
        }
    }
}

/// How a table that is too wide gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Give {
    /// This column is cut, down to that width.
    Cut(usize, usize),
    /// This column is left out.
    LeaveOut(usize),
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
        gives: Vec<Give>,
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
        // First what is comfortable, then what is still readable.
        let cut = |least| shrink.iter().map(move |column| Give::Cut(*column, least));
        let gives: Vec<Give> = cut(LEAST).chain(cut(LEAST / 2)).collect();
        self.fitted_table(header, rows, &gives)
    }

    /// Adds a table that gives way as is said, one after the other, until it fits the terminal.
    pub fn fitted_table(
        &mut self,
        header: &[&str],
        rows: Vec<Vec<Cell>>,
        gives: &[Give],
    ) -> &mut Self {
        let header = header
            .iter()
            .map(|title| Cell::new(title, Style::Strong))
            .collect();
        self.blocks.push(Block::Table {
            header,
            rows,
            gives: gives.to_vec(),
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
                    gives,
                } => table(&mut text, header, rows, &widths(header, rows, gives, width)),
            }
        }
        text
    }
}

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
const LEAST: usize = 8;

fn table(text: &mut String, header: &[Cell], rows: &[Vec<Cell>], widths: &[Option<usize>]) {
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        let shown: Vec<(&Cell, usize)> = row
            .iter()
            .zip(widths)
            .filter_map(|(cell, width)| Some((cell, (*width)?)))
            .collect();
        let filled = shown.iter().rposition(|(cell, _)| !cell.text.is_empty());
        let last = filled.unwrap_or(0);
        for (column, (cell, width)) in shown.into_iter().enumerate().take(last + 1) {
            let fitted = fit(&cell.text, width);
            paint(text, &fitted, cell.style);
            if column < last {
                text.extend(std::iter::repeat_n(' ', width - fitted.width() + GAP));
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
