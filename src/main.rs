//! Parse, run, report, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    // git runs this at every switch and commit: nothing else is set up for it.
    if let Some(code) = git_lane::at_once() {
        return code;
    }
    let cli = match git_lane::cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ui = git_lane::Ui::new(cli.json);
    let done = git_lane::run(cli, &ui);
    ExitCode::from(ui.end(done))
}
