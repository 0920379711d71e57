//! What a new shell finds of git-lane on this machine: PATH, the manual, start-up files. Only looks.
//!
//! Called by `commands/doctor`; `cli` asks whether there is a page.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::installation::{Facts, Manual, Shell};
use crate::store::git::Git;

/// The directories that every shell has on PATH.
const OF_THE_SYSTEM: [&str; 4] = ["/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin"];

/// What a shell reads when it starts, below the home directory.
fn start_up_files(shell: Shell) -> &'static [&'static str] {
    match shell {
        Shell::Bash => &[".bashrc", ".bash_profile", ".bash_login", ".profile"],
        Shell::Zsh => &[".zshrc", ".zshenv", ".zprofile", ".zlogin", ".profile"],
        Shell::Fish => &[".config/fish/config.fish", ".config/fish/fish_variables"],
    }
}

/// Files that have the completion where git-lane-completions(1) puts them, or a package.
fn completion_files(shell: Shell, home: &Path) -> Vec<PathBuf> {
    match shell {
        Shell::Bash => vec![
            home.join(".local/share/bash-completion/completions/git-lane"),
            "/usr/share/bash-completion/completions/git-lane".into(),
            "/usr/local/share/bash-completion/completions/git-lane".into(),
        ],
        Shell::Zsh => vec![
            home.join(".zsh/functions/_git-lane"),
            "/usr/share/zsh/site-functions/_git-lane".into(),
            "/usr/share/zsh/vendor-completions/_git-lane".into(),
            "/usr/local/share/zsh/site-functions/_git-lane".into(),
        ],
        Shell::Fish => vec![
            home.join(".config/fish/conf.d/git-lane.fish"),
            "/usr/share/fish/vendor_conf.d/git-lane.fish".into(),
        ],
    }
}

/// Looks. `page` is the text of git-lane(1) as this program has it, `version` its own.
pub fn facts(page: &str, version: &str) -> Facts {
    let program = std::env::current_exe().unwrap_or_else(|_| "git-lane".into());
    let program = program.canonicalize().unwrap_or(program);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let home = home.filter(|home| home.is_absolute());
    let shell = home.as_ref().and_then(|_| shell());
    let of_shell = |look: &dyn Fn(Shell, &Path) -> bool| match (shell, &home) {
        (Some(shell), Some(home)) => look(shell, home),
        _ => true,
    };
    Facts {
        on_path: on_path(),
        git_runs_it: Git::default()
            .at(Path::new("/"))
            .lane_version()
            .is_ok_and(|said| said.split_whitespace().any(|word| word == version)),
        manual: manual(page),
        shell,
        stays_on_path: of_shell(&|shell, home| stays_on_path(shell, home, &program)),
        completes: of_shell(&completes),
        program,
    }
}

/// The user's shell, as its environment says.
fn shell() -> Option<Shell> {
    let program = std::env::var_os("SHELL")?;
    let name = Path::new(&program).file_name()?.to_str()?.to_owned();
    Shell::ALL.into_iter().find(|shell| shell.name() == name)
}

/// The first git-lane on PATH, links resolved.
fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut directories = std::env::split_paths(&path).filter(|entry| entry.is_absolute());
    let found = directories.find_map(|entry| {
        let file = entry.join("git-lane");
        file.is_file().then_some(file)
    })?;
    Some(found.canonicalize().unwrap_or(found))
}

/// Whether man finds a page of that name, and where; `None` where there is no man.
fn page_file(name: &str) -> Option<Option<PathBuf>> {
    let run = Command::new("man")
        .args(["-w", name])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8(run.stdout).unwrap_or_default();
    let first = said.lines().next().filter(|_| run.status.success());
    Some(first.map(PathBuf::from))
}

/// Whether man shows a page of that name.
pub fn has_page(name: &str) -> bool {
    matches!(page_file(name), Some(Some(_)))
}

fn manual(page: &str) -> Manual {
    match page_file("git-lane") {
        None => Manual::NoMan,
        Some(None) => Manual::Missing,
        // A packager may have compressed it; then its text is not compared.
        Some(Some(file)) if file.extension().is_some_and(|suffix| suffix != "1") => Manual::Found,
        Some(Some(file)) => match std::fs::read_to_string(file).is_ok_and(|text| text == page) {
            true => Manual::Found,
            false => Manual::Another,
        },
    }
}

/// Whether a start-up file has one of these texts in it.
fn mentions(shell: Shell, home: &Path, texts: &[String]) -> bool {
    let mut files = start_up_files(shell).iter().map(|file| home.join(file));
    files.any(|file| {
        let text = std::fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        texts.iter().any(|wanted| text.contains(wanted))
    })
}

fn stays_on_path(shell: Shell, home: &Path, program: &Path) -> bool {
    let Some(directory) = program.parent() else {
        return true;
    };
    if OF_THE_SYSTEM
        .iter()
        .any(|known| directory == Path::new(known))
    {
        return true;
    }
    let mut names = vec![directory.display().to_string()];
    if let Ok(below) = directory.strip_prefix(home) {
        let below = below.display();
        names.extend(["~", "$HOME", "${HOME}"].map(|home| format!("{home}/{below}")));
        // What rustup writes for ~/.cargo/bin.
        let of_cargo = directory.ends_with(".cargo/bin");
        names.extend(of_cargo.then(|| ".cargo/env".to_owned()));
    }
    mentions(shell, home, &names)
}

fn completes(shell: Shell, home: &Path) -> bool {
    let words = ["lane shell-init", "lane completions"].map(str::to_owned);
    mentions(shell, home, &words)
        || completion_files(shell, home)
            .iter()
            .any(|file| file.is_file())
}
