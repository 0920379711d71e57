//! Text on its way to a person: lines and tables, escaped and fitted to the width in one place.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape;
use super::table_fit::{CutAt, Fitted, fitted};

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
    /// Every way.
    #[cfg(test)]
    const ALL: [Style; 6] = [
        Style::Plain,
        Style::Strong,
        Style::Faint,
        Style::Good,
        Style::Attention,
        Style::Bad,
    ];

    /// None of them is a colour that vanishes on a dark or on a light ground.
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
    /// What it says where there is little room.
    brief: Option<String>,
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
            ..Cell::default()
        }
    }

    /// What it says, escaped; in brief where that is asked for and there is a brief form.
    pub(super) fn said(&self, form: Form) -> &str {
        match (&self.brief, form) {
            (Some(brief), Form::Brief) => brief,
            _ => &self.text,
        }
    }

    /// The same, which says that much where its column gives way by [`Give::Brief`].
    pub fn or_brief(self, brief: impl std::fmt::Display) -> Self {
        Cell {
            brief: Some(escape::line(&brief.to_string())),
            ..self
        }
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

/// Which form of its cells a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    /// The full one.
    #[default]
    Full,
    /// The brief one.
    Brief,
}

/// How a table that is too wide gives way. A cell that is whole is never cut and keeps its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Give {
    /// This column is cut at its end, down to that width: text that is read from its beginning.
    Cut(usize, usize),
    /// This column is cut in the middle, down to that width: both ends of a path tell the most.
    CutMiddle(usize, usize),
    /// The cells of this column say what they say in brief; it is left out where none says anything.
    Brief(usize),
    /// This column is left out. It comes back where others that are left out make room for it.
    LeaveOut(usize),
    /// Each cell of this column gets a line of its own, above what the others say of its row.
    OwnLine(usize),
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

    /// Adds a table; when it is wider than the terminal the columns `shrink` are cut at their ends,
    /// the first of them first. What identifies a row is not among them.
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

    /// The text, tables at most `width` columns wide where that is given and what identifies a row
    /// is not wider.
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
                } => {
                    let fitted = fitted(header, rows, gives, width);
                    for row in std::iter::once(header).chain(rows) {
                        add_row(&mut text, row, &fitted);
                    }
                }
            }
        }
        text
    }
}

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// Blanks before what is said of a row below a cell that has a line of its own.
pub(super) const INDENT: usize = 4;
const LEAST: usize = 8;

fn add_row(text: &mut String, row: &[Cell], fitted: &Fitted) {
    let own_line = fitted.own_line.and_then(|column| row.get(column));
    if let Some(cell) = own_line {
        paint(text, &cell.text, cell.style);
        text.push('\n');
    }
    let columns = row.iter().zip(&fitted.columns);
    let shown: Vec<(&str, Style, usize, CutAt)> = columns
        .filter_map(|(cell, column)| {
            let column = column.as_ref()?;
            let said = cell.said(column.form);
            Some((said, cell.style, column.width, column.cut_at))
        })
        .collect();
    let Some(last) = shown.iter().rposition(|(said, ..)| !said.is_empty()) else {
        // Below a line of its own an empty one says nothing.
        if own_line.is_none() {
            text.push('\n');
        }
        return;
    };
    if own_line.is_some() {
        text.extend(std::iter::repeat_n(' ', INDENT));
    }
    for (column, (said, style, width, cut_at)) in shown.into_iter().enumerate().take(last + 1) {
        let fitted = match cut_at {
            CutAt::End => fit_start(said, width),
            CutAt::Middle => fit(said, width),
        };
        paint(text, &fitted, style);
        if column < last {
            text.extend(std::iter::repeat_n(' ', width - fitted.width() + GAP));
        }
    }
    text.push('\n');
}

/// `text`, cut in the middle to `width` columns: both ends of a path or a name tell the most.
pub fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let head = beginning(text.chars(), room.div_ceil(2));
    let tail = beginning(text.chars().rev(), room / 2);
    let tail: String = tail.chars().rev().collect();
    format!("{head}…{tail}")
}

/// `text`, cut at its end to `width` columns.
pub fn fit_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let start = beginning(text.chars(), width.saturating_sub(1));
    format!("{}…", start.trim_end())
}

