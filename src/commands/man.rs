//! `git lane man`: puts the manual where man(1) finds it, and prints the part of it that programs read.

use std::path::{Path, PathBuf};

use crate::domain::lane::LosslessPath;
use crate::error::{Error, IoContext, Result};
use crate::ui;
use crate::ui::{Report, Ui};

/// Install the manual, so that git lane --help opens it
///
/// `git lane --help` and `git help lane` run man(1), which looks beside the directories of PATH:
/// for a program in X/bin it reads X/share/man. With --install the pages go there.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Args {
    /// Put the pages below this manual directory, in man1 and man7; without DIR, share/man beside
    /// the bin directory of the program, else ~/.local/share/man
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    install: Option<Option<PathBuf>>,

    /// Write the pages into this directory as they are, for packagers
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Print the JSON Schema of the documents that this git-lane prints with --json; see
    /// git-lane-json(7)
    #[arg(long)]
    schema: bool,
}

/// The JSON Schema of every document of `--json`, written by hand: documents come from many types.
/// Whatever the suite has the program print is held against it.
pub const SCHEMA: &str = include_str!("../schema/documents.json");

#[derive(serde::Serialize)]
struct Schema {
    schema: serde_json::Value,
}

impl Report for Schema {
    // It is printed as it is.
    fn text(&self, _: &mut ui::Page) {}
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page's name: `git-lane-start`.
    pub name: String,
    /// The manual's section, 1 or 7.
    pub section: u8,
    /// The text, in roff.
    pub text: String,
}

impl Page {
    /// `git-lane-start.1`
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }
}

#[derive(Debug, serde::Serialize)]
struct Written {
    directory: LosslessPath,
    files: Vec<LosslessPath>,
    #[serde(skip)]
    found_by_man: bool,
    #[serde(skip)]
    installed: bool,
}

impl Report for Written {
    fn text(&self, page: &mut ui::Page) {
        page.line(format!("{} pages in {}", self.files.len(), self.directory));
        if self.found_by_man {
            page.line("read them with: git lane --help");
        }
        if self.installed {
            page.line("see what a new shell needs with: git lane doctor --install");
        }
    }
}

/// Writes the pages.
pub fn run(args: Args, pages: &[Page], ui: &Ui) -> Result<()> {
    if args.schema {
        match ui.json {
            true => ui.report(&Schema {
                schema: serde_json::from_str(SCHEMA).unwrap_or_default(),
            }),
            false => ui.raw(SCHEMA.as_bytes()),
        }
        return Ok(());
    }
    let (directory, installed) = match (args.output, args.install.flatten()) {
        (Some(directory), _) => (directory, false),
        (None, Some(directory)) => (directory, true),
        (None, None) => (default_directory()?, true),
    };
    let mut files = Vec::new();
    for page in pages {
        let file = match installed {
            true => Path::new(&format!("man{}", page.section)).join(page.file_name()),
            false => page.file_name().into(),
        };
        let path = directory.join(&file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).context("create", parent)?;
        }
        std::fs::write(&path, &page.text).context("write", &path)?;
        files.push(LosslessPath(file));
    }
    let found_by_man = installed && searched(&directory);
    if installed && !found_by_man {
        ui.warn(format_args!(
            "man does not look in '{}' of itself",
            directory.display()
        ));
        ui.note(format_args!(
            "hint: export MANPATH='{}:'",
            directory.display()
        ));
    }
    ui.report(&Written {
        directory: LosslessPath(directory),
        files,
        found_by_man,
        installed,
    });
    Ok(())
}

/// `X/share/man` for a program in `X/bin`, else that of the user.
fn default_directory() -> Result<PathBuf> {
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let directory = program
        .as_deref()
        .and_then(Path::parent)
        .filter(|parent| parent.ends_with("bin"));
    if let Some(prefix) = directory.and_then(Path::parent) {
        return Ok(prefix.join("share/man"));
    }
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute());
    match home {
        Some(home) => Ok(home.join(".local/share/man")),
        None => Err(Error::environment(
            "no directory for the manual: the program is in no bin directory, and HOME is not set",
        )
        .hint("name one: git lane man --install DIR")),
    }
}

/// Whether man-db derives the directory from PATH, or MANPATH names it; see manpath(5).
fn searched(directory: &Path) -> bool {
    let list =
        |name| std::env::var_os(name).map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let same = |a: &Path| {
        std::fs::canonicalize(a)
            .is_ok_and(|a| std::fs::canonicalize(directory).is_ok_and(|b| a == b))
    };
    let named = list("MANPATH");
    // An empty entry stands for the directories man would look in anyway.
    let also_path = named
        .as_ref()
        .is_none_or(|entries| entries.iter().any(|entry| entry.as_os_str().is_empty()));
    let beside = |bin: &PathBuf| {
        bin.parent()
            .is_some_and(|prefix| same(&prefix.join("share/man")))
    };
    named.is_some_and(|entries| entries.iter().any(|entry| same(entry)))
        || also_path && list("PATH").is_some_and(|path| path.iter().any(beside))
}
