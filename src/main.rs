//! Parse, run, report, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    // git runs this at every switch and commit: nothing else is set up for it.
    if let Some(code) = git_lane::commands::hook::at_once() {
        return code;
    }
    let cli = match git_lane::cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ui = git_lane::ui::Ui { json: cli.json };
    match git_lane::commands::run(cli, &ui) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