/// As many of the characters as have room.
fn beginning(chars: impl Iterator<Item = char>, room: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

fn paint(out: &mut String, text: &str, style: Style) {
    if style == Style::Plain || text.is_empty() {
        out.push_str(text);
    } else {
        let ansi = style.ansi();
        out.push_str(&format!("{ansi}{text}{ansi:#}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(page: &Page, width: Option<usize>) -> String {
        anstream::adapter::strip_str(&page.render(width)).to_string()
    }

    fn lanes(gives: &[Give]) -> Page {
        let mut page = Page::default();
        let row = |name: &str, state: &str, path: &str| {
            let state = Cell::from(state).or_brief(&state[..1]);
            vec![Cell::from(name), state, Cell::from(path)]
        };
        let rows = vec![
            row("login", "clean", "/home/margaret/projects/shop.lanes/login"),
            row("größe", "2 changed", "/x"),
        ];
        page.fitted_table(&["NAME", "STATE", "PATH"], rows, gives);
        page
    }

    #[test]
    fn a_table_fits_the_width_as_it_is_told_to() {
        for (gives, width, wanted) in [
            (
                &[Give::CutMiddle(2, 8)][..],
                40,
                "NAME   STATE      PATH\nlogin  clean      /home/marga…anes/login\n\
                 größe  2 changed  /x\n",
            ),
            (
                &[Give::Cut(2, 8)],
                40,
                "NAME   STATE      PATH\nlogin  clean      /home/margaret/projec…\n\
                 größe  2 changed  /x\n",
            ),
            (
                &[Give::LeaveOut(2), Give::Brief(1)],
                40,
                "NAME   STATE\nlogin  clean\ngröße  2 changed\n",
            ),
            (
                &[Give::LeaveOut(2), Give::Brief(1)],
                13,
                "NAME   STATE\nlogin  c\ngröße  2\n",
            ),
            (
                &[Give::LeaveOut(2), Give::OwnLine(0)],
                15,
                "NAME\n    STATE\nlogin\n    clean\ngröße\n    2 changed\n",
            ),
        ] {
            let text = plain(&lanes(gives), Some(width));
            assert_eq!(text, wanted, "{gives:?}");
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
        }
    }

    #[test]
    fn what_is_cut_at_its_end_ends_with_a_word() {
        for (text, width, wanted) in [
            ("as the ticket says", 18, "as the ticket says"),
            ("as the ticket says", 8, "as the…"),
            ("as the ticket says", 9, "as the t…"),
            ("größe 漢字", 8, "größe…"),
            ("größe 漢字", 9, "größe 漢…"),
        ] {
            assert_eq!(fit_start(text, width), wanted);
            assert!(fit_start(text, width).width() <= width);
        }
    }

    #[test]
    fn a_pipe_gets_all_of_it() {
        let gives = [Give::LeaveOut(2), Give::Brief(1), Give::OwnLine(0)];
        let text = plain(&lanes(&gives), None);
        assert!(text.contains("  clean      /home/margaret/projects/shop.lanes/login\n"));
    }

    /// Black and white vanish on one ground or the other, and so do the bright colours; what a
    /// theme has made of the other six can be read on its own ground.
    #[test]
    fn no_colour_vanishes_on_a_dark_or_a_light_ground() {
        use anstyle::AnsiColor::{Black, Blue, Cyan, Green, Magenta, Red, White, Yellow};
        for style in Style::ALL {
            let ansi = style.ansi();
            assert_eq!(ansi.get_bg_color(), None, "{style:?}");
            if let Some(colour) = ansi.get_fg_color() {
                let readable = [Red, Green, Yellow, Blue, Magenta, Cyan].map(anstyle::Color::from);
                assert!(readable.contains(&colour), "{style:?}");
                assert!(![Black, White].map(anstyle::Color::from).contains(&colour));
            }
        }
    }

    #[test]
    fn names_cannot_break_a_table() {
        let mut page = Page::default();
        page.table(&["NAME"], vec![vec![Cell::from("a\nb\u{1b}[31m")]], &[]);
        assert_eq!(plain(&page, None), "NAME\na\\nb\\u{1b}[31m\n");
    }
}
