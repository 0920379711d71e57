//! `git lane config`: every value in force, and who said so.

use crate::domain::lane::LosslessPath;
use crate::error::{Code, Error, Result};
use crate::policy::{self, KEYS, Key, Origin, Value, Values};
use crate::repository::Repository;
use crate::ui::{Cell, Give, Page, Report, Style, Ui};

/// Show the policy in force and where each value comes from
///
/// The policy is read from up to three files named lane.toml: the user's, the one tracked in the
/// repository, and the one of this clone. A value in a later file wins. This command changes
/// nothing; edit the files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the value of this key only
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

#[derive(Debug, serde::Serialize)]
struct Setting<'a> {
    key: &'static str,
    value: Option<&'a Value>,
    origin: &'static str,
    file: Option<LosslessPath>,
}

impl<'a> Setting<'a> {
    fn of(key: &Key, values: &'a Values) -> Self {
        let (value, origin) = values.get(key);
        let file = origin.file().map(|file| LosslessPath(file.into()));
        Setting {
            key: key.name,
            value,
            origin: origin.code(),
            file,
        }
    }
}

#[derive(Debug, serde::Serialize)]
struct All<'a> {
    settings: Vec<Setting<'a>>,
}

impl Report for All<'_> {
    fn text(&self, page: &mut Page) {
        let rows = self.settings.iter().map(|setting| {
            let value = match setting.value {
                Some(Value::List(list)) if list.is_empty() => Cell::new("(none)", Style::Faint),
                Some(value) => Cell::from(value),
                None => Cell::new("(unset)", Style::Faint),
            };
            let from = match &setting.file {
                Some(file) => Cell::from(file),
                None => Cell::new(Origin::Default.code(), Style::Faint),
            };
            vec![Cell::from(setting.key), value, from]
        });
        let gives = [
            Give::CutMiddle(2, 12),
            Give::Cut(1, 16),
            Give::LeaveOut(2),
            Give::Cut(1, 8),
        ];
        page.fitted_table(&["KEY", "VALUE", "FROM"], rows.collect(), &gives);
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(transparent)]
struct One<'a>(Setting<'a>);

impl Report for One<'_> {
    fn text(&self, page: &mut Page) {
        match self.0.value {
            Some(Value::List(list)) => {
                for entry in list {
                    page.line(entry);
                }
            }
            Some(value) => {
                for line in value.to_string().split('\n') {
                    page.line(line);
                }
            }
            None => {}
        }
    }
}

/// Prints all settings, or one value.
pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let values = Repository::discover()?.policy_values()?;
    let Some(name) = args.key else {
        ui.report(&All {
            settings: KEYS.iter().map(|key| Setting::of(key, &values)).collect(),
        });
        return Ok(());
    };
    let Some(key) = policy::find(&name) else {
        let error = Error::usage(format!("there is no key '{name}'")).with_code(Code::UnknownKey);
        return Err(
            match policy::suggest(&name, KEYS.iter().map(|key| key.name)) {
                Some(like) => error.hint(format!("did you mean '{like}'?")),
                None => error.hint("list the keys with: git lane config"),
            },
        );
    };
    ui.report(&One(Setting::of(key, &values)));
    Ok(())
}
